//! Texts that several pages of the desk share: one enquiry in a list, what an answer is called, where an enquiry
//! stands, and texts of clients with what cannot be seen spelt out.

use jiff::Timestamp;

use crate::desk::month::Month;
use crate::email::{dial, reply_link, spam_reasons, wants};
use crate::enquiry::answers::{Choice, ContactBy, RecentInjury};
use crate::enquiry::{Enquiry, Field, Message, OwnAnswer, Received};
use crate::messages;
use crate::messages::desk::stands as say;
use crate::messages::email::client;
use crate::practice::{Practice, time_in_words};
use crate::record::{Mark, Record};
use crate::text;

/// One enquiry in a list.
pub(super) struct Card {
    pub(super) reference: String,
    pub(super) name: String,
    /// What they want.
    pub(super) wants: String,
    /// The beginning of what they wrote, on one line.
    pub(super) said: String,
    /// Whether they were injured in the last 48 hours when they wrote.
    pub(super) is_injured: bool,
    /// By when an answer was promised, while it waits; else where it stands.
    pub(super) stands: String,
    /// The same where the day stands above: "by 5pm".
    pub(super) by: String,
    pub(super) is_overdue: bool,
    pub(super) received: String,
    pub(super) ways: Ways,
}

/// How to reach the client.
pub(super) struct Ways {
    /// How they would like to be reached.
    asked: ContactBy,
    /// Links that call and text the number, with the number.
    pub(super) phone: Option<(String, String, String)>,
    /// A link that writes to them; none where no email may go.
    pub(super) write: Option<String>,
}

impl Card {
    pub(super) fn new(practice: &Practice, record: &Record, now: Timestamp) -> Self {
        let enquiry = &record.received.enquiry;
        Self {
            reference: record.received.reference.to_string(),
            name: visible(enquiry.name.as_str()),
            wants: wants(enquiry),
            said: said(enquiry),
            is_injured: enquiry.answers.recent_injury == Some(RecentInjury::Yes),
            // In a list of what looks like spam, why is what tells one from another.
            stands: if record.state.is_suspect() && record.erased_at().is_none() {
                spam_reasons(&record.signals)
            } else {
                stands(practice, record, now)
            },
            by: by(practice, record, now),
            is_overdue: record.is_overdue(now),
            received: practice.when(record.received.received_at, now),
            ways: Ways::new(practice, record),
        }
    }
}

impl Ways {
    pub(super) fn new(practice: &Practice, record: &Record) -> Self {
        let received = &record.received;
        let enquiry = &received.enquiry;
        let phone = enquiry.phone.as_ref().map(|phone| {
            (
                dial("tel", phone),
                dial("sms", phone),
                visible(phone.typed()),
            )
        });
        let address = enquiry.email.as_str();
        Self {
            asked: enquiry.contact_by,
            phone,
            write: record
                .may_write()
                .then(|| reply_link(practice, &received.reference, &enquiry.name, address)),
        }
    }
}

/// A way to reach a client.
pub(super) struct Way<'a> {
    /// What it is called where it is a button of its own: "Call 07700 900982".
    pub(super) label: String,
    /// And in a row: "Call".
    pub(super) short: &'static str,
    pub(super) link: &'a str,
}

impl Ways {
    /// Each way, the one that was asked for first.
    pub(super) fn in_order(&self) -> Vec<Way<'_>> {
        let phone = self.phone.as_ref();
        let call = phone.map(|(link, _, number)| Way {
            label: client::call(number),
            short: messages::desk::way::CALL,
            link,
        });
        let text = phone.map(|(_, link, number)| Way {
            label: if self.asked == ContactBy::Text {
                client::text(number)
            } else {
                ContactBy::Text.label().to_owned()
            },
            short: ContactBy::Text.label(),
            link,
        });
        let write = self.write.as_deref().map(|link| Way {
            label: ContactBy::Email.label().to_owned(),
            short: ContactBy::Email.label(),
            link,
        });
        let ways = match self.asked {
            ContactBy::Phone => [call, text, write],
            ContactBy::Text => [text, call, write],
            ContactBy::Email => [write, call, text],
        };
        ways.into_iter().flatten().collect()
    }
}

