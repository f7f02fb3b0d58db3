//! Logs: one JSON object a line, with ids, codes, sizes and timings, never with what a person typed.

use tracing::{Level, Metadata, Subscriber, error};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// The target of the lines that alarms are computed from: they are written at every level.
pub const METRIC: &str = "enquiry_desk::metric";

/// An item or a record of the stream could not be read or worked on: it is left alone, under an alarm. An item is named by its
/// enquiry's reference, a record by its sequence number.
pub fn record_parked(reference: Option<&str>, sequence_number: Option<&str>, code: &str) {
    error!(
        alarm = "record_parked",
        reference, sequence_number, code, "record parked"
    );
}

/// Starts logging to standard output. `level` is the most detailed level of our own events; other crates' are never
/// let through below `WARN`, since the runtime and the SDK trace whole bodies.
pub fn start(level: Level) {
    // A second start (in tests) leaves the first in place.
    let _ = tracing_subscriber::registry()
        .with(lines(level, std::io::stdout))
        .try_init();
    // A panic's words may carry what a client typed: only its place is logged.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|place| format!("{}:{}", place.file(), place.line()));
        error!(place, "panic");
    }));
}

/// The lines as they are logged, written to wherever this writer puts them.
pub fn lines<S, W>(level: Level, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .without_time()
        .with_writer(writer)
        .with_filter(filter_fn(move |metadata| is_let_through(metadata, level)))
}

fn is_let_through(metadata: &Metadata<'_>, level: Level) -> bool {
    if metadata.target() == METRIC {
        return true;
    }
    let ours = metadata.target().starts_with("enquiry_desk");
    *metadata.level() <= if ours { level } else { level.min(Level::WARN) }
}
