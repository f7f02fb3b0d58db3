//! The parts of AWS that a serverless function needs, on one machine: for its local development, and for its tests.
//!
//! ```text
//! browser ── http_api ──▶ Function ──▶ dynamodb (SQLite)  http_api       API Gateway's HTTP API, payload 2.0
//!                │          ▲  │          │               dynamodb       DynamoDB's wire protocol
//!                │          │  ▼          ▼               ses            SES API v2's wire protocol
//!          mailbox_pages ◀──┼─ ses      stream            stream         Lambda's event source mapping
//!                           └──────────── ┘               mailbox_pages  the emails that were sent, in the browser
//! ```
//!
//! The function reaches everything over HTTP with the real SDK. [`Emulator::start`] starts all of it in this process. What
//! the function is about (its table, its events, its settings) comes from the caller.

pub mod aws;
pub mod clock;
pub mod dynamodb;
pub mod fault_proxy;
pub mod function;
pub mod mailbox_pages;
pub mod meter;
pub mod ses;
pub mod stream;
pub mod wire;

mod http_api;
mod server;

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::clock::{Clock, Jump, Jumper};
use self::dynamodb::{Dynamo, TableDefinition};
use self::fault_proxy::FaultProxy;
use self::function::Function;
use self::http_api::HttpApi;
use self::mailbox_pages::Link;
use self::server::Stop;
use self::ses::account::Account;
use self::ses::{Email, Mailbox, Ses};
use self::stream::Driver;

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The folder that keeps the table and the emails; `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// The table.
    pub table: TableDefinition,
    /// The state of the SES account at the start.
    pub account: Account,
    /// How likely a `SendEmail` meets a fault, from 0 to 1.
    pub ses_faults: f64,
    /// How likely a request of the function to the database meets a fault, from 0 to 1.
    pub table_faults: f64,
    /// The event source mapping.
    pub stream: stream::Settings,
    /// What the function is invoked with at intervals.
    pub timers: Vec<Timer>,
    /// The clock, which the function is to go by too.
    pub clock: Clock,
    /// The zone of the times on the pages.
    pub time_zone: TimeZone,
    /// The folder that `/site/` serves.
    pub site: Option<PathBuf>,
    /// Pages of the caller's own beside the mailbox. Like these they answer to 127.0.0.1 and localhost only.
    pub pages: Router,
    /// What the navigation of the mailbox's pages offers beside the mailbox.
    pub links: Vec<Link>,
}

impl Options {
    /// Everything in memory, on a free port, with this table and nothing else: for tests.
    #[must_use]
    pub fn new(table: TableDefinition) -> Self {
        Self {
            port: 0,
            data: None,
            table,
            account: Account::default(),
            ses_faults: 0.0,
            table_faults: 0.0,
            stream: stream::Settings::default(),
            timers: Vec::new(),
            clock: Clock::default(),
            time_zone: TimeZone::UTC,
            site: None,
            pages: Router::new(),
            links: Vec::new(),
        }
    }
}

/// A schedule, as EventBridge's.
#[derive(Debug, Clone)]
pub struct Timer {
    /// How often.
    pub every: Duration,
    /// The event.
    pub event: Value,
}

/// Where everything listens: what the function's settings are made of.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The address in the browser, such as `http://127.0.0.1:8080`, without a slash at the end.
    pub url: String,
    /// The port of `url`.
    pub port: u16,
    /// The value for `AWS_ENDPOINT_URL_DYNAMODB`.
    pub dynamodb: String,
    /// The value for `AWS_ENDPOINT_URL_SESV2` and `AWS_ENDPOINT_URL_SNS`.
    pub ses: String,
    /// The table's name.
    pub table: String,
}

impl Endpoints {
    /// The variables with which the SDK finds the emulator, from the function's environment.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.clone()),
            ("AWS_ENDPOINT_URL_SESV2", self.ses.clone()),
            ("AWS_ENDPOINT_URL_SNS", self.ses.clone()),
            ("AWS_REGION", aws::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", aws::ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", aws::ACCESS_KEY.to_owned()),
        ]
    }
}

/// Why the emulator did not start, and what to do about it: whole sentences for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError(String);

