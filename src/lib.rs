//! The enquiry desk of a one-person practice: one function, one table, two mails.
//!
//! The modules stand in the order of an enquiry's way.

pub mod invocation;
pub mod settings;
pub mod telemetry;
pub mod clock;
pub mod practice;
pub mod enquiry;
pub mod intake;
pub mod screening;
pub mod store;
pub mod outbox;
pub mod mail;
