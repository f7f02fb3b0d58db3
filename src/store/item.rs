//! The items of the table and their attributes.
//!
//! | `pk` | `kind` | what | expires |
//! | --- | --- | --- | --- |
//! | `enquiry#BB-7KQ4M` | `enquiry` | an enquiry with the states of its emails | the retention after nothing is pending to the therapist |
//! | `marker#<hash>` | `marker` | the identity of a post and its reference | 24 hours |
//! | `source#<hash>` | `counter` | how many enquiries one source sent, by the minute (`store/sliding.rs`) | 22 minutes |
//! | `day#2026-11-23` | `counter` | how many auto-replies left on one day (UTC) | 48 hours |
//! | `cool-down#<hash>` | `cool-down` | an address that had an auto-reply, and for which enquiry; or one that emails do not reach | 24 hours after the send; the retention |
//! | `nonce#<hex>` | `nonce` | a challenge that was solved and has been used | with the challenge, within 24 hours |
//!
//! Index `pending` (`pending`, `due`) holds only what is pending; index `address` (`address`, `received_at`) finds all
//! enquiries of one person; index `received` (`kind`, `received_at`) finds them all by their time.
//!
//! Nothing here ties the counter of a source to a person: the address of the internet connection is on no other item.

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1 as dynamo;

use crate::delivery::Deliveries;
use crate::enquiry::{Received, Reference};
use crate::spam::{Nonce, Score, Signal, Verdict};

pub(super) type Item = HashMap<String, AttributeValue>;

/// The version of the enquiry's item that this code writes, and the newest that it reads.
const VERSION: u32 = 1;
/// The only partition of the index of what is pending.
pub(super) const OWED: &str = "pending";

/// An enquiry as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What came in.
    pub received: Received,
    /// What the screening said, or whoever released it.
    pub verdict: Verdict,
    /// Why the screening said so.
    pub signals: Vec<Signal>,
    /// Where its emails stand.
    pub deliveries: Deliveries,
    /// How often it was changed.
    pub revision: u64,
    /// Whether its source could not be counted.
    pub uncounted: bool,
    /// Whether it is found by its client's address: not when it came in while the key of the hashes was out of reach.
    pub addressed: bool,
}

impl Record {
    /// An enquiry that has just come in.
    #[must_use]
    pub fn new(received: Received, screening: &Score) -> Self {
        Self {
            received,
            verdict: screening.verdict(),
            signals: screening.signals.clone(),
            deliveries: Deliveries::new(),
            revision: 0,
            uncounted: false,
            addressed: true,
        }
    }

    /// The same enquiry with other states of its emails.
    #[must_use]
    pub fn with(&self, deliveries: Deliveries) -> Self {
        Self {
            deliveries,
            ..self.clone()
        }
    }

    /// Since when it owes something: its place in the index of what is pending.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        self.deliveries
            .pending_since
            .unwrap_or(self.received.received_at)
    }

    /// Reads the image that a stream record carries.
    ///
    /// # Errors
    /// When it is no enquiry, or one that this version does not understand.
    pub fn from_image(image: serde_dynamo::Item) -> Result<Self, StoreError> {
        Self::from_item(Item::from(image))
    }

    pub(super) fn from_item(item: Item) -> Result<Self, StoreError> {
        // The version first: a newer item may have another shape altogether.
        match item
            .get("v")
            .and_then(|v| v.as_n().ok())
            .and_then(|v| v.parse::<u32>().ok())
        {
            Some(version) if version <= VERSION => {}
            _ => return Err(StoreError::new("read", StoreError::UNKNOWN_VERSION)),
        }
        // The library panics at a type of data that the SDK does not know.
        if !item.values().all(is_known) {
            return Err(StoreError::new("read", StoreError::UNREADABLE));
        }
        let stored: StoredEnquiry =
            dynamo::from_item(item).map_err(|_| StoreError::new("read", StoreError::UNREADABLE))?;
        Ok(stored.into())
    }
}

/// The attributes of an enquiry's item.
#[derive(Serialize, Deserialize)]
struct StoredEnquiry {
    pk: String,
    kind: String,
    v: u32,
    revision: u64,
    reference: Reference,
    received_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// The key of its marker, so that erasing the enquiry finds it. Items of before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    verdict: Verdict,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "known_signals"
    )]
    signals: Vec<Signal>,
    enquiry: crate::enquiry::Enquiry,
    deliveries: Deliveries,
    #[serde(default)]
    uncounted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

