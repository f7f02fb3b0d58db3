//! Months as files: a page that lists them, and each as a table for a spreadsheet or as data.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::pages::{self, Frame, Message, page_response};
use super::{Fields, desk_failed, query, words};
use crate::clock::Clock;
use crate::desk::export::Selection;
use crate::desk::file::{File, Format};
use crate::desk::month::Month;
use crate::web::Web;

struct MonthView {
    key: String,
    name: String,
}

#[derive(Template)]
#[template(path = "pages/desk/files.html")]
struct FilesPage<'a> {
    frame: Frame<'a>,
    months: Vec<MonthView>,
}

#[derive(Template)]
#[template(path = "pages/desk/parts.html")]
struct PartsPage<'a> {
    frame: Frame<'a>,
    name: String,
    /// The address, when it is about one person: then a part is asked for by a form.
    address: Option<&'a str>,
    format: &'a str,
    /// The number of each part, and what it begins after.
    parts: Vec<(usize, String)>,
    /// The number of the first part that is not listed, and what it begins after.
    more: Option<(usize, String)>,
}

/// How many parts are listed at the most: each is read to find where the next one begins.
const PARTS: usize = 20;
/// With less time left than this no further part is looked for.
const ENOUGH: Duration = Duration::from_secs(12);
/// What the first part begins after.
const FIRST: &str = "first";

/// The months.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
) -> Response {
    let months = match web.desk.months(&clock).await {
        Ok(months) => months,
        Err(error) => return desk_failed(&web, &error),
    };
    let view = |month: &Month| MonthView {
        key: month.to_string(),
        name: words::month(*month),
    };
    let page = FilesPage {
        frame: Frame::signed_in(&web, ""),
        months: months.iter().map(view).collect(),
    };
    page_response(&web, StatusCode::OK, &page)
}

/// One month; a large one as a page of its parts.
pub(super) async fn month(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Path((month, format)): Path<(String, String)>,
    request: Request,
) -> Response {
    let format_ = match format.as_str() {
        "csv" => Format::Csv,
        "json" => Format::Json,
        _ => return pages::message(&web, &Message::NOT_FOUND),
    };
    let Ok(month) = month.parse::<Month>() else {
        return pages::message(&web, &Message::NOT_FOUND);
    };
    let asked = query(&request);
    let selection = Selection::Month(month);
    file(&web, selection, format_, asked.get("part"), &asked, &clock).await
}

/// A file: one part of it where that is asked for; a large one as a page of its parts.
pub(super) async fn file(
    web: &Web,
    selection: Selection<'_>,
    format: Format,
    part: &str,
    asked: &Fields,
    clock: &Clock,
) -> Response {
    // A page of parts may begin at a later one.
    let from = asked.get("from");
    let begin = if part.is_empty() { from } else { part };
    let read = async |after| web.desk.file(selection, format, after, clock).await;
    let file = match read(begin.parse().ok()).await {
        Ok(file) => file,
        Err(error) => return desk_failed(web, &error),
    };
    if !part.is_empty() || (from.is_empty() && file.next.is_none()) {
        return download(file);
    }
    let number = asked.get("number").parse().unwrap_or(1_usize);
    let first = if from.is_empty() { FIRST } else { from };
    let mut parts = vec![(number, first.to_owned())];
    let mut next = file.next;
    while let Some(after) = next.take() {
        if parts.len() >= PARTS || clock.remaining() < ENOUGH {
            next = Some(after);
            break;
        }
        parts.push((number.saturating_add(parts.len()), after.to_string()));
        match read(Some(after)).await {
            Ok(file) => next = file.next,
            Err(error) => return desk_failed(web, &error),
        }
    }
    let address = match selection {
        Selection::Person(address) => Some(address.as_str()),
        Selection::Month(_) => None,
    };
    let more = next.map(|next| (number.saturating_add(parts.len()), next.to_string()));
    let page = PartsPage {
        frame: Frame::signed_in(web, ""),
        name: match selection {
            Selection::Person(address) => address.as_str().to_owned(),
            Selection::Month(month) => words::month(month),
        },
        address,
        format: match format {
            Format::Csv => "csv",
            Format::Json => "json",
        },
        parts,
        more,
    };
    page_response(web, StatusCode::OK, &page)
}

/// A file as an answer that a browser saves.
fn download(file: File) -> Response {
    let name: String = file
        .name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let mut response = (
        StatusCode::OK,
        [(CONTENT_TYPE, file.media_type)],
        file.content,
    )
        .into_response();
    if let Ok(disposition) = disposition {
        response
            .headers_mut()
            .insert(CONTENT_DISPOSITION, disposition);
    }
    response
}
