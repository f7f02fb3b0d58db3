//! Alarms lead out: each is raised, what its text says is done, and it ends.

use aws_emulator::aws;
use aws_emulator::ses::account::Suppression;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use super::pending::{Bench, at};
use crate::simulation::simulator::post_event;
use crate::support::emulated;

#[tokio::test]
async fn an_enquiry_that_cannot_be_read_is_shown_as_it_is_and_ends_when_it_is_erased() {
    for (kind, attribute, broken) in [
        (
            "state",
            "deliveries",
            AttributeValue::S("broken".to_owned()),
        ),
        (
            "enquiry",
            "enquiry",
            AttributeValue::M(
                [(
                    "email".to_owned(),
                    AttributeValue::S("zoe@example.org".to_owned()),
                )]
                .into(),
            ),
        ),
        ("enquiry", "v", AttributeValue::N("99".to_owned())),
    ] {
        let bench = Bench::start(&[]).await;
        let reference = bench.store(at(0), "zoe@example.org", "My back").await;
        let mut item = bench.part(kind, &reference).await;
        item.insert(attribute.to_owned(), broken);
        let put = bench
            .dynamo
            .client()
            .put_item()
            .table_name(bench.dynamo.table());
        put.set_item(Some(item)).send().await.unwrap();
        bench.sweep(at(1)).await;
        assert_eq!(bench.logs.alarms(), ["record_parked"]);

        let show = json!({ "command": "show", "reference": reference });
        let shown = bench.invoke(at(2), show).await;
        let code = if attribute == "v" {
            "UnknownVersion"
        } else {
            "Unreadable"
        };
        assert_eq!(shown["unreadable"], code);
        assert_eq!(shown["items"].as_array().unwrap().len(), 2);
        let items = shown["items"].to_string();
        assert!(
            items.contains("zoe@example.org"),
            "how to reach the client: {items}"
        );

        let erase = json!({ "command": "erase", "reference": reference, "confirm": true });
        let erased = bench.invoke(at(3), erase).await;
        assert_eq!(erased["erased"]["enquiries"], 1, "{erased}");
        bench.logs.take();
        let swept = bench.sweep(at(4)).await;
        assert_eq!(swept["pending"], 0);
        assert!(bench.logs.alarms().is_empty());
    }
}

#[tokio::test]
async fn past_the_table_nothing_counts_as_accepted_that_ses_is_known_to_hold_back() {
    let bench = Bench::start(&[]).await;
    emulated::drop_table(&bench.dynamo).await;
    // As a stack in which the therapist's own set suppresses like any other.
    bench
        .ses
        .mailbox()
        .account(|account| account.unsuppressed_sets.clear());
    let suppress = |address: Option<&str>| {
        let suppressed = address.map(|address| (address.to_owned(), Suppression::Complaint));
        let suppressed = suppressed.into_iter().collect();
        bench
            .ses
            .mailbox()
            .account(|account| account.suppressed = suppressed);
    };
    let mut minute = 0;
    let mut post = async || {
        minute += 2;
        let form = json!({
            "name": "Zoë", "email": "zoe@example.org", "goal": "relax", "consent": "yes", "message": minute.to_string(),
        });
        let answer = bench.invoke(at(minute), post_event(&form)).await;
        // What SES reports of it comes later.
        let email = bench.emails().pop().unwrap();
        for notice in &email.notices {
            let recorded = bench.invoke_with(at(minute), 29, notice.sns_event()).await;
            assert!(
                recorded.is_ok(),
                "nothing that a person has to look at in the failure queue"
            );
        }
        answer
    };
    assert_eq!(post().await["statusCode"], 201);
    suppress(Some("therapist@example.com"));
    bench.logs.take();
    // Nothing is known of it yet: the alarm tells that the client got an answer.
    assert_eq!(post().await["statusCode"], 201);
    assert_eq!(
        bench.logs.alarms(),
        ["table_unavailable", "therapist_suppressed"]
    );
    let refused = post().await;
    assert_eq!(refused["statusCode"], 503);
    assert!(
        refused["body"].as_str().unwrap().contains("07835 346476"),
        "{refused}"
    );
    assert_eq!(bench.emails().len(), 3, "it is sent all the same");
    // The operator does what the alarm says. One more client phones, and hers is the email that arrives.
    suppress(None);
    assert_eq!(post().await["statusCode"], 503);
    assert_eq!(post().await["statusCode"], 201);
}

