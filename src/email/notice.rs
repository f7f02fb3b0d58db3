//! The email to the therapist about an auto-reply that did not arrive: whom to ring, and what to do.

use askama::Template;

use super::first_name::first_name;
use super::format::{dial, reply_link};
use super::therapist::because;
use super::user_text::Typed;
use super::wrap::{fold_html, fold_text};
use super::{Email, styles};
use crate::enquiry::{EmailAddress, Received};
use crate::mail_state::{EmailKind, MailState, Withheld};
use crate::practice::Practice;
use crate::record::Record;
use crate::settings::EmailSettings;

/// What has become of the auto-reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The client's email server sent it back.
    Bounced,
    /// The reader of that address reported it as spam.
    Complained,
    /// SES did not take it, or found something wrong in it.
    Rejected,
    /// It is unknown whether it left.
    Unknown,
    /// It was withheld after the therapist's email had said that it was on its way.
    Withheld(Withheld),
}

/// Everything that the notice is made from.
#[derive(Clone, Copy)]
pub struct NoticeEmail<'a> {
    /// The practice.
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// The enquiry.
    pub received: &'a Received,
    /// What happened.
    pub trouble: Trouble,
    /// Whether an email may go to the client's address, as far as is known beside that.
    pub may_write: bool,
}

impl<'a> NoticeEmail<'a> {
    /// The notice about a stored enquiry: the state of its auto-reply tells what happened.
    #[must_use]
    pub fn new(practice: &'a Practice, settings: &'a EmailSettings, record: &'a Record) -> Self {
        let trouble = match &record.state.deliveries.auto_reply {
            MailState::Withheld { reason } => Trouble::Withheld(*reason),
            MailState::Failed { .. } => Trouble::Rejected,
            MailState::Bounced { .. } => Trouble::Bounced,
            MailState::Complained { .. } => Trouble::Complained,
            _ => Trouble::Unknown,
        };
        Self {
            practice,
            to: &settings.therapist,
            received: &record.received,
            trouble,
            may_write: record.may_write(),
        }
    }

    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let page = Page::new(&self);
        let html = Html { page: &page }
            .render()
            .ok()
            .map(|html| fold_html(&html));
        let text = Text { page: &page }
            .render()
            .unwrap_or_else(|_| format!("{}\n\n{}", page.what, page.advice));
        let reference = &self.received.reference;
        let subject = match self.trouble {
            Trouble::Unknown => format!("{reference}: the automatic reply may not have arrived"),
            Trouble::Complained => format!("{reference}: the automatic reply was not welcome"),
            _ => format!("{reference}: the automatic reply did not arrive"),
        };
        Email {
            kind: EmailKind::Notice,
            reference: Some(reference.clone()),
            from_name: self.practice.name.clone(),
            to: self.to.clone(),
            reply_to: self
                .may_write()
                .then(|| self.received.enquiry.email.clone()),
            subject,
            text: fold_text(&text),
            html,
            headers: super::TO_THERAPIST.to_vec(),
        }
    }

    /// Whether an email of the therapist's own is any use: it is not where ours came back, or was not welcome.
    fn may_write(&self) -> bool {
        self.may_write && !matches!(self.trouble, Trouble::Bounced | Trouble::Complained)
    }
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    reference: &'a str,
    preheader: String,
    name: Typed,
    what: String,
    advice: String,
    email: Typed,
    /// The link that writes to the client, where that is of any use.
    write: Option<String>,
    phone: Option<(Typed, String, String)>,
}

impl<'a> Page<'a> {
    fn new(email: &'a NoticeEmail<'a>) -> Self {
        let enquiry = &email.received.enquiry;
        let client = first_name(&enquiry.name).unwrap_or("the client");
        let what = match email.trouble {
            Trouble::Bounced => {
                "The automatic reply came back: the email server of this address did not take it. So the client has \
                 not heard from us, and your own email would come back too."
                    .to_owned()
            }
            Trouble::Complained => {
                "The reader of this address has reported the automatic reply as spam. Another person may have typed the \
                 address in, so please send no further email to it."
                    .to_owned()
            }
            Trouble::Rejected => {
                "The email service did not send the automatic reply. The client has not heard from us.".to_owned()
            }
            Trouble::Unknown => {
                "It is not certain that the automatic reply has left, and it will not be sent again.".to_owned()
            }
            Trouble::Withheld(reason) => format!(
                "The automatic reply was not sent in the end, because {}. The client has not heard from us.",
                because(reason)
            ),
        };
        let phone = enquiry.phone.as_ref().map(|phone| {
            (
                Typed::new(phone.typed()),
                dial("tel", phone),
                dial("sms", phone),
            )
        });
        let advice = match (email.trouble, &phone) {
            (Trouble::Bounced, Some(_)) => format!("Please call {client}, or send a text message."),
            (Trouble::Bounced, None) => {
                "There is no phone number. Look at the address: if you can see a typo, write \
                                         to the address that was meant."
                    .to_owned()
            }
            (Trouble::Complained, Some(_)) => {
                format!("If the enquiry looks real to you, call {client}.")
            }
            (Trouble::Complained, None) => {
                "There is no phone number, so there is nothing that you need to do.".to_owned()
            }
            (_, Some(_)) if !email.may_write => {
                format!("Please call {client}, or send a text message.")
            }
            (_, None) if !email.may_write => {
                "There is no phone number, so there is nothing more you can do.".to_owned()
            }
            (_, Some(_)) => {
                format!("Please answer {client} yourself: call, send a text message, or write.")
            }
            (_, None) => format!("Please write to {client} yourself."),
        };
        Self {
            practice: email.practice,
            reference: email.received.reference.as_str(),
            preheader: advice.clone(),
            name: Typed::new(enquiry.name.as_str()),
            what,
            advice,
            email: Typed::as_is(enquiry.email.as_str()),
            write: email.may_write().then(|| {
                reply_link(
                    email.practice,
                    &email.received.reference,
                    &enquiry.name,
                    enquiry.email.as_str(),
                )
            }),
            phone,
        }
    }
}

#[derive(Template)]
#[template(path = "emails/notice.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/notice.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
