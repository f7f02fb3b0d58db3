//! What the function could not handle for good: the message on the failure queue is an event itself, and does its work again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_emulator::function::Function;
use aws_emulator::{Emulator, aws};
use enquiry_desk::app::Event;
use serde_json::{Value, json};

use crate::simulation::simulator::post_event;
use crate::support::emulated;

/// A desk whose table is out of reach for events of SES and the timer, as long as the switch says so.
async fn desk() -> (Emulator, Arc<AtomicBool>) {
    let outage = Arc::new(AtomicBool::new(false));
    let is_out = Arc::clone(&outage);
    let desk = Emulator::start(emulated::options(), async |endpoints| {
        let mut away = endpoints.clone();
        away.dynamodb = "http://127.0.0.1:1".to_owned();
        let [here, away] = [endpoints, away].map(|endpoints| {
            emulated::function(emulated::app(&endpoints, &[], aws::http_client()).unwrap())
        });
        Ok(Function::new(move |event: Value| {
            let waits =
                event["Records"][0]["EventSource"] == "aws:sns" || event["command"] == "sweep";
            let function = if waits && is_out.load(Ordering::SeqCst) {
                away.clone()
            } else {
                here.clone()
            };
            async move { function.call(event).await }
        }))
    })
    .await
    .unwrap();
    (desk, outage)
}

#[tokio::test]
async fn a_bounce_that_ended_on_the_failure_queue_is_recorded_when_its_message_is_sent_again() {
    let (desk, outage) = desk().await;
    outage.store(true, Ordering::SeqCst);
    let form = json!({
        "name": "Zoë", "email": "bounce@simulator.amazonses.com", "goal": "relax", "consent": "yes",
    });
    let answer = desk.function().call(post_event(&form)).await.unwrap();
    assert_eq!(answer["statusCode"], 201);
    desk.settled().await;
    assert_eq!(
        desk.emails().len(),
        2,
        "and no notice, since the bounce is not known"
    );
    let failures = desk.failures();
    let kind = |failure: &Value| {
        let message = failure["requestPayload"]["Records"][0]["Sns"]["Message"]
            .as_str()
            .unwrap();
        let record: Value = serde_json::from_str(message).unwrap();
        record["eventType"].as_str().unwrap().to_owned()
    };
    let kinds: Vec<String> = failures.iter().map(kind).collect();
    assert!(kinds.contains(&"Bounce".to_owned()), "{kinds:?}");

    outage.store(false, Ordering::SeqCst);
    // Twice is no more than once.
    for _ in 0..2 {
        for failure in &failures {
            let answer = desk.function().call(failure.clone()).await;
            assert_eq!(answer, Ok(json!({ "messages": 1 })));
        }
    }
    desk.settled().await;
    let emails = desk.emails();
    assert_eq!(emails.len(), 3);
    assert!(emails[2].text.as_deref().unwrap().contains("came back"));
    assert_eq!(emails[2].to, ["therapist@example.com"]);
    desk.stop().await;
}

#[tokio::test]
async fn a_sweep_without_the_table_is_no_failure_of_the_function() {
    let (desk, outage) = desk().await;
    outage.store(true, Ordering::SeqCst);
    let sweep = json!({ "command": "sweep" });
    let answer = desk.function().call(sweep.clone()).await.unwrap();
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("could not list what is pending"),
        "{answer}"
    );
    desk.function()
        .call_async(sweep, std::time::Duration::ZERO)
        .await;
    assert!(
        desk.failures().is_empty(),
        "nothing for a person to look at"
    );
    desk.stop().await;
}

#[test]
fn a_message_of_the_failure_queue_is_the_event_that_failed() {
    let message = |more: Value| {
        let mut message = json!({
            "version": "1.0", "timestamp": "2026-11-28T14:00:00.000Z",
            "requestContext": {
                "requestId": "1", "functionArn": "arn", "condition": "RetriesExhausted", "approximateInvokeCount": 3,
            },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        });
        message
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Event::recognise(message)
    };
    let pointer = json!({ "DDBStreamBatchInfo": { "shardId": "shardId-0001", "batchSize": 1 } });
    assert!(
        matches!(message(pointer), Ok(Event::Command(command)) if command == json!({ "command": "sweep" }))
    );
    let erase = json!({ "command": "erase", "reference": "BB-7KQ4M" });
    let payload = json!({ "requestPayload": erase });
    assert!(matches!(message(payload), Ok(Event::Command(command)) if command == erase));
    assert!(
        message(json!({})).is_err(),
        "without a payload there is nothing to do"
    );
    assert!(message(json!({ "requestPayload": { "source": "aws.s3" } })).is_err());
    // A request decides nothing by what it says of itself.
    let forged = json!({ "requestContext": { "http": { "method": "POST" }, "condition": "x" }, "requestPayload": erase });
    assert!(matches!(Event::recognise(forged), Ok(Event::Http(_))));
}

/// `tools/replay` with a queue of one message, and a function that succeeds or fails. Returns what it asked AWS for, and
/// whether it succeeded.
fn replay(function_error: bool) -> (String, bool) {
    let path = std::env::temp_dir().join(format!("replay-{}-{function_error}", std::process::id()));
    let path = path.as_path();
    fs::create_dir_all(path).unwrap();
    let message = json!({ "Messages": [{ "ReceiptHandle": "the handle", "Body": r#"{"requestPayload":"ünd"}"# }] });
    fs::write(path.join("message.json"), message.to_string()).unwrap();
    let error = if function_error {
        r#"{"FunctionError":"Unhandled"}"#
    } else {
        "{}"
    };
    let aws = format!(
        r#"#!/bin/sh
echo "$@" >> "{0}/asked"
case "$1 $2" in
  "cloudformation describe-stacks") echo https://sqs.example/queue ;;
  "sqs receive-message") cat "{0}/message.json"; echo '{{}}' > "{0}/message.json" ;;
  "lambda invoke")
    for it; do case "$it" in fileb://*) cat "${{it#fileb://}}" >> "{0}/asked" ;; esac; last="$it"; done
    echo '{{"messages":1}}' > "$last"; echo '{error}' ;;
esac
"#,
        path.display()
    );
    let bin = path.join("aws");
    fs::write(&bin, aws).unwrap();
    fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).unwrap();
    let paths = format!("{}:{}", path.display(), std::env::var("PATH").unwrap());
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/replay");
    let run = Command::new(tool)
        .args(["enquiry-desk", "eu-west-2"])
        .env("PATH", paths)
        .output()
        .unwrap();
    let asked = fs::read_to_string(path.join("asked")).unwrap();
    fs::remove_dir_all(path).unwrap();
    (asked, run.status.success())
}

#[test]
fn the_command_that_replays_the_queue_deletes_only_what_was_done() {
    let (asked, succeeded) = replay(false);
    assert!(
        succeeded && asked.contains(r#"{"requestPayload":"ünd"}"#),
        "{asked}"
    );
    assert!(
        asked.contains("delete-message") && asked.contains("--receipt-handle the handle"),
        "{asked}"
    );
    let in_the_region = asked
        .lines()
        .filter(|line| line.contains("--region eu-west-2"));
    assert_eq!(in_the_region.count(), 5, "{asked}");

    let (asked, succeeded) = replay(true);
    assert!(!succeeded && !asked.contains("delete-message"), "{asked}");
}
