//! What the emulator shares with its callers: region, account, and the SDK's clients (plain HTTP, credentials that open
//! nothing), and random identifiers in the shapes that AWS uses.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use jiff::Timestamp;

/// The region that the emulator says it is in.
pub const REGION: &str = "eu-west-2";

/// The account that the emulator says it belongs to.
pub const ACCOUNT: &str = "000000000000";

/// The function's name in messages to the failure destination.
pub(crate) const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-2:000000000000:function:function";

/// Both halves of an access key that opens nothing anywhere.
pub(crate) const ACCESS_KEY: &str = "local";

/// Credentials for servers that check none. They open nothing anywhere.
pub fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "emulator")
}

/// An HTTP client without TLS.
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// The configuration of a service's client for an endpoint of this machine: the types of each service are its own.
macro_rules! config {
    ($sdk:ident, $endpoint:expr) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .credentials_provider(credentials())
            .http_client(http_client())
            .endpoint_url($endpoint)
    };
}

/// A DynamoDB client for this endpoint.
pub fn dynamodb(endpoint: &str) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, endpoint).build())
}

/// A DynamoDB Streams client for this endpoint.
pub fn dynamodb_streams(endpoint: &str) -> aws_sdk_dynamodbstreams::Client {
    aws_sdk_dynamodbstreams::Client::from_conf(config!(aws_sdk_dynamodbstreams, endpoint).build())
}

/// An SES client for this endpoint that never retries by itself: SES knows no idempotency token.
pub fn ses(endpoint: &str) -> aws_sdk_sesv2::Client {
    let config = config!(aws_sdk_sesv2, endpoint).retry_config(RetryConfig::disabled());
    aws_sdk_sesv2::Client::from_conf(config.build())
}

/// What a lock holds. It stays whole when a holder panics: each change is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A random UUID.
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(random())
        .into_uuid()
        .to_string()
}

/// A message id as SES in London makes them.
pub(crate) fn message_id(now: Timestamp) -> String {
    format!("010b{:012x}-{}-000000", now.as_millisecond(), uuid())
}

/// `length` random hexadecimal digits, at most 32.
pub(crate) fn hex(length: usize) -> String {
    uuid()
        .chars()
        .filter(|character| *character != '-')
        .take(length)
        .collect()
}

/// True with this probability.
pub(crate) fn chance(probability: f64) -> bool {
    let [first, second, ..] = random();
    f64::from(u16::from_be_bytes([first, second])) < probability * 65_536.0
}

/// One of these, each as likely as the others.
pub(crate) fn one_of<T>(choices: &[T]) -> Option<&T> {
    let [first, second, ..] = random();
    let place = usize::from(u16::from_be_bytes([first, second])).checked_rem(choices.len())?;
    choices.get(place)
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // The system's generator does not fail on the systems this runs on; zeros would only make ids repeat.
    let _ = getrandom::fill(&mut bytes);
    bytes
}
