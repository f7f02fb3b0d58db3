//! The item of the practice as it was saved on the desk.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Item, VERSION, read, to_item};
use crate::store::StoreError;
use crate::store::practice::{SavedPractice, Words};

/// The key of the practice: there is one.
pub(in crate::store) const PRACTICE_KEY: &str = "practice#current";

#[derive(Serialize, Deserialize)]
struct StoredPractice {
    pk: String,
    kind: String,
    v: u32,
    revision: u64,
    saved_at: Timestamp,
    words: String,
    before: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_saved_at: Option<Timestamp>,
    changed: BTreeMap<String, Timestamp>,
}

pub(in crate::store) fn practice_item(practice: &SavedPractice) -> Result<Item, StoreError> {
    let practice = practice.clone();
    to_item(
        "save the practice",
        StoredPractice {
            pk: PRACTICE_KEY.to_owned(),
            kind: "practice".to_owned(),
            v: VERSION,
            revision: practice.revision,
            saved_at: practice.saved_at,
            words: practice.words.0,
            before: practice.before.0,
            before_saved_at: practice.before_saved_at,
            changed: practice.changed,
        },
    )
}

/// Reads the practice that was saved; its words are checked by crate `practice`.
pub(in crate::store) fn practice(item: Item) -> Result<SavedPractice, StoreError> {
    let stored: StoredPractice = read(item)?;
    Ok(SavedPractice {
        revision: stored.revision,
        saved_at: stored.saved_at,
        words: Words(stored.words),
        before: Words(stored.before),
        before_saved_at: stored.before_saved_at,
        changed: stored.changed,
    })
}
