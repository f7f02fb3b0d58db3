//! A running function, the Runtime API that it was started with, and what it has used.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// A function that has not answered by then does not work.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is started.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Variables of its own.
    pub(crate) variables: Vec<(String, String)>,
}

/// Where it finds its backends, and what it may use.
pub(crate) struct Surroundings {
    pub(crate) table: String,
    pub(crate) ses: String,
    pub(crate) secret: String,
    pub(crate) bundle: Option<PathBuf>,
    /// The memory size in MB whose share of a processor it gets once it has asked for work.
    pub(crate) quota: Option<u32>,
}

/// A moment, and the processor time that the function had used by then, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) at: Instant,
    pub(crate) cpu: f64,
}

/// A running function.
pub(crate) struct Function {
    process: Child,
    pub(crate) spawned: Instant,
    work: mpsc::Sender<Bytes>,
    asked: mpsc::Receiver<Mark>,
    answers: mpsc::Receiver<(Mark, Result<Bytes, Bytes>)>,
    group: Option<Group>,
}

impl Function {
    pub(crate) async fn start(program: &Program, around: &Surroundings) -> Self {
        let (work, next) = mpsc::channel(1);
        let (asks, asked) = mpsc::channel(1);
        let (answer, answers) = mpsc::channel(1);
        let started = Arc::new(std::sync::OnceLock::new());
        let group = around.quota.map(Group::new);
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let api = listener.local_addr().expect("a bound port");
        let exchange = Exchange {
            started: Arc::clone(&started),
            next: Arc::new(Mutex::new(next)),
            asks,
            answer,
            group: group.clone(),
        };
        tokio::spawn(async move { axum::serve(listener, runtime_api(exchange)).await });
        let mut command = tokio::process::Command::new(&program.path);
        // Nothing of this machine's environment: the names are Lambda's, and the template's.
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "enquiry-desk")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_DEFAULT_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "example")
            .env("AWS_SECRET_ACCESS_KEY", "example")
            .env("AWS_SESSION_TOKEN", "example")
            .env("AWS_ENDPOINT_URL_DYNAMODB", &around.table)
            .env("AWS_ENDPOINT_URL_SESV2", &around.ses)
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &around.secret)
            .envs(around.bundle.iter().map(|file| ("AWS_CA_BUNDLE", file)))
            .env("TABLE_NAME", "enquiries")
            .env("THERAPIST_EMAIL", "therapist@example.com")
            .env("SENDER_EMAIL", "desk@example.com")
            .env("ALLOWED_ORIGINS", "https://www.example.com")
            .env(
                "PUBLIC_URL",
                "https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com",
            )
            .env("SECRET_ID", "secret")
            .envs(program.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let spawned = Instant::now();
        let process = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.path.display()));
        let id = process.id().expect("it was started");
        if let Some(group) = &group {
            group.take(id);
        }
        started.set(id).expect("once");
        Self {
            process,
            spawned,
            work,
            asked,
            answers,
            group,
        }
    }

    /// Waits until it asks for work for the first time.
    pub(crate) async fn ready(&mut self) -> Mark {
        timeout(PATIENCE, self.asked.recv())
            .await
            .expect("the function starts in time")
            .expect("the Runtime API runs")
    }

    /// What it has used, now.
    pub(crate) fn mark(&self) -> Mark {
        mark(self.process.id().expect("it runs"))
    }

    /// Hands over an event, and waits for the answer.
    pub(crate) async fn invoke(&mut self, event: &Bytes) -> (Mark, Bytes) {
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

    /// Hands over an event of the HTTP API that must go well; gives when, and the answer.
    pub(crate) async fn answered(&mut self, event: &Bytes) -> (Mark, Value) {
        let (at, answer) = self.invoke(event).await;
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        assert!(
            matches!(answer["statusCode"].as_u64(), Some(200..=399)),
            "the request was refused: {answer}"
        );
        (at, answer)
    }

    /// The same; gives how long it took and the processor time, in milliseconds.
    pub(crate) async fn timed(&mut self, event: &Bytes) -> (f64, f64) {
        let before = self.mark();
        let (after, _) = self.answered(event).await;
        (millis(after.at - before.at), after.cpu - before.cpu)
    }

    /// The most memory that was ever resident (`VmHWM`), in MiB.
    pub(crate) fn memory(&self) -> f64 {
        let id = self.process.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("Linux's /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: f64 = line
            .and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok())
            .expect("VmHWM in kB");
        kib / 1024.0
    }

    pub(crate) async fn stop(mut self) {
        self.process.kill().await.expect("it ran until now");
        if let Some(group) = &self.group {
            group.remove();
        }
    }
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Processor time of all threads by the scheduler's own account (nanoseconds, the first figure of `schedstat`).
fn mark(id: u32) -> Mark {
    // One that was just stopped has none.
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).ok();
    let nanoseconds: f64 = tasks
        .into_iter()
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|account| account.split(' ').next()?.parse::<f64>().ok())
        .sum();
    Mark {
        at: Instant::now(),
        cpu: nanoseconds / 1e6,
    }
}

/// A control group of the scheduler (cgroups version 1): as much of a processor as Lambda gives to a memory size, in periods of 20 ms.
/// A whole one belongs to 1,769 MB ("Configure Lambda function memory").
#[derive(Clone)]
struct Group {
    folder: PathBuf,
    quota: u32,
}

impl Group {
    const PERIOD: u32 = 20_000;

    fn new(memory: u32) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("speed-{}-{count}", std::process::id());
        let folder = Path::new("/sys/fs/cgroup/cpu").join(name);
        std::fs::create_dir(&folder)
            .expect("--quota needs root and the cpu controller of cgroups version 1");
        let group = Self {
            folder,
            quota: Self::PERIOD * memory / 1769,
        };
        group.write("cpu.cfs_period_us", Self::PERIOD);
        group
    }

    fn write(&self, file: &str, value: u32) {
        std::fs::write(self.folder.join(file), value.to_string()).expect("a control group");
    }

    fn take(&self, process: u32) {
        self.write("cgroup.procs", process);
    }

    /// From now on no more than the share: while a function starts it has a whole processor.
    fn limit(&self) {
        self.write("cpu.cfs_quota_us", self.quota);
    }

    fn remove(&self) {
        // The kernel takes the process out of it a moment after its end; a group that stays is empty.
        let _ = std::fs::remove_dir(&self.folder);
    }
}

/// Between the benchmark and the Runtime API.
#[derive(Clone)]
struct Exchange {
    started: Arc<std::sync::OnceLock<u32>>,
    next: Arc<Mutex<mpsc::Receiver<Bytes>>>,
    asks: mpsc::Sender<Mark>,
    answer: mpsc::Sender<(Mark, Result<Bytes, Bytes>)>,
    group: Option<Group>,
}

impl Exchange {
    fn mark(&self) -> Mark {
        mark(*self.started.wait())
    }
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
    if exchange.asks.try_send(exchange.mark()).is_ok()
        && let Some(group) = &exchange.group
    {
        group.limit();
    }
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
    let at = exchange.mark();
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

/// Builds the binary of one package as it is deployed. Each has a build of its own, so that no feature of the other, nor
/// of the tests, gets into it.
pub(crate) fn build(package: &str) -> PathBuf {
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
