//! The form and both emails as they would be with a change.

use askama::Template;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;

use super::fields::Section;
use super::typed::Typed;
use crate::email::preview::{Preview, therapist};
use crate::messages::desk::practice as say;
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
    emails: Vec<EmailView>,
}

/// An email as a mail program shows it, and the text for those that show no HTML.
struct EmailView {
    what: &'static str,
    subject: String,
    html: Option<String>,
    text: String,
}

/// Emails carry their styles with them. Of this page they run nothing all the same: the frame that each is in is a sandbox that
/// allows nothing.
const POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

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
    let preview = Preview {
        practice,
        received_at: now,
    };
    let (received, to) = (preview.complete(), therapist());
    let emails = [
        (say::TO_CLIENT, preview.to_client(&received)),
        (
            say::TO_HER,
            preview.to_therapist(&received, &to).into_email(),
        ),
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
            .map(|(what, email)| EmailView {
                what,
                subject: email.subject,
                html: email.html,
                text: email.text,
            })
            .into(),
    };
    let mut response = page_response(web, StatusCode::OK, &page);
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// The form without being one: the page has a form of its own around nothing of it, and posts nothing of this one.
fn inert(form: &str) -> String {
    form.replacen("<form", "<div", 1)
        .replace(" method=\"post\"", "")
        .replacen(" novalidate", "", 1)
        .replace(" action=\"\"", "")
        .replace("</form>", "</div>")
}
