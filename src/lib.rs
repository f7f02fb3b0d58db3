//! The enquiry desk of a one-person practice.

pub mod enquiry;
pub mod practice;
