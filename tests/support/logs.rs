//! What the function logs, line by line, exactly as CloudWatch would get it.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level};
use tracing_subscriber::layer::SubscriberExt;

/// With a single dispatcher in the process, `tracing` asks the thread that first meets a line whether it is wanted, and keeps the
/// answer: that of a test without logs.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// The lines of whatever runs under its [`Logs::dispatch`].
#[derive(Debug, Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Collects what is logged under it: `future.with_subscriber(logs.dispatch())`.
    pub fn dispatch(&self) -> Dispatch {
        LazyLock::force(&ANOTHER);
        let written = Arc::clone(&self.0);
        let writer = move || Writer(Arc::clone(&written));
        let lines = enquiry_desk::telemetry::lines(Level::INFO, writer);
        Dispatch::new(tracing_subscriber::registry().with(lines))
    }

    /// Every line so far.
    pub fn lines(&self) -> Vec<Value> {
        Self::read(&self.0.lock().unwrap())
    }

    /// Every line since the last time.
    pub fn take(&self) -> Vec<Value> {
        Self::read(&std::mem::take(&mut *self.0.lock().unwrap()))
    }

    fn read(written: &[u8]) -> Vec<Value> {
        written
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    /// The codes of the lines that raise an alarm.
    pub fn alarms(&self) -> Vec<String> {
        let lines = self.lines();
        let alarms = lines.iter().filter_map(|line| line["alarm"].as_str());
        alarms.map(str::to_owned).collect()
    }

    /// How old the oldest pending work was at each sweep, in seconds: the alarm's metric.
    pub fn oldest_due_seconds(&self) -> Vec<u64> {
        let lines = self.lines();
        let ages = lines.iter().map(|line| line["oldest_due_seconds"].as_u64());
        ages.flatten().collect()
    }
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
