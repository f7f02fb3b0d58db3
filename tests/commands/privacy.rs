//! What the operator's commands do with people's data: list, export, erase, send again; and that everything in the
//! table ends.
//!
//! The application stands over the embedded database and the SES catcher as in the simulator, with the time as an
//! argument and an HTTP client that can lose the n-th call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::enquiry::Field;
use enquiry_desk::practice;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::desk::{Desk, Loss, references, text};
use crate::support::{COMPLETE, Item, as_many, emulated};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

// ------------------------------------------------------------------------------------------------ list

#[tokio::test]
async fn an_operator_finds_an_enquiry_whose_reference_they_do_not_know() {
    let desk = Desk::start().await;
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(desk.enquire(&format!("client{n}@example.com"), &[]).await);
        desk.later(HOUR);
    }
    let suspect = desk
        .post("spam@example.com", &[("extra_detail", "x")])
        .await;
    let all = desk.ask(json!({ "command": "list" })).await;
    let newest_first: Vec<&str> = std::iter::once(&suspect)
        .chain(made.iter().rev())
        .map(String::as_str)
        .collect();
    assert_eq!(references(&all), newest_first);
    assert!(all.get("next_cursor").is_none(), "{all}");
    assert_eq!(
        all["enquiries"][0],
        json!({
            "reference": suspect, "received_at": "2026-11-23T14:00:00Z", "verdict": "suspect", "name": "Zoë O'Brien",
            "promised_by": "2026-11-24T14:00:00Z", "mark": "waiting", "therapist": "pending", "auto_reply": "pending", "notice": null, "pending": true,
        })
    );
    assert_eq!(all["enquiries"][1]["therapist"], "sent");
    assert_eq!(all["enquiries"][1]["pending"], false);
    assert!(
        !all.to_string().contains("example.com"),
        "the name is enough to find the person"
    );

    // In pages, of which each begins where the last one ended.
    let mut paged = Vec::new();
    let mut command = json!({ "command": "list", "limit": 2 });
    let mut pages = 0;
    loop {
        let page = desk.ask(command.clone()).await;
        paged.extend(references(&page).into_iter().map(str::to_owned));
        pages += 1;
        let Some(next) = page.get("next_cursor") else {
            break;
        };
        assert!(!next.to_string().contains('@'));
        command["cursor"] = next.clone();
    }
    assert_eq!(
        (pages, paged),
        (3, newest_first.iter().map(|it| (*it).to_owned()).collect())
    );
    desk.finish().await;
}

#[tokio::test]
async fn days_are_those_of_the_practices_clock() {
    let desk = Desk::start().await;
    let mut made = Vec::new();
    for (at, why) in [
        (
            "2026-07-01T22:59:59Z",
            "the last second of the first of July in London, in summer",
        ),
        ("2026-07-01T23:00:00Z", "midnight in London"),
        ("2026-07-02T22:59:59Z", "the last second of that day"),
        ("2026-07-02T23:00:00Z", "the next day"),
    ] {
        let reference = desk
            .at(at.parse().unwrap())
            .post(&format!("client{}@example.com", made.len()), &[])
            .await;
        made.push((reference, why));
    }
    for (from, to, expected) in [
        (Some("2026-07-02"), Some("2026-07-02"), &[2, 1][..]),
        (Some("2026-07-02"), None, &[3, 2, 1]),
        (None, Some("2026-07-01"), &[0]),
        (Some("2026-07-04"), Some("2026-07-09"), &[]),
    ] {
        let mut command = json!({ "command": "list" });
        for (name, day) in [("from", from), ("to", to)] {
            if let Some(day) = day {
                command[name] = day.into();
            }
        }
        let answer = desk.ask(command).await;
        let expected: Vec<&str> = expected
            .iter()
            .map(|n: &usize| made[*n].0.as_str())
            .collect();
        assert_eq!(
            references(&answer),
            expected,
            "{from:?} to {to:?}: {made:?}"
        );
    }
    for wrong in [
        json!({ "command": "list", "from": "yesterday" }),
        json!({ "command": "list", "to": "2026-02-30" }),
        json!({ "command": "list", "to": "2026-07-01T10:00" }),
        json!({ "command": "list", "limit": 0 }),
        json!({ "command": "list", "limit": 201 }),
        json!({ "command": "list", "cursor": "zoe@example.com" }),
    ] {
        let error = desk.event(wrong.clone()).await.unwrap_err();
        assert!(error.contains("must be"), "{wrong}: {error}");
    }
    desk.finish().await;
}

#[tokio::test]
async fn a_list_for_a_spreadsheet_computes_nothing() {
    let desk = Desk::start().await;
    desk.post(
        "zoe@example.com",
        &[("name", "=HYPERLINK(\"http://example.com\")")],
    )
    .await;
    let answer = desk
        .ask(json!({ "command": "list", "format": "csv" }))
        .await;
    let rows = read_csv(answer["csv"].as_str().unwrap());
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][3], "Name");
    assert_eq!(rows[1][3], "'=HYPERLINK(\"http://example.com\")");
    desk.finish().await;
}

