//! End to end: from a post at the gateway to an item in the table and two emails.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

use aws_emulator::Options;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{BROWSER, COMPLETE, MINIMAL, TestApp, emulated, minimal_json, urlencoded};

fn state<'a>(item: &'a crate::support::Item, email: &str) -> &'a str {
    let deliveries = item["deliveries"].as_m().unwrap();
    deliveries[email].as_m().unwrap()["state"].as_s().unwrap()
}

#[tokio::test]
async fn a_form_from_a_browser_becomes_an_item_and_two_emails() {
    let app = TestApp::start().await;
    let answer = app.post_form(&COMPLETE).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let reference = answer
        .header("location")
        .strip_prefix("/thank-you?reference=")
        .unwrap()
        .to_owned();

    let emails = app.emails().await;
    assert_eq!(emails.len(), 2);
    let (therapist, client) = (&emails[0], &emails[1]);
    assert_eq!(therapist.to, ["therapist@example.com"]);
    assert_eq!(therapist.reply_to, ["zoe@example.com"]);
    assert!(
        therapist.subject.contains(&reference),
        "{}",
        therapist.subject
    );
    assert_eq!(client.to, ["zoe@example.com"]);
    assert_eq!(client.reply_to, ["therapist@example.com"]);
    assert_eq!(client.headers["Auto-Submitted"], "auto-replied");
    assert!(client.text.as_deref().unwrap().contains(&reference));

    let items = app.items("enquiry").await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["reference"].as_s().unwrap(), &reference);
    assert_eq!(
        (
            state(&items[0], "therapist"),
            state(&items[0], "auto_reply")
        ),
        ("delivered", "delivered")
    );
    assert!(items[0].contains_key("expires") && !items[0].contains_key("pending"));
    let enquiry = items[0]["enquiry"].as_m().unwrap();
    assert_eq!(enquiry["name"].as_s().unwrap(), "Zoë O'Brien");
    assert_eq!(
        enquiry["message"].as_s().unwrap(),
        "It began in spring.\nStairs are hard."
    );
    assert_eq!(
        enquiry["phone"].as_m().unwrap()["e164"].as_s().unwrap(),
        "+447700900982"
    );

    let page = app.get(answer.header("location")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(&reference));
    app.finish().await;
}

