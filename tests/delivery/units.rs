//! What one enquiry costs at the table, counted on the wire: calls, and write units by DynamoDB's rules.

use std::sync::{Arc, Mutex};

use aws_emulator::dynamodb::Dynamo;
use aws_emulator::wire::{self, Answer};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::store::schema;
use serde_json::{Value, json};

use super::pending::{Bench, at};
use crate::infra::cost;
use crate::simulation::simulator::post_event;
use crate::support::logs::Logs;
use crate::support::{Item, emulated};

/// One call to the table.
#[derive(Debug)]
struct Call {
    operation: String,
    /// Write units, of the items and of the indexes.
    units: u32,
    /// Read units.
    reads: f64,
}

/// Counts what passes: for each write it looks at the items before and after.
#[derive(Debug)]
struct Meter {
    table: Client,
    name: String,
    calls: Mutex<Vec<Call>>,
}

/// The keys of the items that a request writes or checks.
fn keys(body: &Value) -> Vec<String> {
    let one = |write: &Value| {
        let key = write.pointer("/Item/pk/S").or(write.pointer("/Key/pk/S"));
        key.and_then(Value::as_str).map(str::to_owned)
    };
    match body["TransactItems"].as_array() {
        Some(writes) => writes
            .iter()
            .flat_map(|write| write.as_object().unwrap().values().filter_map(one))
            .collect(),
        None if body.get("Item").is_some()
            || body.get("Key").is_some() && body.get("ConsistentRead").is_none() =>
        {
            one(body).into_iter().collect()
        }
        None => Vec::new(),
    }
}

impl Meter {
    async fn carry(self: Arc<Self>, call: wire::Call) -> Answer {
        let asked = call.asked.clone();
        if asked.service != "dynamodb" {
            return call.send().await;
        }
        let keys = keys(&asked.body);
        let before = self.items(&keys).await;
        let answer = call.send().await;
        let after = self.items(&keys).await;
        let transacted = match asked.operation.as_str() {
            "TransactWriteItems" => 2,
            _ => 1,
        };
        let reads = self.read_units(&asked.operation, &asked.body).await;
        let pairs = before.iter().zip(&after);
        let units = pairs
            .map(|(before, after)| {
                transacted * item_units(before, after) + index_units(before, after)
            })
            .sum();
        self.calls.lock().unwrap().push(Call {
            operation: asked.operation,
            units,
            reads,
        });
        answer
    }

    async fn items(&self, keys: &[String]) -> Vec<Option<Item>> {
        let mut items = Vec::new();
        for key in keys {
            let get = self.table.get_item().table_name(&self.name);
            let got = get
                .key("pk", AttributeValue::S(key.clone()))
                .consistent_read(true)
                .send()
                .await;
            items.push(got.unwrap().item);
        }
        items
    }

    /// A consistent read of an item is a unit for each 4 KB, also where there is none; a query of keys here half a unit.
    async fn read_units(&self, operation: &str, body: &Value) -> f64 {
        let read = |key: &Value| key["pk"]["S"].as_str().unwrap().to_owned();
        let keys: Vec<String> = match operation {
            "GetItem" => vec![read(&body["Key"])],
            "BatchGetItem" => {
                let keys = body["RequestItems"][&self.name]["Keys"].as_array();
                keys.unwrap().iter().map(read).collect()
            }
            "Query" => return 0.5,
            _ => return 0.0,
        };
        let items = self.items(&keys).await;
        let bytes = |item: &Option<Item>| item.as_ref().map_or(1, |item| members(item.iter()));
        let units = items.iter().map(|item| bytes(item).div_ceil(4096));
        units.sum::<usize>() as f64
    }
}

/// "The item size before and after the update; the larger of the two" (DynamoDB developer guide, "Read and write operations").
fn item_units(before: &Option<Item>, after: &Option<Item>) -> u32 {
    let size = |item: &Option<Item>| item.as_ref().map_or(0, |item| members(item.iter()));
    let bytes = size(before).max(size(after)).max(1);
    u32::try_from(bytes.div_ceil(1024)).unwrap()
}

/// An index that projects the keys is written when an entry comes, goes or moves, which is both.
fn index_units(before: &Option<Item>, after: &Option<Item>) -> u32 {
    let entry = |item: &Option<Item>, index: &schema::Index| {
        let item = item.as_ref()?;
        let key = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some((key(index.partition_key)?, key(index.sort_key)?))
    };
    let units =
        schema::INDEXES
            .iter()
            .map(|index| match (entry(before, index), entry(after, index)) {
                (None, None) => 0,
                (Some(before), Some(after)) => 2 * u32::from(before != after),
                _ => 1,
            });
    units.sum()
}

