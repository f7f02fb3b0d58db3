//! The pages: the form, what became of it, and why something was not taken. One struct a page; the words that belong
//! to a field come from the table of fields, the practice's own from `practice.toml`, and all others from the templates.
//!
//! The pages need no script. The style sheet and the small script are those of the example site under `site/`.

mod mine;

use std::borrow::Cow;

use askama::Template;

use super::form::{CheckedAddress, EnquiryForm};
use super::problem::RequestError;
use crate::enquiry::field::{Control, Required, Row, Section};
use crate::enquiry::{EmailAddress, Field, FieldError, FormError, Reference, fields};
use crate::messages;
use crate::practice::Practice;

pub(crate) use mine::{MinePage, NotShown, Step};

/// The form: empty, with errors, with the question about a likely typo in the address, or with a notice that it
/// cannot be taken right now.
pub struct FormPage<'a> {
    pub practice: &'a Practice,
    /// What was typed so far; every value is kept.
    pub form: &'a EnquiryForm,
    /// What is wrong, in the order of the form.
    pub errors: &'a [FormError],
    /// What is known about the address: whether the client is asked about it, or has taken the suggestion.
    pub address: &'a CheckedAddress,
    /// Why the form was not taken, when the reason lies in no field.
    pub notice: Option<Notice>,
    /// Where the form is posted to.
    pub action: &'a str,
    /// The id of this filled-in form. Empty on the static site, where the script makes one.
    pub submission: String,
    /// Whether the page proves its work in the background, which needs a script of its own.
    pub proof: bool,
}

/// Why a form without errors was not taken.
pub struct Notice {
    /// What happened, in a few words.
    pub title: &'static str,
    /// What to do.
    pub message: String,
}

