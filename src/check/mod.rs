//! The check of the deployment: asks SES, DynamoDB and SNS how they stand to the desk, keeps what they say, and tells the therapist
//! when something has changed.

pub mod findings;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::join;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::aws::AlarmTopic;
use crate::clock::Clock;
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
use crate::messages::check::source;
use crate::practice::Practice;
use crate::record::{Finding, Health, Level, OwnEmailId};
use crate::ses::{Account, Advice, Ses};
use crate::store::{Seen, Store, StoreError};
use findings::Unread;

/// The hour of the practice's night at which the check is made: when the nightly test is over.
const AT_NIGHT: i8 = 5;
/// How long after the last check the next one is made while clients get no reply.
const SANDBOXED: SignedDuration = SignedDuration::from_hours(1);

/// Looks whether everything is well.
pub struct Check {
    store: Store,
    ses: Ses,
    practice: Arc<Practice>,
    therapist: EmailAddress,
    alarm_topic: Option<AlarmTopic>,
    /// When this execution environment knows the next check to be due.
    next: Mutex<Option<Timestamp>>,
}

/// What one source said, or the code of why it did not.
struct Asked {
    source: &'static str,
    name: &'static str,
    said: Result<Vec<Finding>, String>,
}

impl Check {
    /// Looks with these parts.
    #[must_use]
    pub const fn new(
        store: Store,
        ses: Ses,
        practice: Arc<Practice>,
        therapist: EmailAddress,
        alarm_topic: Option<AlarmTopic>,
    ) -> Self {
        Self {
            store,
            ses,
            practice,
            therapist,
            alarm_topic,
            next: Mutex::new(None),
        }
    }

