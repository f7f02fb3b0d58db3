//! The change of an enquiry's state, and what was typed following it.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
    Update as ItemUpdate,
};
use jiff::Timestamp;

use super::annex::{AnnexChange, NoteChange};
use super::schema::{self, Item, s};
use super::senders::SenderChange;
use super::{ONE_CALL, Store, StoreError, TRIES, pause, random};
use crate::clock::Clock;
use crate::record::Record;

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

/// What is written together with a change of a state, or not at all.
#[derive(Debug, Clone, Default)]
pub struct Along {
    /// The private note.
    pub note: Option<NoteChange>,
    /// What is said about the sender.
    pub sender: Option<SenderChange>,
}

/// What became of one conditional write.
enum Written {
    Applied(Box<Record>),
    Conflict(Box<Record>),
    Gone,
}

/// From this size on, in bytes, a state gives the older part of its timeline away: a write unit ends at 1,024.
const STATE_SIZE: usize = 1_000;
/// How many entries stay in it then.
const STAY: usize = 2;
/// How many entries are kept in all; an email that keeps coming back must not make an item grow for ever.
const ENTRIES: u32 = 300;

impl Store {
    /// Changes an enquiry, by whatever `change` makes of its record: again for each change that came between, until it is
    /// written. `change` says whether there is anything to write; only the state may be changed. When the enquiry expires,
    /// and its place in the index of pending work, follow from the state.
    ///
    /// # Errors
    /// When the table cannot be written; whether it was written may then be unknown.
    pub async fn update(
        &self,
        record: Record,
        clock: &Clock,
        change: impl FnMut(&mut Record) -> bool,
    ) -> Result<Update, StoreError> {
        self.update_along(record, &Along::default(), clock, change)
            .await
    }

    /// The same, with more that is written in the same transaction.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub async fn update_along(
        &self,
        mut record: Record,
        along: &Along,
        clock: &Clock,
        mut change: impl FnMut(&mut Record) -> bool,
    ) -> Result<Update, StoreError> {
        let mut tries = 1;
        loop {
            let mut next = record.clone();
            if !change(&mut next) {
                return Ok(Update::Unchanged(Box::new(record)));
            }
            match self.write(&record, next, along, clock.now()).await {
                Ok(Written::Applied(record)) => return Ok(Update::Applied(record)),
                Ok(Written::Conflict(current)) => record = *current,
                Ok(Written::Gone) => return Ok(Update::Gone),
                // A transaction was at work on the same items at this moment.
                Err(error)
                    if error.is_conflict()
                        && tries < TRIES
                        && clock.wait(pause(tries)?, ONE_CALL).await =>
                {
                    tries += 1;
                }
                Err(error) => return Err(error),
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
            let has_work = record.state.deliveries.is_pending() || record.state.withdrawn.is_some();
            if !is_due || has_work {
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
        seen: &Record,
        mut next: Record,
        along: &Along,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        next.state.revision = seen.state.revision + 1;
        next.state.follow(&seen.state, now);
        let expires = if next.state.deliveries.is_pending_for_therapist() {
            None
        } else {
            // The first time counts: an email that is sent once more keeps nothing longer, but for the day after it.
            let completed = *next.state.completed.get_or_insert(now);
            Some(Self::expires(&next.received, &next.state, completed))
        };
        // What was typed must not expire while the state is pending again: then both change in one transaction.
        let reopens = expires.is_none() && next.text_expires.is_some();
        if reopens {
            next.text_expires = None;
        }
        // Otherwise the item with what was typed follows the state. Until it does, the state stays in the index of pending
        // work and does not expire, so that a sweep finds what is missing.
        let follows = next.text_expires == expires && (next.addressed || !self.has_keys());
        let has_work = next.state.deliveries.is_pending() || next.state.withdrawn.is_some();
        next.indexed = has_work || !next.addressed || !follows;
        let writer = hex::encode(random::<8>()?);
        let known = expires.filter(|_| follows);
        next.state.has_annex |= along.note.is_some();
        let mut item = schema::state_item(&next, Some(writer.clone()), known)?;
        let mut older = Vec::new();
        let entries = next.state.timeline.recent.len();
        if schema::size(&item) > STATE_SIZE && entries > STAY {
            let timeline = &mut next.state.timeline;
            older = timeline.recent.drain(..entries - STAY).collect();
            if timeline.moved >= ENTRIES {
                older.clear();
            }
            timeline.moved += u32::try_from(older.len()).unwrap_or_default();
            next.state.has_annex |= !older.is_empty();
            item = schema::state_item(&next, Some(writer.clone()), known)?;
        }
        let mut more = Vec::new();
        if reopens {
            more.push(self.kept(schema::enquiry_key(&next.received.reference))?);
        }
        let annex = AnnexChange {
            note: along.note.as_ref(),
            older: &older,
            expires: expires.filter(|_| next.text_expires == expires),
            reopens: reopens && seen.state.has_annex,
        };
        more.extend(self.annex_change(&next.received.reference, &annex)?);
        if let Some(change) = &along.sender {
            more.extend(self.sender_changes(&next.received, *change, now)?);
        }
        let outcome = self.replace(item, seen.state.revision, more).await?;
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
    async fn replace(
        &self,
        item: Item,
        seen: u64,
        more: Vec<TransactWriteItem>,
    ) -> Result<Result<(), Option<Item>>, StoreError> {
        if !more.is_empty() {
            return self.replace_with(item, seen, more).await;
        }
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

    /// The same in one transaction with more writes; only that of the item with what was typed has a condition.
    async fn replace_with(
        &self,
        item: Item,
        seen: u64,
        more: Vec<TransactWriteItem>,
    ) -> Result<Result<(), Option<Item>>, StoreError> {
        let state = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(schema::UNCHANGED)
            .set_expression_attribute_values(Some(schema::revision(seen)))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()
            .map_err(|_| StoreError::unbuildable("change"))?;
        let state = TransactWriteItem::builder().put(state).build();
        let writes = [state].into_iter().chain(more).collect();
        let Some(cancelled) = self.transact("change", writes).await? else {
            return Ok(Ok(()));
        };
        match (cancelled.failed(0), cancelled.failed(1)) {
            (Some(current), _) => Ok(Err(current.cloned())),
            // What was typed has been erased.
            (None, Some(_)) => Ok(Err(None)),
            (None, None) => Err(cancelled.into_error("change")),
        }
    }

    /// Takes the expiry from the item with what was typed.
    fn kept(&self, typed: String) -> Result<TransactWriteItem, StoreError> {
        let kept = ItemUpdate::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(typed))
            .update_expression("REMOVE expires")
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(|_| StoreError::unbuildable("change"))?;
        Ok(TransactWriteItem::builder().update(kept).build())
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
        let mut values = HashMap::new();
        let mut set = Vec::new();
        if !next.addressed && self.has_keys() {
            let address = self.address_hash("change", &next.received.enquiry.email)?;
            values.extend([s(":address", address)]);
            set.push("address = :address");
        }
        // An expiry is only ever taken away together with the state.
        if let Some(expires) = expires.filter(|_| next.text_expires != expires) {
            if next.state.has_annex && !self.annex_expires(next, expires).await? {
                return Ok(false);
            }
            values.extend([schema::seconds(":expires", expires)]);
            set.push("expires = :expires");
        }
        if set.is_empty() {
            return Ok(true);
        }
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(
                "pk",
                AttributeValue::S(schema::enquiry_key(&next.received.reference)),
            )
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression("attribute_exists(pk)")
            .set_expression_attribute_values(Some(values))
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
}
