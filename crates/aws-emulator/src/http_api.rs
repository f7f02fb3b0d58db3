//! Plays API Gateway's HTTP API in front of the function: each request becomes an event of payload format 2.0, each
//! answer becomes HTTP again, and what the gateway says by itself is said in its words.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::function::Function;
use super::server::Line;
use super::stream::Waker;
use super::{aws, mailbox_pages};

/// The gateway takes no larger body.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// The gateway waits no longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The id of the API in events.
const API: &str = "local";

#[derive(Debug)]
pub(super) struct HttpApi {
    pub(super) function: Function,
    pub(super) waker: Waker,
    pub(super) site: Option<PathBuf>,
}

/// Everything in the browser: `/site/…`, the mailbox's pages, and the function for everything else.
pub(super) fn router(api: HttpApi, mailbox: Router<Arc<HttpApi>>) -> Router {
    let api = Arc::new(api);
    Router::new()
        .route("/site", get(async || redirect("/site/")))
        .route("/site/", get(site))
        .route("/site/{*path}", get(site))
        .merge(mailbox)
        .fallback(invoke)
        .with_state(api)
}

async fn invoke(
    State(api): State<Arc<HttpApi>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return gateway_says(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let event = event(&parts, &body, line);
    let answer = tokio::time::timeout(TIMEOUT, api.function.call(event)).await;
    // What the function wrote is on the stream now.
    api.waker.wake();
    match answer {
        Ok(Ok(answer)) => respond(answer).unwrap_or_else(|error| {
            tracing::warn!(error, "the function's answer is no answer for the gateway");
            gateway_says(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }),
        Ok(Err(error)) => {
            tracing::warn!(error, "the function failed on a request");
            gateway_says(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Err(_) => gateway_says(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

/// The event of a request, payload format 2.0.
fn event(parts: &axum::http::request::Parts, body: &[u8], line: Line) -> Value {
    let now = Timestamp::now();
    // The gateway hands the path over decoded, and cuts it at a question mark that was encoded; the query stays as it was.
    let path = decoded(&parts.uri.path().replace('+', "%2B"));
    let path = path.split('?').next().unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let host = parts
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("127.0.0.1");
    let source = line.peer().ip().to_string();
    let mut headers = joined(&parts.headers);
    let cookies = headers.remove(COOKIE.as_str());
    // The gateway adds whom it saw to whatever the caller claims.
    headers
        .entry("x-forwarded-for".to_owned())
        .and_modify(|claimed| *claimed = format!("{claimed}, {source}"))
        .or_insert_with(|| source.clone());
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers.insert(
        "x-forwarded-port".to_owned(),
        host.rsplit_once(':')
            .map_or("80", |(_, port)| port)
            .to_owned(),
    );
    let agent = headers.get("user-agent").cloned().unwrap_or_default();
    let content_type = headers.get(CONTENT_TYPE.as_str()).cloned();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": aws::ACCOUNT,
            "apiId": API,
            "domainName": host,
            "domainPrefix": host.split(['.', ':']).next().unwrap_or_default(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source,
                "userAgent": agent,
            },
            "requestId": aws::hex(16),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    let Value::Object(fields) = &mut event else {
        return event;
    };
    if let Some(cookies) = cookies {
        let cookies: Vec<&str> = cookies
            .split(';')
            .map(str::trim)
            .filter(|cookie| !cookie.is_empty())
            .collect();
        fields.insert("cookies".to_owned(), json!(cookies));
    }
    let parameters = parameters(query);
    if !parameters.is_empty() {
        fields.insert("queryStringParameters".to_owned(), json!(parameters));
    }
    if !body.is_empty() {
        let text = content_type
            .as_deref()
            .is_some_and(is_text)
            .then(|| std::str::from_utf8(body).ok())
            .flatten();
        fields.insert("isBase64Encoded".to_owned(), json!(text.is_none()));
        fields.insert(
            "body".to_owned(),
            json!(text.map_or_else(|| STANDARD.encode(body), str::to_owned)),
        );
    }
    event
}

/// Header names in lower case, repeated headers joined with commas, bytes beyond ASCII as Latin-1.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value: String = value
            .as_bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect();
        let separator = if name == COOKIE { ";" } else { "," };
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|joined| {
                joined.push_str(separator);
                joined.push_str(&value);
            })
            .or_insert(value);
    }
    joined
}

/// Query parameters decoded, repeated ones joined with commas.
pub(crate) fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        parameters
            .entry(decoded(name))
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert(value);
    }
    parameters
}

/// A percent-encoded text as bytes of UTF-8, `+` as a space.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digits = others
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits
            .filter(|_| *first == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = others.get(2..).unwrap_or_default();
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = others;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the gateway hands a body of this type over as it is. Everything else, forms included, comes as base64.
fn is_text(content_type: &str) -> bool {
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind.as_str(),
            "application/json" | "application/javascript" | "application/xml"
        )
}

/// Turns the function's answer into HTTP, as the gateway does.
fn respond(answer: Value) -> Result<Response, String> {
    let id = HeaderValue::from_str(&aws::hex(16)).map_err(|error| error.to_string())?;
    let Some(status) = answer.get("statusCode") else {
        // Without a status the gateway takes the whole answer as the body of a 200.
        let body = match &answer {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut response = Response::new(Body::from(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert("apigw-requestid", id);
        return Ok(response);
    };
    let status = status
        .as_u64()
        .or_else(|| status.as_str().and_then(|status| status.parse().ok()));
    let status = status
        .and_then(|status| u16::try_from(status).ok())
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or("statusCode is no HTTP status")?;
    let mut headers = HeaderMap::new();
    if let Some(Value::Object(given)) = answer.get("headers") {
        for (name, value) in given {
            headers.insert(header_name(name)?, header_value(value)?);
        }
    }
    if let Some(Value::Object(given)) = answer.get("multiValueHeaders") {
        for (name, values) in given {
            let name = header_name(name)?;
            headers.remove(&name);
            for value in values.as_array().into_iter().flatten() {
                headers.append(name.clone(), header_value(value)?);
            }
        }
    }
    for cookie in answer
        .get("cookies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        headers.append(SET_COOKIE, header_value(cookie)?);
    }
    let body = match answer.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text))
            if answer.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) =>
        {
            STANDARD
                .decode(text)
                .map_err(|_| "the body is not the base64 that it says it is")?
        }
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(_) => return Err("body is no string".to_owned()),
    };
    // The connection's own headers are the server's business.
    for name in ["connection", "content-length", "transfer-encoding"] {
        headers.remove(name);
    }
    if !headers.contains_key(CONTENT_TYPE) && !body.is_empty() {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain;charset=UTF-8"),
        );
    }
    headers.insert("apigw-requestid", id);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header name"))
}

