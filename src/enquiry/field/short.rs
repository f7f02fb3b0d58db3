//! What a field is called where its question would be too long.

use super::Field;
use crate::messages::field::short;

impl Field {
    /// A short label; a question of a practice's own keeps the words in which it was asked.
    #[must_use]
    pub const fn short<'a>(&self, asked: &'a str) -> &'a str {
        match self {
            Self::Name => short::NAME,
            Self::Email => short::EMAIL,
            Self::Phone => short::PHONE,
            Self::ContactBy => short::CONTACT_BY,
            Self::Area => short::AREA,
            Self::Cause => short::CAUSE,
            Self::Goal => short::GOAL,
            Self::RecentInjury => short::RECENT_INJURY,
            Self::Warmth => short::WARMTH,
            Self::Treatment => short::TREATMENT,
            Self::Times => short::TIMES,
            Self::Message => short::MESSAGE,
            Self::Consent => short::CONSENT,
            _ => asked,
        }
    }
}
