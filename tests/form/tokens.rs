//! The signed time of a page and the proof of work, end to end: they count for the spam score, and are never an error.

use std::sync::Arc;

use altcha::{Payload, SolveChallengeOptions, solve_challenge};
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enquiry_desk::clock::Clock;
use enquiry_desk::form_token::TimeToken;
use enquiry_desk::keys::Keys;
use enquiry_desk::proof_of_work::ProofOfWork;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;

use crate::support::emulated::HASH_KEY;
use crate::support::{Answer, BROWSER, MINIMAL, TestApp, minimal_json, urlencoded};
use testing::random::Random;

/// The form that tokens are bound to: its table.
const FORM: &str = "enquiries";

/// The keys of the emulated desk.
fn keys() -> Keys {
    Keys::from_secret(HASH_KEY).unwrap()
}

const ALTCHA: [(&str, &str); 1] = [("ALTCHA", "true")];

/// A challenge of the desk, solved by ALTCHA's own code, as the widget would post it.
async fn proof(app: &TestApp) -> String {
    let answer = app.get("/altcha").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let challenge: altcha::Challenge = serde_json::from_str(&answer.body).unwrap();
    let solution = tokio::task::spawn_blocking(move || {
        let solution = solve_challenge(SolveChallengeOptions::new(&challenge));
        let solution = solution.unwrap().unwrap();
        Payload {
            challenge,
            solution,
        }
    });
    STANDARD.encode(serde_json::to_string(&solution.await.unwrap()).unwrap())
}

/// Another enquiry with each message.
fn post(message: &str, more: &[(&str, &str)]) -> Value {
    let mut post = minimal_json();
    post["message"] = message.into();
    post["email"] = format!("{message}@example.com").into();
    for (name, value) in more {
        post[*name] = (*value).into();
    }
    post
}

/// The verdict on the only enquiry with this message.
async fn verdict(app: &TestApp, message: &str) -> String {
    let items = app.items("enquiry").await;
    let mut found = items.iter().filter(|item| {
        let said = item["enquiry"].as_m().unwrap().get("message");
        said.is_some_and(|said| said.as_s().unwrap() == message)
    });
    let verdict = found.next().unwrap()["verdict"].as_s().unwrap().clone();
    assert!(found.next().is_none(), "{message} is there twice");
    verdict
}

/// Sends it at another time than now.
async fn send_later(app: &TestApp, post: &Value, later: SignedDuration) -> u64 {
    let event = gateway::post("application/json", &post.to_string());
    let now = Timestamp::now() + later;
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    let answer = app.app.handle(event, &clock).await.unwrap();
    answer["statusCode"].as_u64().unwrap()
}

