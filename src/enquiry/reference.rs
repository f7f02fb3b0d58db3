//! The reference of an enquiry, as people read it out on the phone: `BB-7KQ4M`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::messages;

/// Letters and digits that are not mistaken for each other (Crockford's base 32: no I, L, O, U).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Those of them that are generated: no vowel and nothing that looks like one.
const GENERATED: &[u8; 24] = b"256789BCDFGHJKMNPQRSTWXZ";

/// What stands in the middle, so that no three letters meet: no reference spells a word, rude or not.
const MIDDLE: &[u8; 6] = b"256789";

/// A random name for one enquiry: the practice's prefix, a hyphen and five characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// How many characters follow the prefix: two million references. One that is taken is generated anew.
    pub const LENGTH: usize = 5;

    /// Generates a reference; `random` are bytes of a cryptographic source.
    #[must_use]
    pub fn from_random(prefix: &str, random: [u8; Self::LENGTH]) -> Self {
        let generated = random.iter().enumerate().filter_map(|(place, byte)| {
            let alphabet = if place == Self::LENGTH / 2 {
                &MIDDLE[..]
            } else {
                GENERATED
            };
            alphabet.get(usize::from(*byte) % alphabet.len())
        });
        Self(format!(
            "{prefix}-{}",
            generated
                .map(|letter| char::from(*letter))
                .collect::<String>()
        ))
    }

    /// Reads a reference as a client or an operator writes it down, or as it comes back from SES: in any case, with spaces, other
    /// hyphens or none, and with O for 0, I or L for 1 in what was generated, as Crockford's base 32 is read.
    ///
    /// # Errors
    /// When it has not the form of one.
    pub fn parse(typed: &str) -> Result<Self, NotAReference> {
        let typed: String = typed
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| {
                if is_hyphen(c) {
                    '-'
                } else {
                    c.to_ascii_uppercase()
                }
            })
            .collect();
        let (prefix, generated) = match typed.split_once('-') {
            Some((prefix, generated)) => (prefix, generated.replace('-', "")),
            None => {
                let length = typed.len().checked_sub(Self::LENGTH).ok_or(NotAReference)?;
                let (prefix, generated) = typed.split_at_checked(length).ok_or(NotAReference)?;
                (prefix, generated.to_owned())
            }
        };
        let generated = generated.replace('O', "0").replace(['I', 'L'], "1");
        let well_formed = (1..=8).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && generated.len() == Self::LENGTH
            && generated.bytes().all(|byte| ALPHABET.contains(&byte));
        if well_formed {
            Ok(Self(format!("{prefix}-{generated}")))
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

/// Hyphens and dashes as keyboards and word processors have them.
const fn is_hyphen(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// What was given is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAReference;

impl fmt::Display for NotAReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(messages::error::NOT_A_REFERENCE)
    }
}

impl std::error::Error for NotAReference {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_as_it_was_generated() {
        let generated = Reference::from_random("BB", [0, 31, 32, 255, 18]);
        assert_eq!(generated.as_str(), "BB-2C6NR");
        assert_eq!(Reference::parse(" bb-2c6nr "), Ok(generated));
    }

    #[test]
    fn a_reference_is_understood_however_it_is_written_down() {
        for typed in [
            "BB-01K4M",
            "bb-o1k4m",
            "BB-OIK4M",
            "BB-0lK4M",
            "BB 01K4M",
            "BB01K4M",
            "b b 0 1 k 4 m",
            "BB - 01K 4M",
            "BB-01-K4M",
            "BB\u{2013}01K4M",
            "BB\u{2011}01K4M",
            "\tBB-01K4M\n",
        ] {
            let read = Reference::parse(typed);
            assert_eq!(
                read.as_ref().map(Reference::as_str),
                Ok("BB-01K4M"),
                "{typed}"
            );
        }
        // The practice's letters are its own.
        let read = Reference::parse("oil-o1k4m");
        assert_eq!(read.as_ref().map(Reference::as_str), Ok("OIL-01K4M"));
    }

    #[test]
    fn no_reference_spells_a_word() {
        // Digits as they are read for letters.
        let looks = |c: char| match c {
            '0' => 'O',
            '1' => 'I',
            '3' => 'E',
            '4' => 'A',
            c => c,
        };
        for random in 0..=u16::MAX {
            let [a, b] = random.to_be_bytes();
            for reference in [
                Reference::from_random("BB", [a, b, a.wrapping_add(b), b, a]),
                Reference::from_random("BB", [b, a, a, a ^ b, b]),
            ] {
                let generated: String = reference.as_str()[3..].chars().map(looks).collect();
                assert!(
                    !generated.contains(['A', 'E', 'I', 'O', 'U', 'V', 'Y']),
                    "{reference}"
                );
                let letters = generated.split(|c: char| c.is_ascii_digit()).map(str::len);
                assert!(letters.max() < Some(3), "{reference}");
            }
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for typed in [
            "",
            "BB",
            "BB-",
            "BB-123",
            "BB-123456",
            "BB-1234U",
            "-12345",
            "12345",
            "BB-12é4",
            "BB-12é45",
            "BBé2345",
            "B.B-12345",
            "BB_12345",
            "BB-12#45",
        ] {
            assert_eq!(Reference::parse(typed), Err(NotAReference), "{typed}");
        }
    }
}
