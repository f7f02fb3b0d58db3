//! The function's secret: fetched once at its start, and what happens while it cannot be had.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use enquiry_desk::app::Runtime;
use enquiry_desk::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;

use crate::support::{BROWSER, TestApp, emulated, urlencoded};

pub const KEY: &str = "a-key-that-lies-in-secrets-manager-and-nowhere-else";

/// AWS Secrets Manager, as far as the function knows it: gives these answers in turn, the last one for ever.
#[derive(Default)]
pub struct Secrets {
    answers: Mutex<VecDeque<(u16, Value)>>,
    pub requests: Mutex<Vec<(HeaderMap, String)>>,
}

impl Secrets {
    fn next(&self) -> (u16, Value) {
        let mut answers = self.answers.lock().unwrap();
        match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        }
    }
}

async fn answer(
    State(secrets): State<Arc<Secrets>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    secrets.requests.lock().unwrap().push((headers, body));
    let (status, body) = secrets.next();
    if status == 0 {
        std::future::pending::<()>().await;
    }
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

/// Starts it; the server ends with the test's runtime.
pub async fn secrets(answers: &[(u16, Value)]) -> (String, Arc<Secrets>) {
    let secrets = Arc::new(Secrets::default());
    secrets.answers.lock().unwrap().extend(answers.to_vec());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/", post(answer))
        .with_state(Arc::clone(&secrets));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, secrets)
}

/// The variables of a function beside this local system, with its secret there.
fn variables(app: &TestApp, secrets: &str) -> impl Fn(&str) -> Option<String> + use<> {
    let mut variables = emulated::environment(app.desk.endpoints(), &[]);
    variables.remove("HASH_KEY");
    for (name, value) in [
        (
            "SECRET_ID",
            "arn:aws:secretsmanager:eu-west-2:000000000000:secret:x",
        ),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets),
        ("AWS_SESSION_TOKEN", "token"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    move |name| variables.get(name).cloned()
}

fn form(message: &str) -> Value {
    let fields = [
        ("name", "Zoë"),
        ("email", "zoe@example.com"),
        ("goal", "relax"),
        ("consent", "yes"),
        ("message", message),
    ];
    let headers = json!({ "accept": BROWSER, "content-type": gateway::FORM });
    gateway::request("POST", "/enquiries", &headers, &urlencoded(&fields))
}

fn clock(now: Timestamp) -> Clock {
    Clock::new(now, now + SignedDuration::from_secs(29))
}

#[tokio::test]
async fn the_key_comes_from_secrets_manager_once() {
    let app = TestApp::start().await;
    let (url, secrets) = secrets(&[(200, json!({ "Name": "x", "SecretString": KEY }))]).await;
    let now = Timestamp::now();
    let runtime = Runtime::start(variables(&app, &url), now).await.unwrap();
    for message in ["1", "2"] {
        let answer = runtime.handle(form(message), &clock(now)).await.unwrap();
        assert_eq!(answer["statusCode"], 303);
    }
    let items = app.items("enquiry").await;
    assert!(items.len() == 2 && items.iter().all(|item| item.contains_key("address")));
    let requests = secrets.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 1, "once, at the start");
    let (headers, body) = &requests[0];
    assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
    assert_eq!(
        serde_json::from_str::<Value>(body).unwrap(),
        json!({ "SecretId": "arn:aws:secretsmanager:eu-west-2:000000000000:secret:x" })
    );
    assert_eq!(
        headers["authorization"],
        signature(&url, headers, body),
        "what is signed is what is sent"
    );
    app.emails().await;
    app.finish().await;
}

/// The signature that this request must have.
fn signature(url: &str, headers: &HeaderMap, body: &str) -> String {
    let given = |name: &str| headers[name].to_str().unwrap().to_owned();
    let credentials = aws_sdk_dynamodb::config::Credentials::new(
        "local",
        "local",
        Some("token".to_owned()),
        None,
        "test",
    );
    let identity = credentials.into();
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", given("x-amz-date")).unwrap();
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-2")
        .name("secretsmanager")
        .time(time.into())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let signed: Vec<(String, String)> = ["content-type", "x-amz-target"]
        .iter()
        .map(|name| ((*name).to_owned(), given(name)))
        .collect();
    let signable = SignableRequest::new(
        "POST",
        format!("{url}/"),
        signed
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
        SignableBody::Bytes(body.as_bytes()),
    )
    .unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    assert_eq!(given("host"), url.trim_start_matches("http://"));
    instructions
        .headers()
        .find(|(name, _)| *name == "authorization")
        .unwrap()
        .1
        .to_owned()
}

#[tokio::test]
async fn the_check_names_a_secret_that_cannot_be_read() {
    let app = TestApp::start().await;
    for (answer, level) in [
        (json!({ "SecretString": "too short" }), "error"),
        (json!({ "SecretString": KEY }), "ok"),
    ] {
        let (url, _) = secrets(&[(200, answer)]).await;
        let now = Timestamp::now();
        let runtime = Runtime::start(variables(&app, &url), now).await.unwrap();
        let check = json!({ "command": "check" });
        let checked = runtime.handle(check, &clock(now)).await.unwrap();
        let mut findings = checked["findings"].as_array().unwrap().iter();
        let found = findings.find(|it| it["key"] == "secret").unwrap();
        assert_eq!(found["level"], level, "{found}");
    }
    app.finish_pending().await;
}

