//! The operator's commands, and the timer's: `{"command": "sweep"}`. Who may send them is IAM's business.
//!
//! What a command answers goes to whoever sent it; what it logs names references and counts, never a person.

mod csv;
mod erase;
mod export;
mod list;
mod resend;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::delivery::{self, Unfinished};
use crate::enquiry::{EmailAddress, Reference};
use crate::store::Record;
use crate::telemetry;

/// How many enquiries one sweep looks at, as far as its time goes; what is left is the next one's.
const SWEEP: usize = 500;
/// With less time left than this no further enquiry is looked at: one call may take 3 seconds.
const ENOUGH: Duration = Duration::from_secs(10);

/// What is said of anything else: every command, as it is sent. A test sends each line.
const KNOWN: &str = r#"this is none of the commands, or one of its members is missing, misspelt or of the wrong kind. These are the commands:
{"command": "list"}, {"command": "list", "from": "2026-11-01", "to": "2026-11-30", "most": 20, "format": "csv"}
{"command": "show", "reference": "BB-7KQ4M"}
{"command": "release", "reference": "BB-7KQ4M"}
{"command": "resend", "reference": "BB-7KQ4M", "kind": "therapist"}, or "kind": "auto_reply"
{"command": "export", "email": "zoe@example.com"}, {"command": "export", "email": "zoe@example.com", "format": "csv"}
{"command": "erase", "email": "zoe@example.com"}, {"command": "erase", "reference": "BB-7KQ4M"}: say what would go; with "confirm": true they erase it
{"command": "sweep"}"#;

#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
enum Command {
    /// Does again what is still pending.
    Sweep {},
    /// Lists enquiries, newest first.
    List {
        from: Option<String>,
        to: Option<String>,
        most: Option<usize>,
        next: Option<String>,
        #[serde(default)]
        format: Format,
    },
    /// Shows one enquiry with the states of its emails.
    Show { reference: String },
    /// Answers an enquiry that only looked like spam.
    Release { reference: String },
    /// Sends one email once more.
    Resend {
        reference: String,
        kind: resend::Again,
    },
    /// Everything about an address.
    Export {
        email: String,
        next: Option<String>,
        #[serde(default)]
        format: Format,
    },
    /// Erases everything about an address, or one enquiry.
    Erase {
        email: Option<String>,
        reference: Option<String>,
        #[serde(default)]
        confirm: bool,
    },
}

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// As data.
    #[default]
    Json,
    /// As a table, for a spreadsheet.
    Csv,
}

/// A command that cannot be carried out, and what to do.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

fn refused(words: impl Into<String>) -> Error {
    Refused(words.into()).into()
}

/// Carries out one command.
///
/// # Errors
/// When it is unknown, names nothing that exists, or the table cannot be read.
pub async fn handle(app: &Arc<App>, command: &Value, clock: &Clock) -> Result<Value, Error> {
    match Command::deserialize(command).map_err(|_| refused(KNOWN))? {
        Command::Sweep {} => sweep(app, clock).await,
        Command::List {
            from,
            to,
            most,
            next,
            format,
        } => {
            let span = list::Span::of(&app.practice, from.as_deref(), to.as_deref())?;
            list::list(app, &span, most, next.as_deref(), format, clock).await
        }
        Command::Show { reference } => show(app, &reference).await,
        Command::Release { reference } => release(app, &reference, clock).await,
        Command::Resend { reference, kind } => resend::resend(app, &reference, kind, clock).await,
        Command::Export {
            email,
            next,
            format,
        } => export::export(app, &address(&email)?, next.as_deref(), format, clock).await,
        Command::Erase {
            email: Some(email),
            reference: None,
            confirm,
        } => erase::about(app, &address(&email)?, confirm, clock).await,
        Command::Erase {
            email: None,
            reference: Some(reference),
            confirm,
        } => erase::one(app, &Reference::parse(&reference)?, confirm, clock).await,
        Command::Erase { .. } => Err(refused(
            "erase takes either an email, for everything about it, or a reference, for one enquiry",
        )),
    }
}

fn address(typed: &str) -> Result<EmailAddress, Error> {
    // The words for clients would be odd here, and what was typed is not repeated: the runtime logs an error.
    EmailAddress::parse(typed)
        .map_err(|_| refused("email must be one address, like zoe@example.com"))
}

async fn sweep(app: &Arc<App>, clock: &Clock) -> Result<Value, Error> {
    let pending = app.store.pending(SWEEP).await?;
    let age = |since: &Timestamp| clock.now().duration_since(*since).as_secs().max(0);
    let oldest = pending.first().map_or(0, |(_, since)| age(since));
    let (mut delivered, mut left) = (0, 0);
    // Each sweep begins at another place: some that can never be sent shall not starve those behind them.
    let begin = usize::from(u16::from_be_bytes(app.store.random()?)) % pending.len().max(1);
    for (reference, _) in pending.iter().cycle().skip(begin).take(pending.len()) {
        match resume(app, reference, clock).await {
            Ok(()) => delivered += 1,
            Err(unfinished) => {
                left += 1;
                match unfinished {
                    Unfinished::Store(error) if error.is_unreadable() => {
                        error!(alarm = "record_parked", %reference, code = error.code, "left for a newer version");
                    }
                    Unfinished::Store(error) => {
                        error!(%reference, code = error.code, "the table could not {}", error.doing);
                    }
                    Unfinished::Pending | Unfinished::Panicked => {
                        warn!(%reference, "emails stay pending")
                    }
                    Unfinished::Later => break,
                }
            }
        }
    }
    // The template's alarm reads the age; it also goes off when no sweep says anything for long.
    info!(
        target: telemetry::METRIC,
        pending = pending.len(),
        delivered,
        left,
        oldest_due_seconds = oldest,
        "sweep"
    );
    Ok(json!({ "pending": pending.len(), "delivered": delivered, "left": left }))
}

async fn resume(app: &Arc<App>, reference: &Reference, clock: &Clock) -> Result<(), Unfinished> {
    match app.store.load(reference).await? {
        Some(record) => delivery::deliver(app, record, clock).await,
        None => Ok(()),
    }
}

async fn show(app: &Arc<App>, reference: &str) -> Result<Value, Error> {
    let record = find(app, reference).await?;
    Ok(json!({
        "received": record.received,
        "verdict": record.verdict,
        "signals": record.signals,
        "deliveries": record.deliveries,
    }))
}

async fn release(app: &Arc<App>, reference: &str, clock: &Clock) -> Result<Value, Error> {
    let record = find(app, reference).await?;
    let reference = record.received.reference.clone();
    let released = delivery::release(app, record, clock).await?;
    let Some(record) = released else {
        return Err(refused(format!(
            "{reference} does not wait for a release: show it to see where its emails stand"
        )));
    };
    info!(%reference, "enquiry released");
    // What cannot be sent now stays pending, and the sweep goes on.
    let _ = delivery::deliver(app, record, clock).await;
    let record = find(app, reference.as_str()).await?;
    Ok(
        json!({ "reference": reference, "released": true, "auto_reply": record.deliveries.auto_reply }),
    )
}

async fn find(app: &App, reference: &str) -> Result<Record, Error> {
    let reference = Reference::parse(reference)?;
    let record = app.store.load(&reference).await?;
    record.ok_or_else(|| {
        refused(format!(
            "there is no enquiry {reference}: check the reference, or list the enquiries of its day"
        ))
    })
}
