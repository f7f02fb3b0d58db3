//! The event source mapping's rules, one by one, without a server or a clock.

use std::time::Duration;

use aws_emulator::stream::filter::Filter;
use aws_emulator::stream::mapping::{Condition, Mapping, Record, Settings, Step};
use jiff::Timestamp;
use serde_json::{Value, json};

fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn record(number: u32) -> Record {
    order(number, "order", "INSERT")
}

fn order(number: u32, kind: &str, event: &str) -> Record {
    Record {
        sequence: format!("{number:021}"),
        created: start(),
        event: json!({ "eventName": event, "dynamodb": { "NewImage": { "kind": { "S": kind } } } }),
    }
}

fn sequence(number: u32) -> String {
    format!("{number:021}")
}

fn records(numbers: std::ops::RangeInclusive<u32>) -> Vec<Record> {
    numbers.map(record).collect()
}

fn settings() -> Settings {
    Settings {
        backoff: Duration::ZERO,
        ..Settings::default()
    }
}

fn mapping(settings: Settings, numbers: std::ops::RangeInclusive<u32>) -> Mapping {
    let mut mapping = Mapping::new(settings, None);
    mapping.fetched(records(numbers), start());
    mapping
}

fn numbers(step: &Step) -> Vec<u32> {
    match step {
        Step::Invoke(records) => records
            .iter()
            .map(|record| record.sequence.parse().unwrap())
            .collect(),
        other => panic!("expected an invocation, found {other:?}"),
    }
}

fn failed_at(numbers: &[u32]) -> Result<Value, String> {
    let failures: Vec<Value> = numbers
        .iter()
        .map(|number| json!({ "itemIdentifier": sequence(*number) }))
        .collect();
    Ok(json!({ "batchItemFailures": failures }))
}

fn success() -> Result<Value, String> {
    Ok(json!({ "batchItemFailures": [] }))
}

fn error() -> Result<Value, String> {
    Err("the function failed".to_owned())
}

/// Plays until nothing is pending, with a function that fails on some records, and returns every batch it saw.
fn play(mapping: &mut Mapping, answer: impl Fn(&[u32]) -> Result<Value, String>) -> Vec<Vec<u32>> {
    let mut seen = Vec::new();
    let mut now = start();
    loop {
        match mapping.next(now) {
            Step::Idle => return seen,
            Step::WaitUntil(time) => now = time,
            step @ Step::Invoke(_) => {
                let batch = numbers(&step);
                mapping.answered(&answer(&batch), now);
                seen.push(batch);
            }
        }
        assert!(seen.len() < 1_000, "it never ends");
    }
}

#[test]
fn batches_hold_at_most_the_batch_size_and_come_in_order() {
    let mut mapping = mapping(settings(), 1..=23);
    let seen = play(&mut mapping, |_| success());
    assert_eq!(
        seen,
        [
            (1..=10).collect::<Vec<_>>(),
            (11..=20).collect(),
            (21..=23).collect()
        ]
    );
    assert_eq!(mapping.checkpoint(), Some(sequence(23).as_str()));
}

#[test]
fn a_batch_is_full_at_six_megabytes() {
    let mut mapping = Mapping::new(settings(), None);
    let mut large = records(1..=4);
    for record in &mut large {
        record.event = json!({ "large": "x".repeat(2_500_000) });
    }
    mapping.fetched(large, start());
    assert_eq!(play(&mut mapping, |_| success()), [vec![1, 2], vec![3, 4]]);
}

#[test]
fn a_batch_that_is_not_full_waits_for_its_window() {
    let mut mapping = mapping(
        Settings {
            window: Duration::from_secs(5),
            ..settings()
        },
        1..=2,
    );
    let closes = start() + Duration::from_secs(5);
    assert_eq!(mapping.next(start()), Step::WaitUntil(closes));
    mapping.fetched(records(3..=3), start() + Duration::from_secs(3));
    assert_eq!(numbers(&mapping.next(closes)), [1, 2, 3]);
}

