//! A consent to a wording that has changed since its page was opened, copied or cached.

use axum::http::StatusCode;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::{self, Agreed, Consent, EarlierConsent, Practice};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

use crate::support::logs::Logs;
use crate::support::{MINIMAL, TestApp, emulated, minimal_json};

/// A practice that has replaced a wording so many days ago, and another long ago.
fn replaced(days: i64) -> Practice {
    let mut practice = practice::compiled().clone();
    let zone = practice.time_zone.rules().clone();
    let today = Timestamp::now().to_zoned(zone).date();
    let earlier = |version: &str, days: i64| EarlierConsent {
        version: version.to_owned(),
        wording: format!("I agree to the wording {version}."),
        replaced: today - days.days(),
    };
    practice.consent.earlier = vec![earlier("2020-01-01", days), earlier("2019-01-01", 400)];
    practice
}

async fn start(practice: Practice) -> TestApp {
    TestApp::start_for(practice, emulated::options(), &[]).await
}

fn with(version: &str) -> Vec<(&str, &str)> {
    [
        &MINIMAL[..],
        &[("consent_version", version), ("message", "hello")],
    ]
    .concat()
}

#[test]
fn an_earlier_wording_is_accepted_for_sixty_days() {
    let consent: Consent = replaced(0).consent;
    let replaced: Date = consent.earlier[0].replaced;
    let on = |version, days: i64| consent.agreed(version, replaced + days.days());
    assert_eq!(on(&consent.version, 9_000), Some(Agreed::Present));
    for days in [-1, 0, 1, 60] {
        assert_eq!(on("2020-01-01", days), Some(Agreed::Earlier), "{days}");
    }
    assert_eq!(on("2020-01-01", 61), None);
    assert_eq!(on("1066-10-14", 0), None);
}

#[tokio::test]
async fn a_page_with_an_earlier_wording_is_taken_and_recorded_with_what_it_showed() {
    let app = start(replaced(59)).await;
    let answer = app.post_form(&with("2020-01-01")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let item = &app.items("enquiry").await[0];
    let enquiry = item["enquiry"].as_m().unwrap();
    assert_eq!(enquiry["consent_version"].as_s().unwrap(), "2020-01-01");
    app.finish().await;
}

#[tokio::test]
async fn a_page_with_a_wording_of_long_ago_comes_back_with_the_new_one_and_the_box_unticked() {
    let app = start(replaced(61)).await;
    for version in ["2020-01-01", "2019-01-01", "1066-10-14"] {
        let answer = app.post_form(&with(version)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{version}");
        let page = &answer.body;
        let present = &practice::compiled().consent;
        let hidden = format!(r#"name="consent_version" value="{}""#, present.version);
        assert!(page.contains(&hidden) && page.contains(&present.wording));
        let changed = "The wording has changed. Read it and tick the box.";
        assert_eq!(page.matches(changed).count(), 2, "on top and at the box");
        assert!(page.contains(&format!(r##"<a href="#consent">{changed}</a>"##)));
        let tick = page.split(r#"<input id="consent""#).nth(1).unwrap();
        assert!(!tick.split('>').next().unwrap().contains("checked"));
        assert!(
            page.contains(">\nhello</textarea>"),
            "what was typed is kept"
        );
        assert!(
            !page.contains("Reload"),
            "a reload would post the same again"
        );
    }
    // With the box ticked on that page it arrives.
    let present = practice::compiled().consent.version.as_str();
    assert_eq!(
        app.post_form(&with(present)).await.status,
        StatusCode::SEE_OTHER
    );
    app.finish().await;
}

#[tokio::test]
async fn a_program_hears_whom_to_phone_about_what_its_page_cannot_show() {
    let app = start(replaced(61)).await;
    for (field, value) in [("consent_version", "2020-01-01"), ("submission", "7")] {
        let mut post = minimal_json();
        post[field] = json!(value);
        let problem = app.post_json(&post).await.json();
        assert_eq!(problem["errors"][0]["pointer"], format!("#/{field}"));
        assert_eq!(problem["phone"], "07835 346476");
    }
    let visible = app.post_json(&json!({ "goal": "treat" })).await.json();
    assert!(visible.get("phone").is_none(), "the page shows these");
    app.finish().await;
}

#[tokio::test]
async fn each_post_of_an_old_page_is_a_line_in_the_log() {
    let app = start(replaced(59)).await;
    let mut event: Value =
        serde_json::from_str(include_str!("../../events/http-json.json")).unwrap();
    event["isBase64Encoded"] = json!(false);
    event["headers"].as_object_mut().unwrap().remove("origin");
    let present = practice::compiled().consent.version.as_str();
    for (version, counted) in [
        ("2020-01-01", Some(true)),
        ("2019-01-01", Some(false)),
        (present, None),
    ] {
        let mut post = minimal_json();
        post["consent_version"] = json!(version);
        event["body"] = json!(post.to_string());
        let (logs, now) = (Logs::default(), Timestamp::now());
        let clock = Clock::new(now, now + 20.seconds());
        let handled = app.app.handle(event.clone(), &clock);
        handled.with_subscriber(logs.dispatch()).await.unwrap();
        let lines = logs.lines();
        let old = lines
            .iter()
            .filter(|line| line["message"] == "a page shows an earlier wording of the consent");
        let accepted: Vec<_> = old
            .map(|line| line["accepted"].as_bool().unwrap())
            .collect();
        assert_eq!(accepted, Vec::from_iter(counted), "{version}: {lines:?}");
    }
    app.finish().await;
}
