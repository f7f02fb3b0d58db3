//! The whole emulator with a function of a few lines: what it wires together, and what survives a restart.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_emulator::clock::{Clock, Jump};
use aws_emulator::dynamodb::TableDefinition;
use aws_emulator::function::Function;
use aws_emulator::{Emulator, Endpoints, Options, StartError, Timer, aws};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::http::{get, send};

/// A folder that is gone with the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "aws-emulator-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::SeqCst)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Seen = Arc<Mutex<Vec<Value>>>;

/// Stores what is posted, and sends an email for each record of the stream, as a small product would.
fn function(endpoints: Endpoints, seen: Seen) -> Function {
    let dynamodb = aws::dynamodb(&endpoints.dynamodb);
    let ses = aws::ses(&endpoints.ses);
    Function::new(move |event: Value| {
        let (dynamodb, ses, table) = (dynamodb.clone(), ses.clone(), endpoints.table.clone());
        seen.lock().unwrap().push(event.clone());
        async move {
            if event.get("requestContext").is_some() {
                let name = event["body"].as_str().unwrap_or_default().to_owned();
                if name == "panic" {
                    panic!("asked for by the test");
                }
                dynamodb
                    .put_item()
                    .table_name(table)
                    .item("pk", AttributeValue::S(name))
                    .item("kind", AttributeValue::S("order".to_owned()))
                    .send()
                    .await
                    .map_err(|error| format!("{error:?}"))?;
                return Ok(
                    json!({ "statusCode": 201, "headers": { "content-type": "application/json" }, "body": "{}" }),
                );
            }
            for record in event["Records"].as_array().unwrap() {
                let name = record["dynamodb"]["NewImage"]["pk"]["S"].as_str().unwrap();
                let content = |data: &str| {
                    Content::builder()
                        .data(data)
                        .charset("UTF-8")
                        .build()
                        .unwrap()
                };
                let body = Body::builder()
                    .text(content("text"))
                    .html(content("<script>alert(1)</script><p>html</p>"))
                    .build();
                let message = Message::builder().subject(content(name)).body(body).build();
                ses.send_email()
                    .from_email_address("shop@example.com")
                    .destination(
                        Destination::builder()
                            .to_addresses("owner@example.com")
                            .build(),
                    )
                    .content(EmailContent::builder().simple(message).build())
                    .send()
                    .await
                    .map_err(|error| format!("{error:?}"))?;
            }
            Ok(json!({ "batchItemFailures": [] }))
        }
    })
}

fn options(data: Option<&Path>) -> Options {
    Options {
        data: data.map(Path::to_owned),
        ..Options::new(crate::table())
    }
}

async fn start(data: Option<&Path>) -> (Emulator, Seen) {
    let seen = Seen::default();
    let emulator = Emulator::start(options(data), async |endpoints| {
        Ok(function(endpoints, seen.clone()))
    })
    .await
    .unwrap();
    (emulator, seen)
}

async fn post(emulator: &Emulator, name: &str) -> u16 {
    send(
        emulator.url(),
        "POST /orders",
        &["content-type: text/plain"],
        name.as_bytes(),
    )
    .await
    .status
}

fn subjects(emulator: &Emulator) -> Vec<String> {
    emulator
        .emails()
        .iter()
        .map(|email| email.subject.clone())
        .collect()
}

