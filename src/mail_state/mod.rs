//! The state of each email of an enquiry, and the transitions between states. No clock, no network: what happened is an argument.
//!
//! `pending → sending(attempt, until) → sent | failed | withheld | unknown`, then from SES
//! `delivered | bounced | complained`, in that rank, never downwards.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod deliveries;
mod own;

pub use deliveries::Deliveries;
pub use own::OwnDelivery;

macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident = $key:literal;)+) => {
        /// The emails that the function sends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EmailKind {
            $($(#[$meta])* $kind,)+
        }

        impl EmailKind {
            /// Every kind; those of an enquiry in the order in which they are sent.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// Its name in the table, in SES tags and in logs.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$kind => $key,)+ }
            }
        }
    };
}

kinds! {
    /// The enquiry itself, to the therapist.
    Therapist = "therapist";
    /// The explanation of the treatments, to the client.
    AutoReply = "auto_reply";
    /// To the therapist: the auto-reply did not arrive.
    Notice = "notice";
    /// The enquiry itself, to the therapist, past a table that could not be written. No item keeps its state, and what SES
    /// reports of it says nothing about the email of an item that came to be all the same.
    Fallback = "fallback";
    /// An email of its own to the therapist: how many suspected enquiries of an hour were not mailed one by one.
    SuspectedCount = "suspected_count";
    /// To the therapist, at the start of a working day: who waits for an answer that was promised by today.
    MorningList = "morning_list";
    /// To the therapist: an answer is due in two working hours.
    Reminder = "reminder";
    /// To the therapist, on Mondays: the week that has passed, and whether everything works.
    Weekly = "weekly";
    /// To the therapist: the client has withdrawn an enquiry.
    Withdrawn = "withdrawn";
    /// To the therapist: the client keeps an enquiry that was withdrawn.
    Kept = "kept";
    /// To the therapist: an enquiry was not sent by the owner of its address.
    Disowned = "disowned";
    /// To the therapist: a complaint about the use of personal data has to be acknowledged.
    DataComplaint = "data_complaint";
    /// To the therapist: her contact details, the consent or the automatic reply were changed on the desk.
    PracticeChanged = "practice_changed";
    /// To the therapist: something about the desk itself has changed.
    Health = "health";
    /// That of the nightly test, to SES's mailbox simulator: no person gets it.
    Probe = "probe";
    /// A code for signing in to the desk, to the therapist: about no enquiry, and worth nothing once she has it.
    SignIn = "sign_in";
}

impl EmailKind {
    /// Whether it goes to the client; all others go to the therapist, but for the nightly test's.
    #[must_use]
    pub const fn is_to_client(self) -> bool {
        matches!(self, Self::AutoReply)
    }

    /// Whether an enquiry's item keeps its state.
    #[must_use]
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::Therapist | Self::AutoReply | Self::Notice)
    }

    /// Whether it is an email of its own, with an item that keeps its state.
    #[must_use]
    pub const fn is_own(self) -> bool {
        !self.is_stored() && !matches!(self, Self::Fallback | Self::Probe | Self::SignIn)
    }

    /// The email of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.key() == key)
    }
}

impl fmt::Display for EmailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// Why an email is not sent.
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
    /// No email system carries the address, and SES refuses a whole email over it.
    Unsendable,
    /// The address had an auto-reply a short time ago.
    CoolDown,
    /// An earlier email to this address bounced, or its owner complained.
    Undeliverable,
    /// As many auto-replies as the practice allows have left today.
    DailyCap,
    /// The counters could not be read.
    CountersUnavailable,
    /// It was pending for more than a day, or would promise an answer by a time that has passed.
    Late,
    /// The therapist's email about a suspected enquiry, of which so many came in an hour that she is told their number.
    Counted,
    /// The client has withdrawn the enquiry.
    Withdrawn,
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
            Self::Unsendable => "unsendable",
            Self::CoolDown => "cool_down",
            Self::Undeliverable => "undeliverable",
            Self::DailyCap => "daily_cap",
            Self::CountersUnavailable => "counters_unavailable",
            Self::Late => "late",
            Self::Counted => "counted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Why an email is not sent once more, when an operator asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendRefused {
    /// Emails of the enquiry are still pending.
    Pending,
    /// The client has it: there is one for each enquiry.
    Left,
    /// It is unknown whether the client has it.
    MayHaveLeft,
    /// Emails to the address come back, or its owner does not want them.
    CameBack,
    /// The enquiry looks like spam, which a release would settle.
    Suspect,
    /// The address is the practice's own, or no person's.
    NoPerson,
    /// No email system carries the address.
    Unsendable,
    /// The client has withdrawn the enquiry.
    Withdrawn,
}

