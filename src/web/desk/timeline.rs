//! What happened with an enquiry, in words: the timeline of its page.

use jiff::Timestamp;

use super::words;
use crate::email::because;
use crate::mail_state::{EmailKind, Report};
use crate::practice::Practice;
use crate::record::{Entry, Event, Origin};

/// One line.
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
        EmailKind::Therapist => "The email to you",
        EmailKind::AutoReply => "The automatic reply",
        EmailKind::Notice => "The email to you about the reply",
        _ => "An email",
    }
}

const fn by(origin: Origin) -> &'static str {
    match origin {
        Origin::Desk => "",
        Origin::Link => "From a link in an email",
        Origin::Command => "By a command",
    }
}

fn in_words(event: &Event) -> (String, String) {
    let plain = |what: &str| (what.to_owned(), String::new());
    let done = |what: &str, origin: &Origin| (what.to_owned(), by(*origin).to_owned());
    match event {
        Event::Received => plain("The enquiry came in"),
        Event::Sent { kind, attempt } => {
            let detail = if *attempt > 1 {
                format!("At try {attempt}")
            } else {
                String::new()
            };
            (format!("{} left", email(*kind)), detail)
        }
        Event::NotSent { kind, attempt } => (
            format!("{} has not left yet, and is tried again", email(*kind)),
            format!("Try {attempt}"),
        ),
        Event::Failed { kind, reason } => (
            format!("{} could not be sent", email(*kind)),
            reason.clone(),
        ),
        Event::Withheld { reason } => (
            "No automatic reply was sent".to_owned(),
            format!("Because {}", because(*reason)),
        ),
        Event::Unknown { kind } => (
            format!(
                "{} may or may not have left, and is not sent again",
                email(*kind)
            ),
            String::new(),
        ),
        Event::Reported { kind, report, why } => (
            format!("{} {}", email(*kind), reported(*report)),
            why.clone().unwrap_or_default(),
        ),
        Event::Marked { mark, by } => done(&format!("Marked: {}", words::mark(*mark)), by),
        Event::Undone { mark, by } => done(&format!("Undone: {} again", words::mark(*mark)), by),
        Event::Spam { by } => done("Marked as spam", by),
        Event::NotSpam { by } => done("Marked as a real enquiry", by),
        Event::Resend { kind, by } => done(&format!("{} was asked for again", email(*kind)), by),
        Event::Noted { by } => done("The note was saved", by),
        Event::NoteRemoved { by } => done("The note was taken away", by),
        Event::Blocked { by } => done("The sender was blocked", by),
        Event::Trusted { by } => done("The sender was trusted", by),
        Event::Unblocked { by } => done("The sender is neither blocked nor trusted any more", by),
        Event::Withdrawn => plain("The client withdrew the enquiry"),
        Event::Kept => plain("The client keeps the enquiry after all"),
        Event::Disowned => plain("The owner of the address says they did not send it"),
        Event::DataComplaint { by } => {
            done("A complaint about the use of their data was noted", by)
        }
        Event::Acknowledged { by } => done("That complaint was acknowledged", by),
        Event::Other(text) => (words::visible(text), String::new()),
    }
}

const fn reported(report: Report) -> &'static str {
    match report {
        Report::Delivered => "arrived",
        Report::Bounced { transient: true } => "came back for now",
        Report::Bounced { transient: false } => "came back",
        Report::Complained => "was reported as spam",
        Report::Suppressed => {
            "was held back: the address is on a list of addresses that turned emails away"
        }
        Report::Rejected => "was refused by the email service",
        Report::Delayed => "is delayed at the other side",
    }
}
