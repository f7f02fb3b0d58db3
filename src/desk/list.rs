//! The enquiries of some days, newest first, so that one is found whose reference is not known.

use jiff::Timestamp;
use tracing::info;

use super::{Desk, DeskError, ENOUGH};
use crate::clock::Clock;
use crate::record::Record;
use crate::store::Cursor;

/// Some enquiries.
pub struct List {
    /// The enquiries, newest first.
    pub entries: Vec<Entry>,
    /// What the next list begins after, when there is more.
    pub next: Option<Cursor>,
}

/// One enquiry of a list.
pub enum Entry {
    /// As it stands in the table.
    Record(Box<Record>),
    /// Written by a newer version, which this one does not understand.
    Unreadable(Cursor),
}

impl Desk {
    /// The enquiries that came in from `first` to `last`, both included: after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        first: Timestamp,
        last: Timestamp,
        after: Option<&Cursor>,
        limit: usize,
        clock: &Clock,
    ) -> Result<List, DeskError> {
        let page = self.store.received(first, last, after, limit).await?;
        let mut entries = Vec::new();
        let mut next = page.next;
        let mut before: Option<&Cursor> = None;
        for found in page.found.chunks(crate::store::Store::BATCH) {
            if before.is_some() && clock.remaining() < ENOUGH {
                next = before.cloned();
                break;
            }
            entries.extend(self.entries(found).await?);
            before = found.last();
        }
        info!(count = entries.len(), "enquiries listed");
        Ok(List { entries, next })
    }
}
