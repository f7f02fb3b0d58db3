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
mod delivery;
mod events;
mod hostile;
mod letters;
mod limits;
mod local;
mod pages;
mod practice;
mod reading;
mod road;
mod simulator;
mod support;
