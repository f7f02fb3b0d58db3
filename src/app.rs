//! The application: what every kind of event needs, and where each kind goes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use futures_util::FutureExt;
use jiff::Timestamp;
use lambda_runtime::Error;
use serde_json::Value;

use crate::clock::Clock;
use crate::email::Mailer;
use crate::invocation::Invocation;
use crate::practice::Practice;
use crate::settings::Settings;
use crate::store::Store;
use crate::{commands, feedback, stream, web};

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
        // SES has no idempotency token: a retry that nobody decided could send an email twice.
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

    /// Builds the application as it runs in Lambda: region and credentials from the variables that Lambda sets. The
    /// endpoints are AWS's own, or those of `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL_SESV2` or
    /// `AWS_ENDPOINT_URL`.
    ///
    /// The SDK's own chain of sources (profiles, containers, instance metadata, web identity) is left out: none of it
    /// exists in Lambda, and it makes up a tenth of the binary and most of the time before the first answer.
    #[must_use]
    pub fn from_variables(
        settings: Settings,
        practice: Practice,
        client: SharedHttpClient,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let credentials = Credentials::new(
            variable("AWS_ACCESS_KEY_ID").unwrap_or_default(),
            variable("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
            variable("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let endpoint = |service: &str| {
            variable(&format!("AWS_ENDPOINT_URL_{service}"))
                .or_else(|| variable("AWS_ENDPOINT_URL"))
        };
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(variable("AWS_REGION").map(Region::new))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(client)
            .build();
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk);
        dynamodb.set_endpoint_url(endpoint("DYNAMODB"));
        let mut ses = aws_sdk_sesv2::config::Builder::from(&sdk);
        ses.set_endpoint_url(endpoint("SESV2"));
        Self::new(settings, practice, dynamodb, ses)
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When the event is unknown, or when what woke the function shall try again.
    pub async fn handle(self: &Arc<Self>, event: Value, clock: &Clock) -> Result<Value, Error> {
        // Boxed, since the SDK's futures are large and deeply nested.
        match Invocation::recognise(event)? {
            Invocation::Http(request) => web::handle(self, request, clock).boxed().await,
            Invocation::Stream(records) => stream::handle(self, records, clock).boxed().await,
            Invocation::Feedback(messages) => {
                feedback::handle(self, &messages, clock).boxed().await
            }
            Invocation::Command(command) => commands::handle(self, &command, clock).boxed().await,
        }
    }
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
