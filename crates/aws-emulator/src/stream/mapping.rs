//! The event source mapping as a state machine: records and answers go in, batches and a checkpoint come out.
//!
//! It reads no clock, no socket and no random number, so that every rule can be tested by itself and a schedule of hours
//! takes microseconds. [`super`] says which of AWS's rules it follows.
//!
//! One file because the state has one owner: every rule reads and moves the same fields.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::filter::Filter;

/// A synchronous invocation's payload is at most 6 MB.
const MAX_PAYLOAD: usize = 6_000_000;

/// The mapping's settings, named after the properties of `AWS::Lambda::EventSourceMapping`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `BatchSize`: how many records an invocation gets at most.
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`: how long the first record of a batch may wait for more.
    pub window: Duration,
    /// `MaximumRetryAttempts`: how often a batch is retried after its first attempt; `None` is -1, until the records expire.
    pub retries: Option<u32>,
    /// `MaximumRecordAgeInSeconds`: older records are discarded; `None` is -1.
    pub max_age: Option<Duration>,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`.
    pub report_failures: bool,
    /// `FilterCriteria`: a record passes when one of them matches, or when there are none.
    pub filters: Vec<Filter>,
    /// The pause before the first retry; it doubles with each further one. AWS does not document its own.
    pub backoff: Duration,
    /// The longest pause between retries.
    pub max_backoff: Duration,
}

impl Default for Settings {
    /// Small batches that are bisected, a few retries with short pauses, no filter.
    fn default() -> Self {
        Self {
            batch_size: 10,
            window: Duration::ZERO,
            retries: Some(6),
            max_age: Some(Duration::from_secs(60 * 60)),
            bisect: true,
            report_failures: true,
            filters: Vec::new(),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
        }
    }
}

/// A record of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its sequence number, a decimal number of up to 40 digits.
    pub sequence: String,
    /// When it was written, to the second.
    pub created: Timestamp,
    /// The record in the shape that Lambda hands to the function.
    pub event: Value,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Invoke the function with these records, and hand its answer to [`Mapping::answered`].
    Invoke(Vec<Record>),
    /// There is nothing to do before this time, unless more records come.
    WaitUntil(Timestamp),
    /// Nothing is pending.
    Idle,
}

/// Why records were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `MaximumRetryAttempts` was used up.
    RetryAttemptsExhausted,
    /// They were older than `MaximumRecordAgeInSeconds`.
    RecordAgeExceeded,
}

/// A batch that went to the failure destination. It points at the records and does not contain them.
#[derive(Debug, Clone, PartialEq)]
pub struct Discarded {
    /// Why.
    pub condition: Condition,
    /// How often the function was invoked with it.
    pub invocations: u32,
    /// The first record's sequence number.
    pub first: String,
    /// The last record's sequence number.
    pub last: String,
    /// When the first record was written.
    pub first_created: Timestamp,
    /// When the last record was written.
    pub last_created: Timestamp,
    /// How many records there were.
    pub size: usize,
}

impl Discarded {
    /// The message that Lambda sends to the failure destination.
    pub fn message(
        &self,
        now: Timestamp,
        request_id: &str,
        shard: &str,
        stream_arn: &str,
    ) -> Value {
        let condition = match self.condition {
            Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Condition::RecordAgeExceeded => "RecordAgeExceeded",
        };
        json!({
            "requestContext": {
                "requestId": request_id,
                "functionArn": crate::aws::FUNCTION_ARN,
                "condition": condition,
                "approximateInvokeCount": self.invocations,
            },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "version": "1.0",
            "timestamp": now.to_string(),
            "DDBStreamBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": self.first,
                "endSequenceNumber": self.last,
                "approximateArrivalOfFirstRecord": self.first_created.to_string(),
                "approximateArrivalOfLastRecord": self.last_created.to_string(),
                "batchSize": self.size,
                "streamArn": stream_arn,
            },
        })
    }
}

/// One shard of the mapping.
#[derive(Debug)]
pub struct Mapping {
    settings: Settings,
    /// Records that passed the filter and are in no batch yet.
    waiting: VecDeque<Record>,
    waiting_since: Option<Timestamp>,
    /// Batches that are still to be handled, in the stream's order. The first one may be with the function.
    batches: VecDeque<Batch>,
    /// The last record that was read, whether or not it passed the filter.
    read: Option<String>,
    checkpoint: Option<String>,
    done: Vec<Record>,
    discarded: Vec<Discarded>,
}

#[derive(Debug)]
struct Batch {
    records: Vec<Record>,
    /// Attempts that count against `MaximumRetryAttempts`.
    failures: u32,
    invocations: u32,
    not_before: Option<Timestamp>,
    /// Whether it succeeded before and only comes once more.
    repeat: bool,
}

impl Batch {
    fn new(records: Vec<Record>) -> Self {
        Self {
            records,
            failures: 0,
            invocations: 0,
            not_before: None,
            repeat: false,
        }
    }
}

