//! Moments in words, seen from another one, in the practice's zone: "today, 5pm", "Monday 30 November, 9:30am".

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use crate::messages::when;
use crate::{Practice, date_in_words};

impl Practice {
    /// A moment, seen from `now`.
    #[must_use]
    pub fn when(&self, moment: Timestamp, now: Timestamp) -> String {
        let local = moment.to_zoned(self.time_zone.rules().clone());
        when::day_and_time(self.which_day(moment, now), time_in_words(local.time()))
    }

    /// A promise, seen from `now`: "by 5pm today", "since 5pm yesterday" once it has passed.
    #[must_use]
    pub fn promise_seen_from(&self, promised_by: Timestamp, now: Timestamp) -> String {
        let local = promised_by.to_zoned(self.time_zone.rules().clone());
        let day = self.on_day(promised_by, now);
        let time = time_in_words(local.time());
        if promised_by < now {
            when::since(day, time)
        } else {
            when::by(day, time)
        }
    }

    /// The day of a moment, seen from `now`.
    #[must_use]
    pub fn which_day(&self, moment: Timestamp, now: Timestamp) -> String {
        if let Some(near) = self.near_day(moment, now) {
            return near.to_owned();
        }
        let (day, today) = (self.day(moment), self.day(now));
        if day.year() == today.year() {
            date_in_words(day)
        } else {
            format!("{} {}", date_in_words(day), day.year())
        }
    }

    /// The day of a moment within a sentence, seen from `now`: "today", "on Monday 30 November".
    #[must_use]
    pub fn on_day(&self, moment: Timestamp, now: Timestamp) -> String {
        match self.near_day(moment, now) {
            Some(near) => near.to_owned(),
            None => when::on_day(self.which_day(moment, now)),
        }
    }

    /// Yesterday, today and tomorrow.
    fn near_day(&self, moment: Timestamp, now: Timestamp) -> Option<&'static str> {
        match self.day(now).until(self.day(moment)).ok()?.get_days() {
            -1 => Some(when::YESTERDAY),
            0 => Some(when::TODAY),
            1 => Some(when::TOMORROW),
            _ => None,
        }
    }

    fn day(&self, moment: Timestamp) -> Date {
        moment.to_zoned(self.time_zone.rules().clone()).date()
    }
}

/// A time of day, to the minute: "9am", "5:30pm", "midday".
#[must_use]
pub fn time_in_words(time: Time) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    let twelve = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    let time = match (hour, minute) {
        (0, 0) => return when::MIDNIGHT.to_owned(),
        (12, 0) => return when::MIDDAY.to_owned(),
        (_, 0) => twelve.to_string(),
        _ => format!("{twelve}:{minute:02}"),
    };
    if hour < 12 {
        when::am(time)
    } else {
        when::pm(time)
    }
}
