//! How soon the deployed function answers, and what it takes: `cargo bench --bench cold_start`.
//!
//! The release binary and an empty `lambda_runtime` function are started in turn, in the same run, against a Runtime
//! API and backends that answer at once, so that what is left is the function's own time. The figures are this
//! machine's; the ratio of the two is what can be compared. A missed bar is printed and does not fail
//! the benchmark; an enquiry that is not accepted or an email that does not leave does.
//!
//! Arguments: `--rounds N` (cold starts of each, 40), `--warm N` (warm invocations of each, 1000), and `--ours PATH`
//! and `--empty PATH` for binaries that are built already.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark stops at whatever does not work"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// The bars: `docs/decisions` and the README quote them.
const RATIO: f64 = 3.0;
const MEMORY_MIB: f64 = 12.0;
const BINARY_MB: f64 = 8.5;
const ZIP_MB: f64 = 3.8;

/// A function that has not answered by then does not work.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let options = Options::read();
    let events = Events::read();
    let sent = Arc::new(AtomicUsize::new(0));
    let backend = serve(backend(Arc::clone(&sent))).await;
    let ours = options.ours.unwrap_or_else(|| build("enquiry-desk"));
    let empty = options.empty.unwrap_or_else(|| build("empty-function"));

    let (mut ours_cold, mut empty_cold) = (Vec::new(), Vec::new());
    // The first round of each warms the disk's cache and is not counted.
    for round in 0..=options.rounds {
        let (our, its) = (
            cold(&ours, backend, &events).await,
            cold(&empty, backend, &events).await,
        );
        if round > 0 {
            ours_cold.push(our);
            empty_cold.push(its);
        }
    }
    let before = sent.load(Ordering::Relaxed);
    let ours_warm = warm(&ours, backend, &events, options.warm).await;
    assert_eq!(
        sent.load(Ordering::Relaxed) - before,
        2,
        "a new enquiry in the stream sends two emails"
    );
    let empty_warm = warm(&empty, backend, &events, options.warm).await;

    println!("{}", machine());
    println!(
        "{} cold starts and {} warm invocations of each, in turn\n",
        options.rounds, options.warm
    );
    println!(
        "{:40}{:>22}{:>22}{:>8}",
        "", "enquiry-desk", "empty", "ratio"
    );
    let answer = row(
        "spawn to first answer, median, ms",
        &ours_cold,
        &empty_cold,
        |c| c.answered,
    );
    row("  until it asks for work", &ours_cold, &empty_cold, |c| {
        c.ready
    });
    row(
        "  from the event to the answer",
        &ours_cold,
        &empty_cold,
        |c| c.answered - c.ready,
    );
    let figures = |name, ours: f64, empty: f64| {
        println!("{name:40}{ours:>22.2}{empty:>22.2}{:>8.2}", ours / empty);
    };
    let first = |cold: &[Cold]| median(cold.iter().map(|c| c.memory));
    figures(
        "peak memory, first answer, MiB",
        first(&ours_cold),
        first(&empty_cold),
    );
    figures(
        "peak memory, warm and both emails, MiB",
        ours_warm.memory,
        empty_warm.memory,
    );
    figures("CPU per warm invocation, ms", ours_warm.cpu, empty_warm.cpu);
    let (our_size, our_zip) = sizes(&ours);
    let (its_size, its_zip) = sizes(&empty);
    figures("binary, MB", our_size, its_size);
    figures("binary zipped, MB", our_zip, its_zip);
    println!();
    bar(
        "first answer",
        answer,
        RATIO,
        "times the empty function's; the aim is 2",
    );
    bar(
        "peak memory",
        first(&ours_cold).max(ours_warm.memory),
        MEMORY_MIB,
        "MiB",
    );
    bar("binary", our_size, BINARY_MB, "MB");
    bar("zipped", our_zip, ZIP_MB, "MB");
}

