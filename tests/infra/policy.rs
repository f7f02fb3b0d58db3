//! What the function may do, and what it does: the role of `template.yaml` against every call that leaves the SDK.
//!
//! Each path through the product is played against the local system with a recorder on the wire, and the two lists must
//! be the same: a call that no statement allows would fail in production, and a permission that no path uses only helps
//! an attacker who takes the function over. A new call needs a path here that makes it (`PATHS`); so does a new command.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::emulated::Environment;
use aws_emulator::dynamodb::TableDefinition;
use aws_emulator::function::Function;
use aws_emulator::ses::account::Account;
use aws_emulator::wire::{self, Asked};
use aws_emulator::{Emulator, Options, StartError};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use enquiry_desk::app::Runtime;
use enquiry_desk::aws::HttpClients;
use jiff::Timestamp;
use serde_json::{Value, json};
use testing::gateway;

use crate::support::template::{Stack, arn, list, text_of};
use crate::support::{COMPLETE, MINIMAL, emulated, urlencoded};

// ---------------------------------------------------------------- what is called

/// A permission that a call needs: the action, the exact resource, and what conditions are judged by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    action: String,
    resource: String,
    context: BTreeMap<String, String>,
}

impl Need {
    fn new(action: String, resource: String) -> Self {
        Self {
            action,
            resource,
            context: BTreeMap::new(),
        }
    }
}

/// The errors that the recorder injects.
#[derive(Debug, Default)]
struct Faults {
    /// How many transactions still meet another one.
    conflicts: u32,
    /// Whether the table answers nothing but errors.
    table_is_down: bool,
}

/// The recorder on the wire: every call as it leaves the SDK.
#[derive(Debug, Default)]
struct Wire {
    calls: Mutex<Vec<Call>>,
    faults: Mutex<Faults>,
}

/// One request.
#[derive(Debug, Clone)]
struct Call(Asked);

impl Deref for Call {
    type Target = Asked;

    fn deref(&self) -> &Asked {
        &self.0
    }
}

impl Call {
    /// The only table of a batch.
    fn batch_table(&self) -> &str {
        let tables = self.body["RequestItems"].as_object().unwrap();
        assert_eq!(tables.len(), 1);
        tables.keys().next().unwrap()
    }

    fn text(&self, pointer: &str) -> &str {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{} without {pointer}", self.operation))
    }

    /// What IAM asks for, by the Service Authorization Reference. An operation that is not known here needs its own
    /// name on nothing, which no statement grants.
    fn needs(&self, account: &Account) -> Vec<Need> {
        match self.service.as_str() {
            "dynamodb" => self.needs_of_table(),
            "ses" if self.operation == "SendEmail" => self.needs_of_email(account),
            // It knows no resource.
            "ses" if self.operation == "GetAccount" => {
                vec![Need::new("ses:GetAccount".to_owned(), "*".to_owned())]
            }
            "ses" => {
                let action = format!("ses:{}", self.operation);
                let name = |member: &str| self.body[member].as_str();
                let resource = match (name("EmailIdentity"), name("ConfigurationSetName")) {
                    (Some(name), _) => arn("ses", &format!("identity/{name}")),
                    (None, Some(name)) => arn("ses", &format!("configuration-set/{name}")),
                    (None, None) => self.text("/Filter/RESOURCE_ARN").to_owned(),
                };
                vec![Need::new(action, resource)]
            }
            "sns" => {
                let topic = self.text("/TopicArn").to_owned();
                vec![Need::new(format!("sns:{}", self.operation), topic)]
            }
            "secretsmanager" => {
                let id = self.text("/SecretId");
                vec![Need::new(
                    format!("secretsmanager:{}", self.operation),
                    if id.starts_with("arn:") {
                        id.to_owned()
                    } else {
                        arn("secretsmanager", &format!("secret:{id}"))
                    },
                )]
            }
            service => vec![Need::new(
                format!("{service}:{}", self.operation),
                "?".to_owned(),
            )],
        }
    }

