//! The items of the table, their attributes and indexes. `docs/table.md` describes them for people; a test holds it to this
//! file.
//!
//! Nothing here ties the counter of a source to a person: the address of the internet connection is on no other item.

mod enquiry;
mod sessions;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_dynamo::aws_sdk_dynamodb_1 as dynamo;

use super::error::StoreError;
use crate::enquiry::Reference;
use crate::proof_of_work::Nonce;
use crate::record::{OwnEmailId, Work};
use crate::spam::{SenderRule, Verdict};

pub(super) use super::Item;
pub(super) use enquiry::{annex, enquiry_item, lines, record, state_item};
pub(super) use sessions::*;

/// The version of an enquiry's items that this code writes, and the newest that it reads.
pub(super) const VERSION: u32 = 1;

/// The partition key of every item.
pub const PARTITION_KEY: &str = "pk";
/// The attribute that says when an item expires (TTL), in seconds since 1970.
pub const EXPIRY: &str = "expires";
/// What the event source lets through: new enquiries, and that of the nightly test.
pub const NEW_ENQUIRIES: &str = r#"{ "eventName": ["INSERT"], "dynamodb": { "NewImage": { "kind": { "S": ["enquiry", "probe"] } } } }"#;

/// A global secondary index that projects the keys only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    pub name: &'static str,
    /// The attribute that is its partition key.
    pub partition_key: &'static str,
    /// The attribute that is its sort key.
    pub sort_key: &'static str,
}

/// The indexes. All of them are there from the first deployment, since an update of a stack can add only one at a time.
pub const INDEXES: [Index; 4] = [
    Index::new("pending", "pending", "due"),
    Index::new("waiting", "list", "list_by"),
    Index::new("address", "address", "received_at"),
    Index::new("received", "kind", "received_at"),
];

impl Index {
    const fn new(name: &'static str, partition_key: &'static str, sort_key: &'static str) -> Self {
        Self {
            name,
            partition_key,
            sort_key,
        }
    }
}

/// The partitions of the index `pending`, the more urgent first: what clients wait for, and suspected spam.
pub(super) const PENDING: [&str; 2] = ["pending", "suspected"];
/// The kind of the item that holds what was typed: the stream's filter and the index `received` name it.
pub(super) const ENQUIRY: &str = "enquiry";
/// The kind of the item that holds what changes.
pub(super) const STATE: &str = "state";
/// The kind of an item that says something about a sender.
pub(super) const SENDER: &str = "sender";
/// The kind of the item that holds what the state is too small for.
pub(super) const ANNEX: &str = "annex";

/// The lists of the index `waiting`: each state stands in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Those that wait for the therapist's answer, by when it was promised.
    Waiting,
    /// Those that look like spam and were not marked, by when they came in.
    Suspect,
    /// Those that were marked, by when.
    Marked,
    /// Those that the client has withdrawn, by when: no list shows them.
    Withdrawn,
}

impl List {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Suspect => "suspect",
            Self::Marked => "marked",
            Self::Withdrawn => "withdrawn",
        }
    }
}

pub(super) fn enquiry_key(reference: &Reference) -> String {
    format!("enquiry#{reference}")
}

pub(super) fn state_key(reference: &Reference) -> String {
    format!("state#{reference}")
}

pub(super) fn annex_key(reference: &Reference) -> String {
    format!("annex#{reference}")
}

pub(super) fn sender_key(hash: &str) -> String {
    format!("sender#{hash}")
}

pub(super) fn idempotency_key(hash: &str) -> String {
    format!("idempotency#{hash}")
}

pub(super) fn cool_down_key(address: &str) -> String {
    format!("cool-down#{address}")
}

pub(super) fn source_key(hash: &str) -> String {
    format!("source#{hash}")
}

pub(super) fn suspected_key(hour: &str) -> String {
    format!("suspected#{hour}")
}

