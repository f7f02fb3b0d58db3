//! `list`: the enquiries of some days, newest first.
//!
//! A row has the client's name, by which people ask, and nothing else that a client typed: for that there is `show`.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Commands, Error, Format, cursor, refused};
use crate::clock::Clock;
use crate::desk::csv;
use crate::desk::list::Entry;
use crate::desk::list::Filter;
use crate::mail_state::MailState;
use crate::messages::{self, desk::column};
use crate::practice::Practice;
use crate::record::Record;
use crate::store::Cursor;

/// How many rows one answer has when the command does not say.
const USUALLY: usize = 50;
const AT_MOST: usize = 200;

/// The columns of the table: what a row calls each, and its heading.
const COLUMNS: [(&str, &str); 11] = [
    ("reference", column::REFERENCE),
    ("received_at", column::RECEIVED_AT),
    ("verdict", column::VERDICT),
    ("name", column::NAME),
    ("mark", column::MARK),
    ("promised_by", column::PROMISED_BY),
    ("therapist", column::THERAPIST),
    ("auto_reply", column::AUTO_REPLY),
    ("notice", column::NOTICE),
    ("pending", column::PENDING),
    ("unreadable", column::UNREADABLE),
];

/// From when to when, both included.
pub(super) struct Days {
    first: Timestamp,
    last: Timestamp,
}

impl Days {
    /// The days from `from` to `to`, both included, in the practice's time; without them, from the first enquiry or to the
    /// last.
    ///
    /// # Errors
    /// When one is no day.
    pub(super) fn read(
        practice: &Practice,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Self, Error> {
        let first = from.map(|day| begin(practice, day, 0)).transpose()?;
        let after = to.map(|day| begin(practice, day, 1)).transpose()?;
        Ok(Self {
            first: first.unwrap_or(Timestamp::UNIX_EPOCH),
            last: after.map_or(Timestamp::MAX, |after| after - SignedDuration::from_secs(1)),
        })
    }
}

/// The beginning of a day, or of the one `later`.
fn begin(practice: &Practice, day: &str, later: i64) -> Result<Timestamp, Error> {
    // A date alone: with a time behind it, it would be cut to its day without a word.
    let date = day
        .parse::<Date>()
        .ok()
        .filter(|_| day.len() == "2026-11-23".len());
    date.and_then(|date| {
        date.checked_add(SignedDuration::from_hours(24 * later))
            .ok()
    })
    .and_then(|date| date.to_zoned(practice.time_zone.rules().clone()).ok())
    .map(|begin| begin.timestamp())
    .ok_or_else(|| refused(messages::command::DAYS))
}

impl Commands {
    /// Lists the enquiries of some days, as far as the filter takes them.
    pub(super) async fn list(
        &self,
        days: &Days,
        filter: &Filter,
        limit: Option<usize>,
        after: Option<&str>,
        format: Format,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let limit = limit.unwrap_or(USUALLY);
        if !(1..=AT_MOST).contains(&limit) {
            return Err(refused(messages::command::limit(AT_MOST)));
        }
        let after = cursor(after)?;
        let list = self
            .desk
            .list(days.first, days.last, filter, after.as_ref(), limit, clock)
            .await?;
        let rows: Vec<Value> = list.entries.iter().map(entry).collect();
        let mut answer = match format {
            Format::Json => json!({ "enquiries": rows }),
            Format::Csv => {
                let lines: String = rows.iter().map(line).collect();
                json!({ "csv": format!("{}{}{lines}", csv::BEGIN, csv::row(COLUMNS.map(|(_, heading)| heading))) })
            }
        };
        if let (Some(next), Some(answer)) = (list.next, answer.as_object_mut()) {
            answer.insert("next_cursor".to_owned(), next.to_string().into());
        }
        Ok(answer)
    }
}

/// One enquiry of a list.
pub(super) fn entry(entry: &Entry) -> Value {
    match entry {
        Entry::Record(record) => row(record),
        Entry::Unreadable(cursor) => unreadable(cursor),
    }
}

fn row(record: &Record) -> Value {
    let deliveries = &record.state.deliveries;
    json!({
        "reference": record.received.reference,
        "received_at": record.received.received_at,
        "promised_by": record.received.promised_by,
        "verdict": record.state.verdict,
        "mark": record.state.mark(),
        "name": record.received.enquiry.name,
        "therapist": deliveries.therapist.to_string(),
        "auto_reply": deliveries.auto_reply.to_string(),
        "notice": deliveries.notice.as_ref().map(MailState::to_string),
        "pending": deliveries.is_pending(),
    })
}

fn unreadable(cursor: &Cursor) -> Value {
    json!({
        "reference": cursor.reference,
        "received_at": cursor.at,
        "unreadable": messages::command::UNREADABLE,
    })
}

/// The row as a line of a table.
fn line(row: &Value) -> String {
    let cells = COLUMNS.map(|(key, _)| match row.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    });
    csv::row(cells.iter().map(String::as_str))
}
