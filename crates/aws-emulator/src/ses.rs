//! The SES catcher: speaks SES API v2 on the wire, keeps every email with its complete request, and follows the rules of SES.
//!
//! It knows `SendEmail` (`Simple` and `Raw` content) and what can be asked about the account and its identities; it also answers
//! SNS's question who gets the alarms. What SES checks, it checks, and refuses in SES's
//! words with SES's error types; where SES documents a limit but no words, the words are ours. What SES reports through a
//! configuration set, it reports to the function as an SNS event. Tests ask for
//! faults, which happen on the wire, as in production.

pub mod account;
pub mod events;
pub mod faults;
pub mod message;

mod api;
mod asked;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::account::{Account, Bucket};
use self::events::Notice;
use self::faults::{Fault, Faults};
use super::aws::lock;
use super::clock::Clock;
use super::function::Function;
use super::server::{self, Stop};
use super::{StartError, replace_file};

/// How long SES takes until it reports what became of an email.
const REPORT_AFTER: Duration = Duration::from_millis(50);

/// An email that SES accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Email {
    /// Its number, from 1, in the order of acceptance.
    pub number: u64,
    /// When it was accepted, in UTC.
    pub at: Timestamp,
    /// The id that SES answered with.
    pub message_id: String,
    /// The `From` header's value, decoded.
    pub from: String,
    /// Everyone it goes to: bare addresses of To, Cc and Bcc.
    pub to: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// Every header of the rendered message: name to decoded value, or to a list when the header is repeated.
    pub headers: Map<String, Value>,
    /// The text part; `None` when there is none, and for raw content.
    pub text: Option<String>,
    /// The HTML part; `None` when there is none, and for raw content.
    pub html: Option<String>,
    /// The complete MIME message.
    pub eml: String,
    /// The complete request, as SES received it.
    pub request: Value,
    /// Whether it was really sent: an email to an address on the suppression list is accepted and not sent.
    pub sent: bool,
    /// Whether SES's answer left as well: a fault can lose it after the email was accepted.
    #[serde(default = "always")]
    pub answered: bool,
    /// What SES reported about it, or still will.
    #[serde(default)]
    pub notices: Vec<Notice>,
}

/// How many of the newest emails stay in memory where a folder keeps them; the older ones are read when they are asked for.
const IN_MEMORY: usize = 200;

/// An email that was accepted.
#[derive(Debug, Clone)]
struct Kept {
    at: Timestamp,
    recipients: usize,
    /// Nothing where only its file holds it.
    email: Option<Arc<Email>>,
}

impl Email {
    /// The message tags of the request.
    pub fn tags(&self) -> BTreeMap<&str, &str> {
        let tags = self.request.get("EmailTags").and_then(Value::as_array);
        tags.into_iter()
            .flatten()
            .filter_map(|tag| Some((tag.get("Name")?.as_str()?, tag.get("Value")?.as_str()?)))
            .collect()
    }
}

/// Files of earlier versions lack the field: then no fault could lose an answer.
fn always() -> bool {
    true
}

/// The running catcher.
#[derive(Debug)]
pub struct Ses {
    endpoint: String,
    state: Arc<State>,
    stop: Stop,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) account: Mutex<Account>,
    /// What the sending rate has left.
    pub(crate) bucket: Mutex<Bucket>,
    pub(crate) faults: Mutex<Faults>,
    emails: Mutex<Vec<Kept>>,
    folder: Option<PathBuf>,
    function: OnceLock<Function>,
    clock: OnceLock<Clock>,
    /// How many notices are still to be reported.
    pending: watch::Sender<usize>,
    stopped: watch::Receiver<bool>,
}

/// What tests and the viewer hold: the emails, the account and the faults. Clones are the same catcher.
#[derive(Debug, Clone)]
pub struct Mailbox(Arc<State>);

impl Ses {
    /// Serves on a free port of 127.0.0.1. `folder` keeps the emails, one file each; without it they are in memory.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub async fn start(folder: Option<&Path>, account: Account) -> Result<Self, StartError> {
        let emails = match folder {
            Some(folder) => load(folder)?,
            None => Vec::new(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| {
            StartError::new(format!(
                "The SES catcher found no free port on 127.0.0.1: {error}."
            ))
        })?;
        let address = listener.local_addr().map_err(|error| {
            StartError::new(format!(
                "The SES catcher does not know its own port: {error}."
            ))
        })?;
        let (signal, stopped) = watch::channel(false);
        let state = Arc::new(State {
            account: Mutex::new(account),
            bucket: Mutex::new(Bucket::default()),
            faults: Mutex::new(Faults::default()),
            emails: Mutex::new(emails),
            folder: folder.map(Path::to_owned),
            function: OnceLock::new(),
            clock: OnceLock::new(),
            pending: watch::Sender::new(0),
            stopped: stopped.clone(),
        });
        let task = server::serve(listener, api::router(state.clone()), stopped);
        Ok(Self {
            endpoint: format!("http://{address}"),
            state,
            stop: Stop::new(signal, vec![task]),
        })
    }

