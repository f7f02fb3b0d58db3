//! Counts on the wire what the function asks of the table: requests, and the capacity that the engine says they took.

use std::sync::{Arc, Mutex};

use aws_emulator::aws;
use aws_sdk_dynamodb::config::SharedHttpClient;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;

/// What was asked of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    pub requests: u32,
    /// Those among them that were refused: a reference that another enquiry has, for one.
    pub refused: u32,
    /// Of reads and writes, as the engine counts them by DynamoDB's rules.
    pub units: f64,
}

/// The count since the last time.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Cost>);

impl Meter {
    pub fn take(&self) -> Cost {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// A client whose calls are counted.
    pub fn client(self: &Arc<Self>) -> SharedHttpClient {
        let (meter, plain) = (Arc::clone(self), aws::http_client());
        http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Connector {
                meter: Arc::clone(&meter),
                plain: plain.http_connector(settings, components),
            })
        })
    }
}

#[derive(Debug)]
struct Connector {
    meter: Arc<Meter>,
    plain: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if !target.starts_with("DynamoDB") {
            return self.plain.call(request);
        }
        let body = request.body().bytes().unwrap_or_default();
        let mut body: Value = serde_json::from_slice(body).unwrap();
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        let body = body.to_string();
        let length = body.len().to_string();
        request.headers_mut().insert("content-length", length);
        *request.body_mut() = SdkBody::from(body);
        let (meter, plain) = (Arc::clone(&self.meter), self.plain.clone());
        HttpConnectorFuture::new(async move {
            let mut answer = plain.call(request).await?;
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            let body = ByteStream::new(body).collect().await;
            let body = body.map_err(|error| ConnectorError::other(error.into(), None))?;
            let body = body.into_bytes();
            let told: Value = serde_json::from_slice(&body).unwrap_or_default();
            {
                let mut cost = meter.0.lock().unwrap();
                cost.requests += 1;
                cost.refused += u32::from(!answer.status().is_success());
                cost.units += units(&told["ConsumedCapacity"]);
            }
            *answer.body_mut() = SdkBody::from(body);
            Ok(answer)
        })
    }
}

/// One table's, or a list of them.
fn units(capacity: &Value) -> f64 {
    match capacity {
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    }
}
