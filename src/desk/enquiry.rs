//! One enquiry with everything about it, and what the therapist does with it.

use jiff::Timestamp;

use crate::record::{Entry, Note, Record};
use crate::store::{Cursor, Sender};

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
    /// Whether there are more of them.
    pub more_others: bool,
    /// What was said about the sender's address.
    pub address: Option<Sender>,
    /// What was said about the sender's number.
    pub number: Option<Sender>,
    /// When it will be deleted by itself; nothing while an email to the therapist is pending.
    pub expires: Option<Timestamp>,
}

impl Whole {
    /// How many other enquiries are named.
    pub const OTHERS: usize = 20;
}

/// What an action came to. A second press, also from an old page, changes nothing and gets what stands.
pub enum Outcome {
    /// It was done; the enquiry as it now is.
    Done(Box<Record>),
    /// Nothing was changed: it stood so already, or something else has been done since the page was made. The enquiry as it
    /// stands, from which the page says so.
    Stands(Box<Record>),
}

/// What became of a note that was to be saved.
pub enum Noted {
    /// It was saved, or taken away; as it now is.
    Saved(Option<Note>),
    /// Nothing was saved: another window has saved this one in the meantime.
    Conflict(Option<Note>),
}
