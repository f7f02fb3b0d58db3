//! A proxy between the function and the embedded database. It injects faults: requests that are refused or get lost, and answers
//! that get lost after the database has done what it was asked for. And it says what protects the table, which the engine does
//! not know.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::server::{self, Line, Stop};
use crate::ses::Mailbox;
use crate::ses::account::TableProtection;
use crate::{StartError, aws};

/// DynamoDB takes requests of up to 16 MB, and its answers are no larger.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The faults that also happen at random. A timeout holds everything up, so it is the rarest.
const ANY: [Fault; 12] = [
    Fault::Throttled,
    Fault::Throttled,
    Fault::ServerErrorBefore,
    Fault::ServerErrorBefore,
    Fault::ServerErrorAfter,
    Fault::ServerErrorAfter,
    Fault::ResetBefore,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::ResetAfter,
    Fault::TimeoutBefore,
    Fault::TimeoutAfter,
];

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Refused because it came too fast; a transaction is cancelled because it met another one.
    Throttled,
    /// Answered with 500 and not carried out.
    ServerErrorBefore,
    /// Carried out, and answered with 500.
    ServerErrorAfter,
    /// No answer ever comes, and nothing was carried out.
    TimeoutBefore,
    /// No answer ever comes, and it was carried out.
    TimeoutAfter,
    /// The connection is reset, and nothing was carried out.
    ResetBefore,
    /// The connection is reset, and it was carried out.
    ResetAfter,
}

/// A proxy in front of the database that makes requests fail at random.
#[derive(Debug)]
pub struct FaultProxy {
    endpoint: String,
    stop: Stop,
}

#[derive(Debug)]
struct Shared {
    database: String,
    probability: f64,
    account: Mailbox,
    client: Client<HttpConnector, Body>,
    stopped: watch::Receiver<bool>,
}

impl FaultProxy {
    /// Listens on a free port of 127.0.0.1 and hands everything on to the database at `database`, except that a request
    /// meets a fault with this probability, from 0 to 1; and that the account says what protects the table.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(
        database: &str,
        probability: f64,
        account: Mailbox,
    ) -> Result<Self, StartError> {
        let no_port = |error: std::io::Error| {
            StartError::new(format!(
                "The proxy in front of the database found no free port on 127.0.0.1: {error}."
            ))
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(no_port)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(no_port)?);
        let (signal, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            database: database.to_owned(),
            probability,
            account,
            client: Client::builder(TokioExecutor::new()).build_http(),
            stopped: stopped.clone(),
        });
        let router = Router::new().fallback(carry).with_state(shared);
        let task = server::serve(listener, router, stopped);
        Ok(Self {
            endpoint,
            stop: Stop::new(signal, vec![task]),
        })
    }

    /// Where it listens, as `AWS_ENDPOINT_URL_DYNAMODB` wants it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Stops listening.
    pub async fn stop(self) {
        self.stop.stop().await;
    }
}

async fn carry(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return reset(&line);
    };
    let fault = aws::chance(shared.probability)
        .then(|| aws::one_of(&ANY))
        .flatten()
        .copied();
    match fault {
        Some(Fault::Throttled) => return refused(&parts, &body),
        Some(Fault::ServerErrorBefore) => return server_error(),
        Some(Fault::TimeoutBefore) => return never(&shared, &line).await,
        Some(Fault::ResetBefore) => return reset(&line),
        Some(Fault::ServerErrorAfter | Fault::TimeoutAfter | Fault::ResetAfter) | None => {}
    }
    let operation = operation(&parts).map(str::to_owned);
    let table = shared.account.account(|account| account.table);
    // A database that does not answer looks like a broken connection.
    let answered = match operation.as_deref().and_then(|it| described(it, table)) {
        Some(description) => Some(answer(&description)),
        None => ask(&shared, parts, body).await,
    };
    let answered = match (answered, operation.as_deref()) {
        (Some(response), Some("DescribeTable")) => Some(protected(response, table).await),
        (answered, _) => answered,
    };
    match (fault, answered) {
        (Some(Fault::ServerErrorAfter), _) => server_error(),
        (Some(Fault::TimeoutAfter), _) => never(&shared, &line).await,
        (Some(Fault::ResetAfter), _) | (_, None) => reset(&line),
        (_, Some(response)) => response,
    }
}

