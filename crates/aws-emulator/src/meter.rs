//! Counts on the wire what is asked of the table: requests, and the capacity that the engine says they took.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::SharedHttpClient;
use serde_json::Value;

use crate::aws::lock;
use crate::wire::{self, Answer, Call};

/// What was asked of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// How many requests.
    pub requests: u32,
    /// Those among them that were refused: by a condition, for one.
    pub refused: u32,
    /// Of reads and writes, as the engine counts them by DynamoDB's rules.
    pub units: f64,
}

/// The count since the last time.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Cost>);

impl Meter {
    /// What was asked since this was last called; counts from zero again.
    pub fn take(&self) -> Cost {
        std::mem::take(&mut *lock(&self.0))
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
        if let Some(input) = body.as_object_mut() {
            input.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
        }
        call.replace(body);
        let mut answer = call.send().await?;
        let told: Value =
            serde_json::from_slice(&wire::read(&mut answer).await?).unwrap_or_default();
        let mut cost = lock(&self.0);
        cost.requests += 1;
        cost.refused += u32::from(!answer.status().is_success());
        cost.units += told.get("ConsumedCapacity").map_or(0.0, units);
        drop(cost);
        Ok(answer)
    }
}

/// One table's, or a list of them.
fn units(capacity: &Value) -> f64 {
    match capacity {
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => table
            .get("CapacityUnits")
            .and_then(Value::as_f64)
            .unwrap_or_default(),
    }
}
