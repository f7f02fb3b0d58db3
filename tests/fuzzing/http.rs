//! HTTP events: whatever comes, an answer that a person or a program can use, and a 2xx for nothing but an enquiry that is
//! safe.
//!
//! After the script comes the event as JSON, or a request as it is on the wire; `broken` after its path says base64 of a
//! body that is none, `text` a body that is not encoded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use enquiry_desk::app::Event;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::desk::{Desk, event, item};
use super::wire::Seen;
use super::{input, markup};

/// Every status that the desk answers with.
const STATUSES: [u64; 13] = [
    200, 201, 204, 303, 400, 403, 404, 405, 413, 415, 422, 429, 503,
];

/// The links on our pages that lead away.
pub(super) const LINKS: [&str; 2] = [
    "https://www.facebook.com/bodybenefitsessex",
    "https://www.instagram.com/bodybenefits_essex",
];

pub(super) fn play(runtime: &Runtime, data: &[u8]) -> bool {
    let (script, rest) = input::scripted(data);
    let event = match rest.first() {
        Some(b'{') => match serde_json::from_slice(rest) {
            Ok(event) => event,
            Err(_) => return false,
        },
        _ => request(rest),
    };
    if !matches!(Event::recognise(event.clone()), Ok(Event::Http(_))) {
        return false;
    }
    let method = event.pointer("/requestContext/http/method").cloned();
    let desk = Desk::new(script, item());
    let answer = desk
        .handle(runtime, event)
        .expect("an HTTP event always has an answer");
    check(&answer, &desk.seen(), method == Some(json!("HEAD")));
    true
}

/// The event of a request that is written as HTTP/1.1 is.
fn request(text: &[u8]) -> Value {
    let (head, body) = match text.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&text[..end], &text[end + 2..]),
        None => (text, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or("/");
    let mut headers = serde_json::Map::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        // The gateway joins what comes twice.
        let joined = match headers.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.to_owned(),
        };
        headers.insert(name.to_owned(), joined.into());
    }
    let (body, encoded) = match words.next() {
        Some("broken") => (String::from_utf8_lossy(body).into_owned(), true),
        Some("text") => (String::from_utf8_lossy(body).into_owned(), false),
        _ => (BASE64.encode(body), true),
    };
    event(method, path, &Value::Object(headers), &body, encoded)
}

/// Everything that every answer keeps to.
pub(super) fn check(answer: &Value, seen: &Seen, head: bool) {
    let status = answer["statusCode"].as_u64().unwrap();
    assert!(STATUSES.contains(&status), "{answer}");
    let headers = answer["headers"].as_object().unwrap();
    for (name, value) in headers {
        let value = value.as_str().unwrap();
        assert!(
            !value.contains(char::is_control) && !name.contains(char::is_control),
            "{name}: {value:?}"
        );
    }
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    assert_eq!(header("x-content-type-options"), "nosniff", "{answer}");
    assert_eq!(header("referrer-policy"), "strict-origin-when-cross-origin");
    assert!(header("vary").contains("Origin, Accept"), "{answer}");
    assert!(!header("cache-control").is_empty(), "{answer}");
    assert!(
        !header("allow").is_empty() || !matches!(status, 204 | 405),
        "{answer}"
    );
    assert_eq!(
        header("retry-after").is_empty(),
        !matches!(status, 429 | 503),
        "{answer}"
    );
    assert_eq!(header("location").is_empty(), status != 303, "{answer}");

    let body = answer["body"].as_str().unwrap();
    let content_type = header("content-type");
    match content_type {
        "" => assert!(body.is_empty() && matches!(status, 204 | 303), "{answer}"),
        _ if head && body.is_empty() => {}
        "text/html; charset=utf-8" => {
            assert!(
                header("content-security-policy").starts_with("default-src 'none';"),
                "{answer}"
            );
            assert!(body.starts_with("<!doctype html>") && body.trim_end().ends_with("</html>"));
            markup::check(body, &LINKS).unwrap_or_else(|found| panic!("{found} in {body}"));
        }
        // A token or a challenge for a form on another site.
        "application/json" if status == 200 => {
            let given: Value = serde_json::from_str(body).unwrap();
            assert!(
                ["token", "challenge"]
                    .iter()
                    .any(|member| given[member].is_string()),
                "{answer}"
            );
        }
        "application/json" => assert!(status == 201, "{answer}"),
        "application/problem+json" => {
            let problem: Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["status"], status);
            for member in ["type", "title", "detail"] {
                assert!(
                    problem[member]
                        .as_str()
                        .is_some_and(|words| !words.is_empty()),
                    "{problem}"
                );
            }
            let errors = problem["errors"].as_array().map_or(0, Vec::len);
            assert_eq!(errors > 0, status == 422, "{problem}");
        }
        "text/css; charset=utf-8" | "text/javascript; charset=utf-8" => assert_eq!(status, 200),
        other => panic!("content type {other}"),
    }

    let expected = match status {
        201 => {
            let accepted: Value = serde_json::from_str(body).unwrap();
            Some(accepted["reference"].as_str().unwrap().to_owned())
        }
        303 => {
            let reference = header("location").strip_prefix("/thank-you?reference=");
            Some(reference.unwrap().to_owned())
        }
        _ => None,
    };
    match expected {
        Some(reference) => assert!(
            seen.safe.contains(&reference),
            "{reference} is nowhere: {answer}"
        ),
        None => assert!(
            seen.safe.is_empty(),
            "an enquiry was taken and the client does not learn of it: {answer}"
        ),
    }
}
