//! Everything that can be wrong with a field: a stable code for programs and a sentence for people.

use std::borrow::Cow;

use super::answers::QuestionKind;
use super::email::EmailAddress;
use super::field::{Field, fields};
use crate::messages::error::{field, own};
use crate::practice::{Practice, QuestionKey};

/// One error of a form, and the field it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormError {
    /// The field that has to change.
    pub field: Field,
    /// What is wrong.
    pub error: FieldError,
}

impl FormError {
    /// Puts errors in the order of this practice's form; what it does not ask comes last.
    pub fn sort(errors: &mut [Self], practice: &Practice) {
        if errors.len() < 2 {
            return;
        }
        let order: Vec<Field> = fields(practice).map(|row| row.field).collect();
        let place = |field| order.iter().position(|it| *it == field);
        errors.sort_by_key(|error| (place(error.field).unwrap_or(order.len()), error.field));
    }
}

/// Why a value was refused. The messages say what to do, in the words of the GOV.UK Design System, and never repeat
/// what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldError {
    /// Nothing visible was typed.
    NameRequired,
    /// More than 100 characters.
    NameTooLong,
    /// A line break or another control character.
    NameControl,
    /// Nothing was typed.
    EmailRequired,
    /// Not an address by the rule of `<input type=email>`.
    EmailFormat,
    /// More than 254 bytes.
    EmailTooLong,
    /// A likely typo: this address was probably meant.
    EmailSuggestion(EmailAddress),
    /// A call or a text message was asked for without a number.
    PhoneRequired,
    /// No telephone network has numbers like it.
    PhoneFormat,
    /// A text message was asked for at a number that takes none.
    PhoneNoTexts,
    /// A closed question: missing, or an answer that the form does not offer.
    Choice(Field),
    /// More than 500 characters.
    TimesTooLong,
    /// More than 4,000 characters.
    MessageTooLong,
    /// The box is not ticked.
    ConsentRequired,
    /// A wording of the consent that this practice never had.
    ConsentVersionUnknown,
    /// A hidden field that is not as the page made it.
    Hidden(Field),
    /// JSON only: a value of another type than text.
    WrongType(Field),
    /// A question of the practice's own.
    Question(QuestionError),
}

/// What is wrong with the answer to a question of the practice's own, which is named by its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionError {
    /// Its field.
    pub key: QuestionKey,
    /// The question as it is asked.
    pub label: String,
    pub kind: QuestionKind,
    pub wrong: Wrong,
}

/// What can be wrong with the answer to a question of the practice's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It was left out.
    Missing,
    /// A text of too many characters.
    TooLong,
    /// A line with a line break or another control character.
    Lines,
    /// Not one of the answers that the form offers.
    NotOffered,
    /// JSON only: a value of another type than text.
    Type,
}

impl QuestionError {
    fn code(&self) -> Cow<'static, str> {
        let ending = match self.wrong {
            Wrong::Missing => "required",
            Wrong::TooLong => "too_long",
            Wrong::Lines => "control",
            Wrong::NotOffered => "choice",
            Wrong::Type => return "type".into(),
        };
        format!("{}_{ending}", self.key).into()
    }

    fn message(&self) -> String {
        let label = &self.label;
        match (self.wrong, self.kind) {
            (Wrong::TooLong, QuestionKind::Line) => own::line_too_long(label),
            (Wrong::TooLong, _) => own::text_too_long(label),
            (Wrong::Lines, _) => own::lines(label),
            (_, QuestionKind::Line | QuestionKind::Text) => own::enter(label),
            _ => own::select(label),
        }
    }
}

impl FieldError {
    /// The code: stable, for programs.
    #[must_use]
    pub fn code(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NameRequired => "name_required",
            Self::NameTooLong => "name_too_long",
            Self::NameControl => "name_control",
            Self::EmailRequired => "email_required",
            Self::EmailFormat => "email_format",
            Self::EmailTooLong => "email_too_long",
            Self::EmailSuggestion(_) => "email_suggestion",
            Self::PhoneRequired => "phone_required",
            Self::PhoneFormat => "phone_format",
            Self::PhoneNoTexts => "phone_no_texts",
            Self::Choice(field) => return format!("{}_choice", field.key()).into(),
            Self::TimesTooLong => "times_too_long",
            Self::MessageTooLong => "message_too_long",
            Self::ConsentRequired => "consent_required",
            Self::ConsentVersionUnknown => "consent_version_unknown",
            Self::Hidden(field) => return format!("{}_format", field.key()).into(),
            Self::WrongType(_) => "type",
            Self::Question(error) => return error.code(),
        })
    }

    /// What to do, for people.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NameRequired => field::NAME_REQUIRED,
            Self::NameTooLong => field::NAME_TOO_LONG,
            Self::NameControl => field::NAME_LINES,
            Self::EmailRequired | Self::EmailFormat => field::EMAIL,
            Self::EmailTooLong => field::EMAIL_TOO_LONG,
            Self::EmailSuggestion(meant) => return field::email_suggestion(meant.as_str()).into(),
            Self::PhoneRequired | Self::PhoneFormat => field::PHONE,
            Self::PhoneNoTexts => field::PHONE_NO_TEXTS,
            Self::Choice(field) => field.select(),
            Self::TimesTooLong => field::TIMES_TOO_LONG,
            Self::MessageTooLong => field::MESSAGE_TOO_LONG,
            Self::ConsentRequired => field::CONSENT,
            Self::ConsentVersionUnknown | Self::Hidden(_) => field::RELOAD,
            Self::WrongType(field) => return field.main_error().message(),
            Self::Question(error) => return error.message().into(),
        })
    }

    /// Whether it only asks about a likely typo: what was typed may be kept.
    #[must_use]
    pub const fn is_question(&self) -> bool {
        matches!(self, Self::EmailSuggestion(_))
    }
}
