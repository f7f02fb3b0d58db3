//! The HTTP API: the event a request becomes, and the HTTP an answer becomes.

use std::path::Path;

use aws_emulator::function::Function;
use aws_emulator::{Emulator, Options};
use serde_json::{Value, json};

use super::emulator::Folder;
use super::http::{Answer, get, send};

/// An emulator whose function answers with its own event, or with the answer that the request's body spells out.
async fn start(site: &Path) -> Emulator {
    let options = Options {
        site: Some(site.to_owned()),
        ..Options::new(crate::table())
    };
    Emulator::start(options, async |_| {
        Ok(Function::new(async |event: Value| {
            if event["rawPath"] == "/answer" {
                let answer = event["body"].as_str().unwrap();
                return if answer == "error" { Err("failed".to_owned()) } else { Ok(serde_json::from_str(answer).unwrap()) };
            }
            Ok(json!({ "statusCode": 200, "headers": { "content-type": "application/json" }, "body": event.to_string() }))
        }))
    })
    .await
    .unwrap()
}

async fn emulator() -> Emulator {
    start(Path::new("/nonexistent")).await
}

async fn answer(emulator: &Emulator, answer: &Value) -> Answer {
    send(
        emulator.url(),
        "POST /answer",
        &["content-type: application/json"],
        answer.to_string().as_bytes(),
    )
    .await
}

#[tokio::test]
async fn a_request_becomes_an_event_of_payload_format_2_0() {
    let emulator = emulator().await;
    let headers = [
        "X-Note: one",
        "x-note: two",
        "cookie: a=1; b=2",
        "cookie: c=3",
        "user-agent: test/1",
        "Accept: text/html",
        "X-Forwarded-For: 192.0.2.1",
    ];
    let event = send(
        emulator.url(),
        "PUT /path%20one?a=1&a=2&b=%C3%A9+x&c",
        &headers,
        b"",
    )
    .await
    .json();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "$default");
    assert_eq!(event["rawPath"], "/path one");
    assert_eq!(event["rawQueryString"], "a=1&a=2&b=%C3%A9+x&c");
    assert_eq!(
        event["queryStringParameters"],
        json!({ "a": "1,2", "b": "é x", "c": "" })
    );
    assert_eq!(event["headers"]["x-note"], "one,two");
    assert_eq!(event["headers"]["accept"], "text/html");
    assert_eq!(event["headers"]["x-forwarded-for"], "192.0.2.1, 127.0.0.1");
    assert!(event["headers"].get("cookie").is_none());
    assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
    let context = &event["requestContext"];
    assert_eq!(
        context["http"],
        json!({
            "method": "PUT", "path": "/path one", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test/1",
        })
    );
    assert_eq!(
        (&context["stage"], &context["routeKey"]),
        (&json!("$default"), &json!("$default"))
    );
    assert_eq!(
        context["domainName"],
        emulator.url().strip_prefix("http://").unwrap()
    );
    assert!(context["timeEpoch"].is_i64() && context["requestId"].is_string());
    assert!(event.get("body").is_none());
    assert_eq!(event["isBase64Encoded"], false);
    emulator.stop().await;
}

#[tokio::test]
async fn the_path_comes_decoded_and_the_query_does_not() {
    let emulator = emulator().await;
    for (path, raw_path, raw_query) in [
        ("/a%2Fb?x=%2F", "/a/b", "x=%2F"),
        ("/Zo%C3%AB", "/Zoë", ""),
        ("/a+b", "/a+b", ""),
        ("/a%3Fb=c?d=e", "/a", "d=e"),
        ("/100%", "/100%", ""),
    ] {
        let event = get(emulator.url(), path).await.json();
        assert_eq!(
            (&event["rawPath"], &event["rawQueryString"]),
            (&json!(raw_path), &json!(raw_query)),
            "{path}"
        );
    }
    emulator.stop().await;
}

#[tokio::test]
async fn the_event_is_what_the_lambda_crates_read() {
    let emulator = emulator().await;
    let body = send(
        emulator.url(),
        "POST /orders?x=1",
        &["content-type: application/x-www-form-urlencoded"],
        b"name=Zo%C3%AB",
    )
    .await
    .text();
    let request = lambda_http::request::from_str(&body).unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri().path(), "/orders");
    assert_eq!(request.uri().query(), Some("x=1"));
    assert_eq!(request.body().as_ref(), b"name=Zo%C3%AB");
    emulator.stop().await;
}

#[tokio::test]
async fn only_text_comes_as_text() {
    let emulator = emulator().await;
    for (kind, base64) in [
        ("application/json", false),
        ("Application/JSON; charset=utf-8", false),
        ("application/problem+json", false),
        ("text/plain", false),
        ("application/x-www-form-urlencoded", true),
        ("multipart/form-data; boundary=x", true),
        ("application/octet-stream", true),
        ("", true),
    ] {
        let header = format!("content-type: {kind}");
        let headers = if kind.is_empty() {
            vec![]
        } else {
            vec![header.as_str()]
        };
        let event = send(emulator.url(), "POST /orders", &headers, b"a=1")
            .await
            .json();
        assert_eq!(
            (&event["isBase64Encoded"], &event["body"]),
            (&json!(base64), &json!(if base64 { "YT0x" } else { "a=1" })),
            "{kind}"
        );
    }
    let event = send(
        emulator.url(),
        "POST /orders",
        &["content-type: text/plain"],
        b"\xff",
    )
    .await
    .json();
    assert_eq!(
        (&event["isBase64Encoded"], &event["body"]),
        (&json!(true), &json!("/w=="))
    );
    emulator.stop().await;
}

