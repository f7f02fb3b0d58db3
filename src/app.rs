//! The application: what every kind of event needs, and where each kind goes.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use lambda_runtime::Error;
use serde_json::Value;

use crate::clock::Clock;
use crate::invocation::Invocation;
use crate::mail::Mailer;
use crate::practice::Practice;
use crate::settings::Settings;
use crate::store::Store;
use crate::{command, feedback, intake, stream};

/// The SDK's behaviour that this code was written against.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

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
}

impl App {
    /// Builds the application over an SDK configuration: region, credentials, endpoints, HTTP client.
    #[must_use]
    pub fn new(settings: Settings, practice: Practice, sdk: &SdkConfig) -> Self {
        // One call may take 3 seconds in all, so that the client who waits gets an answer in time.
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(sdk)
            .timeout_config(timeouts(Duration::from_millis(1_400), Duration::from_secs(3)))
            .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(40)))
            .build();
        // SES has no idempotency token: a retry that nobody decided could send a mail twice.
        let ses = aws_sdk_sesv2::config::Builder::from(sdk)
            .timeout_config(timeouts(Duration::from_secs(5), Duration::from_secs(5)))
            .retry_config(RetryConfig::disabled())
            .build();
        let store = Store::new(aws_sdk_dynamodb::Client::from_conf(dynamodb), &settings);
        let mailer = Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), &settings, &practice.name);
        Self { settings, practice, store, mailer }
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When the event is unknown, or when what woke the function shall try again.
    pub async fn handle(self: &Arc<Self>, event: Value, clock: &Clock) -> Result<Value, Error> {
        match Invocation::recognise(event)? {
            Invocation::Http(request) => intake::handle(self, request, clock).await,
            Invocation::Stream(records) => stream::handle(self, records, clock).await,
            Invocation::Feedback(messages) => feedback::handle(&messages),
            Invocation::Command(command) => command::handle(self, &command, clock).await,
        }
    }
}

/// The SDK configuration of the deployed function.
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(behavior()).http_client(crate::tls::client()).load().await
}

/// The SDK configuration of a system on this machine: fixed credentials, and endpoints without TLS.
#[cfg(feature = "local")]
#[must_use]
pub fn local_sdk_config() -> aws_config::ConfigLoader {
    let nobody = aws_sdk_dynamodb::config::Credentials::new("local", "local", None, None, "local");
    aws_config::defaults(behavior())
        .region(aws_config::Region::from_static("eu-west-2"))
        .credentials_provider(nobody)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}
