//! The first page: who waits for an answer.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::pages::{Frame, page_response};
use super::words::Card;
use super::{desk_failed, query};
use crate::clock::Clock;
use crate::desk::list::Entry;
use crate::messages::desk::waiting as say;
use crate::practice::Practice;
use crate::web::Web;

pub(super) enum ListRow {
    /// An enquiry.
    Card(Box<Card>),
    /// One that a newer version wrote.
    Unreadable(String),
}

pub(super) fn rows(practice: &Practice, entries: &[Entry], now: Timestamp) -> Vec<ListRow> {
    let row = |entry: &Entry| match entry {
        Entry::Record(record) => ListRow::Card(Box::new(Card::new(practice, record, now))),
        Entry::Unreadable(cursor) => ListRow::Unreadable(cursor.reference.to_string()),
    };
    entries.iter().map(row).collect()
}

/// Those who wait for the same day.
struct Group {
    /// The day; or that it has passed.
    day: String,
    rows: Vec<ListRow>,
}

/// Who waits, by the day of the promise: those whose time has passed are the first group.
fn groups(practice: &Practice, entries: &[Entry], now: Timestamp) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (entry, row) in entries.iter().zip(rows(practice, entries, now)) {
        let day = match entry {
            Entry::Record(record) if record.is_overdue(now) => say::OVERDUE.to_owned(),
            Entry::Record(record) => practice.which_day(record.received.promised_by, now),
            Entry::Unreadable(_) => String::new(),
        };
        match groups.last_mut() {
            Some(last) if last.day == day || day.is_empty() => last.rows.push(row),
            _ => groups.push(Group {
                day,
                rows: vec![row],
            }),
        }
    }
    groups
}

#[derive(Template)]
#[template(path = "pages/desk/waiting.html")]
struct WaitingPage<'a> {
    frame: Frame<'a>,
    waiting: Vec<Group>,
    /// The address of the next page, when there is one.
    next: Option<String>,
    /// "3 enquiries look like spam", when any do.
    suspects: Option<String>,
    marked: Vec<ListRow>,
    /// What is worth knowing about the days to come.
    notes: Vec<String>,
    /// Whether clients can write; not before the practice was saved once where the build holds none.
    is_open: bool,
}

/// Who waits, the nearest promise first.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    request: Request,
) -> Response {
    let after = query(&request).get("after").parse().ok();
    let waiting = match web.desk.waiting(after.as_ref()).await {
        Ok(waiting) => waiting,
        Err(error) => return desk_failed(&web, &error),
    };
    let (practice, now) = (&web.practice, clock.now());
    let count = waiting.suspects;
    let suspects = match count.number {
        0 => None,
        number if count.more => Some(say::more_suspects(number)),
        number => Some(say::suspects(number)),
    };
    let page = WaitingPage {
        frame: Frame::signed_in(&web, "/desk"),
        waiting: groups(practice, &waiting.waiting, now),
        next: waiting.next.map(|next| super::after("/desk?after=", &next)),
        suspects,
        marked: rows(practice, &waiting.marked, now),
        notes: super::practice::notes(practice, now),
        is_open: web.settings.is_open,
    };
    page_response(&web, StatusCode::OK, &page)
}