enum Outcome {
    Succeeded,
    /// The function failed as a whole, or its report cannot be understood.
    Failed,
    /// The function reported failures, the first of them at this place in the batch.
    FailedFrom(usize),
}

impl Mapping {
    /// A mapping that goes on after `checkpoint`, or begins with the oldest record (`TRIM_HORIZON`).
    pub fn new(settings: Settings, checkpoint: Option<String>) -> Self {
        Self {
            settings,
            waiting: VecDeque::new(),
            waiting_since: None,
            batches: VecDeque::new(),
            read: checkpoint.clone(),
            checkpoint,
            done: Vec::new(),
            discarded: Vec::new(),
        }
    }

    /// The sequence number up to which everything is done. A restart goes on behind it.
    pub fn checkpoint(&self) -> Option<&str> {
        self.checkpoint.as_deref()
    }

    /// The sequence number up to which records were read.
    pub fn read_to(&self) -> Option<&str> {
        self.read.as_deref()
    }

    /// Whether more records are welcome: a few batches are kept ahead, no more.
    pub fn wants_records(&self) -> bool {
        self.batches.is_empty() && self.waiting.len() < self.settings.batch_size.saturating_mul(4)
    }

    /// Whether nothing is pending.
    pub fn is_idle(&self) -> bool {
        self.batches.is_empty() && self.waiting.is_empty()
    }

    /// Takes what was given up since the last call.
    pub fn take_discarded(&mut self) -> Vec<Discarded> {
        std::mem::take(&mut self.discarded)
    }

    /// Takes in records that were read, in the stream's order. A record that came before is ignored.
    pub fn fetched(&mut self, records: Vec<Record>, now: Timestamp) {
        for record in records {
            if self
                .read
                .as_deref()
                .is_some_and(|read| !is_after(&record.sequence, read))
            {
                continue;
            }
            self.read = Some(record.sequence.clone());
            let filters = &self.settings.filters;
            if filters.is_empty() || filters.iter().any(|filter| filter.matches(&record.event)) {
                self.waiting_since.get_or_insert(now);
                self.waiting.push_back(record);
            }
        }
        self.settle();
    }

    /// What is to be done now.
    pub fn next(&mut self, now: Timestamp) -> Step {
        loop {
            self.discard_expired(now);
            if let Some(batch) = self.batches.front_mut() {
                if let Some(not_before) = batch.not_before.filter(|not_before| *not_before > now) {
                    return Step::WaitUntil(not_before);
                }
                batch.invocations = batch.invocations.saturating_add(1);
                return Step::Invoke(batch.records.clone());
            }
            let Some(since) = self.waiting_since.filter(|_| !self.waiting.is_empty()) else {
                return Step::Idle;
            };
            let closes = later(since, self.settings.window);
            let (length, full) = self.next_batch_length();
            if !full && now < closes {
                return Step::WaitUntil(closes);
            }
            let records: Vec<Record> = self.waiting.drain(..length).collect();
            self.waiting_since = (!self.waiting.is_empty()).then_some(now);
            self.batches.push_back(Batch::new(records));
        }
    }

    /// Takes in the function's answer to the last [`Step::Invoke`].
    pub fn answered(&mut self, answer: &Result<Value, String>, now: Timestamp) {
        let Some(mut batch) = self.batches.pop_front() else {
            return;
        };
        match self.outcome(&batch, answer) {
            Outcome::Succeeded if batch.repeat => self.done.clear(),
            Outcome::Succeeded => self.complete(batch.records),
            Outcome::FailedFrom(place) if place > 0 && place < batch.records.len() => {
                let rest = batch.records.split_off(place);
                self.complete(std::mem::take(&mut batch.records));
                // With bisecting this is the split, which does not count as a retry.
                let failures = if self.settings.bisect {
                    batch.failures
                } else {
                    batch.failures.saturating_add(1)
                };
                self.retry(
                    Batch {
                        records: rest,
                        failures,
                        ..batch
                    },
                    now,
                );
            }
            Outcome::Failed if self.settings.bisect && batch.records.len() > 1 => {
                let second = batch.records.split_off(batch.records.len() / 2);
                let not_before = Some(later(now, self.pause(batch.invocations)));
                self.batches.push_front(Batch {
                    records: second,
                    not_before: None,
                    ..batch
                });
                self.batches.push_front(Batch {
                    records: batch.records,
                    not_before,
                    ..batch
                });
            }
            Outcome::Failed | Outcome::FailedFrom(_) => {
                batch.failures = batch.failures.saturating_add(1);
                self.retry(batch, now);
            }
        }
        self.settle();
    }

