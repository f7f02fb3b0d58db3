//! The whole system on one machine: `cargo local`, and the tests.
//!
//! ```text
//! browser ── gateway ──▶ Function ──▶ dynamo (SQLite)     gateway  API Gateway's HTTP API, payload 2.0
//!                │          ▲  │          │               dynamo   DynamoDB's wire protocol
//!                │          │  ▼          ▼               ses      SES API v2's wire protocol
//!                └ outbox ◀─┼─ ses      stream            stream   the event source mapping
//!                           └──────────── ┘               outbox   what left, in the browser
//! ```
//!
//! The function is the real one, and reaches everything over HTTP with the real SDK. [`Desk::start`] starts all of it in
//! this process.

pub mod aws;
pub mod dynamo;
pub mod function;
pub mod gallery;
pub mod gateway;
pub mod outbox;
pub mod product;
pub mod ses;
pub mod stream;

mod files;
mod ids;
mod server;

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::dynamo::Dynamo;
use self::dynamo::faults::FaultyWire;
use self::function::Function;
use self::gateway::Front;
use self::server::Stop;
use self::ses::account::Account;
use self::ses::{Mail, Mailbox, Ses};
use self::stream::Driver;

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The folder that keeps enquiries and mails; `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// The table's name.
    pub table: String,
    /// How SES stands to the account at the start.
    pub account: Account,
    /// How likely a `SendEmail` meets a fault, from 0 to 1.
    pub ses_faults: f64,
    /// How likely a request of the function to the database meets a fault, from 0 to 1.
    pub table_faults: f64,
    /// The event source mapping.
    pub stream: stream::Settings,
    /// How often the function is told to sweep; `None` is never.
    pub timer: Option<Duration>,
    /// The folder that `/site/` serves.
    pub site: PathBuf,
    /// The practice's file, which the gallery reads anew for each page.
    pub practice: PathBuf,
}

impl Default for Options {
    /// Everything in memory, on a free port, without the timer: what a test wants.
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            table: "enquiries".to_owned(),
            account: Account::default(),
            ses_faults: 0.0,
            table_faults: 0.0,
            stream: stream::Settings::default(),
            timer: None,
            site: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/site")),
            practice: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/practice.toml")),
        }
    }
}

/// Where the parts of the local system listen: what the function's settings are made of.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The address in the browser, such as `http://127.0.0.1:8080`, without a slash at the end.
    pub url: String,
    /// The port of `url`.
    pub port: u16,
    /// The value for `AWS_ENDPOINT_URL_DYNAMODB`.
    pub dynamodb: String,
    /// The value for `AWS_ENDPOINT_URL_SESV2`.
    pub ses: String,
    /// The table's name.
    pub table: String,
}

/// Why the local system did not start, and what to do about it: whole sentences for a person.
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
pub struct Desk {
    endpoints: Endpoints,
    function: Function,
    dynamo: Dynamo,
    wire: Option<FaultyWire>,
    ses: Ses,
    driver: Driver,
    front: Stop,
    /// Keeps other processes away from the data folder.
    _lock: Option<File>,
}

impl Desk {
    /// Starts everything. The database and the SES catcher come first; `make_function` gets their addresses and builds the
    /// function; then the stream is read and the gateway opens.
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
                StartError::new(format!("The gateway does not know its own port: {error}."))
            })?
            .port();
        let lock = options.data.as_deref().map(lock_folder).transpose()?;
        let data = options.data.as_deref();
        let dynamo = Dynamo::start(
            data.map(|data| data.join("table.sqlite")).as_deref(),
            &options.table,
        )
        .await?;
        // The faults are the function's: the stream's driver and a test that looks into the table meet none.
        let wire = match options.table_faults {
            faults if faults > 0.0 => Some(FaultyWire::start(dynamo.endpoint(), faults).await?),
            _ => None,
        };
        let ses = Ses::start(
            data.map(|data| data.join("mails")).as_deref(),
            options.account,
        )
        .await?;
        ses.mailbox().fail_at_random(options.ses_faults);
        let endpoints = Endpoints {
            url: format!("http://127.0.0.1:{port}"),
            port,
            dynamodb: wire
                .as_ref()
                .map_or(dynamo.endpoint(), FaultyWire::endpoint)
                .to_owned(),
            ses: ses.endpoint().to_owned(),
            table: options.table,
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
        let router = gateway::router(
            Front {
                function: function.clone(),
                waker: driver.waker(),
                site: options.site,
            },
            outbox::router(ses.mailbox(), driver.waker(), options.practice),
        );
        let (signal, stopped) = watch::channel(false);
        let mut tasks = vec![server::serve(listener, router, stopped.clone())];
        if let Some(every) = options.timer {
            tasks.push(tokio::spawn(timer(function.clone(), every, stopped)));
        }
        Ok(Self {
            endpoints,
            function,
            dynamo,
            wire,
            ses,
            driver,
            front: Stop::new(signal, tasks),
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

    /// The function, to send it events of one's own.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Every mail that SES accepted, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.ses.mailbox().mails()
    }

    /// The SES catcher: mails, account and faults.
    pub fn ses(&self) -> Mailbox {
        self.ses.mailbox()
    }

    /// The database.
    pub fn dynamo(&self) -> &Dynamo {
        &self.dynamo
    }

    /// What went to the stream's failure destination, oldest first.
    pub fn failures(&self) -> Vec<Value> {
        self.driver.failures()
    }

    /// Waits until everything on the stream is done and SES has reported everything.
    pub async fn settled(&self) {
        self.driver.drained().await;
        self.ses.mailbox().settled().await;
        // A report can make the function write, which is on the stream again.
        self.driver.drained().await;
    }

    /// Stops everything within a second. What was answered is kept; what was under way comes again at the next start.
    pub async fn stop(self) {
        let all = async {
            tokio::join!(self.front.stop(), self.driver.stop());
            if let Some(wire) = self.wire {
                wire.stop().await;
            }
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
                "Port {port} is taken. Stop what uses it, or choose another one with --port."
            )),
            std::io::ErrorKind::PermissionDenied => StartError::new(format!(
                "Port {port} is not yours to use. Choose one above 1023 with --port."
            )),
            _ => StartError::new(format!(
                "Port {port} cannot be used: {error}. Choose another one with --port."
            )),
        })
}

/// Makes the data folder this process's own: two drivers on one stream would do everything twice.
fn lock_folder(folder: &std::path::Path) -> Result<File, StartError> {
    let unusable = |error: &dyn fmt::Display| {
        StartError::new(format!(
            "The folder {} cannot be used: {error}. Choose another one with --data.",
            folder.display()
        ))
    };
    std::fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
    let file = File::create(folder.join("lock")).map_err(|error| unusable(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::new(format!(
            "The folder {} is in use by another `cargo local`. Stop that one, or choose another folder with --data.",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(&error)),
    }
}

/// Plays the schedule of `template.yaml`.
async fn timer(function: Function, every: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(every) => {}
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            answer = function.call(json!({ "command": "sweep" })) => {
                if let Err(error) = answer {
                    tracing::warn!(error, "the sweep failed");
                }
            }
        }
    }
}
