//! Pending work is done in spite of delays, outages and other enquiries: each case of `docs/delivery.md` that needs a test of
//! its own. The simulator plays random ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::emulated::Environment;
use aws_emulator::dynamodb::Dynamo;
use aws_emulator::function::Function;
use aws_emulator::ses::faults::Fault;
use aws_emulator::ses::{Email, Ses};
use aws_emulator::stream::filter::Filter;
use aws_emulator::stream::{self, mapping};
use aws_emulator::{Emulator, Options, aws};
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::{self, Practice};
use jiff::{SignedDuration, Timestamp};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

use crate::simulation::simulator::{as_it_was_new, post_event};
use crate::support::logs::Logs;
use crate::support::{Item, emulated, joined};

/// The function with its table and SES, where nothing happens by itself and the test sets the clock.
pub(super) struct Bench {
    pub(super) dynamo: Dynamo,
    pub(super) ses: Ses,
    pub(super) app: Arc<Environment>,
    pub(super) logs: Logs,
}

pub(super) fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minutes)
}

impl Bench {
    pub(super) async fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_for(practice::compiled().clone(), variables).await
    }

    /// The same for another practice.
    pub(super) async fn start_for(practice: Practice, variables: &[(&str, &str)]) -> Self {
        let dynamo = emulated::dynamo().await;
        let ses = emulated::ses().await;
        let endpoints = emulated::endpoints(dynamo.endpoint(), ses.endpoint());
        let app = emulated::app_of(practice, &endpoints, variables, aws::http_client()).unwrap();
        Self {
            dynamo,
            ses,
            app,
            logs: Logs::default(),
        }
    }

    /// One invocation at this time, with so much time left.
    pub(super) async fn invoke_with(
        &self,
        now: Timestamp,
        seconds: i64,
        event: Value,
    ) -> Result<Value, String> {
        let clock = Clock::new(now, now + SignedDuration::from_secs(seconds));
        let invocation = self.app.handle(event, &clock);
        let answer = invocation.with_subscriber(self.logs.dispatch()).await;
        answer.map_err(|error| error.to_string())
    }

    pub(super) async fn invoke(&self, now: Timestamp, event: Value) -> Value {
        self.invoke_with(now, 29, event).await.unwrap()
    }

    pub(super) async fn sweep(&self, now: Timestamp) -> Value {
        self.invoke(now, json!({ "command": "sweep" })).await
    }

    /// Posts a form, and hands its record to the function. Returns the reference.
    pub(super) async fn post(&self, now: Timestamp, email: &str, message: &str) -> String {
        let reference = self.store(now, email, message).await;
        let event = self.stream(&[&reference]).await;
        self.invoke(now, event).await;
        reference
    }

    /// Posts a form, and nothing reads the stream.
    pub(super) async fn store(&self, now: Timestamp, email: &str, message: &str) -> String {
        self.store_with(now, email, message, "").await
    }

    /// The same; what fills in the honeypot looks like spam.
    pub(super) async fn store_with(
        &self,
        now: Timestamp,
        email: &str,
        message: &str,
        honeypot: &str,
    ) -> String {
        let form = json!({
            "name": "Zoë", "email": email, "email_confirmed": email, "goal": "relax", "consent": "yes",
            "message": message, "extra_detail": honeypot,
        });
        let answer = self.invoke(now, post_event(&form)).await;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        body["reference"].as_str().unwrap().to_owned()
    }

    pub(super) async fn item(&self, reference: &str) -> Item {
        let got = self.dynamo.client().get_item();
        let got = got.table_name(self.dynamo.table());
        let mut found = Vec::new();
        for kind in ["enquiry", "state"] {
            let key = AttributeValue::S(format!("{kind}#{reference}"));
            found.extend(got.clone().key("pk", key).send().await.unwrap().item);
        }
        joined(found).remove(0)
    }

    /// One of the items of an enquiry: `enquiry`, what was typed, or `state`.
    pub(super) async fn part(&self, kind: &str, reference: &str) -> Item {
        let got = self.dynamo.client().get_item();
        let got = got.table_name(self.dynamo.table());
        let key = AttributeValue::S(format!("{kind}#{reference}"));
        got.key("pk", key).send().await.unwrap().item.unwrap()
    }

    /// Changes an enquiry's state by hand.
    pub(super) async fn update(&self, reference: &str, expression: &str) {
        let client = self.dynamo.client();
        client
            .update_item()
            .table_name(self.dynamo.table())
            .key("pk", AttributeValue::S(format!("state#{reference}")))
            .update_expression(expression)
            .expression_attribute_values(":v", AttributeValue::N("99".to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// A batch with the records of these enquiries, as they were when they were new.
    pub(super) async fn stream(&self, references: &[&str]) -> Value {
        let mut records = Vec::new();
        for (place, reference) in references.iter().enumerate() {
            records.push(json!({
                "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "SequenceNumber": (100 + place).to_string(),
                    "NewImage": as_it_was_new(self.item(reference).await),
                },
            }));
        }
        json!({ "Records": records })
    }

    pub(super) async fn show(&self, reference: &str) -> Value {
        let show = json!({ "command": "show", "reference": reference });
        self.invoke(at(0), show).await["deliveries"].take()
    }

    pub(super) fn emails(&self) -> Vec<Arc<Email>> {
        self.ses.mailbox().emails()
    }

    /// How many emails went to this address.
    pub(super) fn emails_to(&self, address: &str) -> usize {
        let emails = self.emails();
        emails.iter().filter(|email| email.to == [address]).count()
    }

    pub(super) fn pause(&self, paused: bool) {
        self.ses
            .mailbox()
            .account(|account| account.paused = paused);
    }
}

/// What SES would say of this email.
fn report(email: &Email, kind: &str) -> Value {
    let mut record = email.notices[0].record.clone();
    record["eventType"] = kind.into();
    let mut event = email.notices[0].sns_event();
    event["Records"][0]["Sns"]["Message"] = record.to_string().into();
    event
}

#[tokio::test]
async fn the_cool_down_begins_when_the_auto_reply_leaves_however_long_it_waited() {
    let bench = Bench::start(&[]).await;
    bench.pause(true);
    bench.post(at(0), "zoe@example.org", "1").await;
    bench.pause(false);
    let hours = 60;
    bench.sweep(at(6 * hours)).await;
    assert_eq!(bench.emails_to("zoe@example.org"), 1);
    for (minutes, emails, why) in [
        (
            25 * hours,
            1,
            "a day after it was decided about, it was sent 19 hours ago",
        ),
        (
            30 * hours + 1,
            1,
            "24 hours after the last moment at which it could have left",
        ),
        (30 * hours + 2, 2, "then the address is free"),
    ] {
        let message = minutes.to_string();
        bench.post(at(minutes), "zoe@example.org", &message).await;
        assert_eq!(bench.emails_to("zoe@example.org"), emails, "{why}");
    }
}

#[tokio::test]
async fn an_address_that_was_refused_by_the_days_limit_is_not_booked() {
    let bench = Bench::start(&[("AUTO_REPLIES_PER_DAY", "1")]).await;
    bench.post(at(0), "ada@example.org", "1").await;
    let refused = bench.post(at(1), "ben@example.org", "1").await;
    let auto_reply = bench.show(&refused).await["auto_reply"].take();
    assert_eq!(auto_reply["reason"], "daily_cap");
    let day = 24 * 60;
    bench.post(at(day - 60), "ben@example.org", "2").await;
    assert_eq!(
        bench.emails_to("ben@example.org"),
        1,
        "another day, and no cool-down"
    );
}

#[tokio::test]
async fn an_email_to_the_therapist_leaves_although_ses_suppresses_the_address() {
    let bench = Bench::start(&[]).await;
    bench.ses.mailbox().account(|account| {
        account.suppressed = ["therapist@example.com", "zoe@example.org"]
            .map(str::to_owned)
            .into();
    });
    bench.post(at(0), "zoe@example.org", "1").await;
    let left: Vec<_> = bench
        .emails()
        .iter()
        .map(|email| (email.request["ConfigurationSetName"].clone(), email.sent))
        .collect();
    let expected = [
        (json!("enquiry-desk-therapist"), true),
        (json!("enquiry-desk"), false),
    ];
    assert_eq!(left, expected);
}

#[tokio::test]
async fn an_address_that_no_email_system_carries_ends_with_the_enquiry() {
    let bench = Bench::start(&[]).await;
    let long = format!("{}@example.com", "a".repeat(65));
    for (minute, address) in (0..).zip([
        "pat..b@example.com",
        ".pat@example.com",
        "pat.@example.com",
        long.as_str(),
    ]) {
        let reference = bench.post(at(minute), address, "1").await;
        let shown = bench.show(&reference).await;
        assert_eq!(shown["auto_reply"]["reason"], "unsendable", "{address}");
        assert_eq!(shown["notice"], Value::Null, "her email has said it");
        let emails = bench.emails();
        let email = emails.last().unwrap();
        assert!(email.reply_to.is_empty(), "SES would refuse it");
        let text = email.text.as_deref().unwrap().replace('\n', " ");
        assert!(
            text.contains("no email system accepts the address"),
            "{text}"
        );
        let resend = json!({ "command": "resend", "reference": reference, "kind": "auto_reply" });
        let refused = bench.invoke_with(at(minute), 29, resend).await;
        assert!(refused.unwrap_err().contains("no email system carries"));
    }
    assert_eq!(bench.sweep(at(60)).await["pending"], 0);
    assert_eq!(bench.logs.alarms(), [""; 0]);
}

#[tokio::test]
async fn an_auto_reply_never_leaves_with_a_promise_that_has_passed() {
    // Less than a day after it came in, so that its age alone would let it go.
    let friday = SignedDuration::from_hours(4 * 24);
    let nine = at(-60);
    let promised = enquiry_desk::practice::compiled().reply_by(nine);
    let minutes = promised.timestamp().duration_since(nine).as_mins();
    assert!((1..24 * 60).contains(&minutes), "{promised}");
    let bench = Bench::start(&[]).await;
    bench.pause(true);
    let swept = bench.post(nine, "zoe@example.org", "1").await;
    bench.pause(false);
    bench.sweep(at(minutes + 1)).await;
    assert_eq!(bench.show(&swept).await["auto_reply"]["reason"], "late");

    let form = json!({
        "name": "Ada", "email": "ada@example.org", "goal": "relax", "consent": "yes", "extra_detail": "x",
    });
    let answer = bench.invoke(at(0), post_event(&form)).await;
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let suspect = body["reference"].as_str().unwrap();
    bench.sweep(at(1)).await;
    let release = json!({ "command": "release", "reference": suspect });
    let released = bench.invoke(at(0) + friday, release).await;
    assert_eq!(released["auto_reply"]["reason"], "late");
    assert_eq!(
        bench.emails_to("zoe@example.org") + bench.emails_to("ada@example.org"),
        0
    );
    assert_eq!(
        bench.emails_to("therapist@example.com"),
        2,
        "told by the email, or by the release"
    );
}

#[tokio::test]
async fn a_delay_is_shown_until_something_is_known() {
    let bench = Bench::start(&[]).await;
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    for (kind, email) in ["therapist", "auto_reply"].iter().zip(bench.emails()) {
        let state = async || bench.show(&reference).await[*kind].take();
        for minutes in [30, 60] {
            bench
                .invoke(at(minutes), report(&email, "DeliveryDelay"))
                .await;
            let shown = state().await;
            assert_eq!(shown["state"], "sent", "{kind}");
            assert_eq!(
                shown["delayed_since"],
                at(30).to_string(),
                "the first one counts"
            );
        }
        for event in ["Delivery", "DeliveryDelay"] {
            bench.invoke(at(90), report(&email, event)).await;
            let shown = state().await;
            assert_eq!(shown["state"], "delivered", "{kind} after {event}");
            assert_eq!(shown["delayed_since"], Value::Null);
        }
    }
    assert_eq!(
        bench.emails().len(),
        2,
        "no notice is sent while the outcome is open"
    );
    assert_eq!(
        bench.logs.alarms(),
        ["therapist_delayed"],
        "once for an email"
    );
}

/// An enquiry whose emails are sent, with the reports of SES about its first one.
async fn reported(bench: &Bench, now: Timestamp, message: &str) -> (String, Vec<Value>) {
    let before = bench.emails().len();
    let reference = bench.post(now, "zoe@example.org", message).await;
    let email = bench.emails().swap_remove(before);
    let events = email.notices.iter().map(|notice| notice.sns_event());
    (reference, events.collect())
}

impl Bench {
    async fn tell(&self, now: Timestamp, events: &[Value]) {
        for event in events {
            self.invoke(now, event.clone()).await;
        }
    }

    async fn state(&self, reference: &str) -> Value {
        self.show(reference).await["therapist"]["state"].take()
    }
}

#[tokio::test]
async fn what_ses_suppressed_to_the_therapist_is_sent_again_until_it_arrives() {
    let bench = Bench::start(&[("THERAPIST_CONFIGURATION_SET", "enquiry-desk")]).await;
    let suppress = |addresses: &[&str]| {
        let addresses = addresses.iter().map(|address| (*address).to_owned());
        let mailbox = bench.ses.mailbox();
        mailbox.account(|account| account.suppressed = addresses.collect());
    };
    suppress(&["therapist@example.com"]);
    let (reference, events) = reported(&bench, at(0), "1").await;
    assert_eq!(bench.state(&reference).await, "sent", "SES said yes");
    bench.tell(at(1), &events).await;
    bench.tell(at(2), &events).await;
    assert_eq!(bench.state(&reference).await, "pending");
    assert_eq!(bench.logs.alarms(), ["therapist_suppressed"], "once");
    assert_eq!(
        bench.sweep(at(50)).await["pending"],
        0,
        "not with every sweep"
    );
    assert!(!bench.item(&reference).await.contains_key("expires"));

    suppress(&[]);
    bench.sweep(at(62)).await;
    let emails = bench.emails();
    assert!(emails.last().unwrap().sent);
    assert_eq!(bench.state(&reference).await, "sent");
    bench.tell(at(63), &events).await;
    assert_eq!(
        bench.state(&reference).await,
        "sent",
        "a report of the first one"
    );
    assert_eq!(
        bench.logs.oldest_due_seconds(),
        [0, 60],
        "the common alarm is free"
    );
}

#[tokio::test]
async fn an_auto_reply_that_ses_suppressed_is_no_bounce_of_the_mailbox() {
    let bench = Bench::start(&[]).await;
    bench.ses.mailbox().account(|account| {
        account.suppressed = ["zoe@example.org".to_owned()].into();
    });
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    let email = bench.emails().remove(1);
    let events: Vec<_> = email
        .notices
        .iter()
        .map(|notice| notice.sns_event())
        .collect();
    bench.tell(at(1), &events).await;
    let shown = bench.show(&reference).await;
    assert_eq!(shown["auto_reply"]["reason"], "Suppressed");
    let emails = bench.emails();
    let notice = emails.last().unwrap().text.as_deref().unwrap();
    assert!(
        notice.contains("didn’t send the automatic reply"),
        "{notice}"
    );
    assert_eq!(bench.logs.alarms(), [""; 0]);
}

#[tokio::test]
async fn an_automatic_answer_of_the_therapists_mailbox_is_no_bounce_in_either_order() {
    for address in [
        "ooto@simulator.amazonses.com",
        "ooto+first@simulator.amazonses.com",
    ] {
        let bench = Bench::start(&[("THERAPIST_EMAIL", address)]).await;
        let (reference, events) = reported(&bench, at(0), "1").await;
        assert_eq!(events.len(), 3);
        bench.tell(at(1), &events).await;
        assert_eq!(bench.state(&reference).await, "delivered", "{address}");
        assert_eq!(bench.sweep(at(70)).await["pending"], 0);
        assert_eq!(bench.emails_to(address), 1);
        assert_eq!(bench.logs.alarms(), [""; 0], "{address}");
        let email = bench.emails().remove(0);
        assert_eq!(email.headers["Auto-Submitted"], "auto-generated");
    }
}

#[tokio::test]
async fn an_automatic_answer_of_a_client_makes_no_notice_and_a_full_mailbox_does() {
    for (address, notices) in [
        ("ooto@simulator.amazonses.com", 0),
        ("ooto+first@simulator.amazonses.com", 0),
        ("full@example.org", 1),
    ] {
        let bench = Bench::start(&[]).await;
        bench.post(at(0), address, "1").await;
        let email = bench.emails().remove(1);
        let mut events: Vec<_> = email
            .notices
            .iter()
            .map(|notice| notice.sns_event())
            .collect();
        if notices == 1 {
            events = vec![report(&email, "Bounce")];
        }
        bench.tell(at(1), &events).await;
        assert_eq!(bench.emails().len(), 2, "{address}: no haste");
        bench.sweep(at(70)).await;
        assert_eq!(bench.emails().len(), 2 + notices, "{address}");
        assert_eq!(bench.sweep(at(80)).await["pending"], 0);
    }
}

#[tokio::test]
async fn a_second_email_that_comes_back_for_now_raises_an_alarm() {
    let bench = Bench::start(&[]).await;
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    let first = report(&bench.emails()[0], "Bounce");
    bench.tell(at(1), &[first]).await;
    assert_eq!(bench.logs.alarms(), [""; 0]);
    bench.sweep(at(62)).await;
    let emails = bench.emails();
    assert_eq!(bench.emails_to("therapist@example.com"), 2);
    bench
        .tell(at(63), &[report(emails.last().unwrap(), "Bounce")])
        .await;
    assert_eq!(bench.logs.alarms(), ["therapist_unreachable"]);
    assert_eq!(bench.state(&reference).await, "pending");
}

#[tokio::test]
async fn words_that_ses_rejects_after_it_took_them_go_once_more_without_them() {
    let bench = Bench::start(&[]).await;
    let virus = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE";
    let (reference, events) = reported(&bench, at(0), virus).await;
    assert_eq!(events.len(), 2);
    bench.tell(at(1), &events).await;
    bench.tell(at(1), &events).await;
    let emails = bench.emails();
    assert_eq!(emails.len(), 3);
    assert!(emails[2].sent && emails[2].subject.contains("please open your desk"));
    assert_eq!(bench.state(&reference).await, "sent");
    assert_eq!(bench.logs.alarms(), [""; 0]);
    bench.tell(at(2), &[report(&emails[2], "Reject")]).await;
    assert_eq!(bench.state(&reference).await, "failed");
    assert_eq!(bench.logs.alarms(), ["email_refused"]);
    assert_eq!(bench.sweep(at(90)).await["pending"], 0);
}

#[tokio::test]
async fn an_email_that_ses_refuses_in_every_form_ends_under_an_alarm_of_its_own() {
    let bench = Bench::start(&[]).await;
    let refuse = || {
        for _ in 0..2 {
            bench.ses.mailbox().fail_for("therapist", Fault::Rejected);
        }
    };
    refuse();
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    assert_eq!(
        bench.sweep(at(5)).await["pending"],
        0,
        "not with every sweep"
    );
    for hour in 1..=24 {
        assert_eq!(bench.state(&reference).await, "pending");
        refuse();
        bench.sweep(at(61 * hour)).await;
    }
    assert_eq!(bench.state(&reference).await, "failed");
    assert_eq!(bench.logs.alarms(), vec!["email_refused"; 25]);
    assert_eq!(bench.sweep(at(26 * 60)).await["pending"], 0);
    assert!(
        bench
            .logs
            .oldest_due_seconds()
            .iter()
            .all(|seconds| *seconds < 1_800)
    );
}

#[tokio::test]
async fn going_past_the_table_raises_an_alarm() {
    let bench = Bench::start(&[]).await;
    emulated::drop_table(&bench.dynamo).await;
    let reference = bench.store(at(0), "zoe@example.org", "1").await;
    assert_eq!(bench.emails_to("therapist@example.com"), 1);
    assert_eq!(bench.logs.alarms(), ["table_unavailable"]);
    let lines = bench.logs.lines();
    let alarm = lines.iter().find(|line| line.get("alarm").is_some());
    assert_eq!(alarm.unwrap()["reference"], reference);
}

#[tokio::test]
async fn a_report_of_an_email_past_the_table_settles_no_other() {
    // The table did store the enquiry: only its answers were lost.
    let bench = Bench::start(&[]).await;
    let reference = bench.store(at(0), "zoe@example.org", "1").await;
    let report = |kind: &str| {
        let message = json!({
            "eventType": kind,
            "bounce": { "bounceType": "Permanent" },
            "mail": { "messageId": "m", "tags": { "reference": [reference], "kind": ["fallback"] } },
        });
        json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": message.to_string() } }] })
    };
    // Every invocation sends what is pending, this one too.
    bench.invoke(at(0), report("Delivery")).await;
    assert_eq!(bench.show(&reference).await["therapist"]["state"], "sent");
    assert_eq!(bench.emails_to("therapist@example.com"), 1);
    assert_eq!(bench.logs.alarms(), [""; 0]);
    bench.invoke(at(2), report("Bounce")).await;
    assert_eq!(bench.logs.alarms(), ["therapist_unreachable"]);
    assert_eq!(bench.show(&reference).await["therapist"]["state"], "sent");
}

#[tokio::test]
async fn after_days_without_the_event_source_the_sweep_sends_everything_and_says_how_old_it_was() {
    let bench = Bench::start(&[]).await;
    let mut references = Vec::new();
    for n in 0..3 {
        let address = format!("client{n}@example.org");
        references.push(bench.store(at(n), &address, "1").await);
    }
    let days = 30 * 60;
    let swept = bench.sweep(at(days)).await;
    assert_eq!(swept, json!({ "pending": 3, "delivered": 3, "left": 0 }));
    assert_eq!(bench.emails_to("therapist@example.com"), 3);
    for reference in &references {
        let auto_reply = bench.show(reference).await["auto_reply"].take();
        assert_eq!(
            auto_reply["reason"], "late",
            "an answer after a day helps no client"
        );
    }
    bench.sweep(at(days + 5)).await;
    let seconds = u64::try_from(days * 60).unwrap();
    assert_eq!(bench.logs.oldest_due_seconds(), [seconds, 0]);
    assert_eq!(
        bench.emails().len(),
        3,
        "swept twice, and nothing is sent twice"
    );
}

/// Stores so many suspected enquiries, and nothing reads the stream.
async fn flood(bench: &Bench, now: Timestamp, count: usize) -> Vec<String> {
    let mut references = Vec::new();
    for n in 0..count {
        let (address, message) = (format!("spam{n}@example.org"), n.to_string());
        references.push(bench.store_with(now, &address, &message, "filled").await);
    }
    references
}

#[tokio::test]
async fn pending_emails_of_clear_enquiries_go_before_those_of_suspected_ones() {
    let bench = Bench::start(&[("RATE_LIMIT_PER_SOURCE", "1000")]).await;
    flood(&bench, at(0), 12).await;
    let clear = bench.store(at(1), "zoe@example.org", "").await;
    bench.sweep(at(6)).await;
    let emails = bench.emails();
    let place = emails.iter().position(|email| {
        let is_its = email.subject.contains(&clear);
        is_its && email.to == ["therapist@example.com"]
    });
    assert!(
        place.is_some_and(|place| place < 4),
        "it was the last to come in, and is among the first that are worked at: {place:?}"
    );
    assert_eq!(bench.emails_to("therapist@example.com"), 13);
}

#[tokio::test]
async fn many_suspected_enquiries_of_an_hour_are_told_as_one_number() {
    let bench = Bench::start(&[("RATE_LIMIT_PER_SOURCE", "1000")]).await;
    let references = flood(&bench, at(0), 34).await;
    let clear = bench.store(at(1), "zoe@example.org", "").await;
    bench.sweep(at(6)).await;
    assert_eq!(bench.emails_to("therapist@example.com"), 30 + 1);
    assert_eq!(
        bench.state(&clear).await,
        "sent",
        "a clear one is always mailed"
    );
    let mut counted = Vec::new();
    for reference in &references {
        let shown = bench.show(reference).await;
        if shown["therapist"]["state"] == "withheld" {
            assert_eq!(shown["therapist"]["reason"], "counted");
            assert_eq!(shown["auto_reply"]["reason"], "suspect");
            assert!(
                bench.item(reference).await.contains_key("text_expires"),
                "it is kept as long as any other that looks like spam"
            );
            counted.push(reference);
        }
    }
    assert_eq!(counted.len(), 4);
    let count = bench.dynamo.client().get_item();
    let count = count.table_name(bench.dynamo.table()).key(
        "pk",
        AttributeValue::S("suspected#2026-11-23T10".to_owned()),
    );
    let count = count.send().await.unwrap().item.unwrap();
    let expires: i64 = count["expires"].as_n().unwrap().parse().unwrap();
    let kept = SignedDuration::from_secs(expires - at(0).as_second());
    assert!(
        kept >= SignedDuration::from_hours(30 * 24),
        "the number can be told for as long as what it counts is kept"
    );

    // The number is told when the hour is over on every machine, once.
    assert_eq!(bench.sweep(at(59)).await["pending"], 0);
    assert_eq!(bench.sweep(at(61)).await["pending"], 0);
    bench
        .store_with(at(59), "late@example.org", "late", "filled")
        .await;
    bench.sweep(at(59)).await;
    let swept = bench.sweep(at(63)).await;
    assert_eq!(swept, json!({ "pending": 1, "delivered": 1, "left": 0 }));
    assert_eq!(bench.sweep(at(66)).await["pending"], 0);
    let emails = bench.emails();
    let email = emails.last().unwrap();
    assert_eq!(email.subject, "5 more enquiries that look like spam");
    assert_eq!(email.to, ["therapist@example.com"]);
    assert_eq!(emails.len(), 30 + 2 + 1);

    // In the next hour they are mailed again.
    let next = bench
        .store_with(at(62), "next@example.org", "next", "filled")
        .await;
    bench.sweep(at(67)).await;
    let shown = bench.show(&next).await;
    assert_eq!(shown["therapist"]["state"], "sent", "{shown}");
    // One of those that were counted is mailed when it is asked for, and answered when it is released.
    let resend = json!({ "command": "resend", "reference": counted[0], "kind": "therapist" });
    bench.invoke(at(68), resend).await;
    assert_eq!(bench.state(counted[0]).await, "sent");
    let release = json!({ "command": "release", "reference": counted[1] });
    bench.invoke(at(68), release).await;
    let shown = bench.show(counted[1]).await;
    assert_eq!(shown["auto_reply"]["state"], "sent", "{shown}");
}

/// While DynamoDB ends a transaction, one of its items may be there and another not yet.
#[tokio::test]
async fn an_enquiry_of_which_a_sweep_sees_one_half_is_not_erased() {
    let bench = Bench::start(&[]).await;
    let client = bench.dynamo.client();
    let hide = async |reference: &str| {
        let key = AttributeValue::S(format!("enquiry#{reference}"));
        let hidden = client.delete_item().table_name(bench.dynamo.table());
        hidden.key("pk", key).send().await.unwrap();
    };
    let reference = bench.store(at(0), "zoe@example.org", "My back hurts").await;
    let typed = bench.part("enquiry", &reference).await;
    hide(&reference).await;
    let swept = bench.sweep(at(1)).await;
    assert_eq!(swept, json!({ "pending": 1, "delivered": 0, "left": 1 }));
    let shown = client.put_item().table_name(bench.dynamo.table());
    shown.set_item(Some(typed)).send().await.unwrap();
    bench.sweep(at(2)).await;
    assert_eq!(bench.state(&reference).await, "sent");

    // What stays away is gone.
    let gone = bench.store(at(10), "jo@example.org", "My neck hurts").await;
    hide(&gone).await;
    assert_eq!(bench.sweep(at(11)).await["left"], 1);
    assert_eq!(bench.sweep(at(13)).await["delivered"], 1);
    assert_eq!(bench.sweep(at(14)).await["pending"], 0);
}

#[tokio::test]
async fn an_email_of_its_own_stays_pending_until_it_leaves() {
    let bench = Bench::start(&[("RATE_LIMIT_PER_SOURCE", "1000")]).await;
    flood(&bench, at(0), 31).await;
    bench.sweep(at(6)).await;
    bench.pause(true);
    let swept = bench.sweep(at(62)).await;
    assert_eq!(swept, json!({ "pending": 1, "delivered": 0, "left": 1 }));
    assert_eq!(bench.logs.alarms(), ["misconfigured"]);
    bench.sweep(at(97)).await;
    let ages = bench.logs.oldest_due_seconds();
    assert_eq!(
        ages.last(),
        Some(&(35 * 60)),
        "the alarm on pending work sees it"
    );
    bench.pause(false);
    bench.sweep(at(100)).await;
    let emails = bench.emails();
    assert_eq!(
        emails.last().unwrap().subject,
        "1 more enquiry that looks like spam"
    );
    // What SES reports of it raises the alarm of every email to the therapist.
    let before = bench.logs.alarms().len();
    bench
        .invoke(at(101), report(emails.last().unwrap(), "Complaint"))
        .await;
    assert_eq!(bench.logs.alarms()[before..], ["therapist_unreachable"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_and_two_sweeps_at_once_send_nothing_twice() {
    let bench = Arc::new(Bench::start(&[]).await);
    for round in 1..=20 {
        let address = format!("client{round}@example.org");
        let reference = bench.store(at(round), &address, "1").await;
        let sweep = json!({ "command": "sweep" });
        let events = [
            bench.stream(&[&reference]).await,
            sweep.clone(),
            bench.stream(&[&reference]).await,
            sweep,
        ];
        let mut under_way = tokio::task::JoinSet::new();
        for event in events {
            let bench = Arc::clone(&bench);
            under_way.spawn(async move { bench.invoke(at(round), event).await });
        }
        under_way.join_all().await;
        assert_eq!(bench.emails_to(&address), 1);
        let emails = usize::try_from(round).unwrap();
        assert_eq!(bench.emails_to("therapist@example.com"), emails);
    }
}

#[tokio::test]
async fn what_a_newer_version_has_written_is_left_for_it_and_never_dropped() {
    let bench = Bench::start(&[]).await;
    let reference = bench.store(at(0), "zoe@example.org", "1").await;
    let event = bench.stream(&[&reference]).await;
    bench.update(&reference, "SET v = :v ADD revision :v").await;
    let before = bench.item(&reference).await;
    // The record is one that this version could read; the item is not.
    let answer = bench.invoke(at(1), event).await;
    assert_eq!(
        answer,
        json!({ "batchItemFailures": [] }),
        "the shard moves on"
    );
    let swept = bench.sweep(at(2)).await;
    assert_eq!(swept, json!({ "pending": 1, "delivered": 0, "left": 1 }));
    assert_eq!(bench.logs.alarms(), ["record_parked", "record_parked"]);
    assert_eq!(bench.item(&reference).await, before);
    assert!(bench.emails().is_empty());

    // The version that can read it is rolled out.
    bench
        .update(&reference, "SET v = revision - revision ADD revision :v")
        .await;
    bench.sweep(at(5)).await;
    assert_eq!(bench.emails().len(), 2);
}

#[tokio::test]
async fn nothing_is_begun_that_could_not_be_recorded_in_time() {
    let bench = Bench::start(&[]).await;
    let first = bench.store(at(0), "ada@example.org", "1").await;
    let second = bench.store(at(0), "ben@example.org", "1").await;
    let event = bench.stream(&[&first, &second]).await;
    for seconds in [0, 1, 8, 14] {
        let answer = bench.invoke_with(at(1), seconds, event.clone()).await;
        let failures = json!({ "batchItemFailures": [{ "itemIdentifier": "100" }] });
        assert_eq!(
            answer.unwrap(),
            failures,
            "{seconds} seconds are not enough"
        );
        assert!(bench.emails().is_empty());
    }
    let sweep = json!({ "command": "sweep" });
    let swept = bench.invoke_with(at(1), 10, sweep).await.unwrap();
    assert_eq!(swept["delivered"], 0);
    let answer = bench.invoke(at(2), event).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(bench.emails().len(), 4);
}

#[tokio::test]
async fn a_record_without_its_enquiry_or_with_an_expired_one_sends_nothing() {
    let bench = Bench::start(&[]).await;
    let reference = bench.store(at(0), "zoe@example.org", "1").await;
    let mut event = bench.stream(&[&reference]).await;
    for kind in ["state", "enquiry"] {
        let key = AttributeValue::S(format!("{kind}#{reference}"));
        let delete = bench.dynamo.client().delete_item();
        let delete = delete.table_name(bench.dynamo.table()).key("pk", key);
        delete.send().await.unwrap();
    }
    assert_eq!(
        bench.invoke(at(1), event.clone()).await,
        json!({ "batchItemFailures": [] })
    );
    // The table's own deletion, as a stream with old images would report it.
    let record = &mut event["Records"][0];
    record["eventName"] = "REMOVE".into();
    record["dynamodb"]["OldImage"] = record["dynamodb"]["NewImage"].take();
    assert_eq!(
        bench.invoke(at(2), event).await,
        json!({ "batchItemFailures": [] })
    );
    assert!(bench.emails().is_empty());
}

/// Found by the simulator (seed 3289): the old record books again for its own enquiry, finds it gone, and gives the booking back.
#[tokio::test]
async fn an_old_record_of_an_enquiry_that_is_gone_frees_no_address() {
    let bench = Bench::start(&[]).await;
    let reference = bench.store(at(0), "zoe@example.org", "1").await;
    let event = bench.stream(&[&reference]).await;
    bench.invoke(at(1), event.clone()).await;
    assert_eq!(bench.emails().len(), 2);
    for kind in ["state", "enquiry"] {
        let key = AttributeValue::S(format!("{kind}#{reference}"));
        let delete = bench.dynamo.client().delete_item();
        let delete = delete.table_name(bench.dynamo.table()).key("pk", key);
        delete.send().await.unwrap();
    }
    bench.invoke(at(2), event).await;
    let second = bench.store(at(3), "zoe@example.org", "2").await;
    let event = bench.stream(&[&second]).await;
    bench.invoke(at(4), event).await;
    let emails = bench.emails();
    assert_eq!(emails.len(), 3, "{emails:?}");
}

/// A desk whose function turns away as many batches of the stream as this before it takes one, as Lambda does when the
/// account has no concurrency left.
async fn busy(batches: u32) -> (Emulator, Arc<AtomicU32>) {
    let left = Arc::new(AtomicU32::new(batches));
    let turned_away = Arc::clone(&left);
    let options = Options {
        stream: stream::Settings {
            mapping: mapping::Settings {
                backoff: Duration::from_millis(1),
                ..emulated::event_source()
            },
            ..stream::Settings::default()
        },
        ..emulated::options()
    };
    let desk = Emulator::start(options, async |endpoints| {
        let app = emulated::app(&endpoints, &[], aws::http_client()).unwrap();
        let function = emulated::function(app);
        Ok(Function::new(move |event: Value| {
            let busy = event.pointer("/Records/0/dynamodb").is_some()
                && turned_away
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
            let function = function.clone();
            async move {
                if busy {
                    return Err("Rate Exceeded.".to_owned());
                }
                function.call(event).await
            }
        }))
    })
    .await
    .unwrap();
    (desk, left)
}

async fn post_to(desk: &Emulator, message: &str) {
    let form = json!({
        "name": "Zoë", "email": format!("client{message}@example.org"), "goal": "relax",
        "consent": "yes", "message": message,
    });
    let answer = desk.function().call(post_event(&form)).await.unwrap();
    assert_eq!(answer["statusCode"], 201);
}

#[tokio::test]
async fn deliveries_wait_while_the_function_is_busy_and_none_is_lost() {
    let (desk, left) = busy(5).await;
    for message in ["1", "2", "3"] {
        post_to(&desk, message).await;
    }
    desk.settled().await;
    assert_eq!(left.load(Ordering::SeqCst), 0);
    assert_eq!(desk.emails().len(), 6);
    assert!(desk.failures().is_empty());
    desk.stop().await;
}

#[tokio::test]
async fn what_used_up_its_retries_is_pointed_at_and_the_sweep_sends_it_once() {
    let (desk, left) = busy(1_000).await;
    post_to(&desk, "1").await;
    desk.settled().await;
    assert!(desk.emails().is_empty());
    let failures = desk.failures();
    assert_eq!(failures.len(), 1);
    assert!(
        !failures[0].to_string().contains("client1"),
        "a pointer, and not the record"
    );
    left.store(0, Ordering::SeqCst);
    for _ in 0..2 {
        let swept = desk.function().call(json!({ "command": "sweep" })).await;
        assert!(swept.is_ok());
        assert_eq!(desk.emails().len(), 2);
    }
    desk.stop().await;
}

#[test]
fn the_local_event_source_is_the_templates() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let template = Yaml::load_from_str(&text).unwrap().remove(0);
    let function = &template["Resources"]["Function"]["Properties"];
    let source = &function["Events"]["Enquiries"]["Properties"];
    let number = |name: &str| source[name].as_integer().unwrap();
    let ours = emulated::event_source();
    assert_eq!(i64::try_from(ours.batch_size).unwrap(), number("BatchSize"));
    assert_eq!(
        ours.retries.map(i64::from),
        Some(number("MaximumRetryAttempts"))
    );
    let age = u64::try_from(number("MaximumRecordAgeInSeconds")).unwrap();
    assert_eq!(ours.max_age, Some(Duration::from_secs(age)));
    assert_eq!(
        Some(ours.bisect),
        source["BisectBatchOnFunctionError"].as_bool()
    );
    let reports = source["FunctionResponseTypes"][0].as_str();
    assert_eq!(
        ours.report_failures,
        reports == Some("ReportBatchItemFailures")
    );
    let filters = source["FilterCriteria"]["Filters"].as_vec().unwrap();
    let filters = filters.iter().map(|filter| {
        let pattern = filter["Pattern"].as_str().unwrap();
        Filter::parse(pattern).unwrap()
    });
    assert_eq!(ours.filters, filters.collect::<Vec<_>>());
    assert_eq!(source["StartingPosition"].as_str(), Some("TRIM_HORIZON"));
    // What the template leaves to its default is left out here as well.
    let known = [
        "Stream",
        "StartingPosition",
        "FilterCriteria",
        "BatchSize",
        "FunctionResponseTypes",
        "BisectBatchOnFunctionError",
        "MaximumRetryAttempts",
        "MaximumRecordAgeInSeconds",
        "DestinationConfig",
    ];
    for (name, _) in source.as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        assert!(
            known.contains(&name),
            "{name} is not played by the local driver"
        );
    }
    assert_eq!(ours.window, Duration::ZERO);
    // `support/emulated.rs` and the emulator's `function.rs` also set when an invocation ends.
    assert_eq!(function["Timeout"].as_integer(), Some(29));
}

#[tokio::test]
async fn what_was_typed_expires_only_while_nothing_is_pending_for_the_therapist() {
    let bench = Bench::start(&[]).await;
    let expires = async |reference: &str| {
        let typed = bench.part("enquiry", reference).await;
        let state = bench.part("state", reference).await;
        assert_eq!(typed.get("expires"), state.get("expires"), "one for both");
        let expires = typed.get("expires")?.as_n().unwrap();
        Some(expires.parse::<i64>().unwrap())
    };
    bench.pause(true);
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    let why = "the therapist has not heard of it";
    assert_eq!(expires(&reference).await, None, "{why}");
    bench.pause(false);
    bench.sweep(at(10)).await;
    let year_later = at(10) + SignedDuration::from_hours(24 * 365);
    let year_later = Some(year_later.as_second());
    assert_eq!(expires(&reference).await, year_later);

    bench.pause(true);
    let emails = bench.emails();
    let auto_reply = emails.iter().find(|email| email.to == ["zoe@example.org"]);
    let bounced = report(auto_reply.unwrap(), "Bounce");
    bench.invoke(at(20), bounced).await;
    assert_eq!(expires(&reference).await, None, "a notice is pending");
    bench.pause(false);
    bench.sweep(at(90)).await;
    let why = "nothing keeps it longer than its first completion";
    assert_eq!(expires(&reference).await, year_later, "{why}");
}

#[tokio::test]
async fn an_email_that_reaches_the_therapist_late_keeps_its_enquiry_for_a_day() {
    let bench = Bench::start(&[]).await;
    let day = |number: i64| at(number * 24 * 60);
    let expires = async |reference: &str| {
        let typed = bench.part("enquiry", reference).await;
        typed
            .get("expires")
            .map(|at| at.as_n().unwrap().parse::<i64>().unwrap())
    };
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    let resend = async |number: i64| {
        let command = json!({ "command": "resend", "kind": "therapist", "reference": reference });
        bench.invoke(day(number), command).await
    };
    let year = day(365).as_second();
    resend(300).await;
    let why = "the life of an enquiry counts from the first time";
    assert_eq!(expires(&reference).await, Some(year), "{why}");
    // The table deletes late: until then it can still be sent.
    resend(366).await;
    let why = "what SES reports of it must find it, and so must she";
    assert_eq!(
        expires(&reference).await,
        Some(day(367).as_second()),
        "{why}"
    );
}

#[tokio::test]
async fn work_that_is_due_later_is_left_until_then() {
    let bench = Bench::start(&[]).await;
    bench.store(at(30), "zoe@example.org", "1").await;
    for (minutes, count) in [(29, 0), (30, 1)] {
        let swept = bench.sweep(at(minutes)).await;
        let expected = json!({ "pending": count, "delivered": count, "left": 0 });
        assert_eq!(swept, expected, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn the_outcome_of_a_send_and_the_lease_of_the_next_are_one_write() {
    let bench = Bench::start(&[]).await;
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    assert_eq!(bench.emails().len(), 2);
    let state = bench.part("state", &reference).await;
    let why = "the first lease, the first outcome with the second lease, the second outcome";
    assert_eq!(state["revision"].as_n().unwrap(), "3", "{why}");
}
