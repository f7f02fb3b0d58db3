//! The quota of auto-replies: one for each address within the cool-down, a daily cap, and none where emails do not arrive.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem, Update,
};
use jiff::{SignedDuration, Timestamp};

use super::error::Cancelled;
use super::schema::{self, Item, seconds};
use super::{ONE_CALL, Store, StoreError, TRIES, pause, retention};
use crate::clock::Clock;
use crate::enquiry::{Received, Reference};

/// How long an address waits for another auto-reply, from when the last one left at the latest.
const COOL_DOWN: SignedDuration = SignedDuration::from_hours(24);
/// How long the count of a day's auto-replies is kept: longer than its day.
const DAY: SignedDuration = SignedDuration::from_hours(48);

/// Whether an auto-reply may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoReplyQuota {
    /// It is booked and counted.
    Booked,
    /// It was booked for this enquiry before, and counts for longer now.
    Prolonged,
    /// The address had one a short time ago.
    CoolDown,
    /// An earlier email to this address bounced, or its owner complained.
    Undeliverable,
    /// As many as are allowed have left today.
    DailyCap,
}

/// What became of one try to book.
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

impl Store {
    /// Books one auto-reply to this address, which must leave before the clock's deadline: the address must not have had
    /// one within the cool-down, and the day's number of them must not be used up. The booking and the count are one
    /// transaction, so that neither is ever there without the other. `needed` is the time that must be left for the
    /// emails themselves.
    ///
    /// The cool-down runs from the last moment at which the send may happen, on any clock; so 24 hours have passed for
    /// certain when it ends, and hardly more. Booking again for the same enquiry counts nothing and moves the end further
    /// out, never nearer.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn book_auto_reply(
        &self,
        received: &Received,
        needed: Duration,
        clock: &Clock,
    ) -> Result<AutoReplyQuota, StoreError> {
        let address = self.address_hash("book", &received.enquiry.email)?;
        let expires = clock.lease_until() + COOL_DOWN;
        for attempt in 1..=TRIES {
            let booked = self
                .write_booking(&address, &received.reference, clock.now(), expires)
                .await?;
            let held = match booked {
                Booking::Made => return Ok(AutoReplyQuota::Booked),
                Booking::DayFull => return Ok(AutoReplyQuota::DailyCap),
                Booking::Held {
                    undeliverable: true,
                    ..
                } => return Ok(AutoReplyQuota::Undeliverable),
                Booking::Held { by, .. } => by,
                Booking::Conflict => {
                    if !clock.wait(pause(attempt)?, needed).await {
                        break;
                    }
                    continue;
                }
            };
            if held.as_ref() != Some(&received.reference) {
                return Ok(AutoReplyQuota::CoolDown);
            }
            if self.prolong(&address, &received.reference, expires).await? {
                return Ok(AutoReplyQuota::Prolonged);
            }
            // It was another enquiry's by then, or gone: look once more.
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
        let unbuildable = |_| StoreError::unbuildable("book");
        let cool_down = Put::builder()
            .table_name(&self.table)
            .set_item(Some(schema::cool_down(address, reference, expires)))
            // TTL deletes late: a cool-down that has ended does not count.
            .condition_expression("attribute_not_exists(pk) OR expires < :now")
            .set_expression_attribute_values(Some(Item::from([seconds(":now", now)])))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(unbuildable)?;
        let count = Update::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::day_key(now)))
            .update_expression(schema::COUNT)
            .condition_expression("attribute_not_exists(pk) OR times < :limit")
            .set_expression_attribute_values(Some(schema::count(
                now + DAY,
                self.auto_replies_per_day,
            )))
            .build()
            .map_err(unbuildable)?;
        let writes = vec![
            TransactWriteItem::builder().put(cool_down).build(),
            TransactWriteItem::builder().update(count).build(),
        ];
        let cancelled = self.transact("book", writes).await?;
        cancelled.map_or(Ok(Booking::Made), Booking::of)
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
            .key("pk", AttributeValue::S(schema::cool_down_key(address)))
            .update_expression("SET expires = :expires")
            .condition_expression(
                "#reference = :mine AND attribute_not_exists(undeliverable) AND expires < :expires",
            )
            .expression_attribute_names("#reference", "reference")
            .set_expression_attribute_values(Some(Item::from([
                schema::s(":mine", reference),
                seconds(":expires", expires),
            ])))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        match prolonged {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                // Still ours, and booked for as long or longer: by our own lost answer, or by another invocation.
                UpdateItemError::ConditionalCheckFailedException(held) => {
                    Ok(held.item().is_some_and(|held| {
                        schema::reference_of(held).as_ref() == Some(reference)
                            && !schema::is_undeliverable(held)
                    }))
                }
                error => Err(StoreError::new("book", error.code().unwrap_or("Unknown"))),
            },
            Err(error) => Err(StoreError::from_sdk("book", &error)),
        }
    }

    /// An email to the address of this enquiry came back for good, or its reader complained: it gets no auto-reply for as
    /// long as the enquiry is kept. Nothing is remembered of an enquiry that has been erased meanwhile.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn never_reply_to(
        &self,
        received: &Received,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        let unbuildable = |_| StoreError::unbuildable("remember");
        let expires = clock.now() + retention(received);
        let because_of = &received.reference;
        let address = self.address_hash("remember", &received.enquiry.email)?;
        let still_there = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::enquiry_key(because_of)))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(unbuildable)?;
        let undeliverable = Put::builder()
            .table_name(&self.table)
            .set_item(Some(schema::undeliverable(&address, because_of, expires)))
            .build()
            .map_err(unbuildable)?;
        let writes = vec![
            TransactWriteItem::builder()
                .condition_check(still_there)
                .build(),
            TransactWriteItem::builder().put(undeliverable).build(),
        ];
        let mut tries = 1;
        loop {
            let Some(cancelled) = self.transact("remember", writes.clone()).await? else {
                return Ok(());
            };
            if cancelled.failed(0).is_some() {
                return Ok(());
            }
            // Another change of the enquiry was under way at this moment.
            let pause = Duration::from_millis(u64::from(50 * tries));
            if tries >= TRIES || !clock.wait(pause, ONE_CALL).await {
                return Err(cancelled.into_error("remember"));
            }
            tries += 1;
        }
    }

    /// Gives back what was booked for an enquiry that was gone by then. What was booked before that goes with the erasure, or stays: then
    /// the auto-reply may have left.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_booking(&self, received: &Received) -> Result<(), StoreError> {
        let address = self.address_hash("book", &received.enquiry.email)?;
        let key = schema::cool_down_key(&address);
        self.delete(key, Some(&received.reference)).await
    }
}

impl Booking {
    /// The writes are the cool-down and the day's count.
    fn of(cancelled: Cancelled) -> Result<Self, StoreError> {
        if let Some(held) = cancelled.failed(0) {
            return Ok(Self::Held {
                by: held.and_then(schema::reference_of),
                undeliverable: held.is_some_and(schema::is_undeliverable),
            });
        }
        // Not before the address is known to be free: a booking that was made before counts nothing any more.
        if cancelled.conflicts() || cancelled.is_throttled() {
            return Ok(Self::Conflict);
        }
        if cancelled.failed(1).is_some() {
            return Ok(Self::DayFull);
        }
        Err(cancelled.into_error("book"))
    }
}
