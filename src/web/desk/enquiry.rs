//! One enquiry: everything about it, and what the therapist does with it.
//!
//! Every action leads back to the page, which says what was done and what stands: a reload repeats nothing. A second press, also
//! from an old page, changes nothing.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::pages::{self, Frame, Message, page_response};
use super::timeline::Line;
use super::words::{self, Labelled, Ways};
use super::{Fields, Named, desk_failed, query, see_other};
use crate::clock::Clock;
use crate::desk::DeskError;
use crate::desk::act::{Noted, Outcome};
use crate::desk::enquiry::Whole;
use crate::email::{spam_reasons, suggests};
use crate::enquiry::Reference;
use crate::enquiry::answers::RecentInjury;
use crate::mail_state::EmailKind;
use crate::messages::{self, desk::done};
use crate::record::{Mark, Note, Origin};
use crate::spam::SenderRule;
use crate::web::Web;

/// What has just been done, as the page says it. Closed: nothing that an address says is shown.
const DONE: [(&str, &str); 13] = [
    ("answered", done::ANSWERED),
    ("booked", done::BOOKED),
    ("declined", done::DECLINED),
    ("undone", done::UNDONE),
    ("not-spam", done::NOT_SPAM),
    ("spam", done::SPAM),
    ("resent", done::RESENT),
    ("noted", done::NOTED),
    ("blocked", done::BLOCKED),
    ("trusted", done::TRUSTED),
    ("complaint", done::COMPLAINT),
    ("acknowledged", done::ACKNOWLEDGED),
    ("unblocked", done::UNBLOCKED),
];

#[derive(Template)]
#[template(path = "pages/desk/enquiry.html")]
struct EnquiryPage<'a> {
    frame: Frame<'a>,
    reference: String,
    name: String,
    address: &'a str,
    stands: String,
    is_overdue: bool,
    is_suspect: bool,
    /// The mark that stands, when there is one to undo.
    undo: Option<&'static str>,
    mark: &'static str,
    /// Whether the client has asked for it to be deleted.
    is_withdrawn: bool,
    /// Whether the owner of its address says that they did not send it.
    is_disowned: bool,
    /// Whether no email reaches its address.
    cannot_write: bool,
    /// The day on which a complaint about data was noted that is not acknowledged yet.
    data_complaint: Option<String>,
    why_suspect: String,
    is_injured: bool,
    ways: Ways,
    answers: Vec<Labelled>,
    suggests: String,
    others: Vec<(String, String)>,
    more_others: bool,
    timeline: Vec<Line>,
    note: NoteView,
    sender: Option<SenderRule>,
    expires: String,
    done: Option<&'static str>,
    /// Whether nothing was changed.
    unchanged: bool,
}

/// The box of the private note.
struct NoteView {
    text: String,
    /// The version that the form has seen.
    seen: u32,
    error: Option<String>,
}

impl NoteView {
    fn of(note: Option<&Note>) -> Self {
        Self {
            text: note.map_or("", Note::text).to_owned(),
            seen: note.map_or(0, |note| note.version),
            error: None,
        }
    }
}

/// Everything about one enquiry.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Named(reference): Named,
    request: Request,
) -> Response {
    let done = query(&request);
    let done = done.get("done");
    match whole(&web, &reference, &clock).await {
        Ok(whole) => {
            let note = NoteView::of(whole.note.as_ref());
            render(&web, StatusCode::OK, &whole, note, done, clock.now())
        }
        Err(response) => response,
    }
}

async fn whole(web: &Web, reference: &Reference, clock: &Clock) -> Result<Whole, Response> {
    let whole = web.desk.enquiry(reference, clock).await;
    whole.map_err(|error| desk_failed(web, &error))
}

fn render(
    web: &Web,
    status: StatusCode,
    whole: &Whole,
    note: NoteView,
    done: &str,
    now: Timestamp,
) -> Response {
    let practice = &web.practice;
    let record = &whole.record;
    let received = &record.received;
    let state = &record.state;
    let mark = state.mark();
    let told = DONE.iter().find(|(key, _)| *key == done);
    let page = EnquiryPage {
        frame: Frame::signed_in(web, ""),
        reference: received.reference.to_string(),
        name: words::visible(received.enquiry.name.as_str()),
        address: received.enquiry.email.as_str(),
        stands: words::stands(practice, record, now),
        is_overdue: record.is_overdue(now),
        is_suspect: state.is_suspect(),
        undo: (mark != Mark::Waiting).then(|| mark.key()),
        mark: mark.key(),
        is_withdrawn: state.withdrawn.is_some(),
        is_disowned: state.disowned,
        cannot_write: !state.disowned && !record.may_write(),
        data_complaint: state.data_complaint.map(|at| practice.on_day(at, now)),
        why_suspect: if state.is_suspect() {
            spam_reasons(&record.signals)
        } else {
            String::new()
        },
        is_injured: received.enquiry.answers.recent_injury == Some(RecentInjury::Yes),
        ways: Ways::new(practice, record),
        answers: words::answers(practice, received),
        suggests: suggests(&received.suggestion(practice)),
        others: whole
            .others
            .iter()
            .map(|other| {
                let day = practice.which_day(other.at, now);
                (other.reference.to_string(), day)
            })
            .collect(),
        more_others: whole.more_others,
        timeline: whole
            .timeline
            .iter()
            .map(|entry| Line::new(practice, entry, now))
            .collect(),
        note,
        sender: whole
            .senders
            .address
            .as_ref()
            .or(whole.senders.number.as_ref())
            .map(|sender| sender.rule),
        expires: record
            .text_expires
            .map_or_else(String::new, |at| practice.on_day(at, now)),
        done: told.map(|(_, words)| *words),
        unchanged: done == "stands",
    };
    page_response(web, status, &page)
}

