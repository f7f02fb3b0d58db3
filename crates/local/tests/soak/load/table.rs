//! Two tables, of which one holds a thousand times as much: what the desk asks of each, and how long it waits.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use aws_emulator::dynamodb::Dynamo;
use aws_emulator::meter::{Cost, Meter};
use aws_emulator::ses::Ses;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::clock::Clock;
use enquiry_desk::enquiry::{EmailAddress, Enquiry, Name, Received, Reference};
use enquiry_desk::mail_state::MailState;
use enquiry_desk::practice;
use enquiry_desk::record::{Mark, Marked, Origin, Record};
use enquiry_desk::spam::Score;
use enquiry_desk::store::{Accepted, NewEnquiry, Update};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::emulated::{self, Environment};
use testing::gateway;

/// How many the smaller table holds. The newest of the larger one are the same.
pub const FEW: u64 = 100;
/// How many of them wait for an answer.
const WAITING: u64 = 40;
/// How often each thing is done on each table; the first time is not counted.
const TIMES: u64 = 20;
/// How many enquiries are written at once.
const AT_ONCE: usize = 4;
/// How many are written until the engine is started anew: it keeps the tokens of ten minutes' transactions, and looks through all of
/// them for each transaction, which has nothing to do with the table.
const BEFORE_A_PAUSE: u64 = 5_000;

/// What is done to the enquiries that were prepared for it.
const EMAILS: &str = "its two emails leave";

const HOST: &str = "desk.example.com";

/// The function over a table in a file.
pub struct Table {
    dynamo: Dynamo,
    ses: Ses,
    desk: Arc<Environment>,
    meter: Arc<Meter>,
    now: Timestamp,
    cookies: Vec<String>,
    /// Enquiries as the stream brings them, whose emails have not left.
    streamed: OnceLock<Vec<Value>>,
}

/// What is done, on both.
struct Figures {
    what: &'static str,
    costs: [Cost; 2],
    /// In milliseconds.
    medians: [f64; 2],
}

impl Table {
    async fn open(file: &Path, now: Timestamp) -> Self {
        let dynamo = Dynamo::start(Some(file), &emulated::table())
            .await
            .expect("a table in a file");
        let ses = emulated::ses().await;
        let meter = Arc::new(Meter::default());
        let endpoints = emulated::endpoints(dynamo.endpoint(), ses.endpoint());
        let public = format!("https://{HOST}");
        let given = [("PUBLIC_URL", public.as_str())];
        let desk = emulated::app(&endpoints, &given, meter.client()).expect("good settings");
        Self {
            dynamo,
            ses,
            desk,
            meter,
            now,
            cookies: Vec::new(),
            streamed: OnceLock::new(),
        }
    }

    pub async fn close(self) {
        self.ses.stop().await;
        self.dynamo.stop().await;
    }

    /// A table with so many enquiries, written by the store's own code, as they are once their emails were delivered: the newest few of
    /// today, the others of the months before, which were answered.
    pub async fn filled(file: &Path, count: u64, now: Timestamp) -> Self {
        let mut next = 0;
        while next < count {
            let table = Self::open(file, now).await;
            let enquiry = table.enquiry().await;
            let end = count.min(next + BEFORE_A_PAUSE);
            let write = |number| {
                let (table, enquiry) = (&table, enquiry.clone());
                async move { table.write(number, count, enquiry).await }
            };
            let writes = stream::iter(next..end).map(write);
            writes.buffer_unordered(AT_ONCE).collect::<()>().await;
            next = end;
            if next == count {
                // What accepting leaves for a day has expired for all but the newest.
                table.dynamo.sweep().expect("the file can be written");
            }
            table.close().await;
        }
        Self::open(file, now).await
    }

    /// What a client typed, as the form's own checks leave it.
    async fn enquiry(&self) -> Enquiry {
        let reference = self.post(u64::MAX).await;
        let reference = Reference::parse(&reference).expect("a reference");
        let record = self.desk.store.load(&reference).await;
        let erase = json!({ "command": "erase", "reference": reference, "confirm": true });
        self.ask(erase).await;
        record
            .expect("a table")
            .expect("an enquiry")
            .received
            .enquiry
    }

