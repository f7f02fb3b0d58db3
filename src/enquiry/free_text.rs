//! The two free texts of the form: when the client can come, and anything else they want to say.

use super::error::FieldError;
use super::redacted::redacted;
use crate::text;

redacted! {
    /// When the client could come: at most 500 characters, line breaks kept.
    Times
}

redacted! {
    /// What the client wrote: at most 4,000 characters, line breaks kept.
    Message
}

impl Times {
    /// The longest text, in characters.
    pub const MAX: usize = 500;

    /// Checks and cleans what was typed; only white space means left out.
    ///
    /// # Errors
    /// When it is longer than [`Self::MAX`].
    pub fn parse(typed: &str) -> Result<Option<Self>, FieldError> {
        bounded(typed, Self::MAX, FieldError::TimesTooLong).map(|text| text.map(Self))
    }
}

impl Message {
    /// The longest text, in characters.
    pub const MAX: usize = 4_000;

    /// Checks and cleans what was typed; only white space means left out.
    ///
    /// # Errors
    /// When it is longer than [`Self::MAX`].
    pub fn parse(typed: &str) -> Result<Option<Self>, FieldError> {
        bounded(typed, Self::MAX, FieldError::MessageTooLong).map(|text| text.map(Self))
    }
}

fn bounded(typed: &str, max: usize, error: FieldError) -> Result<Option<String>, FieldError> {
    let text = text::several_lines(typed);
    if text.is_empty() {
        return Ok(None);
    }
    if text::length(&text) > max {
        return Err(error);
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_counts_once() {
        let typed = format!("{}\r\n{}", "a".repeat(250), "b".repeat(249));
        assert!(Times::parse(&typed).unwrap().is_some());
        assert_eq!(
            Times::parse(&format!("{typed}c")).unwrap_err().code(),
            "times_too_long"
        );
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert!(Message::parse(&"😀".repeat(4_000)).unwrap().is_some());
        assert_eq!(
            Message::parse(&"😀".repeat(4_001)).unwrap_err().code(),
            "message_too_long"
        );
    }

    #[test]
    fn only_white_space_is_left_out() {
        assert_eq!(Message::parse(" \r\n ").unwrap(), None);
    }
}