/// Where an enquiry stands, in a few words.
pub(super) fn stands(practice: &Practice, record: &Record, now: Timestamp) -> String {
    if let Some(erased) = record.erased_at() {
        return say::withdrawn(practice.when(erased, now));
    }
    if record.state.is_suspect() {
        return say::SUSPECT.to_owned();
    }
    match record
        .state
        .marked
        .filter(|marked| marked.mark != Mark::Waiting)
    {
        Some(marked) => say::marked(mark(marked.mark), practice.when(marked.at, now)),
        None => {
            let promised = practice.promise_seen_from(record.received.promised_by, now);
            if record.is_overdue(now) {
                say::overdue(promised)
            } else {
                say::answer(promised)
            }
        }
    }
}

/// What they wrote, on one line: the message, or what they typed first into a question of the practice's own.
fn said(enquiry: &Enquiry) -> String {
    /// More than two lines show of it anywhere.
    const SHOWN: usize = 200;
    let message = enquiry.message.as_ref().map(Message::as_str);
    let own = || enquiry.own.iter().find_map(OwnAnswer::typed);
    let said = visible(message.or_else(own).unwrap_or_default());
    let words: Vec<&str> = said.split_whitespace().collect();
    let said = words.join(" ");
    if said.chars().count() <= SHOWN {
        return said;
    }
    let begin: String = said.chars().take(SHOWN).collect();
    messages::desk::waiting::goes_on(begin)
}

/// The promise, where its day stands above.
fn by(practice: &Practice, record: &Record, now: Timestamp) -> String {
    let promised_by = record.received.promised_by;
    if record.is_overdue(now) {
        return practice.promise_seen_from(promised_by, now);
    }
    let local = promised_by.to_zoned(practice.time_zone.rules().clone());
    messages::desk::waiting::by(time_in_words(local.time()))
}

/// What a mark is called.
pub(super) const fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Waiting => messages::desk::mark::WAITING,
        Mark::Answered => messages::desk::mark::ANSWERED,
        Mark::Booked => messages::desk::mark::BOOKED,
        Mark::Declined => messages::desk::mark::DECLINED,
    }
}

/// One answer, with a short label.
pub(super) struct Labelled {
    pub(super) label: String,
    pub(super) text: String,
}

/// Every answer that was given: what they wrote first, then the order of the form. Name and number stand above them.
pub(super) fn answers(practice: &Practice, received: &Received) -> Vec<Labelled> {
    let above = |field| matches!(field, Field::Name | Field::Phone);
    // Which wording they agreed to, in full as long as it is still the practice's.
    let current = &practice.consent;
    let consent = Some(current.wording.as_str())
        .filter(|_| received.enquiry.consent_version == current.version);
    let rank = |field| match field {
        Field::Message => 0,
        Field::Times => 1,
        _ => 2,
    };
    let mut answered = received.enquiry.answered(practice);
    answered.retain(|it| !above(it.field));
    answered.sort_by_key(|it| rank(it.field));
    let answered = answered.into_iter();
    answered
        .map(|it| Labelled {
            label: it.field.short(it.label).to_owned(),
            text: match consent.filter(|_| it.field == Field::Consent) {
                Some(wording) => wording.to_owned(),
                None => visible(&it.answer.text),
            },
        })
        .collect()
}

/// A text of a client, with what cannot be seen spelt out.
pub(super) fn visible(typed: &str) -> String {
    let mut shown = String::with_capacity(typed.len());
    for c in typed.chars() {
        if text::is_invisible(c) || (text::is_control(c) && !matches!(c, '\n' | '\t')) {
            shown.push_str(&format!("[U+{:04X}]", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// "November 2026".
pub(super) fn month(month: Month) -> String {
    month.first().strftime("%B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(visible("a\u{202e}b\nc\u{200b}"), "a[U+202E]b\nc[U+200B]");
        assert_eq!(visible("👩\u{200d}🔬 Zoë"), "👩\u{200d}🔬 Zoë");
    }
}
