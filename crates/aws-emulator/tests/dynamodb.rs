//! The embedded database: conditions, transactions, indexes and the stream, across a restart.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_emulator::aws;
use aws_emulator::dynamodb::Dynamo;
use aws_emulator::fault_proxy::FaultProxy;
use aws_emulator::ses::Ses;
use aws_emulator::ses::account::Account;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use futures_util::future::join_all;

const TABLE: &str = "orders";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn put(pk: &str) -> Put {
    Put::builder()
        .table_name(TABLE)
        .item("pk", text(pk))
        .item("kind", text("order"))
        .item("unpaid", text("yes"))
        .item("unpaid_since", text("2026-03-02T09:00:00Z"))
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
    let folder = super::emulator::Folder::new();
    let file = folder.path().join("table.sqlite");
    let dynamo = Dynamo::start(Some(&file), &crate::table()).await.unwrap();
    accept(dynamo.client(), "one").await.unwrap();
    let before = sequences(dynamo.endpoint(), dynamo.stream_arn()).await;
    let stream = dynamo.stream_arn().to_owned();
    dynamo.stop().await;

    let dynamo = Dynamo::start(Some(&file), &crate::table()).await.unwrap();
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

    let unpaid = client
        .query()
        .table_name(TABLE)
        .index_name("unpaid")
        .key_condition_expression("unpaid = :yes AND unpaid_since < :now")
        .expression_attribute_values(":yes", text("yes"))
        .expression_attribute_values(":now", text("2026-03-02T09:30:00Z"))
        .send()
        .await
        .unwrap();
    assert_eq!(unpaid.count, 2);
    assert!(
        unpaid.items().iter().all(|item| !item.contains_key("kind")),
        "the index holds keys only"
    );
}

#[tokio::test]
async fn the_table_is_as_it_was_defined() {
    let dynamo = Dynamo::start(None, &crate::table()).await.unwrap();
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
    assert_eq!(indexes, ["by_time", "unpaid"]);
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

/// A client that asks once and does not wait long.
fn impatient(endpoint: &str) -> Client {
    let config = aws::dynamodb(endpoint)
        .config()
        .to_builder()
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(Duration::from_secs(2))
                .build(),
        )
        .build();
    Client::from_conf(config)
}

#[tokio::test]
async fn a_wire_without_faults_hands_everything_on_as_it_is() {
    let dynamo = Dynamo::start(None, &crate::table()).await.unwrap();
    let ses = Ses::start(None, Account::default()).await.unwrap();
    let wire = FaultProxy::start(dynamo.endpoint(), 0.0, ses.mailbox())
        .await
        .unwrap();
    let client = aws::dynamodb(wire.endpoint());
    accept(&client, "one").await.unwrap();
    let repeat = accept(&client, "one").await.unwrap_err();
    assert_eq!(repeat[0], ("ConditionalCheckFailed".to_owned(), true));
    wire.stop().await;
    dynamo.stop().await;
}

#[tokio::test]
async fn a_wire_with_faults_refuses_and_loses_requests_and_loses_answers() {
    let dynamo = Dynamo::start(None, &crate::table()).await.unwrap();
    let ses = Ses::start(None, Account::default()).await.unwrap();
    let wire = FaultProxy::start(dynamo.endpoint(), 1.0, ses.mailbox())
        .await
        .unwrap();
    let client = impatient(wire.endpoint());
    // A kind of fault that has two places of twelve stays away from all of these once in 10^12 runs.
    let puts = (0..150).map(|number| {
        client
            .put_item()
            .table_name(TABLE)
            .item("pk", text(&number.to_string()))
            .send()
    });
    let answers = join_all(puts).await;
    let kinds: BTreeSet<&str> = answers
        .iter()
        .map(|put| match put {
            Err(SdkError::ServiceError(error)) => error.err().code().unwrap(),
            Err(SdkError::TimeoutError(_)) => "timeout",
            Err(SdkError::DispatchFailure(_)) => "reset",
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "reset",
        "timeout",
    ];
    assert_eq!(kinds, BTreeSet::from(expected));
    let items = dynamo.client().scan().table_name(TABLE).send().await;
    let kept = items.unwrap().count();
    assert!((1..150).contains(&kept), "some were carried out: {kept}");

    let transactions = (0..150).map(|number| {
        client
            .transact_write_items()
            .transact_items(
                TransactWriteItem::builder()
                    .put(put(&format!("t{number}")))
                    .build(),
            )
            .transact_items(
                TransactWriteItem::builder()
                    .update(count("source", "200"))
                    .build(),
            )
            .send()
    });
    let cancelled: BTreeSet<Vec<String>> = join_all(transactions)
        .await
        .into_iter()
        .filter_map(|sent| match sent.unwrap_err().into_service_error() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                let code = |reason: &aws_sdk_dynamodb::types::CancellationReason| {
                    reason.code().unwrap().to_owned()
                };
                Some(cancelled.cancellation_reasons().iter().map(code).collect())
            }
            _ => None,
        })
        .collect();
    let conflict = vec!["None".to_owned(), "TransactionConflict".to_owned()];
    assert_eq!(cancelled, BTreeSet::from([conflict]));
    wire.stop().await;
    dynamo.stop().await;
}
