//! The embedded DynamoDB: an SQLite file (or memory) behind DynamoDB's own wire protocol, with one table in it.
//!
//! The engine differs from DynamoDB in ways that matter here: every read is strongly consistent, a stream has one shard
//! that never closes, iterators never expire, stream records are not trimmed after 24 hours, and transactions never
//! conflict. Tests that need those faults put a proxy in front of it ([`crate::fault_proxy`]) or an HTTP client of their own.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, CreateGlobalSecondaryIndexAction,
    GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TableDescription,
    TimeToLiveSpecification,
};
use dynoxide::Database;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::StartError;
use super::aws;
use super::server::Stop;

/// How often expired items are looked for. DynamoDB itself promises no more than a few days, and the engine reads the whole table for it.
const TTL_SWEEP: Duration = Duration::from_secs(600);

/// The table that the caller wants: on demand, with a stream of new images. Every key is a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its name.
    pub name: String,
    /// The attribute that is the partition key.
    pub partition_key: String,
    /// The attribute that says when an item expires, in seconds since 1970.
    pub expiry: Option<String>,
    /// The global secondary indexes.
    pub indexes: Vec<Index>,
}

/// A global secondary index that projects the keys only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// The attribute that is its partition key.
    pub partition_key: String,
    /// The attribute that is its sort key.
    pub sort_key: String,
}

impl TableDefinition {
    /// Every attribute that is part of a key.
    fn key_attributes(&self) -> BTreeSet<&str> {
        let of_indexes = self
            .indexes
            .iter()
            .flat_map(|index| [index.partition_key.as_str(), index.sort_key.as_str()]);
        std::iter::once(self.partition_key.as_str())
            .chain(of_indexes)
            .collect()
    }
}

/// The running database.
pub struct Dynamo {
    endpoint: String,
    table: String,
    stream_arn: String,
    client: Client,
    database: Database,
    stop: Stop,
}

impl fmt::Debug for Dynamo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dynamo({})", self.endpoint)
    }
}

impl Dynamo {
    /// Opens the database in `file` (or in memory), serves it on a free port of 127.0.0.1, and creates the table unless it
    /// is there. An index that the table of an earlier run does not have is added.
    ///
    /// # Errors
    /// When the file cannot be opened or the table cannot be created.
    pub async fn start(file: Option<&Path>, table: &TableDefinition) -> Result<Self, StartError> {
        let database = open(file)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| {
            StartError::new(format!(
                "The database found no free port on 127.0.0.1: {error}."
            ))
        })?;
        let address = listener.local_addr().map_err(|error| {
            StartError::new(format!("The database does not know its own port: {error}."))
        })?;
        let endpoint = format!("http://{address}");
        let (signal, stopped) = watch::channel(false);
        let tasks = vec![
            serve(listener, database.clone(), stopped.clone()),
            tokio::spawn(sweep(database.clone(), stopped)),
        ];
        let stop = Stop::new(signal, tasks);
        let client = aws::dynamodb(&endpoint);
        let stream_arn = ensure_table(&client, table).await?;
        Ok(Self {
            endpoint,
            table: table.name.clone(),
            stream_arn,
            client,
            database,
            stop,
        })
    }

    /// Where it listens, as `AWS_ENDPOINT_URL_DYNAMODB` wants it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The ARN of the table's stream, as the engine spells it.
    pub fn stream_arn(&self) -> &str {
        &self.stream_arn
    }

    /// A client for it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What removes the items of this table that have expired at another time than the engine's.
    pub(super) fn expiry(&self, table: &TableDefinition) -> Option<Expiry> {
        Some(Expiry {
            client: self.client.clone(),
            table: table.name.clone(),
            partition_key: table.partition_key.clone(),
            attribute: table.expiry.clone()?,
        })
    }

    /// Removes what has expired now, and says how many items that was.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn sweep(&self) -> Result<usize, StartError> {
        self.database.sweep_ttl().map_err(|error| {
            StartError::new(format!("Expired items could not be removed: {error}."))
        })
    }

    /// Stops serving. What was answered is in the file.
    pub async fn stop(self) {
        self.stop.stop().await;
    }
}

