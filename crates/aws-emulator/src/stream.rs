//! Plays Lambda's event source mapping for the table's stream: reads it over the wire, hands batches to the function, and
//! decides what a failure means.
//!
//! What it does, against "Process DynamoDB records with Lambda" in AWS's documentation (each has a test):
//!
//! | AWS | here |
//! | --- | --- |
//! | polls each shard, at least four times a second | polls ten times a second, and at once after a post |
//! | `StartingPosition: TRIM_HORIZON` at first, then goes on behind its checkpoint | the same; the checkpoint survives a restart |
//! | `FilterCriteria` are applied before batching; what does not match counts as done | the same, for the operators in [`filter`] |
//! | a batch is full at `BatchSize`, at 6 MB, or when its window has passed | the same |
//! | one batch of a shard at a time, in order | the same (`ParallelizationFactor` 1) |
//! | a function error: the same batch again, and the shard waits | the same, with a doubling pause that AWS does not document |
//! | `ReportBatchItemFailures`: an empty or missing list is a success; the lowest reported sequence number is the checkpoint; an empty, unknown or missing identifier fails the whole batch | the same |
//! | `BisectBatchOnFunctionError`: a batch that failed is split in two, which does not use up the retry quota; with reported failures it is split at the reported record | the same; a report of the very first record splits nothing and counts as a retry |
//! | `MaximumRetryAttempts`, `MaximumRecordAgeInSeconds`: what is used up or too old goes to the failure destination as a pointer, and the shard moves on | the same; everything that is left of the batch goes, records behind the failed one included |
//! | at least once: a batch may come again | [`Settings::redelivery`] repeats batches at random; a crash before the checkpoint is written repeats one too |
//! | record order within a shard; several shards | one shard, which the engine never closes |

pub mod filter;
pub mod mapping;

mod event;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::DisplayErrorContext;
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use self::mapping::{Mapping, Step};
use super::function::Function;
use super::server::Stop;
use super::{StartError, aws, replace_file};

/// How often the stream is read while nothing happens.
const POLL: Duration = Duration::from_millis(100);

/// How many records are read at once.
const PAGE: i32 = 100;

/// The driver's settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The mapping's own settings.
    pub mapping: mapping::Settings,
    /// How likely a batch that succeeded comes once more, from 0 to 1.
    pub redelivery: f64,
}

/// The running driver.
#[derive(Debug)]
pub struct Driver {
    shared: Arc<Shared>,
    stop: Stop,
}

#[derive(Debug)]
struct Shared {
    wake: Notify,
    asked: AtomicU64,
    drained: watch::Sender<u64>,
    failures: Mutex<Vec<Value>>,
}

/// Asks the driver to look at the stream now.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Shared>);

