//! From the table to the mailboxes.

mod alarms;
mod check;
mod drills;
mod events;
mod failure_queue;
mod nightly;
mod pending;
mod promises;
mod units;
mod year;
