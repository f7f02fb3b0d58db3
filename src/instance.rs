//! One copy of the deployed function: the application, and the secret that it may still be waiting for.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::SharedHttpClient;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde_json::Value;
use tracing::{error, info};

use crate::app::App;
use crate::clock::Clock;
use crate::practice::Practice;
use crate::secret::{SecretSource, SecretVariables};
use crate::settings::{SettingErrors, Settings};

/// How long a copy that has no key waits before it asks for the secret again.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// The application with what it is made from.
pub struct Instance<V> {
    variable: V,
    client: SharedHttpClient,
    secret: Option<SecretSource>,
    running: Mutex<Running>,
}

struct Running {
    app: Arc<App>,
    /// When the secret was asked for in vain; nothing once it is there.
    asked_in_vain: Option<Timestamp>,
}

impl<V: Fn(&str) -> Option<String>> Instance<V> {
    /// Fetches the secret, once, and builds the application. Without its secret the function runs all the same: an
    /// enquiry is stored and gets no auto-reply, and the secret is asked for again.
    ///
    /// # Errors
    /// The variables that are missing or wrong, by name.
    pub async fn start(variable: V, now: Timestamp) -> Result<Self, SettingErrors> {
        let client = crate::tls::client();
        let secret = SecretSource::from_variables(&variable, client.clone());
        let read = fetch(secret.as_ref()).await;
        let with_secret = build(&variable, &client, read.as_ref());
        let (app, in_vain) = match with_secret {
            Ok(app) => (app, secret.is_some() && read.is_none()),
            // A slip in the secret must not close the desk; one in the environment is found here again.
            Err(errors) => {
                let app = build(&variable, &client, None)?;
                unusable(&errors);
                (app, true)
            }
        };
        let running = Running {
            app,
            asked_in_vain: in_vain.then_some(now),
        };
        Ok(Self {
            variable,
            client,
            secret,
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
        let (app, asked) = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let due = running
                .asked_in_vain
                .filter(|asked| now.duration_since(*asked) >= AGAIN);
            if due.is_some() {
                running.asked_in_vain = Some(now);
            }
            (Arc::clone(&running.app), due)
        };
        if asked.is_none() {
            return app;
        }
        let Some(read) = fetch(self.secret.as_ref()).await else {
            return app;
        };
        match build(&self.variable, &self.client, Some(&read)) {
            Ok(app) => {
                info!("the secret is there");
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                running.app = Arc::clone(&app);
                running.asked_in_vain = None;
                app
            }
            Err(errors) => {
                unusable(&errors);
                app
            }
        }
    }
}

fn unusable(errors: &SettingErrors) {
    error!(
        alarm = "secret_unavailable",
        error = %errors,
        "the secret cannot be used: enquiries are stored without an auto-reply"
    );
}

async fn fetch(secret: Option<&SecretSource>) -> Option<SecretVariables> {
    match secret?.fetch().await {
        Ok(read) => Some(read),
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

fn build(
    variable: &impl Fn(&str) -> Option<String>,
    client: &SharedHttpClient,
    secret: Option<&SecretVariables>,
) -> Result<Arc<App>, SettingErrors> {
    let of_secret = |name: &str| {
        let value = secret.and_then(|secret| secret.get(name));
        value.map(str::to_owned)
    };
    let settings = Settings::from_env(|name| of_secret(name).or_else(|| variable(name)))?;
    let practice = Practice::compiled().clone();
    Ok(Arc::new(App::from_variables(
        settings,
        practice,
        client.clone(),
        variable,
    )))
}
