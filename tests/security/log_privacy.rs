//! Privacy of the logs: marked values go through every path of the real binary, at the most detailed log level, and none
//! of them may be on its standard output or standard error.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_emulator::ses::faults::Fault;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use testing::gateway;
use tokio::process::Command;
use tokio::sync::Notify;

use crate::support::browser::last_code;
use crate::support::{BROWSER, TestApp, urlencoded};

/// Stands in every value that a person could have typed.
const CANARY: &str = "canary7391";

/// Lambda's Runtime API, as far as a function uses it: events in order, answers kept.
#[derive(Default)]
struct Runtime {
    events: Mutex<VecDeque<Value>>,
    answers: Mutex<Vec<(String, Value)>>,
    done: Notify,
}

async fn next(State(runtime): State<Arc<Runtime>>) -> impl IntoResponse {
    let event = runtime.events.lock().unwrap().pop_front();
    let Some(event) = event else {
        // Nothing more to do: the function waits, and the test goes on.
        runtime.done.notify_one();
        std::future::pending::<()>().await;
        unreachable!("a pending future never ends");
    };
    let deadline = jiff::Timestamp::now().as_millisecond() + 29_000;
    let mut headers = HeaderMap::new();
    headers.insert(
        "lambda-runtime-aws-request-id",
        "11111111-2222-3333-4444-555555555555".parse().unwrap(),
    );
    headers.insert(
        "lambda-runtime-deadline-ms",
        deadline.to_string().parse().unwrap(),
    );
    headers.insert(
        "lambda-runtime-invoked-function-arn",
        "arn:aws:lambda:eu-west-2:000000000000:function:desk"
            .parse()
            .unwrap(),
    );
    (headers, axum::Json(event))
}

