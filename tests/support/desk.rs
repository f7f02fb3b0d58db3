//! The application over the embedded database and the SES catcher, with the time as an argument and an HTTP client that can lose
//! the n-th call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::emulated::Environment;
use aws_emulator::dynamodb::Dynamo;
use aws_emulator::ses::account::Account;
use aws_emulator::ses::{Email, Ses};
use aws_emulator::wire::{self, Answer, Call};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::{self, Practice};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;
use tokio::sync::Notify;

use super::{BROWSER, Item, emulated, urlencoded};

/// A Monday, nine o'clock in London.
pub const MONDAY: &str = "2026-11-23T09:00:00Z";

/// Which calls to the database are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    None,
    /// From this call on, counted from 0, none arrives.
    Before(usize),
    /// This one arrives and its answer is lost; none after it arrives.
    After(usize),
}

/// The wire between the application and its servers.
#[derive(Debug)]
pub struct Wire {
    pub calls: AtomicUsize,
    pub loss: Mutex<Loss>,
    /// Which operation is held back until the test releases it, and the two signals for that.
    pub hold: Mutex<Option<&'static str>>,
    pub held: Notify,
    pub let_go: Notify,
    pub operations: Mutex<Vec<String>>,
    /// Which operation never arrives.
    pub broken: Mutex<Option<&'static str>>,
    chain: Mutex<Chain>,
}

/// The longest chain of calls of which each began when the one before it was answered: what a client waits for. Calls side by
/// side are one link.
#[derive(Debug, Default)]
struct Chain {
    answered: usize,
    longest: usize,
}

/// How often a call gives way before it is sent, so that what is called beside it begins before it is answered.
const BESIDE: usize = 32;

