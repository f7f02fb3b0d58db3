//! Reads `practice.toml` into [`raw::Practice`]: everything that has the wrong shape comes at once, with line and key.
//!
//! Serde stops at its first error. So [`Node`] never fails: it records what is missing, unknown or of another type, gives
//! an empty value, and goes on.

use std::cell::RefCell;

use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Expected, IntoDeserializer, Visitor};
use toml::de::{DeTable, DeValue};

use crate::messages::{error, practice_file as file};
use crate::{Practice, PracticeError, PracticeErrors, check, raw};

impl Practice {
    /// Reads a practice from the text of `practice.toml`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in the text, in the order of the lines.
    pub fn from_toml(text: &str) -> Result<Self, PracticeErrors> {
        let (root, syntax) = DeTable::parse_recoverable(text);
        // What a broken line hides would be reported as missing, so the syntax comes first and alone.
        if !syntax.is_empty() {
            let told = syntax.iter().map(|error| PracticeError {
                key: String::new(),
                line: Some(line_of(text, error.span().map_or(0, |span| span.start))),
                message: file::not_toml(error.message()),
            });
            return Err(PracticeErrors(told.collect()));
        }
        let root = DeValue::Table(root.into_inner());
        let found = RefCell::default();
        let raw = raw::Practice::deserialize(Node::new(&found, String::new(), Some(&root)));
        let checked = match &raw {
            Ok(raw) => check(raw),
            Err(error) => Err(PracticeErrors(vec![PracticeError {
                key: String::new(),
                line: None,
                message: error.to_string(),
            }])),
        };
        let found = found.into_inner();
        let (practice, mut errors) = match checked {
            Ok(practice) => (Some(practice), Vec::new()),
            Err(PracticeErrors(errors)) => (None, errors),
        };
        errors.retain(|error| !found.replaces(&error.key));
        errors.extend(found.errors);
        match practice {
            Some(practice) if errors.is_empty() => Ok(practice),
            _ => {
                for error in &mut errors {
                    error.line = Some(line_of(text, offset_of(&root, &error.key)));
                }
                errors.sort_by_key(|error| error.line);
                Err(PracticeErrors(errors))
            }
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.bytes().take(offset);
    before.filter(|byte| *byte == b'\n').count() + 1
}

/// Where a key stands; for one that is not in the file, where the section is that it is missing from.
fn offset_of(root: &DeValue<'_>, key: &str) -> usize {
    let (mut offset, mut value, mut rest) = (0, root, key);
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let next = match value {
            DeValue::Array(list) => {
                let index = part.strip_suffix(']').and_then(|index| index.parse().ok());
                let item = index.and_then(|index: usize| list.get(index));
                item.map(|item| (item.span().start, item))
            }
            // An unknown key may hold full stops of its own.
            DeValue::Table(table) => table
                .get_key_value(part)
                .or_else(|| table.get_key_value(rest))
                .map(|(key, value)| (key.span().start, value)),
            _ => None,
        };
        let Some((start, inner)) = next else { break };
        (offset, value) = (start, inner.get_ref());
        rest = after.get(1..).unwrap_or_default();
    }
    offset
}

/// What was found wrong with the shape.
#[derive(Default)]
struct Found {
    errors: Vec<PracticeError>,
    /// The keys that got an empty value.
    replaced: Vec<String>,
}

impl Found {
    fn error(&mut self, key: &str, message: String) {
        self.errors.push(PracticeError {
            key: key.to_owned(),
            line: None,
            message,
        });
    }

    /// Whether this key, one around it or one below it got an empty value: what the checks say of it is a consequence.
    fn replaces(&self, key: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.replaced
            .iter()
            .any(|other| within(key, other) || within(other, key))
    }
}

/// A value of the file on its way into its type.
struct Node<'t> {
    found: &'t RefCell<Found>,
    key: String,
    /// None when it is missing.
    value: Option<&'t DeValue<'t>>,
    /// Whether it is inside something that was reported.
    silent: bool,
    /// How it is written, if its type says so.
    expected: Option<String>,
}

impl<'t> Node<'t> {
    fn new(found: &'t RefCell<Found>, key: String, value: Option<&'t DeValue<'t>>) -> Self {
        Self {
            found,
            key,
            value,
            silent: false,
            expected: None,
        }
    }

