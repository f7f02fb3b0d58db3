//! The wire: the SDK's own HTTP client, over which requests and answers are lost, refused and late, and at which an
//! invocation can be stopped. It keeps the ledger of what truly arrived.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_emulator::wire::{self, Answer, Asked, Call};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use testing::random::Random;

/// The moment of a call at which the process dies.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// The request has not left.
    Before,
    /// It has arrived and was answered, and the answer is lost.
    Arrived,
    /// The answer has come, and nothing could be done about it.
    Answered,
}

/// What one invocation meets.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The invocation's number within its schedule.
    pub invocation: usize,
    /// What time it is for it.
    pub now: Timestamp,
    /// What time it is in truth: the clocks of machines do not agree.
    pub truly: Timestamp,
    /// How long it may run.
    pub time: Duration,
    /// Where its faults come from.
    pub random: Random,
    /// How many calls in a hundred meet a fault, at DynamoDB and at SES.
    pub faulty: (u64, u64),
    /// The calls to DynamoDB, counted from 0, that all meet a fault: an outage.
    pub outage: std::ops::Range<u32>,
    /// How many calls in a hundred are slow.
    pub slow: u64,
    /// How many answers of an index in a hundred are out of date.
    pub stale: u64,
    /// What each of a kind of calls meets, as long as an outage lasts.
    pub always: Option<(Calls, Fault)>,
    /// At which call, counted from 0, it dies.
    pub crash: Option<(u32, Moment)>,
}

/// A kind of calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Calls {
    /// Sends.
    Emails,
    /// Writes to the table.
    Writes,
    /// The calls to the table from this one to before that one, counted from 0.
    Table(u32, u32),
}

impl Plan {
    /// An invocation that nothing happens to.
    pub fn calm(invocation: usize, now: Timestamp) -> Self {
        Self {
            invocation,
            now,
            truly: now,
            time: Duration::from_secs(29),
            random: Random::new(0),
            faulty: (0, 0),
            outage: 0..0,
            slow: 0,
            stale: 0,
            always: None,
            crash: None,
        }
    }
}

/// What a send and the record of it take at the most, without what may pass between the look at the clock and the send.
const RECORDABLE: Duration = Duration::from_secs(7);

/// An email that SES took, as the wire saw it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Which invocation sent it.
    pub invocation: usize,
    /// When in truth, in the schedule's time.
    pub at: Timestamp,
    /// Whether SES's answer came back.
    pub confirmed: bool,
    /// Whether the same invocation then changed the enquiry.
    pub recorded: bool,
    reference: String,
}

/// What happened to one invocation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Happened {
    /// How many calls left it, but for the one that reads the practice.
    pub calls: u32,
    /// How many faults it met.
    pub faults: u32,
    /// How many of them at DynamoDB.
    pub table_faults: u32,
    /// How many refusals by SES came back.
    pub refusals: u32,
    /// Whether it died.
    pub crashed: bool,
}

/// What truly happened in a schedule.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Every email that SES took, by the id that SES gave it.
    pub sent: HashMap<String, Sent>,
    /// Every invocation.
    pub invocations: Vec<Happened>,
    /// How many calls there were.
    pub calls: u64,
    /// Calls that have left and were not answered yet.
    pub on_their_way: u32,
    /// Sends that were begun with too little time left, in words.
    pub too_late: Vec<String>,
    /// What the indexes answered before.
    answers: HashMap<String, Vec<Vec<Value>>>,
}

/// The wire of one instance of the function. An instance serves one invocation at a time, as in Lambda.
#[derive(Debug)]
pub struct Wire {
    under_way: Mutex<UnderWay>,
    died: Notify,
    ledger: Arc<Mutex<Ledger>>,
}

#[derive(Debug)]
struct UnderWay {
    plan: Plan,
    since: Instant,
    calls: u32,
    table_calls: u32,
    dead: bool,
}

/// What a call meets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// No connection comes about.
    Unreached,
    /// SES refuses an email for its words.
    Words,
    LostBefore,
    TimeoutBefore,
    ServerErrorBefore,
    Throttled,
    /// A transaction meets another write, or a write meets a transaction.
    Conflict,
    /// A transaction is cancelled because one of its writes was throttled.
    Cancelled,
    LostAfter,
    TimeoutAfter,
    ServerErrorAfter,
}

/// What a request is about, read before it leaves.
struct Request(Asked);

impl Request {
    fn is_table(&self) -> bool {
        self.0.service == "dynamodb"
    }

