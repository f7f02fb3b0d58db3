//! The first page of the therapist's desk, over the embedded database: what the function itself takes for it.

use axum::body::Bytes;
use serde_json::Value;

use crate::event;
use crate::function::{Function, Program, Surroundings};
use crate::median;
use testing::emulated;

/// How many enquiries wait for an answer.
pub(crate) const WAITING: usize = 30;

const DESK: &str = "https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com";

/// Processor time in milliseconds, memory in MiB.
pub(crate) struct List {
    pub(crate) cpu: f64,
    pub(crate) memory: f64,
}

pub(crate) async fn list(program: &Program) -> List {
    let (table, ses) = (emulated::dynamo().await, emulated::ses().await);
    let around = Surroundings {
        table: table.endpoint().to_owned(),
        ses: ses.endpoint().to_owned(),
        secret: String::new(),
        bundle: None,
        quota: None,
    };
    let mut program = program.clone();
    // The name of the template: a key in the environment instead of the secret.
    for (name, value) in [
        ("HASH_KEY", emulated::HASH_KEY),
        ("RATE_LIMIT_PER_SOURCE", "1000"),
    ] {
        program.variables.push((name.to_owned(), value.to_owned()));
    }
    let mut function = Function::start(&program, &around).await;
    function.ready().await;
    for number in 0..WAITING {
        let form = format!(
            "name=Zo%C3%AB+O%27Brien&email=zoe{number}%40example.com&area=neck&goal=treat&recent_injury=no&warmth=yes&treatment=\
             &message=It+aches+after+a+day+at+the+desk.&consent=yes&submission=6f0f3c1e-7d0f-4c50-9d3e-0a5b6f1c{number:04}"
        );
        function
            .answered(&request("POST", "/enquiries", "", &form))
            .await;
    }
    let asked = function
        .answered(&request("POST", "/desk/sign-in", "", ""))
        .await;
    let emails = ses.mailbox().emails();
    let text = emails
        .last()
        .and_then(|email| email.text.clone())
        .expect("an email with a code");
    let code = text
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit()))
        .expect("a code");
    let form = format!("code={code}");
    let signed_in = function
        .answered(&request("POST", "/desk/code", &cookies(&asked.1), &form))
        .await;
    let page = request("GET", "/desk", &cookies(&signed_in.1), "");
    let (_, first) = function.answered(&page).await;
    assert!(
        first["body"].as_str().expect("a page").contains("zoe29"),
        "the list of those who wait: {first}"
    );
    let mut cpu = Vec::new();
    for _ in 0..50 {
        cpu.push(function.timed(&page).await.1);
    }
    let list = List {
        cpu: median(cpu.into_iter()),
        memory: function.memory(),
    };
    function.stop().await;
    list
}

/// What a browser sends back.
fn cookies(answer: &Value) -> String {
    let set = answer["cookies"].as_array().expect("cookies");
    let pairs = set
        .iter()
        .filter_map(|cookie| cookie.as_str()?.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

/// An event of the HTTP API.
fn request(method: &str, path: &str, cookies: &str, body: &str) -> Bytes {
    let mut event: Value = serde_json::from_slice(&event("http-form.json")).expect("JSON");
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["headers"]["origin"] = DESK.into();
    event["headers"]["referer"] = DESK.into();
    event["headers"]["content-length"] = body.len().to_string().into();
    event["isBase64Encoded"] = false.into();
    event["body"] = body.into();
    if !cookies.is_empty() {
        event["cookies"] = cookies.split("; ").collect::<Vec<_>>().into();
    }
    event.to_string().into()
}