struct Options {
    rounds: usize,
    warm: usize,
    ours: Option<PathBuf>,
    empty: Option<PathBuf>,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            rounds: 40,
            warm: 1000,
            ours: None,
            empty: None,
        };
        let mut arguments = std::env::args_os().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().expect("every option takes a value");
            let number = |value: OsString| {
                value
                    .to_str()
                    .and_then(|n| n.parse().ok())
                    .filter(|n| *n > 0)
                    .expect("a number")
            };
            match name.to_str() {
                // What cargo itself says to every benchmark.
                Some("--bench") => {}
                Some("--rounds") => options.rounds = number(value()),
                Some("--warm") => options.warm = number(value()),
                Some("--ours") => options.ours = Some(value().into()),
                Some("--empty") => options.empty = Some(value().into()),
                _ => panic!("the options are --rounds N, --warm N, --ours PATH and --empty PATH"),
            }
        }
        options
    }
}

/// The events of the functions: the files that the tests read and that `cargo lambda invoke` sends.
struct Events {
    form: Bytes,
    stream: Bytes,
}

impl Events {
    fn read() -> Self {
        let read = |name| -> Bytes {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("events")
                .join(name);
            std::fs::read(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                .into()
        };
        // The enquiry is of today: an auto-reply whose promise has passed is withheld.
        let mut stream: Value =
            serde_json::from_slice(&read("stream-insert.json")).expect("an event in JSON");
        let now = jiff::Timestamp::now();
        let tomorrow = now + jiff::SignedDuration::from_hours(24);
        for (name, at) in [("received_at", now), ("promised_by", tomorrow)] {
            let stored = stream
                .pointer_mut(&format!("/Records/0/dynamodb/NewImage/{name}/S"))
                .unwrap();
            *stored = at.to_string().into();
        }
        Self {
            form: read("http-form.json"),
            stream: stream.to_string().into(),
        }
    }
}

/// Builds the binary of one package as it is deployed. Each has a build of its own, so that no feature of the other, nor
/// of the tests, gets into it.
fn build(package: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build",
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
        ])
        .args(["--package", package, "--bin", package])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo build of {package} failed");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names what it built")
}

/// One cold start; times in milliseconds from the spawn, memory in MiB.
struct Cold {
    ready: f64,
    answered: f64,
    memory: f64,
}

async fn cold(binary: &Path, backend: u16, events: &Events) -> Cold {
    let mut function = Function::start(binary, backend).await;
    let answered = function.accepted(&events.form).await;
    let ready = function
        .asked
        .recv()
        .await
        .expect("it asked before it answered");
    let cold = Cold {
        ready: millis(ready - function.spawned),
        answered: millis(answered - function.spawned),
        memory: function.memory(),
    };
    function.stop().await;
    cold
}

/// What a function that is already running takes: CPU in milliseconds for each invocation, memory in MiB.
struct Warm {
    cpu: f64,
    memory: f64,
}

async fn warm(binary: &Path, backend: u16, events: &Events, invocations: usize) -> Warm {
    let mut function = Function::start(binary, backend).await;
    for _ in 0..20 {
        function.accepted(&events.form).await;
    }
    let before = function.cpu();
    for _ in 0..invocations {
        function.accepted(&events.form).await;
    }
    let cpu = (function.cpu() - before) / invocations as f64;
    function.invoke(&events.stream).await;
    let warm = Warm {
        cpu,
        memory: function.memory(),
    };
    function.stop().await;
    warm
}

/// A running function, and the Runtime API that it was started with.
struct Function {
    process: Child,
    spawned: Instant,
    work: mpsc::Sender<Bytes>,
    asked: mpsc::Receiver<Instant>,
    answers: mpsc::Receiver<(Instant, Result<Bytes, Bytes>)>,
}

