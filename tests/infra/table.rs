//! `docs/table.md` against the code, `template.yaml` and the items that a run leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::clock::Clock;
use enquiry_desk::enquiry::{Enquiry, Received, Reference};
use enquiry_desk::mail_state::{Deliveries, EmailKind, MailState, Withheld};
use enquiry_desk::practice;
use enquiry_desk::proof_of_work::Nonce;
use enquiry_desk::record::{NightlyTest, Origin, OwnEmailId, Step};
use enquiry_desk::spam::Score;
use enquiry_desk::store::{Accepted, NewEnquiry, SavedPractice, Words, schema};
use enquiry_desk::withdrawal::{Action, Withdrawal};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::template::{Stack, list};
use crate::support::{COMPLETE, TestApp};

/// The tables of the document by the heading above them, each row as its cells, without the header.
fn document() -> BTreeMap<String, Vec<Vec<String>>> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/table.md")).unwrap();
    let mut tables: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    let mut heading = String::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        } else if let Some(row) = line.strip_prefix("| ") {
            let cells = row.trim_end_matches(" |").split(" | ");
            let cells = cells
                .map(|cell| cell.trim_matches('`').to_owned())
                .collect();
            tables.entry(heading.clone()).or_default().push(cells);
        }
    }
    for rows in tables.values_mut() {
        rows.drain(..2);
    }
    tables
}

/// The documented items: the beginning of the key, and each attribute with its type.
fn documented() -> BTreeMap<String, BTreeMap<String, String>> {
    let tables = document()
        .into_iter()
        .filter(|(heading, _)| heading.starts_with('`'));
    tables
        .map(|(heading, rows)| {
            let key = heading.trim_start_matches('`').split('…').next().unwrap();
            let attributes = rows.into_iter().map(|row| (row[0].clone(), row[1].clone()));
            (key.to_owned(), attributes.collect())
        })
        .collect()
}

#[test]
fn the_document_names_the_keys_the_indexes_and_the_expiry_of_the_code_and_the_template() {
    let tables = document();
    let keys = [
        ["partition key", schema::PARTITION_KEY],
        ["expiry (TTL)", schema::EXPIRY],
    ];
    assert_eq!(tables["Keys and expiry"], keys);
    let indexes: Vec<Vec<String>> = tables["Indexes"]
        .iter()
        .map(|row| row[..3].to_vec())
        .collect();
    assert_eq!(
        indexes,
        schema::INDEXES.map(|index| [index.name, index.partition_key, index.sort_key])
    );

    let template = Stack::new(&[]).properties("Table");
    let name = |value: &serde_json::Value, member: &str| value[member].as_str().unwrap().to_owned();
    assert_eq!(
        name(&template["TimeToLiveSpecification"], "AttributeName"),
        schema::EXPIRY
    );
    assert_eq!(
        name(&template["KeySchema"][0], "AttributeName"),
        schema::PARTITION_KEY
    );
    let of_template: Vec<Vec<String>> = list(&template["GlobalSecondaryIndexes"])
        .iter()
        .map(|index| {
            let key = |at: usize| name(&index["KeySchema"][at], "AttributeName");
            vec![name(index, "IndexName"), key(0), key(1)]
        })
        .collect();
    assert_eq!(of_template, indexes);
    let defined = list(&template["AttributeDefinitions"]);
    let defined: BTreeSet<String> = defined.iter().map(|it| name(it, "AttributeName")).collect();
    let used = indexes.iter().flat_map(|index| index[1..].to_vec());
    let used: BTreeSet<String> = used.chain([schema::PARTITION_KEY.to_owned()]).collect();
    assert_eq!(defined, used);
}

fn kind_of(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::S(_) => "S",
        AttributeValue::N(_) => "N",
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::M(_) => "M",
        AttributeValue::L(_) => "L",
        other => panic!("{other:?} is not documented"),
    }
}

/// What the table holds: the beginning of each key, and every attribute with its type.
async fn left_by(app: &TestApp) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut left: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for item in app.all_items().await {
        let (kind, _) = item["pk"].as_s().unwrap().split_once('#').unwrap();
        let attributes = left.entry(format!("{kind}#")).or_default();
        for (name, value) in &item {
            let minute = name
                .strip_prefix('m')
                .is_some_and(|rest| rest.parse::<u64>().is_ok());
            let name = if minute { "m…" } else { name };
            attributes.insert(name.to_owned(), kind_of(value).to_owned());
        }
    }
    left
}

