//! Takes an enquiry: scores it and stores it, or mails it to the therapist when the table cannot be written.

mod refused_sources;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::enquiry::{Enquiry, Received, Reference};
use crate::form_token::TimeToken;
use crate::keys::Keys;
use crate::practice::Practice;
use crate::proof_of_work::{Challenge, Nonce, ProofOfWork};
use crate::settings::WebSettings;
use crate::spam::{self, Score, Verdict};
use crate::store::{Accepted, NewEnquiry, Seen, Store, StoreError};
use refused_sources::RefusedSources;

/// How long nothing more is noted about pages that were noted.
const NOTED_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Takes enquiries with these parts.
pub struct Submission {
    store: Store,
    delivery: Arc<Delivery>,
    practice: Arc<Practice>,
    keys: Option<Keys>,
    settings: WebSettings,
    refused: RefusedSources,
    /// What was noted about the pages that post here, and when.
    noted: Mutex<Vec<(Seen, Timestamp)>>,
}

/// A checked post, with what came along with it.
pub struct Post<'a> {
    /// What was asked.
    pub enquiry: Enquiry,
    /// The page's own id of the filled-in form.
    pub submission: Option<Uuid>,
    /// Whether the honeypot has something in it.
    pub honeypot_filled: bool,
    /// The signed time of the page, as posted.
    pub token: &'a str,
    /// The proof of work, as posted.
    pub proof: &'a str,
    /// Where it came from, as the gateway saw it.
    pub source: Option<IpAddr>,
    /// How large the post was, for the log.
    pub bytes: usize,
    /// What is odd about the page that it came from.
    pub seen: Vec<Seen>,
}

/// Why an enquiry was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// Its source has sent too much in too short a time. In so many seconds it may send again.
    Flood {
        /// From 1 to 660.
        retry_after: u32,
    },
    /// Neither the table nor the mailbox could take it.
    Unavailable,
}

impl Submission {
    /// Takes enquiries with these parts.
    #[must_use]
    pub fn new(
        store: Store,
        delivery: Arc<Delivery>,
        practice: Arc<Practice>,
        keys: Option<Keys>,
        settings: WebSettings,
    ) -> Self {
        Self {
            store,
            delivery,
            practice,
            keys,
            settings,
            refused: RefusedSources::default(),
            noted: Mutex::default(),
        }
    }

    /// A signed time for a page that is made now; `None` while the keys are out of reach.
    #[must_use]
    pub fn token(&self, now: Timestamp) -> Option<String> {
        TimeToken::issue(self.keys.as_ref()?, &self.settings.form, now)
    }

    /// A challenge for the proof of work; `None` while the keys are out of reach.
    #[must_use]
    pub fn challenge(&self, now: Timestamp) -> Option<Challenge> {
        ProofOfWork::challenge(self.keys.as_ref()?, &self.settings.form, now)
    }

    /// Takes one enquiry. Returns its reference; that of the first one when the same was posted before.
    ///
    /// # Errors
    /// When it was neither stored nor mailed for certain.
    pub async fn submit(&self, post: Post<'_>, clock: &Clock) -> Result<Reference, NotTaken> {
        if let Some(retry_after) = self.refused.wait(post.source, clock.now()) {
            return Err(NotTaken::Flood { retry_after });
        }
        let token = TimeToken::read(
            post.token,
            self.keys.as_ref(),
            &self.settings.form,
            self.settings.min_fill_seconds,
            clock.exact(),
        );
        // One enquiry, whichever way it takes.
        let prefix = &self.practice.reference_prefix;
        let reference = self.store.generate_reference(prefix);
        let received = Received::new(
            reference.map_err(|_| NotTaken::Unavailable)?,
            clock.now(),
            post.enquiry,
            &self.practice,
        );
        let score = |proof| {
            spam::score(
                &received.enquiry,
                &self.practice,
                post.honeypot_filled,
                token,
                proof,
            )
        };
        let (mut proof, nonce) = self.proof(post.proof, clock.now());
        let mut new = NewEnquiry {
            received: &received,
            score: score(proof),
            key: self
                .store
                .idempotency_key(post.submission, &received.enquiry),
            prefix,
            source: post.source,
            nonce,
        };
        let accepted = match self.store.accept(&new, clock).await {
            // The work was done for another enquiry: this one is taken all the same, by what it then looks like.
            Ok(Accepted::ProofUsed) if new.nonce.is_some() => {
                proof = ProofOfWork::UsedBefore;
                new.nonce = None;
                new.score = score(proof);
                self.store.accept(&new, clock).await
            }
            accepted => accepted,
        };
        let bytes = post.bytes;
        let (reference, duplicate) = match accepted {
            Ok(Accepted::New(reference)) => (reference, false),
            Ok(Accepted::Duplicate(reference)) => (reference, true),
            Ok(Accepted::Flood { retry_after }) => {
                warn!("a source has sent too much");
                self.refused.note(post.source, retry_after, clock.now());
                return Err(NotTaken::Flood { retry_after });
            }
            // Without a nonce none is used: the store cannot say this here.
            Ok(Accepted::ProofUsed) => return Err(NotTaken::Unavailable),
            Err(error) => {
                let StoreError { action, code } = error;
                let reference = &received.reference;
                error!(alarm = "table_unavailable", %reference, code, "the table could not {action}");
                self.fall_back(&received, &new.score, clock).await?;
                (reference.clone(), false)
            }
        };
        if !duplicate && new.score.verdict() == Verdict::Clear {
            self.note_seen(&post.seen, clock).await;
        }
        let score = &new.score;
        info!(%reference, duplicate, verdict = ?score.verdict(), signals = ?score.codes(), ?token, ?proof, bytes, "enquiry accepted");
        Ok(reference)
    }

    /// Notes that a page should be looked at, once an hour: the check tells of it. Programs that post whatever they like are left
    /// out, since their enquiries look like spam.
    async fn note_seen(&self, seen: &[Seen], clock: &Clock) {
        let now = clock.now();
        for seen in seen {
            let is_told = {
                let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
                noted.retain(|(_, at)| now.duration_since(*at) < NOTED_AGAIN);
                let is_told = noted.iter().any(|(noted, _)| noted == seen);
                if !is_told {
                    noted.push((*seen, now));
                }
                is_told
            };
            if !is_told && let Err(error) = self.store.note_seen(*seen, now).await {
                warn!(code = error.code, "the table could not {}", error.action);
            }
        }
    }

    fn proof(&self, posted: &str, now: Timestamp) -> (ProofOfWork, Option<Nonce>) {
        match &self.keys {
            Some(keys) if self.settings.altcha => {
                ProofOfWork::read(posted, keys, &self.settings.form, now)
            }
            // Without keys no proof can be judged; the enquiry gets no auto-reply anyway.
            _ => (ProofOfWork::NotAsked, None),
        }
    }

    async fn fall_back(
        &self,
        received: &Received,
        score: &Score,
        clock: &Clock,
    ) -> Result<(), NotTaken> {
        let mailed = self.delivery.fallback(received, score, clock).await;
        mailed.map_err(|_| {
            error!("an enquiry could be neither stored nor mailed");
            NotTaken::Unavailable
        })
    }
}
