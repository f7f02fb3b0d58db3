//! The wire: the SDK's own HTTP client, over which requests and answers are lost, refused and late, and at which an
//! invocation can be stopped. It keeps the ledger of what truly arrived.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::{Headers, StatusCode};
use axum::body::Bytes;
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use super::random::Random;

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
struct Request {
    operation: Option<String>,
    body: Value,
}

impl Request {
    fn read(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target");
        Self {
            operation: target
                .and_then(|target| target.rsplit_once('.'))
                .map(|(_, operation)| operation.to_owned()),
            body: serde_json::from_slice(request.body().bytes().unwrap_or_default())
                .unwrap_or_default(),
        }
    }

    fn is_table(&self) -> bool {
        self.operation.is_some()
    }

    /// Every event but a client's begins with it.
    fn reads_the_practice(&self) -> bool {
        let key = self.body.pointer("/Key/pk/S").and_then(Value::as_str);
        key.is_some_and(|key| key.starts_with("practice"))
    }

    fn is_write(&self) -> bool {
        let reads = ["BatchGetItem", "GetItem", "Query"];
        self.operation
            .as_deref()
            .is_some_and(|operation| !reads.contains(&operation))
    }

    /// The index that is asked.
    fn index(&self) -> Option<&str> {
        self.body.get("IndexName")?.as_str()
    }

    /// The enquiry that a change is of.
    fn changed(&self) -> Option<&str> {
        // With a note, or a long story, it is the first write of a transaction.
        let item = match self.operation.as_deref()? {
            "PutItem" => "/Item/pk/S",
            "TransactWriteItems" => "/TransactItems/0/Put/Item/pk/S",
            _ => return None,
        };
        self.body.pointer(item)?.as_str()?.strip_prefix("state#")
    }

    fn tag(&self, name: &str) -> Option<&str> {
        let tags = self.body.get("EmailTags")?.as_array()?;
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
        http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Connector {
                wire: Arc::clone(&wire),
                plain: plain.http_connector(settings, components),
            })
        })
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

    async fn call(
        self: Arc<Self>,
        plain: SharedHttpConnector,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let read = Request::read(&request);
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
                request.set_uri("http://127.0.0.1:1/").unwrap();
            }
            Some(Fault::Words) => return Ok(refused()),
            Some(Fault::LostBefore) => return Err(lost()),
            Some(Fault::TimeoutBefore) => return Err(timeout()),
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
        let mut waiting = Waiting::new(&self, invocation, read.is_table());
        self.ledger.lock().unwrap().on_their_way += 1;
        tokio::spawn(async move {
            let answer = arrive(plain, request).await;
            if let Ok((status, _, body)) = &answer {
                let confirmed = confirmed && !sender.is_closed();
                wire.write_down(&read, status.is_success(), body, invocation, at, confirmed);
            }
            wire.ledger.lock().unwrap().on_their_way -= 1;
            let _ = sender.send(answer);
        });
        let answer = answered.await;
        waiting.over = true;
        let (status, headers, body) = answer.unwrap()?;
        match (crash, fault) {
            (Some(Moment::Arrived), _) => {
                self.die();
                return std::future::pending().await;
            }
            (_, Some(Fault::LostAfter)) => return Err(lost()),
            (_, Some(Fault::TimeoutAfter)) => return Err(timeout()),
            (_, Some(Fault::ServerErrorAfter)) => return Ok(server_error()),
            (Some(Moment::Answered), _) => self.die(),
            _ => {}
        }
        let body = match index.filter(|_| status.is_success()) {
            Some(index) => self.as_indexed(&index, &body, stale).into(),
            None => body.into(),
        };
        let mut answer = HttpResponse::new(status, body);
        *answer.headers_mut() = headers;
        // It may be another body now.
        answer.headers_mut().remove("content-length");
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

/// The real answer to a request.
async fn arrive(
    plain: SharedHttpConnector,
    request: HttpRequest,
) -> Result<(StatusCode, Headers, Bytes), ConnectorError> {
    let response = plain.call(request).await?;
    let status = response.status();
    let headers = response.headers().clone();
    let body = response.into_body().collect().await;
    Ok((
        status,
        headers,
        body.map_err(ConnectorError::io)?.to_bytes(),
    ))
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
    match request.operation.as_deref() {
        None => &[
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
        Some("TransactWriteItems") => &[
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
        Some("UpdateItem" | "PutItem" | "DeleteItem") => &[
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
        Some(_) => &[
            Fault::Unreached,
            Fault::LostAfter,
            Fault::TimeoutAfter,
            Fault::ServerErrorAfter,
            Fault::Throttled,
        ],
    }
}

#[derive(Debug)]
struct Connector {
    wire: Arc<Wire>,
    plain: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, plain) = (Arc::clone(&self.wire), self.plain.clone());
        HttpConnectorFuture::new(wire.call(plain, request))
    }
}

fn lost() -> ConnectorError {
    ConnectorError::io("connection reset".into())
}

fn timeout() -> ConnectorError {
    ConnectorError::timeout("no answer".into())
}

fn answer(status: u16, code: &str, body: &Value) -> HttpResponse {
    let mut answer = HttpResponse::new(status.try_into().unwrap(), body.to_string().into());
    answer
        .headers_mut()
        .insert("x-amzn-errortype", code.to_owned());
    answer
}

fn server_error() -> HttpResponse {
    answer(
        500,
        "InternalServerError",
        &json!({ "__type": "InternalServerError", "message": "Internal server error" }),
    )
}

fn throttled(table: bool) -> HttpResponse {
    if table {
        let code = "ProvisionedThroughputExceededException";
        answer(
            400,
            code,
            &json!({ "__type": code, "message": "The level of configured provisioned throughput for the table was exceeded." }),
        )
    } else {
        answer(
            429,
            "TooManyRequestsException",
            &json!({ "message": "Maximum sending rate exceeded." }),
        )
    }
}

fn refused() -> HttpResponse {
    let words = json!({ "message": "Message contains a virus." });
    answer(400, "MessageRejected", &words)
}

fn conflict(request: &Request) -> HttpResponse {
    if request.operation.as_deref() == Some("TransactWriteItems") {
        return cancelled("TransactionConflict");
    }
    let code = "TransactionConflictException";
    let message = "Transaction is ongoing for the item";
    answer(400, code, &json!({ "__type": code, "message": message }))
}

/// A transaction that was cancelled because of its last write.
fn cancelled(reason: &str) -> HttpResponse {
    let code = "TransactionCanceledException";
    let reasons = json!([{ "Code": "None" }, { "Code": "None" }, { "Code": reason }]);
    answer(
        400,
        code,
        &json!({ "__type": code, "Message": "Transaction cancelled", "CancellationReasons": reasons }),
    )
}
