//! AWS as a script: the SDK's own HTTP client, which answers every call at once with what the next letter says.
//!
//! | letter | what happens to the call |
//! | --- | --- |
//! | `r` | the first condition fails: the idempotency record is there, the address had an answer, another write was quicker |
//! | `n` | nothing is there, or the condition fails without saying why; SES rejects the email |
//! | `t`, `f`, `c` | of an accepting transaction: the reference is taken, the source has sent too much, it meets another one |
//! | `b`, `u` | of a booking: it was made before; the address is undeliverable |
//! | `v` | what is read was written by a newer version; SES has suspended the account |
//! | `q`, `e`, `l`, `g` | too fast; error 500; the connection is lost; the answer is no JSON |
//! | any other | it goes well; so does everything after the last letter |

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_emulator::wire::{self, Answer, Asked, error, success as ok};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::{Value, json};

/// The enquiry that every lookup finds, unless the script says otherwise.
pub const STORED: &str = "BB-7KQ4M";

/// How many calls a script decides about.
const LONGEST: usize = 24;

/// The other end of the SDK's calls.
#[derive(Debug)]
pub struct Wire {
    play: Mutex<Play>,
}

#[derive(Debug)]
struct Play {
    script: VecDeque<u8>,
    /// The enquiry [`STORED`]: its two items as one.
    item: Value,
    seen: Seen,
}

/// What truly arrived.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// The references that are safe: in the table, or in an email that SES took.
    pub safe: Vec<String>,
    /// The items of new enquiries that the table took.
    pub stored: Vec<Value>,
    /// The emails that SES took.
    pub sent: Vec<Value>,
}

impl Wire {
    /// A wire with this script, in front of a table that holds this one enquiry.
    pub fn new(script: &[u8], item: Value) -> Arc<Self> {
        Arc::new(Self {
            play: Mutex::new(Play {
                script: script.iter().take(LONGEST).copied().collect(),
                item,
                seen: Seen::default(),
            }),
        })
    }

    /// The HTTP client that ends here.
    pub fn client(self: &Arc<Self>) -> SharedHttpClient {
        let wire = Arc::clone(self);
        wire::local(move |call| {
            let answer = wire.play.lock().unwrap().answer(&call.asked);
            async { answer }
        })
    }

    /// What has arrived so far.
    pub fn seen(&self) -> Seen {
        self.play.lock().unwrap().seen.clone()
    }
}

