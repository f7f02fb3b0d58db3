//! The practice: the first version as it was when this binary was built, and what was saved on the desk.

use std::sync::LazyLock;

pub use ::practice::*;

use crate::messages;

#[allow(
    clippy::expect_used,
    reason = "build.rs has read and checked this very text before it put it here"
)]
static COMPILED: LazyLock<Practice> = LazyLock::new(|| {
    read(include_str!(concat!(env!("OUT_DIR"), "/practice.json"))).expect("what build.rs wrote")
});

/// The practice of `practice.toml` that was compiled in: what holds until one is saved on the desk.
#[must_use]
pub fn compiled() -> &'static Practice {
    &COMPILED
}

/// Reads a practice from JSON with the fields of `practice.toml`, as it is compiled in and saved.
///
/// # Errors
/// Everything that is wrong, by its key; where the shape is wrong, the first such place alone.
pub fn read(json: &str) -> Result<Practice, PracticeErrors> {
    let mut json = serde_json::Deserializer::from_str(json);
    let raw: raw::Practice = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        PracticeErrors(vec![PracticeError {
            key: error.path().to_string(),
            line: None,
            message: messages::desk::practice::WRONG_SHAPE.to_owned(),
        }])
    })?;
    check(&raw)
}
