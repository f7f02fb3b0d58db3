//! HTTP: from a request of the gateway to an answer that a person or a program can use.

mod assets;
mod client;
mod decode;
mod desk;
mod enquire;
mod event;
mod form;
mod negotiate;
pub mod openapi;
mod origin;
pub mod pages;
mod problem;
mod published;
mod respond;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{BoxError, Router};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt;

use crate::check::Check;
use crate::clock::Clock;
use crate::desk::Desk;
use crate::enquiry::Reference;
use crate::link::Links;
use crate::nightly::Nightly;
use crate::practice::Practice;
use crate::settings::WebSettings;
use crate::sign_in::SignIn;
use crate::submission::Submission;
use crate::withdrawal::Withdrawal;
use respond::Answer;

pub use decode::{MAX_ANSWERS, MAX_BODY, MAX_TYPED};
pub use form::{Checked, CheckedAddress, EnquiryForm};
pub use negotiate::ResponseFormat;
pub use problem::{ProblemType, RequestError};

/// The public pages and the endpoint, and the therapist's pages.
pub struct Web {
    /// Takes enquiries.
    pub submission: Submission,
    /// The client's own page.
    pub withdrawal: Withdrawal,
    /// Signs the addresses in emails, where there is a key.
    pub links: Option<Links>,
    /// Who may come in.
    pub sign_in: Arc<SignIn>,
    /// What the therapist does.
    pub desk: Arc<Desk>,
    /// How the desk is.
    pub check: Arc<Check>,
    /// The nightly test.
    pub nightly: Arc<Nightly>,
    pub practice: Arc<Practice>,
    /// The deployment's settings.
    pub settings: WebSettings,
}

/// The origin of our own pages: the gateway's own domain, which only the event knows.
#[derive(Clone)]
struct OwnOrigin(String);

/// Where a request came from, as the gateway saw it; `X-Forwarded-For` says what a sender wants it to say.
#[derive(Clone, Copy)]
struct Source(Option<IpAddr>);

/// Marks a request whose body was not valid base64.
#[derive(Clone, Copy)]
struct Unread;

/// One path: what may be asked of it, as `Allow` says it, and what answers.
struct Route {
    path: &'static str,
    methods: &'static str,
    handler: MethodRouter<Arc<Web>>,
}

impl Web {
    /// Every public path that answers.
    fn routes(&self) -> Vec<Route> {
        const READ: &str = "GET, HEAD, OPTIONS";
        let route = |path, methods, handler| Route {
            path,
            methods,
            handler,
        };
        let form = || post(enquire::enquire).get(empty_form);
        let mut routes = vec![
            route("/", READ, get(empty_form)),
            route("/enquiries", "GET, HEAD, POST, OPTIONS", form()),
            // A site's author easily adds the slash; an enquiry must not be lost over it.
            route("/enquiries/", "GET, HEAD, POST, OPTIONS", form()),
            route("/thank-you", READ, get(confirmation)),
            route("/style.css", READ, get(assets::style_sheet)),
            route("/desk.css", READ, get(assets::desk_style_sheet)),
            route("/enquiry.js", READ, get(assets::script)),
            route("/token", READ, get(token)),
            route("/openapi.json", READ, get(contract)),
            route("/form", READ, get(published::part)),
            route("/form.json", READ, get(published::questions)),
            route(
                "/mine/{reference}",
                "GET, HEAD, POST, OPTIONS",
                post(client::act).get(client::look),
            ),
        ];
        if self.settings.altcha {
            routes.push(route("/altcha", READ, get(challenge)));
            routes.push(route("/proof.js", READ, get(assets::proof_script)));
        }
        routes
    }

    /// What may be asked of a path, as `Allow` says it.
    fn allowed(&self, path: &str) -> &'static str {
        let is_at = |own: &str| match own.split_once('{') {
            Some((beginning, _)) => path.starts_with(beginning),
            None => own == path,
        };
        let route = self.routes().into_iter().find(|route| is_at(route.path));
        route.map_or("OPTIONS", |route| route.methods)
    }
}

/// How old the copy of the practice may be over which an event is answered; nothing when it makes no difference.
#[must_use]
pub fn oldest_practice(event: &Value) -> Option<SignedDuration> {
    let path = event.get("rawPath").and_then(Value::as_str);
    match path.unwrap_or_default() {
        path if desk::is_under(path) => Some(SignedDuration::ZERO),
        path if path.ends_with(".css") || path.ends_with(".js") => None,
        _ => Some(SignedDuration::from_secs(60)),
    }
}

