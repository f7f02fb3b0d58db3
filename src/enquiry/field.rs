//! The fields of the form: the only list of them. Page, validation, JSON contract, therapist's email, privacy mode, export
//! and example site are made from these rows: those of every form, and those of the practice's own questions.

mod row;

use super::answers::{Area, BuiltIn, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use super::email::EmailAddress;
use super::error::FieldError;
use crate::messages::error::select;
use crate::messages::field::short;
use crate::messages::form::{hint, label, treatment};
use crate::practice::{Practice, QuestionKey, Treatment};

pub use row::{AnswerOption, Control, Options, Required, Row, Section};

/// The fields that this practice's form has, in the order in which it shows them: first what every client is asked, then what they may
/// add (`Row::more`), then the consent; in each, section by section, those of every form and then the practice's own. A practice
/// without warm stones does not ask about warmth, and others may be left out; an answer that is posted all the same is taken.
pub fn fields(practice: &Practice) -> impl Iterator<Item = Row<'_>> {
    let rows = Section::ALL.into_iter();
    let rows = rows.flat_map(|section| section.rows(practice));
    let mut rows: Vec<Row<'_>> = rows.filter(|row| row.field.is_asked(practice)).collect();
    rows.sort_by_key(|row| (row.section.is_after_all(), row.more));
    rows.into_iter()
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
            pub fn built_in(self) -> Option<Row<'static>> {
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
    Name: Row::new("name", label::NAME, Section::You, Control::Line { kind: "text", autocomplete: "name" })
        .short(short::NAME)
        .required(Required::Yes);
    /// Where the reply goes.
    Email: Row::new("email", label::EMAIL, Section::You, Control::Line { kind: "email", autocomplete: "email" })
        .short(short::EMAIL)
        .required(Required::Yes);
    /// A telephone number, required when the client would like a call or a text message.
    Phone: Row::asked(BuiltIn::Phone, Section::You, Control::Line { kind: "tel", autocomplete: "tel" })
        .short(short::PHONE)
        .hint(hint::PHONE);
    /// How the client would like to hear back.
    ContactBy: Row::asked(BuiltIn::ContactBy, Section::You, Control::OneOf(Options::BuiltIn(closed::<ContactBy>)))
        .short(short::CONTACT_BY)
        .required(Required::Default("email"))
        .select(select::CONTACT_BY);
    /// Where it hurts.
    Area: Row::asked(BuiltIn::Area, Section::Body, Control::SeveralOf(Options::BuiltIn(closed::<Area>)))
        .short(short::AREA)
        .hint(hint::AREA)
        .more()
        .sensitive()
        .select(select::AREA);
    Cause: Row::asked(BuiltIn::Cause, Section::Body, Control::OneOf(Options::BuiltIn(closed::<Cause>)))
        .short(short::CAUSE)
        .more()
        .sensitive()
        .select(select::CAUSE);
    /// What the client wants.
    Goal: Row::asked(BuiltIn::Goal, Section::Body, Control::OneOf(Options::BuiltIn(closed::<Goal>)))
        .short(short::GOAL)
        .required(Required::Yes)
        .sensitive()
        .select(select::GOAL);
    /// Whether there is an injury younger than 48 hours.
    RecentInjury: Row::asked(BuiltIn::RecentInjury, Section::Body, Control::OneOf(Options::BuiltIn(closed::<RecentInjury>)))
        .short(short::RECENT_INJURY)
        .more()
        .sensitive()
        .select(select::RECENT_INJURY);
    /// Whether warm stones appeal.
    Warmth: Row::asked(BuiltIn::Warmth, Section::Visit, Control::OneOf(Options::BuiltIn(closed::<Warmth>)))
        .short(short::WARMTH)
        .hint(hint::WARMTH)
        .more()
        .sensitive()
        .select(select::WARMTH);
    /// A treatment the client named.
    Treatment: Row::asked(BuiltIn::Treatment, Section::Visit, Control::OneOf(Options::BuiltIn(treatments)))
        .short(short::TREATMENT)
        .required(Required::Default(""))
        .more()
        .sensitive()
        .select(select::TREATMENT);
    /// When the client could come.
    Times: Row::asked(BuiltIn::Times, Section::Visit, Control::Text { rows: 3 })
        .short(short::TIMES)
        .hint(hint::TIMES)
        .more();
    /// What the client says in their own words.
    Message: Row::asked(BuiltIn::Message, Section::Visit, Control::Text { rows: 3 })
        .short(short::MESSAGE)
        .hint(hint::MESSAGE)
        .sensitive();
    /// The client's explicit consent.
    Consent: Row::new("consent", label::CONSENT, Section::Consent, Control::Tick)
        .short(short::CONSENT)
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
    Honeypot: Row::new("extra_detail", label::HONEYPOT, Section::Hidden, Control::Hidden);
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

    /// What it is called where its question would be too long; a question of a practice's own keeps the words in which it was asked.
    #[must_use]
    pub fn short<'a>(&self, asked: &'a str) -> &'a str {
        let short = self.built_in().map_or("", |row| row.short);
        if short.is_empty() { asked } else { short }
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
        label: treatment::HELP.to_owned(),
        hint: treatment::HELP_HINT.to_owned(),
    };
    let offered = practice.treatments.iter().map(|treatment| AnswerOption {
        key: treatment.key.as_str().to_owned(),
        label: treatment.name.clone(),
        hint: one_line(treatment),
    });
    std::iter::once(help).chain(offered).collect()
}

/// When to choose a treatment, and what it takes, where the practice says so.
fn one_line(it: &Treatment) -> String {
    let facts = [&it.duration, &it.price].into_iter().flatten();
    let facts: Vec<&str> = facts.map(String::as_str).collect();
    let reason = &it.choose_it_for;
    if facts.is_empty() {
        treatment::reason(reason)
    } else {
        treatment::reason_and_facts(facts.join(", "), reason)
    }
}
