//! A year of a practice, lived hour by hour: what reminds of promises is never missing and never too much, and each Monday's list is
//! right to the number against a count of our own. `YEAR_DAYS` is how much of it is lived (56, over Christmas, with the first of each outage; `.ci/run` lives 140, over
//! Easter and the beginning of summer time), `YEAR_ENQUIRIES` how many enquiries come in (60), `YEAR_SEED` which year it is. A busy year:
//! `YEAR_DAYS=365 YEAR_ENQUIRIES=2000 cargo test --test main -- delivery::year`.

use std::collections::BTreeMap;

use aws_emulator::aws;
use enquiry_desk::clock::Clock;
use enquiry_desk::enquiry::Reference;
use enquiry_desk::practice;
use enquiry_desk::record::{Mark, Origin};
use enquiry_desk::withdrawal::{Action, Withdrawal};
use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::pending::Bench;
use crate::simulation::simulator::post_event;
use crate::support::emulated;
use testing::random::Random;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A Monday.
const BEGIN: &str = "2026-11-23T00:00:00Z";

/// Two outages of SES, of two days each, in which no Monday begins.
const SES_OUT: [(i64, i64); 2] = [(22, 24), (220, 222)];
/// The table is out of reach on a Thursday, from nine to five.
const TABLE_OUT: (i64, i64) = (52 * 24 + 9, 52 * 24 + 17);
/// For this week, a Monday in it, the therapist's mailbox turns everything away.
const MAILBOX_LOST: (i64, i64) = (43, 50);
const LOST: &str = "bounce@simulator.amazonses.com";
const PUBLIC_URL: (&str, &str) = ("PUBLIC_URL", "https://desk.example.com");

/// An enquiry, as we know it.
struct Known {
    received_at: Timestamp,
    promised_by: Timestamp,
    is_suspect: bool,
    /// What will become of it, and what has.
    to_mark: Option<Timestamp>,
    to_withdraw: Option<Timestamp>,
    marked_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
    reminders: usize,
    lists: usize,
    /// When it was mentioned first.
    mentioned_at: Option<Timestamp>,
}

struct Year {
    bench: Bench,
    known: BTreeMap<String, Known>,
    /// How many of the emails were looked at.
    seen: usize,
    /// When the last outage of SES ended, while none is under way.
    outage_until: Timestamp,
    first_mark: Option<Timestamp>,
    mondays: usize,
    /// How many enquiries went past the table, straight to the mailbox.
    past_the_table: usize,
    /// How many were sent to the therapist once more, after her mailbox was lost.
    sent_again: usize,
}

fn clock(now: Timestamp) -> Clock {
    Clock::new(now, now + SignedDuration::from_secs(29))
}

/// How many days are lived.
fn days() -> i64 {
    variable("YEAR_DAYS", 56) as i64
}

fn variable(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(otherwise, |value| value.parse().unwrap())
}

fn date(moment: Timestamp) -> Date {
    let zone = practice::compiled().time_zone.rules().clone();
    moment.to_zoned(zone).date()
}

impl Year {
    async fn enquire(&mut self, now: Timestamp, random: &mut Random, marks: bool) {
        let number = self.known.len();
        let is_suspect = random.percent(10);
        let honeypot = if is_suspect { "filled" } else { "" };
        let email = format!("client{number}@example.org");
        let bench = &self.bench;
        let reference = bench
            .store_with(now, &email, &number.to_string(), honeypot)
            .await;
        let event = bench.stream(&[&reference]).await;
        // While SES is out it stays pending.
        let _ = bench.invoke_with(now, 29, event).await;
        let parsed = Reference::parse(&reference).unwrap();
        let promised_by = bench.app.store.load(&parsed).await.unwrap().unwrap();
        let promised_by = promised_by.received.promised_by;
        let later = |hours: i64| now + SignedDuration::from_hours(hours);
        let to_mark =
            (marks && !is_suspect && random.percent(80)).then(|| later(random.between(1, 120)));
        let to_withdraw = random.percent(4).then(|| later(random.between(1, 48)));
        let known = Known {
            received_at: now,
            promised_by,
            is_suspect,
            to_mark,
            to_withdraw,
            marked_at: None,
            withdrawn_at: None,
            reminders: 0,
            lists: 0,
            mentioned_at: None,
        };
        assert!(self.known.insert(reference, known).is_none());
    }

    /// Posts what the table cannot take: it goes straight to the therapist's mailbox, and is in no list.
    async fn enquire_past_the_table(&mut self, now: Timestamp) {
        let form = json!({
            "name": "Zoë", "email": format!("past{}@example.org", self.past_the_table), "goal": "relax", "consent": "yes",
        });
        let answer = self.bench.invoke(now, post_event(&form)).await;
        assert_eq!(answer["statusCode"], 201, "{answer}");
        self.past_the_table += 1;
    }

    /// The function in another environment: with another table or another address of the therapist’s.
    fn deploy(&mut self, dynamodb: &str, variables: &[(&str, &str)]) {
        let endpoints = emulated::endpoints(dynamodb, self.bench.ses.endpoint());
        let app = emulated::app(&endpoints, variables, aws::http_client()).unwrap();
        self.bench.app = app;
    }

