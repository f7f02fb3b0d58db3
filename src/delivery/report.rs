//! What SES reports about an email, recorded on its enquiry; and the alarm that a report about one to the therapist raises.

use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use tracing::field::display;
use tracing::{error, warn};

use super::Delivery;
use crate::clock::Clock;
use crate::enquiry::Reference;
use crate::mail_state::{Deliveries, EmailKind, Report};
use crate::record::{Event, Record};
use crate::store::{StoreError, Update};

/// For how long an enquiry that SES has held back counts: it is sent again each hour.
const HELD_BACK: SignedDuration = SignedDuration::from_hours(2);

impl Delivery {
    /// Records what SES reports about an email, and sends what is pending because of it: an auto-reply that bounced makes a
    /// notice to the therapist, and its address gets no further auto-reply.
    ///
    /// # Errors
    /// When the table could not be read or written: the same report may then come again, and changes nothing that was
    /// recorded.
    pub async fn report(
        &self,
        reference: &Reference,
        kind: EmailKind,
        report: Report,
        message_id: &str,
        why: Option<&str>,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        if !kind.is_to_client() {
            self.remember(report);
        }
        if kind == EmailKind::Fallback {
            // No item keeps its state, so that nothing but an alarm tells of it.
            alarm(Some(reference), kind, report, &Deliveries::new());
        }
        let record = match self.store.load(reference).await {
            // There is nothing to record, and coming again it would only raise the alarm again.
            Err(_) if kind == EmailKind::Fallback => None,
            loaded => loaded?,
        };
        let Some(record) = record else {
            return Ok(());
        };
        // What can be repeated without harm comes first: when something later fails, the same report comes again.
        if kind == EmailKind::AutoReply && report.is_final() {
            self.store.never_reply_to(&record.received, clock).await?;
        }
        let now = clock.now();
        let before = &record.state.deliveries;
        if before.clone().report(kind, report, message_id, now) {
            alarm(Some(reference), kind, report, before);
        }
        let record_report = |record: &mut Record| {
            let deliveries = &mut record.state.deliveries;
            let is_new = deliveries.report(kind, report, message_id, now);
            if is_new {
                let why = why.map(str::to_owned);
                record
                    .state
                    .tell(now, Event::Reported { kind, report, why });
            }
            if record.state.withdrawn.is_some() {
                record.state.deliveries.withdraw(now);
            }
            is_new
        };
        match self.store.update(record, clock, record_report).await? {
            Update::Applied(record) | Update::Unchanged(record) if record.indexed => {
                // A notice that cannot be sent now stays pending, and the sweep goes on.
                let _ = self.deliver(*record, clock).await;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Delivery {
    /// Keeps in mind whether the therapist was reached lately: the way past the table asks.
    pub(super) fn remember(&self, report: Report) {
        let unreached = match report {
            Report::Suppressed | Report::Bounced { transient: false } => Some(Timestamp::MAX),
            Report::Delivered => None,
            _ => return,
        };
        *self
            .unreached
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = unreached;
    }

    /// The same for an environment that heard no report: an enquiry that SES has held back is sent again each hour, and whichever
    /// environment takes it up knows for two.
    pub(super) fn notice_held_back(&self, record: &Record, now: Timestamp) {
        if !record.state.deliveries.is_held_back() {
            return;
        }
        let mut unreached = self
            .unreached
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *unreached = Some(unreached.unwrap_or_default().max(now + HELD_BACK));
    }

    /// Whether an email to the therapist that SES takes now is likely to be held back.
    pub(super) fn is_unreached(&self, now: Timestamp) -> bool {
        let unreached = self
            .unreached
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unreached.is_some_and(|until| now < until)
    }
}

/// The alarm that a new report about an email to the therapist raises, by what was known of her emails before.
pub(super) fn alarm(
    reference: Option<&Reference>,
    kind: EmailKind,
    report: Report,
    before: &Deliveries,
) {
    if kind == EmailKind::AutoReply {
        return;
    }
    let reference = reference.map(display);
    match report {
        Report::Delivered => {}
        Report::Delayed => {
            error!(alarm = "therapist_delayed", reference, %kind, "the therapist's mailbox has not taken an email yet");
        }
        Report::Suppressed => {
            error!(alarm = "therapist_suppressed", reference, %kind, "SES holds back an email to the therapist, whose address is on a suppression list");
        }
        // It may have been an automatic answer: the email is sent again unless a delivery is reported, and a second one tells.
        Report::Bounced { transient: true } if kind != EmailKind::Fallback && !before.came_back => {
            warn!(reference, %kind, "an email to the therapist came back for now, or was answered by a machine");
        }
        Report::Rejected if kind == EmailKind::Therapist && !before.bare => {
            warn!(reference, %kind, "SES has rejected an email to the therapist: it goes once more without the client's words");
        }
        Report::Rejected => {
            error!(alarm = "email_refused", reference, %kind, "SES has rejected every form of this email");
        }
        Report::Bounced { .. } | Report::Complained => {
            error!(alarm = "therapist_unreachable", reference, %kind, "the therapist's mailbox turned an email away");
        }
    }
}
