//! The application: builds its parts once, and sends each event to one entry point. Nothing else names it.

mod event;
mod rehearsal;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde_json::Value;
use tracing::{error, info};

use crate::aws::{Clients, HttpClients, Secret, SecretSource};
use crate::check::Check;
use crate::clock::Clock;
use crate::commands::Commands;
use crate::delivery::Delivery;
use crate::desk::Desk;
use crate::link::Links;
use crate::nightly::Nightly;
use crate::practice::{self, Practice};
use crate::reminders::Reminders;
use crate::ses::Ses;
use crate::settings::{SettingError, SettingErrors, Settings};
use crate::sign_in::SignIn;
use crate::store::Store;
use crate::submission::Submission;
use crate::web::Web;
use crate::withdrawal::Withdrawal;
use crate::{aws, feedback, stream, web};

pub use event::{Event, UnknownEvent};

/// How long an execution environment without its secret waits before it asks for it again.
const SECRET_RETRY: SignedDuration = SignedDuration::from_secs(10);

/// Everything that lives as long as an execution environment does.
pub struct App {
    /// The public pages and the endpoint.
    pub web: Arc<Web>,
    /// The emails.
    pub delivery: Arc<Delivery>,
    /// What the therapist does: the pages and the commands share it.
    pub desk: Arc<Desk>,
    /// The operator's commands.
    pub commands: Commands,
    /// The table.
    pub store: Store,
}

impl App {
    /// Builds the application over these settings, this practice and these clients.
    #[must_use]
    pub fn new(settings: Settings, practice: Practice, clients: Clients) -> Arc<Self> {
        let practice = Arc::new(practice);
        let Settings {
            web: web_settings,
            store: store_settings,
            email,
            keys,
        } = settings;
        let store = Store::new(clients.dynamodb, &store_settings, keys.clone());
        let ses = Ses::new(clients.ses, &email);
        let sign_in = Arc::new(SignIn::new(
            store.clone(),
            ses.clone(),
            Arc::clone(&practice),
            email.therapist.clone(),
            keys.clone(),
        ));
        let reminders = Reminders::new(
            store.clone(),
            Arc::clone(&practice),
            web_settings.away_until,
        );
        let nightly = Arc::new(Nightly::new(
            store.clone(),
            Arc::clone(&practice),
            keys.as_ref(),
            web_settings.public_url.clone(),
            clients.door,
        ));
        let check = Arc::new(Check::new(
            store.clone(),
            ses.clone(),
            Arc::clone(&practice),
            email.therapist.clone(),
            clients.alarm_topic,
        ));
        let links = Links::new(
            web_settings.public_url.as_deref(),
            keys.as_ref(),
            &email.therapist,
        );
        let delivery = Delivery::new(
            store.clone(),
            ses,
            Arc::clone(&practice),
            email,
            links.clone(),
        );
        let delivery = Arc::new(delivery);
        let submission = Submission::new(
            store.clone(),
            Arc::clone(&delivery),
            Arc::clone(&practice),
            keys,
            web_settings.clone(),
        );
        let withdrawal = Withdrawal::new(store.clone());
        let desk = Desk::new(store.clone(), Arc::clone(&delivery), Arc::clone(&practice));
        let desk = Arc::new(desk);
        let web = Web::new(
            submission,
            withdrawal,
            links,
            Arc::clone(&sign_in),
            Arc::clone(&desk),
            Arc::clone(&check),
            Arc::clone(&nightly),
            Arc::clone(&practice),
            web_settings,
        );
        Arc::new(Self {
            web: Arc::new(web),
            commands: Commands::new(
                Arc::clone(&desk),
                Arc::clone(&delivery),
                sign_in,
                reminders,
                check,
                nightly,
                practice,
            ),
            desk,
            delivery,
            store,
        })
    }

