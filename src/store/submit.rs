//! The accepting transaction: the enquiry, its idempotency record, the nonce of its proof of work, and one more count for its
//! source, or nothing of it.

use std::net::IpAddr;

use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::error::Cancelled;
use super::rate_limit::SlidingCount;
use super::schema::{self, Item, seconds};
use super::{ONE_CALL, Store, StoreError, TRIES, pause};
use crate::clock::Clock;
use crate::enquiry::{Enquiry, Received, Reference};
use crate::keys::idempotency_hash;
use crate::proof_of_work::Nonce;
use crate::record::Record;
use crate::spam::Score;

/// How long a duplicate of a post finds the first one.
const IDEMPOTENCY_WINDOW: SignedDuration = SignedDuration::from_hours(24);

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
pub struct NewEnquiry<'a> {
    /// What came in; it gets another reference when this one is taken.
    pub received: &'a Received,
    /// What the spam filter said.
    pub score: Score,
    /// What makes it the same as another one.
    pub key: IdempotencyKey,
    /// The practice's prefix, for that other reference.
    pub prefix: &'a str,
    /// Where it came from, as the gateway saw it; never what a header says.
    pub source: Option<IpAddr>,
    /// The challenge whose proof it brings: no other enquiry may have brought it.
    pub nonce: Option<Nonce>,
}

/// What makes two posts the same: a keyed hash of the submission id and the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Why the transaction was cancelled.
#[derive(Debug)]
enum Refused {
    Duplicate(Reference),
    ReferenceTaken,
    Flood {
        retry_after: u32,
    },
    ProofUsed,
    /// Another transaction was at work on the same items; on the nonce and not on the idempotency record when `over_proof`.
    Conflict {
        over_proof: bool,
    },
    Throttled,
}

/// The positions of the writes in the transaction: those of each enquiry, the nonce if there is one, the counter.
const IDEMPOTENCY: usize = 0;
const ENQUIRY: usize = 1;
const NONCE: usize = 3;

impl Store {
    /// The idempotency key of a post. Answers that differ under the same submission id have another one. While there are no
    /// keys, the hash is one without: a duplicate is found all the same, and the record is gone after a day.
    #[must_use]
    pub fn idempotency_key(&self, submission: Option<Uuid>, enquiry: &Enquiry) -> IdempotencyKey {
        // The serialised enquiry has one form for one meaning: checked parts, fixed order, left-out fields left out. Of the practice's
        // own questions the answers alone: a label that was reworded between two posts makes no other enquiry.
        let mut enquiry = enquiry.clone();
        let own = std::mem::take(&mut enquiry.own).into_iter();
        let own: Vec<_> = own.map(|answer| answer.identity()).collect();
        let answers = serde_json::to_vec(&(enquiry, own)).unwrap_or_default();
        let submission = submission.map(Uuid::into_bytes);
        let parts = [submission.as_ref().map_or(&[][..], |id| &id[..]), &answers];
        IdempotencyKey(idempotency_hash(self.keys.as_ref(), &parts))
    }

