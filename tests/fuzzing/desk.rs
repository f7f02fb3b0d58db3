//! The application in front of the scripted AWS, and the item that its table holds.

use std::sync::{Arc, LazyLock};

use enquiry_desk::app::Runtime as Environment;
use enquiry_desk::aws::Clients;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::{self, Practice, raw};
use enquiry_desk::settings::Settings;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;
use tokio::runtime::Runtime;

use super::panics;
use super::wire::{Seen, Wire};

/// The record of the table's stream in `events/`.
pub static RECORD: LazyLock<Value> = LazyLock::new(|| {
    let event: Value =
        serde_json::from_str(include_str!("../../events/stream-insert.json")).unwrap();
    event["Records"][0].clone()
});

/// The practice of the repository, with a question of its own of each kind. None has to be answered, so that what was taken is taken.
pub static PRACTICE: LazyLock<Practice> = LazyLock::new(|| {
    let question = |key: &str, kind: &str, options: &[(&str, &str)]| {
        let options = options.iter().map(|(value, label)| raw::QuestionOption {
            value: raw::Key((*value).to_owned()),
            label: raw::Line((*label).to_owned()),
        });
        let options = raw::Options(options.collect());
        raw::Question {
            key: raw::QuestionName(key.to_owned()),
            label: raw::Line(format!("What about {key}?")),
            kind: kind.to_owned(),
            options: (!options.0.is_empty()).then_some(options),
            section: "body".to_owned(),
            health: kind == "text",
            ..raw::Question::default()
        }
    };
    let some = [("run", "Running & walking"), ("swim", "Swimming")];
    let mut written = practice::compiled().written.clone();
    written.question = vec![
        question("line", "line", &[]),
        question("text", "text", &[]),
        question("one", "one-of", &some),
        question("several", "several-of", &some),
        question("yes", "yes-no", &[]),
    ];
    practice::check(&written).unwrap()
});

/// The origin that the desk takes posts from, beside its own.
pub const ORIGIN: &str = "https://www.example.com";

/// The application, freshly started.
pub struct Desk {
    app: Environment,
    wire: Arc<Wire>,
}

impl Desk {
    /// An application whose calls to AWS end as the script says.
    #[must_use]
    pub fn new(script: &[u8], item: Value) -> Self {
        let wire = Wire::new(script, item);
        let variable = |name: &str| {
            let value = match name {
                "TABLE_NAME" => "enquiries",
                "THERAPIST_EMAIL" => "therapist@example.com",
                "SENDER_EMAIL" => "desk@example.com",
                "HASH_KEY" => "this-key-keeps-no-secret-it-is-for-one-machine",
                "RATE_LIMIT_PER_SOURCE" | "AUTO_REPLIES_PER_DAY" => "1000000",
                "MIN_FILL_SECONDS" => "0",
                "CONFIGURATION_SET" => "enquiry-desk",
                "THERAPIST_CONFIGURATION_SET" => "enquiry-desk-therapist",
                "ALLOWED_ORIGINS" => ORIGIN,
                "AWS_REGION" => "eu-west-2",
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "local",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let settings = Settings::from_env(variable).unwrap();
        let clients = Clients::from_variables(wire.client(), variable);
        let app = Environment::new(settings, PRACTICE.clone(), clients).unwrap();
        Self { app, wire }
    }

    /// Answers one event, on Monday 23 November 2026 at half past nine in London. A panic of the product stops, also one
    /// that the product would answer.
    pub fn handle(&self, runtime: &Runtime, event: Value) -> Result<Value, String> {
        panics::watch(|| {
            runtime.block_on(async {
                let now: Timestamp = "2026-11-23T09:30:00Z".parse().unwrap();
                let clock = Clock::new(now, now + SignedDuration::from_secs(29));
                let answer = self.app.handle(event, &clock).await;
                answer.map_err(|error| error.to_string())
            })
        })
    }

    /// What arrived at AWS so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.wire.seen()
    }
}

/// The enquiry that the table holds: its two items as one, as it is when it is new.
#[must_use]
pub fn item() -> Value {
    let mut item = RECORD["dynamodb"]["NewImage"].clone();
    let email = json!({ "M": { "state": { "S": "pending" } } });
    item["revision"] = json!({ "N": "0" });
    item["deliveries"] = json!({ "M": { "therapist": email, "auto_reply": email } });
    item["pending"] = json!({ "S": "pending" });
    item["due"] = item["received_at"].clone();
    item
}

/// The event of a request, as the gateway would send it; `body` is base64 or text, as `encoded` says.
#[must_use]
pub fn event(method: &str, path: &str, headers: &Value, body: &str, encoded: bool) -> Value {
    let mut event = gateway::request(method, path, headers, body);
    event["isBase64Encoded"] = encoded.into();
    event
}

/// The event of a post from a program that wants JSON.
#[must_use]
pub fn post(content_type: &str, body: &[u8]) -> Value {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(body);
    let headers = json!({ "accept": "application/json", "content-type": content_type });
    event("POST", "/enquiries", &headers, &body, true)
}
