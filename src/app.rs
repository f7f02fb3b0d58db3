//! The application: what every kind of event needs, and where each kind goes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use futures_util::FutureExt;
use jiff::Timestamp;
use lambda_runtime::Error;
use serde_json::Value;

use crate::clock::Clock;
use crate::invocation::Invocation;
use crate::mail::Mailer;
use crate::practice::Practice;
use crate::settings::Settings;
use crate::store::Store;
use crate::{command, feedback, intake, stream};

/// Everything that lives as long as the function does.
pub struct App {
    /// What the deployment decided.
    pub settings: Settings,
    /// The practice's own words.
    pub practice: Practice,
    /// The table.
    pub store: Store,
    /// The way to SES.
    pub mailer: Mailer,
    /// When enquiries went straight to the mailbox, because the table could not be written.
    pub(crate) went_straight: Mutex<Vec<Timestamp>>,
}

impl App {
    /// Builds the application over the SDK's configuration of each service: region, credentials, endpoint, HTTP
    /// client. How long a call may take and what is tried again is decided here.
    #[must_use]
    pub fn new(
        settings: Settings,
        practice: Practice,
        dynamodb: aws_sdk_dynamodb::config::Builder,
        ses: aws_sdk_sesv2::config::Builder,
    ) -> Self {
        // One call may take 3 seconds in all, so that the client who waits gets an answer in time.
        let dynamodb = dynamodb
            .timeout_config(timeouts(
                Duration::from_millis(1_400),
                Duration::from_secs(3),
            ))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(3)
                    .with_initial_backoff(Duration::from_millis(40)),
            )
            .build();
        // SES has no idempotency token: a retry that nobody decided could send a mail twice.
        let ses = ses
            .timeout_config(timeouts(Duration::from_secs(5), Duration::from_secs(5)))
            .retry_config(RetryConfig::disabled())
            .build();
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), &settings);
        let mailer = Mailer::new(
            aws_sdk_sesv2::Client::from_conf(ses),
            &settings,
            &practice.name,
        );
        Self {
            settings,
            practice,
            store,
            mailer,
            went_straight: Mutex::new(Vec::new()),
        }
    }

    /// Builds the application as it runs in Lambda: the endpoints are AWS's own, or those of
    /// `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_SESV2`.
    pub async fn from_environment(settings: Settings, practice: Practice) -> Self {
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(crate::tls::client())
            .load()
            .await;
        Self::new(settings, practice, (&sdk).into(), (&sdk).into())
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When the event is unknown, or when what woke the function shall try again.
    pub async fn handle(self: &Arc<Self>, event: Value, clock: &Clock) -> Result<Value, Error> {
        // Boxed, since the SDK's futures are large and deeply nested.
        match Invocation::recognise(event)? {
            Invocation::Http(request) => intake::handle(self, request, clock).boxed().await,
            Invocation::Stream(records) => stream::handle(self, records, clock).boxed().await,
            Invocation::Feedback(messages) => feedback::handle(&messages),
            Invocation::Command(command) => command::handle(self, &command, clock).boxed().await,
        }
    }
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
