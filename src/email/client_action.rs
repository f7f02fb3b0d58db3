//! The emails to the therapist about what a client did on their own page: an enquiry withdrawn, kept after all, or never sent
//! by the owner of its address.

use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::format::{day, moment};
use super::ways::{Way, please_call};
use super::{Email, styles};
use crate::enquiry::{EmailAddress, Phone, Reference};
use crate::mail_state::EmailKind;
use crate::messages::email::client::{self, NO_PHONE, UNNAMED};
use crate::messages::email::client_action as words;
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
    ways: Vec<Way>,
    foot: &'static str,
}

impl ClientActionEmail<'_> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let page = self.page();
        let subject = client::subject(page.reference, page.title);
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
        use words::{data_complaint, disowned, kept, withdrawn};
        let (practice, reference) = (self.practice, self.reference.as_str());
        let (title, what, advice) = match self.action {
            ClientAction::Withdrawn { erased_at } => {
                let erased = erased_at.map_or_else(
                    || withdrawn::ERASED.to_owned(),
                    |at| withdrawn::erased_at(moment(practice, at)),
                );
                let what = vec![withdrawn::WHAT.to_owned(), erased];
                (withdrawn::TITLE, what, withdrawn::advice(reference))
            }
            ClientAction::Kept => {
                let what = vec![kept::WHAT.to_owned()];
                (kept::TITLE, what, kept::advice(reference))
            }
            ClientAction::Disowned => {
                let what = vec![disowned::WHAT.to_owned(), disowned::NO_MORE.to_owned()];
                let advice = match self.phone {
                    Some(phone) => {
                        format!("{} {}", disowned::ADVICE, please_call(UNNAMED, phone))
                    }
                    None => NO_PHONE.to_owned(),
                };
                (disowned::TITLE, what, advice)
            }
            ClientAction::DataComplaint { noted_at } => {
                let until = noted_at + ClientAction::ACKNOWLEDGED_WITHIN;
                let what = vec![
                    data_complaint::noted(day(practice, noted_at)),
                    data_complaint::by_law(day(practice, until)),
                ];
                let advice = data_complaint::ADVICE.to_owned();
                (data_complaint::TITLE, what, advice)
            }
        };
        let phone = self.phone.filter(|_| self.action == ClientAction::Disowned);
        let call_and_text = |phone| [Some(Way::call(phone)), Way::text(phone)];
        Page {
            practice,
            reference,
            preheader: advice.clone(),
            title,
            what,
            advice,
            ways: phone
                .into_iter()
                .flat_map(call_and_text)
                .flatten()
                .collect(),
            foot: match self.action {
                ClientAction::DataComplaint { .. } => data_complaint::FOOT,
                _ => words::ON_THEIR_PAGE,
            },
        }
    }
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
