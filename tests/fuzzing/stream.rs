//! Stream events: whatever is in a record, the answer names nothing that was not in the batch.
//!
//! After the script comes the event as JSON, or one section of changes to the sample for each record.

use enquiry_desk::app::Event;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::desk::{Desk, RECORD, item};
use super::input;

pub(super) fn play(runtime: &Runtime, data: &[u8]) -> bool {
    let (script, rest) = input::scripted(data);
    let event = match rest.first() {
        Some(b'{') => match serde_json::from_slice(rest) {
            Ok(event) => event,
            Err(_) => return false,
        },
        _ => {
            let Some(sections) = input::sections(rest) else {
                return false;
            };
            let record = |(index, lines): (usize, &&str)| {
                let mut record = RECORD.clone();
                record["dynamodb"]["SequenceNumber"] = format!("{}", 100 + index).into();
                input::changed(&record, lines)
            };
            let records: Vec<Value> = sections.iter().take(8).enumerate().map(record).collect();
            json!({ "Records": records })
        }
    };
    if !matches!(Event::recognise(event.clone()), Ok(Event::Stream(_))) {
        return false;
    }
    let numbers: Vec<Value> = event["Records"]
        .as_array()
        .unwrap()
        .iter()
        // A record without a number has none to be named by; Lambda repeats the whole batch for an empty one.
        .map(|record| {
            record
                .pointer("/dynamodb/SequenceNumber")
                .cloned()
                .unwrap_or("".into())
        })
        .collect();
    let desk = Desk::new(script, item());
    let answer = desk
        .handle(runtime, event)
        .expect("a stream event always has an answer");
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert!(failures.len() <= 1, "{answer}");
    for failure in failures {
        assert!(
            numbers.contains(&failure["itemIdentifier"]),
            "{failure} was not in {numbers:?}"
        );
    }
    true
}
