//! Between the gateway's events and requests and responses (payload version 2.0).

use axum::BoxError;
use axum::body::{Body, to_bytes};
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::request::LambdaRequest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{OwnOrigin, Source, Unread};

/// The request that an event carries, with what only the event knows. When the body is not valid base64, what is left is
/// enough to answer in the negotiated format, with the headers that let the site's script read the answer.
pub(super) fn request(event: &Value) -> Option<http::Request<Body>> {
    let domain = event
        .pointer("/requestContext/domainName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let own_origin = OwnOrigin(format!("https://{}", domain.to_ascii_lowercase()));
    let source = event
        .pointer("/requestContext/http/sourceIp")
        .and_then(Value::as_str);
    let source = Source(source.and_then(|source| source.parse().ok()));
    let mut event = event.clone();
    drop_what_is_no_address(&mut event);
    let mut request = read(&event).or_else(|| without_body(event))?;
    request.extensions_mut().insert(own_origin);
    request.extensions_mut().insert(source);
    Some(request)
}

/// The library makes a URI of the query and the host as they came, and panics when they make none. Nothing here reads the host, and
/// an enquiry must not be lost to a query.
fn drop_what_is_no_address(event: &mut Value) {
    let query = event.get("rawQueryString").and_then(Value::as_str);
    let readable = query.is_none_or(|query| format!("/?{query}").parse::<http::Uri>().is_ok());
    if !readable && let Some(members) = event.as_object_mut() {
        members.remove("rawQueryString");
        members.remove("queryStringParameters");
    }
    if let Some(headers) = event.get_mut("headers").and_then(Value::as_object_mut) {
        headers.retain(|name, _| {
            !["host", "x-forwarded-proto"]
                .iter()
                .any(|dropped| name.eq_ignore_ascii_case(dropped))
        });
    }
    if let Some(context) = event
        .get_mut("requestContext")
        .and_then(Value::as_object_mut)
    {
        context.remove("domainName");
    }
}

/// The library panics at a body that is not base64 although the event says so.
fn read(event: &Value) -> Option<http::Request<Body>> {
    let read = std::panic::catch_unwind(|| {
        // Its own `deserialize` would write the event as text again and try one kind after the other.
        let request = ApiGatewayV2httpRequest::deserialize(event).ok()?;
        let request = LambdaRequest::ApiGatewayV2(request);
        Some(lambda_http::Request::from(request).map(|body| Body::from(body.to_vec())))
    });
    read.ok().flatten()
}

fn without_body(mut event: Value) -> Option<http::Request<Body>> {
    let members = event.as_object_mut()?;
    members.remove("body");
    members.insert("isBase64Encoded".to_owned(), false.into());
    let mut request = read(&event)?;
    request.extensions_mut().insert(Unread);
    Some(request)
}

/// The answer as the gateway takes it. All our bodies are text.
pub(super) async fn response(response: Response) -> Result<Value, BoxError> {
    let (parts, body) = response.into_parts();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await?.to_vec())?;
    // A `Set-Cookie` cannot be joined with another one: the gateway takes cookies apart from the headers.
    let cookies = parts.headers.get_all(SET_COOKIE).iter();
    let cookies: Vec<&str> = cookies.filter_map(|value| value.to_str().ok()).collect();
    let mut headers = serde_json::Map::new();
    for name in parts.headers.keys().filter(|name| *name != SET_COOKIE) {
        let values: Vec<&str> = parts
            .headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        headers.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    Ok(json!({
        "statusCode": parts.status.as_u16(),
        "headers": headers,
        "body": body,
        "isBase64Encoded": false,
        "cookies": cookies,
    }))
}
