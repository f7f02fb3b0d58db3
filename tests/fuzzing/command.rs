//! Commands: done, or refused in words.
//!
//! After the script come the command, as JSON, and then changes to the enquiry that is stored.

use enquiry_desk::app::Event;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::desk::{Desk, item};
use super::input;

pub(super) fn play(runtime: &Runtime, data: &[u8]) -> bool {
    let (script, rest) = input::scripted(data);
    let Some(sections) = input::sections(rest) else {
        return false;
    };
    let said = sections.first().copied().unwrap_or_default();
    let Ok(command) = serde_json::from_str::<Value>(said) else {
        return false;
    };
    if !matches!(Event::recognise(command.clone()), Ok(Event::Command(_))) {
        return false;
    }
    let stored = input::changed(&item(), sections.get(1).copied().unwrap_or_default());
    let desk = Desk::new(script, stored);
    match desk.handle(runtime, command) {
        Ok(answer) => assert!(answer.is_object(), "{answer}"),
        Err(words) => assert!(
            words.len() > 10 && words.len() < 1_000 && !words.contains("<fuzz"),
            "{words}"
        ),
    }
    true
}