impl Function {
    async fn start(binary: &Path, backend: u16) -> Self {
        let (work, next) = mpsc::channel(1);
        let (asks, asked) = mpsc::channel(1);
        let (answer, answers) = mpsc::channel(1);
        let api = serve(runtime_api(Exchange {
            next: Arc::new(Mutex::new(next)),
            asks,
            answer,
        }))
        .await;
        let endpoint = format!("http://127.0.0.1:{backend}");
        let mut command = tokio::process::Command::new(binary);
        // Nothing of this machine's environment: the names are Lambda's, and the template's.
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{api}"))
            .env("AWS_LAMBDA_FUNCTION_NAME", "enquiry-desk")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "example")
            .env("AWS_SECRET_ACCESS_KEY", "example")
            .env("AWS_SESSION_TOKEN", "example")
            .env("AWS_ENDPOINT_URL_DYNAMODB", &endpoint)
            .env("AWS_ENDPOINT_URL_SESV2", &endpoint)
            .env("TABLE_NAME", "enquiries")
            .env("THERAPIST_EMAIL", "therapist@example.com")
            .env("SENDER_EMAIL", "desk@example.com")
            .env("ALLOWED_ORIGINS", "https://www.example.com")
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &endpoint)
            .env("SECRET_ID", "secret")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let spawned = Instant::now();
        let process = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        Self {
            process,
            spawned,
            work,
            asked,
            answers,
        }
    }

    /// Hands over an event, and waits for the answer and when it came.
    async fn invoke(&mut self, event: &Bytes) -> (Instant, Bytes) {
        self.work
            .send(event.clone())
            .await
            .expect("the Runtime API runs");
        let (at, answer) = timeout(PATIENCE, self.answers.recv())
            .await
            .expect("the function answers in time")
            .expect("the Runtime API runs");
        match answer {
            Ok(answer) => (at, answer),
            Err(error) => panic!("the function failed: {}", String::from_utf8_lossy(&error)),
        }
    }

    /// Hands over an enquiry that must be accepted.
    async fn accepted(&mut self, event: &Bytes) -> Instant {
        let (at, answer) = self.invoke(event).await;
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        assert!(
            matches!(answer["statusCode"].as_u64(), Some(201 | 303)),
            "the enquiry was not accepted: {answer}"
        );
        at
    }

    fn proc(&self, file: &str) -> String {
        let id = self.process.id().expect("it runs");
        std::fs::read_to_string(format!("/proc/{id}/{file}")).expect("Linux's /proc")
    }

    /// The most memory that was ever resident (`VmHWM`), in MiB.
    fn memory(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: f64 = line
            .and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok())
            .expect("VmHWM in kB");
        kib / 1024.0
    }

    /// CPU time of all threads so far (`utime` and `stime`, fields 14 and 15 of proc_pid_stat(5)), in milliseconds.
    fn cpu(&self) -> f64 {
        let stat = self.proc("stat");
        // The second field is a name in brackets, which may hold spaces.
        let (_, fields) = stat.rsplit_once(") ").expect("the name in brackets");
        let ticks = fields
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<f64>().expect("ticks"));
        // Linux shows ticks of a hundredth of a second on every architecture that Lambda has.
        ticks.sum::<f64>() * 10.0
    }

    async fn stop(mut self) {
        self.process.kill().await.expect("it ran until now");
    }
}

/// Between the benchmark and the Runtime API.
#[derive(Clone)]
struct Exchange {
    next: Arc<Mutex<mpsc::Receiver<Bytes>>>,
    asks: mpsc::Sender<Instant>,
    answer: mpsc::Sender<(Instant, Result<Bytes, Bytes>)>,
}

/// The Runtime API, as "Using the Lambda runtime API for custom runtimes" describes it.
fn runtime_api(exchange: Exchange) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/{outcome}",
            post(outcome),
        )
        .with_state(exchange)
}

