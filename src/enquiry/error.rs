//! What can be wrong with a field: a stable code for programs and a sentence for people.

use std::borrow::Cow;

use super::field::Field;

/// Why one value was refused: a code that never changes its meaning, and words that say what to do.
///
/// The words never repeat what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Stable, for programs: `email_format`.
    pub code: &'static str,
    /// For people: what to do, in the words of the GOV.UK Design System.
    pub words: Cow<'static, str>,
}

impl Why {
    /// A reason whose words are fixed.
    #[must_use]
    pub const fn new(code: &'static str, words: &'static str) -> Self {
        Self {
            code,
            words: Cow::Borrowed(words),
        }
    }
}

/// One error of a form: the field it belongs to and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub field: Field,
    /// What is wrong and what to do.
    pub why: Why,
}
