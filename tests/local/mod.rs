//! The local system: that it behaves like what it stands for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on shall stop"
)]

mod desk;
mod dynamo;
mod gateway;
mod http;
mod mapping;
mod message;
mod ses;
