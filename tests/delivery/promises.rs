//! Promises and what reminds of them: the morning list, the reminder shortly before, and Monday's list, lived by the clock of a
//! practice that works from Monday to Friday, 9 to 5, and promises an answer within eight working hours.

use enquiry_desk::clock::Clock;
use enquiry_desk::enquiry::Reference;
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::record::{Mark, Origin};
use enquiry_desk::withdrawal::{Action, Withdrawal};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::pending::Bench;

const PUBLIC_URL: (&str, &str) = ("PUBLIC_URL", "https://desk.example.com");

/// A moment in London's winter time: a day of November or December 2026.
fn on(day: &str, time: &str) -> Timestamp {
    format!("2026-{day}T{time}:00Z").parse().unwrap()
}

fn clock(now: Timestamp) -> Clock {
    Clock::new(now, now + SignedDuration::from_secs(29))
}

impl Bench {
    /// Lives from one moment to another: the timers of every half an hour. Returns the subjects of what came to the therapist.
    async fn live(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        let before = self.emails().len();
        let mut now = from;
        while now < to {
            self.invoke(now, json!({ "command": "remind" })).await;
            self.sweep(now).await;
            now += SignedDuration::from_mins(30);
        }
        let emails = self.emails();
        let new = emails[before..].iter();
        let to_therapist = new.filter(|email| email.to == ["therapist@example.com"]);
        to_therapist.map(|email| email.subject.clone()).collect()
    }

    async fn mark(&self, reference: &str, mark: Mark, by: Origin, now: Timestamp) {
        let reference = Reference::parse(reference).unwrap();
        let clock = clock(now);
        let marked = self.app.desk.mark(&reference, mark, None, by, &clock);
        assert!(marked.await.unwrap().is_done());
    }

    /// A practice in which marking is in use: one enquiry of the week before was answered.
    async fn marking() -> Self {
        Self::marking_for(practice::compiled().clone()).await
    }

    async fn marking_for(practice: Practice) -> Self {
        let bench = Self::start_for(practice, &[PUBLIC_URL]).await;
        let first = bench
            .post(on("11-18", "10:00"), "first@example.org", "0")
            .await;
        bench
            .mark(&first, Mark::Answered, Origin::Desk, on("11-18", "11:00"))
            .await;
        bench
    }

    fn last_text(&self) -> String {
        self.emails().last().unwrap().text.clone().unwrap()
    }
}

#[tokio::test]
async fn who_marks_nothing_is_reminded_of_nothing() {
    let bench = Bench::start(&[]).await;
    bench
        .post(on("11-24", "10:00"), "zoe@example.org", "1")
        .await;
    let subjects = bench.live(on("11-24", "10:30"), on("11-28", "00:00")).await;
    assert_eq!(subjects, [""; 0]);
}

#[tokio::test]
async fn each_promise_is_mentioned_on_its_day_shortly_before_and_on_the_next_working_day() {
    let bench = Bench::marking().await;
    // Promised by 3pm on Wednesday, and by Monday at 3.
    bench
        .post(on("11-24", "15:00"), "zoe@example.org", "1")
        .await;
    bench
        .post(on("11-27", "15:00"), "sam@example.org", "2")
        .await;
    let days = [
        (
            "11-25",
            "11-26",
            vec![
                "1 person is waiting for your answer",
                "Zoë is expecting your answer by 3pm today",
            ],
        ),
        // Not answered: once more, and then no more.
        (
            "11-26",
            "11-27",
            vec!["1 person is waiting for your answer"],
        ),
        ("11-27", "11-30", vec![]),
        (
            "11-30",
            "12-01",
            vec![
                "2 enquiries last week",
                "1 person is waiting for your answer",
                "Zoë is expecting your answer by 3pm today",
            ],
        ),
        (
            "12-01",
            "12-02",
            vec!["1 person is waiting for your answer"],
        ),
        ("12-02", "12-05", vec![]),
    ];
    for (from, to, expected) in days {
        let mut subjects = bench.live(on(from, "00:00"), on(to, "00:00")).await;
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        subjects.sort();
        expected.sort();
        assert_eq!(subjects, expected, "from {from}");
    }
}