async fn answered(
    State(runtime): State<Arc<Runtime>>,
    Path((_, kind)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let answer = serde_json::from_str(&body).unwrap_or(Value::Null);
    runtime.answers.lock().unwrap().push((kind, answer));
    StatusCode::ACCEPTED
}

fn post_event(content_type: &str, body: String) -> Value {
    let headers = json!({
        "accept": BROWSER, "content-type": content_type, "user-agent": CANARY, "cookie": CANARY,
    });
    let address = format!("/enquiries?q={CANARY}");
    let mut event = gateway::request("POST", &address, &headers, &body);
    event["requestContext"]["http"]["userAgent"] = CANARY.into();
    event
}

fn form(email: &str, more: &[(&str, &str)]) -> Value {
    let name = format!("Zoë {CANARY}");
    let message = format!("It hurts. {CANARY}");
    let fields = [
        &[
            ("name", name.as_str()),
            ("email", email),
            ("goal", "treat"),
            ("consent", "yes"),
            ("times", CANARY),
            ("message", &message),
        ][..],
        more,
    ]
    .concat();
    post_event("application/x-www-form-urlencoded", urlencoded(&fields))
}

/// A post to the therapist's pages, with everything in it that a browser may send.
fn desk_event(path: &str, code: &str) -> Value {
    let body = urlencoded(&[("code", code), ("key", CANARY), ("to", CANARY)]);
    let mut event = post_event("application/x-www-form-urlencoded", body);
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["headers"]["origin"] = "https://api.example.com".into();
    event["cookies"] = json!([
        format!("__Host-desk={CANARY}"),
        format!("__Host-desk-code={CANARY}"),
        format!("__Host-desk-browser={CANARY}.{CANARY}"),
    ]);
    event
}

fn stream_event(item: crate::support::Item) -> Value {
    let image = serde_json::to_value(serde_dynamo::Item::from(item)).unwrap();
    json!({ "Records": [{
        "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "dynamodb": { "SequenceNumber": "100", "NewImage": image },
    }] })
}

/// Runs the binary over these events and returns what it wrote and what it answered.
async fn run(app: &TestApp, dynamodb: &str, events: Vec<Value>) -> (String, Vec<(String, Value)>) {
    let runtime = Arc::new(Runtime {
        events: Mutex::new(events.into()),
        ..Runtime::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answered))
        .with_state(Arc::clone(&runtime));
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let function = Command::new(env!("CARGO_BIN_EXE_enquiry-desk"))
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", address.to_string().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "desk"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_REGION", "eu-west-2"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("AWS_ENDPOINT_URL_SESV2", &app.desk.endpoints().ses),
            ("TABLE_NAME", "enquiries"),
            ("THERAPIST_EMAIL", "therapist@example.com"),
            ("SENDER_EMAIL", "desk@example.com"),
            ("HASH_KEY", "a-secret-canary7391-that-is-long-enough"),
            ("LOG_LEVEL", "TRACE"),
            ("RUST_BACKTRACE", "1"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    tokio::time::timeout(Duration::from_secs(60), runtime.done.notified())
        .await
        .unwrap();
    let id = function.id().unwrap();
    let killed = Command::new("kill")
        .arg(id.to_string())
        .status()
        .await
        .unwrap();
    assert!(killed.success());
    let written = function.wait_with_output().await.unwrap();
    server.abort();
    let text = [written.stdout, written.stderr].concat();
    let answers = std::mem::take(&mut *runtime.answers.lock().unwrap());
    (String::from_utf8_lossy(&text).into_owned(), answers)
}

#[tokio::test]
async fn nothing_that_anybody_typed_is_ever_logged() {
    let app = TestApp::start().await;
    let dynamodb = app.desk.endpoints().dynamodb.clone();
    let email = format!("{CANARY}@example.com");

    // An enquiry of the local function gives an item whose record can be sent again.
    let fields = [
        ("name", CANARY),
        ("email", email.as_str()),
        ("goal", "treat"),
        ("consent", "yes"),
        ("message", CANARY),
    ];
    app.post_form(&fields).await;
    app.emails().await;
    let stored = app.items("enquiry").await.remove(0);
    let reference = stored["reference"].as_s().unwrap().clone();
    let mut broken = stored.clone();
    broken.remove("enquiry");

    app.desk
        .ses()
        .fail_for("therapist@example.com", Fault::Rejected);
    app.desk
        .ses()
        .fail_for("therapist@example.com", Fault::ServerErrorAfter(500));
    let bounce = json!({
        "eventType": "Bounce",
        "bounce": { "bounceType": "Permanent", "bouncedRecipients": [{ "emailAddress": email, "diagnosticCode": CANARY }] },
        "mail": { "messageId": "m", "destination": [email], "commonHeaders": { "subject": CANARY },
                  "tags": { "reference": [reference], "kind": ["auto_reply"] } },
    });
    let sns = |message: String| json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": message } }] });
    let events = vec![
        form(&email, &[]),
        form(&email, &[("extra_detail", CANARY)]),
        form("zoe@gmial.com", &[("phone", CANARY), ("goal", CANARY)]),
        form(CANARY, &[("submission", CANARY)]),
        form(&email, &[(CANARY, CANARY)]),
        post_event(
            "application/json",
            format!("{{\"name\": \"{CANARY}\", \"name\": 7}}"),
        ),
        post_event("application/json", format!("{{\"message\": \"{CANARY}")),
        post_event(
            "multipart/form-data; boundary=x",
            format!("--x\r\n{CANARY}"),
        ),
        post_event(CANARY, CANARY.to_owned()),
        {
            let mut unreadable = form(&email, &[]);
            unreadable["isBase64Encoded"] = json!(true);
            unreadable["body"] = json!(format!("%{CANARY}%"));
            unreadable
        },
        stream_event(stored),
        stream_event(broken),
        sns(bounce.to_string()),
        sns(CANARY.to_owned()),
        json!({ "command": "show", "reference": reference }),
        json!({ "command": "show", "reference": CANARY }),
        json!({ "command": CANARY }),
        json!({ "command": "release", "reference": reference }),
        json!({ "command": "sweep" }),
        json!({ "command": "list" }),
        json!({ "command": "list", "format": "csv" }),
        json!({ "command": "list", "from": CANARY }),
        json!({ "command": "list", "next": CANARY, CANARY: CANARY }),
        json!({ "command": "list", "next": CANARY }),
        json!({ "command": "resend", "reference": reference, "kind": "therapist" }),
        json!({ "command": "resend", "reference": reference, "kind": "auto_reply" }),
        json!({ "command": "resend", "reference": CANARY, "kind": CANARY }),
        json!({ "command": "export", "email": email }),
        json!({ "command": "export", "email": email, "format": "csv" }),
        json!({ "command": "export", "email": CANARY }),
        json!({ "command": "erase", "email": email }),
        json!({ "command": "erase", "email": email, "reference": CANARY }),
        json!({ "command": "erase", "email": CANARY, "confirm": true }),
        json!({ "command": "erase", "reference": CANARY, "confirm": true }),
        json!({ "command": "erase", "email": email, "confirm": true }),
        desk_event("/desk/sign-in", CANARY),
        desk_event("/desk/code", CANARY),
        desk_event("/desk/code", "12345678"),
        desk_event("/desk/browsers/sign-out", CANARY),
        json!({ "command": "sign-in" }),
        json!({ "who": CANARY }),
    ];
    let count = events.len();
    let (written, answers) = run(&app, &dynamodb, events).await;
    assert_eq!(answers.len(), count, "every event was answered: {written}");
    let exported = answers.iter().any(|(_, answer)| {
        answer["csv"]
            .as_str()
            .is_some_and(|csv| csv.contains(CANARY))
    });
    let erased = answers
        .iter()
        .any(|(_, answer)| answer["erased"]["enquiries"].as_u64() > Some(0));
    assert!(exported && erased, "the commands did what they are for");
    let accepted = answers
        .iter()
        .filter(|(_, answer)| answer["statusCode"] == 303 && answer["cookies"] == json!([]))
        .count();
    // One of them with a field that the form has not.
    assert_eq!(accepted, 3);
    assert!(
        written.contains("enquiry accepted") && written.contains("form refused"),
        "{written}"
    );
    assert!(
        !written.contains(CANARY),
        "{}",
        written
            .lines()
            .filter(|line| line.contains(CANARY))
            .collect::<String>()
    );
    // Codes and the secrets of cookies.
    let made = answers
        .iter()
        .find_map(|(_, answer)| answer["code"].as_str());
    let made = made.unwrap();
    let mut secrets = vec![made.to_owned(), made.replace(' ', ""), last_code(&app)];
    let cookies = answers.iter().flat_map(|(_, answer)| {
        let cookies = answer["cookies"].as_array().cloned().unwrap_or_default();
        cookies.into_iter()
    });
    let before = secrets.len();
    secrets.extend(cookies.map(|cookie| {
        let (_, value) = cookie.as_str().unwrap().split_once('=').unwrap();
        value.split(';').next().unwrap().to_owned()
    }));
    assert_eq!(secrets.len(), before + 1, "a code was asked for");
    assert!(written.contains("sign-in code sent"));
    for secret in secrets {
        assert!(!written.contains(&secret), "a secret was logged");
    }

    // Without the table, and for the first post without the mailbox too.
    app.desk.settled().await;
    app.desk.ses().clear_faults();
    app.desk
        .ses()
        .fail_for("therapist@example.com", Fault::ServerErrorBefore(500));
    let nowhere = "http://127.0.0.1:9";
    let (written, answers) = run(
        &app,
        nowhere,
        vec![form(&email, &[]), form(&email, &[("cause", "stress")])],
    )
    .await;
    let statuses: Vec<_> = answers
        .iter()
        .map(|(_, answer)| answer["statusCode"].as_u64().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [503, 303],
        "the first could be neither stored nor mailed, the second was mailed"
    );
    assert!(!written.contains(CANARY), "{written}");
    app.finish_pending().await;
}

#[tokio::test]
async fn a_function_that_cannot_start_names_every_variable_and_no_value() {
    let output = Command::new(env!("CARGO_BIN_EXE_enquiry-desk"))
        .env_clear()
        .envs([
            ("THERAPIST_EMAIL", CANARY),
            ("HASH_KEY", CANARY),
            ("THANK_YOU_URL", CANARY),
        ])
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for variable in [
        "TABLE_NAME",
        "THERAPIST_EMAIL",
        "SENDER_EMAIL",
        "HASH_KEY",
        "THANK_YOU_URL",
    ] {
        assert!(text.contains(variable), "{text}");
    }
    assert!(!text.contains(CANARY), "{text}");
}
