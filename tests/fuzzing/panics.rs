//! Panics that the product catches: the client gets an answer, the fuzzer must know all the same.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

/// Where the library reads an HTTP event.
const READERS: [&str; 2] = ["/lambda_http-", "/aws_lambda_events-"];

thread_local! {
    /// Where this thread panicked while it was watched; nothing while it is not.
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs this, and stops when anything in it panicked on this thread, caught or not.
///
/// Some are expected: the library panics at a body that is no base64 although the event says so, and at an address that is
/// none. `web::event` and `web::origin` catch them and answer 400.
pub fn watch<T>(run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let expected = SEEN.with_borrow_mut(|seen| {
                let Some(seen) = seen else { return false };
                let expected = READERS.iter().any(|reader| place.contains(reader));
                if !expected {
                    seen.push(place);
                }
                expected
            });
            if !expected {
                before(panic);
            }
        }));
    });
    SEEN.set(Some(Vec::new()));
    let done = panic::catch_unwind(panic::AssertUnwindSafe(run));
    let seen = SEEN.take().unwrap_or_default();
    assert!(seen.is_empty(), "the product panicked at {seen:?}");
    done.unwrap_or_else(|_| panic!("the product panicked"))
}
