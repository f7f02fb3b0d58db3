//! Operations that only read: `GetAccount`, `GetEmailIdentity`, `GetConfigurationSet`, `GetConfigurationSetEventDestinations` and
//! `ListRecommendations` of SES API v2, and SNS's
//! `ListSubscriptionsByTopic` (the query API: a form goes in, XML comes out).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::State;
use super::account::Account;
use super::api::{RequestError, a_day_ago, access_denied, answer, refuse};
use crate::aws::{self, lock};

pub(super) async fn account(Shared(state): Shared<Arc<State>>) -> Response {
    let sent = state.sent_since(a_day_ago());
    let account = lock(&state.account);
    if !account.allowed {
        return refuse(&access_denied("ses:GetAccount"));
    }
    let body = json!({
        "DedicatedIpAutoWarmupEnabled": false,
        "EnforcementStatus": if account.suspended { "SHUTDOWN" } else if account.probation { "PROBATION" } else { "HEALTHY" },
        "ProductionAccessEnabled": !account.sandbox,
        "SendingEnabled": !account.paused && !account.suspended,
        "SendQuota": {
            // SES says -1 for an account without a limit.
            "Max24HourSend": account.max_24_hour_send.map_or(-1.0, f64::from),
            "MaxSendRate": account.max_send_rate.unwrap_or(-1.0),
            "SentLast24Hours": sent as f64,
        },
        "SuppressionAttributes": { "SuppressedReasons": ["BOUNCE", "COMPLAINT"] },
    });
    drop(account);
    answer(StatusCode::OK, None, &body)
}

