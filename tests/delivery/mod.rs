//! From the table to the mailboxes.

mod drills;
mod events;
mod failure_queue;
mod pending;
mod promises;
mod units;