/// Asks the database and reads its whole answer, so that an answer can only be lost after the database has given it.
async fn ask(shared: &Shared, mut parts: Parts, body: Bytes) -> Option<Response> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("{}{path}", shared.database).parse::<Uri>().ok()?;
    for own in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        parts.headers.remove(own);
    }
    let request = Request::from_parts(parts, Body::from(body));
    let (mut parts, body) = shared.client.request(request).await.ok()?.into_parts();
    for own in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        parts.headers.remove(own);
    }
    let body = to_bytes(Body::new(body), MAX_BODY).await.ok()?;
    Some(Response::from_parts(parts, Body::from(body)))
}

/// The operation that is asked for.
fn operation(parts: &Parts) -> Option<&str> {
    let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
    target.rsplit('.').next()
}

/// What the account says about expiry and recovery; nothing for any other operation.
fn described(operation: &str, table: TableProtection) -> Option<Value> {
    let status = |on: bool| if on { "ENABLED" } else { "DISABLED" };
    match operation {
        "DescribeTimeToLive" => Some(json!({
            "TimeToLiveDescription": { "TimeToLiveStatus": status(table.expiry), "AttributeName": "expires" },
        })),
        "DescribeContinuousBackups" => Some(json!({
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status(table.recovery) },
            },
        })),
        _ => None,
    }
}

/// The engine's description of the table, with what protects it.
async fn protected(response: Response, table: TableProtection) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let mut description: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(members) = description.get_mut("Table").and_then(Value::as_object_mut) else {
        return Response::from_parts(parts, Body::from(body));
    };
    members.insert(
        "DeletionProtectionEnabled".to_owned(),
        table.deletion.into(),
    );
    if !table.stream {
        members.remove("StreamSpecification");
    }
    answer(&description)
}

fn answer(body: &Value) -> Response {
    Response::builder()
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amzn-requestid", aws::uuid())
        .body(Body::from(body.to_string()))
        .unwrap_or_default()
}

/// Too fast, in DynamoDB's words. A transaction meets another one instead, which the SDK does not try again by itself.
fn refused(parts: &Parts, body: &[u8]) -> Response {
    if operation(parts) != Some("TransactWriteItems") {
        let words = "The level of configured provisioned throughput for the table was exceeded.";
        return error(
            400,
            "ProvisionedThroughputExceededException",
            json!({ "message": words }),
        );
    }
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let items = request
        .get("TransactItems")
        .and_then(Value::as_array)
        .map_or(1, Vec::len);
    // The last one is where transactions meet that count something.
    let mut codes = vec!["None"; items.saturating_sub(1)];
    codes.push("TransactionConflict");
    let words = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let reasons: Vec<Value> = codes.iter().map(|code| json!({ "Code": code })).collect();
    error(
        400,
        "TransactionCanceledException",
        json!({ "Message": words, "CancellationReasons": reasons }),
    )
}

fn server_error() -> Response {
    error(
        500,
        "InternalServerError",
        json!({ "message": "The request processing has failed because of an unknown error." }),
    )
}

fn error(status: u16, code: &str, mut body: Value) -> Response {
    if let Value::Object(members) = &mut body {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
        members.insert("__type".to_owned(), kind.into());
    }
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amzn-requestid", aws::uuid())
        .body(Body::from(body.to_string()))
        .unwrap_or_default()
}

/// Never answers: the caller's own time limit ends this, or the end of the proxy.
async fn never(shared: &Shared, line: &Line) -> Response {
    let mut stopped = shared.stopped.clone();
    let _ = stopped.wait_for(|stop| *stop).await;
    reset(line)
}

fn reset(line: &Line) -> Response {
    line.cut();
    // Never written: the line is cut.
    Response::new(Body::empty())
}
