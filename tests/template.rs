//! What `template.yaml` promises beyond the role (`tests/policy.rs`): what a flood may cost, what survives, who is told,
//! and that there is no second door.

use aws_sdk_dynamodb::types::TableDescription;
use serde_json::{Value, json};

use crate::support::emulated;
use crate::support::template::{STACK, Stack, list, text_of};

fn default() -> Stack {
    Stack::new(&[])
}

/// The only resource of this type.
fn only(stack: &Stack, kind: &str) -> Value {
    let mut found = stack.resources(kind);
    assert_eq!(found.len(), 1, "{kind}: {found:?}");
    found.remove(0).1["Properties"].take()
}

#[test]
fn a_flood_costs_only_so_much() {
    let stack = default();
    let stage = only(&stack, "AWS::ApiGatewayV2::Stage");
    let throttle = &stage["DefaultRouteSettings"];
    let at_most = |value: &Value, most: u64| (1..=most).contains(&value.as_u64().unwrap());
    assert!(at_most(&throttle["ThrottlingRateLimit"], 10), "{throttle}");
    assert!(at_most(&throttle["ThrottlingBurstLimit"], 20), "{throttle}");
    assert!(
        stage["RouteSettings"].is_null(),
        "no route has a throttle of its own"
    );

    let table = stack.properties("Table");
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    for capped in indexes.iter().chain([&table]) {
        let cap = &capped["OnDemandThroughput"];
        let name = &capped["IndexName"];
        assert!(at_most(&cap["MaxReadRequestUnits"], 200), "{name}: {cap}");
        assert!(at_most(&cap["MaxWriteRequestUnits"], 1000), "{name}: {cap}");
        // An index that takes fewer writes than the table would hold up the table.
        assert_eq!(
            cap["MaxWriteRequestUnits"], table["OnDemandThroughput"]["MaxWriteRequestUnits"],
            "{name}"
        );
    }

    let mapping = &stack.properties("Function")["Events"]["Enquiries"]["Properties"];
    assert!(
        at_most(&mapping["MaximumRetryAttempts"], 10),
        "a record that fails does not come for ever"
    );
    let asynchronous = &stack.properties("Function")["EventInvokeConfig"];
    assert!(at_most(&asynchronous["MaximumRetryAttempts"], 2));
}

#[test]
fn concurrency_is_reserved_only_when_somebody_asks_for_it() {
    let reserved =
        |stack: Stack| stack.properties("Function")["ReservedConcurrentExecutions"].take();
    assert!(
        reserved(default()).is_null(),
        "a new account has too few to set any aside"
    );
    assert_eq!(reserved(Stack::new(&[("ReservedConcurrency", "25")])), "25");
}

#[test]
fn a_budget_warns_the_alarm_address_when_one_is_set() {
    assert!(default().resource("Budget").is_null());
    let budget = Stack::new(&[("MonthlyBudget", "5")]).properties("Budget");
    assert_eq!(
        budget["Budget"]["BudgetLimit"],
        json!({ "Amount": "5", "Unit": "USD" })
    );
    assert_eq!(
        budget["NotificationsWithSubscribers"][0]["Subscribers"],
        json!([{ "SubscriptionType": "EMAIL", "Address": "alarms@example.net" }])
    );
}

#[test]
fn what_is_kept_survives_and_is_encrypted() {
    let stack = default();
    let table = stack.resource("Table");
    assert_eq!(
        (&table["DeletionPolicy"], &table["UpdateReplacePolicy"]),
        (&json!("Retain"), &json!("Retain"))
    );
    let table = &table["Properties"];
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(
        table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        true
    );
    assert_eq!(
        table["SSESpecification"],
        json!({ "SSEEnabled": true, "SSEType": "KMS" })
    );
    assert_eq!(
        table["TimeToLiveSpecification"],
        json!({ "AttributeName": "expires", "Enabled": true }),
        "what is kept is forgotten in time"
    );
    for (id, secret) in stack.resources("AWS::SecretsManager::Secret") {
        assert_eq!(secret["UpdateReplacePolicy"], "Retain", "{id}");
        let kept = secret["DeletionPolicy"].as_str().unwrap();
        assert!(kept.starts_with("Retain"), "{id}");
    }
    for (id, queue) in stack.resources("AWS::SQS::Queue") {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{id}");
    }
}

