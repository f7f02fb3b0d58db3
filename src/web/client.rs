//! The client's own page, which the auto-reply links to. It shows closed words only and is opened by the link's signature: the
//! address may be a stranger's. What a machine that presses every button does here, it does not: a box has to be ticked.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Form, FromRequest, Path, Query, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use super::pages::{MinePage, NotShown, Step};
use super::{Answer, ResponseFormat, Web, origin};
use crate::clock::Clock;
use crate::email::complaint_link;
use crate::enquiry::Reference;
use crate::store::StoreError;
use crate::withdrawal::{Action, Mine};

/// What the link and the forms of the page carry.
#[derive(Deserialize, Default)]
pub(super) struct Fields {
    /// The signature.
    #[serde(default)]
    s: String,
    /// What to do.
    #[serde(default, rename = "do")]
    action: String,
    /// The box to tick.
    #[serde(default)]
    sure: String,
}

/// The page.
pub(super) async fn look(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Path(reference): Path<String>,
    query: Result<Query<Fields>, QueryRejection>,
) -> Response {
    let fields = query.map(|Query(fields)| fields).unwrap_or_default();
    let Some(reference) = opened(&web, &reference, &fields.s) else {
        return gone(&web);
    };
    let step = match fields.action.as_str() {
        "withdraw" => Step::Withdraw,
        "disown" => Step::Disown,
        _ => Step::Look,
    };
    let mine = web.withdrawal.look(&reference, &clock).await;
    page(&web, &reference, &fields.s, step, mine, clock.now())
}

/// Does what a button says.
pub(super) async fn act(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Path(reference): Path<String>,
    request: Request,
) -> Response {
    if !origin::is_own(&web, request.extensions(), request.headers()) {
        return not_shown(&web, StatusCode::FORBIDDEN, NotShown::Elsewhere);
    }
    let form = Form::<Fields>::from_request(request, &web).await;
    let fields = form.map(|Form(fields)| fields).unwrap_or_default();
    let Some(reference) = opened(&web, &reference, &fields.s) else {
        return gone(&web);
    };
    let ticked = fields.sure == "yes";
    let (action, step) = match fields.action.as_str() {
        "withdraw" if ticked => (Some(Action::Withdraw), Step::Look),
        "withdraw" => (None, Step::NotTicked),
        "disown" if ticked => (Some(Action::Disown), Step::Look),
        "disown" => (None, Step::Disown),
        "keep" => (Some(Action::Keep), Step::Look),
        _ => (None, Step::Look),
    };
    let mine = match action {
        Some(action) => web.withdrawal.act(&reference, action, &clock).await,
        None => web.withdrawal.look(&reference, &clock).await,
    };
    page(&web, &reference, &fields.s, step, mine, clock.now())
}

/// The enquiry that this link opens.
fn opened(web: &Web, reference: &str, signature: &str) -> Option<Reference> {
    let reference = Reference::parse(reference).ok()?;
    let opens = web.links.as_ref()?.opens_mine(&reference, signature);
    opens.then_some(reference)
}

fn page(
    web: &Web,
    reference: &Reference,
    signature: &str,
    step: Step,
    mine: Result<Option<Mine>, StoreError>,
    now: Timestamp,
) -> Response {
    let mine = match mine {
        Ok(Some(mine)) => mine,
        Ok(None) => return gone(web),
        Err(error) => {
            error.log(reference);
            return unavailable(web);
        }
    };
    let practice = &web.practice;
    let rendered = MinePage {
        practice,
        reference,
        signature,
        step,
        received: practice.when(mine.received_at, now),
        promised: practice.promise_in_words(mine.promised_by, mine.received_at),
        erased: mine.erased_at.map(|at| practice.when(at, now)),
        disowned: mine.disowned,
        complaints: {
            let to = web.sign_in.therapist();
            (to.as_str(), complaint_link(to, reference))
        },
    }
    .render();
    let status = match step {
        Step::NotTicked => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    closed(Answer::new(web, ResponseFormat::Html).page(status, rendered))
}

fn gone(web: &Web) -> Response {
    not_shown(web, StatusCode::NOT_FOUND, NotShown::Gone)
}

fn unavailable(web: &Web) -> Response {
    let mut response = not_shown(web, StatusCode::SERVICE_UNAVAILABLE, NotShown::Unavailable);
    let minute = HeaderValue::from_static("60");
    response.headers_mut().insert(RETRY_AFTER, minute);
    response
}

fn not_shown(web: &Web, status: StatusCode, why: NotShown) -> Response {
    let rendered = why.render(&web.practice);
    closed(Answer::new(web, ResponseFormat::Html).page(status, rendered))
}

/// The headers of a page that is one person's: no script, not found by search engines, and its address told to no other site.
fn closed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                  frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    );
    response
}
