//! Faults that tests ask for, between the function and SES; each happens once for each request.

use std::collections::VecDeque;

use crate::aws;

/// The faults that also happen at random. A refusal for its content does not: it would be refused again.
const ANY: [Fault; 7] = [
    Fault::Throttled,
    Fault::ServerErrorBefore(500),
    Fault::ServerErrorAfter(500),
    Fault::TimeoutBefore,
    Fault::TimeoutAfter,
    Fault::ResetBefore,
    Fault::ResetAfter,
];

/// What happens to one `SendEmail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Refused with 429, not sent.
    Throttled,
    /// Answered with this status (500 to 599) and not sent.
    ServerErrorBefore(u16),
    /// Sent, and answered with this status (500 to 599).
    ServerErrorAfter(u16),
    /// No answer ever comes, and the email is not sent.
    TimeoutBefore,
    /// No answer ever comes, and the email is sent.
    TimeoutAfter,
    /// The connection is reset, and the email is not sent.
    ResetBefore,
    /// The connection is reset, and the email is sent.
    ResetAfter,
    /// Refused as `MessageRejected` for its content.
    Rejected,
    /// Refused with an error of this status, type and message.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error's type, as `x-amzn-ErrorType` carries it.
        code: String,
        /// The message.
        message: String,
    },
}

/// The faults that are still to happen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queue: VecDeque<(Option<String>, Fault)>,
    probability: f64,
    requests: u64,
}

impl Faults {
    pub(crate) fn push(&mut self, recipient: Option<&str>, fault: Fault) {
        self.queue.push_back((recipient.map(str::to_owned), fault));
    }

    pub(crate) fn at_random(&mut self, probability: f64) {
        self.probability = probability;
    }

    pub(crate) fn clear(&mut self) -> usize {
        let count = self.queue.len();
        self.queue.clear();
        count
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// The fault that a request to these addresses meets, if any.
    pub(crate) fn take(&mut self, recipients: &[String]) -> Option<Fault> {
        self.requests = self.requests.saturating_add(1);
        let place = self.queue.iter().position(|(wanted, _)| match wanted {
            None => true,
            Some(wanted) => recipients
                .iter()
                .any(|recipient| recipient.contains(wanted.as_str())),
        });
        match place {
            Some(place) => self.queue.remove(place).map(|(_, fault)| fault),
            None => aws::chance(self.probability)
                .then(|| aws::one_of(&ANY))
                .flatten()
                .cloned(),
        }
    }
}
