//! The SDK's plumbing: the HTTP client with Amazon's own root certificates, region, credentials and endpoints from the
//! variables that Lambda sets, the limits of each service's calls, and the secret.
//!
//! The SDK's own chain of sources (profiles, containers, instance metadata, web identity) is left out: none of it exists in
//! Lambda, and it makes up a tenth of the binary and most of the time before the first answer. One call of one operation does
//! not pay for a third SDK client either (a twentieth of the binary): the secret is fetched by the SDK's own orchestrator with
//! a request that is made and signed here (AWS Secrets Manager API Reference, "GetSecretValue").

mod call;
mod door;
mod no_network;
mod topic;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig as SdkTimeouts;
use aws_sdk_dynamodb::config::{
    BehaviorVersion as SdkVersion, Credentials, Region, SharedCredentialsProvider,
};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_types::SdkConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;

use crate::keys::Keys;
use call::{Call, Signer};

pub use door::Door;
pub use topic::{AlarmTopic, Subscription};

pub use no_network::no_network;

/// An HTTP client; its clones share the connections.
pub use aws_sdk_dynamodb::config::SharedHttpClient;

/// Amazon Trust Services' roots ("Amazon Trust Services Repository"), as Debian ships them. The function speaks to AWS
/// alone: five roots instead of the system's hundred and forty are fewer authorities to trust, and nothing is read from
/// the disk before the first answer.
const ROOTS: &str = include_str!("aws/roots.pem");

/// The HTTP clients under the calls.
#[derive(Clone)]
pub struct HttpClients {
    /// For SES alone.
    ses: SharedHttpClient,
    /// For all else.
    common: SharedHttpClient,
}

/// After so many idle seconds a connection to SES is not used again: the two emails of an enquiry share one, and an old one may be
/// gone without a word, which costs a client the auto-reply, since no call to SES is repeated.
const SES_IDLE: Duration = Duration::from_secs(3);

impl HttpClients {
    /// Clients that trust Amazon's roots. Endpoints without TLS work too, as local ones are.
    #[must_use]
    pub fn new() -> Self {
        Self::trusting(ROOTS)
    }

    /// Clients that trust the certificates of the file that `AWS_CA_BUNDLE` names and no others, as every AWS tool does where it is set
    /// ("AWS SDKs and Tools Reference Guide"); Amazon's roots where it is not.
    ///
    /// # Errors
    /// When the file cannot be read, holds no certificate in PEM, or one that is none.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, UnusableBundle> {
        let Some(file) = given(variable, CA_BUNDLE) else {
            return Ok(Self::new());
        };
        let text = std::fs::read_to_string(file).map_err(|_| UnusableBundle)?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let certificate = certificate.map_err(|_| UnusableBundle)?;
            roots.add(certificate).map_err(|_| UnusableBundle)?;
        }
        if roots.is_empty() {
            return Err(UnusableBundle);
        }
        Ok(Self::trusting(&text))
    }

    fn trusting(roots: &str) -> Self {
        Self {
            ses: http_client(roots, Some(SES_IDLE)),
            common: http_client(roots, None),
        }
    }
}

/// The variable that names a file of certificates to trust instead of Amazon's.
pub const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The file of `AWS_CA_BUNDLE` cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusableBundle;

impl Default for HttpClients {
    fn default() -> Self {
        Self::new()
    }
}

impl From<SharedHttpClient> for HttpClients {
    /// One client for everything.
    fn from(client: SharedHttpClient) -> Self {
        Self {
            ses: client.clone(),
            common: client,
        }
    }
}

/// After so long without a connection none came about, and nothing was sent: below the limit of a call to SES, after which that is
/// unknown. The SDK's own default.
const CONNECT: Duration = Duration::from_millis(3_100);