    /// What the last check found; nothing before the first one.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn last(&self) -> Result<Option<Health>, StoreError> {
        self.store.health().await
    }

    /// Makes the check when it is due: once a night, at once on a new desk, and every hour while clients get no reply.
    /// Returns whether it was made.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn when_due(&self, clock: &Clock) -> Result<bool, StoreError> {
        let now = clock.now();
        let next = || self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next().is_some_and(|next| now < next) {
            return Ok(false);
        }
        let last = match self.store.health().await {
            // What a newer version wrote is replaced by what this one finds.
            Err(error) if error.is_unreadable() => None,
            last => last?,
        };
        let due = last.map_or(now, |last| self.due_after(&last));
        let is_due = due <= now;
        let due = if is_due {
            self.due_after(&self.now(clock).await?)
        } else {
            due
        };
        *next() = Some(due);
        Ok(is_due)
    }

    /// When the check after this one is due.
    fn due_after(&self, last: &Health) -> Timestamp {
        let zone = self.practice.time_zone.rules();
        let local = last.checked_at.to_zoned(zone.clone());
        let night = |days: i64| {
            let day = local
                .date()
                .checked_add(jiff::Span::new().days(days))
                .ok()?;
            let night = day.at(AT_NIGHT, 0, 0, 0).to_zoned(zone.clone()).ok()?;
            Some(night.timestamp()).filter(|night| *night > last.checked_at)
        };
        let night = night(0).or_else(|| night(1));
        let night = night.unwrap_or(last.checked_at + SignedDuration::from_hours(24));
        match last.production {
            Some(false) => night.min(last.checked_at + SANDBOXED),
            _ => night,
        }
    }

    /// Makes the check now, keeps what it finds, and has the therapist told when something changed.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn now(&self, clock: &Clock) -> Result<Health, StoreError> {
        let now = clock.now();
        let before = match self.store.health().await {
            Err(error) if error.is_unreadable() => None,
            before => before?,
        };
        let (findings, production) = self.findings(before.as_ref(), now).await;
        let mut health = Health {
            checked_at: now,
            findings,
            before: before
                .as_ref()
                .map(|it| it.before.clone())
                .unwrap_or_default(),
            production,
        };
        let was_wrong = before.as_ref().map(Health::wrong).unwrap_or_default();
        let changed = was_wrong != health.wrong();
        if changed {
            health.before = was_wrong;
        }
        self.store.keep_health(&health).await?;
        if changed {
            let id = OwnEmailId {
                kind: EmailKind::Health,
                about: now.to_string(),
            };
            self.store.schedule(&id, now).await?;
        }
        let wrong = health
            .problems()
            .iter()
            .map(|it| it.key.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        info!(wrong, changed, "checked");
        Ok(health)
    }

    async fn findings(
        &self,
        before: Option<&Health>,
        now: Timestamp,
    ) -> (Vec<Finding>, Option<bool>) {
        let region = self
            .alarm_topic
            .as_ref()
            .map_or("REGION", AlarmTopic::region);
        let (account, identity, sets, practice, protection, alarms, site, test) = join!(
            self.ses.account(),
            self.identity(region),
            self.ses.configuration_sets(),
            self.saved_practice(),
            self.store.protection(),
            self.alarms(),
            self.site(now),
            self.store.nightly(),
        );
        let production = account.as_ref().ok().map(|it| it.production);
        let production = production.or(before.and_then(|it| it.production));
        let recipient = self.recipient(&account).await;
        let account = account.map(|it| findings::account(&it));
        let protection = protection
            .map(|it| findings::table(&it))
            .map_err(|it| it.code);
        let asked = [
            ("account", source::SES, account),
            ("sender", source::SES, identity),
            ("recipient", source::SES, recipient),
            ("sets", source::SES, sets.map(|it| findings::sets(&it))),
            (
                "own",
                source::TABLE,
                practice.map(|it| findings::own(self.store.has_keys(), it)),
            ),
            ("table", source::TABLE, protection),
            ("alarms", source::ALARMS, alarms),
            ("site", source::TABLE, site.map_err(|it| it.code)),
            (
                "test",
                source::TABLE,
                test.map(|it| vec![findings::nightly(it.as_ref(), now)])
                    .map_err(|it| it.code),
            ),
        ];
        let today = now.to_zoned(self.practice.time_zone.rules().clone()).date();
        let mut found = Vec::new();
        for (source, name, said) in asked {
            let asked = Asked { source, name, said };
            found.extend(asked.or_as_before(before));
        }
        found.push(findings::holidays(&self.practice, today));
        (found, production)
    }

    async fn identity(&self, region: &str) -> Result<Vec<Finding>, String> {
        let identity = self.ses.identity().await?;
        let sender = self.ses.sender();
        let at_a_provider = EmailAddress::parse(sender).is_ok_and(|it| it.is_at_a_provider());
        let mut found = findings::identity(sender, at_a_provider, identity.as_ref(), region);
        let arn = identity
            .as_ref()
            .and_then(|it| self.alarm_topic.as_ref()?.identity_arn(&it.name));
        if let (Some(identity), Some(arn)) = (identity, arn) {
            let advice = match self.ses.advice(&arn).await {
                Ok(advice) => advice,
                Err(code) if is_not_offered(&code) => Vec::new(),
                Err(code) => return Err(code),
            };
            let domain = identity.name.rsplit('@').next().unwrap_or_default();
            found.extend(findings::advice(&self.new_to(&found, advice), domain));
        }
        Ok(found)
    }

    /// What SES advises and was not found already.
    #[allow(clippy::unused_self, reason = "reads as a step of the check")]
    fn new_to(&self, found: &[Finding], advice: Vec<Advice>) -> Vec<Advice> {
        let is_told = |key: &str| found.iter().any(|it| it.key == key && it.level > Level::Ok);
        let mut advice = advice;
        advice.retain(|it| it.kind != "DKIM" || !is_told("dkim"));
        advice
    }

    /// Whether emails may go to the therapist: in its sandbox SES writes only to who has confirmed that, by the address or its domain.
    async fn recipient(&self, account: &Result<Account, String>) -> Result<Vec<Finding>, String> {
        if !account.as_ref().is_ok_and(|it| !it.production) {
            return Ok(Vec::new());
        }
        let domain = |address: &str| {
            let domain = address.rsplit('@').next().unwrap_or_default();
            domain.to_ascii_lowercase()
        };
        let to = self.therapist.as_str();
        // Of other domains than the sender's the role may not ask.
        let shared = Some(domain(to)).filter(|shared| *shared == domain(self.ses.sender()));
        let mut confirmed = self.ses.is_confirmed(to).await?;
        if let Some(domain) = shared.filter(|_| !confirmed) {
            confirmed = self.ses.is_confirmed(&domain).await?;
        }
        Ok((!confirmed)
            .then(|| findings::unconfirmed(to))
            .into_iter()
            .collect())
    }

    /// Whether what was saved under "Your practice" can be used.
    async fn saved_practice(&self) -> Result<Result<(), Unread>, String> {
        match self.store.practice().await {
            Ok(None) => Ok(Ok(())),
            Ok(Some(saved)) => Ok(saved.words.read().map(drop).map_err(|_| Unread::Wrong)),
            Err(error) if error.code == StoreError::UNKNOWN_VERSION => Ok(Err(Unread::Newer)),
            Err(error) if error.is_unreadable() => Ok(Err(Unread::Wrong)),
            Err(error) => Err(error.code),
        }
    }

    async fn alarms(&self) -> Result<Vec<Finding>, String> {
        let Some(topic) = &self.alarm_topic else {
            return Ok(Vec::new());
        };
        let subscriptions = topic.subscriptions().await?;
        let is_hers = |address: &str| {
            EmailAddress::parse(address)
                .is_ok_and(|it| it.canonical() == self.therapist.canonical())
        };
        Ok(vec![findings::alarms(&subscriptions, is_hers)])
    }

    async fn site(&self, now: Timestamp) -> Result<Vec<Finding>, StoreError> {
        let wording = self.store.last_seen(Seen::OldWording, now).await?;
        let fields = self.store.last_seen(Seen::UnknownFields, now).await?;
        let day = |at: Option<Timestamp>| {
            at.map(|at| {
                self.practice
                    .which_day(at, at + SignedDuration::from_hours(24 * 300))
            })
        };
        let (wording, fields) = (day(wording), day(fields));
        Ok(findings::site(wording.as_deref(), fields.as_deref()))
    }
}

