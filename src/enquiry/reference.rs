//! The reference of an enquiry, as people read it out on the phone: `BB-7KQ4M`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Letters and digits that are not mistaken for each other (Crockford's base 32: no I, L, O, U).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A random name for one enquiry: the practice's prefix, a hyphen and five characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// How many characters follow the prefix: 32⁵ are 33 million references. One that is taken is drawn again.
    pub const LENGTH: usize = 5;

    /// Draws a reference; `random` are bytes of a cryptographic source.
    #[must_use]
    pub fn from_random(prefix: &str, random: [u8; Self::LENGTH]) -> Self {
        let drawn = random
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
        Self(format!(
            "{prefix}-{}",
            drawn.map(|email| char::from(*email)).collect::<String>()
        ))
    }

    /// Reads a reference as an operator types it, or as it comes back from SES.
    ///
    /// # Errors
    /// When it has not the form of one.
    pub fn parse(typed: &str) -> Result<Self, NotAReference> {
        let typed = typed.trim().to_ascii_uppercase();
        let (prefix, drawn) = typed.rsplit_once('-').ok_or(NotAReference)?;
        let well_formed = (1..=8).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && drawn.len() == Self::LENGTH
            && drawn.bytes().all(|byte| ALPHABET.contains(&byte));
        if well_formed {
            Ok(Self(typed))
        } else {
            Err(NotAReference)
        }
    }

    /// The reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was given is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAReference;

impl fmt::Display for NotAReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference looks like BB-7KQ4M: the practice's letters, a hyphen and five letters or digits")
    }
}

impl std::error::Error for NotAReference {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_as_it_was_drawn() {
        let drawn = Reference::from_random("BB", [0, 31, 32, 255, 18]);
        assert_eq!(drawn.as_str(), "BB-0Z0ZJ");
        assert_eq!(Reference::parse(" bb-0z0zj "), Ok(drawn));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for typed in [
            "",
            "BB",
            "BB-",
            "BB-123",
            "BB-123456",
            "BB-1234I",
            "-12345",
            "BB 12345",
            "BB-12é4",
        ] {
            assert_eq!(Reference::parse(typed), Err(NotAReference), "{typed}");
        }
    }
}
