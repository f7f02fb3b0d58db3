//! One schedule: what happens to a handful of enquiries, drawn from a seed, and played against the real application.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::emulated::Environment;
use aws_emulator::dynamodb::Dynamo;
use aws_emulator::ses::account::{Account, Suppression};
use aws_emulator::ses::{Email, Ses};
use aws_emulator::{Endpoints, aws};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::Practice;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use super::people::{Act, People};
use super::rules;
use super::wire::{Calls, Fault, Ledger, Moment, Plan, Wire};
use crate::fuzzing::PRACTICE;
use crate::support::logs::Logs;
use crate::support::{Item, emulated, joined};
use testing::random::Random;

/// The names of the forms: a kind that names one is about this form.
pub const NAMES: [&str; 5] = [
    "Ada Alpha",
    "Ben Bravo",
    "Cas Charlie",
    "Dee Delta",
    "Eli Echo",
];

/// Their addresses. The first three are one person's; the last ones come back, complain, and are answered by a machine.
const ADDRESSES: [&str; 8] = [
    "ada@example.org",
    "ada+massage@example.org",
    "ADA@example.org",
    "ben@example.net",
    "bounce+ben@simulator.amazonses.com",
    "complaint+eli@simulator.amazonses.com",
    "ooto+ben@simulator.amazonses.com",
    "ooto+first@simulator.amazonses.com",
];

/// The therapist's: sometimes on holiday, with an answer that comes after or before the delivery is reported.
const THERAPISTS: [&str; 5] = [
    "therapist@example.com",
    "therapist@example.com",
    "therapist@example.com",
    "ooto+therapist@simulator.amazonses.com",
    "ooto+first@simulator.amazonses.com",
];

/// Words that SES takes, and then does not send.
const REJECTED: &str = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE";

/// How many instances of the function there are, and so how many invocations at once.
const INSTANCES: usize = 4;

/// A world with everything that a schedule plays with.
pub struct World {
    seed: u64,
    random: Random,
    /// What people do is drawn from here.
    pub people_random: Random,
    /// What they have done.
    pub people: People,
    pub now: Timestamp,
    /// The database itself, without faults.
    pub dynamo: Dynamo,
    /// The catcher itself.
    pub ses: Ses,
    endpoints: Endpoints,
    variables: Vec<(&'static str, &'static str)>,
    practice: Practice,
    /// The therapist's address.
    therapist: &'static str,
    plain: SharedHttpClient,
    instances: Vec<Instance>,
    /// What truly happened.
    pub ledger: Arc<Mutex<Ledger>>,
    pub forms: Vec<Value>,
    /// The stream: every enquiry as it was inserted.
    stream: Vec<Value>,
    /// The stream: records that are no new enquiries, which the event source would filter out.
    foreign: Vec<Value>,
    /// What a 2xx said: which form, when, and the reference.
    pub accepted: Vec<Accepted>,
    /// The enquiries that the table deleted in time, as they were.
    pub expired: Vec<Item>,
    /// The references of which the table has deleted an item, be it one of two.
    pub deleted: HashSet<String>,
    /// Every enquiry as it was when the table last deleted something, by its key.
    pub seen: HashMap<String, Item>,
    /// What a newer version has rewritten: the keys, and the revisions as it left them.
    newer: Vec<(String, String)>,
    /// What SES reported and the function took.
    pub reports: Vec<Reported>,
    /// The emails of which SES reported to the function that they were not delivered, whether it lived to answer or not.
    pub returned: HashSet<String>,
    /// Everything that SES reported, whether the function took it or not.
    pub told: Vec<Reported>,
    /// What the function logged.
    pub lines: Vec<Value>,
    logs: Logs,
    dispatch: Dispatch,
    /// What was done, to be read when the schedule fails.
    pub log: Vec<String>,
    /// What broke a rule on the way.
    pub broken: Vec<String>,
    weather: Weather,
}

/// A post that was accepted.
pub struct Accepted {
    pub form: usize,
    pub at: Timestamp,
    /// The same by no machine's clock.
    pub truly: Timestamp,
    pub reference: String,
}

/// A report of SES that was taken.
pub struct Reported {
    pub at: Timestamp,
    pub reference: String,
    pub kind: String,
    pub message_id: String,
    pub event_type: String,
    pub permanent: bool,
    pub suppressed: bool,
}

impl Reported {
    /// Whether SES took the email and says that it was not delivered, so that one to the therapist goes again.
    pub fn is_returned(&self) -> bool {
        match self.event_type.as_str() {
            "Bounce" => self.suppressed || !self.permanent,
            "Complaint" => self.suppressed,
            kind => kind == "Reject",
        }
    }

    /// Reads the event that carries it; nothing when it is about none of our emails.
    fn read(event: &Value, at: Timestamp) -> Option<Self> {
        let record = event.pointer("/Records/0/Sns/Message")?.as_str()?;
        let record: Value = serde_json::from_str(record).ok()?;
        let text = |place: &str| record.pointer(place)?.as_str().map(str::to_owned);
        let sub_type =
            text("/bounce/bounceSubType").or_else(|| text("/complaint/complaintSubType"));
        Some(Self {
            at,
            reference: text("/mail/tags/reference/0")?,
            kind: text("/mail/tags/kind/0")?,
            message_id: text("/mail/messageId")?,
            event_type: text("/eventType")?,
            permanent: text("/bounce/bounceType").as_deref() == Some("Permanent"),
            suppressed: sub_type.is_some_and(|why| NOT_SENT.contains(&why.as_str())),
        })
    }
}

/// What SES says when it did not send an email at all.
const NOT_SENT: [&str; 3] = [
    "OnAccountSuppressionList",
    "OnTenantSuppressionList",
    "EmailValidationSuppressed",
];

/// What invocations meet.
#[derive(Debug, Clone, Copy)]
enum Weather {
    /// Anything.
    Stormy,
    /// One thing that does not go away.
    Outage(Option<(Calls, Fault)>),
    /// One fault, and nothing else.
    Meets(Calls, Fault),
    /// One death, and nothing else.
    Crash(u32, Moment),
    /// Nothing.
    Calm,
}