impl FormPage<'_> {
    /// The page.
    ///
    /// # Errors
    /// Never, as far as we know: the templates write to a string.
    pub fn render(&self) -> askama::Result<String> {
        FormTemplate {
            practice: self.practice,
            title: self.title(),
            wrong: !self.errors.is_empty(),
            answered: !self.errors.is_empty() || self.notice.is_some(),
            proof: self.proof,
            part: self.part(),
        }
        .render()
    }

    /// The form alone, from `<form` to `</form>`, as a static site carries it.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn render_form(&self) -> askama::Result<String> {
        self.part().render()
    }

    fn title(&self) -> &'static str {
        let notice = self.notice.as_ref();
        notice.map_or(messages::form::TITLE, |notice| notice.title)
    }

    fn part(&self) -> FormPart<'_> {
        // A new wording asks for a new consent.
        let stale = FieldError::ConsentVersionUnknown;
        let consent_is_stale = self.errors.iter().any(|error| error.error == stale);
        let suggestion = self.address.suggestion.as_ref();
        let question = suggestion.filter(|_| !self.errors.is_empty());
        FormPart {
            practice: self.practice,
            action: self.action,
            submission: &self.submission,
            token: self.form.value(Field::Token),
            errors: self.errors,
            notice: self.notice.as_ref(),
            question: question.map(|suggestion| Question {
                suggestion,
                typed: self.form.value(Field::Email),
            }),
            email_confirmed: if question.is_none() {
                self.form.value(Field::EmailConfirmed)
            } else {
                ""
            },
            first: self.fields(|row| !row.more),
            more: Section::SHOWN.map(|section| self.more(section)).into(),
            kept: self.kept(),
            consent_given: self.form.value(Field::Consent) == "yes" && !consent_is_stale,
            consent_error: self
                .error(Field::ConsentVersion)
                .or_else(|| self.error(Field::Consent)),
        }
    }

    /// The questions that these rows are of, in the order of the form.
    fn fields(&self, wanted: impl Fn(&Row<'_>) -> bool) -> Vec<FieldView<'_>> {
        let rows = self.rows().into_iter();
        let shown = rows.filter(|row| Section::SHOWN.contains(&row.section) && wanted(row));
        shown.map(|row| self.field(row)).collect()
    }

    /// What a section holds behind "Tell me more".
    fn more(&self, section: Section) -> SectionView<'_> {
        SectionView {
            title: section.title(),
            fields: self.fields(|row| row.more && row.section == section),
        }
    }

    /// What this page asks: what the practice's form has, and what it has left out since another page was made, when an error is there.
    fn rows(&self) -> Vec<Row<'_>> {
        let wrong = self.errors.iter().map(|error| error.field);
        let left_out = wrong.filter(|field| !field.is_asked(self.practice));
        let mut rows: Vec<Row<'_>> = fields(self.practice).collect();
        for field in left_out {
            rows.extend(field.built_in());
        }
        rows
    }

    /// The answers that have no place on this page, since the practice has stopped asking: they are sent along again.
    fn kept(&self) -> Vec<(String, &str)> {
        let shown: Vec<Field> = self.rows().iter().map(|row| row.field).collect();
        let posted = self.form.posted();
        let kept = posted.filter(|(field, _)| field.is_stored() && !shown.contains(field));
        kept.flat_map(|(field, values)| {
            let key = field.key().to_owned();
            values
                .iter()
                .map(move |value| (key.clone(), value.as_str()))
        })
        .collect()
    }

    fn field<'a>(&'a self, row: Row<'a>) -> FieldView<'a> {
        let taken = self.address.taken.as_ref();
        let value = match taken.filter(|_| row.field == Field::Email) {
            Some(taken) => Cow::Owned(taken.as_str().to_owned()),
            None => Cow::Borrowed(self.form.value(row.field)),
        };
        let mut posted = self.form.values(row.field).iter();
        FieldView {
            error: self.error(row.field),
            answers: self.answers(&row),
            answered: posted.any(|value| !value.is_empty()),
            value,
            row,
        }
    }

    /// A group of answers, with those marked that were chosen; what counts as chosen by default is shown as chosen.
    fn answers(&self, row: &Row<'_>) -> Vec<Answer> {
        let values = self.form.values(row.field);
        let left_out = values.iter().all(String::is_empty);
        let is_chosen = |key: &str| {
            values.iter().any(|value| value == key)
                || (left_out
                    && matches!(row.required, Required::Default(default) if default == key))
        };
        let options = row.options(self.practice).into_iter().enumerate();
        options
            .map(|(index, option)| Answer {
                // A link to a field leads to its first answer. No value of an answer makes the id of something else.
                id: match (index, row.field) {
                    (0, _) => row.key.to_owned(),
                    (_, Field::Own(_)) => format!("{}-{}", row.key, index + 1),
                    _ => format!("{}-{}", row.key, option.key),
                },
                chosen: is_chosen(&option.key),
                key: option.key,
                label: option.label,
                hint: option.hint,
            })
            .collect()
    }

    fn error(&self, field: Field) -> Option<Cow<'static, str>> {
        let error = self.errors.iter().find(|error| error.field == field)?;
        Some(message(&error.error))
    }
}

/// What to do about an error on this very page: it has the present wording already, and an id of its own.
fn message(error: &FieldError) -> Cow<'static, str> {
    match error {
        FieldError::ConsentVersionUnknown => messages::error::field::WORDING_CHANGED.into(),
        FieldError::Hidden(_) => messages::error::field::SEND_AGAIN.into(),
        error => error.message(),
    }
}

#[derive(Template)]
#[template(path = "pages/form_page.html")]
struct FormTemplate<'a> {
    practice: &'a Practice,
    title: &'static str,
    wrong: bool,
    answered: bool,
    proof: bool,
    part: FormPart<'a>,
}

/// The form itself: the one template of our own pages and of the example site.
#[derive(Template)]
#[template(path = "pages/form.html")]
struct FormPart<'a> {
    practice: &'a Practice,
    action: &'a str,
    submission: &'a str,
    token: &'a str,
    errors: &'a [FormError],
    notice: Option<&'a Notice>,
    question: Option<Question<'a>>,
    email_confirmed: &'a str,
    first: Vec<FieldView<'a>>,
    more: Vec<SectionView<'a>>,
    kept: Vec<(String, &'a str)>,
    consent_given: bool,
    consent_error: Option<Cow<'static, str>>,
}

