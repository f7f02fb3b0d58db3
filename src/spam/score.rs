//! The linear model: terms and signs of shape, each with a weight, added up. Evidence on both sides; no single one decides.
//!
//! The weights are those of [`super::model`], which tools/spam/fit.py writes. Nothing is parsed at start, and nothing is allocated once the text is folded.

use super::model::{self, Class, MOST_OF_A_CLASS, STEMS, Sign, TERMS};
use super::shape::signs;
use super::text::{Searchable, Typed};

/// A reason counts as one from this weight on.
const WORTH_TELLING: i32 = 50;
/// So many reasons are told.
const MOST_REASONS: usize = 3;
/// No single phrase decides: a pitch has at least so many pieces of evidence.
const ENOUGH: usize = 2;
/// What weighs less is no piece of evidence.
const A_PIECE: i32 = 50;

/// Why a text reads like a pitch, as the therapist is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Web,
    Reach,
    Business,
    Offer,
    Money,
    Middleman,
    Phishing,
    OptOut,
    Greeting,
    Links,
    Markup,
    Body,
    Program,
}

impl Reason {
    const ALL: [Self; 13] = [
        Self::Web,
        Self::Reach,
        Self::Business,
        Self::Offer,
        Self::Money,
        Self::Middleman,
        Self::Phishing,
        Self::OptOut,
        Self::Greeting,
        Self::Links,
        Self::Markup,
        Self::Body,
        Self::Program,
    ];

    const fn of_class(class: Class) -> Option<Self> {
        Some(match class {
            Class::Web => Self::Web,
            Class::Reach => Self::Reach,
            Class::Business => Self::Business,
            Class::Offer => Self::Offer,
            Class::Money => Self::Money,
            Class::Middleman => Self::Middleman,
            Class::Phishing => Self::Phishing,
            Class::Optout => Self::OptOut,
            Class::Greeting => Self::Greeting,
            _ => return None,
        })
    }

    const fn of_sign(sign: Sign) -> Option<Self> {
        Some(match sign {
            Sign::Site
            | Sign::SecondSite
            | Sign::ThirdSite
            | Sign::BareSite
            | Sign::AddressInName
            | Sign::OwnSite => Self::Links,
            Sign::Markup => Self::Markup,
            Sign::SaysNothingOfTheBody => Self::Body,
            Sign::Gibberish => Self::Program,
            _ => return None,
        })
    }
}

/// What the evidence adds up to, in hundredths of log-odds.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextScore {
    /// Above zero it reads like a pitch.
    pub(super) pitch: i32,
    /// Above zero it asks for something sexual.
    pub(super) unwanted: i32,
    reasons: [i32; Reason::ALL.len()],
    pieces: usize,
}

impl TextScore {
    /// At equal evidence an enquiry is clear.
    pub(super) const fn is_pitch(&self) -> bool {
        self.pitch > 0 && self.pieces >= ENOUGH
    }

    pub(super) const fn is_unwanted(&self) -> bool {
        self.unwanted > 0
    }

    /// Whether this reason is among the few that counted most.
    pub(super) fn tells(&self, reason: Reason) -> bool {
        let weight = |reason: Reason| self.reasons.get(reason as usize).copied().unwrap_or(0);
        let own = weight(reason);
        let before = Reason::ALL.iter().filter(|other| {
            weight(**other) > own
                || (weight(**other) == own && (**other as usize) < reason as usize)
        });
        own >= WORTH_TELLING && before.count() < MOST_REASONS
    }

    fn add(&mut self, reason: Option<Reason>, weight: i32) {
        self.pitch += weight;
        // What a program made is no phrase.
        self.pieces += match reason {
            Some(Reason::Program) => ENOUGH,
            _ => usize::from(weight >= A_PIECE),
        };
        if let Some(sum) = reason.and_then(|reason| self.reasons.get_mut(reason as usize)) {
            *sum += weight;
        }
    }
}

