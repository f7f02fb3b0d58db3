//! The simulator: random schedules of posts, stream records, sweeps, reports, faults and crashes against the real
//! application, and the rules that hold after each (docs/delivery.md).
//!
//! The handler, the SDK's clients, the database and the SES catcher are the real ones, over HTTP; only the HTTP client
//! between them loses things, and the time is an argument. A schedule follows from its seed, but for the order in which
//! invocations at the same moment come through, which the machine decides, and the references, which are generated at random.
//!
//! `SIMULATE_SEED=7 cargo test simulator` plays one schedule; `SIMULATE_SCHEDULES=20000` plays more than usual, from that seed on if
//! both are given, with `--profile simulate` several times as fast.

mod people;
mod rules;
mod schedule;
mod wire;

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use schedule::Stopped;
use serde_json::json;
use wire::{Fault, Moment};

pub use schedule::{as_it_was_new, post_event};

/// How many schedules `cargo test` plays; `.ci/run` plays 500.
const SCHEDULES: u64 = 100;
/// How many are under way at once: most of a schedule's time is waiting for a retry's turn.
const AT_ONCE: usize = 24;

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number")),
    )
}

async fn play(seed: u64) -> (u64, Result<u64, String>) {
    let outcome = AssertUnwindSafe(schedule::play(seed)).catch_unwind().await;
    (
        seed,
        outcome.unwrap_or_else(|_| Err("the schedule itself stopped, see above".to_owned())),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_accepted_is_lost_in_any_schedule() {
    let count = number("SIMULATE_SCHEDULES");
    let (first, count) = match number("SIMULATE_SEED") {
        Some(seed) => (seed, count.unwrap_or(1)),
        None => (1, count.unwrap_or(SCHEDULES)),
    };
    let started = Instant::now();
    let mut seeds = first..first.saturating_add(count);
    let mut under_way = JoinSet::new();
    let (mut played, mut calls) = (0_u64, 0);
    let mut failed: Vec<(u64, String)> = Vec::new();
    loop {
        while under_way.len() < AT_ONCE && failed.is_empty() {
            let Some(seed) = seeds.next() else { break };
            under_way.spawn(play(seed));
        }
        let Some(joined) = under_way.join_next().await else {
            break;
        };
        let (seed, outcome) = joined.unwrap();
        played += 1;
        match outcome {
            Ok(arrived) => calls += arrived,
            Err(words) => failed.push((seed, words)),
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{played} schedules, {calls} calls, {seconds:.1} s");
    failed.sort();
    if let Some((seed, words)) = failed.first() {
        let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
        panic!(
            "{words}\n\nof {played} schedules these failed: {seeds:?}\nreplay one: SIMULATE_SEED={seed} cargo test simulator -- --nocapture"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_call_loses_nothing_and_sends_nothing_twice() {
    let mut under_way = JoinSet::new();
    for stopped in [
        Stopped::Post,
        Stopped::Stream,
        Stopped::Sweep,
        Stopped::Report,
        Stopped::Erasure,
    ] {
        for moment in [Moment::Before, Moment::Arrived, Moment::Answered] {
            under_way.spawn(async move {
                let mut calls = 0;
                while schedule::crash(stopped, calls, moment)
                    .await
                    .unwrap_or_else(|words| {
                        panic!("{stopped:?}, {moment:?}, call {calls}: {words}")
                    })
                {
                    calls += 1;
                }
                (stopped, calls)
            });
        }
    }
    while let Some(joined) = under_way.join_next().await {
        let (stopped, calls) = joined.unwrap();
        let least = match stopped {
            Stopped::Post => 1,
            Stopped::Stream | Stopped::Sweep | Stopped::Report | Stopped::Erasure => 5,
        };
        assert!(calls >= least, "{stopped:?} has more than {calls} calls");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_stored_once_whatever_the_table_says_and_mailed_when_it_says_nothing() {
    let always = u32::MAX;
    let counters = Some("counters_unavailable");
    let cases = [
        (Fault::Throttled, 2, &[][..], None, "the SDK tries again"),
        (Fault::ServerErrorBefore, 2, &[], None, "so it does here"),
        (
            Fault::ServerErrorAfter,
            1,
            &[],
            None,
            "it was stored, and finds its own idempotency record",
        ),
        (
            Fault::LostAfter,
            1,
            &[],
            None,
            "and when the answer is lost",
        ),
        (
            Fault::TimeoutAfter,
            2,
            &[],
            None,
            "and when it is lost twice",
        ),
        (Fault::Conflict, 2, &[], None, "two more tries of ours"),
        (
            Fault::Conflict,
            3,
            &[],
            counters,
            "then without the count, and without an answer",
        ),
        (
            Fault::Cancelled,
            2,
            &[],
            None,
            "a transaction that was throttled is tried again",
        ),
        (
            Fault::Throttled,
            always,
            &["table_unavailable"],
            None,
            "past the table",
        ),
        (
            Fault::Unreached,
            always,
            &["table_unavailable"],
            None,
            "and when it is not there at all",
        ),
        (
            Fault::LostAfter,
            always,
            &["table_unavailable"],
            None,
            "stored or not: mailed for certain",
        ),
    ];
    for (fault, until, alarms, withheld, why) in cases {
        let (raised, reason) = schedule::post_meets(fault, until)
            .await
            .unwrap_or_else(|words| panic!("{fault:?} until {until}: {words}"));
        assert_eq!(raised, alarms, "{fault:?} until {until}: {why}");
        assert_eq!(
            reason.as_deref(),
            withheld,
            "{fault:?} until {until}: {why}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_fails_is_reported_and_those_behind_it_are_sent_once() {
    let (reported, before, after) = schedule::batch_with_a_failure().await.unwrap();
    assert_eq!(
        reported,
        json!({ "batchItemFailures": [{ "itemIdentifier": "101" }] })
    );
    assert_eq!(
        (before, after),
        (4, 6),
        "the third does not wait, and does not go twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_record_that_has_expired_makes_no_duplicate_when_the_table_cannot_be_written_either()
 {
    let emails = schedule::late_repeat_meets_a_table_that_cannot_be_written().await;
    assert_eq!(emails.unwrap(), 2, "one for each of the two enquiries");
}