    async fn write(&self, number: u64, count: u64, mut enquiry: Enquiry) {
        enquiry.name = Name::parse(&name(number)).expect("a name");
        enquiry.email = EmailAddress::parse(&address(number)).expect("an address");
        let at = self.now - age(number, count);
        let clock = Clock::new(at, at + SignedDuration::from_secs(29));
        let store = &self.desk.store;
        let practice = practice::compiled();
        let prefix = &practice.reference_prefix;
        let reference = store.generate_reference(prefix).expect("randomness");
        let mut received = Received::new(reference, clock.now(), enquiry, practice);
        let score = Score {
            signals: Vec::new(),
        };
        let new = NewEnquiry {
            key: store.idempotency_key(None, &received.enquiry),
            received: &received,
            score: score.clone(),
            prefix,
            source: None,
            nonce: None,
        };
        let accepted = store.accept(&new, &clock).await.expect("a table");
        let Accepted::New(reference) = accepted else {
            panic!("{accepted:?}");
        };
        // Among so many another one may have had it.
        received.reference = reference;
        let record = Record::new(received, &score);
        let delivered = |kind: &str| MailState::Delivered {
            message_id: format!("{number}-{kind}"),
            at,
        };
        let changed = |record: &mut Record| {
            let state = &mut record.state;
            state.deliveries.decided = true;
            state.deliveries.therapist = delivered("therapist");
            state.deliveries.auto_reply = delivered("reply");
            if number + WAITING < count {
                state.marked = Some(Marked {
                    mark: Mark::Answered,
                    before: Mark::Waiting,
                    at,
                    by: Origin::Desk,
                });
            }
            true
        };
        let updated = store.update(record, &clock, changed).await;
        let Ok(Update::Applied(record)) = updated else {
            panic!("{updated:?}");
        };
        store.complete(*record, &clock).await.expect("a table");
    }

    async fn post(&self, number: u64) -> String {
        let answer = self.ask(post(number)).await;
        let location = answer["headers"]["location"].as_str().expect("accepted");
        let (_, reference) = location.rsplit_once('=').expect("a reference");
        reference.to_owned()
    }

    /// Posts what the stream brings later.
    async fn prepare(&self) {
        let mut streamed = Vec::new();
        for number in 0..=TIMES {
            let reference = self.post(1_000_000 + number).await;
            let get = self.dynamo.client().get_item();
            let key = AttributeValue::S(format!("enquiry#{reference}"));
            let got = get.table_name(self.dynamo.table()).key("pk", key).send();
            let item = got.await.expect("a table").item.expect("an enquiry");
            let image = serde_json::to_value(serde_dynamo::Item::from(item)).expect("JSON");
            streamed.push(json!({ "Records": [{
                "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
                "dynamodb": { "SequenceNumber": "100", "NewImage": image },
            }] }));
        }
        self.streamed.set(streamed).expect("once");
    }

    async fn sign_in(&mut self) {
        let made = self.ask(json!({ "command": "sign-in" })).await;
        let form = format!("code={}", made["code"].as_str().expect("a code"));
        let code = form.replace(' ', "+");
        let answer = self.ask(request("POST", "/desk/code", &[], &code)).await;
        let set = answer["cookies"].as_array().expect("cookies");
        let pairs = set.iter().filter_map(|it| it.as_str()?.split(';').next());
        self.cookies = pairs.map(str::to_owned).collect();
    }

    fn page(&self, path: &str) -> Value {
        request("GET", path, &self.cookies, "")
    }

    async fn ask(&self, event: Value) -> Value {
        let now = self.now + SignedDuration::from_secs(1);
        let clock = Clock::new(now, now + SignedDuration::from_secs(29));
        let answer = self.desk.handle(event.clone(), &clock).await;
        let answer = answer.unwrap_or_else(|error| panic!("{event}: {error}"));
        let status = answer["statusCode"].as_u64().unwrap_or(200);
        assert!(status < 400, "{event}: {answer}");
        answer
    }

    /// One answer: what it asked of the table, and how long it took.
    async fn timed(&self, event: Value) -> (Cost, f64) {
        self.meter.take();
        let began = Instant::now();
        self.ask(event).await;
        let took = began.elapsed();
        (self.meter.take(), took.as_secs_f64() * 1e3)
    }
}