impl Play {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let (operation, body) = (asked.operation.as_str(), &asked.body);
        // How SES stands to the account: no letter of the script is about it.
        if operation == "GetAccount" {
            return Ok(ok(&json!({ "ProductionAccessEnabled": true })));
        }
        let letter = self.script.pop_front().unwrap_or(b'.');
        match letter {
            b'q' if operation == "SendEmail" => {
                Ok(error(429, "TooManyRequestsException", &json!({})))
            }
            b'q' => Ok(error(
                400,
                "ProvisionedThroughputExceededException",
                &json!({}),
            )),
            b'e' => Ok(error(500, "InternalServerError", &json!({}))),
            b'l' => Err(wire::lost()),
            b'g' => Ok(HttpResponse::new(
                200.try_into().unwrap(),
                "{\"Item\":[".into(),
            )),
            letter => Ok(match operation {
                "TransactWriteItems" => self.transaction(letter, body),
                "BatchGetItem" => self.get_all(letter, body),
                "GetItem" => self.get(letter, body),
                "Query" => self.query(letter, body),
                "SendEmail" => self.send(letter, body),
                "PutItem" | "UpdateItem" | "DeleteItem" => self.write(letter, operation, body),
                _ => ok(&json!({})),
            }),
        }
    }

    fn transaction(&mut self, letter: u8, body: &Value) -> HttpResponse {
        let none = Vec::new();
        let writes = body["TransactItems"].as_array().unwrap_or(&none);
        let kind = |write: &Value| {
            let put = write["Put"]["Item"]["kind"]["S"].as_str();
            put.unwrap_or("counter").to_owned()
        };
        let failing = match letter {
            b'r' | b'n' => Some("idempotency"),
            b't' => Some("enquiry"),
            b'f' => Some("counter"),
            b'c' => Some("conflict"),
            _ => None,
        };
        let Some(failing) = failing.filter(|failing| {
            *failing == "conflict" || writes.iter().any(|write| kind(write) == *failing)
        }) else {
            for write in writes.iter().filter(|write| kind(write) == "enquiry") {
                let item = &write["Put"]["Item"];
                self.safe(item["reference"]["S"].as_str());
                self.seen.stored.push(item.clone());
            }
            return ok(&json!({}));
        };
        let reasons: Vec<Value> = writes
            .iter()
            .map(|write| match kind(write) {
                _ if failing == "conflict" => json!({ "Code": "TransactionConflict" }),
                kind if kind != failing => json!({ "Code": "None" }),
                _ if letter == b'r' => {
                    json!({ "Code": "ConditionalCheckFailed", "Item": idempotency_record() })
                }
                _ => json!({ "Code": "ConditionalCheckFailed" }),
            })
            .collect();
        if letter == b'r' {
            self.safe(Some(STORED));
        }
        error(
            400,
            "TransactionCanceledException",
            &json!({ "CancellationReasons": reasons }),
        )
    }

    /// The two items of an enquiry, or of several.
    fn get_all(&self, letter: u8, body: &Value) -> HttpResponse {
        let mut responses = json!({});
        for (table, request) in body["RequestItems"].as_object().into_iter().flatten() {
            let keys = request["Keys"].as_array().into_iter().flatten();
            let keys = keys.filter_map(|key| key["pk"]["S"].as_str());
            let items = keys.filter_map(|key| match letter {
                b'n' => None,
                b'v' => Some(json!({ "pk": { "S": key }, "v": { "N": "99" } })),
                _ => self.part(key),
            });
            responses[table] = items.collect();
        }
        ok(&json!({ "Responses": responses, "UnprocessedKeys": {} }))
    }

    /// The item of this key: both hold what the enquiry holds, and a reader takes what is its own.
    fn part(&self, key: &str) -> Option<Value> {
        let kind = match key.split_once('#')?.0 {
            kind @ ("enquiry" | "state") => kind,
            _ => return None,
        };
        let mut item = self.item.clone();
        item["pk"] = json!({ "S": key });
        item["kind"] = json!({ "S": kind });
        Some(item)
    }

    fn get(&mut self, letter: u8, body: &Value) -> HttpResponse {
        let key = body["Key"]["pk"]["S"].as_str().unwrap_or_default();
        match letter {
            b'v' => ok(&json!({ "Item": { "pk": { "S": key }, "v": { "N": "99" } } })),
            b'r' => {
                self.safe(Some(STORED));
                ok(&json!({ "Item": idempotency_record() }))
            }
            _ => ok(&json!({})),
        }
    }

    fn query(&self, letter: u8, body: &Value) -> HttpResponse {
        let key = json!({ "S": format!("enquiry#{STORED}") });
        let state = json!({ "S": format!("state#{STORED}") });
        let time = json!({ "S": "2026-11-20T09:30:00Z" });
        let items = match (letter, body["IndexName"].as_str()) {
            (b'n', _) => json!([]),
            (b'v', _) => json!([{ "pk": { "S": "enquiry#" } }, { "received_at": { "S": "soon" } }]),
            (_, Some("pending")) => json!([{ "pk": state, "due": time }]),
            _ => json!([{ "pk": key, "received_at": time, "reference": { "S": STORED } }]),
        };
        ok(&json!({ "Items": items }))
    }

    fn write(&self, letter: u8, operation: &str, body: &Value) -> HttpResponse {
        let failed = |item: Option<Value>| {
            let item = item.map_or(json!({}), |item| json!({ "Item": item }));
            error(400, "ConditionalCheckFailedException", &item)
        };
        if body.get("ConditionExpression").is_none() {
            return ok(&json!({}));
        }
        let is_state = body["Item"]["kind"]["S"] == "state";
        match (letter, operation) {
            (b'n', _) => failed(None),
            (b'r', _) if is_state => {
                failed(self.part(body["Item"]["pk"]["S"].as_str().unwrap_or_default()))
            }
            (b'r', _) => failed(Some(idempotency_record())),
            (b'v', _) if is_state => failed(Some(json!({ "v": { "N": "99" } }))),
            (b'u', "PutItem") => {
                let mut held = idempotency_record();
                held["undeliverable"] = json!({ "BOOL": true });
                failed(Some(held))
            }
            (b'b', "PutItem") => ok(&json!({ "Attributes": body["Item"] })),
            _ => ok(&json!({})),
        }
    }

    fn send(&mut self, letter: u8, body: &Value) -> HttpResponse {
        match letter {
            b'n' => error(400, "MessageRejected", &json!({ "message": "Bad content" })),
            b'v' => error(400, "AccountSuspendedException", &json!({})),
            _ => {
                let tags = body["EmailTags"].as_array();
                let reference = tags
                    .and_then(|tags| tags.iter().find(|tag| tag["Name"] == "reference"))
                    .and_then(|tag| tag["Value"].as_str());
                self.safe(reference);
                self.seen.sent.push(body.clone());
                let number = self.seen.sent.len();
                ok(&json!({ "MessageId": format!("message-{number}") }))
            }
        }
    }

    fn safe(&mut self, reference: Option<&str>) {
        self.seen.safe.extend(reference.map(str::to_owned));
    }
}

fn idempotency_record() -> Value {
    json!({ "kind": { "S": "idempotency" }, "reference": { "S": STORED } })
}
