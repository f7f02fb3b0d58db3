//! The email to the therapist: who asked, what for, what our guide suggests, and how to answer.
//!
//! Whatever happens, the therapist gets something: if the email cannot be rendered, [`TherapistEmail::plain`] takes
//! its place, and if SES refuses the visitor's words, [`TherapistEmail::bare`] carries none of them.

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use super::words::{
    Typed, day, first_name, fold_html, fold_text, listed, lower_first, moment, reply_link,
};
use super::{Email, style};
use crate::app::App;
use crate::delivery::{EmailKind, MailState, Withheld};
use crate::enquiry::answers::{Choice, ContactBy, Goal, RecentInjury};
use crate::enquiry::{EmailAddress, Enquiry, Field, Phone, Received};
use crate::practice::{Practice, Suggestion};
use crate::spam::{Score, Signal, Verdict};
use crate::store::Record;

/// So many earlier enquiries are named by their day; the others are only counted.
const NAMED_EARLIER: usize = 3;

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
    /// The day on which the therapist is back.
    pub away_until: Option<Date>,
    /// Whether health stays out of the mailbox. An enquiry that could not be stored is told in full all the same.
    pub privacy: bool,
}

impl<'a> TherapistEmail<'a> {
    /// How many earlier enquiries [`Self::new`] expects to be looked up at the most.
    pub const EARLIER: i32 = 20;

    /// The email about a stored enquiry.
    #[must_use]
    pub fn new(app: &'a App, record: &'a Record, earlier: &'a [Timestamp]) -> Self {
        Self {
            practice: &app.practice,
            to: &app.settings.therapist,
            received: &record.received,
            suspect: record.verdict == Verdict::Suspect,
            signals: &record.signals,
            auto_reply: Some(&record.deliveries.auto_reply),
            earlier,
            more_earlier: i32::try_from(earlier.len()).is_ok_and(|count| count >= Self::EARLIER),
            away_until: app.settings.away_until,
            privacy: app.settings.privacy,
        }
    }

    /// The email about an enquiry that could not be stored: it is in this mailbox and nowhere else.
    #[must_use]
    pub fn fallback(app: &'a App, received: &'a Received, screening: &'a Score) -> Self {
        Self {
            practice: &app.practice,
            to: &app.settings.therapist,
            received,
            suspect: screening.verdict() == Verdict::Suspect,
            signals: &screening.signals,
            auto_reply: None,
            earlier: &[],
            more_earlier: false,
            away_until: app.settings.away_until,
            privacy: app.settings.privacy,
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
        for answer in page.answers.iter().chain(&page.times).chain(&page.message) {
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
            "An enquiry has come in, but the email about it was refused because of the words in it. The enquiry is \
             stored under the reference {reference}. The command \"show {reference}\" gives all of it."
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
            reference: self.received.reference.clone(),
            to: self.to.clone(),
            // An address that no email system carries would make SES refuse the letter itself.
            reply_to: Some(self.received.enquiry.email.clone()).filter(EmailAddress::is_carried),
            subject: self.subject(),
            text,
            html,
            headers: Vec::new(),
        }
    }

    /// Whether the health answers are left out.
    fn is_private(&self) -> bool {
        self.privacy && self.auto_reply.is_some()
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
            let areas: Vec<String> = enquiry
                .answers
                .area
                .iter()
                .map(|area| lower_first(area.label()))
                .collect();
            about.push(match areas.as_slice() {
                [] => lower_first(wish(enquiry.answers.goal)),
                [_] | [_, _] => listed(&areas),
                [first, ..] => format!("{first} and more"),
            });
        }
        if !about.is_empty() {
            subject.push_str(": ");
            subject.push_str(&about.join(", "));
        }
        subject
    }
}

/// What the client wants, as the therapist reads it.
fn wish(goal: Goal) -> &'static str {
    match goal {
        Goal::NotSure => "Not sure yet",
        Goal::Treat | Goal::Relax => goal.label(),
    }
}

/// What must not be overlooked.
struct Alert {
    heading: &'static str,
    text: String,
}

/// An answer under the form's own label.
struct Answer {
    label: &'static str,
    value: Typed,
}

impl Answer {
    fn typed(field: Field, typed: &str) -> Self {
        Self {
            label: field.label(),
            value: Typed::new(typed),
        }
    }
}

/// A way to reach the client.
struct Way {
    label: &'static str,
    link: String,
    shown: Typed,
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
    first_way: Way,
    other_ways: Vec<Way>,
    times: Option<Answer>,
    message: Option<Answer>,
    kept_out: String,
    answers: Vec<Answer>,
    auto_reply: String,
    earlier: String,
    received: String,
}