/// Adds up what speaks for and against a pitch and a sexual request.
pub(super) fn score(typed: &Typed<'_>, searchable: &Searchable) -> TextScore {
    let mut score = TextScore {
        pitch: model::START,
        unwanted: model::START_UNWANTED,
        reasons: [0; Reason::ALL.len()],
        pieces: 0,
    };
    let mut counted = Counted::default();
    terms(searchable.above_the_signature(), |term| {
        if counted.is_new(&term) {
            count(&mut score, &term);
        }
    });
    // Who signs as a marketing manager has a back all the same; "reply STOP" stands at the end.
    terms(searchable.signature(), |term| {
        if term.class == Class::Optout && counted.is_new(&term) {
            count(&mut score, &term);
        }
    });
    let of_the_body = [
        Class::Body,
        Class::Pain,
        Class::Medical,
        Class::Massage,
        Class::Medicalsex,
    ]
    .iter()
    .any(|class| counted.of(*class) > 0);
    let of_a_visit = counted.of(Class::Booking) + counted.of(Class::Life) >= 2;
    signs(
        typed,
        of_the_body || of_a_visit,
        searchable.words_of_the_body(),
        |sign| {
            score.add(Reason::of_sign(sign), model::weight(sign));
        },
    );
    score
}

fn count(score: &mut TextScore, term: &Term) {
    if model::is_unwanted(term.class) {
        score.unwanted += term.weight;
        score.add(None, model::pitch_weight(term.class));
    } else {
        score.unwanted += model::unwanted_weight(term.class);
        score.add(Reason::of_class(term.class), term.weight);
    }
}

/// A row of the table that stands in a text.
struct Term {
    /// Where it stands in its table, which names it.
    row: (bool, usize),
    class: Class,
    weight: i32,
}

/// Which terms have counted: each once, and a few of each class.
#[derive(Default)]
struct Counted([[Option<(bool, usize)>; MOST_OF_A_CLASS]; Class::COUNT]);

impl Counted {
    fn is_new(&mut self, term: &Term) -> bool {
        let Some(rows) = self.0.get_mut(term.class as usize) else {
            return false;
        };
        for row in rows {
            match row {
                Some(row) if *row == term.row => return false,
                Some(_) => {}
                None => {
                    *row = Some(term.row);
                    return true;
                }
            }
        }
        false
    }

    fn of(&self, class: Class) -> usize {
        let rows = self.0.get(class as usize);
        rows.map_or(0, |rows| rows.iter().flatten().count())
    }
}

/// The terms of a folded text, in its order. The longest wins, and its words are consumed.
fn terms(folded: &str, mut found: impl FnMut(Term)) {
    let mut rest = folded.trim_start_matches(' ');
    while let Some(word) = rest.split(' ').next().filter(|word| !word.is_empty()) {
        let mut consumed = word.len();
        if let Some((length, term)) = longest(rest, word) {
            consumed = length;
            found(term);
        } else if let Some(term) = stem(word) {
            found(term);
        }
        rest = rest
            .get(consumed..)
            .unwrap_or_default()
            .trim_start_matches(' ');
    }
}

/// The longest term that the text begins with, all of whose rows begin with the text's first word.
fn longest(rest: &str, word: &str) -> Option<(usize, Term)> {
    let table = Table::TERMS;
    let mut best = None;
    for at in table.first(|term| term < word)..table.starts.len() {
        let term = term_of(table.line(at));
        let Some(after) = term.strip_prefix(word) else {
            break;
        };
        if !after.is_empty() && !after.starts_with(' ') {
            break;
        }
        let ends = |rest: &str| rest.is_empty() || rest.starts_with(' ');
        if rest.strip_prefix(term).is_some_and(ends) {
            best = Some((at, term.len()));
        }
    }
    best.and_then(|(at, length)| Some((length, row((false, at), table.line(at))?)))
}

/// The stem that the word begins with. No stem begins another, so that it can only be the last one before the word.
fn stem(word: &str) -> Option<Term> {
    let table = Table::STEMS;
    let at = table.first(|stem| stem <= word).checked_sub(1)?;
    let line = table.line(at);
    if word.starts_with(term_of(line)) {
        row((true, at), line)
    } else {
        None
    }
}

/// A table, and where its lines begin: numbers, which cost no start an address to correct.
struct Table {
    text: &'static str,
    starts: &'static [usize],
}

impl Table {
    const TERMS: Self = Self {
        text: TERMS,
        starts: &starts::<{ lines(TERMS) }>(TERMS),
    };
    const STEMS: Self = Self {
        text: STEMS,
        starts: &starts::<{ lines(STEMS) }>(STEMS),
    };

