//! The whole system in one process, in memory, for tests: `TestApp`, and a client that speaks HTTP to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

pub mod browser;
pub mod desk;
pub mod logs;
pub mod template;

pub use testing::emulated;

use std::collections::HashMap;
use std::sync::Arc;

use crate::support::emulated::Environment;
use aws_emulator::ses::Email;
use aws_emulator::{Emulator, Options, StartError, aws};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use enquiry_desk::practice::{self, Practice};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// An item of the table.
pub type Item = HashMap<String, AttributeValue>;

/// The running system. Dropping it fails the test when an enquiry still has a pending email, unless the test said so.
pub struct TestApp {
    /// The emulator.
    pub desk: Emulator,
    /// The application itself, to look into.
    pub app: Arc<Environment>,
    ending: Ending,
}

/// Fails a test that forgot to say how it ends.
struct Ending {
    said: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.said && !std::thread::panicking() {
            panic!("end the test with `finish` or `finish_pending`");
        }
    }
}

impl TestApp {
    /// Everything in memory, with the settings of `cargo local`.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Everything in memory, with these variables set.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_at(emulated::options(), variables).await
    }

    /// With these options and variables.
    pub async fn start_at(options: Options, variables: &[(&str, &str)]) -> Self {
        Self::start_for(practice::compiled().clone(), options, variables).await
    }

    /// The same for another practice.
    pub async fn start_for(
        practice: Practice,
        options: Options,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut made = None;
        let desk = Emulator::start(options, async |endpoints| {
            let client = aws::http_client();
            let app = emulated::app_of(practice, &endpoints, variables, client)
                .map_err(|errors| StartError::new(errors.to_string()))?;
            made = Some(Arc::clone(&app));
            Ok(emulated::function(app))
        })
        .await
        .unwrap();
        Self {
            desk,
            app: made.unwrap(),
            ending: Ending { said: false },
        }
    }

    /// Sends a request through the gateway.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.desk.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(axum::body::Bytes::from(body.into())))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Opens a page, as a browser does.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[("accept", BROWSER)], "")
            .await
    }

    /// Posts a form, as a browser without JavaScript does.
    pub async fn post_form(&self, fields: &[(&str, &str)]) -> Answer {
        let headers = [
            ("accept", BROWSER),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.send(Method::POST, "/enquiries", &headers, urlencoded(fields))
            .await
    }

    /// Posts JSON, as a program does.
    pub async fn post_json(&self, body: &Value) -> Answer {
        let headers = [
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        self.send(Method::POST, "/enquiries", &headers, body.to_string())
            .await
    }

    /// Waits until the stream is read and everything is reported, and returns the emails that left, oldest first.
    pub async fn emails(&self) -> Vec<Arc<Email>> {
        self.desk.settled().await;
        self.desk.emails()
    }

    /// Every item of this kind in the table; of an enquiry its two as one.
    pub async fn items(&self, kind: &str) -> Vec<Item> {
        let of_kind = |item: &Item| item["kind"].as_s().unwrap() == kind;
        joined(self.all_items().await)
            .into_iter()
            .filter(of_kind)
            .collect()
    }

    /// Every item of the table, as it is.
    pub async fn all_items(&self) -> Vec<Item> {
        emulated::items(self.desk.dynamo()).await
    }

    /// Writes an item as it is.
    pub async fn put(&self, item: Item) {
        self.desk
            .dynamo()
            .client()
            .put_item()
            .table_name(self.desk.dynamo().table())
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    /// Sends an event to the function, as Lambda would.
    pub async fn invoke(&self, event: Value) -> Result<Value, String> {
        self.desk.function().call(event).await
    }

    /// Ends the test with nothing pending, and stops everything.
    pub async fn finish(mut self) {
        self.ending.said = true;
        self.desk.settled().await;
        for item in self.items("enquiry").await {
            assert!(
                !item.contains_key("pending"),
                "{:?} still has a pending email",
                item["pk"]
            );
        }
        self.desk.stop().await;
    }

    /// Ends the test although something is pending, and stops everything.
    pub async fn finish_pending(mut self) {
        self.ending.said = true;
        self.desk.stop().await;
    }
}

/// The items with the two of each enquiry as one: what was typed and what changes, under the key and kind of the first. When
/// the item with what was typed expires stands as `text_expires`.
pub fn joined(items: Vec<Item>) -> Vec<Item> {
    let (states, others): (Vec<Item>, Vec<Item>) = items
        .into_iter()
        .partition(|item| item["kind"].as_s().unwrap() == "state");
    let mut states: HashMap<String, Item> = states
        .into_iter()
        .map(|item| {
            (
                item["pk"].as_s().unwrap().replace("state#", "enquiry#"),
                item,
            )
        })
        .collect();
    let join = |mut item: Item| {
        if let Some(state) = states.remove(item["pk"].as_s().unwrap()) {
            if let Some(expires) = item.remove("expires") {
                item.insert("text_expires".to_owned(), expires);
            }
            let more = state.into_iter();
            item.extend(more.filter(|(name, _)| name != "pk" && name != "kind"));
        }
        item
    };
    others.into_iter().map(join).collect()
}

/// An item of an enquiry as that of another one, which has this reference.
fn as_another(item: &Item, reference: &str) -> Item {
    let mut item = item.clone();
    let key = item["pk"].as_s().unwrap();
    let kind = key.split('#').next().unwrap();
    let key = AttributeValue::S(format!("{kind}#{reference}"));
    item.insert("pk".to_owned(), key);
    item.entry("reference".to_owned())
        .and_modify(|it| *it = AttributeValue::S(reference.to_owned()));
    item
}

/// What makes this many enquiries of the one among these items, each with this message, which may be longer than the form
/// lets through. The states come first: else the stream would take an enquiry for new.
pub fn as_many(items: &[Item], message: &str, count: usize) -> Vec<Item> {
    let of_kind = |kind| {
        let mut all = items.iter();
        all.find(|item| item["kind"].as_s().unwrap() == kind)
            .unwrap()
    };
    let (state, mut enquiry) = (of_kind("state"), of_kind("enquiry").clone());
    let mut typed = enquiry["enquiry"].as_m().unwrap().clone();
    typed.insert("message".to_owned(), AttributeValue::S(message.to_owned()));
    enquiry.insert("enquiry".to_owned(), AttributeValue::M(typed));
    let all = |item| (1..count).map(move |n| as_another(item, &format!("BB-{n:05}")));
    let (states, enquiries) = (all(state), all(&enquiry));
    states.chain([enquiry.clone()]).chain(enquiries).collect()
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// A header as text, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// What a browser accepts.
pub const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/// A form that is accepted: all that is required.
pub const MINIMAL: [(&str, &str); 4] = [
    ("name", "Zoë O'Brien"),
    ("email", "zoe@example.com"),
    ("goal", "treat"),
    ("consent", "yes"),
];

/// The same as JSON.
pub fn minimal_json() -> Value {
    Value::Object(
        MINIMAL
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect(),
    )
}

/// A form with every answer.
pub const COMPLETE: [(&str, &str); 15] = [
    ("name", "Zoë O'Brien"),
    ("email", "zoe@example.com"),
    ("phone", "07700 900982"),
    ("contact_by", "text"),
    ("area", "lower-back"),
    ("area", "neck"),
    ("cause", "posture"),
    ("goal", "treat"),
    ("recent_injury", "no"),
    ("warmth", "yes"),
    ("treatment", "relaxing"),
    ("times", "Tuesday mornings"),
    ("message", "It began in spring.\r\nStairs are hard."),
    ("consent", "yes"),
    ("submission", "3f0c2f5e-6d0f-4b7e-9a53-0d3c9a4f6b11"),
];

/// The physiotherapist's practice: another trade, a short form, and questions of his own.
pub const PHYSIOTHERAPIST: &str = include_str!("../physiotherapist.toml");

/// The practice of the repository, which asks everything, with questions of its own: one of each kind and more.
pub fn practice_with_questions() -> &'static Practice {
    static PRACTICE: std::sync::LazyLock<Practice> = std::sync::LazyLock::new(|| {
        let at = PHYSIOTHERAPIST.find("[[question]]").unwrap();
        let own = &PHYSIOTHERAPIST[at..];
        Practice::from_toml(&format!("{}\n{own}", include_str!("../../practice.toml"))).unwrap()
    });
    &PRACTICE
}

/// `application/x-www-form-urlencoded`, as browsers write it.
pub fn urlencoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// Everything in `src/`, as one text.
pub fn source() -> String {
    let mut text = String::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}
