//! The answers to the practice's own questions. Each is kept with the words in which it was asked, so that a later change of the
//! practice neither alters nor hides what a client said.

use serde::{Deserialize, Serialize};

use super::answers::{FormSection, QuestionKind};
use super::error::{FieldError, QuestionError, Wrong};
use super::redacted::redacted;
use crate::practice::{Question, QuestionKey, QuestionOption};
use crate::text;

redacted! {
    /// What was typed: a line of at most 200 characters, or a text of at most 1,000, line breaks kept.
    OwnText
}

/// A question of the practice's own with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAnswer {
    /// The name of its field.
    pub key: QuestionKey,
    /// The question as it was asked.
    pub label: String,
    /// Where it stood.
    pub section: FormSection,
    /// Whether the answer says something about health.
    pub health: bool,
    /// The answer.
    pub said: Said,
}

/// An answer to a question of the practice's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Typed(OwnText),
    /// It was chosen: the answers as they were offered, in the order of the form. Never empty.
    Chosen(Vec<QuestionOption>),
}

impl OwnAnswer {
    /// Checks the answer to a question; none when it was left out.
    ///
    /// # Errors
    /// When it is missing, too long, or none of the answers that are offered.
    pub fn parse(question: &Question, posted: &[String]) -> Result<Option<Self>, FieldError> {
        let said = match question.kind {
            QuestionKind::Line | QuestionKind::Text => typed(question.kind, posted),
            QuestionKind::OneOf | QuestionKind::SeveralOf | QuestionKind::YesNo => {
                chosen(&question.options, posted)
            }
        };
        let said = said.and_then(|said| match said {
            None if question.required => Err(Wrong::Missing),
            said => Ok(said),
        });
        match said {
            Ok(said) => Ok(said.map(|said| Self {
                key: question.key,
                label: question.label.clone(),
                section: question.section,
                health: question.health,
                said,
            })),
            Err(wrong) => Err(FieldError::Question(QuestionError {
                key: question.key,
                label: question.label.clone(),
                kind: question.kind,
                wrong,
            })),
        }
    }

    /// The answer to a question that is not asked any more, as it was posted; none when it was left out. What is not known of the
    /// question may be about health.
    #[must_use]
    pub fn kept(key: QuestionKey, posted: &[String]) -> Option<Self> {
        let posted = posted.iter().map(|value| text::several_lines(value));
        let posted: Vec<String> = posted.filter(|value| !value.is_empty()).collect();
        (!posted.is_empty()).then(|| Self {
            key,
            label: key.to_string(),
            section: FormSection::Visit,
            health: true,
            said: Said::Typed(OwnText(posted.join(", "))),
        })
    }

    /// What a client typed; none when it was chosen.
    #[must_use]
    pub fn typed(&self) -> Option<&str> {
        match &self.said {
            Said::Typed(text) => Some(text.as_str()),
            Said::Chosen(_) => None,
        }
    }

    /// The answer as people read it.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.said {
            Said::Typed(text) => text.as_str().to_owned(),
            Said::Chosen(options) => {
                let labels: Vec<&str> = options.iter().map(|it| it.label.as_str()).collect();
                labels.join(", ")
            }
        }
    }

    /// What tells one answer from another: not the words in which the question was asked.
    #[must_use]
    pub fn identity(&self) -> (QuestionKey, String) {
        let said = match &self.said {
            Said::Typed(text) => text.as_str().to_owned(),
            Said::Chosen(options) => {
                let values: Vec<&str> = options.iter().map(|it| it.value.as_str()).collect();
                values.join(", ")
            }
        };
        (self.key, said)
    }
}

fn typed(kind: QuestionKind, posted: &[String]) -> Result<Option<Said>, Wrong> {
    let posted = posted.first().map_or("", String::as_str);
    let (text, longest) = match kind {
        QuestionKind::Line => (text::single_line(posted), Question::LINE),
        _ => (text::several_lines(posted), Question::TEXT),
    };
    if !text::has_something_visible(&text) {
        return Ok(None);
    }
    if text::length(&text) > longest {
        return Err(Wrong::TooLong);
    }
    if kind == QuestionKind::Line && text.contains(text::is_control) {
        return Err(Wrong::Lines);
    }
    Ok(Some(Said::Typed(OwnText(text))))
}

/// The answers that were chosen, in the order of the form, each once.
fn chosen(options: &[QuestionOption], posted: &[String]) -> Result<Option<Said>, Wrong> {
    let posted = posted.iter().map(|value| value.trim());
    let posted: Vec<&str> = posted
        .filter(|value| !text::single_line(value).is_empty())
        .collect();
    let is_offered = |value: &&str| options.iter().any(|option| option.value == **value);
    if !posted.iter().all(is_offered) {
        return Err(Wrong::NotOffered);
    }
    let chosen = options.iter();
    let chosen = chosen.filter(|option| posted.contains(&option.value.as_str()));
    let chosen: Vec<QuestionOption> = chosen.cloned().collect();
    Ok((!chosen.is_empty()).then_some(Said::Chosen(chosen)))
}
