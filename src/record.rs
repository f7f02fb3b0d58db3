//! An enquiry with its history: what came in, what the spam filter said, and where its emails stand. And the emails that
//! belong to no enquiry.

mod health;
mod mark;
mod nightly;
mod note;
mod own_email;
mod sender;
mod timeline;

use jiff::{SignedDuration, Timestamp};

use crate::enquiry::Received;
use crate::mail_state::{Deliveries, MailState, Withheld};
use crate::spam::{Score, SenderRule, Signal, Verdict};

pub use health::{Finding, Health, Level, StepPage};
pub use mark::{Mark, Marked, Origin};
pub use nightly::{NightlyTest, Step};
pub use note::{Note, NoteTooLong};
pub use own_email::{OwnEmail, OwnEmailId, Work};
pub use sender::KnownSender;
pub use timeline::{Entry, Event, Timeline};

/// For how long the client can keep an enquiry that was withdrawn.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

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
    /// What the therapist had said about its sender when it was taken up.
    pub sender: KnownSender,
    /// Where its emails stand.
    pub deliveries: Deliveries,
    /// When nothing was pending for the therapist for the first time: how long it is kept counts from here.
    pub completed: Option<Timestamp>,
    /// When a person last called it spam: the short life of spam begins no sooner.
    pub judged: Option<Timestamp>,
    /// What the therapist has marked; none as long as it has never been marked.
    pub marked: Option<Marked>,
    /// What happened, as far as the state holds it.
    pub timeline: Timeline,
    /// How often the private note was saved.
    pub note_version: u32,
    /// Whether there is an item beside the state that holds the note, or the older part of the timeline.
    pub has_annex: bool,
    /// When the client withdrew it.
    pub withdrawn: Option<Timestamp>,
    /// Whether the owner of its address says that they did not send it.
    pub disowned: bool,
    /// When the therapist noted a complaint about the use of personal data that she has not acknowledged yet.
    pub data_complaint: Option<Timestamp>,
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

    /// Takes in what the therapist has said about its sender, once: the verdict and the signals follow.
    ///
    /// Returns whether that was new.
    pub fn hear(&mut self, rule: Option<SenderRule>) -> bool {
        if self.state.sender != KnownSender::NotAsked {
            return false;
        }
        self.state.sender = KnownSender::Asked(rule);
        if rule.is_some() {
            let signals = std::mem::take(&mut self.signals);
            let score = Score { signals }.with_sender(rule);
            self.state.verdict = score.verdict();
            self.signals = score.signals;
        }
        true
    }

    /// When its work is due: its place in the index of pending work. Taking a lease does not move it.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        let deliveries = &self.state.deliveries;
        let emails = deliveries.due(self.received.received_at);
        match self.erased_at() {
            Some(erased_at) if deliveries.is_pending() => emails.min(erased_at),
            Some(erased_at) => erased_at,
            None => emails,
        }
    }

    /// When a withdrawn enquiry is erased.
    #[must_use]
    pub fn erased_at(&self) -> Option<Timestamp> {
        self.state.withdrawn.map(|at| at + GRACE)
    }

    /// Whether it waits for the therapist's answer. What looks like spam waits for nothing.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let state = &self.state;
        state.mark() == Mark::Waiting && !state.is_suspect() && state.withdrawn.is_none()
    }

    /// Whether an email of the therapist's own may go to the client's address: not where its owner has said that they did not
    /// send the enquiry, where an email came back or was not welcome, or where none can go.
    #[must_use]
    pub fn may_write(&self) -> bool {
        let came_back = matches!(
            self.state.deliveries.auto_reply,
            MailState::Bounced {
                transient: false,
                ..
            } | MailState::Complained { .. }
                | MailState::Withheld {
                    reason: Withheld::Undeliverable,
                }
        );
        // In a Reply-To, an address that no email system carries would make SES refuse the email itself.
        !came_back && !self.state.disowned && self.received.enquiry.email.is_carried()
    }

    /// Whether it waits although the time has passed by which an answer was promised.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.is_waiting() && self.received.promised_by < now
    }
}

impl State {
    /// The state of an enquiry that has just come in.
    #[must_use]
    pub const fn new(verdict: Verdict) -> Self {
        Self {
            revision: 0,
            verdict,
            sender: KnownSender::NotAsked,
            deliveries: Deliveries::new(),
            completed: None,
            withdrawn: None,
            disowned: false,
            data_complaint: None,
            judged: None,
            marked: None,
            timeline: Timeline {
                recent: Vec::new(),
                moved: 0,
            },
            note_version: 0,
            has_annex: false,
        }
    }

    /// A person judges it, which outranks whatever is known of its sender.
    pub fn judge(&mut self, verdict: Verdict) {
        self.verdict = verdict;
        if self.sender == KnownSender::NotAsked {
            self.sender = KnownSender::Asked(None);
        }
    }

    /// Adds an entry to the timeline.
    pub fn tell(&mut self, at: Timestamp, event: Event) {
        self.timeline.push(Entry { at, event });
    }

    /// Adds to the timeline what this state tells that came after another one.
    pub fn follow(&mut self, before: &Self, now: Timestamp) {
        self.timeline
            .follow(&before.timeline, &before.deliveries, &self.deliveries, now);
    }

    /// Where the therapist stands with it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.marked.map_or(Mark::Waiting, |marked| marked.mark)
    }

    /// Whether it looks like spam.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        matches!(self.verdict, Verdict::Suspect)
    }
}