#[tokio::test]
async fn every_item_and_attribute_of_a_run_is_documented_and_the_other_way_round() {
    let app = TestApp::start().await;
    // A client, one whose address bounces, and what looks like spam.
    for (email, trap) in [
        ("zoe@example.com", ""),
        ("bounce@simulator.amazonses.com", ""),
        ("spam@example.com", "x"),
    ] {
        let mut fields = COMPLETE.to_vec();
        fields.retain(|(name, _)| !["email", "submission"].contains(name));
        fields.extend([("email", email), ("extra_detail", trap)]);
        assert_eq!(app.post_form(&fields).await.status, 303);
    }
    app.emails().await;
    // What the therapist does: marks, a note, a block, a verdict; until a timeline is long.
    let listed = app.invoke(json!({ "command": "list" })).await.unwrap();
    for row in listed["enquiries"].as_array().unwrap() {
        let act = async |command: &str| {
            let command = json!({ "command": command, "reference": row["reference"] });
            app.invoke(command).await.unwrap()
        };
        if row["verdict"] == "suspect" {
            act("block").await;
        } else {
            act("spam").await;
        }
        for mark in ["answered", "booked"].iter().cycle().take(12) {
            let mark = json!({ "command": "mark", "reference": row["reference"], "as": mark });
            app.invoke(mark).await.unwrap();
        }
        let note =
            json!({ "command": "note", "reference": row["reference"], "text": "Rings back" });
        app.invoke(note).await.unwrap();
    }
    // A client who withdraws, and says that they did not write at all.
    let key = app.items("enquiry").await.remove(0)["pk"]
        .as_s()
        .unwrap()
        .clone();
    let reference = Reference::parse(key.strip_prefix("enquiry#").unwrap()).unwrap();
    let client = Withdrawal::new(app.app.store.clone());
    let now = Timestamp::now();
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    for action in [Action::Disown, Action::Withdraw] {
        let done = client.act(&reference, action, &clock).await.unwrap();
        assert!(done.is_some());
    }
    // And one who complains about the use of their data.
    let noted = app
        .app
        .desk
        .data_complaint(&reference, Origin::Desk, &clock);
    assert!(noted.await.unwrap().is_done());
    // More suspected ones than are mailed in an hour, and the email that tells their number.
    let now = Timestamp::now();
    for _ in 0..31 {
        app.app
            .store
            .count_suspected("2026-11-23T10", 30, now)
            .await
            .unwrap();
    }
    for (about, due) in [("2026-11-23T10", now), ("2026-11-23T11", Timestamp::MAX)] {
        let (kind, about) = (EmailKind::SuspectedCount, about.to_owned());
        let id = OwnEmailId { kind, about };
        app.app.store.schedule(&id, due).await.unwrap();
    }
    app.invoke(json!({ "command": "sweep" })).await.unwrap();
    // A check, and a page of the site with a field that the form has not.
    app.invoke(json!({ "command": "check" })).await.unwrap();
    let mut fields = crate::support::MINIMAL.to_vec();
    fields.extend([("message", "Another one"), ("newsletter", "yes")]);
    assert_eq!(app.post_form(&fields).await.status, 303);
    // A nightly test that was kept, and of which everything is known that can be.
    let now = Timestamp::now();
    let test = NightlyTest {
        reference: Reference::parse("BB-7KQ4M").unwrap(),
        nonce: "n-1".to_owned(),
        started_at: now,
        trouble: None,
        stored_at: None,
        streamed_at: Some(now),
        sent_at: Some(now),
        reported_at: Some(now),
        failed: Some(Step::Ses),
    };
    let store = &app.app.store;
    assert!(store.start_nightly(&test, None).await.unwrap());
    assert!(store.accept_probe("n-1", now).await.unwrap());
    store.probe_refused("n-1", Step::Table).await.unwrap();
    // The practice, saved for the second time.
    let words = || Words::of(&practice::compiled().written);
    let mut saved = SavedPractice {
        revision: 1,
        saved_at: now,
        words: words(),
        before: words(),
        before_saved_at: None,
        changed: ["contact", "consent", "emails"]
            .map(|part| (part.to_owned(), now))
            .into(),
    };
    assert!(app.app.store.save_practice(&saved).await.unwrap());
    saved.revision = 2;
    saved.before_saved_at = Some(now);
    assert!(app.app.store.save_practice(&saved).await.unwrap());
    // The therapist signs in, asks for another code, and signs out everywhere else.
    Browser::signed_in(&app).await;
    Browser::new(&app).post("/desk/sign-in", &[]).await;
    let close = json!({ "command": "close-desk" });
    app.invoke(close).await.unwrap();
    // One with a proof of work, whose emails stay pending.
    app.desk.ses().account(|account| account.paused = true);
    let export = json!({ "command": "export", "email": "zoe@example.com" });
    let export = app.invoke(export).await.unwrap();
    let enquiry: Enquiry =
        serde_json::from_value(export["enquiries"][0]["received"]["enquiry"].clone()).unwrap();
    let now = Timestamp::now();
    let (store, nonce) = (
        &app.app.store,
        Nonce {
            value: "0".repeat(32),
            expires: now,
        },
    );
    let key = store.idempotency_key(Some(uuid::Uuid::from_u128(1)), &enquiry);
    let reference = store.generate_reference("BB").unwrap();
    let new = NewEnquiry {
        received: &Received::new(reference, now, enquiry, practice::compiled()),
        score: Score::default(),
        key,
        prefix: "BB",
        source: None,
        nonce: Some(nonce),
    };
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    let accepted = store.accept(&new, &clock).await.unwrap();
    assert!(matches!(accepted, Accepted::New(_)));
    app.emails().await;
    assert_eq!(left_by(&app).await, documented());
    app.finish_pending().await;
}