/// How the practice was read over which an event is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// A while ago: a newer one may ask other questions, or know a treatment or a wording of the consent.
    Before,
    /// For this event.
    Now,
}

/// Stands in for an answer that a newer practice could change. It never leaves.
#[derive(Clone, Copy)]
struct Outdated;

impl IntoResponse for Outdated {
    fn into_response(self) -> Response {
        (axum::Extension(self), ()).into_response()
    }
}

/// The entry point for HTTP events: the pages, and the way to each. That to the desk's many is made for the first request that goes
/// there: a client who waits while the function starts does not go there.
pub struct WebService {
    web: Arc<Web>,
    public: Router,
    desk: OnceLock<Router>,
}

impl WebService {
    /// Answers with these pages.
    #[must_use]
    pub fn new(web: Web) -> Self {
        let web = Arc::new(web);
        let public = web.routes().into_iter();
        let public = public.map(|route| (route.path, route.handler));
        Self {
            public: router(&web, public),
            desk: OnceLock::new(),
            web,
        }
    }

    /// Answers one HTTP event, in the shape of payload version 2.0, which function URLs share. Nothing is answered, and nothing
    /// was done, when that needs a practice that is read now.
    ///
    /// # Errors
    /// None that a client would see: what goes wrong has an answer of its own.
    pub async fn handle(
        &self,
        event: &Value,
        practice: Copied,
        clock: &Clock,
    ) -> Result<Option<Value>, BoxError> {
        let Some(mut request) = event::request(event) else {
            let mut response =
                Answer::new(&self.web, ResponseFormat::Html).problem(&RequestError::Unreadable);
            origin::add_common_headers(response.headers_mut());
            return event::response(response).await.map(Some);
        };
        request.extensions_mut().insert(clock.clone());
        request.extensions_mut().insert(practice);
        let router = if desk::is_under(request.uri().path()) {
            self.desk.get_or_init(|| router(&self.web, desk::routes()))
        } else {
            &self.public
        };
        match router.clone().oneshot(request).await {
            Ok(response) if response.extensions().get::<Outdated>().is_some() => Ok(None),
            Ok(response) => event::response(response).await.map(Some),
            Err(never) => match never {},
        }
    }
}

fn router(
    web: &Arc<Web>,
    routes: impl Iterator<Item = (&'static str, MethodRouter<Arc<Web>>)>,
) -> Router {
    routes
        .fold(Router::new(), |router, (path, handler)| {
            router.route(path, handler)
        })
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(web), guard))
        .with_state(Arc::clone(web))
}

/// The therapist's pages have a guard of their own.
async fn guard(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    if desk::is_under(request.uri().path()) {
        desk::guard(&web, request, next).await
    } else {
        origin::guard(State(web), request, next).await
    }
}

/// The form itself; an address that was posted to shows it too, when the page is reloaded.
async fn empty_form(State(web): State<Arc<Web>>, Extension(clock): Extension<Clock>) -> Response {
    let answer = Answer::new(&web, ResponseFormat::Html);
    if !web.settings.is_open {
        return answer.problem(&RequestError::NotOpen);
    }
    answer.empty_form(clock.exact())
}

/// The signed time, for a form on another site.
async fn token(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    headers: HeaderMap,
) -> Response {
    Answer::new(&web, ResponseFormat::negotiate(&headers)).token(clock.exact())
}

/// The contract, with the fields of the practice in force.
async fn contract(State(web): State<Arc<Web>>) -> Response {
    Answer::new(&web, ResponseFormat::Json).contract()
}

/// What a browser works on while the form is filled in.
async fn challenge(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    headers: HeaderMap,
) -> Response {
    Answer::new(&web, ResponseFormat::negotiate(&headers)).challenge(clock.now())
}

/// What may be asked of the confirmation page.
#[derive(Deserialize)]
struct Confirmed {
    #[serde(default)]
    reference: String,
}

async fn confirmation(
    State(web): State<Arc<Web>>,
    query: Result<Query<Confirmed>, QueryRejection>,
) -> Response {
    let reference = query
        .ok()
        .and_then(|Query(confirmed)| Reference::parse(&confirmed.reference).ok());
    Answer::new(&web, ResponseFormat::Html).confirmation(reference.as_ref())
}

async fn not_found(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    Answer::new(&web, ResponseFormat::negotiate(&headers)).problem(&RequestError::NotFound)
}

async fn method_not_allowed(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    Answer::new(&web, ResponseFormat::negotiate(&headers)).problem(&RequestError::MethodNotAllowed)
}
