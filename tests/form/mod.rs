//! The form: its contract, fields, pages and tokens.

mod clients;
mod consent;
mod contract;
mod fields;
mod malformed_input;
mod pages;
mod practice;
mod published;
mod questions;
mod tell_me_more;
mod tokens;