    fn needs_of_table(&self) -> Vec<Need> {
        let table = |name: &str| arn("dynamodb", &format!("table/{name}"));
        if self.operation == "TransactWriteItems" || self.operation == "TransactGetItems" {
            // "To use transactions you need the permission of each operation in them": none is called Transact.
            let parts = self.body["TransactItems"].as_array().unwrap().iter();
            return parts
                .map(|part| {
                    let (kind, inner) = part.as_object().unwrap().iter().next().unwrap();
                    let action = match kind.as_str() {
                        "ConditionCheck" => "dynamodb:ConditionCheckItem".to_owned(),
                        kind => format!("dynamodb:{kind}Item"),
                    };
                    Need::new(action, table(inner["TableName"].as_str().unwrap()))
                })
                .collect();
        }
        let action = format!("dynamodb:{}", self.operation);
        let table = if self.operation == "BatchGetItem" {
            table(self.batch_table())
        } else {
            table(self.text("/TableName"))
        };
        // A read of an index needs the index, and not the table.
        let resource = match self.body["IndexName"].as_str() {
            Some(index) => format!("{table}/index/{index}"),
            None => table,
        };
        vec![Need::new(action, resource)]
    }

    fn needs_of_email(&self, account: &Account) -> Vec<Need> {
        let content = self.body["Content"].as_object().unwrap();
        let action = match content.keys().next().map(String::as_str) {
            Some("Simple") => "ses:SendEmail",
            Some("Raw") => "ses:SendRawEmail",
            other => panic!("an email of another kind: {other:?}"),
        };
        assert!(self.body["FromEmailAddressIdentityArn"].is_null());
        let from = bare(self.text("/FromEmailAddress"));
        // SES asks about the address, when it is verified as one, or else about its domain.
        let identity = |address: &str| {
            let domain = address.rsplit_once('@').unwrap().1;
            let verified = [address, domain]
                .into_iter()
                .find(|name| account.identities.contains(*name));
            verified.map(|name| arn("ses", &format!("identity/{name}")))
        };
        let mut resources = vec![identity(from).unwrap()];
        if account.sandbox {
            let to = self.body["Destination"]["ToAddresses"].as_array().unwrap();
            resources.extend(
                to.iter()
                    .map(|to| identity(bare(to.as_str().unwrap())).unwrap()),
            );
        }
        if let Some(set) = self.body["ConfigurationSetName"].as_str() {
            resources.push(arn("ses", &format!("configuration-set/{set}")));
        }
        resources
            .into_iter()
            .map(|resource| Need {
                action: action.to_owned(),
                resource,
                context: BTreeMap::from([("ses:FromAddress".to_owned(), from.to_owned())]),
            })
            .collect()
    }
}

/// The address of a mailbox with or without a name.
fn bare(mailbox: &str) -> &str {
    let after = mailbox.rsplit_once('<').map_or(mailbox, |(_, after)| after);
    after.trim_end_matches('>')
}

impl Wire {
    fn client(self: &Arc<Self>) -> SharedHttpClient {
        let wire = Arc::clone(self);
        wire::local(move |call| {
            // The desk's own door is no service of AWS.
            let is_door = call.request.headers().get("desk-nightly-test").is_some();
            let refused = if is_door {
                None
            } else {
                wire.note(Call(call.asked.clone()))
            };
            async move {
                match refused {
                    Some(answer) => Ok(answer),
                    None => call.send().await,
                }
            }
        })
    }

    /// Records the call, and says how it is refused.
    fn note(&self, call: Call) -> Option<HttpResponse> {
        let refused = self.refuse(&call);
        self.calls.lock().unwrap().push(call);
        refused
    }

    fn refuse(&self, call: &Call) -> Option<HttpResponse> {
        let mut faults = self.faults.lock().unwrap();
        if call.service == "dynamodb" && faults.table_is_down {
            return Some(wire::error(500, "InternalServerError", &json!({})));
        }
        if call.operation == "TransactWriteItems" && faults.conflicts > 0 {
            faults.conflicts -= 1;
            let reasons = json!({ "CancellationReasons": [{ "Code": "TransactionConflict" }] });
            let code = "TransactionCanceledException";
            return Some(wire::error(400, code, &reasons));
        }
        if call.operation == "GetSecretValue" {
            let secret = json!({ "SecretString": "a-key-as-cloudformation-makes-it-up" });
            return Some(wire::success(&secret));
        }
        None
    }
}

// ---------------------------------------------------------------- how it is played

/// One path's own system, with the settings of `template.yaml`.
struct Stage {
    desk: Emulator,
    wire: Arc<Wire>,
    /// Whether the function does not hear the stream.
    deaf: Arc<AtomicBool>,
    /// The commands that were carried out.
    commands: Mutex<BTreeSet<String>>,
}

type Play = for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A way through the product. `play` fails unless what its name says truly happened.
struct Path {
    name: &'static str,
    /// Variables of the function that differ from the template's defaults.
    variables: &'static [(&'static str, &'static str)],
    play: Play,
}