/// One press on "Junk", in an account whose set for the therapist suppresses like any other.
fn suppress(account: &mut Account, therapist: &str, why: Suppression) {
    account.suppressed = [(therapist.to_owned(), why)].into();
    account.unsuppressed_sets.clear();
}

/// What can be out of order for an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    Paused,
    NoQuota,
    Unverified,
    Sandbox,
    SesUnreachable,
    SesFails,
    SesTooBusy,
    WordsRefused,
    TableReadOnly,
    Suppressed,
}

struct Instance {
    app: Arc<Environment>,
    wire: Arc<Wire>,
}

/// One event for the function.
#[derive(Debug, Clone)]
enum Event {
    Post(usize),
    Stream(Vec<Value>),
    Sweep,
    Feedback(Value),
    Release(String),
    Act(Act),
}

impl Event {
    fn name(&self) -> String {
        match self {
            Self::Post(form) => format!("post {}", NAMES[*form]),
            Self::Stream(records) => format!("stream of {}", records.len()),
            Self::Sweep => "sweep".to_owned(),
            Self::Feedback(_) => "feedback".to_owned(),
            Self::Release(reference) => format!("release {reference}"),
            Self::Act(act) => act.name(),
        }
    }
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let dynamo = emulated::dynamo().await;
        let ses = emulated::ses().await;
        let endpoints = emulated::endpoints(dynamo.endpoint(), ses.endpoint());
        let therapist = *random.pick(&THERAPISTS);
        let variables = vec![
            ("THERAPIST_EMAIL", therapist),
            (
                "RATE_LIMIT_PER_SOURCE",
                *random.pick(&["3", "1000000", "1000000"]),
            ),
            (
                "AUTO_REPLIES_PER_DAY",
                *random.pick(&["2", "1000000", "1000000"]),
            ),
        ];
        // Sometimes SES is in its sandbox, until Amazon grants production access: then replies go out by themselves.
        let sandboxed = *random.pick(&[true, false, false, false, false, false]);
        ses.mailbox().account(|account| account.sandbox = sandboxed);
        let mut practice = PRACTICE.clone();
        practice.privacy.retention_days = *random.pick(&[1, 365, 365]);
        // Sometimes they all come from one person.
        let people = if random.percent(35) {
            3
        } else {
            ADDRESSES.len()
        };
        let forms = (0..NAMES.len())
            .map(|form| form_of(form, &ADDRESSES[..people], &mut random))
            .collect();
        let start: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        let now = start + SignedDuration::from_mins(random.between(0, 5 * 24 * 60));
        let logs = Logs::default();
        Self {
            seed,
            random,
            people_random: Random::new(seed ^ 0x7065_6f70_6c65),
            people: People::default(),
            now,
            dynamo,
            ses,
            endpoints,
            variables,
            practice,
            therapist,
            plain: aws::http_client(),
            instances: Vec::new(),
            ledger: Arc::default(),
            forms,
            stream: Vec::new(),
            foreign: Vec::new(),
            accepted: Vec::new(),
            expired: Vec::new(),
            deleted: HashSet::new(),
            seen: HashMap::new(),
            newer: Vec::new(),
            reports: Vec::new(),
            returned: HashSet::new(),
            told: Vec::new(),
            lines: Vec::new(),
            dispatch: logs.dispatch(),
            logs,
            log: Vec::new(),
            broken: Vec::new(),
            weather: Weather::Stormy,
        }
    }

    /// An instance of the function, freshly started.
    fn instance(&self) -> Instance {
        let wire = Wire::new(Arc::clone(&self.ledger));
        let client = wire.client(self.plain.clone());
        let practice = self.practice.clone();
        let app = emulated::app_of(practice, &self.endpoints, &self.variables, client).unwrap();
        Instance { app, wire }
    }

    fn say(&mut self, what: impl Into<String>) {
        self.log.push(format!("{} {}", self.now, what.into()));
    }

    /// What the next invocation will meet.
    fn plan(&mut self) -> Plan {
        let mut ledger = self.ledger.lock().unwrap();
        let invocation = ledger.invocations.len();
        ledger.invocations.push(Default::default());
        drop(ledger);
        match self.weather {
            Weather::Stormy => {}
            Weather::Outage(always) => {
                // Less time, so that a service that is waited for does not take the schedule's.
                let time = Duration::from_secs(17);
                return Plan {
                    always,
                    time,
                    ..Plan::calm(invocation, self.now)
                };
            }
            Weather::Meets(calls, fault) => {
                return Plan {
                    always: Some((calls, fault)),
                    ..Plan::calm(invocation, self.now)
                };
            }
            Weather::Crash(nth, moment) => {
                return Plan {
                    crash: Some((nth, moment)),
                    ..Plan::calm(invocation, self.now)
                };
            }
            Weather::Calm => return Plan::calm(invocation, self.now),
        }
        let random = &mut self.random;
        let faulty = *random.pick(&[(0, 0), (10, 10), (25, 25), (0, 40), (40, 0)]);
        let outage = match random.below(8) {
            0 => 0..random.between(3, 12) as u32,
            1 => {
                let first = random.between(1, 8) as u32;
                first..first + random.between(3, 9) as u32
            }
            _ => 0..0,
        };
        let moment = *random.pick(&[Moment::Before, Moment::Arrived, Moment::Answered]);
        let nth = random.below(12) as u32;
        let crash = random.percent(30).then_some((nth, moment));
        // The clocks of machines do not agree to the second.
        let skew = random.between(-15, 15);
        // Around each of the times that are left for a step.
        let time = if random.percent(70) {
            29_000
        } else {
            *random.pick(&[
                400, 2_900, 3_100, 8_900, 9_100, 9_300, 15_050, 15_150, 15_300, 18_000,
            ])
        };
        self.ledger.lock().unwrap().invocations[invocation].faults += u32::from(time < 29_000);
        Plan {
            invocation,
            now: self.now + SignedDuration::from_secs(skew),
            truly: self.now,
            time: Duration::from_millis(time),
            random: random.fork(),
            faulty,
            outage,
            slow: *random.pick(&[0, 0, 0, 0, 10]),
            stale: *random.pick(&[0, 0, 60]),
            always: None,
            crash,
        }
    }

    /// Plays events at once, each on an instance of its own. Returns the answers of those that lived.
    async fn play(&mut self, events: Vec<Event>) -> Vec<Option<Result<Value, String>>> {
        while self.instances.len() < events.len() {
            let fresh = self.instance();
            self.instances.push(fresh);
        }
        let mut under_way = Vec::new();
        let mut times = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let is_a_person = matches!(event, Event::Act(_));
            if is_a_person {
                std::mem::swap(&mut self.random, &mut self.people_random);
            }
            let plan = self.plan();
            if is_a_person {
                std::mem::swap(&mut self.random, &mut self.people_random);
            }
            match event {
                Event::Act(act) => self.begins(act),
                Event::Release(reference) => self.people.releases(reference),
                _ => {}
            }
            self.say(format!(
                "#{} {}, {:?}, faults {:?}, outage {:?}, slow {}, stale {}, always {:?}, crash {:?}",
                plan.invocation,
                event.name(),
                plan.time,
                plan.faulty,
                plan.outage,
                plan.slow,
                plan.stale,
                plan.always,
                plan.crash
            ));
            let time = plan.time;
            let clock = Clock::new(
                plan.now,
                plan.now + SignedDuration::try_from(plan.time).unwrap(),
            );
            times.push(plan.now);
            let value = self.value_of(event);
            let instance = &self.instances[place];
            instance.wire.begin(plan);
            let (app, wire) = (Arc::clone(&instance.app), Arc::clone(&instance.wire));
            let dispatch = self.dispatch.clone();
            under_way.push(async move {
                tokio::select! {
                    biased;
                    () = wire.death() => None,
                    answer = app.handle(value, &clock).with_subscriber(dispatch) => {
                        (!wire.is_dead()).then(|| answer.map_err(|error| error.to_string()))
                    }
                    // Its time is up: Lambda stops it wherever it is.
                    () = tokio::time::sleep(time) => {
                        wire.die();
                        None
                    }
                }
            });
        }
        let first = self.ledger.lock().unwrap().invocations.len() - events.len();
        let began = Instant::now();
        let answers = futures_util::future::join_all(under_way).await;
        // A busy machine counts as a fault as well: the invocations' time is real.
        let starved = u32::from(began.elapsed() > Duration::from_secs(5));
        // What has left a dead invocation arrives all the same.
        while self.ledger.lock().unwrap().on_their_way > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for (place, (event, answer)) in events.iter().zip(&answers).enumerate() {
            if answer.is_none() {
                let fresh = self.instance();
                self.instances[place] = fresh;
            }
            let happened = self.ledger.lock().unwrap().invocations[first + place];
            let faults = happened.faults + starved;
            self.judge(event, answer.as_ref(), faults, times[place]);
            if let Event::Stream(records) = event
                && records.iter().all(|record| record["eventName"] != "INSERT")
                && happened.calls > 0
            {
                self.broken
                    .push("(e) a change that is no new enquiry woke the outbox".to_owned());
            }
        }
        for line in self.logs.take() {
            if line["level"] != "INFO" {
                self.say(format!("    {line}"));
            }
            self.lines.push(line);
        }
        if events.iter().any(|event| matches!(event, Event::Post(_))) {
            self.read_stream().await;
        }
        self.look_for_the_gone().await;
        answers
    }

    fn value_of(&self, event: &Event) -> Value {
        match event {
            Event::Post(form) => post_event(&self.forms[*form]),
            Event::Stream(records) => json!({ "Records": records }),
            Event::Sweep => json!({ "command": "sweep" }),
            Event::Feedback(notice) => notice.clone(),
            Event::Release(reference) => json!({ "command": "release", "reference": reference }),
            Event::Act(act) => act.event(),
        }
    }

    /// Holds one answer to what may be answered.
    fn judge(
        &mut self,
        event: &Event,
        answer: Option<&Result<Value, String>>,
        faults: u32,
        at: Timestamp,
    ) {
        let said = match answer {
            None => "died".to_owned(),
            Some(Ok(value)) => value.to_string().chars().take(160).collect(),
            Some(Err(error)) => format!("failed: {error}"),
        };
        self.say(format!("  {}: {faults} faults, {said}", event.name()));
        if let Event::Feedback(event) = event {
            let told = Reported::read(event, self.now);
            let returned = told.as_ref().filter(|report| report.is_returned());
            self.returned
                .extend(returned.map(|report| report.message_id.clone()));
            self.told.extend(told);
        }
        match (event, answer) {
            (_, None) => {}
            (Event::Post(form), Some(Ok(answer))) => match answer["statusCode"].as_u64() {
                Some(201) => {
                    let body: Value =
                        serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
                    self.accepted.push(Accepted {
                        form: *form,
                        at,
                        truly: self.now,
                        reference: body["reference"].as_str().unwrap().to_owned(),
                    });
                }
                Some(503) if faults > 0 => {}
                Some(429) => {}
                status => self
                    .broken
                    .push(format!("a post was answered with {status:?}")),
            },
            (Event::Post(_), Some(Err(error))) => {
                self.broken.push(format!("a post failed: {error}"));
            }
            (Event::Stream(_), Some(Ok(answer))) => {
                let failures = answer["batchItemFailures"].as_array().unwrap();
                let number = failures
                    .first()
                    .and_then(|failure| failure["itemIdentifier"].as_str());
                if number.is_some_and(|number| number.starts_with('9')) {
                    self.broken
                        .push("(e) a poison record holds up its shard".to_owned());
                }
                if faults == 0 && number.is_some() {
                    self.broken
                        .push("(e) a batch failed without a fault".to_owned());
                }
            }
            (Event::Release(_), Some(_)) => {}
            (Event::Act(act), Some(answer)) => match answer {
                Ok(answer)
                    if answer["statusCode"] == 503 && faults == 0 && self.newer.is_empty() =>
                {
                    let name = event.name();
                    self.broken.push(format!("{name} was not taken"));
                }
                Ok(answer) => self.has_acted(act, answer),
                // It may be gone, or a newer version's.
                Err(_) => {}
            },
            (Event::Feedback(event), Some(Ok(_))) => {
                self.reports.extend(Reported::read(event, self.now));
            }
            // What a newer version has written is left for it, and SNS tries again.
            (Event::Feedback(_), Some(Err(_))) if !self.newer.is_empty() => {}
            (_, Some(Err(error))) if faults == 0 => {
                self.broken
                    .push(format!("{} failed: {error}", event.name()));
            }
            _ => {}
        }
    }

    /// Every item of the table.
    pub async fn items(&self) -> Vec<Item> {
        emulated::items(&self.dynamo).await
    }

    /// Puts what was inserted on the stream, as it was when it was new.
    async fn read_stream(&mut self) {
        for item in self.items().await {
            if item["kind"].as_s().unwrap() != "enquiry" {
                continue;
            }
            let image = as_it_was_new(item);
            let known = |record: &Value| record["dynamodb"]["NewImage"]["pk"] == image["pk"];
            if self.stream.iter().any(known) {
                continue;
            }
            let number = (100 + self.stream.len()).to_string();
            let record = |name: &str, number: String, image: &Value| {
                json!({
                    "eventID": number, "eventName": name, "eventSource": "aws:dynamodb",
                    "dynamodb": { "SequenceNumber": number, "NewImage": image },
                })
            };
            // Our own first change of it comes back as well.
            self.foreign
                .push(record("MODIFY", format!("5{number}"), &image));
            self.stream.push(record("INSERT", number, &image));
        }
    }

    /// Some records of the stream, in any order, some more than once, with one among them that this version cannot read.
    fn batch(&mut self) -> Option<Vec<Value>> {
        if self.stream.is_empty() {
            return None;
        }
        if !self.foreign.is_empty() && self.random.percent(10) {
            return Some(vec![self.random.pick(&self.foreign).clone()]);
        }
        let mut records: Vec<Value> = (0..self.random.between(1, 4))
            .map(|_| self.random.pick(&self.stream).clone())
            .collect();
        if self.random.percent(25) {
            let mut poison = records[0].clone();
            poison["dynamodb"]["SequenceNumber"] = "900".into();
            match self.random.below(4) {
                0 => poison["dynamodb"]["NewImage"] = "not an image".into(),
                1 => poison["dynamodb"]["NewImage"]["v"] = json!({ "N": "99" }),
                2 => poison["dynamodb"]["NewImage"]["enquiry"] = json!({ "S": "none" }),
                _ => poison["eventName"] = "MODIFY".into(),
            }
            let place = self.random.below(records.len() as u64 + 1) as usize;
            records.insert(place, poison);
        }
        Some(records)
    }

    fn feedback(&mut self) -> Option<Value> {
        let emails = self.ses.mailbox().emails();
        if emails.is_empty() {
            return None;
        }
        let email = self.random.pick(&emails).clone();
        let notice = self.random.pick(&email.notices).clone();
        let mut event = notice.sns_event();
        if email.sent && self.random.percent(30) {
            // What SES might have said of this email instead, or as well.
            let (kind, member, said) = *self.random.pick(&[
                ("DeliveryDelay", "delayType", "MailboxFull"),
                ("Delivery", "smtpResponse", "250 ok"),
                ("Bounce", "bounceType", "Transient"),
                ("Bounce", "bounceType", "Permanent"),
                ("Bounce", "bounceSubType", "OnAccountSuppressionList"),
                ("Complaint", "complaintFeedbackType", "abuse"),
                ("Reject", "reason", "Bad content"),
            ]);
            let mut message = json!({ "eventType": kind });
            message[kind.to_ascii_lowercase()] = json!({ member: said });
            if member == "bounceSubType" {
                message["bounce"]["bounceType"] = "Permanent".into();
            }
            message["mail"] = notice.record["mail"].clone();
            event["Records"][0]["Sns"]["Message"] = message.to_string().into();
        }
        Some(event)
    }

    /// The table deletes what has expired, some of it: it promises no more than a few days.
    async fn expire(&mut self) {
        // What SES did not send it has reported long before.
        let weather = std::mem::replace(&mut self.weather, Weather::Calm);
        self.report_all(|email| !email.sent).await;
        self.weather = weather;
        let enquiries = self.enquiries().await;
        self.check_expiries(&enquiries);
        let seen = enquiries.into_iter();
        self.seen
            .extend(seen.map(|item| (item["pk"].as_s().unwrap().clone(), item)));
        for item in self.items().await {
            let expires = item.get("expires").and_then(|at| at.as_n().ok());
            let Some(expires) = expires.and_then(|at| at.parse::<i64>().ok()) else {
                continue;
            };
            if expires >= self.now.as_second() || self.random.percent(40) {
                continue;
            }
            let key = item["pk"].clone();
            // A version is rolled back long before an enquiry's time is up; until then no report about it can be written down (seed 818).
            let of = |key: &str| {
                key.split_once('#')
                    .map(|(_, reference)| reference.to_owned())
            };
            let own = of(key.as_s().unwrap());
            if self.newer.iter().any(|(newer, _)| of(newer) == own) {
                continue;
            }
            self.dynamo
                .client()
                .delete_item()
                .table_name(self.dynamo.table())
                .key("pk", key.clone())
                .send()
                .await
                .unwrap();
            let name = key.as_s().unwrap().clone();
            self.say(format!("{name} expires"));
            let number = (700 + self.foreign.len()).to_string();
            let mut record = json!({
                "eventID": number, "eventName": "REMOVE", "eventSource": "aws:dynamodb",
                "userIdentity": { "type": "Service", "principalId": "dynamodb.amazonaws.com" },
                "dynamodb": { "SequenceNumber": number, "Keys": { "pk": { "S": name } } },
            });
            if self.random.percent(50) {
                // As another kind of stream would report it.
                let image = serde_json::to_value(serde_dynamo::Item::from(item.clone())).unwrap();
                record["dynamodb"]["OldImage"] = image;
            }
            self.foreign.push(record);
            let kind = item["kind"].as_s().unwrap();
            if let ("enquiry" | "state", Some((_, reference))) = (&**kind, name.split_once('#')) {
                self.deleted.insert(reference.to_owned());
            }
            if kind == "enquiry" {
                let seen = self.seen[&name].clone();
                if is_pending_for_therapist(&seen) {
                    self.broken.push(format!(
                        "(b) {name} expired and was pending for the therapist"
                    ));
                }
                self.expired.push(seen);
            }
        }
    }

    /// A newer version of the function rewrites an enquiry, in a way that this one does not know.
    async fn rewrite(&mut self) {
        let enquiries = self.enquiries().await;
        if enquiries.is_empty() {
            return;
        }
        let key = self.random.pick(&enquiries)["pk"].as_s().unwrap();
        let key = key.replace("enquiry#", "state#");
        if !self.newer.iter().any(|(newer, _)| *newer == key) {
            // Its time may be up: then the table has deleted its state.
            if let Some(revision) = self.write_version(&key, 99).await {
                self.newer.push((key, revision));
            }
        }
    }

    /// The version that is rolled out now knows all of them.
    async fn catch_up(&mut self) {
        for (key, revision) in std::mem::take(&mut self.newer) {
            let found = self.write_version(&key, 1).await;
            let untouched: u64 = revision.parse().unwrap();
            if found.is_some_and(|found| found.parse::<u64>().unwrap() != untouched + 1) {
                self.broken.push(format!(
                    "(b) {key} was changed although its version is unknown"
                ));
            }
        }
    }

    /// Returns the revision after it; nothing when the table has deleted it meanwhile.
    async fn write_version(&mut self, key: &str, version: u32) -> Option<String> {
        self.say(format!("{key} is of version {version} now"));
        let written = self
            .dynamo
            .client()
            .update_item()
            .table_name(self.dynamo.table())
            .key("pk", AttributeValue::S(key.to_owned()))
            .update_expression("SET v = :v ADD revision :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":v", AttributeValue::N(version.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let item = written.ok()?.attributes?;
        Some(item["revision"].as_n().unwrap().clone())
    }

    /// An enquiry with a pending email to the therapist never expires.
    fn check_expiries(&mut self, items: &[Item]) {
        for item in items {
            if is_pending_for_therapist(item) && item.contains_key("expires") {
                let reference = item["reference"].as_s().unwrap();
                self.broken.push(format!(
                    "(b) {reference} expires while its email to the therapist is pending"
                ));
            }
        }
    }

    /// Every enquiry, its two items as one.
    pub async fn enquiries(&self) -> Vec<Item> {
        let mut items = joined(self.items().await);
        items.retain(|item| item["kind"].as_s().unwrap() == "enquiry");
        for item in &mut items {
            // The table has deleted its state first: it ended as it was seen last, and with its state went what was due (seed 3953).
            if !item.contains_key("deliveries")
                && let Some(seen) = self.seen.get(item["pk"].as_s().unwrap())
            {
                *item = seen.clone();
                item.remove("due");
            }
        }
        items
    }

    /// When an enquiry was stored; nothing when it went past the table.
    pub fn received_at(&self, reference: &str) -> Option<Timestamp> {
        let key = format!("enquiry#{reference}");
        let mut images = self
            .stream
            .iter()
            .map(|record| &record["dynamodb"]["NewImage"]);
        let image = images.find(|image| image["pk"]["S"] == key)?;
        image["received_at"]["S"].as_str()?.parse().ok()
    }

    /// For how many days this practice keeps an enquiry.
    pub fn retention_days(&self) -> u16 {
        self.practice.privacy.retention_days
    }

    fn event(&mut self) -> Event {
        let drawn = match self.random.below(10) {
            0..=2 => None,
            3..=5 => self.batch().map(Event::Stream),
            6 | 7 => Some(Event::Sweep),
            8 => self.feedback().map(Event::Feedback),
            _ => (!self.accepted.is_empty() && self.random.percent(40))
                .then(|| Event::Release(self.random.pick(&self.accepted).reference.clone())),
        };
        drawn.unwrap_or_else(|| Event::Post(self.random.below(self.forms.len() as u64) as usize))
    }

    async fn step(&mut self) {
        match self.random.below(11) {
            10 => self.return_after_a_day().await,
            0 | 1 => {
                let minutes =
                    *self
                        .random
                        .pick(&[1, 3, 11, 11, 90, 23 * 60, 23 * 60 + 55, 24 * 60, 25 * 60]);
                self.now += SignedDuration::from_mins(minutes);
                self.say(format!("{minutes} minutes later"));
                if self.random.percent(50) {
                    self.expire().await;
                }
            }
            2 => {
                let change = self.random.below(18);
                let client = *self.random.pick(&ADDRESSES);
                let therapist = self.therapist;
                let why = *self.random.pick(&Suppression::ALL);
                self.ses.mailbox().account(|account| match change {
                    0 => account.paused = true,
                    1 => account.max_24_hour_send = Some(0),
                    2 => account.identities.clear(),
                    3 => account.sandbox = true,
                    4 => account.suspended = true,
                    5 => account.mail_from_verified = false,
                    6 => account.allowed = false,
                    7 => account.configuration_sets.clear(),
                    8 | 9 => suppress(account, therapist, why),
                    10 => account.suppressed = [(client.to_owned(), why)].into(),
                    _ => *account = emulated::account(),
                });
                self.say(format!("the account changes ({change})"));
                if self.random.percent(15) {
                    // It stays so for hours, and ends by itself.
                    for _ in 0..3 {
                        self.now += SignedDuration::from_mins(150);
                        self.play(vec![Event::Sweep]).await;
                    }
                    self.ses
                        .mailbox()
                        .account(|account| *account = emulated::account());
                    self.say("the account is as it was");
                }
                if self.random.percent(25) {
                    self.rewrite().await;
                }
            }
            3 => {
                // A double click, on two instances.
                let form = self.random.below(self.forms.len() as u64) as usize;
                let times = self.random.between(2, INSTANCES as i64) as usize;
                self.play(vec![Event::Post(form); times]).await;
            }
            _ => {
                let times = *self.random.pick(&[1, 1, 1, 2, 2, 3]);
                let events = (0..times).map(|_| self.event());
                let mut events: Vec<Event> = events.collect();
                // People act at the same moment, or between.
                let act = self.act().map(Event::Act);
                if self.people_random.percent(50) {
                    events.extend(act);
                    self.play(events).await;
                } else {
                    self.play(events).await;
                    self.now += SignedDuration::from_secs(i64::from(act.is_some()));
                    self.play(act.into_iter().collect()).await;
                }
            }
        }
        self.now += SignedDuration::from_secs(self.random.between(1, 40));
    }

    /// A client writes again a little more than a day later, which is when the cool-down of what was decided then, and
    /// was not sent at once, still runs.
    async fn return_after_a_day(&mut self) {
        if self.accepted.is_empty() {
            return;
        }
        let place = self.random.below(self.accepted.len() as u64) as usize;
        let minutes = 24 * 60 + self.random.between(2, 30);
        let then = self.accepted[place].at + SignedDuration::from_mins(minutes);
        if then < self.now {
            return;
        }
        // What was pending until now may be sent only now.
        self.now = then.min(self.now + SignedDuration::from_mins(self.random.between(0, 25)));
        self.play(vec![Event::Sweep]).await;
        self.now = then;
        self.say("a day later");
        let form = self.random.below(self.forms.len() as u64) as usize;
        self.play(vec![Event::Post(form)]).await;
        if let Some(newest) = self.stream.last().cloned() {
            self.play(vec![Event::Stream(vec![newest])]).await;
        }
    }

    /// Something stays out of order for an hour. What is still pending then must have raised the template's alarms.
    async fn outage(&mut self) {
        let trouble = *self.random.pick(&[
            Trouble::Paused,
            Trouble::NoQuota,
            Trouble::Unverified,
            Trouble::Sandbox,
            Trouble::SesUnreachable,
            Trouble::SesFails,
            Trouble::SesTooBusy,
            Trouble::WordsRefused,
            Trouble::TableReadOnly,
            Trouble::Suppressed,
        ]);
        self.say(format!("an hour of {trouble:?}"));
        self.weather = Weather::Outage(match trouble {
            Trouble::SesUnreachable => Some((Calls::Emails, Fault::Unreached)),
            Trouble::SesFails => Some((Calls::Emails, Fault::ServerErrorBefore)),
            Trouble::SesTooBusy => Some((Calls::Emails, Fault::Throttled)),
            Trouble::WordsRefused => Some((Calls::Emails, Fault::Words)),
            Trouble::TableReadOnly => Some((Calls::Writes, Fault::Throttled)),
            _ => None,
        });
        let therapist = self.therapist;
        let why = *self.random.pick(&Suppression::ALL);
        self.ses.mailbox().account(|account| {
            *account = emulated::account();
            match trouble {
                Trouble::Suppressed => suppress(account, therapist, why),
                Trouble::Paused => account.paused = true,
                Trouble::NoQuota => account.max_24_hour_send = Some(0),
                Trouble::Unverified => account.identities.clear(),
                Trouble::Sandbox => account.sandbox = true,
                _ => {}
            }
        });
        let began = self.now;
        let is_due = |item: &Item| {
            let since = item.get("due").map(|since| since.as_s().unwrap());
            since.is_some_and(|since| since.parse::<Timestamp>().unwrap() <= began)
        };
        // What was put off for an hour, such as a notice about an auto-reply that may have left, is due for less long (seed 11990).
        let mut waiting = self.enquiries().await;
        waiting.retain(is_due);
        let before = self.lines.len();
        let mut ages = Vec::new();
        // A service that keeps a sweep waiting may leave it no time for all.
        let mut got_through = false;
        // A refusal that concerns the whole account ends a sweep; on a busy machine a sweep may hear none.
        let mut tried = false;
        for minutes in [36, 5, 5] {
            self.now += SignedDuration::from_mins(minutes);
            let from = self.lines.len();
            let answers = self.play(vec![Event::Sweep]).await;
            if let Some(Some(Ok(answer))) = answers.first()
                && answer["error"].is_null()
            {
                let number = |name: &str| answer[name].as_u64().unwrap();
                let heard = self
                    .ledger
                    .lock()
                    .unwrap()
                    .invocations
                    .last()
                    .unwrap()
                    .refusals;
                tried |= number("left") > 0 && heard > 0;
                got_through |= number("pending") == number("delivered") + number("left");
            }
            if trouble == Trouble::Suppressed {
                self.report_all(|email| !email.sent).await;
            }
            let lines = &self.lines[from..];
            ages.push(
                lines
                    .iter()
                    .find_map(|line| line["oldest_due_seconds"].as_u64()),
            );
        }
        let mut pending = self.enquiries().await;
        self.check_expiries(&pending);
        if trouble == Trouble::Suppressed {
            self.check_suppressed(&pending);
        }
        pending.retain(|item| {
            let has_waited = |waiting: &Item| waiting["pk"] == item["pk"];
            is_due(item) && waiting.iter().any(has_waited)
        });
        if pending.is_empty() {
            return;
        }
        // Three in a row are above half an hour, or missing, which counts as much (`OldestPendingAlarm`).
        if !ages.iter().all(|age| age.is_none_or(|age| age > 1_800)) {
            let pending = pending.len();
            self.broken.push(format!(
                "(b) {pending} stay pending, and the sweeps said {ages:?} of the oldest"
            ));
        }
        let raised = |code: &str, reference: Option<&str>| {
            self.lines[before..].iter().any(|line| {
                line["alarm"] == code
                    && reference.is_none_or(|reference| line["reference"] == reference)
            })
        };
        let mut missing = Vec::new();
        let (mut to_therapist, mut known) = (false, false);
        for item in &pending {
            let reference = item["reference"].as_s().unwrap();
            let is_newer = |(key, _): &(String, _)| key.ends_with(&format!("#{reference}"));
            if self.newer.iter().any(is_newer) {
                if got_through && !raised("record_parked", Some(reference)) {
                    missing.push(format!("record_parked of {reference}"));
                }
                continue;
            }
            known = true;
            to_therapist |= rules::state(item, "therapist") == Some("pending");
        }
        let expected = match trouble {
            Trouble::Paused | Trouble::NoQuota | Trouble::Unverified => {
                known.then_some("misconfigured")
            }
            Trouble::WordsRefused if got_through => to_therapist.then_some("email_refused"),
            _ => None,
        };
        let expected = expected.filter(|_| tried);
        missing.extend(
            expected
                .filter(|code| !raised(code, None))
                .map(str::to_owned),
        );
        for missing in missing {
            self.broken.push(format!(
                "(b) something stays pending without the alarm {missing}"
            ));
        }
    }

    /// Everything is working again: what is pending must now be done within a few sweeps.
    async fn settle(&mut self) {
        self.weather = Weather::Calm;
        self.ses
            .mailbox()
            .account(|account| *account = emulated::account());
        self.now += SignedDuration::from_mins(5);
        self.say("everything works again");
        self.catch_up().await;
        if self.awaits_erasure().await {
            self.now += SignedDuration::from_hours(24) + SignedDuration::from_mins(5);
            self.say("what was withdrawn is due");
        }
        // What SES did not send it reports sooner or later, or a person replays it from the failure queue; of what it sent, some
        // reports may never come.
        let all = self.random.percent(50);
        // What SES did not deliver goes again after an hour.
        for minutes in [2, 2, 62, 2, 62, 2] {
            let dropped = self.dropped();
            self.report_all(|email| all || !email.sent).await;
            self.now += SignedDuration::from_mins(minutes);
            let answers = self.play(vec![Event::Sweep]).await;
            if let Some(Some(Ok(answer))) = answers.first()
                && answer["pending"] == 0
                && !self.waits().await
                // A report may itself have sent an email that SES then drops.
                && self.dropped() == dropped
            {
                return;
            }
        }
        self.broken
            .push("(b) something is still pending after six sweeps".to_owned());
    }

    /// How many emails SES took and did not send.
    fn dropped(&self) -> usize {
        let emails = self.ses.mailbox().emails();
        emails.iter().filter(|email| !email.sent).count()
    }

    /// SES reports what it has not reported yet, of these emails, in any order.
    async fn report_all(&mut self, of: impl Fn(&Email) -> bool) {
        let mut missing = Vec::new();
        for email in self.ses.mailbox().emails() {
            // The destination of events asks for no `Send`.
            let notices = email.notices.iter().filter(|notice| notice.kind != "Send");
            for notice in notices.filter(|_| of(&email)) {
                let is_taken = |report: &Reported| {
                    report.message_id == email.message_id && report.event_type == notice.kind
                };
                if !self.reports.iter().any(is_taken) {
                    missing.push(notice.sns_event());
                }
            }
        }
        while !missing.is_empty() {
            let place = self.random.below(missing.len() as u64) as usize;
            self.play(vec![Event::Feedback(missing.swap_remove(place))])
                .await;
        }
    }

    /// What SES has dropped and reported is pending again, under an alarm of its own.
    fn check_suppressed(&mut self, items: &[Item]) {
        for item in items {
            let reference = item["reference"].as_s().unwrap();
            let emails = self.ses.mailbox().emails();
            let mut copies = emails.iter().filter(|email| {
                let tags = email.tags();
                tags["kind"] == "therapist" && tags["reference"] == reference
            });
            let all_returned = copies.clone().next().is_some()
                && copies.all(|email| !email.sent && self.returned.contains(&email.message_id));
            let is_newer = |(key, _): &(String, _)| key.ends_with(&format!("#{reference}"));
            if !all_returned || self.may_be_withdrawn(reference) || self.newer.iter().any(is_newer)
            {
                continue;
            }
            let state = rules::state(item, "therapist");
            let raised = self.lines.iter().any(|line| {
                line["alarm"] == "therapist_suppressed" && line["reference"] == *reference
            });
            if !raised || !matches!(state, Some("pending" | "sending")) {
                self.broken.push(format!(
                    "(b) SES dropped the email of {reference}, which is {state:?}; alarm: {raised}"
                ));
            }
        }
    }

    /// Whether something is due later.
    async fn waits(&self) -> bool {
        let mut items = self.items().await.into_iter();
        items.any(|item| item.contains_key("pending"))
    }
}

