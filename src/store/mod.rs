//! The table: what is written, under which conditions, and what is read back.
//!
//! Nothing outside this folder knows a key or an attribute's name. An enquiry is two items: what was typed, written once, and
//! what changes. Every change is conditional on the revision that was read, so that two who hold the same enquiry cannot
//! both act on it.

mod erase;
mod error;
mod queries;
mod quota;
mod rate_limit;
pub mod schema;
mod submit;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem, Update as ItemUpdate,
};
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::enquiry::{EmailAddress, Reference};
use crate::keys::{self, Keys};
use crate::record::Record;
use crate::settings::StoreSettings;
use crate::spam::Verdict;

use schema::{Item, s};

pub use erase::{CoolDown, StoredCopies};
use error::Cancelled;
pub use error::StoreError;
pub use queries::{Cursor, Page, Pending};
pub use quota::AutoReplyQuota;
pub use submit::{Accepted, IdempotencyKey, NewEnquiry};

/// How many times a transaction that met another one is tried again; a reference that is taken counts too.
const TRIES: u32 = 5;
/// What one call may take, with the SDK's own retries.
const ONE_CALL: Duration = Duration::from_secs(3);
/// How long an enquiry that looks like spam is kept.
const SUSPECT_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The table and the keys under which things are found in it.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
    keys: Option<Keys>,
    retention: SignedDuration,
    rate_limit: u32,
    auto_replies_per_day: u32,
}

/// What became of a change.
#[derive(Debug)]
pub enum Update {
    /// It was written; the enquiry as it now is.
    Applied(Box<Record>),
    /// There was nothing to change; the enquiry as it is.
    Unchanged(Box<Record>),
    /// The enquiry was erased.
    Gone,
}

/// What became of one conditional write.
enum Written {
    Applied(Box<Record>),
    Conflict(Box<Record>),
    Gone,
}

impl Store {
    /// A store over this client.
    #[must_use]
    pub fn new(client: Client, settings: &StoreSettings, keys: Option<Keys>) -> Self {
        Self {
            client,
            table: settings.table.clone(),
            keys,
            retention: SignedDuration::from_hours(24 * i64::from(settings.retention_days)),
            rate_limit: settings.rate_limit,
            auto_replies_per_day: settings.auto_replies_per_day,
        }
    }

