//! The email to the therapist: who asked, what for, what our guide suggests, and how to answer.
//!
//! Whatever happens, the therapist gets something: if the email cannot be rendered, [`TherapistEmail::plain`] takes
//! its place, and if SES refuses the client's words, [`TherapistEmail::bare`] carries none of them.

mod sentences;
mod ways;

use askama::Template;
use jiff::Timestamp;

use super::first_name::first_name;
use super::format::{listed, lower_first, moment};
use super::user_text::Typed;
use super::wrap::{fold_html, fold_text};
use super::{DeskLinks, Email, styles};
use crate::enquiry::answers::{Area, Choice, Goal, RecentInjury};
use crate::enquiry::{self, EmailAddress, Enquiry, Field, Received};
use crate::mail_state::{EmailKind, MailState};
use crate::practice::Practice;
use crate::record::Record;
use crate::settings::EmailSettings;
use crate::spam::{Score, Signal, Verdict};
use sentences::{earlier, fate};
use ways::{Way, links, marking, ways};

pub use sentences::{because, reasons, suggests};

/// Everything that the email to the therapist is made from.
#[derive(Clone, Copy)]
pub struct TherapistEmail<'a> {
    /// The practice.
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// The enquiry.
    pub received: &'a Received,
    /// Whether it looks like spam.
    pub suspect: bool,
    /// Why the screening thinks so.
    pub signals: &'a [Signal],
    /// What has become of the auto-reply so far; none if the enquiry could not be stored, for then there is none.
    pub auto_reply: Option<&'a MailState>,
    /// When earlier enquiries came from the same address, newest first.
    pub earlier: &'a [Timestamp],
    /// Whether there may be more of them than were looked up.
    pub more_earlier: bool,
    /// Whether an email of the therapist's own may go to the client's address.
    pub may_write: bool,
    /// Whether health stays out of the mailbox. An enquiry that could not be stored is told in full all the same.
    pub privacy: bool,
    /// Where it leads; none while links cannot be made.
    pub links: Option<&'a DeskLinks>,
}

impl<'a> TherapistEmail<'a> {
    /// How many earlier enquiries [`Self::new`] expects to be looked up at the most.
    pub const EARLIER: i32 = 20;

    /// The email about a stored enquiry.
    #[must_use]
    pub fn new(
        practice: &'a Practice,
        settings: &'a EmailSettings,
        record: &'a Record,
        earlier: &'a [Timestamp],
        links: Option<&'a DeskLinks>,
    ) -> Self {
        Self {
            practice,
            to: &settings.therapist,
            received: &record.received,
            suspect: record.state.verdict == Verdict::Suspect,
            signals: &record.signals,
            auto_reply: Some(&record.state.deliveries.auto_reply),
            earlier,
            more_earlier: i32::try_from(earlier.len()).is_ok_and(|count| count >= Self::EARLIER),
            may_write: record.may_write(),
            privacy: practice.privacy.keep_health_out_of_email,
            links,
        }
    }

    /// The email about an enquiry that could not be stored: it is in this mailbox and nowhere else.
    #[must_use]
    pub fn fallback(
        practice: &'a Practice,
        settings: &'a EmailSettings,
        received: &'a Received,
        score: &'a Score,
    ) -> Self {
        Self {
            practice,
            to: &settings.therapist,
            received,
            suspect: score.verdict() == Verdict::Suspect,
            signals: &score.signals,
            auto_reply: None,
            earlier: &[],
            more_earlier: false,
            may_write: received.enquiry.email.is_carried(),
            privacy: practice.privacy.keep_health_out_of_email,
            links: None,
        }
    }

