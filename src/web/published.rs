//! The form for a site that is built by itself: its HTML as a part of a page, and its questions as data. Both are those of the practice
//! in force, so that a site which fetches them while it is built says what the desk says.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::pages::FormPage;
use super::{Answer, CheckedAddress, EnquiryForm, OwnOrigin, RequestError, ResponseFormat, Web};
use crate::enquiry::field::{Control, Required, Row, Section};
use crate::enquiry::fields;
use crate::practice::Practice;

/// Where the form is posted to, from another site.
fn action(web: &Web, own: &OwnOrigin) -> String {
    let url = web.settings.public_url.as_deref().unwrap_or(&own.0);
    format!("{url}/enquiries")
}

/// The form, from `<form` to `</form>`.
pub(super) async fn part(
    State(web): State<Arc<Web>>,
    Extension(own): Extension<OwnOrigin>,
) -> Response {
    if !web.settings.is_open {
        return Answer::new(&web, ResponseFormat::Html).problem(&RequestError::NotOpen);
    }
    let form = FormPage {
        practice: &web.practice,
        form: &EnquiryForm::default(),
        errors: &[],
        address: &CheckedAddress::default(),
        notice: None,
        action: &action(&web, &own),
        submission: String::new(),
        proof: false,
    };
    match form.render_form() {
        Ok(html) => {
            let headers = [
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                (CACHE_CONTROL, "no-cache"),
                (
                    CONTENT_SECURITY_POLICY,
                    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
                ),
            ];
            (StatusCode::OK, headers, html).into_response()
        }
        Err(_) => Answer::new(&web, ResponseFormat::Html).problem(&RequestError::Unavailable),
    }
}

/// The questions of the form.
pub(super) async fn questions(
    State(web): State<Arc<Web>>,
    Extension(own): Extension<OwnOrigin>,
) -> Response {
    if !web.settings.is_open {
        return Answer::new(&web, ResponseFormat::Json).problem(&RequestError::NotOpen);
    }
    let practice = &web.practice;
    let shown = fields(practice).filter(|row| row.section != Section::Hidden);
    let questions: Vec<Value> = shown.map(|row| question(&row, practice)).collect();
    let form = json!({
        "practice": practice.name,
        "phone": practice.phone.shown,
        "action": action(&web, &own),
        "questions": questions,
        "consent": { "version": practice.consent.version, "wording": practice.consent.wording },
    });
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (StatusCode::OK, headers, form.to_string()).into_response()
}

fn question(row: &Row<'_>, practice: &Practice) -> Value {
    let kind = match row.control {
        Control::Line { kind, .. } => kind,
        Control::Text { .. } => "lines",
        Control::OneOf(_) => "one-of",
        Control::SeveralOf(_) => "several-of",
        Control::Tick => "tick",
        Control::Hidden | Control::Kept => "hidden",
    };
    let options = row.options(practice);
    let options = options.iter();
    json!({
        "name": row.key,
        "label": row.label,
        "hint": row.hint,
        "section": row.section.title(),
        "kind": kind,
        "more": row.more,
        "required": row.required == Required::Yes,
        "options": options
            .map(|it| json!({ "value": it.key, "label": it.label, "hint": it.hint }))
            .collect::<Vec<_>>(),
    })
}
