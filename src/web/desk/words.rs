//! What several pages of the desk say in the same words: one enquiry in a list, what an answer is called, where an enquiry
//! stands, and texts of clients with what cannot be seen spelt out.

use jiff::Timestamp;

use crate::desk::month::Month;
use crate::email::{dial, reply_link, wants};
use crate::enquiry::answers::{Choice, ContactBy};
use crate::enquiry::{Field, Received};
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
            stands: stands(practice, record, now),
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

impl Ways {
    /// What each way is called and its link, the one that was asked for first.
    pub(super) fn in_order(&self) -> Vec<(String, &str)> {
        let phone = self.phone.as_ref();
        let call = phone.map(|(call, _, number)| (client::call(number), call.as_str()));
        let text = phone.map(|(_, text, number)| {
            let asked = self.asked == ContactBy::Text;
            let label = if asked {
                client::text(number)
            } else {
                ContactBy::Text.label().to_owned()
            };
            (label, text.as_str())
        });
        let write = self
            .write
            .as_deref()
            .map(|link| (ContactBy::Email.label().to_owned(), link));
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

/// The promise, where its day stands above.
fn by(practice: &Practice, record: &Record, now: Timestamp) -> String {
    let promised_by = record.received.promised_by;
    if record.is_overdue(now) {
        return practice.promise_seen_from(promised_by, now);
    }
    let local = promised_by.to_zoned(practice.time_zone.rules().clone());
    messages::desk::waiting::by(time_in_words(local.time()))
}

/// A day within a sentence: "today", "on Monday 30 November".
pub(super) fn on_day(practice: &Practice, at: Timestamp, now: Timestamp) -> String {
    let day = practice.which_day(at, now);
    if day.starts_with(char::is_lowercase) {
        day
    } else {
        messages::desk::day::on(day)
    }
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
