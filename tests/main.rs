//! The one integration binary: a module for each concern.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall stop"
)]

mod canary;
mod contract;
mod corpus;
mod delivery;
mod events;
mod fuzzing;
mod hostile;
mod letters;
mod limits;
mod local;
mod pages;
mod policy;
mod practice;
mod privacy;
mod promises;
mod properties;
mod reading;
mod road;
mod screening;
mod secret;
mod simulator;
mod support;
mod template;
mod tokens;
mod workflows;
