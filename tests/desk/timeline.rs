//! The timeline: what happened, in order, and small.

use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::record::{Mark, Origin};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{HOUR, reference};
use crate::support::Item;
use crate::support::desk::Desk;

/// The events of an enquiry's timeline, without their times.
async fn told(desk: &Desk, name: &str) -> Vec<String> {
    let whole = desk.app.desk.enquiry(&reference(name), &desk.clock()).await;
    let timeline = whole.unwrap().timeline;
    assert!(timeline.is_sorted_by_key(|entry| entry.at), "{timeline:?}");
    timeline
        .iter()
        .map(|entry| entry.event.to_string())
        .collect()
}

/// How large an item is ("Item size and formatting", DynamoDB Developer Guide).
fn size(item: &Item) -> usize {
    fn of(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(number) => number.len().div_ceil(2) + 1,
            AttributeValue::Bool(_) => 1,
            AttributeValue::M(members) => 3 + members.len() + size(members),
            AttributeValue::L(values) => 3 + values.iter().map(|it| 1 + of(it)).sum::<usize>(),
            other => panic!("{other:?}"),
        }
    }
    item.iter()
        .map(|(name, value)| name.len() + of(value))
        .sum()
}

/// A report as SES makes it.
fn report(desk: &Desk, kind: &str, address: &str, more: Value) -> Value {
    let email = desk.to(address).remove(0);
    let mut message = json!({
        "eventType": kind,
        "mail": { "messageId": email.message_id, "tags": {
            "reference": [email.tags()["reference"]], "kind": [email.tags()["kind"]],
        } },
    });
    let more = more.as_object().unwrap().clone();
    message.as_object_mut().unwrap().extend(more);
    json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": message.to_string() } }] })
}

#[tokio::test]
async fn each_email_tells_its_tries_and_what_ses_reported_and_why() {
    let desk = Desk::start().await;
    desk.ses.mailbox().account(|account| account.paused = true);
    let name = desk.post("zoe@example.com", &[]).await;
    let image = desk.stream_of(&name).await;
    desk.ask(image).await;
    // An hour of sweeps is one entry.
    for _ in 0..12 {
        desk.later(SignedDuration::from_mins(5))
            .ask(json!({ "command": "sweep" }))
            .await;
    }
    desk.ses.mailbox().account(|account| account.paused = false);
    desk.later(HOUR).ask(json!({ "command": "sweep" })).await;
    let delivered = report(&desk, "Delivery", "therapist@example.com", json!({}));
    desk.later(HOUR).ask(delivered.clone()).await;
    let bounced = report(
        &desk,
        "Bounce",
        "zoe@example.com",
        json!({ "bounce": {
            "bounceType": "Permanent", "bounceSubType": "General",
            "bouncedRecipients": [{
                "emailAddress": "zoe@example.com", "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 <zoe@example.com>: user unknown",
            }],
        } }),
    );
    desk.later(HOUR).ask(bounced.clone()).await;
    // Reports come more than once.
    desk.later(HOUR).ask(bounced).await;
    desk.ask(delivered).await;
    let clock = desk.clock();
    let it = reference(&name);
    for mark in [Mark::Answered, Mark::Booked] {
        desk.app
            .desk
            .mark(&it, mark, None, Origin::Link, &clock)
            .await
            .unwrap();
    }
    desk.app
        .desk
        .undo(&it, Mark::Booked, Origin::Desk, &clock)
        .await
        .unwrap();
    assert_eq!(
        told(&desk, &name).await,
        [
            "received",
            "not_sent therapist 13",
            "not_sent auto_reply 13",
            "sent therapist 14",
            "sent auto_reply 14",
            "reported therapist delivered",
            "reported auto_reply bounced Permanent/General 5.1.1",
            "sent notice 1",
            "marked answered link",
            "marked booked link",
            "undone answered desk",
        ]
    );
    // The command says the same, and neither says more of the address than the enquiry does.
    let shown = desk
        .ask(json!({ "command": "show", "reference": name }))
        .await;
    let timeline = shown["timeline"].as_array().unwrap();
    assert_eq!(
        timeline[6]["event"],
        "reported auto_reply bounced Permanent/General 5.1.1"
    );
    assert!(!shown["timeline"].to_string().contains('@'));
    desk.finish().await;
}

#[tokio::test]
async fn what_is_withheld_refused_or_lost_is_told() {
    let desk = Desk::start().await;
    let suspect = desk
        .enquire("zoe@example.com", &[("extra_detail", "x")])
        .await;
    assert_eq!(
        told(&desk, &suspect).await,
        ["received", "withheld suspect", "sent therapist 1"]
    );
    desk.later(HOUR)
        .ask(json!({ "command": "release", "reference": suspect }))
        .await;
    assert_eq!(
        told(&desk, &suspect).await[3..],
        ["not_spam command", "sent auto_reply 1"]
    );
    desk.later(HOUR);
    let again = json!({ "command": "resend", "reference": suspect, "kind": "therapist" });
    desk.ask(again).await;
    assert_eq!(
        told(&desk, &suspect).await[5..],
        ["resend therapist command", "sent therapist 1"]
    );
    desk.finish().await;
}

#[tokio::test]
async fn a_state_costs_one_write_unit_however_long_the_story_is() {
    let desk = Desk::start().await;
    let name = desk.enquire("bounce@simulator.amazonses.com", &[]).await;
    let bounced = report(
        &desk,
        "Bounce",
        "bounce@simulator.amazonses.com",
        json!({ "bounce": { "bounceType": "Permanent", "bounceSubType": "General" } }),
    );
    desk.ask(bounced).await;
    let it = reference(&name);
    let mut marks = Vec::new();
    for (n, mark) in (1..=400).zip(Mark::ALL.iter().cycle()) {
        desk.later(SignedDuration::from_secs(1));
        let marked = desk
            .app
            .desk
            .mark(&it, *mark, None, Origin::Command, &desk.clock())
            .await;
        if marked.unwrap().is_done() {
            marks.push(format!("marked {mark} command"));
        }
        let item = desk.item(&format!("state#{name}")).await.unwrap();
        assert!(
            size(&item) <= 1_024,
            "{} bytes after {n} marks",
            size(&item)
        );
    }
    let told = told(&desk, &name).await;
    // What came first is kept, then the last: an item does not grow for ever.
    assert_eq!(told[0], "received");
    assert!(told[1..5].contains(&"reported auto_reply bounced Permanent/General".to_owned()));
    assert!((300..330).contains(&told.len()), "{}", told.len());
    assert_eq!(told[5], marks[0]);
    assert_eq!(told.last(), marks.last());
    let annex = desk.item(&format!("annex#{name}")).await.unwrap();
    let state = desk.item(&format!("state#{name}")).await.unwrap();
    assert_eq!(annex["expires"], state["expires"]);
    desk.finish().await;
}