#[test]
fn a_full_batch_does_not_wait_for_its_window() {
    let mut mapping = mapping(
        Settings {
            window: Duration::from_secs(5),
            ..settings()
        },
        1..=10,
    );
    assert_eq!(numbers(&mapping.next(start())).len(), 10);
}

#[test]
fn a_function_error_brings_the_same_batch_again_after_a_pause_that_doubles() {
    let retrying = Settings {
        bisect: false,
        backoff: Duration::from_secs(1),
        max_backoff: Duration::from_secs(3),
        ..settings()
    };
    let mut mapping = mapping(retrying, 1..=3);
    let mut now = start();
    for pause in [1, 2, 3, 3] {
        assert_eq!(numbers(&mapping.next(now)), [1, 2, 3]);
        mapping.answered(&error(), now);
        let until = now + Duration::from_secs(pause);
        assert_eq!(mapping.next(now), Step::WaitUntil(until));
        now = until;
    }
    assert_eq!(mapping.checkpoint(), None);
}

#[test]
fn nothing_behind_a_failing_batch_is_handed_out() {
    let mut mapping = mapping(
        Settings {
            batch_size: 1,
            ..settings()
        },
        1..=2,
    );
    for _ in 0..5 {
        assert_eq!(numbers(&mapping.next(start())), [1]);
        mapping.answered(&error(), start());
    }
}

#[test]
fn the_lowest_reported_failure_is_the_checkpoint() {
    let mut mapping = mapping(settings(), 1..=5);
    mapping.next(start());
    mapping.answered(&failed_at(&[4, 3]), start());
    assert_eq!(mapping.checkpoint(), Some(sequence(2).as_str()));
    assert_eq!(numbers(&mapping.next(start())), [3, 4, 5]);
}

#[test]
fn a_missing_an_empty_and_a_null_report_are_a_success() {
    for answer in [
        json!(null),
        json!({}),
        json!({ "batchItemFailures": null }),
        json!({ "batchItemFailures": [] }),
    ] {
        let mut mapping = mapping(settings(), 1..=2);
        mapping.next(start());
        mapping.answered(&Ok(answer.clone()), start());
        assert!(mapping.is_idle(), "{answer}");
    }
}

#[test]
fn a_report_that_names_no_record_fails_the_whole_batch() {
    let reports = [
        json!([{ "itemIdentifier": "" }]),
        json!([{ "itemIdentifier": null }]),
        json!([{ "wrongKey": sequence(2) }]),
        json!([{ "itemIdentifier": sequence(9) }]),
        json!([{ "itemIdentifier": sequence(2) }, { "itemIdentifier": "" }]),
        json!("all of them"),
    ];
    for report in reports {
        let mut mapping = mapping(
            Settings {
                bisect: false,
                ..settings()
            },
            1..=2,
        );
        mapping.next(start());
        mapping.answered(&Ok(json!({ "batchItemFailures": report })), start());
        assert_eq!(numbers(&mapping.next(start())), [1, 2], "{report}");
    }
}

#[test]
fn a_report_means_nothing_unless_the_mapping_asks_for_it() {
    let mut mapping = mapping(
        Settings {
            report_failures: false,
            ..settings()
        },
        1..=2,
    );
    mapping.next(start());
    mapping.answered(&failed_at(&[1]), start());
    assert!(mapping.is_idle());
}

#[test]
fn a_batch_that_failed_is_split_in_two_until_the_poison_is_alone() {
    let mut mapping = mapping(
        Settings {
            retries: Some(1),
            ..settings()
        },
        1..=4,
    );
    let seen = play(&mut mapping, |batch| {
        if batch.contains(&3) {
            error()
        } else {
            success()
        }
    });
    // The splits do not use up the one retry that the record has when it is alone.
    assert_eq!(
        seen,
        [
            vec![1, 2, 3, 4],
            vec![1, 2],
            vec![3, 4],
            vec![3],
            vec![3],
            vec![4]
        ]
    );
    let discarded = mapping.take_discarded();
    assert_eq!(discarded.len(), 1);
    assert_eq!(
        (discarded[0].first.clone(), discarded[0].size),
        (sequence(3), 1)
    );
    assert_eq!(mapping.checkpoint(), Some(sequence(4).as_str()));
}

