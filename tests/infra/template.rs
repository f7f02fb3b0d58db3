//! What `template.yaml` promises beyond the role (`tests/infra/policy.rs`): what a flood may cost, what survives, who is notified,
//! and that nothing else leads to the function.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::TableDescription;
use serde_json::{Value, json};

use crate::support::emulated;
use crate::support::template::{STACK, Stack, arn, list, text_of};

/// The gateway's routes, each with a throttle of its own.
const ROUTES: [&str; 4] = [
    "$default",
    "ANY /desk",
    "ANY /desk/{proxy+}",
    "POST /enquiries",
];

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
    let at_most = |value: &Value, most: u64| (1..=most).contains(&value.as_u64().unwrap());
    let mut throttles = stage["RouteSettings"].as_object().unwrap().clone();
    throttles.insert("$default".to_owned(), stage["DefaultRouteSettings"].clone());
    assert_eq!(
        throttles.keys().collect::<Vec<_>>(),
        ROUTES.iter().collect::<Vec<_>>(),
        "a flood of one route closes no other"
    );
    for (route, throttle) in &throttles {
        let rate = if route == "POST /enquiries" { 2 } else { 20 };
        assert!(at_most(&throttle["ThrottlingRateLimit"], rate), "{route}");
        assert!(at_most(&throttle["ThrottlingBurstLimit"], 50), "{route}");
    }

    let table = stack.properties("Table");
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    for capped in indexes.iter().chain([&table]) {
        let cap = &capped["OnDemandThroughput"];
        let name = &capped["IndexName"];
        assert!(at_most(&cap["MaxReadRequestUnits"], 200), "{name}: {cap}");
        assert!(at_most(&cap["MaxWriteRequestUnits"], 1200), "{name}: {cap}");
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
    assert!(
        Stack::new(&[("MonthlyBudget", "0")])
            .resource("Budget")
            .is_null()
    );
    let budget = default().properties("Budget");
    assert_eq!(
        budget["Budget"]["BudgetLimit"],
        json!({ "Amount": "10", "Unit": "USD" }),
        "without a parameter"
    );
    let mut notified = Vec::new();
    for notice in list(&budget["NotificationsWithSubscribers"]) {
        assert_eq!(
            notice["Subscribers"],
            json!([{ "SubscriptionType": "EMAIL", "Address": "alarms@example.net" }])
        );
        let notice = &notice["Notification"];
        assert_eq!(
            (&notice["ThresholdType"], &notice["ComparisonOperator"]),
            (&json!("PERCENTAGE"), &json!("GREATER_THAN"))
        );
        notified.push((
            text_of(&notice["NotificationType"]),
            notice["Threshold"].as_u64().unwrap(),
        ));
    }
    let expected = [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)];
    assert_eq!(
        notified,
        expected.map(|(kind, per_cent)| (kind.to_owned(), per_cent)),
        "a new account has no forecast for five weeks"
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
fn email_leaves_encrypted_and_by_force_when_the_operator_insists() {
    for (parameters, policy) in [
        (&[][..], "OPTIONAL"),
        (&[("MailTls", "REQUIRE")], "REQUIRE"),
    ] {
        let sets = Stack::new(parameters).resources("AWS::SES::ConfigurationSet");
        assert_eq!(sets.len(), 2);
        for (id, set) in sets {
            let set = &set["Properties"]["DeliveryOptions"];
            assert_eq!(set["TlsPolicy"], policy, "{id}");
        }
    }
}

#[test]
fn what_becomes_of_every_email_is_reported() {
    let stack = default();
    let topic = stack.resolve(&json!({ "Ref": "FeedbackTopic" })).unwrap();
    let mut reporting = Vec::new();
    for (id, events) in stack.resources("AWS::SES::ConfigurationSetEventDestination") {
        assert_eq!(
            stack.written()["Resources"][&id]["DependsOn"],
            "FeedbackTopicPolicy",
            "{id}: SES tries the topic at once"
        );
        let events = &events["Properties"];
        let destination = &events["EventDestination"];
        assert_eq!(destination["Enabled"], true, "{id}");
        assert_eq!(destination["SnsDestination"]["TopicARN"], topic, "{id}");
        assert_eq!(
            destination["MatchingEventTypes"],
            json!(["delivery", "bounce", "complaint", "reject", "deliveryDelay"]),
            "{id}"
        );
        reporting.push(text_of(&events["ConfigurationSetName"]));
    }
    let environment = stack.environment();
    let sets =
        ["CONFIGURATION_SET", "THERAPIST_CONFIGURATION_SET"].map(|name| environment[name].clone());
    assert_eq!(reporting, sets, "the sets that the function sends with");
    let policy = stack.properties("FeedbackTopicPolicy");
    let sources = list(
        &policy["PolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceArn"],
    );
    let expected = sets.map(|set| json!(arn("ses", &format!("configuration-set/{set}"))));
    assert_eq!(sources, expected);
}

#[test]
fn the_therapists_address_can_never_be_suppressed_and_a_clients_is() {
    let reasons = |id: &str| default().properties(id)["SuppressionOptions"].take();
    assert_eq!(
        reasons("ConfigurationSet"),
        json!({ "SuppressedReasons": ["BOUNCE", "COMPLAINT"] })
    );
    assert_eq!(
        reasons("TherapistConfigurationSet"),
        json!({
            "SuppressedReasons": [],
            "ValidationOptions": { "ConditionThreshold": { "ConditionThresholdEnabled": "DISABLED" } },
        }),
        "an empty list overrides the account's own, a missing one does not; and so it is with what SES thinks of the address"
    );
}

#[test]
fn the_operator_is_notified_of_everything_that_needs_a_person() {
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
            "NumberOfMessagesSent",
            0.0,
            "notBreaching",
            "each message counts, also while an older one lies there",
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
            "no client is turned away unseen",
        ),
        (
            ours.as_str(),
            "OldestPendingSeconds",
            1_800.0,
            "breaching",
            "a sweep that says nothing is as bad",
        ),
        (
            ours.as_str(),
            "TurnedAway",
            1.0,
            "notBreaching",
            "no client is turned away unseen",
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
    // The metrics of ours are read from the function's own log, by the fields that it writes (docs/LOGGING.md), and from the gateway's.
    let filters = stack.resources("AWS::Logs::MetricFilter");
    for (metric, log, field) in [
        (
            "OldestPendingSeconds",
            "FunctionLog",
            "$.oldest_due_seconds >= 0",
        ),
        ("AlarmLines", "FunctionLog", "$.alarm = \"*\""),
        (
            "TurnedAway",
            "AccessLog",
            "$.status = \"429\" && $.integrationStatus != \"200\"",
        ),
    ] {
        let log = stack.resolve(&json!({ "Ref": log })).unwrap();
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

/// The codes that the code logs as `alarm = "…"`.
fn alarm_codes(folder: &std::path::Path) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes.append(&mut alarm_codes(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.split("alarm = \"").skip(1);
            codes.extend(lines.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    codes
}

#[test]
fn each_cause_has_an_alarm_of_its_own_so_that_none_hides_another() {
    let stack = default();
    let filter = stack.properties("AlarmLineMetric");
    assert_eq!(
        filter["MetricTransformations"][0]["Dimensions"],
        json!([{ "Key": "Code", "Value": "$.alarm" }])
    );
    let mut with_alarm = BTreeSet::new();
    for (id, alarm) in stack.resources("AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        if alarm["MetricName"] != "AlarmLines" {
            continue;
        }
        let dimensions = list(&alarm["Dimensions"]);
        assert_eq!(
            (dimensions.len(), &dimensions[0]["Name"]),
            (1, &json!("Code")),
            "{id}"
        );
        let code = text_of(&dimensions[0]["Value"]);
        assert_eq!(
            (
                &alarm["Threshold"],
                &alarm["EvaluationPeriods"],
                &alarm["Statistic"]
            ),
            (&json!(1), &json!(1), &json!("Sum")),
            "{id}: each such line needs a person"
        );
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{id}");
        assert!(with_alarm.insert(code), "{id} is the second of its cause");
    }
    let logged = alarm_codes(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(logged.len() >= 6, "{logged:?}");
    assert_eq!(
        logged, with_alarm,
        "what the code raises, and what has an alarm"
    );
    let documented = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/LOGGING.md"),
    );
    let documented = documented.unwrap();
    for code in &logged {
        assert!(
            documented.contains(&format!("\n| `{code}` |")),
            "{code} is in no document"
        );
    }
}

#[test]
fn the_dashboard_shows_what_the_function_logs_and_what_aws_measures() {
    let stack = default();
    let dashboard = only(&stack, "AWS::CloudWatch::Dashboard");
    let body: Value = serde_json::from_str(&text_of(&dashboard["DashboardBody"])).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let source = crate::support::source();
    let mut shown = Vec::new();
    for widget in widgets {
        let properties = &widget["properties"];
        shown.push(text_of(&properties["title"]));
        let Some(query) = properties["query"].as_str() else {
            continue;
        };
        let log = format!("SOURCE '/aws/lambda/{STACK}' | filter message ");
        assert!(query.starts_with(&log), "{query}");
        // Each line that it counts is one that the code writes.
        let lines = query[log.len()..]
            .split('|')
            .next()
            .unwrap()
            .split('\'')
            .skip(1)
            .step_by(2);
        for line in lines.filter(|line| *line != "probe") {
            assert!(source.contains(&format!("\"{line}\"")), "{line}");
        }
    }
    assert_eq!(
        shown,
        [
            "Enquiries a day",
            "Marked by the therapist",
            "Emails: sent and not sent",
            "Emails: what SES reports",
            "Oldest pending, in seconds",
            "Errors",
            "How long people wait, in milliseconds"
        ]
    );
    let metrics = json!(widgets).to_string();
    let alarms = stack.resources("AWS::CloudWatch::Alarm");
    for metric in ["OldestPendingSeconds", "Errors", "Throttles", "5xx"] {
        assert!(metrics.contains(&format!("\"{metric}\"")), "{metric}");
        let is_read = |alarm: &Value| alarm["Properties"]["MetricName"] == metric;
        assert!(alarms.iter().any(|(_, alarm)| is_read(alarm)), "{metric}");
    }
    assert!(metrics.contains("\"p50\"") && metrics.contains("\"p99\""));
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
        ["DynamoDB", "SNS", "Schedule", "Schedule", "Schedule"],
        "what else wakes the function is no door to the outside"
    );

    only(&stack, "AWS::ApiGatewayV2::Integration");
    let integration = stack
        .resolve(&json!({ "Ref": "HttpApiIntegration" }))
        .unwrap();
    let target = format!("integrations/{}", text_of(&integration));
    let routes = stack.resources("AWS::ApiGatewayV2::Route");
    let mut keys: Vec<_> = routes
        .iter()
        .map(|(id, route)| {
            let route = &route["Properties"];
            assert_eq!(route["Target"], target, "{id}: to the same function");
            text_of(&route["RouteKey"])
        })
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ROUTES);
    let (stage, written) = (
        only(&stack, "AWS::ApiGatewayV2::Stage"),
        &stack.written()["Resources"],
    );
    assert_eq!(stage["StageName"], "$default");
    let waits_for = list(&written["HttpApiStage"]["DependsOn"]);
    for (id, _) in &routes {
        assert!(
            waits_for.contains(&json!(id)),
            "a stage with settings of {id} needs it first"
        );
    }
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
    assert!(
        source.ends_with(&format!(":{api}/*")),
        "this API's: {source}"
    );
    for (id, topic) in stack.resources("AWS::SNS::TopicPolicy") {
        for statement in list(&topic["Properties"]["PolicyDocument"]["Statement"]) {
            let service = statement["Principal"]["Service"].as_str().unwrap();
            assert!(service.ends_with(".amazonaws.com"), "{id}");
            assert_eq!(statement["Action"], "sns:Publish", "{id}");
            assert_eq!(
                statement["Condition"]["StringEquals"]["AWS:SourceAccount"],
                crate::support::template::ACCOUNT,
                "{id}: no other account's {service} may write here"
            );
        }
    }
}

const DOMAIN: [(&str, &str); 2] = [
    ("DeskDomain", "desk.example.com"),
    (
        "DeskCertificateArn",
        "arn:aws:acm:eu-west-2:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
];

#[test]
fn the_function_knows_the_address_of_its_own_door() {
    let stack = default();
    let api = text_of(&stack.resolve(&json!({ "Ref": "HttpApi" })).unwrap());
    let amazons = format!("https://{api}.execute-api.eu-west-2.amazonaws.com");
    for (stack, address) in [
        (stack, amazons.as_str()),
        (Stack::new(&DOMAIN), "https://desk.example.com"),
    ] {
        assert_eq!(stack.environment()["PUBLIC_URL"], address);
        for (output, path) in [("Endpoint", "/"), ("FormAction", "/enquiries")] {
            let printed = stack.resolve(&stack.written()["Outputs"][output]["Value"]);
            assert_eq!(printed.unwrap(), format!("{address}{path}"));
        }
    }
}

#[test]
fn a_name_of_ones_own_leads_to_the_same_stage() {
    for kind in [
        "AWS::ApiGatewayV2::DomainName",
        "AWS::ApiGatewayV2::ApiMapping",
    ] {
        assert!(default().resources(kind).is_empty(), "{kind}");
    }
    let stack = Stack::new(&DOMAIN);
    let domain = only(&stack, "AWS::ApiGatewayV2::DomainName");
    assert_eq!(domain["DomainName"], DOMAIN[0].1);
    assert_eq!(
        domain["DomainNameConfigurations"],
        json!([{ "CertificateArn": DOMAIN[1].1, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2" }])
    );
    let mapping = only(&stack, "AWS::ApiGatewayV2::ApiMapping");
    for (member, id) in [
        ("ApiId", "HttpApi"),
        ("DomainName", "HttpApiDomain"),
        ("Stage", "HttpApiStage"),
    ] {
        let expected = stack.resolve(&json!({ "Ref": id })).unwrap();
        assert_eq!(mapping[member], expected, "{member}");
    }
    let outputs = &stack.written()["Outputs"]["DomainRecord"];
    let record = text_of(&stack.resolve(&outputs["Value"]).unwrap());
    assert!(record.starts_with("desk.example.com CNAME "), "{record}");
    let rule = stack.written()["Rules"]["DomainAndCertificate"].to_string();
    assert!(
        DOMAIN.iter().all(|(parameter, _)| rule.contains(parameter)),
        "one without the other is refused"
    );
}

#[test]
fn logs_are_deleted_in_time_and_name_no_person() {
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
            "integration.integrationStatus",
            "requestId",
            "requestTime",
            "responseLatency",
            "responseLength",
            "routeKey",
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
        assert_eq!(
            secret["Properties"]["GenerateSecretString"],
            json!({ "PasswordLength": 64, "ExcludePunctuation": true }),
            "{id}: a change of these makes another key, and every hash is forgotten"
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
            "{name}: a secret that a person types is one that a person keeps"
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
