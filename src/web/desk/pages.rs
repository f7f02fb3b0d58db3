//! The pages around signing in, and those that say one thing.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tracing::error;

use super::kept::{Kept, Resumed};
use super::{KeptField, RequestError, retry_after};
use crate::messages;
use crate::messages::desk::page;
use crate::practice::Practice;
use crate::session::Session;
use crate::web::Web;

/// What every page of the desk shows around its own part.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) practice: &'a Practice,
    /// Whether the browser is signed in: then there is a way around.
    pub(super) signed_in: bool,
    /// The address of the page in the list of pages, when it is one of them.
    pub(super) here: &'static str,
}

impl<'a> Frame<'a> {
    /// A page for a browser that is signed in.
    pub(super) fn signed_in(web: &'a Web, here: &'static str) -> Self {
        Self {
            practice: &web.practice,
            signed_in: true,
            here,
        }
    }

    pub(super) fn outside(web: &'a Web) -> Self {
        Self {
            practice: &web.practice,
            signed_in: false,
            here: "",
        }
    }
}

/// A page that says one thing.
pub(super) struct Message {
    status: StatusCode,
    title: &'static str,
    text: &'static [&'static str],
    /// When another try is worth it, in seconds.
    again: Option<i64>,
}

impl Message {
    pub(super) const UNAVAILABLE: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: page::unavailable::TITLE,
        text: &[page::unavailable::TEXT],
        again: Some(60),
    };
    pub(super) const CLOSED: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: page::closed::TITLE,
        text: &[page::closed::TEXT, page::closed::MEANWHILE],
        again: None,
    };
    pub(super) const FOREIGN: Self = Self {
        status: StatusCode::FORBIDDEN,
        title: page::foreign::TITLE,
        text: &[page::foreign::TEXT],
        again: None,
    };
    pub(super) const NOT_FOUND: Self = Self {
        status: StatusCode::NOT_FOUND,
        title: page::not_found::TITLE,
        text: &[page::not_found::TEXT],
        again: None,
    };
    pub(super) const NO_ENQUIRY: Self = Self {
        status: StatusCode::NOT_FOUND,
        title: page::no_enquiry::TITLE,
        text: &[page::no_enquiry::TEXT],
        again: None,
    };
    pub(super) const NEWER: Self = Self {
        status: StatusCode::CONFLICT,
        title: page::newer::TITLE,
        text: &[page::newer::TEXT],
        again: None,
    };
    pub(super) const PRACTICE_UNREADABLE: Self = Self {
        status: StatusCode::CONFLICT,
        title: page::practice_unreadable::TITLE,
        text: &[
            page::practice_unreadable::TEXT,
            page::practice_unreadable::ASK,
        ],
        again: None,
    };
    pub(super) const LINK: Self = Self {
        status: StatusCode::FORBIDDEN,
        title: page::link::TITLE,
        text: &[page::link::TEXT],
        again: None,
    };
    pub(super) const UNREADABLE: Self = Self {
        status: StatusCode::BAD_REQUEST,
        title: page::unreadable::TITLE,
        text: &[page::unreadable::TEXT],
        again: None,
    };
    pub(super) const NOT_TAKEN: Self = Self {
        status: StatusCode::CONFLICT,
        title: page::not_taken::TITLE,
        text: &[page::not_taken::TEXT],
        again: None,
    };
    pub(super) const PENDING: Self = Self {
        status: StatusCode::CONFLICT,
        title: page::pending::TITLE,
        text: &[page::pending::TEXT],
        again: None,
    };
    pub(super) const NOT_SENT: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: page::not_sent::TITLE,
        text: &[page::not_sent::TEXT, page::not_sent::AGAIN],
        again: Some(300),
    };
    pub(super) const SIGNED_OUT_EVERYWHERE: Self = Self {
        status: StatusCode::OK,
        title: page::signed_out_everywhere::TITLE,
        text: &[page::signed_out_everywhere::TEXT],
        again: None,
    };
}

#[derive(Template)]
#[template(path = "pages/desk/message.html")]
struct MessagePage<'a> {
    frame: Frame<'a>,
    title: &'a str,
    text: Vec<&'a str>,
    /// Whether a code may have arrived all the same.
    code: bool,
}

/// Says one thing.
pub(super) fn message(web: &Web, message: &Message) -> Response {
    let page = MessagePage {
        frame: Frame::outside(web),
        title: message.title,
        text: message.text.to_vec(),
        code: false,
    };
    let response = page_response(web, message.status, &page);
    match message.again {
        Some(seconds) => retry_after(response, seconds),
        None => response,
    }
}