impl World {
    /// How many calls arrived, or what was broken and what had been done.
    async fn verdict(&mut self) -> Result<u64, String> {
        let mut broken = std::mem::take(&mut self.broken);
        broken.extend(rules::broken(self).await);
        if broken.is_empty() {
            return Ok(self.ledger.lock().unwrap().calls);
        }
        Err(format!(
            "{}\nseed {}, what was done:\n{}",
            broken.join("\n"),
            self.seed,
            self.log.join("\n")
        ))
    }
}

/// Plays the schedule of a seed. Returns how many calls arrived, or what was broken and what had been done.
pub async fn play(seed: u64) -> Result<u64, String> {
    let mut world = World::new(seed).await;
    for _ in 0..world.random.between(5, 12) {
        world.step().await;
    }
    if world.random.percent(30) {
        world.outage().await;
    }
    world.settle().await;
    world.verdict().await
}

/// What is stopped in the middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stopped {
    Post,
    Stream,
    Sweep,
    Report,
    Erasure,
}

/// One enquiry, and one invocation that dies at its `nth` call; afterwards everything works. Returns whether there was
/// such a call at all.
pub async fn crash(stopped: Stopped, nth: u32, moment: Moment) -> Result<bool, String> {
    let mut world = World::new(1).await;
    // A client whose auto-reply bounces: every kind of email is pending at some time.
    world.forms[0]["email"] = "bounce+ben@simulator.amazonses.com".into();
    world.variables.clear();
    world.weather = Weather::Calm;
    if stopped != Stopped::Post {
        world.play(vec![Event::Post(0)]).await;
    }
    if stopped == Stopped::Report {
        let batch = Event::Stream(world.stream.clone());
        world.play(vec![batch]).await;
    }
    if stopped == Stopped::Erasure {
        let reference = world.accepted[0].reference.clone();
        let batch = Event::Stream(world.stream.clone());
        let note = json!({ "command": "note", "reference": reference, "text": "Rang." });
        let block = json!({ "command": "block", "reference": reference });
        let acts = [
            Act::Command(note),
            Act::Command(block),
            Act::Mine(reference, "withdraw"),
        ];
        world.play(vec![batch]).await;
        for act in acts {
            world.play(vec![Event::Act(act)]).await;
        }
        world.now += SignedDuration::from_mins(5);
        world.play(vec![Event::Sweep]).await;
        world.now += SignedDuration::from_hours(25);
    }
    let event = match stopped {
        Stopped::Post => Event::Post(0),
        Stopped::Stream => Event::Stream(world.stream.clone()),
        Stopped::Sweep | Stopped::Erasure => Event::Sweep,
        Stopped::Report => {
            let emails = world.ses.mailbox().emails();
            let mut notices = emails.iter().flat_map(|email| &email.notices);
            let bounce = notices.find(|notice| notice.kind == "Bounce").unwrap();
            Event::Feedback(bounce.sns_event())
        }
    };
    world.weather = Weather::Crash(nth, moment);
    let answers = world.play(vec![event.clone()]).await;
    let died = answers[0].is_none();
    world.weather = Weather::Calm;
    world.now += SignedDuration::from_mins(3);
    // The caller tries again: a client, the event source, SNS, the timer.
    world.play(vec![event]).await;
    world.settle().await;
    world.verdict().await?;
    Ok(died)
}

