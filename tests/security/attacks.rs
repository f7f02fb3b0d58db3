//! Protections against attackers that no other test covers; SECURITY.md names the test of each.

use std::process::Command;

use aws_emulator::ses::faults::Fault;
use axum::http::{Method, StatusCode};

use crate::mutants;
use crate::support::template::text;
use crate::support::{BROWSER, COMPLETE, MINIMAL, TestApp, emulated, minimal_json, urlencoded};

/// The same enquiry in each encoding that a browser or a program may send: the content type and the body.
fn encodings() -> [(&'static str, String); 3] {
    let multipart: String = MINIMAL
        .iter()
        .map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    [
        ("application/x-www-form-urlencoded", urlencoded(&MINIMAL)),
        ("application/json", minimal_json().to_string()),
        (
            "multipart/form-data; boundary=b",
            format!("{multipart}--b--\r\n"),
        ),
    ]
}

#[tokio::test]
async fn a_foreign_site_can_post_in_no_encoding() {
    let app = TestApp::start_with(&[("ALLOWED_ORIGINS", "https://example.com")]).await;
    for (content_type, body) in encodings() {
        for origin in [
            "https://evil.example",
            "https://example.com.evil.example",
            "https://example.com:8443",
            "https://www.example.com",
            "http://example.com",
            "https://EXAMPLE.com",
            "https://example.com/",
            "file://",
        ] {
            for accept in [BROWSER, "application/json"] {
                let headers = [
                    ("accept", accept),
                    ("content-type", content_type),
                    ("origin", origin),
                ];
                let answer = app
                    .send(Method::POST, "/enquiries", &headers, body.clone())
                    .await;
                assert_eq!(
                    answer.status,
                    StatusCode::FORBIDDEN,
                    "{content_type} from {origin}"
                );
                assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            }
        }
    }
    assert!(app.items("enquiry").await.is_empty() && app.items("idempotency").await.is_empty());
    // The test itself: the same posts are taken from the site on the list.
    for (content_type, body) in encodings() {
        let headers = [
            ("content-type", content_type),
            ("origin", "https://example.com"),
        ];
        let answer = app.send(Method::POST, "/enquiries", &headers, body).await;
        assert!(
            answer.status.is_success() || answer.status.is_redirection(),
            "{}",
            answer.body
        );
    }
    // No email is looked at here.
    app.finish_pending().await;
}

#[tokio::test]
async fn no_answer_sets_a_cookie() {
    let app = TestApp::start_with(&[("ALLOWED_ORIGINS", "https://www.example.com")]).await;
    let form = [
        ("accept", BROWSER),
        ("content-type", "application/x-www-form-urlencoded"),
        ("cookie", "session=1"),
    ];
    for (method, path, body) in [
        (Method::GET, "/", String::new()),
        (Method::GET, "/thank-you", String::new()),
        (Method::GET, "/style.css", String::new()),
        (Method::GET, "/nowhere", String::new()),
        (Method::OPTIONS, "/enquiries", String::new()),
        (Method::POST, "/enquiries", "name=".to_owned()),
        (Method::POST, "/enquiries", "surprise=1".to_owned()),
        (Method::POST, "/enquiries", urlencoded(&MINIMAL)),
    ] {
        let answer = app.send(method.clone(), path, &form, body).await;
        assert!(
            !answer.headers.contains_key("set-cookie"),
            "{method} {path}"
        );
    }
    // The gateway makes cookies of another member of the answer, too.
    let event = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/events/http-form.json"
    ));
    let answer = app
        .invoke(serde_json::from_str(&event.unwrap()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 303);
    assert!(
        answer["cookies"].as_array().is_none_or(Vec::is_empty),
        "{}",
        answer["cookies"]
    );
    app.finish_pending().await;
}

#[tokio::test]
async fn nothing_in_a_request_decides_where_it_leads() {
    let configured = "https://example.com/thanks";
    for (variables, begin) in [
        (
            vec![("THANK_YOU_URL", configured)],
            "https://example.com/thanks?reference=",
        ),
        (vec![], "/thank-you?reference="),
    ] {
        let app = TestApp::start_with(&variables).await;
        let evil = "https://evil.example/";
        let lures = [
            ("referer", evil),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "javascript"),
            ("x-original-url", evil),
            ("x-rewrite-url", evil),
            ("forwarded", "host=evil.example"),
        ];
        for (content_type, body) in encodings() {
            for accept in [BROWSER, "application/json"] {
                let mut headers = vec![("accept", accept), ("content-type", content_type)];
                headers.extend(lures);
                let path = "/enquiries?next=https://evil.example/&redirect=//evil.example&return_to=%2F%2Fevil.example&url=evil.example";
                let answer = app.send(Method::POST, path, &headers, body.clone()).await;
                let target = match accept {
                    BROWSER => answer.header("location").to_owned(),
                    _ => answer.json()["next"].as_str().unwrap().to_owned(),
                };
                assert!(target.starts_with(begin), "{content_type}: {target}");
                assert!(!answer.body.contains("evil"), "{}", answer.body);
            }
        }
        // Nor does a field: one that names a target is left out.
        for name in ["next", "redirect", "return", "_next", "url"] {
            let fields = [&MINIMAL[..], &[(name, evil)]].concat();
            let answer = app.post_form(&fields).await;
            assert!(answer.header("location").starts_with(begin), "{name}");
            assert!(!answer.body.contains("evil"), "{name}");
        }
        let page = app
            .get("/thank-you?reference=https://evil.example/&next=https://evil.example/")
            .await;
        assert!(!page.body.contains("evil"), "{}", page.body);
        app.finish_pending().await;
    }
}

