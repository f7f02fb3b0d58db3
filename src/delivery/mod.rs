//! Sends an enquiry's pending emails. Every trigger (a stream record, the timer, a person) ends in [`Delivery::deliver`].
//!
//! Look at the enquiry, decide about the auto-reply, then for each email in turn: take the lease, send, write down what
//! happened together with the lease of the next. Each of these writes is conditional on what was read, so two invocations
//! that deliver the same enquiry at once send nothing twice.

mod decision;
mod fallback;
mod links;
mod lists;
mod nightly;
mod own_emails;
mod report;
mod send;
mod sender;
mod standing;
mod sweep;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::email::TherapistEmail;
use crate::link::Links;
use crate::mail_state::{Deliveries, EmailKind, MailState, ResendRefused, SendOutcome};
use crate::practice::Practice;
use crate::record::{Event, Origin, Record};
use crate::ses::Ses;
use crate::settings::EmailSettings;
use crate::store::{Store, StoreError, Update};
use crate::telemetry;

use decision::{Booked, Decision};
use report::alarm;
pub use sweep::Swept;

/// What a send and the record of its outcome may take: no send is started with less time left.
const SEND_AND_RECORD: Duration = Duration::from_secs(9);
/// What may come before that: booking an auto-reply, taking the lease.
const NEEDED: Duration = Duration::from_secs(15);
/// How often one invocation tries an email that SES refuses because it comes too fast.
const TRIES: u32 = 3;

/// Why an enquiry was not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfinished {
    /// The table could not be read or written.
    Store(StoreError),
    /// There was no time left to start.
    OutOfTime,
    /// An email could not be sent now, or another invocation is sending it; it stays pending.
    Pending,
    /// SES refuses every email just now, about any enquiry; it stays pending.
    Refused,
    /// The code panicked; an alarm was raised.
    Panicked,
}

impl From<StoreError> for Unfinished {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Sends the emails of enquiries.
pub struct Delivery {
    store: Store,
    ses: Ses,
    practice: Arc<Practice>,
    settings: EmailSettings,
    links: Option<Links>,
    /// When enquiries were mailed because the table could not be written.
    fallbacks: Mutex<Vec<Timestamp>>,
    /// Whether it is known that the therapist marks what she has answered.
    marks: AtomicBool,
    /// Until when SES is taken to hold emails to the therapist back, or her mailbox to turn them away.
    unreached: Mutex<Option<Timestamp>>,
    /// Whether SES delivers to any address, and when it said so.
    production: Mutex<Option<(bool, Timestamp)>>,
}

/// A send whose outcome is not written down yet.
struct Attempt {
    kind: EmailKind,
    number: u32,
    outcome: SendOutcome,
}

impl Delivery {
    /// Delivers with these parts.
    #[must_use]
    pub fn new(
        store: Store,
        ses: Ses,
        practice: Arc<Practice>,
        settings: EmailSettings,
        links: Option<Links>,
    ) -> Self {
        Self {
            store,
            ses,
            practice,
            settings,
            links,
            fallbacks: Mutex::new(Vec::new()),
            unreached: Mutex::default(),
            marks: AtomicBool::new(false),
            production: Mutex::default(),
        }
    }

    /// Sends what is pending for this enquiry.
    ///
    /// # Errors
    /// When something stays pending: the sweep, or another try of the stream, goes on from there. A panic is an error, too, so
    /// that one enquiry never holds up the others.
    pub async fn deliver(&self, record: Record, clock: &Clock) -> Result<(), Unfinished> {
        let reference = record.received.reference.clone();
        guarded(reference.as_str(), self.work(record, clock)).await
    }