    /// Every event but a client's begins with it.
    fn reads_the_practice(&self) -> bool {
        let key = self.0.body.pointer("/Key/pk/S").and_then(Value::as_str);
        key.is_some_and(|key| key.starts_with("practice"))
    }

    fn is_write(&self) -> bool {
        let reads = ["BatchGetItem", "GetItem", "Query"];
        self.is_table() && !reads.contains(&self.0.operation.as_str())
    }

    /// The index that is asked.
    fn index(&self) -> Option<&str> {
        self.0.body.get("IndexName")?.as_str()
    }

    /// The enquiry that a change is of.
    fn changed(&self) -> Option<&str> {
        // With a note, or a long story, it is the first write of a transaction.
        let item = match self.0.operation.as_str() {
            "PutItem" => "/Item/pk/S",
            "TransactWriteItems" => "/TransactItems/0/Put/Item/pk/S",
            _ => return None,
        };
        self.0.body.pointer(item)?.as_str()?.strip_prefix("state#")
    }

    fn tag(&self, name: &str) -> Option<&str> {
        let tags = self.0.body.get("EmailTags")?.as_array()?;
        tags.iter().find(|tag| tag["Name"] == name)?["Value"].as_str()
    }
}

impl Wire {
    /// A wire on which nothing goes yet.
    pub fn new(ledger: Arc<Mutex<Ledger>>) -> Arc<Self> {
        Arc::new(Self {
            under_way: Mutex::new(UnderWay {
                plan: Plan::calm(0, Timestamp::UNIX_EPOCH),
                since: Instant::now(),
                calls: 0,
                table_calls: 0,
                dead: false,
            }),
            died: Notify::new(),
            ledger,
        })
    }

    /// The HTTP client of the instance, over the plain one.
    pub fn client(self: &Arc<Self>, plain: SharedHttpClient) -> SharedHttpClient {
        let wire = Arc::clone(self);
        wire::client(plain, move |call| Arc::clone(&wire).call(call))
    }

    /// Begins an invocation.
    pub fn begin(&self, plan: Plan) {
        *self.under_way.lock().unwrap() = UnderWay {
            plan,
            since: Instant::now(),
            calls: 0,
            table_calls: 0,
            dead: false,
        };
    }

    /// Resolves when the process dies.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// Whether it died during the last invocation, whatever came back.
    pub fn is_dead(&self) -> bool {
        self.under_way.lock().unwrap().dead
    }

    /// The process ends, at a call or because its time is up.
    pub fn die(&self) {
        let mut under_way = self.under_way.lock().unwrap();
        under_way.dead = true;
        self.happened(under_way.plan.invocation, |happened| {
            happened.crashed = true;
        });
        self.died.notify_one();
    }

    fn happened(&self, invocation: usize, what: impl FnOnce(&mut Happened)) {
        what(&mut self.ledger.lock().unwrap().invocations[invocation]);
    }

    /// What the next call meets.
    fn next(&self, request: &Request) -> Next {
        let mut under_way = self.under_way.lock().unwrap();
        let UnderWay {
            plan,
            since,
            calls,
            table_calls,
            dead,
        } = &mut *under_way;
        if *dead {
            return Next::Never;
        }
        let number = *calls;
        *calls += 1;
        let left = plan.time.saturating_sub(since.elapsed());
        if !request.is_table() && left < RECORDABLE {
            let words = format!("a send began {left:?} before the end");
            self.ledger.lock().unwrap().too_late.push(words);
        }
        let (outage, percent) = if request.is_table() {
            *table_calls += 1;
            (plan.outage.contains(&(*table_calls - 1)), plan.faulty.0)
        } else {
            (false, plan.faulty.1)
        };
        let faulty = plan.random.percent(percent) || outage;
        let fault = faulty.then(|| *plan.random.pick(faults_of(request)));
        let always = plan.always.and_then(|(calls, fault)| {
            let meets = match calls {
                Calls::Emails => !request.is_table(),
                Calls::Writes => request.is_write(),
                Calls::Table(from, to) => {
                    request.is_table() && (from..to).contains(&(*table_calls - 1))
                }
            };
            meets.then_some(fault)
        });
        let fault = always.or(fault);
        let slow = plan.random.percent(plan.slow);
        self.happened(plan.invocation, |happened| {
            happened.calls += u32::from(!request.reads_the_practice());
            happened.faults += u32::from(fault.is_some() || slow);
            happened.table_faults += u32::from(fault.is_some() && request.is_table());
        });
        let stale = request.index().is_some() && plan.random.percent(plan.stale);
        Next::Call {
            invocation: plan.invocation,
            at: plan.truly,
            fault,
            slow: slow.then(|| Duration::from_millis(20 + plan.random.below(230))),
            stale: stale.then(|| plan.random.fork()),
            crash: plan
                .crash
                .filter(|(nth, _)| *nth == number)
                .map(|(_, moment)| moment),
        }
    }