    /// Generates a reference.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate_reference(&self, prefix: &str) -> Result<Reference, StoreError> {
        Ok(Reference::from_random(prefix, random()?))
    }

    /// Whether addresses can be hashed: not while the secret is out of reach.
    #[must_use]
    pub const fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Reads an enquiry, with all that was written before.
    ///
    /// # Errors
    /// When the table cannot be read, or an item is not one that this version understands.
    pub async fn load(&self, reference: &Reference) -> Result<Option<Record>, StoreError> {
        match self.items("load", reference).await? {
            (Some(enquiry), Some(state)) => schema::record(enquiry, Some(state)).map(Some),
            _ => Ok(None),
        }
    }

    /// How many enquiries [`Self::load_all`] reads at once: two items each ("BatchGetItem" takes 100 keys).
    pub const BATCH: usize = 50;

    /// Reads several enquiries in one request, in this order; at most [`Self::BATCH`]. Each may be gone, or unreadable for
    /// this version.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn load_all(
        &self,
        found: &[Cursor],
    ) -> Result<Vec<Result<Option<Record>, StoreError>>, StoreError> {
        let keys = found.iter().flat_map(|at| {
            [
                schema::enquiry_key(&at.reference),
                schema::state_key(&at.reference),
            ]
        });
        let keys: Vec<String> = keys.collect();
        let mut items = match keys.as_slice() {
            [] => HashMap::new(),
            keys => self.get_all("load", keys).await?,
        };
        let mut keys = keys.into_iter();
        let mut records = Vec::new();
        while let (Some(enquiry), Some(state)) = (keys.next(), keys.next()) {
            records.push(match (items.remove(&enquiry), items.remove(&state)) {
                (Some(enquiry), Some(state)) => schema::record(enquiry, Some(state)).map(Some),
                _ => Ok(None),
            });
        }
        Ok(records)
    }

    /// The enquiry that a record of the table's stream brings, as it came in; `None` when the image is of another item.
    ///
    /// # Errors
    /// When it is not one that this version understands.
    pub fn from_stream(image: serde_json::Value) -> Result<Option<Record>, StoreError> {
        if image.pointer("/kind/S").and_then(serde_json::Value::as_str) != Some(schema::ENQUIRY) {
            return Ok(None);
        }
        let image: serde_dynamo::Item = serde_json::from_value(image)
            .map_err(|_| StoreError::new("read", StoreError::UNREADABLE))?;
        schema::record(Item::from(image), None).map(Some)
    }

    /// Changes an enquiry, by whatever `change` makes of its record: again for each change that came between, until it is
    /// written. `change` says whether there is anything to write; only the state may be changed. When the enquiry expires,
    /// and its place in the index of pending work, follow from the state.
    ///
    /// # Errors
    /// When the table cannot be written; whether it was written may then be unknown.
    pub async fn update(
        &self,
        mut record: Record,
        clock: &Clock,
        mut change: impl FnMut(&mut Record) -> bool,
    ) -> Result<Update, StoreError> {
        loop {
            let mut next = record.clone();
            if !change(&mut next) {
                return Ok(Update::Unchanged(Box::new(record)));
            }
            match self.write(record, next, clock.now()).await? {
                Written::Applied(record) => return Ok(Update::Applied(record)),
                Written::Conflict(current) => record = *current,
                Written::Gone => return Ok(Update::Gone),
            }
        }
    }

    /// Takes an enquiry whose emails are all final out of the index of pending work, once its other item says when it expires
    /// and is found by its client's address.
    ///
    /// # Errors
    /// When the table cannot be written: it then stays in the index, and a sweep comes back to it.
    pub async fn complete(&self, mut record: Record, clock: &Clock) -> Result<(), StoreError> {
        // The first change lets the other item follow; the second one then leaves the index.
        for _ in 0..2 {
            let is_due = record.indexed && (record.addressed || self.has_keys());
            if !is_due || record.state.deliveries.is_pending() {
                break;
            }
            match self.update(record, clock, |_| true).await? {
                Update::Applied(next) | Update::Unchanged(next) => record = *next,
                Update::Gone => break,
            }
        }
        Ok(())
    }

    /// Writes a changed state, if nothing has changed it since it was `seen`.
    async fn write(
        &self,
        seen: Record,
        mut next: Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        next.state.revision = seen.state.revision + 1;
        let expires = if next.state.deliveries.is_pending_for_therapist() {
            None
        } else {
            // The first time counts: an email that is sent once more keeps nothing longer.
            let completed = *next.state.completed.get_or_insert(now);
            Some(completed + self.life(next.state.verdict))
        };
        // What was typed must not expire while the state is pending again: then both change in one transaction.
        let reopens = expires.is_none() && next.text_expires.is_some();
        if reopens {
            next.text_expires = None;
        }
        // Otherwise the item with what was typed follows the state. Until it does, the state stays in the index of pending
        // work and does not expire, so that a sweep finds what is missing.
        let follows = next.text_expires == expires && (next.addressed || !self.has_keys());
        next.indexed = next.state.deliveries.is_pending() || !next.addressed || !follows;
        let writer = hex::encode(random::<8>()?);
        let item = schema::state_item(&next, Some(writer.clone()), expires.filter(|_| follows))?;
        let revision = seen.state.revision;
        let outcome = if reopens {
            let key = schema::enquiry_key(&next.received.reference);
            self.replace_and_keep(item, revision, key).await?
        } else {
            self.replace(item, revision).await?
        };
        let Err(current) = outcome else {
            return self.applied(next, expires).await;
        };
        match current {
            None => Ok(Written::Gone),
            Some(current) if schema::text(&current, "writer") == Some(&writer) => {
                self.applied(next, expires).await
            }
            Some(_) => Ok(match self.load(&next.received.reference).await? {
                Some(current) => Written::Conflict(Box::new(current)),
                None => Written::Gone,
            }),
        }
    }

    /// Replaces a state of this revision; otherwise the item as it stands.
    async fn replace(&self, item: Item, seen: u64) -> Result<Result<(), Option<Item>>, StoreError> {
        let outcome = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(schema::UNCHANGED)
            .set_expression_attribute_values(Some(schema::revision(seen)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(Ok(())),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(Err(match error.into_err() {
                    PutItemError::ConditionalCheckFailedException(failed) => failed.item,
                    _ => None,
                }))
            }
            Err(error) => Err(StoreError::from_sdk("change", &error)),
        }
    }

    /// The same, and takes the expiry from the item with what was typed.
    async fn replace_and_keep(
        &self,
        item: Item,
        seen: u64,
        typed: String,
    ) -> Result<Result<(), Option<Item>>, StoreError> {
        let unbuildable = |_| StoreError::unbuildable("change");
        let state = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(schema::UNCHANGED)
            .set_expression_attribute_values(Some(schema::revision(seen)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(unbuildable)?;
        let kept = ItemUpdate::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(typed))
            .update_expression("REMOVE expires")
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(unbuildable)?;
        let outcome = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(state).build())
            .transact_items(TransactWriteItem::builder().update(kept).build())
            .send()
            .await;
        let Err(error) = outcome else {
            return Ok(Ok(()));
        };
        let cancelled = Cancelled::read("change", error)?;
        match (cancelled.failed(0), cancelled.failed(1)) {
            (Some(current), _) => Ok(Err(current.cloned())),
            // What was typed has been erased.
            (None, Some(_)) => Ok(Err(None)),
            (None, None) => Err(cancelled.into_error("change")),
        }
    }

    async fn applied(
        &self,
        mut next: Record,
        expires: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        if self.follow(&mut next, expires).await? {
            Ok(Written::Applied(Box::new(next)))
        } else {
            Ok(Written::Gone)
        }
    }

    /// Lets the item with what was typed follow the state: it expires with it, and is found by its client's address as soon
    /// as there are keys. Says whether the item is still there.
    async fn follow(
        &self,
        next: &mut Record,
        expires: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let address = match &self.keys {
            Some(_) if !next.addressed => {
                Some(self.address_hash("change", &next.received.enquiry.email)?)
            }
            _ => None,
        };
        if address.is_none() && next.text_expires == expires {
            return Ok(true);
        }
        let mut values = HashMap::new();
        let mut set = Vec::new();
        if let Some(address) = address {
            values.extend([s(":address", address)]);
            set.push("address = :address");
        }
        let mut remove = "";
        match expires {
            Some(expires) => {
                values.extend([schema::seconds(":expires", expires)]);
                set.push("expires = :expires");
            }
            None => remove = " REMOVE expires",
        }
        let set = match set.as_slice() {
            [] => String::new(),
            set => format!("SET {}", set.join(", ")),
        };
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(
                "pk",
                AttributeValue::S(schema::enquiry_key(&next.received.reference)),
            )
            .update_expression(format!("{set}{remove}").trim())
            .condition_expression("attribute_exists(pk)")
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .send()
            .await;
        match outcome {
            Ok(_) => {
                next.addressed |= self.keys.is_some();
                next.text_expires = expires;
                Ok(true)
            }
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("change", &error)),
        }
    }

    /// The two items of an enquiry: what was typed, and what changes.
    async fn items(
        &self,
        action: &'static str,
        reference: &Reference,
    ) -> Result<(Option<Item>, Option<Item>), StoreError> {
        let keys = [schema::enquiry_key(reference), schema::state_key(reference)];
        let mut found = self.get_all(action, &keys).await?;
        let [enquiry, state] = keys.map(|key| found.remove(&key));
        Ok((enquiry, state))
    }

    /// Reads items by their keys, with all that was written before; those that do not exist are left out.
    async fn get_all(
        &self,
        action: &'static str,
        keys: &[String],
    ) -> Result<HashMap<String, Item>, StoreError> {
        let key = |key: &String| HashMap::from([s("pk", key)]);
        let mut request = KeysAndAttributes::builder()
            .set_keys(Some(keys.iter().map(key).collect()))
            .consistent_read(true)
            .build()
            .map_err(|_| StoreError::unbuildable(action))?;
        let mut found = HashMap::new();
        // DynamoDB may leave out some of the keys when it is busy ("BatchGetItem", DynamoDB API Reference).
        for _ in 0..TRIES {
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk(action, &error))?;
            let items = answer.responses.unwrap_or_default().remove(&self.table);
            for item in items.unwrap_or_default() {
                if let Some(key) = schema::text(&item, "pk") {
                    found.insert(key.to_owned(), item);
                }
            }
            match answer
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&self.table)
            {
                Some(rest) => request = rest,
                None => return Ok(found),
            }
        }
        Err(StoreError::new(action, "UnprocessedKeys"))
    }

    /// Reads one item, with all that was written before.
    async fn get(&self, action: &'static str, key: String) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(action, &error))?;
        Ok(answer.item)
    }

    /// The hash under which all enquiries of a person are found: it does not tell the address.
    fn address_hash(
        &self,
        action: &'static str,
        address: &EmailAddress,
    ) -> Result<String, StoreError> {
        let keys = self.keys.as_ref();
        keys.map(|keys| keys.hash("address", &[address.canonical().as_bytes()]))
            .ok_or_else(|| StoreError::new(action, StoreError::NO_KEY))
    }

    /// How long an enquiry is kept once nothing is pending for the therapist.
    fn life(&self, verdict: Verdict) -> SignedDuration {
        match verdict {
            Verdict::Clear => self.retention,
            Verdict::Suspect => self.retention.min(SUSPECT_LIFE),
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    keys::random().ok_or_else(|| StoreError::new("accept", "NoRandomness"))
}

/// A pause before another try, in milliseconds: longer each time, and different for each who waits.
fn pause(attempt: u32) -> Result<Duration, StoreError> {
    let jitter = u64::from(u8::from_be_bytes(random()?)) / 4;
    Ok(Duration::from_millis(u64::from(30 * attempt) + jitter))
}