/// `roots`: certificates in PEM. `idle`: for how long a connection is kept that nothing uses; as long as the HTTP client does by itself
/// when left out.
///
/// All calls share one connector, made when the first of them leaves. The SDK's builder makes a connector and its TLS configuration for
/// each combination of limits that a call may have, and one more for each client, which it drops.
fn http_client(roots: &str, idle: Option<Duration>) -> SharedHttpClient {
    let roots = TrustStore::empty().with_pem_certificate(roots);
    let connector = LazyLock::new(move || {
        let settings = HttpConnectorSettings::builder();
        let settings = settings.connect_timeout(CONNECT).build();
        let mut builder = Connector::builder().connector_settings(settings);
        builder.set_pool_idle_timeout(idle.map(Some));
        let builder = builder.tls_provider(Provider::Rustls(CryptoMode::Ring));
        SharedHttpConnector::new(
            match TlsContext::builder().with_trust_store(roots).build() {
                Ok(context) => builder.tls_context(context).build(),
                // The SDK's `build` has no error today.
                Err(_) => builder.build(),
            },
        )
    });
    http_client_fn(move |_, _| connector.clone())
}

/// The client of SES: without retries, since SES has no idempotency token, so that a retry by itself could send an email twice. It is
/// made when it is used first: making one takes a while, and while the function starts a person waits, who waits for no email.
#[derive(Clone)]
pub struct SesClient(Arc<LazyLock<aws_sdk_sesv2::Client, MakeClient>>);

type MakeClient = Box<dyn FnOnce() -> aws_sdk_sesv2::Client + Send>;

impl Deref for SesClient {
    type Target = aws_sdk_sesv2::Client;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The clients of the two services.
#[derive(Clone)]
pub struct Clients {
    /// DynamoDB: one call may take 3 seconds in all, so that the client who waits gets an answer in time.
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub ses: SesClient,
    /// The topic that alarms go to, when it is known.
    pub alarm_topic: Option<AlarmTopic>,
    /// The desk's own public door.
    pub door: Door,
}

impl Clients {
    /// The clients for these variables. The endpoints are AWS's own, or those of `AWS_ENDPOINT_URL_DYNAMODB`,
    /// `AWS_ENDPOINT_URL_SESV2` or `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn from_variables(
        clients: impl Into<HttpClients>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let clients = clients.into();
        let alarm_topic = AlarmTopic::from_variables(&variable, &clients);
        let door = Door::new(&clients);
        let HttpClients { ses, common } = clients;
        let sdk = SdkConfig::builder()
            .behavior_version(SdkVersion::v2026_01_12())
            .region(given(&variable, "AWS_REGION").map(Region::new))
            .credentials_provider(SharedCredentialsProvider::new(credentials(&variable)))
            .http_client(common)
            .build();
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk)
            .timeout_config(timeouts(
                Duration::from_millis(1_400),
                Duration::from_secs(3),
            ))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(3)
                    .with_initial_backoff(Duration::from_millis(40)),
            );
        dynamodb.set_endpoint_url(endpoint(&variable, "DYNAMODB"));
        let ses_endpoint = endpoint(&variable, "SESV2");
        let ses: MakeClient = Box::new(move || {
            let mut config = aws_sdk_sesv2::config::Builder::from(&sdk)
                .http_client(ses)
                .timeout_config(timeouts(Duration::from_secs(5), Duration::from_secs(5)))
                .retry_config(RetryConfig::disabled());
            config.set_endpoint_url(ses_endpoint);
            aws_sdk_sesv2::Client::from_conf(config.build())
        });
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            ses: SesClient(Arc::new(LazyLock::new(ses))),
            alarm_topic,
            door,
        }
    }
}

fn timeouts(attempt: Duration, operation: Duration) -> SdkTimeouts {
    SdkTimeouts::builder()
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// A variable that is set and not empty.
fn given(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.is_empty())
}