pub(super) fn day_key(now: Timestamp) -> String {
    format!("day#{}", now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// What the key of an item in the index of pending work stands for; nothing for a kind that only a newer version knows.
pub(super) fn work(item: &Item) -> Option<Work> {
    let (kind, name) = text(item, "pk")?.split_once('#')?;
    match kind {
        STATE => Reference::parse(name).ok().map(Work::Enquiry),
        "email" => OwnEmailId::parse(name).map(Work::Email),
        "nightly" => Some(Work::NightlyTest),
        _ => None,
    }
}

/// The condition of every change of a state, with the value of [`revision`].
pub(super) const UNCHANGED: &str = "revision = :seen";

/// The value that [`UNCHANGED`] compares.
pub(super) fn revision(seen: u64) -> Item {
    HashMap::from([n(":seen", i64::try_from(seen).unwrap_or(i64::MAX))])
}

/// The item that finds a duplicate of a post.
pub(super) fn idempotency_record(hash: &str, reference: &Reference, expires: Timestamp) -> Item {
    HashMap::from([
        s("pk", idempotency_key(hash)),
        s("kind", "idempotency"),
        s("reference", reference),
        seconds("expires", expires),
    ])
}

/// An address that had an auto-reply, and for which enquiry.
pub(super) fn cool_down(address: &str, reference: &Reference, expires: Timestamp) -> Item {
    HashMap::from([
        s("pk", cool_down_key(address)),
        s("kind", "cool-down"),
        s("reference", reference),
        seconds("expires", expires),
    ])
}

/// An address that emails do not reach, or whose owner complained.
pub(super) fn undeliverable(address: &str, because_of: &Reference, expires: Timestamp) -> Item {
    let mut item = cool_down(address, because_of, expires);
    item.insert("undeliverable".to_owned(), AttributeValue::Bool(true));
    item
}

/// What was said about a sender. The index `received` lists them by when that was.
pub(super) fn sender(
    hash: &str,
    rule: SenderRule,
    because_of: &Reference,
    since: Timestamp,
    expires: Timestamp,
) -> Item {
    HashMap::from([
        s("pk", sender_key(hash)),
        s("kind", SENDER),
        s("rule", rule.key()),
        s("reference", because_of),
        s("received_at", since),
        seconds("expires", expires),
    ])
}

/// Whether a cool-down is there because emails to the address do not arrive or are not wanted.
pub(super) fn is_undeliverable(cool_down: &Item) -> bool {
    cool_down.contains_key("undeliverable")
}

/// A challenge that cannot be used again.
pub(super) fn nonce(nonce: &Nonce) -> Item {
    HashMap::from([
        s("pk", format!("nonce#{}", nonce.value)),
        s("kind", "nonce"),
        seconds("expires", nonce.expires),
    ])
}

/// Counts one more auto-reply of a day, with the values of [`count`]; the limit is the condition.
pub(super) const COUNT: &str = "SET kind = :kind, expires = :expires ADD times :one";

pub(super) fn count(expires: Timestamp, limit: u32) -> Item {
    HashMap::from([
        s(":kind", "counter"),
        seconds(":expires", expires),
        n(":one", 1),
        n(":limit", i64::from(limit)),
    ])
}

/// The reference that an idempotency record or a cool-down holds.
pub(super) fn reference_of(item: &Item) -> Option<Reference> {
    Reference::parse(text(item, "reference")?).ok()
}

/// What a sender's item says.
pub(super) fn rule_of(item: &Item) -> Option<SenderRule> {
    SenderRule::from_key(text(item, "rule")?)
}

/// Where the index of pending work has the enquiries of this verdict.
pub(super) const fn partition(verdict: Verdict) -> &'static str {
    let [clear, suspected] = PENDING;
    match verdict {
        Verdict::Clear => clear,
        Verdict::Suspect => suspected,
    }
}

pub(super) fn to_item(action: &'static str, stored: impl Serialize) -> Result<Item, StoreError> {
    dynamo::to_item(stored).map_err(|_| StoreError::new(action, StoreError::UNREADABLE))
}

/// The version first: a newer item may have another shape altogether.
pub(super) fn read<T: for<'de> Deserialize<'de>>(item: Item) -> Result<T, StoreError> {
    let version = number(&item, "v").and_then(|v| u32::try_from(v).ok());
    if version.is_none_or(|version| version > VERSION) {
        return Err(StoreError::new("read", StoreError::UNKNOWN_VERSION));
    }
    // The library panics at a type of data that the SDK does not know.
    if !item.values().all(is_known) {
        return Err(StoreError::new("read", StoreError::UNREADABLE));
    }
    dynamo::from_item(item).map_err(|_| StoreError::new("read", StoreError::UNREADABLE))
}

fn is_known(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::M(members) => members.values().all(is_known),
        AttributeValue::L(values) => values.iter().all(is_known),
        value => !value.is_unknown(),
    }
}

/// How large an item is, in bytes ("Item size and formatting", DynamoDB Developer Guide).
pub(super) fn size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + size_of(value))
        .sum()
}

fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // Two digits take a byte, and one more stands beside them.
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::M(members) => 3 + members.len() + size(members),
        AttributeValue::L(values) => {
            3 + values.iter().map(|value| 1 + size_of(value)).sum::<usize>()
        }
        _ => 1,
    }
}

/// Whether an item has expired by this time, although it is still there. The conditions of writes say the same.
pub(super) fn has_expired(item: &Item, now: Timestamp) -> bool {
    number(item, "expires").is_some_and(|expires| expires < now.as_second())
}

/// When an item will be deleted, if that is known yet.
pub(super) fn expires_of(item: &Item) -> Option<Timestamp> {
    Timestamp::from_second(number(item, "expires")?).ok()
}

/// An attribute that holds a time as text.
pub(super) fn time(item: &Item, name: &str) -> Option<Timestamp> {
    text(item, name)?.parse().ok()
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(super) fn s(name: &str, text: impl ToString) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::S(text.to_string()))
}

pub(super) fn n(name: &str, number: i64) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::N(number.to_string()))
}

pub(super) fn seconds(name: &str, time: Timestamp) -> (String, AttributeValue) {
    n(name, time.as_second())
}
