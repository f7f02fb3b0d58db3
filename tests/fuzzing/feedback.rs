//! What SES reports: whatever a message says, it is counted, or the error is the table's.
//!
//! After the script come the message, as JSON or as changes to the sample, and then changes to the enquiry that is stored.

use std::sync::LazyLock;

use enquiry_desk::app::Event;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::desk::{Desk, item};
use super::input;

/// The SES event within the sample in `events/`.
static BOUNCE: LazyLock<Value> = LazyLock::new(|| {
    let event: Value = serde_json::from_str(include_str!("../../events/ses-bounce.json")).unwrap();
    serde_json::from_str(event["Records"][0]["Sns"]["Message"].as_str().unwrap()).unwrap()
});

pub(super) fn play(runtime: &Runtime, data: &[u8]) -> bool {
    let (script, rest) = input::scripted(data);
    let Some(sections) = input::sections(rest) else {
        return false;
    };
    let said = sections.first().copied().unwrap_or_default();
    let message = if said.starts_with('{') {
        said.to_owned()
    } else {
        input::changed(&BOUNCE, said).to_string()
    };
    let stored = input::changed(&item(), sections.get(1).copied().unwrap_or_default());
    let record = |message: &str| json!({ "EventSource": "aws:sns", "Sns": { "Message": message } });
    // A second message behind it is read whatever the first one says.
    let event = json!({ "Records": [record(&message), record(&BOUNCE.to_string())] });
    assert!(matches!(
        Event::recognise(event.clone()),
        Ok(Event::Feedback(_))
    ));
    let desk = Desk::new(script, stored);
    match desk.handle(runtime, event) {
        Ok(answer) => assert_eq!(answer, json!({ "messages": 2 })),
        Err(error) => assert!(error.starts_with("the table could not "), "{error}"),
    }
    true
}