    /// Hands out the last batch that succeeded once more, ahead of everything else: delivery is at least once. What
    /// came once more does not come a third time.
    pub fn redeliver(&mut self) {
        let records = std::mem::take(&mut self.done);
        if !records.is_empty() {
            self.batches.push_front(Batch {
                repeat: true,
                ..Batch::new(records)
            });
        }
    }

    fn retry(&mut self, mut batch: Batch, now: Timestamp) {
        if self
            .settings
            .retries
            .is_some_and(|retries| batch.failures > retries)
        {
            self.discard(batch, Condition::RetryAttemptsExhausted);
            return;
        }
        batch.not_before = Some(later(now, self.pause(batch.invocations)));
        self.batches.push_front(batch);
    }

    fn pause(&self, invocations: u32) -> Duration {
        let factor = 1_u32
            .checked_shl(invocations.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.settings
            .backoff
            .saturating_mul(factor)
            .min(self.settings.max_backoff)
    }

    fn complete(&mut self, records: Vec<Record>) {
        if let Some(last) = records.last() {
            self.advance(last.sequence.clone());
        }
        self.done = records;
    }

    fn discard(&mut self, batch: Batch, condition: Condition) {
        let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) else {
            return;
        };
        self.discarded.push(Discarded {
            condition,
            invocations: batch.invocations,
            first: first.sequence.clone(),
            last: last.sequence.clone(),
            first_created: first.created,
            last_created: last.created,
            size: batch.records.len(),
        });
        let last = last.sequence.clone();
        self.advance(last);
    }

    fn discard_expired(&mut self, now: Timestamp) {
        let Some(max_age) = self.settings.max_age else {
            return;
        };
        let expired = |record: &Record| later(record.created, max_age) < now;
        while let Some(batch) = self.batches.front_mut() {
            let old = batch
                .records
                .iter()
                .take_while(|record| expired(record))
                .count();
            if old == 0 {
                break;
            }
            let rest = batch.records.split_off(old);
            let Some(batch) = self.batches.pop_front() else {
                break;
            };
            if !rest.is_empty() {
                self.batches.push_front(Batch {
                    records: rest,
                    ..batch
                });
            }
            self.discard(batch, Condition::RecordAgeExceeded);
        }
        if self.batches.is_empty() {
            let old = self
                .waiting
                .iter()
                .take_while(|record| expired(record))
                .count();
            let records: Vec<Record> = self.waiting.drain(..old).collect();
            self.discard(Batch::new(records), Condition::RecordAgeExceeded);
        }
        self.settle();
    }

    /// How many of the waiting records make the next batch, and whether that batch is full.
    fn next_batch_length(&self) -> (usize, bool) {
        let mut size = 0_usize;
        for (index, record) in self.waiting.iter().enumerate() {
            if index == self.settings.batch_size.max(1) {
                return (index, true);
            }
            size = size.saturating_add(record.event.to_string().len());
            if size > MAX_PAYLOAD && index > 0 {
                return (index, true);
            }
        }
        (
            self.waiting.len(),
            self.waiting.len() >= self.settings.batch_size.max(1),
        )
    }

    /// Once nothing is pending, what the filter kept out is done too.
    fn settle(&mut self) {
        if self.is_idle() {
            self.waiting_since = None;
            if let Some(read) = self.read.clone() {
                self.advance(read);
            }
        }
    }

    fn advance(&mut self, sequence: String) {
        if self
            .checkpoint
            .as_deref()
            .is_none_or(|checkpoint| is_after(&sequence, checkpoint))
        {
            self.checkpoint = Some(sequence);
        }
    }

    fn outcome(&self, batch: &Batch, answer: &Result<Value, String>) -> Outcome {
        let Ok(answer) = answer else {
            return Outcome::Failed;
        };
        if !self.settings.report_failures {
            return Outcome::Succeeded;
        }
        let failures = match answer.get("batchItemFailures") {
            None | Some(Value::Null) => return Outcome::Succeeded,
            Some(Value::Array(failures)) if failures.is_empty() => return Outcome::Succeeded,
            Some(Value::Array(failures)) => failures,
            Some(_) => return Outcome::Failed,
        };
        let mut first = None;
        for failure in failures {
            let place = failure
                .get("itemIdentifier")
                .and_then(Value::as_str)
                .and_then(|identifier| {
                    batch
                        .records
                        .iter()
                        .position(|record| record.sequence == identifier)
                });
            match place {
                // An empty, unknown or missing identifier fails the whole batch.
                None => return Outcome::Failed,
                Some(place) => first = Some(first.map_or(place, |first: usize| first.min(place))),
            }
        }
        first.map_or(Outcome::Failed, Outcome::FailedFrom)
    }
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether a sequence number comes after another: they are numbers too long for an integer.
fn is_after(sequence: &str, other: &str) -> bool {
    let (sequence, other) = (
        sequence.trim_start_matches('0'),
        other.trim_start_matches('0'),
    );
    (sequence.len(), sequence) > (other.len(), other)
}