/// The signals that this version knows: a newer one may have more, and that is no reason to leave an enquiry alone.
fn known_signals<'de, D: Deserializer<'de>>(stored: D) -> Result<Vec<Signal>, D::Error> {
    let codes = Vec::<String>::deserialize(stored)?;
    Ok(codes
        .iter()
        .filter_map(|code| Signal::from_code(code))
        .collect())
}

impl From<StoredEnquiry> for Record {
    fn from(stored: StoredEnquiry) -> Self {
        Self {
            received: Received {
                reference: stored.reference,
                received_at: stored.received_at,
                enquiry: stored.enquiry,
            },
            verdict: stored.verdict,
            signals: stored.signals,
            deliveries: stored.deliveries,
            revision: stored.revision,
            uncounted: stored.uncounted,
            addressed: stored.address.is_some(),
        }
    }
}

pub(super) fn enquiry_key(reference: &Reference) -> String {
    format!("enquiry#{reference}")
}

/// The item of a new enquiry: it owes its emails from the first moment and never expires while it does.
pub(super) fn new_enquiry(
    record: &Record,
    address: Option<String>,
    identity: &str,
) -> Result<Item, StoreError> {
    let received = &record.received;
    let stored = StoredEnquiry {
        pk: enquiry_key(&received.reference),
        kind: "enquiry".to_owned(),
        v: VERSION,
        revision: record.revision,
        reference: received.reference.clone(),
        received_at: received.received_at,
        address,
        marker: Some(idempotency_item_key(identity)),
        verdict: record.verdict,
        signals: record.signals.clone(),
        enquiry: received.enquiry.clone(),
        deliveries: record.deliveries.clone(),
        uncounted: record.uncounted,
        pending: Some(OWED.to_owned()),
        due: Some(received.received_at),
        expires: None,
    };
    dynamo::to_item(stored).map_err(|_| StoreError::new("accept", StoreError::UNREADABLE))
}

pub(super) fn idempotency_item_key(identity: &str) -> String {
    format!("marker#{identity}")
}

pub(super) fn cool_down_key(address: &str) -> String {
    format!("cool-down#{address}")
}

/// Whether the item is as this writer left it.
pub(super) fn is_written_by(item: &Item, writer: &str) -> bool {
    text(item, "writer") == Some(writer)
}

pub(super) fn marker(identity: &str, reference: &Reference, expires: Timestamp) -> Item {
    HashMap::from([
        (
            "pk".to_owned(),
            AttributeValue::S(idempotency_item_key(identity)),
        ),
        ("kind".to_owned(), AttributeValue::S("marker".to_owned())),
        (
            "reference".to_owned(),
            AttributeValue::S(reference.to_string()),
        ),
        (
            "expires".to_owned(),
            AttributeValue::N(expires.as_second().to_string()),
        ),
    ])
}

pub(super) fn cool_down(address: &str, reference: &Reference, expires: Timestamp) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(cool_down_key(address))),
        ("kind".to_owned(), AttributeValue::S("cool-down".to_owned())),
        (
            "reference".to_owned(),
            AttributeValue::S(reference.to_string()),
        ),
        (
            "expires".to_owned(),
            AttributeValue::N(expires.as_second().to_string()),
        ),
    ])
}

/// The cool-down that ends no sooner than the enquiries do.
pub(super) fn undeliverable(address: &str, because_of: &Reference, expires: Timestamp) -> Item {
    let mut item = cool_down(address, because_of, expires);
    item.insert("undeliverable".to_owned(), AttributeValue::Bool(true));
    item
}

/// Whether a cool-down is there because emails to the address do not arrive or are not wanted.
pub(super) fn is_undeliverable(cool_down: &Item) -> bool {
    cool_down.contains_key("undeliverable")
}

/// A challenge that counts no more.
pub(super) fn nonce(nonce: &Nonce) -> Item {
    HashMap::from([
        (
            "pk".to_owned(),
            AttributeValue::S(format!("nonce#{}", nonce.value)),
        ),
        ("kind".to_owned(), AttributeValue::S("nonce".to_owned())),
        (
            "expires".to_owned(),
            AttributeValue::N(nonce.expires.as_second().to_string()),
        ),
    ])
}

