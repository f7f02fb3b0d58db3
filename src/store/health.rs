//! The item of the last check, and the settings that protect the table.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, TimeToLiveStatus};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::schema::{self, Item, VERSION, read, s, seconds, to_item};
use super::{Store, StoreError};
use crate::record::{Finding, Health, Level};

/// What DynamoDB says about the table's protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// Whether expired items go.
    pub expiry: bool,
    /// Whether it can be recovered to a point in time.
    pub recovery: bool,
    /// Whether it cannot be deleted.
    pub deletion: bool,
    /// Whether it has a stream.
    pub stream: bool,
}

/// What is seen on the sites that post here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A page shows an earlier wording of the consent.
    OldWording,
    /// A page posts fields that the form has not.
    UnknownFields,
}

impl Seen {
    const fn key(self) -> &'static str {
        match self {
            Self::OldWording => "old_wording",
            Self::UnknownFields => "unknown_fields",
        }
    }
}

impl Store {
    /// What the last check found; nothing before the first one.
    ///
    /// # Errors
    /// When the table cannot be read, or a newer version wrote the item.
    pub async fn health(&self) -> Result<Option<Health>, StoreError> {
        let item = self
            .get("load the last check", HEALTH_KEY.to_owned())
            .await?;
        item.map(of_item).transpose()
    }

    /// Keeps what a check found, in the place of the one before.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn keep_health(&self, health: &Health) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(health_item(health)?)).send().await;
        put.map(drop)
            .map_err(|error| StoreError::from_sdk("keep the check", &error))
    }

    /// Notes that a page was seen that should be looked at.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_seen(&self, seen: Seen, now: Timestamp) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(seen_item(seen.key(), now)));
        put.send()
            .await
            .map(drop)
            .map_err(|error| StoreError::from_sdk("note what was posted", &error))
    }

    /// When such a page was seen last; nothing when that is longer ago than a week.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn last_seen(
        &self,
        seen: Seen,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let item = self
            .get("load what was posted", seen_key(seen.key()))
            .await?;
        let item = item.filter(|item| !schema::has_expired(item, now));
        Ok(item.and_then(|item| schema::time(&item, "last_at")))
    }

    /// What protects the table.
    ///
    /// # Errors
    /// When DynamoDB does not say.
    pub async fn protection(&self) -> Result<Protection, StoreError> {
        let action = "say what protects it";
        let table = self.client.describe_table().table_name(&self.table).send();
        let expiry = self
            .client
            .describe_time_to_live()
            .table_name(&self.table)
            .send();
        let recovery = self.client.describe_continuous_backups();
        let recovery = recovery.table_name(&self.table).send();
        let (table, expiry, recovery) = futures_util::join!(table, expiry, recovery);
        let table = table
            .map_err(|error| StoreError::from_sdk(action, &error))?
            .table;
        let expiry = expiry.map_err(|error| StoreError::from_sdk(action, &error))?;
        let recovery = recovery.map_err(|error| StoreError::from_sdk(action, &error))?;
        let expiry = expiry.time_to_live_description.is_some_and(|it| {
            it.time_to_live_status == Some(TimeToLiveStatus::Enabled)
                && it.attribute_name.as_deref() == Some(schema::EXPIRY)
        });
        let recovery = recovery
            .continuous_backups_description
            .and_then(|it| it.point_in_time_recovery_description)
            .and_then(|it| it.point_in_time_recovery_status);
        let stream = table
            .as_ref()
            .and_then(|it| it.stream_specification.as_ref());
        Ok(Protection {
            expiry,
            recovery: recovery == Some(PointInTimeRecoveryStatus::Enabled),
            stream: stream.is_some_and(|it| it.stream_enabled),
            deletion: table.and_then(|it| it.deletion_protection_enabled) == Some(true),
        })
    }
}

/// There is one.
const HEALTH_KEY: &str = "health#desk";
/// For how long a page that was seen is told of.
const SEEN_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The last check.
#[derive(Serialize, Deserialize)]
struct StoredHealth {
    pk: String,
    kind: String,
    v: u32,
    checked_at: Timestamp,
    findings: Vec<Finding>,
    before: BTreeMap<String, Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    production: Option<bool>,
}

fn health_item(health: &Health) -> Result<Item, StoreError> {
    let Health {
        checked_at,
        findings,
        before,
        production,
    } = health.clone();
    to_item(
        "keep the check",
        StoredHealth {
            pk: HEALTH_KEY.to_owned(),
            kind: "health".to_owned(),
            v: VERSION,
            checked_at,
            findings,
            before,
            production,
        },
    )
}

fn of_item(item: Item) -> Result<Health, StoreError> {
    let stored: StoredHealth = read(item)?;
    Ok(Health {
        checked_at: stored.checked_at,
        findings: stored.findings,
        before: stored.before,
        production: stored.production,
    })
}

fn seen_key(what: &str) -> String {
    format!("seen#{what}")
}

/// A page was seen that should be looked at, and when.
fn seen_item(what: &str, now: Timestamp) -> Item {
    HashMap::from([
        s("pk", seen_key(what)),
        s("kind", "seen"),
        s("last_at", now),
        seconds("expires", now + SEEN_KEPT),
    ])
}
