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
mod contract;
mod cost;
mod delivery;
mod deploy_role;
mod emails;
mod end_to_end;
mod events;
mod fields;
mod fuzzing;
mod log_privacy;
mod malformed_input;
mod mutants;
mod pages;
mod policy;
mod practice;
mod privacy;
mod properties;
mod rate_limits;
mod readability;
mod regressions;
mod restore;
mod secret;
mod security;
mod simulator;
mod spam;
mod support;
mod table;
mod template;
mod tokens;
mod workflows;
