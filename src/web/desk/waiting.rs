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
use crate::practice::Practice;
use crate::web::Web;

/// One row of a list.
pub(super) enum ListRow {
    /// An enquiry.
    Card(Box<Card>),
    /// One that a newer version wrote.
    Unreadable(String),
}

/// The rows of a list.
pub(super) fn rows(practice: &Practice, entries: &[Entry], now: Timestamp) -> Vec<ListRow> {
    let row = |entry: &Entry| match entry {
        Entry::Record(record) => ListRow::Card(Box::new(Card::new(practice, record, now))),
        Entry::Unreadable(cursor) => ListRow::Unreadable(cursor.reference.to_string()),
    };
    entries.iter().map(row).collect()
}

#[derive(Template)]
#[template(path = "pages/desk/waiting.html")]
struct WaitingPage<'a> {
    frame: Frame<'a>,
    waiting: Vec<ListRow>,
    /// The address of the next page, when there is one.
    next: Option<String>,
    /// "3 look like spam", when any do.
    suspects: Option<String>,
    marked: Vec<ListRow>,
    /// What is worth knowing about the days to come.
    notes: Vec<String>,
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
    let more = if count.more { "More than " } else { "" };
    let suspects = match count.number {
        0 => None,
        1 => Some("1 looks like spam".to_owned()),
        number => Some(format!("{more}{number} look like spam")),
    };
    let page = WaitingPage {
        frame: Frame::signed_in(&web, "/desk"),
        waiting: rows(practice, &waiting.waiting, now),
        next: waiting.next.map(|next| super::after("/desk?after=", &next)),
        suspects,
        marked: rows(practice, &waiting.marked, now),
        notes: super::practice::notes(practice, now),
    };
    page_response(&web, StatusCode::OK, &page)
}
