//! `template.yaml` as CloudFormation reads it: tags as functions, parameters with their values, conditions decided.
//! Only what our templates use; anything else stops the test.

use std::collections::BTreeMap;
use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Where the stack is, and in whose account: the local system's.
pub const REGION: &str = aws_emulator::aws::REGION;
/// The account.
pub const ACCOUNT: &str = aws_emulator::aws::ACCOUNT;
/// The stack's name, as `samconfig.toml` has it.
pub const STACK: &str = "enquiry-desk";

/// The parameters that have no default.
pub const GIVEN: [(&str, &str); 3] = [
    ("TherapistEmail", "therapist@example.org"),
    ("SenderEmail", "desk@example.com"),
    ("AlarmEmail", "alarms@example.net"),
];

/// A YAML file of this repository. `!Ref X` becomes `{"Ref": "X"}`, `!Sub …` becomes `{"Fn::Sub": …}`, as in the long form.
pub fn yaml(path: &str) -> Value {
    let text = text(path);
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(documents.len(), 1, "{path} is one document");
    plain(&documents[0])
}

/// The text of a file of this repository.
pub fn text(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn plain(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Mapping(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (text_of(&plain(key)), plain(value)))
                .collect(),
        ),
        Yaml::Tagged(tag, node) => {
            assert_eq!(tag.handle, "!", "a tag of CloudFormation");
            let argument = plain(node);
            match (tag.suffix.as_str(), &argument) {
                ("Ref" | "Condition", _) => json!({ tag.suffix.as_str(): argument }),
                ("GetAtt", Value::String(path)) => {
                    let (id, attribute) = path.split_once('.').unwrap();
                    json!({ "Fn::GetAtt": [id, attribute] })
                }
                (function, _) => json!({ format!("Fn::{function}"): argument }),
            }
        }
        other => panic!("not understood: {other:?}"),
    }
}

/// A scalar as CloudFormation compares and inserts it.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => panic!("{other} is no scalar"),
    }
}

/// One value or a list of them, as policies write it.
pub fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// A template with its parameters.
pub struct Stack {
    template: Value,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// The application with these parameters; the others have their defaults.
    pub fn new(given: &[(&str, &str)]) -> Self {
        let template = yaml("template.yaml");
        let mut parameters = BTreeMap::new();
        for (name, parameter) in template["Parameters"].as_object().unwrap() {
            let value = GIVEN
                .iter()
                .chain(given)
                .rfind(|(given, _)| given == name)
                .map_or_else(
                    || text_of(&parameter["Default"]),
                    |(_, value)| (*value).to_owned(),
                );
            parameters.insert(name.clone(), value);
        }
        for (name, _) in given {
            assert!(parameters.contains_key(*name), "there is no {name}");
        }
        Self {
            template,
            parameters,
        }
    }

    /// The template as it is written.
    pub fn written(&self) -> &Value {
        &self.template
    }

    /// What a resource comes to, with `Properties` and all; nothing when its condition is not met.
    pub fn resource(&self, id: &str) -> Value {
        let written = &self.template["Resources"][id];
        assert!(written.is_object(), "there is no {id}");
        if let Some(condition) = written["Condition"].as_str()
            && !self.condition(condition)
        {
            return Value::Null;
        }
        self.resolve(written).unwrap()
    }

    /// The properties of a resource.
    pub fn properties(&self, id: &str) -> Value {
        self.resource(id)["Properties"].take()
    }

    /// The ids of the resources of this type, or of all types of a service (`AWS::IAM::`), with what each comes to.
    pub fn resources(&self, kind: &str) -> Vec<(String, Value)> {
        let all = self.template["Resources"].as_object().unwrap();
        all.iter()
            .filter(|(_, written)| {
                let written = written["Type"].as_str().unwrap();
                written == kind || (kind.ends_with("::") && written.starts_with(kind))
            })
            .map(|(id, _)| (id.clone(), self.resource(id)))
            .filter(|(_, resource)| !resource.is_null())
            .collect()
    }

