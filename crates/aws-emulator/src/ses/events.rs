//! What SES reports through a configuration set: the event-publishing record, inside SNS, inside a Lambda event.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Email;
use super::account::Suppression;
use super::message;
use crate::aws;

/// The domain of the mailbox simulator.
const SIMULATOR: &str = "simulator.amazonses.com";

/// A standard test file that virus scanners recognise; SES rejects an email that contains it.
const TEST_VIRUS: &str = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE";

/// One report about an email.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    /// `Send`, `Delivery`, `Bounce`, `Complaint` or `Reject`.
    pub kind: String,
    /// The complete event-publishing record.
    pub record: Value,
    /// Whether it was handed to the function.
    pub reported: bool,
}

impl Notice {
    /// The event that the function gets: the record as the message of an SNS notification.
    pub fn sns_event(&self) -> Value {
        let topic = format!("arn:aws:sns:{}:{}:feedback", aws::REGION, aws::ACCOUNT);
        json!({ "Records": [{
            "EventVersion": "1.0",
            "EventSubscriptionArn": format!("{topic}:{}", aws::uuid()),
            "EventSource": "aws:sns",
            "Sns": {
                "SignatureVersion": "1",
                "Timestamp": format!("{:.3}", Timestamp::now()),
                "Signature": "local",
                "SigningCertUrl": format!("https://sns.{}.amazonaws.com/SimpleNotificationService-local.pem", aws::REGION),
                "MessageId": aws::uuid(),
                "Message": self.record.to_string(),
                "MessageAttributes": {},
                "Type": "Notification",
                "UnsubscribeUrl": format!("https://sns.{}.amazonaws.com/?Action=Unsubscribe", aws::REGION),
                "TopicArn": topic,
                "Subject": "Amazon SES Email Event Notification",
            },
        }]})
    }
}

/// What becomes of an email at its recipient's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delivered,
    Bounced,
    Complained,
    /// Delivered, and answered by a machine, which is reported as a bounce: before the delivery, or after it.
    OutOfOffice {
        first: bool,
    },
    /// On a list of the account's, or not good enough for it.
    SuppressedBy(Suppression),
    /// On the simulator's stand-in for SES's global list.
    Suppressed,
}

/// Whether SES sends to this address at all; simulator addresses always count as verified.
pub(super) fn is_simulator(address: &str) -> bool {
    address
        .rsplit_once('@')
        .is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(SIMULATOR))
}

