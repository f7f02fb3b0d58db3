//! From the table to the mailboxes.

mod events;
mod failure_queue;
mod pending;