impl Waker {
    /// Ends the pause between two looks at the stream.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// What went to the failure destination, oldest first.
    pub fn failures(&self) -> Vec<Value> {
        self.0
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Driver {
    /// Starts to read the stream `stream_arn` of the database at `endpoint`. `data` keeps the checkpoint and the failure
    /// destination; without it both are in memory.
    ///
    /// # Errors
    /// When the files in `data` cannot be read, or the stream is not there.
    pub async fn start(
        endpoint: &str,
        stream_arn: &str,
        data: Option<&Path>,
        settings: Settings,
        function: Function,
    ) -> Result<Self, StartError> {
        let client = aws::dynamodb_streams(endpoint);
        let described = client
            .describe_stream()
            .stream_arn(stream_arn)
            .send()
            .await
            .map_err(|error| {
                StartError::new(format!(
                    "The stream cannot be read: {}.",
                    DisplayErrorContext(error)
                ))
            })?;
        let shard = described
            .stream_description()
            .and_then(|stream| stream.shards().first())
            .and_then(|shard| shard.shard_id())
            .ok_or_else(|| StartError::new("The stream has no shard.".to_owned()))?
            .to_owned();
        let files = data.map(Files::new);
        let (checkpoint, failures) = match &files {
            Some(files) => files.read(stream_arn)?,
            None => (None, Vec::new()),
        };
        let shared = Arc::new(Shared {
            wake: Notify::new(),
            asked: AtomicU64::new(0),
            drained: watch::Sender::new(0),
            failures: Mutex::new(failures),
        });
        let (signal, stopped) = watch::channel(false);
        let reader = Reader {
            client,
            stream_arn: stream_arn.to_owned(),
            shard,
            iterator: None,
            mapping: Mapping::new(settings.mapping, checkpoint),
            redelivery: settings.redelivery,
            function,
            files,
            shared: shared.clone(),
        };
        let task = tokio::spawn(reader.run(stopped));
        Ok(Self {
            shared,
            stop: Stop::new(signal, vec![task]),
        })
    }

    /// A handle that ends the driver's pause.
    pub fn waker(&self) -> Waker {
        Waker(self.shared.clone())
    }

    /// What went to the failure destination, oldest first.
    pub fn failures(&self) -> Vec<Value> {
        self.waker().failures()
    }

    /// Waits until everything that is in the stream now is done: handled, or given up.
    pub async fn drained(&self) {
        let ticket = self
            .shared
            .asked
            .fetch_add(1, Ordering::SeqCst)
            .saturating_add(1);
        let mut drained = self.shared.drained.subscribe();
        self.shared.wake.notify_one();
        // An error means that the driver has stopped; nothing more will happen then.
        let _ = drained.wait_for(|done| *done >= ticket).await;
    }

    /// Stops reading. A batch that is with the function comes again after the next start.
    pub async fn stop(self) {
        self.stop.stop().await;
        // No caller should wait for a driver that has stopped.
        self.shared.drained.send_replace(u64::MAX);
    }
}

struct Reader {
    client: Client,
    stream_arn: String,
    shard: String,
    iterator: Option<String>,
    mapping: Mapping,
    redelivery: f64,
    function: Function,
    files: Option<Files>,
    shared: Arc<Shared>,
}

impl Reader {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            let pause = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                pause = self.turn() => pause,
            };
            if let Some(pause) = pause {
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return,
                    () = self.shared.wake.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }

    /// Reads what is new and does one step. Returns how long there is nothing to do.
    async fn turn(&mut self) -> Option<Duration> {
        let asked = self.shared.asked.load(Ordering::SeqCst);
        let mut exhausted = false;
        if self.mapping.wants_records() {
            match self.read().await {
                Ok(count) => exhausted = count == 0,
                Err(error) => {
                    tracing::warn!(error, "the stream could not be read");
                    self.iterator = None;
                    return Some(POLL);
                }
            }
        }
        let step = self.mapping.next(Timestamp::now());
        let pause = match step {
            Step::Invoke(records) => {
                let events: Vec<&Value> = records.iter().map(|record| &record.event).collect();
                let answer = self.function.call(json!({ "Records": events })).await;
                if let Err(error) = &answer {
                    tracing::warn!(
                        error,
                        records = records.len(),
                        "the function failed on a batch of the stream"
                    );
                }
                let succeeded = answer.is_ok();
                self.mapping.answered(&answer, Timestamp::now());
                if succeeded && self.redelivery > 0.0 && aws::chance(self.redelivery) {
                    self.mapping.redeliver();
                }
                None
            }
            Step::WaitUntil(time) => {
                let left = Duration::try_from(time.duration_since(Timestamp::now()))
                    .unwrap_or(Duration::ZERO);
                Some(left.min(POLL))
            }
            Step::Idle if exhausted => {
                self.shared.drained.send_if_modified(|done| {
                    let newer = *done < asked;
                    *done = asked.max(*done);
                    newer
                });
                Some(POLL)
            }
            Step::Idle => None,
        };
        self.keep();
        pause
    }

    async fn read(&mut self) -> Result<usize, String> {
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => self.new_iterator().await?,
        };
        let output = self
            .client
            .get_records()
            .shard_iterator(iterator)
            .limit(PAGE)
            .send()
            .await
            .map_err(|error| DisplayErrorContext(error).to_string())?;
        self.iterator = output.next_shard_iterator().map(str::to_owned);
        // The engine names no region; events carry the one that everything else here uses.
        let arn = self
            .stream_arn
            .replacen(":dynoxide:", &format!(":{}:", aws::REGION), 1);
        let records: Vec<_> = output
            .records()
            .iter()
            .filter_map(|record| event::record(record, &arn))
            .collect();
        let count = records.len();
        self.mapping.fetched(records, Timestamp::now());
        Ok(count)
    }

