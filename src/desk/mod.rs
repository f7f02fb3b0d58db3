//! The use cases of the therapist and the operator. Each function returns types; the callers decide how
//! they are shown: the commands, and the pages.

pub mod act;
pub mod csv;
pub mod enquiry;
pub mod erase;
pub mod export;
pub mod file;
pub mod list;
pub mod month;
pub mod person;
pub mod practice;
pub mod waiting;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::Delivery;
use crate::enquiry::Reference;
use crate::mail_state::{EmailKind, ResendRefused};
use crate::messages::command::refused;
use crate::practice::Practice;
use crate::record::{NoteTooLong, Record};
use crate::store::{Cursor, Store, StoreError};

/// With less time left than this no further enquiry is looked at: one call may take 3 seconds.
const ENOUGH: Duration = Duration::from_secs(10);

/// Works with these parts.
pub struct Desk {
    store: Store,
    delivery: Arc<Delivery>,
    practice: Arc<Practice>,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskError {
    /// The table could not be read or written.
    Store(StoreError),
    /// There is no enquiry with this reference.
    NotFound(Reference),
    /// The enquiry has just been erased.
    JustErased(Reference),
    /// This email may not go again.
    Resend(Reference, EmailKind, ResendRefused),
    /// The auto-reply would promise an answer by a time that has passed.
    PromisePassed(Reference),
    /// The auto-reply stays withheld, since the source of the enquiry was not counted.
    Uncounted(Reference),
    /// The private note is too long.
    NoteTooLong(NoteTooLong),
}

impl From<NoteTooLong> for DeskError {
    fn from(error: NoteTooLong) -> Self {
        Self::NoteTooLong(error)
    }
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Store(error) => return error.fmt(f),
            Self::NoteTooLong(error) => return error.fmt(f),
            Self::NotFound(reference) => refused::not_found(reference),
            Self::JustErased(reference) => refused::just_erased(reference),
            Self::Resend(reference, kind, why) => not_again(reference, *kind, *why),
            Self::PromisePassed(reference) => refused::promise_passed(reference),
            Self::Uncounted(reference) => refused::uncounted(reference),
        };
        f.write_str(&words)
    }
}

impl std::error::Error for DeskError {}

/// Why an email may not go again, and what to do.
fn not_again(reference: &Reference, email: EmailKind, why: ResendRefused) -> String {
    match why {
        ResendRefused::Pending => refused::pending(email, reference),
        ResendRefused::Left => refused::left(email, reference),
        ResendRefused::MayHaveLeft => refused::may_have_left(email, reference),
        ResendRefused::CameBack => refused::came_back(email, reference),
        ResendRefused::Suspect => refused::suspect(email, reference),
        ResendRefused::NoPerson => refused::no_person(email, reference),
        ResendRefused::Withdrawn => refused::withdrawn(email, reference),
        ResendRefused::Unsendable => refused::unsendable(email, reference),
    }
}

impl Desk {
    /// Works with these parts.
    #[must_use]
    pub const fn new(store: Store, delivery: Arc<Delivery>, practice: Arc<Practice>) -> Self {
        Self {
            store,
            delivery,
            practice,
        }
    }

    /// One enquiry, with the states of its emails.
    ///
    /// # Errors
    /// When there is none, or the table cannot be read.
    pub async fn show(&self, reference: &Reference) -> Result<Record, DeskError> {
        let record = self.store.load(reference).await?;
        record.ok_or_else(|| DeskError::NotFound(reference.clone()))
    }

    /// The items of an enquiry as they are in the table, for one that cannot be read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn raw(&self, reference: &Reference) -> Result<Vec<serde_json::Value>, DeskError> {
        Ok(self.store.raw(reference).await?)
    }

    /// What stands at these places, by one request for each [`Store::BATCH`] of them. What was deleted since the index was written
    /// is left out, and so is what its client has withdrawn: it is no longer hers to see.
    async fn entries(&self, found: &[Cursor]) -> Result<Vec<list::Entry>, StoreError> {
        let mut entries = Vec::new();
        for found in found.chunks(Store::BATCH) {
            for (cursor, record) in found.iter().zip(self.store.load_all(found).await?) {
                match record {
                    Ok(Some(record)) if record.state.withdrawn.is_some() => {}
                    Ok(Some(record)) => entries.push(list::Entry::Record(Box::new(record))),
                    Ok(None) => {}
                    Err(_) => entries.push(list::Entry::Unreadable(cursor.clone())),
                }
            }
        }
        Ok(entries)
    }
}