    /// Stores an enquiry in one transaction. A duplicate meets the idempotency record of the first and is not counted, and
    /// its nonce is not looked at; a source that has sent too much is refused.
    ///
    /// Posts from one source at the same moment make their transactions conflict: after two more tries the enquiry is stored
    /// without the count, and without an auto-reply.
    ///
    /// What the therapist has said about the sender is not looked at here, where a client waits and a look costs two write units: the
    /// delivery reads it before anything is sent ([`Store::sender_rule`]).
    ///
    /// # Errors
    /// When the table cannot be written. Whether it was written may then be unknown: the same key finds out.
    pub async fn accept(
        &self,
        new: &NewEnquiry<'_>,
        clock: &Clock,
    ) -> Result<Accepted, StoreError> {
        let mut record = Record::new(new.received.clone(), &new.score);
        record.addressed = self.has_keys();
        // Without keys a source has no name to be counted under.
        let mut counted = new.source.filter(|_| self.has_keys());
        let mut code = "TransactionConflict";
        for attempt in 1..=TRIES {
            record.uncounted = new.source.is_some() && counted.is_none();
            let refused = match self.write_new(&record, new, counted, clock.now()).await? {
                Ok(()) => return Ok(Accepted::New(record.received.reference)),
                Err(refused) => refused,
            };
            match refused {
                Refused::Duplicate(reference) if reference == record.received.reference => {
                    // Our own item: an earlier try went through and its answer was lost.
                    return Ok(Accepted::New(reference));
                }
                Refused::Duplicate(reference) => return Ok(Accepted::Duplicate(reference)),
                Refused::Flood { retry_after } => return Ok(Accepted::Flood { retry_after }),
                Refused::ProofUsed => return Ok(Accepted::ProofUsed),
                Refused::ReferenceTaken => {
                    record.received.reference = self.generate_reference(new.prefix)?;
                    continue;
                }
                // Others bring the same proof at this moment: at most one of them can have done the work.
                Refused::Conflict { over_proof: true } if attempt > 2 => {
                    return Ok(Accepted::ProofUsed);
                }
                Refused::Conflict { .. } if attempt > 2 => counted = None,
                Refused::Conflict { .. } => {}
                Refused::Throttled => code = "TransactionThrottled",
            }
            if !clock.wait(pause(attempt)?, ONE_CALL).await {
                break;
            }
        }
        // A post that always met others may be one of many of the same: then one of them is in the table.
        match self.duplicate_of(&new.key, clock.now()).await? {
            Some(reference) => Ok(Accepted::Duplicate(reference)),
            None => Err(StoreError::new("accept", code)),
        }
    }

    /// The reference that the idempotency record of this key holds, unless it has expired: TTL deletes late.
    async fn duplicate_of(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Reference>, StoreError> {
        let found = self.get("accept", schema::idempotency_key(&key.0)).await?;
        let record = found.filter(|record| !schema::has_expired(record, now));
        Ok(record.as_ref().and_then(schema::reference_of))
    }

    async fn write_new(
        &self,
        record: &Record,
        new: &NewEnquiry<'_>,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Result<(), Refused>, StoreError> {
        let received = &record.received;
        let address = self.address_hash("accept", &received.enquiry.email).ok();
        let idempotency =
            schema::idempotency_record(&new.key.0, &received.reference, now + IDEMPOTENCY_WINDOW);
        let mut writes = vec![
            // TTL deletes late: a record that has expired does not count.
            put(self
                .put(idempotency)
                .condition_expression("attribute_not_exists(pk) OR expires < :now")
                .set_expression_attribute_values(Some(Item::from([seconds(":now", now)])))
                .return_values_on_condition_check_failure(OnFailure::AllOld))?,
            put(self
                .put(schema::enquiry_item(record, address, &new.key.0)?)
                .condition_expression("attribute_not_exists(pk)"))?,
            put(self.put(schema::state_item(record, None, None)?))?,
        ];
        if let Some(nonce) = &new.nonce {
            // One that has expired and lingers is in no other's way: its challenge has expired too.
            let unused = self
                .put(schema::nonce(nonce))
                .condition_expression("attribute_not_exists(pk)");
            writes.push(put(unused)?);
        }
        let sliding = SlidingCount::at(now);
        if let Some(counter) = source.and_then(|source| self.source_key(source)) {
            let count = Update::builder()
                .table_name(&self.table)
                .set_key(Some(Item::from([schema::s("pk", counter)])))
                .update_expression(sliding.update())
                .condition_expression(sliding.condition())
                .set_expression_attribute_names(Some(sliding.names()))
                .set_expression_attribute_values(Some(sliding.values(self.rate_limit)))
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .build()
                .map_err(|_| StoreError::unbuildable("accept"))?;
            writes.push(TransactWriteItem::builder().update(count).build());
        }
        let Some(cancelled) = self.transact("accept", writes).await? else {
            return Ok(Ok(()));
        };
        let retry_after = |counter: &Item| sliding.retry_after(counter, self.rate_limit);
        Refused::of(cancelled, new.nonce.is_some(), retry_after).map(Err)
    }

    pub(super) fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }

