//! The email to the client: the treatments explained, what happens next and by when, and how else to get in touch.
//!
//! A stranger's address that is typed into the form makes us send that stranger this email. So it is made from closed
//! answers, the reference, the practice's own words and the clock, and from nothing else: [`AutoReply`] has no place
//! for anything that a visitor typed.

use askama::Template;
use jiff::Timestamp;

use super::wrap::{fold_html, fold_text};
use super::{Email, styles};
use crate::enquiry::answers::{Choice, ContactBy, Goal};
use crate::enquiry::{Answers, EmailAddress, Received, Reference};
use crate::mail_state::EmailKind;
use crate::messages::email::auto_reply as words;
use crate::practice::{Practice, Suggested, Suggestion, Treatment};

/// Says that a machine wrote this (RFC 3834), and asks Exchange for no automatic reply to it.
const HEADERS: [(&str, &str); 2] = [
    ("Auto-Submitted", "auto-replied"),
    ("X-Auto-Response-Suppress", "All"),
];

/// What the email to the client is made from.
#[derive(Clone, Copy)]
pub struct AutoReply<'a> {
    pub practice: &'a Practice,
    pub reference: &'a Reference,
    /// When the enquiry came in.
    pub received_at: Timestamp,
    /// By when an answer was promised.
    pub promised_by: Timestamp,
    /// What the guide suggested.
    pub suggested: &'a Suggested,
    /// How the client would like to hear back.
    pub contact_by: ContactBy,
    /// The closed answers.
    pub answers: &'a Answers,
    /// The link to the client's own page; none while links cannot be made.
    pub mine: Option<&'a str>,
}

/// The content of an email to the client, which does not know whom it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part; none if it could not be rendered.
    pub html: Option<String>,
}

impl AutoReply<'_> {
    /// Writes the email.
    #[must_use]
    pub fn content(&self) -> Content {
        let page = Page::new(self);
        let subject = format!("{} ({})", self.practice.emails.subject, self.reference);
        match (Html { page: &page }.render(), Text { page: &page }.render()) {
            (Ok(html), Ok(text)) => Content {
                subject,
                text: fold_text(&text),
                html: Some(fold_html(&html)),
            },
            // Rendering an email from our own words has no way to fail, but the client's answer must not hang on that.
            _ => Content {
                subject,
                text: fold_text(&format!(
                    "{}\n\n{}\n\n{}\n\n{}\n{}",
                    self.practice.emails.greeting,
                    self.practice.emails.thanks,
                    page.next,
                    self.practice.emails.sign_off,
                    self.practice.name
                )),
                html: None,
            },
        }
    }
}

/// The email to the client, addressed.
#[derive(Clone, Copy)]
pub struct AutoReplyEmail<'a> {
    /// What it says.
    pub content: AutoReply<'a>,
    /// The client's address: it decides where the email goes, never what is in it.
    pub to: &'a EmailAddress,
    /// The therapist's address, for the client's answer.
    pub reply_to: &'a EmailAddress,
}

impl<'a> AutoReplyEmail<'a> {
    /// The email about an enquiry; an answer to it goes to `reply_to`.
    #[must_use]
    pub const fn new(
        practice: &'a Practice,
        reply_to: &'a EmailAddress,
        received: &'a Received,
        mine: Option<&'a str>,
    ) -> Self {
        Self {
            content: AutoReply {
                mine,
                practice,
                reference: &received.reference,
                received_at: received.received_at,
                promised_by: received.promised_by,
                suggested: &received.suggested,
                contact_by: received.enquiry.contact_by,
                answers: &received.enquiry.answers,
            },
            to: &received.enquiry.email,
            reply_to,
        }
    }

    /// The email, ready to be sent.
    #[must_use]
    pub fn into_email(self) -> Email {
        let Content {
            subject,
            text,
            html,
        } = self.content.content();
        Email {
            kind: EmailKind::AutoReply,
            reference: Some(self.content.reference.clone()),
            about: None,
            from_name: self.content.practice.name.clone(),
            to: self.to.clone(),
            reply_to: Some(self.reply_to.clone()),
            subject,
            text,
            html,
            headers: HEADERS.to_vec(),
        }
    }
}

