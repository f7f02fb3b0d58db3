//! Times as the pages of the desk say them, in the practice's zone: "today, 5pm", "Monday 30 November, 9:30am".

use jiff::Timestamp;
use jiff::civil::Time;

use crate::practice::{Practice, date_in_words};

/// A moment, seen from `now`.
pub(super) fn moment(practice: &Practice, moment: Timestamp, now: Timestamp) -> String {
    let local = moment.to_zoned(practice.time_zone.rules().clone());
    format!(
        "{}, {}",
        day(practice, moment, now),
        time_in_words(local.time())
    )
}

/// The day of a moment, seen from `now`.
pub(super) fn day(practice: &Practice, moment: Timestamp, now: Timestamp) -> String {
    let rules = practice.time_zone.rules();
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

/// A time of day, to the minute: "9am", "5:30pm", "midday".
pub(super) fn time_in_words(time: Time) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::practice;

    #[test]
    fn times_are_said_as_people_say_them() {
        let practice = practice::compiled();
        let now = "2026-11-28T14:00:00Z".parse().unwrap();
        for (moment_, words) in [
            ("2026-11-28T17:00:00Z", "today, 5pm"),
            ("2026-11-27T17:30:00Z", "yesterday, 5:30pm"),
            ("2026-11-29T00:05:00Z", "tomorrow, 12:05am"),
            ("2026-11-30T12:00:00Z", "Monday 30 November, midday"),
            ("2026-06-01T23:30:00Z", "Tuesday 2 June, 12:30am"),
            ("2025-11-30T00:00:00Z", "Sunday 30 November 2025, midnight"),
        ] {
            assert_eq!(moment(practice, moment_.parse().unwrap(), now), words);
        }
    }
}
