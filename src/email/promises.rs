//! The emails to the therapist about promises: the morning list, and the reminder shortly before one ends. No health and
//! nothing of what the client wants is in them.

use askama::Template;
use jiff::Timestamp;

use super::first_name::first_name;
use super::user_text::Typed;
use super::ways::{Way, ways};
use super::{DeskLinks, Email, styles};
use crate::enquiry::{EmailAddress, Received};
use crate::mail_state::EmailKind;
use crate::messages::email::promises as words;
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
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// Who waits, the nearest promise first.
    pub waiting: &'a [Waits<'a>],
    /// Who was marked as answered through a link, without signing in, since the last list; and where the enquiry is on her desk.
    pub marked: &'a [(&'a Received, Option<String>)],
    pub now: Timestamp,
}

struct Row<'a> {
    name: Typed,
    reference: &'a str,
    /// By when an answer was promised; none where the title says it.
    promised: Option<String>,
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
    marked: Vec<(Typed, &'a str, Option<&'a str>)>,
    foot: &'static str,
}

impl<'a> PromisesEmail<'a> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let title = self.title();
        let page = Page {
            practice: self.practice,
            preheader: words::PREHEADER.to_owned(),
            title: title.clone(),
            rows: self.waiting.iter().map(|waits| self.row(waits)).collect(),
            marked: self
                .marked
                .iter()
                .map(|(it, link)| {
                    let name = Typed::new(it.enquiry.name.as_str());
                    (name, it.reference.as_str(), link.as_deref())
                })
                .collect(),
            foot: match (self.kind, self.waiting) {
                (EmailKind::Reminder, _) => words::FOOT_REMINDER,
                (_, []) => words::FOOT_MARKED,
                _ => words::FOOT_LIST,
            },
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        Email::own(self.kind, self.practice, self.to, title, text, html)
    }

    fn title(&self) -> String {
        match (self.kind, self.waiting) {
            (EmailKind::Reminder, [waits, ..]) => {
                let received = waits.received;
                let by = self
                    .practice
                    .promise_seen_from(received.promised_by, self.now);
                match first_name(&received.enquiry.name) {
                    Some(name) => words::reminder(by, name),
                    None => words::reminder_unnamed(by),
                }
            }
            (_, []) => words::MARKED.to_owned(),
            (_, waiting) => words::waiting(waiting.len()),
        }
    }

    fn row(&self, waits: &Waits<'a>) -> Row<'a> {
        let received = waits.received;
        let write = waits.may_write.then(|| Way::write(self.practice, received));
        let overdue = received.promised_by < self.now;
        let promised = self
            .practice
            .promise_seen_from(received.promised_by, self.now);
        Row {
            name: Typed::new(received.enquiry.name.as_str()),
            reference: received.reference.as_str(),
            promised: (self.kind != EmailKind::Reminder).then(|| {
                if overdue {
                    words::overdue(promised)
                } else {
                    words::answer(promised)
                }
            }),
            overdue,
            ways: ways(&received.enquiry, write),
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
