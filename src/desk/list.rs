//! The enquiries of some days, newest first, so that one is found whose reference is not known.

use jiff::Timestamp;
use tracing::info;

use super::month::Filter;
use super::{Desk, DeskError, ENOUGH};
use crate::clock::Clock;
use crate::record::Record;
use crate::store::{Cursor, Store};

/// How many batches are looked through for one list: a filter that takes little must not read everything at once.
const LOOKED: usize = 6;

/// Some enquiries.
#[derive(Default)]
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
    /// The enquiries that came in from `first` to `last`, both included, as far as the filter takes them: after `after`, at most
    /// `limit`. Where the filter takes few, a list may be shorter although there is more.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        first: Timestamp,
        last: Timestamp,
        filter: &Filter,
        after: Option<&Cursor>,
        limit: usize,
        clock: &Clock,
    ) -> Result<List, DeskError> {
        let mut list = List {
            entries: Vec::new(),
            next: after.cloned(),
        };
        for looked in 0..LOOKED {
            let rest = limit - list.entries.len();
            if rest == 0 || (looked > 0 && clock.remaining() < ENOUGH) {
                break;
            }
            let page = self
                .store
                .received(first, last, list.next.as_ref(), rest.min(Store::BATCH))
                .await?;
            let entries = self.entries(&page.found).await?.into_iter();
            list.entries.extend(entries.filter(|it| filter.takes(it)));
            list.next = page.next;
            if list.next.is_none() {
                break;
            }
        }
        info!(count = list.entries.len(), "enquiries listed");
        Ok(list)
    }
}