#[test]
fn with_bisecting_a_reported_failure_splits_there_and_uses_up_no_retry() {
    let mut mapping = mapping(
        Settings {
            retries: Some(0),
            ..settings()
        },
        1..=4,
    );
    let seen = play(&mut mapping, |batch| {
        failed_at(&batch[1..batch.len().min(2)])
    });
    assert_eq!(seen, [vec![1, 2, 3, 4], vec![2, 3, 4], vec![3, 4], vec![4]]);
    assert!(mapping.take_discarded().is_empty());
}

#[test]
fn a_report_of_the_first_record_counts_as_a_retry_and_takes_the_rest_with_it() {
    let mut mapping = mapping(
        Settings {
            retries: Some(2),
            ..settings()
        },
        1..=3,
    );
    let seen = play(&mut mapping, |_| failed_at(&[1]));
    assert_eq!(seen, [[1, 2, 3]; 3]);
    let discarded = mapping.take_discarded();
    assert_eq!(discarded[0].condition, Condition::RetryAttemptsExhausted);
    assert_eq!((discarded[0].invocations, discarded[0].size), (3, 3));
    assert_eq!(
        (discarded[0].first.clone(), discarded[0].last.clone()),
        (sequence(1), sequence(3))
    );
}

#[test]
fn retries_end_after_the_maximum_and_the_shard_moves_on() {
    let mut mapping = mapping(
        Settings {
            retries: Some(2),
            bisect: false,
            batch_size: 2,
            ..settings()
        },
        1..=4,
    );
    let seen = play(&mut mapping, |batch| {
        if batch.contains(&1) {
            error()
        } else {
            success()
        }
    });
    assert_eq!(seen, [[1, 2], [1, 2], [1, 2], [3, 4]]);
    assert_eq!(mapping.checkpoint(), Some(sequence(4).as_str()));
}

#[test]
fn without_a_maximum_retries_go_on_until_the_records_are_too_old() {
    let endless = Settings {
        retries: None,
        bisect: false,
        max_age: Some(Duration::from_secs(60)),
        backoff: Duration::from_secs(7),
        max_backoff: Duration::from_secs(7),
        ..settings()
    };
    let mut mapping = mapping(endless, 1..=1);
    let seen = play(&mut mapping, |_| error());
    assert_eq!(seen.len(), 9, "at 0, 7, … 56 seconds");
    assert_eq!(
        mapping.take_discarded()[0].condition,
        Condition::RecordAgeExceeded
    );
}

#[test]
fn records_that_are_too_old_are_discarded_before_the_function_sees_them() {
    let mut mapping = Mapping::new(
        Settings {
            max_age: Some(Duration::from_secs(60)),
            ..settings()
        },
        None,
    );
    let mut young = record(3);
    young.created = start() + Duration::from_secs(100);
    mapping.fetched(vec![record(1), record(2), young], start());
    assert_eq!(
        numbers(&mapping.next(start() + Duration::from_secs(100))),
        [3]
    );
    let discarded = mapping.take_discarded();
    assert_eq!(
        (
            discarded[0].condition,
            discarded[0].size,
            discarded[0].invocations
        ),
        (Condition::RecordAgeExceeded, 2, 0)
    );
    assert_eq!(mapping.checkpoint(), Some(sequence(2).as_str()));
}

