//! Drills of the alarms that read AWS's own metrics, as far as this machine can raise them.

use axum::http::StatusCode;
use enquiry_desk::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::nightly::{Gone, House};
use crate::simulation::simulator::post_event;
use crate::support::emulated;

fn enquiry(message: &str) -> Value {
    post_event(&json!({
        "name": "Zoë", "email": "zoe@example.org", "goal": "relax", "consent": "yes", "message": message,
    }))
}

#[tokio::test]
async fn a_table_that_takes_nothing_is_told_and_the_next_enquiry_is_stored() {
    let house = House::start(emulated::options()).await;
    house.take_away(Gone::Table, true);
    let answer = house.invoke(0, enquiry("1")).await;
    assert_eq!(answer["statusCode"], 201, "past the table");
    assert_eq!(house.logs.alarms(), ["table_unavailable"]);
    let told = house.desk.emails();
    assert_eq!(told.len(), 1);
    assert!(
        told[0]
            .text
            .as_deref()
            .unwrap()
            .contains("couldn’t be stored"),
        "she answers it herself"
    );
    // DynamoDB is well again.
    house.take_away(Gone::Table, false);
    house.logs.take();
    let answer = house.invoke(1, enquiry("2")).await;
    assert_eq!(answer["statusCode"], 201);
    assert_eq!(house.logs.alarms(), [""; 0]);
    assert_eq!(house.desk.emails().len(), 3, "stored, and both emails left");
    house.desk.stop().await;
}

#[tokio::test]
async fn a_form_that_takes_nothing_says_so_and_takes_the_same_enquiry_later() {
    let house = House::start(emulated::options()).await;
    for gone in [Gone::Table, Gone::Ses] {
        house.take_away(gone, true);
    }
    for _ in 0..3 {
        let answer = house.invoke(0, enquiry("1")).await;
        assert_eq!(
            answer["statusCode"],
            StatusCode::SERVICE_UNAVAILABLE.as_u16()
        );
        let body = answer["body"].as_str().unwrap();
        assert!(
            body.contains("07835 346476"),
            "people are shown the phone number: {body}"
        );
    }
    for gone in [Gone::Table, Gone::Ses] {
        house.take_away(gone, false);
    }
    assert_eq!(house.invoke(1, enquiry("1")).await["statusCode"], 201);
    assert_eq!(house.desk.emails().len(), 2);
    house.desk.stop().await;
}

#[tokio::test]
async fn a_function_that_fails_loses_nothing_and_its_work_is_done_again() {
    let house = House::start(emulated::options()).await;
    // Nothing hears the stream, as when every invocation fails.
    house.take_away(Gone::Stream, true);
    assert_eq!(house.invoke(0, enquiry("1")).await["statusCode"], 201);
    let unknown = json!({ "nothing": "known" });
    let now = Timestamp::now();
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    assert!(house.app.handle(unknown, &clock).await.is_err());
    assert_eq!(house.desk.emails().len(), 0);
    house.take_away(Gone::Stream, false);
    house.invoke(1, json!({ "command": "sweep" })).await;
    assert_eq!(house.desk.emails().len(), 2);
    house.desk.stop().await;
}
