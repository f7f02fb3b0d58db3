//! Where an email of its own stands: by the same rules as the notice of an enquiry, which is also an email to the therapist that a copy
//! too many does no harm to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Deliveries, EmailKind, MailState, Report, SendOutcome, Withheld};

/// An email of its own, on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnDelivery {
    /// Where it stands.
    #[serde(flatten)]
    pub state: MailState,
    /// The last copy that SES took and did not deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    returned: Option<String>,
    /// A copy came back for now, and none was delivered since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    came_back: bool,
    /// Since when SES refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused_since: Option<Timestamp>,
}

impl OwnDelivery {
    /// One that has not been tried yet.
    pub const NEW: Self = Self {
        state: MailState::NEW,
        returned: None,
        came_back: false,
        refused_since: None,
    };

    /// Takes the lease, when it is due at this time and no other invocation holds it. Returns which try it is, from 1.
    pub fn claim(&mut self, now: Timestamp, until: Timestamp) -> Option<u32> {
        self.state.claim(now, until)
    }

    /// There is nothing to tell any more.
    pub fn withhold(&mut self) {
        self.state = MailState::Withheld {
            reason: Withheld::Late,
        };
    }

    /// Records what became of an attempt; an attempt that is not the current one changes nothing.
    ///
    /// Returns whether it was recorded.
    pub fn record(&mut self, attempt: u32, outcome: &SendOutcome, now: Timestamp) -> bool {
        self.change(|emails| emails.record(EmailKind::Notice, attempt, outcome, now))
    }

    /// Records what SES reports. One that SES took and did not deliver is sent again, an hour later.
    ///
    /// Returns whether it was recorded.
    pub fn report(&mut self, report: Report, message_id: &str, at: Timestamp) -> bool {
        self.change(|emails| emails.report(EmailKind::Notice, report, message_id, at))
    }

    /// When it is to be tried next, where that is not before a certain time.
    #[must_use]
    pub const fn after(&self) -> Option<Timestamp> {
        match self.state {
            MailState::Pending { after, .. } => after,
            _ => None,
        }
    }

    /// The same as the notice of an enquiry.
    #[must_use]
    pub fn as_notice(&self) -> Deliveries {
        Deliveries {
            notice: Some(self.state.clone()),
            returned: self.returned.clone(),
            came_back: self.came_back,
            refused_since: self.refused_since,
            ..Deliveries::new()
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Deliveries) -> bool) -> bool {
        let mut emails = self.as_notice();
        if !change(&mut emails) {
            return false;
        }
        let Deliveries {
            notice,
            returned,
            came_back,
            refused_since,
            ..
        } = emails;
        *self = Self {
            state: notice.unwrap_or(MailState::NEW),
            returned,
            came_back,
            refused_since,
        };
        true
    }
}
