//! The fields of the form: the only list of them. Page, validation, JSON contract, therapist's email, privacy mode, export
//! and example site are made from these rows: those of every form, and those of the practice's own questions.

mod row;
mod short;

use super::answers::{Area, BuiltIn, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use super::email::EmailAddress;
use super::error::FieldError;
use crate::practice::{Practice, QuestionKey, Treatment};

pub use row::{AnswerOption, Control, Options, Required, Row, Section};

/// The fields that this practice's form has, in the order in which it shows them: in each section those of every form, then the
/// practice's own, and the message last of all. A practice without warm stones does not ask about warmth, and others may be left out; an answer that is posted
/// all the same is taken.
pub fn fields(practice: &Practice) -> impl Iterator<Item = Row<'_>> {
    let rows = Section::ALL.into_iter();
    rows.flat_map(|section| section.rows(practice))
        .filter(|row| row.field.is_asked(practice))
}

macro_rules! fields {
    ($($(#[$meta:meta])* $name:ident: $row:expr;)+) => {
        /// A field: those of every form, in the order in which it shows them, and those of a practice's own questions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[$meta])* $name,)+
            /// A question of a practice's own.
            Own(QuestionKey),
        }

        impl Field {
            /// Every field that every form can have, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What is known about a field that every form can have.
            #[must_use]
            pub const fn built_in(self) -> Option<Row<'static>> {
                match self {
                    $(Self::$name => Some($row.of(Self::$name)),)+
                    Self::Own(_) => None,
                }
            }
        }
    };
}

fields! {
    /// The client's name.
    Name: Row::new("name", "Full name", Section::You, Control::Line { kind: "text", autocomplete: "name" })
        .required(Required::Yes);
    /// Where the reply goes.
    Email: Row::new("email", "Email address", Section::You, Control::Line { kind: "email", autocomplete: "email" })
        .hint("We reply to this address.")
        .required(Required::Yes);
    /// A telephone number, required when the client would like a call or a text message.
    Phone: Row::new("phone", "Phone number", Section::You, Control::Line { kind: "tel", autocomplete: "tel" })
        .hint("We need it if you would like a call or a text message.");
    /// How the client would like to hear back.
    ContactBy: Row::new("contact_by", "How would you like to hear back?", Section::You, Control::OneOf(Options::BuiltIn(closed::<ContactBy>)))
        .required(Required::Default("email"))
        .select("Select how you would like to hear back");
    /// Where it hurts.
    Area: Row::new("area", "Where does it hurt?", Section::Body, Control::SeveralOf(Options::BuiltIn(closed::<Area>)))
        .hint("Select all that apply.")
        .sensitive()
        .select("Select where it hurts");
    /// What causes it.
    Cause: Row::new("cause", "What do you think is behind it?", Section::Body, Control::OneOf(Options::BuiltIn(closed::<Cause>)))
        .sensitive()
        .select("Select what you think is behind it");
    /// What the client wants.
    Goal: Row::new("goal", "What would you like from the massage?", Section::Body, Control::OneOf(Options::BuiltIn(closed::<Goal>)))
        .required(Required::Yes)
        .sensitive()
        .select("Select what you would like from the massage");
    /// Whether there is an injury younger than 48 hours.
    RecentInjury: Row::new("recent_injury", "Were you injured in the last 48 hours?", Section::Body, Control::OneOf(Options::BuiltIn(closed::<RecentInjury>)))
        .sensitive()
        .select("Select yes if you were injured in the last 48 hours");
    /// Whether warm stones appeal.
    Warmth: Row::new("warmth", "Would you like warm stones?", Section::Visit, Control::OneOf(Options::BuiltIn(closed::<Warmth>)))
        .hint("Smooth stones, warmed in water and laid on the muscles.")
        .sensitive()
        .select("Select whether you would like warm stones");
    /// A treatment the client named.
    Treatment: Row::new("treatment", "Do you have a treatment in mind?", Section::Visit, Control::OneOf(Options::BuiltIn(treatments)))
        .required(Required::Default(""))
        .sensitive()
        .select("Select a treatment");
    /// When the client could come.
    Times: Row::new("times", "Which days and times can you make?", Section::Visit, Control::Text { rows: 3 })
        .hint("For example, Tuesday mornings, or any day after 5pm.");
    /// Anything else.
    Message: Row::new("message", "Is there anything else you would like to say?", Section::Visit, Control::Text { rows: 6 })
        .hint("Leave medical detail for the appointment.")
        .sensitive();
    /// The client's explicit consent.
    Consent: Row::new("consent", "Your consent", Section::Consent, Control::Tick)
        .required(Required::Yes);
    /// Made once per filled-in form, so that a double click is one enquiry.
    Submission: Row::hidden("submission");
    /// The address that the client was asked about and kept.
    EmailConfirmed: Row::hidden("email_confirmed");
    /// Which wording of the consent was shown.
    ConsentVersion: Row::hidden("consent_version");
    /// The page's signed time.
    Token: Row::hidden("token");
    /// A proof of work.
    Altcha: Row::hidden("altcha");
    /// The honeypot: people never see it, programs fill it in. Its name means nothing to a password manager.
    Honeypot: Row::new("extra_detail", "Leave this empty", Section::Hidden, Control::Hidden);
}

