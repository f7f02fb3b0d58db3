//! The row of a field: where it stands, what it looks like, what it takes.

use super::super::answers::{BuiltIn, Choice, FormSection, QuestionKind};
use super::super::error::{FieldError, QuestionError, Wrong};
use super::Field;
use crate::messages::form;
use crate::practice::{Practice, Question, QuestionKey, QuestionOption};

/// Where a field stands on the page, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

    /// Every section, in the order of the page.
    pub(super) const ALL: [Self; 5] = [
        Self::You,
        Self::Body,
        Self::Visit,
        Self::Consent,
        Self::Hidden,
    ];

    /// The heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::You => FormSection::You.label(),
            Self::Body => FormSection::Body.label(),
            Self::Visit => FormSection::Visit.label(),
            Self::Consent => form::label::CONSENT,
            Self::Hidden => "",
        }
    }

    /// Whether it comes after every question.
    pub(super) const fn is_after_all(self) -> bool {
        matches!(self, Self::Consent | Self::Hidden)
    }

    /// The fields of this section: those of every form, then the practice's own, and last what the client says in their own words.
    pub(super) fn rows(self, practice: &Practice) -> impl Iterator<Item = Row<'_>> {
        let built_in = Field::ALL.iter().filter_map(|field| field.built_in());
        let (own, last) = (practice.questions.iter(), Field::Message.built_in());
        built_in
            .filter(|row| row.field != Field::Message)
            .chain(own.map(Row::of_question))
            .chain(last)
            .filter(move |row| row.section == self)
    }
}

impl From<FormSection> for Section {
    fn from(section: FormSection) -> Self {
        match section {
            FormSection::You => Self::You,
            FormSection::Body => Self::Body,
            FormSection::Visit => Self::Visit,
        }
    }
}

/// What a field looks like on the page, and how often it may be posted.
#[derive(Debug, Clone, Copy)]
pub enum Control<'a> {
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
    OneOf(Options<'a>),
    /// Checkboxes: any number of answers; a repeated field, or an array in JSON.
    SeveralOf(Options<'a>),
    /// One box to tick.
    Tick,
    /// Not shown.
    Hidden,
    /// A question that is not asked any more, and was when the page was made: whatever was posted is kept as it is.
    Kept,
}

/// Where the answers of a closed question come from.
#[derive(Debug, Clone, Copy)]
pub enum Options<'a> {
    /// They are those of every form, or made from what the practice offers.
    BuiltIn(fn(&Practice) -> Vec<AnswerOption>),
    /// They are the practice's own.
    Own(&'a [QuestionOption]),
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
pub struct Row<'a> {
    pub field: Field,
    /// Its name on the wire.
    pub key: &'a str,
    /// Its question or label; empty when people never see it.
    pub label: &'a str,
    /// What it is called where its question would be too long; empty where the question is short enough.
    pub(super) short: &'a str,
    /// The line of help under its label, often empty.
    pub hint: &'a str,
    /// Where it stands on the page.
    pub section: Section,
    /// What it looks like there.
    pub control: Control<'a>,
    /// Whether it has to be answered.
    pub required: Required,
    /// Whether the answer says something about health or wishes: privacy mode keeps it out of the mailbox.
    pub sensitive: bool,
    /// Whether it stands behind "Tell me more": it may be left out, and most clients do. Nothing that must be answered does.
    pub more: bool,
    /// The error message of a closed question that every form can have.
    pub(super) select: &'a str,
}

impl Row<'static> {
    pub(super) const fn new(
        key: &'static str,
        label: &'static str,
        section: Section,
        control: Control<'static>,
    ) -> Self {
        Self {
            field: Field::Name,
            key,
            label,
            short: "",
            hint: "",
            section,
            control,
            required: Required::No,
            sensitive: false,
            more: false,
            select: "",
        }
    }

    /// A question of every form that a practice may leave out.
    pub(super) fn asked(question: BuiltIn, section: Section, control: Control<'static>) -> Self {
        Self::new(question.key(), question.label(), section, control)
    }

    pub(super) const fn hidden(key: &'static str) -> Self {
        Self::new(key, "", Section::Hidden, Control::Hidden)
    }

    pub(super) const fn of(self, field: Field) -> Self {
        Self { field, ..self }
    }

    pub(super) const fn short(self, short: &'static str) -> Self {
        Self { short, ..self }
    }

    pub(super) const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(super) const fn required(self, required: Required) -> Self {
        Self { required, ..self }
    }

    pub(super) const fn select(self, select: &'static str) -> Self {
        Self { select, ..self }
    }

    pub(super) const fn more(self) -> Self {
        Self { more: true, ..self }
    }

    pub(super) const fn sensitive(self) -> Self {
        Self {
            sensitive: true,
            ..self
        }
    }
}

