//! The nightly test: it goes the way of a client's enquiry, is seen nowhere else, and when a part of the way is gone, its alarm names it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_emulator::function::Function;
use aws_emulator::stream::filter::Filter;
use aws_emulator::{Emulator, Options, wire};
use aws_sdk_dynamodb::config::SharedHttpClient;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use enquiry_desk::clock::Clock;
use enquiry_desk::keys::Keys;
use enquiry_desk::practice;
use enquiry_desk::record::{NightlyTest, Step};
use enquiry_desk::store::schema;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

use crate::support::browser::Browser;
use crate::support::emulated::Environment;
use crate::support::logs::Logs;
use crate::support::{BROWSER, TestApp, emulated, urlencoded};

/// What is gone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Gone {
    Nothing,
    Door,
    Table,
    Stream,
    Ses,
    Report,
}

/// The whole system, with a part that can be taken away and given back.
pub(super) struct House {
    pub(super) desk: Emulator,
    pub(super) app: Arc<Environment>,
    pub(super) logs: Logs,
    /// Whether the table refuses every transaction.
    refusing: Arc<AtomicBool>,
    /// Whether the function hears nothing of the stream.
    deaf: Arc<AtomicBool>,
    /// Whether it hears nothing of SES.
    unreported: Arc<AtomicBool>,
    /// Whether the gateway is closed.
    closed: Arc<AtomicBool>,
}

fn client(refusing: &Arc<AtomicBool>) -> SharedHttpClient {
    let refusing = Arc::clone(refusing);
    wire::local(move |call| {
        let refused =
            refusing.load(Ordering::Relaxed) && call.asked.operation == "TransactWriteItems";
        async move {
            if refused {
                Ok(wire::error(400, "AccessDeniedException", &json!({})))
            } else {
                call.send().await
            }
        }
    })
}

impl House {
    pub(super) async fn start(options: Options) -> Self {
        let flag = || Arc::new(AtomicBool::new(false));
        let (refusing, deaf, unreported, closed) = (flag(), flag(), flag(), flag());
        let mut made = None;
        let desk = Emulator::start(options, async |endpoints| {
            let client = client(&refusing);
            let app = emulated::app_of(practice::compiled().clone(), &endpoints, &[], client);
            let app = app.unwrap();
            made = Some(Arc::clone(&app));
            let function = emulated::function(app);
            let flags = [&deaf, &unreported, &closed].map(Arc::clone);
            Ok(Function::new(move |event: Value| {
                let (function, flags) = (function.clone(), flags.clone());
                async move {
                    let [deaf, unreported, closed] = flags.map(|it| it.load(Ordering::Relaxed));
                    let is_report = event.pointer("/Records/0/Sns").is_some();
                    let is_stream = event.get("Records").is_some() && !is_report;
                    if closed && event.get("rawPath").is_some() {
                        return Err("the function cannot be reached".to_owned());
                    }
                    if (is_stream && deaf) || (is_report && unreported) {
                        Ok(json!({ "batchItemFailures": [] }))
                    } else {
                        function.call(event).await
                    }
                }
            }))
        });
        Self {
            desk: desk.await.unwrap(),
            app: made.unwrap(),
            logs: Logs::default(),
            refusing,
            deaf,
            unreported,
            closed,
        }
    }

    pub(super) fn take_away(&self, gone: Gone, away: bool) {
        match gone {
            Gone::Nothing => {}
            Gone::Door => self.closed.store(away, Ordering::Relaxed),
            Gone::Table => self.refusing.store(away, Ordering::Relaxed),
            Gone::Stream => self.deaf.store(away, Ordering::Relaxed),
            Gone::Ses => self.desk.ses().account(|account| account.paused = away),
            Gone::Report => self.unreported.store(away, Ordering::Relaxed),
        }
    }

    /// One invocation so many minutes from now.
    pub(super) async fn invoke(&self, minutes: i64, event: Value) -> Value {
        let now = Timestamp::now() + SignedDuration::from_mins(minutes);
        self.invoke_at(now, event).await
    }

    async fn invoke_at(&self, now: Timestamp, event: Value) -> Value {
        let clock = Clock::new(now, now + SignedDuration::from_secs(29));
        let invocation = self.app.handle(event, &clock);
        let answer = invocation.with_subscriber(self.logs.dispatch()).await;
        self.desk.settled().await;
        answer.unwrap()
    }

