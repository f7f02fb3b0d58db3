//! By when an answer can be expected, and working hours in words.
//!
//! The rule: an answer is promised within so many working hours. Only time within the working hours counts, so nights,
//! closed days and holidays pass for nothing, and neither does anything before the therapist is back. The moment is
//! then rounded up to the next full hour, but never past the end of the span it falls into.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span as Duration, Timestamp, Zoned};

use crate::messages::when;
use crate::{Practice, Span, time_in_words};

/// How many days are looked through: more than any row of holidays that `practice.toml` can reasonably hold.
pub(crate) const HORIZON_DAYS: u16 = 3 * 366;

/// Days of the week with the same working hours, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDays {
    /// "Monday to Friday", or "Saturday".
    pub days: String,
    /// "9am to 5pm", with more spans after "and".
    pub hours: String,
}

impl Practice {
    /// By when an enquiry is answered that came in at `received`.
    #[must_use]
    pub fn reply_by(&self, received: Timestamp) -> Zoned {
        let zone = self.time_zone.rules();
        let received = received.to_zoned(zone.clone());
        let mut left = SignedDuration::from_hours(i64::from(self.reply_within_working_hours));
        let mut day = self
            .away_until
            .map_or(received.date(), |back| back.max(received.date()));
        for _ in 0..HORIZON_DAYS {
            for span in self.spans(day) {
                let (Some(opens), Some(closes)) =
                    (moment(day, span.from, zone), moment(day, span.to, zone))
                else {
                    continue;
                };
                let begins = if received > opens { &received } else { &opens };
                let open = begins.duration_until(&closes);
                if open < left {
                    left -= open.max(SignedDuration::ZERO);
                    continue;
                }
                let due = begins
                    .checked_add(left)
                    .map_or_else(|_| closes.clone(), round_up);
                return if due > closes { closes } else { due };
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        // Only holidays without end lead here; the last day that was looked at is as good as any.
        moment(day, 0, zone).unwrap_or(received)
    }

    /// A promise in words, such as "by 10am on Tuesday", for an enquiry that came in at `received`.
    #[must_use]
    pub fn promise_in_words(&self, promised_by: Timestamp, received: Timestamp) -> String {
        let zone = self.time_zone.rules();
        in_words(&promised_by.to_zoned(zone.clone()), received)
    }

    /// The working hours in words, days with the same hours together; closed days are left out.
    #[must_use]
    pub fn working_days(&self) -> Vec<WorkingDays> {
        let mut groups: Vec<(Weekday, Weekday, &[Span])> = Vec::new();
        for weekday in Weekday::Monday.cycle_forward().take(7) {
            let spans = self.hours.on(weekday);
            match groups.last_mut() {
                Some((_, last, same)) if *same == spans => *last = weekday,
                _ => groups.push((weekday, weekday, spans)),
            }
        }
        groups
            .into_iter()
            .filter(|(_, _, spans)| !spans.is_empty())
            .map(|(first, last, spans)| {
                let span = |it: &Span| when::hours::span(short_time(it.from), short_time(it.to));
                let spans = spans.iter().map(span);
                WorkingDays {
                    days: match (name_of(first), name_of(last)) {
                        (only, _) if first == last => only,
                        (first_name, name) if last == first.next() => {
                            when::hours::two_days(first_name, name)
                        }
                        (first, last) => when::hours::days(first, last),
                    },
                    hours: spans
                        .reduce(|spans, span| when::hours::several(span, spans))
                        .unwrap_or_default(),
                }
            })
            .collect()
    }

    pub(crate) fn spans(&self, day: Date) -> &[Span] {
        if self
            .holidays
            .iter()
            .any(|holiday| holiday.first <= day && day <= holiday.last)
        {
            return &[];
        }
        self.hours.on(day.weekday())
    }
}

/// A moment of a day. Where summer time begins, a time that the clocks jump over is taken as the one an hour later.
pub(crate) fn moment(day: Date, minutes: u16, zone: &TimeZone) -> Option<Zoned> {
    let time: DateTime = day
        .at(0, 0, 0, 0)
        .checked_add(Duration::new().minutes(i64::from(minutes)))
        .ok()?;
    time.to_zoned(zone.clone()).ok()
}

/// The next full hour on the clock, or the moment itself if it is one.
fn round_up(moment: Zoned) -> Zoned {
    let past = i64::from(moment.minute()) * 60 + i64::from(moment.second());
    if past == 0 && moment.subsec_nanosecond() == 0 {
        return moment;
    }
    let rest = SignedDuration::from_secs(3600 - past)
        - SignedDuration::from_nanos(i64::from(moment.subsec_nanosecond()));
    moment.checked_add(rest).unwrap_or(moment)
}

/// A promise in words: "by 10am on Tuesday". From a week after `since` on, the date is named too: "by
/// midday on Friday 2 January".
///
/// There is no "today" or "tomorrow" in it, since a mail may be read on another day than it was written on.
#[must_use]
pub fn in_words(by: &Zoned, since: Timestamp) -> String {
    let midnight = by.hour() == 0 && by.minute() == 0;
    // "Midnight" leaves people wondering which of two nights is meant.
    let day = if midnight {
        by.date().yesterday().unwrap_or(by.date())
    } else {
        by.date()
    };
    let first = since.to_zoned(by.time_zone().clone()).date();
    let name = if first.duration_until(day).as_hours() < 7 * 24 {
        name_of(day.weekday())
    } else {
        date_in_words(day)
    };
    if midnight {
        return when::by_end(name);
    }
    when::by_time(name, time_in_words(by.time()))
}

/// A time of working hours, which may be the end of the day: "9am", "5:30pm", "midday", "midnight".
fn short_time(minutes: u16) -> String {
    let hour = i8::try_from(minutes / 60 % 24).unwrap_or_default();
    let minute = i8::try_from(minutes % 60).unwrap_or_default();
    Time::new(hour, minute, 0, 0).map_or_else(|_| String::new(), time_in_words)
}

fn name_of(weekday: Weekday) -> String {
    // Any day of that name.
    let day = Date::constant(2024, 1, 1).nth_weekday(1, weekday);
    day.map_or_else(|_| String::new(), |day| day.strftime("%A").to_string())
}

/// A day in words: "Friday 2 January".
#[must_use]
pub fn date_in_words(date: Date) -> String {
    date.strftime("%A %-d %B").to_string()
}
