//! The way back that docs/restore.md describes, rehearsed: a copy of the table as recovery leaves it (no stream, no indexes, no
//! expiry), an accident, and the copy put back. The recovery itself is AWS's, and was not tried.

use aws_emulator::aws;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use serde_json::{Value, json};

use crate::copy_table::{Copied, copy};
use crate::support::browser::{Browser, last_code};
use crate::support::emulated;
use crate::support::{Item, MINIMAL, TestApp};

const BACKUP: &str = "restored";

async fn bare_table(client: &Client) {
    let key = KeySchemaElement::builder()
        .attribute_name("pk")
        .key_type(KeyType::Hash);
    let attribute = AttributeDefinition::builder()
        .attribute_name("pk")
        .attribute_type(ScalarAttributeType::S);
    client
        .create_table()
        .table_name(BACKUP)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key.build().unwrap())
        .attribute_definitions(attribute.build().unwrap())
        .send()
        .await
        .unwrap();
}

async fn all(client: &Client, table: &str) -> Vec<Item> {
    let answer = client.scan().table_name(table).send().await.unwrap();
    let mut items = answer.items.unwrap_or_default();
    items.sort_by(|a, b| a["pk"].as_s().unwrap().cmp(b["pk"].as_s().unwrap()));
    items
}

/// The table is emptied.
async fn accident(client: &Client, table: &str) {
    for item in all(client, table).await {
        let key = item["pk"].clone();
        let delete = client.delete_item().table_name(table).key("pk", key);
        delete.send().await.unwrap();
    }
}

async fn post(app: &TestApp, email: &str) -> String {
    let mut fields = MINIMAL;
    fields[1].1 = email;
    let answer = app.post_form(&fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer.header("location");
    location.rsplit_once('=').unwrap().1.to_owned()
}

async fn ask(app: &TestApp, command: Value) -> Value {
    app.invoke(command).await.unwrap()
}

/// How many enquiries the desk finds by an address.
async fn found(app: &TestApp, email: &str) -> u64 {
    let answer = ask(app, json!({ "command": "export", "email": email })).await;
    assert_eq!(answer["complete"], true);
    answer["count"].as_u64().unwrap()
}

#[tokio::test]
async fn a_table_that_is_put_back_sends_what_is_pending_and_nothing_twice() {
    let app = TestApp::start().await;
    let (client, table) = (app.desk.dynamo().client(), app.desk.dynamo().table());
    post(&app, "one@example.com").await;
    post(&app, "two@example.com").await;
    assert_eq!(app.emails().await.len(), 4);
    app.desk.ses().account(|account| account.paused = true);
    post(&app, "three@example.com").await;
    assert_eq!(app.emails().await.len(), 4, "the third waits for SES");

    bare_table(client).await;
    copy(client, table, BACKUP).await.unwrap();
    let before = all(client, table).await;
    assert_eq!(all(client, BACKUP).await, before, "every item, as it was");

    accident(client, table).await;
    assert_eq!(found(&app, "one@example.com").await, 0);
    app.desk.ses().account(|account| account.paused = false);
    let copied = copy(client, BACKUP, table).await.unwrap();
    let expected = Copied {
        copied: before.len() as u64,
        kept: 0,
    };
    assert_eq!(copied, expected);
    assert_eq!(
        app.emails().await.len(),
        6,
        "the stream brings what was pending, once"
    );
    for email in ["one@example.com", "two@example.com", "three@example.com"] {
        assert_eq!(found(&app, email).await, 1, "{email}");
    }

    // Once more, as after an interruption: what has become of the third enquiry since stays.
    let after = all(client, table).await;
    let again = copy(client, BACKUP, table).await.unwrap();
    let expected = Copied {
        copied: 0,
        kept: before.len() as u64,
    };
    assert_eq!(again, expected);
    assert_eq!(all(client, table).await, after);
    ask(&app, json!({ "command": "sweep" })).await;
    assert_eq!(app.emails().await.len(), 6);
    app.finish().await;
}

#[tokio::test]
async fn what_was_erased_since_the_backup_is_erased_again_by_its_receipt() {
    let app = TestApp::start().await;
    let (client, table) = (app.desk.dynamo().client(), app.desk.dynamo().table());
    post(&app, "erased@example.com").await;
    post(&app, "kept@example.com").await;
    app.emails().await;
    bare_table(client).await;
    copy(client, table, BACKUP).await.unwrap();
    let receipt = ask(
        &app,
        json!({ "command": "erase", "email": "erased@example.com", "confirm": true }),
    )
    .await;

    accident(client, table).await;
    copy(client, BACKUP, table).await.unwrap();
    assert_eq!(
        found(&app, "erased@example.com").await,
        1,
        "the backup knows nothing of it"
    );
    for reference in receipt["references"].as_array().unwrap() {
        ask(
            &app,
            json!({ "command": "erase", "reference": reference, "confirm": true }),
        )
        .await;
    }
    assert_eq!(found(&app, "erased@example.com").await, 0);
    assert_eq!(found(&app, "kept@example.com").await, 1);
    app.finish().await;
}

#[tokio::test]
async fn no_browser_is_signed_in_by_a_table_that_is_put_back() {
    let app = TestApp::start().await;
    let (client, table) = (app.desk.dynamo().client(), app.desk.dynamo().table());
    post(&app, "zoe@example.com").await;
    app.emails().await;
    let lost = Browser::signed_in(&app).await;
    let asking = Browser::new(&app);
    asking.post("/desk/sign-in", &[]).await;
    let code = last_code(&app);
    // As a backup of that moment, with everything in it.
    bare_table(client).await;
    for item in all(client, table).await {
        let put = client.put_item().table_name(BACKUP).set_item(Some(item));
        put.send().await.unwrap();
    }
    let cookies = lost.cookies.lock().unwrap().clone();
    lost.post("/desk/sign-out", &[]).await;
    *lost.cookies.lock().unwrap() = cookies;
    accident(client, table).await;
    copy(client, BACKUP, table).await.unwrap();
    assert_eq!(found(&app, "zoe@example.com").await, 1);
    assert_eq!(lost.get("/desk/browsers").await.status, 403);
    let typed = asking.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(typed.status, 422);
    assert!(app.items("session").await.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn without_its_own_key_a_table_finds_no_enquiry_by_its_address() {
    let app = TestApp::start().await;
    post(&app, "zoe@example.com").await;
    app.emails().await;
    let another = [("HASH_KEY", "another key of thirty-two characters")];
    let stranger = emulated::app(app.desk.endpoints(), &another, aws::http_client()).unwrap();
    let stranger = emulated::function(stranger);
    let export = json!({ "command": "export", "email": "zoe@example.com" });
    let answer = stranger.call(export).await.unwrap();
    assert_eq!(answer["count"], 0, "so docs/restore.md takes the key along");
    assert_eq!(found(&app, "zoe@example.com").await, 1);
    app.finish().await;
}