// ------------------------------------------------------------------------------------------------ resend

#[tokio::test]
async fn the_therapists_email_goes_again_when_the_operator_asks() {
    let desk = Desk::start().await;
    let reference = desk.enquire("zoe@example.com", &[]).await;
    let expires = desk.item(&format!("enquiry#{reference}")).await.unwrap()["expires"].clone();
    assert_eq!(desk.ses.mailbox().emails().len(), 2);
    let answer = desk
        .later(DAY)
        .ask(json!({ "command": "resend", "reference": reference, "kind": "therapist" }))
        .await;
    assert_eq!(
        (&answer["sent"], &answer["kind"]),
        (&json!(true), &json!("therapist"))
    );
    assert_eq!(desk.to("therapist@example.com").len(), 2);
    assert_eq!(desk.to("zoe@example.com").len(), 1);
    let item = desk.item(&format!("enquiry#{reference}")).await.unwrap();
    assert_eq!(item["expires"], expires, "it is kept no longer for that");
    assert!(!item.contains_key("pending"));
    desk.finish().await;
}

#[tokio::test]
async fn an_email_to_the_therapist_that_cannot_go_again_now_stays_pending() {
    let desk = Desk::start().await;
    let reference = desk.enquire("zoe@example.com", &[]).await;
    desk.ses.mailbox().account(|account| account.paused = true);
    let again = json!({ "command": "resend", "reference": reference, "kind": "therapist" });
    let answer = desk.ask(again.clone()).await;
    assert_eq!(
        (&answer["sent"], &answer["state"]["state"]),
        (&json!(false), &json!("pending"))
    );
    let error = desk.event(again).await.unwrap_err();
    assert!(error.contains("still pending"), "{error}");
    desk.ses.mailbox().account(|account| account.paused = false);
    assert_eq!(
        desk.ask(json!({ "command": "sweep" })).await["delivered"],
        1
    );
    assert_eq!(desk.to("therapist@example.com").len(), 2);
    desk.finish().await;
}

#[tokio::test]
async fn an_auto_reply_goes_again_only_within_all_its_limits() {
    let desk = Desk::start_with(emulated::account(), &[("AUTO_REPLIES_PER_DAY", "1")]).await;
    let resend = |reference: &str| json!({ "command": "resend", "reference": reference, "kind": "auto_reply" });

    let first = desk.enquire("zoe@example.com", &[]).await;
    let error = desk.event(resend(&first)).await.unwrap_err();
    assert!(
        error.contains("has left already") && error.contains("answer them yourself"),
        "{error}"
    );

    // Withheld because another one left for this address: as long as the cool-down runs, it stays so.
    let second = desk
        .enquire("ZOE+x@example.com", &[("message", "again")])
        .await;
    let answer = desk.later(HOUR).ask(resend(&second)).await;
    assert_eq!(answer["sent"], false);
    assert_eq!(
        answer["state"],
        json!({ "state": "withheld", "reason": "cool_down" })
    );
    assert_eq!(
        desk.to("zoe@example.com").len() + desk.to("ZOE+x@example.com").len(),
        1
    );

    // Withheld because the day's number was used up: it goes when there is room, and then never again.
    let third = desk.enquire("ben@example.com", &[]).await;
    let answer = desk.ask(resend(&third)).await;
    assert_eq!(answer["state"]["reason"], "daily_cap");
    // Friday's enquiry is promised an answer on Monday, so that an auto-reply still says the truth on Saturday.
    desk.at("2026-11-27T16:00:00Z".parse().unwrap());
    desk.enquire("eve@example.com", &[]).await;
    let friday = desk.enquire("dan@example.com", &[]).await;
    assert_eq!(
        desk.ask(resend(&friday)).await["state"]["reason"],
        "daily_cap"
    );
    let answer = desk.later(DAY).ask(resend(&friday)).await;
    assert_eq!(answer["sent"], true, "{answer}");
    assert_eq!(desk.to("dan@example.com").len(), 1);
    assert!(
        desk.event(resend(&friday))
            .await
            .unwrap_err()
            .contains("has left already")
    );
    let error = desk.later(DAY).event(resend(&third)).await.unwrap_err();
    assert!(error.contains("a time that has passed"), "{error}");
    assert!(desk.to("ben@example.com").is_empty());
    desk.finish().await;
}

