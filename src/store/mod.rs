//! The table: what is written, under which conditions, and what is read back.
//!
//! Nothing outside this folder knows a key or an attribute's name. An enquiry is two items: what was typed, written once, and
//! what changes. Every change is conditional on the revision that was read, so that two who hold the same enquiry cannot
//! both act on it.

mod annex;
mod change;
mod erase;
mod error;
mod health;
mod nightly;
mod own_emails;
pub mod practice;
mod queries;
mod quota;
mod rate_limit;
mod raw;
pub mod schema;
mod senders;
mod sessions;
mod submit;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use jiff::{SignedDuration, Timestamp};

use crate::enquiry::{EmailAddress, Received, Reference};
use crate::keys::{self, Keys};
use crate::mail_state::{EmailKind, MailState};
use crate::record::{Record, State};
use crate::settings::StoreSettings;
use crate::spam::Verdict;

use schema::s;

pub use annex::{Annex, NoteChange};
pub use change::{Along, Update};
pub use erase::{CoolDown, StoredCopies};
pub use error::StoreError;
pub use health::{Protection, Seen};
pub use practice::{SavedPractice, Words};
pub use queries::{Cursor, Page, Pending};
pub use quota::AutoReplyQuota;
pub use senders::{Sender, SenderChange, SenderCursor, SenderId, SenderPage, Senders};
pub use sessions::{CodeBudget, CodeQuota, DeskAccess, NewCode, TriedCode};
pub use submit::{Accepted, IdempotencyKey, NewEnquiry, network};

/// An item as the SDK has it.
type Item = HashMap<String, AttributeValue>;

/// How many times a transaction that met another one is tried again; a reference that is taken counts too.
const TRIES: u32 = 5;
/// What one call may take, with the SDK's own retries.
const ONE_CALL: Duration = Duration::from_secs(3);
/// How long an enquiry that looks like spam is kept.
const SUSPECT_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long an enquiry is kept at least after the last that is known of its email to the therapist: SES reports later that it held it
/// back, and one without the client's words asks her to open the desk. No longer than the shortest life that a practice can choose.
const TOLD: SignedDuration = SignedDuration::from_hours(24);

/// The table and the keys under which things are found in it.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
    keys: Option<Keys>,
    rate_limit: u32,
    auto_replies_per_day: u32,
}

impl Store {
    /// A store over this client.
    #[must_use]
    pub fn new(client: Client, settings: &StoreSettings, keys: Option<Keys>) -> Self {
        Self {
            client,
            table: settings.table.clone(),
            keys,
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
        let mut items = self.get_all("load", &keys).await?;
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
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
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

    /// When an enquiry expires: its life begins when nothing is pending for the therapist, and the short life of spam no
    /// sooner than a person has called it that. It never ends within a day of an email that the therapist got late.
    fn expires(received: &Received, state: &State, completed: Timestamp) -> Timestamp {
        let life = completed + retention(received);
        let end = match state.verdict {
            Verdict::Clear => life,
            Verdict::Suspect => {
                let judged = state.judged.unwrap_or(completed).max(completed);
                life.min(judged + SUSPECT_LIFE)
            }
        };
        let told = state.deliveries.of(EmailKind::Therapist);
        let told = told.and_then(MailState::since).map(|at| at + TOLD);
        told.map_or(end, |told| end.max(told))
    }
}

/// How long an enquiry is kept, and what is remembered because of it.
fn retention(received: &Received) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(received.retention_days))
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    keys::random().ok_or_else(|| StoreError::new("accept", "NoRandomness"))
}

/// A pause before another try, in milliseconds: longer each time, and different for each who waits.
fn pause(attempt: u32) -> Result<Duration, StoreError> {
    let jitter = u64::from(u8::from_be_bytes(random()?)) / 4;
    Ok(Duration::from_millis(u64::from(30 * attempt) + jitter))
}
