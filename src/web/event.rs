//! Between the gateway's events and requests and responses (payload version 2.0).

use axum::BoxError;
use axum::body::{Body, to_bytes};
use axum::http::header::{COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use axum::http::{Request, Uri};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{OwnOrigin, Source, Unread};

/// The request that an event carries, with what only the event knows. When the body is not valid base64, what is left is
/// enough to answer in the negotiated format, with the headers that let the site's script read the answer.
pub(super) fn request(event: &Value) -> Option<Request<Body>> {
    let text = |at| event.pointer(at).and_then(Value::as_str);
    let typed = text("/body").unwrap_or_default();
    let body = match event.get("isBase64Encoded") {
        Some(Value::Bool(true)) => STANDARD.decode(typed).ok(),
        _ => Some(typed.as_bytes().to_vec()),
    };
    let is_unread = body.is_none();
    let mut request = Request::builder()
        .method(text("/requestContext/http/method")?)
        .uri(address(text("/rawPath"), text("/rawQueryString"))?)
        .body(Body::from(body.unwrap_or_default()))
        .ok()?;
    let headers = request.headers_mut();
    let given = event.get("headers").and_then(Value::as_object);
    for (name, value) in given.into_iter().flatten() {
        let value = HeaderValue::from_str(value.as_str()?).ok()?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    }
    if let Some(cookies) = event.get("cookies").and_then(Value::as_array) {
        let cookies: Vec<&str> = cookies.iter().filter_map(Value::as_str).collect();
        // What makes none is left out: an enquiry must not be lost to a cookie.
        if let Ok(cookies) = HeaderValue::from_str(&cookies.join("; ")) {
            headers.insert(COOKIE, cookies);
        }
    }
    let extensions = request.extensions_mut();
    let domain = text("/requestContext/domainName").unwrap_or_default();
    extensions.insert(OwnOrigin(format!(
        "https://{}",
        domain.to_ascii_lowercase()
    )));
    let source = text("/requestContext/http/sourceIp");
    extensions.insert(Source(source.and_then(|source| source.parse().ok())));
    if is_unread {
        extensions.insert(Unread);
    }
    Some(request)
}

/// Path and query. API Gateway decodes paths: what an address cannot hold is encoded again, as browsers do ("path percent-encode set",
/// URL Standard). An enquiry must not be lost to a query that makes no address.
fn address(path: Option<&str>, query: Option<&str>) -> Option<Uri> {
    const BARRED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'}');
    let path = path.filter(|path| !path.is_empty()).unwrap_or("/");
    let path = utf8_percent_encode(path, BARRED).to_string();
    let query = query.filter(|query| !query.is_empty());
    let whole = query.and_then(|query| format!("{path}?{query}").parse().ok());
    whole.or_else(|| path.parse().ok())
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_request_is_what_the_library_for_it_reads() {
        let mut read = 0;
        for file in fs::read_dir("events").unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            let event: Value = serde_json::from_str(&text).unwrap();
            if event.pointer("/requestContext/http").is_none() {
                continue;
            }
            let (theirs, their_body) = lambda_http::request::from_str(&text).unwrap().into_parts();
            let (ours, body) = request(&event).unwrap().into_parts();
            assert_eq!(ours.method, theirs.method, "{text}");
            assert_eq!(ours.uri.path_and_query(), theirs.uri.path_and_query());
            assert_eq!(ours.headers, theirs.headers);
            let body = to_bytes(body, usize::MAX).await.unwrap();
            assert_eq!(body, their_body.to_vec(), "{text}");
            read += 1;
        }
        assert!(read > 5, "{read} of the events are HTTP");
    }
}
