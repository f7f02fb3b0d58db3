//! The practice as it was saved on the desk: one item, with the version before it for one step back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::applied;
use super::schema::{self, Item, VERSION, read, to_item};
use super::{Store, StoreError};
use crate::practice::{self, Practice, PracticeErrors};

/// A version of the practice: JSON with the fields of `practice.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(pub String);

impl Words {
    /// The largest version that is saved, in bytes: an item holds two of them, and ends at 400 KB.
    pub const MAX: usize = 180_000;

    /// The words of a practice.
    #[must_use]
    pub fn of(written: &practice::raw::Practice) -> Self {
        Self(serde_json::to_string(written).unwrap_or_default())
    }

    /// Reads and checks them, as `practice.toml` is checked.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn read(&self) -> Result<Practice, PracticeErrors> {
        practice::read(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPractice {
    /// How often it was saved: from 1.
    pub revision: u64,
    pub saved_at: Timestamp,
    /// What holds.
    pub words: Words,
    /// What held before, for one step back.
    pub before: Words,
    /// When that was saved; none where it is the first version.
    pub before_saved_at: Option<Timestamp>,
    /// When each part was changed last of whose changes the therapist is told.
    pub changed: BTreeMap<String, Timestamp>,
}

impl Store {
    /// Reads the practice that was saved; nothing when none was.
    ///
    /// # Errors
    /// When the table cannot be read, or the item is not one that this version understands.
    pub async fn practice(&self) -> Result<Option<SavedPractice>, StoreError> {
        let key = PRACTICE_KEY.to_owned();
        let item = self.get("load the practice", key).await?;
        item.map(of_item).transpose()
    }

    /// Saves the practice, if its revision follows the one in the table. Returns whether it did.
    ///
    /// # Errors
    /// When the table cannot be written; whether it was written may then be unknown.
    pub async fn save_practice(&self, next: &SavedPractice) -> Result<bool, StoreError> {
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(practice_item(next)?));
        put = match next.revision.checked_sub(1) {
            None | Some(0) => put.condition_expression("attribute_not_exists(pk)"),
            Some(seen) => put
                .condition_expression(schema::UNCHANGED)
                .set_expression_attribute_values(Some(schema::revision(seen))),
        };
        applied(put.send().await, "save the practice")
    }
}

/// The key of the practice: there is one.
const PRACTICE_KEY: &str = "practice#current";

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

fn practice_item(practice: &SavedPractice) -> Result<Item, StoreError> {
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
fn of_item(item: Item) -> Result<SavedPractice, StoreError> {
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
