//! The email to the therapist that tells of a change of what could speak in her name.

use askama::Template;
use jiff::Timestamp;

use super::format::moment;
use super::{Email, styles};
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
use crate::messages::email::practice_changed as words;
use crate::practice::Practice;

/// Everything that the email is made from.
#[derive(Clone, Copy)]
pub struct PracticeChangedEmail<'a> {
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// What was changed, `contact`, `consent` or `emails`, and when.
    pub changed: &'a [(String, Timestamp)],
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    title: &'static str,
    preheader: &'static str,
    changed: Vec<(&'static str, String)>,
}

impl PracticeChangedEmail<'_> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let Self {
            practice, changed, ..
        } = self;
        let page = Page {
            practice,
            title: words::TITLE,
            preheader: words::PREHEADER,
            changed: changed
                .iter()
                .map(|(part, at)| (name_of(part), moment(practice, *at)))
                .collect(),
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        let kind = EmailKind::PracticeChanged;
        let subject = words::TITLE.to_owned();
        Email::own(kind, practice, self.to, subject, text, html)
    }
}

fn name_of(part: &str) -> &'static str {
    match part {
        "contact" => words::CONTACT,
        "consent" => words::CONSENT,
        _ => words::EMAILS,
    }
}

#[derive(Template)]
#[template(path = "emails/practice_changed.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/practice_changed.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
