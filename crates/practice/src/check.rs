//! Checks what was written about a practice, in one pass that reports every error with its key.
//!
//! A check that reports an error goes on with an empty value, which never gets out. Texts have their rules in `text`.

mod guide;
mod hours;
mod links;
mod questions;

use std::cell::RefCell;
use std::collections::BTreeMap;

use guide::guide;
use links::Links;
use questions::questions;

use crate::choices::Choice;
use crate::messages::error;
use crate::text::dialled;
use crate::{
    Consent, Explain, PhoneLine, Practice, PracticeError, PracticeErrors, Privacy, Suspect,
    Treatment, TreatmentKey, Zone, raw,
};

/// Checks a practice.
///
/// # Errors
///
/// Everything that is wrong.
pub fn check(raw: &raw::Practice) -> Result<Practice, PracticeErrors> {
    let errors = RefCell::default();
    let root = At {
        key: String::new(),
        errors: &errors,
        links: Links::To(raw.practice.website.as_ref().map(|it| links::site(&it.0))),
    };
    let (contact, at) = (&raw.practice, root.field("practice"));
    let shown = contact.phone.check(&at.field("phone"));
    let treatments = treatments(&raw.treatment, &root.field("treatment"));
    let left_out = raw.form.check(&root.field("form")).unwrap_or_default();
    let practice = Practice {
        name: contact.name.check(&at.field("name")),
        trade: contact.trade.check(&at.field("trade")),
        address: contact.address.check(&at.field("address")),
        phone: PhoneLine {
            dial: dialled(&shown),
            shown,
        },
        website: contact.website.check(&at.field("website")),
        reference_prefix: contact
            .reference_prefix
            .check(&at.field("reference_prefix")),
        time_zone: time_zone(&contact.time_zone, &at.field("time_zone")),
        social: raw.social.check(&root.field("social")),
        hours: raw.hours.check(&root.field("hours")),
        holidays: raw.holiday.check(&root.field("holiday")),
        reply_within_working_hours: raw.reply.check(&root.field("reply")),
        away_until: raw
            .reply
            .away_until
            .check(&root.field("reply").field("away_until")),
        reminders: raw.reply.reminders.unwrap_or(true),
        guide: guide(&raw.guide, &treatments, &left_out, &root.field("guide")),
        treatments,
        left_out,
        questions: questions(&raw.question, &root.field("question")),
        explain: raw.explain.check(&root.field("explain")),
        emails: raw.emails.check(&root.field("emails")),
        consent: raw.consent.check(&root.field("consent")),
        suspect: raw.suspect.check(&root.field("suspect")),
        privacy: privacy(raw.privacy.as_ref(), &root.field("privacy")),
        written: raw.clone(),
    };
    let errors = errors.into_inner();
    if errors.is_empty() {
        Ok(practice)
    } else {
        Err(PracticeErrors(errors))
    }
}

/// What can be checked without the values around it.
pub(crate) trait Check {
    type Checked;

    fn check(&self, at: &At<'_>) -> Self::Checked;
}

/// Where a value stands, and what was found wrong so far.
pub(crate) struct At<'e> {
    key: String,
    errors: &'e RefCell<Vec<PracticeError>>,
    links: Links<'e>,
}

impl At<'_> {
    pub(crate) fn field(&self, name: &str) -> Self {
        let dot = if self.key.is_empty() { "" } else { "." };
        self.with(format!("{}{dot}{name}", self.key))
    }

    fn item(&self, index: usize) -> Self {
        self.with(format!("{}[{index}]", self.key))
    }

    fn with(&self, key: String) -> Self {
        Self { key, ..*self }
    }

    /// Where what stands there is history, and no longer said.
    fn as_it_was(&self) -> Self {
        Self {
            links: Links::Anywhere,
            ..self.with(self.key.clone())
        }
    }

    pub(crate) fn error(&self, message: impl Into<String>) {
        self.errors.borrow_mut().push(PracticeError {
            key: self.key.clone(),
            line: None,
            message: message.into(),
        });
    }

    pub(crate) fn expect(&self, holds: bool, message: impl Into<String>) {
        if !holds {
            self.error(message);
        }
    }

    /// The links of a text that is said to people lead to the practice's own site only: who has the therapist's session could
    /// otherwise send clients elsewhere, in her name.
    pub(crate) fn links(&self, text: &str) {
        if let Some(word) = self.links.foreign(text) {
            self.error(error::link(word));
        }
    }

    /// A text, with every run of spaces and line breaks as one space. Empty when it was reported.
    pub(crate) fn text(&self, text: &str, longest: usize) -> String {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            self.error(error::EMPTY);
        } else if text.chars().count() > longest {
            self.error(error::too_long(longest));
        } else if text.chars().any(char::is_control) {
            self.error(error::CONTROL);
        } else {
            return text;
        }
        String::new()
    }
}

impl<T: Check> Check for Option<T> {
    type Checked = Option<T::Checked>;

    fn check(&self, at: &At<'_>) -> Self::Checked {
        self.as_ref().map(|value| value.check(at))
    }
}

impl<T: Check> Check for Vec<T> {
    type Checked = Vec<T::Checked>;

    fn check(&self, at: &At<'_>) -> Self::Checked {
        let items = self.iter().enumerate();
        items
            .map(|(index, item)| item.check(&at.item(index)))
            .collect()
    }
}