#[tokio::test]
async fn a_post_becomes_an_email_over_the_stream() {
    let (emulator, seen) = start(None).await;
    assert_eq!(post(&emulator, "Zoë").await, 201);
    emulator.settled().await;
    assert_eq!(subjects(&emulator), ["Zoë"]);
    let seen = seen.lock().unwrap().clone();
    let record = &seen[1]["Records"][0];
    assert_eq!(
        (record["eventSource"].as_str(), record["eventName"].as_str()),
        (Some("aws:dynamodb"), Some("INSERT"))
    );
    assert_eq!(record["awsRegion"], "eu-west-2");
    assert_eq!(record["dynamodb"]["Keys"], json!({ "pk": { "S": "Zoë" } }));
    assert_eq!(record["dynamodb"]["NewImage"]["kind"]["S"], "order");
    assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_IMAGE");
    assert!(record["dynamodb"]["SequenceNumber"].as_str().unwrap().len() >= 21);
    assert!(
        record["eventSourceARN"]
            .as_str()
            .unwrap()
            .starts_with("arn:aws:dynamodb:eu-west-2:000000000000:table/orders/stream/")
    );
    emulator.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_emails_and_goes_on_behind_the_checkpoint() {
    let folder = Folder::new();
    let (emulator, _) = start(Some(folder.path())).await;
    post(&emulator, "one").await;
    emulator.settled().await;
    emulator.stop().await;

    let (emulator, seen) = start(Some(folder.path())).await;
    assert_eq!(subjects(&emulator), ["one"]);
    post(&emulator, "two").await;
    emulator.settled().await;
    assert_eq!(subjects(&emulator), ["one", "two"]);
    assert_eq!(
        seen.lock().unwrap().len(),
        2,
        "the post and its record, and nothing from before"
    );
    emulator.stop().await;
}

#[tokio::test]
async fn what_was_stored_and_not_handled_is_handled_after_a_restart() {
    let folder = Folder::new();
    let failing = async |endpoints: Endpoints| {
        let inner = function(endpoints, Seen::default());
        Ok::<_, StartError>(Function::new(move |event: Value| {
            let inner = inner.clone();
            async move {
                if event.get("Records").is_some() {
                    return Err("not yet".to_owned());
                }
                inner.call(event).await
            }
        }))
    };
    let emulator = Emulator::start(options(Some(folder.path())), failing)
        .await
        .unwrap();
    assert_eq!(post(&emulator, "kept").await, 201);
    emulator.stop().await;

    let (emulator, _) = start(Some(folder.path())).await;
    emulator.settled().await;
    assert_eq!(subjects(&emulator), ["kept"]);
    emulator.stop().await;
}

#[tokio::test]
async fn what_the_function_cannot_handle_goes_to_the_failure_destination_and_stays_there() {
    let folder = Folder::new();
    let mut options = options(Some(folder.path()));
    options.stream.mapping.retries = Some(1);
    options.stream.mapping.backoff = std::time::Duration::ZERO;
    let poison = async |endpoints: Endpoints| {
        let inner = function(endpoints, Seen::default());
        Ok::<_, StartError>(Function::new(move |event: Value| {
            let inner = inner.clone();
            async move {
                if event.get("Records").is_some() && event.to_string().contains("poison") {
                    panic!("asked for by the test");
                }
                inner.call(event).await
            }
        }))
    };
    let emulator = Emulator::start(options, poison).await.unwrap();
    post(&emulator, "poison").await;
    post(&emulator, "fine").await;
    emulator.settled().await;
    assert_eq!(subjects(&emulator), ["fine"]);
    assert_eq!(emulator.failures().len(), 1);
    assert!(
        get(emulator.url(), "/outbox/failures")
            .await
            .text()
            .contains("RetryAttemptsExhausted")
    );
    emulator.stop().await;

    let (emulator, _) = start(Some(folder.path())).await;
    assert_eq!(emulator.failures().len(), 1);
    assert_eq!(
        emulator.failures()[0]["requestContext"]["approximateInvokeCount"],
        2
    );
    emulator.stop().await;
}

#[tokio::test]
async fn a_panic_of_the_function_is_the_gateways_500() {
    let (emulator, _) = start(None).await;
    let answer = send(
        emulator.url(),
        "POST /orders",
        &["content-type: text/plain"],
        b"panic",
    )
    .await;
    assert_eq!(
        (answer.status, answer.json()),
        (500, json!({ "message": "Internal Server Error" }))
    );
    emulator.stop().await;
}

#[tokio::test]
async fn the_outbox_shows_every_email_in_every_form() {
    let (emulator, _) = start(None).await;
    assert!(
        get(emulator.url(), "/outbox")
            .await
            .text()
            .contains("No email has left yet")
    );
    post(&emulator, "<b>one</b>").await;
    post(&emulator, "two").await;
    emulator.settled().await;

    let list = get(emulator.url(), "/outbox").await.text();
    assert!(
        list.find(">two</a>").unwrap() < list.find("&#60;b&#62;one").unwrap(),
        "newest first, escaped"
    );
    let data = get(emulator.url(), "/outbox.json").await.json();
    assert_eq!(data.as_array().unwrap().len(), 2);
    let email = &data[1];
    assert_eq!(
        (&email["subject"], &email["to"]),
        (&json!("two"), &json!(["owner@example.com"]))
    );
    assert_eq!(email["headers"]["Subject"], "two");
    assert_eq!(email["text"], "text");
    assert!(
        email["eml"]
            .as_str()
            .unwrap()
            .contains("\r\nSubject: two\r\n")
    );
    assert_eq!(email["request"]["FromEmailAddress"], "shop@example.com");
    for key in ["from", "reply_to", "html", "message_id", "at"] {
        assert!(email.get(key).is_some(), "{key}");
    }

    let page = get(emulator.url(), "/outbox/2").await;
    for part in [
        "class=\"phone light\" sandbox",
        "class=\"desktop dark\" sandbox",
        "/outbox/2/html",
        "/outbox/2.eml",
        "Message-ID",
    ] {
        assert!(page.text().contains(part), "{part}");
    }
    assert!(!page.text().contains("<script>"));
    let source = get(emulator.url(), "/outbox/2.eml").await;
    assert_eq!(source.header("content-type"), "message/rfc822");
    assert_eq!(source.text(), email["eml"].as_str().unwrap());
    for path in [
        "/outbox/0",
        "/outbox/3",
        "/outbox/x",
        "/outbox/9.eml",
        "/outbox/3/html",
    ] {
        assert_eq!(get(emulator.url(), path).await.status, 404, "{path}");
    }
    emulator.stop().await;
}

#[tokio::test]
async fn an_emails_html_can_run_nothing_and_load_nothing() {
    let (emulator, _) = start(None).await;
    post(&emulator, "one").await;
    emulator.settled().await;
    let html = get(emulator.url(), "/outbox/1/html").await;
    let policy = html.header("content-security-policy");
    assert!(
        policy.starts_with("sandbox; default-src 'none';"),
        "{policy}"
    );
    assert!(
        !policy.contains("script-src") && !policy.contains("allow-"),
        "{policy}"
    );
    assert_eq!(html.header("x-content-type-options"), "nosniff");
    emulator.stop().await;
}

#[tokio::test]
async fn the_outbox_lists_the_newest_and_says_how_many_there_are() {
    let (emulator, _) = start(None).await;
    for number in 1..=201 {
        post(&emulator, &format!("email {number}.")).await;
    }
    emulator.settled().await;
    let list = get(emulator.url(), "/outbox").await.text();
    assert_eq!(list.matches(">email ").count(), 200);
    assert!(list.contains("These are the newest 200 of 201."), "{list}");
    let newest = emulator.ses().newest(2);
    let numbers: Vec<u64> = newest.iter().map(|email| email.number).collect();
    assert_eq!(numbers, [201, 200]);
    emulator.stop().await;
}

#[tokio::test]
async fn the_outbox_answers_to_no_foreign_name() {
    let (emulator, _) = start(None).await;
    for (host, status) in [
        ("host: attacker.example", 421),
        ("host: localhost:1", 200),
        ("host: 127.0.0.1", 200),
    ] {
        assert_eq!(
            send(emulator.url(), "GET /outbox.json", &[host], b"")
                .await
                .status,
            status,
            "{host}"
        );
    }
    emulator.stop().await;
}

#[tokio::test]
async fn a_taken_port_and_a_folder_in_use_say_what_to_do() {
    let folder = Folder::new();
    let (emulator, _) = start(Some(folder.path())).await;
    let taken = Options {
        port: emulator.endpoints().port,
        ..options(None)
    };
    let error = Emulator::start(taken, async |endpoints| {
        Ok(function(endpoints, Seen::default()))
    })
    .await
    .unwrap_err();
    assert!(
        error.to_string().contains("is taken") && error.to_string().contains("another port"),
        "{error}"
    );
    let error = Emulator::start(options(Some(folder.path())), async |endpoints| {
        Ok(function(endpoints, Seen::default()))
    })
    .await
    .unwrap_err();
    assert!(
        error.to_string().contains("in use") && error.to_string().contains("another folder"),
        "{error}"
    );
    emulator.stop().await;
}

#[tokio::test]
async fn the_timer_invokes_the_function_with_its_event() {
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let options = Options {
        timers: vec![Timer {
            every: std::time::Duration::from_millis(10),
            event: json!({ "job": "clean up" }),
        }],
        ..options(None)
    };
    let emulator = Emulator::start(options, async |_| {
        Ok(Function::new(move |event: Value| {
            let _ = sender.send(event);
            async { Ok(Value::Null) }
        }))
    })
    .await
    .unwrap();
    assert_eq!(heard.recv().await, Some(json!({ "job": "clean up" })));
    emulator.stop().await;
}

#[tokio::test]
async fn a_driver_that_redelivers_hands_out_each_batch_twice() {
    let seen = Seen::default();
    let mut options = options(None);
    options.stream.redelivery = 1.0;
    let emulator = Emulator::start(options, async |endpoints| {
        Ok(function(endpoints, seen.clone()))
    })
    .await
    .unwrap();
    post(&emulator, "one").await;
    emulator.settled().await;
    assert_eq!(subjects(&emulator), ["one", "one"]);
    emulator.stop().await;
}

#[tokio::test]
async fn pages_of_the_caller_stand_beside_the_mailbox() {
    let options = Options {
        pages: axum::Router::new().route("/outbox/extra", axum::routing::get(async || "extra")),
        links: vec![aws_emulator::mailbox_pages::Link {
            path: "/outbox/extra".to_owned(),
            label: "More & more".to_owned(),
        }],
        ..options(None)
    };
    let emulator = Emulator::start(options, async |endpoints| {
        Ok(function(endpoints, Seen::default()))
    })
    .await
    .unwrap();
    let url = emulator.url();
    let list = get(url, "/outbox").await.text();
    let link = "<a href=\"/outbox/extra\">More &#38; more</a>";
    assert!(list.contains(link), "{list}");
    assert_eq!(get(url, "/outbox/extra").await.text(), "extra");
    let foreign = ["host: attacker.example"];
    let refused = send(url, "GET /outbox/extra", &foreign, b"").await;
    assert_eq!(refused.status, 421);
    emulator.stop().await;
}

/// A clock that jumps takes the timers along, half an hour at a time, and what has expired by then is gone.
#[tokio::test]
async fn what_is_due_happens_when_the_clock_jumps() {
    let clock = Clock::default();
    let ticks: Arc<Mutex<Vec<Timestamp>>> = Arc::default();
    let (seen, at) = (ticks.clone(), clock.clone());
    let options = Options {
        timers: vec![Timer {
            every: Duration::from_secs(3_600),
            event: json!({ "tick": true }),
        }],
        clock: clock.clone(),
        ..Options::new(TableDefinition {
            name: "things".to_owned(),
            partition_key: "pk".to_owned(),
            expiry: Some("expires".to_owned()),
            indexes: Vec::new(),
        })
    };
    let emulator = Emulator::start(options, async |_| {
        Ok(Function::new(move |event: Value| {
            if event.get("tick").is_some() {
                seen.lock().unwrap().push(at.now());
            }
            async { Ok(json!({})) }
        }))
    })
    .await
    .unwrap();
    let (client, table) = (emulator.dynamo().client(), emulator.dynamo().table());
    for (name, hours) in [("soon", 2), ("later", 40)] {
        let expires = clock.now().as_second() + hours * 3_600;
        let put = client.put_item().table_name(table);
        put.item("pk", AttributeValue::S(name.to_owned()))
            .item("expires", AttributeValue::N(expires.to_string()))
            .send()
            .await
            .unwrap();
    }
    let left = async || {
        let found = client.scan().table_name(table).send().await.unwrap();
        let found = found
            .items()
            .iter()
            .map(|it| it["pk"].as_s().unwrap().clone());
        let mut found: Vec<String> = found.collect();
        found.sort();
        found
    };
    let began = clock.now();
    emulator.jump(Jump::Hour).await.unwrap();
    assert_eq!(left().await, ["later", "soon"]);
    assert_eq!(ticks.lock().unwrap().len(), 4, "at each half hour, twice");
    emulator.jump(Jump::Day).await.unwrap();
    assert_eq!(left().await, ["later"]);
    let hours = clock.now().duration_since(began).as_hours();
    assert_eq!(hours, 25);
    // It goes on from there, on the page too; a page of another site cannot press it.
    let url = emulator.url();
    let press = async |origin: &str| {
        let origin = format!("origin: {origin}");
        let pressed = send(url, "POST /outbox/clock", &[&origin], b"jump=morning").await;
        pressed.status
    };
    assert_eq!(press("https://evil.example").await, 400);
    assert_eq!(clock.now().duration_since(began).as_hours(), 25);
    assert_eq!(press(url).await, 303);
    let local = clock.now().to_zoned(jiff::tz::TimeZone::UTC);
    assert_eq!((local.hour(), local.minute()), (10, 0));
    let page = get(url, "/outbox").await.text();
    assert!(page.contains(", 10:00 here"), "{page}");
    emulator.stop().await;
}
