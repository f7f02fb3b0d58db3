//! The state of each email of an enquiry, and the arrows between states. No clock, no network: what happens is told.
//!
//! `pending → sending(attempt, until) → sent | failed | withheld | unknown`, then from SES
//! `delivered | bounced | complained`, in that rank, never downwards.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// After this time an auto-reply that is still pending helps nobody any more.
const TOO_LATE: SignedDuration = SignedDuration::from_hours(24);

/// The emails that an enquiry can owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmailKind {
    /// The enquiry itself, to the therapist.
    Therapist,
    /// The explanation of the treatments, to the client.
    AutoReply,
    /// To the therapist: the auto-reply did not arrive.
    Notice,
    /// The enquiry itself, to the therapist, past a table that could not be written. No item keeps its state, and what SES
    /// reports of it says nothing about the email of an item that came to be all the same.
    Fallback,
}

impl EmailKind {
    /// Its name in the table, in SES tags and in logs.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Therapist => "therapist",
            Self::AutoReply => "auto_reply",
            Self::Notice => "notice",
            Self::Fallback => "fallback",
        }
    }

    /// The email of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        [
            Self::Therapist,
            Self::AutoReply,
            Self::Notice,
            Self::Fallback,
        ]
        .into_iter()
        .find(|kind| kind.key() == key)
    }
}

impl fmt::Display for EmailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// Why an auto-reply is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The enquiry looks like spam.
    Suspect,
    /// SES delivers to verified addresses only.
    Sandbox,
    /// The address is the practice's own.
    OwnAddress,
    /// The address belongs to a function or to a machine, not to a person.
    RoleAddress,
    /// The address had an auto-reply a short time ago.
    CoolDown,
    /// An earlier email to this address bounced, or its owner complained.
    Undeliverable,
    /// As many auto-replies as the practice allows have left today.
    DailyCap,
    /// The counters could not be read.
    CountersUnavailable,
    /// It was pending for more than a day.
    Late,
}

impl Withheld {
    /// Its name in the table and in logs.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Suspect => "suspect",
            Self::Sandbox => "sandbox",
            Self::OwnAddress => "own_address",
            Self::RoleAddress => "role_address",
            Self::CoolDown => "cool_down",
            Self::Undeliverable => "undeliverable",
            Self::DailyCap => "daily_cap",
            Self::CountersUnavailable => "counters_unavailable",
            Self::Late => "late",
        }
    }
}

/// Why an email is not sent once more, when an operator asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendRefused {
    /// Mails of the enquiry are still pending.
    Pending,
    /// The client has it: there is one for each enquiry.
    Left,
    /// Nobody knows whether the client has it.
    MayHaveLeft,
    /// Mails to the address come back, or its owner does not want them.
    CameBack,
    /// The enquiry looks like spam, which a release would settle.
    Suspect,
    /// The address is the practice's own, or no person's.
    NoPerson,
}

/// Where one email stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MailState {
    /// Owed, and nobody is at it.
    Pending {
        /// How many times it was tried.
        #[serde(default)]
        attempts: u32,
    },
    /// Somebody is sending it; the lease ends by itself.
    Sending {
        /// Which try this is, from 1.
        attempt: u32,
        /// When another may take over.
        until: Timestamp,
    },
    /// SES took it.
    Sent {
        /// The name that SES gave it.
        message_id: String,
        /// When.
        at: Timestamp,
        /// Since when it is known that the other side does not take it yet; SES keeps trying.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delayed_since: Option<Timestamp>,
    },
    /// It will never go.
    Failed {
        /// The class of the failure.
        reason: String,
        /// When that was known.
        at: Timestamp,
    },
    /// It was decided not to send it.
    Withheld {
        /// Why.
        reason: Withheld,
    },
    /// Nobody knows whether it left, and it is not tried again.
    Unknown {
        /// When it was given up.
        at: Timestamp,
    },
    /// The other side took it.
    Delivered {
        /// The name that SES gave it.
        message_id: String,
        /// When SES's report was recorded.
        at: Timestamp,
    },
    /// It came back.
    Bounced {
        /// The name that SES gave it.
        message_id: String,
        /// When SES's report was recorded.
        at: Timestamp,
    },
    /// Its reader reported it as spam.
    Complained {
        /// The name that SES gave it.
        message_id: String,
        /// When SES's report was recorded.
        at: Timestamp,
    },
}