const NONE: &[(&str, &str)] = &[];

/// Every path. A new kind of call needs a row.
const PATHS: &[Path] = &[
    Path {
        name: "pages, preflights and posts with mistakes, which call nothing but what the start does",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                for (method, path) in [
                    ("GET", "/"),
                    ("GET", "/thank-you"),
                    ("OPTIONS", "/enquiries"),
                    ("GET", "/x"),
                ] {
                    stage.http(method, path, "").await;
                }
                assert_eq!(stage.post(&[("name", "Zoë")]).await.0, 422);
                let calls = stage.wire.calls.lock().unwrap();
                let mut calls: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
                calls.sort_unstable();
                assert_eq!(
                    calls,
                    ["GetItem", "GetSecretValue"],
                    "nothing but the start"
                );
            })
        },
    },
    Path {
        name: "an enquiry is accepted, comes over the stream, and both emails leave and are reported",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                assert_eq!(stage.post(&COMPLETE).await.0, 201);
                assert_eq!(stage.emails().await, 2);
            })
        },
    },
    Path {
        name: "the same post comes again",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let first = stage.post(&COMPLETE).await;
                assert_eq!(stage.post(&COMPLETE).await, first);
                assert_eq!(stage.emails().await, 2);
            })
        },
    },
    Path {
        name: "a suspect gets no auto-reply until it is shown and released",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let with_honeypot = [&MINIMAL[..], &[("extra_detail", "cheap watches")]].concat();
                let (_, body) = stage.post(&with_honeypot).await;
                assert_eq!(stage.emails().await, 1);
                let reference = &body["reference"];
                stage
                    .command(json!({ "command": "show", "reference": reference }))
                    .await;
                stage
                    .command(json!({ "command": "release", "reference": reference }))
                    .await;
                assert_eq!(stage.emails().await, 2);
            })
        },
    },
    Path {
        name: "a source that sends too much is asked to wait",
        variables: &[("RATE_LIMIT_PER_SOURCE", "1")],
        play: |stage| {
            Box::pin(async {
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(stage.post(&COMPLETE).await.0, 429);
            })
        },
    },
    Path {
        name: "the day's auto-replies are used up, and the booking is given back",
        variables: &[("AUTO_REPLIES_PER_DAY", "1")],
        play: |stage| {
            Box::pin(async {
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(stage.emails().await, 2);
                let mut other = MINIMAL;
                other[1].1 = "ada@example.com";
                assert_eq!(stage.post(&other).await.0, 201);
                assert_eq!(stage.emails().await, 3);
            })
        },
    },
    Path {
        name: "the transaction meets another one, and goes without its counter",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                stage.wire.faults.lock().unwrap().conflicts = 3;
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(
                    stage.emails().await,
                    1,
                    "no auto-reply when nothing was counted"
                );
            })
        },
    },
    Path {
        name: "the transaction always meets others, and the idempotency record is looked up",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                stage.wire.faults.lock().unwrap().conflicts = u32::MAX;
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(stage.desk.emails().len(), 1, "by fallback delivery");
            })
        },
    },
    Path {
        name: "the table is down, and fallback delivery takes the enquiry",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                stage.wire.faults.lock().unwrap().table_is_down = true;
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(stage.desk.emails().len(), 1);
            })
        },
    },
    Path {
        name: "sending is paused, and the sweep sends what is pending",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                stage.desk.ses().account(|account| account.paused = true);
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(stage.emails().await, 0);
                stage.desk.ses().account(|account| account.paused = false);
                stage.command(json!({ "command": "sweep" })).await;
                assert_eq!(stage.emails().await, 2);
            })
        },
    },
    Path {
        name: "the therapist marks one enquiry, and is reminded of another",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let (status, answered) = stage.post(&MINIMAL).await;
                assert_eq!(status, 201);
                assert_eq!(stage.post(&COMPLETE).await.0, 201);
                stage.emails().await;
                let reference = answered["reference"].clone();
                let mark = json!({ "command": "mark", "reference": reference, "as": "answered" });
                stage.command(mark).await;
                stage.command(json!({ "command": "remind" })).await;
                stage.command(json!({ "command": "sweep" })).await;
            })
        },
    },
    Path {
        name: "an auto-reply bounces, another one is complained about, and the therapist hears of both",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                for (address, emails) in [
                    ("bounce@simulator.amazonses.com", 3),
                    ("complaint@simulator.amazonses.com", 6),
                ] {
                    let mut post = MINIMAL;
                    post[1].1 = address;
                    assert_eq!(stage.post(&post).await.0, 201);
                    assert_eq!(stage.emails().await, emails);
                }
            })
        },
    },
    Path {
        name: "an operator lists, sends again, exports and erases",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let (_, body) = stage.post(&MINIMAL).await;
                assert_eq!(stage.emails().await, 2);
                let (reference, email) = (&body["reference"], MINIMAL[1].1);
                let listed = stage.command(json!({ "command": "list" })).await;
                assert_eq!(&listed["enquiries"][0]["reference"], reference);
                stage
                    .command(
                        json!({ "command": "resend", "reference": reference, "kind": "therapist" }),
                    )
                    .await;
                assert_eq!(stage.emails().await, 3);
                let exported = stage
                    .command(json!({ "command": "export", "email": email }))
                    .await;
                assert_eq!(exported["count"], 1);
                let erased = stage
                    .command(json!({ "command": "erase", "email": email, "confirm": true }))
                    .await;
                assert_eq!(erased["complete"], true, "{erased}");
                let left = stage.command(json!({ "command": "list" })).await;
                assert_eq!(left["enquiries"], json!([]));
            })
        },
    },
    Path {
        name: "the therapist sees who waits, marks, notes, calls it spam, blocks and trusts",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let (_, body) = stage.post(&COMPLETE).await;
                assert_eq!(stage.emails().await, 2);
                let reference = &body["reference"];
                let waiting = stage.command(json!({ "command": "waiting" })).await;
                assert_eq!(&waiting["waiting"][0]["reference"], reference);
                for command in [
                    json!({ "command": "mark", "reference": reference, "as": "booked" }),
                    json!({ "command": "spam", "reference": reference }),
                    json!({ "command": "trust", "reference": reference }),
                    json!({ "command": "block", "reference": reference }),
                ] {
                    assert_eq!(stage.command(command).await["done"], true);
                }
                let note = json!({ "command": "note", "reference": reference, "text": "x" });
                assert_eq!(stage.command(note).await["note"], "x");
                let senders = stage.command(json!({ "command": "senders" })).await;
                assert_eq!(senders["senders"].as_array().unwrap().len(), 2);
                // Another enquiry of a blocked sender, and one erased: the block stays and names it no more.
                let mut other = MINIMAL;
                other[1].1 = COMPLETE[1].1;
                assert_eq!(stage.post(&other).await.0, 201);
                let erase = json!({ "command": "erase", "reference": reference, "confirm": true });
                assert_eq!(stage.command(erase).await["complete"], true);
                let sender = &senders["senders"][0]["sender"];
                let unblock = json!({ "command": "unblock", "sender": sender });
                assert_eq!(stage.command(unblock).await["done"], true);
            })
        },
    },
    Path {
        name: "in the sandbox, where the therapist's address is verified by itself",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                stage.desk.ses().account(|account| {
                    account.sandbox = true;
                    account
                        .identities
                        .insert("therapist@example.org".to_owned());
                });
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(stage.emails().await, 1);
            })
        },
    },
    Path {
        name: "the therapist signs in by an emailed code, looks at the browsers, and signs out",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let browser = Mutex::default();
                let asked = stage.desk_post(&browser, "/desk/sign-in", &[]).await;
                assert_eq!(asked, 303);
                let emails = stage.desk.emails();
                let text = emails.last().unwrap().text.clone().unwrap();
                let code = text.split_whitespace().find(|it| it.parse::<u32>().is_ok());
                let code = [("code", code.unwrap())];
                assert_eq!(stage.desk_post(&browser, "/desk/code", &code).await, 303);
                assert_eq!(stage.desk_get(&browser, "/desk/browsers").await, 200);
                // After a while its use is written down.
                let (client, table) = (stage.desk.dynamo().client(), stage.desk.dynamo().table());
                let items = client.scan().table_name(table).send().await.unwrap().items;
                for mut item in items.unwrap() {
                    if item.contains_key("used_at") {
                        let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(5);
                        let long_ago = AttributeValue::S(long_ago.to_string());
                        item.insert("used_at".to_owned(), long_ago);
                        let put = client.put_item().table_name(table);
                        put.set_item(Some(item)).send().await.unwrap();
                    }
                }
                assert_eq!(stage.desk_get(&browser, "/desk/browsers").await, 200);
                assert_eq!(stage.desk_post(&browser, "/desk/sign-out", &[]).await, 303);
                assert_eq!(stage.desk_get(&browser, "/desk/browsers").await, 403);
            })
        },
    },
    Path {
        name: "commands let in, sign out, close and open",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                for command in ["sign-in", "sign-out-everywhere", "close-desk", "open-desk"] {
                    stage.command(json!({ "command": command })).await;
                }
            })
        },
    },
    Path {
        name: "the sender is verified by its address and not by its domain",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                stage.desk.ses().account(|account| {
                    account.identities = BTreeSet::from(["desk@example.com".to_owned()]);
                });
                assert_eq!(stage.post(&MINIMAL).await.0, 201);
                assert_eq!(stage.emails().await, 2);
            })
        },
    },
    Path {
        name: "the nightly test goes all the way",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let begun = stage.command(json!({ "command": "probe" })).await;
                assert_eq!(begun["begun"], true);
                assert_eq!(stage.emails().await, 1);
            })
        },
    },
    Path {
        name: "in the sandbox it is looked at whether the therapist has confirmed her address",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                stage.desk.ses().account(|account| account.sandbox = true);
                let checked = stage.command(json!({ "command": "check" })).await;
                assert!(checked["findings"].to_string().contains("recipient"));
            })
        },
    },
    Path {
        name: "everything is looked at, and what has changed is told",
        variables: NONE,
        play: |stage| {
            Box::pin(async {
                let advised = Some(Vec::new());
                stage
                    .desk
                    .ses()
                    .account(|account| account.recommendations = advised);
                let checked = stage.command(json!({ "command": "check" })).await;
                let asked = checked["findings"].to_string();
                assert!(!asked.contains("asked-"), "{asked}");
                assert_eq!(stage.emails().await, 0, "nothing has changed");
                stage.command(json!({ "command": "nightly" })).await;
                stage.desk.ses().account(|account| {
                    account.identities = BTreeSet::from(["desk@example.com".to_owned()]);
                });
                stage.command(json!({ "command": "check" })).await;
                stage.command(json!({ "command": "sweep" })).await;
                stage.desk.settled().await;
                // At night the door is tried as well.
                let told = "Your desk needs your attention";
                assert!(stage.desk.emails().iter().any(|it| it.subject == told));
            })
        },
    },
];

