//! By when an answer is promised, and working hours in words.

use crate::Practice;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::tests::{SOURCE, edited};

fn the_practice() -> Practice {
    Practice::from_toml(SOURCE).unwrap()
}

/// When an enquiry comes in (London time), until when the therapist is away, and what is promised.
type PromiseCase = (
    &'static str,
    Option<Date>,
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const PROMISES: &[PromiseCase] = &[
    // Eight working hours, Monday to Friday from 9 to 5.
    ("2026-11-23T09:00", None, "2026-11-23T17:00", "by 5pm on Monday", "exactly at opening: the whole day"),
    ("2026-11-23T15:00", None, "2026-11-24T15:00", "by 3pm on Tuesday", "two hours today, six tomorrow"),
    ("2026-11-23T10:20", None, "2026-11-24T11:00", "by 11am on Tuesday", "rounded up to the hour"),
    ("2026-11-23T16:59:59", None, "2026-11-24T17:00", "by 5pm on Tuesday", "just before closing"),
    ("2026-11-23T17:00", None, "2026-11-24T17:00", "by 5pm on Tuesday", "at closing"),
    ("2026-11-24T00:00", None, "2026-11-24T17:00", "by 5pm on Tuesday", "at midnight"),
    ("2026-11-23T23:59:59", None, "2026-11-24T17:00", "by 5pm on Tuesday", "just before midnight"),
    ("2026-11-27T12:00", None, "2026-11-30T12:00", "by midday on Monday", "over a weekend"),
    ("2026-11-28T11:00", None, "2026-11-30T17:00", "by 5pm on Monday", "on a Saturday"),
    ("2026-12-24T12:00", None, "2026-12-29T12:00", "by midday on Tuesday", "over Christmas, which ends with a Monday off"),
    ("2026-12-31T12:00", None, "2027-01-04T12:00", "by midday on Monday", "New Year's Day and a weekend"),
    ("2026-03-27T16:00", None, "2026-03-30T16:00", "by 4pm on Monday", "summer time begins in between"),
    ("2026-10-23T16:00", None, "2026-10-26T16:00", "by 4pm on Monday", "summer time ends in between"),
    ("2026-11-23T10:00", Some(date(2026, 12, 2)), "2026-12-02T17:00", "by 5pm on Wednesday 2 December", "away for more than a week"),
    ("2026-11-23T10:00", Some(date(2026, 11, 25)), "2026-11-25T17:00", "by 5pm on Wednesday", "away until Wednesday"),
    ("2026-11-23T10:00", Some(date(2026, 11, 28)), "2026-11-30T17:00", "by 5pm on Monday 30 November", "back on a closed day; a week from today has its date"),
    ("2026-11-23T10:00", Some(date(2026, 11, 23)), "2026-11-24T10:00", "by 10am on Tuesday", "back today"),
    ("2026-11-23T10:00", Some(date(2020, 1, 1)), "2026-11-24T10:00", "by 10am on Tuesday", "back long ago"),
    ("2026-12-20T10:00", Some(date(2027, 1, 1)), "2027-01-04T17:00", "by 5pm on Monday 4 January", "back on a holiday"),
];

#[test]
fn a_promise_counts_working_hours_only() {
    check_promises(&the_practice(), PROMISES);
}

fn check_promises(practice: &Practice, cases: &[PromiseCase]) {
    for (received, away_until, due, words, reason) in cases {
        let mut practice = practice.clone();
        practice.away_until = *away_until;
        let zone = practice.time_zone.rules();
        let received = received
            .parse::<jiff::civil::DateTime>()
            .unwrap()
            .to_zoned(zone.clone())
            .unwrap()
            .timestamp();
        let due = due.parse::<jiff::civil::DateTime>().unwrap();
        assert_eq!(practice.reply_by(received).datetime(), due, "{reason}");
        assert_eq!(
            practice.promise_in_words(practice.reply_by(received).timestamp(), received),
            *words,
            "{reason}"
        );
    }
}

#[test]
fn a_promise_knows_other_hours() {
    let text = edited(
        "monday = [\"9:00-17:00\"]",
        "monday = [\"9:30-12:30\", \"14:00-18:30\"]",
    )
    .replacen(
        "tuesday = [\"9:00-17:00\"]",
        "tuesday = [\"20:00-24:00\"]",
        1,
    )
    .replacen("within_working_hours = 8", "within_working_hours = 4", 1);
    #[rustfmt::skip]
    check_promises(&Practice::from_toml(&text).unwrap(), &[
        ("2026-11-23T08:00", None, "2026-11-23T15:00", "by 3pm on Monday", "over a lunch break"),
        ("2026-11-23T14:20", None, "2026-11-23T18:30", "by 6:30pm on Monday", "never past closing"),
        ("2026-11-24T09:00", None, "2026-11-25T00:00", "by the end of Tuesday", "midnight is named by the day that it ends"),
    ]);
}

#[test]
fn working_hours_on_the_night_of_the_clocks_are_counted_as_they_pass() {
    let text = edited("sunday = []", "sunday = [\"0:00-4:00\"]").replacen(
        "within_working_hours = 8",
        "within_working_hours = 3",
        1,
    );
    #[rustfmt::skip]
    check_promises(&Practice::from_toml(&text).unwrap(), &[
        ("2026-03-29T00:00", None, "2026-03-29T04:00", "by 4am on Sunday", "the night has an hour less"),
        ("2026-10-25T00:00", None, "2026-10-25T02:00", "by 2am on Sunday", "the night has an hour more"),
    ]);
}

#[test]
fn a_promise_comes_to_an_end_whatever_the_date() {
    let mut practice = the_practice();
    for (received, away_until) in [
        (jiff::Timestamp::MAX, Some(Date::MAX)),
        (jiff::Timestamp::MIN, None),
    ] {
        practice.away_until = away_until;
        let promise = practice.reply_by(received).timestamp();
        assert!(!practice.promise_in_words(promise, received).is_empty());
    }
    practice.away_until = Some(date(9000, 1, 1));
    let far = practice.reply_by("2026-11-23T10:00Z".parse().unwrap());
    assert_eq!(far.year(), 9000);
}

#[test]
fn a_promise_is_kept_in_the_zone_of_the_practice() {
    let practice = Practice::from_toml(&edited("Europe/London", "Australia/Sydney")).unwrap();
    let due = practice.reply_by("2026-11-22T22:00Z".parse().unwrap());
    assert_eq!(due.datetime(), date(2026, 11, 23).at(17, 0, 0, 0));
    assert_eq!(due.timestamp(), "2026-11-23T06:00Z".parse().unwrap());
    assert_ne!(due.time_zone(), &TimeZone::UTC);
}

#[test]
fn working_hours_are_told_with_equal_days_together() {
    let told = |practice: &Practice| -> Vec<String> {
        practice
            .working_days()
            .into_iter()
            .map(|group| format!("{}: {}", group.days, group.hours))
            .collect()
    };
    assert_eq!(told(&the_practice()), ["Monday to Friday: 9am to 5pm"]);
    let text = edited("wednesday = [\"9:00-17:00\"]", "wednesday = []").replacen(
        "saturday = []",
        "saturday = [\"9:30-12:00\", \"20:00-24:00\"]",
        1,
    );
    let practice = Practice::from_toml(&text).unwrap();
    assert_eq!(
        told(&practice),
        [
            "Monday and Tuesday: 9am to 5pm",
            "Thursday and Friday: 9am to 5pm",
            "Saturday: 9:30am to midday and 8pm to midnight"
        ]
    );
}

#[test]
fn times_are_said_as_people_say_them() {
    let practice = the_practice();
    let now = "2026-11-28T14:00:00Z".parse().unwrap();
    for (moment, words, promise) in [
        ("2026-11-28T17:00:00Z", "today, 5pm", "by 5pm today"),
        (
            "2026-11-27T17:30:00Z",
            "yesterday, 5:30pm",
            "since 5:30pm yesterday",
        ),
        (
            "2026-11-29T00:05:00Z",
            "tomorrow, 12:05am",
            "by 12:05am tomorrow",
        ),
        (
            "2026-11-30T12:00:00Z",
            "Monday 30 November, midday",
            "by midday on Monday 30 November",
        ),
        (
            "2026-06-01T23:30:00Z",
            "Tuesday 2 June, 12:30am",
            "since 12:30am on Tuesday 2 June",
        ),
        (
            "2025-11-30T00:00:00Z",
            "Sunday 30 November 2025, midnight",
            "since midnight on Sunday 30 November 2025",
        ),
    ] {
        let moment = moment.parse().unwrap();
        assert_eq!(practice.when(moment, now), words);
        assert_eq!(practice.promise_seen_from(moment, now), promise);
    }
}

#[test]
fn working_time_is_counted_within_the_hours_only() {
    let mut practice = the_practice();
    let zone = practice.time_zone.rules().clone();
    let at = |text: &str| {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(zone.clone()).unwrap().timestamp()
    };
    let hours = jiff::SignedDuration::from_hours;
    for (from, to, time) in [
        ("2026-11-24T10:00", "2026-11-24T12:00", hours(2)),
        ("2026-11-24T16:00", "2026-11-25T10:00", hours(2)),
        // A weekend; Christmas until the 28th, a Monday.
        ("2026-11-27T16:00", "2026-11-30T10:00", hours(2)),
        ("2026-12-24T16:00", "2026-12-29T10:00", hours(2)),
        ("2026-11-25T10:00", "2026-11-24T10:00", hours(0)),
    ] {
        assert_eq!(
            practice.working_time_between(at(from), at(to)),
            time,
            "{from}"
        );
        if time > hours(0) {
            assert_eq!(practice.working_time_before(at(to), time), at(from), "{to}");
        }
    }
    let tuesday = date(2026, 12, 29);
    assert_eq!(
        practice.working_day_before(tuesday),
        Some(date(2026, 12, 24))
    );
    assert!(practice.opens(date(2026, 12, 28)).is_none());
    practice.away_until = Some(date(2027, 1, 4));
    assert!(practice.is_away(tuesday) && !practice.is_away(date(2027, 1, 4)));
    let opens = practice.opens(tuesday).unwrap();
    assert_eq!(opens.timestamp(), at("2026-12-29T09:00"));
}

#[test]
fn a_time_zone_has_a_name_that_people_use() {
    for (zone, words) in [
        ("Europe/London", "UK time"),
        ("Europe/Berlin", "Berlin time"),
        ("America/New_York", "New York time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
        ("UTC", "UTC"),
    ] {
        let practice = edited(
            "time_zone = \"Europe/London\"",
            &format!("time_zone = \"{zone}\""),
        );
        let practice = Practice::from_toml(&practice).unwrap();
        assert_eq!(practice.time_zone.in_words(), words);
    }
}
