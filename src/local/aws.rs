//! The SDK's clients for the local system: plain HTTP, credentials that open nothing, London.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};

/// The region that the local system says it is in.
pub const REGION: &str = "eu-west-2";

/// The account that the local system says it belongs to.
pub const ACCOUNT: &str = "000000000000";

/// Credentials for servers that check none. They open nothing anywhere.
pub fn credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "local")
}

/// An HTTP client without TLS.
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// A DynamoDB client for this endpoint.
pub fn dynamodb(endpoint: &str) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .http_client(http_client())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// A DynamoDB Streams client for this endpoint.
pub fn dynamodb_streams(endpoint: &str) -> aws_sdk_dynamodbstreams::Client {
    let config = aws_sdk_dynamodbstreams::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .http_client(http_client())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_dynamodbstreams::Client::from_conf(config)
}

/// An SES client for this endpoint that never retries by itself: SES knows no idempotency token.
pub fn ses(endpoint: &str) -> aws_sdk_sesv2::Client {
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .http_client(http_client())
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_sesv2::Client::from_conf(config)
}