impl StartError {
    /// An error with these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// The running system.
#[derive(Debug)]
pub struct Emulator {
    endpoints: Endpoints,
    function: Function,
    dynamo: Dynamo,
    proxy: FaultProxy,
    ses: Ses,
    driver: Driver,
    jumper: Arc<Jumper>,
    api: Stop,
    /// Keeps other processes away from the data folder.
    _lock: Option<File>,
}

impl Emulator {
    /// Starts everything. The database and the SES catcher come first; `make_function` gets their addresses and builds the
    /// function; then the stream is read and the HTTP API opens.
    ///
    /// # Errors
    /// When the port is taken, the data folder cannot be used or is in use, or `make_function` fails.
    pub async fn start<M>(options: Options, make_function: M) -> Result<Self, StartError>
    where
        M: AsyncFnOnce(Endpoints) -> Result<Function, StartError>,
    {
        let listener = listen(options.port).await?;
        let port = listener
            .local_addr()
            .map_err(|error| {
                StartError::new(format!("The HTTP API does not know its own port: {error}."))
            })?
            .port();
        let lock = options.data.as_deref().map(lock_folder).transpose()?;
        let data = options.data.as_deref();
        let dynamo = Dynamo::start(
            data.map(|data| data.join("table.sqlite")).as_deref(),
            &options.table,
        )
        .await?;
        let ses = Ses::start(
            data.map(|data| data.join("emails")).as_deref(),
            options.account,
        )
        .await?;
        ses.mailbox().fail_at_random(options.ses_faults);
        ses.go_by(options.clock.clone());
        // Only the function meets faults, not the stream's driver and not a test that reads the table.
        let proxy =
            FaultProxy::start(dynamo.endpoint(), options.table_faults, ses.mailbox()).await?;
        let endpoints = Endpoints {
            url: format!("http://127.0.0.1:{port}"),
            port,
            dynamodb: proxy.endpoint().to_owned(),
            ses: ses.endpoint().to_owned(),
            table: options.table.name.clone(),
        };
        let function = make_function(endpoints.clone()).await?;
        ses.connect(function.clone());
        let driver = Driver::start(
            dynamo.endpoint(),
            dynamo.stream_arn(),
            data,
            options.stream,
            function.clone(),
        )
        .await?;
        let jumper = Arc::new(Jumper {
            clock: options.clock,
            zone: options.time_zone,
            function: function.clone(),
            timers: options.timers.clone(),
            expiry: dynamo.expiry(&options.table),
            stream: driver.waker(),
            mailbox: ses.mailbox(),
            busy: tokio::sync::Mutex::default(),
        });
        let router = http_api::router(
            HttpApi {
                function: function.clone(),
                waker: driver.waker(),
                site: options.site,
            },
            mailbox_pages::router(
                ses.mailbox(),
                driver.waker(),
                jumper.clone(),
                options.links,
                options.pages,
            ),
        );
        let (signal, stopped) = watch::channel(false);
        let mut tasks = vec![server::serve(listener, router, stopped.clone())];
        for timer in options.timers {
            tasks.push(tokio::spawn(run_timer(
                function.clone(),
                timer,
                stopped.clone(),
            )));
        }
        Ok(Self {
            endpoints,
            function,
            dynamo,
            proxy,
            ses,
            driver,
            jumper,
            api: Stop::new(signal, tasks),
            _lock: lock,
        })
    }

    /// The address in the browser, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.endpoints.url
    }

    /// Where everything listens.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The function, to send it further events.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Every email that SES accepted, oldest first.
    pub fn emails(&self) -> Vec<Arc<Email>> {
        self.ses.mailbox().emails()
    }

    /// The SES catcher: emails, account and faults.
    pub fn ses(&self) -> Mailbox {
        self.ses.mailbox()
    }

    /// The database.
    pub fn dynamo(&self) -> &Dynamo {
        &self.dynamo
    }

    /// Puts the clock forward; what is due until then happens on the way.
    ///
    /// # Errors
    /// When what has expired cannot be removed.
    pub async fn jump(&self, jump: Jump) -> Result<(), StartError> {
        self.jumper.jump(jump).await
    }

    /// What went to the failure destination: pointers of the stream, and events of SES and the timer; each oldest first.
    pub fn failures(&self) -> Vec<Value> {
        [self.driver.failures(), self.function.failures()].concat()
    }

    /// Waits until everything on the stream is done and SES has reported everything.
    pub async fn settled(&self) {
        self.jumper.settled().await;
    }

    /// Stops everything within a second. What was answered is kept; what was under way comes again at the next start.
    pub async fn stop(self) {
        let all = async {
            tokio::join!(self.api.stop(), self.driver.stop());
            self.proxy.stop().await;
            tokio::join!(self.ses.stop(), self.dynamo.stop());
        };
        all.await;
    }
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => StartError::new(format!(
                "Port {port} is taken. Stop what uses it, or choose another port."
            )),
            std::io::ErrorKind::PermissionDenied => StartError::new(format!(
                "Port {port} is not yours to use. Choose a port above 1023."
            )),
            _ => StartError::new(format!(
                "Port {port} cannot be used: {error}. Choose another port."
            )),
        })
}

/// Makes the data folder this process's own: two drivers on one stream would do everything twice.
fn lock_folder(folder: &Path) -> Result<File, StartError> {
    let unusable = |error: &dyn fmt::Display| {
        StartError::new(format!(
            "The folder {} cannot be used: {error}. Choose another folder.",
            folder.display()
        ))
    };
    std::fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
    let file = File::create(folder.join("lock")).map_err(|error| unusable(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::new(format!(
            "The folder {} is in use by another process. Stop that one, or choose another folder.",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(&error)),
    }
}

/// Plays a schedule.
async fn run_timer(function: Function, timer: Timer, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(timer.every) => {}
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = function.call_async(timer.event.clone(), timer.every) => {}
        }
    }
}

/// Writes a file beside `path` and puts it in its place: what is there is the old one or the new one, whatever happens in
/// between.
fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