fn header_value(value: &Value) -> Result<HeaderValue, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err("a header's value is no string".to_owned()),
    };
    HeaderValue::from_str(&text)
        .or_else(|_| HeaderValue::from_bytes(text.as_bytes()))
        .map_err(|_| "a header's value has control characters".to_owned())
}

/// An answer of the gateway's own.
fn gateway_says(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Body::from(json!({ "message": message }).to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn redirect(to: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static(to));
    response
}

/// Serves a file of the site, and nothing outside of it.
async fn site(State(api): State<Arc<HttpApi>>, request: Request) -> Response {
    let path = decoded(&request.uri().path().replace('+', "%2B"));
    let mut relative = path.strip_prefix("/site/").unwrap_or_default().to_owned();
    if relative.is_empty() || relative.ends_with('/') {
        relative.push_str("index.html");
    }
    let plain = relative.split('/').all(|part| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0', ':'])
    });
    if !plain {
        return missing();
    }
    let Some(folder) = &api.site else {
        return missing();
    };
    let Ok(root) = tokio::fs::canonicalize(folder).await else {
        return missing();
    };
    let Ok(file) = tokio::fs::canonicalize(root.join(&relative)).await else {
        return missing();
    };
    // A link that leads out of the folder is not followed either.
    if !file.starts_with(&root) {
        return missing();
    }
    let Ok(bytes) = tokio::fs::read(&file).await else {
        return missing();
    };
    let kind = file
        .extension()
        .and_then(|extension| extension.to_str())
        .map_or("application/octet-stream", content_type);
    let mut response = Response::new(Body::from(bytes));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
        .headers_mut()
        .insert("cache-control", HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn missing() -> Response {
    mailbox_pages::not_found("There is no such file under /site/.")
}
