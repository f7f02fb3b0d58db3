//! The values of a section's fields: out of the practice, or as it was typed; and back into a practice that can be checked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::fields::{Blocks, Input, Kind, Section};
use crate::practice::choices::{BuiltIn, Choice, Goal, Warmth};
use crate::practice::{PracticeError, raw};

/// The most blocks of a kind that a form carries.
const MAX_BLOCKS: usize = 200;

/// The values of a section's fields, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typed(pub(super) BTreeMap<String, String>);

/// A practice with what was typed, which is not checked yet; and where its blocks came from.
pub(super) struct Changed {
    pub(super) written: raw::Practice,
    origins: BTreeMap<&'static str, Vec<usize>>,
}

impl Typed {
    /// The value of a field.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// What the practice says, with an empty block to fill in where blocks may be added.
    pub(super) fn of(section: &Section, written: &raw::Practice) -> Self {
        let whole = serde_json::to_value(prepared(written)).unwrap_or_default();
        let mut typed = Self::default();
        for input in section.fields {
            let value = at(&whole, input.key);
            if input.kind == Kind::BuiltIns {
                let ticked = value.as_array().into_iter().flatten();
                let ticked = ticked.filter_map(Value::as_str);
                let ticked = ticked.map(|it| (box_name(input, it), "yes".to_owned()));
                typed.0.extend(ticked);
                continue;
            }
            typed.0.insert(input.key.to_owned(), text_of(value));
        }
        for blocks in section.blocks {
            let list = whole.get(blocks.key).and_then(Value::as_array);
            let list = list.map_or(&[][..], Vec::as_slice);
            for (index, block) in list.iter().enumerate() {
                for input in blocks.fields {
                    let value = block.get(input.key).unwrap_or(&Value::Null);
                    let name = name_in(blocks, index, input.key);
                    typed.0.insert(name, text_of(value));
                }
            }
        }
        typed
    }

    /// What was posted for this section's fields.
    pub(super) fn posted(section: &Section, posted: &[(String, String)]) -> Self {
        let mut typed = Self::default();
        for (name, value) in posted {
            let is_known = section.fields.iter().any(|input| is_named(input, name))
                || section.blocks.iter().any(|it| place(it, name).is_some());
            if is_known {
                let value = value.replace("\r\n", "\n");
                typed.0.entry(name.clone()).or_insert(value);
            }
        }
        typed
    }

    /// Whether a box of this field is ticked.
    pub(super) fn is_ticked(&self, input: &Input, question: BuiltIn) -> bool {
        !self.get(&box_name(input, question.key())).is_empty()
    }

    /// Whether nothing was typed into this block: what can only be chosen does not count.
    pub(super) fn is_empty(&self, blocks: &Blocks, number: usize) -> bool {
        let typed = |it: &&Input| {
            matches!(
                it.kind,
                Kind::Line
                    | Kind::Text
                    | Kind::Day
                    | Kind::Number
                    | Kind::Options
                    | Kind::Treatment
            )
        };
        let mut fields = blocks.fields.iter().filter(typed);
        fields.all(|it| self.get(&name_in(blocks, number, it.key)).trim().is_empty())
    }

    /// The numbers of the blocks that stand here.
    pub(super) fn blocks(&self, blocks: &Blocks) -> Vec<usize> {
        let numbers = self.0.keys().filter_map(|name| place(blocks, name));
        let numbers: BTreeSet<usize> = numbers.map(|(number, _)| number).collect();
        numbers.into_iter().collect()
    }

    /// The practice with what was typed in this section in place of what it said.
    pub(super) fn applied(&self, section: &Section, written: &raw::Practice) -> Changed {
        let mut whole = serde_json::to_value(prepared(written)).unwrap_or_default();
        for input in section.fields {
            let value = match input.kind {
                Kind::BuiltIns => {
                    let ticked = BuiltIn::ALL.iter().filter(|it| self.is_ticked(input, **it));
                    Some(ticked.map(|it| it.key()).collect())
                }
                _ => value_of(input, self.get(input.key)),
            };
            put(&mut whole, input.key, value);
        }
        let mut origins = BTreeMap::new();
        for blocks in section.blocks {
            let (list, from) = self.list(blocks);
            put(&mut whole, blocks.key, Some(Value::Array(list)));
            origins.insert(blocks.key, from);
        }
        let changed = serde_json::from_value(whole).unwrap_or_else(|_| written.clone());
        let changed = Changed {
            written: changed,
            origins,
        };
        settled(changed, written)
    }