pub(super) fn source_key(hash: &str) -> String {
    format!("source#{hash}")
}

pub(super) fn day_key(now: Timestamp) -> String {
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("day#{day}")
}

/// Counts one more, with the values of [`count`]; the limit is the condition.
pub(super) const COUNT: &str = "SET kind = :kind, expires = :expires ADD times :one";

pub(super) fn count(expires: Timestamp, most: u32) -> Item {
    HashMap::from([
        (":kind".to_owned(), AttributeValue::S("counter".to_owned())),
        (
            ":expires".to_owned(),
            AttributeValue::N(expires.as_second().to_string()),
        ),
        (":one".to_owned(), AttributeValue::N("1".to_owned())),
        (":most".to_owned(), AttributeValue::N(most.to_string())),
    ])
}

/// The reference that an idempotency record holds.
pub(super) fn reference_of(item: &Item) -> Option<Reference> {
    Reference::parse(text(item, "reference")?).ok()
}

/// Whether an item has expired by this time, although it is still there. The conditions of writes say the same.
pub(super) fn is_over(item: &Item, now: Timestamp) -> bool {
    let expires = item.get("expires").and_then(|at| at.as_n().ok());
    let expires = expires.and_then(|at| at.parse::<i64>().ok());
    expires.is_some_and(|expires| expires < now.as_second())
}

/// The reference of an enquiry by its key, and since when it owes something, as the index returns them.
pub(super) fn pending_since_of(item: &Item) -> Option<(Reference, Timestamp)> {
    let reference = Reference::parse(text(item, "pk")?.strip_prefix("enquiry#")?).ok()?;
    Some((reference, text(item, "due")?.parse().ok()?))
}

/// The reference of an enquiry by its key, and when it came in, as an index returns them.
pub(super) fn place_of(item: &Item) -> Option<(Reference, Timestamp)> {
    let reference = Reference::parse(text(item, "pk")?.strip_prefix("enquiry#")?).ok()?;
    Some((reference, received_at_of(item)?))
}

/// When an item will be deleted, if that is known yet.
pub(super) fn expires_of(item: &Item) -> Option<Timestamp> {
    let seconds = item.get("expires")?.as_n().ok()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// When an enquiry came in, as an index returns it.
pub(super) fn received_at_of(item: &Item) -> Option<Timestamp> {
    text(item, "received_at")?.parse().ok()
}

pub(super) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    dynamo::to_attribute_value(value).map_err(|_| StoreError::new("change", StoreError::UNREADABLE))
}

fn is_known(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::M(members) => members.values().all(is_known),
        AttributeValue::L(values) => values.iter().all(is_known),
        value => !value.is_unknown(),
    }
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// Why the table could not be read or written: what was tried and the code of the failure, nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What was tried.
    pub doing: &'static str,
    /// DynamoDB's code, or the kind of the failure on the way to it.
    pub code: String,
}

impl StoreError {
    /// The key of the hashes is out of reach.
    pub const NO_KEY: &'static str = "KeyUnavailable";
    /// The item was written by a newer version of this code.
    pub const UNKNOWN_VERSION: &'static str = "UnknownVersion";
    /// The item has not the shape of an enquiry.
    pub const UNREADABLE: &'static str = "Unreadable";

    /// Whether the item itself is the reason, so that another try would fare no better.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.code == Self::UNKNOWN_VERSION || self.code == Self::UNREADABLE
    }

    pub(super) fn new(doing: &'static str, code: &str) -> Self {
        Self {
            doing,
            code: code.to_owned(),
        }
    }

    /// Keeps the code of an SDK error; its `Debug` would carry the whole item.
    pub(super) fn from_sdk<E: ProvideErrorMetadata, R>(
        doing: &'static str,
        error: &SdkError<E, R>,
    ) -> Self {
        let code = match error {
            SdkError::ServiceError(error) => error.err().code().unwrap_or("Unknown"),
            SdkError::TimeoutError(_) => "Timeout",
            SdkError::DispatchFailure(_) => "DispatchFailure",
            SdkError::ResponseError(_) => "ResponseUnreadable",
            SdkError::ConstructionFailure(_) => "ConstructionFailure",
            _ => "Unknown",
        };
        Self::new(doing, code)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the table could not {}: {}", self.doing, self.code)
    }
}

impl std::error::Error for StoreError {}
