//! The table's stream: a new enquiry wakes the delivery.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::delivery::{Delivery, Unfinished};
use crate::store::Store;
use crate::telemetry;

/// One change of the table.
#[derive(Deserialize)]
pub struct StreamRecord {
    /// `INSERT`, `MODIFY` or `REMOVE`.
    #[serde(rename = "eventName", default)]
    event_name: String,
    #[serde(default)]
    dynamodb: StreamChange,
    /// Whether it does not have the shape of a record: it is parked, and the others go on.
    #[serde(skip)]
    unreadable: bool,
}

/// The change itself. Its images are personal, so it has no `Debug` that shows them.
#[derive(Deserialize, Default)]
struct StreamChange {
    /// Its place in the shard: what a failed batch reports.
    #[serde(rename = "SequenceNumber", default)]
    sequence_number: String,
    /// The item after the change.
    #[serde(rename = "NewImage", default)]
    new_image: Option<Value>,
}

impl StreamRecord {
    /// Reads a record. One that does not have the shape of a record keeps its sequence number, if it has one.
    #[must_use]
    pub fn read(record: &Value) -> Self {
        Self::deserialize(record).unwrap_or_else(|_| {
            let number = record
                .pointer("/dynamodb/SequenceNumber")
                .and_then(Value::as_str);
            Self {
                event_name: String::new(),
                dynamodb: StreamChange {
                    sequence_number: number.unwrap_or_default().to_owned(),
                    new_image: None,
                },
                unreadable: true,
            }
        })
    }
}

impl fmt::Debug for StreamRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StreamRecord({} {})",
            self.event_name, self.dynamodb.sequence_number
        )
    }
}

enum Outcome {
    Done,
    Again,
    OutOfTime,
}

/// Delivers the new enquiries of a batch, in order, and reports the first record that must come again: the event
/// source then repeats that one and all behind it (`ReportBatchItemFailures`). Those behind a failed one are delivered
/// all the same, and coming again sends them nothing twice.
///
/// What stays pending for a reason that another try at once would not change is left to the sweep, so that it does not
/// hold up the others.
pub async fn handle(delivery: &Delivery, records: Vec<StreamRecord>, clock: &Clock) -> Value {
    let mut failed = None;
    for record in records {
        let sequence_number = record.dynamodb.sequence_number.clone();
        match one(delivery, record, clock).await {
            Outcome::Done => {}
            Outcome::Again => failed = failed.or(Some(sequence_number)),
            Outcome::OutOfTime => {
                failed = failed.or(Some(sequence_number));
                break;
            }
        }
    }
    let failures = failed.map(|number| json!({ "itemIdentifier": number }));
    json!({ "batchItemFailures": failures.into_iter().collect::<Vec<_>>() })
}

async fn one(delivery: &Delivery, record: StreamRecord, clock: &Clock) -> Outcome {
    let sequence_number = record.dynamodb.sequence_number;
    let parked = |code: &str| {
        // Nothing is lost: the items stay in the table and in the index of pending work, which the alarm watches.
        telemetry::record_parked(None, Some(&sequence_number), code);
        Outcome::Done
    };
    if record.unreadable {
        return parked("Unreadable");
    }
    // The event source filters already; our own updates and the table's expiries concern nothing here.
    let image = record.dynamodb.new_image;
    let Some(image) = image.filter(|_| record.event_name == "INSERT") else {
        return Outcome::Done;
    };
    if let Some(nonce) = Store::probe_from_stream(&image) {
        return match delivery.deliver_probe(nonce, clock).await {
            Ok(()) => Outcome::Done,
            Err(error) => {
                error.log(&"the nightly test");
                Outcome::Again
            }
        };
    }
    let record = match Store::from_stream(image) {
        Ok(Some(record)) => record,
        Ok(None) => return Outcome::Done,
        Err(error) => return parked(&error.code),
    };
    let reference = record.received.reference.clone();
    match delivery.deliver(record, clock).await {
        Ok(()) => {
            info!(%reference, "enquiry delivered");
            Outcome::Done
        }
        Err(Unfinished::Pending | Unfinished::Refused) => {
            warn!(%reference, "emails stay pending: the sweep goes on");
            Outcome::Done
        }
        Err(Unfinished::Panicked) => Outcome::Done,
        Err(Unfinished::OutOfTime) => Outcome::OutOfTime,
        Err(Unfinished::Store(error)) if error.is_unreadable() => {
            telemetry::record_parked(Some(reference.as_str()), None, &error.code);
            Outcome::Done
        }
        Err(Unfinished::Store(error)) => {
            error.log(&reference);
            Outcome::Again
        }
    }
}
