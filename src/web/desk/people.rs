//! Everything about one address: looked up, exported for its owner, erased; and the senders that were blocked or trusted.
//!
//! An address is never part of a page's own address: it is posted.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::pages::{self, Frame, Message, page_response};
use super::waiting::{ListRow, rows};
use super::{Fields, Named, desk_failed, files, query, see_other, words};
use crate::clock::Clock;
use crate::desk::erase::{Erase, Erasure, Subject};
use crate::desk::export::Selection;
use crate::desk::file::{Format, about_address_in_words};
use crate::enquiry::{EmailAddress, Reference};
use crate::messages;
use crate::practice::Practice;
use crate::spam::SenderRule;
use crate::store::{CoolDown, Cursor, Sender, SenderCursor, SenderId};
use crate::web::Web;

struct SenderView {
    is_blocked: bool,
    since: String,
    reference: Option<String>,
    /// Its names in the list: one that is known by address and number has two.
    ids: Vec<String>,
}

#[derive(Template)]
#[template(path = "pages/desk/people.html")]
struct PeoplePage<'a> {
    frame: Frame<'a>,
    senders: Vec<SenderView>,
    /// The address of the next page of them, when there is one.
    next: Option<String>,
    typed: String,
    error: bool,
    done: bool,
}

/// The search, and the senders.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    request: Request,
) -> Response {
    let asked = query(&request);
    let after = asked.get("after").parse().ok();
    let done = asked.get("done") == "forgotten";
    people(&web, StatusCode::OK, "", done, after, &clock).await
}

async fn people(
    web: &Web,
    status: StatusCode,
    typed: &str,
    done: bool,
    after: Option<SenderCursor>,
    clock: &Clock,
) -> Response {
    let found = match web.desk.senders(after.as_ref(), clock).await {
        Ok(found) => found,
        Err(error) => return desk_failed(web, &error),
    };
    let now = clock.now();
    let view = |senders: &[Sender]| {
        let sender = senders.first()?;
        Some(SenderView {
            is_blocked: sender.rule == SenderRule::Blocked,
            since: words::on_day(&web.practice, sender.since, now),
            reference: sender.because_of.as_ref().map(Reference::to_string),
            ids: senders.iter().map(|it| it.id.to_string()).collect(),
        })
    };
    // What was said about the address and the number of one enquiry is one row.
    let senders = found.senders.chunk_by(|one, other| {
        one.because_of.is_some() && one.because_of == other.because_of && one.rule == other.rule
    });
    let page = PeoplePage {
        frame: Frame::signed_in(web, "/desk/people"),
        senders: senders.filter_map(view).collect(),
        next: found
            .next
            .map(|next| super::after("/desk/people?after=", &next)),
        typed: typed.to_owned(),
        error: status != StatusCode::OK,
        done,
    };
    page_response(web, status, &page)
}

/// The address of a form; without one the search is shown again.
async fn address(web: &Web, posted: &Fields, clock: &Clock) -> Result<EmailAddress, Response> {
    match EmailAddress::parse(posted.get("email")) {
        Ok(address) => Ok(address),
        Err(_) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(people(web, status, posted.get("email"), false, None, clock).await)
        }
    }
}

#[derive(Template)]
#[template(path = "pages/desk/person.html")]
struct PersonPage<'a> {
    frame: Frame<'a>,
    address: &'a str,
    rows: Vec<ListRow>,
    /// Whether others were shown before.
    is_later: bool,
    /// What the next page of them begins after, when there is one.
    more: Option<String>,
    about: Option<String>,
}

/// Everything about the address of a form.
pub(super) async fn look_up(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    posted: Fields,
) -> Response {
    let after = posted.get("after").parse().ok();
    match address(&web, &posted, &clock).await {
        Ok(address) => person(&web, &address, after.as_ref(), &clock).await,
        Err(response) => response,
    }
}

/// Everything about one address; of its enquiries those after `after`.
pub(super) async fn person(
    web: &Web,
    address: &EmailAddress,
    after: Option<&Cursor>,
    clock: &Clock,
) -> Response {
    let person = match web.desk.person(address, after, clock).await {
        Ok(person) => person,
        Err(error) => return desk_failed(web, &error),
    };
    let practice = &web.practice;
    let page = PersonPage {
        frame: Frame::signed_in(web, "/desk/people"),
        address: address.as_str(),
        rows: rows(practice, &person.enquiries.entries, clock.now()),
        is_later: after.is_some(),
        more: person.enquiries.next.map(|next| next.to_string()),
        about: person
            .cool_down
            .map(|kept| about(practice, &kept, clock.now())),
    };
    page_response(web, StatusCode::OK, &page)
}

