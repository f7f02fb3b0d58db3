//! One execution environment of the function: the application, with the secret that it may still be waiting for, and the copy
//! of the practice that it was built over.
//!
//! What was saved on the desk is read while the function starts, by the stream, the timer and the desk each time, and before an
//! enquiry is accepted when the copy is older than 60 seconds. A newer one swaps the application; the clients stay.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde_json::Value;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::{App, Event, rehearsal};
use crate::aws::{self, Clients, HttpClients, SecretSource};
use crate::clock::Clock;
use crate::keys::Keys;
use crate::practice::raw::{Line, Phone};
use crate::practice::{self, Practice};
use crate::settings::{Beginning, SettingError, SettingErrors, Settings};
use crate::store::{SavedPractice, Store, StoreError};
use crate::web::{self, Copied};

/// How long an execution environment without its secret waits before it asks for it again, and before it looks again for a
/// practice that could not be read.
const RETRY: SignedDuration = SignedDuration::from_secs(10);
/// How long reading the practice may take while a client waits.
const WHILE_A_CLIENT_WAITS: Duration = Duration::from_millis(300);
const OTHERWISE: Duration = Duration::from_millis(1_000);

/// One execution environment of the function.
pub struct Runtime {
    clients: Clients,
    /// For the saved practice alone, which needs no key.
    store: Store,
    secret: Option<SecretSource>,
    /// What holds until a practice is saved on the desk.
    first: Arc<Practice>,
    running: Mutex<Running>,
}

struct Running {
    /// Nothing until it is needed after one of the others has changed.
    app: Option<Arc<App>>,
    settings: Settings,
    practice: Arc<Practice>,
    /// The revision of the saved practice; 0 for the first version.
    revision: u64,
    /// When the saved practice was read last.
    read_at: Option<Timestamp>,
    /// When it was last tried.
    tried_at: Option<Timestamp>,
    /// The last failed fetch of the secret; nothing once it is there.
    failed_at: Option<Timestamp>,
}

impl Runtime {
    /// An environment over these settings and clients, in which this practice holds until one is saved on the desk, under the
    /// name and the number that the settings give where they give any.
    ///
    /// # Errors
    /// When those are not as a practice wants them.
    pub fn new(
        settings: Settings,
        first: Practice,
        clients: Clients,
    ) -> Result<Self, SettingErrors> {
        let first = Arc::new(first_practice(first, settings.beginning.as_ref())?);
        let store = Store::new(clients.dynamodb.clone(), &settings.store, None);
        let running = Running {
            app: None,
            settings,
            practice: Arc::clone(&first),
            revision: 0,
            read_at: None,
            tried_at: None,
            failed_at: None,
        };
        Ok(Self {
            clients,
            store,
            secret: None,
            first,
            running: Mutex::new(running),
        })
    }

    /// An environment as Lambda starts it, from the variables that Lambda and `template.yaml` set. The secret and the practice
    /// are read at the same time. Without its secret the function runs all the same: an enquiry is stored and gets no
    /// auto-reply, and the secret is fetched again later.
    ///
    /// # Errors
    /// The variables that are missing or wrong, by name.
    pub async fn start(
        variable: impl Fn(&str) -> Option<String>,
        now: Timestamp,
    ) -> Result<Self, SettingErrors> {
        let client = HttpClients::from_variables(&variable).map_err(|aws::UnusableBundle| {
            SettingErrors(vec![SettingError {
                variable: aws::CA_BUNDLE,
                expected: "left out, or a file of certificates in PEM",
            }])
        })?;
        Self::start_over(client, variable, now).await
    }

