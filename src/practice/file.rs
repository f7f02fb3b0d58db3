//! Reads and checks `practice.toml`: every fault at once, with line, key and what was expected.
//!
//! `build.rs` runs this before anything is compiled; with the feature `local` it can be run on any text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::enquiry::answers::{Area, Cause, Choice, Goal, Warmth};

use super::content::{
    Consent, Explain, GuideRow, Holiday, Letter, PhoneLine, Practice, SocialPage, Span, Suspect,
    Treatment, TreatmentKey, WorkingHours, Zone,
};

/// The longest text that is taken, in characters: nothing in a letter needs more, and a letter must stay small.
const LONGEST_TEXT: usize = 1_500;

/// The longest name, heading or other short text, in characters.
const LONGEST_LINE: usize = 120;

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// One thing that is wrong in `practice.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// The key with its section, such as `hours.monday`; empty when the text is no TOML there.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "practice.toml, line {}: {}", self.line, self.message)
        } else {
            write!(
                f,
                "practice.toml, line {}, {}: {}",
                self.line, self.key, self.message
            )
        }
    }
}

/// Everything that is wrong in `practice.toml`, in the order of the lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PracticeErrors(pub Vec<Fault>);

impl fmt::Display for PracticeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PracticeErrors {}

/// Reads a practice from the text of its file.
///
/// `tzif` finds the TZif file of a time zone: its name in the database's own spelling, and its contents.
///
/// # Errors
///
/// Every fault that was found.
pub(super) fn read(
    text: &str,
    tzif: impl Fn(&str) -> Option<(&'static str, &'static [u8])>,
) -> Result<Practice, PracticeErrors> {
    let (root, syntax) = DeTable::parse_recoverable(text);
    let mut faults = Faults {
        text,
        found: Vec::new(),
    };
    for error in &syntax {
        let message = format!("this is not written as TOML is: {}", error.message());
        faults.add(error.span().map_or(0, |span| span.start), "", message);
    }
    // What a broken line hides would be reported as missing, so the syntax comes first and alone.
    let practice = if syntax.is_empty() {
        practice(root.get_ref(), &mut faults, tzif)
    } else {
        None
    };
    faults.found.sort_by_key(|fault| fault.line);
    match practice {
        Some(practice) if faults.found.is_empty() => Ok(practice),
        _ => Err(PracticeErrors(faults.found)),
    }
}

/// What has been found wrong so far. Readers that find a fault go on with an empty value, which never gets out.
struct Faults<'t> {
    text: &'t str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, offset: usize, key: &str, message: impl Into<String>) {
        let line = self
            .text
            .bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        self.found.push(Fault {
            line,
            key: key.to_owned(),
            message: message.into(),
        });
    }
}

/// A table of the file, and which of its keys have been asked for: the others are unknown.
struct Section<'t> {
    path: String,
    offset: usize,
    table: &'t DeTable<'t>,
    known: BTreeSet<&'static str>,
}

impl<'t> Section<'t> {
    fn new(path: &str, offset: usize, table: &'t DeTable<'t>) -> Self {
        Self {
            path: path.to_owned(),
            offset,
            table,
            known: BTreeSet::new(),
        }
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn offset_of(&self, key: &str) -> usize {
        self.table
            .get_key_value(key)
            .map_or(self.offset, |(key, _)| key.span().start)
    }

    fn fault(&self, key: &str, faults: &mut Faults<'_>, message: impl Into<String>) {
        faults.add(self.offset_of(key), &self.key(key), message);
    }

    fn value(&mut self, key: &'static str) -> Option<&'t DeValue<'t>> {
        self.known.insert(key);
        self.table.get(key).map(Spanned::get_ref)
    }

    fn required(
        &mut self,
        key: &'static str,
        expected: &str,
        faults: &mut Faults<'_>,
    ) -> Option<&'t DeValue<'t>> {
        let value = self.value(key);
        if value.is_none() {
            self.fault(key, faults, format!("missing; expected {expected}"));
        }
        value
    }

    fn wrong_type(&self, key: &str, value: &DeValue<'_>, expected: &str, faults: &mut Faults<'_>) {
        self.fault(
            key,
            faults,
            format!("expected {expected}, found {}", in_plain_words(value)),
        );
    }

    /// A text, with every run of spaces and line breaks as one space.
    fn optional_text(
        &mut self,
        key: &'static str,
        longest: usize,
        faults: &mut Faults<'_>,
    ) -> Option<String> {
        let value = self.value(key)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(key, value, "a text between quotation marks", faults);
            return None;
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            self.fault(key, faults, "empty; expected a text");
        } else if text.chars().count() > longest {
            self.fault(
                key,
                faults,
                format!("too long; expected at most {longest} characters"),
            );
        } else if text.chars().any(char::is_control) {
            self.fault(
                key,
                faults,
                "holds a control character; expected a text without any",
            );
        }
        Some(text)
    }

