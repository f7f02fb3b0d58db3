//! The operator's commands, and the timer's: `{"command": "sweep"}`. IAM decides who may send them.
//!
//! What a command answers goes to its sender; what it logs names references and counts, never a person.

mod act;
mod erase;
mod export;
mod list;
mod show;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tracing::error;

use crate::check::Check;
use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::desk::Desk;
use crate::desk::erase::Subject;
use crate::desk::list::Filter;
use crate::enquiry::{EmailAddress, Reference};
use crate::mail_state::{EmailKind, MailState};
use crate::messages;
use crate::nightly::Nightly;
use crate::practice::Practice;
use crate::record::{Mark, Origin};
use crate::reminders::Reminders;
use crate::sign_in::SignIn;
use crate::spam::SenderRule;
use crate::store::{Cursor, StoreError};

/// Why a command is not carried out, or came to nothing.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// Every command, as it is sent: the error for anything else lists them, and a test sends each line.
const KNOWN: &str = r#"{"command": "list"}
{"command": "list", "from": "2026-11-01", "to": "2026-11-30", "limit": 20, "format": "csv"}
{"command": "list", "as": "waiting", "suspect": true, "name": "zoe"}
{"command": "waiting"}
{"command": "show", "reference": "BB-7KQ4M"}
{"command": "mark", "reference": "BB-7KQ4M", "as": "answered"}
{"command": "note", "reference": "BB-7KQ4M", "text": "Prefers mornings"}
{"command": "release", "reference": "BB-7KQ4M"}
{"command": "spam", "reference": "BB-7KQ4M"}
{"command": "block", "reference": "BB-7KQ4M"}
{"command": "trust", "reference": "BB-7KQ4M"}
{"command": "unblock", "reference": "BB-7KQ4M"}
{"command": "senders"}
{"command": "resend", "reference": "BB-7KQ4M", "kind": "therapist"}
{"command": "resend", "reference": "BB-7KQ4M", "kind": "auto_reply"}
{"command": "export", "email": "zoe@example.com"}
{"command": "export", "email": "zoe@example.com", "format": "csv"}
{"command": "export", "month": "2026-11"}
{"command": "erase", "email": "zoe@example.com"}
{"command": "erase", "reference": "BB-7KQ4M"}
{"command": "sign-in"}
{"command": "sign-out-everywhere"}
{"command": "close-desk"}
{"command": "open-desk"}
{"command": "check"}
{"command": "probe"}
{"command": "sweep"}
{"command": "remind"}
{"command": "nightly"}"#;

