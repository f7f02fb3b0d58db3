//! All enquiries, a month at a time, and the search.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::pages::{Frame, page_response};
use super::waiting::{ListRow, rows};
use super::{Fields, desk_failed, people, query, see_other, words};
use crate::clock::Clock;
use crate::desk::DeskError;
use crate::desk::list::{Filter, Search};
use crate::desk::month::Month;
use crate::messages::{self, desk::mark};
use crate::record::Mark;
use crate::store::Cursor;
use crate::text::single_line;
use crate::web::Web;

/// What may be shown of a month: the key, and what it is called.
const SHOW: [(&str, &str); 6] = [
    ("", messages::desk::list::EVERYTHING),
    ("waiting", mark::WAITING),
    ("answered", mark::ANSWERED),
    ("booked", mark::BOOKED),
    ("declined", mark::DECLINED),
    ("suspect", messages::desk::stands::SUSPECT),
];

/// A choice of a form: what is posted, what it is called, whether it is chosen.
struct Choice {
    key: String,
    label: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "pages/desk/list.html")]
struct ListPage<'a> {
    frame: Frame<'a>,
    month: String,
    /// The month as people read it.
    title: String,
    months: Vec<Choice>,
    show: Vec<Choice>,
    rows: Vec<ListRow>,
    next: Option<String>,
    /// The name that was searched for.
    name: Option<String>,
}

/// A month, or what was chosen of it.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    request: Request,
) -> Response {
    let asked = query(&request);
    let show = asked.get("show");
    let filter = Filter {
        mark: Mark::from_key(show),
        suspect: (show == "suspect").then_some(true),
        name: None,
    };
    let after = asked.get("after").parse().ok();
    render(&web, asked.get("month"), show, &filter, after, &clock).await
}

/// Looks for a reference, an address, or a name within the month that is shown.
pub(super) async fn search(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    posted: Fields,
) -> Response {
    match Search::read(posted.get("search")) {
        None => see_other("/desk/enquiries"),
        Some(Search::Reference(reference)) => match web.desk.show(&reference).await {
            // "Anne-Marie" and "Rebecca" have the shape of one.
            Err(DeskError::NotFound(_)) => by_name(&web, &posted, &clock).await,
            _ => see_other(&format!("/desk/enquiries/{reference}")),
        },
        Some(Search::Address(address)) => people::person(&web, &address, None, &clock).await,
        Some(Search::Name(_)) => by_name(&web, &posted, &clock).await,
    }
}

async fn by_name(web: &Web, posted: &Fields, clock: &Clock) -> Response {
    let filter = Filter {
        name: Some(single_line(posted.get("search"))),
        ..Filter::default()
    };
    render(web, posted.get("month"), "", &filter, None, clock).await
}

async fn render(
    web: &Web,
    month: &str,
    show: &str,
    filter: &Filter,
    after: Option<Cursor>,
    clock: &Clock,
) -> Response {
    let rules = web.practice.time_zone.rules().clone();
    let today = Month::of(clock.now().to_zoned(rules).date());
    let month: Month = month.parse().unwrap_or(today);
    let found = web.desk.month(month, filter, after.as_ref(), clock).await;
    let (list, months) = match (found, web.desk.months(clock).await) {
        (Ok(list), Ok(months)) => (list, months),
        (Err(error), _) | (_, Err(error)) => return desk_failed(web, &error),
    };
    let is_listed = months.contains(&month);
    let other = [month].into_iter().filter(|_| !is_listed);
    let months = other.chain(months).map(|it| Choice {
        key: it.to_string(),
        label: words::month(it),
        is_chosen: it == month,
    });
    let shown = SHOW.map(|(key, label)| Choice {
        key: key.to_owned(),
        label: label.to_owned(),
        is_chosen: key == show,
    });
    let address = format!("/desk/enquiries?month={month}&show={show}&after=");
    // A name that was searched for is in no address.
    let next = list.next.filter(|_| filter.name.is_none());
    let page = ListPage {
        frame: Frame::signed_in(web, "/desk/enquiries"),
        month: month.to_string(),
        title: words::month(month),
        months: months.collect(),
        show: shown.into(),
        rows: rows(&web.practice, &list.entries, clock.now()),
        next: next.map(|next| super::after(&address, &next)),
        name: filter.name.clone(),
    };
    page_response(web, StatusCode::OK, &page)
}
