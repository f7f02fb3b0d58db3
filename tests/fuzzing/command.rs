//! Commands: done, or refused in words.
//!
//! After the script come the command, as JSON, and then changes to the enquiry that is stored.

use enquiry_desk::app::Event;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::desk::{Desk, item};
use super::input;
use super::wire::STORED;

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
    let shown = json!({ "command": "show", "reference": STORED });
    let is_shown = script.is_empty() && stored == item() && command == shown;
    let desk = Desk::new(script, stored);
    match desk.handle(runtime, command) {
        Ok(answer) => {
            assert!(answer.is_object(), "{answer}");
            // What the script leaves alone works: without this the targets could meet an empty table and never fail.
            assert!(
                !is_shown || answer.to_string().contains("zoe@example.com"),
                "{answer}"
            );
        }
        Err(words) => assert!(
            !is_shown && words.len() > 10 && words.len() < 2_000 && !words.contains("<fuzz"),
            "{words}"
        ),
    }
    true
}
