//! The emails of one enquiry together: which one is next, and what the outcome of one means for the others.
//!
//! One file because every transition is a rule about the same three states.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{EmailKind, MailState, Report, ResendRefused, SendOutcome, Withheld};

/// After this time an auto-reply that is still pending is withheld.
const TOO_LATE: SignedDuration = SignedDuration::from_hours(24);
/// When an email to the therapist is sent again that SES took and did not deliver, or refused in every form.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// For how long an email to the therapist is tried that SES refuses in every form.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(24);

/// The emails of one enquiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    pub therapist: MailState,
    /// To the client; decided before the therapist's email is written, which reports it.
    pub auto_reply: MailState,
    /// To the therapist, about an auto-reply that did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<MailState>,
    /// Whether to send or to withhold the auto-reply was decided.
    #[serde(default)]
    pub decided: bool,
    /// Since when something is pending, where that is later than the enquiry itself: a release, or a notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_since: Option<Timestamp>,
    /// The last email to the therapist that SES took and did not deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
    /// An email to the therapist came back for now, and none was delivered since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub came_back: bool,
    /// SES has rejected the words of the enquiry: the therapist's email goes without them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bare: bool,
    /// Since when SES refuses every form of an email to the therapist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Timestamp>,
    /// The email to the therapist in whose place a person has another one sent: what SES still reports of it changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
}