pub(super) async fn identity(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Response {
    let account = lock(&state.account);
    if !account.allowed {
        return refuse(&access_denied("ses:GetEmailIdentity"));
    }
    if !account.has_identity(&name) {
        let message = format!("Email identity {name} does not exist.");
        return refuse(&RequestError::new(404, "NotFoundException", message));
    }
    let is_address = name.contains('@');
    let mail_from = account.mail_from.as_ref();
    let body = json!({
        "IdentityType": if is_address { "EMAIL_ADDRESS" } else { "DOMAIN" },
        "VerifiedForSendingStatus": !account.unverified,
        "VerificationStatus": if account.unverified { "PENDING" } else { "SUCCESS" },
        "FeedbackForwardingStatus": true,
        "DkimAttributes": {
            "SigningEnabled": !is_address,
            // A domain is verified by its DKIM records.
            "Status": match (is_address, account.unverified) {
                (true, _) => "NOT_STARTED",
                (false, true) => "PENDING",
                (false, false) => account.dkim.as_str(),
            },
            "SigningAttributesOrigin": "AWS_SES",
            "Tokens": if is_address { json!([]) } else { json!(["token1", "token2", "token3"]) },
        },
        "MailFromAttributes": {
            "MailFromDomain": mail_from.map(|it| it.domain.as_str()),
            "MailFromDomainStatus": match (mail_from, account.mail_from_verified) {
                (_, false) => Value::from("FAILED"),
                (Some(it), true) => it.status.as_str().into(),
                (None, true) => Value::Null,
            },
            "BehaviorOnMxFailure": if account.mail_from_verified { "USE_DEFAULT_VALUE" } else { "REJECT_MESSAGE" },
        },
    });
    drop(account);
    answer(StatusCode::OK, None, &body)
}

pub(super) async fn configuration_set(
    Shared(state): Shared<Arc<State>>,
    Path(set): Path<String>,
) -> Response {
    let account = lock(&state.account);
    if let Err(refused) = may_ask(&account, "ses:GetConfigurationSet", &set) {
        return refuse(&refused);
    }
    let own = account.unsuppressed_sets.contains(&set);
    let body = json!({
        "ConfigurationSetName": set,
        "SendingOptions": { "SendingEnabled": !account.paused_sets.contains(&set) },
        "SuppressionOptions": own.then(|| json!({ "SuppressedReasons": [] })),
    });
    drop(account);
    answer(StatusCode::OK, None, &body)
}

pub(super) async fn event_destinations(
    Shared(state): Shared<Arc<State>>,
    Path(set): Path<String>,
) -> Response {
    let account = lock(&state.account);
    if let Err(refused) = may_ask(&account, "ses:GetConfigurationSetEventDestinations", &set) {
        return refuse(&refused);
    }
    let body = json!({ "EventDestinations": [{
        "Name": "feedback",
        "Enabled": !account.silent_sets.contains(&set),
        "MatchingEventTypes": ["DELIVERY", "BOUNCE", "COMPLAINT", "REJECT", "DELIVERY_DELAY"],
        "SnsDestination": { "TopicArn": format!("arn:aws:sns:{}:{}:feedback", aws::REGION, aws::ACCOUNT) },
    }] });
    drop(account);
    answer(StatusCode::OK, None, &body)
}

/// Whether this set is there and may be asked about.
fn may_ask(account: &Account, action: &str, set: &str) -> Result<(), RequestError> {
    if !account.allowed {
        return Err(access_denied(action));
    }
    if account.configuration_sets.contains(set) {
        Ok(())
    } else {
        Err(RequestError::new(
            404,
            "NotFoundException",
            format!("Configuration set <{set}> does not exist."),
        ))
    }
}

pub(super) async fn recommendations(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let account = lock(&state.account);
    if !account.allowed {
        return refuse(&access_denied("ses:ListRecommendations"));
    }
    let Some(recommendations) = &account.recommendations else {
        let message = "Virtual Deliverability Manager is not enabled for this account.";
        return refuse(&RequestError::bad_request(message));
    };
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let resource = request.pointer("/Filter/RESOURCE_ARN").cloned();
    let listed = recommendations.iter().map(|it| {
        json!({
            "ResourceArn": resource, "Type": it.kind, "Description": it.description, "Status": "OPEN", "Impact": it.impact,
            "CreatedTimestamp": 1_795_424_400.0, "LastUpdatedTimestamp": 1_795_424_400.0,
        })
    });
    let body = json!({ "Recommendations": listed.collect::<Vec<_>>() });
    drop(account);
    answer(StatusCode::OK, None, &body)
}

/// `Action=ListSubscriptionsByTopic`, in SNS's XML.
pub(super) async fn subscriptions(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let form = String::from_utf8_lossy(&body);
    let account = lock(&state.account);
    if !account.allowed {
        return xml(StatusCode::FORBIDDEN, error("AuthorizationError"));
    }
    if !form
        .split('&')
        .any(|part| part == "Action=ListSubscriptionsByTopic")
    {
        return xml(StatusCode::BAD_REQUEST, error("InvalidAction"));
    }
    let listed = members(&account);
    drop(account);
    let words = format!(
        "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
         <ListSubscriptionsByTopicResult><Subscriptions>{listed}</Subscriptions></ListSubscriptionsByTopicResult>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></ListSubscriptionsByTopicResponse>",
        aws::uuid()
    );
    xml(StatusCode::OK, words)
}

fn members(account: &Account) -> String {
    let mut members = String::new();
    for subscription in &account.subscriptions {
        let topic = format!("arn:aws:sns:{}:{}:alarms", aws::REGION, aws::ACCOUNT);
        let arn = if subscription.confirmed {
            format!("{topic}:{}", aws::uuid())
        } else {
            "PendingConfirmation".to_owned()
        };
        let _ = write!(
            members,
            "<member><TopicArn>{topic}</TopicArn><Protocol>{}</Protocol><SubscriptionArn>{arn}</SubscriptionArn>\
             <Owner>{}</Owner><Endpoint>{}</Endpoint></member>",
            subscription.protocol,
            aws::ACCOUNT,
            escaped(&subscription.endpoint)
        );
    }
    members
}

fn error(code: &str) -> String {
    format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn xml(status: StatusCode, words: String) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/xml")
        .body(Body::from(words))
        .unwrap_or_default()
}
