//! What the tests, `cargo local`, the benchmark and the fuzzer share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop; the samples are constants, and a test reads every one"
)]

pub mod emulated;
pub mod gateway;
pub mod random;
pub mod readability;
pub mod samples;
