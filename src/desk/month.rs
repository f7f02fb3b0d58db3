//! The enquiries of a month.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::list::{Filter, List};
use super::{Desk, DeskError};
use crate::clock::Clock;
use crate::practice::Practice;
use crate::store::Cursor;

/// How many enquiries are on a page.
const PAGE: usize = 50;

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

    /// Its first and its last second, in the practice's time; nothing at the ends of the calendar.
    pub(super) fn span(self, practice: &Practice) -> Option<(Timestamp, Timestamp)> {
        let begin = |month: Self| {
            let zone = practice.time_zone.rules().clone();
            Some(month.first.to_zoned(zone).ok()?.timestamp())
        };
        let after = begin(self.next()?)?;
        Some((begin(self)?, after - SignedDuration::from_secs(1)))
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

impl Desk {
    /// The enquiries of a month, the latest first: after `after`, at most 50. Where the filter takes few of them, a page may be
    /// shorter although there is more. One query and one batch read, and as many again for each page that the filter skips,
    /// six at most.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn month(
        &self,
        month: Month,
        filter: &Filter,
        after: Option<&Cursor>,
        clock: &Clock,
    ) -> Result<List, DeskError> {
        let Some((first, last)) = month.span(&self.practice) else {
            return Ok(List::default());
        };
        self.list(first, last, filter, after, PAGE, clock).await
    }

    /// The months from the first enquiry that is still there until now, the latest first. One query.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn months(&self, clock: &Clock) -> Result<Vec<Month>, DeskError> {
        let zone = self.practice.time_zone.rules();
        let of = |at: Timestamp| Month::of(at.to_zoned(zone.clone()).date());
        let now = of(clock.now());
        let first = self.store.first_received().await?.map_or(now, of);
        let mut months = vec![now];
        let mut month = now;
        while month > first
            && let Some(previous) = month.previous()
        {
            month = previous;
            months.push(month);
        }
        Ok(months)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_four_digits_and_two() {
        for (text, month) in [
            ("2026-11", Some("2026-11")),
            ("2026-01", Some("2026-01")),
            ("2026-13", None),
            ("2026-00", None),
            ("2026-1", None),
            ("+026-01", None),
            ("2026-11-01", None),
            ("", None),
        ] {
            let read = text.parse::<Month>().ok();
            assert_eq!(read.map(|it| it.to_string()).as_deref(), month, "{text}");
        }
        let december: Month = "2026-12".parse().unwrap();
        assert_eq!(december.next().unwrap().to_string(), "2027-01");
        let january: Month = "2027-01".parse().unwrap();
        assert_eq!(january.previous(), Some(december));
        let last: Month = "9999-12".parse().unwrap();
        assert_eq!(last.next(), None);
    }
}
