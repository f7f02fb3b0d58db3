//! Stream records in the shape that Lambda hands to a function.

use aws_sdk_dynamodbstreams::types::{AttributeValue, Record as StreamRecord};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::mapping::Record;
use crate::aws;

/// The event of one record; `None` for a record without a sequence number, which DynamoDB never writes.
pub(super) fn record(record: &StreamRecord, stream_arn: &str) -> Option<Record> {
    let change = record.dynamodb()?;
    let sequence = change.sequence_number()?.to_owned();
    let created = change
        .approximate_creation_date_time()
        .and_then(|time| Timestamp::from_second(time.secs()).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut dynamodb = Map::new();
    dynamodb.insert(
        "ApproximateCreationDateTime".to_owned(),
        json!(created.as_second()),
    );
    for (name, image) in [
        ("Keys", change.keys()),
        ("NewImage", change.new_image()),
        ("OldImage", change.old_image()),
    ] {
        if let Some(image) = image {
            dynamodb.insert(name.to_owned(), item(image));
        }
    }
    dynamodb.insert("SequenceNumber".to_owned(), json!(sequence));
    dynamodb.insert(
        "SizeBytes".to_owned(),
        json!(change.size_bytes().unwrap_or_default()),
    );
    if let Some(view) = change.stream_view_type() {
        dynamodb.insert("StreamViewType".to_owned(), json!(view.as_str()));
    }
    let mut event = json!({
        "eventID": record.event_id().unwrap_or_default(),
        "eventName": record.event_name().map(|name| name.as_str()).unwrap_or_default(),
        "eventVersion": record.event_version().unwrap_or("1.1"),
        "eventSource": "aws:dynamodb",
        "awsRegion": aws::REGION,
        "dynamodb": dynamodb,
        "eventSourceARN": stream_arn,
    });
    if let (Some(identity), Value::Object(event)) = (record.user_identity(), &mut event) {
        event.insert(
            "userIdentity".to_owned(),
            json!({ "principalId": identity.principal_id(), "type": identity.r#type() }),
        );
    }
    Some(Record {
        sequence,
        created,
        event,
    })
}

fn item(image: &std::collections::HashMap<String, AttributeValue>) -> Value {
    Value::Object(
        image
            .iter()
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect(),
    )
}

fn attribute(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(flag) => json!({ "NULL": flag }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": item(map) }),
        AttributeValue::Ss(set) => json!({ "SS": set }),
        AttributeValue::Ns(set) => json!({ "NS": set }),
        AttributeValue::Bs(set) => {
            json!({ "BS": set.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>() })
        }
        // A type that DynamoDB gains later has no shape here yet.
        _ => Value::Null,
    }
}