#[tokio::test]
async fn what_the_morning_list_has_just_told_needs_no_reminder() {
    let bench = Bench::marking().await;
    // Two working hours before its end is when the practice opens.
    bench
        .post(on("11-24", "10:30"), "zoe@example.org", "1")
        .await;
    let subjects = bench.live(on("11-24", "11:00"), on("11-26", "00:00")).await;
    assert_eq!(subjects, ["1 person is waiting for your answer"]);
    let told = bench.last_text();
    assert!(told.contains("Zoë, answer by 11am today"), "{told}");
}

#[tokio::test]
async fn many_that_were_never_marked_hide_no_new_promise() {
    let bench = Bench::marking().await;
    for number in 0..101 {
        let address = format!("old{number}@example.org");
        let message = number.to_string();
        bench.post(on("11-19", "10:00"), &address, &message).await;
    }
    bench
        .post(on("11-24", "15:00"), "zoe@example.org", "new")
        .await;
    let mut subjects = bench.live(on("11-25", "00:00"), on("11-26", "00:00")).await;
    subjects.sort();
    let expected = [
        "1 person is waiting for your answer",
        "Zoë is expecting your answer by 3pm today",
    ];
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn the_morning_list_says_who_by_when_and_how_and_nothing_of_health() {
    let bench = Bench::marking().await;
    let reference = bench
        .post(on("11-24", "15:00"), "zoe@example.org", "My knee hurts")
        .await;
    bench.live(on("11-25", "09:00"), on("11-25", "09:30")).await;
    let text = bench.last_text();
    for told in [
        "Zoë, answer by 3pm today",
        "zoe@example.org",
        "I’ve answered",
        "(https://desk.example.com/desk/act/answered/",
        &reference,
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(
        !text.contains("knee") && !text.to_lowercase().contains("relax"),
        "{text}"
    );
    // The day after it says since when.
    bench.live(on("11-26", "09:00"), on("11-26", "09:30")).await;
    assert!(
        bench
            .last_text()
            .contains("Zoë, overdue since 3pm yesterday"),
        "{}",
        bench.last_text()
    );
}

#[tokio::test]
async fn what_is_marked_withdrawn_or_on_a_holiday_reminds_of_nothing() {
    let bench = Bench::marking().await;
    let marked = bench
        .post(on("11-24", "15:00"), "zoe@example.org", "1")
        .await;
    let withdrawn = bench
        .post(on("11-24", "15:00"), "sam@example.org", "2")
        .await;
    bench
        .store_with(on("11-24", "15:00"), "spam@example.org", "3", "filled")
        .await;
    bench
        .mark(&marked, Mark::Booked, Origin::Desk, on("11-24", "16:00"))
        .await;
    let client = Withdrawal::new(bench.app.store.clone());
    let reference = Reference::parse(&withdrawn).unwrap();
    client
        .act(&reference, Action::Withdraw, &clock(on("11-24", "16:00")))
        .await
        .unwrap();
    let subjects = bench.live(on("11-25", "08:00"), on("11-26", "00:00")).await;
    assert!(
        !subjects.iter().any(|subject| subject.contains("waiting")),
        "{subjects:?}"
    );

    // Asked for, and answered before it leaves: the reminder finds nothing to tell.
    let late = bench
        .post(on("11-26", "15:00"), "kim@example.org", "5")
        .await;
    let shortly = on("11-27", "13:00");
    let asked = bench.invoke(shortly, json!({ "command": "remind" })).await;
    assert_eq!(asked, json!({ "asked_for": 2 }), "and the morning list");
    bench
        .mark(&late, Mark::Answered, Origin::Desk, shortly)
        .await;
    let before = bench.emails().len();
    bench.sweep(shortly).await;
    assert_eq!(bench.emails().len(), before);

    // From Christmas to the 28th the practice is closed. What was promised by Christmas Eve stands in the list of the next
    // working day, and in none on the days off.
    bench
        .post(on("12-23", "15:00"), "sam@example.org", "6")
        .await;
    // What came in on Christmas Eve at 3 is promised by the 29th at 3.
    bench
        .post(on("12-24", "15:00"), "zoe@example.org", "4")
        .await;
    let subjects = bench.live(on("12-25", "00:00"), on("12-28", "08:00")).await;
    assert_eq!(subjects, [""; 0]);
    let mut subjects = bench.live(on("12-28", "08:00"), on("12-29", "17:00")).await;
    subjects.sort();
    // Monday's list comes on the holiday as well.
    let expected = [
        "2 enquiries last week",
        "2 people are waiting for your answer",
        "Zoë is expecting your answer by 3pm today",
    ];
    assert_eq!(subjects, expected);
}

#[tokio::test]
async fn a_mark_through_a_link_is_told_on_the_next_morning_also_when_nobody_waits() {
    let bench = Bench::marking().await;
    let reference = bench
        .post(on("11-24", "15:00"), "zoe@example.org", "1")
        .await;
    bench
        .mark(
            &reference,
            Mark::Answered,
            Origin::Link,
            on("11-24", "16:00"),
        )
        .await;
    let subjects = bench.live(on("11-25", "08:00"), on("11-26", "00:00")).await;
    assert_eq!(subjects, ["Marked as answered from your email"]);
    let text = bench.last_text();
    assert!(
        text.contains(&format!(
            "(https://desk.example.com/desk/enquiries/{reference})"
        )),
        "{text}"
    );
    // A machine that pressed it silences nothing for good: undone, it is reminded of again.
    let parsed = Reference::parse(&reference).unwrap();
    let now = clock(on("11-25", "12:00"));
    let undone = bench
        .app
        .desk
        .undo(&parsed, Mark::Answered, Origin::Desk, &now);
    assert!(undone.await.unwrap().is_done());
    let subjects = bench.live(on("11-26", "08:00"), on("11-27", "00:00")).await;
    assert_eq!(subjects, ["1 person is waiting for your answer"]);
}

#[tokio::test]
async fn a_list_that_could_not_leave_on_its_day_is_not_sent_on_another() {
    let bench = Bench::marking().await;
    bench
        .post(on("11-24", "15:00"), "zoe@example.org", "1")
        .await;
    bench.pause(true);
    bench.live(on("11-25", "09:00"), on("11-25", "18:00")).await;
    bench.pause(false);
    let subjects = bench.live(on("11-26", "08:00"), on("11-27", "00:00")).await;
    assert_eq!(
        subjects,
        ["1 person is waiting for your answer"],
        "that of its own day alone"
    );
    assert!(bench.last_text().contains("since 3pm yesterday"));
}

#[tokio::test]
async fn mondays_list_counts_the_week_and_always_comes() {
    let bench = Bench::start(&[]).await;
    let quiet = bench.live(on("11-23", "08:00"), on("11-24", "00:00")).await;
    assert_eq!(quiet, ["No enquiries last week"]);
    assert!(
        bench.last_text().contains("Everything is working."),
        "{}",
        bench.last_text()
    );
    let mut references = Vec::new();
    for (n, day) in ["11-24", "11-24", "11-25", "11-26"].iter().enumerate() {
        let address = format!("client{n}@example.org");
        references.push(bench.post(on(day, "10:00"), &address, &n.to_string()).await);
    }
    bench
        .store_with(on("11-26", "10:00"), "spam@example.org", "3", "filled")
        .await;
    // After two, after four, and after ten working hours: the last one too late.
    bench
        .mark(
            &references[0],
            Mark::Answered,
            Origin::Desk,
            on("11-24", "12:00"),
        )
        .await;
    bench
        .mark(
            &references[1],
            Mark::Booked,
            Origin::Desk,
            on("11-24", "14:00"),
        )
        .await;
    bench
        .mark(
            &references[2],
            Mark::Declined,
            Origin::Desk,
            on("11-26", "12:00"),
        )
        .await;
    let subjects = bench.live(on("11-30", "08:00"), on("11-30", "10:00")).await;
    assert!(
        subjects.contains(&"4 enquiries last week".to_owned()),
        "{subjects:?}"
    );
    let emails = bench.emails();
    let list = emails
        .iter()
        .rfind(|email| email.subject.contains("last week"))
        .unwrap();
    let text = list.text.clone().unwrap();
    for (label, number) in [
        ("Enquiries", "4"),
        ("Answered on time", "2"),
        ("Answered later", "1"),
        ("Not marked", "1"),
        ("Typical time to answer, in working hours", "4 hours"),
        ("Suspected spam", "1"),
    ] {
        assert!(
            text.contains(&format!("{label}\n    {number}\n")),
            "{label} {number}: {text}"
        );
    }
    let again = bench.live(on("11-30", "10:00"), on("12-01", "00:00")).await;
    assert!(
        !again.iter().any(|subject| subject.contains("last week")),
        "{again:?}"
    );
}

#[tokio::test]
async fn the_first_emails_say_what_marking_brings_until_one_was_marked() {
    let bench = Bench::start(&[PUBLIC_URL]).await;
    let says = "You’ll then get a short list on working mornings";
    let told = async |day: &str, email: &str| {
        let reference = bench.post(on(day, "10:00"), email, day).await;
        let emails = bench.emails();
        let email = emails.iter().find(|it| it.subject.contains(&reference));
        let text = email.unwrap().text.clone().unwrap().replace('\n', " ");
        (reference, text)
    };
    for day in ["11-23", "11-24"] {
        let (_, text) = told(day, &format!("{day}@example.org")).await;
        assert!(text.contains(says), "{text}");
    }
    let (reference, text) = told("11-25", "zoe@example.org").await;
    assert!(text.contains(says), "{text}");
    bench
        .mark(
            &reference,
            Mark::Answered,
            Origin::Link,
            on("11-25", "11:00"),
        )
        .await;
    let (_, text) = told("11-26", "sam@example.org").await;
    assert!(!text.contains(says), "{text}");
}

#[tokio::test]
async fn the_reminders_can_be_switched_off_and_the_morning_list_stays() {
    let file = include_str!("../../practice.toml");
    let off = file.replacen("# reminders = false", "reminders = false", 1);
    let practice = Practice::from_toml(&off).unwrap();
    assert!(!practice.reminders && practice::compiled().reminders);
    let bench = Bench::marking_for(practice).await;
    bench
        .post(on("11-24", "15:00"), "zoe@example.org", "1")
        .await;
    let subjects = bench.live(on("11-25", "08:00"), on("11-26", "00:00")).await;
    assert_eq!(subjects, ["1 person is waiting for your answer"]);
}

#[tokio::test]
async fn a_complaint_about_data_that_is_not_acknowledged_is_reminded_of_once_after_three_weeks() {
    let bench = Bench::start(&[PUBLIC_URL]).await;
    let noted = async |email: &str| {
        let reference = bench.post(on("11-02", "10:00"), email, email).await;
        let reference = Reference::parse(&reference).unwrap();
        for later in [0, 60] {
            let clock = clock(on("11-02", "12:00") + SignedDuration::from_secs(later));
            let done = bench
                .app
                .desk
                .data_complaint(&reference, Origin::Desk, &clock);
            assert_eq!(done.await.unwrap().is_done(), later == 0);
        }
        reference
    };
    let open = noted("zoe@example.org").await;
    let acknowledged = noted("sam@example.org").await;
    let erased = noted("ana@example.org").await;
    let told = |subjects: Vec<String>| {
        let title = "A complaint about data needs your reply";
        let mut told = subjects;
        told.retain(|subject| subject.starts_with(title));
        told.sort();
        told
    };
    let early = bench.live(on("11-23", "10:00"), on("11-23", "12:00")).await;
    assert!(told(early).is_empty(), "three weeks have not passed");
    let clock = clock(on("11-23", "11:30"));
    let done = bench
        .app
        .desk
        .acknowledge(&acknowledged, Origin::Desk, &clock);
    assert!(done.await.unwrap().is_done());
    let erase = json!({ "command": "erase", "reference": erased.as_str(), "confirm": true });
    bench.invoke(on("11-23", "11:30"), erase).await;
    let mut expected = [&open, &erased]
        .map(|reference| format!("A complaint about data needs your reply ({reference})"));
    expected.sort();
    let due = bench.live(on("11-23", "12:00"), on("11-23", "14:00")).await;
    assert_eq!(told(due), expected);
    let text = bench.emails();
    let text = text.iter().rfind(|it| it.subject == expected[0]).unwrap();
    let text = text.text.clone().unwrap().replace('\n', " ");
    assert!(
        text.contains("by Wednesday 2 December 2026") && !text.contains("example.org"),
        "{text}"
    );
    let after = bench.live(on("11-23", "14:00"), on("11-25", "00:00")).await;
    assert!(told(after).is_empty(), "once");
}
