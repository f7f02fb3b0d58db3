//! The items of what the desk found out about itself.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Item, VERSION, read, s, seconds, to_item};
use crate::record::{Finding, Health, Level};
use crate::store::StoreError;

/// There is one.
pub(in crate::store) const HEALTH_KEY: &str = "health#desk";
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

pub(in crate::store) fn health_item(health: &Health) -> Result<Item, StoreError> {
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

pub(in crate::store) fn health(item: Item) -> Result<Health, StoreError> {
    let stored: StoredHealth = read(item)?;
    Ok(Health {
        checked_at: stored.checked_at,
        findings: stored.findings,
        before: stored.before,
        production: stored.production,
    })
}

pub(in crate::store) fn seen_key(what: &str) -> String {
    format!("seen#{what}")
}

/// A page was seen that should be looked at, and when.
pub(in crate::store) fn seen_item(what: &str, now: Timestamp) -> Item {
    HashMap::from([
        s("pk", seen_key(what)),
        s("kind", "seen"),
        s("last_at", now),
        seconds("expires", now + SEEN_KEPT),
    ])
}
