//! The enquiry desk of a one-person practice.

pub mod enquiry;
#[cfg(feature = "local")]
pub mod local;
