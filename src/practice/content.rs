//! What `practice.toml` says, once it has been checked: plain data.
//!
//! `build.rs` compiles this file too, so it depends on nothing but `serde`, `jiff` and the answers of the form.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::enquiry::answers::{Area, Cause, Goal, Warmth};

/// The practice: who and where it is, when it works, what it offers, and how it speaks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Practice {
    /// The name of the practice.
    pub name: String,
    /// What the therapist is, such as "massage therapist".
    pub trade: String,
    /// The postal address, on one line.
    pub address: String,
    /// The number to call.
    pub phone: PhoneLine,
    /// The website, if there is one.
    pub website: Option<String>,
    /// The pages on social networks.
    pub social: Vec<SocialPage>,
    /// The letters that references start with: two to four capitals.
    pub reference_prefix: String,
    /// The time zone in which the practice works.
    pub time_zone: Zone,
    /// The working hours.
    pub hours: WorkingHours,
    /// The days off.
    pub holidays: Vec<Holiday>,
    /// Within how many working hours an answer is promised: 1 to 80.
    pub reply_within_working_hours: u8,
    /// The treatments, in the order in which people should read them. Never empty.
    pub treatments: Vec<Treatment>,
    /// The guide: each pair of goal and warmth is in exactly one row.
    pub(super) guide: Vec<GuideRow>,
    /// The explanations.
    pub explain: Explain,
    /// The tone of the answer to the client.
    pub letter: Letter,
    /// What the client agrees to.
    pub consent: Consent,
    /// What makes an enquiry suspect.
    pub suspect: Suspect,
}

/// A phone number of the practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneLine {
    /// As people should read it.
    pub shown: String,
    /// The digits, with a leading `+` where there is one: what follows `tel:` in a link.
    pub dial: String,
}

/// A page on a social network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocialPage {
    /// The network.
    pub name: String,
    /// The name of the practice there.
    pub handle: String,
    /// The page's address.
    pub link: String,
}

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

    /// The zone's name in the IANA database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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

/// The working hours of a week.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// From Monday to Sunday, each day's spans in order, none overlapping.
    pub(super) days: [Vec<Span>; 7],
}

impl WorkingHours {
    /// The spans of one day, in order; none when the practice is closed.
    #[must_use]
    pub fn on(&self, weekday: Weekday) -> &[Span] {
        let index = usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default();
        self.days.get(index).map_or(&[], Vec::as_slice)
    }
}

/// A span of working hours within one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// When it begins, in minutes after midnight.
    pub from: u16,
    /// When it ends, in minutes after midnight: later than `from`, at most 1440.
    pub to: u16,
}

/// One day off, or several in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// What it is called.
    pub name: String,
    /// The first day off.
    pub first: Date,
    /// The last day off; the same as the first for a single day.
    pub last: Date,
}

/// The key of a treatment that the practice offers.
///
/// It comes out of the practice's own list only: ask [`Practice::treatment`]. `Deserialize` is for what the desk itself
/// has stored; a treatment that has left the list since then is one that the practice no longer finds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TreatmentKey(String);

impl TreatmentKey {
    /// Only for the reader of `practice.toml`, which makes the list.
    #[allow(
        dead_code,
        reason = "without the feature `local`, that reader is in build.rs only"
    )]
    pub(super) fn listed(key: &str) -> Self {
        Self(key.to_owned())
    }

    /// What is posted and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreatmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A treatment that the practice offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treatment {
    /// What is posted and stored: small letters, digits and hyphens.
    pub key: TreatmentKey,
    /// What people read.
    pub name: String,
    /// Ends the sentence "Choose it for …"; no full stop.
    pub choose_it_for: String,
    /// How it works, in full sentences.
    pub how_it_works: String,
    /// Whether it is done with warm stones.
    pub warm: bool,
    /// The price as people should read it, if it is to be told.
    pub price: Option<String>,
    /// How long it takes as people should read it, if it is to be told.
    pub duration: Option<String>,
}

/// What the guide says about some pairs of goal and warmth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GuideRow {
    pub(super) goal: Goal,
    pub(super) warmth: Vec<Warmth>,
    pub(super) suggest: Option<TreatmentKey>,
    pub(super) why: String,
    pub(super) also: Option<TreatmentKey>,
    pub(super) also_why: Option<String>,
}

/// What the practice explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// What massage does.
    pub massage: String,
    /// What to do after an injury in the last 48 hours.
    pub recent_injury: String,
    /// That this is general information, and whom to ask about a symptom.
    pub general: String,
    /// What is often behind pain in an area.
    pub area: BTreeMap<Area, String>,
    /// What a cause does to the muscles.
    pub cause: BTreeMap<Cause, String>,
}

/// The tone of the answer to the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The subject, without the reference.
    pub subject: String,
    /// The greeting, which names nobody.
    pub greeting: String,
    /// The first sentences.
    pub thanks: String,
    /// What happens next when the client wants an email; holds `{when}` once.
    pub next_by_email: String,
    /// What happens next when the client wants a call; holds `{when}` once.
    pub next_by_phone: String,
    /// What happens next when the client wants a text message; holds `{when}` once.
    pub next_by_text: String,
    /// Said above the ways to get in touch.
    pub sooner: String,
    /// Said above the name of the practice at the end.
    pub sign_off: String,
    /// The first lines of the therapist's own reply, which a link in the therapist's mail opens.
    pub first_lines: String,
}

/// What the client agrees to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The version of the wording, stored with each enquiry: letters, digits, full stops and hyphens.
    pub version: String,
    /// The words beside the box.
    pub wording: String,
}

/// What makes an enquiry suspect, in the therapist's own judgement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Words and phrases, in lower case.
    pub words: Vec<String>,
    /// Addresses, or `@` and a domain, in lower case.
    pub senders: Vec<String>,
}
