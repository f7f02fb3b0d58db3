//! The pages of "Your practice" as views: fields with what stands in them, what is wrong, and what another window has saved.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;

use super::fields::{Blocks, Input, Kind, SECTIONS, Section};
use super::typed::{Changed, OFF, ORDER, Typed, box_name, name_in};
use crate::desk::practice::Held;
use crate::messages::desk::practice as say;
use crate::practice::choices::{BuiltIn, Choice, FormSection, Goal, QuestionKind, Warmth};
use crate::practice::{Practice, PracticeError, date_in_words};
use crate::web::Web;
use crate::web::desk::pages::{Frame, page_response};

/// For so many days before the last holiday ends she is told that more are needed.
const HOLIDAYS_END: i64 = 60;

/// What is wrong: at fields, and beside none.
#[derive(Default)]
pub(super) struct Errors {
    at: BTreeMap<String, String>,
    /// In the order in which they were found, with the field.
    all: Vec<(Option<String>, String)>,
}

impl Errors {
    pub(super) fn new(section: &Section, changed: &Changed, errors: &[PracticeError]) -> Self {
        let mut these = Self::default();
        for error in errors {
            let field = changed.field_of(section, error);
            let words = error.message.clone();
            let place = match &field {
                Some(field) => {
                    these.at.entry(field.clone()).or_insert(words.clone());
                    section.label(field).unwrap_or_default()
                }
                None => error.key.as_str(),
            };
            let words = match place {
                "" => words,
                place => say::at(words, place),
            };
            these.all.push((field, words));
        }
        these
    }
}

