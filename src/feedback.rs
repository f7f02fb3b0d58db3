//! What SES reports back about an email, recorded on its enquiry: delivered, delayed, bounced, complained, rejected.
//!
//! Reports come late, repeatedly and out of order; the states' rank settles that. An auto-reply that bounced makes a
//! notice to the therapist, and its address gets no further auto-reply.

use std::sync::Arc;

use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::app::App;
use crate::clock::Clock;
use crate::delivery::{self, EmailKind, Report};
use crate::enquiry::Reference;
use crate::store::{Change, Record, StoreError};

/// The part of an SES event that says which email it is about and what became of it ("Contents of event data that
/// Amazon SES publishes to Amazon SNS").
#[derive(Deserialize)]
struct SesEvent {
    #[serde(rename = "eventType", alias = "notificationType")]
    kind: String,
    mail: MailObject,
    #[serde(default)]
    bounce: Bounce,
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
}

#[derive(Deserialize, Default)]
struct Bounce {
    #[serde(rename = "bounceType", default)]
    kind: String,
}

/// Records each report. One that cannot be read is logged as such and never holds up the others.
///
/// # Errors
/// When the table could not be read or written: what called the function then sends the same again, which changes
/// nothing that was recorded.
pub async fn handle(app: &Arc<App>, messages: &[String], clock: &Clock) -> Result<Value, Error> {
    let mut failed = None;
    for message in messages {
        let Ok(event) = serde_json::from_str::<SesEvent>(message) else {
            warn!("feedback that is no event of SES");
            continue;
        };
        if let Err(error) = one(app, &event, clock).await {
            error!(code = error.code, "the table could not {}", error.doing);
            failed = Some(error);
        }
    }
    match failed {
        None => Ok(json!({ "messages": messages.len() })),
        Some(error) => Err(error.into()),
    }
}

async fn one(app: &Arc<App>, event: &SesEvent, clock: &Clock) -> Result<(), StoreError> {
    let tags = &event.mail.tags;
    let reference = tags
        .reference
        .first()
        .and_then(|reference| Reference::parse(reference).ok());
    let kind = tags.kind.first().and_then(|kind| EmailKind::from_key(kind));
    let report = report_of(event);
    let (Some(reference), Some(kind)) = (reference, kind) else {
        // SES also tells the topic when it is connected, and of emails that others send with this configuration set.
        info!(event_type = event.kind, "feedback about none of our mails");
        return Ok(());
    };
    info!(%reference, %kind, event_type = event.kind, message_id = event.mail.message_id, "feedback from SES");
    let Some(report) = report else {
        return Ok(());
    };
    // What can be repeated without harm comes first: when something later fails, the same report comes again.
    let is_bad = !matches!(report, Report::Delivered | Report::Delayed);
    if kind != EmailKind::AutoReply && is_bad {
        error!(alarm = "therapist_unreachable", %reference, %kind, event_type = event.kind, "the therapist's mailbox turned an email away");
    }
    let Some(record) = app.store.load(&reference).await? else {
        return Ok(());
    };
    if kind == EmailKind::AutoReply && report.is_final() {
        let address = &record.received.enquiry.email;
        app.store.never_reply_to(address, &reference, clock).await?;
    }
    let message_id = &event.mail.message_id;
    let record = record_report(app, record, kind, report, message_id, clock).await?;
    if let Some(record) = record.filter(|record| record.deliveries.is_pending()) {
        // A notice that cannot be sent now stays pending, and the sweep goes on.
        let _ = delivery::deliver(app, record, clock).await;
    }
    Ok(())
}

/// What the event means for its email; nothing for those that only tell of progress.
fn report_of(event: &SesEvent) -> Option<Report> {
    match event.kind.as_str() {
        "Delivery" => Some(Report::Delivered),
        "Bounce" if event.bounce.kind == "Permanent" => Some(Report::Bounced { transient: false }),
        "Bounce" => Some(Report::Bounced { transient: true }),
        "Complaint" => Some(Report::Complained),
        "Reject" => Some(Report::Rejected),
        "DeliveryDelay" => Some(Report::Delayed),
        _ => None,
    }
}

/// Writes a report down, however often others change the enquiry meanwhile. Returns the enquiry as it then is, also
/// when the report said nothing new; nothing when it is gone.
async fn record_report(
    app: &App,
    mut record: Record,
    kind: EmailKind,
    report: Report,
    message_id: &str,
    clock: &Clock,
) -> Result<Option<Record>, StoreError> {
    loop {
        let mut deliveries = record.deliveries.clone();
        let now = clock.now();
        if !deliveries.report(kind, report, message_id, now) {
            return Ok(Some(record));
        }
        record = match app
            .store
            .change(&record, record.with(deliveries), now)
            .await?
        {
            Change::Made(record) => return Ok(Some(*record)),
            Change::Lost(Some(current)) => *current,
            Change::Lost(None) => return Ok(None),
        };
    }
}
