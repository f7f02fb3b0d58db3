//! The email to the therapist: who asked, what for, what our guide suggests, and how to answer.
//!
//! Whatever happens, the therapist gets something: if the email cannot be rendered, [`TherapistEmail::plain`] takes
//! its place, and if SES refuses the client's words, [`TherapistEmail::bare`] carries none of them.

mod sentences;

use askama::Template;
use jiff::Timestamp;

use super::first_name::first_name;
use super::format::{listed, lower_first, moment};
use super::user_text::Typed;
use super::ways::{Way, ways};
use super::wrap::{fold_html, fold_text};
use super::{DeskLinks, Email, styles};
use crate::enquiry::answers::{Area, Choice, Goal, RecentInjury};
use crate::enquiry::{self, EmailAddress, Enquiry, Field, Received};
use crate::mail_state::{EmailKind, MailState};
use crate::messages::email::therapist as words;
use crate::practice::{Practice, Suggestion};
use crate::record::Record;
use crate::settings::EmailSettings;
use crate::spam::{Score, Signal, Verdict};
use sentences::{auto_reply, earlier, links, marking, promises};

pub use sentences::{spam_reasons, suggests, withheld_reason};

/// Everything that the email to the therapist is made from.
#[derive(Clone, Copy)]
pub struct TherapistEmail<'a> {
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// The enquiry.
    pub received: &'a Received,
    /// Whether it looks like spam.
    pub suspect: bool,
    /// Why the spam filter thinks so.
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
        let mut text = words::plain(&self.practice.name, page.reference);
        text.push_str("\n\n");
        for alert in &page.alerts {
            text.push_str(&format!("{}\n{}\n\n", alert.heading, alert.text));
        }
        for (_, answer) in labelled(self.practice, &self.received.enquiry, self.is_private()) {
            text.push_str(&format!("{}\n{}\n\n", answer.label, answer.value.block()));
        }
        text.push_str(page.kept_out);
        self.email(fold_text(&text), None)
    }

    /// The bare email, for when SES refuses the others for what is in them: nothing that the visitor typed.
    #[must_use]
    pub fn bare(&self) -> Email {
        let reference = &self.received.reference;
        let desk = self.links.map(|links| links.enquiry.as_str());
        let text = format!("{}\n\n{}", words::bare(reference), desk.unwrap_or_default());
        Email {
            subject: words::subject_bare(reference),
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
            about: None,
            from_name: self.practice.name.clone(),
            to: self.to.clone(),
            reply_to: self.may_write.then(|| self.received.enquiry.email.clone()),
            subject: self.subject(),
            text,
            html,
            headers: super::TO_THERAPIST.to_vec(),
        }
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

    /// Fixed words, a harmless first name and the reference. Nothing about health: a subject is shown on locked screens, and
    /// stands in the reports of SES.
    fn subject(&self) -> String {
        let reference = &self.received.reference;
        let mut subject = match first_name(&self.received.enquiry.name) {
            Some(name) => words::subject(name, reference),
            None => words::subject_unnamed(reference),
        };
        if self.suspect {
            subject = words::mark_suspect(subject);
        }
        if self.auto_reply.is_none() {
            subject = words::mark_only_copy(subject);
        }
        subject
    }
}

/// What must not be overlooked.
struct Alert {
    heading: &'static str,
    text: String,
}

/// An answer under a short label.
struct Answer {
    label: String,
    value: Typed,
}