    async fn call(self: Arc<Self>, mut call: Call) -> Answer {
        let read = Request(call.asked.clone());
        let Next::Call {
            invocation,
            at,
            fault,
            slow,
            stale,
            crash,
        } = self.next(&read)
        else {
            return std::future::pending().await;
        };
        if matches!(crash, Some(Moment::Before)) {
            self.die();
            return std::future::pending().await;
        }
        if let Some(pause) = slow {
            tokio::time::sleep(pause).await;
        }
        match fault {
            Some(Fault::Unreached) => {
                // The HTTP client's own error, as when no server listens.
                call.request.set_uri("http://127.0.0.1:1/").unwrap();
            }
            Some(Fault::Words) => {
                self.happened(invocation, |happened| happened.refusals += 1);
                return Ok(refused());
            }
            Some(Fault::LostBefore) => return Err(wire::lost()),
            Some(Fault::TimeoutBefore) => return Err(wire::timeout()),
            Some(Fault::ServerErrorBefore) => return Ok(server_error()),
            Some(Fault::Throttled) => return Ok(throttled(read.is_table())),
            Some(Fault::Conflict) => return Ok(conflict(&read)),
            Some(Fault::Cancelled) => return Ok(cancelled("ThrottlingError")),
            _ => {}
        }
        // What has left arrives even when the caller dies, and the ledger records it.
        let (sender, answered) = oneshot::channel();
        let confirmed = fault.is_none() && !matches!(crash, Some(Moment::Arrived));
        let wire = Arc::clone(&self);
        let index = read.index().map(str::to_owned);
        let is_table = read.is_table();
        let mut waiting = Waiting::new(&self, invocation, is_table);
        self.ledger.lock().unwrap().on_their_way += 1;
        tokio::spawn(async move {
            let answer = arrive(call).await;
            if let Ok((answer, body)) = &answer {
                let confirmed = confirmed && !sender.is_closed();
                let success = answer.status().is_success();
                wire.write_down(&read, success, body, invocation, at, confirmed);
            }
            wire.ledger.lock().unwrap().on_their_way -= 1;
            let _ = sender.send(answer);
        });
        let answer = answered.await;
        waiting.over = true;
        let (mut answer, body) = answer.unwrap()?;
        match (crash, fault) {
            (Some(Moment::Arrived), _) => {
                self.die();
                return std::future::pending().await;
            }
            (_, Some(Fault::LostAfter)) => return Err(wire::lost()),
            (_, Some(Fault::TimeoutAfter)) => return Err(wire::timeout()),
            (_, Some(Fault::ServerErrorAfter)) => return Ok(server_error()),
            (Some(Moment::Answered), _) => self.die(),
            _ => {}
        }
        if !is_table && answer.status().is_client_error() {
            self.happened(invocation, |happened| happened.refusals += 1);
        }
        if let Some(index) = index.filter(|_| answer.status().is_success()) {
            *answer.body_mut() = self.as_indexed(&index, &body, stale).into();
            answer.headers_mut().remove("content-length");
        }
        Ok(answer)
    }

    /// What an index answers. It follows the table a little later: an answer may be an old one, lack what is new, and
    /// still name what is no more.
    fn as_indexed(&self, index: &str, answer: &[u8], stale: Option<Random>) -> String {
        let mut answer: Value = serde_json::from_slice(answer).unwrap();
        let now = answer["Items"].as_array().unwrap().clone();
        let mut ledger = self.ledger.lock().unwrap();
        let before = ledger.answers.entry(index.to_owned()).or_default();
        if let Some(mut random) = stale {
            let mut items = now.clone();
            let old = before
                .get(random.below(before.len().max(1) as u64) as usize)
                .cloned()
                .unwrap_or_default();
            match random.below(3) {
                0 => items = old,
                1 => items.retain(|_| random.percent(50)),
                _ => items.extend(old),
            }
            answer["Count"] = items.len().into();
            answer["ScannedCount"] = items.len().into();
            answer["Items"] = items.into();
        }
        before.push(now);
        answer.to_string()
    }

