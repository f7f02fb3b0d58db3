//! The questions: those of the practice's own, and which of the built-in ones are left out.

use super::{At, Check, answer, keys_of};
use crate::choices::{BuiltIn, Choice, FormSection, QuestionKind};
use crate::messages::error;
use crate::{Question, QuestionKey, QuestionOption, raw};

impl Check for raw::Form {
    type Checked = Vec<BuiltIn>;

    fn check(&self, at: &At<'_>) -> Vec<BuiltIn> {
        let at = at.field("leave_out");
        let mut left_out = Vec::new();
        for (index, name) in self.leave_out.0.iter().enumerate() {
            let at = at.item(index);
            let Some(question) = BuiltIn::from_key(name.trim()) else {
                let known = keys_of::<BuiltIn>().join(", ");
                at.error(error::question::not_left_out(known, name));
                continue;
            };
            at.expect(!left_out.contains(&question), error::twice(name));
            left_out.push(question);
        }
        let has = |question| left_out.contains(&question);
        at.expect(
            !has(BuiltIn::Phone) || has(BuiltIn::ContactBy),
            error::question::PHONE_ALONE,
        );
        left_out
    }
}

pub(super) fn questions(raw: &[raw::Question], at: &At<'_>) -> Vec<Question> {
    let mut checked: Vec<Question> = Vec::new();
    for (index, question) in raw.iter().enumerate() {
        let at = at.item(index);
        at.expect(
            index < Question::MOST,
            error::question::too_many(Question::MOST),
        );
        let Some(question) = question.check(&at) else {
            continue;
        };
        at.field("key").expect(
            checked.iter().all(|other| other.key != question.key),
            error::question::SAME_KEY,
        );
        let texts = checked.iter().filter(|it| it.kind == QuestionKind::Text);
        at.field("kind").expect(
            question.kind != QuestionKind::Text || texts.count() < Question::MOST_TEXTS,
            error::question::too_many_texts(Question::MOST_TEXTS),
        );
        checked.push(question);
    }
    checked
}

impl Check for raw::Question {
    /// None where its key, its kind or its section cannot be read.
    type Checked = Option<Question>;

    fn check(&self, at: &At<'_>) -> Option<Question> {
        let key = QuestionKey::of(&self.key.check(&at.field("key")));
        let label = self.label.check(&at.field("label"));
        let hint = self.hint.check(&at.field("hint"));
        let kind = answer::<QuestionKind>(&self.kind, &at.field("kind"));
        let options = self.options.as_ref().map_or_else(Vec::new, |options| {
            options_of(&options.0, &at.field("options"))
        });
        let section = answer::<FormSection>(&self.section, &at.field("section"));
        let kind = kind?;
        let (chosen, at) = (
            matches!(kind, QuestionKind::OneOf | QuestionKind::SeveralOf),
            at.field("options"),
        );
        match &self.options {
            Some(_) if !chosen => at.error(error::question::NO_OPTIONS),
            None if chosen => at.error(error::question::OPTIONS_MISSING),
            Some(given) => at.expect(
                (2..=Question::MOST_OPTIONS).contains(&given.0.len()),
                error::question::options_count(Question::MOST_OPTIONS),
            ),
            None => {}
        }
        Some(Question {
            key: key?,
            label,
            hint,
            kind,
            options: if kind == QuestionKind::YesNo {
                QuestionOption::yes_and_no()
            } else {
                options
            },
            required: self.required.unwrap_or_default(),
            section: section?,
            health: self.health,
        })
    }
}

fn options_of(raw: &[raw::QuestionOption], at: &At<'_>) -> Vec<QuestionOption> {
    let mut checked: Vec<QuestionOption> = Vec::new();
    for (index, option) in raw.iter().enumerate() {
        let at = at.item(index);
        let (value, label) = (
            option.value.check(&at.field("value")),
            option.label.check(&at.field("label")),
        );
        at.field("value").expect(
            value.is_empty() || checked.iter().all(|other| other.value != value),
            error::question::same_value(&value),
        );
        checked.push(QuestionOption { value, label });
    }
    checked
}