impl Stage {
    /// Starts the system as the template would: its names, its settings, and the clients over the recorder.
    async fn start(stack: &Stack, variables: &[(&str, &str)]) -> Self {
        let environment = stack.environment();
        let options = Options {
            table: TableDefinition {
                name: environment["TABLE_NAME"].clone(),
                ..emulated::table()
            },
            ..emulated::options()
        };
        let wire = Arc::new(Wire::default());
        let deaf = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&deaf);
        let desk = Emulator::start(options, async |endpoints| {
            let variable = |name: &str| {
                if name == "PUBLIC_URL" {
                    return Some(endpoints.url.clone());
                }
                let given = variables.iter().find(|(variable, _)| *variable == name);
                given
                    .map(|(_, value)| (*value).to_owned())
                    .or_else(|| environment.get(name).cloned())
            };
            let aws = endpoints.variables();
            let of_lambda = |name: &str| {
                let of_aws = aws.iter().find(|(variable, _)| *variable == name);
                of_aws
                    .map(|(_, value)| value.clone())
                    .or_else(|| variable(name))
            };
            let client = HttpClients::from(wire.client());
            let runtime = Runtime::start_over(client, of_lambda, Timestamp::now())
                .await
                .map_err(|errors| StartError::new(errors.to_string()))?;
            let function = emulated::function(Environment::of(runtime));
            let deaf = Arc::clone(&deaf);
            Ok(Function::new(move |event: Value| {
                let (function, deaf) = (function.clone(), Arc::clone(&deaf));
                async move {
                    if deaf.load(Ordering::Relaxed) && event.get("Records").is_some() {
                        return Ok(json!({ "batchItemFailures": [] }));
                    }
                    function.call(event).await
                }
            }))
        })
        .await
        .unwrap();
        Self {
            desk,
            wire,
            deaf: heard,
            commands: Mutex::default(),
        }
    }

    /// A request as the gateway hands it over. Returns the status and the body, when that is JSON.
    async fn http(&self, method: &str, path: &str, body: impl Into<String>) -> (u64, Value) {
        let headers = json!({ "accept": "application/json", "content-type": gateway::FORM });
        let event = gateway::request(method, path, &headers, &body.into());
        let answer = self.desk.function().call(event).await.unwrap();
        let body = answer["body"].as_str().unwrap_or_default();
        let body = serde_json::from_str(body).unwrap_or_default();
        (answer["statusCode"].as_u64().unwrap(), body)
    }

    /// A request to the therapist's pages, with the cookies of a browser that keeps what comes back.
    async fn at_desk(
        &self,
        browser: &Mutex<BTreeMap<String, String>>,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> u64 {
        let cookies: Vec<String> = browser
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let headers = json!({ "content-type": gateway::FORM, "origin": "https://api.example.com" });
        let mut event = gateway::request(method, path, &headers, &urlencoded(fields));
        event["cookies"] = cookies.into();
        let answer = self.desk.function().call(event).await.unwrap();
        for set in list(&answer["cookies"]) {
            let (name, value) = set.as_str().unwrap().split_once('=').unwrap();
            let value = value.split(';').next().unwrap();
            browser
                .lock()
                .unwrap()
                .insert(name.to_owned(), value.to_owned());
        }
        answer["statusCode"].as_u64().unwrap()
    }

    async fn desk_post(
        &self,
        browser: &Mutex<BTreeMap<String, String>>,
        path: &str,
        fields: &[(&str, &str)],
    ) -> u64 {
        self.at_desk(browser, "POST", path, fields).await
    }

    async fn desk_get(&self, browser: &Mutex<BTreeMap<String, String>>, path: &str) -> u64 {
        self.at_desk(browser, "GET", path, &[]).await
    }

    async fn post(&self, fields: &[(&str, &str)]) -> (u64, Value) {
        self.http("POST", "/enquiries", urlencoded(fields)).await
    }

    /// Carries out a command, which must succeed.
    async fn command(&self, command: Value) -> Value {
        let name = command["command"].as_str().unwrap().to_owned();
        let answer = self.desk.function().call(command).await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        self.commands.lock().unwrap().insert(name);
        answer
    }

    /// How many emails left, when the stream is read and everything is reported.
    async fn emails(&self) -> usize {
        self.desk.settled().await;
        self.desk.emails().len()
    }
}

