//! The pages: the form, what became of it, and why something was not taken. One struct a page; the words that belong
//! to a field come from the table of fields, the practice's own from `practice.toml`.
//!
//! The pages need no script. The style sheet and the small script are those of the example site under `site/`.

use std::borrow::Cow;

use askama::Template;

use super::form::EnquiryForm;
use crate::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use crate::enquiry::{EmailAddress, Fault, Field, Reference};
use crate::practice::{Practice, Treatment};

/// The form: empty, with errors, with the question about a likely slip in the address, or with a notice that it
/// cannot be taken right now.
pub struct FormPage<'a> {
    /// Whose form it is.
    pub practice: &'a Practice,
    /// What was typed so far; every value is kept.
    pub form: &'a EnquiryForm,
    /// What is wrong, in the order of the form.
    pub errors: &'a [Fault],
    /// The address that was probably meant, when that is asked.
    pub suggestion: Option<EmailAddress>,
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
    pub words: String,
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

    fn title(&self) -> String {
        let title = self
            .notice
            .as_ref()
            .map_or("Send an enquiry", |notice| notice.title);
        let prefix = if self.errors.is_empty() {
            ""
        } else {
            "Error: "
        };
        format!("{prefix}{title} – {}", self.practice.name)
    }

    fn part(&self) -> FormPart<'_> {
        // A new wording asks for a new consent.
        let consent_is_stale = self
            .errors
            .iter()
            .any(|error| error.field == Field::ConsentVersion);
        FormPart {
            practice: self.practice,
            action: self.action,
            submission: &self.submission,
            token: &self.form.token,
            errors: self.errors,
            notice: self.notice.as_ref(),
            question: self.suggestion.as_ref().map(|suggestion| Question {
                suggestion,
                typed: &self.form.email,
            }),
            email_confirmed: if self.suggestion.is_none() {
                &self.form.email_confirmed
            } else {
                ""
            },
            sections: self.sections(),
            consent_given: self.form.has(Field::Consent, "yes") && !consent_is_stale,
            consent_error: self
                .error(Field::Consent)
                .or_else(|| self.error(Field::ConsentVersion)),
        }
    }

    fn sections(&self) -> Vec<Section<'_>> {
        let mut visit = Vec::new();
        if self.practice.asks_warmth() {
            visit.push(self.one_of(Field::Warmth, choices::<Warmth>()));
        }
        visit.push(self.one_of(Field::Treatment, self.treatments()));
        visit.push(self.text(Field::Times, 3));
        visit.push(self.text(Field::Message, 6));
        vec![
            Section {
                title: "About you",
                fields: vec![
                    self.line(
                        Field::Name,
                        LineKind {
                            kind: "text",
                            inputmode: "text",
                            autocomplete: "name",
                        },
                    ),
                    self.line(
                        Field::Email,
                        LineKind {
                            kind: "email",
                            inputmode: "email",
                            autocomplete: "email",
                        },
                    ),
                    self.line(
                        Field::Phone,
                        LineKind {
                            kind: "tel",
                            inputmode: "tel",
                            autocomplete: "tel",
                        },
                    ),
                    self.one_of(Field::ContactBy, choices::<ContactBy>()),
                ],
            },
            Section {
                title: "About your body",
                fields: vec![
                    FieldView {
                        control: Control::Several,
                        ..self.one_of(Field::Area, choices::<Area>())
                    },
                    self.one_of(Field::Cause, choices::<Cause>()),
                    self.one_of(Field::Goal, choices::<Goal>()),
                    self.one_of(Field::RecentInjury, choices::<RecentInjury>()),
                ],
            },
            Section {
                title: "About your visit",
                fields: visit,
            },
        ]
    }

    fn line(&self, field: Field, kind: LineKind) -> FieldView<'_> {
        self.view(field, Control::Line(kind))
    }

    fn text(&self, field: Field, rows: u8) -> FieldView<'_> {
        self.view(field, Control::Text { rows })
    }

    /// A group of answers, with those marked that were chosen; what counts as chosen by default is shown as chosen.
    fn one_of(&self, field: Field, mut answers: Vec<Answer>) -> FieldView<'_> {
        let default = if field == Field::ContactBy {
            ContactBy::Email.key()
        } else {
            ""
        };
        let left_out = self.form.value(field).is_empty();
        for (index, answer) in answers.iter_mut().enumerate() {
            // A link to a field leads to its first answer.
            answer.id = if index == 0 {
                field.key().to_owned()
            } else {
                format!("{}-{}", field.key(), answer.key)
            };
            answer.chosen =
                self.form.has(field, &answer.key) || (left_out && answer.key == default);
        }
        FieldView {
            answers,
            ..self.view(field, Control::OneOf)
        }
    }

    fn treatments(&self) -> Vec<Answer> {
        let help = Answer {
            label: "Help me choose".to_owned(),
            hint: "Your other answers are enough to suggest one.".to_owned(),
            ..Answer::default()
        };
        let offered = self.practice.treatments.iter().map(|treatment| Answer {
            key: treatment.key.as_str().to_owned(),
            label: treatment.name.clone(),
            hint: one_line(treatment),
            ..Answer::default()
        });
        std::iter::once(help).chain(offered).collect()
    }

    fn view(&self, field: Field, control: Control) -> FieldView<'_> {
        let required = matches!(field, Field::Name | Field::Email | Field::Goal);
        // These two always have an answer: the one that is chosen from the start.
        let answered = matches!(field, Field::ContactBy | Field::Treatment);
        FieldView {
            key: field.key(),
            label: field.label(),
            hint: field.hint(),
            required,
            optional: !required && !answered,
            error: self.error(field),
            value: match self.form.taken_suggestion() {
                Some(taken) if field == Field::Email => Cow::Owned(taken.as_str().to_owned()),
                _ => Cow::Borrowed(self.form.value(field)),
            },
            answers: Vec::new(),
            control,
        }
    }

    fn error(&self, field: Field) -> Option<&str> {
        self.errors
            .iter()
            .find(|error| error.field == field)
            .map(|error| error.why.words.as_ref())
    }
}