impl<'a> Page<'a> {
    fn new(email: &'a TherapistEmail<'a>) -> Self {
        let (practice, received) = (email.practice, email.received);
        let enquiry = &received.enquiry;
        let private = email.is_private();
        let answers = &enquiry.answers;
        let suggestion = practice.suggest(
            answers.goal,
            answers.warmth,
            answers.recent_injury,
            answers.treatment.as_ref(),
        );
        let (first_way, other_ways) = ways(practice, received);
        let when = practice.reply_by_in_words(received.received_at, email.away_until);
        let (wants, suggests, message) = if private {
            (String::new(), String::new(), None)
        } else {
            let message = enquiry
                .message
                .as_ref()
                .map(|text| Answer::typed(Field::Message, text.as_str()));
            (wants(enquiry), suggests(&suggestion), message)
        };
        let preheader = if private {
            format!("{} · {}", enquiry.contact_by.label(), received.reference)
        } else {
            format!("{wants} · {}", enquiry.contact_by.label())
        };
        Self {
            practice,
            reference: received.reference.as_str(),
            preheader,
            name: Typed::new(enquiry.name.as_str()),
            alerts: alerts(email),
            wants,
            suggests,
            contact_by: enquiry.contact_by.label(),
            first_way,
            other_ways,
            times: enquiry
                .times
                .as_ref()
                .map(|text| Answer::typed(Field::Times, text.as_str())),
            message,
            kept_out: if private {
                format!(
                    "What the client said about their health, what they want and their message are kept out of this \
                     mailbox. The command \"show {}\" gives all of it.",
                    received.reference
                )
            } else {
                String::new()
            },
            answers: labelled(practice, enquiry, private),
            auto_reply: fate(email.auto_reply, &when),
            earlier: earlier(email),
            received: moment(practice, received.received_at),
        }
    }
}

/// The way to reach the client that they asked for, and the others.
fn ways(practice: &Practice, received: &Received) -> (Way, Vec<Way>) {
    let enquiry = &received.enquiry;
    let email = Way {
        label: "Email",
        link: reply_link(
            practice,
            &received.reference,
            &enquiry.name,
            enquiry.email.as_str(),
        ),
        shown: Typed::as_is(enquiry.email.as_str()),
    };
    let Some(phone) = &enquiry.phone else {
        return (email, Vec::new());
    };
    let way = |label, scheme| Way {
        label,
        link: dial(scheme, phone),
        shown: Typed::new(phone.typed()),
    };
    let (ring, text) = (way("Ring", "tel"), way("Text", "sms"));
    match enquiry.contact_by {
        ContactBy::Email => (email, vec![ring, text]),
        ContactBy::Phone => (ring, vec![email, text]),
        ContactBy::Text => (text, vec![email, ring]),
    }
}

/// A link that rings or texts a number (RFC 3966, RFC 5724).
pub(super) fn dial(scheme: &str, phone: &Phone) -> String {
    format!("{scheme}:{}", phone.e164())
}

fn wants(enquiry: &Enquiry) -> String {
    let areas: Vec<String> = enquiry
        .answers
        .area
        .iter()
        .map(|area| lower_first(area.label()))
        .collect();
    let wish = wish(enquiry.answers.goal);
    if areas.is_empty() {
        wish.to_owned()
    } else {
        format!("{wish}: {}", listed(&areas))
    }
}