#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
enum Command {
    /// Sends what is due.
    Sweep {},
    /// Asks for the emails that are due by the clock: the morning list, reminders, Monday's list.
    Remind {},
    /// Looks whether everything is well.
    Check {},
    /// Begins the nightly test now.
    Probe {},
    /// Does what is due once a night, when it is.
    Nightly {},
    /// Makes a code for signing in to the desk that needs no email.
    SignIn {},
    /// Signs every browser out, and revokes the links of the emails.
    SignOutEverywhere {},
    /// Refuses every sign-in until the desk is opened again, and signs every browser out.
    CloseDesk {},
    /// Opens the desk again.
    OpenDesk {},
    /// Lists enquiries, newest first.
    List {
        from: Option<String>,
        to: Option<String>,
        #[serde(rename = "as")]
        mark: Option<Mark>,
        suspect: Option<bool>,
        name: Option<String>,
        limit: Option<usize>,
        cursor: Option<String>,
        #[serde(default)]
        format: Format,
    },
    /// Lists who waits for an answer, the nearest promise first.
    Waiting { cursor: Option<String> },
    /// Shows one enquiry with everything about it.
    Show { reference: String },
    /// Marks an enquiry.
    Mark {
        reference: String,
        #[serde(rename = "as")]
        mark: Mark,
    },
    /// Saves the private note.
    Note { reference: String, text: String },
    /// Answers an enquiry that only looked like spam.
    Release { reference: String },
    /// Calls an enquiry spam.
    Spam { reference: String },
    /// Blocks the sender of an enquiry.
    Block { reference: String },
    /// Trusts the sender of an enquiry.
    Trust { reference: String },
    /// Neither blocks nor trusts a sender any more.
    Unblock {
        reference: Option<String>,
        sender: Option<String>,
    },
    /// Lists the senders that were blocked or trusted.
    Senders { cursor: Option<String> },
    /// Sends one email once more.
    Resend { reference: String, kind: Again },
    /// Everything about an address, or of a month.
    Export {
        email: Option<String>,
        month: Option<String>,
        cursor: Option<String>,
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

/// The emails that may go once more.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Again {
    Therapist,
    AutoReply,
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
struct CommandError(String);

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CommandError {}

fn refused(message: impl Into<String>) -> Error {
    CommandError(message.into()).into()
}

/// What is no command.
fn unknown() -> Error {
    refused(format!("{}\n{KNOWN}", messages::command::UNKNOWN))
}

/// What the timer asked for was not done, and is asked for again by itself: no error of the invocation, which would be repeated
/// and end on the failure queue.
fn put_off(error: &StoreError) -> Value {
    let StoreError { action, code } = error;
    error!(code, "the table could not {action}");
    json!({ "error": error.to_string() })
}

/// Carries out commands with these parts.
pub struct Commands {
    desk: Arc<Desk>,
    delivery: Arc<Delivery>,
    sign_in: Arc<SignIn>,
    reminders: Reminders,
    check: Arc<Check>,
    nightly: Arc<Nightly>,
    practice: Arc<Practice>,
}

impl Commands {
    /// Carries out commands with these parts.
    #[must_use]
    pub const fn new(
        desk: Arc<Desk>,
        delivery: Arc<Delivery>,
        sign_in: Arc<SignIn>,
        reminders: Reminders,
        check: Arc<Check>,
        nightly: Arc<Nightly>,
        practice: Arc<Practice>,
    ) -> Self {
        Self {
            desk,
            delivery,
            sign_in,
            reminders,
            check,
            nightly,
            practice,
        }
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// When it is unknown, names nothing that exists, or the table cannot be read.
    pub async fn handle(&self, command: &Value, clock: &Clock) -> Result<Value, Error> {
        match Command::deserialize(command).map_err(|_| unknown())? {
            Command::Sweep {} => {
                // The next sweep is a minute away, and the alarm goes off when none says for some time what is pending.
                Ok(match self.delivery.sweep(clock).await {
                    Ok(swept) => {
                        json!({ "pending": swept.pending, "delivered": swept.delivered, "left": swept.left })
                    }
                    Err(error) => put_off(&error),
                })
            }
            Command::Remind {} => Ok(match self.reminders.schedule(clock).await {
                Ok(asked_for) => json!({ "asked_for": asked_for }),
                Err(error) => put_off(&error),
            }),
            Command::Check {} => {
                let health = self.check.now(clock).await?;
                Ok(json!({ "checked_at": health.checked_at, "findings": health.findings }))
            }
            Command::Probe {} => Ok(json!({ "begun": self.nightly.now(clock).await? })),
            Command::Nightly {} => {
                let tested = self.nightly.when_due(clock).await;
                let checked = self.check.when_due(clock).await;
                Ok(match (tested, checked) {
                    (Ok(tested), Ok(checked)) => json!({ "tested": tested, "checked": checked }),
                    (Err(error), _) | (_, Err(error)) => put_off(&error),
                })
            }
            Command::SignIn {} => {
                let made = self.sign_in.operator_code(clock).await?;
                Ok(
                    json!({ "code": made.code.grouped(), "page": "/desk/code", "expires": made.expires }),
                )
            }
            Command::SignOutEverywhere {} => {
                self.sign_in.sign_out_everywhere().await?;
                Ok(json!({ "signed_out": true }))
            }
            Command::CloseDesk {} => {
                self.sign_in.close().await?;
                Ok(json!({ "open": false }))
            }
            Command::OpenDesk {} => {
                self.sign_in.open().await?;
                Ok(json!({ "open": true }))
            }
            Command::List {
                from,
                to,
                mark,
                suspect,
                name,
                limit,
                cursor,
                format,
            } => {
                let days = list::Days::read(&self.practice, from.as_deref(), to.as_deref())?;
                let filter = Filter {
                    mark,
                    suspect,
                    name,
                };
                self.list(&days, &filter, limit, cursor.as_deref(), format, clock)
                    .await
            }
            Command::Waiting { cursor } => self.waiting(cursor.as_deref(), clock).await,
            Command::Show { reference } => self.show(&Reference::parse(&reference)?, clock).await,
            Command::Mark { reference, mark } => {
                self.mark(&Reference::parse(&reference)?, mark, clock).await
            }
            Command::Note { reference, text } => {
                self.note(&Reference::parse(&reference)?, &text, clock)
                    .await
            }
            Command::Release { reference } => {
                self.release(&Reference::parse(&reference)?, clock).await
            }
            Command::Spam { reference } => self.spam(&Reference::parse(&reference)?, clock).await,
            Command::Block { reference } => {
                let rule = Some(SenderRule::Blocked);
                self.rule(&Reference::parse(&reference)?, rule, clock).await
            }
            Command::Trust { reference } => {
                let rule = Some(SenderRule::Trusted);
                self.rule(&Reference::parse(&reference)?, rule, clock).await
            }
            Command::Unblock {
                reference: Some(reference),
                sender: None,
            } => self.rule(&Reference::parse(&reference)?, None, clock).await,
            Command::Unblock {
                reference: None,
                sender: Some(sender),
            } => self.forget_sender(&sender).await,
            Command::Unblock { .. } => Err(refused(messages::command::UNBLOCK)),
            Command::Senders { cursor } => self.senders(cursor.as_deref(), clock).await,
            Command::Resend { reference, kind } => {
                let kind = match kind {
                    Again::Therapist => EmailKind::Therapist,
                    Again::AutoReply => EmailKind::AutoReply,
                };
                let reference = Reference::parse(&reference)?;
                let record = self
                    .desk
                    .resend(&reference, kind, Origin::Command, clock)
                    .await?;
                let state = record.state.deliveries.of(kind);
                let sent = matches!(
                    state,
                    Some(MailState::Sent { .. } | MailState::Delivered { .. })
                );
                Ok(
                    json!({ "reference": reference, "kind": kind.key(), "sent": sent, "state": state }),
                )
            }
            Command::Export {
                email: Some(email),
                month: None,
                cursor,
                format,
            } => {
                self.export(&address(&email)?, cursor.as_deref(), format, clock)
                    .await
            }
            Command::Export {
                email: None,
                month: Some(month),
                cursor,
                format,
            } => {
                let month = month.parse();
                let month = month.map_err(|()| refused(messages::command::MONTH))?;
                self.export_month(month, cursor.as_deref(), format, clock)
                    .await
            }
            Command::Export { .. } => Err(unknown()),
            Command::Erase {
                email: Some(email),
                reference: None,
                confirm,
            } => {
                self.erase(Subject::Address(&address(&email)?), confirm, clock)
                    .await
            }
            Command::Erase {
                email: None,
                reference: Some(reference),
                confirm,
            } => {
                let reference = Reference::parse(&reference)?;
                self.erase(Subject::Enquiry(&reference), confirm, clock)
                    .await
            }
            Command::Erase { .. } => Err(refused(messages::command::ERASE)),
        }
    }
}

fn address(typed: &str) -> Result<EmailAddress, Error> {
    // The message for clients would be odd here, and what was typed is not repeated: the runtime logs an error.
    EmailAddress::parse(typed).map_err(|_| refused(messages::command::EMAIL))
}

fn cursor(text: Option<&str>) -> Result<Option<Cursor>, Error> {
    text.map(str::parse)
        .transpose()
        .map_err(|()| refused(messages::command::CURSOR))
}
