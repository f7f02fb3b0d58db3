//! What the therapist or an operator does with enquiries. Each function returns types; the callers decide how
//! they are shown: the commands, later the pages.
//!
//! The surface, as it is being built (every function is of [`Desk`], `async`, and gives `Result<_, DeskError>`):
//!
//! ```text
//! waiting(after: Option<&Cursor>) -> Waiting
//! enquiry(&Reference) -> Whole
//! mark(&Reference, as: Mark, seen: Option<Mark>, Origin, &Clock) -> Outcome
//! undo(&Reference, undone: Mark, Origin, &Clock) -> Outcome
//! not_spam(&Reference, Origin, &Clock) -> Outcome           sends the reply
//! spam(&Reference, Origin, &Clock) -> Outcome
//! resend(&Reference, EmailKind, Origin, &Clock) -> Box<Record>
//! note(&Reference, typed: &str, seen: Option<u32>, Origin, &Clock) -> Noted
//! block(&Reference, Origin, &Clock), trust(…), unblock(…) -> Outcome
//! senders(after: Option<&Cursor>) -> Vec<Sender>, forget_sender(&SenderId)
//! month(Month, &Filter, after: Option<&Cursor>, &Clock) -> List
//! months(&Clock) -> Vec<Month>                              the latest first
//! person(&EmailAddress, after: Option<&Cursor>, &Clock) -> Person
//! month_file(Month, Format, after: Option<Cursor>, &Clock) -> File
//! person_file(&EmailAddress, Format, after: Option<Cursor>, &Clock) -> File
//! erase(Subject, Erase, &Clock) -> Erasure
//! ```

pub mod enquiry;
pub mod erase;
pub mod export;
pub mod file;
pub mod list;
pub mod month;
pub mod person;
pub mod waiting;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::enquiry::Reference;
use crate::mail_state::{EmailKind, ResendRefused};
use crate::practice::Practice;
use crate::record::Record;
use crate::store::{Store, StoreError};

/// With less time left than this no further enquiry is looked at: one call may take 3 seconds.
const ENOUGH: Duration = Duration::from_secs(10);

/// Works with these parts.
pub struct Desk {
    store: Store,
    delivery: Arc<Delivery>,
    practice: Arc<Practice>,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskError {
    /// The table could not be read or written.
    Store(StoreError),
    /// There is no enquiry with this reference.
    NotFound(Reference),
    /// The enquiry has just been erased.
    JustErased(Reference),
    /// There is nothing to release.
    NothingToRelease(Reference),
    /// This email may not go again.
    Resend(Reference, EmailKind, ResendRefused),
    /// The auto-reply would promise an answer by a time that has passed.
    PromisePassed(Reference),
    /// The auto-reply stays withheld, since the source of the enquiry was not counted.
    Uncounted(Reference),
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NotFound(reference) => write!(
                f,
                "there is no enquiry {reference}: check the reference, or list the enquiries of its day"
            ),
            Self::JustErased(reference) => write!(f, "{reference} has just been erased"),
            Self::NothingToRelease(reference) => write!(
                f,
                "{reference} does not wait for a release: show it to see where its emails stand"
            ),
            Self::Resend(reference, kind, refused) => {
                write!(f, "{kind} of {reference} {}", advice(*refused))
            }
            Self::PromisePassed(reference) => write!(
                f,
                "auto_reply of {reference} would promise an answer by a time that has passed: answer the client yourself"
            ),
            Self::Uncounted(reference) => write!(
                f,
                "auto_reply of {reference} stays withheld, since the source of the enquiry was not counted: answer the client yourself"
            ),
        }
    }
}

impl std::error::Error for DeskError {}

/// Why an email may not go again, and what to do: the end of a sentence.
const fn advice(refused: ResendRefused) -> &'static str {
    match refused {
        ResendRefused::Pending => {
            "is not sent again now, since emails of this enquiry are still pending: they leave by themselves, or with a sweep"
        }
        ResendRefused::Left => {
            "has left already, and there is one for each enquiry: if the client has not found it, answer them yourself"
        }
        ResendRefused::MayHaveLeft => {
            "may have left, and a second one might be one too many: answer the client yourself"
        }
        ResendRefused::CameBack => {
            "is not sent, since emails to this address come back or are not wanted: call the client, or ask for another address"
        }
        ResendRefused::Suspect => {
            "waits for a release, since the enquiry looks like spam: if it is not, release it"
        }
        ResendRefused::NoPerson => {
            "is never sent to the practice's own addresses or to those of machines: answer the client yourself"
        }
        ResendRefused::Unsendable => {
            "cannot be sent, since no email system carries this address: call the client, or ask for another address"
        }
    }
}

impl Desk {
    /// Works with these parts.
    #[must_use]
    pub const fn new(store: Store, delivery: Arc<Delivery>, practice: Arc<Practice>) -> Self {
        Self {
            store,
            delivery,
            practice,
        }
    }

    /// One enquiry, with the states of its emails.
    ///
    /// # Errors
    /// When there is none, or the table cannot be read.
    pub async fn show(&self, reference: &Reference) -> Result<Record, DeskError> {
        let record = self.store.load(reference).await?;
        record.ok_or_else(|| DeskError::NotFound(reference.clone()))
    }

    /// Answers an enquiry that only looked like spam: it counts as clear from now on.
    ///
    /// # Errors
    /// When there is nothing to release, or the table cannot be written.
    pub async fn release(&self, reference: &Reference, clock: &Clock) -> Result<Record, DeskError> {
        let record = self.show(reference).await?;
        let released = self.delivery.release(record, clock).await?;
        let record = released.ok_or_else(|| DeskError::NothingToRelease(reference.clone()))?;
        info!(%reference, "enquiry released");
        // What cannot be sent now stays pending, and the sweep goes on.
        let _ = self.delivery.deliver(record, clock).await;
        self.show(reference).await
    }

    /// Sends one email once more. The therapist's may go any number of times. The auto-reply goes only when it certainly
    /// never left, and with all the limits of a first one: one for each enquiry, and one for each address within the
    /// cool-down.
    ///
    /// # Errors
    /// When it may not go again, or the table cannot be written.
    pub async fn resend(
        &self,
        reference: &Reference,
        kind: EmailKind,
        clock: &Clock,
    ) -> Result<Record, DeskError> {
        let record = self.show(reference).await?;
        if kind == EmailKind::AutoReply {
            self.still_helps(&record, clock)?;
        }
        let resent = self.delivery.resend(record, kind, clock).await?;
        let record = resent
            .map_err(|refused| DeskError::Resend(reference.clone(), kind, refused))?
            .ok_or_else(|| DeskError::JustErased(reference.clone()))?;
        info!(%reference, %kind, "an email is to go once more");
        // What cannot be sent now stays pending, and the sweep goes on.
        let _ = self.delivery.deliver(record, clock).await;
        self.show(reference).await
    }

    /// An auto-reply says by when to expect an answer, counted from the enquiry.
    fn still_helps(&self, record: &Record, clock: &Clock) -> Result<(), DeskError> {
        let reference = &record.received.reference;
        if record.received.is_late(clock.now()) {
            return Err(DeskError::PromisePassed(reference.clone()));
        }
        if record.uncounted {
            return Err(DeskError::Uncounted(reference.clone()));
        }
        Ok(())
    }
}
