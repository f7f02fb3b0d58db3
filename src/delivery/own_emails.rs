//! The emails that belong to no enquiry's state: each is an item of its own, due at its time, and written when it is sent.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::error;

use super::{Delivery, NEEDED, Unfinished, alarm, guarded};
use crate::clock::Clock;
use crate::email::{
    ClientAction, ClientActionEmail, Email, HealthEmail, PracticeChangedEmail, SuspectedCountEmail,
};
use crate::enquiry::Reference;
use crate::link::Links;
use crate::mail_state::{EmailKind, Report, SendOutcome};
use crate::record::{OwnEmail, OwnEmailId, Record};
use crate::store::StoreError;

/// How long after the end of an hour its number is told: one that was counted on a machine whose clock is behind is among them.
const COUNTED_BY: SignedDuration = SignedDuration::from_mins(2);
/// So many suspected enquiries an hour are mailed one by one: the therapist is told how many more there were.
const SUSPECTED_AN_HOUR: u32 = 30;

impl Delivery {
    /// Sends an email of its own.
    ///
    /// # Errors
    /// When it stays pending.
    pub(super) async fn deliver_own(
        &self,
        id: &OwnEmailId,
        clock: &Clock,
    ) -> Result<(), Unfinished> {
        guarded(&id.to_string(), self.work_own(id, clock)).await
    }

    async fn work_own(&self, id: &OwnEmailId, clock: &Clock) -> Result<(), Unfinished> {
        if clock.remaining() < NEEDED {
            return Err(Unfinished::OutOfTime);
        }
        let Some(mut email) = self.store.own_email(id).await? else {
            return Ok(());
        };
        let now = clock.now();
        let Some(attempt) = email.delivery.claim(now, clock.lease_until()) else {
            return if email.delivery.state.is_pending() {
                Err(Unfinished::Pending)
            } else {
                Ok(())
            };
        };
        let claimed = self.store.change_own_email(email, now);
        let Some(email) = claimed.await? else {
            return Err(Unfinished::Pending);
        };
        let outcome = match self.write_own(id, clock.now()).await? {
            Some(mut written) => {
                written.about = Some(id.tag());
                Some(self.send_email(&written, attempt, clock).await)
            }
            None => None,
        };
        if matches!(outcome, Some(SendOutcome::Permanent { .. })) {
            error!(alarm = "email_refused", kind = %id.kind, "SES refuses this email");
        }
        let change = |email: &mut OwnEmail| match &outcome {
            Some(outcome) => email.delivery.record(attempt, outcome, clock.now()),
            None => {
                email.delivery.withhold();
                true
            }
        };
        let email = self.change_own(email, true, change, clock).await?;
        let is_pending = email.is_some_and(|it| it.delivery.state.is_pending());
        match outcome {
            _ if !is_pending => Ok(()),
            Some(SendOutcome::Refused) => Err(Unfinished::Refused),
            _ => Err(Unfinished::Pending),
        }
    }