#[tokio::test]
async fn an_answer_becomes_http() {
    let emulator = emulator().await;
    let redirect = answer(
        &emulator,
        &json!({
            "statusCode": 303,
            "headers": { "Location": "/thanks", "x-number": 3 },
            "multiValueHeaders": { "vary": ["Origin", "Accept"] },
            "cookies": ["a=1", "b=2"],
        }),
    )
    .await;
    assert_eq!(
        (redirect.status, redirect.header("location").as_str()),
        (303, "/thanks")
    );
    assert_eq!(redirect.headers("vary"), ["Origin", "Accept"]);
    assert_eq!(redirect.headers("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(redirect.header("x-number"), "3");
    assert!(redirect.body.is_empty());
    let binary = answer(
        &emulator,
        &json!({ "statusCode": 200, "body": "/w==", "isBase64Encoded": true }),
    )
    .await;
    assert_eq!(binary.body, b"\xff");
    let bare = answer(&emulator, &json!({ "message": "no status" })).await;
    assert_eq!(
        (bare.status, bare.header("content-type").as_str()),
        (200, "application/json")
    );
    assert_eq!(bare.json(), json!({ "message": "no status" }));
    emulator.stop().await;
}

#[tokio::test]
async fn a_function_error_and_an_answer_that_is_none_are_500() {
    let emulator = emulator().await;
    let wrong = [
        json!({ "statusCode": "many" }),
        json!({ "statusCode": 200, "body": { "no": "string" } }),
        json!({ "statusCode": 200, "body": "%", "isBase64Encoded": true }),
        json!({ "statusCode": 200, "headers": { "bad name": "x" } }),
        json!({ "statusCode": 200, "headers": { "x": "line\nbreak" } }),
    ];
    for wrong in wrong {
        let answer = answer(&emulator, &wrong).await;
        assert_eq!(
            (answer.status, answer.json()),
            (500, json!({ "message": "Internal Server Error" })),
            "{wrong}"
        );
    }
    let answer = send(
        emulator.url(),
        "POST /answer",
        &["content-type: text/plain"],
        b"error",
    )
    .await;
    assert_eq!(
        (answer.status, answer.json()),
        (500, json!({ "message": "Internal Server Error" }))
    );
    emulator.stop().await;
}

#[tokio::test]
async fn a_body_over_ten_megabytes_is_refused_by_the_gateway() {
    let emulator = emulator().await;
    let most = vec![b'a'; 10 * 1024 * 1024];
    let headers = ["content-type: text/plain"];
    assert_eq!(
        send(emulator.url(), "POST /orders", &headers, &most)
            .await
            .status,
        200
    );
    let more = vec![b'a'; 10 * 1024 * 1024 + 1];
    let answer = send(emulator.url(), "POST /orders", &headers, &more).await;
    assert_eq!(
        (answer.status, answer.json()),
        (413, json!({ "message": "Request Entity Too Large" }))
    );
    emulator.stop().await;
}

#[tokio::test]
async fn the_site_is_served_and_nothing_around_it() {
    let folder = Folder::new();
    let site = folder.path().join("site");
    std::fs::create_dir_all(site.join("sub")).unwrap();
    std::fs::write(site.join("index.html"), "<p>index</p>").unwrap();
    std::fs::write(site.join("style.css"), "p{}").unwrap();
    std::fs::write(site.join(".hidden"), "hidden").unwrap();
    std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("secret.txt"), site.join("link.txt")).unwrap();
    let emulator = start(&site).await;
    let index = get(emulator.url(), "/site/").await;
    assert_eq!(
        (
            index.status,
            index.text().as_str(),
            index.header("content-type").as_str()
        ),
        (200, "<p>index</p>", "text/html; charset=utf-8")
    );
    assert_eq!(
        get(emulator.url(), "/site/style.css")
            .await
            .header("content-type"),
        "text/css; charset=utf-8"
    );
    assert_eq!(
        get(emulator.url(), "/site").await.header("location"),
        "/site/"
    );
    for path in [
        "/site/../secret.txt",
        "/site/%2e%2e/secret.txt",
        "/site/..%2fsecret.txt",
        "/site/sub/../../secret.txt",
        "/site/%2e%2e%5csecret.txt",
        "/site//etc/passwd",
        "/site/%2fetc/passwd",
        "/site/.hidden",
        "/site/link.txt",
        "/site/sub",
        "/site/missing.html",
        "/site/a%00b",
    ] {
        let answer = get(emulator.url(), path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret\n"), "{path}");
    }
    emulator.stop().await;
}
