//! The table: what is written, under which conditions, and what is read back.
//!
//! Nothing outside this module knows a key or an attribute's name. Every change of an enquiry is conditional on the
//! revision that was read, so that two who hold the same enquiry cannot both act on it.

mod item;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem,
};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use uuid::Uuid;

use crate::clock::Clock;
use crate::enquiry::{EmailAddress, Enquiry, Received, Reference};
use crate::outbox::Deliveries;
use crate::screening::Verdict;
use crate::settings::{HashKey, Settings};

pub use item::{Record, StoreFault};

/// How long a repeat of the same post finds its first one.
const MARKER_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How many times a transaction that met another one is tried again; a reference that is taken counts too.
const TRIES: u32 = 5;
/// How long an enquiry that looks like spam is kept.
const SUSPECT_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The table and the keys under which things are found in it.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
    hash_key: HashKey,
    retention: SignedDuration,
}

/// What became of an enquiry that was to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is in the table.
    New(Reference),
    /// The same post was there already, under this reference.
    Repeat(Reference),
}

impl Accepted {
    /// The reference under which the enquiry is kept.
    #[must_use]
    pub const fn reference(&self) -> &Reference {
        match self {
            Self::New(reference) | Self::Repeat(reference) => reference,
        }
    }
}

/// The identity of a post: a keyed hash of its submission id and its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(String);

/// What became of a conditional change.
#[derive(Debug)]
pub enum Change {
    /// It was made; the record as it now is.
    Made(Box<Record>),
    /// Somebody else was quicker; the record as they left it, or nothing when it is gone.
    Lost(Option<Box<Record>>),
}

