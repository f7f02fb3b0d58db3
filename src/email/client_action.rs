//! The emails to the therapist about what a client did on their own page: an enquiry withdrawn, kept after all, or never sent
//! by the owner of its address.

use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::format::{day, dial, moment};
use super::user_text::Typed;
use super::{Email, styles};
use crate::enquiry::{EmailAddress, Phone, Reference};
use crate::mail_state::EmailKind;
use crate::practice::Practice;

/// What the client did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAction {
    /// Withdrew the enquiry.
    Withdrawn {
        /// When it is erased; none once that has been done.
        erased_at: Option<Timestamp>,
    },
    /// Keeps the enquiry that was withdrawn.
    Kept,
    /// Says that they did not send it: the address is not its author's.
    Disowned,
    /// Has complained about the use of their personal data, and not had an acknowledgement yet.
    DataComplaint {
        /// When the therapist noted it.
        noted_at: Timestamp,
    },
}

impl ClientAction {
    /// How long after a complaint was noted the therapist is reminded of acknowledging it: nine days before she must have.
    pub const REMINDED_AFTER: SignedDuration = SignedDuration::from_hours(21 * 24);
    /// Until when it must be acknowledged (Data Protection Act 2018, section 164A).
    const ACKNOWLEDGED_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);
}

/// Everything that the email is made from.
#[derive(Clone, Copy)]
pub struct ClientActionEmail<'a> {
    /// The practice.
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// The enquiry.
    pub reference: &'a Reference,
    /// The client's number, if there is one.
    pub phone: Option<&'a Phone>,
    /// What happened.
    pub action: ClientAction,
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    reference: &'a str,
    preheader: String,
    title: &'static str,
    what: Vec<String>,
    advice: String,
    phone: Option<(Typed, String, String)>,
}

impl ClientActionEmail<'_> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let page = self.page();
        let subject = format!("{}: {}", page.reference, lower(page.title));
        let kind = match self.action {
            ClientAction::Withdrawn { .. } => EmailKind::Withdrawn,
            ClientAction::Kept => EmailKind::Kept,
            ClientAction::Disowned => EmailKind::Disowned,
            ClientAction::DataComplaint { .. } => EmailKind::DataComplaint,
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        Email::own(kind, self.practice, self.to, subject, text, html)
    }

    fn page(&self) -> Page<'_> {
        let reference = self.reference.as_str();
        let phone = self.phone;
        let (title, what, advice) = match self.action {
            ClientAction::Withdrawn { erased_at } => (
                "The client has withdrawn this enquiry",
                vec![
                    "It no longer waits for an answer, and it is gone from your lists.".to_owned(),
                    match erased_at {
                        Some(at) => format!(
                            "It will be erased for good on {}. Until then the client can still keep it.",
                            moment(self.practice, at)
                        ),
                        None => "It has been erased for good.".to_owned(),
                    },
                ],
                format!(
                    "Please delete it from your mailbox too: search for {reference} and delete every email you find."
                ),
            ),
            ClientAction::Kept => (
                "The client keeps this enquiry after all",
                vec![
                    "It was withdrawn, and now it is not. It waits for your answer again."
                        .to_owned(),
                ],
                format!("If you have deleted its email, you’ll find {reference} on your desk."),
            ),
            ClientAction::Disowned => (
                "The email address is not the client’s",
                vec![
                    "The person who reads email at this address says they did not send the enquiry. Most likely the \
                     client mistyped their own address."
                        .to_owned(),
                    "No further email goes there, and please don’t write to it yourself.".to_owned(),
                ],
                match phone {
                    Some(_) => "The enquiry may well be real: call, or send a text message.".to_owned(),
                    None => "There is no phone number, so there is nothing more you can do.".to_owned(),
                },
            ),
            ClientAction::DataComplaint { noted_at } => (
                "A complaint about data needs your acknowledgement",
                vec![
                    format!(
                        "You noted on {} that this client has complained about how their data is used. On your desk it is not \
                         marked as acknowledged.",
                        day(self.practice, noted_at)
                    ),
                    format!(
                        "By law they must have an acknowledgement by {}. Then look into it, and tell them what came of it.",
                        day(self.practice, noted_at + ClientAction::ACKNOWLEDGED_WITHIN)
                    ),
                ],
                "One line is enough for now: “I have your complaint and am looking into it.” If you have sent it already, mark it \
                 on your desk."
                    .to_owned(),
            ),
        };
        let may_call = self.action == ClientAction::Disowned;
        let phone = phone.filter(|_| may_call).map(|phone| {
            (
                Typed::new(phone.typed()),
                dial("tel", phone),
                dial("sms", phone),
            )
        });
        Page {
            practice: self.practice,
            reference,
            preheader: advice.clone(),
            title,
            what,
            advice,
            phone,
        }
    }
}

/// The title within a sentence.
fn lower(title: &str) -> String {
    title.replacen("The ", "the ", 1).replacen("A ", "a ", 1)
}

#[derive(Template)]
#[template(path = "emails/client_action.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/client_action.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
