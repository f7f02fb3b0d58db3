//! The fields of the form: the only list of them. Page, validation, JSON contract, therapist's email, privacy mode, export
//! and example site are made from these rows.

use super::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use super::email::EmailAddress;
use super::error::FieldError;
use crate::practice::{Practice, Treatment};

/// Where a field stands on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Who asks, and how to reach them.
    You,
    /// What hurts, and what the massage is for.
    Body,
    /// Which treatment, and when.
    Visit,
    /// The consent, which the page shows last.
    Consent,
    /// What the page sends along by itself.
    Hidden,
}

impl Section {
    /// The sections that have a heading, in the order of the page.
    pub const SHOWN: [Self; 3] = [Self::You, Self::Body, Self::Visit];

    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::You => "About you",
            Self::Body => "About your body",
            Self::Visit => "About your visit",
            Self::Consent => "Your consent",
            Self::Hidden => "",
        }
    }
}

/// What a field looks like on the page, and how often it may be posted.
#[derive(Debug, Clone, Copy)]
pub enum Control {
    /// One line of text.
    Line {
        /// The `type` of the input, which is its `inputmode` too.
        kind: &'static str,
        /// The `autocomplete` token (WHATWG HTML, "Autofill").
        autocomplete: &'static str,
    },
    /// Several lines of text.
    Text {
        /// How many lines show at first.
        rows: u8,
    },
    /// Radio buttons: one answer of the options.
    OneOf(fn(&Practice) -> Vec<AnswerOption>),
    /// Checkboxes: any number of answers; a repeated field, or an array in JSON.
    SeveralOf(fn(&Practice) -> Vec<AnswerOption>),
    /// One box to tick.
    Tick,
    /// Not shown.
    Hidden,
}

/// One answer that the form offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerOption {
    /// What is posted; empty for "no answer".
    pub key: String,
    /// What people read.
    pub label: String,
    /// A line of help, often empty.
    pub hint: String,
}

/// Whether a field has to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// It must be sent.
    Yes,
    /// It may be left out.
    No,
    /// It may be left out of a post, and then has this answer; on the page that answer is chosen from the start.
    Default(&'static str),
}

/// One field with everything that is known about it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The field.
    pub field: Field,
    /// Its name on the wire.
    pub key: &'static str,
    /// Its question or label; empty when people never see it.
    pub label: &'static str,
    /// The line of help under its label, often empty.
    pub hint: &'static str,
    /// Where it stands on the page.
    pub section: Section,
    /// What it looks like there.
    pub control: Control,
    /// Whether it has to be answered.
    pub required: Required,
    /// Whether the answer says something about health or wishes: privacy mode keeps it out of the mailbox.
    pub sensitive: bool,
    /// A closed question's error message.
    pub select: &'static str,
}

impl Row {
    const fn new(
        key: &'static str,
        label: &'static str,
        section: Section,
        control: Control,
    ) -> Self {
        Self {
            field: Field::Name,
            key,
            label,
            hint: "",
            section,
            control,
            required: Required::No,
            sensitive: false,
            select: "",
        }
    }

    const fn hidden(key: &'static str) -> Self {
        Self::new(key, "", Section::Hidden, Control::Hidden)
    }

    const fn of(self, field: Field) -> Self {
        Self { field, ..self }
    }

    const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    const fn required(self, required: Required) -> Self {
        Self { required, ..self }
    }

    const fn select(self, select: &'static str) -> Self {
        Self { select, ..self }
    }

    const fn sensitive(self) -> Self {
        Self {
            sensitive: true,
            ..self
        }
    }

    /// The answers that this practice offers; none for a text.
    #[must_use]
    pub fn options(&self, practice: &Practice) -> Vec<AnswerOption> {
        match self.control {
            Control::OneOf(options) | Control::SeveralOf(options) => options(practice),
            _ => Vec::new(),
        }
    }

    /// Whether the field may be posted more than once.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        matches!(self.control, Control::SeveralOf(_))
    }
}

/// The fields that this practice's form has, in the order in which it shows them. A practice without warm stones does not
/// ask about warmth; an answer that is posted all the same is taken.
pub fn fields(practice: &Practice) -> impl Iterator<Item = Row> {
    Field::ALL
        .iter()
        .filter(|field| **field != Field::Warmth || practice.asks_warmth())
        .map(|field| field.row())
}

macro_rules! fields {
    ($($(#[$meta:meta])* $name:ident: $row:expr;)+) => {
        /// A built-in field, in the order in which the form shows them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum Field { $($(#[$meta])* $name,)+ }

        impl Field {
            /// Every field, in the order of the form.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What is known about it.
            #[must_use]
            pub const fn row(self) -> Row {
                match self { $(Self::$name => $row.of(Self::$name),)+ }
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
    ContactBy: Row::new("contact_by", "How would you like to hear back?", Section::You, Control::OneOf(closed::<ContactBy>))
        .required(Required::Default("email"))
        .select("Select how you would like to hear back");
    /// Where it hurts.
    Area: Row::new("area", "Where does it hurt?", Section::Body, Control::SeveralOf(closed::<Area>))
        .hint("Select all that apply.")
        .sensitive()
        .select("Select where it hurts");
    /// What causes it.
    Cause: Row::new("cause", "What do you think is behind it?", Section::Body, Control::OneOf(closed::<Cause>))
        .sensitive()
        .select("Select what you think is behind it");
    /// What the client wants.
    Goal: Row::new("goal", "What would you like from the massage?", Section::Body, Control::OneOf(closed::<Goal>))
        .required(Required::Yes)
        .sensitive()
        .select("Select what you would like from the massage");
    /// Whether there is an injury younger than 48 hours.
    RecentInjury: Row::new("recent_injury", "Were you injured in the last 48 hours?", Section::Body, Control::OneOf(closed::<RecentInjury>))
        .sensitive()
        .select("Select yes if you were injured in the last 48 hours");
    /// Whether warm stones appeal.
    Warmth: Row::new("warmth", "Would you like warm stones?", Section::Visit, Control::OneOf(closed::<Warmth>))
        .hint("Smooth stones, warmed in water and laid on the muscles.")
        .sensitive()
        .select("Select whether you would like warm stones");
    /// A treatment the client named.
    Treatment: Row::new("treatment", "Do you have a treatment in mind?", Section::Visit, Control::OneOf(treatments))
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
    /// The field of this name, if the form has one.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.key() == key)
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.row().key
    }

    /// Its question or label; empty when people never see it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().label
    }

    /// The error when it is missing, or holds nothing that the field takes.
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
            | Self::Honeypot => FieldError::Hidden(self),
            _ => FieldError::Choice(self),
        }
    }

    /// Every error that this field can have: the table that the documents and the tests read.
    #[must_use]
    pub fn errors(self) -> Vec<FieldError> {
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

    /// Whether the answer is kept with the enquiry: not what belongs to the page alone.
    #[must_use]
    pub const fn is_stored(self) -> bool {
        !matches!(self.row().section, Section::Hidden)
    }

    /// Whether any value is accepted: it only affects the score, since people do not fill it in and cannot correct it.
    #[must_use]
    pub const fn takes_anything(self) -> bool {
        matches!(self, Self::Token | Self::Altcha | Self::Honeypot)
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