    /// Where it listens, as `AWS_ENDPOINT_URL_SESV2` wants it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Says whose time the emails bear. Without a clock it is the machine's.
    pub fn go_by(&self, clock: Clock) {
        // It is said once, at the start.
        let _ = self.state.clock.set(clock);
    }

    /// Says whom SES reports to. What was still to be reported before a restart is reported now.
    pub fn connect(&self, function: Function) {
        if self.state.function.set(function).is_err() {
            return;
        }
        for email in self.mailbox().emails() {
            for (index, notice) in email.notices.iter().enumerate() {
                if !notice.reported {
                    self.state.clone().report(email.number, index);
                }
            }
        }
    }

    /// A handle to what it holds.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox(self.state.clone())
    }

    /// Stops serving and reporting.
    pub async fn stop(self) {
        self.stop.stop().await;
    }
}

impl Mailbox {
    /// Every email that SES accepted, oldest first.
    pub fn emails(&self) -> Vec<Arc<Email>> {
        let kept = lock(&self.0.emails).clone();
        let emails = (1..).zip(kept);
        emails
            .filter_map(|(number, kept)| self.0.whole(number, kept))
            .collect()
    }

    /// The newest of them, so many at most, newest first: older ones are not read.
    pub fn newest(&self, most: usize) -> Vec<Arc<Email>> {
        let kept: Vec<(u64, Kept)> = {
            let emails = lock(&self.0.emails);
            let numbered = (1..).zip(emails.iter().cloned());
            numbered.skip(emails.len().saturating_sub(most)).collect()
        };
        let emails = kept.into_iter().rev();
        emails
            .filter_map(|(number, kept)| self.0.whole(number, kept))
            .collect()
    }

    /// How many those are.
    pub fn count(&self) -> usize {
        lock(&self.0.emails).len()
    }

    /// The email with this number.
    pub fn email(&self, number: u64) -> Option<Arc<Email>> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let kept = lock(&self.0.emails).get(index).cloned()?;
        self.0.whole(number, kept)
    }

    /// Changes how SES stands to this account, from the next request on.
    pub fn account<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        change(&mut lock(&self.0.account))
    }

    /// The next `SendEmail` that has no fault of its own meets this one.
    pub fn fail(&self, fault: Fault) {
        lock(&self.0.faults).push(None, fault);
    }

    /// The next `SendEmail` to an address that contains `recipient` meets this fault.
    pub fn fail_for(&self, recipient: &str, fault: Fault) {
        lock(&self.0.faults).push(Some(recipient), fault);
    }

    /// From now on a `SendEmail` meets some fault with this probability, from 0 to 1.
    pub fn fail_at_random(&self, probability: f64) {
        lock(&self.0.faults).at_random(probability);
    }

    /// Forgets the faults that were asked for and did not happen; returns how many they were.
    pub fn clear_faults(&self) -> usize {
        lock(&self.0.faults).clear()
    }

    /// How many `SendEmail` requests arrived, refused and lost ones included.
    pub fn requests(&self) -> u64 {
        lock(&self.0.faults).requests()
    }

    /// Waits until SES has reported everything that it had to report.
    pub async fn settled(&self) {
        let mut pending = self.0.pending.subscribe();
        // The sender lives in the state that we hold.
        let _ = pending.wait_for(|pending| *pending == 0).await;
    }
}

impl Kept {
    fn of(email: Email) -> Self {
        Self {
            at: email.at,
            recipients: email.to.len(),
            email: Some(Arc::new(email)),
        }
    }
}

