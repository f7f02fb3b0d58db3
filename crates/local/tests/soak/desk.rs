//! The process under the soak: `cargo local` as a child, how it is started on the same folder, killed, and waited for.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_emulator::aws;
use aws_emulator::dynamodb::Dynamo;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::store::{SavedPractice, Words};
use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;

use testing::emulated;

/// Later than the end of every lease that was taken before: an invocation's 29 seconds and 60 more.
const AHEAD: u32 = 120;

/// The conditions of one run of the process.
pub struct Phase {
    ses_faults: f64,
    table_faults: f64,
    ahead: u32,
    reports: bool,
    /// How often the timers fire, in seconds.
    timer: u32,
}

impl Phase {
    /// With faults, at the time that it is. Without SES's reports the desk knows only what it has written down itself.
    pub const fn faulty(ses_faults: f64, table_faults: f64, reports: bool) -> Self {
        Self {
            ses_faults,
            table_faults,
            ahead: 0,
            reports,
            timer: 1,
        }
    }

    /// Without faults, and later than every lease.
    pub const fn calm() -> Self {
        Self {
            ses_faults: 0.0,
            table_faults: 0.0,
            ahead: AHEAD,
            reports: true,
            timer: 1,
        }
    }

    /// As in production: no faults, the time that it is, and a timer that fires each minute.
    pub const fn undisturbed() -> Self {
        Self {
            ahead: 0,
            timer: 60,
            ..Self::calm()
        }
    }
}

/// One death: between these two moments.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// The child and its folder.
pub struct Desk {
    folder: PathBuf,
    running: Option<(Child, Lines<BufReader<ChildStdout>>)>,
    address: watch::Sender<Option<String>>,
    kills: Vec<Crash>,
}

impl Desk {
    pub fn new(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder for the data");
        Self {
            folder,
            running: None,
            address: watch::Sender::new(None),
            kills: Vec::new(),
        }
    }

    /// Gives the practice the questions of the physiotherapist in tests/, as its desk would save them.
    pub async fn ask_questions(&self) {
        const PHYSIOTHERAPIST: &str = include_str!("../../../../tests/physiotherapist.toml");
        let questions = PHYSIOTHERAPIST.find("[[question]]").expect("a question");
        let written = format!(
            "{}\n{}",
            include_str!("../../../../practice.toml"),
            &PHYSIOTHERAPIST[questions..]
        );
        let written = Practice::from_toml(&written).expect("a practice").written;
        let file = self.folder.join("table.sqlite");
        let table = Dynamo::start(Some(&file), &emulated::table()).await;
        let table = table.expect("a table in a file");
        let endpoints = emulated::endpoints(table.endpoint(), table.endpoint());
        let app = emulated::app(&endpoints, &[], aws::http_client()).expect("good settings");
        let practice = SavedPractice {
            revision: 1,
            saved_at: Timestamp::now(),
            words: Words::of(&written),
            before: Words::of(&practice::compiled().written),
            before_saved_at: None,
            changed: BTreeMap::new(),
        };
        let saved = app.store.save_practice(&practice).await;
        assert!(saved.expect("the table can be written"), "it is the first");
        table.stop().await;
    }

    /// Where it listens now; nothing while it is dead.
    pub fn address(&self) -> watch::Receiver<Option<String>> {
        self.address.subscribe()
    }

    /// Every time it was killed.
    pub fn kills(&self) -> Vec<Crash> {
        self.kills.clone()
    }