#[test]
fn a_key_of_ones_own_encrypts_everything_that_is_kept() {
    let key = "arn:aws:kms:eu-west-2:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let stack = Stack::new(&[("KmsKeyArn", key)]);
    assert_eq!(
        stack.properties("Table")["SSESpecification"]["KMSMasterKeyId"],
        key
    );
    assert_eq!(stack.properties("Function")["KmsKeyArn"], key);
    for (id, secret) in stack.resources("AWS::SecretsManager::Secret") {
        assert_eq!(secret["Properties"]["KmsKeyId"], key, "{id}");
    }
    for (id, queue) in stack.resources("AWS::SQS::Queue") {
        assert_eq!(queue["Properties"]["KmsMasterKeyId"], key, "{id}");
    }
}

#[test]
fn mail_leaves_encrypted_and_by_force_when_somebody_insists() {
    let policy = |stack: Stack| {
        only(&stack, "AWS::SES::ConfigurationSet")["DeliveryOptions"]["TlsPolicy"].take()
    };
    assert_eq!(policy(default()), "OPTIONAL");
    assert_eq!(policy(Stack::new(&[("MailTls", "REQUIRE")])), "REQUIRE");
    let set = only(&default(), "AWS::SES::ConfigurationSet");
    assert_eq!(
        set["SuppressionOptions"]["SuppressedReasons"],
        json!(["BOUNCE", "COMPLAINT"])
    );
    let events = only(&default(), "AWS::SES::ConfigurationSetEventDestination");
    let events = &events["EventDestination"]["MatchingEventTypes"];
    for reported in ["delivery", "bounce", "complaint", "reject"] {
        assert!(list(events).contains(&json!(reported)), "{reported}");
    }
}

#[test]
fn somebody_is_told_of_everything_that_needs_a_person() {
    let stack = default();
    let topic = stack.resolve(&json!({ "Ref": "AlarmTopic" })).unwrap();
    let email = stack.properties("AlarmByEmail");
    assert_eq!(
        (&email["TopicArn"], &email["Protocol"], &email["Endpoint"]),
        (&topic, &json!("email"), &json!("alarms@example.net"))
    );
    let alarms = stack.resources("AWS::CloudWatch::Alarm");
    for (id, alarm) in &alarms {
        let alarm = &alarm["Properties"];
        assert_eq!(alarm["AlarmActions"], json!([topic]), "{id}");
        assert_ne!(alarm["ActionsEnabled"], false, "{id}");
        assert!(
            alarm["AlarmDescription"].as_str().unwrap().len() > 60,
            "{id} says what to do"
        );
    }
    let ours = format!("EnquiryDesk/{STACK}");
    for (namespace, metric, at_most, missing, reason) in [
        (
            "AWS/SES",
            "Reputation.ComplaintRate",
            0.001,
            "notBreaching",
            "AWS reviews an account at one complaint in a thousand",
        ),
        (
            "AWS/SES",
            "Reputation.BounceRate",
            0.05,
            "notBreaching",
            "AWS reviews an account at one bounce in twenty",
        ),
        (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            0.0,
            "notBreaching",
            "the first message counts",
        ),
        (
            "AWS/Lambda",
            "IteratorAge",
            900_000.0,
            "notBreaching",
            "the stream keeps a day, an hour is the oldest record",
        ),
        (
            "AWS/Lambda",
            "Errors",
            3.0,
            "notBreaching",
            "one alone is tried again",
        ),
        (
            "AWS/Lambda",
            "Throttles",
            1.0,
            "notBreaching",
            "nobody is turned away unseen",
        ),
        (
            ours.as_str(),
            "OldestOwedSeconds",
            1_800.0,
            "breaching",
            "a sweep that says nothing is as bad",
        ),
        (
            ours.as_str(),
            "AlarmLines",
            1.0,
            "notBreaching",
            "each such line needs a person",
        ),
    ] {
        let found = alarms
            .iter()
            .map(|(_, alarm)| &alarm["Properties"])
            .find(|alarm| alarm["Namespace"] == namespace && alarm["MetricName"] == metric);
        let alarm = found.unwrap_or_else(|| panic!("no alarm reads {metric}"));
        let threshold = alarm["Threshold"].as_f64().unwrap();
        assert!(threshold <= at_most, "{metric} at {threshold}: {reason}");
        assert_eq!(alarm["TreatMissingData"], missing, "{metric}: {reason}");
        let above = alarm["ComparisonOperator"].as_str().unwrap();
        assert!(above.starts_with("GreaterThan"), "{metric}");
    }
    // The two metrics of ours are read from the function's own log, by the fields that it writes (docs/LOGGING.md).
    let log = stack.resolve(&json!({ "Ref": "FunctionLog" })).unwrap();
    let filters = stack.resources("AWS::Logs::MetricFilter");
    for (metric, field) in [
        ("OldestOwedSeconds", "$.oldest_due_seconds"),
        ("AlarmLines", "$.alarm"),
    ] {
        let filter = filters
            .iter()
            .map(|(_, filter)| &filter["Properties"])
            .find(|filter| filter["MetricTransformations"][0]["MetricName"] == metric);
        let filter = filter.unwrap();
        assert_eq!(filter["LogGroupName"], log);
        assert_eq!(
            filter["MetricTransformations"][0]["MetricNamespace"],
            ours.as_str()
        );
        assert!(
            text_of(&filter["FilterPattern"]).contains(field),
            "{filter}"
        );
    }
}

