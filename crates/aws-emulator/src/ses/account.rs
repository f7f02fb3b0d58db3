//! The state of the AWS account: SES's identities, sandbox, quotas and suppression list; who gets the alarms; what protects the
//! table.

use std::collections::{BTreeMap, BTreeSet};

/// An email or a text message that a topic sends to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `email` or `sms`.
    pub protocol: String,
    /// The address or the number.
    pub endpoint: String,
    /// Whether its owner has confirmed it.
    pub confirmed: bool,
}

/// A custom MAIL FROM domain whose MX record may be missing: then SES silently uses its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFrom {
    /// The domain.
    pub domain: String,
    /// `SUCCESS`, `PENDING`, `FAILED` or `TEMPORARY_FAILURE`.
    pub status: String,
}

/// What SES advises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    /// `DKIM`, `SPF`, `DMARC`, `BIMI`, `COMPLAINT` or `BOUNCE`.
    pub kind: String,
    /// `HIGH` or `LOW`.
    pub impact: String,
    /// In SES's words.
    pub description: String,
}

/// Why SES takes an email and does not send it ("Bounce types" and "Complaint object", SES developer guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppression {
    /// The address is on the account's list, since an email to it came back.
    Bounce,
    /// The same, since its reader reported one as spam: reported as a complaint.
    Complaint,
    /// The address is on the list of a tenant of the account.
    Tenant,
    /// Auto Validation thinks too little of the address.
    Validation,
}

impl Suppression {
    /// Each of them.
    pub const ALL: [Self; 4] = [
        Self::Bounce,
        Self::Complaint,
        Self::Tenant,
        Self::Validation,
    ];
}

/// What protects the table, as its descriptions say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableProtection {
    /// Whether expired items go.
    pub expiry: bool,
    /// Whether it can be recovered to a point in time.
    pub recovery: bool,
    /// Whether it cannot be deleted.
    pub deletion: bool,
    /// Whether it has a stream.
    pub stream: bool,
}

/// The account's state. Everything can be changed while the catcher runs.
#[derive(Debug, Clone)]
pub struct Account {
    /// Verified identities: whole domains (subdomains included), and single addresses.
    pub identities: BTreeSet<String>,
    /// Configuration sets that exist.
    pub configuration_sets: BTreeSet<String>,
    /// Those among them whose own suppression settings name no reason and switch Auto Validation off: they override the account's
    /// ("Using configuration set-level suppression to override your account-level suppression list"; "Auto Validation").
    pub unsuppressed_sets: BTreeSet<String>,
    /// Those among them that may not send.
    pub paused_sets: BTreeSet<String>,
    /// Those among them whose event destination is switched off: nothing is reported of what leaves with them.
    pub silent_sets: BTreeSet<String>,
    /// Whether the identities are still to be verified: nothing is sent from them then.
    pub unverified: bool,
    /// In the sandbox, recipients must be verified too.
    pub sandbox: bool,
    /// The addresses that SES does not send to.
    pub suppressed: BTreeMap<String, Suppression>,
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
    /// Whether SES reviews the account.
    pub probation: bool,
    /// The state of every identity's DKIM: `SUCCESS`, `PENDING`, `FAILED`, `TEMPORARY_FAILURE` or `NOT_STARTED`.
    pub dkim: String,
    /// The MAIL FROM domain of every identity.
    pub mail_from: Option<MailFrom>,
    /// What SES advises; nothing where the account does not have that.
    pub recommendations: Option<Vec<Recommendation>>,
    /// Who gets what any topic sends.
    pub subscriptions: Vec<Subscription>,
    /// What protects any table.
    pub table: TableProtection,
}

impl Default for Account {
    /// An account out of the sandbox, without limits, that may send from `example.com` with the configuration set `emulator`.
    fn default() -> Self {
        Self {
            identities: BTreeSet::from(["example.com".to_owned()]),
            configuration_sets: BTreeSet::from(["emulator".to_owned()]),
            unsuppressed_sets: BTreeSet::new(),
            paused_sets: BTreeSet::new(),
            silent_sets: BTreeSet::new(),
            unverified: false,
            sandbox: false,
            suppressed: BTreeMap::new(),
            max_send_rate: None,
            max_24_hour_send: None,
            paused: false,
            suspended: false,
            mail_from_verified: true,
            allowed: true,
            probation: false,
            dkim: "SUCCESS".to_owned(),
            mail_from: None,
            recommendations: None,
            subscriptions: vec![Subscription {
                protocol: "email".to_owned(),
                endpoint: "alarms@example.net".to_owned(),
                confirmed: true,
            }],
            table: TableProtection {
                expiry: true,
                recovery: true,
                deletion: true,
                stream: true,
            },
        }
    }
}