/// Does everything on both tables in turn and prints what it took; says what asks more of the larger one.
pub async fn compare(mut few: Table, mut many: Table, count: u64) -> Vec<String> {
    for table in [&mut few, &mut many] {
        table.sign_in().await;
    }
    let tables = [(&few, FEW), (&many, count)];
    let newest = |count: u64, back: u64| count - 1 - back;
    type Event<'a> = Box<dyn Fn(&Table, u64, u64) -> Value + 'a>;
    let command = |command: Value| -> Event<'_> { Box::new(move |_, _, _| command.clone()) };
    let page = |path: &'static str| -> Event<'_> { Box::new(move |table, _, _| table.page(path)) };
    let whole = |confirm: bool| -> Event<'_> {
        Box::new(move |_, count, time| {
            // Each erasure has an enquiry of its own.
            let email = address(newest(count, WAITING + time));
            json!({ "command": "erase", "email": email, "confirm": confirm })
        })
    };
    let things: [(&'static str, Event<'_>); 12] = [
        ("the desk: who waits", page("/desk")),
        ("the desk: the month", page("/desk/enquiries")),
        ("list", command(json!({ "command": "list", "limit": 50 }))),
        (
            "search by name, 20 found",
            command(json!({ "command": "list", "name": "zoe", "limit": 20 })),
        ),
        (
            "everything about an address",
            Box::new(
                move |_, count, time| json!({ "command": "export", "email": address(newest(count, time)) }),
            ),
        ),
        ("sweep, nothing due", command(json!({ "command": "sweep" }))),
        (
            "reminders, nothing due",
            command(json!({ "command": "remind" })),
        ),
        ("what an erasure would erase", whole(false)),
        ("an erasure", whole(true)),
        ("an enquiry is accepted", Box::new(|_, _, time| post(time))),
        (
            EMAILS,
            Box::new(|table, _, time| {
                table.streamed.get().expect("prepared")[time as usize].clone()
            }),
        ),
        ("the form", page("/")),
    ];
    println!(
        "{:30}{:>10}{:>8}{:>10}{:>8}{:>8}",
        "", "requests", "units", "ms", "ms", "ratio"
    );
    println!("{:48}{FEW:>10}{count:>8}", "enquiries in the table");
    let mut grown = Vec::new();
    for (what, event) in &things {
        if *what == EMAILS {
            many.prepare().await;
            few.prepare().await;
        }
        let mut costs = [Cost::default(); 2];
        let mut times = [Vec::new(), Vec::new()];
        for time in 0..=TIMES {
            for (at, (table, count)) in tables.iter().enumerate() {
                let (cost, took) = table.timed(event(table, *count, time)).await;
                if time == 0 {
                    continue;
                }
                times[at].push(took);
                // A reference is drawn again where another enquiry has it, of which there are more in a larger table.
                if cost.refused == 0 {
                    costs[at] = cost;
                }
            }
        }
        let figures = Figures {
            what,
            costs,
            medians: times.map(median),
        };
        figures.print();
        grown.extend(figures.grown());
    }
    few.close().await;
    many.close().await;
    grown
}

impl Figures {
    fn print(&self) {
        let [few, many] = self.medians;
        println!(
            "{:30}{:>10}{:>8}{few:>10.2}{many:>8.2}{:>8.2}",
            self.what,
            self.costs[1].requests,
            self.costs[1].units,
            many / few
        );
    }

    /// Time is the machine's, and the engine's; what is asked is the desk's.
    fn grown(&self) -> Option<String> {
        let [few, many] = self.costs;
        (few != many).then(|| format!("{}: {few:?} became {many:?}", self.what))
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The newest few are of the last hours, and the others of the eleven months before.
fn age(number: u64, count: u64) -> SignedDuration {
    const MONTHS: u64 = 330 * 24 * 3600;
    let back = count - number;
    let minutes = i64::try_from(5 * back.min(FEW)).expect("hours");
    let older = back.saturating_sub(FEW) * MONTHS / count.max(1);
    SignedDuration::from_mins(minutes)
        + SignedDuration::from_secs(i64::try_from(older).expect("months"))
}

fn name(number: u64) -> String {
    let name = if number.is_multiple_of(2) {
        "Zoë O'Brien"
    } else {
        "Ada Example"
    };
    format!("{name} {number}")
}

fn address(number: u64) -> String {
    format!("client.{number}@example.com")
}

fn post(number: u64) -> Value {
    let form = format!(
        "name=Zo%C3%AB+O%27Brien&email=new.{number}%40example.com&phone=07700+900982&area=neck&goal=treat&recent_injury=no&warmth=yes\
         &treatment=relaxing&message=It+aches+after+a+day+at+the+desk.&consent=yes"
    );
    request("POST", "/enquiries", &[], &form)
}

/// An event of the HTTP API.
fn request(method: &str, path: &str, cookies: &[String], body: &str) -> Value {
    let headers = json!({
        "accept": "text/html", "content-type": gateway::FORM, "host": HOST, "origin": format!("https://{HOST}"),
    });
    let mut event = gateway::at(HOST, gateway::request(method, path, &headers, body));
    event["cookies"] = cookies.into();
    event
}