/// Sections whose fields are checked by themselves.
macro_rules! field_by_field {
    ($($name:ident => $checked:ident { $($field:ident),+ })+) => {$(
        impl Check for raw::$name {
            type Checked = crate::$checked;

            fn check(&self, at: &At<'_>) -> crate::$checked {
                crate::$checked { $($field: self.$field.check(&at.field(stringify!($field))),)+ }
            }
        }
    )+};
}

field_by_field! {
    Social => SocialPage { name, handle, link }
    EmailTexts => EmailTexts { subject, greeting, thanks, next_by_email, next_by_phone, next_by_text, sooner, sign_off, first_lines }
    EarlierConsent => EarlierConsent { version, wording, replaced }
}

fn time_zone(name: &raw::Line, at: &At<'_>) -> Zone {
    let name = name.check(at);
    let zone = Zone::from_database(&name);
    at.expect(name.is_empty() || zone.is_some(), error::time_zone(&name));
    zone.unwrap_or_else(Zone::utc)
}

impl Check for raw::Treatment {
    type Checked = Treatment;

    fn check(&self, at: &At<'_>) -> Treatment {
        let price = self.price.check(&at.field("price"));
        let has_figure = |price: &String| price.is_empty() || price.contains(char::is_numeric);
        at.field("price").expect(
            price.as_ref().is_none_or(has_figure),
            error::treatment::PRICE,
        );
        Treatment {
            key: TreatmentKey::listed(&self.key.check(&at.field("key"))),
            name: self.name.check(&at.field("name")),
            choose_it_for: self.choose_it_for.check(&at.field("choose_it_for")),
            how_it_works: self.how_it_works.check(&at.field("how_it_works")),
            warm: self.warm,
            price,
            duration: self.duration.check(&at.field("duration")),
        }
    }
}

fn treatments(raw: &Vec<raw::Treatment>, at: &At<'_>) -> Vec<Treatment> {
    at.expect(!raw.is_empty(), error::treatment::NONE);
    let checked = raw.check(at);
    for (index, treatment) in checked.iter().enumerate() {
        let key = &treatment.key;
        let taken = checked.iter().take(index).any(|other| other.key == *key);
        at.item(index).field("key").expect(
            key.as_str().is_empty() || !taken,
            error::treatment::same_key(key),
        );
    }
    checked
}

impl Check for raw::Explain {
    type Checked = Explain;

    fn check(&self, at: &At<'_>) -> Explain {
        Explain {
            massage: self.massage.check(&at.field("massage")),
            recent_injury: self.recent_injury.check(&at.field("recent_injury")),
            general: self.general.check(&at.field("general")),
            area: explanations(&self.area, &at.field("area")),
            cause: explanations(&self.cause, &at.field("cause")),
        }
    }
}

fn explanations<C: Choice + Ord>(
    texts: &BTreeMap<String, raw::Sentences>,
    at: &At<'_>,
) -> BTreeMap<C, String> {
    let mut checked = BTreeMap::new();
    for (key, text) in texts {
        let at = at.field(key);
        if let Some(answer) = C::from_key(key) {
            checked.insert(answer, text.check(&at));
        } else {
            let known = keys_of::<C>().join(", ");
            at.error(error::unknown_key(known));
        }
    }
    checked
}

impl Check for raw::Consent {
    type Checked = Consent;

    fn check(&self, at: &At<'_>) -> Consent {
        let (version, earlier) = (
            self.version.check(&at.field("version")),
            at.field("earlier").as_it_was(),
        );
        let consent = Consent {
            wording: self.wording.check(&at.field("wording")),
            earlier: self.earlier.check(&earlier),
            version,
        };
        for (index, one) in consent.earlier.iter().enumerate() {
            let version = &one.version;
            let before = consent.earlier.iter().take(index);
            let taken = before.map(|other| &other.version).chain([&consent.version]);
            earlier.item(index).field("version").expect(
                version.is_empty() || taken.into_iter().all(|other| other != version),
                error::consent::same_version(version),
            );
        }
        consent
    }
}

impl Check for raw::Suspect {
    type Checked = Suspect;

    fn check(&self, at: &At<'_>) -> Suspect {
        let small = |texts: Vec<String>| texts.iter().map(|text| text.to_lowercase()).collect();
        Suspect {
            words: small(self.words.0.check(&at.field("words"))),
            senders: small(self.senders.0.check(&at.field("senders"))),
        }
    }
}

/// How long an enquiry is kept where nothing else was said, in days.
const RETENTION_DAYS: u16 = 365;

fn privacy(raw: Option<&raw::Privacy>, at: &At<'_>) -> Privacy {
    let days = raw.and_then(|raw| raw.retention_days.as_ref());
    let days = days.map_or(RETENTION_DAYS, |days| days.0);
    at.field("retention_days")
        .expect((1..=3650).contains(&days), error::privacy::RETENTION);
    Privacy {
        keep_health_out_of_email: raw
            .and_then(|raw| raw.keep_health_out_of_email)
            .unwrap_or_default(),
        retention_days: days,
    }
}

/// The answer that a text names.
fn answer<C: Choice>(text: &str, at: &At<'_>) -> Option<C> {
    let answer = C::from_key(text.trim());
    let known = keys_of::<C>().join(", ");
    at.expect(answer.is_some(), error::one_of(known, text));
    answer
}

fn keys_of<C: Choice>() -> Vec<&'static str> {
    C::ALL.iter().map(|choice| choice.key()).collect()
}
