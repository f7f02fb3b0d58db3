//! The product behind the local system's doors: the real application, over the local database and SES catcher.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::function::Function;
use super::{Endpoints, aws};
use crate::app::App;
use crate::clock::Clock;
use crate::practice::Practice;
use crate::settings::{SettingErrors, Settings};

/// How long one invocation may take, in seconds: `Timeout` in `template.yaml`.
const TIMEOUT: i64 = 29;

/// The settings of the local system: `given` comes first, as the environment of `cargo local` does; what it leaves
/// out is filled in.
///
/// # Errors
/// Every given variable that cannot be used.
pub fn settings(
    endpoints: &Endpoints,
    given: impl Fn(&str) -> Option<String>,
) -> Result<Settings, SettingErrors> {
    Settings::from_env(|name| match name {
        // The local system made its own table.
        "TABLE_NAME" => Some(endpoints.table.clone()),
        _ => given(name).or_else(|| default(endpoints, name)),
    })
}

/// What stands for a variable that nobody gave.
fn default(endpoints: &Endpoints, name: &str) -> Option<String> {
    let value = match name {
        "TABLE_NAME" => endpoints.table.clone(),
        "THERAPIST_EMAIL" => "therapist@example.com".to_owned(),
        "SENDER_EMAIL" => "desk@example.com".to_owned(),
        "HASH_KEY" => "this-key-keeps-no-secret-it-is-for-one-machine".to_owned(),
        // One machine is one source: somebody who tries things out shall not be asked to wait.
        "RATE_LIMIT_PER_SOURCE" | "AUTO_REPLIES_PER_DAY" => "1000000".to_owned(),
        // A browser that a script drives fills in the form in a blink.
        "MIN_FILL_SECONDS" => "0".to_owned(),
        "CONFIGURATION_SET" => "enquiry-desk".to_owned(),
        "ALLOWED_ORIGINS" => format!(
            "http://127.0.0.1:{port},http://localhost:{port}",
            port = endpoints.port
        ),
        _ => return None,
    };
    Some(value)
}

/// The environment of a function that runs beside the local system, one variable a line.
#[must_use]
pub fn environment(endpoints: &Endpoints) -> String {
    let ours = [
        "TABLE_NAME",
        "THERAPIST_EMAIL",
        "SENDER_EMAIL",
        "HASH_KEY",
        "RATE_LIMIT_PER_SOURCE",
        "AUTO_REPLIES_PER_DAY",
        "MIN_FILL_SECONDS",
        "CONFIGURATION_SET",
        "ALLOWED_ORIGINS",
    ];
    let ours = ours
        .into_iter()
        .filter_map(|name| Some((name, default(endpoints, name)?)));
    let aws = [
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb.as_str()),
        ("AWS_ENDPOINT_URL_SESV2", endpoints.ses.as_str()),
        ("AWS_REGION", aws::REGION),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ];
    let aws = aws
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()));
    ours.chain(aws)
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect()
}

/// The application over the local endpoints.
#[must_use]
pub fn app(endpoints: &Endpoints, settings: Settings, practice: Practice) -> Arc<App> {
    let dynamodb = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_dynamodb::config::Region::from_static(aws::REGION))
        .credentials_provider(aws::credentials())
        .http_client(aws::http_client())
        .endpoint_url(&endpoints.dynamodb);
    let ses = aws_sdk_sesv2::Config::builder()
        .behavior_version(aws_sdk_sesv2::config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_sesv2::config::Region::from_static(aws::REGION))
        .credentials_provider(aws::credentials())
        .http_client(aws::http_client())
        .endpoint_url(&endpoints.ses);
    Arc::new(App::new(settings, practice, dynamodb, ses))
}

/// The application as the function that Lambda would run.
#[must_use]
pub fn function(app: Arc<App>) -> Function {
    function_ahead(app, SignedDuration::ZERO)
}

/// The same with a clock that is ahead by this much: leases and cool-downs that began before run out sooner.
#[must_use]
pub fn function_ahead(app: Arc<App>, ahead: SignedDuration) -> Function {
    Function::new(move |event| {
        let app = Arc::clone(&app);
        async move {
            let now = Timestamp::now() + ahead;
            let clock = Clock::new(now, now + SignedDuration::from_secs(TIMEOUT));
            app.handle(event, &clock)
                .await
                .map_err(|error| error.to_string())
        }
    })
}