#[tokio::test]
async fn without_the_key_an_enquiry_is_stored_and_found_by_its_address_later() {
    let app = TestApp::start().await;
    let (url, secrets) = secrets(&[
        (
            400,
            json!({ "__type": "com.amazonaws#AccessDeniedException" }),
        ),
        (200, json!({ "SecretString": "too short" })),
        (
            200,
            json!({ "SecretString": format!("{{\"HASH_KEY\": \"{KEY}\"}}") }),
        ),
    ])
    .await;
    let asked = || secrets.requests.lock().unwrap().len();
    let now = Timestamp::now();
    let runtime = Runtime::start(variables(&app, &url), now).await.unwrap();
    let answer = runtime.handle(form("1"), &clock(now)).await.unwrap();
    assert_eq!(answer["statusCode"], 303);
    let again = runtime.handle(form("1"), &clock(now)).await.unwrap();
    assert_eq!(
        answer["headers"]["location"], again["headers"]["location"],
        "a repeat is found without the key"
    );
    assert_eq!(asked(), 1, "it is not asked for with every enquiry");

    // The local function, which has a key, delivers: the therapist hears of it, the client could not be counted.
    let emails = app.emails().await;
    assert_eq!(emails.len(), 1);
    assert_eq!(emails[0].to, ["therapist@example.com"]);
    let item = app.items("enquiry").await.remove(0);
    assert_eq!(
        item["deliveries"].as_m().unwrap()["auto_reply"]
            .as_m()
            .unwrap()["reason"]
            .as_s()
            .unwrap(),
        "counters_unavailable"
    );
    assert!(
        item.contains_key("address"),
        "the next change puts the address key there"
    );
    assert!(
        app.items("counter").await.is_empty(),
        "a source has no name without the key"
    );

    // If nothing else changes it, the sweep does.
    let by_hand = |key: String, expression: &str| {
        let client = app.desk.dynamo().client();
        let update = client.update_item();
        let update = update.table_name(app.desk.dynamo().table());
        update
            .key("pk", AttributeValue::S(key))
            .update_expression(expression)
    };
    let key = item["pk"].as_s().unwrap();
    let unaddressed = by_hand(key.clone(), "REMOVE address");
    unaddressed.send().await.unwrap();
    let pending = by_hand(
        key.replace("enquiry#", "state#"),
        "SET pending = :pending, due = :due",
    )
    .expression_attribute_values(":pending", AttributeValue::S("pending".to_owned()))
    .expression_attribute_values(":due", item["received_at"].clone());
    pending.send().await.unwrap();
    app.invoke(json!({ "command": "sweep" })).await.unwrap();
    let swept = app.items("enquiry").await.remove(0);
    assert!(swept["address"] == item["address"] && !swept.contains_key("pending"));

    let later = now + SignedDuration::from_secs(11);
    runtime.handle(form("2"), &clock(later)).await.unwrap();
    assert_eq!(asked(), 2, "a key that is too short is none");
    let later = now + SignedDuration::from_secs(22);
    runtime.handle(form("3"), &clock(later)).await.unwrap();
    assert_eq!(asked(), 3);
    assert_eq!(app.items("counter").await.len(), 1, "now it is counted");
    runtime.handle(form("4"), &clock(later)).await.unwrap();
    assert_eq!(asked(), 3);
    app.emails().await;
    app.finish().await;
}

#[tokio::test]
async fn a_typo_in_the_secret_does_not_close_the_desk() {
    let app = TestApp::start().await;
    let typo = json!({ "HASH_KEY": "too short" }).to_string();
    let (url, _) = secrets(&[
        (200, json!({ "SecretString": typo })),
        (200, json!({ "SecretString": KEY })),
    ])
    .await;
    let now = Timestamp::now();
    let runtime = Runtime::start(variables(&app, &url), now).await.unwrap();
    let answer = runtime.handle(form("1"), &clock(now)).await.unwrap();
    assert_eq!(answer["statusCode"], 303);
    assert!(app.items("counter").await.is_empty());
    // Corrected, it is read without a deployment.
    let later = now + SignedDuration::from_secs(11);
    runtime.handle(form("2"), &clock(later)).await.unwrap();
    let counters = app.items("counter").await;
    assert!(
        counters
            .iter()
            .any(|it| it["pk"].as_s().unwrap().starts_with("source#"))
    );
    app.emails().await;
    app.finish().await;
    // A typo in the environment still stops the start, by name.
    let none = |_: &str| None;
    assert!(Runtime::start(none, now).await.is_err());
}

#[tokio::test]
async fn a_secret_that_never_comes_stops_nothing() {
    let app = TestApp::start().await;
    let (url, _) = secrets(&[(0, Value::Null)]).await;
    let now = Timestamp::now();
    let runtime = Runtime::start(variables(&app, &url), now).await.unwrap();
    let answer = runtime.handle(form("1"), &clock(now)).await.unwrap();
    assert_eq!(answer["statusCode"], 303);
    // No server listens there: the same.
    let unplugged = Runtime::start(variables(&app, "http://127.0.0.1:9"), now).await;
    let answer = unplugged.unwrap().handle(form("2"), &clock(now)).await;
    assert_eq!(answer.unwrap()["statusCode"], 303);
    assert_eq!(app.items("enquiry").await.len(), 2);
    app.emails().await;
    app.finish().await;
}