/// When to choose a treatment, and what it takes, where the practice tells.
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

fn choices<T: Choice>() -> Vec<Answer> {
    let answer = |choice: &T| Answer {
        key: choice.key().to_owned(),
        label: choice.label().to_owned(),
        ..Answer::default()
    };
    T::ALL.iter().map(answer).collect()
}

#[derive(Template)]
#[template(path = "pages/form_page.html")]
struct FormTemplate<'a> {
    practice: &'a Practice,
    title: String,
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
    errors: &'a [Fault],
    notice: Option<&'a Notice>,
    question: Option<Question<'a>>,
    email_confirmed: &'a str,
    sections: Vec<Section<'a>>,
    consent_given: bool,
    consent_error: Option<&'a str>,
}

impl FormPart<'_> {
    /// Whether the only thing on top is the question about the address.
    fn only_asks(&self) -> bool {
        self.question.is_some() && self.errors.iter().all(is_question)
    }

    /// Whether what was typed came with the page: the script then leaves it alone.
    fn filled(&self) -> bool {
        !self.errors.is_empty() || self.notice.is_some()
    }

    /// Where the link of an error leads; none for fields that people never see.
    fn target(&self, field: &Field) -> Option<&'static str> {
        match field {
            Field::ConsentVersion => Some(Field::Consent.key()),
            Field::Warmth if !self.practice.asks_warmth() => None,
            hidden if hidden.label().is_empty() || *hidden == Field::Honeypot => None,
            shown => Some(shown.key()),
        }
    }
}

fn is_question(error: &Fault) -> bool {
    error.why.code == "email_suggestion"
}

/// "Did you mean …?"
#[derive(Clone, Copy)]
struct Question<'a> {
    suggestion: &'a EmailAddress,
    typed: &'a str,
}

impl Question<'_> {
    /// Whether what was typed is an address too, so that it may be right.
    fn can_be_kept(&self) -> bool {
        EmailAddress::parse(self.typed).is_ok()
    }
}

struct Section<'a> {
    title: &'static str,
    fields: Vec<FieldView<'a>>,
}

/// A field as the template shows it.
struct FieldView<'a> {
    key: &'static str,
    label: &'static str,
    hint: &'static str,
    required: bool,
    optional: bool,
    error: Option<&'a str>,
    value: Cow<'a, str>,
    answers: Vec<Answer>,
    control: Control,
}

impl FieldView<'_> {
    fn several(&self) -> bool {
        matches!(self.control, Control::Several)
    }

    /// The ids of what describes the field, for `aria-describedby`; empty when nothing does.
    fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.key));
        let error = self.error.map(|_| format!("{}-error", self.key));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}

enum Control {
    /// One line of text.
    Line(LineKind),
    /// Several lines of text.
    Text { rows: u8 },
    /// Radio buttons.
    OneOf,
    /// Checkboxes.
    Several,
}

struct LineKind {
    kind: &'static str,
    inputmode: &'static str,
    autocomplete: &'static str,
}

/// One answer of a group.
#[derive(Default)]
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
    /// Whose page it is.
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
#[template(path = "pages/refusal.html")]
pub struct ErrorPage<'a> {
    /// Whose page it is.
    pub practice: &'a Practice,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What to do.
    pub words: String,
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