    /// The blocks in their order, without those that were taken off or left empty, and where each stands in the form.
    fn list(&self, blocks: &Blocks) -> (Vec<Value>, Vec<usize>) {
        let mut kept = Vec::new();
        for number in self.blocks(blocks) {
            let named = |key: &str| self.get(&name_in(blocks, number, key));
            let is_empty = self.is_empty(blocks, number);
            if blocks.grows && (is_empty || !named(OFF).is_empty()) {
                continue;
            }
            let mut block = Map::new();
            for input in blocks.fields {
                if let Some(value) = value_of(input, named(input.key)) {
                    block.insert(input.key.to_owned(), value);
                }
            }
            let order = named(ORDER).trim().parse().unwrap_or(number + 1);
            kept.push((order, number, Value::Object(block)));
        }
        // One that was moved goes before the one that had its place.
        kept.sort_by_key(|(order, number, _)| (*order, *order > *number, *number));
        kept.into_iter()
            .map(|(_, number, block)| (block, number))
            .unzip()
    }
}

/// The field that takes a block off.
pub(super) const OFF: &str = "off";
/// The field with a block's place.
pub(super) const ORDER: &str = "order";

impl Changed {
    /// The field of the form at which an error stands; none where there is no such field.
    pub(super) fn field_of(&self, section: &Section, error: &PracticeError) -> Option<String> {
        let key = error.key.as_str();
        let is_at = |name: &str| key == name || key.starts_with(&format!("{name}["));
        if let Some(input) = section.fields.iter().find(|it| is_at(it.key)) {
            return Some(input.key.to_owned());
        }
        for blocks in section.blocks {
            let Some(rest) = key.strip_prefix(blocks.key) else {
                continue;
            };
            let Some((number, rest)) = rest.strip_prefix('[').and_then(|it| it.split_once(']'))
            else {
                continue;
            };
            let origin = number.parse().ok().and_then(|number: usize| {
                let origins = self.origins.get(blocks.key)?;
                origins.get(number).copied()
            })?;
            let last = rest.trim_start_matches('.');
            let last = last.split('[').next().unwrap_or_default();
            let last = if last == "date" { "from" } else { last };
            let shown = |it: &&Input| it.kind != Kind::Hidden;
            let mut fields = blocks.fields.iter().filter(shown);
            let named = fields.clone().find(|it| it.key == last);
            // What is wrong with a whole block is that an optional field is missing.
            let missing = || fields.find(|it| it.optional);
            return Some(name_in(blocks, origin, named.or_else(missing)?.key));
        }
        let within = format!("{key}.");
        let mut fields = section.fields.iter();
        let first = fields.find(|it| !key.is_empty() && it.key.starts_with(&within));
        first.map(|it| it.key.to_owned())
    }
}

/// The name of one of the boxes of a field.
pub(super) fn box_name(input: &Input, question: &str) -> String {
    format!("{}:{question}", input.key)
}

fn is_named(input: &Input, name: &str) -> bool {
    match input.kind {
        Kind::BuiltIns => BuiltIn::ALL
            .iter()
            .any(|it| box_name(input, it.key()) == name),
        _ => input.key == name,
    }
}

/// The name of a block's field.
pub(super) fn name_in(blocks: &Blocks, number: usize, key: &str) -> String {
    format!("{}[{number}].{key}", blocks.key)
}

