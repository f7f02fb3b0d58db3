//! The emails that belong to no enquiry, each an item of its own; and what they count.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::applied;
use super::schema::{self, Item, VERSION, partition, read, to_item};
use super::{SUSPECT_LIFE, Store, StoreError};
use crate::mail_state::OwnDelivery;
use crate::record::{OwnEmail, OwnEmailId};
use crate::spam::Verdict;

/// How long an email of its own is kept once it is final: nothing asks for it after that.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long the count of an hour is kept: as long as what it counts, since SES may refuse its email for weeks.
const COUNT_KEPT: SignedDuration = SUSPECT_LIFE;

impl Store {
    /// An email of its own is to leave at this time; one that was asked for before stays as it is. Says whether it is a new one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn schedule(&self, id: &OwnEmailId, due: Timestamp) -> Result<bool, StoreError> {
        let email = OwnEmail {
            id: id.clone(),
            due,
            delivery: OwnDelivery::NEW,
            revision: 0,
        };
        let outcome = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(own_email_item(&email, None)?))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        applied(outcome, "schedule")
    }

    /// Reads an email of its own; nothing when there is none.
    ///
    /// # Errors
    /// When the table cannot be read, or a newer version wrote the item.
    pub async fn own_email(&self, id: &OwnEmailId) -> Result<Option<OwnEmail>, StoreError> {
        let item = self.get("load", own_email_key(id)).await?;
        item.map(|item| of_item(id, item)).transpose()
    }

    /// Writes a changed email of its own, if nothing else has changed it since it was read. Returns it as it then is;
    /// nothing when another invocation came first.
    ///
    /// # Errors
    /// When the table cannot be written; whether it was written may then be unknown.
    pub async fn change_own_email(
        &self,
        changed: OwnEmail,
        now: Timestamp,
    ) -> Result<Option<OwnEmail>, StoreError> {
        let seen = changed.revision;
        let next = OwnEmail {
            due: changed.delivery.after().unwrap_or(changed.due),
            revision: seen + 1,
            ..changed
        };
        let outcome = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(own_email_item(&next, Some(now + KEPT))?))
            .condition_expression(schema::UNCHANGED)
            .set_expression_attribute_values(Some(schema::revision(seen)))
            .send()
            .await;
        Ok(applied(outcome, "change")?.then_some(next))
    }

    /// Counts a suspected enquiry that is about to be mailed, as one of at most `limit` in its hour. Returns whether it may
    /// be mailed; otherwise it is counted among those that the therapist is told of by their number.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn count_suspected(
        &self,
        hour: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let expires = now + COUNT_KEPT;
        let count = |attribute: &str| {
            self.client
                .update_item()
                .table_name(&self.table)
                .key("pk", AttributeValue::S(schema::suspected_key(hour)))
                .update_expression(schema::COUNT.replace("times", "#count"))
                .expression_attribute_names("#count", attribute)
        };
        let mailed = count("times")
            .condition_expression("attribute_not_exists(#count) OR #count < :limit")
            .set_expression_attribute_values(Some(schema::count(expires, limit)))
            .send()
            .await;
        if applied(mailed, "count")? {
            return Ok(true);
        }
        let mut values = schema::count(expires, limit);
        values.remove(":limit");
        let told = count("told").set_expression_attribute_values(Some(values));
        applied(told.send().await, "count")?;
        Ok(false)
    }

    /// How many suspected enquiries of an hour the therapist is told of by their number.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn suspected(&self, hour: &str) -> Result<u64, StoreError> {
        let counter = self.get("count", schema::suspected_key(hour)).await?;
        let told = counter.and_then(|counter| schema::number(&counter, "told"));
        Ok(told
            .and_then(|told| told.try_into().ok())
            .unwrap_or_default())
    }
}

#[derive(Serialize, Deserialize)]
struct StoredOwnEmail {
    pk: String,
    kind: String,
    v: u32,
    revision: u64,
    email: OwnDelivery,
    due: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

fn own_email_key(id: &OwnEmailId) -> String {
    format!("email#{id}")
}

/// The item of an email of its own. It expires no sooner than it is final.
fn own_email_item(email: &OwnEmail, expires: Option<Timestamp>) -> Result<Item, StoreError> {
    let pending = email.delivery.state.is_pending();
    to_item(
        "change",
        StoredOwnEmail {
            pk: own_email_key(&email.id),
            kind: "email".to_owned(),
            v: VERSION,
            revision: email.revision,
            email: email.delivery.clone(),
            due: email.due,
            pending: pending.then(|| partition(Verdict::Clear).to_owned()),
            expires: expires.filter(|_| !pending).map(Timestamp::as_second),
        },
    )
}

/// Reads an email of its own.
fn of_item(id: &OwnEmailId, item: Item) -> Result<OwnEmail, StoreError> {
    let stored: StoredOwnEmail = read(item)?;
    Ok(OwnEmail {
        id: id.clone(),
        due: stored.due,
        delivery: stored.email,
        revision: stored.revision,
    })
}
