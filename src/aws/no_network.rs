//! A network that is none.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use super::SharedHttpClient;

/// An HTTP client that answers every call with nothing: to the table that is an accepted write.
#[must_use]
pub fn no_network() -> SharedHttpClient {
    http_client_fn(|_, _| SharedHttpConnector::new(NoNetwork))
}

#[derive(Debug)]
struct NoNetwork;

impl HttpConnector for NoNetwork {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let accepted = http::Response::new(SdkBody::from("{}"));
        HttpConnectorFuture::ready(Ok(accepted.try_into().unwrap_or_else(|_| {
            HttpResponse::new(http::StatusCode::OK.into(), SdkBody::empty())
        })))
    }
}
