//! The table: what is written, under which conditions, and what is read back.
//!
//! Nothing outside this module knows a key or an attribute's name. Every change of an enquiry is conditional on the
//! revision that was read, so that two who hold the same enquiry cannot both act on it.

mod item;
mod privacy;
mod sliding;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Put,
    ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use uuid::Uuid;

use crate::clock::Clock;
use crate::delivery::{self, Withheld};
use crate::enquiry::{EmailAddress, Enquiry, Received, Reference};
use crate::settings::{HashKey, Settings};
use crate::spam::{Nonce, Score, Verdict};

use sliding::SlidingCount;

pub use item::{Record, StoreError};
pub use privacy::{CoolDown, Page, Place, Trace};

/// How long a repeat of the same post finds its first one.
const IDEMPOTENCY_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How many times a transaction that met another one is tried again; a reference that is taken counts too.
const TRIES: u32 = 5;
/// What one call may take, with the SDK's own retries.
const ONE_CALL: Duration = Duration::from_secs(3);
/// How long an address waits for another auto-reply, from when the last one left at the latest.
const COOL_DOWN: SignedDuration = SignedDuration::from_hours(24);
/// How long the count of a day's auto-replies is kept: longer than its day.
const DAY: SignedDuration = SignedDuration::from_hours(48);
/// How long an enquiry that looks like spam is kept.
const SUSPECT_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The table and the keys under which things are found in it.
#[derive(Clone)]
pub struct Store {
    client: Client,
    table: String,
    hash_key: Option<HashKey>,
    retention: SignedDuration,
    rate_limit: u32,
    auto_replies_per_day: u32,
}

/// What became of an enquiry that was to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is in the table.
    New(Reference),
    /// The same post was there already, under this reference.
    Duplicate(Reference),
    /// Nothing was stored: its source has sent too much in too short a time. In so many seconds it may send again.
    Flood {
        /// From 1 to 660.
        retry_after: u32,
    },
    /// Nothing was stored: another enquiry came with the same proof of work.
    ProofUsed,
}

/// A checked post, on its way into the table.
pub struct Post<'a> {
    /// What was asked.
    pub enquiry: &'a Enquiry,
    /// What the screening said.
    pub screening: &'a Score,
    /// What makes it the same as another one.
    pub identity: &'a IdempotencyKey,
    /// The practice's emails, for another reference when this one is taken.
    pub prefix: &'a str,
    /// Its name.
    pub reference: &'a Reference,
    /// Where it came from, as the gateway saw it; never what a header says.
    pub source: Option<IpAddr>,
    /// The challenge whose proof it brings: no other enquiry may have brought it.
    pub nonce: Option<&'a Nonce>,
}

