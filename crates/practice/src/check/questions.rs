//! The questions: those of the practice's own, and which of the built-in ones are left out.

use super::{At, Check, answer, keys_of};
use crate::choices::{BuiltIn, Choice, FormSection, QuestionKind};
use crate::{Question, QuestionKey, QuestionOption, raw};

impl Check for raw::Form {
    type Checked = Vec<BuiltIn>;

    fn check(&self, at: &At<'_>) -> Vec<BuiltIn> {
        let at = at.field("leave_out");
        let mut left_out = Vec::new();
        for (index, name) in self.leave_out.0.iter().enumerate() {
            let at = at.item(index);
            let Some(question) = BuiltIn::from_key(name.trim()) else {
                let known = keys_of::<BuiltIn>().join("\", \"");
                at.error(format!(
                    "expected one of \"{known}\", found \"{name}\"; every form asks for the rest"
                ));
                continue;
            };
            at.expect(
                !left_out.contains(&question),
                format!("\"{name}\" is in the list twice; expected it once"),
            );
            left_out.push(question);
        }
        let has = |question| left_out.contains(&question);
        at.expect(
            !has(BuiltIn::Phone) || has(BuiltIn::ContactBy),
            "leaves out \"phone\" alone; expected \"contact_by\" too: calls and text messages need a number",
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
            format!("one question too many; expected at most {}", Question::MOST),
        );
        let Some(question) = question.check(&at) else {
            continue;
        };
        at.field("key").expect(
            checked.iter().all(|other| other.key != question.key),
            "is the key of another question; expected one of its own",
        );
        let texts = checked.iter().filter(|it| it.kind == QuestionKind::Text);
        at.field("kind").expect(
            question.kind != QuestionKind::Text || texts.count() < Question::MOST_TEXTS,
            format!(
                "one long text too many; expected at most {} questions of the kind \"text\"",
                Question::MOST_TEXTS
            ),
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
            Some(_) if !chosen => at.error(format!(
                "a question of the kind \"{}\" has no answers to choose from; leave this line out",
                kind.key()
            )),
            None if chosen => at.error(format!(
                "missing; expected the answers to choose from, since the kind is \"{}\"",
                kind.key()
            )),
            Some(given) => at.expect(
                (2..=Question::MOST_OPTIONS).contains(&given.0.len()),
                format!("expected from 2 to {} answers", Question::MOST_OPTIONS),
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
            format!("\"{value}\" is the value of another answer; expected one of its own"),
        );
        checked.push(QuestionOption { value, label });
    }
    checked
}
