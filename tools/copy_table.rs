//! Copies every item of one DynamoDB table into another: the way back from a backup or a table that was kept (docs/restore.md).
//!
//! An item that the second table has already stays as it is there. So a copy that was interrupted is started again, and what
//! the desk has written since is not undone.
//!
//! ```sh
//! export $(aws configure export-credentials --format env-no-export) AWS_REGION=eu-west-2
//! cargo run --locked --example copy_table -- FROM TO
//! ```

use std::error::Error;
use std::process::ExitCode;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// What is not copied: signed-in browsers and codes for signing in. A browser that has been signed out since, such as that of a lost
/// phone, would be signed in again.
const LEFT_OUT: [&str; 2] = ["session", "sign-in"];

/// What became of the items of the first table.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Now in the second table.
    pub copied: u64,
    /// In the second table already, as they were or as they have become since.
    pub kept: u64,
}

/// Copies all items of `from` that `to` does not have, but for signed-in browsers. The two items of an enquiry go together, so that the function, which hears
/// of what was typed by the stream, and of the state by the index, never finds one without the other.
///
/// # Errors
/// At the first item that cannot be read or written. What was copied before stays.
pub async fn copy(client: &Client, from: &str, to: &str) -> Result<Copied, Box<dyn Error>> {
    let mut done = Copied::default();
    let mut place = None;
    loop {
        let page = client
            .scan()
            .table_name(from)
            .consistent_read(true)
            .set_exclusive_start_key(place)
            .send()
            .await
            .map_err(|error| words(from, &error.into()))?;
        for item in page.items.unwrap_or_default() {
            let text = |name: &str| item.get(name).and_then(|it| it.as_s().ok());
            let kind = text("kind").map(String::as_str);
            if kind.is_some_and(|kind| LEFT_OUT.contains(&kind)) {
                continue;
            }
            let items = match (kind, text("reference")) {
                // It goes with what was typed.
                (Some("state"), _) => continue,
                (Some("enquiry"), Some(reference)) => {
                    let state = client
                        .get_item()
                        .table_name(from)
                        .key("pk", AttributeValue::S(format!("state#{reference}")))
                        .consistent_read(true)
                        .send()
                        .await
                        .map_err(|error| words(from, &error.into()))?;
                    Vec::from_iter([item].into_iter().chain(state.item))
                }
                _ => vec![item],
            };
            let count = items.len() as u64;
            let mut writes = Vec::new();
            for item in items {
                let put = Put::builder()
                    .table_name(to)
                    .set_item(Some(item))
                    .condition_expression("attribute_not_exists(pk)")
                    .build()?;
                writes.push(TransactWriteItem::builder().put(put).build());
            }
            let written = client
                .transact_write_items()
                .set_transact_items(Some(writes))
                .send()
                .await
                .map_err(aws_sdk_dynamodb::Error::from);
            match written {
                Ok(_) => done.copied += count,
                Err(aws_sdk_dynamodb::Error::TransactionCanceledException(cancelled))
                    if is_there(&cancelled) =>
                {
                    done.kept += count;
                }
                Err(error) => return Err(words(to, &error).into()),
            }
        }
        place = page.last_evaluated_key;
        if place.is_none() {
            return Ok(done);
        }
    }
}

/// Whether a transaction was cancelled because the second table has one of the items already.
fn is_there(cancelled: &TransactionCanceledException) -> bool {
    let mut reasons = cancelled.cancellation_reasons().iter();
    reasons.any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}

/// What AWS says was wrong, or why it could not be asked.
fn words(table: &str, error: &aws_sdk_dynamodb::Error) -> String {
    match (error.code(), error.message()) {
        (Some(code), message) => format!("{table}: {code}: {}", message.unwrap_or_default()),
        (None, _) => format!("{table}: {}", DisplayErrorContext(error)),
    }
}

/// The client, from the environment: region, credentials, and an endpoint for `cargo local`.
fn client() -> Result<Client, Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(http);
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL_DYNAMODB").ok());
    Ok(Client::from_conf(config.build()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [from, to] if from != to => match client() {
            Ok(client) => copy(&client, from, to).await,
            Err(error) => Err(error),
        },
        _ => Err("name two tables: the one to copy from, and the one to copy to".into()),
    };
    match result {
        Ok(Copied { copied, kept }) => {
            println!("{copied} items copied; {kept} were there already and stay as they are there");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