/// A section as it is shown.
pub(super) struct Shown<'a> {
    pub(super) section: &'static Section,
    pub(super) typed: &'a Typed,
    pub(super) seen: u64,
    pub(super) errors: Errors,
    /// What another window has saved since.
    pub(super) stands: Option<&'a Typed>,
    /// Whether she has just signed in again.
    pub(super) resumed: bool,
    /// Whether she is led through her new practice.
    pub(super) setup: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(section: &'static Section, typed: &'a Typed, seen: u64) -> Self {
        Self {
            section,
            typed,
            seen,
            errors: Errors::default(),
            stands: None,
            resumed: false,
            setup: false,
        }
    }

    fn field(&self, practice: &Practice, input: &Input, name: String) -> FieldView {
        let value = self.typed.get(&name).to_owned();
        let stands = self.stands.map(|stands| stands.get(&name));
        let treatments = practice.treatments.iter();
        FieldView {
            label: input.label,
            hint: input.hint,
            kind: input.kind,
            is_optional: input.optional,
            error: self.errors.at.get(&name).cloned(),
            stands: match (input.kind, self.stands) {
                (Kind::BuiltIns, Some(stands)) => {
                    let ticked = BuiltIn::ALL
                        .iter()
                        .filter(|it| stands.is_ticked(input, **it));
                    let labels: Vec<&str> = ticked.map(|it| it.label()).collect();
                    Some(labels.join(", "))
                }
                _ => stands.filter(|it| *it != value).map(str::to_owned),
            },
            rows: value.chars().count() / 36 + value.matches('\n').count() + 2,
            options: match input.kind {
                Kind::Treatment => treatments
                    .map(|it| {
                        (
                            it.key.as_str().to_owned(),
                            it.name.clone(),
                            it.key.as_str() == value,
                        )
                    })
                    .collect(),
                Kind::AskedAs => choices::<QuestionKind>(&value),
                Kind::FormSection => choices::<FormSection>(&value),
                Kind::BuiltIns => BuiltIn::ALL
                    .iter()
                    .map(|it| {
                        let name = box_name(input, it.key());
                        (
                            name,
                            it.label().to_owned(),
                            self.typed.is_ticked(input, *it),
                        )
                    })
                    .collect(),
                _ => Vec::new(),
            },
            // A page cannot hold a character that controls a terminal, and the browser would post none.
            value: value.replace(|c: char| c.is_control() && !"\r\n\t".contains(c), ""),
            name,
        }
    }

    fn group(&self, practice: &Practice, blocks: &'static Blocks) -> GroupView {
        let mut numbers = self.typed.blocks(blocks);
        let next = numbers.last().map_or(0, |last| last + 1);
        // One to fill in.
        let is_blank = |number: usize| self.typed.is_empty(blocks, number);
        if blocks.grows && numbers.last().is_none_or(|last| !is_blank(*last)) {
            numbers.push(next);
        }
        let count = numbers.len();
        let block = |(index, number): (usize, usize)| {
            let named = |key: &str| name_in(blocks, number, key);
            let is_new = blocks.grows && is_blank(number) && index + 1 == count;
            let fields = blocks.fields.iter();
            let fields: Vec<_> = fields
                .map(|it| self.field(practice, it, named(it.key)))
                .collect();
            let order = self.typed.get(&named(ORDER));
            BlockView {
                title: match (blocks.key, is_new) {
                    ("guide", _) => self.row_of_the_guide(practice, blocks, number),
                    (_, true) => say::add_one(blocks.name),
                    _ => {
                        let more = ["from", "price"].map(|key| self.typed.get(&named(key)));
                        let more = more.into_iter().find(|it| !it.is_empty());
                        let day = more.and_then(|it| it.parse().ok()).map(date_in_words);
                        let more = day.or_else(|| more.map(str::to_owned));
                        let name = ["name", "label"].map(|key| self.typed.get(&named(key)));
                        match more {
                            Some(more) => say::with_more(more, name.concat()),
                            None => name.concat(),
                        }
                    }
                },
                is_open: fields
                    .iter()
                    .any(|it| it.error.is_some() || it.stands.is_some()),
                order: match order {
                    "" => (index + 1).to_string(),
                    order => order.to_owned(),
                },
                order_name: named(ORDER),
                is_off: !self.typed.get(&named(OFF)).is_empty(),
                off_name: named(OFF),
                is_new,
                fields,
            }
        };
        GroupView {
            name: blocks.name,
            grows: blocks.grows,
            blocks: numbers.into_iter().enumerate().map(block).collect(),
        }
    }

    /// "Treat pain or an injury, warm stones: not sure – Relaxing massage".
    fn row_of_the_guide(&self, practice: &Practice, blocks: &Blocks, number: usize) -> String {
        let value = |key: &str| self.typed.get(&name_in(blocks, number, key));
        let goal = Goal::from_key(value("goal")).map_or("", |goal| goal.label());
        let suggests = practice.treatment(value("suggest"));
        let suggests = suggests.map_or(say::guide::NONE, |it| it.name.as_str());
        match Warmth::from_key(value("warmth")) {
            Some(warmth) => say::guide::row_with_warmth(goal, suggests, warmth),
            None => say::guide::row(goal, suggests),
        }
    }
}

/// The answers to a closed question, with the one that is chosen.
fn choices<C: Choice>(chosen: &str) -> Vec<(String, String, bool)> {
    let all = C::ALL.iter();
    all.map(|it| {
        (
            it.key().to_owned(),
            it.label().to_owned(),
            it.key() == chosen,
        )
    })
    .collect()
}

struct FieldView {
    name: String,
    label: &'static str,
    hint: &'static str,
    kind: Kind,
    is_optional: bool,
    value: String,
    error: Option<String>,
    stands: Option<String>,
    rows: usize,
    /// What is posted, what people read, and whether it is chosen.
    options: Vec<(String, String, bool)>,
}

impl FieldView {
    /// Whether a browser's calendar can show the value: of another one it shows nothing.
    fn is_day(&self) -> bool {
        let is_day = self.value.is_empty() || self.value.parse::<Date>().is_ok();
        self.kind == Kind::Day && is_day
    }
}

struct BlockView {
    title: String,
    is_open: bool,
    is_new: bool,
    order: String,
    order_name: String,
    is_off: bool,
    off_name: String,
    fields: Vec<FieldView>,
}

struct GroupView {
    name: &'static str,
    grows: bool,
    blocks: Vec<BlockView>,
}

