//! Working hours, days off, and how soon an answer is promised.

use jiff::civil::Date;

use super::{At, Check};
use crate::messages::error::hours as error;
use crate::{Holiday, Span, WorkingHours, raw};

impl Check for raw::Hours {
    type Checked = WorkingHours;

    fn check(&self, at: &At<'_>) -> WorkingHours {
        let week = [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ];
        at.expect(
            week.iter().any(|(_, spans)| !spans.0.is_empty()),
            error::NONE,
        );
        WorkingHours {
            days: week.map(|(day, spans)| spans.check(&at.field(day))),
        }
    }
}

impl Check for raw::Spans {
    type Checked = Vec<Span>;

    fn check(&self, at: &At<'_>) -> Vec<Span> {
        let mut checked: Vec<Span> = Vec::new();
        for (index, text) in self.0.iter().enumerate() {
            let at = at.item(index);
            match span(text) {
                None => at.error(error::span(text)),
                Some(span) if span.from >= span.to => at.error(error::backwards(text)),
                Some(span) if checked.last().is_some_and(|before| span.from < before.to) => {
                    at.error(error::overlap(text));
                }
                Some(span) => checked.push(span),
            }
        }
        checked
    }
}

impl Check for raw::Reply {
    type Checked = u8;

    fn check(&self, at: &At<'_>) -> u8 {
        let hours = self.within_working_hours.0;
        at.field("within_working_hours")
            .expect((1..=80).contains(&hours), error::REPLY);
        hours
    }
}

impl Check for raw::Day {
    type Checked = Date;

    fn check(&self, at: &At<'_>) -> Date {
        let day = Some(&self.0)
            .filter(|text| text.len() == "2027-01-31".len())
            .and_then(|text| text.parse().ok());
        at.expect(day.is_some(), error::day(&self.0));
        day.unwrap_or_default()
    }
}

impl Check for raw::Holiday {
    type Checked = Holiday;

    fn check(&self, at: &At<'_>) -> Holiday {
        let name = self.name.check(&at.field("name"));
        let date = self.date.check(&at.field("date"));
        let from = self.from.check(&at.field("from"));
        let to = self.to.check(&at.field("to"));
        let (first, last) = match (date, from, to) {
            (Some(date), None, None) => (date, date),
            (None, Some(from), Some(to)) => (from, to),
            _ => {
                at.error(error::HOLIDAY);
                (Date::ZERO, Date::ZERO)
            }
        };
        // A day that could not be read has been reported.
        if last < first && last != Date::ZERO {
            at.field("to").error(error::last_before_first(first, last));
        } else if first != Date::ZERO && last.duration_since(first).as_hours() > 24 * 366 {
            at.field("to").error(error::TOO_MANY_DAYS);
        }
        Holiday { name, first, last }
    }
}

fn span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once(['-', '–'])?;
    Some(Span {
        from: minutes(from)?,
        to: minutes(to)?,
    })
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60 || hour == 24 && minute == 0).then_some(hour * 60 + minute)
}
