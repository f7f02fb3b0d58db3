//! The emails, and the mailer that hands them to SES.

use crate::delivery::EmailKind;
use crate::enquiry::{EmailAddress, Reference};

/// An email, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// Which letter it is.
    pub kind: EmailKind,
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

mod auto_reply;
mod notice;
mod ses;
mod style;
mod therapist;
mod words;

pub use auto_reply::{AutoReply, AutoReplyEmail, Content};
pub use notice::{NoticeEmail, Trouble};
pub use ses::{Class, Mailer, SendError};
pub use therapist::TherapistEmail;