    async fn new_iterator(&self) -> Result<String, String> {
        let request = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.stream_arn)
            .shard_id(&self.shard);
        let request = match self.mapping.read_to() {
            Some(sequence) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(sequence),
            None => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
        };
        let output = request
            .send()
            .await
            .map_err(|error| DisplayErrorContext(error).to_string())?;
        output
            .shard_iterator
            .ok_or_else(|| "no iterator was given".to_owned())
    }

    /// Writes down what was given up and how far everything is done, in this order.
    fn keep(&mut self) {
        let discarded = self.mapping.take_discarded();
        for batch in &discarded {
            let message = batch.message(
                Timestamp::now(),
                &aws::uuid(),
                &self.shard,
                &self.stream_arn,
            );
            tracing::warn!(first = batch.first, size = batch.size, condition = ?batch.condition, "records went to the failure destination");
            if let Some(files) = &self.files {
                files.add_failure(&message);
            }
            self.shared
                .failures
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(message);
        }
        if let (Some(files), Some(checkpoint)) = (&mut self.files, self.mapping.checkpoint()) {
            files.write_checkpoint(&self.stream_arn, checkpoint);
        }
    }
}

/// What the driver keeps in the data folder.
#[derive(Debug)]
struct Files {
    checkpoint: PathBuf,
    failures: PathBuf,
    written: Option<String>,
}

impl Files {
    fn new(data: &Path) -> Self {
        Self {
            checkpoint: data.join("stream.json"),
            failures: data.join("failures.jsonl"),
            written: None,
        }
    }

    fn read(&self, stream_arn: &str) -> Result<(Option<String>, Vec<Value>), StartError> {
        let checkpoint = match std::fs::read_to_string(&self.checkpoint) {
            Ok(text) => serde_json::from_str::<Value>(&text)
                .ok()
                // A checkpoint of another stream says nothing about this one.
                .filter(|kept| kept.get("stream").and_then(Value::as_str) == Some(stream_arn))
                .and_then(|kept| {
                    kept.get("checkpoint")
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(StartError::new(format!(
                    "{} cannot be read: {error}.",
                    self.checkpoint.display()
                )));
            }
        };
        let failures = match std::fs::read_to_string(&self.failures) {
            Ok(text) => text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return Err(StartError::new(format!(
                    "{} cannot be read: {error}.",
                    self.failures.display()
                )));
            }
        };
        Ok((checkpoint, failures))
    }

    fn write_checkpoint(&mut self, stream_arn: &str, checkpoint: &str) {
        if self.written.as_deref() == Some(checkpoint) {
            return;
        }
        let text = json!({ "stream": stream_arn, "checkpoint": checkpoint }).to_string();
        match replace_file(&self.checkpoint, text.as_bytes()) {
            Ok(()) => self.written = Some(checkpoint.to_owned()),
            Err(error) => tracing::warn!(%error, "the stream's checkpoint could not be written"),
        }
    }

    fn add_failure(&self, message: &Value) {
        use std::io::Write as _;
        let written = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.failures)
            .and_then(|mut file| writeln!(file, "{message}"));
        if let Err(error) = written {
            tracing::warn!(%error, "the failure destination could not be written");
        }
    }
}