fn suggests(suggestion: &Suggestion<'_>) -> String {
    let mut words = match (suggestion.suggested, suggestion.named) {
        (Some(suggested), Some(named)) if suggestion.differs() => {
            format!(
                "{}. The client asked for {}.",
                suggested.name,
                lower_first(&named.name)
            )
        }
        (Some(suggested), Some(_)) => format!("{}. The client asked for it too.", suggested.name),
        (Some(suggested), None) => match suggestion.alternative() {
            Some(also) => format!(
                "{}, or {}.",
                suggested.name,
                lower_first(&also.treatment.name)
            ),
            None => format!("{}.", suggested.name),
        },
        (None, Some(named)) => format!(
            "No single one. The client asked for {}.",
            lower_first(&named.name)
        ),
        (None, None) => "No single one. The client would like help to choose.".to_owned(),
    };
    if suggestion.wait {
        words.push_str(" Not before the 48 hours have passed.");
    }
    words
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
        let reference = &email.received.reference;
        let release = if email.auto_reply.is_some() {
            format!(
                " If it is a real client, just reply; the command \"release {reference}\" also sends the automatic answer."
            )
        } else {
            " If it is a real client, just reply.".to_owned()
        };
        alerts.push(Alert {
            heading: "Possible spam",
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

/// Why an enquiry looks like spam, in one sentence.
fn reasons(signals: &[Signal]) -> String {
    let reasons: Vec<String> = signals
        .iter()
        .map(|signal| signal.words().to_owned())
        .collect();
    if reasons.is_empty() {
        return "Something about this enquiry looks like spam.".to_owned();
    }
    format!("This looks like spam, because {}.", listed(&reasons))
}

/// Every answer that was given, in the order of the form and labelled as the form labels it. The two free texts have
/// a place of their own: they may be long, and an email must stay small.
fn labelled(practice: &Practice, enquiry: &Enquiry, private: bool) -> Vec<Answer> {
    let answers = &enquiry.answers;
    let mut told = Vec::new();
    for field in Field::ALL {
        let health = matches!(
            field,
            Field::Area
                | Field::Cause
                | Field::Goal
                | Field::RecentInjury
                | Field::Warmth
                | Field::Treatment
        );
        if health && private {
            continue;
        }
        let value = match field {
            Field::Name => Some(Typed::new(enquiry.name.as_str())),
            Field::Email => Some(Typed::as_is(enquiry.email.as_str())),
            Field::Phone => enquiry
                .phone
                .as_ref()
                .map(|phone| Typed::new(phone.typed())),
            Field::ContactBy => Some(Typed::as_is(enquiry.contact_by.label())),
            Field::Area if answers.area.is_empty() => None,
            Field::Area => Some(Typed::as_is(
                &answers
                    .area
                    .iter()
                    .map(|area| area.label())
                    .collect::<Vec<_>>()
                    .join(", "),
            )),
            Field::Cause => answers.cause.map(|cause| Typed::as_is(cause.label())),
            Field::Goal => Some(Typed::as_is(answers.goal.label())),
            Field::RecentInjury => answers
                .recent_injury
                .map(|answer| Typed::as_is(answer.label())),
            // A form that is not ours may ask about warmth where nothing is warm.
            Field::Warmth if !practice.asks_warmth() => None,
            Field::Warmth => answers.warmth.map(|answer| Typed::as_is(answer.label())),
            Field::Treatment => answers.treatment.as_ref().map(|key| {
                // A treatment that is no longer offered is named by its key.
                Typed::as_is(
                    practice
                        .treatment(key.as_str())
                        .map_or(key.as_str(), |treatment| &treatment.name),
                )
            }),
            Field::Consent => Some(Typed::new(&format!(
                "Given (wording {})",
                enquiry.consent_version
            ))),
            _ => None,
        };
        told.extend(value.map(|value| Answer {
            label: field.label(),
            value,
        }));
    }
    told
}

/// What has become of the auto-reply, and what the therapist does about it.
fn fate(auto_reply: Option<&MailState>, when: &str) -> String {
    match auto_reply {
        None => "No automatic answer goes to the client, because the enquiry could not be stored."
            .to_owned(),
        Some(MailState::Pending { .. } | MailState::Sending { .. }) => {
            format!(
                "An automatic answer is on its way to the client. It says that you will reply {when}."
            )
        }
        Some(MailState::Sent { .. } | MailState::Delivered { .. }) => {
            format!(
                "The client has been sent an automatic answer. It says that you will reply {when}."
            )
        }
        Some(
            MailState::Failed { .. } | MailState::Bounced { .. } | MailState::Complained { .. },
        ) => "The automatic answer could not be sent. The client has not heard from us.".to_owned(),
        Some(MailState::Unknown { .. }) => {
            "The automatic answer may or may not have reached the client. It will not \
                                            be sent again."
                .to_owned()
        }
        Some(MailState::Withheld { reason }) => format!(
            "No automatic answer goes to the client, because {}. The client has not been told when you will reply.",
            because(*reason)
        ),
    }
}

/// Why an auto-reply is withheld: ends "because …".
pub(super) fn because(reason: Withheld) -> &'static str {
    match reason {
        Withheld::Suspect => "the enquiry looks like spam",
        Withheld::Sandbox => {
            "the email service is still in its trial mode and only writes to addresses that you have confirmed"
        }
        Withheld::OwnAddress => "the address is your own",
        Withheld::RoleAddress => {
            "the address seems to belong to an office or a machine, not to a person"
        }
        Withheld::CoolDown => "this address has had one a short time ago",
        Withheld::Undeliverable => {
            "an earlier email to this address came back, or was reported as spam"
        }
        Withheld::DailyCap => "as many as you allow in a day have left already",
        Withheld::CountersUnavailable => "we could not check how many this address has had",
        Withheld::Late => "it was more than a day late",
    }
}

fn earlier(email: &TherapistEmail<'_>) -> String {
    let days: Vec<String> = email
        .earlier
        .iter()
        .take(NAMED_EARLIER)
        .map(|received| day(email.practice, *received))
        .collect();
    let count = email.earlier.len();
    let from = "from the same address";
    match count {
        0 => String::new(),
        1 => format!("There is one earlier enquiry {from}, of {}.", listed(&days)),
        _ if count <= NAMED_EARLIER => format!(
            "There are {count} earlier enquiries {from}, of {}.",
            listed(&days)
        ),
        _ => {
            let least = if email.more_earlier { "at least " } else { "" };
            format!(
                "There are {least}{count} earlier enquiries {from}, the latest of {}.",
                listed(&days)
            )
        }
    }
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