    /// The first line that is not before what is looked for.
    fn first(&self, is_before: impl Fn(&str) -> bool) -> usize {
        let text = |at: &usize| self.text.get(*at..).unwrap_or_default();
        self.starts
            .partition_point(|at| is_before(term_of(text(at))))
    }

    /// The line, and what follows it.
    fn line(&self, at: usize) -> &'static str {
        let start = self.starts.get(at).copied();
        start
            .and_then(|start| self.text.get(start..))
            .unwrap_or_default()
    }
}

const fn lines(table: &str) -> usize {
    let (mut bytes, mut lines) = (table.as_bytes(), 0);
    while let Some((byte, rest)) = bytes.split_first() {
        if *byte == b'\n' {
            lines += 1;
        }
        bytes = rest;
    }
    lines
}

#[allow(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it: out of bounds does not compile"
)]
const fn starts<const LINES: usize>(table: &str) -> [usize; LINES] {
    let mut starts = [0; LINES];
    let (mut bytes, mut line, mut at) = (table.as_bytes(), 1, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        at += 1;
        if *byte == b'\n' && line < LINES {
            starts[line] = at;
            line += 1;
        }
        bytes = rest;
    }
    starts
}

/// What a line begins with. Terms are short: a search by bytes is done before one for a pattern has been prepared.
fn term_of(line: &str) -> &str {
    let end = line.bytes().position(|byte| byte == b'|');
    line.get(..end.unwrap_or(line.len())).unwrap_or_default()
}

fn row(row: (bool, usize), line: &str) -> Option<Term> {
    let mut parts = line.lines().next()?.split('|').skip(1);
    Some(Term {
        row,
        class: Class::from_name(parts.next()?)?,
        weight: parts.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spam::shape::split_signature;

    /// Every row of both tables is found by its own words, has a class and a weight, and the rows are in order.
    #[test]
    fn every_row_of_the_tables_is_found() {
        for (table, is_stem) in [(TERMS, false), (STEMS, true)] {
            let rows: Vec<&str> = table.lines().collect();
            assert!(rows.len() > 100);
            assert!(rows.is_sorted_by_key(|row| row.split('|').next().unwrap()));
            for line in rows {
                let term = line.split('|').next().unwrap();
                let mut all = Vec::new();
                let searched = if is_stem {
                    format!("{term}zqzq")
                } else {
                    term.to_owned()
                };
                terms(&format!(" {searched} "), |found| all.push(found));
                assert_eq!(all.len(), 1, "{line}");
                assert_eq!(table.lines().nth(all[0].row.1), Some(line));
                assert_eq!(all[0].row.0, is_stem, "{line}");
            }
        }
    }

    /// tools/spam/features.py sees what this code sees.
    #[test]
    fn the_samples_score_as_the_script_says() {
        let mut samples = 0;
        for line in include_str!("../../tests/spam/scores.jsonl").lines() {
            let sample: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| sample[key].as_str().unwrap();
            let (body, below) = split_signature(text("message"));
            let typed = Typed {
                name: text("name"),
                beside: vec![text("times")],
                body,
                below,
                domain: text("email").rsplit_once('@').unwrap().1,
                ticked: sample["ticked"].as_bool().unwrap(),
                phone: sample["phone"].as_bool().unwrap(),
            };
            let score = score(&typed, &Searchable::of(&typed));
            let said = |key: &str| i32::try_from(sample[key].as_i64().unwrap()).unwrap();
            assert_eq!(
                (score.pitch, score.unwanted),
                (said("pitch"), said("unwanted")),
                "{line}"
            );
            samples += 1;
        }
        assert!(samples > 100, "{samples}");
    }

    #[test]
    fn a_term_counts_once_and_four_of_a_class_at_most() {
        let scored = |body: &str| {
            let typed = Typed {
                name: "",
                beside: Vec::new(),
                body,
                below: "",
                domain: "example.com",
                ticked: false,
                phone: false,
            };
            score(&typed, &Searchable::of(&typed)).pitch
        };
        assert!(scored("seo") > scored(""));
        assert_eq!(scored("seo seo SEO"), scored("seo"));
        let four = scored("leads keywords traffic visitors");
        assert_eq!(
            four,
            scored("leads keywords traffic visitors followers advert sponsor")
        );
    }
}