/// One post whose calls to the table meet this fault until before the call of this number; afterwards everything works.
/// Returns the alarms that it raised, and why its auto-reply was withheld; nothing when it was sent.
pub async fn post_meets(fault: Fault, until: u32) -> Result<(Vec<String>, Option<String>), String> {
    let mut world = World::new(1).await;
    world.forms[0]["email"] = "ben@example.net".into();
    world.variables.clear();
    // The first call reads the practice.
    world.weather = Weather::Meets(Calls::Table(1, until.saturating_add(1)), fault);
    world.play(vec![Event::Post(0)]).await;
    if world.accepted.len() != 1 {
        return Err(format!("it was not accepted:\n{}", world.log.join("\n")));
    }
    let alarms = world.lines.iter().filter_map(|line| line["alarm"].as_str());
    let alarms = alarms.map(str::to_owned).collect();
    world.settle().await;
    world.verdict().await?;
    let items = world.enquiries().await;
    let reason = items.first().and_then(rules::reason);
    Ok((alarms, reason.map(str::to_owned)))
}

/// A form that was sent a day ago is sent again while the table lets itself be read and not written, and the
/// idempotency record of the first one has expired and is still there. Returns how many emails the therapist gets.
pub async fn late_repeat_meets_a_table_that_cannot_be_written() -> Result<usize, String> {
    let mut world = World::new(1).await;
    world.forms[0]["email"] = "ben@example.net".into();
    world.variables.clear();
    world.weather = Weather::Calm;
    world.play(vec![Event::Post(0), Event::Sweep]).await;
    world.settle().await;
    world.now += SignedDuration::from_hours(25);
    world.weather = Weather::Meets(Calls::Writes, Fault::Conflict);
    world.play(vec![Event::Post(0)]).await;
    world.settle().await;
    world.verdict().await?;
    let emails = world.ses.mailbox().emails();
    let to_therapist = emails
        .iter()
        .filter(|email| ["therapist", "fallback"].contains(&email.tags()["kind"]));
    Ok(to_therapist.count())
}