    /// SES reports what became of the emails that left since the last look: they came back.
    async fn come_back(&self, now: Timestamp) {
        for email in &self.bench.emails()[self.seen..] {
            for notice in email.notices.iter().filter(|_| email.to == [LOST]) {
                self.bench.invoke(now, notice.sns_event()).await;
            }
        }
    }

    /// The mailbox is there again: every enquiry whose email came back is sent to it once more.
    async fn send_again(&mut self, now: Timestamp) {
        for (reference, it) in &self.known {
            if it.withdrawn_at.is_some() {
                continue;
            }
            if self.bench.show(reference).await["therapist"]["state"] == "bounced" {
                let resend =
                    json!({ "command": "resend", "reference": reference, "kind": "therapist" });
                assert_eq!(
                    self.bench.invoke(now, resend).await["sent"],
                    true,
                    "{reference}"
                );
                self.sent_again += 1;
            }
        }
    }

    /// What the therapist and the clients do by now.
    async fn act(&mut self, now: Timestamp) {
        let clock = clock(now);
        let app = &self.bench.app;
        for (reference, it) in &mut self.known {
            let parsed = Reference::parse(reference).unwrap();
            if it.withdrawn_at.is_none() && it.to_withdraw.is_some_and(|at| at <= now) {
                let client = Withdrawal::new(app.store.clone());
                let done = client.act(&parsed, Action::Withdraw, &clock).await;
                assert!(done.unwrap().is_some());
                it.withdrawn_at = Some(now);
            }
            let may_mark = it.marked_at.is_none() && it.withdrawn_at.is_none();
            if may_mark && it.to_mark.is_some_and(|at| at <= now) {
                let mark = app
                    .desk
                    .mark(&parsed, Mark::Answered, None, Origin::Desk, &clock);
                assert!(mark.await.unwrap().is_done());
                it.marked_at = Some(now);
                self.first_mark.get_or_insert(now);
            }
        }
    }

    /// Looks at what has left since the last look.
    fn read(&mut self, now: Timestamp) {
        let emails = self.bench.emails();
        for email in &emails[self.seen..] {
            let text = email.text.clone().unwrap();
            let kind = email.tags().get("kind").map(ToString::to_string).unwrap();
            if kind == "weekly" {
                self.monday(now, &text);
            }
            if !matches!(kind.as_str(), "reminder" | "morning_list") {
                continue;
            }
            assert!(email.to == ["therapist@example.com"] || email.to == [LOST]);
            // What it names are those who wait; no mark is made through a link here.
            for (at, _) in text
                .match_indices("BB-")
                .filter(|(at, _)| text[..*at].ends_with('\n'))
            {
                let it = self.known.get_mut(&text[at..at + 8]).unwrap();
                let name = &text[at..at + 8];
                assert!(
                    !it.is_suspect && it.marked_at.is_none(),
                    "{name} is marked: {text}"
                );
                assert!(it.withdrawn_at.is_none(), "{name} is withdrawn: {text}");
                it.mentioned_at.get_or_insert(now);
                if kind == "reminder" {
                    it.reminders += 1;
                    assert!(now < it.promised_by, "{name}: too late: {text}");
                } else {
                    it.lists += 1;
                }
                assert!(it.reminders <= 1 && it.lists <= 2, "{name}: too many");
            }
        }
        self.seen = emails.len();
    }

    /// Monday's list against our own count.
    fn monday(&mut self, now: Timestamp, text: &str) {
        self.mondays += 1;
        let monday = date(now);
        assert_eq!(monday.weekday(), Weekday::Monday, "{text}");
        let begin = monday.checked_sub(7 * DAY).unwrap();
        let week: Vec<&Known> = self
            .known
            .values()
            .filter(|it| {
                (begin..monday).contains(&date(it.received_at)) && it.withdrawn_at.is_none()
            })
            .collect();
        let count = |test: &dyn Fn(&Known) -> bool| week.iter().filter(|it| test(it)).count();
        let in_time = count(&|it| it.marked_at.is_some_and(|at| at <= it.promised_by));
        let later = count(&|it| it.marked_at.is_some_and(|at| at > it.promised_by));
        let rows = [
            ("Enquiries", count(&|it| !it.is_suspect)),
            ("Answered on time", in_time),
            ("Answered later", later),
            (
                "Not marked",
                count(&|it| !it.is_suspect && it.marked_at.is_none()),
            ),
            ("Suspected spam", count(&|it| it.is_suspect)),
        ];
        for (label, number) in rows {
            let row = format!("{label}\n    {number}\n");
            // A number that says nothing is left out.
            let may_be_missing = number == 0 && !text.contains(&format!("{label}\n"));
            assert!(
                text.contains(&row) || may_be_missing,
                "{row} on {monday}: {text}"
            );
        }
    }

