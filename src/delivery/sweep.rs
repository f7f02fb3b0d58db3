//! The timer's work: what is due and has no running lease is done again.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, future, stream};
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::{Delivery, Unfinished};
use crate::clock::Clock;
use crate::keys;
use crate::record::{Record, Work};
use crate::store::{Pending, StoreError};
use crate::telemetry;

/// How many enquiries one sweep looks at, as far as its time goes; the next one does the rest.
const LIMIT: usize = 500;
/// How many are worked at together: SES's usual rate of 14 emails a second is reached, and hardly exceeded, with calls that take
/// a tenth of a second.
const AT_ONCE: usize = 4;
/// How long after its time a withdrawn enquiry is erased: who has pressed "keep" in the last moment, on a machine whose clock is behind,
/// has written it by then.
const LAST_PRESS: SignedDuration = SignedDuration::from_mins(2);
/// How long after its time an enquiry without what was typed counts as gone. The transaction that accepts one may be seen by halves: each of
/// its items is there for certain only once it has ended ("Isolation levels for DynamoDB transactions", DynamoDB developer guide).
const HALF_SEEN: SignedDuration = SignedDuration::from_mins(2);

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
        let [clear, suspected] = self.store.pending(clock.now(), LIMIT).await?;
        let age = |since: Timestamp| clock.now().duration_since(since).as_secs().max(0);
        let first = [&clear, &suspected].map(|due| due.first().map_or(0, |first| age(first.due)));
        let oldest = first.into_iter().max().unwrap_or(0);
        let mut swept = Swept {
            pending: clear.len() + suspected.len(),
            delivered: 0,
            left: 0,
        };
        let stopped = AtomicBool::new(false);
        let due = [rotated(clear), rotated(suspected)].concat();
        let mut outcomes = stream::iter(due)
            .take_while(|_| future::ready(!stopped.load(Ordering::Relaxed)))
            .map(|Pending { work, due }| async move {
                let outcome = self.resume(&work, due, clock).await;
                (work, outcome)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((work, outcome)) = outcomes.next().await {
            let Err(unfinished) = outcome else {
                swept.delivered += 1;
                continue;
            };
            swept.left += 1;
            match unfinished {
                Unfinished::Store(error) if error.is_unreadable() => {
                    telemetry::record_parked(Some(&work.to_string()), None, &error.code);
                }
                Unfinished::Store(error) => error.log(&work),
                Unfinished::Pending | Unfinished::Panicked => {
                    warn!(reference = %work, "emails stay pending");
                }
                // What has begun goes to its end. What SES refuses for the account's sake it would refuse to the others too, at the
                // price of two writes and an alarm each.
                Unfinished::OutOfTime | Unfinished::Refused => {
                    stopped.store(true, Ordering::Relaxed)
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

    async fn resume(&self, work: &Work, due: Timestamp, clock: &Clock) -> Result<(), Unfinished> {
        let reference = match work {
            Work::Email(id) => return self.deliver_own(id, clock).await,
            Work::NightlyTest => return Ok(self.judge_nightly().await?),
            Work::Enquiry(reference) => reference,
        };
        match self.store.load(reference).await? {
            Some(record) if is_to_be_erased(&record, clock.now()) => {
                if let Some(copies) = self.store.copies(reference).await? {
                    self.store.erase_withdrawn(&copies).await?;
                    info!(%reference, "a withdrawn enquiry was erased");
                }
                Ok(())
            }
            Some(record) => self.deliver(record, clock).await,
            None if clock.now() < due + HALF_SEEN => Err(Unfinished::Pending),
            // What was typed has expired, and nothing is left to be done.
            None => Ok(self.store.erase_state(reference).await?),
        }
    }
}

/// Whether the client has withdrawn it, and cannot keep it any more.
fn is_to_be_erased(record: &Record, now: Timestamp) -> bool {
    let erased_at = record.erased_at();
    erased_at.is_some_and(|at| at + LAST_PRESS <= now)
}

/// Each sweep begins at another place: some that can never be sent must not starve those behind them.
fn rotated(mut due: Vec<Pending>) -> Vec<Pending> {
    let random = keys::random().map_or(0, u16::from_be_bytes);
    let begin = usize::from(random) % due.len().max(1);
    due.rotate_left(begin);
    due
}