/// What all paths together need, with the name of one path that does; and the commands that were carried out.
async fn played(stack: &Stack) -> (BTreeMap<Need, &'static str>, BTreeSet<String>) {
    let (mut needs, mut commands) = (BTreeMap::new(), BTreeSet::new());
    for path in PATHS {
        println!("playing: {}", path.name);
        let stage = Stage::start(stack, path.variables).await;
        (path.play)(&stage).await;
        stage.desk.settled().await;
        let account = stage.desk.ses().account(|account| account.clone());
        for call in stage.wire.calls.lock().unwrap().iter() {
            for need in call.needs(&account) {
                needs.entry(need).or_insert(path.name);
            }
        }
        commands.append(&mut stage.commands.lock().unwrap());
        stage.desk.stop().await;
    }
    (needs, commands)
}

// ---------------------------------------------------------------- what is allowed

/// One action on one resource, under one condition, as a statement allows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    action: String,
    resource: String,
    /// What the context of a call must equal.
    condition: BTreeMap<String, String>,
}

impl Grant {
    fn allows(&self, need: &Need) -> bool {
        self.action == need.action
            && self.resource == need.resource
            && self
                .condition
                .iter()
                .all(|(key, value)| need.context.get(key) == Some(value))
    }
}

/// Everything that the function's role allows. A statement that is not a plain list of actions and resources stops the test.
fn grants(stack: &Stack) -> BTreeSet<Grant> {
    let mut grants = BTreeSet::new();
    for policy in list(&stack.properties("Role")["Policies"]) {
        for statement in list(&policy["PolicyDocument"]["Statement"]) {
            let members: BTreeSet<&str> = statement
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let known = BTreeSet::from(["Effect", "Action", "Resource", "Condition", "Sid"]);
            assert!(
                members.is_subset(&known),
                "{statement} says more than this test understands"
            );
            assert_eq!(statement["Effect"], "Allow");
            let mut condition = BTreeMap::new();
            if let Some(conditions) = statement["Condition"].as_object() {
                for (operator, keys) in conditions {
                    assert_eq!(
                        operator, "StringEquals",
                        "other operators can be met by more than one value"
                    );
                    for (key, value) in keys.as_object().unwrap() {
                        condition.insert(key.clone(), text_of(value));
                    }
                }
            }
            for action in list(&statement["Action"]) {
                for resource in list(&statement["Resource"]) {
                    grants.insert(Grant {
                        action: text_of(&action),
                        resource: text_of(&resource),
                        condition: condition.clone(),
                    });
                }
            }
        }
    }
    grants
}

