//! The outbox in the browser: every mail that left, as its readers see it and as it is.
//!
//! A mail's HTML is a stranger's: it is shown in a frame without scripts, without our origin and without the network.

use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::gallery;
use super::ses::{Mail, Mailbox};
use super::stream::Waker;

/// For our own pages: their style, frames with mails in them, and the gallery's one form.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// For a mail's HTML: what a mail brings with it, and nothing else.
pub(super) const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

#[derive(Debug)]
struct Outbox {
    mailbox: Mailbox,
    stream: Waker,
}

/// The routes under `/outbox`; `practice` is the file that the gallery reads.
pub(super) fn router<S: Clone + Send + Sync + 'static>(
    mailbox: Mailbox,
    stream: Waker,
    practice: PathBuf,
) -> Router<S> {
    Router::new()
        .route("/outbox", get(list))
        .route("/outbox/", get(list))
        .route("/outbox.json", get(data))
        .route("/outbox/failures", get(failures))
        .route("/outbox/{mail}", get(mail))
        .route("/outbox/{mail}/html", get(html))
        .with_state(Arc::new(Outbox { mailbox, stream }))
        .merge(gallery::router(practice))
        .layer(middleware::from_fn(only_local))
}

/// A plain page that says that something is not there.
pub(super) fn not_found(words: &str) -> Response {
    let page = page(&Missing { words });
    let (mut parts, body) = page.into_parts();
    parts.status = StatusCode::NOT_FOUND;
    Response::from_parts(parts, body)
}

/// Refuses requests under a foreign name: a web page elsewhere could otherwise give 127.0.0.1 a name of its own and read the
/// mails.
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
        "The outbox answers to 127.0.0.1 and localhost only.\n",
    ));
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response
}

#[derive(Template)]
#[template(path = "local/missing.html")]
struct Missing<'a> {
    words: &'a str,
}

#[derive(Template)]
#[template(path = "local/list.html")]
struct List {
    mails: Vec<Arc<Mail>>,
    failures: usize,
}

#[derive(Template)]
#[template(path = "local/mail.html")]
struct One<'a> {
    mail: &'a Mail,
    request: String,
    last: u64,
}

#[derive(Template)]
#[template(path = "local/failures.html")]
struct Failures {
    failures: Vec<String>,
}

async fn list(State(outbox): State<Arc<Outbox>>) -> Response {
    let mut mails = outbox.mailbox.mails();
    mails.reverse();
    page(&List {
        mails,
        failures: outbox.stream.failures().len(),
    })
}

async fn failures(State(outbox): State<Arc<Outbox>>) -> Response {
    let failures = outbox.stream.failures();
    page(&Failures {
        failures: failures.iter().rev().map(pretty).collect(),
    })
}

/// The outbox as data: an array of mails, newest last.
async fn data(State(outbox): State<Arc<Outbox>>) -> Response {
    let mails = outbox.mailbox.mails();
    let body = json!(mails.iter().map(AsRef::as_ref).collect::<Vec<&Mail>>()).to_string();
    respond("application/json", PAGE_POLICY, body.into_bytes())
}

/// `/outbox/N` and `/outbox/N.eml`.
async fn mail(State(outbox): State<Arc<Outbox>>, Path(name): Path<String>) -> Response {
    let (number, source) = match name.strip_suffix(".eml") {
        Some(number) => (number, true),
        None => (name.as_str(), false),
    };
    let Some(mail) = find(&outbox, number) else {
        return not_found("There is no mail with this number.");
    };
    if !source {
        let last = outbox.mailbox.mails().len();
        let last = u64::try_from(last).unwrap_or(u64::MAX);
        return page(&One {
            mail: &mail,
            request: pretty(&mail.request),
            last,
        });
    }
    let mut response = respond("message/rfc822", PAGE_POLICY, mail.eml.clone().into_bytes());
    if let Ok(value) = HeaderValue::from_str(&format!(
        "attachment; filename=\"mail-{}.eml\"",
        mail.number
    )) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// The HTML part alone, for the frames.
async fn html(State(outbox): State<Arc<Outbox>>, Path(number): Path<String>) -> Response {
    match find(&outbox, &number).and_then(|mail| mail.html.clone()) {
        Some(html) => respond("text/html; charset=utf-8", MAIL_POLICY, html.into_bytes()),
        None => not_found("This mail has no HTML part."),
    }
}

fn find(outbox: &Outbox, number: &str) -> Option<Arc<Mail>> {
    outbox.mailbox.mail(number.parse().ok()?)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A page of the outbox.
pub(super) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => respond("text/html; charset=utf-8", PAGE_POLICY, page.into_bytes()),
        Err(error) => {
            let mut response = respond(
                "text/plain; charset=utf-8",
                PAGE_POLICY,
                format!("The page cannot be shown: {error}.\n").into_bytes(),
            );
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// An answer that nobody keeps and that can do nothing beyond its policy.
pub(super) fn respond(kind: &'static str, policy: &'static str, body: Vec<u8>) -> Response {
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