#[tokio::test]
async fn what_may_not_be_sent_again_is_refused_with_what_to_do_instead() {
    let desk = Desk::start().await;
    let resend = |reference: &str| json!({ "command": "resend", "reference": reference, "kind": "auto_reply" });
    let pending = desk.post("pending@example.com", &[]).await;
    let suspect = desk
        .enquire("spam@example.com", &[("extra_detail", "x")])
        .await;
    let role = desk.enquire("no-reply@example.com", &[]).await;
    let bounced = desk.enquire("ben@example.com", &[]).await;
    let report = desk.feedback("Bounce", &desk.to("ben@example.com")[0]);
    desk.ask(report).await;
    desk.ses.mailbox().fail_for(
        "una@example.com",
        aws_emulator::ses::faults::Fault::ResetAfter,
    );
    let unknown = desk.enquire("una@example.com", &[]).await;
    for (reference, words) in [
        (&pending, "still pending"),
        (&suspect, "release it"),
        (&role, "those of machines"),
        (&bounced, "call the client"),
        (&unknown, "may have left"),
    ] {
        let before = desk.item(&format!("enquiry#{reference}")).await;
        let error = desk.event(resend(reference)).await.unwrap_err();
        assert!(
            error.contains(words) && error.contains(reference.as_str()),
            "{error}"
        );
        assert_eq!(desk.item(&format!("enquiry#{reference}")).await, before);
    }
    let error = desk
        .event(json!({ "command": "resend", "reference": pending, "kind": "notice" }))
        .await
        .unwrap_err();
    assert!(error.contains("\"kind\": \"auto_reply\""), "{error}");
    desk.finish().await;
}

// ------------------------------------------------------------------------------------------------ export

/// What the column of an answer is called.
fn heading(key: &str) -> &'static str {
    match Field::from_key(key).unwrap() {
        Field::ConsentVersion => "Wording agreed to",
        field => field.short(""),
    }
}

