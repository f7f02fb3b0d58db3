//! What CloudFormation may do when GitHub deploys (`infra/deploy-role.yaml`), against what AWS's own resource handlers ask for
//! (`infra/permissions.json`, which `tools/permissions` reads from AWS's schemas): the role has met neither AWS nor an emulator that
//! asks it, so a permission that is missing would be found by the first deployment, or by the first one that fails.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::template::{Stack, list, text, text_of, yaml};

/// What the handlers name and the role leaves out: an action, or a service with `:*`, and the reason.
const LEFT_OUT: [(&str, &str); 59] = [
    ("apigateway:TagResource", NO_SUCH_ACTION),
    ("apigateway:UntagResource", NO_SUCH_ACTION),
    ("dynamodb:AssociateTableReplica", NO_REPLICA),
    ("dynamodb:BatchWriteItem", NO_ITEMS),
    ("dynamodb:CreateTableReplica", NO_REPLICA),
    ("dynamodb:DeleteItem", NO_ITEMS),
    ("dynamodb:DeleteResourcePolicy", NO_TABLE_POLICY),
    (
        "dynamodb:DeleteTable",
        "the table is kept, whatever happens to the stack",
    ),
    ("dynamodb:DescribeImport", NO_IMPORT),
    ("dynamodb:DisableKinesisStreamingDestination", NO_KINESIS),
    ("dynamodb:EnableKinesisStreamingDestination", NO_KINESIS),
    ("dynamodb:GetItem", NO_ITEMS),
    ("dynamodb:ImportTable", NO_IMPORT),
    ("dynamodb:PutItem", NO_ITEMS),
    ("dynamodb:PutResourcePolicy", NO_TABLE_POLICY),
    ("dynamodb:Query", NO_ITEMS),
    ("dynamodb:Scan", NO_ITEMS),
    (
        "dynamodb:UpdateContributorInsights",
        "the template switches them neither on nor off",
    ),
    ("dynamodb:UpdateItem", NO_ITEMS),
    ("dynamodb:UpdateKinesisStreamingDestination", NO_KINESIS),
    ("ec2:*", "the function is in no VPC"),
    ("elasticfilesystem:*", "the function has no file system"),
    ("firehose:*", NO_DELIVERY_CLASS),
    ("iam:AttachRolePolicy", NO_MANAGED_POLICY),
    ("iam:CreateServiceLinkedRole", NO_REPLICA),
    ("iam:DeleteRolePermissionsBoundary", NO_BOUNDARY),
    ("iam:DetachRolePolicy", NO_MANAGED_POLICY),
    ("iam:PutRolePermissionsBoundary", NO_BOUNDARY),
    ("kinesis:*", NO_KINESIS),
    (
        "kms:*",
        "with a key of one's own, one deploys from one's own machine (infra/README.md)",
    ),
    ("lambda:AssociateRuntimeAlias", NO_OTHER_CODE),
    ("lambda:DeleteFunctionCodeSigningConfig", NO_SIGNING),
    ("lambda:GetCodeSigningConfig", NO_SIGNING),
    ("lambda:GetLayerVersion", NO_OTHER_CODE),
    ("lambda:PassCapacityProvider", NO_OTHER_CODE),
    ("lambda:PublishVersion", NO_OTHER_CODE),
    ("lambda:PutFunctionCodeSigningConfig", NO_SIGNING),
    ("lambda:PutFunctionRecursionConfig", NO_OTHER_CODE),
    ("lambda:PutFunctionScalingConfig", NO_OTHER_CODE),
    ("lambda:PutRuntimeManagementConfig", NO_OTHER_CODE),
    ("logs:AssociateKmsKey", NO_LOG_KEY),
    ("logs:CreateLogStream", NO_IMPORT),
    ("logs:DeleteIndexPolicy", NO_DELIVERY_CLASS),
    ("logs:DeleteResourcePolicy", NO_DELIVERY_CLASS),
    ("logs:DescribeLogStreams", NO_IMPORT),
    ("logs:DisassociateKmsKey", NO_LOG_KEY),
    ("logs:PutBearerTokenAuthentication", NO_DELIVERY_CLASS),
    ("logs:PutDataProtectionPolicy", NO_DELIVERY_CLASS),
    ("logs:PutIndexPolicy", NO_DELIVERY_CLASS),
    ("logs:PutLogEvents", NO_IMPORT),
    ("logs:PutLogGroupDeletionProtection", NO_DELIVERY_CLASS),
    ("s3:GetObjectMetadata", NO_IMPORT),
    (
        "s3:GetObjectVersion",
        "SAM names the code by its hash, and no version of it",
    ),
    ("s3:ListBucket", NO_IMPORT),
    ("s3:REST.PUT.OBJECT", NO_DELIVERY_CLASS),
    ("s3files:*", "the function has no file system"),
    ("secretsmanager:RemoveRegionsFromReplication", NO_REPLICA),
    ("secretsmanager:ReplicateSecretToRegions", NO_REPLICA),
    (
        "sns:PutDataProtectionPolicy",
        "the topics have no such policy",
    ),
];
const NO_SUCH_ACTION: &str = "IAM knows no such action: tags are posted and deleted under /tags";
const NO_REPLICA: &str = "table and secret are in one region";
const NO_ITEMS: &str = "only replicas and imports touch items: who deploys reads no enquiry";
const NO_TABLE_POLICY: &str = "the table has no policy of its own";
const NO_IMPORT: &str = "the table starts empty";
const NO_KINESIS: &str = "the table's changes go to its own stream";
const NO_MANAGED_POLICY: &str = "the function's one role is written out";
const NO_BOUNDARY: &str = "the function's role has no boundary";
const NO_OTHER_CODE: &str = "the function has one version, no layer and AWS's defaults";
const NO_SIGNING: &str = "the code is not signed by AWS Signer";
const NO_LOG_KEY: &str = "CloudWatch encrypts logs with its own key";
const NO_DELIVERY_CLASS: &str = "the log groups are plain ones with a time to keep them";