/// A batch of three of which the second meets a table that fails, and then once more from the second on. Returns which
/// record was reported at first, and how many emails there were after each.
pub async fn batch_with_a_failure() -> Result<(Value, usize, usize), String> {
    let mut world = World::new(1).await;
    world.variables.clear();
    for (form, address) in ["ada@example.org", "ben@example.net", "cas@example.net"]
        .iter()
        .enumerate()
    {
        world.forms[form]["email"] = (*address).into();
        world.weather = Weather::Calm;
        world.play(vec![Event::Post(form)]).await;
    }
    // Of the second: the booking and the lease, each with the SDK's own retries. Before them the practice, the last check, and for each what is known of its sender and whether anything
    // is marked.
    world.weather = Weather::Meets(Calls::Table(15, 21), Fault::ServerErrorBefore);
    let batch = Event::Stream(world.stream.clone());
    let mut answers = world.play(vec![batch]).await;
    let reported = answers.remove(0).unwrap()?;
    let before = world.ses.mailbox().emails().len();
    world.weather = Weather::Calm;
    let rest = Event::Stream(world.stream[1..].to_vec());
    world.play(vec![rest]).await;
    let after = world.ses.mailbox().emails().len();
    world.settle().await;
    world.verdict().await?;
    Ok((reported, before, after))
}