    fn text(&mut self, key: &'static str, longest: usize, faults: &mut Faults<'_>) -> String {
        if self
            .required(key, "a text between quotation marks", faults)
            .is_none()
        {
            return String::new();
        }
        self.optional_text(key, longest, faults).unwrap_or_default()
    }

    /// A text that ends as a sentence does, because others follow it.
    fn sentences(&mut self, key: &'static str, faults: &mut Faults<'_>) -> String {
        let text = self.text(key, LONGEST_TEXT, faults);
        if !text.is_empty() && !ends_a_sentence(&text) {
            self.fault(
                key,
                faults,
                "expected full sentences; the last one has no full stop",
            );
        }
        text
    }

    fn flag(&mut self, key: &'static str, faults: &mut Faults<'_>) -> bool {
        let Some(value) = self.required(key, "true or false", faults) else {
            return false;
        };
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong_type(
                key,
                value,
                "true or false (without quotation marks)",
                faults,
            );
        }
        flag.unwrap_or_default()
    }

    fn whole_number(
        &mut self,
        key: &'static str,
        least: u8,
        most: u8,
        faults: &mut Faults<'_>,
    ) -> u8 {
        let expected = format!("a whole number from {least} to {most}");
        let Some(value) = self.required(key, &expected, faults) else {
            return least;
        };
        let number = value.as_integer().filter(|number| number.radix() == 10);
        match number.and_then(|number| number.as_str().parse::<u8>().ok()) {
            Some(number) if (least..=most).contains(&number) => number,
            _ if value.is_integer() => {
                self.fault(key, faults, format!("out of range; expected {expected}"));
                least
            }
            _ => {
                self.wrong_type(key, value, &expected, faults);
                least
            }
        }
    }

    /// A list of texts, each with the place where it stands.
    fn list(
        &mut self,
        key: &'static str,
        expected: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Vec<(usize, &'t str)>> {
        let value = self.required(key, expected, faults)?;
        let Some(list) = value.as_array() else {
            self.wrong_type(key, value, expected, faults);
            return None;
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((item.span().start, text)),
                None => faults.add(
                    item.span().start,
                    &self.key(key),
                    format!(
                        "expected {expected}, found {} in the list",
                        in_plain_words(item.get_ref())
                    ),
                ),
            }
        }
        Some(texts)
    }

    /// A date, with or without quotation marks.
    fn optional_date(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Date> {
        let value = self.value(key)?;
        let text = match value {
            DeValue::Datetime(date) => date.to_string(),
            _ => value.as_str().unwrap_or_default().to_owned(),
        };
        let date = text
            .parse::<Date>()
            .ok()
            .filter(|_| text.len() == "2027-01-31".len());
        if date.is_none() {
            let found = if text.is_empty() {
                in_plain_words(value).to_owned()
            } else {
                format!("\"{text}\"")
            };
            self.fault(
                key,
                faults,
                format!("expected a day of the calendar as \"2027-01-31\" (year-month-day), found {found}"),
            );
        }
        date
    }

    fn section(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Section<'t>> {
        let path = self.key(key);
        let expected = format!("a section that starts with [{path}]");
        let value = self.required(key, &expected, faults)?;
        match value.as_table() {
            Some(table) => Some(Section::new(
                &path,
                self.table.get(key).map_or(0, |value| value.span().start),
                table,
            )),
            None => {
                self.wrong_type(key, value, &expected, faults);
                None
            }
        }
    }

    fn blocks(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<Section<'t>> {
        let path = self.key(key);
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let expected = format!("blocks that each start with [[{path}]]");
        let Some(blocks) = value.as_array() else {
            self.wrong_type(key, value, &expected, faults);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for block in blocks.iter() {
            match block.get_ref().as_table() {
                Some(table) => sections.push(Section::new(&path, block.span().start, table)),
                None => faults.add(block.span().start, &path, format!("expected {expected}")),
            }
        }
        sections
    }

    /// Reports every key that nobody asked for.
    fn finish(self, faults: &mut Faults<'_>) {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if self.known.contains(name) {
                continue;
            }
            let known = self.known.iter().copied().collect::<Vec<_>>().join(", ");
            faults.add(
                key.span().start,
                &self.key(name),
                format!("unknown key; expected one of: {known}"),
            );
        }
    }
}