#[tokio::test]
async fn past_the_table_an_environment_that_heard_no_report_knows_what_it_has_taken_up() {
    let mut bench = Bench::start(&[]).await;
    bench.ses.mailbox().account(|account| {
        account.unsuppressed_sets.clear();
        account.suppressed = [("therapist@example.com".to_owned(), Suppression::Bounce)].into();
    });
    bench.post(at(0), "zoe@example.org", "My back").await;
    let dropped = bench.emails().remove(0);
    for notice in &dropped.notices {
        bench.invoke(at(1), notice.sns_event()).await;
    }
    // Another environment sends it once more, an hour later, and never hears what became of it.
    let endpoints = emulated::endpoints(bench.dynamo.endpoint(), bench.ses.endpoint());
    bench.app = emulated::app(&endpoints, &[], aws::http_client()).unwrap();
    assert_eq!(bench.sweep(at(62)).await["pending"], 1);
    emulated::drop_table(&bench.dynamo).await;
    let form =
        json!({ "name": "Ben", "email": "ben@example.org", "goal": "relax", "consent": "yes" });
    let refused = bench.invoke(at(63), post_event(&form)).await;
    assert_eq!(refused["statusCode"], 503, "{refused}");
    // Long after, nothing is known any more.
    let accepted = bench.invoke(at(63 + 3 * 60), post_event(&form)).await;
    assert_eq!(accepted["statusCode"], 201, "{accepted}");
}

#[tokio::test]
async fn a_sweep_stops_at_the_first_refusal_that_concerns_the_whole_account() {
    let bench = Bench::start(&[]).await;
    for n in 0..20 {
        bench
            .store(at(0), &format!("client{n}@example.org"), "1")
            .await;
    }
    bench.pause(true);
    bench.sweep(at(10)).await;
    let requests = bench.ses.mailbox().requests();
    // Four are worked at together, each with an email to the therapist and one to the client.
    assert!((1..=8).contains(&requests), "{requests}");
    assert!(
        bench
            .logs
            .alarms()
            .iter()
            .all(|alarm| alarm == "misconfigured")
    );
    // The operator does what the alarm says.
    bench.pause(false);
    let swept = bench.sweep(at(15)).await;
    assert_eq!(swept, json!({ "pending": 20, "delivered": 20, "left": 0 }));
    assert_eq!(bench.emails().len(), 40);
}

#[tokio::test]
async fn a_therapist_on_holiday_raises_no_alarm_however_her_mailbox_answers() {
    for address in [
        "ooto@simulator.amazonses.com",
        "ooto+first@simulator.amazonses.com",
    ] {
        let bench = Bench::start(&[("THERAPIST_EMAIL", address)]).await;
        // Two emails to her about one enquiry: itself, and that the auto-reply came back.
        let reference = bench
            .post(at(0), "bounce@simulator.amazonses.com", "1")
            .await;
        let mut told = 0;
        while let Some(email) = bench.emails().get(told) {
            told += 1;
            for notice in &email.notices {
                bench.invoke(at(1), notice.sns_event()).await;
            }
        }
        assert_eq!(told, 3, "to her, to the client, and to her again");
        let emails = bench.show(&reference).await;
        assert_eq!(
            (&emails["therapist"]["state"], &emails["notice"]["state"]),
            (&json!("delivered"), &json!("delivered"))
        );
        assert_eq!(bench.logs.alarms(), [""; 0], "{address}");
    }
}

#[tokio::test]
async fn after_the_mailbox_turned_an_email_away_another_one_gets_it_by_resend() {
    let gone = [("THERAPIST_EMAIL", "bounce@simulator.amazonses.com")];
    let mut bench = Bench::start(&gone).await;
    let reference = bench.post(at(0), "zoe@example.org", "1").await;
    for email in bench.emails() {
        for notice in &email.notices {
            bench.invoke(at(1), notice.sns_event()).await;
        }
    }
    assert_eq!(bench.logs.alarms(), ["therapist_unreachable"]);
    let lines = bench.logs.take();
    let alarm = lines
        .iter()
        .find(|line| line["alarm"] == "therapist_unreachable");
    assert_eq!(alarm.unwrap()["reference"], reference);
    let listed = bench.invoke(at(2), json!({ "command": "list" })).await;
    assert!(listed.to_string().contains("bounced"), "{listed}");

    // Deployed with another address.
    let endpoints = emulated::endpoints(bench.dynamo.endpoint(), bench.ses.endpoint());
    bench.app = emulated::app(&endpoints, &[], aws::http_client()).unwrap();
    let resend = json!({ "command": "resend", "reference": reference, "kind": "therapist" });
    assert_eq!(bench.invoke(at(60), resend).await["sent"], true);
    let emails = bench.emails();
    let last = emails.last().unwrap();
    assert_eq!(last.to, ["therapist@example.com"]);
    for notice in &last.notices {
        bench.invoke(at(61), notice.sns_event()).await;
    }
    assert_eq!(
        bench.show(&reference).await["therapist"]["state"],
        "delivered"
    );
    assert_eq!(bench.sweep(at(200)).await["pending"], 0);
    assert_eq!(bench.logs.alarms(), [""; 0]);
}
