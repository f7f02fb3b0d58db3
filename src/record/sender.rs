//! The therapist's rule for the sender of an enquiry.

use crate::spam::SenderRule;

/// What is known of who sent an enquiry. It is asked once, when the enquiry is taken up for its first email: what is said later
/// concerns what the sender sends later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KnownSender {
    /// It was not asked yet.
    #[default]
    NotAsked,
    /// This was said of them; or nothing, or a person has judged the enquiry itself, which outranks it.
    Asked(Option<SenderRule>),
}

impl KnownSender {
    const NOTHING: &str = "nothing";

    /// Its name in the table; none as long as it was not asked.
    #[must_use]
    pub fn key(self) -> Option<&'static str> {
        match self {
            Self::NotAsked => None,
            Self::Asked(rule) => Some(rule.map_or(Self::NOTHING, SenderRule::key)),
        }
    }

    /// What has this name; a rule that only a newer version knows counts as nothing.
    #[must_use]
    pub fn from_key(key: Option<&str>) -> Self {
        key.map_or(Self::NotAsked, |key| Self::Asked(SenderRule::from_key(key)))
    }

    /// What was said of them.
    #[must_use]
    pub const fn rule(self) -> Option<SenderRule> {
        match self {
            Self::NotAsked => None,
            Self::Asked(rule) => rule,
        }
    }
}