    async fn work(&self, mut record: Record, clock: &Clock) -> Result<(), Unfinished> {
        let received = record.received.clone();
        self.notice_held_back(&record, clock.now());
        // How often the client asked before is good to know; not knowing it stops no email.
        let earlier = if record.state.deliveries.therapist.is_pending() {
            let earlier = self.store.earlier(&received, TherapistEmail::EARLIER);
            earlier.await.unwrap_or_default()
        } else {
            Vec::new()
        };
        let sender = self.ask_sender(&record, clock).await;
        if let Some(rule) = sender {
            record.hear(rule);
        }
        // What this invocation does not try again, whether it has booked the auto-reply, and what it still has to write down.
        let links = self.desk_links(&record, clock).await;
        let mut tried = Vec::new();
        let mut booked = Booked::default();
        let mut attempt: Option<Attempt> = None;
        let mut refused = false;
        loop {
            let mut expected = record.clone();
            if let Some(attempt) = &attempt {
                attempt.record_in(&mut expected.state.deliveries, clock.now());
            }
            let out_of_time = clock.remaining() < NEEDED;
            let stops = out_of_time
                || !expected.state.deliveries.is_pending()
                || attempt.as_ref().is_some_and(Attempt::stops);
            let decision = if stops {
                Decision::None
            } else {
                match self.decide(&expected, &mut booked, clock).await {
                    Ok(decision) => decision,
                    Err(error) => {
                        // Sent without its booking, it could be the second one within the cool-down. It stays pending.
                        error.log(&received.reference);
                        tried.push(EmailKind::AutoReply);
                        Decision::None
                    }
                }
            };
            let mut except = tried.clone();
            if !booked.holds {
                except.push(EmailKind::AutoReply);
            }
            let (now, lease_until) = (clock.now(), clock.lease_until());
            let (mut claimed, mut overtaken) = (None, false);
            let change = |record: &mut Record| {
                let before = record.state.clone();
                if let Some(rule) = sender.filter(|_| !stops) {
                    record.hear(rule);
                }
                let is_judged_anew = record.state.verdict != expected.state.verdict;
                let deliveries = &mut record.state.deliveries;
                if let Some(attempt) = &attempt {
                    attempt.record_in(deliveries, now);
                }
                claimed = None;
                if record.state.withdrawn.is_some() {
                    deliveries.withdraw(now);
                }
                // What a person has said of the enquiry meanwhile is decided about anew.
                overtaken = is_judged_anew && decision.is_about_the_verdict(deliveries);
                if !stops && !overtaken {
                    decision.apply(deliveries, now);
                    claimed = deliveries.claim(received.received_at, now, lease_until, &except);
                }
                record.state != before
            };
            record = match self.write(record, attempt.is_some(), change, clock).await? {
                Update::Applied(record) | Update::Unchanged(record) => *record,
                // It was erased meanwhile, and so is what was booked for it just now.
                Update::Gone if booked.anew => {
                    return Ok(self.store.forget_booking(&received).await?);
                }
                Update::Gone => return Ok(()),
            };
            let deliveries = &record.state.deliveries;
            let Some(kind) = claimed else {
                // Another invocation has decided to send it: it is booked for this one before it leaves.
                let unbooked = matches!(deliveries.auto_reply, MailState::Pending { .. });
                let unbooked = unbooked && !booked.holds && !stops;
                if overtaken || unbooked && !tried.contains(&EmailKind::AutoReply) {
                    attempt = None;
                    continue;
                }
                // Nothing is pending, or what is pending waits for its time.
                if !deliveries.is_pending() || record.due() > now {
                    break;
                }
                let unfinished = if out_of_time {
                    Unfinished::OutOfTime
                } else if refused {
                    Unfinished::Refused
                } else {
                    Unfinished::Pending
                };
                return Err(unfinished);
            };
            let sent = self
                .send(&record, kind, &earlier, links.as_ref(), clock)
                .await;
            if matches!(
                sent.outcome,
                SendOutcome::NotSent | SendOutcome::Refused | SendOutcome::Ambiguous
            ) {
                tried.push(kind);
            }
            // A client's address may be refused alone: in the sandbox, it may not be verified.
            refused |= sent.outcome == SendOutcome::Refused && !kind.is_to_client();
            attempt = Some(sent);
        }
        Ok(self.store.complete(record, clock).await?)
    }

    /// Writes a change. What became of a send is sent again when it is not written down: then for as long as there is time.
    async fn write(
        &self,
        record: Record,
        must: bool,
        mut change: impl FnMut(&mut Record) -> bool,
        clock: &Clock,
    ) -> Result<Update, StoreError> {
        loop {
            let error = match self.store.update(record.clone(), clock, &mut change).await {
                Ok(update) => return Ok(update),
                Err(error) => error,
            };
            let pause = Duration::from_millis(300);
            if !must || !clock.wait(pause, Duration::from_secs(3)).await {
                return Err(error);
            }
        }
    }

    /// One email is pending once more, because an operator asked for it: the enquiry as it then is, nothing when it is gone.
    ///
    /// # Errors
    /// When the table cannot be written. Inside, when the email may not go again.
    pub async fn resend(
        &self,
        record: Record,
        kind: EmailKind,
        by: Origin,
        clock: &Clock,
    ) -> Result<Result<Option<Record>, ResendRefused>, StoreError> {
        let now = clock.now();
        let mut refused = None;
        let again = |record: &mut Record| {
            let deliveries = &mut record.state.deliveries;
            let pending = match kind {
                EmailKind::AutoReply => deliveries.resend_to_client(now),
                _ => deliveries.resend_to_therapist(now),
            };
            refused = pending.err();
            record.state.tell(now, Event::Resend { kind, by });
            refused.is_none()
        };
        let updated = self.store.update(record, clock, again).await?;
        Ok(match (updated, refused) {
            (_, Some(refused)) => Err(refused),
            (Update::Applied(record) | Update::Unchanged(record), None) => Ok(Some(*record)),
            (Update::Gone, None) => Ok(None),
        })
    }
}

/// What this work comes to; a panic is told by an alarm.
async fn guarded(
    name: &str,
    work: impl Future<Output = Result<(), Unfinished>>,
) -> Result<(), Unfinished> {
    // Boxed, since the SDK's futures are large and deeply nested.
    AssertUnwindSafe(Box::pin(work))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            telemetry::record_parked(Some(name), None, "Panic");
            Err(Unfinished::Panicked)
        })
}

impl Attempt {
    fn record_in(&self, deliveries: &mut Deliveries, now: Timestamp) {
        deliveries.record(self.kind, self.number, &self.outcome, now);
    }

    /// Whether nothing more is sent by this invocation: a service that does not answer would cost the client the auto-reply,
    /// so better a later one. But an email that never gets an answer must not hold it up for ever.
    fn stops(&self) -> bool {
        self.kind == EmailKind::Therapist
            && self.outcome == SendOutcome::Ambiguous
            && self.number <= TRIES
    }
}