fn in_plain_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

fn ends_a_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '…'])
}

fn practice(
    root: &DeTable<'_>,
    faults: &mut Faults<'_>,
    tzif: impl Fn(&str) -> Option<(&'static str, &'static [u8])>,
) -> Option<Practice> {
    let mut root = Section::new("", 0, root);

    let mut name = String::new();
    let mut trade = String::new();
    let mut address = String::new();
    let mut phone = PhoneLine {
        shown: String::new(),
        dial: String::new(),
    };
    let mut website = None;
    let mut reference_prefix = String::new();
    let mut time_zone = None;
    if let Some(mut section) = root.section("practice", faults) {
        name = section.text("name", LONGEST_LINE, faults);
        trade = section.text("trade", LONGEST_LINE, faults);
        address = section.text("address", LONGEST_LINE, faults);
        phone = phone_line(&mut section, faults);
        website = web_address(&mut section, "website", faults);
        reference_prefix = section.text("reference_prefix", LONGEST_LINE, faults);
        let capitals = reference_prefix
            .bytes()
            .all(|byte| byte.is_ascii_uppercase());
        let sound = capitals && (2..=4).contains(&reference_prefix.len());
        if !reference_prefix.is_empty() && !sound {
            section.fault(
                "reference_prefix",
                faults,
                "expected two to four capital letters from A to Z",
            );
        }
        time_zone = zone(&mut section, faults, tzif);
        section.finish(faults);
    }

    let social = root
        .blocks("social", faults)
        .into_iter()
        .map(|section| social_page(section, faults))
        .collect();
    let hours = root
        .section("hours", faults)
        .map(|section| working_hours(section, faults))
        .unwrap_or_default();
    let holidays = root
        .blocks("holiday", faults)
        .into_iter()
        .filter_map(|section| holiday(section, faults))
        .collect();
    let mut reply_within_working_hours = 1;
    if let Some(mut section) = root.section("reply", faults) {
        reply_within_working_hours = section.whole_number("within_working_hours", 1, 80, faults);
        section.finish(faults);
    }

    let treatments = treatments(&mut root, faults);
    let guide = guide(&mut root, &treatments, faults);
    let explain = root
        .section("explain", faults)
        .map(|section| explain(section, faults));
    let letter = root
        .section("letter", faults)
        .map(|section| letter(section, faults));
    let consent = root
        .section("consent", faults)
        .map(|section| consent(section, faults));
    let suspect = root
        .section("suspect", faults)
        .map(|section| suspect(section, faults));
    root.finish(faults);

    Some(Practice {
        name,
        trade,
        address,
        phone,
        website,
        social,
        reference_prefix,
        time_zone: time_zone?,
        hours,
        holidays,
        reply_within_working_hours,
        treatments,
        guide,
        explain: explain?,
        letter: letter?,
        consent: consent?,
        suspect: suspect?,
    })
}

