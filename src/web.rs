//! HTTP: from a request of the gateway to an answer that a person or a program can use.

mod cors;
mod decode;
mod form;
mod negotiate;
pub mod pages;
mod problem;
mod respond;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use lambda_http::request::LambdaRequest;
use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing::{error, info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::delivery;
use crate::enquiry::Reference;
use crate::spam::{self, ProofOfWork, TimeToken};
use crate::store::{Accepted, Post};
use respond::Answer;

pub use decode::{MAX_ANSWERS, MAX_BODY};
pub use form::EnquiryForm;
pub use negotiate::ResponseFormat;
pub use problem::{RequestError, Row};

/// The origin of our own pages: the gateway's own domain, which only the event knows.
#[derive(Clone)]
struct OwnOrigin(String);

/// Where a request came from, as the gateway saw it; `X-Forwarded-For` says what a sender wants it to say.
#[derive(Clone, Copy)]
struct Source(Option<IpAddr>);

/// Marks a request whose body could not be read: the base64 of the event was none.
#[derive(Clone, Copy)]
struct Unread;

/// Answers one HTTP event, in the shape of payload version 2.0, which function URLs share.
///
/// # Errors
/// None that a caller would see: what goes wrong has an answer of its own.
pub async fn handle(app: &Arc<App>, event: Value, clock: &Clock) -> Result<Value, Error> {
    let domain = event
        .pointer("/requestContext/domainName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let own_origin = OwnOrigin(format!("https://{}", domain.to_ascii_lowercase()));
    let source = event
        .pointer("/requestContext/http/sourceIp")
        .and_then(Value::as_str);
    let source = Source(source.and_then(|source| source.parse().ok()));
    let Some(mut request) = read(event.clone()).or_else(|| read_without_body(event)) else {
        let mut response =
            Answer::new(app, ResponseFormat::Html).refusal(&RequestError::Unreadable);
        cors::share(response.headers_mut());
        return into_event(response).await;
    };
    request.extensions_mut().insert(own_origin);
    request.extensions_mut().insert(source);
    request.extensions_mut().insert(clock.clone());
    match router(Arc::clone(app)).oneshot(request).await {
        Ok(response) => into_event(response).await,
        Err(never) => match never {},
    }
}

/// The request that an event carries. The library panics at a body that is no base64 although it says so.
fn read(event: Value) -> Option<http::Request<Body>> {
    let read = std::panic::catch_unwind(|| {
        let request: LambdaRequest = serde_json::from_value(event).ok()?;
        Some(lambda_http::Request::from(request).map(|body| Body::from(body.to_vec())))
    });
    read.ok().flatten()
}

/// What is left of a request whose body cannot be read: enough to answer in the caller's language, with the headers that
/// let the site's script read the answer.
fn read_without_body(mut event: Value) -> Option<http::Request<Body>> {
    let members = event.as_object_mut()?;
    members.remove("body");
    members.insert("isBase64Encoded".to_owned(), false.into());
    let mut request = read(event)?;
    request.extensions_mut().insert(Unread);
    Some(request)
}

/// What may be asked of a path, as `Allow` says it.
fn methods(app: &App, path: &str) -> &'static str {
    match path {
        "/enquiries" | "/enquiries/" => "GET, HEAD, POST, OPTIONS",
        "/" | "/thank-you" | "/style.css" | "/enquiry.js" | "/token" => "GET, HEAD, OPTIONS",
        "/altcha" | "/proof.js" if app.settings.altcha => "GET, HEAD, OPTIONS",
        _ => "OPTIONS",
    }
}

fn router(app: Arc<App>) -> Router {
    let proof = if app.settings.altcha {
        Router::new()
            .route("/altcha", get(challenge))
            .route("/proof.js", get(proof_script))
    } else {
        Router::new()
    };
    Router::new()
        .route("/", get(empty_form))
        .route("/enquiries", post(enquire).get(empty_form))
        // A site's author easily adds the slash; an enquiry must not be lost over it.
        .route("/enquiries/", post(enquire).get(empty_form))
        .route("/thank-you", get(confirmation))
        .route("/style.css", get(style_sheet))
        .route("/enquiry.js", get(script))
        .route("/token", get(token))
        .merge(proof)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            cors::guard,
        ))
        .with_state(app)
}

/// The form itself; an address that was posted to shows it too, when somebody reloads it.
async fn empty_form(State(app): State<Arc<App>>, Extension(clock): Extension<Clock>) -> Response {
    Answer::new(&app, ResponseFormat::Html).empty_form(clock.exact())
}

/// The signed time, for a form on another site.
async fn token(
    State(app): State<Arc<App>>,
    Extension(clock): Extension<Clock>,
    headers: HeaderMap,
) -> Response {
    Answer::new(&app, ResponseFormat::negotiate(&headers)).token(clock.exact())
}

/// What a browser works on while the form is filled in.
async fn challenge(
    State(app): State<Arc<App>>,
    Extension(clock): Extension<Clock>,
    headers: HeaderMap,
) -> Response {
    Answer::new(&app, ResponseFormat::negotiate(&headers)).challenge(clock.now())
}

async fn enquire(
    State(app): State<Arc<App>>,
    Extension(clock): Extension<Clock>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let answer = Answer::new(&app, ResponseFormat::negotiate(&headers));
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        return answer.refusal(&RequestError::TooLarge);
    };
    match take(&app, &answer, &headers, body, source, &clock).await {
        Ok(reference) => answer.accepted(&reference),
        Err(refused) => *refused,
    }
}