#[derive(Template)]
#[template(path = "pages/desk/practice_section.html")]
struct SectionPage<'a> {
    frame: Frame<'a>,
    section: &'static Section,
    seen: u64,
    fields: Vec<FieldView>,
    groups: Vec<GroupView>,
    errors: &'a [(Option<String>, String)],
    conflict: bool,
    resumed: bool,
    /// Which step this is of how many, while she is led through her new practice.
    step: Option<(usize, usize)>,
    is_open: bool,
    /// The earlier wordings of the consent, on its page.
    earlier: Vec<(String, String)>,
}

/// The form of a section.
pub(super) fn section(web: &Web, status: StatusCode, shown: &Shown<'_>) -> Response {
    let practice = &web.practice;
    let fields = shown.section.fields.iter();
    let earlier = match shown.section.key {
        "consent" => practice.consent.earlier.iter(),
        _ => [].iter(),
    };
    let page = SectionPage {
        frame: Frame::signed_in(web, "/desk/practice"),
        section: shown.section,
        seen: shown.seen,
        fields: fields
            .map(|it| shown.field(practice, it, it.key.to_owned()))
            .collect(),
        groups: shown
            .section
            .blocks
            .iter()
            .map(|it| shown.group(practice, it))
            .collect(),
        errors: &shown.errors.all,
        conflict: shown.stands.is_some(),
        resumed: shown.resumed,
        step: shown.section.step().filter(|_| shown.setup),
        is_open: web.settings.is_open,
        earlier: earlier
            .map(|it| (say::until(date_in_words(it.replaced)), it.wording.clone()))
            .collect(),
    };
    page_response(web, status, &page)
}

#[derive(Template)]
#[template(path = "pages/desk/practice.html")]
struct IndexPage<'a> {
    frame: Frame<'a>,
    sections: &'static [Section],
    done: Option<&'static str>,
    saved: Option<String>,
    /// What the step back leads to.
    before: Option<String>,
    seen: u64,
    wrong: Vec<(String, String)>,
    /// "You’re away until …", and that holidays end soon.
    notes: Vec<String>,
    /// Whether clients can write.
    is_open: bool,
    /// Whether the first set-up has just come to its end.
    is_set_up: bool,
}

/// The sections.
pub(super) fn index(web: &Web, held: &Held, done: &str, now: Timestamp) -> Response {
    let practice = &web.practice;
    let day = |at: Timestamp| practice.when(at, now);
    let page = IndexPage {
        frame: Frame::signed_in(web, "/desk/practice"),
        sections: SECTIONS,
        done: match done {
            "saved" => Some(say::SAVED),
            "back" => Some(say::BACK),
            "changed" => Some(say::CHANGED),
            "gone" => Some(say::GONE),
            _ => None,
        },
        saved: held.saved_at.map(day),
        before: held.before.map(|before| match before {
            Some(at) => say::version_of(day(at)),
            None => say::FIRST_VERSION.to_owned(),
        }),
        seen: held.revision,
        wrong: held
            .wrong
            .iter()
            .map(|it| (it.key.clone(), it.message.clone()))
            .collect(),
        notes: notes(practice, now),
        is_open: web.settings.is_open,
        is_set_up: done == "setup" && web.settings.is_open,
    };
    page_response(web, StatusCode::OK, &page)
}

/// What is worth knowing about the days to come.
pub(in crate::web::desk) fn notes(practice: &Practice, now: Timestamp) -> Vec<String> {
    let today = now.to_zoned(practice.time_zone.rules().clone()).date();
    let mut notes = Vec::new();
    if let Some(back) = practice.away_until.filter(|back| *back > today) {
        notes.push(say::away(date_in_words(back)));
    }
    let last = practice.holidays.iter().map(|it| it.last).max();
    if let Some(last) = last {
        let days = last.duration_since(today).as_hours() / 24;
        if days < 0 {
            notes.push(say::HOLIDAYS_OVER.to_owned());
        } else if days <= HOLIDAYS_END {
            notes.push(say::holidays_end(date_in_words(last)));
        }
    }
    notes
}