impl FormPart<'_> {
    /// Whether the only thing on top is the question about the address.
    fn only_asks(&self) -> bool {
        self.question.is_some() && self.errors.iter().all(|error| error.error.is_question())
    }

    /// Whether what was typed came with the page: the script then leaves it alone.
    fn filled(&self) -> bool {
        !self.errors.is_empty() || self.notice.is_some()
    }

    /// Whether there is anything behind "Tell me more".
    fn has_more(&self) -> bool {
        self.more.iter().any(|section| !section.fields.is_empty())
    }

    /// Whether it holds an error or an answer, and stands open.
    fn is_open(&self) -> bool {
        let mut fields = self.more.iter().flat_map(|section| &section.fields);
        fields.any(|field| field.error.is_some() || field.answered)
    }

    fn message(&self, error: &FormError) -> Cow<'static, str> {
        message(&error.error)
    }

    /// Where the link of an error leads; none for fields that are not on the page.
    fn target<'f>(&self, field: &'f Field) -> Option<&'f str> {
        let more = self.more.iter().flat_map(|section| &section.fields);
        let shown = self.first.iter().chain(more);
        match field {
            Field::Consent | Field::ConsentVersion => Some("consent"),
            field => shown
                .map(|view| view.row.field)
                .any(|it| it == *field)
                .then(|| field.key()),
        }
    }
}

/// "Did you mean …?"
#[derive(Clone, Copy)]
struct Question<'a> {
    suggestion: &'a EmailAddress,
    typed: &'a str,
}

impl Question<'_> {
    fn take(&self) -> String {
        messages::form::typo::take(self.suggestion.as_str())
    }

    fn keep(&self) -> String {
        messages::form::typo::keep(self.typed)
    }

    /// Whether what was typed is an address too, so that it may be right.
    fn can_be_kept(&self) -> bool {
        EmailAddress::parse(self.typed).is_ok()
    }
}

struct SectionView<'a> {
    title: &'static str,
    fields: Vec<FieldView<'a>>,
}

/// A field as the template shows it.
struct FieldView<'a> {
    row: Row<'a>,
    error: Option<Cow<'static, str>>,
    value: Cow<'a, str>,
    answers: Vec<Answer>,
    /// Whether anything was typed or chosen.
    answered: bool,
}

impl FieldView<'_> {
    fn required(&self) -> bool {
        self.row.required == Required::Yes
    }

    /// How its answers stand, as a class: side by side where all are short, else one below the other.
    fn layout(&self) -> &'static str {
        /// The longest that is short, in characters: it fits in half the width of a phone.
        const SHORT: usize = 14;
        let is_short = |it: &Answer| it.hint.is_empty() && it.label.chars().count() <= SHORT;
        if !self.answers.iter().all(is_short) {
            ""
        } else if self.row.is_repeatable() {
            " columns"
        } else {
            " short"
        }
    }

    /// Whether it says so: what stands behind "Tell me more" is optional as a whole.
    fn optional(&self) -> bool {
        self.row.required == Required::No && !self.row.more
    }

    /// The ids of what describes the field, for `aria-describedby`; empty when nothing does.
    fn described_by(&self) -> String {
        let key = self.row.key;
        let hint = (!self.row.hint.is_empty()).then(|| format!("{key}-hint"));
        let error = self.error.as_ref().map(|_| format!("{key}-error"));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}

/// One answer of a group.
struct Answer {
    id: String,
    key: String,
    label: String,
    hint: String,
    chosen: bool,
}

/// What a client sees when the enquiry has arrived.
#[derive(Template, Clone, Copy)]
#[template(path = "pages/confirmation.html")]
pub struct ConfirmationPage<'a> {
    pub practice: &'a Practice,
    /// The name of the enquiry; none when the page is opened by itself.
    pub reference: Option<&'a Reference>,
}

impl ConfirmationPage<'_> {
    /// The page.
    ///
    /// # Errors
    /// As [`FormPage::render`].
    pub fn render(&self) -> askama::Result<String> {
        Template::render(self)
    }
}

/// Why a request was not taken, when there is no form to show again.
#[derive(Template)]
#[template(path = "pages/error.html")]
pub struct ErrorPage<'a> {
    pub practice: &'a Practice,
    /// What happened.
    pub error: &'a RequestError,
}

impl ErrorPage<'_> {
    /// The page.
    ///
    /// # Errors
    /// As [`FormPage::render`].
    pub fn render(&self) -> askama::Result<String> {
        Template::render(self)
    }
}
