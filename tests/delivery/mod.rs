//! From the table to the mailboxes.

mod events;
mod pending;
