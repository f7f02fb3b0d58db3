//! The email to the therapist about an auto-reply that did not arrive: whom to call, and what to do.

use askama::Template;

use super::therapist::withheld_reason;
use super::user_text::Typed;
use super::ways::{Way, named, please_call, ways};
use super::wrap::{fold_html, fold_text};
use super::{Email, styles};
use crate::enquiry::{EmailAddress, Received};
use crate::mail_state::{EmailKind, MailState, Withheld};
use crate::messages::email::client::{NO_PHONE, subject};
use crate::messages::email::notice as words;
use crate::practice::Practice;
use crate::record::Record;
use crate::settings::EmailSettings;

/// What has become of the auto-reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyFailure {
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
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// The enquiry.
    pub received: &'a Received,
    /// What happened.
    pub failure: ReplyFailure,
    /// Whether an email may go to the client's address, as far as is known beside that.
    pub may_write: bool,
}

impl<'a> NoticeEmail<'a> {
    /// The notice about a stored enquiry: the state of its auto-reply tells what happened.
    #[must_use]
    pub fn new(practice: &'a Practice, settings: &'a EmailSettings, record: &'a Record) -> Self {
        let failure = match &record.state.deliveries.auto_reply {
            MailState::Withheld { reason } => ReplyFailure::Withheld(*reason),
            MailState::Failed { .. } => ReplyFailure::Rejected,
            MailState::Bounced { .. } => ReplyFailure::Bounced,
            MailState::Complained { .. } => ReplyFailure::Complained,
            _ => ReplyFailure::Unknown,
        };
        Self {
            practice,
            to: &settings.therapist,
            received: &record.received,
            failure,
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
        Email {
            kind: EmailKind::Notice,
            reference: Some(self.received.reference.clone()),
            about: None,
            from_name: self.practice.name.clone(),
            to: self.to.clone(),
            reply_to: self
                .may_write()
                .then(|| self.received.enquiry.email.clone()),
            subject: subject(&self.received.reference, &page.title),
            text: fold_text(&text),
            html,
            headers: super::TO_THERAPIST.to_vec(),
        }
    }

    /// Whether an email of the therapist's own is any use: it is not where ours came back, or was not welcome.
    fn may_write(&self) -> bool {
        self.may_write
            && !matches!(
                self.failure,
                ReplyFailure::Bounced | ReplyFailure::Complained
            )
    }

    fn title(&self) -> String {
        let client = named(&self.received.enquiry);
        match self.failure {
            ReplyFailure::Unknown => words::not_certain(client),
            ReplyFailure::Complained => words::not_welcome(client),
            _ => words::not_arrived(client),
        }
    }

    fn what(&self) -> String {
        let client = named(&self.received.enquiry);
        match self.failure {
            ReplyFailure::Bounced => words::bounced(client),
            ReplyFailure::Complained => words::COMPLAINED.to_owned(),
            ReplyFailure::Rejected => words::rejected(client),
            ReplyFailure::Unknown => words::UNKNOWN.to_owned(),
            ReplyFailure::Withheld(reason) => words::withheld(client, withheld_reason(reason)),
        }
    }

    fn advice(&self) -> String {
        let enquiry = &self.received.enquiry;
        let client = named(enquiry);
        match (self.failure, &enquiry.phone) {
            (ReplyFailure::Bounced, None) => words::LOOK_FOR_A_TYPO.to_owned(),
            (ReplyFailure::Complained, Some(_)) => words::if_real(client),
            (_, Some(phone)) if !self.may_write() => please_call(client, phone),
            (_, None) if !self.may_write() => NO_PHONE.to_owned(),
            (_, Some(_)) => words::call_or_write(client),
            (_, None) => words::just_write(client),
        }
    }
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    reference: &'a str,
    preheader: String,
    title: String,
    name: Typed,
    what: String,
    advice: String,
    ways: Vec<Way>,
    /// The address, where no link writes to it.
    address: Option<Typed>,
}

impl<'a> Page<'a> {
    fn new(email: &NoticeEmail<'a>) -> Self {
        let (practice, received) = (email.practice, email.received);
        let enquiry = &received.enquiry;
        let may_write = email.may_write();
        let advice = email.advice();
        Self {
            practice,
            reference: received.reference.as_str(),
            preheader: advice.clone(),
            title: email.title(),
            name: Typed::new(enquiry.name.as_str()),
            what: email.what(),
            advice,
            ways: ways(enquiry, may_write.then(|| Way::write(practice, received))),
            address: (!may_write).then(|| Typed::as_is(enquiry.email.as_str())),
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