/// A treatment that is offered beside the first.
struct Also<'a> {
    heading: &'static str,
    treatment: &'a Treatment,
    why: &'a str,
}

/// Something that the client ticked, explained.
struct Explained<'a> {
    heading: &'static str,
    text: &'a str,
}

/// What both parts of the email show: what happens next, what is suggested and why, the other treatments in short, and last what
/// might be causing it.
struct Page<'a> {
    mine: Option<&'a str>,
    practice: &'a Practice,
    reference: &'a str,
    preheader: String,
    next: String,
    suggestion: Suggestion<'a>,
    first_heading: &'static str,
    others_heading: &'static str,
    others: Vec<&'a Treatment>,
    also: Option<Also<'a>>,
    first_why: &'a str,
    others_why: &'a str,
    explain_massage: bool,
    explained: Vec<Explained<'a>>,
    hours: String,
}

impl<'a> Page<'a> {
    fn new(email: &AutoReply<'a>) -> Self {
        let (practice, answers) = (email.practice, email.answers);
        let when = practice.promise_in_words(email.promised_by, email.received_at);
        let next = practice.next_step(email.contact_by, &when);
        let suggestion = practice.suggestion(
            email.suggested,
            answers.goal(),
            answers.warmth,
            answers.recent_injury,
            answers.treatment.as_ref(),
        );
        let first_heading = match (suggestion.named, suggestion.suggested) {
            (Some(_), _) => words::FIRST_ASKED,
            (None, Some(_)) => words::FIRST_SUGGESTED,
            (None, None) => "",
        };
        let others_heading = match suggestion.first() {
            Some(_) => words::OTHERS,
            None => words::ALL,
        };
        let also = suggestion.alternative().map(|also| Also {
            heading: if suggestion.differs() {
                words::ALSO_SUGGESTED
            } else {
                words::ALSO
            },
            treatment: also.treatment,
            why: also.why,
        });
        // The guide's reason belongs to the guide's own suggestion. Where it makes none, its words stand above all the
        // treatments that the client has not named.
        let (first_why, others_why) = match (suggestion.named, suggestion.suggested) {
            (_, None) => ("", suggestion.why),
            (Some(_), Some(_)) if suggestion.differs() => ("", ""),
            _ => (suggestion.why, ""),
        };
        let areas = answers.area.iter().filter_map(|area| {
            Some(Explained {
                heading: area.label(),
                text: practice.explain.area.get(area)?,
            })
        });
        let cause = answers.cause.and_then(|cause| {
            Some(Explained {
                heading: cause.label(),
                text: practice.explain.cause.get(&cause)?,
            })
        });
        let hours: Vec<String> = practice
            .working_days()
            .into_iter()
            .map(|group| format!("{}, {}", group.days, group.hours))
            .collect();
        Self {
            mine: email.mine,
            practice,
            reference: email.reference.as_str(),
            preheader: next.clone(),
            next,
            first_heading,
            others_heading,
            others: suggestion.others(),
            also,
            first_why,
            others_why,
            explain_massage: answers.goal == Some(Goal::NotSure),
            explained: areas.chain(cause).collect(),
            hours: hours.join("; "),
            suggestion,
        }
    }

    /// Its name, with how long it takes and what it costs where the practice tells that.
    #[allow(clippy::unused_self, reason = "templates call methods")]
    fn name(&self, treatment: &Treatment) -> String {
        let facts: Vec<&str> = [&treatment.duration, &treatment.price]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if facts.is_empty() {
            treatment.name.clone()
        } else {
            format!("{} ({})", treatment.name, facts.join(", "))
        }
    }

    /// Why one would have it: the guide's reason, or what it is for; and how it works.
    #[allow(clippy::unused_self, reason = "templates call methods")]
    fn about(&self, treatment: &Treatment, why: &str) -> String {
        let why = if why.is_empty() {
            words::choose(&treatment.choose_it_for)
        } else {
            why.to_owned()
        };
        format!("{why} {}", treatment.how_it_works)
    }

    /// The trade as a line of its own.
    fn trade(&self) -> String {
        let mut letters = self.practice.trade.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        })
    }
}

#[derive(Template)]
#[template(path = "emails/auto_reply.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/auto_reply.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
