//! The emails that belong to no enquiry's state, and what is due.

use std::fmt;

use jiff::Timestamp;

use crate::enquiry::Reference;
use crate::mail_state::{EmailKind, OwnDelivery};

/// No email of its own is about anything with a longer name.
const ABOUT: usize = 64;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The emails of an enquiry.
    Enquiry(Reference),
    Email(OwnEmailId),
    /// A nightly test whose hour is over.
    NightlyTest,
}

/// Names an email of its own: there is one of each kind about each thing, however often it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEmailId {
    pub kind: EmailKind,
    /// What it is about: an hour or a day in UTC, or a reference; nothing personal.
    pub about: String,
}

/// An email of its own, to the therapist. It is written when it is sent, from what stands in the table by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEmail {
    pub id: OwnEmailId,
    /// When it is to leave.
    pub due: Timestamp,
    /// Where it stands.
    pub delivery: OwnDelivery,
    /// How often it was changed.
    pub revision: u64,
}

impl OwnEmailId {
    /// An email about something that happened to an enquiry at this time.
    #[must_use]
    pub fn about_enquiry(kind: EmailKind, reference: &Reference, at: Timestamp) -> Self {
        Self {
            kind,
            about: format!("{reference}@{at}"),
        }
    }

    /// The enquiry that such an email is about, and when it happened.
    #[must_use]
    pub fn enquiry(&self) -> Option<(Reference, Timestamp)> {
        let (reference, at) = self.about.split_once('@')?;
        Some((Reference::parse(reference).ok()?, at.parse().ok()?))
    }

    /// What it is about, as a tag of SES may have it: its reports name the email by its kind and this.
    #[must_use]
    pub fn tag(&self) -> String {
        hex::encode(&self.about)
    }

    /// The email of this kind and tag.
    #[must_use]
    pub fn from_tag(kind: EmailKind, tag: &str) -> Option<Self> {
        let about = String::from_utf8(hex::decode(tag).ok()?).ok()?;
        let is_a_name = (1..=ABOUT).contains(&about.len()) && about.is_ascii();
        (kind.is_own() && is_a_name).then_some(Self { kind, about })
    }

    /// Reads what [`fmt::Display`] writes; nothing for a kind that only a newer version knows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, about) = text.split_once('#')?;
        let kind = EmailKind::from_key(kind).filter(|kind| kind.is_own())?;
        Some(Self {
            kind,
            about: about.to_owned(),
        })
    }
}

impl fmt::Display for OwnEmailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind, self.about)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enquiry(reference) => reference.fmt(f),
            Self::Email(id) => id.fmt(f),
            Self::NightlyTest => f.write_str("nightly_test"),
        }
    }
}
