//! One enquiry with everything about it.

use futures_util::future::try_join;

use super::file::timeline;
use super::{Desk, DeskError};
use crate::clock::Clock;
use crate::enquiry::Reference;
use crate::record::{Entry, Note, Record};
use crate::store::{Cursor, Senders};

/// An enquiry with everything about it.
pub struct Whole {
    /// What was typed, the promise, the suggestion, the verdict, the mark, where the emails stand.
    pub record: Box<Record>,
    /// What happened, oldest first; it begins with [`crate::record::Event::Received`].
    pub timeline: Vec<Entry>,
    /// The private note.
    pub note: Option<Note>,
    /// Where other enquiries from the same address stand, the latest first; at most [`Whole::OTHERS`].
    pub others: Vec<Cursor>,
    /// Whether there are more of them than are named.
    pub more_others: bool,
    /// What was said about the sender.
    pub senders: Senders,
}

impl Whole {
    /// How many other enquiries are named.
    pub const OTHERS: usize = 20;
}

impl Desk {
    /// One enquiry with everything about it: one batch read, and then one query and one batch read at the same time.
    ///
    /// # Errors
    /// When there is none, or the table cannot be read.
    pub async fn enquiry(&self, reference: &Reference, clock: &Clock) -> Result<Whole, DeskError> {
        let whole = self.store.load_whole(reference).await?;
        let (record, annex) = whole.ok_or_else(|| DeskError::NotFound(reference.clone()))?;
        let enquiry = &record.received.enquiry;
        let (others, senders) = if self.store.has_keys() {
            // The enquiry itself is among them.
            let limit = Whole::OTHERS + 1;
            try_join(
                self.store.from_address(&enquiry.email, None, limit),
                self.store.senders_of(enquiry, clock.now()),
            )
            .await?
        } else {
            // Without keys nothing else can be found of a person.
            Default::default()
        };
        let more = others.next.is_some();
        let others = others.found.into_iter();
        let mut others: Vec<Cursor> = others.filter(|it| it.reference != *reference).collect();
        let more_others = more || others.len() > Whole::OTHERS;
        others.truncate(Whole::OTHERS);
        Ok(Whole {
            timeline: timeline(&record, &annex.older),
            note: annex.note,
            others,
            more_others,
            senders,
            record: Box::new(record),
        })
    }
}