/// Decodes, checks, weighs and stores one post.
async fn take(
    app: &App,
    answer: &Answer<'_>,
    headers: &HeaderMap,
    body: Bytes,
    Source(source): Source,
    clock: &Clock,
) -> Result<Reference, Box<Response>> {
    let bytes = body.len();
    let decoded = decode::decode(headers, body).await.map_err(|refusal| {
        info!(refused = refusal.row().slug, bytes, "post refused");
        answer.refusal(&refusal)
    })?;
    let form = decoded.form;
    let enquiry = match (form.check(&app.practice), decoded.wrong_types) {
        (Ok(enquiry), wrong) if wrong.is_empty() => enquiry,
        (checked, wrong) => {
            // A value of the wrong type was left out of the form, so that its field may also count as missing.
            let mut errors = checked.err().unwrap_or_default();
            errors.retain(|error| wrong.iter().all(|wrong| wrong.field != error.field));
            errors.extend(wrong);
            errors.sort_by_key(|error| error.field);
            info!(errors = ?errors.iter().map(|error| error.why.code).collect::<Vec<_>>(), bytes, "form refused");
            return Err(Box::new(answer.errors(&form, &errors)));
        }
    };
    let token = TimeToken::read(&form.token, &app.settings, clock.exact());
    let (mut proof, mut nonce) = ProofOfWork::read(&form.altcha, &app.settings, clock.now());
    let mut screening = spam::score(&form, &enquiry, &app.practice, token, proof);
    let identity = app.store.identity(form.submission_id(), &enquiry);
    // One name, whichever way the enquiry takes.
    let Ok(reference) = app.store.draw(&app.practice.reference_prefix) else {
        return Err(Box::new(
            answer.unavailable(&form, &RequestError::Unavailable),
        ));
    };
    let accepted = loop {
        let post = Post {
            enquiry: &enquiry,
            screening: &screening,
            identity: &identity,
            prefix: &app.practice.reference_prefix,
            reference: &reference,
            source,
            nonce: nonce.as_ref(),
        };
        let accepted = app.store.accept(&post, clock).await;
        if accepted != Ok(Accepted::ProofUsed) || nonce.is_none() {
            break accepted;
        }
        // The work was done for another enquiry. This one is taken all the same, by what it then looks like.
        nonce = None;
        proof = ProofOfWork::UsedBefore;
        screening = spam::score(&form, &enquiry, &app.practice, token, proof);
    };
    let (reference, repeat) = match accepted {
        Ok(Accepted::New(reference)) => (reference, false),
        Ok(Accepted::Duplicate(reference)) => (reference, true),
        Ok(Accepted::Flood { retry_after }) => {
            warn!("a source has sent too much");
            return Err(Box::new(
                answer.unavailable(&form, &RequestError::TooManyRequests(retry_after)),
            ));
        }
        // Without a nonce none is used: the store cannot say this here.
        Ok(Accepted::ProofUsed) => {
            return Err(Box::new(
                answer.unavailable(&form, &RequestError::Unavailable),
            ));
        }
        Err(error) => {
            error!(alarm = "table_unavailable", %reference, code = error.code, "the table could not {}", error.doing);
            match delivery::straight_to_therapist(app, &reference, enquiry, &screening, clock).await
            {
                Ok(()) => (reference, false),
                Err(_) => {
                    error!("an enquiry could be neither stored nor mailed");
                    return Err(Box::new(
                        answer.unavailable(&form, &RequestError::Unavailable),
                    ));
                }
            }
        }
    };
    info!(%reference, repeat, verdict = ?screening.verdict(), signals = ?screening.codes(), ?token, ?proof, bytes, "enquiry accepted");
    Ok(reference)
}

/// What may be asked of the confirmation page.
#[derive(Deserialize)]
struct Confirmed {
    #[serde(default)]
    reference: String,
}

async fn confirmation(
    State(app): State<Arc<App>>,
    query: Result<Query<Confirmed>, QueryRejection>,
) -> Response {
    let reference = query
        .ok()
        .and_then(|Query(confirmed)| Reference::parse(&confirmed.reference).ok());
    Answer::new(&app, ResponseFormat::Html).confirmation(reference.as_ref())
}

async fn style_sheet() -> Response {
    asset("text/css; charset=utf-8", include_str!("../site/style.css"))
}

async fn script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../site/enquiry.js"),
    )
}

async fn proof_script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../site/proof.js"),
    )
}

/// A file that every page shares: kept for a day, so that a new deployment shows soon.
fn asset(content_type: &'static str, body: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "public, max-age=86400"),
        ],
        body,
    )
        .into_response()
}

async fn not_found(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    Answer::new(&app, ResponseFormat::negotiate(&headers)).refusal(&RequestError::NotFound)
}

async fn method_not_allowed(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    Answer::new(&app, ResponseFormat::negotiate(&headers)).refusal(&RequestError::MethodNotAllowed)
}

/// The answer as the gateway takes it. All our bodies are text.
async fn into_event(response: Response) -> Result<Value, Error> {
    let (parts, body) = response.into_parts();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await?.to_vec())?;
    let mut headers = serde_json::Map::new();
    for name in parts.headers.keys() {
        let values: Vec<&str> = parts
            .headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        headers.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    Ok(json!({
        "statusCode": parts.status.as_u16(),
        "headers": headers,
        "body": body,
        "isBase64Encoded": false,
        "cookies": [],
    }))
}