    /// The same over these HTTP clients.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_over(
        client: HttpClients,
        variable: impl Fn(&str) -> Option<String>,
        now: Timestamp,
    ) -> Result<Self, SettingErrors> {
        let settings = Settings::from_env(&variable)?;
        let clients = Clients::from_variables(client.clone(), &variable);
        let store = Store::new(clients.dynamodb.clone(), &settings.store, None);
        let secret = SecretSource::from_variables(&variable, client);
        let clock = Clock::new(now, now + SignedDuration::from_secs(1));
        // Beside each other: two wait for the network, the third only thinks. What they do not need is built after them.
        let (keys, saved, _) = tokio::join!(
            fetch(secret.as_ref()),
            timeout(OTHERWISE, store.practice()).boxed(),
            rehearsal::rehearse(&variable, &clock).boxed_local(),
        );
        let mut runtime = Self::new(settings, practice::compiled().clone(), clients)?;
        runtime.secret = secret;
        runtime.keep(saved, now);
        match keys {
            Some(keys) => runtime.unlock(keys),
            None => runtime.running().failed_at = runtime.secret.is_some().then_some(now),
        }
        // Not when the first client waits.
        drop(runtime.current());
        Ok(runtime)
    }

    /// The application as it is now.
    #[must_use]
    pub fn current(&self) -> Arc<App> {
        self.running().app(&self.clients)
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When the event is unknown, or when what sent it must try again.
    pub async fn handle(&self, event: Value, clock: &Clock) -> Result<Value, Error> {
        let event = Event::recognise(event)?;
        self.ask_for_the_secret(clock.now()).await;
        let Event::Http(request) = event else {
            let app = self.app(SignedDuration::ZERO, clock.now()).await;
            return app.work(event, clock).await;
        };
        // Until there is one, each request looks whether there is.
        let closed = !self.running().settings.web.is_open;
        let oldest = web::oldest_practice(&request);
        let app = match oldest.map(|oldest| if closed { SignedDuration::ZERO } else { oldest }) {
            Some(oldest) => self.app(oldest, clock.now()).await,
            None => self.current(),
        };
        let answered = app.web.handle(&request, Copied::Before, clock).boxed();
        if let Some(answer) = answered.await? {
            return Ok(answer);
        }
        // Nothing is refused that a newer practice knows.
        let app = self.look(WHILE_A_CLIENT_WAITS, clock.now()).await;
        app.work(Event::Http(request), clock).await
    }

    /// The application over a practice that is no older than this; over the copy when none can be had.
    async fn app(&self, oldest: SignedDuration, now: Timestamp) -> Arc<App> {
        let is_due = {
            let running = self.running();
            let since =
                |at: Option<Timestamp>, time| at.is_none_or(|at| now.duration_since(at) >= time);
            oldest.is_zero() || (since(running.read_at, oldest) && since(running.tried_at, RETRY))
        };
        if !is_due {
            self.current()
        } else if oldest.is_zero() {
            self.look(OTHERWISE, now).await
        } else {
            self.look(WHILE_A_CLIENT_WAITS, now).await
        }
    }

    /// Reads the saved practice, and returns the application over it; over the last good one where that is not possible.
    async fn look(&self, wait: Duration, now: Timestamp) -> Arc<App> {
        self.running().tried_at = Some(now);
        let saved = timeout(wait, self.store.practice()).await;
        self.keep(saved, now);
        self.current()
    }

    /// Keeps what was read, or not.
    fn keep(
        &self,
        saved: Result<Result<Option<SavedPractice>, StoreError>, Elapsed>,
        now: Timestamp,
    ) {
        let mut running = self.running();
        running.tried_at = Some(now);
        let saved = match saved {
            Ok(Ok(saved)) => saved,
            Ok(Err(error)) if error.is_unreadable() => {
                unreadable(&error.code);
                running.read_at = Some(now);
                return;
            }
            Ok(Err(error)) => {
                warn!(
                    code = error.code,
                    "the practice could not be read: the copy holds"
                );
                return;
            }
            Err(_) => {
                warn!("reading the practice took too long: the copy holds");
                return;
            }
        };
        running.read_at = Some(now);
        let revision = saved.as_ref().map_or(0, |saved| saved.revision);
        if revision == running.revision {
            return;
        }
        let practice = match &saved {
            None => Arc::clone(&self.first),
            Some(saved) => match good(saved, running.revision) {
                Some(practice) => Arc::new(practice),
                None => return,
            },
        };
        info!(revision, "the practice was read");
        running.practice = practice;
        running.revision = revision;
        running.changed();
    }

    /// Asks for the secret once more when it is time.
    async fn ask_for_the_secret(&self, now: Timestamp) {
        let is_due = {
            let mut running = self.running();
            let is_due = running
                .failed_at
                .is_some_and(|failed| now.duration_since(failed) >= RETRY);
            if is_due {
                running.failed_at = Some(now);
            }
            is_due
        };
        if is_due && let Some(keys) = fetch(self.secret.as_ref()).await {
            info!("the secret is there");
            self.unlock(keys);
        }
    }

    fn unlock(&self, keys: Keys) {
        let mut running = self.running();
        running.settings.keys = Some(keys);
        running.failed_at = None;
        running.changed();
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn changed(&mut self) {
        self.settings.web.is_open = self.settings.beginning.is_none() || self.revision > 0;
        self.app = None;
    }

    fn app(&mut self, clients: &Clients) -> Arc<App> {
        let (settings, practice) = (&self.settings, &self.practice);
        let new = || App::new(settings.clone(), Arc::clone(practice), clients.clone());
        Arc::clone(self.app.get_or_insert_with(new))
    }
}

fn first_practice(
    first: Practice,
    beginning: Option<&Beginning>,
) -> Result<Practice, SettingErrors> {
    let Some(beginning) = beginning else {
        return Ok(first);
    };
    // Visitors read nothing else of it.
    let mut written = first.written;
    written.practice.name = Line(beginning.name.clone());
    written.practice.phone = Phone(beginning.phone.clone());
    written.practice.time_zone = Line(beginning.time_zone.clone());
    written.practice.address = Line("Address on request".to_owned());
    written.practice.website = None;
    written.social.clear();
    practice::check(&written).map_err(|errors| {
        let named = |key: &str| errors.0.iter().any(|error| error.key == key);
        let all = [
            ("practice.name", "PRACTICE_NAME", "a name on one line"),
            (
                "practice.phone",
                "PRACTICE_PHONE",
                "a telephone number that starts with 0 or +",
            ),
            (
                "practice.time_zone",
                "TIME_ZONE",
                "the name of a time zone, like Europe/London",
            ),
        ];
        let wrong = all.into_iter().filter(|(key, ..)| named(key));
        SettingErrors(
            wrong
                .map(|(_, variable, expected)| SettingError { variable, expected })
                .collect(),
        )
    })
}

/// The practice that was saved, where it can be read. Before any was, the version before it is better than the first one.
fn good(saved: &SavedPractice, revision: u64) -> Option<Practice> {
    match saved.words.read() {
        Ok(practice) => Some(practice),
        Err(errors) => {
            let keys: Vec<&str> = errors.0.iter().map(|it| it.key.as_str()).collect();
            unreadable(&keys.join(", "));
            let before = saved.before.read().ok();
            before.filter(|_| revision == 0)
        }
    }
}

fn unreadable(code: &str) {
    error!(
        alarm = "practice_unreadable",
        code, "the saved practice cannot be used: the last good one holds"
    );
}

async fn fetch(secret: Option<&SecretSource>) -> Option<Keys> {
    let fetched = match secret?.fetch().await {
        Ok(secret) => Ok(secret
            .get("HASH_KEY")
            .as_deref()
            .and_then(Keys::from_secret)),
        Err(error) => Err(error.code),
    };
    match fetched {
        Ok(Some(keys)) => return Some(keys),
        // A typo in the secret must not close the desk.
        Ok(None) => error!(
            alarm = "secret_unavailable",
            code = "Unusable",
            "the secret cannot be used: enquiries are stored without an auto-reply"
        ),
        Err(code) => error!(
            alarm = "secret_unavailable",
            code, "the secret could not be read: enquiries are stored without an auto-reply"
        ),
    }
    None
}
