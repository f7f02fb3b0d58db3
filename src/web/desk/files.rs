//! Months as files: a page that lists them, and each as a table for a spreadsheet or as data.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::list::in_words;
use super::pages::{self, Frame, Message, page_response};
use super::{desk_failed, query};
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
    /// Where each part is.
    parts: Vec<String>,
    /// Whether there are more than are listed.
    more: bool,
}

/// How many parts of a month are looked for.
const PARTS: usize = 20;

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
        name: in_words(*month),
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
    let part = asked.get("part");
    let after = part.parse().ok();
    let file = match web
        .desk
        .file(Selection::Month(month), format_, after, &clock)
        .await
    {
        Ok(file) => file,
        Err(error) => return desk_failed(&web, &error),
    };
    if file.next.is_none() || !part.is_empty() {
        return download(file);
    }
    let address = format!("/desk/files/{month}/{format}?part=");
    let mut parts = vec![format!("{address}first")];
    let mut next = file.next;
    while let Some(after) = next.take() {
        parts.push(super::after(&address, &after));
        if parts.len() >= PARTS {
            next = Some(after);
            break;
        }
        match web
            .desk
            .file(Selection::Month(month), format_, Some(after), &clock)
            .await
        {
            Ok(file) => next = file.next,
            Err(error) => return desk_failed(&web, &error),
        }
    }
    let page = PartsPage {
        frame: Frame::signed_in(&web, ""),
        name: in_words(month),
        parts,
        more: next.is_some(),
    };
    page_response(&web, StatusCode::OK, &page)
}

/// A file as an answer that a browser saves.
pub(super) fn download(file: File) -> Response {
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
