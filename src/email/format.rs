//! Names, links, times and lists, as our own sentences write them.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::first_name::first_name;
use crate::enquiry::{EmailAddress, Name, Phone, Reference};
use crate::messages::email::reply_link as words;
use crate::practice::{Practice, date_in_words, time_in_words};

/// What may stand in a part of a link as it is (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const ADDRESS: &AsciiSet = &UNRESERVED.remove(b'@');

/// A link that opens a reply to the client, its subject and first lines already written (RFC 6068).
#[must_use]
pub fn reply_link(
    practice: &Practice,
    reference: &Reference,
    name: &Name,
    address: &str,
) -> String {
    let greeting =
        first_name(name).map_or_else(|| words::GREETING_UNNAMED.to_owned(), words::greeting);
    let body = format!("{greeting}\r\n\r\n{}\r\n\r\n", practice.emails.first_lines);
    format!(
        "mailto:{}?subject={}&body={}",
        utf8_percent_encode(address, ADDRESS),
        utf8_percent_encode(&words::subject(&practice.name, reference), UNRESERVED),
        utf8_percent_encode(&body, UNRESERVED),
    )
}

/// A link that writes a complaint about the use of personal data.
#[must_use]
pub fn complaint_link(to: &EmailAddress, reference: &Reference) -> String {
    format!(
        "mailto:{}?subject={}",
        utf8_percent_encode(to.as_str(), ADDRESS),
        utf8_percent_encode(&words::complaint(reference), UNRESERVED),
    )
}

/// A moment in the practice's time: "Monday 23 November 2026, 10:20am".
pub(super) fn moment(practice: &Practice, moment: Timestamp) -> String {
    let local = moment.to_zoned(practice.time_zone.rules().clone());
    format!(
        "{} {}, {}",
        date_in_words(local.date()),
        local.year(),
        time_in_words(local.time())
    )
}

/// A day in the practice's time: "Monday 23 November 2026".
pub(super) fn day(practice: &Practice, moment: Timestamp) -> String {
    let local = moment.to_zoned(practice.time_zone.rules().clone());
    format!("{} {}", date_in_words(local.date()), local.year())
}

/// "one", "one and two", "one, two and three".
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A sentence's first letter made small, for use within another one: "Lower back" to "lower back".
pub(super) fn lower_first(label: &str) -> String {
    // "I’m not sure" keeps its capital.
    if label.starts_with("I’") {
        return label.to_owned();
    }
    let mut letters = label.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// A link that calls or texts a number (RFC 3966, RFC 5724).
#[must_use]
pub fn dial(scheme: &str, phone: &Phone) -> String {
    format!("{scheme}:{}", phone.e164())
}
