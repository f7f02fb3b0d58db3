//! Marks: what the therapist has done about an enquiry. A mark sends nothing to the client and is never shown to the client.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where the therapist stands with an enquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It waits for an answer. What looks like spam is not in the list of those that wait, whatever its mark.
    Waiting,
    Answered,
    /// An appointment was made.
    Booked,
    /// It is not for her.
    Declined,
}

impl Mark {
    /// Every mark.
    pub const ALL: &'static [Self] = &[Self::Waiting, Self::Answered, Self::Booked, Self::Declined];

    /// Its name in the table, in commands and in forms.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Answered => "answered",
            Self::Booked => "booked",
            Self::Declined => "declined",
        }
    }

    /// The mark of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mark| mark.key() == key)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// By which way an action came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The desk's pages, in a browser that is signed in.
    Desk,
    /// A link of one of her emails, without a session: it may have been a machine's.
    Link,
    Command,
}

impl Origin {
    /// Every origin.
    pub const ALL: &'static [Self] = &[Self::Desk, Self::Link, Self::Command];

    /// Its name in the table.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Link => "link",
            Self::Command => "command",
        }
    }

    /// The origin of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|origin| origin.key() == key)
    }
}

/// The mark that stands, and what an undo brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    #[serde(rename = "as")]
    pub mark: Mark,
    /// What stood before: an undo brings it back, for as long as this one stands.
    pub before: Mark,
    /// Since when.
    pub at: Timestamp,
    /// How it came.
    pub by: Origin,
}
