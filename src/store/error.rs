//! Errors of the table, by code; and the one reading of why DynamoDB cancelled a transaction.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use tracing::error;

use super::{Item, Store};

/// Why the table could not be read or written: what was tried and the code of the failure, nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What was tried: the end of "the table could not …".
    pub action: &'static str,
    /// DynamoDB's code, or the kind of the failure on the way to it.
    pub code: String,
}

impl StoreError {
    /// The keys are out of reach.
    pub const NO_KEY: &'static str = "KeyUnavailable";
    /// The item was written by a newer version of this code.
    pub const UNKNOWN_VERSION: &'static str = "UnknownVersion";
    /// The item does not have the shape of an enquiry.
    pub const UNREADABLE: &'static str = "Unreadable";

    /// Whether the item itself is the reason, so that another try would fare no better.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.code == Self::UNKNOWN_VERSION || self.code == Self::UNREADABLE
    }

    /// Whether another transaction was at work on the same item, so that another try may do.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.code.as_str(),
            "TransactionConflict" | "TransactionConflictException"
        )
    }

    /// Logs that something about this enquiry went wrong at the table.
    pub fn log(&self, reference: &impl fmt::Display) {
        let Self { action, code } = self;
        error!(%reference, code, "the table could not {action}");
    }

    /// The system has no randomness.
    #[must_use]
    pub fn no_randomness(action: &'static str) -> Self {
        Self::new(action, "NoRandomness")
    }

    pub(super) fn new(action: &'static str, code: &str) -> Self {
        Self {
            action,
            code: code.to_owned(),
        }
    }

    pub(super) fn unbuildable(action: &'static str) -> Self {
        Self::new(action, "Unbuildable")
    }

    /// Keeps the code of an SDK error; its `Debug` would carry the whole item.
    pub(super) fn from_sdk<E: ProvideErrorMetadata, R>(
        action: &'static str,
        error: &SdkError<E, R>,
    ) -> Self {
        let code = match error {
            SdkError::ServiceError(error) => error.err().code().unwrap_or("Unknown"),
            SdkError::TimeoutError(_) => "Timeout",
            SdkError::DispatchFailure(_) => "DispatchFailure",
            SdkError::ResponseError(_) => "ResponseUnreadable",
            SdkError::ConstructionFailure(_) => "ConstructionFailure",
            _ => "Unknown",
        };
        Self::new(action, code)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the table could not {}: {}", self.action, self.code)
    }
}

impl std::error::Error for StoreError {}

/// Whether a conditional write was applied.
pub(super) fn applied<T, E, R>(
    outcome: Result<T, SdkError<E, R>>,
    action: &'static str,
) -> Result<bool, StoreError>
where
    E: ProvideErrorMetadata,
{
    match outcome {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(StoreError::from_sdk(action, &error)),
    }
}

/// Why one write of a cancelled transaction did not happen.
#[derive(Debug)]
pub(super) enum Reason {
    /// It would have happened.
    None,
    /// Its condition did not hold; the item as it stands, where that was asked for.
    ConditionFailed(Option<Item>),
    /// Another transaction was at work on the item.
    Conflict,
    /// The table's throughput was used up.
    Throttled,
    /// Anything else, by its code.
    Other(String),
}

/// The reasons of a cancelled transaction, in the order of its writes ("TransactWriteItems", DynamoDB API Reference).
#[derive(Debug)]
pub(super) struct Cancelled(Vec<Reason>);

impl Store {
    /// Writes all of these or none. Nothing comes back when they were written, and otherwise why they were not.
    ///
    /// # Errors
    /// When it was not a cancellation.
    pub(super) async fn transact(
        &self,
        action: &'static str,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Option<Cancelled>, StoreError> {
        let transaction = self.client.transact_write_items();
        match transaction.set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(None),
            Err(error) => Cancelled::read(action, error).map(Some),
        }
    }
}

impl Cancelled {
    /// Reads the error of a transaction.
    ///
    /// # Errors
    /// When it was not a cancellation.
    fn read<R>(
        action: &'static str,
        error: SdkError<TransactWriteItemsError, R>,
    ) -> Result<Self, StoreError> {
        match error {
            SdkError::ServiceError(error) => match error.into_err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => Ok(Self(
                    cancelled
                        .cancellation_reasons
                        .unwrap_or_default()
                        .into_iter()
                        .map(Reason::of)
                        .collect(),
                )),
                error => Err(StoreError::new(action, error.code().unwrap_or("Unknown"))),
            },
            error => Err(StoreError::from_sdk(action, &error)),
        }
    }

    /// The reason of the write at this position.
    pub(super) fn at(&self, position: usize) -> &Reason {
        self.0.get(position).unwrap_or(&Reason::None)
    }

    /// The item over which the condition of this write failed; `None` when it did not fail.
    pub(super) fn failed(&self, position: usize) -> Option<Option<&Item>> {
        match self.at(position) {
            Reason::ConditionFailed(item) => Some(item.as_ref()),
            _ => None,
        }
    }

    /// Whether another transaction was at work on any of the items.
    pub(super) fn conflicts(&self) -> bool {
        self.0.iter().any(|it| matches!(it, Reason::Conflict))
    }

    /// Whether another transaction was at work on the item at this position.
    pub(super) fn conflicts_at(&self, position: usize) -> bool {
        matches!(self.at(position), Reason::Conflict)
    }

    /// Whether the throughput was used up.
    pub(super) fn is_throttled(&self) -> bool {
        self.0.iter().any(|it| matches!(it, Reason::Throttled))
    }

    /// The error that this cancellation is, when none of its reasons means anything else.
    pub(super) fn into_error(self, action: &'static str) -> StoreError {
        let code = self.0.into_iter().find_map(|reason| match reason {
            Reason::None => None,
            Reason::ConditionFailed(_) => Some("ConditionalCheckFailed".to_owned()),
            Reason::Conflict => Some("TransactionConflict".to_owned()),
            Reason::Throttled => Some("ThrottlingError".to_owned()),
            Reason::Other(code) => Some(code),
        });
        StoreError::new(action, code.as_deref().unwrap_or("Unknown"))
    }

    #[cfg(test)]
    pub(super) fn of_codes(codes: &[&str]) -> Self {
        let reason = |code: &&str| Reason::of(CancellationReason::builder().code(*code).build());
        Self(codes.iter().map(reason).collect())
    }
}

impl Reason {
    fn of(reason: CancellationReason) -> Self {
        match reason.code() {
            None | Some("None") => Self::None,
            Some("ConditionalCheckFailed") => Self::ConditionFailed(reason.item),
            Some("TransactionConflict") => Self::Conflict,
            Some("ThrottlingError" | "ProvisionedThroughputExceeded") => Self::Throttled,
            Some(code) => Self::Other(code.to_owned()),
        }
    }
}
