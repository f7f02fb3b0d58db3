//! The promise and the suggestion are made once.

use enquiry_desk::mail_state::{MailState, Withheld};
use enquiry_desk::practice;

use super::{HOUR, reference};
use crate::support::desk::Desk;

#[tokio::test]
async fn a_later_change_of_the_hours_changes_nothing_that_was_said() {
    let mut desk = Desk::start().await;
    // Promised for today at 5 in the afternoon; then she goes away, before any email has left.
    let early = desk.post("zoe@example.com", &[]).await;
    desk.away_until("2026-12-07");
    let away = desk.post("ben@example.com", &[]).await;
    for it in [&early, &away] {
        let record = desk.stream_of(it).await;
        desk.ask(record).await;
    }
    for (address, it, promise) in [
        ("zoe@example.com", &early, "by 5pm on Monday"),
        ("ben@example.com", &away, "by 5pm on Monday 7 December"),
    ] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let client = desk.to(address)[0].text.clone().unwrap();
        let says = |text: &str| {
            let text = squeezed(text);
            assert!(text.contains(promise), "{text}");
            let in_december = promise.contains("December");
            assert_eq!(text.contains("December"), in_december, "{text}");
        };
        says(&client);
        let emails = desk.to("therapist@example.com");
        let to_therapist = emails
            .iter()
            .find(|email| email.subject.contains(it.as_str()));
        let text = to_therapist.unwrap().text.clone().unwrap();
        says(&text);
    }
    let whole = desk
        .app
        .desk
        .enquiry(&reference(&early), &desk.clock())
        .await;
    let record = whole.unwrap().record;
    assert_eq!(
        record.received.promised_by.to_string(),
        "2026-11-23T17:00:00Z"
    );
    let item = desk.item(&format!("state#{early}")).await.unwrap();
    assert_eq!(item["list_by"].as_s().unwrap(), "2026-11-23T17:00:00Z");
    desk.finish().await;
}

#[tokio::test]
async fn whether_an_auto_reply_is_late_is_told_by_the_promise_that_was_stored() {
    let mut desk = Desk::start().await;
    let late = desk.post("zoe@example.com", &[]).await;
    // By today's settings the promise would end in December; what was stored ended on Monday.
    desk.away_until("2026-12-07");
    let record = desk.stream_of(&late).await;
    // Sooner than a day after it came in, from which on no auto-reply leaves anyway.
    desk.later(HOUR * 9).ask(record).await;
    let record = desk.app.desk.show(&reference(&late)).await.unwrap();
    let withheld = MailState::Withheld {
        reason: Withheld::Late,
    };
    assert_eq!(record.state.deliveries.auto_reply, withheld);
    assert!(desk.to("zoe@example.com").is_empty());
    desk.finish().await;
}

#[tokio::test]
async fn another_retention_counts_for_enquiries_that_come_in_from_then_on() {
    let mut desk = Desk::start().await;
    let before = desk.post("zoe@example.com", &[]).await;
    let mut practice = practice::compiled().clone();
    practice.privacy.retention_days = 30;
    desk.deploy_for(practice, &[]);
    let after = desk.post("ben@example.com", &[]).await;
    for (reference, days) in [(&before, 365), (&after, 30)] {
        let record = desk.stream_of(reference).await;
        desk.ask(record).await;
        let item = desk.item(&format!("state#{reference}")).await.unwrap();
        let expires: i64 = item["expires"].as_n().unwrap().parse().unwrap();
        let now = desk.now.lock().unwrap().as_second();
        assert_eq!(expires - now, days * 24 * 60 * 60, "{days}");
    }
    desk.finish().await;
}
