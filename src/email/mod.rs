//! The emails, one file each. They know the practice and an enquiry's record; SES sends what they make.

mod auto_reply;
mod client_action;
mod first_name;
mod format;
mod health;
mod links;
mod notice;
mod practice_changed;
pub mod preview;
mod probe;
mod promises;
mod sign_in;
mod styles;
mod suspected_count;
mod therapist;
mod user_text;
mod ways;
mod weekly;
mod wrap;

use crate::enquiry::{EmailAddress, Reference};
use crate::mail_state::EmailKind;
use crate::practice::Practice;

// What the therapist's pages say in the same words.
pub use first_name::first_name;
pub use format::{complaint_link, dial, reply_link};
pub use therapist::{spam_reasons, suggests, wants, withheld_reason};

pub use auto_reply::{AutoReply, AutoReplyEmail, Content};
pub use client_action::{ClientAction, ClientActionEmail};
pub use health::HealthEmail;
pub use notice::{NoticeEmail, ReplyFailure};
pub use practice_changed::PracticeChangedEmail;
pub use probe::{SIMULATOR, probe_email};
pub use promises::{PromisesEmail, Waits};
pub use sign_in::SignInEmail;
pub use suspected_count::SuspectedCountEmail;
pub use therapist::TherapistEmail;
pub use weekly::{Week, WeeklyEmail};

/// The headers of an email to the therapist: her out-of-office answers no machine (RFC 3834, "Exchange Server Protocols: MS-OXCMAIL").
/// Reports that it could not be delivered are wanted, so that not everything is suppressed.
const TO_THERAPIST: [(&str, &str); 2] = [
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "OOF, AutoReply"),
];

/// Where an email to the therapist about an enquiry leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskLinks {
    /// The enquiry on her desk.
    pub enquiry: String,
    /// The page that marks it as answered without signing in.
    pub answered: Option<String>,
    /// Whether it is said what marking brings: until she has marked one.
    pub explains_marking: bool,
}

/// An email, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    pub kind: EmailKind,
    /// The enquiry it belongs to; none for an email of its own.
    pub reference: Option<Reference>,
    /// What an email of its own is about, as SES's reports name it.
    pub about: Option<String>,
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

impl Email {
    /// An email to the therapist that belongs to no enquiry's state, from its rendered parts; one that could not be rendered
    /// says at least its subject.
    fn own(
        kind: EmailKind,
        practice: &Practice,
        to: &EmailAddress,
        subject: String,
        text: askama::Result<String>,
        html: askama::Result<String>,
    ) -> Self {
        Self {
            kind,
            reference: None,
            about: None,
            from_name: practice.name.clone(),
            to: to.clone(),
            reply_to: None,
            text: wrap::fold_text(&text.unwrap_or_else(|_| subject.clone())),
            html: html.ok().map(|html| wrap::fold_html(&html)),
            subject,
            headers: TO_THERAPIST.to_vec(),
        }
    }
}