fn fate(address: &str, suppressed: Option<Suppression>) -> Fate {
    if let Some(why) = suppressed {
        return Fate::SuppressedBy(why);
    }
    if !is_simulator(address) {
        return Fate::Delivered;
    }
    // The simulator takes labels: bounce+anything@….
    let local = address
        .split(['@', '+'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    match local.as_str() {
        "bounce" => Fate::Bounced,
        "complaint" => Fate::Complained,
        "suppressionlist" => Fate::Suppressed,
        // "You might receive this type of notification" of an automatic answer ("Bounce types", SES developer guide), in no
        // certain order. Which one it is, is this emulator's: `ooto+first@…` answers before the delivery is reported.
        "ooto" => Fate::OutOfOffice {
            first: address.to_ascii_lowercase().starts_with("ooto+first@"),
        },
        _ => Fate::Delivered,
    }
}

/// Whether the email leaves SES for at least one of its recipients.
pub(super) fn is_sent(email: &Email, suppressed: &dyn Fn(&str) -> Option<Suppression>) -> bool {
    !email.eml.contains(TEST_VIRUS)
        && email.to.iter().any(|address| {
            !matches!(
                fate(address, suppressed(address)),
                Fate::SuppressedBy(_) | Fate::Suppressed
            )
        })
}

/// The reports about an accepted email, in their order.
pub(super) fn notices(
    email: &Email,
    configuration_set: &str,
    suppressed: &dyn Fn(&str) -> Option<Suppression>,
) -> Vec<Notice> {
    let about = about(email, configuration_set);
    let notice = |kind: &str, name: &str, detail: Value| {
        let mut record = Map::new();
        record.insert("eventType".to_owned(), json!(kind));
        record.insert("mail".to_owned(), about.clone());
        record.insert(name.to_owned(), detail);
        Notice {
            kind: kind.to_owned(),
            record: Value::Object(record),
            reported: false,
        }
    };
    let mut notices = vec![notice("Send", "send", json!({}))];
    if email.eml.contains(TEST_VIRUS) {
        notices.push(notice(
            "Reject",
            "reject",
            json!({ "reason": "Bad content" }),
        ));
        return notices;
    }
    let at = format!("{:.3}", Timestamp::now());
    for address in &email.to {
        let delivered = || {
            notice(
                "Delivery",
                "delivery",
                json!({
                    "timestamp": at,
                    "processingTimeMillis": 500,
                    "recipients": [address],
                    "smtpResponse": "250 2.6.0 Message received",
                    "reportingMTA": "a8-70.smtp-out.amazonses.com",
                }),
            )
        };
        let bounced_as = |kind: &str, sub_type: &str, diagnostic: &str| {
            notice(
                "Bounce",
                "bounce",
                json!({
                    "feedbackId": aws::message_id(Timestamp::now()),
                    "bounceType": kind,
                    "bounceSubType": sub_type,
                    "bouncedRecipients": [{
                        "emailAddress": address,
                        "action": "failed",
                        "status": "5.1.1",
                        "diagnosticCode": diagnostic,
                    }],
                    "timestamp": at,
                    "reportingMTA": "dns; amazonses.com",
                }),
            )
        };
        let bounced =
            |sub_type: &str, diagnostic: &str| bounced_as("Permanent", sub_type, diagnostic);
        let complained = |sub_type: Value, feedback_type: Value| {
            let mut detail = Map::from_iter([
                (
                    "feedbackId".to_owned(),
                    aws::message_id(Timestamp::now()).into(),
                ),
                ("complaintSubType".to_owned(), sub_type),
                (
                    "complainedRecipients".to_owned(),
                    json!([{ "emailAddress": address }]),
                ),
                ("timestamp".to_owned(), at.as_str().into()),
            ]);
            // What its reader's provider adds.
            if !feedback_type.is_null() {
                detail.extend([
                    (
                        "userAgent".to_owned(),
                        "Amazon SES Mailbox Simulator".into(),
                    ),
                    ("complaintFeedbackType".to_owned(), feedback_type),
                    ("arrivalDate".to_owned(), at.as_str().into()),
                ]);
            }
            notice("Complaint", "complaint", detail.into())
        };
        match fate(address, suppressed(address)) {
            Fate::OutOfOffice { first } => {
                let mut pair = [delivered(), bounced_as("Transient", "General", "smtp; out of office")];
                if first {
                    pair.reverse();
                }
                notices.extend(pair);
            }
            Fate::Delivered => notices.push(delivered()),
            Fate::Bounced => notices.push(bounced("General", "smtp; 550 5.1.1 user unknown")),
            Fate::SuppressedBy(Suppression::Bounce) => notices.push(bounced(
                "OnAccountSuppressionList",
                "Amazon SES did not send the message to this address because it is on the suppression list for your account.",
            )),
            Fate::SuppressedBy(Suppression::Complaint) => {
                notices.push(complained("OnAccountSuppressionList".into(), Value::Null));
            }
            Fate::SuppressedBy(Suppression::Tenant) => notices.push(bounced(
                "OnTenantSuppressionList",
                "Amazon SES did not send the message to this address because it is on the suppression list for your tenant.",
            )),
            Fate::SuppressedBy(Suppression::Validation) => notices.push(bounced(
                "EmailValidationSuppressed",
                "Amazon SES did not send the message to this address because it did not meet your validation threshold.",
            )),
            Fate::Suppressed => notices.push(bounced(
                "Suppressed",
                "Amazon SES has suppressed sending to this address because it has a recent history of bouncing.",
            )),
            Fate::Complained => {
                notices.push(delivered());
                notices.push(complained(Value::Null, "abuse".into()));
            }
        }
    }
    notices
}

/// The `mail` object of an event-publishing record.
fn about(email: &Email, configuration_set: &str) -> Value {
    let from = message::address(&email.from);
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let fields = message::fields(&email.eml);
    let headers: Vec<Value> = fields
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("Return-Path"))
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let field = |wanted: &str| {
        fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    let mut tags = Map::new();
    tags.insert("ses:operation".to_owned(), json!(["SendEmail"]));
    tags.insert(
        "ses:configuration-set".to_owned(),
        json!([configuration_set]),
    );
    tags.insert("ses:source-ip".to_owned(), json!(["127.0.0.1"]));
    tags.insert("ses:from-domain".to_owned(), json!([domain]));
    tags.insert("ses:caller-identity".to_owned(), json!(["function"]));
    for (name, value) in email.tags() {
        tags.insert(name.to_owned(), json!([value]));
    }
    json!({
        "timestamp": format!("{:.3}", email.at),
        "source": email.from,
        "sourceArn": format!("arn:aws:ses:{}:{}:identity/{domain}", aws::REGION, aws::ACCOUNT),
        "sendingAccountId": aws::ACCOUNT,
        "messageId": email.message_id,
        "destination": email.to,
        "headersTruncated": false,
        "headers": headers,
        "commonHeaders": {
            "from": [field("From")],
            "replyTo": email.reply_to,
            "to": email.to,
            "date": field("Date"),
            "messageId": email.message_id,
            "subject": email.subject,
        },
        "tags": tags,
    })
}
