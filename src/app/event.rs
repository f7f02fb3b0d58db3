//! The kinds of events, recognised by the event's shape, never by trial and error.

use std::fmt;

use serde_json::{Value, json};

use crate::stream::StreamRecord;

/// One event, by what sent it.
#[derive(Debug)]
pub enum Event {
    /// API Gateway (payload 2.0) or a function URL.
    Http(Value),
    /// Records of the table's stream.
    Stream(Vec<StreamRecord>),
    /// What SES reports back, through SNS: the messages as they are.
    Feedback(Vec<String>),
    /// An operator's command, or the timer's.
    Command(Value),
}

/// An event that nothing here understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownEvent {
    /// The names of its outermost members: enough to tell who sent it, nothing of what it says.
    pub members: Vec<String>,
}

impl fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown event; expected requestContext.http (HTTP API or function \
             URL), Records of aws:dynamodb or aws:sns, or command; its members are: {}",
            self.members.join(", ")
        )
    }
}

impl std::error::Error for UnknownEvent {}

impl Event {
    /// Recognises an event. An HTTP event stays one, whatever else it carries.
    ///
    /// # Errors
    /// When it is none of the four kinds, or mixes two.
    pub fn recognise(event: Value) -> Result<Self, UnknownEvent> {
        if event
            .pointer("/requestContext/http")
            .is_some_and(Value::is_object)
        {
            return Ok(Self::Http(event));
        }
        if let Some(failed) = failed_event(&event) {
            return Self::recognise(failed);
        }
        let unknown = UnknownEvent {
            members: event
                .as_object()
                .map(|members| members.keys().take(12).cloned().collect())
                .unwrap_or_default(),
        };
        if let Some(records) = event.get("Records").and_then(Value::as_array) {
            return if all_from(records, "aws:dynamodb") {
                Ok(Self::Stream(
                    records.iter().map(StreamRecord::read).collect(),
                ))
            } else if all_from(records, "aws:sns") {
                let message = |record: &Value| {
                    record
                        .pointer("/Sns/Message")
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                };
                records
                    .iter()
                    .map(message)
                    .collect::<Option<_>>()
                    .map(Self::Feedback)
                    .ok_or(unknown)
            } else {
                Err(unknown)
            };
        }
        if event.get("command").is_some_and(Value::is_string) {
            Ok(Self::Command(event))
        } else {
            Err(unknown)
        }
    }
}

/// The event in a message of the failure queue, so that invoking the function with the message does its work again ("Capturing
/// records of Lambda asynchronous invocations", Lambda developer guide). The stream's messages hold a pointer only: a sweep
/// finds those enquiries in the table.
fn failed_event(message: &Value) -> Option<Value> {
    message.pointer("/requestContext/condition")?.as_str()?;
    let pointer = message.get("DDBStreamBatchInfo");
    let sweep = pointer.map(|_| json!({ "command": "sweep" }));
    sweep.or_else(|| message.get("requestPayload").cloned())
}

/// Whether every record names this source. DynamoDB spells the member `eventSource`, SNS `EventSource`.
fn all_from(records: &[Value], source: &str) -> bool {
    let of = |record: &Value| {
        record
            .get("eventSource")
            .or_else(|| record.get("EventSource"))
            .and_then(Value::as_str)
            == Some(source)
    };
    !records.is_empty() && records.iter().all(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forged_members_do_not_turn_a_request_into_something_else() {
        let event = json!({
            "requestContext": { "http": { "method": "POST" } },
            "Records": [{ "eventSource": "aws:dynamodb" }],
            "command": "erase",
        });
        assert!(matches!(Event::recognise(event), Ok(Event::Http(_))));
    }

    #[test]
    fn an_unknown_event_is_a_clear_error_that_repeats_no_values() {
        for event in [
            json!({}),
            json!([]),
            json!("x"),
            json!({ "Records": [] }),
            json!({ "command": 7 }),
            json!({ "Records": [{ "eventSource": "aws:s3" }] }),
            json!({ "Records": [{ "eventSource": "aws:dynamodb" }, { "EventSource": "aws:sns" }] }),
        ] {
            assert!(Event::recognise(event).is_err());
        }
        let error =
            Event::recognise(json!({ "detail-type": "secret", "source": "aws.s3" })).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("its members are: detail-type, source"),
            "{error}"
        );
    }
}