/// Removes what has expired at a time that is ahead of the engine's.
#[derive(Debug)]
pub(super) struct Expiry {
    client: Client,
    table: String,
    partition_key: String,
    attribute: String,
}

impl Expiry {
    /// Removes what has expired at this time.
    pub(super) async fn remove(&self, at: Timestamp) -> Result<(), StartError> {
        let failed = |error: &dyn fmt::Display| {
            StartError::new(format!("Expired items could not be removed: {error}."))
        };
        let at = AttributeValue::N(at.as_second().to_string());
        let mut after = None;
        loop {
            let scan = self.client.scan().table_name(&self.table);
            let page = scan
                .filter_expression("#expiry < :at")
                .expression_attribute_names("#expiry", &self.attribute)
                .expression_attribute_values(":at", at.clone())
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| failed(&DisplayErrorContext(error)))?;
            for mut item in page.items.unwrap_or_default() {
                let Some(key) = item.remove(&self.partition_key) else {
                    continue;
                };
                let delete = self.client.delete_item().table_name(&self.table);
                let delete = delete.key(&self.partition_key, key).send().await;
                delete.map_err(|error| failed(&DisplayErrorContext(error)))?;
            }
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// The engine looks through all of the stream's records for the next sequence number and for what comes behind an iterator: with
/// these, it goes there at once.
const INDEXES: &str = "
    CREATE INDEX IF NOT EXISTS records_of_a_table ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
    CREATE INDEX IF NOT EXISTS records_of_a_shard ON _stream_records (table_name, shard_id, CAST(sequence_number AS INTEGER));";

fn open(file: Option<&Path>) -> Result<Database, StartError> {
    let path = match file {
        // A name of its own, so that a second connection finds it.
        None => format!("file:{}?mode=memory&cache=shared", aws::uuid()),
        Some(file) => file.to_string_lossy().into_owned(),
    };
    let failed = |error: &dyn fmt::Display| {
        StartError::new(format!(
            "The database {path} cannot be opened: {error}. Choose another folder, or move this one away."
        ))
    };
    let database = Database::new(&path).map_err(|error| failed(&error))?;
    let indexed =
        rusqlite::Connection::open(&path).and_then(|sqlite| sqlite.execute_batch(INDEXES));
    indexed.map_err(|error| failed(&error))?;
    Ok(database)
}

fn serve(
    listener: TcpListener,
    database: Database,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let shutdown = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        // An error here is the listener's; the next call to the database reports it.
        let _ = dynoxide::server::serve_with_shutdown(listener, database, shutdown).await;
    })
}

async fn sweep(database: Database, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(TTL_SWEEP) => {}
        }
        let database = database.clone();
        // It takes seconds where the table is large.
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "expired items could not be removed");
        }
    }
}

/// Creates the table unless it is there, and returns the ARN of its stream.
async fn ensure_table(client: &Client, definition: &TableDefinition) -> Result<String, StartError> {
    let table = definition.name.as_str();
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        StartError::new(format!("The table {table} could not be {what}: {error}."))
    };
    let described = client.describe_table().table_name(table).send().await;
    let found: Option<TableDescription> = match described {
        Ok(output) => output.table,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            None
        }
        Err(error) => return Err(failed("looked up", &DisplayErrorContext(error))),
    };
    let description = match found {
        Some(description) => {
            for index in &definition.indexes {
                let mut there = description.global_secondary_indexes().iter();
                if !there.any(|there| there.index_name() == Some(index.name.as_str())) {
                    // A folder of an earlier version.
                    add_index(client, table, index).await?;
                }
            }
            Some(description)
        }
        None => {
            let created = create_table(client, definition).await?;
            if let Some(expiry) = &definition.expiry {
                client
                    .update_time_to_live()
                    .table_name(table)
                    .time_to_live_specification(
                        TimeToLiveSpecification::builder()
                            .enabled(true)
                            .attribute_name(expiry)
                            .build()
                            .map_err(|error| failed("described", &error))?,
                    )
                    .send()
                    .await
                    .map_err(|error| failed("given an expiry", &DisplayErrorContext(error)))?;
            }
            created
        }
    };
    description
        .and_then(|description| description.latest_stream_arn)
        .ok_or_else(|| {
            StartError::new(format!(
                "The table {table} has no stream. Choose another folder."
            ))
        })
}