/// The number and the key of a block's field.
fn place<'n>(blocks: &Blocks, name: &'n str) -> Option<(usize, &'n str)> {
    let rest = name.strip_prefix(blocks.key)?.strip_prefix('[')?;
    let (number, key) = rest.split_once("].")?;
    let number = number.parse().ok().filter(|it| *it < MAX_BLOCKS)?;
    let is_known = blocks.fields.iter().any(|it| it.key == key);
    (is_known || (blocks.grows && (key == OFF || key == ORDER))).then_some((number, key))
}

/// The value at a key with full stops in it.
fn at<'v>(whole: &'v Value, key: &str) -> &'v Value {
    let mut value = whole;
    for part in key.split('.') {
        value = value.get(part).unwrap_or(&Value::Null);
    }
    value
}

/// Puts a value there, or takes it away.
fn put(whole: &mut Value, key: &str, value: Option<Value>) {
    let (part, rest) = key.split_once('.').unwrap_or((key, ""));
    if !whole.is_object() {
        *whole = json!({});
    }
    let Some(members) = whole.as_object_mut() else {
        return;
    };
    if rest.is_empty() {
        match value {
            Some(value) => members.insert(part.to_owned(), value),
            None => members.remove(part),
        };
        return;
    }
    put(members.entry(part).or_insert(Value::Null), rest, value);
}

/// A value as it stands in a field.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(texts) => {
            // An answer to choose from is shown by its label.
            let text = |it: &Value| {
                let label = it.get("label").unwrap_or(it).as_str();
                label.map(str::to_owned)
            };
            let texts: Vec<String> = texts.iter().filter_map(text).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// What is written for a field; nothing where it is left out.
fn value_of(input: &Input, typed: &str) -> Option<Value> {
    let typed = typed.trim();
    if input.optional && typed.is_empty() {
        return None;
    }
    let list = |separators: &[char]| {
        let parts = typed.split(separators).map(str::trim);
        let parts = parts.filter(|part| !part.is_empty());
        parts.map(Value::from).collect::<Vec<_>>().into()
    };
    Some(match input.kind {
        Kind::Lines => list(&['\n']),
        Kind::Options => {
            let labels = typed.lines().map(str::trim).filter(|it| !it.is_empty());
            let options = labels.map(|label| json!({ "value": "", "label": label }));
            options.collect::<Vec<_>>().into()
        }
        Kind::Spans => list(&['\n', ',', ';']),
        // Where two answers belong to one row of the guide.
        Kind::Hidden if input.key == "warmth" => list(&['\n']),
        // What is no number is out of every range, and the checks say of which. 255 is more working hours than there can be.
        Kind::Number if input.key == "reply.within_working_hours" => {
            typed.parse::<u8>().unwrap_or(0).into()
        }
        Kind::Number => typed.parse::<u16>().unwrap_or(0).into(),
        Kind::Tick => (typed == "yes").into(),
        _ => typed.into(),
    })
}

/// The practice with what the page shows in another way: a row of the guide for each pair of answers, and a holiday of one day by its
/// first day.
fn prepared(written: &raw::Practice) -> raw::Practice {
    let mut written = written.clone();
    for holiday in &mut written.holiday {
        if let Some(day) = holiday.date.take() {
            holiday.from = Some(day);
        }
    }
    // What holds where nothing was said.
    written.reply.reminders.get_or_insert(true);
    let asks_warmth = written.treatment.iter().any(|it| it.warm);
    let rows = std::mem::take(&mut written.guide);
    for goal in Goal::ALL {
        let of_goal = rows.iter().filter(|it| it.goal.trim() == goal.key());
        // A pair that is not asked may have no row yet.
        let another = of_goal.clone().next().or_else(|| rows.first());
        let answers = if asks_warmth {
            Warmth::ALL
        } else {
            &[Warmth::NotSure]
        };
        for warmth in answers {
            let fits = |it: &&raw::Guide| {
                let answers = it.warmth.as_ref();
                answers.is_none_or(|answers| answers.0.iter().any(|it| it.trim() == warmth.key()))
            };
            let row = of_goal.clone().find(fits).or(another);
            written.guide.push(raw::Guide {
                goal: goal.key().to_owned(),
                warmth: asks_warmth.then(|| raw::Warmths(vec![warmth.key().to_owned()])),
                ..row.cloned().unwrap_or_default()
            });
        }
    }
    written
}