#[test]
fn the_failure_destination_gets_a_pointer_and_not_the_records() {
    let mut mapping = mapping(
        Settings {
            retries: Some(0),
            bisect: false,
            ..settings()
        },
        7..=8,
    );
    play(&mut mapping, |_| error());
    let message = mapping.take_discarded()[0].message(start(), "id", "shard", "arn");
    assert_eq!(
        message["requestContext"]["condition"],
        "RetryAttemptsExhausted"
    );
    assert_eq!(message["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(
        message["DDBStreamBatchInfo"]["startSequenceNumber"],
        sequence(7)
    );
    assert_eq!(
        message["DDBStreamBatchInfo"]["endSequenceNumber"],
        sequence(8)
    );
    assert_eq!(message["DDBStreamBatchInfo"]["batchSize"], 2);
    assert!(!message.to_string().contains("NewImage"));
}

#[test]
fn what_the_filter_keeps_out_is_done_and_takes_no_place_in_a_batch() {
    let pattern = r#"{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["order"]}}}}"#;
    let filter = Filter::parse(pattern).unwrap();
    let mut mapping = Mapping::new(
        Settings {
            batch_size: 2,
            filters: vec![filter],
            ..settings()
        },
        None,
    );
    let all = vec![
        record(1),
        order(2, "draft", "INSERT"),
        order(3, "order", "MODIFY"),
        record(4),
        Record {
            event: json!({ "eventName": "REMOVE", "dynamodb": {} }),
            ..record(5)
        },
    ];
    mapping.fetched(all, start());
    assert_eq!(play(&mut mapping, |_| success()), [[1, 4]]);
    assert_eq!(mapping.checkpoint(), Some(sequence(5).as_str()));
}

#[test]
fn a_checkpoint_never_passes_a_record_that_is_still_pending() {
    let pattern = r#"{"eventName":["INSERT"]}"#;
    let mut mapping = Mapping::new(
        Settings {
            filters: vec![Filter::parse(pattern).unwrap()],
            ..settings()
        },
        None,
    );
    mapping.fetched(
        vec![
            order(1, "order", "MODIFY"),
            record(2),
            order(3, "order", "MODIFY"),
        ],
        start(),
    );
    assert_eq!(mapping.checkpoint(), None);
    mapping.next(start());
    mapping.answered(&error(), start());
    assert_eq!(mapping.checkpoint(), None);
}

#[test]
fn filters_are_alternatives_and_a_pattern_is_a_conjunction() {
    let one = Filter::parse(r#"{"a":["1","2"],"b":[{"prefix":"x"}]}"#).unwrap();
    assert!(one.matches(&json!({ "a": "2", "b": "xyz" })));
    assert!(!one.matches(&json!({ "a": "2", "b": "yz" })));
    assert!(!one.matches(&json!({ "b": "xyz" })));
    let absent = Filter::parse(r#"{"a":[{"exists":false}]}"#).unwrap();
    assert!(absent.matches(&json!({ "b": 1 })));
    assert!(!absent.matches(&json!({ "a": 1 })));
    let mut mapping = Mapping::new(
        Settings {
            filters: vec![one, absent],
            ..settings()
        },
        None,
    );
    mapping.fetched(vec![record(1)], start());
    assert_eq!(numbers(&mapping.next(start())), [1]);
}

#[test]
fn patterns_that_aws_would_refuse_are_refused_with_the_place() {
    for (pattern, place) in [
        ("[]", "object at ``"),
        (r#"{"a":"INSERT"}"#, "`/a`"),
        (r#"{"a":{"b":[]}}"#, "`/a/b`"),
        (r#"{"a":[{"numeric":[">",1]}]}"#, "`/a`"),
        ("{", "no JSON"),
    ] {
        let error = Filter::parse(pattern).unwrap_err();
        assert!(error.contains(place), "{pattern}: {error}");
    }
}

#[test]
fn a_restart_goes_on_behind_the_checkpoint() {
    let mut mapping = Mapping::new(settings(), Some(sequence(2)));
    mapping.fetched(records(1..=4), start());
    assert_eq!(numbers(&mapping.next(start())), [3, 4]);
}

#[test]
fn a_redelivered_batch_comes_again_and_moves_the_checkpoint_nowhere() {
    let mut mapping = mapping(
        Settings {
            batch_size: 2,
            ..settings()
        },
        1..=4,
    );
    mapping.next(start());
    mapping.answered(&success(), start());
    mapping.redeliver();
    assert_eq!(numbers(&mapping.next(start())), [1, 2]);
    mapping.answered(&success(), start());
    assert_eq!(mapping.checkpoint(), Some(sequence(2).as_str()));
    mapping.redeliver();
    assert_eq!(numbers(&mapping.next(start())), [3, 4], "no third time");
}