impl<'a> Row<'a> {
    /// The row of a question of the practice's own.
    pub(super) fn of_question(question: &'a Question) -> Self {
        let options = Options::Own(&question.options);
        Self {
            field: Field::Own(question.key),
            key: question.key.as_str(),
            label: &question.label,
            short: "",
            hint: question.hint.as_deref().unwrap_or_default(),
            section: question.section.into(),
            control: match question.kind {
                // What a browser remembers of a practice's question, another visitor of the same device may read.
                QuestionKind::Line => Control::Line {
                    kind: "text",
                    autocomplete: "off",
                },
                QuestionKind::Text => Control::Text { rows: 4 },
                QuestionKind::OneOf | QuestionKind::YesNo => Control::OneOf(options),
                QuestionKind::SeveralOf => Control::SeveralOf(options),
            },
            required: if question.required {
                Required::Yes
            } else {
                Required::No
            },
            sensitive: question.health,
            more: !question.required,
            select: "",
        }
    }

    /// The row of a question that is not asked any more: its name is all that is known of it.
    pub(super) fn of_kept(key: &'a QuestionKey) -> Self {
        Self {
            field: Field::Own(*key),
            key: key.as_str(),
            label: key.as_str(),
            short: "",
            hint: "",
            section: Section::Hidden,
            control: Control::Kept,
            required: Required::No,
            sensitive: true,
            more: false,
            select: "",
        }
    }

    /// The answers that this practice offers; none for a text.
    #[must_use]
    pub fn options(&self, practice: &Practice) -> Vec<AnswerOption> {
        match self.control {
            Control::OneOf(options) | Control::SeveralOf(options) => match options {
                Options::BuiltIn(options) => options(practice),
                Options::Own(options) => options.iter().map(AnswerOption::own).collect(),
            },
            _ => Vec::new(),
        }
    }

    /// Whether the field may be posted more than once.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        matches!(self.control, Control::SeveralOf(_) | Control::Kept)
    }

    /// The error of a value that is no text.
    #[must_use]
    pub fn wrong_type(&self) -> FieldError {
        self.of_own(Wrong::Type)
            .unwrap_or(FieldError::WrongType(self.field))
    }

    /// An error of a question of the practice's own; none for another field.
    fn of_own(&self, wrong: Wrong) -> Option<FieldError> {
        let kind = match self.control {
            Control::Line { .. } => QuestionKind::Line,
            Control::Text { .. } => QuestionKind::Text,
            Control::OneOf(_) => QuestionKind::OneOf,
            Control::SeveralOf(_) => QuestionKind::SeveralOf,
            Control::Tick | Control::Hidden | Control::Kept => return None,
        };
        let Field::Own(key) = self.field else {
            return None;
        };
        let label = self.label.to_owned();
        Some(FieldError::Question(QuestionError {
            key,
            label,
            kind,
            wrong,
        }))
    }

    /// Every error that this field can have: the table that the documents and the tests read.
    #[must_use]
    pub fn errors(&self) -> Vec<FieldError> {
        let Field::Own(_) = self.field else {
            return self.field.errors();
        };
        let required = (self.required == Required::Yes).then_some(Wrong::Missing);
        let wrong = match self.control {
            Control::Line { .. } => &[Wrong::TooLong, Wrong::Lines, Wrong::Type][..],
            Control::Text { .. } => &[Wrong::TooLong, Wrong::Type],
            _ => &[Wrong::NotOffered, Wrong::Type],
        };
        let errors = required.into_iter().chain(wrong.iter().copied());
        errors.filter_map(|wrong| self.of_own(wrong)).collect()
    }
}

impl AnswerOption {
    fn own(option: &QuestionOption) -> Self {
        Self {
            key: option.value.clone(),
            label: option.label.clone(),
            hint: String::new(),
        }
    }
}