#[test]
fn the_document_names_every_member_of_the_emails_states() {
    let at = Timestamp::UNIX_EPOCH;
    let id = || "m-1".to_owned();
    let states = [
        MailState::Pending {
            attempts: 1,
            after: Some(at),
        },
        MailState::Sending {
            attempt: 1,
            until: at,
        },
        MailState::Sent {
            message_id: id(),
            at,
            delayed_since: Some(at),
        },
        MailState::Failed { reason: id(), at },
        MailState::Withheld {
            reason: Withheld::Late,
        },
        MailState::Unknown { at },
        MailState::Delivered {
            message_id: id(),
            at,
        },
        MailState::Bounced {
            message_id: id(),
            at,
            transient: true,
        },
        MailState::Complained {
            message_id: id(),
            at,
        },
    ];
    let mut emails = Deliveries::new();
    emails.notice = Some(MailState::NEW);
    emails.decided = true;
    emails.pending_since = Some(at);
    emails.returned = Some(id());
    emails.came_back = true;
    emails.bare = true;
    emails.refused_since = Some(at);
    let objects = states
        .iter()
        .map(|state| serde_json::to_value(state).unwrap());
    let objects: Vec<_> = objects
        .chain([serde_json::to_value(&emails).unwrap()])
        .collect();
    let members = objects
        .iter()
        .flat_map(|it| it.as_object().unwrap().keys().cloned());
    let members: BTreeSet<String> = members.collect();
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/table.md")).unwrap();
    let named = document().remove("What stands in `deliveries`").unwrap();
    let named: BTreeSet<String> = named.into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(named, members);
    for state in &objects[..states.len()] {
        let name = format!("`{}`", state["state"].as_str().unwrap());
        assert!(text.contains(&name), "{name}");
    }
    for reason in [
        Withheld::Suspect,
        Withheld::Sandbox,
        Withheld::OwnAddress,
        Withheld::RoleAddress,
        Withheld::Unsendable,
        Withheld::CoolDown,
        Withheld::Undeliverable,
        Withheld::DailyCap,
        Withheld::CountersUnavailable,
        Withheld::Late,
    ] {
        assert!(text.contains(&format!("`{}`", reason.key())), "{reason:?}");
    }
}