/// Checks the shape only: the practice knows its own number, a slip of the keys is what has to be caught.
fn phone_line(section: &mut Section<'_>, faults: &mut Faults<'_>) -> PhoneLine {
    let shown = section.text("phone", LONGEST_LINE, faults);
    let dial: String = shown
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect();
    let allowed = shown
        .chars()
        .all(|c| c.is_ascii_digit() || " +()-".contains(c));
    let digits = dial.strip_prefix('+').unwrap_or(&dial);
    let rooted = dial.starts_with('+') || dial.starts_with('0');
    let plausible = allowed && rooted && !digits.contains('+') && (7..=15).contains(&digits.len());
    if !shown.is_empty() && !plausible {
        section.fault(
            "phone",
            faults,
            "expected a phone number that starts with 0 or +, of 7 to 15 digits, with spaces, brackets or hyphens only",
        );
    }
    PhoneLine { shown, dial }
}

fn web_address(
    section: &mut Section<'_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let link = section.optional_text(key, 300, faults)?;
    let rest = link
        .strip_prefix("https://")
        .or_else(|| link.strip_prefix("http://"))
        .unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    if !host.contains('.') || link.contains([' ', '"', '<', '>', '\\']) {
        section.fault(
            key,
            faults,
            "expected a web address that starts with https://",
        );
    }
    Some(link)
}

fn zone(
    section: &mut Section<'_>,
    faults: &mut Faults<'_>,
    tzif: impl Fn(&str) -> Option<(&'static str, &'static [u8])>,
) -> Option<Zone> {
    let name = section.text("time_zone", LONGEST_LINE, faults);
    if name.is_empty() {
        return None;
    }
    let zone = tzif(&name).and_then(|(name, rules)| Zone::from_tzif(name, rules).ok());
    if zone.is_none() {
        section.fault(
            "time_zone",
            faults,
            format!("expected a time zone such as \"Europe/London\", found \"{name}\""),
        );
    }
    zone
}

fn social_page(mut section: Section<'_>, faults: &mut Faults<'_>) -> SocialPage {
    let name = section.text("name", LONGEST_LINE, faults);
    let handle = section.text("handle", LONGEST_LINE, faults);
    if section.value("link").is_none() {
        section.fault(
            "link",
            faults,
            "missing; expected a web address that starts with https://",
        );
    }
    let link = web_address(&mut section, "link", faults).unwrap_or_default();
    section.finish(faults);
    SocialPage { name, handle, link }
}

fn working_hours(mut section: Section<'_>, faults: &mut Faults<'_>) -> WorkingHours {
    let expected = "a list of spans such as [\"9:00-12:30\", \"14:00-18:00\"], or [] for a day off";
    let mut hours = WorkingHours::default();
    let mut sound = true;
    for (day, spans) in WEEKDAYS.into_iter().zip(&mut hours.days) {
        let Some(written) = section.list(day, expected, faults) else {
            sound = false;
            continue;
        };
        for (offset, text) in written {
            let Some(span) = span(text) else {
                sound = false;
                faults.add(
                    offset,
                    &section.key(day),
                    format!("expected a span such as \"9:00-17:00\" on the 24-hour clock, found \"{text}\""),
                );
                continue;
            };
            if span.from >= span.to {
                sound = false;
                faults.add(
                    offset,
                    &section.key(day),
                    format!("\"{text}\" ends before it begins; expected the earlier time first"),
                );
                continue;
            }
            if spans.last().is_some_and(|before| span.from < before.to) {
                sound = false;
                faults.add(
                    offset,
                    &section.key(day),
                    format!("\"{text}\" overlaps the span before it; expected spans in order that do not overlap"),
                );
                continue;
            }
            spans.push(span);
        }
    }
    if sound && hours.days.iter().all(Vec::is_empty) {
        faults.add(
            section.offset,
            "hours",
            "every day is a day off; expected at least one span on one day",
        );
    }
    section.finish(faults);
    hours
}

fn span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once(['-', '–'])?;
    Some(Span {
        from: minutes(from)?,
        to: minutes(to)?,
    })
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60 || hour == 24 && minute == 0).then_some(hour * 60 + minute)
}