/// What the role allows and no call of ours needs: the resource that it is for, the actions, and who uses them.
const LAMBDAS_OWN: [(&str, &str, &[&str], &str); 5] = [
    (
        "Table",
        "StreamArn",
        &[
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
        "Lambda's event source mapping reads the stream with the function's role, and is refused without all four",
    ),
    (
        "FailureQueue",
        "Arn",
        &["sqs:SendMessage"],
        "Lambda writes what failed for good to the queue, from the stream and from asynchronous invocations",
    ),
    (
        "FunctionLog",
        "Arn",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        "Lambda writes the function's standard output to the log",
    ),
    (
        "KmsKeyArn",
        "",
        &["kms:Decrypt"],
        "with a key of one's own: DynamoDB, the queue and Lambda's settings are read under it in the role's name",
    ),
    (
        "KmsKeyArn",
        "",
        &["kms:GenerateDataKey"],
        "with a key of one's own: DynamoDB and the queue are written under it in the role's name",
    ),
];

const KEY: &str = "arn:aws:kms:eu-west-2:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn lambdas_own(stack: &Stack) -> BTreeSet<Grant> {
    let mut own = BTreeSet::new();
    for (id, attribute, actions, _reason) in LAMBDAS_OWN {
        let written = match attribute {
            "" => json!({ "Ref": id }),
            attribute => json!({ "Fn::GetAtt": [id, attribute] }),
        };
        let resource = text_of(&stack.resolve(&written).unwrap());
        own.extend(actions.iter().map(|action| Grant {
            action: (*action).to_owned(),
            resource: resource.clone(),
            condition: BTreeMap::new(),
        }));
    }
    own
}

