//! Who waits for an answer.

use super::list::Entry;
use crate::store::Cursor;

/// The first page of the desk.
pub struct Waiting {
    /// Who waits for an answer, the nearest promise first; [`crate::record::Record::is_overdue`] says which have passed. At most 50.
    pub waiting: Vec<Entry>,
    /// What the next page of them begins after, when there is more.
    pub next: Option<Cursor>,
    /// How many look like spam.
    pub suspects: Count,
    /// The last that were marked, the latest first; at most [`Waiting::MARKED`].
    pub marked: Vec<Entry>,
}

impl Waiting {
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
