//! Requests as API Gateway hands them over: an HTTP API, payload version 2.0.

use serde_json::{Value, json};

/// The content type of a form that a browser posts.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A request to this address, which may have a query, with a body that is text.
pub fn request(method: &str, address: &str, headers: &Value, body: &str) -> Value {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test" },
            "requestId": "1", "routeKey": "$default", "stage": "$default",
            "time": "23/Nov/2026:09:00:00 +0000", "timeEpoch": 1_795_424_400_000_i64,
        },
        "body": body, "isBase64Encoded": false,
    })
}

/// A post to the form's address by a program that wants JSON.
pub fn post(content_type: &str, body: &str) -> Value {
    let headers = json!({ "accept": "application/json", "content-type": content_type });
    request("POST", "/enquiries", &headers, body)
}

/// The same request by another name of the gateway.
pub fn at(domain: &str, mut request: Value) -> Value {
    request["requestContext"]["domainName"] = domain.into();
    request
}

/// The same request from another place.
pub fn from(source: &str, mut request: Value) -> Value {
    request["requestContext"]["http"]["sourceIp"] = source.into();
    request
}