/// What is wrong between the two lists, in words.
fn differences(
    needs: &BTreeMap<Need, &str>,
    grants: &BTreeSet<Grant>,
    own: &BTreeSet<Grant>,
) -> Vec<String> {
    let refused = needs
        .iter()
        .filter(|(need, _)| !grants.iter().any(|grant| grant.allows(need)))
        .map(|(need, path)| {
            format!(
                "not allowed: {} on {}, needed when {path}",
                need.action, need.resource
            )
        });
    let unused = grants
        .difference(own)
        .filter(|grant| !needs.keys().any(|need| grant.allows(need)))
        .map(|grant| format!("never used: {} on {}", grant.action, grant.resource));
    let stale = own
        .difference(grants)
        .map(|grant| format!("Lambda lacks: {} on {}", grant.action, grant.resource));
    refused.chain(unused).chain(stale).collect()
}

#[tokio::test]
async fn the_role_allows_what_is_called_and_nothing_else() {
    let stack = Stack::new(&[("KmsKeyArn", KEY)]);
    let (needs, commands) = played(&stack).await;
    let (grants, own) = (grants(&stack), lambdas_own(&stack));
    let wrong = differences(&needs, &grants, &own);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // The comparison itself must be able to fail: without any one permission, and with any other one.
    for grant in &grants {
        let mut fewer = grants.clone();
        fewer.remove(grant);
        assert!(
            !differences(&needs, &fewer, &own).is_empty(),
            "{grant:?} is not missed"
        );
    }
    for (action, resource) in [
        (
            "dynamodb:Scan",
            &stack.properties("Role")["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"],
        ),
        (
            "dynamodb:Query",
            &stack.properties("Role")["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"],
        ),
    ] {
        let mut more = grants.clone();
        more.insert(Grant {
            action: action.to_owned(),
            resource: text_of(resource),
            condition: BTreeMap::new(),
        });
        assert_eq!(differences(&needs, &more, &own).len(), 1, "{action}");
    }

    assert_eq!(
        commands,
        commands_that_exist().await,
        "each command is carried out by a path above"
    );
}