/// The way back; and the guide follows what the treatments now ask: with a first warm one, each of its rows counts for every answer
/// about warmth, and without any, those for "not sure" stay. A treatment, a question or an answer that is new gets a key.
fn settled(changed: Changed, before: &raw::Practice) -> Changed {
    let Changed {
        mut written,
        mut origins,
    } = changed;
    for holiday in &mut written.holiday {
        if holiday.to.is_none() {
            holiday.date = holiday.from.take();
        }
    }
    let mut keys: BTreeSet<String> = written
        .treatment
        .iter()
        .map(|it| it.key.0.clone())
        .collect();
    for treatment in written
        .treatment
        .iter_mut()
        .filter(|it| it.key.0.is_empty())
    {
        treatment.key.0 = key_for(&treatment.name.0, '-', &keys);
        keys.insert(treatment.key.0.clone());
    }
    name_questions(&mut written.question, &before.question);
    let asks_warmth = written.treatment.iter().any(|it| it.warm);
    let mut from = Vec::new();
    let mut guide = Vec::new();
    for (index, mut row) in std::mem::take(&mut written.guide).into_iter().enumerate() {
        let is_unsure = row
            .warmth
            .as_ref()
            .is_none_or(|it| it.0.iter().any(|it| it == Warmth::NotSure.key()));
        if asks_warmth || is_unsure {
            if !asks_warmth {
                row.warmth = None;
            }
            guide.push(row);
            from.push(index);
        }
    }
    written.guide = guide;
    // Only a form that has the guide says where its rows come from.
    if let Some(origin) = origins.get_mut("guide") {
        *origin = from
            .iter()
            .filter_map(|it| origin.get(*it).copied())
            .collect();
    }
    Changed { written, origins }
}

/// Gives new questions and new answers their keys; an answer of the same words keeps its own.
fn name_questions(questions: &mut [raw::Question], before: &[raw::Question]) {
    let mut keys: BTreeSet<String> = questions.iter().map(|it| it.key.0.clone()).collect();
    for question in questions {
        let same = before.iter().find(|it| it.key == question.key);
        let options = same.and_then(|it| it.options.as_ref());
        if question.key.0.is_empty() {
            question.key.0 = key_for(&question.label.0, '_', &keys);
            keys.insert(question.key.0.clone());
        }
        let Some(answers) = &mut question.options else {
            continue;
        };
        let mut values = BTreeSet::new();
        for answer in &mut answers.0 {
            if answer.value.0.is_empty() {
                let plain = |it: &raw::Line| it.0.split_whitespace().collect::<Vec<_>>().join(" ");
                let known = options.and_then(|options| {
                    let mut known = options.0.iter();
                    known.find(|it| plain(&it.label) == plain(&answer.label))
                });
                answer.value.0 = match known {
                    Some(known) => known.value.0.clone(),
                    None => {
                        let taken = options.into_iter().flat_map(|it| &it.0);
                        let taken = taken.map(|it| it.value.0.clone());
                        let taken = taken.chain(values.iter().cloned()).collect();
                        key_for(&answer.label.0, '-', &taken)
                    }
                };
            }
            values.insert(answer.value.0.clone());
        }
    }
}

/// A key that is not taken, out of a name.
fn key_for(name: &str, between: char, taken: &BTreeSet<String>) -> String {
    let mut key = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => key.push(letter),
            _ if !key.is_empty() && !key.ends_with(between) => key.push(between),
            _ => {}
        }
    }
    key.truncate(24);
    let key = match key.trim_matches(between) {
        "" => "new",
        key => key,
    };
    let mut keys = (1..).map(|number| match number {
        1 => key.to_owned(),
        number => format!("{key}{between}{number}"),
    });
    keys.find(|key| !taken.contains(key)).unwrap_or_default()
}
