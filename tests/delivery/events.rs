//! Each file in `events/` is of the kind that its name says, and the function accepts it.

use std::collections::BTreeMap;
use std::path::Path;

use enquiry_desk::app::Event;
use serde_json::{Value, json};

use crate::support::{COMPLETE, MINIMAL, TestApp};

fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("events")
        .join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The kind of event that each file is, by the beginning of its name.
fn kind(event: Value) -> &'static str {
    match Event::recognise(event) {
        Ok(Event::Http(_)) => "http",
        Ok(Event::Stream(_)) => "stream",
        Ok(Event::Feedback(_)) => "feedback",
        Ok(Event::Command(_)) => "command",
        Err(_) => "unknown",
    }
}

#[test]
fn every_file_is_recognised_as_what_its_name_says() {
    let expected: BTreeMap<&str, &str> = [
        ("command-block.json", "command"),
        ("command-check.json", "command"),
        ("command-close-desk.json", "command"),
        ("command-erase.json", "command"),
        ("command-export.json", "command"),
        ("command-list.json", "command"),
        ("command-mark.json", "command"),
        ("command-nightly.json", "command"),
        ("command-note.json", "command"),
        ("command-open-desk.json", "command"),
        ("command-probe.json", "command"),
        ("command-release.json", "command"),
        ("command-remind.json", "command"),
        ("command-resend.json", "command"),
        ("command-senders.json", "command"),
        ("command-show.json", "command"),
        ("command-sign-in.json", "command"),
        ("command-sign-out-everywhere.json", "command"),
        ("command-spam.json", "command"),
        ("command-sweep.json", "command"),
        ("command-trust.json", "command"),
        ("command-unblock.json", "command"),
        ("command-waiting.json", "command"),
        ("function-url.json", "http"),
        ("http-form.json", "http"),
        ("http-get-altcha.json", "http"),
        ("http-get-form.json", "http"),
        ("http-get-token.json", "http"),
        ("http-invalid.json", "http"),
        ("http-json.json", "http"),
        ("http-multipart.json", "http"),
        ("ses-bounce.json", "feedback"),
        ("ses-complaint.json", "feedback"),
        ("ses-delivery.json", "feedback"),
        ("ses-delivery-delay.json", "feedback"),
        ("stream-insert.json", "stream"),
        ("stream-modify.json", "stream"),
        ("unknown.json", "unknown"),
    ]
    .into();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    let found: BTreeMap<&str, &str> = files
        .iter()
        .map(|name| (name.as_str(), kind(event(name))))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_http_events_get_the_answers_that_their_names_promise() {
    let app = TestApp::start_with(&[
        ("ALLOWED_ORIGINS", "https://www.example.com"),
        ("ALTCHA", "true"),
    ])
    .await;
    for (name, status) in [
        ("http-form.json", 303),
        ("http-json.json", 201),
        ("http-multipart.json", 201),
        ("http-invalid.json", 422),
        ("http-get-form.json", 200),
        ("http-get-token.json", 200),
        ("http-get-altcha.json", 200),
        ("function-url.json", 303),
    ] {
        let answer = app.invoke(event(name)).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{name}: {}", answer["body"]);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_http_event_that_cannot_be_read_is_answered_with_a_page() {
    let app = TestApp::start_with(&[("ALLOWED_ORIGINS", "https://www.example.com")]).await;
    let mut broken = event("http-form.json");
    broken["body"] = json!("%%% this is no base64 %%%");
    let answer = app.invoke(broken).await.unwrap();
    assert_eq!(answer["statusCode"], 400);
    assert!(
        answer["headers"]["content-type"]
            .as_str()
            .unwrap()
            .starts_with("text/html")
    );
    app.finish().await;
}

#[tokio::test]
async fn the_command_events_are_commands_that_the_function_carries_out() {
    let app = TestApp::start().await;
    for (name, expected) in [
        ("command-list.json", Ok("enquiries")),
        ("command-export.json", Ok("csv")),
        ("command-erase.json", Ok("would_erase")),
        ("command-sweep.json", Ok("delivered")),
        ("command-waiting.json", Ok("waiting")),
        ("command-senders.json", Ok("senders")),
        ("command-mark.json", Err("there is no enquiry")),
        ("command-note.json", Err("there is no enquiry")),
        ("command-spam.json", Err("there is no enquiry")),
        ("command-block.json", Err("there is no enquiry")),
        ("command-trust.json", Err("there is no enquiry")),
        ("command-unblock.json", Err("there is no enquiry")),
        ("command-sign-in.json", Ok("code")),
        ("command-sign-out-everywhere.json", Ok("signed_out")),
        ("command-close-desk.json", Ok("open")),
        ("command-open-desk.json", Ok("open")),
        ("command-show.json", Err("there is no enquiry")),
        ("command-release.json", Err("there is no enquiry")),
        ("command-resend.json", Err("there is no enquiry")),
    ] {
        match (app.invoke(event(name)).await, expected) {
            (Ok(answer), Ok(member)) => {
                assert!(answer.get(member).is_some(), "{name}: {answer}");
            }
            (Err(error), Err(words)) => assert!(error.contains(words), "{name}: {error}"),
            (answer, _) => panic!("{name}: {answer:?}"),
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn an_unknown_event_is_a_function_error_that_says_what_was_expected() {
    let app = TestApp::start().await;
    let error = app.invoke(event("unknown.json")).await.unwrap_err();
    assert!(error.contains("requestContext.http"), "{error}");
    app.finish().await;
}

#[tokio::test]
async fn feedback_of_every_kind_is_taken() {
    let app = TestApp::start().await;
    for name in [
        "ses-bounce.json",
        "ses-complaint.json",
        "ses-delivery.json",
        "ses-delivery-delay.json",
    ] {
        assert_eq!(
            app.invoke(event(name)).await.unwrap(),
            json!({ "messages": 1 }),
            "{name}"
        );
    }
    app.finish().await;
}

/// The sample of a stream event shows the item as it really is. When the item's shape has changed on purpose:
/// `UPDATE_EVENTS=1 cargo test events`.
#[tokio::test]
async fn the_sample_of_a_stream_event_has_the_shape_of_a_real_item() {
    let app = TestApp::start().await;
    app.post_form(&COMPLETE).await;
    app.emails().await;
    let mut items = app.all_items().await;
    items.retain(|item| item["kind"].as_s().unwrap() == "enquiry");
    let item = items.remove(0);
    let mut image: Value = serde_json::to_value(serde_dynamo::Item::from(item)).unwrap();
    for (place, value) in [
        ("/pk", json!({ "S": "enquiry#BB-7KQ4M" })),
        ("/reference", json!({ "S": "BB-7KQ4M" })),
        ("/received_at", json!({ "S": "2026-11-23T09:30:00Z" })),
        ("/promised_by", json!({ "S": "2026-11-24T09:30:00Z" })),
        ("/address", json!({ "S": "00".repeat(32) })),
        (
            "/idempotency",
            json!({ "S": format!("idempotency#{}", "00".repeat(32)) }),
        ),
    ] {
        *image.pointer_mut(place).unwrap() = value;
    }
    let image = image.as_object_mut().unwrap();
    image.remove("expires");

    let mut sample = event("stream-insert.json");
    let shown = sample.pointer_mut("/Records/0/dynamodb/NewImage").unwrap();
    if std::env::var_os("UPDATE_EVENTS").is_some() {
        *shown = Value::Object(image.clone());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/stream-insert.json");
        std::fs::write(path, format!("{sample:#}\n")).unwrap();
    } else {
        assert_eq!(shown.as_object().unwrap(), image);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_poison_record_holds_up_none_of_the_others() {
    let app = TestApp::start().await;
    let sample = event("stream-insert.json")["Records"][0].clone();
    let mut broken = sample.clone();
    broken["dynamodb"]["NewImage"]["enquiry"] = json!({ "S": "not an enquiry" });
    let mut newer = sample.clone();
    newer["dynamodb"]["NewImage"]["v"] = json!({ "N": "99" });
    let shapeless = json!({ "eventSource": "aws:dynamodb", "dynamodb": "x" });
    let records = json!({ "Records": [broken, newer, shapeless] });
    assert_eq!(
        app.invoke(records).await.unwrap(),
        json!({ "batchItemFailures": [] })
    );
    app.finish().await;
}

/// The recipient took the email out of the junk folder: that is no complaint.
#[tokio::test]
async fn a_report_of_not_spam_changes_nothing_and_bars_no_address() {
    let app = TestApp::start().await;
    app.post_form(&MINIMAL).await;
    let emails = app.emails().await;
    let reply = emails
        .iter()
        .find(|email| email.to.iter().any(|to| to.contains("zoe@")))
        .unwrap();
    let reference = app.items("enquiry").await[0]["reference"]
        .as_s()
        .unwrap()
        .clone();
    let report = |feedback: &str| {
        let told = json!({
            "eventType": "Complaint",
            "complaint": { "complaintFeedbackType": feedback, "complaintSubType": null },
            "mail": { "messageId": reply.message_id, "tags": { "reference": [reference], "kind": ["auto_reply"] } },
        });
        let mut event = event("ses-complaint.json");
        event["Records"][0]["Sns"]["Message"] = told.to_string().into();
        event
    };
    let table = async || {
        let items = app.all_items().await.into_iter();
        let mut items: Vec<String> = items
            .map(|item| {
                serde_json::to_value(serde_dynamo::Item::from(item))
                    .unwrap()
                    .to_string()
            })
            .collect();
        items.sort();
        items
    };
    let before = table().await;
    app.invoke(report("not-spam")).await.unwrap();
    assert!(table().await == before, "something has changed");
    app.invoke(report("abuse")).await.unwrap();
    assert!(table().await != before, "a complaint is recorded");
    app.emails().await;
    app.finish().await;
}
