//! The change of an enquiry's state, and what was typed following it.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
    Update as ItemUpdate,
};
use jiff::Timestamp;

use super::error::Cancelled;
use super::schema::{self, Item, s};
use super::{Store, StoreError, random};
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

/// What became of one conditional write.
enum Written {
    Applied(Box<Record>),
    Conflict(Box<Record>),
    Gone,
}

impl Store {
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
        let has_work = next.state.deliveries.is_pending() || next.state.withdrawn.is_some();
        next.indexed = has_work || !next.addressed || !follows;
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
        let mut values = HashMap::new();
        let mut set = Vec::new();
        if !next.addressed && self.has_keys() {
            let address = self.address_hash("change", &next.received.enquiry.email)?;
            values.extend([s(":address", address)]);
            set.push("address = :address");
        }
        // An expiry is only ever taken away together with the state.
        if let Some(expires) = expires.filter(|_| next.text_expires != expires) {
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