impl Store {
    /// A store over this client.
    #[must_use]
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self {
            client,
            table: settings.table_name.clone(),
            hash_key: settings.hash_key.clone(),
            retention: SignedDuration::from_hours(24 * i64::from(settings.retention_days)),
        }
    }

    /// The identity of a post. Answers that differ under the same submission id are another identity.
    #[must_use]
    pub fn identity(&self, submission: Option<Uuid>, enquiry: &Enquiry) -> Identity {
        // The serialised enquiry has one form for one meaning: checked parts, fixed order, left-out fields left out.
        let answers = serde_json::to_vec(enquiry).unwrap_or_default();
        let submission = submission.map(Uuid::into_bytes);
        Identity(self.hash(
            "identity",
            &[submission.as_ref().map_or(&[][..], |id| &id[..]), &answers],
        ))
    }

    /// Draws a reference at random.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn draw(&self, prefix: &str) -> Result<Reference, StoreFault> {
        Ok(Reference::from_random(prefix, random()?))
    }

    /// Stores an enquiry and the marker of its identity in one transaction; a repeat meets the marker of the first.
    ///
    /// # Errors
    /// When the table cannot be written. Whether it was written may then be unknown: the same identity finds out.
    pub async fn accept(
        &self,
        enquiry: &Enquiry,
        verdict: Verdict,
        identity: &Identity,
        prefix: &str,
        clock: &Clock,
    ) -> Result<Accepted, StoreFault> {
        let mut received = Received {
            reference: self.draw(prefix)?,
            received_at: clock.now(),
            enquiry: enquiry.clone(),
        };
        for attempt in 1..=TRIES {
            let cancelled = match self
                .write_new(&received, verdict, identity, clock.now())
                .await
            {
                Ok(()) => return Ok(Accepted::New(received.reference)),
                Err(reasons) => reasons?,
            };
            match cancelled {
                Cancelled::Repeat(reference) if reference == received.reference => {
                    // Our own item: an earlier try went through and its answer was lost.
                    return Ok(Accepted::New(reference));
                }
                Cancelled::Repeat(reference) => return Ok(Accepted::Repeat(reference)),
                Cancelled::ReferenceTaken => received.reference = self.draw(prefix)?,
                Cancelled::Conflict => {
                    let pause = Duration::from_millis(
                        u64::from(20 * attempt) + u64::from(random::<1>()?[0]) / 8,
                    );
                    if !clock.wait(pause, Duration::from_secs(3)).await {
                        break;
                    }
                }
            }
        }
        Err(StoreFault::new("accept", "TransactionConflict"))
    }

    /// Reads an enquiry, with all that was written before.
    ///
    /// # Errors
    /// When the table cannot be read, or the item is not one that this version understands.
    pub async fn load(&self, reference: &Reference) -> Result<Option<Record>, StoreFault> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(item::enquiry_key(reference)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreFault::from_sdk("load", &error))?;
        answer.item.map(Record::from_item).transpose()
    }

    /// Replaces the mails' states of an enquiry, if nobody has changed it since it was read. What the enquiry owes and
    /// when it expires follow from the states.
    ///
    /// # Errors
    /// When the table cannot be written; whether it was written may then be unknown.
    pub async fn change(
        &self,
        record: &Record,
        deliveries: Deliveries,
        now: Timestamp,
    ) -> Result<Change, StoreFault> {
        let mut next = record.clone();
        next.deliveries = deliveries;
        next.revision += 1;
        let mut values = HashMap::from([
            (":deliveries".to_owned(), item::attribute(&next.deliveries)?),
            (
                ":seen".to_owned(),
                AttributeValue::N(record.revision.to_string()),
            ),
            (
                ":next".to_owned(),
                AttributeValue::N(next.revision.to_string()),
            ),
        ]);
        let mut set = "SET deliveries = :deliveries, revision = :next".to_owned();
        let mut remove = Vec::new();
        if next.deliveries.is_owed() {
            set.push_str(", owed = :owed, owed_since = :since");
            values.insert(":owed".to_owned(), AttributeValue::S(item::OWED.to_owned()));
            values.insert(
                ":since".to_owned(),
                AttributeValue::S(next.received.received_at.to_string()),
            );
        } else {
            remove.extend(["owed", "owed_since"]);
        }
        if next.deliveries.is_owed_to_therapist() {
            remove.push("expires");
        } else {
            set.push_str(", expires = if_not_exists(expires, :expires)");
            values.insert(
                ":expires".to_owned(),
                AttributeValue::N(self.expiry(next.verdict, now).to_string()),
            );
        }
        let expression = if remove.is_empty() {
            set
        } else {
            format!("{set} REMOVE {}", remove.join(", "))
        };
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(
                "pk",
                AttributeValue::S(item::enquiry_key(&record.received.reference)),
            )
            .update_expression(expression)
            .condition_expression("revision = :seen")
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(Change::Made(Box::new(next))),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                let aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(lost) =
                    error.into_err()
                else {
                    return Ok(Change::Lost(None));
                };
                Ok(Change::Lost(
                    lost.item.map(Record::from_item).transpose()?.map(Box::new),
                ))
            }
            Err(error) => Err(StoreFault::from_sdk("change", &error)),
        }
    }

    /// The enquiries that still owe something, oldest first.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn owed(&self, most: i32) -> Result<Vec<Reference>, StoreFault> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("owed")
            .key_condition_expression("owed = :owed")
            .expression_attribute_values(":owed", AttributeValue::S(item::OWED.to_owned()))
            .limit(most)
            .send()
            .await
            .map_err(|error| StoreFault::from_sdk("owed", &error))?;
        Ok(answer
            .items()
            .iter()
            .filter_map(item::reference_of)
            .collect())
    }

    /// When earlier enquiries came from the same address, newest first, at most `most`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn earlier(
        &self,
        received: &Received,
        most: i32,
    ) -> Result<Vec<Timestamp>, StoreFault> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("address")
            .key_condition_expression("address = :address AND received_at < :before")
            .expression_attribute_values(
                ":address",
                AttributeValue::S(self.address_key(&received.enquiry.email)),
            )
            .expression_attribute_values(
                ":before",
                AttributeValue::S(received.received_at.to_string()),
            )
            .scan_index_forward(false)
            .limit(most)
            .send()
            .await
            .map_err(|error| StoreFault::from_sdk("earlier", &error))?;
        Ok(answer
            .items()
            .iter()
            .filter_map(item::received_at_of)
            .collect())
    }

    async fn write_new(
        &self,
        received: &Received,
        verdict: Verdict,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<(), Result<Cancelled, StoreFault>> {
        let unbuildable = |_| Err(StoreFault::new("accept", "Unbuildable"));
        let record = Record::new(received.clone(), verdict);
        let enquiry =
            item::new_enquiry(&record, self.address_key(&received.enquiry.email)).map_err(Err)?;
        let marker = item::marker(&identity.0, &received.reference, now + MARKER_LIFE);
        let marker = Put::builder()
            .table_name(&self.table)
            .set_item(Some(marker))
            // TTL deletes late: a marker that has expired does not count.
            .condition_expression("attribute_not_exists(pk) OR expires < :now")
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(unbuildable)?;
        let enquiry = Put::builder()
            .table_name(&self.table)
            .set_item(Some(enquiry))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unbuildable)?;
        let outcome = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(marker).build())
            .transact_items(TransactWriteItem::builder().put(enquiry).build())
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    Err(Cancelled::of(cancelled.cancellation_reasons()))
                }
                error => Err(Err(StoreFault::new(
                    "accept",
                    error.code().unwrap_or("Unknown"),
                ))),
            },
            Err(error) => Err(Err(StoreFault::from_sdk("accept", &error))),
        }
    }

    /// The key under which all enquiries of a person are found: it does not tell the address.
    fn address_key(&self, address: &EmailAddress) -> String {
        self.hash("address", &[address.folded().as_bytes()])
    }

    fn expiry(&self, verdict: Verdict, now: Timestamp) -> i64 {
        let life = match verdict {
            Verdict::Clear => self.retention,
            Verdict::Suspect => self.retention.min(SUSPECT_LIFE),
        };
        (now + life).as_second()
    }

    /// HMAC-SHA-256 over parts of known lengths, in hexadecimal; `purpose` keeps hashes of different kinds apart.
    fn hash(&self, purpose: &str, parts: &[&[u8]]) -> String {
        use std::fmt::Write as _;
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.hash_key.as_bytes()) else {
            return String::new();
        };
        for part in [purpose.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize()
            .into_bytes()
            .iter()
            .fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

/// Why DynamoDB cancelled the accepting transaction.
#[derive(Debug)]
enum Cancelled {
    Repeat(Reference),
    ReferenceTaken,
    Conflict,
}

impl Cancelled {
    /// The reasons stand in the order of the writes: the marker, then the enquiry. A repeat outranks everything.
    fn of(reasons: &[CancellationReason]) -> Result<Self, StoreFault> {
        let failed = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        if let Some(reason) = reasons.first().filter(failed) {
            let reference = reason.item().and_then(item::marked_reference);
            return reference
                .map(Self::Repeat)
                .ok_or_else(|| StoreFault::new("accept", "MarkerUnreadable"));
        }
        if reasons.get(1).filter(failed).is_some() {
            return Ok(Self::ReferenceTaken);
        }
        let code = reasons
            .iter()
            .filter_map(CancellationReason::code)
            .find(|code| *code != "None");
        match code {
            Some("TransactionConflict") => Ok(Self::Conflict),
            code => Err(StoreFault::new("accept", code.unwrap_or("Unknown"))),
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], StoreFault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StoreFault::new("accept", "NoRandomness"))?;
    Ok(bytes)
}
