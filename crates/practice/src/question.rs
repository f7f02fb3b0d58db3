//! The questions of the practice's own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::choices::{Choice, FormSection, QuestionKind};
use crate::messages::posted;

/// A question of the practice's own, as the form asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its name on the wire and in the table.
    pub key: QuestionKey,
    /// The question, as people read it.
    pub label: String,
    /// A line of help, if it has one.
    pub hint: Option<String>,
    /// What it looks like, with the answers to choose from.
    pub kind: QuestionKind,
    /// The answers to choose from: at least two for what is chosen, "yes" and "no" included, none for a text.
    pub options: Vec<QuestionOption>,
    /// Whether it has to be answered.
    pub required: bool,
    /// Where it stands.
    pub section: FormSection,
    /// Whether the answer says something about health.
    pub health: bool,
}

impl Question {
    /// The most questions of its own that a practice may ask.
    pub const MOST: usize = 12;
    /// The most of them that take several lines of text.
    pub const MOST_TEXTS: usize = 3;
    /// The most answers to choose from.
    pub const MOST_OPTIONS: usize = 20;
    /// The longest line, in characters.
    pub const LINE: usize = 200;
    /// The longest text, in characters.
    pub const TEXT: usize = 1_000;
}

/// One answer to choose from; kept with the enquiries that chose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionOption {
    /// What is posted and stored.
    pub value: String,
    /// What people read.
    pub label: String,
}

impl QuestionOption {
    /// The answers to "yes or no".
    #[must_use]
    pub fn yes_and_no() -> Vec<Self> {
        use crate::choices::RecentInjury;
        let option = |choice: &RecentInjury| Self {
            value: choice.key().to_owned(),
            label: choice.label().to_owned(),
        };
        RecentInjury::ALL.iter().map(option).collect()
    }
}

/// The name of a question's field: `q_` and the key that the practice gave it. Kept in place, so that it is copied like the name of
/// a built-in field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionKey {
    /// The name, and zeros.
    bytes: [u8; Self::BEGINNING.len() + Self::LONGEST],
}

impl QuestionKey {
    /// What the name of a question's field begins with.
    pub const BEGINNING: &'static str = "q_";
    /// The longest key, in characters, without the beginning.
    pub const LONGEST: usize = 30;

    /// The name of the field whose key the practice wrote.
    pub(crate) fn of(key: &str) -> Option<Self> {
        format!("{}{key}", Self::BEGINNING).parse().ok()
    }

    /// The name on the wire, such as `q_sport`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|byte| *byte == 0);
        let name = self.bytes.get(..end.unwrap_or(self.bytes.len()));
        name.and_then(|name| std::str::from_utf8(name).ok())
            .unwrap_or_default()
    }
}

/// A name that no field of a question can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAQuestionKey;

impl fmt::Display for NotAQuestionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(posted::NO_QUESTION)
    }
}

impl std::error::Error for NotAQuestionKey {}

impl FromStr for QuestionKey {
    type Err = NotAQuestionKey;

    fn from_str(name: &str) -> Result<Self, NotAQuestionKey> {
        let key = name.strip_prefix(Self::BEGINNING).ok_or(NotAQuestionKey)?;
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if key.is_empty() || !key.bytes().all(known) {
            return Err(NotAQuestionKey);
        }
        let mut bytes = [0; Self::BEGINNING.len() + Self::LONGEST];
        let place = bytes.get_mut(..name.len()).ok_or(NotAQuestionKey)?;
        place.copy_from_slice(name.as_bytes());
        Ok(Self { bytes })
    }
}

impl fmt::Debug for QuestionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for QuestionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for QuestionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for QuestionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}