#[tokio::test]
async fn a_program_gets_the_reference_and_where_to_go_next() {
    let app =
        TestApp::start_with(&[("THANK_YOU_URL", "https://example.com/thanks?from=form")]).await;
    let answer = app.post_json(&minimal_json()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let reference = answer.json()["reference"].as_str().unwrap().to_owned();
    assert_eq!(
        answer.json()["next"],
        format!("https://example.com/thanks?from=form&reference={reference}")
    );
    assert_eq!(app.emails().await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn form_data_of_a_script_is_accepted_too() {
    let app = TestApp::start().await;
    let parts: String = COMPLETE
        .iter()
        .map(|(name, value)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    let headers = [
        ("accept", "application/json"),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let answer = app
        .send(
            Method::POST,
            "/enquiries",
            &headers,
            format!("{parts}--b--\r\n"),
        )
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(app.emails().await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_wrong_post_names_every_error_in_the_order_of_the_form() {
    let app = TestApp::start().await;
    let wrong = json!({
        "consent": "no", "message": "x".repeat(4_001), "goal": "fly", "area": ["knee"], "contact_by": "phone",
        "email": "zoe@", "name": " ", "treatment": "magic", "recent_injury": 7, "consent_version": "1066-10-14",
    });
    let answer = app.post_json(&wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], 422);
    let errors: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["pointer"].as_str().unwrap(),
                error["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        errors,
        [
            ("#/name", "name_required"),
            ("#/email", "email_format"),
            ("#/phone", "phone_required"),
            ("#/goal", "goal_choice"),
            ("#/message", "message_too_long"),
            ("#/area", "area_choice"),
            ("#/recent_injury", "type"),
            ("#/treatment", "treatment_choice"),
            ("#/consent", "consent_required"),
            ("#/consent_version", "consent_version_unknown"),
        ]
    );
    assert_eq!(problem["errors"][0]["detail"], "Enter your full name");
    assert!(app.items("enquiry").await.is_empty() && app.emails().await.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_likely_typo_in_the_address_is_asked_about_once() {
    let app = TestApp::start().await;
    let mut post = minimal_json();
    post["email"] = "zoe@gmial.com".into();
    let asked = app.post_json(&post).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = &asked.json()["errors"][0];
    assert_eq!(
        (&error["code"], &error["detail"]),
        (
            &json!("email_suggestion"),
            &json!("Did you mean zoe@gmail.com?")
        )
    );
    assert_eq!(error["suggestion"], "zoe@gmail.com");
    post["email_confirmed"] = "zoe@gmial.com".into();
    assert_eq!(app.post_json(&post).await.status, StatusCode::CREATED);
    app.finish().await;
}

#[tokio::test]
async fn a_wrong_form_comes_back_with_every_value() {
    let app = TestApp::start().await;
    let mut fields = COMPLETE.to_vec();
    fields.retain(|(name, _)| *name != "consent" && *name != "name");
    let answer = app.post_form(&fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("<title>Error: "));
    for kept in [
        "zoe@example.com",
        "07700 900982",
        "Tuesday mornings",
        "It began in spring.",
        "3f0c2f5e-6d0f-4b7e-9a53-0d3c9a4f6b11",
    ] {
        assert!(answer.body.contains(kept), "{kept}");
    }
    assert_eq!(
        answer.body.matches(" checked").count(),
        8,
        "contact, two areas, cause, goal, injury, warmth, treatment"
    );
    app.finish().await;
}

#[tokio::test]
async fn ten_posts_of_the_same_form_at_once_are_one_enquiry() {
    let app = TestApp::start().await;
    let posts = (0..10).map(|_| app.post_form(&COMPLETE));
    let answers = futures_util::future::join_all(posts).await;
    let location = answers[0].header("location").to_owned();
    assert!(location.starts_with("/thank-you?reference="));
    for answer in &answers {
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, location.as_str())
        );
    }
    assert_eq!(app.items("enquiry").await.len(), 1);
    assert_eq!(app.emails().await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn other_answers_under_the_same_submission_are_another_enquiry() {
    let app = TestApp::start().await;
    let mut other = COMPLETE.to_vec();
    other[0].1 = "Zoë Smith";
    let first = app.post_form(&COMPLETE).await;
    let second = app.post_form(&other).await;
    assert_ne!(first.header("location"), second.header("location"));
    assert_eq!(app.items("enquiry").await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_stream_record_that_comes_again_sends_nothing_again() {
    let app = TestApp::start().await;
    app.post_form(&MINIMAL).await;
    assert_eq!(app.emails().await.len(), 2);
    let fresh = stream_event_of(&app).await;
    for _ in 0..2 {
        let answer = app.invoke(fresh.clone()).await.unwrap();
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
    }
    assert_eq!(app.emails().await.len(), 2);
    app.finish().await;
}

/// The record that the stream carried when the only enquiry was new.
async fn stream_event_of(app: &TestApp) -> Value {
    let item = app.items("enquiry").await.remove(0);
    let mut image: Value = serde_json::to_value(serde_dynamo::Item::from(item)).unwrap();
    let pending = json!({ "M": { "state": { "S": "pending" }, "attempts": { "N": "0" } } });
    image["deliveries"]["M"]["therapist"] = pending.clone();
    image["deliveries"]["M"]["auto_reply"] = pending;
    image["deliveries"]["M"]["decided"] = json!({ "BOOL": false });
    image["revision"] = json!({ "N": "0" });
    json!({ "Records": [{
        "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "dynamodb": { "SequenceNumber": "100", "NewImage": image },
    }] })
}

#[tokio::test]
async fn a_filled_in_trap_is_kept_marked_and_never_answered() {
    let app = TestApp::start().await;
    let with_honeypot = [&MINIMAL[..], &[("extra_detail", "cheap watches")]].concat();
    assert_eq!(
        app.post_form(&with_honeypot).await.status,
        StatusCode::SEE_OTHER
    );
    let emails = app.emails().await;
    assert_eq!(emails.len(), 1);
    assert!(
        emails[0].subject.starts_with("[possible spam]"),
        "{}",
        emails[0].subject
    );
    assert_eq!(
        state(&app.items("enquiry").await[0], "auto_reply"),
        "withheld"
    );
    app.finish().await;
}

#[tokio::test]
async fn everything_is_still_there_after_a_restart() {
    let folder = std::env::temp_dir().join(format!("enquiry-desk-{}", std::process::id()));
    let options = || Options {
        data: Some(folder.clone()),
        ..emulated::options()
    };
    let app = TestApp::start_at(options(), &[]).await;
    app.post_form(&COMPLETE).await;
    assert_eq!(app.emails().await.len(), 2);
    app.finish().await;

    let app = TestApp::start_at(options(), &[]).await;
    assert_eq!(
        app.emails().await.len(),
        2,
        "nothing is lost and nothing is sent again"
    );
    assert_eq!(app.items("enquiry").await.len(), 1);
    let again = app.post_form(&COMPLETE).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert_eq!(
        app.emails().await.len(),
        2,
        "the idempotency record is still there too"
    );
    app.finish().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_repeat_of_an_expired_post_is_a_new_enquiry() {
    let app = TestApp::start().await;
    app.post_form(&COMPLETE).await;
    // The idempotency record has expired, and the table deletes it late.
    let record = app.items("idempotency").await.remove(0);
    let client = app.desk.dynamo().client();
    client
        .update_item()
        .table_name(app.desk.dynamo().table())
        .key("pk", record["pk"].clone())
        .update_expression("SET expires = :past")
        .expression_attribute_values(
            ":past",
            aws_sdk_dynamodb::types::AttributeValue::N("1".into()),
        )
        .send()
        .await
        .unwrap();
    app.post_form(&COMPLETE).await;
    assert_eq!(app.items("enquiry").await.len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn what_cannot_be_a_form_is_refused_with_words() {
    let app = TestApp::start().await;
    let form = "application/x-www-form-urlencoded";
    let too_long = format!("message={}", "x".repeat(9_000));
    for (content_type, body, status, slug) in [
        (form, "name=Zo%EB", 400, "not-utf-8"),
        (form, "name=a&name=b", 400, "repeated-field"),
        (
            "application/json",
            "{\"surprise\":\"x\"}",
            400,
            "unknown-field",
        ),
        (form, too_long.as_str(), 413, "too-large"),
        ("application/json", "[]", 400, "malformed-json"),
        ("application/json", "{\"name\":", 400, "malformed-json"),
        (
            "application/json",
            "{\"name\":\"a\",\"name\":\"b\"}",
            400,
            "repeated-field",
        ),
        ("multipart/form-data", "x", 400, "malformed-multipart"),
        ("text/plain", "name=Zoe", 415, "unsupported-media-type"),
        (
            "application/json; charset=latin1",
            "{}",
            415,
            "unsupported-charset",
        ),
    ] {
        let headers = [
            ("accept", "application/json"),
            ("content-type", content_type),
        ];
        let answer = app.send(Method::POST, "/enquiries", &headers, body).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{content_type}: {}",
            answer.body
        );
        assert_eq!(
            answer.json()["type"],
            format!("urn:enquiry-desk:problem:{slug}")
        );
        let headers = [("accept", BROWSER), ("content-type", content_type)];
        let page = app.send(Method::POST, "/enquiries", &headers, body).await;
        assert_eq!(page.status.as_u16(), status);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{}",
            page.body
        );
    }
    assert_eq!(app.get("/wp-login.php").await.status, StatusCode::NOT_FOUND);
    let answer = app
        .send(
            Method::DELETE,
            "/enquiries",
            &[("accept", "application/json")],
            "",
        )
        .await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    app.finish().await;
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect_it() {
    let app = TestApp::start_with(&[("ALLOWED_ORIGINS", "https://example.com")]).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (origin, status, allowed) in [
        (Some("https://example.com"), 303, "https://example.com"),
        (Some("https://example.com.evil.example"), 403, ""),
        (Some("http://example.com"), 403, ""),
        (Some("null"), 303, ""),
        (None, 303, ""),
    ] {
        let mut headers = vec![("accept", BROWSER), form];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let answer = app
            .send(Method::POST, "/enquiries", &headers, urlencoded(&MINIMAL))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{origin:?}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            allowed,
            "{origin:?}"
        );
        assert!(answer.header("vary").contains("Origin"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let missing = app
        .send(
            Method::GET,
            "/nowhere",
            &[("origin", "https://example.com")],
            "",
        )
        .await;
    assert_eq!(
        missing.header("access-control-allow-origin"),
        "https://example.com"
    );
    let preflight = [
        ("origin", "https://example.com"),
        ("access-control-request-method", "POST"),
    ];
    let preflight = app
        .send(Method::OPTIONS, "/enquiries", &preflight, "")
        .await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        "GET, POST"
    );
    let page = app.get("/").await;
    assert_eq!(page.header("cache-control"), "no-cache");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert_eq!(
        app.items("enquiry").await.len(),
        1,
        "the same answers are one enquiry, from whatever page"
    );
    app.finish().await;
}

#[tokio::test]
async fn what_stayed_pending_is_done_by_the_sweep() {
    use aws_emulator::ses::account::Account;
    let app = TestApp::start_at(
        Options {
            account: Account {
                paused: true,
                ..emulated::account()
            },
            ..emulated::options()
        },
        &[],
    )
    .await;
    app.post_form(&MINIMAL).await;
    assert!(app.emails().await.is_empty());
    assert_eq!(
        state(&app.items("enquiry").await[0], "therapist"),
        "pending"
    );
    app.desk.ses().account(|account| account.paused = false);
    let swept = app.invoke(json!({ "command": "sweep" })).await.unwrap();
    assert_eq!(swept, json!({ "pending": 1, "delivered": 1, "left": 0 }));
    assert_eq!(app.emails().await.len(), 2);
    let again = app.invoke(json!({ "command": "sweep" })).await.unwrap();
    assert_eq!(again["pending"], 0);
    app.finish().await;
}

#[tokio::test]
async fn an_operator_sees_an_enquiry_by_its_reference() {
    let app = TestApp::start().await;
    let reference = app.post_json(&minimal_json()).await.json()["reference"]
        .as_str()
        .unwrap()
        .to_lowercase();
    app.emails().await;
    let shown = app
        .invoke(json!({ "command": "show", "reference": reference }))
        .await
        .unwrap();
    assert_eq!(shown["received"]["enquiry"]["email"], "zoe@example.com");
    assert_eq!(shown["deliveries"]["therapist"]["state"], "delivered");
    for wrong in [
        json!({ "command": "dance" }),
        json!({ "command": "show", "reference": "BB" }),
        json!({ "command": "show", "reference": "BB-00000" }),
    ] {
        assert!(app.invoke(wrong).await.is_err());
    }
    app.finish().await;
}

#[tokio::test]
async fn an_email_whose_words_ses_refuses_goes_without_them() {
    use aws_emulator::ses::faults::Fault;
    let app = TestApp::start().await;
    app.desk
        .ses()
        .fail_for("therapist@example.com", Fault::Rejected);
    app.post_form(&COMPLETE).await;
    let emails = app.emails().await;
    let therapist = emails
        .iter()
        .find(|email| email.to == ["therapist@example.com"])
        .unwrap();
    let reference = app.items("enquiry").await[0]["reference"]
        .as_s()
        .unwrap()
        .clone();
    assert!(therapist.subject.contains(&reference));
    assert!(!therapist.eml.contains("Zo") && !therapist.eml.contains("spring"));
    app.finish().await;
}

#[tokio::test]
async fn an_auto_reply_that_may_have_left_is_not_sent_again_and_the_therapist_hears_of_it() {
    use aws_emulator::ses::faults::Fault;
    let app = TestApp::start().await;
    app.desk
        .ses()
        .fail_for("zoe@example.com", Fault::ResetAfter);
    app.post_form(&MINIMAL).await;
    let emails = app.emails().await;
    let to: Vec<_> = emails.iter().map(|email| email.to[0].as_str()).collect();
    assert_eq!(
        to,
        [
            "therapist@example.com",
            "zoe@example.com",
            "therapist@example.com"
        ]
    );
    assert!(
        emails[2].subject.contains("may not have arrived"),
        "{}",
        emails[2].subject
    );
    assert_eq!(
        state(&app.items("enquiry").await[0], "auto_reply"),
        "delivered",
        "SES's own report settles it"
    );
    app.invoke(json!({ "command": "sweep" })).await.unwrap();
    assert_eq!(app.emails().await.len(), 3);
    app.finish().await;
}

#[tokio::test]
async fn without_the_table_the_enquiry_goes_straight_to_the_mailbox_or_is_not_accepted() {
    let app = TestApp::start().await;
    emulated::drop_table(app.desk.dynamo()).await;
    for nth in 0..5 {
        let message = nth.to_string();
        let answer = app
            .post_form(&[&MINIMAL[..], &[("message", &message)]].concat())
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    }
    let emails = app.desk.emails();
    assert_eq!(emails.len(), 5);
    assert!(
        emails
            .iter()
            .all(|email| email.to == ["therapist@example.com"])
    );
    assert!(
        emails[0]
            .text
            .as_deref()
            .unwrap()
            .contains("couldn’t be stored"),
        "{:?}",
        emails[0].text
    );

    let sixth = app.post_form(&COMPLETE).await;
    assert_eq!(sixth.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(sixth.header("retry-after"), "60");
    for kept in ["zoe@example.com", "Tuesday mornings", "07835 346476"] {
        assert!(sixth.body.contains(kept), "{kept}");
    }
    app.finish_pending().await;
}

#[tokio::test]
async fn a_table_whose_every_call_goes_wrong_is_gone_around() {
    let options = Options {
        table_faults: 1.0,
        ..emulated::options()
    };
    let app = TestApp::start_at(options, &[]).await;
    let answer = app.post_form(&MINIMAL).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let emails = app.desk.emails();
    assert_eq!(emails.len(), 1);
    let words = emails[0].text.as_deref().unwrap();
    assert!(words.contains("couldn’t be stored"), "{words}");
    app.finish_pending().await;
}

#[tokio::test]
async fn a_suspect_that_was_misjudged_is_answered_once_when_it_is_released() {
    let app = TestApp::start().await;
    let with_honeypot = [&MINIMAL[..], &[("extra_detail", "by a helpful browser")]].concat();
    app.post_form(&with_honeypot).await;
    assert_eq!(app.emails().await.len(), 1);
    let item = app.items("enquiry").await.remove(0);
    let release = json!({ "command": "release", "reference": item["reference"].as_s().unwrap() });
    let answer = app.invoke(release.clone()).await.unwrap();
    assert_eq!(answer["auto_reply"]["state"], "sent");
    let emails = app.emails().await;
    assert_eq!(
        (emails.len(), emails[1].to[0].as_str()),
        (2, "zoe@example.com")
    );
    let released = app.items("enquiry").await.remove(0);
    let expiry =
        |item: &crate::support::Item| item["expires"].as_n().unwrap().parse::<i64>().unwrap();
    assert!(
        expiry(&released) > expiry(&item),
        "it is kept as long as any other now"
    );
    assert!(
        app.invoke(release)
            .await
            .unwrap_err()
            .contains("does not wait")
    );
    assert_eq!(app.emails().await.len(), 2);
    app.finish().await;
}
