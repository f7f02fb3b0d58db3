//! One enquiry while the function starts, so that the first client does not wait for what is done once: expressions that are compiled,
//! tables that are read, templates, the router, the SDK's own preparations. It goes the whole way that an enquiry goes, in an
//! application of its own whose calls reach no network, and is not logged.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::App;
use crate::aws::{Clients, SharedHttpClient};
use crate::clock::Clock;
use crate::practice::Practice;
use crate::settings::Settings;

/// Answers every call with nothing: to the table that is an accepted write.
#[derive(Debug, Clone, Copy)]
struct NoNetwork;

impl HttpClient for NoNetwork {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(*self)
    }
}

impl HttpConnector for NoNetwork {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let accepted = http::Response::new(SdkBody::from("{}"));
        HttpConnectorFuture::ready(Ok(accepted.try_into().unwrap_or_else(|_| {
            HttpResponse::new(http::StatusCode::OK.into(), SdkBody::empty())
        })))
    }
}

/// Takes one enquiry that leaves no trace.
pub(super) async fn rehearse(
    variable: impl Fn(&str) -> Option<String>,
    practice: &Practice,
    clock: &Clock,
) {
    // The key is none that anything was ever made with.
    let key = |name: &str| (name == "HASH_KEY").then(|| "-".repeat(32));
    let Ok(settings) = Settings::from_env(|name| key(name).or_else(|| variable(name))) else {
        // The application that is built next says what is wrong.
        return;
    };
    let clients = Clients::from_variables(SharedHttpClient::new(NoNetwork), variable);
    let app = App::new(settings, practice.clone(), clients);
    let answered = app.handle(enquiry(), clock);
    let _ = answered.with_subscriber(NoSubscriber::new()).await;
}

/// A post as API Gateway hands it over, from the desk's own page.
fn enquiry() -> Value {
    const HOST: &str = "desk.example.com";
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/enquiries",
        "rawQueryString": "",
        "headers": {
            "accept": "text/html",
            "content-type": "application/x-www-form-urlencoded",
            "host": HOST,
            "origin": format!("https://{HOST}"),
        },
        "requestContext": {
            "domainName": HOST,
            "http": { "method": "POST", "path": "/enquiries", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
        },
        "body": "name=Zo%C3%AB+Example&email=zoe%40example.com&phone=07700+900982&area=neck&goal=treat&recent_injury=no&warmth=yes\
                 &message=It+aches+after+a+day+at+the+desk.&consent=yes",
        "isBase64Encoded": false,
    })
}