/// A request that could not be read.
pub(super) fn problem(web: &Web, error: &RequestError) -> Response {
    let (title, text) = match error {
        RequestError::MethodNotAllowed => (page::not_taken::TITLE, page::not_taken::TEXT),
        RequestError::TooLarge => (page::too_long::TITLE, page::too_long::TEXT),
        _ => (page::unreadable::TITLE, page::unreadable::TEXT),
    };
    let page = MessagePage {
        frame: Frame::outside(web),
        title,
        text: vec![text],
        code: false,
    };
    page_response(web, error.problem_type().status, &page)
}

/// More codes were asked for than may leave.
pub(super) fn too_many(web: &Web, until: &str) -> Response {
    let until = page::too_many_codes::text(until);
    let page = MessagePage {
        frame: Frame::outside(web),
        title: page::too_many_codes::TITLE,
        text: vec![&until, page::too_many_codes::MEANWHILE],
        code: true,
    };
    page_response(web, StatusCode::TOO_MANY_REQUESTS, &page)
}

/// Why a page asks to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInReason {
    /// It is the first page.
    Start,
    /// The page needs it, or the session has ended.
    SignedOut,
    /// What was asked for cannot be taken back, and needs a recent sign-in.
    NotRecent,
}

#[derive(Template)]
#[template(path = "pages/desk/start.html")]
struct StartPage<'a> {
    frame: Frame<'a>,
    why: SignInReason,
    kept: &'a Kept,
}

/// Offers to email a code.
pub(super) fn start(web: &Web, why: SignInReason, kept: &Kept) -> Response {
    let status = match why {
        SignInReason::Start => StatusCode::OK,
        SignInReason::SignedOut | SignInReason::NotRecent => StatusCode::FORBIDDEN,
    };
    let frame = Frame::outside(web);
    page_response(web, status, &StartPage { frame, why, kept })
}

#[derive(Template)]
#[template(path = "pages/desk/code.html")]
struct CodePage<'a> {
    frame: Frame<'a>,
    kept: &'a Kept,
    /// Whether the code that was typed did not work.
    wrong: bool,
    /// Whether it is not certain that the email has left.
    unsure: bool,
}

/// Takes a code.
pub(super) fn code(web: &Web, status: StatusCode, kept: &Kept, unsure: bool) -> Response {
    let page = CodePage {
        frame: Frame::outside(web),
        kept,
        wrong: false,
        unsure,
    };
    page_response(web, status, &page)
}

/// The code did not work: takes another, and offers a new one.
pub(super) fn wrong_code(web: &Web, kept: &Kept) -> Response {
    let page = CodePage {
        frame: Frame::outside(web),
        kept,
        wrong: true,
        unsure: false,
    };
    page_response(web, StatusCode::UNPROCESSABLE_ENTITY, &page)
}

#[derive(Template)]
#[template(path = "pages/desk/resume.html")]
struct ResumePage<'a> {
    frame: Frame<'a>,
    form: &'a Resumed,
}

impl ResumePage<'_> {
    fn shown(&self) -> impl Iterator<Item = &(KeptField, String)> {
        self.form
            .fields
            .iter()
            .filter(|(field, _)| !field.label.is_empty())
    }

    /// The fields that go along.
    fn hidden(&self) -> impl Iterator<Item = &(KeptField, String)> {
        self.form
            .fields
            .iter()
            .filter(|(field, _)| field.label.is_empty())
    }
}

/// Signed in again, with the form that was not saved: only a press of her own saves it.
pub(super) fn resume(web: &Web, form: &Resumed) -> Response {
    let frame = Frame::signed_in(web, "");
    page_response(web, StatusCode::OK, &ResumePage { frame, form })
}

struct BrowserView<'a> {
    key: &'a str,
    name: &'a str,
    signed_in: String,
    used: String,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "pages/desk/browsers.html")]
struct BrowsersPage<'a> {
    frame: Frame<'a>,
    browsers: Vec<BrowserView<'a>>,
    done: bool,
}

/// The browsers that are signed in.
pub(super) fn browsers(
    web: &Web,
    browsers: &[Session],
    this: &Session,
    done: bool,
    now: Timestamp,
) -> Response {
    let practice = &web.practice;
    // The index that finds the others may not know this one yet.
    let is_listed = browsers.iter().any(|session| session.key == this.key);
    let this_one = [this].into_iter().filter(|_| !is_listed);
    let views = this_one.chain(browsers).map(|session| BrowserView {
        key: &session.key,
        name: &session.browser,
        signed_in: practice.on_day(session.signed_in_at, now),
        used: practice.on_day(session.used_at, now),
        is_this: session.key == this.key,
    });
    let page = BrowsersPage {
        frame: Frame::signed_in(web, "/desk/browsers"),
        browsers: views.collect(),
        done,
    };
    page_response(web, StatusCode::OK, &page)
}

/// A page as an answer.
pub(super) fn page_response(web: &Web, status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(_) => {
            error!("a page could not be rendered");
            let words = messages::desk::plain::unavailable(&web.practice.name);
            (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
        }
    }
}