    async fn test(&self) -> NightlyTest {
        self.app.store.nightly().await.unwrap().unwrap()
    }

    /// How many items there are of the test's enquiry.
    async fn probes(&self) -> usize {
        let items = emulated::items(self.desk.dynamo()).await;
        let is_probe = |item: &&crate::support::Item| item["kind"].as_s().unwrap() == "probe";
        items.iter().filter(is_probe).count()
    }

    fn alarmed(&self) -> Vec<Value> {
        let lines = self.logs.take().into_iter();
        lines
            .filter(|line| line["alarm"] == "nightly_test")
            .map(|line| line["step"].clone())
            .collect()
    }
}

fn probe() -> Value {
    json!({ "command": "probe" })
}

fn sweep() -> Value {
    json!({ "command": "sweep" })
}

#[tokio::test]
async fn each_part_that_is_gone_raises_the_alarm_that_names_it_and_the_next_test_ends_it() {
    for (gone, step) in [
        (Gone::Nothing, None),
        (Gone::Door, Some(Step::Door)),
        (Gone::Table, Some(Step::Table)),
        (Gone::Stream, Some(Step::Stream)),
        (Gone::Ses, Some(Step::Ses)),
        (Gone::Report, Some(Step::Report)),
    ] {
        let house = House::start(emulated::options()).await;
        house.take_away(gone, true);
        assert_eq!(house.invoke(0, probe()).await["begun"], true, "{gone:?}");
        assert_eq!(house.test().await.missing(), step, "{gone:?}");
        house.invoke(59, sweep()).await;
        assert_eq!(house.alarmed(), [""; 0], "{gone:?}: it has an hour");
        house.invoke(62, sweep()).await;
        let named: Vec<Value> = step.iter().map(|step| json!(step.to_string())).collect();
        assert_eq!(house.alarmed(), named, "{gone:?}");
        assert_eq!(house.probes().await, 0, "{gone:?}: nothing of it is left");
        house.invoke(63, sweep()).await;
        assert_eq!(house.alarmed(), [""; 0], "{gone:?}: told once");
        let finding = async || {
            let checked = house.invoke(64, json!({ "command": "check" })).await;
            let findings = checked["findings"].as_array().unwrap().clone();
            let finding = findings.into_iter().find(|it| it["key"] == "nightly");
            finding.unwrap()
        };
        let level = if step.is_some() { "error" } else { "ok" };
        assert_eq!(finding().await["level"], level, "{gone:?}");
        // The drill: that part is put right, as the alarm says, and the next test ends it.
        house.take_away(gone, false);
        assert_eq!(house.invoke(0, probe()).await["begun"], true, "{gone:?}");
        assert_eq!(house.test().await.missing(), None, "{gone:?}");
        house.invoke(62, sweep()).await;
        assert_eq!(house.alarmed(), [""; 0], "{gone:?}");
        assert_eq!(finding().await["level"], "ok", "{gone:?}");
        house.desk.stop().await;
    }
}

#[tokio::test]
async fn a_filter_that_lets_enquiries_in_alone_is_found() {
    let mut options = emulated::options();
    let old = schema::NEW_ENQUIRIES.replace(", \"probe\"", "");
    assert_ne!(old, schema::NEW_ENQUIRIES);
    options.stream.mapping.filters = vec![Filter::parse(&old).unwrap()];
    let house = House::start(options).await;
    house.invoke(0, probe()).await;
    // The sweep never sends it: that the stream brings it is part of the test.
    for minutes in [1, 30, 59] {
        house.invoke(minutes, sweep()).await;
    }
    assert_eq!(house.desk.emails().len(), 0);
    assert_eq!(house.test().await.missing(), Some(Step::Stream));
    house.invoke(61, sweep()).await;
    assert_eq!(house.alarmed(), ["stream"]);
    house.desk.stop().await;
}