fn holiday(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<Holiday> {
    let name = section.text("name", LONGEST_LINE, faults);
    let found = faults.found.len();
    let date = section.optional_date("date", faults);
    let from = section.optional_date("from", faults);
    let to = section.optional_date("to", faults);
    // A date that could not be read has been reported; what follows would only repeat that.
    let days = if faults.found.len() > found {
        None
    } else {
        match (date, from, to) {
            (Some(date), None, None) => Some((date, date)),
            (None, Some(from), Some(to)) => Some((from, to)),
            _ => {
                faults.add(
                    section.offset,
                    "holiday",
                    "expected either `date`, or both `from` and `to`",
                );
                None
            }
        }
    };
    if let Some((first, last)) = days {
        if last < first {
            section.fault(
                "to",
                faults,
                format!("{last} is before {first}; expected the last day off"),
            );
        } else if last.duration_since(first).as_hours() > 24 * 366 {
            section.fault(
                "to",
                faults,
                "more than a year off; expected at most 366 days in a row",
            );
        }
    }
    section.finish(faults);
    days.map(|(first, last)| Holiday { name, first, last })
}

fn treatments(root: &mut Section<'_>, faults: &mut Faults<'_>) -> Vec<Treatment> {
    let mut treatments: Vec<Treatment> = Vec::new();
    for mut section in root.blocks("treatment", faults) {
        let key = section.text("key", 40, faults);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !key.is_empty() && !key.bytes().all(plain) {
            section.fault(
                "key",
                faults,
                "expected small letters from a to z, digits and hyphens only",
            );
        }
        if treatments
            .iter()
            .any(|treatment| treatment.key.as_str() == key)
        {
            section.fault(
                "key",
                faults,
                format!("\"{key}\" is the key of another treatment; expected one of its own"),
            );
        }
        let choose_it_for = section.text("choose_it_for", 300, faults);
        if ends_a_sentence(&choose_it_for) {
            section.fault(
                "choose_it_for",
                faults,
                "expected no full stop: it ends the sentence \"Choose it for …\"",
            );
        }
        treatments.push(Treatment {
            key: TreatmentKey::listed(&key),
            name: section.text("name", LONGEST_LINE, faults),
            choose_it_for,
            how_it_works: section.sentences("how_it_works", faults),
            warm: section.flag("warm", faults),
            price: section.optional_text("price", LONGEST_LINE, faults),
            duration: section.optional_text("duration", LONGEST_LINE, faults),
        });
        section.finish(faults);
    }
    if treatments.is_empty() {
        root.fault(
            "treatment",
            faults,
            "missing; expected at least one block that starts with [[treatment]]",
        );
    }
    treatments
}

fn guide(
    root: &mut Section<'_>,
    treatments: &[Treatment],
    faults: &mut Faults<'_>,
) -> Vec<GuideRow> {
    let asks_warmth = treatments.iter().any(|treatment| treatment.warm);
    let mut rows: Vec<GuideRow> = Vec::new();
    let mut sound = true;
    for mut section in root.blocks("guide", faults) {
        let goal = one_of::<Goal>(&mut section, "goal", faults);
        let warmth = if section.value("warmth").is_none() {
            Some(Warmth::ALL.to_vec())
        } else {
            if !asks_warmth {
                section.fault(
                    "warmth",
                    faults,
                    "no treatment is warm, so nobody is asked; leave this line out",
                );
            }
            some_of::<Warmth>(&mut section, "warmth", faults)
        };
        let suggest = listed(&mut section, "suggest", treatments, faults);
        let also = listed(&mut section, "also", treatments, faults);
        let why = section.sentences("why", faults);
        let also_why = section.optional_text("also_why", LONGEST_TEXT, faults);
        // A key that could not be read has been reported: what counts here is that it is there.
        let has = |key| section.table.contains_key(key);
        if has("also") && !has("suggest") {
            section.fault("also", faults, "stands alone; expected `suggest` as well");
        }
        if also.is_some() && also == suggest {
            section.fault(
                "also",
                faults,
                "is what is suggested already; expected another treatment",
            );
        }
        if section.table.contains_key("also") != section.table.contains_key("also_why") {
            section.fault(
                "also_why",
                faults,
                "expected `also` and `also_why` together, or neither",
            );
        }
        if also_why
            .as_deref()
            .is_some_and(|text| !text.is_empty() && !ends_a_sentence(text))
        {
            section.fault(
                "also_why",
                faults,
                "expected full sentences; the last one has no full stop",
            );
        }
        match (goal, warmth) {
            (Some(goal), Some(warmth)) => {
                for answer in &warmth {
                    if rows
                        .iter()
                        .any(|row| row.goal == goal && row.warmth.contains(answer))
                    {
                        let message = if asks_warmth {
                            format!(
                                "goal \"{}\" with warmth \"{}\" is in a block above already; expected each pair once",
                                goal.key(),
                                answer.key()
                            )
                        } else {
                            format!(
                                "goal \"{}\" is in a block above already; expected each goal once",
                                goal.key()
                            )
                        };
                        section.fault("goal", faults, message);
                        if !asks_warmth {
                            break;
                        }
                    }
                }
                rows.push(GuideRow {
                    goal,
                    warmth,
                    suggest,
                    why,
                    also,
                    also_why,
                });
            }
            _ => sound = false,
        }
        section.finish(faults);
    }
    // A row that could not be read would show up a second time as a pair that is missing.
    if sound {
        for goal in Goal::ALL {
            for warmth in Warmth::ALL {
                if rows
                    .iter()
                    .any(|row| row.goal == *goal && row.warmth.contains(warmth))
                {
                    continue;
                }
                if asks_warmth {
                    root.fault(
                        "guide",
                        faults,
                        format!(
                            "no block for goal \"{}\" with warmth \"{}\"; expected one",
                            goal.key(),
                            warmth.key()
                        ),
                    );
                } else {
                    root.fault(
                        "guide",
                        faults,
                        format!("no block for goal \"{}\"; expected one", goal.key()),
                    );
                    break;
                }
            }
        }
    }
    rows
}

fn keys_of<C: Choice>() -> String {
    C::ALL
        .iter()
        .map(|choice| format!("\"{}\"", choice.key()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn one_of<C: Choice>(
    section: &mut Section<'_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Option<C> {
    let expected = format!("one of {}", keys_of::<C>());
    let value = section.required(key, &expected, faults)?;
    let choice = value.as_str().and_then(C::from_key);
    if choice.is_none() {
        match value.as_str() {
            Some(text) => section.fault(
                key,
                faults,
                format!("expected {expected}, found \"{text}\""),
            ),
            None => section.wrong_type(key, value, &expected, faults),
        }
    }
    choice
}

fn some_of<C: Choice>(
    section: &mut Section<'_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Option<Vec<C>> {
    let expected = format!("a list with some of {}", keys_of::<C>());
    let written = section.list(key, &expected, faults)?;
    if written.is_empty() {
        section.fault(
            key,
            faults,
            format!("empty; expected {expected}, or no such line at all"),
        );
        return None;
    }
    let mut choices = Vec::new();
    for (offset, text) in &written {
        match C::from_key(text) {
            Some(choice) if choices.contains(&choice) => {
                faults.add(
                    *offset,
                    &section.key(key),
                    format!("\"{text}\" is in the list twice; expected it once"),
                );
            }
            Some(choice) => choices.push(choice),
            None => {
                faults.add(
                    *offset,
                    &section.key(key),
                    format!("expected {expected}, found \"{text}\""),
                );
                return None;
            }
        }
    }
    Some(choices)
}

fn listed(
    section: &mut Section<'_>,
    key: &'static str,
    treatments: &[Treatment],
    faults: &mut Faults<'_>,
) -> Option<TreatmentKey> {
    let named = section.optional_text(key, LONGEST_LINE, faults)?;
    let found = treatments
        .iter()
        .find(|treatment| treatment.key.as_str() == named);
    if found.is_none() {
        let keys = treatments
            .iter()
            .map(|treatment| format!("\"{}\"", treatment.key))
            .collect::<Vec<_>>()
            .join(", ");
        section.fault(
            key,
            faults,
            format!("expected the key of a treatment ({keys}), found \"{named}\""),
        );
    }
    found.map(|treatment| treatment.key.clone())
}

fn explain(mut section: Section<'_>, faults: &mut Faults<'_>) -> Explain {
    let explain = Explain {
        massage: section.sentences("massage", faults),
        recent_injury: section.sentences("recent_injury", faults),
        general: section.sentences("general", faults),
        area: explanations::<Area>(&mut section, "area", faults),
        cause: explanations::<Cause>(&mut section, "cause", faults),
    };
    section.finish(faults);
    explain
}

fn explanations<C: Choice + Ord>(
    parent: &mut Section<'_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> BTreeMap<C, String> {
    if parent.value(key).is_none() {
        return BTreeMap::new();
    }
    let Some(mut section) = parent.section(key, faults) else {
        return BTreeMap::new();
    };
    let mut texts = BTreeMap::new();
    for choice in C::ALL {
        if section.value(choice.key()).is_some() {
            texts.insert(*choice, section.sentences(choice.key(), faults));
        }
    }
    section.finish(faults);
    texts
}

fn letter(mut section: Section<'_>, faults: &mut Faults<'_>) -> Letter {
    let letter = Letter {
        subject: section.text("subject", 80, faults),
        greeting: section.text("greeting", LONGEST_LINE, faults),
        thanks: section.sentences("thanks", faults),
        next_by_email: next_step(&mut section, "next_by_email", faults),
        next_by_phone: next_step(&mut section, "next_by_phone", faults),
        next_by_text: next_step(&mut section, "next_by_text", faults),
        sooner: section.sentences("sooner", faults),
        sign_off: section.text("sign_off", LONGEST_LINE, faults),
        first_lines: section.text("first_lines", 300, faults),
    };
    section.finish(faults);
    letter
}

fn next_step(section: &mut Section<'_>, key: &'static str, faults: &mut Faults<'_>) -> String {
    let text = section.sentences(key, faults);
    let rest = text.replacen("{when}", "", 1);
    if !text.is_empty() && (rest == text || rest.contains(['{', '}'])) {
        section.fault(
            key,
            faults,
            "expected {when} exactly once, where the time belongs, and no other curly brackets",
        );
    }
    text
}

fn consent(mut section: Section<'_>, faults: &mut Faults<'_>) -> Consent {
    let version = section.text("version", 40, faults);
    if !version
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
    {
        section.fault(
            "version",
            faults,
            "expected letters from A to Z, digits, full stops and hyphens only",
        );
    }
    let wording = section.sentences("wording", faults);
    section.finish(faults);
    Consent { version, wording }
}

fn suspect(mut section: Section<'_>, faults: &mut Faults<'_>) -> Suspect {
    let expected = "a list of texts such as [\"one\", \"two\"], or []";
    let mut suspect = Suspect::default();
    for (offset, word) in section.list("words", expected, faults).unwrap_or_default() {
        let word = word
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase();
        if word.chars().count() < 3 {
            faults.add(
                offset,
                "suspect.words",
                "expected at least three characters: shorter words are in too many texts",
            );
        }
        suspect.words.push(word);
    }
    for (offset, sender) in section
        .list("senders", expected, faults)
        .unwrap_or_default()
    {
        let sender = sender.trim().to_lowercase();
        let domain = sender
            .rsplit_once('@')
            .map(|(_, domain)| domain)
            .unwrap_or_default();
        let one_at = sender.matches('@').count() == 1;
        if !one_at
            || !domain.contains('.')
            || domain.starts_with('.')
            || sender.contains(char::is_whitespace)
        {
            faults.add(
                offset,
                "suspect.senders",
                format!("expected an address (\"somebody@example.com\") or a domain (\"@example.com\"), found \"{sender}\""),
            );
        }
        suspect.senders.push(sender);
    }
    section.finish(faults);
    suspect
}
