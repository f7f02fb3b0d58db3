//! One call of one operation, without an SDK client of its own: made and signed here, and sent by the SDK's own orchestrator.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::error::SdkError;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::SensitiveOutput;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::timeout::TimeoutConfig;

use super::SharedHttpClient;

pub(super) struct Call<'a> {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    /// Where, with the slash at its end.
    pub(super) endpoint: &'a str,
    pub(super) client: &'a SharedHttpClient,
    /// How long it may take in all.
    pub(super) timeout: Duration,
}

/// What came back. It may be a secret, so that it has no `Debug` that shows it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.status)
    }
}

pub(super) struct Signer<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) region: &'a str,
    /// The service as a signature names it.
    pub(super) service: &'static str,
}

/// An answer is read by who asked: the orchestrator itself finds nothing wrong in it.
#[derive(Debug)]
struct NoError;

impl fmt::Display for NoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no error")
    }
}

impl std::error::Error for NoError {}

/// The request, without a `Debug` that shows the credentials in its headers.
struct Request(http::Request<SdkBody>);

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request(…)")
    }
}

impl Call<'_> {
    /// Sends the request, once.
    ///
    /// # Errors
    /// The kind of the failure on the way. Whatever status came back is no error here.
    pub(super) async fn send(
        &self,
        request: Result<http::Request<SdkBody>, BoxError>,
    ) -> Result<Answer, String> {
        let request = request.map_err(|_| "Unsignable".to_owned())?;
        let timeout = TimeoutConfig::builder().operation_timeout(self.timeout);
        let operation = Operation::builder()
            .service_name(self.service)
            .operation_name(self.operation)
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(self.client.clone())
            .endpoint_url(self.endpoint)
            .no_auth()
            .no_retry()
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .timeout_config(timeout.build())
            .runtime_plugin(StaticRuntimePlugin::new().with_config({
                let mut layer = Layer::new("call");
                layer.store_put(SensitiveOutput);
                layer.freeze()
            }))
            .serializer(|request: Request| HttpRequest::try_from(request.0).map_err(BoxError::from))
            .deserializer(read)
            .build();
        match operation.invoke(Request(request)).await {
            Ok(answer) => Ok(answer),
            Err(SdkError::TimeoutError(_)) => Err("Timeout".to_owned()),
            Err(SdkError::DispatchFailure(_)) => Err("DispatchFailure".to_owned()),
            Err(_) => Err("Unreadable".to_owned()),
        }
    }
}

fn read(response: &HttpResponse) -> Result<Answer, OrchestratorError<NoError>> {
    Ok(Answer {
        status: response.status().as_u16(),
        body: response.body().bytes().unwrap_or_default().to_vec(),
    })
}

impl Signer<'_> {
    /// A post, signed (Signature Version 4).
    pub(super) fn post(
        &self,
        endpoint: &str,
        headers: &[(&'static str, &'static str)],
        body: String,
    ) -> Result<http::Request<SdkBody>, BoxError> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new(
            "POST",
            endpoint,
            headers.iter().copied(),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = http::Request::post(endpoint);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into())?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}