/// The identity of a post: a keyed hash of its submission id and its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

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
            rate_limit: settings.rate_limit,
            auto_replies_per_day: settings.auto_replies_per_day,
        }
    }

    /// The identity of a post. Answers that differ under the same submission id are another identity. While there is no
    /// key, the hash is one without: a repeat is found all the same, and the marker is gone after a day.
    #[must_use]
    pub fn identity(&self, submission: Option<Uuid>, enquiry: &Enquiry) -> IdempotencyKey {
        // The serialised enquiry has one form for one meaning: checked parts, fixed order, left-out fields left out.
        let answers = serde_json::to_vec(enquiry).unwrap_or_default();
        let submission = submission.map(Uuid::into_bytes);
        let key = self.hash_key.as_ref().map_or(&[][..], HashKey::as_bytes);
        let parts = [submission.as_ref().map_or(&[][..], |id| &id[..]), &answers];
        IdempotencyKey(hash(key, "identity", &parts))
    }

    /// Draws a reference at random.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn draw(&self, prefix: &str) -> Result<Reference, StoreError> {
        Ok(Reference::from_random(prefix, random()?))
    }

    /// Some bytes of the system's randomness.
    ///
    /// # Errors
    /// When it has none.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], StoreError> {
        random()
    }

    /// Stores an enquiry, the marker of its identity, the nonce of its proof of work and one more count for its source, in
    /// one transaction. A repeat meets the marker of the first and is not counted, and its nonce is not looked at; a source
    /// that has sent too much is refused.
    ///
    /// Posts from one source at the same moment make their transactions conflict: after two more tries the enquiry is
    /// stored without the count, and without an auto-reply.
    ///
    /// # Errors
    /// When the table cannot be written. Whether it was written may then be unknown: the same identity finds out.
    pub async fn accept(&self, post: &Post<'_>, clock: &Clock) -> Result<Accepted, StoreError> {
        let received = Received {
            reference: post.reference.clone(),
            received_at: clock.now(),
            enquiry: post.enquiry.clone(),
        };
        let mut record = Record::new(received, post.screening);
        // Without the key a source has no name to be counted under.
        let mut counted = post.source.filter(|_| self.hash_key.is_some());
        let mut code = "TransactionConflict";
        for attempt in 1..=TRIES {
            record.uncounted = post.source.is_some() && counted.is_none();
            let written = self
                .write_new(&record, post.identity, post.nonce, counted, clock.now())
                .await;
            let Err(reasons) = written else {
                return Ok(Accepted::New(record.received.reference));
            };
            match reasons? {
                Cancelled::Duplicate(reference) if reference == record.received.reference => {
                    // Our own item: an earlier try went through and its answer was lost.
                    return Ok(Accepted::New(reference));
                }
                Cancelled::Duplicate(reference) => return Ok(Accepted::Duplicate(reference)),
                Cancelled::Flood { retry_after } => return Ok(Accepted::Flood { retry_after }),
                Cancelled::ProofUsed => return Ok(Accepted::ProofUsed),
                Cancelled::ReferenceTaken => {
                    record.received.reference = self.draw(post.prefix)?;
                    continue;
                }
                // Others bring the same proof at this moment: at most one of them can have done the work.
                Cancelled::Conflict { over_proof: true } if attempt > 2 => {
                    return Ok(Accepted::ProofUsed);
                }
                Cancelled::Conflict { .. } if attempt > 2 => counted = None,
                Cancelled::Conflict { .. } => {}
                Cancelled::Throttled => code = "TransactionThrottled",
            }
            let pause = u64::from(30 * attempt) + u64::from(u8::from_be_bytes(random()?)) / 4;
            if !clock.wait(Duration::from_millis(pause), ONE_CALL).await {
                break;
            }
        }
        // A post that always met others may be one of many of the same: then one of them is in the table.
        match self.marked(post.identity, clock.now()).await? {
            Some(reference) => Ok(Accepted::Duplicate(reference)),
            None => Err(StoreError::new("accept", code)),
        }
    }

    /// The reference that the marker of this identity holds, unless it has expired: TTL deletes late.
    async fn marked(
        &self,
        identity: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Reference>, StoreError> {
        let found = self
            .get("accept", item::idempotency_item_key(&identity.0))
            .await?;
        let marker = found.filter(|marker| !item::is_over(marker, now));
        Ok(marker.as_ref().and_then(item::reference_of))
    }

    /// Books one auto-reply to this address, which must leave before the clock's deadline: the address must not have had
    /// one within the cool-down, and the day's number of them must not be used up. The booking and the count are one
    /// transaction, so that neither is ever there without the other.
    ///
    /// The cool-down runs from the last moment at which the send may happen, whatever clock others go by; so 24 hours
    /// have passed for certain when it ends, and hardly more. Booking again for the same enquiry counts nothing and moves
    /// the end further out, never nearer.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn book_auto_reply(
        &self,
        received: &Received,
        clock: &Clock,
    ) -> Result<Result<(), Withheld>, StoreError> {
        let address = self.address_key("book", &received.enquiry.email)?;
        let expires = clock.lease_until() + COOL_DOWN;
        for attempt in 1..=TRIES {
            let booked = self
                .write_booking(&address, &received.reference, clock.now(), expires)
                .await?;
            let held = match booked {
                Booking::Made => return Ok(Ok(())),
                Booking::DayFull => return Ok(Err(Withheld::DailyCap)),
                Booking::Held {
                    undeliverable: true,
                    ..
                } => {
                    return Ok(Err(Withheld::Undeliverable));
                }
                Booking::Held { by, .. } => by,
                Booking::Conflict => {
                    let pause =
                        u64::from(30 * attempt) + u64::from(u8::from_be_bytes(random()?)) / 4;
                    // The emails themselves come first.
                    if !clock
                        .wait(Duration::from_millis(pause), delivery::NEEDED)
                        .await
                    {
                        break;
                    }
                    continue;
                }
            };
            if held.as_ref() != Some(&received.reference) {
                return Ok(Err(Withheld::CoolDown));
            }
            if self.prolong(&address, &received.reference, expires).await? {
                return Ok(Ok(()));
            }
            // It was somebody else's by then, or gone: look once more.
        }
        Err(StoreError::new("book", "TransactionConflict"))
    }

    /// Books an address that is free at this time, and counts it for the day.
    async fn write_booking(
        &self,
        address: &str,
        reference: &Reference,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Booking, StoreError> {
        let unbuildable = |_| StoreError::new("book", "Unbuildable");
        let cool_down = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item::cool_down(address, reference, expires)))
            // TTL deletes late: a cool-down that has ended does not count.
            .condition_expression("attribute_not_exists(pk) OR expires < :now")
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(unbuildable)?;
        let count = Update::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(item::day_key(now)))
            .update_expression(item::COUNT)
            .condition_expression("attribute_not_exists(pk) OR times < :most")
            .set_expression_attribute_values(Some(item::count(
                now + DAY,
                self.auto_replies_per_day,
            )))
            .build()
            .map_err(unbuildable)?;
        let outcome = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(cool_down).build())
            .transact_items(TransactWriteItem::builder().update(count).build())
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(Booking::Made),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    Booking::of(cancelled.cancellation_reasons())
                }
                error => Err(StoreError::new("book", error.code().unwrap_or("Unknown"))),
            },
            Err(error) => Err(StoreError::from_sdk("book", &error)),
        }
    }

    /// Lets the cool-down that this enquiry has booked end no sooner than `expires`. Says whether it does.
    async fn prolong(
        &self,
        address: &str,
        reference: &Reference,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let prolonged = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(item::cool_down_key(address)))
            .update_expression("SET expires = :expires")
            .condition_expression(
                "#reference = :mine AND attribute_not_exists(undeliverable) AND expires < :expires",
            )
            .expression_attribute_names("#reference", "reference")
            .expression_attribute_values(":mine", AttributeValue::S(reference.to_string()))
            .expression_attribute_values(
                ":expires",
                AttributeValue::N(expires.as_second().to_string()),
            )
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        match prolonged {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                // Still ours, and booked for as long or longer: by our own lost answer, or by who is at it beside us.
                UpdateItemError::ConditionalCheckFailedException(held) => {
                    Ok(held.item().is_some_and(|held| {
                        item::reference_of(held).as_ref() == Some(reference)
                            && !item::is_undeliverable(held)
                    }))
                }
                error => Err(StoreError::new("book", error.code().unwrap_or("Unknown"))),
            },
            Err(error) => Err(StoreError::from_sdk("book", &error)),
        }
    }

    /// An email to this address came back for good, or its reader complained: it gets no auto-reply for as long as
    /// enquiries are kept. Nothing is remembered of an enquiry that has been erased meanwhile.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn never_reply_to(
        &self,
        address: &EmailAddress,
        because_of: &Reference,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        let unbuildable = |_| StoreError::new("remember", "Unbuildable");
        let expires = clock.now() + self.retention;
        let undeliverable =
            item::undeliverable(&self.address_key("remember", address)?, because_of, expires);
        let still_there = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(item::enquiry_key(because_of)))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(unbuildable)?;
        let undeliverable = Put::builder()
            .table_name(&self.table)
            .set_item(Some(undeliverable))
            .build()
            .map_err(unbuildable)?;
        let transaction = self
            .client
            .transact_write_items()
            .transact_items(
                TransactWriteItem::builder()
                    .condition_check(still_there)
                    .build(),
            )
            .transact_items(TransactWriteItem::builder().put(undeliverable).build());
        let mut tries = 1;
        loop {
            let error = match transaction.clone().send().await {
                Ok(_) => return Ok(()),
                Err(SdkError::ServiceError(error)) => error.into_err(),
                Err(error) => return Err(StoreError::from_sdk("remember", &error)),
            };
            let TransactWriteItemsError::TransactionCanceledException(cancelled) = &error else {
                return Err(StoreError::new(
                    "remember",
                    error.code().unwrap_or("Unknown"),
                ));
            };
            let code = cancelled
                .cancellation_reasons()
                .iter()
                .filter_map(CancellationReason::code)
                .find(|code| *code != "None");
            if code == Some("ConditionalCheckFailed") {
                return Ok(());
            }
            // Another change of the enquiry was under way at this moment.
            let pause = Duration::from_millis(u64::from(50 * tries));
            if tries >= TRIES || !clock.wait(pause, ONE_CALL).await {
                return Err(StoreError::new("remember", code.unwrap_or("Unknown")));
            }
            tries += 1;
        }
    }

    /// Reads an enquiry, with all that was written before.
    ///
    /// # Errors
    /// When the table cannot be read, or the item is not one that this version understands.
    pub async fn load(&self, reference: &Reference) -> Result<Option<Record>, StoreError> {
        let found = self.get("load", item::enquiry_key(reference)).await?;
        found.map(Record::from_item).transpose()
    }

    /// Replaces the verdict and the emails' states of an enquiry by those of `next`, if nobody has changed it since it
    /// was `seen`. What the enquiry owes and when it expires follow from the states.
    ///
    /// # Errors
    /// When the table cannot be written; whether it was written may then be unknown.
    pub async fn change(
        &self,
        seen: &Record,
        mut next: Record,
        now: Timestamp,
    ) -> Result<Change, StoreError> {
        next.revision = seen.revision + 1;
        // Tells our own write from another's, when its answer was lost and the SDK asked again.
        let writer = Uuid::from_bytes(random()?).simple().to_string();
        let mut values = HashMap::from([
            (":deliveries".to_owned(), item::attribute(&next.deliveries)?),
            (":verdict".to_owned(), item::attribute(&next.verdict)?),
            (":writer".to_owned(), AttributeValue::S(writer.clone())),
            (
                ":seen".to_owned(),
                AttributeValue::N(seen.revision.to_string()),
            ),
            (
                ":next".to_owned(),
                AttributeValue::N(next.revision.to_string()),
            ),
        ]);
        let mut set =
            "SET deliveries = :deliveries, verdict = :verdict, revision = :next, writer = :writer"
                .to_owned();
        let mut remove = Vec::new();
        if !seen.addressed
            && let Ok(address) = self.address_key("change", &seen.received.enquiry.email)
        {
            set.push_str(", address = :address");
            values.insert(":address".to_owned(), AttributeValue::S(address));
            next.addressed = true;
        }
        // Nobody finds an enquiry by its client's address that has no key of it yet: the sweep looks after that too.
        if next.deliveries.is_pending() || !next.addressed {
            set.push_str(", pending = :pending, due = :since");
            values.insert(
                ":pending".to_owned(),
                AttributeValue::S(item::OWED.to_owned()),
            );
            values.insert(
                ":since".to_owned(),
                AttributeValue::S(next.due().to_string()),
            );
        } else {
            remove.extend(["pending", "due"]);
        }
        if next.deliveries.is_pending_for_therapist() {
            remove.push("expires");
        } else {
            // The first time at which nothing was pending counts: an email that is sent once more keeps nothing longer.
            set.push_str(
                ", completed = if_not_exists(completed, :now), expires = if_not_exists(completed, :now) + :life",
            );
            values.insert(
                ":now".to_owned(),
                AttributeValue::N(now.as_second().to_string()),
            );
            values.insert(
                ":life".to_owned(),
                AttributeValue::N(self.life(next.verdict).as_secs().to_string()),
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
                AttributeValue::S(item::enquiry_key(&seen.received.reference)),
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
                let UpdateItemError::ConditionalCheckFailedException(lost) = error.into_err()
                else {
                    return Ok(Change::Lost(None));
                };
                let Some(current) = lost.item else {
                    return Ok(Change::Lost(None));
                };
                if item::is_written_by(&current, &writer) {
                    return Ok(Change::Made(Box::new(next)));
                }
                Record::from_item(current).map(|record| Change::Lost(Some(Box::new(record))))
            }
            Err(error) => Err(StoreError::from_sdk("change", &error)),
        }
    }

    /// The enquiries that still owe something and since when, oldest first, at most `most`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn pending(&self, most: usize) -> Result<Vec<(Reference, Timestamp)>, StoreError> {
        let mut pending = Vec::new();
        let mut from = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name("pending")
                .key_condition_expression("pending = :pending")
                .expression_attribute_values(":pending", AttributeValue::S(item::OWED.to_owned()))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk("list what is pending", &error))?;
            pending.extend(answer.items().iter().filter_map(item::pending_since_of));
            from = answer.last_evaluated_key;
            if from.is_none() || pending.len() >= most {
                pending.truncate(most);
                return Ok(pending);
            }
        }
    }

    /// When earlier enquiries came from the same address, newest first, at most `most`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn earlier(
        &self,
        received: &Received,
        most: i32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("address")
            .key_condition_expression("address = :address AND received_at < :before")
            .expression_attribute_values(
                ":address",
                AttributeValue::S(self.address_key("earlier", &received.enquiry.email)?),
            )
            .expression_attribute_values(
                ":before",
                AttributeValue::S(received.received_at.to_string()),
            )
            .scan_index_forward(false)
            .limit(most)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("earlier", &error))?;
        Ok(answer
            .items()
            .iter()
            .filter_map(item::received_at_of)
            .collect())
    }

    async fn write_new(
        &self,
        record: &Record,
        identity: &IdempotencyKey,
        nonce: Option<&Nonce>,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Result<Cancelled, StoreError>> {
        let unbuildable = |_| Err(StoreError::new("accept", "Unbuildable"));
        let received = &record.received;
        let address = self.address_key("accept", &received.enquiry.email).ok();
        let enquiry = item::new_enquiry(record, address, &identity.0).map_err(Err)?;
        let sliding = SlidingCount::at(now);
        let counter = source.and_then(|source| self.source_key(source));
        let counter = counter.map(|counter| {
            Update::builder()
                .table_name(&self.table)
                .key("pk", AttributeValue::S(counter))
                .update_expression(sliding.update())
                .condition_expression(sliding.condition())
                .set_expression_attribute_names(Some(sliding.names()))
                .set_expression_attribute_values(Some(sliding.values(self.rate_limit)))
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .build()
        });
        let counter = counter.transpose().map_err(unbuildable)?;
        let marker = item::marker(&identity.0, &received.reference, now + IDEMPOTENCY_WINDOW);
        let marker = Put::builder()
            .table_name(&self.table)
            .set_item(Some(marker))
            // TTL deletes late: an idempotency record that has expired does not count.
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
        let nonce = nonce.map(|nonce| {
            Put::builder()
                .table_name(&self.table)
                .set_item(Some(item::nonce(nonce)))
                // One that has expired and lingers is in nobody's way: its challenge has expired too.
                .condition_expression("attribute_not_exists(pk)")
                .build()
        });
        let nonce = nonce.transpose().map_err(unbuildable)?;
        let proven = nonce.is_some();
        let mut transaction = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(marker).build())
            .transact_items(TransactWriteItem::builder().put(enquiry).build());
        if let Some(nonce) = nonce {
            transaction =
                transaction.transact_items(TransactWriteItem::builder().put(nonce).build());
        }
        if let Some(counter) = counter {
            transaction =
                transaction.transact_items(TransactWriteItem::builder().update(counter).build());
        }
        let outcome = transaction.send().await;
        match outcome {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    let retry_after =
                        |counter: &item::Item| sliding.retry_after(counter, self.rate_limit);
                    Err(Cancelled::of(
                        cancelled.cancellation_reasons(),
                        proven,
                        retry_after,
                    ))
                }
                error => Err(Err(StoreError::new(
                    "accept",
                    error.code().unwrap_or("Unknown"),
                ))),
            },
            Err(error) => Err(Err(StoreError::from_sdk("accept", &error))),
        }
    }

    /// The key under which all enquiries of a person are found: it does not tell the address.
    fn address_key(
        &self,
        doing: &'static str,
        address: &EmailAddress,
    ) -> Result<String, StoreError> {
        self.hash("address", &[address.canonical().as_bytes()])
            .ok_or_else(|| StoreError::new(doing, StoreError::NO_KEY))
    }

    /// The counter of a source. IPv6 is counted by /64: whoever has one address has all of it.
    fn source_key(&self, source: IpAddr) -> Option<String> {
        let bytes = match source.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
        };
        let hash = self.hash("source", &[&bytes])?;
        Some(item::source_key(&hash))
    }

    /// How long an enquiry is kept once nothing is pending to the therapist.
    fn life(&self, verdict: Verdict) -> SignedDuration {
        match verdict {
            Verdict::Clear => self.retention,
            Verdict::Suspect => self.retention.min(SUSPECT_LIFE),
        }
    }

    fn hash(&self, purpose: &str, parts: &[&[u8]]) -> Option<String> {
        let key = self.hash_key.as_ref()?;
        Some(hash(key.as_bytes(), purpose, parts))
    }
}