    /// Starts it on its folder and waits until it listens.
    pub async fn start(&mut self, phase: &Phase) {
        let words = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("stderr.log"))
            .expect("a file for what it says");
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command
            .args(["--port", "0", "--sweep", &phase.timer.to_string()])
            .arg("--data")
            .arg(&self.folder)
            .args(["--ses-faults", &phase.ses_faults.to_string()])
            .args(["--table-faults", &phase.table_faults.to_string()])
            .args(["--ahead", &phase.ahead.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(words)
            .kill_on_drop(true);
        // The process must not inherit settings of the shell that runs the soak.
        for name in [
            "THERAPIST_EMAIL",
            "SENDER_EMAIL",
            "HASH_KEY",
            "RATE_LIMIT_PER_SOURCE",
            "AUTO_REPLIES_PER_DAY",
            "CONFIGURATION_SET",
            "THERAPIST_CONFIGURATION_SET",
            "ALLOWED_ORIGINS",
        ] {
            command.env_remove(name);
        }
        if !phase.reports {
            // Empty counts as left out, and SES reports about a configuration set only.
            command.env("CONFIGURATION_SET", "");
            command.env("THERAPIST_CONFIGURATION_SET", "");
        }
        let mut child = command.spawn().expect("`local` starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let address = loop {
            let line = lines.next_line().await.expect("a line of text");
            let Some(line) = line else {
                panic!(
                    "`local` did not start; what it said is in {}",
                    self.folder.join("stderr.log").display()
                );
            };
            if let Some((_, address)) = line.split_once("The enquiry desk is at ") {
                break address.trim_end_matches('/').to_owned();
            }
        };
        self.running = Some((child, lines));
        self.address.send_replace(Some(address));
    }

    /// The process, while it runs.
    pub fn id(&self) -> u32 {
        let (child, _) = self.running.as_ref().expect("it runs");
        child.id().expect("it was not waited for")
    }

    /// `kill -9`, whatever it is doing.
    pub async fn kill(&mut self) {
        let not_before = Timestamp::now();
        self.end().await;
        self.kills.push(Crash {
            not_before,
            not_after: Timestamp::now(),
        });
    }

    /// The same when there is nothing left to be done.
    pub async fn end(&mut self) {
        let Some((mut child, _)) = self.running.take() else {
            return;
        };
        let status = child.try_wait().expect("it is ours to look at");
        assert!(status.is_none(), "it died by itself: {status:?}");
        child.start_kill().expect("it is ours to kill");
        self.address.send_replace(None);
        child.wait().await.expect("it is ours to wait for");
    }

    /// Waits until nothing is pending and SES has reported every email. The answer says what was missing at the end.
    pub async fn settled(&self, until: Instant) -> Result<(), String> {
        let environment = std::fs::read_to_string(self.folder.join("function.env")).unwrap();
        let endpoint = environment
            .lines()
            .find_map(|line| line.strip_prefix("AWS_ENDPOINT_URL_DYNAMODB="))
            .expect("the address of the table");
        let table = aws::dynamodb(endpoint);
        let mut reported = HashSet::new();
        loop {
            let pending = pending(&table).await;
            let waiting = unreported(&self.folder, &mut reported);
            if pending == 0 && waiting == 0 {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!(
                    "(b) {pending} enquiries have pending emails and {waiting} emails are not reported"
                ));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// How many enquiries the index `pending` has: the nightly test, which a soak may meet, waits there for its end.
async fn pending(table: &aws_sdk_dynamodb::Client) -> usize {
    let mut pending = 0;
    let mut from = None;
    loop {
        let page = table
            .query()
            .table_name("enquiries")
            .index_name("pending")
            .key_condition_expression("pending = :pending")
            .expression_attribute_values(":pending", AttributeValue::S("pending".to_owned()))
            .set_exclusive_start_key(from)
            .send()
            .await
            .expect("the table can be read");
        let keys = page
            .items()
            .iter()
            .filter_map(|item| item["pk"].as_s().ok());
        pending += keys.filter(|key| key.starts_with("state#")).count();
        from = page.last_evaluated_key;
        if from.is_none() {
            return pending;
        }
    }
}

/// How many emails have reports that the function has not had yet; `reported` are those that need no second look.
fn unreported(folder: &Path, reported: &mut HashSet<PathBuf>) -> usize {
    let mut waiting = 0;
    for file in emails(folder) {
        if reported.contains(&file) {
            continue;
        }
        let email: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let notices = email["notices"].as_array().unwrap();
        if notices.iter().all(|notice| notice["reported"] == true) {
            reported.insert(file);
        } else {
            waiting += 1;
        }
    }
    waiting
}

/// How many batches of the stream were given up: the sweep found their enquiries in the table.
pub fn failures(folder: &Path) -> usize {
    let failures = std::fs::read_to_string(folder.join("failures.jsonl"));
    failures.unwrap_or_default().lines().count()
}

/// The files of the emails that SES accepted.
pub fn emails(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("emails"))
        .expect("the folder of the emails")
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort_unstable();
    files
}
