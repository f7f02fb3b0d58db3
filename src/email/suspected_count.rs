//! The email to the therapist that tells how many suspected enquiries of an hour were not mailed one by one.

use askama::Template;
use jiff::Timestamp;

use super::format::moment;
use super::{Email, styles};
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
use crate::messages::email::suspected_count as words;
use crate::practice::Practice;

/// Everything that the email is made from.
#[derive(Clone, Copy)]
pub struct SuspectedCountEmail<'a> {
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// When the hour began.
    pub begin: Timestamp,
    /// How many of the hour were mailed one by one.
    pub mailed: u32,
    /// How many were not.
    pub count: u64,
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    preheader: &'static str,
    /// "4 more enquiries that look like spam".
    title: String,
    mailed: String,
    counted: String,
    kept: String,
}

impl SuspectedCountEmail<'_> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let practice = self.practice;
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        let title = words::title(count);
        let page = Page {
            practice,
            preheader: words::PREHEADER,
            title: title.clone(),
            mailed: words::mailed(self.mailed, moment(practice, self.begin)),
            counted: words::counted(count),
            kept: words::kept(count),
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        let kind = EmailKind::SuspectedCount;
        Email::own(kind, practice, self.to, title, text, html)
    }
}

#[derive(Template)]
#[template(path = "emails/suspected_count.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/suspected_count.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
