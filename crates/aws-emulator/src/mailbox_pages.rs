//! The email catcher in the browser: every email that was sent, as its readers see it and as it is.
//!
//! The HTML of an email is not trusted: it is shown in a frame without scripts, without our origin and without the network.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, ORIGIN,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::clock::{Jump, Jumper};
use super::ses::account::SWITCHES;
use super::ses::{Email, Mailbox};
use super::stream::Waker;

/// For our own pages: their style, frames with emails in them, and forms that stay here.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// For an email's HTML: what an email brings with it, and nothing else.
const EMAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// How many emails a list shows: a browser takes seconds for all of 20,000.
const LISTED: usize = 200;

/// A page that the navigation offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it is, such as `/`.
    pub path: String,
    /// What it is called.
    pub label: String,
}

#[derive(Debug)]
struct Pages {
    mailbox: Mailbox,
    stream: Waker,
    clock: Arc<Jumper>,
    links: Vec<Link>,
}

/// The routes under `/outbox`, and the caller's own `pages`.
pub(super) fn router<S: Clone + Send + Sync + 'static>(
    mailbox: Mailbox,
    stream: Waker,
    clock: Arc<Jumper>,
    links: Vec<Link>,
    pages: Router,
) -> Router<S> {
    Router::new()
        .route("/outbox", get(list))
        .route("/outbox/", get(list))
        .route("/outbox.json", get(data))
        .route("/outbox/clock", get(list).post(jump))
        .route("/outbox/failures", get(failures))
        .route("/outbox/account", get(account).post(switch))
        .route("/outbox/{email}", get(email))
        .route("/outbox/{email}/html", get(html))
        .with_state(Arc::new(Pages {
            mailbox,
            stream,
            clock,
            links,
        }))
        .merge(pages.with_state(()))
        .layer(middleware::from_fn(only_local))
}

/// Says that something is not there.
pub fn not_found(text: &str) -> Response {
    let mut response = respond(
        "text/plain; charset=utf-8",
        PAGE_POLICY,
        format!("{text}\n"),
    );
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Refuses requests under a foreign name: a web page elsewhere could otherwise give 127.0.0.1 a name of its own and read the
/// emails.
async fn only_local(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if matches!(name, "127.0.0.1" | "localhost") {
        return next.run(request).await;
    }
    let mut response = Response::new(Body::from(
        "These pages answer to 127.0.0.1 and localhost only.\n",
    ));
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response
}

#[derive(Template)]
#[template(path = "list.html")]
struct List<'a> {
    links: &'a [Link],
    /// The newest.
    emails: Vec<Arc<Email>>,
    /// How many there are.
    total: usize,
    failures: usize,
    /// What the clock shows.
    now: String,
}

#[derive(Template)]
#[template(path = "email.html")]
struct One<'a> {
    links: &'a [Link],
    email: &'a Email,
    request: String,
    last: u64,
}

#[derive(Template)]
#[template(path = "failures.html")]
struct Failures<'a> {
    links: &'a [Link],
    failures: Vec<String>,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    links: &'a [Link],
    switches: Vec<Switch>,
}

struct Switch {
    name: &'static str,
    state: bool,
    label: &'static str,
}

/// What can be wrong with the account, each to be switched on and off.
async fn account(State(pages): State<Arc<Pages>>) -> Response {
    let account = pages.mailbox.account(|account| account.clone());
    let switches = SWITCHES.iter().map(|(name, label)| Switch {
        name,
        state: account.switched(name),
        label,
    });
    page(&AccountPage {
        links: &pages.links,
        switches: switches.collect(),
    })
}

/// `name=…` switches one.
async fn switch(State(pages): State<Arc<Pages>>, body: String) -> Response {
    let name = body.strip_prefix("name=").unwrap_or_default();
    pages.mailbox.account(|account| account.switch(name));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let there = HeaderValue::from_static("/outbox/account");
    response.headers_mut().insert(LOCATION, there);
    response
}