    /// No promise passes unmentioned, where marking is in use and SES works: by the evening of the next working day.
    fn nothing_was_forgotten(&self, now: Timestamp) {
        let practice = practice::compiled();
        for (reference, it) in &self.known {
            let next = (1..20).map(|days| it.promised_by + days * DAY);
            let mut next = next.filter_map(|day| practice.opens(date(day)));
            let Some(next) = next.next().map(|opens| opens.timestamp()) else {
                continue;
            };
            let by = next + SignedDuration::from_hours(3);
            let in_use = self.first_mark.is_some_and(|first| first < it.promised_by);
            let waited = !it.is_suspect
                && [it.marked_at, it.withdrawn_at]
                    .iter()
                    .flatten()
                    .all(|at| *at > by);
            if in_use && waited && by <= now && self.outage_until < it.promised_by - 2 * DAY {
                assert!(
                    it.mentioned_at.is_some(),
                    "{reference}, promised by {}",
                    it.promised_by
                );
            }
        }
    }
}

async fn year(marks: bool) -> Year {
    let bench = Bench::start(&[PUBLIC_URL]).await;
    let begin: Timestamp = BEGIN.parse().unwrap();
    let mut random = Random::new(variable("YEAR_SEED", 1));
    let enquiries = variable("YEAR_ENQUIRIES", 60);
    let mut arrivals: Vec<i64> = (0..enquiries)
        .map(|_| random.between(0, days() * 24 - 1))
        .collect();
    arrivals.sort_unstable();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut year = Year {
        bench,
        known: BTreeMap::new(),
        seen: 0,
        outage_until: begin,
        first_mark: None,
        mondays: 0,
        past_the_table: 0,
        sent_again: 0,
    };
    let (table, nowhere) = (
        year.bench.dynamo.endpoint().to_owned(),
        "http://127.0.0.1:1",
    );
    for hour in 0..days() * 24 {
        let now = begin + SignedDuration::from_hours(hour);
        let is_during = |(from, to): (i64, i64)| (from * 24..to * 24).contains(&hour);
        let ses_is_out = SES_OUT.into_iter().any(is_during);
        let table_is_out = (TABLE_OUT.0..TABLE_OUT.1).contains(&hour);
        year.bench.pause(ses_is_out);
        if ses_is_out || table_is_out {
            year.outage_until = now;
        }
        if hour == TABLE_OUT.0 {
            year.deploy(nowhere, &[PUBLIC_URL]);
            year.enquire_past_the_table(now).await;
        } else if hour == MAILBOX_LOST.0 * 24 {
            year.deploy(&table, &[PUBLIC_URL, ("THERAPIST_EMAIL", LOST)]);
        } else if hour == TABLE_OUT.1 || hour == MAILBOX_LOST.1 * 24 {
            year.deploy(&table, &[PUBLIC_URL]);
            year.send_again(now).await;
        }
        while arrivals.next_if(|at| *at == hour).is_some() {
            if table_is_out {
                year.enquire_past_the_table(now).await;
            } else {
                year.enquire(now, &mut random, marks).await;
            }
        }
        if table_is_out {
            // Whatever is due waits until the table is there again.
            for command in ["remind", "sweep"] {
                let event = json!({ "command": command });
                let _ = year.bench.invoke_with(now, 29, event).await;
            }
            year.read(now);
            continue;
        }
        year.act(now).await;
        // Nothing is due at night that is not due in the morning: every sixth hour is enough.
        if (6..=19).contains(&(hour % 24)) || hour % 6 == 0 {
            for command in ["remind", "sweep"] {
                year.bench.invoke(now, json!({ "command": command })).await;
            }
        }
        year.come_back(now).await;
        year.read(now);
        if hour % (24 * 7) == 0 {
            year.nothing_was_forgotten(now);
        }
    }
    let end = begin + SignedDuration::from_hours(24 * days());
    year.nothing_was_forgotten(end);
    let emails = year.bench.emails();
    let past_the_table = emails.iter().filter(|it| {
        let text = it.text.as_deref().unwrap_or_default();
        text.replace('\n', " ").contains("couldn’t be stored")
    });
    assert_eq!(past_the_table.count(), year.past_the_table);
    assert!(year.sent_again > 0, "her mailbox was lost for a week");
    year
}

#[tokio::test]
async fn in_a_year_no_promise_is_forgotten_and_no_reminder_is_one_too_many() {
    let year = year(true).await;
    assert_eq!(year.mondays as i64, (days() + 6) / 7);
    let known = year.known.values();
    let reminded = known.clone().filter(|it| it.reminders > 0).count();
    let listed = known.clone().filter(|it| it.lists > 0).count();
    assert!(
        reminded > 5 && listed > 5,
        "{reminded} reminded of, {listed} in lists"
    );
    assert!(
        known.clone().any(|it| it.lists == 2),
        "also on the next working day"
    );
}

#[tokio::test]
async fn in_a_year_without_a_mark_there_is_no_reminder_and_every_mondays_list() {
    let year = year(false).await;
    assert_eq!(year.mondays as i64, (days() + 6) / 7);
    assert!(year.known.values().all(|it| it.mentioned_at.is_none()));
}
