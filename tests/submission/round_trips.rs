//! What a client waits for, counted in round trips one after the other: calls side by side are one, and a call that needs another
//! one's answer is one more.

use enquiry_desk::app::Runtime;
use enquiry_desk::store::{SavedPractice, Words};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testing::gateway;

use crate::security::secret;
use crate::support::desk::Desk;
use crate::support::{BROWSER, COMPLETE, emulated, urlencoded};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The public pages whose answer may depend on what the therapist has saved.
const PAGES: [&str; 5] = ["/", "/token", "/thank-you", "/form", "/form.json"];

fn request(method: &str, path: &str, body: &str) -> Value {
    let headers = json!({ "accept": BROWSER, "content-type": gateway::FORM });
    gateway::request(method, path, &headers, body)
}

/// A clear enquiry with every answer.
fn post(number: u8) -> Value {
    let own = [
        ("email", format!("zoe{number}@example.com")),
        (
            "submission",
            format!("3f0c2f5e-6d0f-4b7e-9a53-0d3c9a4f6b{number:02}"),
        ),
    ];
    let fields: Vec<(&str, &str)> = COMPLETE
        .iter()
        .map(|(name, value)| {
            let own = own.iter().find(|(own, _)| own == name);
            (*name, own.map_or(*value, |(_, value)| value.as_str()))
        })
        .collect();
    request("POST", "/enquiries", &urlencoded(&fields))
}

/// How many round trips the answer to this event waits for, and the calls.
async fn waits_for(desk: &Desk, event: Value, status: u16) -> (usize, Vec<String>) {
    desk.wire.round_trips();
    desk.wire.operations.lock().unwrap().clear();
    let answer = desk.ask(event).await;
    assert_eq!(answer["statusCode"], status, "{answer}");
    let calls = std::mem::take(&mut *desk.wire.operations.lock().unwrap());
    (desk.wire.round_trips(), calls)
}

fn calls(round_trips: usize, calls: &[&str]) -> (usize, Vec<String>) {
    (
        round_trips,
        calls.iter().map(|it| (*it).to_owned()).collect(),
    )
}

#[tokio::test]
async fn a_client_waits_for_one_round_trip_and_for_a_second_once_a_minute() {
    let desk = Desk::start().await;
    let (write, both) = (
        calls(1, &["TransactWriteItems"]),
        calls(2, &["GetItem", "TransactWriteItems"]),
    );
    // The first copy of the practice: an environment reads it while it starts (below).
    assert_eq!(waits_for(&desk, post(0), 303).await, both);
    for number in [1, 2] {
        assert_eq!(waits_for(&desk, post(number), 303).await, write);
        desk.later(SECOND * 29);
    }
    // The same post again finds the first one.
    assert_eq!(waits_for(&desk, post(2), 303).await, write);
    desk.later(SECOND * 2);
    assert_eq!(waits_for(&desk, post(3), 303).await, both);
    assert_eq!(waits_for(&desk, post(4), 303).await, write);
    desk.finish().await;
}

/// What is saved on the desk is on every page within a minute, on each instance. So a page over an older copy waits until the
/// practice was read: the answer is the last thing that an invocation does, and there is no "beside it" in which the copy could be
/// read for the next one. That read opens the connection which the post then finds open.
#[tokio::test]
async fn a_page_waits_for_nothing_unless_its_copy_of_the_practice_is_a_minute_old() {
    let desk = Desk::start().await;
    for path in PAGES {
        desk.later(SECOND * 60);
        let (read, nothing) = (calls(1, &["GetItem"]), calls(0, &[]));
        assert_eq!(waits_for(&desk, request("GET", path, ""), 200).await, read);
        for path in PAGES {
            let waited = waits_for(&desk, request("GET", path, ""), 200).await;
            assert_eq!(waited, nothing, "{path}");
        }
    }
    // On the instance that the timer comes by each minute, none ever waits.
    for _ in 0..3 {
        desk.later(SECOND);
        desk.ask(json!({ "command": "sweep" })).await;
        desk.later(SECOND * 59);
        for path in PAGES {
            let waited = waits_for(&desk, request("GET", path, ""), 200).await;
            assert_eq!(waited, calls(0, &[]), "{path}");
        }
        assert_eq!(
            waits_for(&desk, request("GET", "/enquiry.js", ""), 200).await,
            calls(0, &[])
        );
    }
    desk.finish().await;
}

#[tokio::test]
async fn secret_and_practice_are_read_side_by_side_while_the_function_starts() {
    let desk = Desk::start().await;
    let practice = &enquiry_desk::practice::compiled().written;
    let saved = SavedPractice {
        revision: 1,
        saved_at: *desk.now.lock().unwrap(),
        words: Words::of(practice),
        before: Words::of(practice),
        before_saved_at: None,
        changed: [].into(),
    };
    assert!(desk.app.store.save_practice(&saved).await.unwrap());
    let (url, secrets) = secret::secrets(&[(200, json!({ "SecretString": secret::KEY }))]).await;
    let endpoints = emulated::endpoints(desk.dynamo.endpoint(), desk.ses.endpoint());
    let mut variables = emulated::environment(&endpoints, &[]);
    variables.remove("HASH_KEY");
    variables.insert("SECRET_ID".to_owned(), "secret".to_owned());
    variables.insert("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), url);
    let variable = |name: &str| variables.get(name).cloned();
    desk.wire.round_trips();
    desk.wire.operations.lock().unwrap().clear();
    let now = *desk.now.lock().unwrap();
    let client = desk.wire.client().into();
    let runtime = Runtime::start_over(client, variable, now).await.unwrap();
    let mut read = std::mem::take(&mut *desk.wire.operations.lock().unwrap());
    read.sort();
    assert_eq!(
        (desk.wire.round_trips(), read),
        calls(1, &["GetItem", "GetSecretValue"])
    );
    assert_eq!(secrets.requests.lock().unwrap().len(), 1);
    // The first client waits for no more than the later ones.
    let answer = runtime.handle(post(1), &desk.clock()).await.unwrap();
    assert_eq!(answer["statusCode"], 303, "{answer}");
    assert_eq!(
        desk.wire.operations.lock().unwrap()[..],
        ["TransactWriteItems"]
    );
    assert_eq!(desk.wire.round_trips(), 1);
    desk.finish().await;
}
