//! The enquiries of a month, and how they are looked through.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::enquiry::{EmailAddress, Reference};
use crate::record::Mark;

/// A month of the practice's calendar: `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// Its first day.
    first: Date,
}

impl Month {
    /// The month that this day is in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self {
            first: day.first_of_month(),
        }
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> Date {
        self.first
    }

    /// The month after it; nothing at the end of the calendar.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.first.last_of_month().tomorrow().ok().map(Self::of)
    }

    /// The month before it; nothing at the beginning of the calendar.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        self.first.yesterday().ok().map(Self::of)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (year, month) = text.split_once('-').ok_or(())?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(());
        }
        let (year, month) = (year.parse().map_err(drop)?, month.parse().map_err(drop)?);
        Date::new(year, month, 1).map(Self::of).map_err(drop)
    }
}

/// Which enquiries of a month are shown: those that everything here says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Where the therapist stands with them. Of those that wait, what looks like spam is left out.
    pub mark: Option<Mark>,
    /// Whether they look like spam.
    pub suspect: Option<bool>,
    /// What their client's name contains, whatever the case and the accents.
    pub name: Option<String>,
}

/// What was typed into the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// A reference: [`super::Desk::enquiry`].
    Reference(Reference),
    /// An address: [`super::Desk::person`].
    Address(EmailAddress),
    /// Part of a name: [`super::Desk::month`] with a [`Filter`].
    Name(String),
}

impl Search {
    /// Reads what was typed; nothing when it is empty.
    #[must_use]
    pub fn read(typed: &str) -> Option<Self> {
        let typed = crate::text::single_line(typed);
        if typed.is_empty() {
            return None;
        }
        if let Ok(reference) = Reference::parse(&typed) {
            return Some(Self::Reference(reference));
        }
        Some(match EmailAddress::parse(&typed) {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(typed),
        })
    }
}
