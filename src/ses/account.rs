//! SES's account, the sender's identity, and SES's recommendations.

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{
    DkimStatus, EventType, ListRecommendationsFilterKey, MailFromDomainStatus,
    RecommendationImpact, RecommendationStatus,
};

use super::Ses;

/// How SES stands to the account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Whether it delivers to any address, and not to verified ones alone.
    pub production: bool,
    /// Whether it sends at all.
    pub sending: bool,
    /// `HEALTHY`, `PROBATION` or `SHUTDOWN`.
    pub enforcement: String,
    /// How many emails left within a day, and how many may; nothing where there is no limit.
    pub quota: Option<(f64, f64)>,
}

/// The identity that the sender's address is verified by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The address, or its domain.
    pub name: String,
    /// Whether it may send.
    pub verified: bool,
    /// Whether emails are signed.
    pub signed: bool,
    /// What its DNS must have for that.
    pub tokens: Vec<String>,
    /// Its MAIL FROM domain, and whether that is set up.
    pub mail_from: Option<(String, bool)>,
}

/// A configuration set that emails leave with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationSet {
    /// Its name.
    pub name: String,
    /// Whether it may send; nothing when SES does not know it.
    pub sending: Option<bool>,
    /// Whether what becomes of its emails is reported.
    pub reports: bool,
    /// Whether it is the therapist's, and SES may hold her emails back by the account's suppression list.
    pub suppresses_hers: bool,
}

/// What the desk must hear of an email.
const REPORTS: [EventType; 5] = [
    EventType::Delivery,
    EventType::Bounce,
    EventType::Complaint,
    EventType::Reject,
    EventType::DeliveryDelay,
];

/// One recommendation that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// `DKIM`, `SPF`, `DMARC`, `BIMI`, `COMPLAINT`, `BOUNCE`.
    pub kind: String,
    /// Whether SES calls its impact high.
    pub high: bool,
    /// In SES's words.
    pub words: String,
}

impl Ses {
    /// The address that every email comes from.
    #[must_use]
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// How SES stands to the account.
    ///
    /// # Errors
    /// The code of what went wrong.
    pub async fn account(&self) -> Result<Account, String> {
        let answer = self.client.get_account().send().await;
        let answer = answer.map_err(|error| code_of(&error))?;
        let quota = answer
            .send_quota
            .filter(|quota| quota.max24_hour_send >= 0.0);
        Ok(Account {
            production: answer.production_access_enabled,
            sending: answer.sending_enabled,
            enforcement: answer.enforcement_status.unwrap_or_default(),
            quota: quota.map(|quota| (quota.sent_last24_hours, quota.max24_hour_send)),
        })
    }

    /// The identity of the sender: its address when that was verified by itself, or else its domain. Nothing when there is
    /// neither.
    ///
    /// # Errors
    /// The code of what went wrong.
    pub async fn identity(&self) -> Result<Option<Identity>, String> {
        let domain = self.sender.rsplit('@').next().unwrap_or_default();
        for name in [self.sender.as_str(), domain] {
            let call = self.client.get_email_identity().email_identity(name);
            let answer = match call.send().await {
                Ok(answer) => answer,
                Err(error) if error.code() == Some("NotFoundException") => continue,
                Err(error) => return Err(code_of(&error)),
            };
            let dkim = answer.dkim_attributes;
            let mail_from = answer.mail_from_attributes.and_then(|it| {
                let domain = it.mail_from_domain;
                let ready = it.mail_from_domain_status == MailFromDomainStatus::Success;
                (!domain.is_empty()).then_some((domain, ready))
            });
            return Ok(Some(Identity {
                name: name.to_owned(),
                verified: answer.verified_for_sending_status,
                signed: dkim
                    .as_ref()
                    .is_some_and(|it| it.signing_enabled && it.status == Some(DkimStatus::Success)),
                tokens: dkim.and_then(|it| it.tokens).unwrap_or_default(),
                mail_from,
            }));
        }
        Ok(None)
    }

    /// Whether this address or domain is confirmed: in its sandbox SES writes to no others.
    ///
    /// # Errors
    /// The code of what went wrong.
    pub async fn is_confirmed(&self, name: &str) -> Result<bool, String> {
        let call = self.client.get_email_identity().email_identity(name);
        match call.send().await {
            Ok(answer) => Ok(answer.verified_for_sending_status),
            Err(error) if error.code() == Some("NotFoundException") => Ok(false),
            Err(error) => Err(code_of(&error)),
        }
    }

    /// The configuration sets that emails leave with: to the therapist, and to clients.
    ///
    /// # Errors
    /// The code of what went wrong.
    pub async fn configuration_sets(&self) -> Result<Vec<ConfigurationSet>, String> {
        let hers = self.therapist_configuration_set.as_ref();
        let clients = self
            .configuration_set
            .as_ref()
            .filter(|it| Some(*it) != hers);
        let mut sets = Vec::new();
        for name in hers.into_iter().chain(clients) {
            let asked = self
                .client
                .get_configuration_set()
                .configuration_set_name(name);
            let set = match asked.send().await {
                Ok(set) => set,
                Err(error) if error.code() == Some("NotFoundException") => {
                    sets.push(ConfigurationSet {
                        name: name.clone(),
                        sending: None,
                        reports: true,
                        suppresses_hers: false,
                    });
                    continue;
                }
                Err(error) => return Err(code_of(&error)),
            };
            let asked = self
                .client
                .get_configuration_set_event_destinations()
                .configuration_set_name(name);
            let destinations = asked.send().await.map_err(|error| code_of(&error))?;
            let reports = destinations.event_destinations().iter().any(|it| {
                let types = it.matching_event_types();
                it.enabled
                    && it.sns_destination.is_some()
                    && REPORTS.iter().all(|of| types.contains(of))
            });
            // Without options of its own the account's settings hold; whether SES says an empty list or leaves it out is not documented.
            let own = set.suppression_options.as_ref();
            let suppresses = own.is_none_or(|it| !it.suppressed_reasons().is_empty());
            sets.push(ConfigurationSet {
                name: name.clone(),
                sending: Some(set.sending_options.is_none_or(|it| it.sending_enabled)),
                reports,
                suppresses_hers: suppresses && hers == Some(name),
            });
        }
        Ok(sets)
    }

    /// What SES advises about this identity and is not done yet.
    ///
    /// # Errors
    /// The code of what went wrong; `BadRequestException` or `NotFoundException` where the account does not have that.
    pub async fn advice(&self, identity_arn: &str) -> Result<Vec<Advice>, String> {
        let answer = self
            .client
            .list_recommendations()
            .filter(ListRecommendationsFilterKey::ResourceArn, identity_arn)
            .send()
            .await
            .map_err(|error| code_of(&error))?;
        let open = answer.recommendations.unwrap_or_default().into_iter();
        let open = open.filter(|it| it.status == Some(RecommendationStatus::Open));
        Ok(open
            .map(|it| Advice {
                kind: it
                    .r#type
                    .map(|kind| kind.as_str().to_owned())
                    .unwrap_or_default(),
                high: it.impact == Some(RecommendationImpact::High),
                words: it.description.unwrap_or_default(),
            })
            .collect())
    }
}

fn code_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let code = error.code().map(str::to_owned);
    code.unwrap_or_else(|| {
        match error {
            SdkError::TimeoutError(_) => "Timeout",
            SdkError::DispatchFailure(_) => "DispatchFailure",
            _ => "Unreadable",
        }
        .to_owned()
    })
}
