//! Moments in words, seen from another one, in the practice's zone: "today, 5pm", "Monday 30 November, 9:30am".

use jiff::Timestamp;
use jiff::civil::Time;

use crate::{Practice, date_in_words};

impl Practice {
    /// A moment, seen from `now`.
    #[must_use]
    pub fn when(&self, moment: Timestamp, now: Timestamp) -> String {
        let local = moment.to_zoned(self.time_zone.rules().clone());
        format!(
            "{}, {}",
            self.which_day(moment, now),
            time_in_words(local.time())
        )
    }

    /// A promise, seen from `now`: "by 5pm today", "since 5pm yesterday" once it has passed.
    #[must_use]
    pub fn promise_seen_from(&self, promised_by: Timestamp, now: Timestamp) -> String {
        let local = promised_by.to_zoned(self.time_zone.rules().clone());
        let word = if promised_by < now { "since" } else { "by" };
        let day = match self.which_day(promised_by, now).as_str() {
            near @ ("today" | "yesterday" | "tomorrow") => near.to_owned(),
            date => format!("on {date}"),
        };
        format!("{word} {} {day}", time_in_words(local.time()))
    }

    /// The day of a moment, seen from `now`.
    #[must_use]
    pub fn which_day(&self, moment: Timestamp, now: Timestamp) -> String {
        let rules = self.time_zone.rules();
        let (day, today) = (
            moment.to_zoned(rules.clone()).date(),
            now.to_zoned(rules.clone()).date(),
        );
        if day == today {
            "today".to_owned()
        } else if today.yesterday().is_ok_and(|yesterday| yesterday == day) {
            "yesterday".to_owned()
        } else if today.tomorrow().is_ok_and(|tomorrow| tomorrow == day) {
            "tomorrow".to_owned()
        } else if day.year() == today.year() {
            date_in_words(day)
        } else {
            format!("{} {}", date_in_words(day), day.year())
        }
    }
}

/// A time of day, to the minute: "9am", "5:30pm", "midday".
#[must_use]
pub fn time_in_words(time: Time) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    let half = if hour < 12 { "am" } else { "pm" };
    let twelve = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    match (hour, minute) {
        (0, 0) => "midnight".to_owned(),
        (12, 0) => "midday".to_owned(),
        (_, 0) => format!("{twelve}{half}"),
        _ => format!("{twelve}:{minute:02}{half}"),
    }
}
