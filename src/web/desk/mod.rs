//! The therapist's own pages. One table says what each address takes and who may ask for it; the guard in front of them
//! holds it, so that no handler can forget.
//!
//! Own `Origin` first for every post; then the session, and for what cannot be taken back a recent one. No script, no CORS, and
//! nothing is kept by the browser or told to other sites.

mod act;
mod browsers;
mod cookies;
mod enquiry;
mod files;
mod health;
mod kept;
mod list;
mod pages;
mod people;
mod practice;
mod rows;
mod sign_in;
mod timeline;
mod waiting;
mod words;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use futures_util::FutureExt;
use tracing::error;

use super::decode::{self, Encoding};
use super::{MAX_BODY, RequestError, Unread, Web, origin};
use crate::clock::Clock;
use crate::desk::DeskError;
use crate::enquiry::Reference;
use crate::mail_state::ResendRefused;
use crate::sign_in::SignInError;
use kept::Kept;
use pages::{Message, SignInReason};
use rows::{Access, KeptField, ROWS, Row};

/// The addresses and what answers there, for the router.
pub(super) fn routes() -> impl Iterator<Item = (&'static str, MethodRouter<Arc<Web>>)> {
    ROWS.iter().map(|row| (row.path, (row.handler)()))
}

/// Whether an address is the desk's, known or not.
pub(super) fn is_under(path: &str) -> bool {
    path == "/desk" || path.starts_with("/desk/")
}

/// Lets a request through to its handler, or answers in its place; and puts the headers on every answer.
pub(super) async fn guard(web: &Arc<Web>, request: Request, next: Next) -> Response {
    let mut response = AssertUnwindSafe(admit(web, request, next))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            error!("a request could not be answered: the code panicked");
            pages::message(web, &Message::UNAVAILABLE)
        });
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        // One page has a policy of its own.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What stands on every answer under the desk. With `no-referrer` browsers would post `Origin: null`.
const HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
];

async fn admit(web: &Arc<Web>, mut request: Request, next: Next) -> Response {
    let method = match request.method() {
        &Method::HEAD => Method::GET,
        method => method.clone(),
    };
    if method != Method::GET
        && method != Method::OPTIONS
        && !origin::is_own(web, request.extensions(), request.headers())
    {
        return pages::message(web, &Message::FOREIGN);
    }
    if request.extensions().get::<Unread>().is_some() {
        return pages::problem(web, &RequestError::Unreadable);
    }
    let path = request.uri().path().to_owned();
    let here: Vec<&Row> = ROWS.iter().filter(|row| row.is_at(&path)).collect();
    if here.is_empty() {
        return pages::message(web, &Message::NOT_FOUND);
    }
    if method == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, [(ALLOW, allowed(&here))]).into_response();
    }
    let Some(row) = here.iter().find(|row| row.method == method) else {
        let mut refused = pages::problem(web, &RequestError::MethodNotAllowed);
        if let Ok(allowed) = HeaderValue::from_str(&allowed(&here)) {
            refused.headers_mut().insert(ALLOW, allowed);
        }
        return refused;
    };
    if row.access != Access::Open {
        let Some(clock) = request.extensions().get::<Clock>().cloned() else {
            return pages::message(web, &Message::UNAVAILABLE);
        };
        let secret = cookies::session(request.headers());
        let why = match web.sign_in.session(secret.as_ref(), &clock).await {
            Err(error) => return failed(web, &error),
            Ok(Some(session))
                if row.access == Access::Recent && !session.is_recent(clock.now()) =>
            {
                SignInReason::NotRecent
            }
            Ok(Some(session)) => {
                request.extensions_mut().insert(session);
                return next.run(request).await;
            }
            Ok(None) if path == "/desk" => SignInReason::Start,
            Ok(None) => SignInReason::SignedOut,
        };
        return match kept(row, request).await {
            Ok(kept) => pages::start(web, why, &kept),
            Err(error) => pages::problem(web, &error),
        };
    }
    next.run(request).await
}

/// What a request was about, to go on with after signing in.
async fn kept(row: &Row, request: Request) -> Result<Kept, RequestError> {
    if row.method == Method::GET {
        let uri = request.uri();
        let way = uri.path_and_query().map_or(uri.path(), |it| it.as_str());
        return Ok(Kept::page(way));
    }
    let path = request.uri().path().to_owned();
    let fields = fields(request).await?;
    Ok(Kept::form(&path, fields))
}

