//! The emails to the therapist about promises: the morning list, and the reminder shortly before one ends. No health and
//! nothing of what the client wants is in them.

use askama::Template;
use jiff::Timestamp;

use super::first_name::first_name;
use super::format::{dial, reply_link};
use super::user_text::Typed;
use super::{DeskLinks, Email, styles};
use crate::enquiry::answers::ContactBy;
use crate::enquiry::{EmailAddress, Received};
use crate::mail_state::EmailKind;
use crate::practice::Practice;

/// A client who waits for an answer, with where to mark it as given.
#[derive(Clone, Copy)]
pub struct Waits<'a> {
    /// The enquiry.
    pub received: &'a Received,
    /// Whether an email of the therapist's own may go to its address.
    pub may_write: bool,
    /// Where the row leads; none while links cannot be made.
    pub links: Option<&'a DeskLinks>,
}

/// Everything that these emails are made from.
#[derive(Clone, Copy)]
pub struct PromisesEmail<'a> {
    /// [`EmailKind::MorningList`] or [`EmailKind::Reminder`].
    pub kind: EmailKind,
    /// The practice.
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// Who waits, the nearest promise first.
    pub waiting: &'a [Waits<'a>],
    /// Who was marked as answered through a link, without signing in, since the last list.
    pub marked: &'a [&'a Received],
    /// Now.
    pub now: Timestamp,
}

/// A way to reach a client.
struct Way {
    label: &'static str,
    link: String,
    shown: Typed,
}

struct Row<'a> {
    name: Typed,
    reference: &'a str,
    promised: String,
    overdue: bool,
    ways: Vec<Way>,
    answered: Option<&'a str>,
    desk: Option<&'a str>,
}

/// What both parts of the emails show.
struct Page<'a> {
    practice: &'a Practice,
    preheader: String,
    title: String,
    rows: Vec<Row<'a>>,
    marked: Vec<(Typed, &'a str)>,
    foot: &'static str,
}

impl<'a> PromisesEmail<'a> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let title = self.title();
        let page = Page {
            practice: self.practice,
            preheader: "Who, by when, and how to reach them.".to_owned(),
            title: title.clone(),
            rows: self.waiting.iter().map(|waits| self.row(waits)).collect(),
            marked: self
                .marked
                .iter()
                .map(|it| (Typed::new(it.enquiry.name.as_str()), it.reference.as_str()))
                .collect(),
            foot: match self.kind {
                EmailKind::Reminder => {
                    "You get one reminder for each enquiry, two working hours before its time."
                }
                _ => {
                    "You get this list on working days when anyone waits, and each enquiry is in it twice at most."
                }
            },
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        Email::own(self.kind, self.practice, self.to, title, text, html)
    }

    fn title(&self) -> String {
        match (self.kind, self.waiting) {
            (EmailKind::Reminder, [waits, ..]) => {
                let received = waits.received;
                let name = first_name(&received.enquiry.name);
                let name = name.unwrap_or("A client");
                let by = self
                    .practice
                    .promise_seen_from(received.promised_by, self.now);
                format!("{name} is waiting for your answer {by}")
            }
            (_, []) => "Marked as answered from your email".to_owned(),
            (_, [_]) => "1 person is waiting for your answer".to_owned(),
            (_, many) => format!("{} people are waiting for your answer", many.len()),
        }
    }

    fn row(&self, waits: &Waits<'a>) -> Row<'a> {
        let received = waits.received;
        let enquiry = &received.enquiry;
        let phone = enquiry.phone.as_ref();
        let way = |label, scheme| {
            phone.map(|phone| Way {
                label,
                link: dial(scheme, phone),
                shown: Typed::new(phone.typed()),
            })
        };
        let write = waits.may_write.then(|| Way {
            label: "Email",
            link: reply_link(
                self.practice,
                &received.reference,
                &enquiry.name,
                enquiry.email.as_str(),
            ),
            shown: Typed::as_is(enquiry.email.as_str()),
        });
        let (call, text) = (way("Call", "tel"), way("Text", "sms"));
        let ways = match enquiry.contact_by {
            ContactBy::Email => [write, call, text],
            ContactBy::Phone => [call, text, write],
            ContactBy::Text => [text, call, write],
        };
        Row {
            name: Typed::new(enquiry.name.as_str()),
            reference: received.reference.as_str(),
            promised: self
                .practice
                .promise_seen_from(received.promised_by, self.now),
            overdue: received.promised_by < self.now,
            ways: ways.into_iter().flatten().collect(),
            answered: waits.links.and_then(|links| links.answered.as_deref()),
            desk: waits.links.map(|links| links.enquiry.as_str()),
        }
    }
}

#[derive(Template)]
#[template(path = "emails/promises.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/promises.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
