//! One post of the form: decoded, checked and submitted, or why it is not.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tracing::{info, warn};

use super::decode::{self, Decoded};
use super::respond::Answer;
use super::{Copied, EnquiryForm, MAX_BODY, Outdated, RequestError, ResponseFormat, Source, Web};
use crate::clock::Clock;
use crate::enquiry::{Enquiry, Field, FormError};
use crate::nightly::{self, Probe};
use crate::practice::{Agreed, Practice};
use crate::store::Seen;
use crate::submission::{NotTaken, Post};

/// Takes one post.
pub(super) async fn enquire(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Extension(Source(source)): Extension<Source>,
    Extension(copied): Extension<Copied>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let answer = Answer::new(&web, ResponseFormat::negotiate(&headers));
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        return answer.problem(&RequestError::TooLarge);
    };
    let bytes = body.len();
    let probe = match probe(&web, &headers, &body, &clock) {
        Ok(probe) => probe,
        Err(error) => return answer.problem(&error),
    };
    // What it asks and what its treatments are is not known yet.
    if probe.is_none() && !web.settings.is_open {
        return answer.problem(&RequestError::NotOpen);
    }
    let decoded = match decoded(&headers, body, &web.practice).await {
        Ok(decoded) => decoded,
        Err(error) => return answer.problem(&error),
    };
    let form = decoded.form;
    let is_new = |field: Field| matches!(field, Field::Own(_)) && !field.is_asked(&web.practice);
    if copied == Copied::Before && form.posted().any(|(field, _)| is_new(field)) {
        return Outdated.into_response();
    }
    let checked = form.check(&web.practice, clock.now());
    let agreed = checked.agreed;
    let enquiry = match checked_types(checked.enquiry, decoded.wrong_types, &web.practice) {
        Ok(enquiry) => enquiry,
        Err(errors) if copied == Copied::Before && errors.iter().any(may_be_new) => {
            return Outdated.into_response();
        }
        Err(errors) => {
            log_wording(agreed);
            let codes: Vec<_> = errors.iter().map(|error| error.error.code()).collect();
            info!(errors = ?codes, bytes, "form refused");
            return answer.errors(&form, &checked.address, &errors);
        }
    };
    log_wording(agreed);
    if let Some(probe) = probe {
        return tested(&web, &answer, &probe, &clock).await;
    }
    let seen = [
        (agreed != Some(Agreed::Present)).then_some(Seen::OldWording),
        (decoded.ignored > 0).then_some(Seen::UnknownFields),
    ];
    let post = Post {
        enquiry,
        submission: checked.submission,
        honeypot_filled: is_filled(&form, Field::Honeypot),
        token: form.value(Field::Token),
        proof: form.value(Field::Altcha),
        source,
        bytes,
        seen: seen.into_iter().flatten().collect(),
    };
    let error = match web.submission.submit(post, &clock).await {
        Ok(reference) => return answer.accepted(&reference),
        Err(NotTaken::Flood { retry_after }) => RequestError::TooManyRequests(retry_after),
        Err(NotTaken::Unavailable) => RequestError::Unavailable,
    };
    answer.unavailable(&form, &checked.address, &error)
}

/// The nightly test that this post is, if it says so. What says so is that, or nothing: it never becomes an enquiry of the therapist's.
fn probe(
    web: &Web,
    headers: &HeaderMap,
    body: &[u8],
    clock: &Clock,
) -> Result<Option<Probe>, RequestError> {
    let Some(header) = headers.get(nightly::HEADER) else {
        return Ok(None);
    };
    let header = header.to_str().unwrap_or_default();
    let probe = web.nightly.read(header, body, clock.now());
    probe.map(Some).ok_or(RequestError::ForeignOrigin)
}

async fn decoded(
    headers: &HeaderMap,
    body: Bytes,
    practice: &Practice,
) -> Result<Decoded, RequestError> {
    let bytes = body.len();
    match decode::decode(headers, body, practice).await {
        Ok(decoded) => {
            let ignored = decoded.ignored;
            if ignored > 0 {
                info!(ignored, bytes, "fields left out that the form has not");
            }
            Ok(decoded)
        }
        Err(error) => {
            info!(refused = error.problem_type().name, bytes, "post refused");
            Err(error)
        }
    }
}

/// What was checked, with the values of a wrong type, which were left out of the form: their fields may also count as missing.
fn checked_types(
    checked: Result<Enquiry, Vec<FormError>>,
    wrong: Vec<FormError>,
    practice: &Practice,
) -> Result<Enquiry, Vec<FormError>> {
    if wrong.is_empty() {
        return checked;
    }
    let mut errors = checked.err().unwrap_or_default();
    errors.retain(|error| wrong.iter().all(|wrong| wrong.field != error.field));
    errors.extend(wrong);
    FormError::sort(&mut errors, practice);
    Err(errors)
}

/// Whether a newer practice may know what was refused.
fn may_be_new(error: &FormError) -> bool {
    matches!(
        error.field,
        Field::Treatment | Field::ConsentVersion | Field::Own(_)
    )
}

fn is_filled(form: &EnquiryForm, field: Field) -> bool {
    !form.value(field).trim().is_empty()
}

fn log_wording(agreed: Option<Agreed>) {
    if agreed != Some(Agreed::Present) {
        let accepted = agreed.is_some();
        warn!(accepted, "a page shows an earlier wording of the consent");
    }
}

/// Takes the nightly test.
async fn tested(web: &Web, answer: &Answer<'_>, probe: &Probe, clock: &Clock) -> Response {
    match web.nightly.accept(probe, clock).await {
        Ok(Some(reference)) => answer.accepted(&reference),
        Ok(None) => answer.problem(&RequestError::ForeignOrigin),
        Err(error) => {
            warn!(code = error.code, "the table could not {}", error.action);
            answer.problem(&RequestError::Unavailable)
        }
    }
}