/// Whether SES says that the account has no such thing.
fn is_not_offered(code: &str) -> bool {
    matches!(code, "BadRequestException" | "NotFoundException")
}

impl Asked {
    /// What it said; while it does not answer, what it said before, so that a moment's silence tells the therapist nothing.
    fn or_as_before(self, before: Option<&Health>) -> Vec<Finding> {
        let Self { source, name, said } = self;
        let code = match said {
            Ok(findings) => return findings,
            Err(code) => code,
        };
        warn!(source, code, "a check was not answered");
        let keys: &[&str] = match source {
            "account" => &["replies", "sending", "standing", "quota"],
            "table" => &["expiry", "recovery", "deletion", "stream"],
            "alarms" => &["alarms"],
            "site" => &["wording", "fields"],
            "test" => &["nightly"],
            "recipient" => &["recipient"],
            "sets" => &["sets", "reports", "held-back"],
            "own" => &["secret", "practice"],
            _ => &[
                "own-domain",
                "sender",
                "dkim",
                "mail-from",
                "dmarc",
                "spf",
                "dkim-advice",
                "bounces",
                "complaints",
                "bimi",
                "advice",
            ],
        };
        let known = before.map(|it| it.findings.as_slice()).unwrap_or_default();
        let known = known.iter().filter(|it| keys.contains(&it.key.as_str()));
        let known: Vec<Finding> = known.cloned().collect();
        let is_refused = matches!(
            code.as_str(),
            "AccessDeniedException" | "AccessDenied" | "AuthorizationError"
        );
        if known.is_empty() || is_refused {
            return vec![findings::unasked(source, name, &code)];
        }
        known
    }
}
