//! The table's stream: new enquiries wake the outbox.

use std::sync::Arc;

use lambda_runtime::Error;
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::delivery::{self, Unfinished};
use crate::invocation::StreamRecord;
use crate::store::{Record, StoreError};

/// Delivers the new enquiries of a batch, in order, and reports the first record that must come again: the event
/// source then repeats that one and all behind it (`ReportBatchItemFailures`). Those behind a failed one are delivered
/// all the same, and coming again sends them nothing twice.
///
/// What stays pending for a reason that another try at once would not mend is left to the sweep, so that it does not
/// hold up the others.
///
/// # Errors
/// None of its own: failures are reported by record.
pub async fn handle(
    app: &Arc<App>,
    records: Vec<StreamRecord>,
    clock: &Clock,
) -> Result<Value, Error> {
    let mut failed = None;
    for record in records {
        let sequence_number = record.dynamodb.sequence_number.clone();
        match one(app, record, clock).await {
            Outcome::Done => {}
            Outcome::Again => failed = failed.or(Some(sequence_number)),
            Outcome::OutOfTime => {
                failed = failed.or(Some(sequence_number));
                break;
            }
        }
    }
    let failures = failed.map(|number| json!({ "itemIdentifier": number }));
    Ok(json!({ "batchItemFailures": failures.into_iter().collect::<Vec<_>>() }))
}

enum Outcome {
    Done,
    Again,
    OutOfTime,
}

async fn one(app: &Arc<App>, change: StreamRecord, clock: &Clock) -> Outcome {
    if change.unreadable {
        error!(
            alarm = "record_parked",
            sequence_number = change.dynamodb.sequence_number,
            code = StoreError::UNREADABLE,
            "record parked"
        );
        return Outcome::Done;
    }
    // The event source filters already; our own updates and the table's expiries are none of the outbox's business.
    let Some(image) = change
        .dynamodb
        .new_image
        .filter(|image| change.event_name == "INSERT" && is_enquiry(image))
    else {
        return Outcome::Done;
    };
    let record = serde_json::from_value(image)
        .map_err(|_| StoreError {
            doing: "read",
            code: StoreError::UNREADABLE.to_owned(),
        })
        .and_then(Record::from_image);
    let record = match record {
        Ok(record) => record,
        Err(error) => {
            // Nothing is lost: the item stays in the table and in the index of what is pending, under the alarm's eye.
            error!(
                alarm = "record_parked",
                sequence_number = change.dynamodb.sequence_number,
                code = error.code,
                "record parked"
            );
            return Outcome::Done;
        }
    };
    let reference = record.received.reference.clone();
    match delivery::deliver(app, record, clock).await {
        Ok(()) => {
            info!(%reference, "enquiry delivered");
            Outcome::Done
        }
        Err(Unfinished::Pending) => {
            warn!(%reference, "emails stay pending: the sweep goes on");
            Outcome::Done
        }
        Err(Unfinished::Panicked) => Outcome::Done,
        Err(Unfinished::Later) => Outcome::OutOfTime,
        Err(Unfinished::Store(error)) if error.is_unreadable() => {
            error!(alarm = "record_parked", %reference, code = error.code, "left for a newer version");
            Outcome::Done
        }
        Err(Unfinished::Store(error)) => {
            error!(%reference, code = error.code, "the table could not {}", error.doing);
            Outcome::Again
        }
    }
}

fn is_enquiry(image: &Value) -> bool {
    image.pointer("/kind/S").and_then(Value::as_str) == Some("enquiry")
}