/// What SES reports about an email that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The other side took it.
    Delivered,
    /// It came back; `transient` when another email may get through, as with a full mailbox.
    Bounced {
        /// Whether another email to the address may get through.
        transient: bool,
    },
    /// Its reader reported it as spam.
    Complained,
    /// SES took it and then would not send it.
    Rejected,
    /// The other side does not take it yet, and SES keeps trying: what becomes of it is still to come.
    Delayed,
}

impl Report {
    /// Whether no further auto-reply shall go to the address.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Bounced { transient: false } | Self::Complained)
    }
}

impl MailState {
    /// An email that nobody has tried yet.
    pub const NEW: Self = Self::Pending { attempts: 0 };

    /// Whether it still has to be sent.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Sending { .. })
    }

    /// How much is known of it: reports go upwards only. Nothing where a report would change nothing.
    const fn rank(&self) -> Option<u8> {
        match self {
            Self::Pending { .. }
            | Self::Sending { .. }
            | Self::Unknown { .. }
            | Self::Sent { .. } => Some(0),
            Self::Delivered { .. } => Some(1),
            Self::Bounced { .. } => Some(2),
            Self::Complained { .. } => Some(3),
            Self::Failed { .. } | Self::Withheld { .. } => None,
        }
    }

    /// Notes the first delay of an email that is still on its way. It changes no rank: whatever is reported later, or was
    /// earlier, says more.
    ///
    /// Returns whether it was noted.
    const fn delay(&mut self, since: Timestamp) -> bool {
        if let Self::Sent { delayed_since, .. } = self
            && delayed_since.is_none()
        {
            *delayed_since = Some(since);
            return true;
        }
        false
    }

    /// The name that SES gave it, as far as it is known.
    const fn message_id(&self) -> Option<&String> {
        match self {
            Self::Sent { message_id, .. }
            | Self::Delivered { message_id, .. }
            | Self::Bounced { message_id, .. }
            | Self::Complained { message_id, .. } => Some(message_id),
            _ => None,
        }
    }
}

impl fmt::Display for MailState {
    /// Its name in the table, with the reason where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending { .. } => "pending",
            Self::Sending { .. } => "sending",
            Self::Sent { .. } => "sent",
            Self::Failed { reason, .. } => return write!(f, "failed: {reason}"),
            Self::Withheld { reason } => return write!(f, "withheld: {}", reason.key()),
            Self::Unknown { .. } => "unknown",
            Self::Delivered { .. } => "delivered",
            Self::Bounced { .. } => "bounced",
            Self::Complained { .. } => "complained",
        })
    }
}

/// What has become of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// SES took it.
    Accepted {
        /// The name that SES gave it.
        message_id: String,
    },
    /// It certainly did not leave, and may later.
    NotSent,
    /// This email will never go.
    Permanent {
        /// The class of the failure.
        reason: String,
    },
    /// Nobody knows whether it left.
    Ambiguous,
}

/// The emails of one enquiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    /// To the therapist.
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
}