#[tokio::test]
async fn a_client_waits_for_one_round_trip_to_the_table() {
    let stack = Stack::new(&[]);
    let of_table = |stage: &Stage| {
        let calls = stage.wire.calls.lock().unwrap();
        let calls = calls.iter().filter(|call| call.service == "dynamodb");
        calls.map(|call| call.operation.clone()).collect::<Vec<_>>()
    };
    let with_honeypot = [&MINIMAL[..], &[("extra_detail", "x")]].concat();
    for (variables, posts, why) in [
        (NONE, &[(&COMPLETE[..], 201)][..], "a clear enquiry"),
        (NONE, &[(&with_honeypot, 201)], "a suspect one"),
        (
            NONE,
            &[(&COMPLETE, 201), (&COMPLETE, 201)],
            "and its repeat",
        ),
        (
            &[("RATE_LIMIT_PER_SOURCE", "1")],
            &[(&COMPLETE, 201), (&MINIMAL, 429)],
            "and one too many",
        ),
    ] {
        let stage = Stage::start(&stack, variables).await;
        // The stream comes later: no client waits for it.
        stage.deaf.store(true, Ordering::Relaxed);
        for (fields, status) in posts {
            assert_eq!(stage.post(fields).await.0, *status, "{why}");
        }
        let mut calls = of_table(&stage);
        // The practice, while the function starts.
        assert_eq!(calls.remove(0), "GetItem");
        assert_eq!(calls, vec!["TransactWriteItems"; posts.len()], "{why}");
        stage.desk.stop().await;
    }
}

/// The commands, from what is said of a command that is none of them.
async fn commands_that_exist() -> BTreeSet<String> {
    let stage = Stage::start(&Stack::new(&[]), NONE).await;
    let unknown = stage
        .desk
        .function()
        .call(json!({ "command": "dance" }))
        .await;
    stage.desk.stop().await;
    let words = unknown.unwrap_err();
    let names = words.split("\"command\"").skip(1).map(|rest| {
        let name = rest.trim_start_matches([':', ' ']).trim_start_matches('"');
        name.split('"').next().unwrap().to_owned()
    });
    names.collect()
}

#[test]
fn no_permission_is_written_with_a_wildcard() {
    let stack = Stack::new(&[]);
    let policies = &stack.written()["Resources"]["Role"]["Properties"]["Policies"];
    let mut seen = 0;
    let mut check = |statement: &Value| {
        for part in ["Action", "Resource"] {
            let written = statement[part].to_string();
            // The one action that knows no resource, alone in its statement: it says how the account stands, and changes nothing.
            if part == "Resource" && statement["Action"] == "ses:GetAccount" {
                assert_eq!(written, "\"*\"");
                continue;
            }
            assert!(!written.contains(['*', '?']), "{written}");
            seen += 1;
        }
        for part in ["NotAction", "NotResource", "NotPrincipal"] {
            assert!(statement[part].is_null(), "{part} allows what is not named");
        }
    };
    for policy in list(policies) {
        let document = match &policy["Fn::If"] {
            Value::Array(sides) => &sides[1]["PolicyDocument"],
            _ => &policy["PolicyDocument"],
        };
        list(&document["Statement"]).iter().for_each(&mut check);
    }
    assert!(seen >= 2 * 6, "every policy was looked at");
    // What is typed at deployment goes into resources too: an address with a star in it would be one.
    for parameter in ["SenderEmail", "TherapistEmail"] {
        let pattern = text_of(&stack.written()["Parameters"][parameter]["AllowedPattern"]);
        assert!(
            pattern.starts_with("^[") && pattern.ends_with('$'),
            "{pattern}"
        );
        let local_part = pattern.split_once(']').unwrap().0;
        assert!(
            !local_part.contains(['*', '?', '$']),
            "{parameter}: {local_part}"
        );
    }
    let email = grants(&stack)
        .into_iter()
        .filter(|grant| grant.action.starts_with("ses:Send"));
    for grant in email {
        let from = grant.condition.get("ses:FromAddress").map(String::as_str);
        assert_eq!(from, Some("desk@example.com"), "{grant:?}");
    }
}

#[test]
fn the_function_has_one_role_and_lambda_alone_may_take_it() {
    let stack = Stack::new(&[]);
    let function = stack.properties("Function");
    let role = stack
        .resolve(&json!({ "Fn::GetAtt": ["Role", "Arn"] }))
        .unwrap();
    assert_eq!(function["Role"], role);
    assert!(
        function["Policies"].is_null(),
        "SAM's own policies carry wildcards"
    );
    let iam: Vec<_> = stack
        .resources("AWS::IAM::")
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(iam, ["Role"], "no second place grants anything");
    let role = stack.properties("Role");
    let members: Vec<_> = role
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        ["AssumeRolePolicyDocument", "Description", "Policies"]
    );
    assert_eq!(
        role["AssumeRolePolicyDocument"]["Statement"],
        json!([{ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }])
    );
    let without_key = grants(&stack);
    assert!(
        !without_key
            .iter()
            .any(|grant| grant.action.starts_with("kms:")),
        "without a key of one's own there is nothing to ask KMS for"
    );
}