/// What the role has and no handler of these types names.
const BESIDE: [(&str, &str); 6] = [
    ("cloudformation:CreateChangeSet", "the serverless transform"),
    (
        "lambda:GetFunctionConfiguration",
        "how CloudFormation waits until a function is active",
    ),
    ("logs:DeleteLogDelivery", ACCESS_LOG),
    ("logs:GetLogDelivery", ACCESS_LOG),
    ("logs:ListLogDeliveries", ACCESS_LOG),
    ("logs:UpdateLogDelivery", ACCESS_LOG),
];
const ACCESS_LOG: &str = "\"Configuring logging for HTTP APIs in API Gateway\" asks for it";

/// What may stand beside `Resource: "*"`, since AWS knows no resource for it.
const WITHOUT_RESOURCE: [&str; 16] = [
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "secretsmanager:GetRandomPassword",
    "ses:DescribeConfigurationSet",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
];

/// The types that the serverless transform makes of the function and its events.
const OF_THE_FUNCTION: [&str; 6] = [
    "AWS::Events::Rule",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::SNS::Subscription",
];

/// Every type that CloudFormation makes for `template.yaml`.
fn types() -> BTreeSet<String> {
    let stack = Stack::new(&[]);
    let resources = stack.written()["Resources"].as_object().unwrap().values();
    let written = resources.map(|resource| text_of(&resource["Type"]));
    let mut types: BTreeSet<_> = written
        .filter(|kind| kind != "AWS::Serverless::Function")
        .collect();
    types.extend(OF_THE_FUNCTION.map(str::to_owned));
    types
}

/// What the handlers ask for that make, read, change and delete a resource, each with a type that asks. `list` looks for resources
/// outside a stack, which a deployment does not do.
fn asked() -> BTreeMap<String, String> {
    let table: Value = serde_json::from_str(&text("infra/permissions.json")).unwrap();
    let table = table["types"].as_object().unwrap();
    let known: BTreeSet<String> = table.keys().cloned().collect();
    assert_eq!(known, types(), "run tools/permissions --write");
    let mut asked = BTreeMap::new();
    for (kind, handlers) in table {
        for handler in ["create", "read", "update", "delete"] {
            for action in list(&handlers[handler]) {
                // IAM takes no notice of capitals, and one schema has its own.
                let action = text_of(&action).replace("s3:getObject", "s3:GetObject");
                asked
                    .entry(action)
                    .or_insert_with(|| format!("{kind}, {handler}"));
            }
        }
    }
    asked
}