/// Reads CSV as RFC 4180 has it; independent of what wrote it.
fn read_csv(csv: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    let mut chars = csv
        .strip_prefix('\u{feff}')
        .expect("Excel needs it")
        .chars()
        .peekable();
    while let Some(c) = chars.next() {
        let cell = rows.last_mut().unwrap().last_mut().unwrap();
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => rows.last_mut().unwrap().push(String::new()),
            ('\r', false) => {
                assert_eq!(chars.next(), Some('\n'));
                rows.push(vec![String::new()]);
            }
            (c, true) => cell.push(c),
            (c, false) => panic!("{c:?} stands outside of quotation marks"),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the last line ends");
    rows
}

#[tokio::test]
async fn a_person_gets_everything_however_they_spelt_their_address() {
    let desk = Desk::start().await;
    let message = "=cmd|' /C calc'!A0\n\"quoted\", and\nmore";
    let first = desk
        .enquire(
            "z.oe@gmail.com",
            &[
                ("message", message),
                ("phone", "+44 7700 900982"),
                ("area", "neck"),
                ("area", "lower-back"),
            ],
        )
        .await;
    let second = desk
        .later(HOUR)
        .enquire("Zoe+massage@googlemail.com", &[])
        .await;
    desk.enquire("zoe@example.com", &[]).await;

    let answer = desk
        .ask(json!({ "command": "export", "email": "ZOE@gmail.com" }))
        .await;
    assert_eq!(
        (&answer["count"], &answer["complete"]),
        (&json!(2), &json!(true))
    );
    let exported = answer["enquiries"].as_array().unwrap();
    assert_eq!(exported[0]["received"]["reference"], second);
    assert_eq!(exported[1]["received"]["reference"], first);
    assert_eq!(exported[1]["received"]["enquiry"]["message"], message);
    assert_eq!(
        exported[1]["received"]["enquiry"]["consent_version"],
        practice::compiled().consent.version
    );
    assert_eq!(exported[1]["deliveries"]["therapist"]["state"], "sent");
    assert_eq!(exported[1]["deleted_after"], "2027-11-23T09:00:00Z");
    assert_eq!(answer["about_the_address"]["because_of"], first);

    let answer = desk
        .ask(json!({ "command": "export", "email": "zoe@gmail.com", "format": "csv" }))
        .await;
    let rows = read_csv(answer["csv"].as_str().unwrap());
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let cell = |row: usize, column: &str| {
        let at = rows[0].iter().position(|name| name == column).unwrap();
        rows[row][at].as_str()
    };
    assert_eq!(cell(2, "Reference"), first);
    assert_eq!(cell(2, heading("message")), format!("'{message}"));
    assert_eq!(cell(2, heading("phone")), "'+44 7700 900982");
    assert_eq!(cell(2, heading("area")), "Lower back, Neck");
    assert_eq!(cell(2, "Spam check"), "clear");
    assert_eq!(cell(1, heading("email")), "Zoe+massage@googlemail.com");
    assert_eq!(cell(1, heading("message")), "");

    let unknown = desk
        .ask(json!({ "command": "export", "email": "nobody@example.com" }))
        .await;
    assert_eq!(
        (&unknown["count"], &unknown["enquiries"]),
        (&json!(0), &json!([]))
    );
    desk.finish().await;
}

#[tokio::test]
async fn every_answer_that_is_stored_is_a_column_of_the_export() {
    let desk = Desk::start().await;
    let reference = desk.enquire("zoe@example.com", &COMPLETE).await;
    let item = desk.item(&format!("enquiry#{reference}")).await.unwrap();
    let mut stored = item["enquiry"].as_m().unwrap().clone();
    let answers = stored.remove("answers").unwrap();
    stored.extend(answers.as_m().unwrap().clone());
    let sent: BTreeSet<&str> = COMPLETE.iter().map(|(name, _)| *name).collect();
    assert_eq!(stored.len(), sent.len() - 1, "all but the submission's id");

    let export =
        |format: &str| json!({ "command": "export", "email": "zoe@example.com", "format": format });
    let answer = desk.ask(export("csv")).await;
    let rows = read_csv(answer["csv"].as_str().unwrap());
    let answer = desk.ask(export("json")).await;
    let mut exported = answer["enquiries"][0]["received"]["enquiry"].clone();
    let answers = exported["answers"].take();
    for name in stored.keys() {
        let heading = heading(name);
        let column = rows[0].iter().position(|column| column == heading);
        let column = column.unwrap_or_else(|| panic!("the table has no {heading}"));
        assert!(!rows[1][column].is_empty(), "{name}");
        let exported = exported.get(name).or(answers.get(name));
        assert!(exported.is_some(), "the data has no {name}");
    }
    desk.finish().await;
}

#[tokio::test]
async fn more_than_one_answer_can_hold_comes_in_several() {
    let desk = Desk::start().await;
    desk.post("zoe@example.com", &[("message", "long")]).await;
    const MADE: usize = 60;
    for item in as_many(&desk.items().await, &"“\"ä\"” ".repeat(12_000), MADE) {
        desk.put(item).await;
    }
    for format in ["json", "csv"] {
        let mut seen = std::collections::BTreeSet::new();
        let mut command =
            json!({ "command": "export", "email": "zoe@example.com", "format": format });
        let mut answers = 0;
        loop {
            let answer = desk.ask(command.clone()).await;
            let size = answer.to_string().len();
            assert!(size < 6_000_000, "{size}");
            answers += 1;
            if format == "csv" {
                let rows = read_csv(answer["csv"].as_str().unwrap());
                seen.extend(rows.into_iter().skip(1).map(|mut row| row.remove(0)));
            } else {
                let found = answer["enquiries"].as_array().unwrap().iter();
                seen.extend(
                    found.map(|it| it["received"]["reference"].as_str().unwrap().to_owned()),
                );
            }
            if answer["complete"] == true {
                break;
            }
            assert!(answer["note"].as_str().unwrap().contains("next"));
            command["cursor"] = answer["next_cursor"].clone();
        }
        assert_eq!(seen.len(), MADE, "{format}");
        assert!(answers > 1, "{format}");
    }
    desk.finish().await;
}

// ------------------------------------------------------------------------------------------------ erase

/// A desk with two enquiries of Zoë's, under two spellings, of which the auto-reply to the first came back, and one of
/// Ben's.
async fn with_zoe_and_ben() -> (Desk, [String; 3]) {
    let desk = Desk::start().await;
    let first = desk.enquire("zoe@example.com", &[]).await;
    let report = desk.feedback("Complaint", &desk.to("zoe@example.com")[0]);
    desk.ask(report).await;
    // Those of one second have no order.
    desk.later(SignedDuration::from_secs(1));
    let second = desk
        .enquire("Zoe+x@example.com", &[("message", "again")])
        .await;
    let ben = desk.enquire("ben@example.com", &[]).await;
    (desk, [first, second, ben])
}

#[tokio::test]
async fn erasing_first_says_what_would_go_and_then_leaves_nothing_of_a_person() {
    let (desk, [first, second, ben]) = with_zoe_and_ben().await;
    let before = desk.items().await.len();
    let erase = json!({ "command": "erase", "email": "ZOE@example.com" });
    let preview = desk.ask(erase.clone()).await;
    assert_eq!(preview["dry_run"], true);
    assert_eq!(
        preview["would_erase"],
        json!({ "enquiries": 2, "idempotency_records": 2, "cool_downs": 1, "notes": 0, "senders": 0 })
    );
    assert_eq!(
        references(&preview),
        [second.as_str(), first.as_str()].as_slice()
    );
    assert_eq!(preview["enquiries"][0]["email"], "Zoe+x@example.com");
    assert!(
        preview["about_the_address"]["what"]
            .as_str()
            .unwrap()
            .contains("welcome")
    );
    assert_eq!(
        desk.items().await.len(),
        before,
        "a dry run changes nothing"
    );

    let really = json!({ "command": "erase", "email": "ZOE@example.com", "confirm": true });
    let receipt = desk.ask(really.clone()).await;
    assert_eq!(receipt["erased"], preview["would_erase"]);
    assert_eq!(receipt["references"], json!([second, first]));
    assert_eq!(
        (&receipt["complete"], &receipt["error"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(receipt["address_code"], preview["address_code"]);
    let words = receipt.to_string().to_lowercase();
    assert!(
        !words.contains("zoe") && !words.contains("zoë") && !words.contains('@'),
        "{words}"
    );

    // Ben's enquiry, idempotency record and cool-down; the counters of the source and of the day, which identify no person.
    assert_eq!(
        desk.kinds().await,
        [
            "cool-down",
            "counter",
            "counter",
            "enquiry",
            "idempotency",
            "state"
        ]
    );
    let left = format!("{:?}", desk.items().await);
    assert!(left.contains(&ben) && !left.contains(&first) && !left.contains(&second));
    assert!(!left.contains("zoe") && !left.contains("Zoe"));

    let again = desk.ask(really).await;
    assert_eq!(
        again["erased"],
        json!({ "enquiries": 0, "idempotency_records": 0, "cool_downs": 0, "notes": 0, "senders": 0 })
    );
    assert_eq!(again["complete"], true);
    assert_eq!(
        desk.ask(json!({ "command": "export", "email": "zoe@example.com" }))
            .await["count"],
        0
    );
    desk.finish().await;
}

#[tokio::test]
async fn one_enquiry_is_erased_by_its_reference_and_the_others_stay() {
    let (desk, [first, second, _]) = with_zoe_and_ben().await;
    let erase = |reference: &str, confirm: bool| json!({ "command": "erase", "reference": reference.to_lowercase(), "confirm": confirm });
    let preview = desk.ask(erase(&second, false)).await;
    assert_eq!(
        preview["would_erase"],
        json!({ "enquiries": 1, "idempotency_records": 1, "cool_downs": 0, "notes": 0, "senders": 0 })
    );
    let receipt = desk.ask(erase(&second, true)).await;
    assert_eq!(receipt["erased"], preview["would_erase"]);
    assert_eq!(receipt["address_code"], Value::Null);
    assert_eq!(
        desk.kinds().await,
        [
            "cool-down",
            "cool-down",
            "counter",
            "counter",
            "enquiry",
            "enquiry",
            "idempotency",
            "idempotency",
            "state",
            "state"
        ],
        "the cool-down is there for the first one"
    );
    let receipt = desk.ask(erase(&first, true)).await;
    assert_eq!(
        receipt["erased"],
        json!({ "enquiries": 1, "idempotency_records": 1, "cool_downs": 1, "notes": 0, "senders": 0 })
    );
    let again = desk.ask(erase(&first, true)).await;
    assert_eq!(
        (&again["erased"]["enquiries"], &again["complete"]),
        (&json!(0), &json!(true))
    );
    assert_eq!(
        desk.kinds().await,
        [
            "cool-down",
            "counter",
            "counter",
            "enquiry",
            "idempotency",
            "state"
        ]
    );
    desk.finish().await;
}

#[tokio::test]
async fn an_erasure_that_is_interrupted_at_any_call_is_finished_by_the_next() {
    let mut played = 0;
    for by_reference in [false, true] {
        let (desk, [first, second, _]) = with_zoe_and_ben().await;
        let items = desk.items().await;
        let really = if by_reference {
            json!({ "command": "erase", "reference": first, "confirm": true })
        } else {
            json!({ "command": "erase", "email": "zoe@example.com", "confirm": true })
        };
        desk.wire.lose(Loss::None);
        desk.ask(really.clone()).await;
        let calls = desk.wire.calls();
        let goal = desk.kinds().await;
        assert!(calls >= 7, "{calls}");
        for nth in 0..calls {
            for loss in [Loss::Before(nth), Loss::After(nth)] {
                for item in items.clone() {
                    desk.put(item).await;
                }
                desk.wire.lose(loss);
                let interrupted = desk.event(really.clone()).await;
                desk.wire.lose(Loss::None);
                let mut named: Vec<Value> = Vec::new();
                let receipt = interrupted.unwrap_or_else(|error| panic!("{loss:?}: {error}"));
                if loss != Loss::After(calls - 1) {
                    assert_eq!(receipt["complete"], false, "{loss:?}: {receipt}");
                }
                named.extend(receipt["references"].as_array().unwrap().clone());
                named.push(receipt["unsure"].clone());
                let receipt = desk.ask(really.clone()).await;
                assert_eq!(receipt["complete"], true, "{loss:?}");
                named.extend(receipt["references"].as_array().unwrap().clone());
                assert_eq!(desk.kinds().await, goal, "{by_reference}, {loss:?}");
                assert!(named.contains(&json!(first)), "{loss:?}: {named:?}");
                assert!(
                    by_reference || named.contains(&json!(second)),
                    "{loss:?}: {named:?}"
                );
                played += 1;
            }
        }
        desk.finish().await;
    }
    assert!(played > 30, "{played}");
}

#[tokio::test]
async fn what_is_under_way_brings_nothing_back() {
    // The operation of a delivery, of a report or of a command that is held back while the enquiry is erased.
    for (operation, what) in [
        ("TransactWriteItems", "booking the auto-reply"),
        ("PutItem", "taking the lease"),
        ("SendEmail", "sending the therapist's email"),
    ] {
        let desk = Arc::new(Desk::start().await);
        let reference = desk.post("zoe@example.com", &[]).await;
        let stream = desk.stream_of(&reference).await;
        *desk.wire.hold.lock().unwrap() = Some(operation);
        let delivery = tokio::spawn({
            let desk = Arc::clone(&desk);
            async move { desk.event(stream).await }
        });
        desk.wire.held.notified().await;
        let receipt = desk
            .ask(json!({ "command": "erase", "email": "zoe@example.com", "confirm": true }))
            .await;
        assert_eq!(
            receipt["leaving"],
            u8::from(operation == "SendEmail"),
            "{what}"
        );
        desk.wire.let_go.notify_one();
        delivery.await.unwrap().unwrap();
        assert!(
            desk.kinds().await.iter().all(|kind| kind == "counter"),
            "{what}: {:?}",
            desk.items().await
        );
        Arc::into_inner(desk).unwrap().finish().await;
    }
}

#[tokio::test]
async fn a_report_that_comes_during_or_after_an_erasure_remembers_no_address() {
    let desk = Arc::new(Desk::start().await);
    desk.enquire("zoe@example.com", &[]).await;
    let report = desk.feedback("Bounce", &desk.to("zoe@example.com")[0]);
    *desk.wire.hold.lock().unwrap() = Some("TransactWriteItems");
    let recording = tokio::spawn({
        let (desk, report) = (Arc::clone(&desk), report.clone());
        async move { desk.event(report).await }
    });
    desk.wire.held.notified().await;
    desk.ask(json!({ "command": "erase", "email": "zoe@example.com", "confirm": true }))
        .await;
    desk.wire.let_go.notify_one();
    recording.await.unwrap().unwrap();
    assert_eq!(desk.kinds().await, ["counter", "counter"]);

    desk.ask(report).await;
    assert_eq!(desk.kinds().await, ["counter", "counter"]);
    for email in ["therapist", "auto_reply"] {
        let error = desk
            .event(json!({ "command": "resend", "reference": "BB-00000", "kind": email }))
            .await
            .unwrap_err();
        assert!(error.contains("there is no enquiry"), "{error}");
    }
    Arc::into_inner(desk).unwrap().finish().await;
}

#[tokio::test]
async fn an_item_of_a_newer_version_is_listed_and_erased_although_nobody_can_read_it() {
    let desk = Desk::start().await;
    let reference = desk.enquire("zoe@example.com", &[]).await;
    let mut item = desk.item(&format!("enquiry#{reference}")).await.unwrap();
    item.insert("v".to_owned(), AttributeValue::N("99".to_owned()));
    desk.put(item).await;
    let listed = desk.ask(json!({ "command": "list" })).await;
    assert!(listed["enquiries"][0]["unreadable"].is_string(), "{listed}");
    let exported = desk
        .ask(json!({ "command": "export", "email": "zoe@example.com" }))
        .await;
    assert!(
        exported["enquiries"][0]["unreadable"].is_string(),
        "{exported}"
    );
    let csv = desk
        .ask(json!({ "command": "export", "email": "zoe@example.com", "format": "csv" }))
        .await;
    let rows = read_csv(csv["csv"].as_str().unwrap());
    assert_eq!(rows[1].len(), rows[0].len());
    let receipt = desk
        .ask(json!({ "command": "erase", "email": "zoe@example.com", "confirm": true }))
        .await;
    assert_eq!(
        receipt["erased"],
        json!({ "enquiries": 1, "idempotency_records": 1, "cool_downs": 1, "notes": 0, "senders": 0 })
    );
    assert_eq!(desk.kinds().await, ["counter", "counter"]);
    desk.finish().await;
}

#[tokio::test]
async fn the_idempotency_record_of_a_later_post_stays_when_the_earlier_one_is_erased() {
    let desk = Desk::start().await;
    let earlier = desk.enquire("zoe@example.com", &[]).await;
    // The same answers, after the idempotency record has expired.
    let later = desk.later(DAY + HOUR).enquire("zoe@example.com", &[]).await;
    assert_ne!(earlier, later);
    let receipt = desk
        .ask(json!({ "command": "erase", "reference": earlier, "confirm": true }))
        .await;
    assert_eq!(
        receipt["erased"],
        json!({ "enquiries": 1, "idempotency_records": 0, "cool_downs": 0, "notes": 0, "senders": 0 })
    );
    assert_eq!(
        desk.post("zoe@example.com", &[]).await,
        later,
        "a repeat of the later one is still a repeat"
    );
    desk.finish().await;
}

// ------------------------------------------------------------------------------------------------ words and ends

/// Every command, by its name.
const COMMANDS: [&str; 23] = [
    "block",
    "check",
    "close-desk",
    "erase",
    "export",
    "list",
    "mark",
    "nightly",
    "note",
    "open-desk",
    "probe",
    "release",
    "remind",
    "resend",
    "senders",
    "show",
    "sign-in",
    "sign-out-everywhere",
    "spam",
    "sweep",
    "trust",
    "unblock",
    "waiting",
];

#[tokio::test]
async fn an_operator_who_sends_something_else_is_shown_every_command() {
    let desk = Desk::start().await;
    let error = desk.event(json!({ "command": "dance" })).await.unwrap_err();
    for wrong in [
        json!({ "command": "sweep", "fast": true }),
        json!({ "command": "list", "since": "2026-11-01" }),
        json!({ "command": "list", "limit": "many" }),
        json!({ "command": "show" }),
        json!({ "command": "export" }),
        json!({ "command": "export", "email": "zoe@example.com", "format": "xml" }),
        json!({ "command": "erase", "email": "zoe@example.com", "confirm": "yes" }),
        json!({ "command": "erase", "email": "zoe@example.com", "dry_run": false }),
        json!({ "command": "Erase", "email": "zoe@example.com" }),
        json!({ "command": "resend", "reference": "BB-00000" }),
    ] {
        assert_eq!(
            desk.event(wrong.clone()).await.unwrap_err(),
            error,
            "{wrong}"
        );
    }
    // Each line begins with an example, and each example is understood.
    let mut shown = Vec::new();
    for example in error.split('{').skip(1) {
        let example = format!("{{{}}}", example.split_once('}').unwrap().0);
        let example: Value = serde_json::from_str(&example).unwrap();
        shown.push(example["command"].as_str().unwrap().to_owned());
        if let Err(refused) = desk.event(example.clone()).await {
            assert!(
                refused.contains("there is no enquiry"),
                "{example}: {refused}"
            );
        }
    }
    shown.sort();
    shown.dedup();
    assert_eq!(shown, COMMANDS);
    for wrong in [
        json!({ "command": "erase" }),
        json!({ "command": "erase", "email": "zoe@example.com", "reference": "BB-00000" }),
        json!({ "command": "erase", "email": "zoe", "confirm": true }),
        json!({ "command": "export", "email": "zoe@example.com, ben@example.com" }),
        json!({ "command": "erase", "reference": "zoe@example.com" }),
    ] {
        let refused = desk.event(wrong.clone()).await.unwrap_err();
        assert_ne!(refused, error);
        assert!(
            !refused.contains("ben@") && !refused.contains("zoe@example.com,"),
            "{refused}"
        );
    }
    desk.finish().await;
}

/// People read the guide under a deadline, so a command in it must be right.
#[tokio::test]
async fn the_commands_of_the_documents_are_carried_out_as_they_stand_there() {
    let (desk, _) = with_zoe_and_ben().await;
    let mut shown = Vec::new();
    for file in ["docs/commands.md", "docs/privacy.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let document = std::fs::read_to_string(path).unwrap();
        for rest in document.split(r#"{"command":"#).skip(1) {
            let command = format!(r#"{{"command":{}}}"#, rest.split_once('}').unwrap().0);
            let command: Value = serde_json::from_str(&command.replace('…', "zoe@example.com"))
                .unwrap_or_else(|error| panic!("{file}: {command}: {error}"));
            shown.push(command["command"].as_str().unwrap().to_owned());
            match desk.event(command.clone()).await {
                Ok(_) => {}
                Err(error) => assert!(
                    error.contains("there is no enquiry")
                        || error.contains("a reference looks like"),
                    "{file}: {command}: {error}"
                ),
            }
        }
    }
    shown.sort();
    shown.dedup();
    assert_eq!(shown, COMMANDS);
    assert!(desk.to("zoe@example.com").len() == 1);
    desk.finish().await;
}

#[tokio::test]
async fn the_privacy_notice_says_what_the_product_does() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(path.join(file)).unwrap();
    let words = |text: &str| {
        text.replace('>', " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let guide = words(&read("docs/privacy.md"));
    let template = read("template.yaml");
    let (_, after) = template.split_once("\n  LogRetentionDays:\n").unwrap();
    let (_, after) = after.split_once("Default: ").unwrap();
    assert!(after.trim_start_matches('"').starts_with("30"));
    assert!(guide.contains("`LogRetentionDays` (30 unless you changed it)"));
    assert_eq!(practice::compiled().privacy.retention_days, 365);
    assert!(guide.contains("`retention_days` (365 unless you changed it)"));
    assert!(
        guide.contains(&words("I agree that my answers, and what they say about my health, may be used to reply to me and to plan my appointment.")),
        "the wording of the consent as it comes"
    );
    let notice = guide
        .split_once("**What happens with your enquiry**")
        .unwrap()
        .1;
    for said in [
        "explicit consent",
        "change your mind",
        "[365] days",
        "30 days if it looks like spam",
        "35 days longer",
        "22 minutes",
        "24 hours",
        "Information Commissioner",
    ] {
        assert!(notice.contains(said), "{said}");
    }
    let ease = testing::readability::ease(notice);
    assert!(ease > 55.0, "{ease}");
}

#[tokio::test]
async fn everything_in_the_table_ends_by_itself_unless_it_still_owes_something() {
    let desk = Desk::start().await;
    // More than the retention ago, as the database's own clock counts.
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let (long_ago, month_ago) = (now - DAY * 366, now - DAY * 31);

    // Everything that makes an item, long ago.
    desk.at(long_ago);
    let clear = desk.enquire("zoe@example.com", &[]).await;
    let suspect = desk
        .enquire("spam@example.com", &[("extra_detail", "x")])
        .await;
    let released = desk
        .enquire("rose@example.com", &[("extra_detail", "x")])
        .await;
    desk.ask(json!({ "command": "release", "reference": released }))
        .await;
    desk.enquire("ben@example.com", &[]).await;
    let report = desk.feedback("Bounce", &desk.to("ben@example.com")[0]);
    desk.ask(report).await;
    desk.ask(json!({ "command": "resend", "reference": clear, "kind": "therapist" }))
        .await;
    let kinds = ["cool-down", "counter", "enquiry", "idempotency", "state"];
    let mut made = desk.kinds().await;
    made.dedup();
    assert_eq!(
        made, kinds,
        "every kind of item of src/store/schema.rs, but for the nonces (`tokens`)"
    );
    // And of a month ago, and of today.
    let clear_later = desk.at(month_ago).enquire("anna@example.com", &[]).await;
    let suspect_later = desk
        .enquire("junk@example.com", &[("extra_detail", "x")])
        .await;
    let today = desk
        .at(now)
        .enquire("tom@example.com", &[("extra_detail", "x")])
        .await;
    // One that never got out, from long ago.
    desk.ses.mailbox().account(|account| account.paused = true);
    let pending = desk.at(long_ago).enquire("owen@example.com", &[]).await;

    for item in desk.items().await {
        let pk = text(&item, "pk");
        let is_of_pending = pk == format!("enquiry#{pending}") || pk == format!("state#{pending}");
        assert_eq!(item.contains_key("expires"), !is_of_pending, "{pk}");
        let is_pending = item.contains_key("pending");
        assert_eq!(is_pending, pk == format!("state#{pending}"), "{pk}");
    }
    let expiry = |item: &Item| item["expires"].as_n().unwrap().parse::<i64>().unwrap();
    let life = |item: &Item| {
        expiry(item)
            - text(item, "received_at")
                .parse::<Timestamp>()
                .unwrap()
                .as_second()
    };
    for (reference, days) in [(&clear, 365), (&released, 365), (&suspect, 30)] {
        let item = desk.item(&format!("enquiry#{reference}")).await.unwrap();
        assert_eq!(life(&item), days * 24 * 60 * 60, "{days}");
    }

    assert!(desk.dynamo.sweep().unwrap() > 10);
    let mut left: Vec<String> = desk
        .items()
        .await
        .iter()
        .map(|item| text(item, "pk").to_owned())
        .collect();
    left.retain(|pk| pk.starts_with("enquiry#"));
    left.sort();
    let mut expected =
        [&clear_later, &today, &pending].map(|reference| format!("enquiry#{reference}"));
    expected.sort();
    assert_eq!(
        left, expected,
        "a suspect of a month ago ({suspect_later}) lives shorter"
    );

    // Once it has left, its time runs too.
    desk.ses.mailbox().account(|account| account.paused = false);
    desk.at(long_ago).ask(json!({ "command": "sweep" })).await;
    desk.dynamo.sweep().unwrap();
    assert!(desk.item(&format!("enquiry#{pending}")).await.is_none());
    desk.finish().await;
}

#[tokio::test]
async fn what_was_typed_expires_although_its_delivery_stopped_before_that_was_written() {
    let desk = Desk::start().await;
    // Without an auto-reply nothing is pending after the first email.
    let reference = desk.post("zoe@example.com", &[("extra_detail", "x")]).await;
    let record = desk.stream_of(&reference).await;
    *desk.wire.hold.lock().unwrap() = Some("UpdateItem");
    tokio::select! {
        answer = desk.event(record) => panic!("not held: {answer:?}"),
        () = desk.wire.held.notified() => {}
    }
    let typed = desk.item(&format!("enquiry#{reference}")).await.unwrap();
    assert!(!typed.contains_key("expires"), "stopped before");
    desk.later(SignedDuration::from_mins(5));
    desk.ask(json!({ "command": "sweep" })).await;
    for kind in ["enquiry", "state"] {
        let item = desk.item(&format!("{kind}#{reference}")).await.unwrap();
        let ends = item.contains_key("expires") && !item.contains_key("pending");
        assert!(ends, "{item:?}");
    }
    desk.finish().await;
}