impl Deliveries {
    /// What is pending for a new enquiry.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            therapist: MailState::NEW,
            auto_reply: MailState::NEW,
            notice: None,
            decided: false,
            pending_since: None,
            returned: None,
            came_back: false,
            bare: false,
            refused_since: None,
            replaced: None,
        }
    }

    /// The state of one email; a notice that was never needed has none.
    #[must_use]
    pub const fn of(&self, kind: EmailKind) -> Option<&MailState> {
        match kind {
            EmailKind::Therapist => Some(&self.therapist),
            EmailKind::AutoReply => Some(&self.auto_reply),
            EmailKind::Notice => self.notice.as_ref(),
            _ => None,
        }
    }

    /// The state of each email that the enquiry has or had, in the order in which they are sent.
    pub fn states(&self) -> impl Iterator<Item = (EmailKind, &MailState)> {
        EmailKind::ALL
            .iter()
            .filter_map(|kind| Some((*kind, self.of(*kind)?)))
    }

    /// Whether anything has to be sent.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.is_pending_for_therapist() || self.auto_reply.is_pending()
    }

    /// When the first of its emails is due.
    #[must_use]
    pub fn due(&self, received_at: Timestamp) -> Timestamp {
        let since = self.pending_since.unwrap_or(received_at);
        let due = self.states().filter_map(|(_, state)| match state {
            MailState::Pending { after, .. } => Some(after.unwrap_or(since)),
            MailState::Sending { .. } => Some(since),
            _ => None,
        });
        due.min().unwrap_or(since)
    }

    /// Whether the therapist has still to hear something.
    #[must_use]
    pub fn is_pending_for_therapist(&self) -> bool {
        self.therapist.is_pending() || self.notice.as_ref().is_some_and(MailState::is_pending)
    }

    /// Whether SES took the last email to the therapist and dropped it, for her address's sake: not when it may have been an automatic
    /// answer, or for the words.
    #[must_use]
    pub const fn is_held_back(&self) -> bool {
        self.returned.is_some() && !self.came_back && !self.bare && self.therapist.is_pending()
    }

    /// Records the decision about the auto-reply, once.
    pub fn decide(&mut self, withheld: Option<Withheld>) {
        if self.decided {
            return;
        }
        self.decided = true;
        if let (Some(reason), true) = (withheld, self.auto_reply.is_pending()) {
            self.auto_reply = MailState::Withheld { reason };
        }
    }

    /// The client has withdrawn the enquiry: nothing that is pending leaves, except what is being sent at this moment.
    pub fn withdraw(&mut self, now: Timestamp) {
        let withdrawn = MailState::Withheld {
            reason: Withheld::Withdrawn,
        };
        self.decided = true;
        self.notice.take_if(|notice| notice.is_free(now));
        for state in [&mut self.therapist, &mut self.auto_reply] {
            if state.is_free(now) {
                *state = withdrawn.clone();
            }
        }
    }

    /// The client keeps the enquiry that was withdrawn: the therapist reads it after all.
    pub fn keep(&mut self, now: Timestamp) {
        let withdrawn = MailState::Withheld {
            reason: Withheld::Withdrawn,
        };
        if self.therapist == withdrawn {
            self.therapist = MailState::NEW;
            self.pending_since = Some(now);
        }
    }

    /// The therapist is told of this suspected enquiry by a number only, and the client gets no auto-reply.
    pub fn count(&mut self) {
        if self.decided {
            return;
        }
        self.decide(Some(Withheld::Suspect));
        if self.therapist.is_pending() {
            self.therapist = MailState::Withheld {
                reason: Withheld::Counted,
            };
        }
    }

    /// Withholds an auto-reply that was to be sent: between the decision and the send something came in between.
    pub fn withhold(&mut self, reason: Withheld, now: Timestamp) {
        if let MailState::Pending { .. } = self.auto_reply {
            self.auto_reply = MailState::Withheld { reason };
            self.update_notice(now);
        }
    }

    /// Makes the auto-reply pending again that was withheld because the enquiry looked like spam; it is decided about anew.
    ///
    /// Returns whether there was one.
    pub fn release(&mut self, now: Timestamp) -> bool {
        let withheld = MailState::Withheld {
            reason: Withheld::Suspect,
        };
        if self.auto_reply != withheld {
            return false;
        }
        self.auto_reply = MailState::NEW;
        self.decided = false;
        self.pending_since = Some(now);
        true
    }

    /// Withholds an auto-reply that has not left because a person calls the enquiry spam. That needs no notice: who says so
    /// knows it.
    pub fn suspect(&mut self) {
        if let MailState::Pending { .. } = self.auto_reply {
            self.decided = true;
            self.auto_reply = MailState::Withheld {
                reason: Withheld::Suspect,
            };
        }
    }

    /// Makes the therapist's email pending once more, as a new attempt: a copy too many does no harm.
    ///
    /// # Errors
    /// When it is still pending anyway.
    pub fn resend_to_therapist(&mut self, now: Timestamp) -> Result<(), ResendRefused> {
        if self.therapist.is_pending() {
            return Err(ResendRefused::Pending);
        }
        if !self.is_pending() {
            self.pending_since = Some(now);
        }
        let replaced = self.therapist.message_id().cloned();
        self.replaced = replaced.filter(|id| !id.is_empty());
        self.therapist = MailState::NEW;
        Ok(())
    }

    /// Makes the auto-reply pending once more, if it certainly never left; it is decided about anew, with all the limits of a
    /// first one.
    ///
    /// # Errors
    /// When it left, may have left, or would be withheld for the same reason again.
    pub fn resend_to_client(&mut self, now: Timestamp) -> Result<(), ResendRefused> {
        if self.is_pending() {
            return Err(ResendRefused::Pending);
        }
        match &self.auto_reply {
            MailState::Failed { .. }
            | MailState::Withheld {
                reason:
                    Withheld::Sandbox
                    | Withheld::CoolDown
                    | Withheld::DailyCap
                    | Withheld::CountersUnavailable
                    | Withheld::Late,
            } => {}
            MailState::Withheld {
                reason: Withheld::Suspect,
            } => return Err(ResendRefused::Suspect),
            MailState::Withheld {
                reason: Withheld::OwnAddress | Withheld::RoleAddress,
            } => return Err(ResendRefused::NoPerson),
            MailState::Withheld {
                reason: Withheld::Unsendable,
            } => return Err(ResendRefused::Unsendable),
            MailState::Withheld {
                reason: Withheld::Counted | Withheld::Withdrawn,
            } => return Err(ResendRefused::Withdrawn),
            MailState::Withheld {
                reason: Withheld::Undeliverable,
            }
            | MailState::Bounced { .. }
            | MailState::Complained { .. } => return Err(ResendRefused::CameBack),
            MailState::Unknown { .. } => return Err(ResendRefused::MayHaveLeft),
            MailState::Sent { .. } | MailState::Delivered { .. } => {
                return Err(ResendRefused::Left);
            }
            MailState::Pending { .. } | MailState::Sending { .. } => {
                return Err(ResendRefused::Pending);
            }
        }
        self.auto_reply = MailState::NEW;
        self.decided = false;
        self.pending_since = Some(now);
        Ok(())
    }

    /// The email to send next at this time, with its lease taken: the therapist first, then the client, then a notice.
    /// An auto-reply whose lease ran out is never tried again, since it may have left; `except` are emails that this
    /// invocation has tried already.
    pub fn claim(
        &mut self,
        received_at: Timestamp,
        now: Timestamp,
        until: Timestamp,
        except: &[EmailKind],
    ) -> Option<EmailKind> {
        self.give_up(received_at, now);
        for kind in EmailKind::ALL.iter().copied() {
            let state = self.slot(kind).filter(|_| !except.contains(&kind));
            if state.is_some_and(|state| state.claim(now, until).is_some()) {
                return Some(kind);
            }
        }
        None
    }

    /// Records what became of an attempt; an attempt that is not the current one changes nothing.
    ///
    /// Returns whether it was recorded.
    pub fn record(
        &mut self,
        kind: EmailKind,
        attempt: u32,
        outcome: &SendOutcome,
        now: Timestamp,
    ) -> bool {
        if !matches!(self.of(kind), Some(MailState::Sending { attempt: current, .. }) if *current == attempt)
        {
            return false;
        }
        let pending = |after| MailState::Pending {
            attempts: attempt,
            after,
        };
        let refused =
            kind != EmailKind::AutoReply && matches!(outcome, SendOutcome::Permanent { .. });
        let since = if refused {
            *self.refused_since.get_or_insert(now)
        } else {
            now
        };
        if kind != EmailKind::AutoReply && matches!(outcome, SendOutcome::Accepted { .. }) {
            self.refused_since = None;
        }
        let next = match (outcome, kind) {
            // Its report has come before its answer.
            (SendOutcome::Accepted { message_id }, kind)
                if kind != EmailKind::AutoReply && self.returned.as_ref() == Some(message_id) =>
            {
                pending((!self.bare).then(|| now + AGAIN))
            }
            (SendOutcome::Accepted { message_id }, _) => MailState::Sent {
                message_id: message_id.clone(),
                at: now,
                delayed_since: None,
            },
            (SendOutcome::NotSent | SendOutcome::Refused, _) => pending(None),
            (SendOutcome::Permanent { .. }, _)
                if refused && now.duration_since(since) < GIVE_UP =>
            {
                pending(Some(now + AGAIN))
            }
            (SendOutcome::Permanent { reason }, _) => MailState::Failed {
                reason: reason.clone(),
                at: now,
            },
            (SendOutcome::Ambiguous, EmailKind::AutoReply) => MailState::Unknown { at: now },
            (SendOutcome::Ambiguous, _) => pending(None),
        };
        if let Some(state) = self.slot(kind) {
            *state = next;
        }
        if kind == EmailKind::AutoReply {
            self.update_notice(now);
        }
        true
    }

    /// Records what SES reports, in rank: a report about another copy, a lower one, a repeated one, and a transient
    /// bounce after the delivery change nothing. A report also settles an email of which it was unknown whether it left.
    ///
    /// Returns whether it was recorded.
    pub fn report(
        &mut self,
        kind: EmailKind,
        report: Report,
        message_id: &str,
        at: Timestamp,
    ) -> bool {
        if kind == EmailKind::Therapist && self.replaced.as_deref() == Some(message_id) {
            return false;
        }
        let Some(state) = self.slot(kind) else {
            return false;
        };
        let Some(rank) = state.rank() else {
            return false;
        };
        // SES may have named no id when it took the email; then any report of this email is about it.
        let known = state.message_id().filter(|known| !known.is_empty());
        if known.is_some_and(|known| known != message_id) {
            return false;
        }
        if report == Report::Delayed {
            return state.delay(at);
        }
        let again = match report {
            Report::Suppressed | Report::Bounced { transient: true } => true,
            Report::Rejected => kind == EmailKind::Therapist,
            _ => false,
        };
        if again && kind != EmailKind::AutoReply && rank == 0 {
            return self.send_again(kind, report, message_id, at);
        }
        let message_id = message_id.to_owned();
        let next = match report {
            Report::Delivered => MailState::Delivered { message_id, at },
            Report::Bounced { transient } => MailState::Bounced {
                message_id,
                at,
                transient,
            },
            Report::Complained => MailState::Complained { message_id, at },
            Report::Rejected if rank == 0 => MailState::Failed {
                reason: "Reject".to_owned(),
                at,
            },
            Report::Suppressed if rank == 0 => MailState::Failed {
                reason: "Suppressed".to_owned(),
                at,
            },
            Report::Rejected | Report::Suppressed | Report::Delayed => return false,
        };
        if next.rank().is_some_and(|next| next <= rank) {
            return false;
        }
        *state = next;
        if kind == EmailKind::AutoReply {
            self.update_notice(at);
        } else if report == Report::Delivered {
            self.came_back = false;
        }
        true
    }

    /// SES took an email to the therapist and did not deliver it: it is sent again, later, or without the words that SES
    /// rejected. Should a delivery of it be reported all the same by then, it is not.
    ///
    /// Returns whether this was new.
    fn send_again(
        &mut self,
        kind: EmailKind,
        report: Report,
        message_id: &str,
        at: Timestamp,
    ) -> bool {
        if self.returned.as_deref() == Some(message_id) {
            return false;
        }
        let rejected = report == Report::Rejected;
        // A copy with the words: the one without them has not left yet.
        let is_unsent = matches!(self.therapist, MailState::Pending { attempts: 0, .. });
        if rejected && self.bare && is_unsent {
            return false;
        }
        let next = if rejected && self.bare {
            MailState::Failed {
                reason: "Reject".to_owned(),
                at,
            }
        } else {
            MailState::Pending {
                attempts: 0,
                after: (!rejected).then(|| at + AGAIN),
            }
        };
        self.bare |= rejected;
        self.came_back |= matches!(report, Report::Bounced { .. });
        self.returned = Some(message_id.to_owned());
        // One that is being sent is told apart by its name, when that is known.
        if let Some(state) = self.slot(kind)
            && !matches!(state, MailState::Sending { .. })
        {
            *state = next;
        }
        true
    }

    fn give_up(&mut self, received_at: Timestamp, now: Timestamp) {
        match &self.auto_reply {
            MailState::Sending { until, .. } if *until <= now => {
                self.auto_reply = MailState::Unknown { at: now }
            }
            MailState::Pending { .. }
                if now.duration_since(self.pending_since.unwrap_or(received_at)) > TOO_LATE =>
            {
                self.auto_reply = MailState::Withheld {
                    reason: Withheld::Late,
                };
            }
            _ => return,
        }
        self.update_notice(now);
    }

    /// The auto-reply has just changed. The therapist's email said that it is on its way: when it comes to nothing
    /// afterwards, a notice is pending, once. An email that is still to be written reports it by itself.
    fn update_notice(&mut self, now: Timestamp) {
        let came_to_nothing = matches!(
            self.auto_reply,
            MailState::Failed { .. }
                | MailState::Unknown { .. }
                | MailState::Bounced { .. }
                | MailState::Complained { .. }
                | MailState::Withheld { .. }
        );
        let was_told_otherwise =
            self.returned.is_some() || !matches!(self.therapist, MailState::Pending { .. });
        // What may be an automatic reply is told when no delivery was reported by then.
        let perhaps = matches!(
            self.auto_reply,
            MailState::Bounced {
                transient: true,
                ..
            }
        );
        if came_to_nothing && was_told_otherwise && self.notice.is_none() {
            self.notice = Some(MailState::NEW);
            self.pending_since = Some(now);
        }
        if came_to_nothing && let Some(MailState::Pending { after, .. }) = &mut self.notice {
            *after = perhaps.then(|| now + AGAIN);
        }
        // It has arrived after all, before the therapist read that it had not.
        let arrived = matches!(self.auto_reply, MailState::Delivered { .. });
        if arrived && matches!(self.notice, Some(MailState::Pending { .. })) {
            self.notice = None;
        }
    }

    const fn slot(&mut self, kind: EmailKind) -> Option<&mut MailState> {
        match kind {
            EmailKind::Therapist => Some(&mut self.therapist),
            EmailKind::AutoReply => Some(&mut self.auto_reply),
            EmailKind::Notice => self.notice.as_mut(),
            _ => None,
        }
    }
}

impl Default for Deliveries {
    fn default() -> Self {
        Self::new()
    }
}
