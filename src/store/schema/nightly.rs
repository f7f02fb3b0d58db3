//! The items of the nightly test.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Item, VERSION, partition, read, s, seconds, to_item};
use crate::record::NightlyTest;
use crate::spam::Verdict;
use crate::store::StoreError;

/// There is one: what is left of the last test.
pub(in crate::store) const NIGHTLY_KEY: &str = "nightly#desk";
/// The kind of the enquiry that the test sends: the stream's filter names it.
pub(in crate::store) const PROBE: &str = "probe";
/// How long a test may take.
const TIME: SignedDuration = SignedDuration::from_hours(1);
/// A test that was never judged leaves nothing for longer.
const PROBE_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How far the test came. It stands in the index of pending work until it is over, and due after an hour.
#[derive(Serialize, Deserialize)]
struct StoredNightly {
    pk: String,
    kind: String,
    v: u32,
    #[serde(flatten)]
    test: NightlyTest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

pub(in crate::store) fn nightly_item(test: &NightlyTest) -> Result<Item, StoreError> {
    to_item(
        "start the nightly test",
        StoredNightly {
            pk: NIGHTLY_KEY.to_owned(),
            kind: "nightly".to_owned(),
            v: VERSION,
            pending: Some(partition(Verdict::Clear).to_owned()),
            due: Some(test.started_at + TIME),
            test: test.clone(),
        },
    )
}

pub(in crate::store) fn nightly(item: Item) -> Result<NightlyTest, StoreError> {
    read::<StoredNightly>(item).map(|stored| stored.test)
}

pub(in crate::store) fn probe_key(nonce: &str) -> String {
    format!("probe#{nonce}")
}

/// The enquiry of the test: no index and no list has it.
pub(in crate::store) fn probe_item(nonce: &str, now: Timestamp) -> Item {
    HashMap::from([
        s("pk", probe_key(nonce)),
        s("kind", PROBE),
        seconds("expires", now + PROBE_KEPT),
    ])
}