    /// Changes an email of its own: again when another invocation came first. What became of a send is sent again when it is not written
    /// down: then for as long as there is time. Returns the email as it then is, when it was changed.
    async fn change_own(
        &self,
        mut email: OwnEmail,
        must: bool,
        change: impl Fn(&mut OwnEmail) -> bool,
        clock: &Clock,
    ) -> Result<Option<OwnEmail>, StoreError> {
        loop {
            let mut next = email.clone();
            if !change(&mut next) {
                return Ok(None);
            }
            let written = match self.store.change_own_email(next, clock.now()).await {
                Ok(None) => self.store.own_email(&email.id).await.map(Err),
                written => written.map(Ok),
            };
            match written {
                Ok(Ok(changed)) => return Ok(changed),
                Ok(Err(Some(current))) => email = current,
                Ok(Err(None)) => return Ok(None),
                Err(error) => {
                    let pause = Duration::from_millis(300);
                    if !must || !clock.wait(pause, Duration::from_secs(3)).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Records what SES reports about an email of its own: one that SES took and did not deliver is sent again.
    ///
    /// # Errors
    /// When the table could not be read or written: the same report then comes again.
    pub async fn report_own(
        &self,
        id: &OwnEmailId,
        report: Report,
        message_id: &str,
        clock: &Clock,
    ) -> Result<(), StoreError> {
        self.remember(report);
        let Some(email) = self.store.own_email(id).await? else {
            return Ok(());
        };
        let change = |email: &mut OwnEmail| email.delivery.report(report, message_id, clock.now());
        if change(&mut email.clone()) {
            alarm(None, id.kind, report, &email.delivery.as_notice());
        }
        self.change_own(email, false, change, clock).await?;
        Ok(())
    }

    /// The email as of now; nothing when there is nothing to tell any more.
    async fn write_own(
        &self,
        id: &OwnEmailId,
        now: Timestamp,
    ) -> Result<Option<Email>, StoreError> {
        let (practice, to) = (&self.practice, &self.settings.therapist);
        match id.kind {
            EmailKind::SuspectedCount => {
                let count = self.store.suspected(&id.about).await?;
                let email = begin_of(&id.about).filter(|_| count > 0).map(|begin| {
                    SuspectedCountEmail {
                        practice,
                        to,
                        begin,
                        mailed: SUSPECTED_AN_HOUR,
                        count,
                    }
                    .into_email()
                });
                Ok(email)
            }
            EmailKind::MorningList => match id.about.parse() {
                Ok(day) => self.morning_list(day, now).await,
                Err(_) => Ok(None),
            },
            EmailKind::Weekly => match id.about.parse() {
                Ok(monday) => self.weekly(monday, now).await.map(Some),
                Err(_) => Ok(None),
            },
            EmailKind::Reminder => match Reference::parse(&id.about) {
                Ok(reference) => self.reminder(&reference, now).await,
                Err(_) => Ok(None),
            },
            EmailKind::Withdrawn
            | EmailKind::Kept
            | EmailKind::Disowned
            | EmailKind::DataComplaint => self.client_action(id).await,
            EmailKind::PracticeChanged => {
                let saved = self.store.practice().await?;
                // One that was asked for in the hour before may have been changed once more since.
                let since = begin_of(&id.about).map(|begin| begin - SignedDuration::from_hours(1));
                let mut changed: Vec<_> = saved
                    .map(|it| it.changed)
                    .unwrap_or_default()
                    .into_iter()
                    .collect();
                changed.retain(|(_, at)| since.is_some_and(|since| *at >= since));
                let email = PracticeChangedEmail {
                    practice,
                    to,
                    changed: &changed,
                };
                Ok((!changed.is_empty()).then(|| email.into_email()))
            }
            EmailKind::Health => {
                let link = self.links.as_ref().map(Links::health);
                let health = self.store.health().await?;
                Ok(health.and_then(|health| {
                    HealthEmail {
                        practice,
                        to,
                        health: &health,
                        link: link.as_deref(),
                    }
                    .into_email()
                }))
            }
            EmailKind::Therapist
            | EmailKind::AutoReply
            | EmailKind::Notice
            | EmailKind::Fallback
            | EmailKind::Probe
            | EmailKind::SignIn => Ok(None),
        }
    }

    /// The email about what a client did; nothing when that does not stand any more.
    async fn client_action(&self, id: &OwnEmailId) -> Result<Option<Email>, StoreError> {
        let Some((reference, at)) = id.enquiry() else {
            return Ok(None);
        };
        let record = self.store.load(&reference).await?;
        let erased_at = record.as_ref().and_then(Record::erased_at);
        let action = match (id.kind, &record, erased_at) {
            // Her mailbox has a copy, also when the table has none any more.
            (EmailKind::Withdrawn, None, _) | (EmailKind::Withdrawn, _, Some(_)) => {
                ClientAction::Withdrawn { erased_at }
            }
            (EmailKind::Kept, Some(_), None) => ClientAction::Kept,
            (EmailKind::Disowned, Some(record), None) if record.state.disowned => {
                ClientAction::Disowned
            }
            // Who complained is owed an answer, also when the enquiry has been erased since.
            (EmailKind::DataComplaint, None, _) => ClientAction::DataComplaint { noted_at: at },
            (EmailKind::DataComplaint, Some(record), _)
                if record.state.data_complaint == Some(at) =>
            {
                ClientAction::DataComplaint { noted_at: at }
            }
            _ => return Ok(None),
        };
        let phone = record
            .as_ref()
            .and_then(|it| it.received.enquiry.phone.as_ref());
        let email = ClientActionEmail {
            practice: &self.practice,
            to: &self.settings.therapist,
            reference: &reference,
            phone,
            action,
        };
        Ok(Some(email.into_email()))
    }

    /// Counts a suspected enquiry that is about to be mailed. Returns whether the therapist is told of it by a number only:
    /// then the email that tells the number is due at the end of the hour. When that cannot be written, it is mailed.
    pub(super) async fn is_counted(&self, reference: &Reference, clock: &Clock) -> bool {
        let now = clock.now();
        let hour = now.strftime("%Y-%m-%dT%H").to_string();
        let counted = self.store.count_suspected(&hour, SUSPECTED_AN_HOUR, now);
        let end = begin_of(&hour).map(|begin| begin + SignedDuration::from_hours(1));
        let due = end.map(|end| end + COUNTED_BY);
        match (counted.await, due) {
            (Ok(false), Some(due)) => {
                let id = OwnEmailId {
                    kind: EmailKind::SuspectedCount,
                    about: hour,
                };
                let scheduled = self.store.schedule(&id, due).await;
                scheduled.inspect_err(|error| error.log(reference)).is_ok()
            }
            (Ok(_), _) => false,
            (Err(error), _) => {
                error.log(reference);
                false
            }
        }
    }
}

/// When an hour begins, such as `2026-11-28T14` in UTC.
fn begin_of(hour: &str) -> Option<Timestamp> {
    format!("{hour}:00:00Z").parse().ok()
}
