//! The emails, one file each. They know the practice and an enquiry's record; SES sends what they make.

mod auto_reply;
mod first_name;
mod format;
mod links;
mod notice;
pub mod previews;
mod styles;
mod therapist;
mod user_text;
mod wrap;

use crate::enquiry::{EmailAddress, Reference};
use crate::mail_state::EmailKind;

pub use auto_reply::{AutoReply, AutoReplyEmail, Content};
pub use notice::{NoticeEmail, Trouble};
pub use therapist::TherapistEmail;

/// The headers of an email to the therapist: her out-of-office answers no machine (RFC 3834, "Exchange Server Protocols: MS-OXCMAIL").
/// Reports that it could not be delivered are wanted, so that not everything is suppressed.
const TO_THERAPIST: [(&str, &str); 2] = [
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "OOF, AutoReply"),
];

/// An email, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    /// Which email it is.
    pub kind: EmailKind,
    /// The enquiry it belongs to.
    pub reference: Reference,
    /// The practice's name, shown as the sender.
    pub from_name: String,
    /// The recipient: one address, never more.
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