impl State {
    /// The time at which an email is taken.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.get().map_or_else(Timestamp::now, Clock::now)
    }

    /// Accepts an email: numbers it, keeps it, and reports about it later. Nothing is accepted that could not be kept.
    pub(crate) fn accept(self: &Arc<Self>, mut email: Email) -> std::io::Result<()> {
        let (number, notices) = {
            let mut emails = lock(&self.emails);
            email.number = u64::try_from(emails.len())
                .unwrap_or(u64::MAX)
                .saturating_add(1);
            self.keep(&email)?;
            let accepted = (email.number, email.notices.len());
            emails.push(Kept::of(email));
            self.forget_all_but_the_newest(&mut emails);
            accepted
        };
        if self.function.get().is_some() {
            for index in 0..notices {
                self.clone().report(number, index);
            }
        }
        Ok(())
    }

    fn keep(&self, email: &Email) -> std::io::Result<()> {
        match &self.folder {
            Some(folder) => replace_file(
                &file_of(folder, email.number),
                &serde_json::to_vec_pretty(email)?,
            ),
            None => Ok(()),
        }
    }

    fn report(self: Arc<Self>, number: u64, index: usize) {
        self.pending
            .send_modify(|pending| *pending = pending.saturating_add(1));
        let mut stopped = self.stopped.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => {}
                () = self.deliver(number, index) => {}
            }
            self.pending
                .send_modify(|pending| *pending = pending.saturating_sub(1));
        });
    }

    async fn deliver(&self, number: u64, index: usize) {
        let Some(function) = self.function.get() else {
            return;
        };
        let Some(event) = self.notice(number, index) else {
            return;
        };
        // Reports about one email come in the order of what happened, a little apart.
        let place = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        tokio::time::sleep(REPORT_AFTER.saturating_mul(place)).await;
        function.call_async(event, REPORT_AFTER).await;
        let mut emails = lock(&self.emails);
        let position = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(kept) = emails.get_mut(position) else {
            return;
        };
        let is_in_memory = kept.email.is_some();
        // Out of its place, so that it is not copied.
        let taken = Kept {
            email: kept.email.take(),
            ..*kept
        };
        let Some(mut email) = self.whole(number, taken) else {
            return;
        };
        if let Some(notice) = Arc::make_mut(&mut email).notices.get_mut(index) {
            notice.reported = true;
        }
        if let Err(error) = self.keep(&email) {
            tracing::warn!(%error, "an email's file could not be written");
        }
        kept.email = is_in_memory.then_some(email);
    }

    fn notice(&self, number: u64, index: usize) -> Option<Value> {
        let position = usize::try_from(number.checked_sub(1)?).ok()?;
        let kept = lock(&self.emails).get(position).cloned()?;
        let email = self.whole(number, kept)?;
        email.notices.get(index).map(Notice::sns_event)
    }

    /// An email from memory or from its file.
    fn whole(&self, number: u64, kept: Kept) -> Option<Arc<Email>> {
        if kept.email.is_some() {
            return kept.email;
        }
        let file = file_of(self.folder.as_deref()?, number);
        let read = std::fs::read(&file).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        read.inspect_err(|error| tracing::warn!(%error, "an email's file could not be read"))
            .ok()
    }

    fn forget_all_but_the_newest(&self, emails: &mut [Kept]) {
        if self.folder.is_none() {
            return;
        }
        let older = emails.len().checked_sub(IN_MEMORY + 1);
        if let Some(kept) = older.and_then(|older| emails.get_mut(older)) {
            kept.email = None;
        }
    }

    /// For how many recipients emails were accepted since then.
    pub(crate) fn sent_since(&self, since: Timestamp) -> usize {
        lock(&self.emails)
            .iter()
            .rev()
            .take_while(|kept| kept.at >= since)
            .map(|kept| kept.recipients)
            .sum()
    }

    /// Resolves when the catcher stops.
    pub(crate) async fn stopping(&self) {
        let mut stopped = self.stopped.clone();
        let _ = stopped.wait_for(|stop| *stop).await;
    }
}

fn file_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.json"))
}

fn load(folder: &Path) -> Result<Vec<Kept>, StartError> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        StartError::new(format!(
            "{} cannot be read: {error}. Move it away, or choose another folder with --data.",
            path.display()
        ))
    };
    std::fs::create_dir_all(folder).map_err(|error| wrong(folder, &error))?;
    let mut emails = Vec::new();
    for number in 1_u64.. {
        let path = file_of(folder, number);
        match std::fs::read(&path) {
            Ok(bytes) => emails.push(Kept::of(
                serde_json::from_slice(&bytes).map_err(|error| wrong(&path, &error))?,
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(error) => return Err(wrong(&path, &error)),
        }
    }
    let older = emails.len().saturating_sub(IN_MEMORY);
    for kept in emails.iter_mut().take(older) {
        kept.email = None;
    }
    Ok(emails)
}
