//! The enquiry desk of a one-person practice: one function, one table, two emails.
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

pub mod spam;
pub mod store;
pub mod web;

pub mod delivery;
pub mod stream;

pub mod email;

pub mod commands;
pub mod feedback;

pub mod secret;
mod tls;

#[cfg(feature = "local")]
pub mod local;