impl Deliveries {
    /// What a new enquiry owes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            therapist: MailState::NEW,
            auto_reply: MailState::NEW,
            notice: None,
            decided: false,
            pending_since: None,
        }
    }

    /// The state of one email; a notice that was never needed has none.
    #[must_use]
    pub const fn of(&self, kind: EmailKind) -> Option<&MailState> {
        match kind {
            EmailKind::Therapist => Some(&self.therapist),
            EmailKind::AutoReply => Some(&self.auto_reply),
            EmailKind::Notice => self.notice.as_ref(),
            EmailKind::Fallback => None,
        }
    }

    /// Whether anything has to be sent.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.is_pending_for_therapist() || self.auto_reply.is_pending()
    }

    /// Whether the therapist has still to hear something.
    #[must_use]
    pub fn is_pending_for_therapist(&self) -> bool {
        self.therapist.is_pending() || self.notice.as_ref().is_some_and(MailState::is_pending)
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

    /// Withholds an auto-reply that was to be sent: between the decision and the send something came in between.
    pub fn withhold(&mut self, reason: Withheld, now: Timestamp) {
        if let MailState::Pending { .. } = self.auto_reply {
            self.auto_reply = MailState::Withheld { reason };
            self.owe_notice(now);
        }
    }

    /// Owes the auto-reply again that was withheld because the enquiry looked like spam; it is decided about anew.
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

    /// Owes the therapist's email once more, as a new attempt: a copy too many does no harm.
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
        self.therapist = MailState::NEW;
        Ok(())
    }

    /// Owes the auto-reply once more, if it certainly never left; it is decided about anew, with all the limits of a
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
        for kind in [
            EmailKind::Therapist,
            EmailKind::AutoReply,
            EmailKind::Notice,
        ] {
            if let Some(state) = self.slot(kind).filter(|_| !except.contains(&kind)) {
                let attempts = match state {
                    MailState::Pending { attempts } => *attempts,
                    MailState::Sending { attempt, until } if *until <= now => *attempt,
                    _ => continue,
                };
                *state = MailState::Sending {
                    attempt: attempts + 1,
                    until,
                };
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
        let Some(state) = self.slot(kind) else {
            return false;
        };
        if !matches!(state, MailState::Sending { attempt: current, .. } if *current == attempt) {
            return false;
        }
        *state = match (outcome, kind) {
            (SendOutcome::Accepted { message_id }, _) => MailState::Sent {
                message_id: message_id.clone(),
                at: now,
                delayed_since: None,
            },
            (SendOutcome::NotSent, _) => MailState::Pending { attempts: attempt },
            (SendOutcome::Permanent { reason }, _) => MailState::Failed {
                reason: reason.clone(),
                at: now,
            },
            (SendOutcome::Ambiguous, EmailKind::AutoReply) => MailState::Unknown { at: now },
            (
                SendOutcome::Ambiguous,
                EmailKind::Therapist | EmailKind::Notice | EmailKind::Fallback,
            ) => MailState::Pending { attempts: attempt },
        };
        if kind == EmailKind::AutoReply {
            self.owe_notice(now);
        }
        true
    }

    /// Records what SES reports, in rank: a report about another copy, a lower one, a repeated one, and a transient
    /// bounce after the delivery change nothing. A report also settles an email of which nobody knew whether it left.
    ///
    /// Returns whether it was recorded.
    pub fn report(
        &mut self,
        kind: EmailKind,
        report: Report,
        message_id: &str,
        at: Timestamp,
    ) -> bool {
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
        let message_id = message_id.to_owned();
        let next = match report {
            Report::Delivered => MailState::Delivered { message_id, at },
            Report::Bounced { transient: true } if rank == 1 => return false,
            Report::Bounced { .. } => MailState::Bounced { message_id, at },
            Report::Complained => MailState::Complained { message_id, at },
            Report::Rejected if rank == 0 => MailState::Failed {
                reason: "Reject".to_owned(),
                at,
            },
            Report::Rejected | Report::Delayed => return false,
        };
        if next.rank().is_some_and(|next| next <= rank) {
            return false;
        }
        *state = next;
        if kind == EmailKind::AutoReply {
            self.owe_notice(at);
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
        self.owe_notice(now);
    }

    /// The auto-reply has just changed. The therapist's email said that it is on its way: when it comes to nothing
    /// afterwards, a notice is pending, once. An email that is still to be written reports it by itself.
    fn owe_notice(&mut self, now: Timestamp) {
        let came_to_nothing = matches!(
            self.auto_reply,
            MailState::Failed { .. }
                | MailState::Unknown { .. }
                | MailState::Bounced { .. }
                | MailState::Complained { .. }
                | MailState::Withheld { .. }
        );
        let was_told_otherwise = !matches!(self.therapist, MailState::Pending { .. });
        if came_to_nothing && was_told_otherwise && self.notice.is_none() {
            self.notice = Some(MailState::NEW);
            self.pending_since = Some(now);
        }
        // It has arrived after all, before anybody was told that it had not.
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
            EmailKind::Fallback => None,
        }
    }
}

impl Default for Deliveries {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn accepted() -> SendOutcome {
        SendOutcome::Accepted {
            message_id: "m-1".into(),
        }
    }

    #[test]
    fn the_therapist_comes_first_and_each_email_goes_once() {
        let mut emails = Deliveries::new();
        emails.decide(None);
        assert_eq!(
            emails.claim(at(0), at(0), at(2), &[]),
            Some(EmailKind::Therapist)
        );
        assert_eq!(
            emails.claim(at(0), at(1), at(3), &[]),
            Some(EmailKind::AutoReply),
            "the first lease still runs"
        );
        assert_eq!(emails.claim(at(0), at(1), at(3), &[]), None);
        assert!(emails.record(EmailKind::Therapist, 1, &accepted(), at(1)));
        assert!(emails.record(EmailKind::AutoReply, 1, &accepted(), at(1)));
        assert!(!emails.is_pending());
        assert_eq!(emails.claim(at(0), at(90), at(92), &[]), None);
    }

