//! What a person asked: the enquiry and its parts.

pub mod answers;
