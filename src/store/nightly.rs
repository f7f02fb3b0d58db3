//! The nightly test in the table: how far it came, step by step.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::applied;
use super::schema::{Item, VERSION, partition, read, s, seconds, to_item};
use super::submit::put;
use super::{Store, StoreError};
use crate::record::{NightlyTest, Step};
use crate::spam::Verdict;

const ACTION: &str = "write down the nightly test";
/// The condition of every step: it is this test, and the step was not done yet.
const FIRST: &str = "nonce = :nonce AND attribute_not_exists(#step)";

impl Store {
    /// The last test; nothing before the first one.
    ///
    /// # Errors
    /// When the table cannot be read, or a newer version wrote the item.
    pub async fn nightly(&self) -> Result<Option<NightlyTest>, StoreError> {
        let item = self
            .get("load the nightly test", NIGHTLY_KEY.to_owned())
            .await?;
        item.map(of_item).transpose()
    }

    /// Begins a test in the place of the last one, unless another invocation did. Returns whether it begins.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn start_nightly(
        &self,
        test: &NightlyTest,
        last: Option<&NightlyTest>,
    ) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(nightly_item(test)?));
        let put = match last {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(last) => put
                .condition_expression("nonce = :nonce")
                .expression_attribute_values(":nonce", AttributeValue::S(last.nonce.clone())),
        };
        applied(put.send().await, "start the nightly test")
    }

    /// Keeps the enquiry of the test: once, and only for the test that waits for it. Returns the test as it was begun; nothing
    /// when it is none, or is kept already.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn accept_probe(&self, nonce: &str, now: Timestamp) -> Result<bool, StoreError> {
        let step = Update::builder()
            .table_name(&self.table)
            .set_key(Some(Item::from([s("pk", NIGHTLY_KEY)])))
            .update_expression("SET #step = :now REMOVE trouble")
            .condition_expression(FIRST)
            .expression_attribute_names("#step", "stored_at")
            .set_expression_attribute_values(Some(Item::from([s(":nonce", nonce), s(":now", now)])))
            .build()
            .map_err(|_| StoreError::unbuildable("accept"))?;
        let probe = self.put(probe_item(nonce, now));
        let writes = vec![
            TransactWriteItem::builder().update(step).build(),
            put(probe.condition_expression("attribute_not_exists(pk)"))?,
        ];
        let Some(cancelled) = self.transact("accept", writes).await? else {
            return Ok(true);
        };
        if cancelled.failed(0).is_some() || cancelled.failed(1).is_some() {
            Ok(false)
        } else {
            Err(StoreError::new("accept", "TransactionConflict"))
        }
    }

    /// Writes down that the stream brought the enquiry of the test. Returns the test; nothing when it is another one, or came
    /// before.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn probe_came(
        &self,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Option<NightlyTest>, StoreError> {
        let at = AttributeValue::S(now.to_string());
        if !self
            .step(nonce, "streamed_at", at, "SET #step = :value")
            .await?
        {
            return Ok(None);
        }
        self.nightly().await
    }

    /// Writes down that SES took the email.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn probe_left(&self, nonce: &str, now: Timestamp) -> Result<(), StoreError> {
        let at = AttributeValue::S(now.to_string());
        self.step(nonce, "sent_at", at, "SET #step = :value")
            .await
            .map(drop)
    }

    /// Writes down what the door answered instead of taking the enquiry.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn probe_refused(&self, nonce: &str, step: Step) -> Result<(), StoreError> {
        let step = AttributeValue::S(step.to_string());
        self.step(nonce, "trouble", step, "SET #step = :value")
            .await
            .map(drop)
    }

    /// Ends the test as passed, and removes its enquiry.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn pass_nightly(&self, nonce: &str, now: Timestamp) -> Result<(), StoreError> {
        let at = AttributeValue::S(now.to_string());
        let end = "SET #step = :value REMOVE pending, due, failed";
        self.step(nonce, "reported_at", at, end).await?;
        self.remove_probe(nonce).await
    }

    /// Ends the test as failed at this step, and removes its enquiry.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn fail_nightly(&self, nonce: &str, step: Step) -> Result<(), StoreError> {
        let step = AttributeValue::S(step.to_string());
        let end = "SET #step = :value REMOVE pending, due";
        self.step(nonce, "failed", step, end).await?;
        self.remove_probe(nonce).await
    }

    /// The nonce of a test's enquiry that a record of the table's stream brings; nothing when the image is of another item.
    #[must_use]
    pub fn probe_from_stream(image: &Value) -> Option<&str> {
        let text = |name: &str| image.get(name)?.get("S")?.as_str();
        text("pk")?
            .strip_prefix("probe#")
            .filter(|_| text("kind") == Some(PROBE))
    }

    async fn step(
        &self,
        nonce: &str,
        attribute: &str,
        value: AttributeValue,
        expression: &str,
    ) -> Result<bool, StoreError> {
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(NIGHTLY_KEY.to_owned()))
            .update_expression(expression)
            .condition_expression(FIRST)
            .expression_attribute_names("#step", attribute)
            .expression_attribute_values(":value", value)
            .expression_attribute_values(":nonce", AttributeValue::S(nonce.to_owned()))
            .send()
            .await;
        applied(outcome, ACTION)
    }

    async fn remove_probe(&self, nonce: &str) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", AttributeValue::S(probe_key(nonce)));
        delete
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::from_sdk(ACTION, &error))
    }
}

/// There is one: what is left of the last test.
const NIGHTLY_KEY: &str = "nightly#desk";
/// The kind of the enquiry that the test sends: the stream's filter names it.
const PROBE: &str = "probe";
/// How long a test may take.
const TIME: SignedDuration = SignedDuration::from_hours(1);
/// A test that was never judged leaves nothing for longer.
const PROBE_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How far the test came. It stands in the index of pending work until it is over, and due after an hour.
#[derive(Serialize, Deserialize)]
struct StoredNightly {
    pk: String,
    kind: String,
    v: u32,
    #[serde(flatten)]
    test: NightlyTest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

fn nightly_item(test: &NightlyTest) -> Result<Item, StoreError> {
    to_item(
        "start the nightly test",
        StoredNightly {
            pk: NIGHTLY_KEY.to_owned(),
            kind: "nightly".to_owned(),
            v: VERSION,
            pending: Some(partition(Verdict::Clear).to_owned()),
            due: Some(test.started_at + TIME),
            test: test.clone(),
        },
    )
}

fn of_item(item: Item) -> Result<NightlyTest, StoreError> {
    read::<StoredNightly>(item).map(|stored| stored.test)
}

fn probe_key(nonce: &str) -> String {
    format!("probe#{nonce}")
}

/// The enquiry of the test: no index and no list has it.
fn probe_item(nonce: &str, now: Timestamp) -> Item {
    HashMap::from([
        s("pk", probe_key(nonce)),
        s("kind", PROBE),
        seconds("expires", now + PROBE_KEPT),
    ])
}
