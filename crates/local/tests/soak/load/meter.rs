//! Counts on the wire what the function asks of the table: requests, and the capacity that the engine says they took.

use std::sync::{Arc, Mutex};

use aws_emulator::wire::{self, Answer, Call};
use aws_sdk_dynamodb::config::SharedHttpClient;
use serde_json::Value;

/// What was asked of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    pub requests: u32,
    /// Those among them that were refused: a reference that another enquiry has, for one.
    pub refused: u32,
    /// Of reads and writes, as the engine counts them by DynamoDB's rules.
    pub units: f64,
}

/// The count since the last time.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Cost>);

impl Meter {
    pub fn take(&self) -> Cost {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// A client whose calls are counted.
    pub fn client(self: &Arc<Self>) -> SharedHttpClient {
        let meter = Arc::clone(self);
        wire::local(move |call| Arc::clone(&meter).count(call))
    }

    async fn count(self: Arc<Self>, mut call: Call) -> Answer {
        if call.asked.service != "dynamodb" {
            return call.send().await;
        }
        let mut body = call.asked.body.clone();
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        call.replace(body);
        let mut answer = call.send().await?;
        let told: Value =
            serde_json::from_slice(&wire::read(&mut answer).await?).unwrap_or_default();
        let mut cost = self.0.lock().unwrap();
        cost.requests += 1;
        cost.refused += u32::from(!answer.status().is_success());
        cost.units += units(&told["ConsumedCapacity"]);
        drop(cost);
        Ok(answer)
    }
}

/// One table's, or a list of them.
fn units(capacity: &Value) -> f64 {
    match capacity {
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    }
}