    /// Reports a value that is missing or of another type. `expected` stands in where its type says nothing itself.
    fn refuse(&self, expected: &str) {
        if self.silent {
            return;
        }
        let expected = self.expected.as_deref().unwrap_or(expected);
        let message = match self.value.map(in_plain_words) {
            Some(found) if self.key.ends_with(']') => file::not(expected, file::in_list(found)),
            Some(found) => file::not(expected, found),
            None => file::missing(expected),
        };
        let mut found = self.found.borrow_mut();
        found.error(&self.key, message);
        found.replaced.push(self.key.clone());
    }

    fn field(&self, name: &str, value: Option<&'t DeValue<'t>>) -> Self {
        let dot = if self.key.is_empty() { "" } else { "." };
        Self::new(self.found, format!("{}{dot}{name}", self.key), value)
    }

    /// The section's keys and values; none when it is no section, which is reported.
    fn entries(&self) -> Vec<(&'t str, Self)> {
        let Some(DeValue::Table(table)) = self.value else {
            self.refuse(&file::section(&self.key));
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (name, value) in table {
            let name: &'t str = name.get_ref();
            entries.push((name, self.field(name, Some(value.get_ref()))));
        }
        entries
    }
}

fn in_plain_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => file::found::TEXT,
        DeValue::Integer(_) => file::found::INTEGER,
        DeValue::Float(_) => file::found::FLOAT,
        DeValue::Boolean(_) => file::found::FLAG,
        DeValue::Datetime(_) => file::found::DATE,
        DeValue::Array(_) => file::found::LIST,
        DeValue::Table(_) => file::found::SECTION,
    }
}

impl<'t> IntoDeserializer<'t> for Node<'t> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The shapes that the raw types have.
impl<'t> Deserializer<'t> for Node<'t> {
    type Error = Error;

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(DeValue::String(text)) = self.value else {
            self.refuse(file::TEXT);
            return visitor.visit_borrowed_str("");
        };
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(DeValue::Boolean(flag)) = self.value else {
            self.refuse(file::FLAG);
            return visitor.visit_bool(false);
        };
        visitor.visit_bool(*flag)
    }

    fn deserialize_u8<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(DeValue::Integer(number)) = self.value else {
            self.refuse(file::NUMBER);
            return visitor.visit_u8(0);
        };
        // What is no u8 is out of every range too, and the checks say of which.
        visitor.visit_u8(number.to_string().parse().unwrap_or(0))
    }

    fn deserialize_u16<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(DeValue::Integer(number)) = self.value else {
            self.refuse(file::NUMBER);
            return visitor.visit_u16(0);
        };
        visitor.visit_u16(number.to_string().parse().unwrap_or(0))
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Some(_) => visitor.visit_some(self),
            None => visitor.visit_none(),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.expected = Some((&visitor as &dyn Expected).to_string());
        match self.value {
            // TOML has dates of its own.
            Some(DeValue::Datetime(date)) if name == stringify!(Day) => {
                visitor.visit_newtype_struct(date.to_string().into_deserializer())
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'t>>(mut self, visitor: V) -> Result<V::Value, Error> {
        // Lists of texts say how they are written; the others are of blocks, and no block is an empty list.
        let texts = self.expected.is_some();
        let blocks = || file::blocks(&self.key);
        self.expected = Some(self.expected.take().unwrap_or_else(blocks));
        let mut nodes = Vec::new();
        match self.value {
            Some(DeValue::Array(list)) => {
                for (index, item) in list.iter().enumerate() {
                    let key = format!("{}[{index}]", self.key);
                    let mut node = Self::new(self.found, key, Some(item.get_ref()));
                    node.expected.clone_from(&self.expected);
                    nodes.push(node);
                }
            }
            None if !texts => {}
            _ => self.refuse(file::LIST),
        }
        visitor.visit_seq(SeqDeserializer::new(nodes.into_iter()))
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        // Its keys are all optional, and so is it.
        let entries = self.value.map_or_else(Vec::new, |_| self.entries());
        visitor.visit_map(MapDeserializer::new(entries.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut entries = self.entries();
        entries.retain(|(name, node)| {
            let known = fields.contains(name);
            if !known {
                let message = error::unknown_key(fields.join(", "));
                self.found.borrow_mut().error(&node.key, message);
            }
            known
        });
        for name in fields {
            if entries.iter().all(|(given, _)| given != name) {
                let mut missing = self.field(name, None);
                missing.silent = !matches!(self.value, Some(DeValue::Table(_)));
                entries.push((name, missing));
            }
        }
        visitor.visit_map(MapDeserializer::new(entries.into_iter()))
    }

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    serde::forward_to_deserialize_any! {
        <W: Visitor<'t>>
        i8 i16 i32 i64 i128 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct tuple tuple_struct enum
        identifier ignored_any
    }
}
