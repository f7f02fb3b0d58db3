//! The letters, and the mailer that hands them to SES.

use crate::enquiry::{EmailAddress, Reference};
use crate::outbox::Letter;

/// A letter, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Which letter it is.
    pub letter: Letter,
    /// The enquiry it belongs to.
    pub reference: Reference,
    /// Who gets it: one address, never more.
    pub to: EmailAddress,
    /// Where an answer goes.
    pub reply_to: Option<EmailAddress>,
    /// One line of text, without control characters.
    pub subject: String,
    /// The text part: as complete as the other.
    pub text: String,
    /// The HTML part; the plain fallback has none.
    pub html: Option<String>,
    /// Further headers, in ASCII.
    pub headers: Vec<(&'static str, &'static str)>,
}

mod ses;
pub use ses::{Class, Mailer, SendFault};
// STUBS
use crate::app::App;
use crate::store::Record;
pub(crate) struct TherapistLetter(Mail);
impl TherapistLetter {
    pub(crate) fn new(app: &App, r: &Record, _e: &[jiff::Timestamp]) -> Self {
        Self(Mail {
            letter: Letter::Therapist,
            reference: r.received.reference.clone(),
            to: app.settings.therapist.clone(),
            reply_to: Some(r.received.enquiry.email.clone()),
            subject: "x".into(),
            text: "t".into(),
            html: None,
            headers: vec![],
        })
    }
    pub(crate) fn into_mail(self) -> Mail {
        self.0
    }
}
pub(crate) struct AutoReplyLetter(Mail);
impl AutoReplyLetter {
    pub(crate) fn new(app: &App, r: &Record) -> Self {
        Self(Mail {
            letter: Letter::AutoReply,
            reference: r.received.reference.clone(),
            to: r.received.enquiry.email.clone(),
            reply_to: Some(app.settings.therapist.clone()),
            subject: "x".into(),
            text: "t".into(),
            html: None,
            headers: vec![],
        })
    }
    pub(crate) fn into_mail(self) -> Mail {
        self.0
    }
}
