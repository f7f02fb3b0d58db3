//! `list`: the enquiries of some days, newest first, so that an operator finds one whose reference they do not know.
//!
//! A row has the client's name, by which people ask, and nothing else that a client typed: for that there is `show`.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde_json::{Value, json};
use tracing::info;

use super::{ENOUGH, Format, csv, refused};
use crate::app::App;
use crate::clock::Clock;
use crate::delivery::MailState;
use crate::practice::Practice;
use crate::store::{Place, Record};

/// How many rows one answer has when nobody says.
const USUALLY: usize = 50;
/// And at most: each row is a read of its own.
const AT_MOST: usize = 200;

const COLUMNS: [&str; 9] = [
    "reference",
    "received_at",
    "verdict",
    "name",
    "therapist",
    "auto_reply",
    "notice",
    "pending",
    "unreadable",
];

/// From when to when, both included.
pub(super) struct Span {
    first: Timestamp,
    last: Timestamp,
}

impl Span {
    /// The days from `from` to `to`, both included, as the practice's clock counts them; without them, from the first
    /// enquiry or to the last.
    ///
    /// # Errors
    /// When one is no day.
    pub(super) fn of(
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
    .ok_or_else(|| refused("from and to must be days, like 2026-11-23"))
}

/// Lists the enquiries of a span.
pub(super) async fn list(
    app: &App,
    span: &Span,
    most: Option<usize>,
    next: Option<&str>,
    format: Format,
    clock: &Clock,
) -> Result<Value, Error> {
    if most.is_some_and(|most| !(1..=AT_MOST).contains(&most)) {
        return Err(refused(format!(
            "most must be a number from 1 to {AT_MOST}"
        )));
    }
    let after = next.map(place).transpose()?;
    let page = app
        .store
        .received(
            span.first,
            span.last,
            after.as_ref(),
            most.unwrap_or(USUALLY),
        )
        .await?;
    let mut rows = Vec::new();
    let mut next = page.next;
    let mut before: Option<&Place> = None;
    for place in &page.places {
        if before.is_some() && clock.remaining() < ENOUGH {
            next = before.cloned();
            break;
        }
        match app.store.load(&place.reference).await {
            Ok(Some(record)) => rows.push(row(&record)),
            // Deleted since the index was written.
            Ok(None) => {}
            Err(error) if error.is_unreadable() => rows.push(unreadable(place)),
            Err(error) => return Err(error.into()),
        }
        before = Some(place);
    }
    info!(count = rows.len(), "enquiries listed");
    let mut answer = match format {
        Format::Json => json!({ "enquiries": rows }),
        Format::Csv => {
            let lines: String = rows.iter().map(line).collect();
            json!({ "csv": format!("{}{}{lines}", csv::BEGIN, csv::row(COLUMNS)) })
        }
    };
    if let (Some(next), Some(answer)) = (next, answer.as_object_mut()) {
        answer.insert("next".to_owned(), next.to_string().into());
    }
    Ok(answer)
}

/// What `next` holds.
pub(super) fn place(next: &str) -> Result<Place, Error> {
    next.parse()
        .map_err(|()| refused("next must be what the answer before gave as next"))
}

fn row(record: &Record) -> Value {
    let deliveries = &record.deliveries;
    json!({
        "reference": record.received.reference,
        "received_at": record.received.received_at,
        "verdict": record.verdict,
        "name": record.received.enquiry.name,
        "therapist": deliveries.therapist.to_string(),
        "auto_reply": deliveries.auto_reply.to_string(),
        "notice": deliveries.notice.as_ref().map(MailState::to_string),
        "pending": deliveries.is_pending(),
    })
}

fn unreadable(place: &Place) -> Value {
    json!({
        "reference": place.reference,
        "received_at": place.received_at,
        "unreadable": "a newer version of the desk wrote it: deploy that one",
    })
}

/// The row as a line of a table.
fn line(row: &Value) -> String {
    let cells = COLUMNS.map(|column| match row.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    });
    csv::row(cells.iter().map(String::as_str))
}
