//! The SDK's HTTP client with a function in it that sees every call: it may note it down, change it, hold it up, lose it or
//! answer it itself, and otherwise hands it on to the server.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{aws, http_api};

/// What a call comes back with.
pub type Answer = Result<HttpResponse, ConnectorError>;

/// What a call asks for, whatever the protocol of its service.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The service as the signature names it; empty where there is none.
    pub service: String,
    /// The operation as its API reference names it, or method and path where that is not known here.
    pub operation: String,
    /// The input. What a REST protocol has in the path stands in it too.
    pub body: Value,
}

impl Asked {
    fn read(request: &HttpRequest) -> Self {
        // "AWS4-HMAC-SHA256 Credential=key/day/region/service/aws4_request, …"
        let signature = request.headers().get("authorization").unwrap_or_default();
        let service = signature.split('/').nth(3).unwrap_or_default().to_owned();
        let bytes = request.body().bytes().unwrap_or_default();
        let mut body = serde_json::from_slice(bytes).unwrap_or_default();
        let path = request.uri().split("://").last().unwrap_or_default();
        let path = path.split_once('/').map_or("", |(_, path)| path);
        let target = request.headers().get("x-amz-target");
        let operation = match (target, request.method(), path) {
            (Some(target), ..) => target.rsplit('.').next().unwrap_or_default(),
            (None, "POST", "v2/email/outbound-emails") => "SendEmail",
            (None, "GET", "v2/email/account") => "GetAccount",
            (None, "POST", "v2/email/vdm/recommendations") => "ListRecommendations",
            (None, "GET", path) if path.starts_with("v2/email/identities/") => {
                let name = path.rsplit('/').next().unwrap_or_default();
                body = json!({ "EmailIdentity": http_api::decoded(name) });
                "GetEmailIdentity"
            }
            (None, "GET", path) if path.starts_with("v2/email/configuration-sets/") => {
                let mut parts = path.split('/').skip(3);
                let name = parts.next().unwrap_or_default();
                body = json!({ "ConfigurationSetName": http_api::decoded(name) });
                match parts.next() {
                    None => "GetConfigurationSet",
                    Some(_) => "GetConfigurationSetEventDestinations",
                }
            }
            // A form, as SNS's query API takes it.
            (None, "POST", "") if service == "sns" => {
                body = json!(http_api::parameters(&String::from_utf8_lossy(bytes)));
                let action = body.get("Action").and_then(Value::as_str);
                action.unwrap_or_default()
            }
            (None, method, path) => &format!("{method} /{path}"),
        };
        let operation = operation.to_owned();
        Self {
            service,
            operation,
            body,
        }
    }
}

/// A call that has left the SDK.
#[derive(Debug)]
pub struct Call {
    /// What it asks for.
    pub asked: Asked,
    /// The request itself.
    pub request: HttpRequest,
    server: SharedHttpConnector,
}

impl Call {
    /// Hands the call on, and gives the server's answer.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn send(self) -> Answer {
        self.server.call(self.request).await
    }

    /// Puts another input in.
    pub fn replace(&mut self, body: Value) {
        let text = body.to_string();
        let length = text.len().to_string();
        self.request.headers_mut().insert("content-length", length);
        *self.request.body_mut() = SdkBody::from(text);
        self.asked.body = body;
    }
}

/// An HTTP client for the SDK whose every call goes through this function; `plain` is the client that it hands calls on with.
pub fn client<C, A>(plain: SharedHttpClient, carry: C) -> SharedHttpClient
where
    C: Fn(Call) -> A + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let carry = Arc::new(carry);
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Wire {
            carry: Arc::clone(&carry),
            server: plain.http_connector(settings, components),
        })
    })
}

/// The same in front of the servers of this machine.
pub fn local<C, A>(carry: C) -> SharedHttpClient
where
    C: Fn(Call) -> A + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    client(aws::http_client(), carry)
}

struct Wire<C> {
    carry: Arc<C>,
    server: SharedHttpConnector,
}

impl<C> fmt::Debug for Wire<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl<C, A> HttpConnector for Wire<C>
where
    C: Fn(Call) -> A + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new((self.carry)(Call {
            asked: Asked::read(&request),
            request,
            server: self.server.clone(),
        }))
    }
}

/// What an answer says. It is kept in the answer, to be read once more.
///
/// # Errors
/// When the connection breaks before its end.
pub async fn read(answer: &mut HttpResponse) -> Result<Bytes, ConnectorError> {
    let body = ByteStream::new(answer.take_body()).collect().await;
    let bytes = body.map_err(|error| ConnectorError::io(error.into()))?;
    let bytes = bytes.into_bytes();
    *answer.body_mut() = SdkBody::from(bytes.clone());
    Ok(bytes)
}

/// A success with this output.
pub fn success(output: &Value) -> HttpResponse {
    answer(StatusCode::OK, output)
}

/// An error of a service: its status and code, and what else it says.
pub fn error(status: u16, code: &str, more: &Value) -> HttpResponse {
    let mut body = more.as_object().cloned().unwrap_or_default();
    body.insert("__type".to_owned(), code.into());
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = answer(status, &body.into());
    let headers = answer.headers_mut();
    headers.insert("x-amzn-errortype", code.to_owned());
    answer
}

fn answer(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::new(status.into(), body.to_string().into())
}

/// What the SDK hears when the connection ends without an answer.
pub fn lost() -> ConnectorError {
    ConnectorError::io("connection reset".into())
}

/// What it hears when none comes in time.
pub fn timeout() -> ConnectorError {
    ConnectorError::timeout("no answer".into())
}