/// As in "DynamoDB item sizes and formats".
fn members<'a>(members: impl Iterator<Item = (&'a String, &'a AttributeValue)>) -> usize {
    members.map(|(name, value)| name.len() + size(value)).sum()
}

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::M(map) => 3 + map.len() + members(map.iter()),
        AttributeValue::L(list) => 3 + list.iter().map(|it| 1 + size(it)).sum::<usize>(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        other => panic!("{other:?} is not stored here"),
    }
}

fn client(meter: &Arc<Meter>) -> SharedHttpClient {
    let meter = Arc::clone(meter);
    wire::local(move |call| Arc::clone(&meter).carry(call))
}

fn meter(dynamo: &Dynamo) -> Arc<Meter> {
    Arc::new(Meter {
        table: dynamo.client().clone(),
        name: dynamo.table().to_owned(),
        calls: Mutex::default(),
    })
}

/// From the post until both emails are reported: the units of the post, those of all, and the calls.
async fn enquiry(more: Value) -> (u32, u32, Vec<Call>) {
    let dynamo = emulated::dynamo().await;
    let ses = emulated::ses().await;
    let meter = meter(&dynamo);
    let endpoints = emulated::endpoints(dynamo.endpoint(), ses.endpoint());
    let app = emulated::app(&endpoints, &[], client(&meter)).unwrap();
    let bench = Bench {
        dynamo,
        ses,
        app,
        logs: Logs::default(),
    };
    let mut form = json!({
        "name": "Zoë O'Brien", "email": "zoe@example.org", "phone": "07700 900982", "area": ["lower-back", "neck"], "cause": "posture",
        "goal": "treat", "recent_injury": "no", "warmth": "yes", "treatment": "relaxing", "consent": "yes",
        "submission": "3f0c2f5e-6d0f-4b7e-9a53-0d3c9a4f6b11",
    });
    form.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let answer = bench.invoke(at(0), post_event(&form)).await;
    assert_eq!(answer["statusCode"], 201, "{answer}");
    let sum = || {
        meter
            .calls
            .lock()
            .unwrap()
            .iter()
            .map(|call| call.units)
            .sum::<u32>()
    };
    let accepted = sum();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let reference = body["reference"].as_str().unwrap();
    let event = bench.stream(&[reference]).await;
    bench.invoke(at(0), event).await;
    let emails = bench.emails();
    assert_eq!(emails.len(), 2);
    for email in &emails {
        for notice in email.notices.iter().filter(|notice| notice.kind != "Send") {
            bench.invoke(at(1), notice.sns_event()).await;
        }
    }
    let calls = std::mem::take(&mut *meter.calls.lock().unwrap());
    assert_eq!(
        bench.show(reference).await["auto_reply"]["state"],
        "delivered"
    );
    let units = calls.iter().map(|call| call.units).sum();
    (accepted, units, calls)
}

#[tokio::test]
async fn an_enquiry_costs_what_is_said_and_its_text_is_paid_for_three_times_only() {
    let usual = json!({ "message": "x".repeat(1_000) });
    // The whole of what may be typed, in characters of four bytes.
    let longest = json!({ "message": "🙂".repeat(4_000), "times": "🙂".repeat(500), "name": "𝓏".repeat(100) });
    for (text, kib, goal) in [(usual, cost::USUAL, 26), (longest, cost::LARGEST, 77)] {
        let (accepted, units, calls) = enquiry(text).await;
        assert_eq!(accepted, cost::to_accept(kib), "{kib} KiB: {calls:#?}");
        assert_eq!(units, cost::write_units(kib), "{kib} KiB: {calls:#?}");
        assert!(units <= goal, "{kib} KiB: {calls:#?}");
        let reads: f64 = calls.iter().map(|call| call.reads).sum();
        assert!(
            (reads - cost::read_units(kib)).abs() < 0.1,
            "{kib} KiB: {reads} {calls:#?}"
        );
        // Whatever was typed, and none of them is more than one round trip for the client who waits.
        // The practice is read for each of the four events; one more read is of the enquiry, and one, once in an hour, of the last check.
        let (reads, calls): (Vec<_>, Vec<_>) =
            calls.iter().partition(|it| it.operation == "GetItem");
        // One query is whether an enquiry was ever marked: until one was.
        // What is known of the sender is one more read, of two items, and no write.
        assert_eq!((reads.len(), calls.len()), (6, 13), "{calls:#?}");
        assert_eq!(calls[0].operation, "TransactWriteItems");
    }
}
