//! Once a night the desk sends itself an enquiry through its own public door: the way of a client's, from the gateway to the
//! delivery of an email, to SES's mailbox simulator. Nothing of it is seen anywhere else.
//!
//! The post is signed over the whole body, the time and a nonce. It is good for five minutes, and once: the table knows the nonce
//! of the one test that is under way. What the therapist and her clients see has no part in it.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use crate::aws::Door;
use crate::clock::Clock;
use crate::email::SIMULATOR;
use crate::enquiry::Reference;
use crate::keys::{self, Keys, SigningKey};
use crate::practice::Practice;
use crate::record::{NightlyTest, Step};
use crate::store::{Store, StoreError};

/// The header that carries the signature.
pub const HEADER: &str = "desk-nightly-test";
/// The hour of the practice's night in which the test begins.
const AT_NIGHT: i8 = 3;
/// For how long a signature is good.
const GOOD: SignedDuration = SignedDuration::from_mins(5);
/// For how long after its beginning a test is posted once more when the door did not take it: then there is time left for the
/// other steps.
const AGAIN: SignedDuration = SignedDuration::from_mins(50);

/// Sends the desk an enquiry, and knows it again.
pub struct Nightly {
    store: Store,
    practice: Arc<Practice>,
    key: Option<SigningKey>,
    public_url: Option<String>,
    door: Door,
    /// The day whose test this execution environment knows to be under way or over.
    done: Mutex<Option<Date>>,
}

/// A post that was signed as the test's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    nonce: String,
}

impl Nightly {
    /// Tests with these parts. Without the secret or an address of its own the desk sends itself nothing.
    #[must_use]
    pub fn new(
        store: Store,
        practice: Arc<Practice>,
        keys: Option<&Keys>,
        public_url: Option<String>,
        door: Door,
    ) -> Self {
        Self {
            store,
            practice,
            key: keys.map(|keys| keys.lasting("nightly test")),
            public_url,
            door,
            done: Mutex::new(None),
        }
    }

    /// Begins the test of this night when it is time, or posts it once more when the door did not take it. Returns whether
    /// anything was posted.
    ///
    /// # Errors
    /// When the table cannot be read or written, which the alarm tells.
    pub async fn when_due(&self, clock: &Clock) -> Result<bool, StoreError> {
        let now = clock.now();
        let local = |at: Timestamp| at.to_zoned(self.practice.time_zone.rules().clone());
        let (today, hour) = (local(now).date(), local(now).hour());
        let done = || self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if hour != AT_NIGHT || *done() == Some(today) || !self.is_able() {
            return Ok(false);
        }
        let last = self.last().await.inspect_err(Self::tell)?;
        let tonight = last
            .as_ref()
            .filter(|test| local(test.started_at).date() == today);
        match tonight {
            Some(test) if test.stored_at.is_some() || test.failed.is_some() => {
                *done() = Some(today);
                Ok(false)
            }
            Some(test) if now.duration_since(test.started_at) < AGAIN => {
                self.knock(test, clock).await?;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => self
                .begin(last.as_ref(), clock)
                .await
                .inspect_err(Self::tell),
        }
    }

    /// Begins a test now. Returns whether it was begun: not without a secret or an address, nor while another invocation does.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn now(&self, clock: &Clock) -> Result<bool, StoreError> {
        if !self.is_able() {
            return Ok(false);
        }
        let last = self.last().await?;
        self.begin(last.as_ref(), clock).await
    }

    /// The post that this header and body are, if the desk itself signed them within five minutes.
    #[must_use]
    pub fn read(&self, header: &str, body: &[u8], now: Timestamp) -> Option<Probe> {
        let mut parts = header.split('.');
        let (sent, nonce, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let signature = BASE64.decode(signature).ok()?;
        let at = Timestamp::from_second(sent.parse().ok()?).ok()?;
        let is_good = parts.next().is_none()
            && self
                .key
                .as_ref()?
                .verifies(&signed(sent, nonce, body), &signature)
            && now.duration_since(at).abs() <= GOOD;
        is_good.then(|| Probe {
            nonce: nonce.to_owned(),
        })
    }

    /// Keeps the test's enquiry. Returns its reference; nothing when it came before, or no test waits for it.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn accept(
        &self,
        probe: &Probe,
        clock: &Clock,
    ) -> Result<Option<Reference>, StoreError> {
        if !self.store.accept_probe(&probe.nonce, clock.now()).await? {
            return Ok(None);
        }
        Ok(self.last().await?.map(|test| test.reference))
    }

    async fn last(&self) -> Result<Option<NightlyTest>, StoreError> {
        match self.store.nightly().await {
            Err(error) if error.is_unreadable() => Ok(None),
            last => last,
        }
    }

    const fn is_able(&self) -> bool {
        self.key.is_some() && self.public_url.is_some()
    }

    async fn begin(&self, last: Option<&NightlyTest>, clock: &Clock) -> Result<bool, StoreError> {
        let nonce: [u8; 16] =
            keys::random().ok_or_else(|| StoreError::no_randomness("start the nightly test"))?;
        let test = NightlyTest {
            reference: self
                .store
                .generate_reference(&self.practice.reference_prefix)?,
            nonce: BASE64.encode(nonce),
            started_at: clock.now(),
            trouble: None,
            stored_at: None,
            streamed_at: None,
            sent_at: None,
            reported_at: None,
            failed: None,
        };
        let begins = self.store.start_nightly(&test, last).await?;
        if begins {
            self.knock(&test, clock).await?;
        }
        Ok(begins)
    }

    /// Posts the test's enquiry at the door, and writes down what it answers when it does not take it.
    async fn knock(&self, test: &NightlyTest, clock: &Clock) -> Result<(), StoreError> {
        let (Some(key), Some(origin)) = (&self.key, &self.public_url) else {
            return Ok(());
        };
        let form = self.form();
        let sent = clock.now().as_second().to_string();
        let signature = BASE64.encode(key.sign(&signed(&sent, &test.nonce, form.as_bytes())));
        let header = format!("{sent}.{}.{signature}", test.nonce);
        let answer = self
            .door
            .post(origin, "/enquiries", (HEADER, &header), form)
            .await;
        let trouble = match &answer {
            Ok(200..300) => return Ok(()),
            // The door was there, and said that the table was not.
            Ok(503) => Step::Table,
            _ => Step::Door,
        };
        warn!(?answer, %trouble, "the nightly test was not taken");
        self.store.probe_refused(&test.nonce, trouble).await
    }

    /// What a client would post.
    fn form(&self) -> String {
        let version = &self.practice.consent.version;
        let fields = [
            ("name", "Nightly test"),
            ("email", SIMULATOR),
            ("goal", "relax"),
            ("consent", "yes"),
            ("consent_version", version.as_str()),
        ];
        let encoded =
            |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let fields = fields.map(|(name, value)| format!("{name}={}", encoded(value)));
        fields.join("&")
    }

    /// A test that cannot even begin is one that fails.
    fn tell(error: &StoreError) {
        let step = Step::Table;
        error!(
            alarm = "nightly_test",
            %step,
            code = error.code,
            "the nightly test could not begin"
        );
    }
}

fn signed(sent: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [sent.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body].concat()
}
