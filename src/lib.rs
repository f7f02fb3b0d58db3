//! The enquiry desk of a one-person practice: one function, one table, two mails.
//!
//! The modules stand here in the order of an enquiry's way. ARCHITECTURE.md is the map.

pub mod settings;

pub mod app;
pub mod clock;
pub mod instance;
pub mod invocation;
pub mod telemetry;

pub mod enquiry;
pub mod practice;

pub mod intake;
pub mod screening;
pub mod store;

pub mod outbox;
pub mod stream;

pub mod mail;

pub mod command;
pub mod feedback;

pub mod secret;
mod tls;

#[cfg(feature = "local")]
pub mod local;