async fn create_table(
    client: &Client,
    definition: &TableDefinition,
) -> Result<Option<TableDescription>, StartError> {
    let table = definition.name.as_str();
    let wrong = |error: &dyn std::fmt::Display| {
        StartError::new(format!("The table {table} could not be created: {error}."))
    };
    let mut request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest);
    for name in definition.key_attributes() {
        request = request.attribute_definitions(text(name).map_err(|error| wrong(&error))?);
    }
    request = request
        .key_schema(key(&definition.partition_key, KeyType::Hash).map_err(|error| wrong(&error))?);
    for index in &definition.indexes {
        request = request.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(keys(index).map_err(|error| wrong(&error))?))
                .projection(keys_only())
                .build()
                .map_err(|error| wrong(&error))?,
        );
    }
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage)
        .build()
        .map_err(|error| wrong(&error))?;
    let output = request
        .stream_specification(stream)
        .send()
        .await
        .map_err(|error| wrong(&DisplayErrorContext(error)))?;
    Ok(output.table_description)
}

async fn add_index(client: &Client, table: &str, index: &Index) -> Result<(), StartError> {
    let wrong = |error: &dyn std::fmt::Display| {
        StartError::new(format!(
            "The table {table} could not be given the index {}: {error}. Choose another folder.",
            index.name
        ))
    };
    let create = CreateGlobalSecondaryIndexAction::builder()
        .index_name(&index.name)
        .set_key_schema(Some(keys(index).map_err(|error| wrong(&error))?))
        .projection(keys_only())
        .build()
        .map_err(|error| wrong(&error))?;
    client
        .update_table()
        .table_name(table)
        .attribute_definitions(text(&index.partition_key).map_err(|error| wrong(&error))?)
        .attribute_definitions(text(&index.sort_key).map_err(|error| wrong(&error))?)
        .global_secondary_index_updates(
            GlobalSecondaryIndexUpdate::builder().create(create).build(),
        )
        .send()
        .await
        .map_err(|error| wrong(&DisplayErrorContext(error)))?;
    Ok(())
}

fn keys_only() -> Projection {
    Projection::builder()
        .projection_type(ProjectionType::KeysOnly)
        .build()
}

fn keys(index: &Index) -> Result<Vec<KeySchemaElement>, aws_sdk_dynamodb::error::BuildError> {
    Ok(vec![
        key(&index.partition_key, KeyType::Hash)?,
        key(&index.sort_key, KeyType::Range)?,
    ])
}

fn text(name: &str) -> Result<AttributeDefinition, aws_sdk_dynamodb::error::BuildError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, aws_sdk_dynamodb::error::BuildError> {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine's own statements, which otherwise look through every record of the stream.
    #[test]
    fn the_stream_is_read_by_an_index() {
        let folder = std::env::temp_dir().join(format!("aws-emulator-{}", aws::uuid()));
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("table.sqlite");
        let database = open(Some(&file)).unwrap();
        let sqlite = rusqlite::Connection::open(&file).unwrap();
        for (statement, index) in [
            (
                "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 'a'",
                "records_of_a_table",
            ),
            (
                "SELECT new_image FROM _stream_records WHERE table_name = 'a' AND shard_id = 'b' AND \
                 CAST(sequence_number AS INTEGER) > 1 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 100",
                "records_of_a_shard",
            ),
        ] {
            let mut plan = sqlite
                .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
                .unwrap();
            let steps = plan
                .query_map([], |row| row.get::<_, String>("detail"))
                .unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            assert_eq!(steps.len(), 1, "{steps:?}");
            assert!(
                steps[0].starts_with("SEARCH") && steps[0].contains(index),
                "{steps:?}"
            );
        }
        drop(database);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