async fn next(State(exchange): State<Exchange>) -> Response {
    // Only the first request is of interest, and waits to be read.
    let _ = exchange.asks.try_send(Instant::now());
    let Some(event) = exchange.next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970");
    (
        [
            (
                "lambda-runtime-aws-request-id",
                "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
            ),
            (
                "lambda-runtime-deadline-ms",
                (now + Duration::from_secs(60)).as_millis().to_string(),
            ),
            (
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:eu-west-2:123456789012:function:enquiry-desk".to_owned(),
            ),
            ("content-type", "application/json".to_owned()),
        ],
        event,
    )
        .into_response()
}

async fn outcome(
    State(exchange): State<Exchange>,
    UrlPath((_, outcome)): UrlPath<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let at = Instant::now();
    let answer = if outcome == "response" {
        Ok(body)
    } else {
        Err(body)
    };
    match exchange.answer.send((at, answer)).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}

/// DynamoDB, SES and Secrets Manager, which accept everything: `sent` counts the emails.
fn backend(sent: Arc<AtomicUsize>) -> Router {
    let send = async move || {
        sent.fetch_add(1, Ordering::Relaxed);
        (
            [(header::CONTENT_TYPE, "application/json")],
            r#"{"MessageId":"0"}"#,
        )
    };
    let dynamodb = async |headers: HeaderMap| {
        let operation = headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok());
        let answer = match operation {
            Some("DynamoDB_20120810.Query") => r#"{"Items":[],"Count":0,"ScannedCount":0}"#,
            Some(
                "DynamoDB_20120810.TransactWriteItems"
                | "DynamoDB_20120810.UpdateItem"
                | "DynamoDB_20120810.PutItem",
            ) => "{}",
            Some("secretsmanager.GetSecretValue") => {
                r#"{"SecretString":"0123456789abcdef0123456789abcdef"}"#
            }
            other => panic!("{other:?} has no answer here"),
        };
        (
            [(header::CONTENT_TYPE, "application/x-amz-json-1.0")],
            answer,
        )
    };
    Router::new()
        .route("/v2/email/outbound-emails", post(send))
        .route("/", any(dynamodb))
}

/// Serves on a free port of this machine until the benchmark ends.
async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// The size of the file and of a zip with it, in MB of a million bytes. The zip is made as deployment tools make it.
fn sizes(binary: &Path) -> (f64, f64) {
    let zip = std::env::temp_dir().join(format!("cold-start-{}.zip", std::process::id()));
    let made = Command::new("python3")
        .args(["-m", "zipfile", "-c"])
        .args([&zip, binary])
        .status()
        .is_ok_and(|status| status.success());
    assert!(made, "python3, which makes the zip, is not here or failed");
    let megabytes = |path: &Path| std::fs::metadata(path).expect("the file").len() as f64 / 1e6;
    let sizes = (megabytes(binary), megabytes(&zip));
    std::fs::remove_file(&zip).expect("our own file");
    sizes
}

/// One line of times with their spread, the middle half of the rounds; gives the ratio of the medians.
fn row(name: &str, ours: &[Cold], empty: &[Cold], figure: impl Fn(&Cold) -> f64) -> f64 {
    let shown = |cold: &[Cold]| {
        let mut times: Vec<f64> = cold.iter().map(&figure).collect();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        let middle = median(times.iter().copied());
        (
            middle,
            format!("{middle:.2} ({:.1}–{:.1})", at(0.25), at(0.75)),
        )
    };
    let ((our, ours), (its, empty)) = (shown(ours), shown(empty));
    println!("{name:40}{ours:>22}{empty:>22}{:>8.2}", our / its);
    our / its
}

fn bar(name: &str, figure: f64, bar: f64, unit: &str) {
    let verdict = if figure <= bar { "within" } else { "beyond" };
    println!("{verdict} {bar} {unit}: {name} {figure:.2}");
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len().is_multiple_of(2) {
        f64::midpoint(figures[middle - 1], figures[middle])
    } else {
        figures[middle]
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("unknown CPU", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{model}, {cores} cores, Linux {}, {}",
        kernel.trim(),
        std::env::consts::ARCH
    )
}
