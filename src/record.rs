//! An enquiry with its history: what came in, what the spam filter said, and where its emails stand. And the emails that
//! belong to no enquiry.

use std::fmt;

use jiff::Timestamp;

use crate::enquiry::{Received, Reference};
use crate::mail_state::{Deliveries, EmailKind, MailState};
use crate::spam::{Score, Signal, Verdict};

/// An enquiry as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What came in. It never changes.
    pub received: Received,
    /// Why the spam filter judged as it did.
    pub signals: Vec<Signal>,
    /// Whether its source could not be counted.
    pub uncounted: bool,
    /// Whether it is found by its client's address: not when it came in while the keys were out of reach.
    pub addressed: bool,
    /// When the item with what was typed expires; none while an email to the therapist is pending.
    pub text_expires: Option<Timestamp>,
    /// Whether it stands in the index of pending work.
    pub indexed: bool,
    /// What changes.
    pub state: State,
}

/// What changes about an enquiry, all under one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How often it was changed.
    pub revision: u64,
    /// What the spam filter said, or the person who released it.
    pub verdict: Verdict,
    /// Where its emails stand.
    pub deliveries: Deliveries,
    /// When nothing was pending for the therapist for the first time: how long it is kept counts from here.
    pub completed: Option<Timestamp>,
}

impl Record {
    /// An enquiry that has just come in.
    #[must_use]
    pub fn new(received: Received, score: &Score) -> Self {
        Self {
            received,
            signals: score.signals.clone(),
            uncounted: false,
            addressed: true,
            text_expires: None,
            indexed: true,
            state: State::new(score.verdict()),
        }
    }

    /// When its work is due: its place in the index of pending work. Taking a lease does not move it.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        self.state.deliveries.due(self.received.received_at)
    }
}

impl State {
    /// The state of an enquiry that has just come in.
    #[must_use]
    pub const fn new(verdict: Verdict) -> Self {
        Self {
            revision: 0,
            verdict,
            deliveries: Deliveries::new(),
            completed: None,
        }
    }
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The emails of an enquiry.
    Enquiry(Reference),
    /// An email of its own.
    Email(OwnEmailId),
}

/// Names an email of its own: there is one of each kind about each thing, however often it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEmailId {
    /// Which email it is.
    pub kind: EmailKind,
    /// What it is about: an hour or a day in UTC, or a reference; nothing personal.
    pub about: String,
}

/// An email of its own, to the therapist. It is written when it is sent, from what stands in the table by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEmail {
    /// Which one.
    pub id: OwnEmailId,
    /// When it is to leave.
    pub due: Timestamp,
    /// Where it stands.
    pub state: MailState,
    /// How often it was changed.
    pub revision: u64,
}

impl OwnEmailId {
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
        }
    }
}