/// A form of the schedule: it stays the same, so that posting it again is a repeat.
fn form_of(form: usize, addresses: &[&str], random: &mut Random) -> Value {
    let mut post = json!({
        "name": NAMES[form],
        "email": random.pick(addresses),
        "goal": "treat",
        "consent": "yes",
    });
    if random.percent(50) {
        post["submission"] = format!("3f0c2f5e-6d0f-4b7e-9a53-0d3c9a4f6b1{form}").into();
    }
    if random.percent(10) {
        post["message"] = REJECTED.into();
    }
    if random.percent(10) {
        post["extra_detail"] = "cheap watches".into();
    }
    // The practice's own questions, and one that it asks no more.
    let own = [
        ("q_line", "Dr Example"),
        ("q_one", "swim"),
        ("q_several", "run"),
        ("q_old", "It began in spring."),
    ];
    for (name, answer) in own.into_iter().take(2 * form) {
        post[name] = answer.into();
    }
    post
}

/// Whether an email to the therapist is still to be sent.
fn is_pending_for_therapist(item: &Item) -> bool {
    let mut kinds = ["therapist", "notice"].iter();
    kinds.any(|kind| matches!(rules::state(item, kind), Some("pending" | "sending")))
}

/// The image that the stream carries of an enquiry, as it was when it was new.
pub fn as_it_was_new(item: Item) -> Value {
    let mut image = serde_json::to_value(serde_dynamo::Item::from(item)).unwrap();
    if let Some(image) = image.as_object_mut() {
        image.remove("expires");
    }
    image
}

/// The event that API Gateway makes of a post.
pub fn post_event(form: &Value) -> Value {
    let event = gateway::post("application/json", &form.to_string());
    gateway::from("192.0.2.44", gateway::at("desk.example.com", event))
}
