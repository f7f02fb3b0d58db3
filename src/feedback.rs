//! SES's reports about an email, recorded on its enquiry: delivered, delayed, bounced, complained, rejected.
//!
//! Reports come late, repeatedly and out of order; the states' rank takes care of that.

use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::enquiry::Reference;
use crate::mail_state::{EmailKind, Report};
use crate::record::OwnEmailId;
use crate::store::StoreError;

/// The part of an SES event that says which email it is about and what became of it ("Contents of event data that
/// Amazon SES publishes to Amazon SNS").
#[derive(Deserialize)]
struct SesEvent {
    #[serde(rename = "eventType", alias = "notificationType")]
    kind: String,
    mail: MailObject,
    #[serde(default)]
    bounce: Bounce,
    #[serde(default)]
    complaint: Complaint,
    #[serde(rename = "deliveryDelay", default)]
    delay: Delay,
}

#[derive(Deserialize)]
struct MailObject {
    #[serde(rename = "messageId")]
    message_id: String,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize, Default)]
struct Tags {
    #[serde(default)]
    reference: Vec<String>,
    #[serde(default)]
    kind: Vec<String>,
    #[serde(default)]
    about: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Bounce {
    #[serde(rename = "bounceType", default)]
    kind: String,
    #[serde(rename = "bounceSubType", default)]
    sub_type: String,
    #[serde(rename = "bouncedRecipients", default)]
    recipients: Vec<Recipient>,
}

/// What the other side said; its own words are left out, since they repeat the address.
#[derive(Deserialize, Default)]
struct Recipient {
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize, Default)]
struct Complaint {
    #[serde(rename = "complaintSubType", default)]
    sub_type: Option<String>,
    #[serde(rename = "complaintFeedbackType", default)]
    feedback_type: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delay {
    #[serde(rename = "delayType", default)]
    kind: String,
}

/// Records each report. One that cannot be read is logged as such and never holds up the others.
///
/// # Errors
/// When the table could not be read or written: the topic then sends the same again, which changes nothing that was
/// recorded.
pub async fn handle(
    delivery: &Delivery,
    messages: &[String],
    clock: &Clock,
) -> Result<Value, StoreError> {
    let mut failed = None;
    for message in messages {
        let Ok(event) = serde_json::from_str::<SesEvent>(message) else {
            warn!("feedback that is no event of SES");
            continue;
        };
        failed = one(delivery, &event, clock).await.err().or(failed);
    }
    match failed {
        None => Ok(json!({ "messages": messages.len() })),
        Some(error) => Err(error),
    }
}

async fn one(delivery: &Delivery, event: &SesEvent, clock: &Clock) -> Result<(), StoreError> {
    let tags = &event.mail.tags;
    let reference = tags
        .reference
        .first()
        .and_then(|reference| Reference::parse(reference).ok());
    let kind = tags.kind.first().and_then(|kind| EmailKind::from_key(kind));
    let (Some(reference), Some(kind)) = (reference, kind) else {
        let own = kind.zip(tags.about.first());
        if let Some(id) = own.and_then(|(kind, about)| OwnEmailId::from_tag(kind, about)) {
            let message_id = &event.mail.message_id;
            info!(kind = %id.kind, event_type = event.kind, message_id, "feedback from SES");
            let recorded = match report_of(event) {
                Some(report) => delivery.report_own(&id, report, message_id, clock).await,
                None => Ok(()),
            };
            return recorded.inspect_err(|error| error.log(&id));
        }
        // SES also tells the topic when it is connected, and of emails that others send with this configuration set.
        info!(
            event_type = event.kind,
            "feedback about another sender's email"
        );
        return Ok(());
    };
    let message_id = &event.mail.message_id;
    info!(%reference, %kind, event_type = event.kind, message_id, "feedback from SES");
    let Some(report) = report_of(event) else {
        return Ok(());
    };
    if kind == EmailKind::Probe {
        return delivery.report_probe(&reference, report, clock).await;
    }
    let recorded = delivery
        .report(
            &reference,
            kind,
            report,
            message_id,
            why(event).as_deref(),
            clock,
        )
        .await;
    recorded.inspect_err(|error| error.log(&reference))
}

/// What the event means for its email; nothing for those that only tell of progress.
fn report_of(event: &SesEvent) -> Option<Report> {
    match event.kind.as_str() {
        "Delivery" => Some(Report::Delivered),
        "Bounce" if is_suppression(&event.bounce.sub_type) => Some(Report::Suppressed),
        "Bounce" => Some(Report::Bounced {
            transient: event.bounce.kind != "Permanent",
        }),
        "Complaint"
            if event
                .complaint
                .sub_type
                .as_deref()
                .is_some_and(is_suppression) =>
        {
            Some(Report::Suppressed)
        }
        // The recipient took the email out of the junk folder (RFC 6430).
        "Complaint" if event.complaint.feedback_type.as_deref() == Some("not-spam") => None,
        "Complaint" => Some(Report::Complained),
        "Reject" => Some(Report::Rejected),
        "DeliveryDelay" => Some(Report::Delayed),
        _ => None,
    }
}

/// Why, as SES codes it, for the timeline.
fn why(event: &SesEvent) -> Option<String> {
    let words = match event.kind.as_str() {
        "Bounce" => {
            let Bounce {
                kind,
                sub_type,
                recipients,
            } = &event.bounce;
            let status = recipients.first().and_then(|it| it.status.as_deref());
            format!("{kind}/{sub_type} {}", status.unwrap_or_default())
        }
        "Complaint" => event.complaint.feedback_type.clone().unwrap_or_default(),
        "DeliveryDelay" => event.delay.kind.clone(),
        _ => String::new(),
    };
    Some(words.trim().to_owned()).filter(|words| !words.is_empty())
}

/// Whether SES did not send the email at all, since the address is on its own list, the account's or a tenant's, or was not
/// thought good enough ("Bounce types", "Complaint object"): Suppressed, OnAccountSuppressionList, OnTenantSuppressionList,
/// EmailValidationSuppressed. Told by what they have in common, since the list has grown.
fn is_suppression(sub_type: &str) -> bool {
    sub_type.contains("Suppress")
}