    /// Builds the application as it runs in Lambda, from the variables that Lambda and `template.yaml` set.
    ///
    /// # Errors
    /// The variables that are missing or wrong, by name.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Arc<Self>, SettingErrors> {
        Self::build(&variable, &http_clients(&variable)?, None)
    }

    fn build(
        variable: &impl Fn(&str) -> Option<String>,
        client: &HttpClients,
        secret: Option<&Secret>,
    ) -> Result<Arc<Self>, SettingErrors> {
        let of_secret = |name: &str| secret.and_then(|secret| secret.get(name));
        let settings = Settings::from_env(|name| of_secret(name).or_else(|| variable(name)))?;
        let clients = Clients::from_variables(client.clone(), variable);
        Ok(Self::new(settings, practice::compiled().clone(), clients))
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When the event is unknown, or when what sent it must try again.
    pub async fn handle(&self, event: Value, clock: &Clock) -> Result<Value, Error> {
        // Boxed, since the SDK's futures are large and deeply nested.
        match Event::recognise(event)? {
            Event::Http(request) => web::handle(&self.web, request, clock).boxed().await,
            Event::Stream(records) => {
                let handled = stream::handle(&self.delivery, records, clock).boxed();
                Ok(handled.await)
            }
            Event::Feedback(messages) => {
                let handled = feedback::handle(&self.delivery, &messages, clock).boxed();
                Ok(handled.await?)
            }
            Event::Command(command) => self.commands.handle(&command, clock).boxed().await,
        }
    }
}

/// One execution environment of the deployed function: the application, and the secret that it may still be waiting for.
pub struct Runtime<V> {
    variable: V,
    client: HttpClients,
    secret: Option<SecretSource>,
    running: Mutex<Running>,
}

struct Running {
    app: Arc<App>,
    /// The last failed fetch of the secret; nothing once it is there.
    failed_at: Option<Timestamp>,
}

impl<V: Fn(&str) -> Option<String>> Runtime<V> {
    /// Fetches the secret, once, and builds the application. Without its secret the function runs all the same: an
    /// enquiry is stored and gets no auto-reply, and the secret is fetched again later.
    ///
    /// # Errors
    /// The variables that are missing or wrong, by name.
    pub async fn start(variable: V, now: Timestamp) -> Result<Self, SettingErrors> {
        let client = http_clients(&variable)?;
        let source = SecretSource::from_variables(&variable, client.clone());
        let clock = Clock::new(now, now + SignedDuration::from_secs(1));
        // Beside each other: the one waits for the network, the other only thinks.
        let (secret, ()) = tokio::join!(
            fetch(source.as_ref()),
            rehearsal::rehearse(&variable, practice::compiled(), &clock).boxed_local(),
        );
        let (app, failed) = match App::build(&variable, &client, secret.as_ref()) {
            Ok(app) => (app, source.is_some() && secret.is_none()),
            // A typo in the secret must not close the desk; one in the environment is found here again.
            Err(errors) => {
                let app = App::build(&variable, &client, None)?;
                unusable(&errors);
                (app, true)
            }
        };
        let running = Running {
            app,
            failed_at: failed.then_some(now),
        };
        Ok(Self {
            variable,
            client,
            secret: source,
            running: Mutex::new(running),
        })
    }

    /// Answers one event.
    ///
    /// # Errors
    /// As [`App::handle`].
    pub async fn handle(&self, event: Value, clock: &Clock) -> Result<Value, Error> {
        let app = self.app(clock.now()).await;
        app.handle(event, clock).await
    }

    /// The application, with the secret when it can be had by now.
    async fn app(&self, now: Timestamp) -> Arc<App> {
        let (app, is_due) = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = running
                .failed_at
                .is_some_and(|failed| now.duration_since(failed) >= SECRET_RETRY);
            if is_due {
                running.failed_at = Some(now);
            }
            (Arc::clone(&running.app), is_due)
        };
        if !is_due {
            return app;
        }
        let Some(secret) = fetch(self.secret.as_ref()).await else {
            return app;
        };
        match App::build(&self.variable, &self.client, Some(&secret)) {
            Ok(app) => {
                info!("the secret is there");
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                running.app = Arc::clone(&app);
                running.failed_at = None;
                app
            }
            Err(errors) => {
                unusable(&errors);
                app
            }
        }
    }
}

fn http_clients(variable: &impl Fn(&str) -> Option<String>) -> Result<HttpClients, SettingErrors> {
    HttpClients::from_variables(variable).map_err(|aws::UnusableBundle| {
        SettingErrors(vec![SettingError {
            variable: aws::CA_BUNDLE,
            expected: "left out, or a file of certificates in PEM",
        }])
    })
}

fn unusable(errors: &SettingErrors) {
    error!(
        alarm = "secret_unavailable",
        error = %errors,
        "the secret cannot be used: enquiries are stored without an auto-reply"
    );
}

async fn fetch(secret: Option<&SecretSource>) -> Option<Secret> {
    match secret?.fetch().await {
        Ok(secret) => Some(secret),
        Err(error) => {
            error!(
                alarm = "secret_unavailable",
                code = error.code,
                "the secret could not be read: enquiries are stored without an auto-reply"
            );
            None
        }
    }
}
