//! The list of enquiries that wait for an answer.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use futures_util::future::try_join3;

use super::list::Entry;
use super::{Desk, DeskError};
use crate::record::Mark;
use crate::store::Cursor;

/// The first page of the desk.
pub struct Waiting {
    /// Who waits for an answer, the nearest promise first; [`crate::record::Record::is_overdue`] says which have passed.
    /// At most [`Waiting::LIMIT`].
    pub waiting: Vec<Entry>,
    /// What the next page of them begins after, when there is more.
    pub next: Option<Cursor>,
    /// How many look like spam.
    pub suspects: Count,
    /// The last that were marked, the latest first; at most [`Waiting::MARKED`].
    pub marked: Vec<Entry>,
}

impl Waiting {
    /// How many of those that wait are on a page: with those that were marked they take one batch read.
    pub const LIMIT: usize = 45;
    /// How many of those that were marked are shown.
    pub const MARKED: usize = 5;
    /// To how many suspects are counted.
    pub const COUNTED: usize = 99;
}

/// How many there are: exactly so many, or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// So many, from 0 to the number up to which they are counted.
    pub number: usize,
    /// And more than that.
    pub more: bool,
}

impl Desk {
    /// Who waits for an answer: after `after`, at most [`Waiting::LIMIT`]; what looks like spam is only counted. Three queries at
    /// the same time and one batch read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn waiting(&self, after: Option<&Cursor>) -> Result<Waiting, DeskError> {
        let (waiting, marked, suspects) = try_join3(
            self.store.waiting(after, Waiting::LIMIT),
            self.store.marked(Waiting::MARKED),
            self.store.suspects(Waiting::COUNTED),
        )
        .await?;
        let mut found = waiting.found;
        // One that has just been marked may still stand in both places of the index.
        found.extend(marked.found);
        let mut seen = BTreeSet::new();
        found.retain(|cursor| seen.insert(cursor.reference.as_str().to_owned()));
        // What is shown is what the items say: the index may lag a moment behind.
        let (mut waiting_now, mut marked_now) = (Vec::new(), Vec::new());
        for entry in self.entries(&found).await? {
            match &entry {
                Entry::Record(record) if record.is_waiting() => waiting_now.push(entry),
                Entry::Record(record) if record.state.mark() != Mark::Waiting => {
                    marked_now.push(entry);
                }
                Entry::Record(_) => {}
                Entry::Unreadable(_) => waiting_now.push(entry),
            }
        }
        let marked_at = |entry: &Entry| match entry {
            Entry::Record(record) => record.state.marked.map(|marked| marked.at),
            Entry::Unreadable(_) => None,
        };
        marked_now.sort_by_key(|entry| Reverse(marked_at(entry)));
        marked_now.truncate(Waiting::MARKED);
        let (number, more) = suspects;
        Ok(Waiting {
            waiting: waiting_now,
            next: waiting.next,
            suspects: Count { number, more },
            marked: marked_now,
        })
    }
}
