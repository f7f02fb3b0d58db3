//! What the emails hold, and how it reads.

mod content;
pub mod readability;
