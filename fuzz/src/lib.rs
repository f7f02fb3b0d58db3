//! libFuzzer in front of the targets of `tests/fuzzing/`.

#[path = "../../tests/fuzzing/mod.rs"]
pub mod fuzzing;

use libfuzzer_sys::Corpus;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    /// One thread whose clock stands still until every task waits, so that waiting takes no time.
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
}

/// Plays one input of the target of this name. What it has no use for is not kept.
#[must_use]
pub fn play(target: &str, data: &[u8]) -> Corpus {
    let play = fuzzing::target(target);
    match RUNTIME.with(|runtime| play(runtime, data)) {
        true => Corpus::Keep,
        false => Corpus::Reject,
    }
}
