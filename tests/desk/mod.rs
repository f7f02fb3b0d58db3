//! The therapist's desk.

mod sign_in;
