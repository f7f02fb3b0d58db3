//! The email to the therapist that tells how many suspected enquiries of an hour were not mailed one by one.

use askama::Template;
use jiff::Timestamp;

use super::format::moment;
use super::{Email, styles};
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
use crate::practice::Practice;

/// Everything that the email is made from.
#[derive(Clone, Copy)]
pub struct SuspectedCountEmail<'a> {
    /// The practice.
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
    preheader: String,
    mailed: u32,
    /// "4 more enquiries that look like spam".
    what: String,
    count: u64,
    since: String,
}

impl SuspectedCountEmail<'_> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let Self {
            practice,
            mailed,
            count,
            ..
        } = self;
        let what = match count {
            1 => "1 more enquiry that looks like spam".to_owned(),
            count => format!("{count} more enquiries that look like spam"),
        };
        let page = Page {
            practice,
            preheader: "They look like spam, and are kept.".to_owned(),
            mailed,
            what: what.clone(),
            count,
            since: moment(practice, self.begin),
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        let kind = EmailKind::SuspectedCount;
        Email::own(kind, practice, self.to, what, text, html)
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