async fn list(State(pages): State<Arc<Pages>>) -> Response {
    page(&List {
        links: &pages.links,
        emails: pages.mailbox.newest(LISTED),
        total: pages.mailbox.count(),
        failures: pages.stream.failures().len(),
        now: pages
            .clock
            .local()
            .strftime("%A %-d %B %Y, %H:%M")
            .to_string(),
    })
}

/// Puts the clock forward. A page elsewhere cannot: a browser says where a form comes from.
async fn jump(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = host.map(|host| format!("http://{host}"));
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().ok());
    let foreign = origin.is_some_and(|origin| origin.is_none() || origin != own.as_deref());
    let body = axum::body::to_bytes(request.into_body(), 1_000).await;
    let body = body.unwrap_or_default();
    let asked = std::str::from_utf8(&body).unwrap_or_default();
    let jump = asked.strip_prefix("jump=").and_then(Jump::from_key);
    let Some(jump) = jump.filter(|_| !foreign) else {
        let mut response = not_found("The clock jumps by jump=hour, morning, day or week.");
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    if let Err(error) = pages.clock.jump(jump).await {
        tracing::warn!(%error, "the clock was put forward");
    }
    let mut response = respond("text/plain; charset=utf-8", PAGE_POLICY, String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let outbox = HeaderValue::from_static("/outbox");
    response.headers_mut().insert(LOCATION, outbox);
    response
}

async fn failures(State(pages): State<Arc<Pages>>) -> Response {
    let failures = pages.stream.failures();
    page(&Failures {
        links: &pages.links,
        failures: failures.iter().rev().map(pretty).collect(),
    })
}

/// The mailbox as data: an array of emails, newest last.
async fn data(State(pages): State<Arc<Pages>>) -> Response {
    let emails = pages.mailbox.emails();
    let body = json!(emails.iter().map(AsRef::as_ref).collect::<Vec<&Email>>()).to_string();
    respond("application/json", PAGE_POLICY, body)
}

/// `/outbox/N` and `/outbox/N.eml`.
async fn email(State(pages): State<Arc<Pages>>, Path(name): Path<String>) -> Response {
    let (number, source) = match name.strip_suffix(".eml") {
        Some(number) => (number, true),
        None => (name.as_str(), false),
    };
    let Some(email) = find(&pages, number) else {
        return not_found("There is no email with this number.");
    };
    if !source {
        let last = pages.mailbox.count();
        let last = u64::try_from(last).unwrap_or(u64::MAX);
        return page(&One {
            links: &pages.links,
            email: &email,
            request: pretty(&email.request),
            last,
        });
    }
    let mut response = respond("message/rfc822", PAGE_POLICY, email.eml.clone());
    if let Ok(value) = HeaderValue::from_str(&format!(
        "attachment; filename=\"email-{}.eml\"",
        email.number
    )) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// The HTML part alone, for the frames.
async fn html(State(pages): State<Arc<Pages>>, Path(number): Path<String>) -> Response {
    match find(&pages, &number).and_then(|email| email.html.clone()) {
        Some(html) => email_html(html),
        None => not_found("This email has no HTML part."),
    }
}

fn find(pages: &Pages, number: &str) -> Option<Arc<Email>> {
    pages.mailbox.email(number.parse().ok()?)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The HTML of an email, for a frame: it can run nothing and load nothing.
pub fn email_html(html: String) -> Response {
    respond("text/html; charset=utf-8", EMAIL_POLICY, html)
}

/// A page about emails.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => respond("text/html; charset=utf-8", PAGE_POLICY, page),
        Err(error) => {
            let mut response = respond(
                "text/plain; charset=utf-8",
                PAGE_POLICY,
                format!("The page cannot be shown: {error}.\n"),
            );
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// A response that is not cached and that can do nothing beyond its policy.
fn respond(kind: &'static str, policy: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}