#[test]
fn there_is_one_door() {
    let stack = default();
    let function = stack.properties("Function");
    assert!(function["FunctionUrlConfig"].is_null());
    let written = stack.written()["Resources"].as_object().unwrap();
    for (id, resource) in written {
        let kind = resource["Type"].as_str().unwrap();
        for door in [
            "AWS::Lambda::Url",
            "AWS::ApiGateway::",
            "AWS::Serverless::Api",
            "AWS::Serverless::HttpApi",
            "AWS::ElasticLoadBalancing",
            "AWS::AppSync::",
        ] {
            assert!(!kind.starts_with(door), "{id} is a second door");
        }
    }
    let mut wakes: Vec<_> = function["Events"]
        .as_object()
        .unwrap()
        .values()
        .map(|event| event["Type"].as_str().unwrap())
        .collect();
    wakes.sort_unstable();
    assert_eq!(
        wakes,
        ["DynamoDB", "SNS", "Schedule"],
        "what else wakes the function is no door to the outside"
    );

    assert_eq!(
        only(&stack, "AWS::ApiGatewayV2::Route")["RouteKey"],
        "$default"
    );
    assert_eq!(
        only(&stack, "AWS::ApiGatewayV2::Stage")["StageName"],
        "$default"
    );
    only(&stack, "AWS::ApiGatewayV2::Integration");
    let api = only(&stack, "AWS::ApiGatewayV2::Api");
    assert_eq!(api["ProtocolType"], "HTTP");
    assert!(
        api["CorsConfiguration"].is_null(),
        "the function answers preflights, by its exact list"
    );

    let permission = only(&stack, "AWS::Lambda::Permission");
    assert_eq!(permission["Principal"], "apigateway.amazonaws.com");
    let api = text_of(&stack.resolve(&json!({ "Ref": "HttpApi" })).unwrap());
    let source = permission["SourceArn"].as_str().unwrap();
    assert!(source.ends_with(&format!(":{api}/*/$default")), "{source}");
    for (id, topic) in stack.resources("AWS::SNS::TopicPolicy") {
        for statement in list(&topic["Properties"]["PolicyDocument"]["Statement"]) {
            let service = statement["Principal"]["Service"].as_str().unwrap();
            assert!(service.ends_with(".amazonaws.com"), "{id}");
            assert_eq!(statement["Action"], "sns:Publish", "{id}");
            assert_eq!(
                statement["Condition"]["StringEquals"]["AWS:SourceAccount"],
                crate::support::template::ACCOUNT,
                "{id}: nobody else's {service} may write here"
            );
        }
    }
}

