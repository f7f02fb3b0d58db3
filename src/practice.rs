//! The practice of `practice.toml`, as it was when this binary was built.

use std::sync::LazyLock;

pub use ::practice::*;

#[allow(
    clippy::expect_used,
    reason = "build.rs has read this very text back before it put it here"
)]
static COMPILED: LazyLock<Practice> = LazyLock::new(|| {
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/practice.json")))
        .expect("what build.rs wrote")
});

/// The practice that was compiled in.
#[must_use]
pub fn compiled() -> &'static Practice {
    &COMPILED
}