    /// The counter of a source. IPv6 is counted by /64: a subscriber has all of it.
    fn source_key(&self, source: IpAddr) -> Option<String> {
        let hash = self.keys.as_ref()?.hash("source", &[&network(source)]);
        Some(schema::source_key(&hash))
    }
}

/// What counts as one source.
#[must_use]
pub fn network(source: IpAddr) -> Vec<u8> {
    match source.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
    }
}

pub(super) fn put(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
) -> Result<TransactWriteItem, StoreError> {
    let put = put.build().map_err(|_| StoreError::unbuildable("accept"))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

impl Refused {
    /// A duplicate outranks everything.
    fn of(
        cancelled: Cancelled,
        proven: bool,
        retry_after: impl Fn(&Item) -> u32,
    ) -> Result<Self, StoreError> {
        if let Some(record) = cancelled.failed(IDEMPOTENCY) {
            return record
                .and_then(schema::reference_of)
                .map(Self::Duplicate)
                .ok_or_else(|| StoreError::new("accept", "IdempotencyRecordUnreadable"));
        }
        if cancelled.failed(ENQUIRY).is_some() {
            return Ok(Self::ReferenceTaken);
        }
        if cancelled.conflicts() {
            // Even when the counter is full: the other transaction may be the first of this very post.
            let over_proof =
                proven && cancelled.conflicts_at(NONCE) && !cancelled.conflicts_at(IDEMPOTENCY);
            return Ok(Self::Conflict { over_proof });
        }
        let counter = NONCE + usize::from(proven);
        if let Some(counter) = cancelled.failed(counter) {
            let retry_after = counter.map_or(SlidingCount::LONGEST_WAIT, retry_after);
            return Ok(Self::Flood { retry_after });
        }
        if cancelled.failed(NONCE).is_some() {
            return Ok(Self::ProofUsed);
        }
        if cancelled.is_throttled() {
            return Ok(Self::Throttled);
        }
        Err(cancelled.into_error("accept"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_transaction_was_cancelled_follows_from_the_positions_of_the_reasons() {
        let (none, failed, conflict) = ("None", "ConditionalCheckFailed", "TransactionConflict");
        let flood = "Flood { retry_after: 660 }";
        let (of_proof, not_of_proof) = (
            "Conflict { over_proof: true }",
            "Conflict { over_proof: false }",
        );
        for (codes, proven, expected, why) in [
            (
                vec![none, failed, none, none],
                false,
                "ReferenceTaken",
                "the enquiry's key",
            ),
            (vec![none, none, none, failed], false, flood, "the counter"),
            (
                vec![none, none, none, none, failed],
                true,
                flood,
                "the counter behind the nonce",
            ),
            (
                vec![none, none, none, failed, none],
                true,
                "ProofUsed",
                "the nonce",
            ),
            (
                vec![none, none, none, failed],
                true,
                "ProofUsed",
                "the nonce of an unknown source",
            ),
            (
                vec![none, none, none, failed, failed],
                true,
                flood,
                "nothing is stored anyway",
            ),
            (
                vec![none, failed, none, failed, none],
                true,
                "ReferenceTaken",
                "another one first",
            ),
            (
                vec![none, none, none, conflict, none],
                true,
                of_proof,
                "others have the proof",
            ),
            (
                vec![conflict, none, none, conflict, none],
                true,
                not_of_proof,
                "a duplicate",
            ),
            (
                vec![none, none, none, failed, conflict],
                true,
                not_of_proof,
                "look again",
            ),
            (
                vec![none, none, none, conflict],
                false,
                not_of_proof,
                "the counter",
            ),
            (
                vec![none, none, "ThrottlingError", none],
                false,
                "Throttled",
                "the table is busy",
            ),
        ] {
            let refused = Refused::of(Cancelled::of_codes(&codes), proven, |_| 1).unwrap();
            assert_eq!(format!("{refused:?}"), expected, "{why}");
        }
        // A duplicate outranks everything; this record has lost its reference.
        assert!(Refused::of(Cancelled::of_codes(&[failed]), true, |_| 1).is_err());
    }
}