    /// The email, or the plain one if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let page = Page::new(&self);
        let (Ok(html), Ok(text)) = (Html { page: &page }.render(), Text { page: &page }.render())
        else {
            return self.plain();
        };
        self.email(fold_text(&text), Some(fold_html(&html)))
    }

    /// The plain email, for when rendering fails: text only, the reference and the answers, one below the other.
    #[must_use]
    pub fn plain(&self) -> Email {
        let page = Page::new(self);
        let mut text = format!("Enquiry {} to {}\n\n", page.reference, self.practice.name);
        for alert in &page.alerts {
            text.push_str(&format!("{}\n{}\n\n", alert.heading, alert.text));
        }
        let texts = page.times.iter().chain(&page.message).chain(&page.folded);
        for answer in page.answers.iter().chain(texts) {
            text.push_str(&format!("{}\n{}\n\n", answer.label, answer.value.block()));
        }
        text.push_str(&page.kept_out);
        self.email(fold_text(&text), None)
    }

    /// The bare email, for when SES refuses the others for what is in them: nothing that the visitor typed.
    #[must_use]
    pub fn bare(&self) -> Email {
        let reference = &self.received.reference;
        let text = format!(
            "An enquiry has come in, but the email about it was refused for the words in it. Its reference is {reference}. \
             You can read all of it on your desk{}.",
            self.desk_in_brackets()
        );
        Email {
            subject: format!("New enquiry {reference}: please look it up"),
            reply_to: None,
            ..self.email(fold_text(&text), None)
        }
    }

    fn email(&self, text: String, html: Option<String>) -> Email {
        Email {
            kind: match self.auto_reply {
                Some(_) => EmailKind::Therapist,
                None => EmailKind::Fallback,
            },
            reference: Some(self.received.reference.clone()),
            from_name: self.practice.name.clone(),
            to: self.to.clone(),
            reply_to: self.may_write.then(|| self.received.enquiry.email.clone()),
            subject: self.subject(),
            text,
            html,
            headers: super::TO_THERAPIST.to_vec(),
        }
    }

    /// The link to the enquiry on the desk, as the text part writes links.
    fn desk_in_brackets(&self) -> String {
        let links = self.links;
        links.map_or_else(String::new, |links| format!(" ({})", links.enquiry))
    }

    /// Whether the health answers are left out.
    fn is_private(&self) -> bool {
        self.privacy && self.auto_reply.is_some()
    }

    fn is_unwanted(&self) -> bool {
        self.suspect && self.signals.contains(&Signal::Unwanted)
    }

    fn is_injured(&self) -> bool {
        self.received.enquiry.answers.recent_injury == Some(RecentInjury::Yes) && !self.is_private()
    }

    /// Fixed words, the reference, a harmless first name and closed answers: nothing else that a visitor typed.
    fn subject(&self) -> String {
        let enquiry = &self.received.enquiry;
        let mut subject = String::new();
        for (applies, mark) in [
            (self.auto_reply.is_none(), "[not stored] "),
            (self.suspect, "[possible spam] "),
            (self.is_injured(), "[injured in the last 48 hours] "),
        ] {
            if applies {
                subject.push_str(mark);
            }
        }
        subject.push_str(&format!("New enquiry {}", self.received.reference));
        let mut about = Vec::from_iter(first_name(&enquiry.name).map(str::to_owned));
        if !self.is_private() {
            // "Somewhere else" says nothing by itself.
            let known = |area: &&Area| **area != Area::Other;
            let areas: Vec<&Area> = enquiry.answers.area.iter().filter(known).collect();
            let more = areas.len() > 2 || areas.len() < enquiry.answers.area.len();
            about.extend(match areas.first() {
                None => wish(enquiry.answers.goal).map(lower_first),
                Some(first) if more => Some(format!("{} and more", lower_first(first.label()))),
                Some(_) => Some(listed(&labels(&areas))),
            });
        }
        if !about.is_empty() {
            subject.push_str(": ");
            subject.push_str(&about.join(", "));
        }
        subject
    }
}

/// What the client wants, as the therapist reads it; none where the form does not ask.
fn wish(goal: Option<Goal>) -> Option<&'static str> {
    Some(match goal? {
        Goal::NotSure => "Not sure yet",
        goal => goal.label(),
    })
}

/// What must not be overlooked.
struct Alert {
    heading: &'static str,
    text: String,
}

/// An answer under the form's own label.
struct Answer {
    label: String,
    value: Typed,
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    reference: &'a str,
    preheader: String,
    name: Typed,
    alerts: Vec<Alert>,
    wants: String,
    suggests: String,
    contact_by: &'static str,
    first_way: Option<Way>,
    other_ways: Vec<Way>,
    times: Option<Answer>,
    message: Option<Answer>,
    /// What a sexual request says: one tap away, at the end.
    folded: Vec<Answer>,
    kept_out: String,
    answers: Vec<Answer>,
    auto_reply: String,
    earlier: String,
    received: String,
    may_write: bool,
    links: Vec<(&'static str, &'a str)>,
    /// What marking it brings; empty once she knows.
    marking: &'static str,
}