fn allowed(here: &[&Row]) -> String {
    let mut allowed: Vec<&str> = Vec::new();
    for row in here {
        if row.method == Method::GET {
            allowed.extend(["GET", "HEAD"]);
        } else {
            allowed.push(row.method.as_str());
        }
    }
    allowed.push("OPTIONS");
    allowed.join(", ")
}

/// What a form of the desk carries. They are all urlencoded.
async fn fields(request: Request) -> Result<Fields, RequestError> {
    let (parts, body) = request.into_parts();
    if Encoding::of(&parts.headers)? != Encoding::Urlencoded {
        return Err(RequestError::UnsupportedMediaType);
    }
    let body = to_bytes(body, MAX_BODY).await;
    let body = body.map_err(|_| RequestError::TooLarge)?;
    Ok(Fields(decode::urlencoded(&body)?))
}

/// The fields of a form, as posted.
#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field's value; empty when it was left out.
    fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every value of a field that may stand there several times.
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter(move |(its, _)| its == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A handler that takes the fields of a form takes them last.
impl FromRequest<Arc<Web>> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Response> {
        let fields = fields(request).await;
        fields.map_err(|error| pages::problem(web, &error))
    }
}

/// The enquiry that an address names; without a reference there is no such page.
struct Named(Reference);

impl FromRequestParts<Arc<Web>> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        let Path(reference) = Path::<String>::from_request_parts(parts, web)
            .await
            .map_err(IntoResponse::into_response)?;
        Reference::parse(&reference)
            .map(Self)
            .map_err(|_| pages::message(web, &Message::NO_ENQUIRY))
    }
}

/// What an address asks for after its question mark.
fn query(request: &Request) -> Fields {
    let query = request.uri().query().unwrap_or_default();
    Fields(decode::urlencoded(query.as_bytes()).unwrap_or_default())
}

/// An address that goes on after a place in a list.
fn after(address: &str, cursor: &impl std::fmt::Display) -> String {
    let cursor = cursor.to_string();
    let cursor = percent_encoding::utf8_percent_encode(&cursor, percent_encoding::NON_ALPHANUMERIC);
    format!("{address}{cursor}")
}

/// Why something was not done, as a page.
fn desk_failed(web: &Web, error: &DeskError) -> Response {
    match error {
        DeskError::Store(store) if store.is_unreadable() => pages::message(web, &Message::NEWER),
        DeskError::Store(store) => {
            error!(code = store.code, "the table could not {}", store.action);
            pages::message(web, &Message::UNAVAILABLE)
        }
        DeskError::NotFound(_) | DeskError::JustErased(_) => {
            pages::message(web, &Message::NO_ENQUIRY)
        }
        DeskError::Resend(_, _, ResendRefused::Pending) => pages::message(web, &Message::PENDING),
        // No button of the desk asks for it.
        _ => pages::message(web, &Message::NOT_TAKEN),
    }
}

/// Why signing in is not possible now, as a page.
fn failed(web: &Web, error: &SignInError) -> Response {
    match error {
        SignInError::Closed => pages::message(web, &Message::CLOSED),
        SignInError::NoKeys => pages::message(web, &Message::UNAVAILABLE),
        SignInError::Store(store) => {
            error!(code = store.code, "the table could not {}", store.action);
            pages::message(web, &Message::UNAVAILABLE)
        }
    }
}

/// Says when another try is worth it.
fn retry_after(mut response: Response, seconds: i64) -> Response {
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// Puts cookies on an answer.
fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = Option<HeaderValue>>,
) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response
            .headers_mut()
            .append(axum::http::header::SET_COOKIE, cookie);
    }
    response
}

/// Leads to another page of the desk.
fn see_other(path: &str) -> Response {
    (
        StatusCode::SEE_OTHER,
        [(axum::http::header::LOCATION, path)],
    )
        .into_response()
}

fn user_agent(headers: &HeaderMap) -> &str {
    let sent = headers.get(axum::http::header::USER_AGENT);
    sent.and_then(|sent| sent.to_str().ok()).unwrap_or_default()
}
