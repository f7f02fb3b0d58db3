//! The items of the emails that belong to no enquiry's state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Item, VERSION, partition};
use super::{read, to_item};
use crate::mail_state::MailState;
use crate::record::{OwnEmail, OwnEmailId};
use crate::spam::Verdict;
use crate::store::StoreError;

/// An email of its own.
#[derive(Serialize, Deserialize)]
struct StoredOwnEmail {
    pk: String,
    kind: String,
    v: u32,
    revision: u64,
    email: MailState,
    due: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

pub(in crate::store) fn own_email_key(id: &OwnEmailId) -> String {
    format!("email#{id}")
}

/// The item of an email of its own. It expires no sooner than it is final.
pub(in crate::store) fn own_email_item(
    email: &OwnEmail,
    expires: Option<Timestamp>,
) -> Result<Item, StoreError> {
    let pending = email.state.is_pending();
    to_item(
        "change",
        StoredOwnEmail {
            pk: own_email_key(&email.id),
            kind: "email".to_owned(),
            v: VERSION,
            revision: email.revision,
            email: email.state.clone(),
            due: email.due,
            pending: pending.then(|| partition(Verdict::Clear).to_owned()),
            expires: expires.filter(|_| !pending).map(Timestamp::as_second),
        },
    )
}

/// Reads an email of its own.
pub(in crate::store) fn own_email(id: &OwnEmailId, item: Item) -> Result<OwnEmail, StoreError> {
    let stored: StoredOwnEmail = read(item)?;
    Ok(OwnEmail {
        id: id.clone(),
        due: stored.due,
        state: stored.email,
        revision: stored.revision,
    })
}