    fn write_down(
        &self,
        request: &Request,
        success: bool,
        answer: &[u8],
        invocation: usize,
        at: Timestamp,
        confirmed: bool,
    ) {
        let mut ledger = self.ledger.lock().unwrap();
        ledger.calls += 1;
        if !success {
            return;
        }
        if let Some(changed) = request.changed() {
            for sent in ledger.sent.values_mut() {
                if sent.invocation == invocation && sent.reference == changed {
                    sent.recorded = true;
                }
            }
        }
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        if let Some(id) = answer["MessageId"].as_str() {
            // An email of its own is about no enquiry.
            let reference = request.tag("reference").unwrap_or_default();
            let sent = Sent {
                invocation,
                at,
                confirmed,
                recorded: false,
                reference: reference.to_owned(),
            };
            ledger.sent.insert(id.to_owned(), sent);
        }
    }
}

/// The real answer to a request, with what it says.
async fn arrive(call: Call) -> Result<(HttpResponse, Bytes), ConnectorError> {
    let mut answer = call.send().await?;
    let body = wire::read(&mut answer).await?;
    Ok((answer, body))
}

/// A call that a caller waits for. When the caller stops waiting because the machine is too slow, that is a fault like any
/// other.
struct Waiting {
    wire: Arc<Wire>,
    invocation: usize,
    is_table: bool,
    over: bool,
}

impl Waiting {
    fn new(wire: &Arc<Wire>, invocation: usize, is_table: bool) -> Self {
        Self {
            wire: Arc::clone(wire),
            invocation,
            is_table,
            over: false,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.over {
            self.wire.happened(self.invocation, |happened| {
                happened.faults += 1;
                happened.table_faults += u32::from(self.is_table);
            });
        }
    }
}

enum Next {
    /// The process is dead already.
    Never,
    Call {
        invocation: usize,
        at: Timestamp,
        fault: Option<Fault>,
        slow: Option<Duration>,
        stale: Option<Random>,
        crash: Option<Moment>,
    },
}

/// What may happen to this call.
fn faults_of(request: &Request) -> &'static [Fault] {
    match request.0.operation.as_str() {
        _ if !request.is_table() => &[
            Fault::Unreached,
            Fault::Words,
            Fault::LostBefore,
            Fault::TimeoutBefore,
            Fault::ServerErrorBefore,
            Fault::Throttled,
            Fault::LostAfter,
            Fault::LostAfter,
            Fault::TimeoutAfter,
            Fault::ServerErrorAfter,
        ],
        "TransactWriteItems" => &[
            Fault::Unreached,
            Fault::LostBefore,
            Fault::TimeoutBefore,
            Fault::ServerErrorBefore,
            Fault::Throttled,
            Fault::Conflict,
            Fault::Conflict,
            Fault::Cancelled,
            Fault::LostAfter,
            Fault::TimeoutAfter,
            Fault::ServerErrorAfter,
        ],
        "UpdateItem" | "PutItem" | "DeleteItem" => &[
            Fault::Unreached,
            Fault::LostBefore,
            Fault::TimeoutBefore,
            Fault::ServerErrorBefore,
            Fault::Throttled,
            Fault::Conflict,
            Fault::LostAfter,
            Fault::LostAfter,
            Fault::TimeoutAfter,
            Fault::ServerErrorAfter,
        ],
        _ => &[
            Fault::Unreached,
            Fault::LostAfter,
            Fault::TimeoutAfter,
            Fault::ServerErrorAfter,
            Fault::Throttled,
        ],
    }
}

fn server_error() -> HttpResponse {
    wire::error(500, "InternalServerError", &json!({}))
}

fn throttled(table: bool) -> HttpResponse {
    if table {
        return wire::error(400, "ProvisionedThroughputExceededException", &json!({}));
    }
    // SES tells its two limits apart by the message.
    let rate = json!({ "message": "Maximum sending rate exceeded." });
    wire::error(429, "TooManyRequestsException", &rate)
}

fn refused() -> HttpResponse {
    let words = json!({ "message": "Message contains a virus." });
    wire::error(400, "MessageRejected", &words)
}

fn conflict(request: &Request) -> HttpResponse {
    if request.0.operation == "TransactWriteItems" {
        return cancelled("TransactionConflict");
    }
    wire::error(400, "TransactionConflictException", &json!({}))
}

/// A transaction that was cancelled because of its last write.
fn cancelled(reason: &str) -> HttpResponse {
    let reasons = json!([{ "Code": "None" }, { "Code": "None" }, { "Code": reason }]);
    let reasons = json!({ "CancellationReasons": reasons });
    wire::error(400, "TransactionCanceledException", &reasons)
}