/// Where one email stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MailState {
    /// Pending, and no invocation is at it.
    Pending {
        /// How many times it was tried.
        #[serde(default)]
        attempts: u32,
        /// Not to be tried before this time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Timestamp>,
    },
    /// An invocation is sending it; the lease ends by itself.
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
    Withheld { reason: Withheld },
    /// It is unknown whether it left, and it is not tried again.
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
        /// It may have been an automatic reply, and a delivery may still be reported.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        transient: bool,
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
    /// It came back; `transient` when another email may get through, as with a full mailbox. An automatic reply, such as "out of
    /// office", is reported in the same way, before or after the delivery.
    Bounced {
        /// Whether another email to the address may get through.
        transient: bool,
    },
    /// Its reader reported it as spam.
    Complained,
    /// SES took it and dropped it, since the address is on a suppression list: no mailbox has turned it away.
    Suppressed,
    /// SES took it and then would not send it.
    Rejected,
    /// The other side does not take it yet, and SES keeps trying: what becomes of it is still to come.
    Delayed,
}

impl Report {
    /// Whether no further auto-reply may go to the address.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Bounced { transient: false } | Self::Complained | Self::Suppressed
        )
    }
}

impl MailState {
    /// An email that has not been tried yet.
    pub const NEW: Self = Self::Pending {
        attempts: 0,
        after: None,
    };

    /// Whether it still has to be sent.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Sending { .. })
    }

    /// Since when it stands as it does; nothing while it still has to be sent, or was never to be.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Pending { .. } | Self::Sending { .. } | Self::Withheld { .. } => None,
            Self::Sent { at, .. }
            | Self::Failed { at, .. }
            | Self::Unknown { at }
            | Self::Delivered { at, .. }
            | Self::Bounced { at, .. }
            | Self::Complained { at, .. } => Some(*at),
        }
    }

    /// Whether it still has to be sent and no invocation is at it.
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        match self {
            Self::Pending { .. } => true,
            Self::Sending { until, .. } => *until <= now,
            _ => false,
        }
    }

    /// Takes the lease, when it is due at this time and no other invocation holds it. Returns which try it is, from 1.
    pub fn claim(&mut self, now: Timestamp, until: Timestamp) -> Option<u32> {
        let attempts = match self {
            Self::Pending { attempts, after } if after.is_none_or(|after| after <= now) => {
                *attempts
            }
            Self::Sending { attempt, until } if *until <= now => *attempt,
            _ => return None,
        };
        let attempt = attempts + 1;
        *self = Self::Sending { attempt, until };
        Some(attempt)
    }

    /// How much is known of it: reports go upwards only. Nothing where a report would change nothing.
    const fn rank(&self) -> Option<u8> {
        match self {
            Self::Pending { .. }
            | Self::Sending { .. }
            | Self::Unknown { .. }
            | Self::Sent { .. } => Some(0),
            Self::Bounced {
                transient: true, ..
            } => Some(1),
            Self::Delivered { .. } => Some(2),
            Self::Bounced { .. } => Some(3),
            Self::Complained { .. } => Some(4),
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
    /// The same, and SES would refuse any other email just now: the account may not send, or has sent too fast.
    Refused,
    /// This email will never go.
    Permanent {
        /// The class of the failure.
        reason: String,
    },
    /// It is unknown whether it left.
    Ambiguous,
}

#[cfg(test)]
mod tests;