/// HMAC-SHA-256 over parts of known lengths, in hexadecimal; `purpose` keeps hashes of different kinds apart.
fn hash(key: &[u8], purpose: &str, parts: &[&[u8]]) -> String {
    use std::fmt::Write as _;
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
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

/// Why DynamoDB cancelled the accepting transaction.
#[derive(Debug)]
enum Cancelled {
    Duplicate(Reference),
    ReferenceTaken,
    Flood {
        retry_after: u32,
    },
    ProofUsed,
    /// Another transaction was at work on the same items; on the nonce and not on the marker when `over_proof`.
    Conflict {
        over_proof: bool,
    },
    Throttled,
}

impl Cancelled {
    /// The reasons stand in the order of the writes: the marker, the enquiry, the nonce if there is one (`proven`), the
    /// counter. A repeat outranks everything.
    fn of(
        reasons: &[CancellationReason],
        proven: bool,
        retry_after: impl Fn(&item::Item) -> u32,
    ) -> Result<Self, StoreError> {
        let failed = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        if let Some(reason) = reasons.first().filter(failed) {
            let reference = reason.item().and_then(item::reference_of);
            return reference
                .map(Self::Duplicate)
                .ok_or_else(|| StoreError::new("accept", "MarkerUnreadable"));
        }
        if reasons.get(1).filter(failed).is_some() {
            return Ok(Self::ReferenceTaken);
        }
        let conflicts = |reason: &CancellationReason| reason.code() == Some("TransactionConflict");
        let (marker, nonce, counter) = (0, 2, 2 + usize::from(proven));
        if reasons.iter().any(conflicts) {
            // Even when the counter is full: the other transaction may be the first of this very post.
            let over = |place: usize| reasons.get(place).is_some_and(conflicts);
            return Ok(Self::Conflict {
                over_proof: proven && over(nonce) && !over(marker),
            });
        }
        if let Some(reason) = reasons.get(counter).filter(failed) {
            let retry_after = reason
                .item()
                .map_or(SlidingCount::LONGEST_WAIT, retry_after);
            return Ok(Self::Flood { retry_after });
        }
        if reasons.get(nonce).filter(failed).is_some() {
            return Ok(Self::ProofUsed);
        }
        let code = reasons
            .iter()
            .filter_map(CancellationReason::code)
            .find(|code| *code != "None");
        match code {
            Some("ThrottlingError" | "ProvisionedThroughputExceeded") => Ok(Self::Throttled),
            code => Err(StoreError::new("accept", code.unwrap_or("Unknown"))),
        }
    }
}

/// What became of a booking.
#[derive(Debug)]
enum Booking {
    Made,
    /// The address is not free.
    Held {
        by: Option<Reference>,
        undeliverable: bool,
    },
    DayFull,
    Conflict,
}

impl Booking {
    /// The reasons stand in the order of the writes: the cool-down, the day's count.
    fn of(reasons: &[CancellationReason]) -> Result<Self, StoreError> {
        let failed = |reason: &&CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        if let Some(reason) = reasons.first().filter(failed) {
            return Ok(Self::Held {
                by: reason.item().and_then(item::reference_of),
                undeliverable: reason.item().is_some_and(item::is_undeliverable),
            });
        }
        // Not before the address is known to be free: a booking that was made before counts nothing any more.
        let again = |reason: &CancellationReason| {
            matches!(
                reason.code(),
                Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
            )
        };
        if reasons.iter().any(again) {
            return Ok(Self::Conflict);
        }
        if reasons.get(1).filter(failed).is_some() {
            return Ok(Self::DayFull);
        }
        let code = reasons
            .iter()
            .filter_map(CancellationReason::code)
            .find(|code| *code != "None");
        Err(StoreError::new("book", code.unwrap_or("Unknown")))
    }
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::new("accept", "NoRandomness"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_transaction_was_cancelled_follows_from_the_places_of_the_reasons() {
        let (none, failed, conflict) = ("None", "ConditionalCheckFailed", "TransactionConflict");
        for (codes, proven, expected, why) in [
            (
                vec![none, failed, none],
                false,
                "ReferenceTaken",
                "the enquiry's key",
            ),
            (
                vec![none, none, failed],
                false,
                "Flood { retry_after: 660 }",
                "the counter",
            ),
            (
                vec![none, none, none, failed],
                true,
                "Flood { retry_after: 660 }",
                "the counter behind the nonce",
            ),
            (
                vec![none, none, failed, none],
                true,
                "ProofUsed",
                "the nonce",
            ),
            (
                vec![none, none, failed],
                true,
                "ProofUsed",
                "the nonce of an unknown source",
            ),
            (
                vec![none, none, failed, failed],
                true,
                "Flood { retry_after: 660 }",
                "nothing is stored anyway",
            ),
            (
                vec![none, failed, failed, none],
                true,
                "ReferenceTaken",
                "another one first",
            ),
            (
                vec![none, none, conflict, none],
                true,
                "Conflict { over_proof: true }",
                "others have the proof",
            ),
            (
                vec![conflict, none, conflict, none],
                true,
                "Conflict { over_proof: false }",
                "a repeat",
            ),
            (
                vec![none, none, failed, conflict],
                true,
                "Conflict { over_proof: false }",
                "look again",
            ),
            (
                vec![none, none, conflict],
                false,
                "Conflict { over_proof: false }",
                "the counter",
            ),
        ] {
            let reasons: Vec<CancellationReason> = codes
                .iter()
                .map(|code| CancellationReason::builder().code(*code).build())
                .collect();
            let cancelled = Cancelled::of(&reasons, proven, |_| 1).unwrap();
            assert_eq!(format!("{cancelled:?}"), expected, "{why}");
        }
        // A repeat outranks everything; this marker has lost its reference.
        let reasons = [CancellationReason::builder().code(failed).build()];
        assert!(Cancelled::of(&reasons, true, |_| 1).is_err());
    }
}
