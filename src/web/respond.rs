//! Every answer to a caller, in the caller's form: pages for browsers, JSON for programs.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tracing::error;
use uuid::Uuid;

use super::form::EnquiryForm;
use super::negotiate::ResponseFormat;
use super::pages::{ConfirmationPage, ErrorPage, FormPage, Notice};
use super::problem::RequestError;
use crate::app::App;
use crate::enquiry::{EmailAddress, Fault, Reference};
use crate::spam::{ProofOfWork, TimeToken};

/// Where our own confirmation page lives.
const THANK_YOU: &str = "/thank-you";
/// Where the form is posted to.
const ACTION: &str = "/enquiries";

/// Makes the answers for one caller.
pub(super) struct Answer<'a> {
    app: &'a App,
    caller: ResponseFormat,
}

impl<'a> Answer<'a> {
    pub(super) const fn new(app: &'a App, caller: ResponseFormat) -> Self {
        Self { app, caller }
    }

    /// The form with nothing in it but the time; kept by the browser, so that "back" keeps what was typed.
    pub(super) fn empty_form(&self, now: Timestamp) -> Response {
        let form = EnquiryForm {
            token: TimeToken::issue(&self.app.settings, now).unwrap_or_default(),
            ..EnquiryForm::default()
        };
        let mut response = self.form_page(StatusCode::OK, &form, &[], None);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    /// The signed time, for a form that is not on our own page, and whether such a form has to bring a proof of work.
    pub(super) fn token(&self, now: Timestamp) -> Response {
        let settings = &self.app.settings;
        let Some(token) = TimeToken::issue(settings, now) else {
            return self.refusal(&RequestError::Unavailable);
        };
        let expires = now + TimeToken::LIFE;
        // As seconds: when it ends to the millisecond is nobody's business but ours.
        let expires = Timestamp::from_second(expires.as_second()).unwrap_or(expires);
        let body = json!({ "token": token, "expires": expires, "altcha": settings.altcha });
        json_response(StatusCode::OK, "application/json", &body)
    }

    /// A challenge for the proof of work.
    pub(super) fn challenge(&self, now: Timestamp) -> Response {
        match ProofOfWork::challenge(&self.app.settings, now) {
            Some(challenge) => json_response(StatusCode::OK, "application/json", &challenge),
            None => self.refusal(&RequestError::Unavailable),
        }
    }

    /// The enquiry is in the table.
    pub(super) fn accepted(&self, reference: &Reference) -> Response {
        let next = self.next(reference);
        match self.caller {
            ResponseFormat::Html => (StatusCode::SEE_OTHER, [(LOCATION, next)]).into_response(),
            ResponseFormat::Json => {
                let body = json!({ "reference": reference, "next": next });
                json_response(StatusCode::CREATED, "application/json", &body)
            }
        }
    }

    /// The page after an accepted enquiry, when the practice has none of its own.
    pub(super) fn confirmation(&self, reference: Option<&Reference>) -> Response {
        self.page(
            StatusCode::OK,
            ConfirmationPage {
                practice: &self.app.practice,
                reference,
            }
            .render(),
        )
    }

    /// Fields are wrong: the whole form again, with every value, or a problem that names each field.
    pub(super) fn errors(&self, form: &EnquiryForm, errors: &[Fault]) -> Response {
        match self.caller {
            ResponseFormat::Html => {
                self.form_page(StatusCode::UNPROCESSABLE_ENTITY, form, errors, None)
            }
            ResponseFormat::Json => {
                let suggestion = form.email_suggestion();
                let errors: Vec<ProblemError<'_>> = errors
                    .iter()
                    .map(|error| {
                        let suggestion = suggestion
                            .as_ref()
                            .filter(|_| error.why.code == "email_suggestion")
                            .map(EmailAddress::as_str);
                        ProblemError {
                            pointer: format!("#/{}", error.field.key()),
                            code: error.why.code,
                            detail: &error.why.words,
                            suggestion,
                        }
                    })
                    .collect();
                let problem = Problem {
                    errors: Some(errors),
                    ..Problem::new(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "field-errors",
                        "There is a problem with the form",
                        "Correct the fields that are named and send the form again.",
                    )
                };
                json_response(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "application/problem+json",
                    &problem,
                )
            }
        }
    }

    /// The enquiry cannot be taken now: every value kept, and how else to reach the therapist.
    pub(super) fn unavailable(&self, form: &EnquiryForm, refusal: &RequestError) -> Response {
        match self.caller {
            ResponseFormat::Html => {
                let notice = Notice {
                    title: refusal.row().title,
                    words: refusal.words(),
                };
                with_retry(
                    self.form_page(refusal.row().status, form, &[], Some(notice)),
                    refusal,
                )
            }
            ResponseFormat::Json => self.refusal(refusal),
        }
    }

    /// The request is refused as a whole.
    pub(super) fn refusal(&self, refusal: &RequestError) -> Response {
        let row = refusal.row();
        let response = match self.caller {
            ResponseFormat::Html => {
                let page = ErrorPage {
                    practice: &self.app.practice,
                    title: row.title,
                    words: refusal.words(),
                };
                self.page(row.status, page.render())
            }
            ResponseFormat::Json => {
                let words = refusal.words();
                let problem = Problem {
                    phone: refusal
                        .retry_after()
                        .map(|_| self.app.practice.phone.shown.as_str()),
                    ..Problem::new(row.status, row.slug, row.title, &words)
                };
                json_response(row.status, "application/problem+json", &problem)
            }
        };
        with_retry(response, refusal)
    }

    fn form_page(
        &self,
        status: StatusCode,
        form: &EnquiryForm,
        errors: &[Fault],
        notice: Option<Notice>,
    ) -> Response {
        let page = FormPage {
            practice: &self.app.practice,
            form,
            errors,
            suggestion: form.email_suggestion().filter(|_| !errors.is_empty()),
            notice,
            submission: form.submission_id().unwrap_or_else(fresh_id).to_string(),
            action: ACTION,
            proof: self.app.settings.altcha,
        };
        self.page(status, page.render())
    }

    fn page(&self, status: StatusCode, rendered: Result<String, askama::Error>) -> Response {
        match rendered {
            Ok(html) => {
                let headers = [
                    (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
                    (CONTENT_SECURITY_POLICY, self.policy()),
                ];
                (status, headers, html).into_response()
            }
            Err(_) => {
                error!("a page could not be rendered");
                let words = format!(
                    "Something went wrong on our side. Please phone {}.",
                    self.app.practice.phone.shown
                );
                (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
            }
        }
    }

    /// Where a browser goes after an accepted enquiry: from configuration only, with the reference and nothing personal.
    fn next(&self, reference: &Reference) -> String {
        let base = self
            .app
            .settings
            .thank_you_url
            .as_deref()
            .unwrap_or(THANK_YOU);
        let joint = if base.contains('?') { '&' } else { '?' };
        format!("{base}{joint}reference={reference}")
    }

    /// Nothing inline, nothing from elsewhere; forms go to us, and from there to the thank-you page.
    fn policy(&self) -> String {
        let thank_you = self
            .app
            .settings
            .thank_you_url
            .as_deref()
            .and_then(origin_of)
            .unwrap_or_default();
        format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
             form-action 'self' {thank_you}; base-uri 'none'; frame-ancestors 'none'"
        )
    }
}

/// One error in a problem document (RFC 9457, section 3): where, which, what to do.
#[derive(Serialize)]
struct ProblemError<'a> {
    pointer: String,
    code: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
}

/// A problem document (RFC 9457), with two members of our own: the errors of the fields, and how else to get in touch.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<ProblemError<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

impl<'a> Problem<'a> {
    fn new(status: StatusCode, slug: &str, title: &'a str, detail: &'a str) -> Self {
        Self {
            r#type: format!("urn:enquiry-desk:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail,
            errors: None,
            phone: None,
        }
    }
}

fn json_response(
    status: StatusCode,
    content_type: &'static str,
    body: &impl Serialize,
) -> Response {
    (
        status,
        [(CONTENT_TYPE, content_type)],
        json!(body).to_string(),
    )
        .into_response()
}

fn with_retry(mut response: Response, refusal: &RequestError) -> Response {
    if let Some(seconds) = refusal.retry_after() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn origin_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

/// A new id for a form that is about to be filled in. Without randomness it is nil, which every form would share, so
/// that only the answers tell enquiries apart.
fn fresh_id() -> Uuid {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => uuid::Builder::from_random_bytes(bytes).into_uuid(),
        Err(_) => Uuid::nil(),
    }
}
