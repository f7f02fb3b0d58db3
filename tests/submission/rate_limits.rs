//! What a flood may not do: crowd out others, or turn the auto-reply against strangers.

use axum::http::StatusCode;
use enquiry_desk::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;

use crate::support::{BROWSER, MINIMAL, TestApp, emulated, urlencoded};

/// A form post as the gateway hands it over, from this source.
fn post_from(source: &str, fields: &[(&str, &str)]) -> Value {
    let headers = json!({ "accept": BROWSER, "content-type": gateway::FORM, "x-forwarded-for": "192.0.2.99" });
    let event = gateway::request("POST", "/enquiries", &headers, &urlencoded(fields));
    gateway::from(source, event)
}

fn nth(n: u32) -> [(&'static str, String); 4] {
    [
        ("name", format!("Client {n}")),
        ("email", format!("client{n}@example.com")),
        ("goal", "relax".to_owned()),
        ("consent", "yes".to_owned()),
    ]
}

async fn status_of(app: &TestApp, source: &str, n: u32) -> u64 {
    let fields = nth(n);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    app.invoke(post_from(source, &fields)).await.unwrap()["statusCode"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn a_source_that_sends_too_much_is_asked_to_wait_and_nobody_else_is() {
    let app = TestApp::start_with(&[("RATE_LIMIT_PER_SOURCE", "3")]).await;
    for n in 0..3 {
        assert_eq!(status_of(&app, "192.0.2.1", n).await, 303);
    }
    assert_eq!(status_of(&app, "192.0.2.1", 3).await, 429);
    assert_eq!(
        status_of(&app, "192.0.2.1", 0).await,
        303,
        "a repeat is answered as before and not counted"
    );
    assert_eq!(
        status_of(&app, "192.0.2.2", 4).await,
        303,
        "another source is not touched"
    );
    for n in 5..8 {
        assert_eq!(status_of(&app, &format!("2001:db8:0:1::{n}"), n).await, 303);
    }
    assert_eq!(
        status_of(&app, "2001:db8:0:1:ffff::1", 8).await,
        429,
        "a /64 is one source"
    );
    assert_eq!(status_of(&app, "2001:db8:0:2::1", 9).await, 303);
    assert_eq!(app.items("enquiry").await.len(), 8);
    let text = format!("{:?}", app.items("counter").await);
    assert!(
        !text.contains("192.0.2") && !text.contains("2001:db8"),
        "a counter does not show its source"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_source_that_goes_on_is_refused_without_the_table() {
    let app = TestApp::start_with(&[("RATE_LIMIT_PER_SOURCE", "1")]).await;
    assert_eq!(status_of(&app, "192.0.2.1", 0).await, 303);
    for n in 1..=5 {
        assert_eq!(status_of(&app, "192.0.2.1", n).await, 429);
    }
    // Without the table every post goes to the mailbox: this source's does not come so far.
    app.desk.settled().await;
    emulated::drop_table(app.desk.dynamo()).await;
    let before = app.desk.emails().len();
    assert_eq!(status_of(&app, "192.0.2.1", 6).await, 429);
    assert_eq!(app.desk.emails().len(), before);
    assert_eq!(
        status_of(&app, "192.0.2.2", 7).await,
        303,
        "another source is not touched"
    );
    assert_eq!(app.desk.emails().len(), before + 1);
    app.finish_pending().await;
}

#[tokio::test]
async fn too_much_is_answered_with_the_form_and_the_telephone() {
    let app = TestApp::start_with(&[("RATE_LIMIT_PER_SOURCE", "1")]).await;
    app.post_form(&MINIMAL).await;
    let other = [&MINIMAL[..], &[("message", "Once more")]].concat();
    let answer = app.post_form(&other).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u32 = answer.header("retry-after").parse().unwrap();
    assert!((600..=660).contains(&wait), "{wait}");
    assert!(answer.body.contains("Once more") && answer.body.contains("07835 346476"));
    app.finish().await;
}

/// Posts the `n`th form at this second of a day, and returns the seconds to wait when it is refused.
async fn post_at(app: &TestApp, second: i64, n: u32) -> Option<i64> {
    let fields = nth(n);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let began: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    let now = began + SignedDuration::from_secs(second);
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    let answer = app
        .app
        .handle(post_from("192.0.2.1", &fields), &clock)
        .await
        .unwrap();
    match answer["statusCode"].as_u64() {
        Some(303) => None,
        Some(429) => Some(
            answer["headers"]["retry-after"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap(),
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_ten_minutes_see_more_than_the_limit_and_the_wait_is_exact() {
    let app = TestApp::start_with(&[("RATE_LIMIT_PER_SOURCE", "3")]).await;
    for (n, (second, wait)) in [
        (0, None),
        (300, None),
        (599, None),
        // The first of the three still counts: a count by the clock's ten minutes would begin anew here.
        (600, Some(60)),
        (630, Some(30)),
        (660, None),
        // The second one leaves after eleven minutes of its own.
        (661, Some(299)),
        (960, None),
        (5000, None),
    ]
    .into_iter()
    .enumerate()
    {
        let n = u32::try_from(n).unwrap();
        assert_eq!(post_at(&app, second, n).await, wait, "at second {second}");
    }
    app.finish_pending().await;
}

#[tokio::test]
async fn a_client_who_comes_again_at_the_time_it_was_given_is_let_in() {
    let app = TestApp::start_with(&[("RATE_LIMIT_PER_SOURCE", "4")]).await;
    let (mut second, mut accepted, mut refused) = (0, Vec::new(), 0);
    for n in 0..66 {
        // Gaps without a pattern, from a burst to some minutes.
        second += [1, 7, 0, 45, 3, 200, 0, 13, 90, 2, 31][n as usize % 11];
        if let Some(wait) = post_at(&app, second, n).await {
            refused += 1;
            second += wait;
            assert_eq!(post_at(&app, second, n).await, None, "after {wait} seconds");
        }
        accepted.push(second);
    }
    for at in &accepted {
        let within = accepted
            .iter()
            .filter(|other| (*at..at + 600).contains(other));
        assert!(within.count() <= 4);
    }
    assert!(refused > 5, "the limit was met {refused} times");
    let mut counters = app.items("counter").await;
    counters.retain(|counter| counter["pk"].as_s().unwrap().starts_with("source#"));
    assert_eq!(counters.len(), 1);
    assert!(counters[0].len() < 30, "old sums are dropped");
    app.finish_pending().await;
}

#[tokio::test]
async fn an_address_gets_one_auto_reply_however_it_is_spelt() {
    let app = TestApp::start().await;
    for (email, message) in [
        ("zoe@gmail.com", "1"),
        ("Z.O.E+spam@googlemail.com", "2"),
        ("zoe@gmail.com", "3"),
    ] {
        let fields = [
            ("name", "Zoë"),
            ("email", email),
            ("goal", "relax"),
            ("consent", "yes"),
            ("message", message),
        ];
        assert_eq!(app.post_form(&fields).await.status, StatusCode::SEE_OTHER);
        app.emails().await;
    }
    let emails = app.emails().await;
    let to_clients: Vec<_> = emails
        .iter()
        .filter(|email| email.to != ["therapist@example.com"])
        .collect();
    assert_eq!(to_clients.len(), 1);
    assert_eq!(emails.len(), 4, "the therapist hears of every enquiry");
    app.finish().await;
}

#[tokio::test]
async fn a_day_has_so_many_auto_replies_and_no_more() {
    let app = TestApp::start_with(&[("AUTO_REPLIES_PER_DAY", "2")]).await;
    for n in 0..4 {
        assert_eq!(status_of(&app, "192.0.2.1", n).await, 303);
    }
    let emails = app.emails().await;
    assert_eq!(
        emails
            .iter()
            .filter(|email| email.to == ["therapist@example.com"])
            .count(),
        4
    );
    assert_eq!(emails.len(), 6);
    app.finish().await;
}

#[tokio::test]
async fn some_addresses_never_get_an_auto_reply() {
    for (sandbox, email) in [
        (false, "no-reply@example.org"),
        (false, "Postmaster+x@example.org"),
        (false, "therapist@example.com"),
        (false, "desk@example.com"),
        (true, "zoe@example.org"),
    ] {
        let app = TestApp::start().await;
        app.desk.ses().account(|account| account.sandbox = sandbox);
        let fields = [
            ("name", "Zoë"),
            ("email", email),
            ("goal", "relax"),
            ("consent", "yes"),
        ];
        assert_eq!(app.post_form(&fields).await.status, StatusCode::SEE_OTHER);
        let emails = app.emails().await;
        assert_eq!(emails.len(), 1, "{email}");
        assert_eq!(emails[0].to, ["therapist@example.com"]);
        app.finish().await;
    }
}

#[tokio::test]
async fn an_address_that_bounced_gets_no_further_auto_reply_and_the_therapist_hears_of_it_once() {
    let app = TestApp::start().await;
    let post = |message: &'static str| {
        [
            ("name", "Zoë"),
            ("email", "bounce@simulator.amazonses.com"),
            ("goal", "relax"),
            ("consent", "yes"),
            ("message", message),
        ]
    };
    app.post_form(&post("1")).await;
    let emails = app.emails().await;
    let subjects: Vec<_> = emails.iter().map(|email| email.subject.as_str()).collect();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    assert!(
        subjects[2].starts_with("The automatic reply didn’t reach "),
        "{subjects:?}"
    );
    let item = app.items("enquiry").await.remove(0);
    assert_eq!(
        item["deliveries"].as_m().unwrap()["auto_reply"]
            .as_m()
            .unwrap()["state"]
            .as_s()
            .unwrap(),
        "bounced"
    );

    app.post_form(&post("2")).await;
    let emails = app.emails().await;
    assert_eq!(emails.len(), 4, "only the therapist's email leaves");
    assert_eq!(emails[3].to, ["therapist@example.com"]);
    app.finish().await;
}