#[tokio::test]
async fn it_is_made_once_a_night_and_again_when_the_door_did_not_take_it() {
    let house = House::start(emulated::options()).await;
    let nightly = json!({ "command": "nightly" });
    let begun = async |at: &str| {
        let now: Timestamp = at.parse().unwrap();
        house.invoke_at(now, nightly.clone()).await["tested"].clone()
    };
    // It is summer: the practice's night is an hour ahead of UTC. The signature is judged by the clock of the gateway's invocation,
    // which is today's, so that the door refuses what is posted here.
    assert_eq!(begun("2027-06-15T01:59:00Z").await, false);
    assert_eq!(begun("2027-06-15T02:00:00Z").await, true);
    let first = house.test().await;
    assert_eq!(first.trouble, Some(Step::Door));
    assert_eq!(
        begun("2027-06-15T02:05:00Z").await,
        true,
        "the door did not take it"
    );
    assert_eq!(house.test().await.nonce, first.nonce, "it is the same test");
    assert_eq!(
        begun("2027-06-15T02:55:00Z").await,
        false,
        "too late for the other steps"
    );
    assert_eq!(begun("2027-06-15T03:00:00Z").await, false);
    assert_eq!(begun("2027-06-16T02:00:00Z").await, true);
    let second = house.test().await;
    assert_ne!(second.nonce, first.nonce);
    house
        .app
        .store
        .accept_probe(&second.nonce, Timestamp::now())
        .await
        .unwrap();
    assert_eq!(begun("2027-06-16T02:05:00Z").await, false, "it was taken");
    house.desk.stop().await;
}

#[tokio::test]
async fn it_is_seen_nowhere_else() {
    let app = TestApp::start().await;
    let limited = [("RATE_LIMIT_PER_SOURCE", "1")];
    for begun in 0..3 {
        let answer = app.invoke(probe()).await.unwrap();
        assert_eq!(answer["begun"], true, "{begun}");
        app.desk.settled().await;
    }
    let test = app.app.store.nightly().await.unwrap().unwrap();
    assert_eq!(test.missing(), None);
    // Its emails went to the simulator and to no person, and no reply was made to it.
    let emails = app.emails().await;
    assert_eq!(emails.len(), 3);
    for email in &emails {
        assert_eq!(email.to, ["success@simulator.amazonses.com"]);
        assert_eq!(email.tags()["kind"], "probe");
    }
    // Nothing is left but how far it came, and of every index that has only `pending`, while it is under way.
    let items = app.all_items().await;
    let kinds: Vec<&str> = items
        .iter()
        .map(|item| item["kind"].as_s().unwrap().as_str())
        .collect();
    assert_eq!(kinds, ["nightly"]);
    for attribute in [
        "pending",
        "due",
        "list",
        "list_by",
        "address",
        "received_at",
    ] {
        assert!(!items[0].contains_key(attribute), "{attribute}");
    }
    // Lists, figures and files.
    for command in [
        json!({ "command": "list" }),
        json!({ "command": "list", "suspect": true }),
        json!({ "command": "waiting" }),
        json!({ "command": "export", "email": "success@simulator.amazonses.com" }),
        json!({ "command": "erase", "email": "success@simulator.amazonses.com" }),
    ] {
        let answer = app.invoke(command.clone()).await.unwrap().to_string();
        assert!(
            !answer.contains(test.reference.as_str()),
            "{command}: {answer}"
        );
        assert!(!answer.contains("Nightly test"), "{command}: {answer}");
    }
    let show = json!({ "command": "show", "reference": test.reference });
    assert!(app.invoke(show).await.is_err());
    let browser = Browser::signed_in(&app).await;
    for page in ["/desk", "/desk/enquiries", "/desk/files"] {
        let page = browser.get(page).await;
        assert!(
            !page.body.contains(test.reference.as_str()),
            "{}",
            page.body
        );
        assert!(!page.body.contains("Nightly test"), "{}", page.body);
    }
    app.finish().await;

    // No limit of a source counts it, and it counts against none.
    let app = TestApp::start_with(&limited).await;
    for _ in 0..3 {
        app.invoke(probe()).await.unwrap();
        app.desk.settled().await;
        assert_eq!(
            app.app.store.nightly().await.unwrap().unwrap().missing(),
            None
        );
    }
    let posted = app.post_form(&crate::support::MINIMAL).await;
    assert_eq!(
        posted.status,
        StatusCode::SEE_OTHER,
        "the only one of this source"
    );
    app.finish().await;
}

