//! The enquiry desk of a one-person practice: one Lambda function, one table, its emails.
//!
//! The modules stand here by layer, from the lowest up: a module names only modules of lower layers (`tests/architecture/`).
//! ARCHITECTURE.md is the map.

// The words that people read.
mod messages;

// What everything may name.
pub mod clock;
pub mod practice;
pub mod telemetry;
pub mod text;

// The enquiry from checked parts, and the keys derived from the secret.
pub mod enquiry;
pub mod keys;

// Pure rules: where an email stands, and what is signed.
pub mod form_token;
pub mod link;
pub mod mail_state;
pub mod proof_of_work;
pub mod session;

// The score, the environment, and the SDK's plumbing.
pub mod aws;
pub mod settings;
pub mod spam;

// An enquiry with its history.
pub mod record;

// The table, and the emails.
pub mod email;
pub mod store;

// What sends an email.
pub mod ses;

// Pending emails, sent.
pub mod delivery;

// Use cases.
pub mod check;
pub mod desk;
pub mod nightly;
pub mod reminders;
pub mod sign_in;
pub mod submission;
pub mod withdrawal;

// Entry points: each translates an event, calls one use case, and translates the result.
pub mod commands;
pub mod feedback;
pub mod stream;
pub mod web;

// The parts, built once.
pub mod app;