/// What is kept about an address itself.
fn about(practice: &Practice, kept: &CoolDown, now: Timestamp) -> String {
    let what = about_address_in_words(kept);
    kept.expires.map_or_else(
        || what.to_owned(),
        |at| {
            let day = words::on_day(practice, at, now);
            format!("{what} {}", messages::desk::address::forgotten(day))
        },
    )
}

/// A file with everything about an address, for its owner.
pub(super) async fn export(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    posted: Fields,
) -> Response {
    let address = match address(&web, &posted, &clock).await {
        Ok(address) => address,
        Err(response) => return response,
    };
    let format = match posted.get("format") {
        "csv" => Format::Csv,
        _ => Format::Json,
    };
    let part = posted.get("after");
    let selection = Selection::Person(&address);
    files::file(&web, selection, format, part, &posted, &clock).await
}

#[derive(Template)]
#[template(path = "pages/desk/erase.html")]
struct ErasePage<'a> {
    frame: Frame<'a>,
    /// The address, when it is about everything of one.
    address: Option<&'a str>,
    /// The reference, when it is about one enquiry.
    reference: Option<String>,
    /// Whether it has gone.
    is_done: bool,
    references: Vec<String>,
    records: usize,
    about: bool,
    leaving: usize,
    is_complete: bool,
    unsure: Option<String>,
    receipt: Option<String>,
    when: String,
}

/// What would go, or what has gone.
fn erasure(
    web: &Web,
    address: Option<&EmailAddress>,
    reference: Option<&Reference>,
    erasure: &Erasure,
    is_done: bool,
    now: Timestamp,
) -> Response {
    let is_known = !erasure.copies.is_empty() || erasure.cool_down.is_some();
    if let Some(error) = erasure.error.as_ref().filter(|_| !is_done || !is_known) {
        return desk_failed(web, &error.clone().into());
    }
    if reference.is_some() && !is_known && !is_done {
        return pages::message(web, &Message::NO_ENQUIRY);
    }
    let page = ErasePage {
        frame: Frame::signed_in(web, "/desk/people"),
        address: address.map(EmailAddress::as_str),
        reference: reference.map(Reference::to_string),
        is_done,
        references: erasure
            .copies
            .iter()
            .map(|copies| copies.reference.to_string())
            .collect(),
        records: erasure.idempotency_records(),
        about: erasure.cool_down.is_some(),
        leaving: erasure.leaving,
        is_complete: erasure.complete,
        unsure: erasure.unsure.as_ref().map(Reference::to_string),
        receipt: erasure.address_code.clone(),
        when: web.practice.when(now, now),
    };
    page_response(web, StatusCode::OK, &page)
}

async fn erase_address(web: &Web, clock: &Clock, posted: &Fields, erase: Erase) -> Response {
    match address(web, posted, clock).await {
        Ok(address) => {
            let went = web
                .desk
                .erase(Subject::Address(&address), erase, clock)
                .await;
            let is_done = erase == Erase::Confirmed;
            erasure(web, Some(&address), None, &went, is_done, clock.now())
        }
        Err(response) => response,
    }
}

/// What would go of an address.
pub(super) async fn preview(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    posted: Fields,
) -> Response {
    erase_address(&web, &clock, &posted, Erase::Preview).await
}

/// Erases everything about an address.
pub(super) async fn erase(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    posted: Fields,
) -> Response {
    erase_address(&web, &clock, &posted, Erase::Confirmed).await
}

async fn erase_enquiry(web: &Web, clock: &Clock, reference: &Reference, erase: Erase) -> Response {
    let subject = Subject::Enquiry(reference);
    let went = web.desk.erase(subject, erase, clock).await;
    let is_done = erase == Erase::Confirmed;
    erasure(web, None, Some(reference), &went, is_done, clock.now())
}

/// What would go of one enquiry.
pub(super) async fn preview_one(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Named(reference): Named,
) -> Response {
    erase_enquiry(&web, &clock, &reference, Erase::Preview).await
}

/// Erases one enquiry.
pub(super) async fn erase_one(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Named(reference): Named,
) -> Response {
    erase_enquiry(&web, &clock, &reference, Erase::Confirmed).await
}

/// Forgets what was said about a sender.
pub(super) async fn unblock(State(web): State<Arc<Web>>, posted: Fields) -> Response {
    let ids: Result<Vec<SenderId>, ()> = posted.all("sender").map(str::parse).collect();
    let Some(ids) = ids.ok().filter(|ids| !ids.is_empty()) else {
        return pages::message(&web, &Message::UNREADABLE);
    };
    for id in &ids {
        if let Err(error) = web.desk.forget_sender(id).await {
            return desk_failed(&web, &error);
        }
    }
    see_other("/desk/people?done=forgotten")
}
