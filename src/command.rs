//! The operator's commands, and the timer's: `{"command": "sweep"}`. Who may send them is IAM's business.

use std::fmt;
use std::sync::Arc;

use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::enquiry::Reference;
use crate::outbox::{self, Unfinished};

/// How many enquiries one sweep looks at; what is left is the next one's.
const SWEEP: i32 = 50;

#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
enum Command {
    /// Does again what is still owed.
    Sweep {},
    /// Shows one enquiry with the states of its mails.
    Show { reference: String },
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

/// Carries out one command.
///
/// # Errors
/// When it is unknown, names nothing that exists, or the table cannot be read.
pub async fn handle(app: &Arc<App>, command: &Value, clock: &Clock) -> Result<Value, Error> {
    let known = "the commands are {\"command\": \"sweep\"} and {\"command\": \"show\", \"reference\": \"BB-7KQ4M\"}";
    match Command::deserialize(command).map_err(|_| Refused(known.to_owned()))? {
        Command::Sweep {} => sweep(app, clock).await,
        Command::Show { reference } => show(app, &reference).await,
    }
}

async fn sweep(app: &Arc<App>, clock: &Clock) -> Result<Value, Error> {
    let owed = app.store.owed(SWEEP).await?;
    let (mut delivered, mut left) = (0, 0);
    for reference in &owed {
        match resume(app, reference, clock).await {
            Ok(()) => delivered += 1,
            Err(unfinished) => {
                left += 1;
                match unfinished {
                    Unfinished::Store(fault) => {
                        error!(%reference, code = fault.code, "the table could not {}", fault.doing)
                    }
                    Unfinished::Owed => warn!(%reference, "mails stay owed"),
                    Unfinished::Later => break,
                }
            }
        }
    }
    info!(owed = owed.len(), delivered, left, "sweep");
    Ok(json!({ "owed": owed.len(), "delivered": delivered, "left": left }))
}

async fn resume(app: &Arc<App>, reference: &Reference, clock: &Clock) -> Result<(), Unfinished> {
    match app.store.load(reference).await? {
        Some(record) => outbox::deliver(app, record, clock).await,
        None => Ok(()),
    }
}

async fn show(app: &Arc<App>, reference: &str) -> Result<Value, Error> {
    let reference = Reference::parse(reference)?;
    let record = app.store.load(&reference).await?;
    let record = record.ok_or_else(|| {
        Refused(format!(
            "there is no enquiry {reference}: check the reference"
        ))
    })?;
    Ok(json!({
        "received": record.received,
        "verdict": record.verdict,
        "deliveries": record.deliveries,
    }))
}
