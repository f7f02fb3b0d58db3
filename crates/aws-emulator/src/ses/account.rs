//! How SES stands to the account: identities, sandbox, quotas, suppression list.

use std::collections::BTreeSet;

/// The account's state at SES. Everything can be changed while the catcher runs.
#[derive(Debug, Clone)]
pub struct Account {
    /// Verified identities: whole domains (subdomains included), and single addresses.
    pub identities: BTreeSet<String>,
    /// Configuration sets that exist.
    pub configuration_sets: BTreeSet<String>,
    /// Those among them whose own suppression settings name no reason: they override the account's list ("Using configuration
    /// set-level suppression to override your account-level suppression list").
    pub unsuppressed_sets: BTreeSet<String>,
    /// In the sandbox, recipients must be verified too.
    pub sandbox: bool,
    /// The account's suppression list.
    pub suppressed: BTreeSet<String>,
    /// Recipients a second; `None` is no limit.
    pub max_send_rate: Option<f64>,
    /// Recipients in 24 hours; `None` is no limit.
    pub max_24_hour_send: Option<u32>,
    /// Whether sending is paused.
    pub paused: bool,
    /// Whether SES has shut the account down.
    pub suspended: bool,
    /// Whether the custom MAIL FROM domain is set up; when it is not, SES refuses, as with `BehaviorOnMxFailure: REJECT_MESSAGE`.
    pub mail_from_verified: bool,
    /// Whether the caller's policy allows sending.
    pub allowed: bool,
}

impl Default for Account {
    /// An account out of the sandbox, without limits, that may send from `example.com` with the configuration set `emulator`.
    fn default() -> Self {
        Self {
            identities: BTreeSet::from(["example.com".to_owned()]),
            configuration_sets: BTreeSet::from(["emulator".to_owned()]),
            unsuppressed_sets: BTreeSet::new(),
            sandbox: false,
            suppressed: BTreeSet::new(),
            max_send_rate: None,
            max_24_hour_send: None,
            paused: false,
            suspended: false,
            mail_from_verified: true,
            allowed: true,
        }
    }
}

impl Account {
    /// Whether this address may send, and in the sandbox receive.
    pub fn is_verified(&self, address: &str) -> bool {
        let address = address.to_ascii_lowercase();
        let Some((_, domain)) = address.rsplit_once('@') else {
            return false;
        };
        self.identities.iter().any(|identity| {
            let identity = identity.to_ascii_lowercase();
            identity == address
                || identity == domain
                || domain
                    .strip_suffix(&identity)
                    .is_some_and(|rest| rest.ends_with('.'))
        })
    }

    /// Whether the account's suppression list holds back what is sent to this address with this configuration set.
    pub fn is_suppressed(&self, address: &str, configuration_set: Option<&str>) -> bool {
        if configuration_set.is_some_and(|set| self.unsuppressed_sets.contains(set)) {
            return false;
        }
        self.suppressed
            .iter()
            .any(|suppressed| suppressed.eq_ignore_ascii_case(address))
    }
}

/// Counts recipients against the sending rate: a call goes through while anything is left, whatever its own size, and
/// what it took too much is missing afterwards.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    used: f64,
    seconds: f64,
}

impl Bucket {
    /// Takes `recipients` at the time `seconds`; false when nothing is left.
    pub(crate) fn take(&mut self, rate: f64, recipients: usize, seconds: f64) -> bool {
        self.used = (self.used - (seconds - self.seconds).max(0.0) * rate).max(0.0);
        self.seconds = seconds;
        if self.used >= rate {
            return false;
        }
        self.used += recipients as f64;
        true
    }
}
