//! The sentences of the email to the therapist: what our guide suggests, why it looks like spam, what became of the auto-reply,
//! how often this client asked before, and where the email leads.

use jiff::Timestamp;

use super::super::format::{day, listed, lower_first};
use super::super::ways::named;
use super::TherapistEmail;
use crate::enquiry::Enquiry;
use crate::mail_state::{MailState, Withheld};
use crate::messages::email::{self, therapist};
use crate::messages::spam;
use crate::practice::{Practice, Suggestion};
use crate::spam::Signal;

/// So many earlier enquiries are named by their day; the others are only counted.
const NAMED_EARLIER: usize = 3;

/// What the guide suggests, in one or two sentences.
#[must_use]
pub fn suggests(suggestion: &Suggestion<'_>) -> String {
    use email::suggests as words;
    match (suggestion.suggested, suggestion.named) {
        (Some(suggested), Some(named)) if suggestion.differs() => {
            words::asked_for_other(lower_first(&named.name), &suggested.name)
        }
        (Some(suggested), Some(_)) => words::asked_for_it(&suggested.name),
        (Some(suggested), None) => match suggestion.alternative() {
            Some(also) => words::two(lower_first(&also.treatment.name), &suggested.name),
            None => format!("{}.", suggested.name),
        },
        (None, Some(named)) => words::only_asked_for(lower_first(&named.name)),
        (None, None) => words::HELP_TO_CHOOSE.to_owned(),
    }
}

/// Why an enquiry looks like spam, in one sentence.
#[must_use]
pub fn spam_reasons(signals: &[Signal]) -> String {
    let reasons: Vec<String> = signals
        .iter()
        .map(|signal| signal.words().to_owned())
        .collect();
    if reasons.is_empty() {
        return spam::SOMETHING.to_owned();
    }
    spam::because(listed(&reasons))
}

/// Whether the client has been told, or is about to be, by when they will hear back.
pub(super) const fn promises(auto_reply: Option<&MailState>) -> bool {
    matches!(
        auto_reply,
        Some(
            MailState::Pending { .. }
                | MailState::Sending { .. }
                | MailState::Sent { .. }
                | MailState::Delivered { .. }
                | MailState::Unknown { .. }
        )
    )
}

/// What has become of the auto-reply, and what the therapist does about it.
pub(super) fn auto_reply(auto_reply: Option<&MailState>, enquiry: &Enquiry) -> String {
    use therapist::auto_reply as words;
    match auto_reply {
        None => words::NOT_STORED.to_owned(),
        Some(MailState::Pending { .. } | MailState::Sending { .. }) => words::LEAVING.to_owned(),
        Some(MailState::Sent { .. } | MailState::Delivered { .. }) => words::SENT.to_owned(),
        Some(
            MailState::Failed { .. } | MailState::Bounced { .. } | MailState::Complained { .. },
        ) => words::failed(named(enquiry)),
        Some(MailState::Unknown { .. }) => words::UNKNOWN.to_owned(),
        Some(MailState::Withheld { reason }) => {
            words::withheld(named(enquiry), withheld_reason(*reason))
        }
    }
}

/// Why an auto-reply is withheld: ends "because …".
#[must_use]
pub const fn withheld_reason(reason: Withheld) -> &'static str {
    use email::because as words;
    match reason {
        Withheld::Suspect => words::SUSPECT,
        Withheld::Sandbox => words::SANDBOX,
        Withheld::OwnAddress => words::OWN_ADDRESS,
        Withheld::RoleAddress => words::ROLE_ADDRESS,
        Withheld::Unsendable => words::UNSENDABLE,
        Withheld::CoolDown => words::COOL_DOWN,
        Withheld::Undeliverable => words::UNDELIVERABLE,
        Withheld::DailyCap => words::DAILY_CAP,
        Withheld::CountersUnavailable => words::COUNTERS_UNAVAILABLE,
        Withheld::Counted => words::COUNTED,
        Withheld::Withdrawn => words::WITHDRAWN,
        Withheld::Late => words::LATE,
    }
}

pub(super) fn earlier(practice: &Practice, received: &[Timestamp], more: bool) -> String {
    use therapist::earlier as words;
    let days: Vec<String> = received
        .iter()
        .take(NAMED_EARLIER)
        .map(|received| day(practice, *received))
        .collect();
    let days = listed(&days);
    match received.len() {
        0 => String::new(),
        count if count <= NAMED_EARLIER => words::named(count, days),
        count if more => words::at_least(count, days),
        count => words::latest(count, days),
    }
}

/// What the email leads to, with the words of each link.
pub(super) fn links<'a>(email: &TherapistEmail<'a>) -> Vec<(&'static str, &'a str)> {
    use therapist::link as words;
    let Some(links) = email.links else {
        return Vec::new();
    };
    let desk = if email.suspect {
        words::REAL
    } else {
        words::DESK
    };
    let answered = links.answered.as_deref();
    let answered = answered.map(|link| (words::ANSWERED, link));
    answered
        .into_iter()
        .chain([(desk, links.enquiry.as_str())])
        .collect()
}

/// What it brings to mark an enquiry as answered: said until she has marked one.
pub(super) fn marking(email: &TherapistEmail<'_>) -> &'static str {
    use therapist::marking as words;
    match email.links {
        Some(links) if links.explains_marking && email.practice.reminders => {
            words::LIST_AND_REMINDER
        }
        Some(links) if links.explains_marking => words::LIST,
        _ => "",
    }
}
