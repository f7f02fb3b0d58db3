//! Whether the client gets an auto-reply: decided once, before the therapist's email is written, which reports it.

use jiff::Timestamp;

use super::{Delivery, NEEDED};
use crate::clock::Clock;
use crate::enquiry::Reference;
use crate::mail_state::{Deliveries, MailState, Withheld};
use crate::record::{KnownSender, Record};
use crate::spam::Verdict;
use crate::store::{AutoReplyQuota, StoreError};

/// What is to be written about the auto-reply.
pub(super) enum Decision {
    /// Nothing.
    None,
    /// Whether it is sent or withheld, decided for the first time.
    First(Option<Withheld>),
    /// It was to be sent, and is not any more.
    Withhold(Withheld),
    /// The therapist is told of a suspected enquiry by a number only, and the client gets none.
    Count,
}

/// Whether the auto-reply is booked for what leaves before this invocation's deadline.
#[derive(Default)]
pub(super) struct Booked {
    pub(super) holds: bool,
    /// This invocation has booked it: no earlier one did, which may have sent it.
    pub(super) anew: bool,
}

impl Delivery {
    /// Decides about the auto-reply, once. What another invocation decided and did not send is booked again before it
    /// leaves: a booking is for what leaves before the deadline of the invocation that made it, so that the cool-down runs
    /// from the send.
    ///
    /// # Errors
    /// When it could not be booked once more: then it must not leave now.
    pub(super) async fn decide(
        &self,
        record: &Record,
        booked: &mut Booked,
        clock: &Clock,
    ) -> Result<Decision, StoreError> {
        let deliveries = &record.state.deliveries;
        if !deliveries.decided {
            let reference = &record.received.reference;
            let suspected = record.state.verdict == Verdict::Suspect;
            let is_first = suspected && !self.was_taken_up(reference).await;
            if is_first && self.is_counted(reference, clock).await {
                return Ok(Decision::Count);
            }
            let withheld = self.withheld(record, booked, clock).await;
            return Ok(Decision::First(withheld));
        }
        if booked.holds || !matches!(deliveries.auto_reply, MailState::Pending { .. }) {
            return Ok(Decision::None);
        }
        if record.received.is_late(clock.now()) {
            return Ok(Decision::Withhold(Withheld::Late));
        }
        if self.is_sandboxed(clock.now()).await {
            return Ok(Decision::Withhold(Withheld::Sandbox));
        }
        let withheld = self.book(record, booked, clock).await?;
        Ok(withheld.map_or(Decision::None, Decision::Withhold))
    }

    /// Whether this was decided already, of a record that the stream may bring again as it came in: counting is done once.
    async fn was_taken_up(&self, reference: &Reference) -> bool {
        let now = self.store.load(reference).await;
        now.is_ok_and(|now| now.is_none_or(|now| now.state.deliveries.decided))
    }

    /// Whether the auto-reply is withheld, and why. What is known of the enquiry alone comes first; then the auto-reply is
    /// booked, so that one address gets one within the cool-down, however many enquiries name it.
    async fn withheld(
        &self,
        record: &Record,
        booked: &mut Booked,
        clock: &Clock,
    ) -> Option<Withheld> {
        let address = &record.received.enquiry.email;
        let own = [&self.settings.therapist, &self.settings.sender];
        if record.state.verdict == Verdict::Suspect {
            Some(Withheld::Suspect)
        } else if own.iter().any(|own| own.canonical() == address.canonical()) {
            Some(Withheld::OwnAddress)
        } else if !address.is_carried() {
            Some(Withheld::Unsendable)
        } else if address.is_role() {
            Some(Withheld::RoleAddress)
        } else if self.is_sandboxed(clock.now()).await {
            Some(Withheld::Sandbox)
        } else if record.uncounted || record.state.sender == KnownSender::NotAsked {
            Some(Withheld::CountersUnavailable)
        } else if record.received.is_late(clock.now()) {
            Some(Withheld::Late)
        } else {
            self.book(record, booked, clock)
                .await
                .unwrap_or_else(|error| {
                    error.log(&record.received.reference);
                    Some(Withheld::CountersUnavailable)
                })
        }
    }

    /// Books the auto-reply; or says why it may not leave.
    async fn book(
        &self,
        record: &Record,
        booked: &mut Booked,
        clock: &Clock,
    ) -> Result<Option<Withheld>, StoreError> {
        let quota = self
            .store
            .book_auto_reply(&record.received, NEEDED, clock)
            .await?;
        booked.anew |= quota == AutoReplyQuota::Booked;
        booked.holds = matches!(quota, AutoReplyQuota::Booked | AutoReplyQuota::Prolonged);
        Ok(match quota {
            AutoReplyQuota::Booked | AutoReplyQuota::Prolonged => None,
            AutoReplyQuota::CoolDown => Some(Withheld::CoolDown),
            AutoReplyQuota::Undeliverable => Some(Withheld::Undeliverable),
            AutoReplyQuota::DailyCap => Some(Withheld::DailyCap),
        })
    }
}

impl Decision {
    /// Whether it is a first one, which follows from the verdict.
    pub(super) const fn is_about_the_verdict(&self, deliveries: &Deliveries) -> bool {
        matches!(self, Self::First(_) | Self::Count) && !deliveries.decided
    }

    pub(super) fn apply(&self, deliveries: &mut Deliveries, now: Timestamp) {
        match self {
            Self::None => {}
            Self::First(withheld) => deliveries.decide(*withheld),
            Self::Withhold(reason) => deliveries.withhold(*reason, now),
            Self::Count => deliveries.count(),
        }
    }
}