/// What can be wrong with the account, by a name and in words.
pub const SWITCHES: [(&str, &str); 17] = [
    ("sandbox", "SES is in its sandbox"),
    ("paused", "Sending is paused"),
    ("probation", "SES reviews the account"),
    ("suspended", "SES has shut the account down"),
    ("quota", "The day’s quota is spent"),
    (
        "denied",
        "The role may ask SES for nothing and send nothing",
    ),
    ("unknown", "SES does not know the sender"),
    ("unverified", "The sender is not verified"),
    ("sets-paused", "The configuration sets may not send"),
    ("sets-silent", "The configuration sets report nothing"),
    ("dkim", "DKIM has failed"),
    ("mail-from", "The MX record of MAIL FROM is missing"),
    ("dmarc", "SES advises a DMARC record"),
    ("unconfirmed", "The alarm address was not confirmed"),
    ("expiry", "The table keeps what has expired"),
    ("recovery", "The table cannot be recovered"),
    ("deletion", "The table can be deleted"),
];

impl Account {
    /// Whether this is wrong.
    pub fn switched(&self, name: &str) -> bool {
        match name {
            "sandbox" => self.sandbox,
            "paused" => self.paused,
            "probation" => self.probation,
            "suspended" => self.suspended,
            "quota" => self.max_24_hour_send.is_some(),
            "denied" => !self.allowed,
            "unknown" => self.identities.is_empty(),
            "unverified" => self.unverified,
            "sets-paused" => !self.paused_sets.is_empty(),
            "sets-silent" => !self.silent_sets.is_empty(),
            "dkim" => self.dkim != "SUCCESS",
            "mail-from" => self.mail_from.is_some(),
            "dmarc" => self.recommendations.is_some(),
            "unconfirmed" => self.subscriptions.iter().any(|it| !it.confirmed),
            "expiry" => !self.table.expiry,
            "recovery" => !self.table.recovery,
            "deletion" => !self.table.deletion,
            _ => false,
        }
    }

    /// Makes this wrong, or right again.
    pub fn switch(&mut self, name: &str) {
        let wrong = !self.switched(name);
        match name {
            "sandbox" => self.sandbox = wrong,
            "paused" => self.paused = wrong,
            "probation" => self.probation = wrong,
            "suspended" => self.suspended = wrong,
            "quota" => self.max_24_hour_send = wrong.then_some(0),
            "denied" => self.allowed = !wrong,
            "unverified" => self.unverified = wrong,
            "sets-paused" => self.paused_sets = self.all_sets(wrong),
            "sets-silent" => self.silent_sets = self.all_sets(wrong),
            "unknown" => {
                self.identities = if wrong {
                    BTreeSet::new()
                } else {
                    BTreeSet::from(["example.com".to_owned()])
                }
            }
            "dkim" => self.dkim = if wrong { "FAILED" } else { "SUCCESS" }.to_owned(),
            "mail-from" => {
                self.mail_from = wrong.then(|| MailFrom {
                    domain: "mail.example.com".to_owned(),
                    status: "FAILED".to_owned(),
                });
            }
            "dmarc" => {
                self.recommendations = wrong.then(|| {
                    vec![Recommendation {
                        kind: "DMARC".to_owned(),
                        impact: "HIGH".to_owned(),
                        description: "DMARC configuration was not found.".to_owned(),
                    }]
                });
            }
            "unconfirmed" => {
                for subscription in &mut self.subscriptions {
                    subscription.confirmed = !wrong;
                }
            }
            "expiry" => self.table.expiry = !wrong,
            "recovery" => self.table.recovery = !wrong,
            "deletion" => self.table.deletion = !wrong,
            _ => {}
        }
    }

    fn all_sets(&self, wanted: bool) -> BTreeSet<String> {
        let sets = self.configuration_sets.iter().filter(|_| wanted);
        sets.cloned().collect()
    }

    /// Whether this is an identity by its own name that is there, verified or not.
    pub fn has_identity(&self, name: &str) -> bool {
        self.identities
            .iter()
            .any(|identity| identity.eq_ignore_ascii_case(name))
    }

    /// Whether this address may send, and in the sandbox receive.
    pub fn is_verified(&self, address: &str) -> bool {
        let address = address.to_ascii_lowercase();
        let Some((_, domain)) = address.rsplit_once('@') else {
            return false;
        };
        let mut identities = self.identities.iter().filter(|_| !self.unverified);
        identities.any(|identity| {
            let identity = identity.to_ascii_lowercase();
            identity == address
                || identity == domain
                || domain
                    .strip_suffix(&identity)
                    .is_some_and(|rest| rest.ends_with('.'))
        })
    }

    /// Why SES holds back what is sent to this address with this configuration set, if it does.
    pub fn suppression(
        &self,
        address: &str,
        configuration_set: Option<&str>,
    ) -> Option<Suppression> {
        if configuration_set.is_some_and(|set| self.unsuppressed_sets.contains(set)) {
            return None;
        }
        self.suppressed
            .iter()
            .find(|(suppressed, _)| suppressed.eq_ignore_ascii_case(address))
            .map(|(_, why)| *why)
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