#[tokio::test]
async fn no_line_break_of_a_visitor_reaches_a_header() {
    let app = TestApp::start().await;
    for control in [
        "\r\n", "\n", "\r", "\0", "\u{b}", "\u{1b}", "\u{7f}", "\u{85}", "\u{2028}",
    ] {
        for (field, begun) in [
            ("name", "Zoë"),
            ("email", "zoe@example.com"),
            ("phone", "07700 900982"),
        ] {
            let value = format!("{begun}{control}Bcc: x@example.org");
            let mut fields: Vec<(&str, &str)> = MINIMAL.to_vec();
            fields.retain(|(name, _)| *name != field);
            fields.push((field, &value));
            let answer = app.post_form(&fields).await;
            assert_eq!(
                answer.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{field} {value:?}"
            );
        }
    }
    assert!(app.items("enquiry").await.is_empty());
    // A text of several lines may have them, and no header is made of it.
    let lines = "Hello\r\nBcc: x@example.org\r\n\r\nX-Injected: yes";
    let answer = app
        .post_form(&[&MINIMAL[..], &[("message", lines), ("times", "Tuesdays")]].concat())
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let emails = app.emails().await;
    assert_eq!(emails.len(), 2);
    for email in emails {
        for (name, value) in aws_emulator::ses::message::fields(&email.eml) {
            let name = name.to_ascii_lowercase();
            assert!(
                !["bcc", "cc", "x-injected"].contains(&name.as_str()),
                "{name}: {value}"
            );
            assert!(!value.contains("x@example.org"), "{name}: {value}");
        }
    }
    app.finish().await;
}

/// What would tell an attacker how the desk is built, or what failed in it.
const INSIDE: [&str; 13] = [
    "dynamo",
    "amazon",
    "ResourceNotFound",
    "InternalServer",
    "ServiceError",
    "DispatchFailure",
    "Exception",
    "SendEmail",
    "127.0.0.1",
    "panicked",
    "src/",
    "serde",
    "at line 1",
];

fn gives_nothing_away(what: &str, body: &str) {
    let body = body.to_ascii_lowercase();
    for word in INSIDE {
        assert!(
            !body.contains(&word.to_ascii_lowercase()),
            "{what} shows {word}: {body}"
        );
    }
}

#[tokio::test]
async fn an_answer_never_tells_what_failed_inside() {
    let app = TestApp::start().await;
    let json = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
    ];
    for (what, body) in [
        ("a body that is no JSON", "{\"name\": oops}"),
        ("a body that ends too soon", "{\"name\":"),
        ("a name that comes twice", "{\"name\":\"a\",\"name\":\"b\"}"),
        ("a number for a name", "{\"name\":7}"),
    ] {
        let answer = app.send(Method::POST, "/enquiries", &json, body).await;
        assert!(answer.status.is_client_error(), "{what}");
        gives_nothing_away(what, &answer.body);
    }
    // Neither the table nor the mailbox can be reached.
    emulated::drop_table(app.desk.dynamo()).await;
    for accept in [BROWSER, "application/json"] {
        app.desk
            .ses()
            .fail_for("therapist@example.com", Fault::ServerErrorBefore(500));
        let headers = [
            ("accept", accept),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = app
            .send(Method::POST, "/enquiries", &headers, urlencoded(&COMPLETE))
            .await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        let mut shown = answer.body.clone();
        if accept == BROWSER {
            // The client may see the form and what they typed.
            shown = shown.split("<form").next().unwrap().to_owned();
        }
        assert!(answer.body.contains("07835 346476"), "the way that is left");
        gives_nothing_away("an enquiry that could not be taken", &shown);
        for value in answer.headers.values() {
            gives_nothing_away("a header", value.to_str().unwrap());
        }
    }
    app.finish_pending().await;
}

/// The panic happens in a process of its own, whose log is that of the function: this test again, told so by a variable.
#[test]
fn a_panic_is_logged_by_its_place_and_not_by_its_words() {
    const HERE: &str = "security::attacks::a_panic_is_logged_by_its_place_and_not_by_its_words";
    const TYPED: &str = "typed4182";
    if std::env::var_os("PANICS").is_some() {
        enquiry_desk::telemetry::start(tracing::Level::TRACE);
        let unwound = std::panic::catch_unwind(|| panic!("{TYPED}"));
        assert!(unwound.is_err());
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", HERE])
        .env("PANICS", "1")
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let written = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{written}");
    assert!(written.contains("1 passed"), "{written}");
    assert!(
        written.contains("\"place\":\"tests/security/attacks.rs:"),
        "{written}"
    );
    assert!(!written.contains(TYPED), "{written}");
}

#[test]
fn every_test_that_the_security_policy_names_is_there() {
    let policy = text("SECURITY.md");
    let named: Vec<&str> = policy
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| quoted.contains("::"))
        .collect();
    assert!(named.len() > 30, "{named:?}");
    for test in &named {
        assert!(mutants::is_a_test(test), "there is no {test}");
    }
    // SECURITY.md must also name every test that catches a mutant.
    for test in mutants::all().into_iter().filter_map(|mutant| mutant.test) {
        assert!(
            named.contains(&test.as_str()),
            "SECURITY.md does not name {test}"
        );
    }
}