impl<'a> Page<'a> {
    fn new(email: &'a TherapistEmail<'a>) -> Self {
        let (practice, received) = (email.practice, email.received);
        let enquiry = &received.enquiry;
        let private = email.is_private();
        let suggestion = received.suggestion(practice);
        let (first_way, other_ways) = ways(practice, received, email.may_write);
        let when = received.promise_in_words(practice);
        let (wants, suggests) = if private {
            (String::new(), String::new())
        } else {
            (wants(enquiry), suggests(&suggestion))
        };
        let mut answers = labelled(practice, enquiry, private);
        let mut take = |field| {
            let place = answers.iter().position(|(it, _)| *it == field)?;
            Some(answers.remove(place).1)
        };
        // These two have a place of their own.
        let (mut times, mut message) = (take(Field::Times), take(Field::Message));
        let mut folded = Vec::new();
        if email.is_unwanted() {
            folded.extend(times.take().into_iter().chain(message.take()));
            let own = answers.extract_if(.., |(field, _)| matches!(field, Field::Own(_)));
            folded.extend(own.map(|(_, answer)| answer));
        }
        let contact_by = enquiry.contact_by.label();
        let preheader = if wants.is_empty() {
            format!("{contact_by} · {}", received.reference)
        } else {
            format!("{wants} · {contact_by}")
        };
        Self {
            practice,
            reference: received.reference.as_str(),
            preheader,
            name: Typed::new(enquiry.name.as_str()),
            alerts: alerts(email),
            wants,
            suggests,
            contact_by,
            first_way,
            other_ways,
            times,
            message,
            folded,
            kept_out: if private {
                "What the client said about their health, what they want and their message are kept out of this \
                 mailbox. All of it is on your desk."
                    .to_owned()
            } else {
                String::new()
            },
            answers: answers.into_iter().map(|(_, answer)| answer).collect(),
            auto_reply: fate(email.auto_reply, &when),
            earlier: earlier(practice, email.earlier, email.more_earlier),
            received: moment(practice, received.received_at),
            may_write: email.may_write,
            links: links(email),
            marking: marking(email),
        }
    }
}

/// What the client would like, and where it hurts, in one line; empty where the form asks neither.
#[must_use]
pub fn wants(enquiry: &Enquiry) -> String {
    let areas: Vec<&Area> = enquiry.answers.area.iter().collect();
    match (wish(enquiry.answers.goal), areas.as_slice()) {
        (None, []) => String::new(),
        (Some(wish), []) => wish.to_owned(),
        (wish, [Area::Other]) => {
            let wish = wish.map_or_else(String::new, |wish| format!("{wish} "));
            format!("{wish}(pain somewhere else)")
        }
        (None, areas) => format!("Pain: {}", listed(&labels(areas))),
        (Some(wish), areas) => format!("{wish}: {}", listed(&labels(areas))),
    }
}

fn labels(areas: &[&Area]) -> Vec<String> {
    areas.iter().map(|area| lower_first(area.label())).collect()
}

fn alerts(email: &TherapistEmail<'_>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    if email.auto_reply.is_none() {
        alerts.push(Alert {
            heading: "Not stored",
            text: "This enquiry could not be stored. It is in this mailbox and nowhere else, so please keep this email \
                   until you have answered it."
                .to_owned(),
        });
    }
    if email.suspect {
        let release = if email.auto_reply.is_some() {
            " If it is a real client, just reply; on your desk you can send the automatic reply, too. If not, delete it: \
             do not report it as spam, or these emails may stop."
        } else {
            " If it is a real client, just reply."
        };
        alerts.push(Alert {
            heading: if email.is_unwanted() {
                "Unwanted request: what it says is folded away at the end"
            } else {
                "Possible spam"
            },
            text: format!("{}{release}", reasons(email.signals)),
        });
    }
    if email.is_injured() {
        alerts.push(Alert {
            heading: "Injured in the last 48 hours",
            text: "Please offer a time after the 48 hours have passed.".to_owned(),
        });
    }
    alerts
}

/// Every answer that was given, in the order of the form and labelled as the form labels it. Privacy mode leaves out what
/// is sensitive.
fn labelled(practice: &Practice, enquiry: &Enquiry, private: bool) -> Vec<(Field, Answer)> {
    let answered = enquiry.answered(practice).into_iter();
    answered
        .filter(|it| !(it.sensitive && private))
        .map(|it| {
            let enquiry::Answer { text, typed } = it.answer;
            // The rule of an address leaves nothing to make harmless.
            let value = if typed && it.field != Field::Email {
                Typed::new(&text)
            } else {
                Typed::as_is(&text)
            };
            let label = it.label.to_owned();
            (it.field, Answer { label, value })
        })
        .collect()
}

#[derive(Template)]
#[template(path = "emails/therapist.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/therapist.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
