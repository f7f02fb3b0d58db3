//! The form and both emails as they would be with a change.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::fields::Section;
use super::typed::Typed;
use crate::email::previews::{Samples, therapist};
use crate::practice::Practice;
use crate::web::Web;
use crate::web::desk::pages::{Frame, page_response};
use crate::web::form::{CheckedAddress, EnquiryForm};
use crate::web::pages::FormPage;

#[derive(Template)]
#[template(path = "pages/desk/practice_preview.html")]
struct PreviewPage<'a> {
    frame: Frame<'a>,
    section: &'static Section,
    seen: u64,
    fields: Vec<(&'a str, &'a str)>,
    form: String,
    /// What each email is, its subject and its text.
    emails: Vec<(&'static str, String, String)>,
}

/// The page. The form in it is out of reach: it only shows.
pub(super) fn page(
    web: &Web,
    practice: &Practice,
    section: &'static Section,
    typed: &Typed,
    seen: u64,
    now: Timestamp,
) -> Response {
    let form = FormPage {
        practice,
        form: &EnquiryForm::default(),
        errors: &[],
        address: &CheckedAddress::default(),
        notice: None,
        action: "",
        submission: String::new(),
        proof: false,
    };
    let samples = Samples {
        practice,
        received_at: now,
        away_until: practice.away_until,
    };
    let (received, to) = (samples.complete(), therapist());
    let emails = [
        ("To the client", samples.client_mail(&received)),
        ("To you", samples.email(&received, &to).into_email()),
    ];
    let page = PreviewPage {
        frame: Frame::signed_in(web, "/desk/practice"),
        section,
        seen,
        fields: typed
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
        form: inert(&form.render_form().unwrap_or_default()),
        emails: emails
            .map(|(what, email)| (what, email.subject, email.text))
            .into(),
    };
    page_response(web, StatusCode::OK, &page)
}

/// The form without being one: the page has a form of its own around nothing of it, and posts nothing of this one.
fn inert(form: &str) -> String {
    form.replacen("<form", "<div", 1)
        .replace(" method=\"post\"", "")
        .replace(" action=\"\"", "")
        .replace("</form>", "</div>")
}
