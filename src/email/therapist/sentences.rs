//! The sentences of the email to the therapist: what our guide suggests, why it looks like spam, what became of the auto-reply,
//! and how often this client asked before.

use jiff::Timestamp;

use super::super::format::{day, listed, lower_first};
use crate::mail_state::{MailState, Withheld};
use crate::practice::{Practice, Suggestion};
use crate::spam::Signal;

/// So many earlier enquiries are named by their day; the others are only counted.
const NAMED_EARLIER: usize = 3;

/// What the guide suggests, in one or two sentences.
#[must_use]
pub fn suggests(suggestion: &Suggestion<'_>) -> String {
    let mut words = match (suggestion.suggested, suggestion.named) {
        (Some(suggested), Some(named)) if suggestion.differs() => {
            format!(
                "{}. The client asked for {}.",
                suggested.name,
                lower_first(&named.name)
            )
        }
        (Some(suggested), Some(_)) => format!("{}. The client asked for it too.", suggested.name),
        (Some(suggested), None) => match suggestion.alternative() {
            Some(also) => format!(
                "{}, or {}.",
                suggested.name,
                lower_first(&also.treatment.name)
            ),
            None => format!("{}.", suggested.name),
        },
        (None, Some(named)) => format!(
            "No single one. The client asked for {}.",
            lower_first(&named.name)
        ),
        (None, None) => "No single one. The client would like help to choose.".to_owned(),
    };
    if suggestion.wait {
        words.push_str(" Not before the 48 hours have passed.");
    }
    words
}

/// Why an enquiry looks like spam, in one sentence.
#[must_use]
pub fn reasons(signals: &[Signal]) -> String {
    let reasons: Vec<String> = signals
        .iter()
        .map(|signal| signal.words().to_owned())
        .collect();
    if reasons.is_empty() {
        return "Something about this enquiry looks like spam.".to_owned();
    }
    format!("This looks like spam, because {}.", listed(&reasons))
}

/// What has become of the auto-reply, and what the therapist does about it.
pub(super) fn fate(auto_reply: Option<&MailState>, when: &str) -> String {
    match auto_reply {
        None => "No automatic reply goes to the client, because the enquiry could not be stored."
            .to_owned(),
        Some(MailState::Pending { .. } | MailState::Sending { .. }) => {
            format!(
                "An automatic reply is on its way to the client. It says that you will reply {when}."
            )
        }
        Some(MailState::Sent { .. } | MailState::Delivered { .. }) => {
            format!(
                "The client has been sent an automatic reply. It says that you will reply {when}."
            )
        }
        Some(
            MailState::Failed { .. } | MailState::Bounced { .. } | MailState::Complained { .. },
        ) => "The automatic reply could not be sent. The client has not heard from us.".to_owned(),
        Some(MailState::Unknown { .. }) => {
            "The automatic reply may or may not have reached the client. It will not \
                                            be sent again."
                .to_owned()
        }
        Some(MailState::Withheld { reason }) => format!(
            "No automatic reply goes to the client, because {}. The client has not been told when you will reply.",
            because(*reason)
        ),
    }
}

/// Why an auto-reply is withheld: ends "because …".
#[must_use]
pub const fn because(reason: Withheld) -> &'static str {
    match reason {
        Withheld::Suspect => "the enquiry looks like spam",
        Withheld::Sandbox => {
            "the email service is still in its trial mode and only writes to addresses that you have confirmed"
        }
        Withheld::OwnAddress => "the address is your own",
        Withheld::RoleAddress => {
            "the address seems to belong to an office or a machine, not to a person"
        }
        Withheld::Unsendable => {
            "no email system carries the address as it was typed: there may be a typo in it"
        }
        Withheld::CoolDown => "this address has had one a short time ago",
        Withheld::Undeliverable => {
            "an earlier email to this address came back, or was not welcome there"
        }
        Withheld::DailyCap => "as many as you allow in a day have left already",
        Withheld::CountersUnavailable => "we could not check how many this address has had",
        Withheld::Counted => "you were told the number of such enquiries only",
        Withheld::Withdrawn => "the client has withdrawn the enquiry",
        Withheld::Late => "it would have come too late",
    }
}

pub(super) fn earlier(practice: &Practice, received: &[Timestamp], more: bool) -> String {
    let days: Vec<String> = received
        .iter()
        .take(NAMED_EARLIER)
        .map(|received| day(practice, *received))
        .collect();
    let count = received.len();
    let from = "from the same address";
    match count {
        0 => String::new(),
        1 => format!("There is one earlier enquiry {from}, of {}.", listed(&days)),
        _ if count <= NAMED_EARLIER => format!(
            "There are {count} earlier enquiries {from}, of {}.",
            listed(&days)
        ),
        _ => {
            let least = if more { "at least " } else { "" };
            format!(
                "There are {least}{count} earlier enquiries {from}, the latest of {}.",
                listed(&days)
            )
        }
    }
}
