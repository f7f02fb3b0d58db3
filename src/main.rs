//! The Lambda function: settings, then the application, then one event after the other.

use std::process::ExitCode;
use std::sync::Arc;

use enquiry_desk::app::Runtime;
use enquiry_desk::clock::Clock;
use enquiry_desk::telemetry;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;

/// How long an invocation may take when the event does not say by when it must be done: `Timeout` in `template.yaml`.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(29);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let level = std::env::var("LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse().ok());
    telemetry::start(level.unwrap_or(tracing::Level::INFO));
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let variable = |name: &str| std::env::var(name).ok();
    let runtime = Arc::new(Runtime::start(variable, Timestamp::now()).await?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let runtime = Arc::clone(&runtime);
        async move {
            let now = Timestamp::now();
            let deadline = i64::try_from(event.context.deadline)
                .ok()
                .and_then(|at| Timestamp::from_millisecond(at).ok())
                // `cargo lambda watch` names one that has long passed, with which nothing could be started.
                .filter(|deadline| *deadline > now);
            let clock = Clock::new(now, deadline.unwrap_or(now + TIMEOUT));
            runtime
                .handle(event.payload, &clock)
                .await
                .map_err(|error| Diagnostic {
                    error_type: "EnquiryDesk".to_owned(),
                    error_message: error.to_string(),
                })
        }
    }))
    .await
}