    #[test]
    fn a_lease_that_ran_out_is_taken_over_by_the_therapists_email_only() {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        emails.claim(at(0), at(0), at(2), &[]);
        assert_eq!(
            emails.claim(at(0), at(2), at(4), &[]),
            Some(EmailKind::Therapist)
        );
        assert_eq!(
            emails.therapist,
            MailState::Sending {
                attempt: 2,
                until: at(4)
            }
        );
        assert_eq!(
            emails.auto_reply,
            MailState::Unknown { at: at(2) },
            "it may have left"
        );
        assert!(
            !emails.record(EmailKind::Therapist, 1, &SendOutcome::NotSent, at(3)),
            "the first attempt is history"
        );
    }

    #[test]
    fn an_ambiguous_send_is_repeated_for_the_therapist_and_never_for_the_client() {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::Therapist, 1, &SendOutcome::Ambiguous, at(1));
        emails.record(EmailKind::AutoReply, 1, &SendOutcome::Ambiguous, at(1));
        assert_eq!(emails.therapist, MailState::Pending { attempts: 1 });
        assert_eq!(emails.auto_reply, MailState::Unknown { at: at(1) });
        assert_eq!(
            emails.notice, None,
            "the therapist's kind is still to be written"
        );
    }

    #[test]
    fn an_auto_reply_that_comes_to_nothing_later_owes_the_therapist_one_notice() {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
        emails.claim(at(0), at(0), at(2), &[]);
        let never = SendOutcome::Permanent {
            reason: "MessageRejected".into(),
        };
        emails.record(EmailKind::AutoReply, 1, &never, at(1));
        assert_eq!(
            emails.claim(at(0), at(1), at(3), &[]),
            Some(EmailKind::Notice)
        );
        assert!(emails.record(EmailKind::Notice, 1, &accepted(), at(1)));
        assert!(!emails.is_pending());
    }

    #[test]
    fn an_auto_reply_that_is_a_day_late_is_withheld() {
        let mut emails = Deliveries::new();
        assert_eq!(
            emails.claim(at(0), at(24 * 60 + 1), at(24 * 60 + 3), &[]),
            Some(EmailKind::Therapist)
        );
        assert_eq!(
            emails.auto_reply,
            MailState::Withheld {
                reason: Withheld::Late
            }
        );
        assert!(emails.record(EmailKind::Therapist, 1, &accepted(), at(24 * 60 + 1)));
        assert_eq!(emails.notice, None, "the therapist's kind has told it");
    }

    #[test]
    fn a_release_counts_its_day_from_the_release() {
        let mut emails = Deliveries::new();
        emails.decide(Some(Withheld::Suspect));
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
        let monday = 3 * 24 * 60;
        assert!(emails.release(at(monday)));
        emails.decide(None);
        assert_eq!(
            emails.claim(at(0), at(monday + 1), at(monday + 3), &[]),
            Some(EmailKind::AutoReply)
        );
    }

    #[test]
    fn an_auto_reply_goes_once_more_only_when_it_certainly_never_left() {
        let (message_id, at_) = ("m-1".to_owned(), at(0));
        let withheld = |reason| MailState::Withheld { reason };
        for (auto_reply, expected, why) in [
            (
                MailState::Failed {
                    reason: "MessageRejected".into(),
                    at: at_,
                },
                Ok(()),
                "SES refused it",
            ),
            (
                withheld(Withheld::Sandbox),
                Ok(()),
                "SES lets emails out now, perhaps",
            ),
            (
                withheld(Withheld::CoolDown),
                Ok(()),
                "it is booked again, or not",
            ),
            (withheld(Withheld::DailyCap), Ok(()), "tomorrow counts anew"),
            (
                withheld(Withheld::CountersUnavailable),
                Ok(()),
                "the counters may be back",
            ),
            (withheld(Withheld::Late), Ok(()), "somebody asks for it now"),
            (
                withheld(Withheld::Suspect),
                Err(ResendRefused::Suspect),
                "a release says that it is no spam",
            ),
            (
                withheld(Withheld::OwnAddress),
                Err(ResendRefused::NoPerson),
                "it stays the practice's own",
            ),
            (
                withheld(Withheld::RoleAddress),
                Err(ResendRefused::NoPerson),
                "it stays a machine's",
            ),
            (
                withheld(Withheld::Undeliverable),
                Err(ResendRefused::CameBack),
                "the address turns emails away",
            ),
            (
                MailState::Bounced {
                    message_id: message_id.clone(),
                    at: at_,
                },
                Err(ResendRefused::CameBack),
                "it left once",
            ),
            (
                MailState::Complained {
                    message_id: message_id.clone(),
                    at: at_,
                },
                Err(ResendRefused::CameBack),
                "it is not wanted",
            ),
            (
                MailState::Unknown { at: at_ },
                Err(ResendRefused::MayHaveLeft),
                "a second one could be a second one",
            ),
            (
                MailState::Sent {
                    message_id: message_id.clone(),
                    at: at_,
                    delayed_since: None,
                },
                Err(ResendRefused::Left),
                "one for each enquiry",
            ),
            (
                MailState::Delivered {
                    message_id: message_id.clone(),
                    at: at_,
                },
                Err(ResendRefused::Left),
                "one for each enquiry",
            ),
            (
                MailState::NEW,
                Err(ResendRefused::Pending),
                "it is on its way",
            ),
            (
                MailState::Sending {
                    attempt: 1,
                    until: at(2),
                },
                Err(ResendRefused::Pending),
                "it is leaving now",
            ),
        ] {
            let mut emails = Deliveries {
                therapist: MailState::Sent {
                    message_id: message_id.clone(),
                    at: at_,
                    delayed_since: None,
                },
                auto_reply,
                decided: true,
                ..Deliveries::new()
            };
            let before = emails.clone();
            let week = 7 * 24 * 60;
            assert_eq!(emails.resend_to_client(at(week)), expected, "{why}");
            if expected.is_err() {
                assert_eq!(emails, before, "{why}");
                continue;
            }
            assert!(!emails.decided, "{why}: the limits hold for it too");
            assert_eq!(
                emails.claim(at(0), at(week), at(week + 2), &[]),
                Some(EmailKind::AutoReply),
                "{why}"
            );
            assert_eq!(
                emails.resend_to_client(at(week)),
                Err(ResendRefused::Pending),
                "{why}"
            );
        }
    }

    #[test]
    fn the_therapists_email_goes_once_more_from_every_state_in_which_nothing_is_pending() {
        let mut emails = Deliveries::new();
        emails.decide(Some(Withheld::Sandbox));
        assert_eq!(
            emails.resend_to_therapist(at(1)),
            Err(ResendRefused::Pending)
        );
        emails.claim(at(0), at(0), at(2), &[]);
        assert_eq!(
            emails.resend_to_therapist(at(1)),
            Err(ResendRefused::Pending)
        );
        emails.record(EmailKind::Therapist, 1, &accepted(), at(1));
        for report in [
            None,
            Some(Report::Delivered),
            Some(Report::Bounced { transient: false }),
            Some(Report::Complained),
        ] {
            if let Some(report) = report {
                assert!(emails.report(EmailKind::Therapist, report, "m-1", at(2)));
            }
            let mut again = emails.clone();
            assert_eq!(again.resend_to_therapist(at(90)), Ok(()));
            assert_eq!(again.pending_since, Some(at(90)), "no alarm about its age");
            assert_eq!(
                again.claim(at(0), at(90), at(92), &[]),
                Some(EmailKind::Therapist)
            );
            assert_eq!(again.auto_reply, emails.auto_reply);
        }
    }

    #[test]
    fn sending_to_the_therapist_again_keeps_an_auto_reply_from_growing_younger() {
        let mut emails = Deliveries::new();
        emails.decide(None);
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
        assert_eq!(emails.resend_to_therapist(at(23 * 60)), Ok(()));
        emails.claim(at(0), at(24 * 60 + 1), at(24 * 60 + 3), &[]);
        assert_eq!(
            emails.auto_reply,
            MailState::Withheld {
                reason: Withheld::Late
            }
        );
    }

    #[test]
    fn an_email_that_was_tried_does_not_hold_up_the_next() {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::Therapist, 1, &SendOutcome::NotSent, at(0));
        assert_eq!(
            emails.claim(at(0), at(0), at(2), &[EmailKind::Therapist]),
            Some(EmailKind::AutoReply)
        );
        assert_eq!(emails.therapist, MailState::Pending { attempts: 1 });
    }

    #[test]
    fn the_decision_is_made_once() {
        let mut emails = Deliveries::new();
        emails.decide(Some(Withheld::Suspect));
        emails.decide(None);
        assert_eq!(
            emails.auto_reply,
            MailState::Withheld {
                reason: Withheld::Suspect
            }
        );
    }

    #[test]
    fn states_are_stored_under_their_names() {
        let stored = serde_json::to_value(Deliveries::new()).unwrap();
        assert_eq!(
            stored["therapist"],
            serde_json::json!({ "state": "pending", "attempts": 0 })
        );
        assert_eq!(
            serde_json::from_value::<Deliveries>(stored).unwrap(),
            Deliveries::new()
        );
    }

    #[test]
    fn reports_go_upwards_only_and_each_once() {
        let delivered = Report::Delivered;
        let (soft, hard) = (
            Report::Bounced { transient: true },
            Report::Bounced { transient: false },
        );
        for (reports, last, why) in [
            (
                &[delivered, delivered][..],
                "delivered",
                "a repeat changes nothing",
            ),
            (
                &[delivered, soft],
                "delivered",
                "a transient bounce after the delivery changes nothing",
            ),
            (
                &[delivered, hard],
                "bounced",
                "some servers take an email and send it back later",
            ),
            (&[hard, delivered], "bounced", "out of order"),
            (
                &[Report::Complained, hard, delivered],
                "complained",
                "a complaint outranks everything",
            ),
            (
                &[Report::Rejected, delivered],
                "failed",
                "a rejected email never left",
            ),
            (&[soft], "bounced", "SES has given up trying"),
        ] {
            let mut emails = Deliveries::new();
            emails.claim(at(0), at(0), at(2), &[]);
            emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
            emails.claim(at(0), at(0), at(2), &[]);
            emails.record(EmailKind::AutoReply, 1, &accepted(), at(0));
            assert!(
                !emails.report(EmailKind::AutoReply, hard, "another", at(1)),
                "another email's report"
            );
            for report in reports {
                emails.report(EmailKind::AutoReply, *report, "m-1", at(1));
            }
            let state = serde_json::to_value(&emails.auto_reply).unwrap();
            assert_eq!(state["state"], last, "{why}");
            assert_eq!(emails.notice.is_some(), last != "delivered", "{why}");
        }
    }

    #[test]
    fn a_delay_is_noted_once_and_whatever_else_is_reported_says_more() {
        let hard = Report::Bounced { transient: false };
        for (reports, state, delayed, why) in [
            (&[Report::Delayed][..], "sent", true, "it is on its way"),
            (
                &[Report::Delayed, Report::Delayed],
                "sent",
                true,
                "the first delay is the one that counts",
            ),
            (
                &[Report::Delayed, Report::Delivered],
                "delivered",
                false,
                "it has arrived",
            ),
            (
                &[Report::Delivered, Report::Delayed],
                "delivered",
                false,
                "out of order",
            ),
            (
                &[Report::Delayed, hard],
                "bounced",
                false,
                "SES has given up",
            ),
            (&[hard, Report::Delayed], "bounced", false, "late"),
            (
                &[Report::Rejected, Report::Delayed],
                "failed",
                false,
                "a rejected email never left",
            ),
        ] {
            let mut emails = Deliveries::new();
            emails.claim(at(0), at(0), at(2), &[]);
            assert!(
                !emails.report(EmailKind::Therapist, Report::Delayed, "m-1", at(0)),
                "while it is being sent, who sends it knows best"
            );
            emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
            assert!(
                !emails.report(EmailKind::Therapist, Report::Delayed, "another", at(1)),
                "another email's report"
            );
            for (minute, report) in (1..).zip(reports) {
                emails.report(EmailKind::Therapist, *report, "m-1", at(minute));
            }
            let shown = serde_json::to_value(&emails.therapist).unwrap();
            assert_eq!(shown["state"], state, "{why}");
            let since = delayed.then(|| at(1).to_string());
            assert_eq!(shown["delayed_since"].as_str(), since.as_deref(), "{why}");
        }
    }

    #[test]
    fn an_email_that_was_stored_before_delays_were_noted_is_read() {
        let stored = serde_json::json!({ "state": "sent", "message_id": "m-1", "at": "2026-11-23T09:30:00Z" });
        let read: MailState = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
    }

    #[test]
    fn a_member_of_a_later_version_does_not_make_an_email_unreadable() {
        let newer = serde_json::json!({
            "state": "sent", "message_id": "m-1", "at": "2026-11-23T09:30:00Z", "surprise": 7,
        });
        assert!(serde_json::from_value::<MailState>(newer).is_ok());
    }

    #[test]
    fn a_report_settles_an_email_of_which_nobody_knew() {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        assert!(emails.report(EmailKind::Therapist, Report::Delivered, "m-1", at(1)));
        assert!(!emails.record(EmailKind::Therapist, 1, &SendOutcome::Ambiguous, at(1)));
        assert!(!emails.therapist.is_pending(), "no second copy");
    }
}