impl Wire {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            calls: AtomicUsize::new(0),
            loss: Mutex::new(Loss::None),
            hold: Mutex::new(None),
            held: Notify::new(),
            let_go: Notify::new(),
            operations: Mutex::default(),
            broken: Mutex::default(),
            chain: Mutex::default(),
        })
    }

    /// How many round trips, one after the other, were waited for since the last time.
    pub fn round_trips(&self) -> usize {
        std::mem::take(&mut *self.chain.lock().unwrap()).longest
    }

    /// A call begins; gives its place in the chain.
    fn begin(&self) -> usize {
        let mut chain = self.chain.lock().unwrap();
        let place = chain.answered + 1;
        chain.longest = chain.longest.max(place);
        place
    }

    /// The call at this place was answered, or lost.
    fn end(&self, place: usize) {
        let mut chain = self.chain.lock().unwrap();
        chain.answered = chain.answered.max(place);
    }

    pub fn client(self: &Arc<Self>) -> SharedHttpClient {
        let wire = Arc::clone(self);
        wire::local(move |call| Arc::clone(&wire).follow(call))
    }

    async fn follow(self: Arc<Self>, call: Call) -> Answer {
        let place = self.begin();
        for _ in 0..BESIDE {
            tokio::task::yield_now().await;
        }
        let answer = self.carry(call).await;
        self.end(place);
        answer
    }

    /// From now on.
    pub fn lose(&self, loss: Loss) {
        self.calls.store(0, Ordering::SeqCst);
        *self.loss.lock().unwrap() = loss;
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Wire {
    async fn carry(&self, call: Call) -> Answer {
        let operation = call.asked.operation.clone();
        self.operations.lock().unwrap().push(operation.clone());
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let held = {
            let mut hold = self.hold.lock().unwrap();
            let held = *hold == Some(operation.as_str());
            if held {
                *hold = None;
            }
            held
        };
        if held {
            self.held.notify_one();
            self.let_go.notified().await;
        }
        if *self.broken.lock().unwrap() == Some(operation.as_str()) {
            return Err(wire::lost());
        }
        let loss = *self.loss.lock().unwrap();
        match loss {
            Loss::Before(nth) if number >= nth => return Err(wire::lost()),
            Loss::After(nth) if number > nth => return Err(wire::lost()),
            _ => {}
        }
        let answer = call.send().await;
        if loss == Loss::After(number) {
            return Err(wire::lost());
        }
        answer
    }
}

/// The application, its servers and its time.
pub struct Desk {
    pub dynamo: Dynamo,
    pub ses: Ses,
    pub app: Arc<Environment>,
    pub wire: Arc<Wire>,
    pub now: Mutex<Timestamp>,
}

impl Desk {
    pub async fn start() -> Self {
        Self::start_with(emulated::account(), &[]).await
    }

    pub async fn start_with(account: Account, variables: &[(&str, &str)]) -> Self {
        let dynamo = emulated::dynamo().await;
        let ses = Ses::start(None, account).await.unwrap();
        let endpoints = emulated::endpoints(dynamo.endpoint(), ses.endpoint());
        let wire = Wire::new();
        let app = emulated::app(&endpoints, variables, wire.client()).unwrap();
        Self {
            dynamo,
            ses,
            app,
            wire,
            now: Mutex::new(MONDAY.parse().unwrap()),
        }
    }

    /// The same table and mailbox under other settings, as after a deployment.
    pub fn deploy(&mut self, variables: &[(&str, &str)]) {
        self.deploy_for(practice::compiled().clone(), variables);
    }

    /// The same with another first version of the practice.
    pub fn deploy_for(&mut self, practice: Practice, variables: &[(&str, &str)]) {
        let endpoints = emulated::endpoints(self.dynamo.endpoint(), self.ses.endpoint());
        let client = self.wire.client();
        self.app = emulated::app_of(practice, &endpoints, variables, client).unwrap();
    }

    /// The therapist is away until this day.
    pub fn away_until(&mut self, day: &str) {
        let mut practice = practice::compiled().clone();
        practice.away_until = Some(day.parse().unwrap());
        self.deploy_for(practice, &[]);
    }

    /// The clock of the next event.
    pub fn clock(&self) -> Clock {
        let now = *self.now.lock().unwrap();
        Clock::new(now, now + SignedDuration::from_secs(29))
    }

    /// What the time is for the next event.
    pub fn at(&self, now: Timestamp) -> &Self {
        *self.now.lock().unwrap() = now;
        self
    }

    pub fn later(&self, by: SignedDuration) -> &Self {
        let now = *self.now.lock().unwrap();
        self.at(now + by)
    }

    pub async fn event(&self, event: Value) -> Result<Value, String> {
        let answer = self.app.handle(event, &self.clock()).await;
        answer.map_err(|error| error.to_string())
    }

    pub async fn ask(&self, command: Value) -> Value {
        self.event(command.clone())
            .await
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Posts a form and returns the reference; nothing is delivered yet.
    pub async fn post(&self, email: &str, more: &[(&str, &str)]) -> String {
        let mut fields = more.to_vec();
        for (name, value) in [
            ("name", "Zoë O'Brien"),
            ("email", email),
            ("goal", "treat"),
            ("consent", "yes"),
        ] {
            if !more.iter().any(|(given, _)| *given == name) {
                fields.push((name, value));
            }
        }
        let answer = self
            .ask(gateway::request(
                "POST",
                "/enquiries",
                &json!({ "accept": BROWSER, "content-type": gateway::FORM }),
                &urlencoded(&fields),
            ))
            .await;
        assert_eq!(answer["statusCode"], 303, "{}", answer["body"]);
        let location = answer["headers"]["location"].as_str().unwrap();
        location.rsplit_once('=').unwrap().1.to_owned()
    }

    /// Posts a form and delivers it, as the stream would.
    pub async fn enquire(&self, email: &str, more: &[(&str, &str)]) -> String {
        let reference = self.post(email, more).await;
        let record = self.stream_of(&reference).await;
        self.ask(record).await;
        reference
    }

    pub async fn stream_of(&self, reference: &str) -> Value {
        let item = self.item(&format!("enquiry#{reference}")).await.unwrap();
        let image = serde_json::to_value(serde_dynamo::Item::from(item)).unwrap();
        json!({ "Records": [{
            "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "dynamodb": { "SequenceNumber": "100", "NewImage": image },
        }] })
    }

    pub fn feedback(&self, kind: &str, email: &Email) -> Value {
        let message = json!({
            "eventType": kind,
            "bounce": { "bounceType": "Permanent" },
            "mail": { "messageId": email.message_id, "tags": {
                "reference": [email.tags()["reference"]], "kind": [email.tags()["kind"]],
            } },
        });
        json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": message.to_string() } }] })
    }

    pub fn to(&self, address: &str) -> Vec<Arc<Email>> {
        let mut emails = self.ses.mailbox().emails();
        emails.retain(|email| email.to == [address]);
        emails
    }

    pub async fn item(&self, pk: &str) -> Option<Item> {
        let answer = self
            .dynamo
            .client()
            .get_item()
            .table_name(self.dynamo.table())
            .key("pk", AttributeValue::S(pk.to_owned()))
            .send()
            .await
            .unwrap();
        answer.item
    }

    pub async fn items(&self) -> Vec<Item> {
        emulated::items(&self.dynamo).await
    }

    pub async fn kinds(&self) -> Vec<String> {
        let items = self.items().await;
        let mut kinds: Vec<String> = items
            .iter()
            .map(|item| text(item, "kind").to_owned())
            .collect();
        kinds.sort();
        kinds
    }

    pub async fn put(&self, item: Item) {
        self.dynamo
            .client()
            .put_item()
            .table_name(self.dynamo.table())
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    pub async fn finish(self) {
        self.ses.stop().await;
        self.dynamo.stop().await;
    }
}

pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

pub fn references(answer: &Value) -> Vec<&str> {
    let rows = answer["enquiries"].as_array().unwrap().iter();
    rows.map(|row| row["reference"].as_str().unwrap()).collect()
}