/// Back to the page of the enquiry, which says what was done.
fn back(
    web: &Web,
    reference: &Reference,
    outcome: Result<Outcome, DeskError>,
    done: &str,
) -> Response {
    match outcome {
        Ok(Outcome::Done(_)) => see_other(&format!("/desk/enquiries/{reference}?done={done}")),
        Ok(Outcome::Stands(_)) => see_other(&format!("/desk/enquiries/{reference}?done=stands")),
        Err(error) => desk_failed(web, &error),
    }
}

/// Marks it: answered, booked, not for her.
pub(super) async fn mark(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Named(reference): Named,
    posted: Fields,
) -> Response {
    let Some(mark) = Mark::from_key(posted.get("as")) else {
        return pages::message(&web, &Message::UNREADABLE);
    };
    let seen = Mark::from_key(posted.get("seen"));
    let outcome = web
        .desk
        .mark(&reference, mark, seen, Origin::Desk, &clock)
        .await;
    back(&web, &reference, outcome, mark.key())
}

/// Takes a mark back.
pub(super) async fn undo(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Named(reference): Named,
    posted: Fields,
) -> Response {
    let Some(undone) = Mark::from_key(posted.get("undone")) else {
        return pages::message(&web, &Message::UNREADABLE);
    };
    let outcome = web
        .desk
        .undo(&reference, undone, Origin::Desk, &clock)
        .await;
    back(&web, &reference, outcome, "undone")
}

/// An action that takes nothing but the enquiry: its name is the last part of the address.
pub(super) async fn act(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Named(reference): Named,
    request: Request,
) -> Response {
    let (desk, by) = (&web.desk, Origin::Desk);
    let action = request.uri().path().rsplit('/').next().unwrap_or_default();
    let (outcome, done) = match action {
        "not-spam" => (desk.not_spam(&reference, by, &clock).await, "not-spam"),
        "spam" => (desk.spam(&reference, by, &clock).await, "spam"),
        "block" => (
            desk.rule(&reference, Some(SenderRule::Blocked), by, &clock)
                .await,
            "blocked",
        ),
        "trust" => (
            desk.rule(&reference, Some(SenderRule::Trusted), by, &clock)
                .await,
            "trusted",
        ),
        "complaint" => (
            desk.data_complaint(&reference, by, &clock).await,
            "complaint",
        ),
        "acknowledged" => (
            desk.acknowledge(&reference, by, &clock).await,
            "acknowledged",
        ),
        "unblock" => (desk.rule(&reference, None, by, &clock).await, "unblocked"),
        _ => {
            let resent = desk
                .resend(&reference, EmailKind::Therapist, by, &clock)
                .await;
            (
                resent.map(|record| Outcome::Done(Box::new(record))),
                "resent",
            )
        }
    };
    back(&web, &reference, outcome, done)
}

/// Saves the private note.
pub(super) async fn note(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Named(reference): Named,
    posted: Fields,
) -> Response {
    let typed = posted.get("note");
    let seen = posted.get("seen").parse().ok();
    let (seen, error) = match web
        .desk
        .note(&reference, typed, seen, Origin::Desk, &clock)
        .await
    {
        Ok(Noted::Saved(_)) => {
            return see_other(&format!("/desk/enquiries/{reference}?done=noted"));
        }
        Ok(Noted::Conflict(other)) => {
            let theirs = other.as_ref().map_or("", Note::text);
            let words = if theirs.is_empty() {
                messages::desk::note::REMOVED_MEANWHILE.to_owned()
            } else {
                messages::desk::note::changed_meanwhile(theirs)
            };
            (other.map_or(0, |note| note.version), words)
        }
        Err(DeskError::NoteTooLong(too_long)) => (seen.unwrap_or_default(), too_long.to_string()),
        Err(error) => return desk_failed(&web, &error),
    };
    refused_note(&web, &reference, typed, seen, error, &clock).await
}

/// The page with a note that was not saved, as it was typed.
async fn refused_note(
    web: &Web,
    reference: &Reference,
    typed: &str,
    seen: u32,
    error: String,
    clock: &Clock,
) -> Response {
    let note = NoteView {
        text: typed.to_owned(),
        seen,
        error: Some(error),
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    match whole(web, reference, clock).await {
        Ok(whole) => render(web, status, &whole, note, "", clock.now()),
        Err(response) => response,
    }
}
