//! The therapist's private note on an enquiry.

use std::fmt;

use crate::messages::record::NOTE_TOO_LONG;
use crate::text;

/// A note: from 1 to [`Note::MAX`] characters, line breaks kept. It is part of what the client may ask to see. Silent in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    /// How often the note was saved: what a form that changes it says it has seen.
    pub version: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteTooLong;

impl Note {
    /// The longest note, in characters; a line break counts once.
    pub const MAX: usize = 2_000;

    /// Checks and cleans what was typed; only white space is no note.
    ///
    /// # Errors
    /// When it is longer than [`Self::MAX`].
    pub fn clean(typed: &str) -> Result<Option<String>, NoteTooLong> {
        let text = text::several_lines(typed);
        if text::length(&text) > Self::MAX {
            return Err(NoteTooLong);
        }
        Ok(Some(text).filter(|text| text::has_something_visible(text)))
    }

    /// A note as it was stored.
    #[must_use]
    pub const fn stored(text: String, version: u32) -> Self {
        Self { text, version }
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note(…)")
    }
}

impl fmt::Display for NoteTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NOTE_TOO_LONG)
    }
}

impl std::error::Error for NoteTooLong {}