#[test]
fn logs_are_forgotten_and_name_nobody() {
    let stack = Stack::new(&[("LogRetentionDays", "7")]);
    let logs = stack.resources("AWS::Logs::LogGroup");
    assert_eq!(logs.len(), 2);
    for (id, log) in &logs {
        assert_eq!(log["Properties"]["RetentionInDays"], "7", "{id}");
    }
    let function = stack.properties("Function");
    let log = stack.resolve(&json!({ "Ref": "FunctionLog" })).unwrap();
    assert_eq!(
        function["LoggingConfig"]["LogGroup"], log,
        "no log group is made that is kept for ever"
    );
    assert_ne!(function["Tracing"], "Active");

    // The whole of what the gateway may write about a request.
    let format = only(&stack, "AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"].take();
    let mut written: Vec<_> = text_of(&format)
        .split("$context.")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    written.sort();
    assert_eq!(
        written,
        [
            "error.message",
            "httpMethod",
            "integrationStatus",
            "requestId",
            "requestTime",
            "responseLatency",
            "responseLength",
            "status",
        ]
    );
}

#[test]
fn no_key_is_stored() {
    let stack = default();
    for (id, secret) in stack.resources("AWS::SecretsManager::Secret") {
        assert!(
            secret["Properties"]["SecretString"].is_null(),
            "{id} is in the template"
        );
        assert!(
            secret["Properties"]["GenerateSecretString"].is_object(),
            "{id}"
        );
    }
    let function = stack.properties("Function");
    for (name, value) in function["Environment"]["Variables"].as_object().unwrap() {
        if ["KEY", "SECRET", "TOKEN", "PASSWORD"]
            .iter()
            .any(|word| name.contains(word))
        {
            let value = text_of(value);
            assert!(
                value.starts_with("{{resolve:secretsmanager:")
                    || value.starts_with("arn:aws:secretsmanager:"),
                "{name} is no reference to a secret"
            );
        }
    }
    for (name, parameter) in stack.written()["Parameters"].as_object().unwrap() {
        assert!(
            parameter["NoEcho"].is_null(),
            "{name}: a secret that somebody types is one that somebody keeps"
        );
    }
}

/// A table as DynamoDB describes it, in the words of the template.
fn described(table: &TableDescription) -> Value {
    let keys = |keys: &[aws_sdk_dynamodb::types::KeySchemaElement]| -> Value {
        keys.iter()
            .map(|key| json!({ "AttributeName": key.attribute_name(), "KeyType": key.key_type().as_str() }))
            .collect()
    };
    let mut indexes: Vec<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let projection = index.projection().unwrap().projection_type().unwrap();
            json!({
                "IndexName": index.index_name().unwrap(), "KeySchema": keys(index.key_schema()),
                "Projection": { "ProjectionType": projection.as_str() },
            })
        })
        .collect();
    indexes.sort_by_key(|index| index["IndexName"].to_string());
    let stream = table.stream_specification().unwrap();
    json!({
        "KeySchema": keys(table.key_schema()),
        "Indexes": indexes,
        "Stream": stream.stream_view_type().unwrap().as_str(),
    })
}

#[tokio::test]
async fn the_table_of_this_machine_is_the_one_of_the_template() {
    let written = default().properties("Table");
    let mut indexes = list(&written["GlobalSecondaryIndexes"]);
    for index in &mut indexes {
        index.as_object_mut().unwrap().remove("OnDemandThroughput");
    }
    indexes.sort_by_key(|index| index["IndexName"].to_string());
    let expected = json!({
        "KeySchema": written["KeySchema"],
        "Indexes": indexes,
        "Stream": written["StreamSpecification"]["StreamViewType"],
    });
    let dynamo = emulated::dynamo().await;
    let table = dynamo
        .client()
        .describe_table()
        .table_name("enquiries")
        .send()
        .await;
    assert_eq!(described(&table.unwrap().table.unwrap()), expected);
    dynamo.stop().await;
}
