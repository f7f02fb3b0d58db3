//! The function's secret, fetched once at its start from AWS Secrets Manager.
//!
//! One call of one operation does not pay for a third SDK client in the binary (a twentieth of it): the SDK's own
//! orchestrator sends a request that is made and signed here (AWS Secrets Manager API Reference, "GetSecretValue").

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::{Credentials, SharedHttpClient};
use aws_sdk_dynamodb::error::SdkError;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::SensitiveOutput;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::timeout::TimeoutConfig;
use serde::Deserialize;
use serde_json::json;

use crate::settings::HashKey;

/// What one call may take: a client may be waiting.
const ONE_CALL: Duration = Duration::from_millis(1_500);

/// Where the secret lies, and who asks.
pub struct SecretSource {
    id: String,
    endpoint: String,
    region: String,
    credentials: Credentials,
    client: SharedHttpClient,
}

/// The variables that the secret holds, silent in `Debug`.
#[derive(Clone, Default, Deserialize)]
pub struct SecretVariables {
    /// The key under which identities and addresses are hashed.
    #[serde(rename = "HASH_KEY")]
    pub hash_key: String,
    /// The keys of the time tokens, where they are not to follow from the hash key.
    #[serde(rename = "TOKEN_KEYS", default)]
    pub token_keys: Option<String>,
}

impl fmt::Debug for SecretVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretVariables(…)")
    }
}

impl SecretVariables {
    /// The variable of this name, if the secret holds it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        match name {
            "HASH_KEY" => Some(&self.hash_key),
            "TOKEN_KEYS" => self.token_keys.as_deref(),
            _ => None,
        }
    }

    /// Reads what the secret says: the hash key alone, or an object with the names of the variables.
    fn read(text: &str) -> Option<Self> {
        let read = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).ok()?
        } else {
            Self {
                hash_key: text.trim().to_owned(),
                token_keys: None,
            }
        };
        (read.hash_key.len() >= HashKey::MIN).then_some(read)
    }
}

/// Why the secret could not be had: AWS's code, or the kind of the failure on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    /// The code.
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
        client: SharedHttpClient,
    ) -> Option<Self> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        if given("HASH_KEY").is_some() {
            return None;
        }
        let region = given("AWS_REGION").unwrap_or_default();
        let endpoint = given("AWS_ENDPOINT_URL_SECRETS_MANAGER")
            .or_else(|| given("AWS_ENDPOINT_URL"))
            .unwrap_or_else(|| {
                let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
                format!("https://secretsmanager.{region}.amazonaws.com{suffix}")
            });
        let credentials = Credentials::new(
            given("AWS_ACCESS_KEY_ID").unwrap_or_default(),
            given("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
            given("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Some(Self {
            id: given("SECRET_ID")?,
            endpoint: format!("{}/", endpoint.trim_end_matches('/')),
            region,
            credentials,
            client,
        })
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// When it cannot be had within 1.5 seconds, or holds no key of 32 bytes or more.
    pub async fn fetch(&self) -> Result<SecretVariables, SecretError> {
        let error = |code: &str| SecretError {
            code: code.to_owned(),
        };
        let request = self.request().map_err(|_| error("Unsignable"))?;
        let operation = Operation::builder()
            .service_name("SecretsManager")
            .operation_name("GetSecretValue")
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(self.client.clone())
            .endpoint_url(&self.endpoint)
            .no_auth()
            .no_retry()
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .timeout_config(TimeoutConfig::builder().operation_timeout(ONE_CALL).build())
            .runtime_plugin(StaticRuntimePlugin::new().with_config({
                let mut layer = Layer::new("secret");
                layer.store_put(SensitiveOutput);
                layer.freeze()
            }))
            .serializer(|request: Request| HttpRequest::try_from(request.0).map_err(BoxError::from))
            .deserializer(read_answer)
            .build();
        match operation.invoke(Request(request)).await {
            Ok(answer) => Ok(answer),
            Err(SdkError::ServiceError(error)) => Err(error.into_err()),
            Err(SdkError::TimeoutError(_)) => Err(error("Timeout")),
            Err(SdkError::DispatchFailure(_)) => Err(error("DispatchFailure")),
            Err(_) => Err(error("Unreadable")),
        }
    }

    /// The request, signed (Signature Version 4).
    fn request(&self) -> Result<http::Request<aws_smithy_types::body::SdkBody>, BoxError> {
        let body = json!({ "SecretId": self.id }).to_string();
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
        ];
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("secretsmanager")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            "POST",
            &self.endpoint,
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = http::Request::post(&self.endpoint);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(body.into())?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

/// The request, without a `Debug` that shows the credentials in its headers.
struct Request(http::Request<aws_smithy_types::body::SdkBody>);

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request(…)")
    }
}

fn read_answer(response: &HttpResponse) -> Result<SecretVariables, OrchestratorError<SecretError>> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "SecretString")]
        secret: Option<String>,
        #[serde(rename = "__type")]
        code: Option<String>,
    }
    let error = |code: String| OrchestratorError::operation(SecretError { code });
    let answer = response
        .body()
        .bytes()
        .and_then(|body| serde_json::from_slice::<Answer>(body).ok())
        .ok_or_else(|| error(format!("Status{}", response.status().as_u16())))?;
    match (answer.secret, answer.code) {
        (Some(secret), _) if response.status().is_success() => {
            SecretVariables::read(&secret).ok_or_else(|| error("Unusable".to_owned()))
        }
        // The code may carry a namespace before it.
        (_, Some(code)) => Err(error(
            code.rsplit('#').next().unwrap_or_default().to_owned(),
        )),
        _ => Err(error(format!("Status{}", response.status().as_u16()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_key_or_an_object_of_variables() {
        let key = "0123456789abcdef0123456789abcdef";
        assert_eq!(SecretVariables::read(key).unwrap().hash_key, key);
        let both = format!(r#"{{"HASH_KEY": "{key}", "TOKEN_KEYS": "{key},{key}"}}"#);
        let read = SecretVariables::read(&both).unwrap();
        assert_eq!(read.get("HASH_KEY"), Some(key));
        assert_eq!(read.get("TOKEN_KEYS").unwrap().len(), 65);
        assert_eq!(read.get("TABLE_NAME"), None);
        for unusable in [
            "",
            "short",
            "{",
            r#"{"HASH_KEY": "short"}"#,
            r#"{"OTHER": "x"}"#,
        ] {
            assert!(SecretVariables::read(unusable).is_none(), "{unusable}");
        }
        assert!(!format!("{read:?}").contains(key));
    }
}
