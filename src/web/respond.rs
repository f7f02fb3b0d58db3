//! Every answer, in the negotiated format: pages for browsers, JSON for programs.

use std::borrow::Cow;

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
use super::{CheckedAddress, Web, openapi};
use crate::enquiry::field::Section;
use crate::enquiry::{EmailAddress, Field, FormError, Reference};
use crate::form_token::TimeToken;
use crate::keys;
use crate::messages;

/// Where our own confirmation page lives.
const THANK_YOU: &str = "/thank-you";
/// Where the form is posted to.
const ACTION: &str = "/enquiries";

/// Makes the answers in one format.
pub(super) struct Answer<'a> {
    web: &'a Web,
    format: ResponseFormat,
}

impl<'a> Answer<'a> {
    pub(super) const fn new(web: &'a Web, format: ResponseFormat) -> Self {
        Self { web, format }
    }

    /// The form with nothing in it but the time; kept by the browser, so that "back" keeps what was typed.
    pub(super) fn empty_form(&self, now: Timestamp) -> Response {
        let mut form = EnquiryForm::default();
        let token = self.web.submission.token(now).unwrap_or_default();
        form.put(Field::Token, token);
        let address = CheckedAddress::default();
        let mut response = self.form_page(StatusCode::OK, &form, &address, &[], None);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    /// The signed time, for a form that is not on our own page, and whether such a form has to bring a proof of work.
    pub(super) fn token(&self, now: Timestamp) -> Response {
        let Some(token) = self.web.submission.token(now) else {
            return self.problem(&RequestError::Unavailable);
        };
        let expires = now + TimeToken::LIFE;
        // As seconds: the exact expiry is not exposed.
        let expires = Timestamp::from_second(expires.as_second()).unwrap_or(expires);
        let body =
            json!({ "token": token, "expires": expires, "altcha": self.web.settings.altcha });
        json_response(StatusCode::OK, "application/json", &body)
    }

    /// The contract, for the practice in force.
    pub(super) fn contract(&self) -> Response {
        let contract = openapi::of(&self.web.practice);
        json_response(StatusCode::OK, "application/json", &contract)
    }

    /// A challenge for the proof of work.
    pub(super) fn challenge(&self, now: Timestamp) -> Response {
        match self.web.submission.challenge(now) {
            Some(challenge) => json_response(StatusCode::OK, "application/json", &challenge),
            None => self.problem(&RequestError::Unavailable),
        }
    }

    /// The enquiry is in the table.
    pub(super) fn accepted(&self, reference: &Reference) -> Response {
        let next = self.next(reference);
        match self.format {
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
                practice: &self.web.practice,
                reference,
            }
            .render(),
        )
    }

    /// Fields are wrong: the whole form again, with every value, or a problem that names each field.
    pub(super) fn errors(
        &self,
        form: &EnquiryForm,
        address: &CheckedAddress,
        errors: &[FormError],
    ) -> Response {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        if self.format == ResponseFormat::Html {
            return self.form_page(status, form, address, errors, None);
        }
        // A program cannot put right what its page does not show.
        let practice = &self.web.practice;
        let is_hidden = |it: &FormError| it.field.row(practice).section == Section::Hidden;
        let phone = &self.web.practice.phone.shown;
        let phone = errors.iter().any(is_hidden).then_some(phone.as_str());
        let errors: Vec<ProblemError> = errors
            .iter()
            .map(|FormError { field, error }| ProblemError {
                pointer: format!("#/{}", field.key()),
                code: error.code(),
                detail: error.message(),
                suggestion: address
                    .suggestion
                    .as_ref()
                    .filter(|_| error.is_question())
                    .map(EmailAddress::as_str),
            })
            .collect();
        let problem = Problem {
            errors: Some(errors),
            phone,
            ..Problem::new(
                status,
                "field-errors",
                messages::error::fields::TITLE,
                messages::error::fields::DETAIL,
            )
        };
        json_response(status, "application/problem+json", &problem)
    }

    /// The enquiry cannot be taken now: every value kept, and how else to reach the therapist.
    pub(super) fn unavailable(
        &self,
        form: &EnquiryForm,
        address: &CheckedAddress,
        error: &RequestError,
    ) -> Response {
        if self.format == ResponseFormat::Json {
            return self.problem(error);
        }
        let problem = error.problem_type();
        let notice = Notice {
            title: problem.title,
            message: error.message(),
        };
        let page = self.form_page(problem.status, form, address, &[], Some(notice));
        with_retry(page, error)
    }

    /// The request is refused as a whole.
    pub(super) fn problem(&self, error: &RequestError) -> Response {
        let problem = error.problem_type();
        let message = error.message();
        let response = match self.format {
            ResponseFormat::Html => {
                let practice = &self.web.practice;
                let page = ErrorPage { practice, error };
                self.page(problem.status, page.render())
            }
            ResponseFormat::Json => {
                let phone = &self.web.practice.phone.shown;
                let body = Problem {
                    phone: error.retry_after().map(|_| phone.as_str()),
                    ..Problem::new(problem.status, problem.name, problem.title, &message)
                };
                json_response(problem.status, "application/problem+json", &body)
            }
        };
        with_retry(response, error)
    }

    fn form_page(
        &self,
        status: StatusCode,
        form: &EnquiryForm,
        address: &CheckedAddress,
        errors: &[FormError],
        notice: Option<Notice>,
    ) -> Response {
        let page = FormPage {
            practice: &self.web.practice,
            form,
            errors,
            address,
            notice,
            submission: Uuid::try_parse(form.value(Field::Submission).trim())
                .unwrap_or_else(|_| fresh_id())
                .to_string(),
            action: ACTION,
            proof: self.web.settings.altcha,
        };
        self.page(status, page.render())
    }

    pub(super) fn page(
        &self,
        status: StatusCode,
        rendered: Result<String, askama::Error>,
    ) -> Response {
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
                let words = messages::error::no_page(&self.web.practice.phone.shown);
                (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
            }
        }
    }

    /// Where a browser goes after an accepted enquiry: from configuration only, with the reference and nothing personal.
    fn next(&self, reference: &Reference) -> String {
        let base = self
            .web
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
            .web
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
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
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
    fn new(status: StatusCode, name: &str, title: &'a str, detail: &'a str) -> Self {
        Self {
            r#type: format!("urn:enquiry-desk:problem:{name}"),
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

fn with_retry(mut response: Response, error: &RequestError) -> Response {
    if let Some(seconds) = error.retry_after() {
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
    keys::random().map_or(Uuid::nil(), |bytes| {
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    })
}