impl Field {
    /// The field of this name, if a form can have one.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let mut built_in = Self::ALL.iter().copied();
        let built_in = built_in.find(|field| field.key() == key);
        built_in.or_else(|| key.parse().ok().map(Self::Own))
    }

    /// What this practice's form knows of it. Of a question that it does not ask any more: its name.
    #[must_use]
    pub fn row<'a>(&'a self, practice: &'a Practice) -> Row<'a> {
        match self {
            Self::Own(key) => {
                let mut questions = practice.questions.iter();
                let question = questions.find(|question| question.key == *key);
                question.map_or_else(|| Row::of_kept(key), Row::of_question)
            }
            field => field.built_in().unwrap_or(Row::hidden("")),
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Own(key) => key.as_str(),
            field => field.built_in().map_or("", |row| row.key),
        }
    }

    /// Whether this practice's form has it.
    #[must_use]
    pub fn is_asked(&self, practice: &Practice) -> bool {
        match self {
            Self::Own(key) => practice.questions.iter().any(|it| it.key == *key),
            field => BuiltIn::from_key(field.key()).is_none_or(|it| practice.asks(it)),
        }
    }

    /// The error when a field of every form is missing, or holds nothing that it takes.
    #[must_use]
    pub const fn main_error(self) -> FieldError {
        match self {
            Self::Name => FieldError::NameRequired,
            Self::Email => FieldError::EmailRequired,
            Self::Phone => FieldError::PhoneRequired,
            Self::Times => FieldError::TimesTooLong,
            Self::Message => FieldError::MessageTooLong,
            Self::Consent => FieldError::ConsentRequired,
            Self::ConsentVersion => FieldError::ConsentVersionUnknown,
            Self::Submission
            | Self::EmailConfirmed
            | Self::Token
            | Self::Altcha
            | Self::Honeypot
            | Self::Own(_) => FieldError::Hidden(self),
            _ => FieldError::Choice(self),
        }
    }

    /// Every error that a field of every form can have.
    fn errors(self) -> Vec<FieldError> {
        let mut errors = match self {
            Self::Name => vec![
                FieldError::NameRequired,
                FieldError::NameTooLong,
                FieldError::NameControl,
            ],
            Self::Email => {
                let mut errors = vec![
                    FieldError::EmailRequired,
                    FieldError::EmailFormat,
                    FieldError::EmailTooLong,
                ];
                errors
                    .extend(EmailAddress::parse("name@gmail.com").map(FieldError::EmailSuggestion));
                errors
            }
            Self::Phone => vec![
                FieldError::PhoneRequired,
                FieldError::PhoneFormat,
                FieldError::PhoneNoTexts,
            ],
            // Only its type is ever wrong.
            Self::EmailConfirmed => Vec::new(),
            _ if self.takes_anything() => return Vec::new(),
            _ => vec![self.main_error()],
        };
        errors.push(FieldError::WrongType(self));
        errors
    }

    /// A closed question's error message.
    pub(super) fn select(self) -> &'static str {
        self.built_in().map_or("", |row| row.select)
    }

    /// Whether the answer is kept with the enquiry: not what belongs to the page alone.
    #[must_use]
    pub fn is_stored(self) -> bool {
        let built_in = self.built_in();
        built_in.is_none_or(|row| row.section != Section::Hidden)
    }

    /// Whether any value is accepted: it only affects the score, since people do not fill it in and cannot correct it.
    #[must_use]
    pub const fn takes_anything(self) -> bool {
        matches!(self, Self::Token | Self::Altcha | Self::Honeypot)
    }
}

/// Its name: what `validator` makes of a form is keyed by it.
impl serde::Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key())
    }
}

fn closed<T: Choice>(_: &Practice) -> Vec<AnswerOption> {
    let option = |choice: &T| AnswerOption {
        key: choice.key().to_owned(),
        label: choice.label().to_owned(),
        hint: String::new(),
    };
    T::ALL.iter().map(option).collect()
}

fn treatments(practice: &Practice) -> Vec<AnswerOption> {
    let help = AnswerOption {
        key: String::new(),
        label: "Help me choose".to_owned(),
        hint: "Your other answers are enough to suggest one.".to_owned(),
    };
    let offered = practice.treatments.iter().map(|treatment| AnswerOption {
        key: treatment.key.as_str().to_owned(),
        label: treatment.name.clone(),
        hint: one_line(treatment),
    });
    std::iter::once(help).chain(offered).collect()
}

/// When to choose a treatment, and what it takes, where the practice says so.
fn one_line(treatment: &Treatment) -> String {
    let mut line = format!("For {}.", treatment.choose_it_for);
    let facts: Vec<&str> = [&treatment.duration, &treatment.price]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if !facts.is_empty() {
        line = format!("{line} {}.", facts.join(", "));
    }
    line
}
