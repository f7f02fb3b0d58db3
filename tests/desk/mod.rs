//! The therapist's desk.

mod pages;
mod sign_in;
