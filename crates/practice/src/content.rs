//! A practice that has been checked: plain data.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::choices::{Area, BuiltIn, Cause, Goal, Warmth};
use crate::{Question, Zone, raw};

/// The practice: who and where it is, when it works, what it offers, and how it speaks.
#[derive(Debug, Clone)]
pub struct Practice {
    /// What it was made of: what was written in the file, or on the desk.
    pub written: raw::Practice,
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
    /// The day on which the therapist is back; one that has passed makes no difference.
    pub away_until: Option<Date>,
    /// Whether the therapist is reminded shortly before a promised time passes.
    pub reminders: bool,
    /// The treatments, in the order in which people should read them. Never empty.
    pub treatments: Vec<Treatment>,
    /// The guide: each pair of goal and warmth is in exactly one row.
    pub(crate) guide: Vec<GuideRow>,
    /// The built-in questions that the form leaves out.
    pub left_out: Vec<BuiltIn>,
    /// The questions of the practice's own, in the order of the form.
    pub questions: Vec<Question>,
    /// The explanations.
    pub explain: Explain,
    /// The tone of the answer to the client.
    pub emails: EmailTexts,
    /// What the client agrees to.
    pub consent: Consent,
    /// What makes an enquiry suspect.
    pub suspect: Suspect,
    /// What is kept, where and for how long.
    pub privacy: Privacy,
}

/// What is kept, where and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy {
    /// Whether the therapist's email leaves out what the client says about their health: it is on the desk only.
    pub keep_health_out_of_email: bool,
    /// How many days an enquiry is kept that comes in now: 1 to 3,650.
    pub retention_days: u16,
}

/// A phone number of the practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneLine {
    /// As people should read it.
    pub shown: String,
    /// The digits, with a leading `+` where there is one: what follows `tel:` in a link.
    pub dial: String,
}

/// A page on a social network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocialPage {
    /// The network.
    pub name: String,
    /// The name of the practice there.
    pub handle: String,
    /// The page's address.
    pub link: String,
}

/// The working hours of a week.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkingHours {
    /// From Monday to Sunday, each day's spans in order, none overlapping.
    pub(crate) days: [Vec<Span>; 7],
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins, in minutes after midnight.
    pub from: u16,
    /// When it ends, in minutes after midnight: later than `from`, at most 1440.
    pub to: u16,
}

/// One day off, or several in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Only for the checks, which make the list.
    pub(crate) fn listed(key: &str) -> Self {
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuideRow {
    pub(crate) goal: Goal,
    pub(crate) warmth: Vec<Warmth>,
    pub(crate) suggest: Option<TreatmentKey>,
    pub(crate) why: String,
    pub(crate) also: Option<TreatmentKey>,
    pub(crate) also_why: Option<String>,
}

/// What the practice explains.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailTexts {
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The version of the wording, stored with each enquiry: letters, digits, full stops and hyphens.
    pub version: String,
    /// The words beside the box.
    pub wording: String,
    /// The wordings that were beside the box before.
    pub earlier: Vec<EarlierConsent>,
}

/// A wording that was replaced. Pages that were opened, copied or cached before still show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierConsent {
    /// Its version.
    pub version: String,
    /// The words that stood beside the box.
    pub wording: String,
    /// The day on which another wording took its place.
    pub replaced: Date,
}

/// Which wording a client has agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreed {
    /// The present one.
    Present,
    /// An earlier one, which was still accepted.
    Earlier,
}

impl Consent {
    /// For so many days after its replacement a wording is still accepted.
    const EARLIER_DAYS: i32 = 60;

    /// The wording of this version, as far as a consent to it is accepted on this day.
    #[must_use]
    pub fn agreed(&self, version: &str, today: Date) -> Option<Agreed> {
        if version == self.version {
            return Some(Agreed::Present);
        }
        let earlier = self.earlier.iter().find(|it| it.version == version)?;
        let last = earlier
            .replaced
            .saturating_add(jiff::Span::new().days(Self::EARLIER_DAYS));
        (today <= last).then_some(Agreed::Earlier)
    }
}

/// What makes an enquiry suspect, in the therapist's own judgement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspect {
    /// Words and phrases, in lower case.
    pub words: Vec<String>,
    /// Addresses, or `@` and a domain, in lower case.
    pub senders: Vec<String>,
}
