//! What the product needs of the embedded database: conditions, transactions, indexes and the stream, across a restart.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use enquiry_desk::local::aws;
use enquiry_desk::local::dynamo::Dynamo;

const TABLE: &str = "enquiries";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn put(pk: &str) -> Put {
    Put::builder()
        .table_name(TABLE)
        .item("pk", text(pk))
        .item("kind", text("enquiry"))
        .item("owed", text("yes"))
        .item("owed_since", text("2026-03-02T09:00:00Z"))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap()
}

fn count(pk: &str, limit: &str) -> Update {
    Update::builder()
        .table_name(TABLE)
        .key("pk", text(pk))
        .update_expression("ADD #count :one")
        .condition_expression("attribute_not_exists(#count) OR #count < :limit")
        .expression_attribute_names("#count", "count")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .expression_attribute_values(":limit", AttributeValue::N(limit.to_owned()))
        .build()
        .unwrap()
}

async fn sequences(endpoint: &str, stream: &str) -> Vec<(String, String)> {
    let client = aws::dynamodb_streams(endpoint);
    let described = client
        .describe_stream()
        .stream_arn(stream)
        .send()
        .await
        .unwrap();
    let shard = described.stream_description().unwrap().shards()[0]
        .shard_id()
        .unwrap()
        .to_owned();
    let iterator = client
        .get_shard_iterator()
        .stream_arn(stream)
        .shard_id(shard)
        .shard_iterator_type(aws_sdk_dynamodbstreams::types::ShardIteratorType::TrimHorizon)
        .send()
        .await
        .unwrap();
    let output = client
        .get_records()
        .set_shard_iterator(iterator.shard_iterator)
        .send()
        .await
        .unwrap();
    output
        .records()
        .iter()
        .map(|record| {
            let change = record.dynamodb().unwrap();
            let pk = change.keys().unwrap()["pk"].as_s().unwrap().clone();
            (
                change.sequence_number().unwrap().to_owned(),
                format!("{} {pk}", record.event_name().unwrap().as_str()),
            )
        })
        .collect()
}

async fn accept(client: &Client, pk: &str) -> Result<(), Vec<(String, bool)>> {
    let sent = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(put(pk)).build())
        .transact_items(
            TransactWriteItem::builder()
                .update(count("source", "2"))
                .build(),
        )
        .send()
        .await;
    match sent {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(error)) => match error.err() {
            TransactWriteItemsError::TransactionCanceledException(canceled) => Err(canceled
                .cancellation_reasons()
                .iter()
                .map(|reason| {
                    (
                        reason.code().unwrap().to_owned(),
                        reason.item().is_some_and(|item| !item.is_empty()),
                    )
                })
                .collect()),
            other => panic!("{other:?}"),
        },
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn conditions_transactions_indexes_and_the_stream_survive_a_restart() {
    let folder = super::desk::Folder::new();
    let file = folder.path().join("table.sqlite");
    let dynamo = Dynamo::start(Some(&file), TABLE).await.unwrap();
    accept(dynamo.client(), "one").await.unwrap();
    let before = sequences(dynamo.endpoint(), dynamo.stream_arn()).await;
    let stream = dynamo.stream_arn().to_owned();
    dynamo.stop().await;

    let dynamo = Dynamo::start(Some(&file), TABLE).await.unwrap();
    let client = dynamo.client();
    assert_eq!(dynamo.stream_arn(), stream);
    let repeat = accept(client, "one").await.unwrap_err();
    assert_eq!(
        repeat,
        [
            ("ConditionalCheckFailed".to_owned(), true),
            ("None".to_owned(), false)
        ]
    );
    accept(client, "two").await.unwrap();
    let flood = accept(client, "three").await.unwrap_err();
    assert_eq!(flood[1].0, "ConditionalCheckFailed");
    let both = accept(client, "two").await.unwrap_err();
    assert_eq!(
        both.iter()
            .map(|(code, _)| code.as_str())
            .collect::<Vec<_>>(),
        ["ConditionalCheckFailed"; 2]
    );

    let after = sequences(dynamo.endpoint(), dynamo.stream_arn()).await;
    assert_eq!(after[..before.len()], before);
    let names: Vec<_> = after.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(
        names,
        ["INSERT one", "INSERT source", "INSERT two", "MODIFY source"]
    );
    assert!(after.is_sorted());

    let owed = client
        .query()
        .table_name(TABLE)
        .index_name("owed")
        .key_condition_expression("owed = :yes AND owed_since < :now")
        .expression_attribute_values(":yes", text("yes"))
        .expression_attribute_values(":now", text("2026-03-02T09:30:00Z"))
        .send()
        .await
        .unwrap();
    assert_eq!(owed.count, 2);
    assert!(
        owed.items().iter().all(|item| !item.contains_key("kind")),
        "the index holds keys only"
    );
}

#[tokio::test]
async fn the_table_is_the_templates() {
    let dynamo = Dynamo::start(None, TABLE).await.unwrap();
    let client = dynamo.client();
    let table = client
        .describe_table()
        .table_name(TABLE)
        .send()
        .await
        .unwrap()
        .table
        .unwrap();
    let mut indexes: Vec<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| index.index_name().unwrap())
        .collect();
    indexes.sort();
    assert_eq!(indexes, ["address", "owed", "received"]);
    assert_eq!(
        table
            .stream_specification()
            .unwrap()
            .stream_view_type()
            .unwrap()
            .as_str(),
        "NEW_IMAGE"
    );
    let ttl = client
        .describe_time_to_live()
        .table_name(TABLE)
        .send()
        .await
        .unwrap();
    assert_eq!(
        ttl.time_to_live_description().unwrap().attribute_name(),
        Some("expires")
    );
}
