//! The one integration binary: a module for each concern.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

#[path = "../tools/copy_table.rs"]
#[allow(dead_code, reason = "its own `main`")]
mod copy_table;

mod architecture;
mod commands;
mod delivery;
mod desk;
mod emails;
mod form;
mod fuzzing;
mod infra;
mod mutants;
mod security;
mod simulation;
mod spam;
mod submission;
mod support;