/// The value of a hidden field on a page.
fn hidden(page: &Answer, name: &str) -> String {
    let field = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let (_, rest) = page.body.split_once(&field).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_page_brings_a_fresh_token_and_keeps_it_when_it_comes_again() {
    let app = TestApp::start_with(&[("RATE_LIMIT_PER_SOURCE", "1")]).await;
    let (first, again) = (app.get("/").await, app.get("/enquiries").await);
    let token = hidden(&first, "token");
    assert_ne!(token, hidden(&again, "token"));
    for page in [&first, &again] {
        let read = TimeToken::read(
            &hidden(page, "token"),
            Some(&keys()),
            FORM,
            0,
            Timestamp::now(),
        );
        assert_eq!(read, TimeToken::InTime);
        assert_eq!(page.header("cache-control"), "no-cache");
    }
    let incomplete = app.post_form(&[("name", "Zoë"), ("token", &token)]).await;
    assert_eq!(incomplete.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(hidden(&incomplete, "token"), token);
    app.post_form(&MINIMAL).await;
    let other = [&MINIMAL[..], &[("message", "2"), ("token", &token)]].concat();
    let flood = app.post_form(&other).await;
    assert_eq!(flood.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(hidden(&flood, "token"), token);
    let without = app.post_form(&[("name", "Zoë")]).await;
    assert_eq!(
        hidden(&without, "token"),
        "",
        "a site without one stays without"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_site_fetches_its_token() {
    let app = TestApp::start_with(&[("ALLOWED_ORIGINS", "https://www.example.com")]).await;
    let get = async |origin| {
        let headers = [("accept", "*/*"), ("origin", origin)];
        app.send(Method::GET, "/token", &headers, "").await
    };
    let answer = get("https://www.example.com").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://www.example.com"
    );
    let given = answer.json();
    let token = given["token"].as_str().unwrap();
    let expires: Timestamp = given["expires"].as_str().unwrap().parse().unwrap();
    let life = expires.duration_since(Timestamp::now());
    assert!((life - TimeToken::LIFE).abs() < SignedDuration::from_secs(60));
    assert_eq!(given["altcha"], false);
    let read = |now| TimeToken::read(token, Some(&keys()), FORM, 0, now);
    assert_eq!(read(expires), TimeToken::InTime);
    assert_eq!(
        read(expires + SignedDuration::from_secs(1)),
        TimeToken::Expired
    );
    assert_eq!(
        get("https://evil.example").await.status,
        StatusCode::FORBIDDEN
    );
    app.finish().await;
}

#[tokio::test]
async fn a_form_that_comes_back_in_a_blink_is_suspect_however_it_is_posted() {
    let app = TestApp::start_with(&[("MIN_FILL_SECONDS", "60")]).await;
    let token = hidden(&app.get("/").await, "token");
    let with = |message| [&MINIMAL[..], &[("message", message), ("token", &token)]].concat();
    assert_eq!(
        app.post_form(&with("urlencoded")).await.status,
        StatusCode::SEE_OTHER
    );
    let json = post("json", &[("token", &token)]);
    assert_eq!(app.post_json(&json).await.status, StatusCode::CREATED);
    let parts: String = with("multipart")
        .iter()
        .map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    let headers = [
        ("accept", BROWSER),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let multipart = app.send(
        Method::POST,
        "/enquiries",
        &headers,
        format!("{parts}--b--\r\n"),
    );
    assert_eq!(multipart.await.status, StatusCode::SEE_OTHER);
    for message in ["urlencoded", "json", "multipart"] {
        assert_eq!(verdict(&app, message).await, "suspect", "{message}");
    }
    let emails = app.emails().await;
    assert!(
        emails
            .iter()
            .all(|email| email.to == ["therapist@example.com"])
    );
    assert_eq!(emails.len(), 3);
    app.finish().await;
}

#[tokio::test]
async fn what_else_a_token_says_is_not_enough_alone() {
    let app = TestApp::start_with(&[("MIN_FILL_SECONDS", "60")]).await;
    let token = hidden(&app.get("/").await, "token");
    let forged = format!("{}AAAA", &token[..60]);
    for (message, token, later, expected) in [
        ("fast", Some(&token), 0, "suspect"),
        ("in-time", Some(&token), 61, "clear"),
        ("the-same-again", Some(&token), 62, "clear"),
        ("expired", Some(&token), 86_401, "clear"),
        ("forged", Some(&forged), 61, "clear"),
        ("absent", None, 0, "clear"),
    ] {
        let mut post = post(message, &[]);
        if let Some(token) = token {
            post["token"] = token.as_str().into();
        }
        let status = send_later(&app, &post, SignedDuration::from_secs(later)).await;
        assert_eq!(status, 201, "{message}");
        assert_eq!(verdict(&app, message).await, expected, "{message}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_proof_is_good_for_one_enquiry_and_the_next_is_taken_as_suspect() {
    let app = TestApp::start_with(&ALTCHA).await;
    let proof = proof(&app).await;
    for (message, expected) in [
        ("first", "clear"),
        ("second", "suspect"),
        ("third", "suspect"),
    ] {
        let answer = app.post_json(&post(message, &[("altcha", &proof)])).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        assert_eq!(verdict(&app, message).await, expected, "{message}");
    }
    let nonces = app.items("nonce").await;
    assert_eq!(nonces.len(), 1);
    let expires: i64 = nonces[0]["expires"].as_n().unwrap().parse().unwrap();
    let left = expires - Timestamp::now().as_second();
    assert!((86_000..=86_400).contains(&left), "{left}");
    let to_clients = app.emails().await;
    let to_clients = to_clients
        .iter()
        .filter(|email| email.to != ["therapist@example.com"]);
    assert_eq!(to_clients.count(), 1);
    app.finish().await;
}

#[tokio::test]
async fn of_ten_enquiries_at_once_with_one_proof_exactly_one_is_clear() {
    let app = Arc::new(TestApp::start_with(&ALTCHA).await);
    let proof = proof(&app).await;
    let posts: Vec<Value> = (0..10)
        .map(|n| post(&format!("n{n}"), &[("altcha", &proof)]))
        .collect();
    let answers = join_all(posts.iter().map(|post| app.post_json(post))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == StatusCode::CREATED)
    );
    let enquiries = app.items("enquiry").await;
    assert_eq!(enquiries.len(), 10);
    let clear = enquiries
        .iter()
        .filter(|item| item["verdict"].as_s().unwrap() == "clear");
    assert_eq!(clear.count(), 1);
    Arc::into_inner(app).unwrap().finish().await;
}

#[tokio::test]
async fn a_repeat_of_a_proven_post_is_the_same_enquiry_with_one_email_each() {
    let app = TestApp::start_with(&ALTCHA).await;
    let post = post("once", &[("altcha", &proof(&app).await)]);
    let first = app.post_json(&post).await.json();
    let repeats = join_all((0..10).map(|_| app.post_json(&post))).await;
    for repeat in repeats {
        assert_eq!(repeat.status, StatusCode::CREATED);
        assert_eq!(repeat.json(), first);
    }
    assert_eq!(verdict(&app, "once").await, "clear");
    assert_eq!(app.emails().await.len(), 2);

    // Ten at once from the beginning.
    let post = self::post("at-once", &[("altcha", &proof(&app).await)]);
    let answers = join_all((0..10).map(|_| app.post_json(&post))).await;
    let references: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|answer| answer.json()["reference"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(references.len(), 1);
    assert_eq!(verdict(&app, "at-once").await, "clear");
    assert_eq!(app.emails().await.len(), 4);
    app.finish().await;
}

#[tokio::test]
async fn without_a_good_proof_an_enquiry_is_taken_and_suspect() {
    let app = TestApp::start_with(&ALTCHA).await;
    let proof = proof(&app).await;
    let mut cheaper: Value = serde_json::from_slice(&STANDARD.decode(&proof).unwrap()).unwrap();
    cheaper["challenge"]["parameters"]["keyPrefix"] = "".into();
    let cheaper = STANDARD.encode(cheaper.to_string());
    for (message, proof, later, expected) in [
        ("no-script", "", 0, "suspect"),
        ("garbage", "x", 0, "suspect"),
        ("tampered", &cheaper, 0, "suspect"),
        ("expired", &proof, 86_402, "suspect"),
        ("good", &proof, 5, "clear"),
    ] {
        let post = post(message, &[("altcha", proof)]);
        let status = send_later(&app, &post, SignedDuration::from_secs(later)).await;
        assert_eq!(status, 201, "{message}");
        assert_eq!(verdict(&app, message).await, expected, "{message}");
    }
    assert_eq!(
        app.items("nonce").await.len(),
        1,
        "only the good one is burnt"
    );
    // A page without JavaScript.
    let form = [&MINIMAL[..], &[("message", "plain")]].concat();
    assert_eq!(app.post_form(&form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(verdict(&app, "plain").await, "suspect");
    app.finish().await;
}

#[tokio::test]
async fn a_proof_is_not_used_up_by_a_post_that_was_not_taken() {
    let mut settings = ALTCHA.to_vec();
    settings.push(("RATE_LIMIT_PER_SOURCE", "1"));
    let app = TestApp::start_with(&settings).await;
    let proof = proof(&app).await;
    let incomplete = json!({ "name": "Zoë", "altcha": proof });
    assert_eq!(
        app.post_json(&incomplete).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    app.post_json(&post("other", &[])).await;
    let flood = app.post_json(&post("flood", &[("altcha", &proof)])).await;
    assert_eq!(flood.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(app.items("nonce").await.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn used_and_too_much_at_once_is_too_much() {
    let mut settings = ALTCHA.to_vec();
    settings.push(("RATE_LIMIT_PER_SOURCE", "1"));
    let app = TestApp::start_with(&settings).await;
    let proof = proof(&app).await;
    let first = post("first", &[("altcha", &proof)]);
    let reference = app.post_json(&first).await.json();
    let second = app.post_json(&post("second", &[("altcha", &proof)])).await;
    assert_eq!(second.status, StatusCode::TOO_MANY_REQUESTS);
    let repeat = app.post_json(&first).await;
    assert_eq!(repeat.json(), reference, "a repeat outranks both");
    assert_eq!(app.items("enquiry").await.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn the_proof_is_asked_for_only_where_it_is_switched_on() {
    let off = TestApp::start().await;
    for path in ["/altcha", "/proof.js"] {
        assert_eq!(off.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        let options = off.send(Method::OPTIONS, path, &[], "").await;
        assert_eq!(options.header("allow"), "OPTIONS");
    }
    assert!(!off.get("/").await.body.contains("proof.js"));
    off.post_json(&post("off", &[("altcha", "x")])).await;
    assert_eq!(verdict(&off, "off").await, "clear");
    off.finish().await;

    let on = TestApp::start_with(&ALTCHA).await;
    assert!(
        on.get("/")
            .await
            .body
            .contains("<script src=\"/proof.js\" defer></script>")
    );
    assert!(!on.get("/thank-you").await.body.contains("proof.js"));
    let incomplete = on.post_form(&[("name", "Zoë")]).await;
    assert!(
        incomplete.body.contains("proof.js"),
        "a page that comes again proves again"
    );
    let script = on.get("/proof.js").await;
    assert_eq!(
        script.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    let challenge = on.get("/altcha").await;
    assert_eq!(challenge.header("content-type"), "application/json");
    assert_eq!(challenge.header("cache-control"), "no-store");
    let parameters = &challenge.json()["parameters"];
    assert_eq!(parameters["algorithm"], "PBKDF2/SHA-256");
    assert_ne!(
        parameters["nonce"],
        on.get("/altcha").await.json()["parameters"]["nonce"]
    );
    assert_eq!(on.get("/token").await.json()["altcha"], true);
    on.finish().await;
}

/// A text that is nothing, or something that was good once and has been broken.
fn garbage(random: &mut Random, good: &[String]) -> String {
    let some = |random: &mut Random| {
        let length = random.below(200);
        (0..length)
            .map(|_| char::from_u32(random.below(0x3000) as u32).unwrap_or('\u{fffd}'))
            .collect::<String>()
    };
    let chosen = random.below(good.len() as u64) as usize;
    let mut bytes = good[chosen].clone().into_bytes();
    match random.below(5) {
        0 => some(random),
        1 => {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = b"A+/=_-\0 {"[random.below(9) as usize];
            String::from_utf8(bytes).unwrap()
        }
        2 => good[chosen][..random.below(bytes.len() as u64) as usize].to_owned(),
        3 => STANDARD.encode(some(random)),
        _ => {
            // Inside the base64 of the JSON.
            let mut json = STANDARD.decode(&bytes).unwrap_or(bytes);
            let at = random.below(json.len() as u64) as usize;
            json[at] = random.below(256) as u8;
            STANDARD.encode(json)
        }
    }
}

#[tokio::test]
async fn garbage_is_never_an_error_and_never_passes() {
    let app = TestApp::start_with(&[("ALTCHA", "true"), ("MIN_FILL_SECONDS", "60")]).await;
    let proof = proof(&app).await;
    let token = hidden(&app.get("/").await, "token");
    let good = [token.clone(), proof.clone()];
    let keys = keys();
    let now = Timestamp::now() + SignedDuration::from_secs(61);
    let mut random = Random::new(7);
    for _ in 0..20_000 {
        let posted = garbage(&mut random, &good);
        let said = TimeToken::read(&posted, Some(&keys), FORM, 60, now);
        if posted.trim() != token {
            assert_ne!(said, TimeToken::InTime, "{posted:?}");
            assert_ne!(said, TimeToken::TooFast, "{posted:?}");
        }
    }
    // Fewer, since what still carries our signature costs a derivation.
    for _ in 0..2_000 {
        let posted = garbage(&mut random, &good);
        let (said, nonce) = ProofOfWork::read(&posted, &keys, FORM, now);
        assert_eq!(nonce.is_some(), said == ProofOfWork::Proven);
        assert_ne!(said, ProofOfWork::NotAsked);
        assert_ne!(said, ProofOfWork::UsedBefore);
    }
    for n in 0..60 {
        let message = format!("g{n}");
        let (one, other) = (garbage(&mut random, &good), garbage(&mut random, &good));
        let answer = if n % 2 == 0 {
            let post = post(&message, &[("token", &one), ("altcha", &other)]);
            app.post_json(&post).await
        } else {
            let form = [
                ("message", message.as_str()),
                ("token", &one),
                ("altcha", &other),
            ];
            let form = urlencoded(&[&MINIMAL[..], &form].concat());
            let headers = [
                ("accept", "application/json"),
                ("content-type", "application/x-www-form-urlencoded"),
            ];
            app.send(Method::POST, "/enquiries", &headers, form).await
        };
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "{one:?} {other:?}: {}",
            answer.body
        );
    }
    // What JSON can hold besides texts.
    for (n, value) in [
        json!(7),
        json!(true),
        json!([]),
        json!([token, proof]),
        json!({ "challenge": {}, "solution": null }),
    ]
    .iter()
    .enumerate()
    {
        for field in ["token", "altcha", "extra_detail"] {
            let message = format!("{}{n}", field.replace('_', "-"));
            let mut post = post(&message, &[]);
            post[field] = value.clone();
            let answer = app.post_json(&post).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
            assert_eq!(verdict(&app, &message).await, "suspect");
        }
    }
    assert_eq!(app.items("enquiry").await.len(), 75);
    app.finish().await;
}
