//! What SES reports back about a mail: recognised and logged by reference, letter and kind.

use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

/// The part of an SES event that says which mail it is about and what became of it ("Contents of event data that
/// Amazon SES publishes to Amazon SNS").
#[derive(Deserialize)]
struct SesEvent {
    #[serde(rename = "eventType", alias = "notificationType")]
    kind: String,
    mail: MailObject,
}

#[derive(Deserialize)]
struct MailObject {
    #[serde(rename = "messageId")]
    message_id: String,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize, Default)]
struct Tags {
    #[serde(default)]
    reference: Vec<String>,
    #[serde(default)]
    letter: Vec<String>,
}

/// Logs each report. One that cannot be read is logged as such and never fails the others.
///
/// # Errors
/// None: SNS would only send the same again.
pub fn handle(messages: &[String]) -> Result<Value, Error> {
    for message in messages {
        match serde_json::from_str::<SesEvent>(message) {
            Ok(event) => info!(
                kind = event.kind,
                message_id = event.mail.message_id,
                reference = event.mail.tags.reference.first(),
                letter = event.mail.tags.letter.first(),
                "feedback from SES"
            ),
            Err(_) => warn!("feedback that is no event of SES"),
        }
    }
    Ok(json!({ "messages": messages.len() }))
}