fn credentials(variable: impl Fn(&str) -> Option<String>) -> Credentials {
    Credentials::new(
        given(&variable, "AWS_ACCESS_KEY_ID").unwrap_or_default(),
        given(&variable, "AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
        given(&variable, "AWS_SESSION_TOKEN"),
        None,
        "environment",
    )
}

fn endpoint(variable: impl Fn(&str) -> Option<String>, service: &str) -> Option<String> {
    given(&variable, &format!("AWS_ENDPOINT_URL_{service}"))
        .or_else(|| given(&variable, "AWS_ENDPOINT_URL"))
}

/// How long fetching the secret may take: a client may be waiting.
const SECRET_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Where the secret lies, and who asks.
pub struct SecretSource {
    id: String,
    endpoint: String,
    region: String,
    credentials: Credentials,
    client: SharedHttpClient,
}

/// What the secret says: the key itself, silent in `Debug`.
#[derive(Clone)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The variable of this name, if the secret holds it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        (name == "HASH_KEY").then(|| self.0.clone())
    }

    /// Reads the secret's text: the key alone, or an object with the name of the variable.
    fn read(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Variables {
            #[serde(rename = "HASH_KEY")]
            key: String,
        }
        let text = text.trim();
        let key = if text.starts_with('{') {
            serde_json::from_str::<Variables>(text).ok()?.key
        } else {
            text.to_owned()
        };
        (key.len() >= Keys::MIN).then_some(Self(key))
    }
}

/// Why the secret could not be had: AWS's code, or the kind of the failure on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    pub code: String,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secret could not be read: {}", self.code)
    }
}

impl std::error::Error for SecretError {}

impl SecretSource {
    /// The secret that `SECRET_ID` names, when it does; nothing when the environment holds the key itself.
    #[must_use]
    pub fn from_variables(
        variable: &impl Fn(&str) -> Option<String>,
        clients: impl Into<HttpClients>,
    ) -> Option<Self> {
        if given(variable, "HASH_KEY").is_some() {
            return None;
        }
        let region = given(variable, "AWS_REGION").unwrap_or_default();
        let endpoint = endpoint(variable, "SECRETS_MANAGER").unwrap_or_else(|| {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://secretsmanager.{region}.amazonaws.com{suffix}")
        });
        Some(Self {
            id: given(variable, "SECRET_ID")?,
            endpoint: format!("{}/", endpoint.trim_end_matches('/')),
            region,
            credentials: credentials(variable),
            client: clients.into().common,
        })
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// When it cannot be had within 1.5 seconds, or holds no key of 32 bytes or more.
    pub async fn fetch(&self) -> Result<Secret, SecretError> {
        let error = |code: &str| SecretError {
            code: code.to_owned(),
        };
        let call = Call {
            service: "SecretsManager",
            operation: "GetSecretValue",
            endpoint: &self.endpoint,
            client: &self.client,
            timeout: SECRET_TIMEOUT,
        };
        let signer = Signer {
            credentials: &self.credentials,
            region: &self.region,
            service: "secretsmanager",
        };
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
        ];
        let body = json!({ "SecretId": self.id }).to_string();
        let request = signer.post(&self.endpoint, &headers, body);
        let answer = call.send(request).await.map_err(|code| error(&code))?;
        read_answer(&answer).map_err(|code| error(&code))
    }
}

fn read_answer(answer: &call::Answer) -> Result<Secret, String> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "SecretString")]
        secret: Option<String>,
        #[serde(rename = "__type")]
        code: Option<String>,
    }
    let status = || format!("Status{}", answer.status);
    let body: Body = serde_json::from_slice(&answer.body).map_err(|_| status())?;
    match (body.secret, body.code) {
        (Some(secret), _) if (200..300).contains(&answer.status) => {
            Secret::read(&secret).ok_or_else(|| "Unusable".to_owned())
        }
        // The code may carry a namespace before it.
        (_, Some(code)) => Err(code.rsplit('#').next().unwrap_or_default().to_owned()),
        _ => Err(status()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_key_or_an_object_with_it() {
        let key = "0123456789abcdef0123456789abcdef";
        let object = format!(r#"{{"HASH_KEY": "{key}", "OTHER": "x"}}"#);
        for text in [key, &format!(" {key}\n"), &object] {
            let secret = Secret::read(text).unwrap();
            assert_eq!(secret.get("HASH_KEY").as_deref(), Some(key));
            assert_eq!(secret.get("TABLE_NAME"), None);
            assert!(!format!("{secret:?}").contains(key));
        }
        for unusable in [
            "",
            "short",
            "{",
            r#"{"HASH_KEY": "short"}"#,
            r#"{"OTHER": "x"}"#,
        ] {
            assert!(Secret::read(unusable).is_none(), "{unusable}");
        }
    }
}
