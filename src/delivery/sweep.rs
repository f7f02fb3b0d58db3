//! The timer's work: what is due and has no running lease is done again.

use jiff::Timestamp;
use tracing::{info, warn};

use super::{Delivery, Unfinished};
use crate::clock::Clock;
use crate::enquiry::Reference;
use crate::keys;
use crate::store::StoreError;
use crate::telemetry;

/// How many enquiries one sweep looks at, as far as its time goes; the next one does the rest.
const LIMIT: usize = 500;

/// What a sweep found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// How many enquiries had something due.
    pub pending: usize,
    /// How many of them were completed.
    pub delivered: usize,
    /// How many were tried and stay pending.
    pub left: usize,
}

impl Delivery {
    /// Sends what is due, as far as the time goes.
    ///
    /// # Errors
    /// When the table cannot say what is due.
    pub async fn sweep(&self, clock: &Clock) -> Result<Swept, StoreError> {
        let due = self.store.pending(clock.now(), LIMIT).await?;
        let age = |since: Timestamp| clock.now().duration_since(since).as_secs().max(0);
        let oldest = due.first().map_or(0, |pending| age(pending.due));
        let mut swept = Swept {
            pending: due.len(),
            delivered: 0,
            left: 0,
        };
        // Each sweep begins at another place: some that can never be sent must not starve those behind them.
        let random = keys::random().map_or(0, u16::from_be_bytes);
        let begin = usize::from(random) % due.len().max(1);
        for pending in due.iter().cycle().skip(begin).take(due.len()) {
            let reference = &pending.reference;
            match self.resume(reference, clock).await {
                Ok(()) => swept.delivered += 1,
                Err(unfinished) => {
                    swept.left += 1;
                    match unfinished {
                        Unfinished::Store(error) if error.is_unreadable() => {
                            telemetry::record_parked(Some(reference.as_str()), None, &error.code);
                        }
                        Unfinished::Store(error) => error.log(reference),
                        Unfinished::Pending | Unfinished::Panicked => {
                            warn!(%reference, "emails stay pending");
                        }
                        Unfinished::OutOfTime => break,
                    }
                }
            }
        }
        // The template's alarm reads the age; it also goes off when no sweep says anything for long.
        info!(
            target: telemetry::METRIC,
            pending = swept.pending,
            delivered = swept.delivered,
            left = swept.left,
            oldest_due_seconds = oldest,
            "sweep"
        );
        Ok(swept)
    }

    async fn resume(&self, reference: &Reference, clock: &Clock) -> Result<(), Unfinished> {
        match self.store.load(reference).await? {
            Some(record) => self.deliver(record, clock).await,
            // What was typed has expired, and nothing is left to be done.
            None => Ok(self.store.erase_state(reference).await?),
        }
    }
}
