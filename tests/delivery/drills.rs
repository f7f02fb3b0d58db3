//! Alarms lead out: each is raised, what its text says is done, and it ends.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use super::pending::{Bench, at};

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
