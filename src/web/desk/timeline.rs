//! The timeline of an enquiry's page, in words.

use jiff::Timestamp;

use super::words;
use crate::email::withheld_reason;
use crate::mail_state::{EmailKind, Report};
use crate::messages::desk::timeline as say;
use crate::practice::Practice;
use crate::record::{Entry, Event, Mark, Origin};

pub(super) struct Line {
    pub(super) when: String,
    pub(super) what: String,
    /// What SES gave as the reason, or which try it was; often empty.
    pub(super) detail: String,
}

impl Line {
    pub(super) fn new(practice: &Practice, entry: &Entry, now: Timestamp) -> Self {
        let (what, detail) = in_words(&entry.event);
        Self {
            when: practice.when(entry.at, now),
            what,
            detail,
        }
    }
}

const fn email(kind: EmailKind) -> &'static str {
    match kind {
        EmailKind::Therapist => say::TO_YOU,
        EmailKind::AutoReply => say::AUTO_REPLY,
        EmailKind::Notice => say::NOTICE,
        _ => say::OTHER_EMAIL,
    }
}

const fn by(origin: Origin) -> &'static str {
    match origin {
        Origin::Desk => "",
        Origin::Link => say::BY_LINK,
        Origin::Command => say::BY_COMMAND,
    }
}

/// What happened, and what is known beside it.
fn in_words(event: &Event) -> (String, String) {
    let plain = |what: &str| (what.to_owned(), String::new());
    let done = |what: &str, origin: &Origin| (what.to_owned(), by(*origin).to_owned());
    match event {
        Event::Received => plain(say::RECEIVED),
        Event::Sent { kind, attempt } => {
            let again = *attempt > 1;
            let detail = again.then(|| say::at_attempt(attempt));
            (say::sent(email(*kind)), detail.unwrap_or_default())
        }
        Event::NotSent { kind, attempt } => (say::not_sent(email(*kind)), say::attempt(attempt)),
        Event::Failed { kind, reason } => (say::failed(email(*kind)), reason.clone()),
        Event::Withheld { reason } => (
            say::WITHHELD.to_owned(),
            say::because(withheld_reason(*reason)),
        ),
        Event::Unknown { kind } => (say::unknown(email(*kind)), String::new()),
        Event::Reported { kind, report, why } => (
            reported(*report, email(*kind)),
            why.clone().unwrap_or_default(),
        ),
        Event::Marked { mark, by } => done(marked(*mark), by),
        Event::Undone { mark, by } => done(undone(*mark), by),
        Event::Spam { by } => done(say::SPAM, by),
        Event::NotSpam { by } => done(say::NOT_SPAM, by),
        Event::Resend { kind, by } => done(&say::resend(email(*kind)), by),
        Event::Noted { by } => done(say::NOTED, by),
        Event::NoteRemoved { by } => done(say::NOTE_REMOVED, by),
        Event::Blocked { by } => done(say::BLOCKED, by),
        Event::Trusted { by } => done(say::TRUSTED, by),
        Event::Unblocked { by } => done(say::UNBLOCKED, by),
        Event::Withdrawn => plain(say::WITHDRAWN),
        Event::Kept => plain(say::KEPT),
        Event::Disowned => plain(say::DISOWNED),
        Event::DataComplaint { by } => done(say::DATA_COMPLAINT, by),
        Event::Acknowledged { by } => done(say::ACKNOWLEDGED, by),
        Event::Other(text) => (words::visible(text), String::new()),
    }
}

fn reported(report: Report, email: &str) -> String {
    match report {
        Report::Delivered => say::delivered(email),
        Report::Bounced { transient: true } => say::came_back_for_now(email),
        Report::Bounced { transient: false } => say::came_back(email),
        Report::Complained => say::complained(email),
        Report::Suppressed => say::suppressed(email),
        Report::Rejected => say::rejected(email),
        Report::Delayed => say::delayed(email),
    }
}

const fn marked(mark: Mark) -> &'static str {
    match mark {
        Mark::Waiting => say::marked::WAITING,
        Mark::Answered => say::marked::ANSWERED,
        Mark::Booked => say::marked::BOOKED,
        Mark::Declined => say::marked::DECLINED,
    }
}

const fn undone(mark: Mark) -> &'static str {
    match mark {
        Mark::Waiting => say::undone::WAITING,
        Mark::Answered => say::undone::ANSWERED,
        Mark::Booked => say::undone::BOOKED,
        Mark::Declined => say::undone::DECLINED,
    }
}