fn statements() -> Vec<Value> {
    let template = yaml("infra/deploy-role.yaml");
    let policies = &template["Resources"]["BuilderRole"]["Properties"]["Policies"];
    assert_eq!(list(policies).len(), 1);
    list(&policies[0]["PolicyDocument"]["Statement"])
}

fn granted() -> BTreeSet<String> {
    let actions = statements()
        .into_iter()
        .flat_map(|statement| list(&statement["Action"]));
    actions.map(|action| text_of(&action)).collect()
}

fn covers(pattern: &str, action: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(service) => action.starts_with(service),
        None => action == pattern,
    }
}

#[test]
fn the_deploying_role_has_what_awss_handlers_ask_for_and_nothing_else() {
    let (asked, granted) = (asked(), granted());
    for (action, reason) in LEFT_OUT.into_iter().chain(BESIDE) {
        assert!(!reason.is_empty(), "{action}: no reason");
    }
    let left_out = |action: &str| LEFT_OUT.iter().any(|(pattern, _)| covers(pattern, action));
    let mut wrong = Vec::new();
    for (action, by) in &asked {
        match (granted.contains(action), left_out(action)) {
            (false, false) => wrong.push(format!("missing: {action}, which {by} asks for")),
            (true, true) => wrong.push(format!("left out and granted: {action}")),
            _ => {}
        }
    }
    for (pattern, _) in LEFT_OUT {
        if !asked.keys().any(|action| covers(pattern, action)) {
            wrong.push(format!("nothing asks for {pattern} any more"));
        }
    }
    let beside: BTreeSet<_> = BESIDE
        .iter()
        .map(|(action, _)| (*action).to_owned())
        .collect();
    let unasked: BTreeSet<_> = granted
        .iter()
        .filter(|action| !asked.contains_key(*action))
        .cloned()
        .collect();
    if unasked != beside {
        wrong.push(format!("granted and asked for by no handler: {unasked:?}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_deploying_role_is_limited_to_the_stacks_names_where_aws_lets_names_decide() {
    for statement in statements() {
        assert_eq!(statement["Effect"], "Allow");
        for resource in list(&statement["Resource"]) {
            for action in list(&statement["Action"]) {
                // Where AWS looks at no resource, a statement that names one grants nothing.
                let has_none = WITHOUT_RESOURCE.contains(&text_of(&action).as_str());
                assert_eq!(has_none, resource == "*", "{action} on {resource}");
            }
            if resource == "*" {
                continue;
            }
            let arn = match (&resource["Fn::Sub"], resource["Fn::GetAtt"].is_array()) {
                (Value::String(arn), _) => arn.clone(),
                _ => panic!("{resource}"),
            };
            let by_name = arn.contains("${StackName}") || arn.starts_with("${Artifacts.Arn}/");
            let unnamed = [
                ":apigateway:",
                ":budgets:",
                ":billing:",
                ":event-source-mapping:",
                // The two addresses: only the stack's parameters name them.
                ":identity/*",
                ":aws:transform/",
            ];
            assert!(
                by_name || unnamed.iter().any(|part| arn.contains(part)),
                "{arn}"
            );
        }
    }
    // The names that the template gives are those that the role is limited to.
    let arns = json!(statements()).to_string();
    let stack = Stack::new(&[]);
    let name =
        |id: &str| text_of(&stack.properties(id)["Name"]).replace("enquiry-desk", "${StackName}");
    for set in ["ConfigurationSet", "TherapistConfigurationSet"] {
        assert!(
            arns.contains(&format!(":configuration-set/{}\"", name(set))),
            "{set}"
        );
    }
    let secret = name("HashKey");
    assert!(secret.starts_with("${StackName}-HashKey-"), "{secret}");
    assert!(
        arns.contains(":secret:${StackName}-HashKey-*\""),
        "{secret}"
    );
}
