//! The clients: they post a form, post it again when the answer is lost or says no, and know only the answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{Request, Response, header};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::watch;

use super::forms::{Form, Kind};

/// Longer than the gateway takes to give up.
const LIMIT: Duration = Duration::from_secs(40);
/// How long a client waits before pressing the button again.
const PAUSE: Duration = Duration::from_millis(150);
/// How often a client presses it before giving up for now.
const TRIES: u32 = 12;

/// The clients of all forms.
pub struct Clients {
    address: watch::Receiver<Option<String>>,
    http: Client<HttpConnector, Full<Bytes>>,
    until: Instant,
    /// How many forms are done with.
    done: watch::Sender<u64>,
    answers: Mutex<HashMap<String, Answers>>,
    counters: Counters,
}

/// What was answered to one form.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The reference of every answer that accepted it.
    pub references: Vec<String>,
    /// The status of every answer that refused it.
    pub refused: Vec<u16>,
    /// Answers that fit nothing.
    pub strange: Vec<String>,
}

/// How many posts went and what came back.
#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    unavailable: AtomicU64,
    lost: AtomicU64,
}

/// The same, read.
pub struct Tally {
    pub sent: u64,
    pub accepted: u64,
    pub refused: u64,
    pub unavailable: u64,
    pub lost: u64,
}

enum Answer {
    Accepted(String),
    Refused(u16),
    /// 503: try again.
    Unavailable,
    /// The connection broke, or nothing came.
    Lost,
    Strange(String),
}

impl Clients {
    pub fn new(address: watch::Receiver<Option<String>>, until: Instant) -> Arc<Self> {
        Arc::new(Self {
            address,
            http: Client::builder(TokioExecutor::new()).build_http(),
            until,
            done: watch::Sender::new(0),
            answers: Mutex::default(),
            counters: Counters::default(),
        })
    }

    /// Sends one form as its client does.
    pub async fn send(&self, form: &Form) {
        if form.kind == Kind::Fixed {
            self.until_answered(form, true).await;
        }
        join_all((0..form.clicks).map(|_| self.until_answered(form, false))).await;
        if form.again {
            self.until_answered(form, false).await;
        }
        self.done.send_modify(|done| *done += 1);
    }

    /// Each client whose form was never accepted posts it again, and every tenth of the others reloads the page.
    pub async fn come_back(&self, forms: &[Form]) {
        for (number, form) in forms.iter().enumerate().filter(|(_, form)| form.is_valid()) {
            if number % 10 == 0 || self.answers(&form.name).references.is_empty() {
                self.until_answered(form, false).await;
            }
        }
    }

    /// Resolves when so many forms are done with.
    pub async fn answered(&self, count: u64) {
        let mut done = self.done.subscribe();
        // The sender lives as long as we do.
        let _ = done.wait_for(|done| *done >= count).await;
    }

    /// What was answered to the form of this name.
    pub fn answers(&self, name: &str) -> Answers {
        let answers = self.answers.lock().unwrap();
        answers.get(name).cloned().unwrap_or_default()
    }

    pub fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            sent: read(&self.counters.sent),
            accepted: read(&self.counters.accepted),
            refused: read(&self.counters.refused),
            unavailable: read(&self.counters.unavailable),
            lost: read(&self.counters.lost),
        }
    }

    /// Posts until the desk accepts or refuses it; the same body with the same submission each time.
    async fn until_answered(&self, form: &Form, before: bool) {
        for _ in 0..TRIES {
            let answer = self.post(form, before).await;
            let (counter, heard) = match answer {
                Answer::Accepted(reference) => {
                    self.hear(form, |answers| answers.references.push(reference));
                    (&self.counters.accepted, true)
                }
                Answer::Refused(status) => {
                    self.hear(form, |answers| answers.refused.push(status));
                    (&self.counters.refused, true)
                }
                Answer::Strange(what) => {
                    self.hear(form, |answers| answers.strange.push(what));
                    (&self.counters.refused, true)
                }
                Answer::Unavailable => (&self.counters.unavailable, false),
                Answer::Lost => (&self.counters.lost, false),
            };
            counter.fetch_add(1, Ordering::Relaxed);
            if heard || Instant::now() > self.until {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn hear(&self, form: &Form, what: impl FnOnce(&mut Answers)) {
        let mut answers = self.answers.lock().unwrap();
        what(answers.entry(form.name.clone()).or_default());
    }

    async fn post(&self, form: &Form, before: bool) -> Answer {
        let mut address = self.address.clone();
        let address = address.wait_for(Option::is_some).await;
        let Some(address) = address.ok().and_then(|address| address.clone()) else {
            return Answer::Lost;
        };
        let (accept, content_type, body) = form.post(before);
        let request = Request::post(format!("{address}/enquiries"))
            .header(header::ACCEPT, accept)
            .header(header::CONTENT_TYPE, content_type)
            .body(Full::new(body))
            .unwrap();
        self.counters.sent.fetch_add(1, Ordering::Relaxed);
        let whole = async {
            let (parts, body) = self.http.request(request).await.ok()?.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some(Response::from_parts(parts, body))
        };
        match tokio::time::timeout(LIMIT, whole).await {
            Ok(Some(response)) => read(&response),
            _ => Answer::Lost,
        }
    }
}

fn read(response: &Response<Bytes>) -> Answer {
    let reference = match response.status().as_u16() {
        201 => serde_json::from_slice::<Value>(response.body())
            .ok()
            .and_then(|body| Some(body["reference"].as_str()?.to_owned())),
        303 => response
            .headers()
            .get(header::LOCATION)
            .and_then(|location| location.to_str().ok())
            .and_then(|location| Some(location.split_once("reference=")?.1.to_owned())),
        status @ 400..500 => return Answer::Refused(status),
        503 => return Answer::Unavailable,
        _ => None,
    };
    match reference {
        Some(reference) => Answer::Accepted(reference),
        None => Answer::Strange(format!("{} without a reference", response.status())),
    }
}
