//! An enquiry and its parts.
//!
//! An [`Enquiry`] can only be made from checked parts. It knows no AWS type, no HTTP type and no clock: the time at
//! which it was received is given to it.

pub use practice::choices as answers;
mod email;
mod error;
pub mod field;
mod free_text;
mod name;
mod own;
mod phone;
mod redacted;
mod reference;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::messages;
use crate::practice::{Practice, Suggested, Suggestion, TreatmentKey};
use answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};

pub use email::EmailAddress;
pub use error::{FieldError, FormError, QuestionError, Wrong};
pub use field::{Field, fields};
pub use free_text::{Message, Times};
pub use name::Name;
pub use own::{OwnAnswer, OwnText, Said};
pub use phone::Phone;
pub use reference::{NotAReference, Reference};

/// What a client told us, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enquiry {
    /// The client's name.
    pub name: Name,
    /// Where the reply goes.
    pub email: EmailAddress,
    /// The number to ring or text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// How the client would like to hear back.
    pub contact_by: ContactBy,
    /// The closed questions about the body and the massage.
    pub answers: Answers,
    /// When the client could come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The answers to the practice's own questions, in the order of the form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<OwnAnswer>,
    /// The version of the consent's wording that the client agreed to.
    pub consent_version: String,
}

/// The closed answers: all that the auto-reply may know of an enquiry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Where it hurts, in the order of the form, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub area: Vec<Area>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What the client wants; none where the form does not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// Whether there is an injury younger than 48 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent_injury: Option<RecentInjury>,
    /// Whether warm stones appeal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmth: Option<Warmth>,
    /// A treatment of the practice that the client named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<TreatmentKey>,
}

impl Answers {
    /// What the client wants; not sure where it was not said.
    #[must_use]
    pub fn goal(&self) -> Goal {
        self.goal.unwrap_or_default()
    }
}

/// A question that was answered, as it was asked.
pub struct Answered<'a> {
    pub field: Field,
    /// The question.
    pub label: &'a str,
    /// Whether the answer says something about health or wishes.
    pub sensitive: bool,
    pub answer: Answer,
}

/// The answer to one field, as people read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// Whether a visitor typed it, so that whatever shows it must make it harmless.
    pub typed: bool,
}

impl Enquiry {
    /// Everything that was answered, in the order of the form, whatever the form asks today: but for warm stones where there are none.
    #[must_use]
    pub fn answered(&self, practice: &Practice) -> Vec<Answered<'_>> {
        let built_in = Field::ALL.iter().filter_map(|field| field.built_in());
        let built_in = built_in
            .filter(|row| row.field != Field::Warmth || practice.offers_warmth())
            .map(|row| (row.section, row.field, row.label, row.sensitive));
        let own = self.own.iter().map(|it| {
            let label = it.label.as_str();
            (it.section.into(), Field::Own(it.key), label, it.health)
        });
        let mut answered: Vec<_> = built_in.chain(own).collect();
        answered.sort_by_key(|(section, ..)| *section);
        let answered = answered.into_iter();
        answered
            .filter_map(|(_, field, label, sensitive)| {
                Some(Answered {
                    field,
                    label,
                    sensitive,
                    answer: self.answer(field, practice)?,
                })
            })
            .collect()
    }

    /// The answer to a field; none when it was left out, or belongs to the page rather than to the client. A treatment that
    /// is no longer offered is named by its key.
    #[must_use]
    pub fn answer(&self, field: Field, practice: &Practice) -> Option<Answer> {
        let typed = |text: &str| {
            Some(Answer {
                text: text.to_owned(),
                typed: true,
            })
        };
        let said = |text: &str| {
            Some(Answer {
                text: text.to_owned(),
                typed: false,
            })
        };
        let answers = &self.answers;
        match field {
            Field::Name => typed(self.name.as_str()),
            Field::Email => typed(self.email.as_str()),
            Field::Phone => typed(self.phone.as_ref()?.typed()),
            Field::ContactBy => said(self.contact_by.label()),
            Field::Area if answers.area.is_empty() => None,
            Field::Area => {
                let areas: Vec<&str> = answers.area.iter().map(|area| area.label()).collect();
                said(&areas.join(", "))
            }
            Field::Cause => said(answers.cause?.label()),
            Field::Goal => said(answers.goal?.label()),
            Field::RecentInjury => said(answers.recent_injury?.label()),
            Field::Warmth => said(answers.warmth?.label()),
            Field::Treatment => {
                let key = answers.treatment.as_ref()?.as_str();
                said(practice.treatment(key).map_or(key, |it| &it.name))
            }
            Field::Times => typed(self.times.as_ref()?.as_str()),
            Field::Message => typed(self.message.as_ref()?.as_str()),
            Field::Consent => typed(&messages::form::consent_given(&self.consent_version)),
            Field::Own(key) => {
                let own = self.own.iter().find(|it| it.key == key)?;
                Some(Answer {
                    text: own.text(),
                    typed: own.typed().is_some(),
                })
            }
            Field::Submission
            | Field::EmailConfirmed
            | Field::ConsentVersion
            | Field::Token
            | Field::Altcha
            | Field::Honeypot => None,
        }
    }
}

/// An enquiry that was accepted: with its reference and the time it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Its name.
    pub reference: Reference,
    /// When it was accepted, in UTC, to the second.
    pub received_at: Timestamp,
    /// By when an answer was promised.
    pub promised_by: Timestamp,
    /// What the guide suggested.
    pub suggested: Suggested,
    /// For how many days it is kept once nothing is pending for the therapist.
    pub retention_days: u16,
    /// What was asked.
    pub enquiry: Enquiry,
}

impl Received {
    /// An enquiry that comes in at this moment. The promise, the suggestion and how long it is kept are decided here, once, and
    /// kept with it: a later change of the practice changes nothing that was said.
    #[must_use]
    pub fn new(
        reference: Reference,
        received_at: Timestamp,
        enquiry: Enquiry,
        practice: &Practice,
    ) -> Self {
        Self {
            reference,
            received_at,
            promised_by: practice.reply_by(received_at).timestamp(),
            suggested: practice.suggest(enquiry.answers.goal(), enquiry.answers.warmth),
            retention_days: practice.privacy.retention_days,
            enquiry,
        }
    }

    /// Whether an auto-reply that leaves at this time would promise an answer by a time that has passed.
    #[must_use]
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.promised_by < now
    }

    /// When an answer can be expected, such as "by 10am on Tuesday".
    #[must_use]
    pub fn promise_in_words(&self, practice: &Practice) -> String {
        practice.promise_in_words(self.promised_by, self.received_at)
    }

    /// What was suggested, in the practice's words.
    #[must_use]
    pub fn suggestion<'p>(&self, practice: &'p Practice) -> Suggestion<'p> {
        let answers = &self.enquiry.answers;
        practice.suggestion(
            &self.suggested,
            answers.goal(),
            answers.warmth,
            answers.recent_injury,
            answers.treatment.as_ref(),
        )
    }
}
