//! The fuzzer's targets: one function each, which takes any bytes and panics when a promise is broken.
//!
//! `fuzz/` puts libFuzzer in front of these functions (`tools/fuzz`), and `tests/fuzzing/regressions.rs` plays what it once found again in
//! every `cargo test`. The whole application answers, over the real SDK; only AWS is a script ([`wire`]), so that no
//! socket is needed and an answer takes less than a millisecond.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target that finds something must stop"
)]

mod command;
mod decode;
mod desk;
mod emails;
mod feedback;
mod http;
mod input;
mod markup;
mod panics;
mod practice;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod regressions;
mod stream;
mod wire;

use tokio::runtime::Runtime;

#[cfg(test)]
pub use desk::PRACTICE;

/// A target: plays one input, and says whether it was worth playing. The runtime has one thread, and its clock may be paused.
///
/// # Panics
/// When a promise is broken.
pub type Target = fn(&Runtime, &[u8]) -> bool;

/// Every target by its name, which is also the name of its file in `regressions/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("http", http::play),
    ("decode", decode::play),
    ("stream", stream::play),
    ("feedback", feedback::play),
    ("command", command::play),
    ("practice", practice::play),
    ("emails", emails::play),
];

/// The target of this name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no target {name}")).1
}