/// What both parts of the email show. Nothing stands in it twice.
struct Page<'a> {
    practice: &'a Practice,
    reference: &'a str,
    /// How and by when, which is safe on a locked screen.
    preheader: String,
    name: Typed,
    alerts: Vec<Alert>,
    wants: String,
    suggests: String,
    /// How they would like to hear back, and by when they have been told that they will.
    contact: String,
    ways: Vec<Way>,
    times: Option<Answer>,
    message: Option<Answer>,
    /// What a sexual request says: one tap away, at the end.
    folded: Vec<Answer>,
    kept_out: &'static str,
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
        let write = email.may_write.then(|| Way::reply(practice, received));
        let (wants, suggests) = if private {
            (String::new(), String::new())
        } else {
            (wants(enquiry), suggests(&suggestion))
        };
        let mut answers = labelled(practice, enquiry, private);
        answers.retain(|(field, _)| !stands_above(*field, enquiry, &suggestion));
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
        let contact = enquiry.contact_by.label();
        let contact = if promises(email.auto_reply) {
            words::contact_when(contact, received.promise_in_words(practice))
        } else {
            contact.to_owned()
        };
        Self {
            practice,
            reference: received.reference.as_str(),
            preheader: contact.clone(),
            name: Typed::new(enquiry.name.as_str()),
            alerts: alerts(email),
            wants,
            suggests,
            contact,
            ways: ways(enquiry, write),
            times,
            message,
            folded,
            kept_out: if private { words::KEPT_OUT } else { "" },
            answers: answers.into_iter().map(|(_, answer)| answer).collect(),
            auto_reply: auto_reply(email.auto_reply, enquiry),
            earlier: earlier(practice, email.earlier, email.more_earlier),
            received: moment(practice, received.received_at),
            may_write: email.may_write,
            links: links(email),
            marking: marking(email),
        }
    }
}

/// Whether the top of the email says it already.
fn stands_above(field: Field, enquiry: &Enquiry, suggestion: &Suggestion<'_>) -> bool {
    match field {
        Field::Name | Field::Phone | Field::ContactBy | Field::Area | Field::Goal => true,
        Field::RecentInjury => enquiry.answers.recent_injury == Some(RecentInjury::Yes),
        Field::Treatment => suggestion.named.is_some(),
        _ => false,
    }
}

/// What the client wants, as the therapist reads it; none where the form does not ask.
fn wish(goal: Option<Goal>) -> Option<&'static str> {
    Some(match goal? {
        Goal::NotSure => words::NOT_SURE,
        goal => goal.label(),
    })
}

/// What the client would like, and where it hurts, in one line; empty where the form asks neither.
#[must_use]
pub fn wants(enquiry: &Enquiry) -> String {
    let areas: Vec<&Area> = enquiry.answers.area.iter().collect();
    match (wish(enquiry.answers.goal), areas.as_slice()) {
        (None, []) => String::new(),
        (Some(wish), []) => wish.to_owned(),
        (None, [Area::Other]) => words::ELSEWHERE.to_owned(),
        (Some(wish), [Area::Other]) => format!("{wish} {}", words::ELSEWHERE),
        (None, areas) => words::pain(listed(&labels(areas))),
        (Some(wish), areas) => format!("{wish}: {}", listed(&labels(areas))),
    }
}

fn labels(areas: &[&Area]) -> Vec<String> {
    areas.iter().map(|area| lower_first(area.label())).collect()
}

fn alerts(email: &TherapistEmail<'_>) -> Vec<Alert> {
    use words::alert;
    let mut alerts = Vec::new();
    if email.auto_reply.is_none() {
        alerts.push(Alert {
            heading: alert::ONLY_COPY,
            text: alert::ONLY_COPY_TEXT.to_owned(),
        });
    }
    if email.suspect {
        let release = match email.auto_reply {
            Some(_) => alert::RELEASE,
            None => alert::RELEASE_ONLY_COPY,
        };
        alerts.push(Alert {
            heading: if email.is_unwanted() {
                alert::UNWANTED
            } else {
                alert::SUSPECT
            },
            text: format!("{} {release}", spam_reasons(email.signals)),
        });
    }
    if email.is_injured() {
        alerts.push(Alert {
            heading: alert::INJURED,
            text: alert::INJURED_TEXT.to_owned(),
        });
    }
    alerts
}

/// Every answer that was given, in the order of the form and under a short label. Privacy mode leaves out what is sensitive.
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
            let label = it.field.short(it.label).to_owned();
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
