//! libFuzzer in front of the targets of `tests/fuzzing/`: `FUZZ_TARGET` names the one that is played.

#![no_main]

#[path = "../../tests/fuzzing/mod.rs"]
mod fuzzing;

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use tokio::runtime::{Builder, Runtime};

static TARGET: LazyLock<fuzzing::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    fuzzing::target(&name)
});

thread_local! {
    /// One thread whose clock stands still until every task waits, so that waiting takes no time.
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
}

// What a target has no use for is not kept.
fuzz_target!(|data: &[u8]| -> Corpus {
    if RUNTIME.with(|runtime| TARGET(runtime, data)) {
        Corpus::Keep
    } else {
        Corpus::Reject
    }
});
