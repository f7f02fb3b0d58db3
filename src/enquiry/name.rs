//! The client's name: any script, no control characters.

use super::error::FieldError;
use super::redacted::redacted;
use crate::text;

redacted! {
    /// A person's name: 1 to 100 characters after trimming, in any script.
    Name
}

impl Name {
    /// The longest name, in characters.
    pub const MAX: usize = 100;

    /// Checks and cleans a typed name.
    ///
    /// # Errors
    /// When nothing visible is left, it is longer than [`Self::MAX`], or it holds a control character.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let name = text::single_line(typed);
        if !text::has_something_visible(&name) {
            return Err(FieldError::NameRequired);
        }
        if text::length(&name) > Self::MAX {
            return Err(FieldError::NameTooLong);
        }
        if name.contains(text::is_control) {
            return Err(FieldError::NameControl);
        }
        Ok(Self(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_whole_world_are_names() {
        for name in [
            "Zoë",
            "O'Brien",
            "Nguyễn Thị Minh",
            "李",
            "Dr. Anne-Marie 3rd",
            "\u{645}\u{62d}\u{645}\u{62f}",
            "<b>",
        ] {
            assert_eq!(Name::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_no_name_says_what_to_do() {
        for (typed, code) in [
            ("", "name_required"),
            (" \u{200b}\u{200d} ", "name_required"),
            ("Zoë\nBcc: x@example.com", "name_control"),
            ("a\u{0}b", "name_control"),
        ] {
            assert_eq!(Name::parse(typed).unwrap_err().code(), code);
        }
        assert!(Name::parse(&"ł".repeat(100)).is_ok());
        assert_eq!(
            Name::parse(&"ł".repeat(101)).unwrap_err().code(),
            "name_too_long"
        );
    }

    #[test]
    fn debug_is_silent() {
        assert_eq!(
            format!("{:?}", Name::parse("Zoë").unwrap()),
            "Name(4 bytes)"
        );
    }
}