    /// The environment that the deployed function starts with. A reference to a secret is replaced by some secret.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let variables = self.properties("Function")["Environment"]["Variables"].take();
        variables
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| match text_of(value) {
                secret if secret.starts_with("{{resolve:") => (name.clone(), "s".repeat(64)),
                value => (name.clone(), value),
            })
            .collect()
    }

    fn condition(&self, name: &str) -> bool {
        let written = &self.template["Conditions"][name];
        assert!(written.is_object(), "there is no condition {name}");
        self.decide(written)
    }

    fn decide(&self, condition: &Value) -> bool {
        let (function, argument) = condition.as_object().unwrap().iter().next().unwrap();
        match function.as_str() {
            "Fn::Not" => !self.decide(&argument[0]),
            "Fn::Equals" => {
                let side = |side: usize| text_of(&self.resolve(&argument[side]).unwrap());
                side(0) == side(1)
            }
            "Condition" => self.condition(argument.as_str().unwrap()),
            other => panic!("{other} is not understood"),
        }
    }

    /// What a value comes to; nothing when it is `AWS::NoValue`.
    pub fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Object(members) if members.len() == 1 => {
                let (name, argument) = members.iter().next().unwrap();
                match name.as_str() {
                    "Ref" => self.reference(argument.as_str().unwrap()).map(Value::from),
                    "Fn::Sub" => Some(self.substitute(argument).into()),
                    "Fn::GetAtt" => {
                        let part = |part: usize| argument[part].as_str().unwrap();
                        Some(self.attribute(part(0), part(1)).into())
                    }
                    "Fn::If" => {
                        let met = self.condition(argument[0].as_str().unwrap());
                        self.resolve(&argument[if met { 1 } else { 2 }])
                    }
                    "Fn::Split" => {
                        let whole = text_of(&self.resolve(&argument[1]).unwrap());
                        Some(whole.split(argument[0].as_str().unwrap()).collect())
                    }
                    "Fn::Select" => {
                        let from = self.resolve(&argument[1]).unwrap();
                        let place: usize = text_of(&argument[0]).parse().unwrap();
                        Some(from[place].clone())
                    }
                    other if other.starts_with("Fn::") => panic!("{other} is not understood"),
                    _ => Some(self.members(members)),
                }
            }
            Value::Object(members) => Some(self.members(members)),
            Value::Array(items) => {
                Some(items.iter().filter_map(|item| self.resolve(item)).collect())
            }
            scalar => Some(scalar.clone()),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Value {
        let resolved = members
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), self.resolve(value)?)));
        Value::Object(resolved.collect())
    }

    fn substitute(&self, argument: &Value) -> String {
        let (pattern, own) = match argument {
            Value::Array(parts) => (parts[0].as_str().unwrap(), &parts[1]),
            pattern => (pattern.as_str().unwrap(), &Value::Null),
        };
        let mut parts = pattern.split("${");
        let mut whole = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            let value = match (own.get(name), name.split_once('.')) {
                (Some(value), _) => text_of(&self.resolve(value).unwrap()),
                (None, Some((id, attribute))) => self.attribute(id, attribute),
                (None, None) => self.reference(name).unwrap(),
            };
            whole.push_str(&value);
            whole.push_str(rest);
        }
        whole
    }

    /// What `Ref` gives.
    fn reference(&self, name: &str) -> Option<String> {
        let value = match name {
            "AWS::NoValue" => return None,
            "AWS::Partition" => "aws".to_owned(),
            "AWS::Region" => REGION.to_owned(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::StackName" => STACK.to_owned(),
            "AWS::StackId" => arn(
                "cloudformation",
                &format!("stack/{STACK}/1c2fa620-982a-11e3-aff7-50e2416294e0"),
            ),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => match self.parameters.get(name) {
                Some(value) => value.clone(),
                None => match self.kind(name) {
                    // These are known by their ARN.
                    "AWS::SecretsManager::Secret" | "AWS::SNS::Topic" => {
                        self.attribute(name, "Arn")
                    }
                    _ => self.physical(name),
                },
            },
        };
        Some(value)
    }

    fn kind(&self, id: &str) -> &str {
        self.template["Resources"][id]["Type"]
            .as_str()
            .unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// The name of a resource: its own, or one that CloudFormation makes up.
    fn physical(&self, id: &str) -> String {
        self.kind(id);
        let properties = &self.template["Resources"][id]["Properties"];
        let named = ["Name", "FunctionName", "LogGroupName", "TableName"]
            .iter()
            .find_map(|name| properties.get(*name));
        named.map_or_else(
            || format!("{STACK}-{id}-1A2B3C"),
            |name| text_of(&self.resolve(name).unwrap()),
        )
    }

    /// What `GetAtt` gives. ARNs are exact where the tests compare them with what was called, and merely unique elsewhere.
    fn attribute(&self, id: &str, attribute: &str) -> String {
        let name = self.physical(id);
        match (self.kind(id), attribute) {
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{name}")),
            ("AWS::DynamoDB::Table", "StreamArn") => arn(
                "dynamodb",
                &format!("table/{name}/stream/2026-11-23T10:15:32.000"),
            ),
            ("AWS::SecretsManager::Secret", "Arn" | "Id") => {
                arn("secretsmanager", &format!("secret:{name}"))
            }
            (kind, "Arn") => {
                let service = kind.split("::").nth(1).unwrap().to_ascii_lowercase();
                arn(&service, &name)
            }
            (_, other) => format!("{name}.{other}"),
        }
    }
}

/// An ARN of this stack's account and region.
pub fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}