/// While it is under way it is in one index, that of what is due, and there an hour later.
#[tokio::test]
async fn while_it_is_under_way_only_the_index_of_pending_work_has_it() {
    let app = TestApp::start().await;
    app.desk.ses().account(|account| account.paused = true);
    app.invoke(probe()).await.unwrap();
    app.desk.settled().await;
    let mut kinds = Vec::new();
    for item in app.all_items().await {
        let kind = item["kind"].as_s().unwrap().clone();
        for attribute in ["list", "list_by", "address", "received_at"] {
            assert!(!item.contains_key(attribute), "{kind}: {attribute}");
        }
        assert_eq!(item.contains_key("pending"), kind == "nightly", "{kind}");
        kinds.push(kind);
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["nightly", "probe"]);
    let pending = async |minutes: i64| {
        let at = Timestamp::now() + SignedDuration::from_mins(minutes);
        app.app.store.pending(at, 10).await.unwrap().concat().len()
    };
    assert_eq!((pending(59).await, pending(61).await), (0, 1));
    app.finish_pending().await;
}

/// A test's post as the desk would sign it.
fn header(secret: &str, sent: Timestamp, nonce: &str, body: &str) -> String {
    let sent = sent.as_second();
    let key = Keys::from_secret(secret).unwrap().lasting("nightly test");
    let signature = key.sign(format!("{sent}\n{nonce}\n{body}").as_bytes());
    format!("{sent}.{nonce}.{}", BASE64.encode(signature))
}

#[tokio::test]
async fn only_what_the_desk_itself_signed_is_taken_for_five_minutes_and_once() {
    let app = TestApp::start().await;
    let now = Timestamp::now();
    let test = NightlyTest {
        reference: app.app.store.generate_reference("BB").unwrap(),
        nonce: "a-nonce".to_owned(),
        started_at: now,
        trouble: None,
        stored_at: None,
        streamed_at: None,
        sent_at: None,
        reported_at: None,
        failed: None,
    };
    assert!(app.app.store.start_nightly(&test, None).await.unwrap());
    let form = urlencoded(&crate::support::MINIMAL);
    let other = urlencoded(&[&crate::support::MINIMAL[..], &[("message", "x")]].concat());
    let post = async |header: &str, body: &str| {
        let headers = [
            ("accept", BROWSER),
            ("content-type", "application/x-www-form-urlencoded"),
            ("desk-nightly-test", header),
        ];
        app.send(Method::POST, "/enquiries", &headers, body)
            .await
            .status
    };
    let minutes = |minutes| now + SignedDuration::from_mins(minutes);
    let good = header(emulated::HASH_KEY, now, "a-nonce", &form);
    for (why, header, body) in [
        ("nothing", String::new(), &form),
        ("no signature", "1.a-nonce".to_owned(), &form),
        (
            "another secret",
            header(&"x".repeat(32), now, "a-nonce", &form),
            &form,
        ),
        ("another body", good.clone(), &other),
        ("another nonce", good.replace("a-nonce", "b-nonce"), &form),
        ("more than there is", format!("{good}.x"), &form),
        (
            "too old",
            header(emulated::HASH_KEY, minutes(-6), "a-nonce", &form),
            &form,
        ),
        (
            "of the future",
            header(emulated::HASH_KEY, minutes(6), "a-nonce", &form),
            &form,
        ),
        (
            "no test of this nonce",
            header(emulated::HASH_KEY, now, "b-nonce", &form),
            &form,
        ),
    ] {
        assert_eq!(post(&header, body).await, StatusCode::FORBIDDEN, "{why}");
    }
    assert_eq!(
        app.all_items().await.len(),
        1,
        "nothing was kept, and nothing became an enquiry"
    );
    assert_eq!(post(&good, &form).await, StatusCode::SEE_OTHER);
    assert_eq!(post(&good, &form).await, StatusCode::FORBIDDEN, "once");
    app.desk.settled().await;
    assert_eq!(
        post(&good, &form).await,
        StatusCode::FORBIDDEN,
        "also when it is over"
    );
    assert_eq!(app.emails().await.len(), 1);
    let items = app.all_items().await;
    assert_eq!(items.len(), 1, "{items:?}");
    app.finish().await;
}
