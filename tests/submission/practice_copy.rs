//! The copy of the practice that an execution environment works with: how fresh it is, what reading it costs, and what holds when it
//! cannot be read.

use std::pin::pin;

use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::store::{SavedPractice, Words};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testing::gateway;
use tracing::instrument::WithSubscriber;

use crate::support::desk::{Desk, Loss};
use crate::support::logs::Logs;
use crate::support::{MINIMAL, emulated, urlencoded};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The compiled practice with a change.
fn changed(change: impl FnOnce(&mut practice::raw::Practice)) -> Practice {
    let mut written = practice::compiled().written.clone();
    change(&mut written);
    practice::check(&written).unwrap()
}

/// Saves a practice past the desk, as another instance would have.
async fn save(desk: &Desk, revision: u64, practice: &Practice) {
    let saved = SavedPractice {
        revision,
        saved_at: *desk.now.lock().unwrap(),
        words: Words::of(&practice.written),
        before: Words::of(&practice::compiled().written),
        before_saved_at: None,
        changed: [].into(),
    };
    assert!(desk.app.store.save_practice(&saved).await.unwrap());
}

fn request(method: &str, path: &str, fields: &[(&str, &str)]) -> Value {
    let headers = json!({ "accept": "application/json", "content-type": gateway::FORM });
    gateway::request(method, path, &headers, &urlencoded(fields))
}

fn post(more: &[(&str, &str)]) -> Value {
    request("POST", "/enquiries", &[&MINIMAL[..], more].concat())
}

/// How often the practice was read since the last time.
fn reads(desk: &Desk) -> usize {
    let operations = std::mem::take(&mut *desk.wire.operations.lock().unwrap());
    operations.iter().filter(|it| *it == "GetItem").count()
}

/// What the form says.
async fn form(desk: &Desk) -> String {
    let answer = desk.ask(request("GET", "/", &[])).await;
    answer["body"].as_str().unwrap().to_owned()
}

fn dearer(practice: &mut practice::raw::Practice) {
    practice.treatment[0].price = Some(practice::raw::Line("£48".to_owned()));
}

#[tokio::test]
async fn a_warm_instance_shows_a_change_after_a_minute_and_reads_once_a_minute_at_most() {
    let desk = Desk::start().await;
    assert!(!form(&desk).await.contains("£48"));
    assert_eq!(reads(&desk), 1);
    save(&desk, 1, &changed(dearer)).await;
    let within = desk.later(SECOND * 59);
    for message in ["1", "2", "3"] {
        within.ask(post(&[("message", message)])).await;
    }
    assert!(!form(within).await.contains("£48"));
    assert_eq!(reads(&desk), 0, "nothing is asked for within a minute");
    desk.later(SECOND);
    let answer = desk.ask(post(&[("message", "4")])).await;
    assert_eq!(answer["statusCode"], 201);
    assert!(form(&desk).await.contains("£48"));
    for message in ["5", "6"] {
        desk.ask(post(&[("message", message)])).await;
    }
    assert_eq!(reads(&desk), 1, "for all of them");
    // Style sheets and scripts need none.
    desk.later(SECOND * 600)
        .ask(request("GET", "/style.css", &[]))
        .await;
    assert_eq!(reads(&desk), 0);
    desk.finish().await;
}

#[tokio::test]
async fn the_stream_the_timer_and_the_desk_read_it_each_time() {
    let desk = Desk::start().await;
    let reference = desk.post("zoe@example.com", &[]).await;
    let thanks = "Thank you! It is here.";
    let practice = changed(|it| {
        it.emails.thanks = practice::raw::Sentences(thanks.to_owned());
    });
    save(&desk, 1, &practice).await;
    let record = desk.stream_of(&reference).await;
    desk.ask(record).await;
    let text = desk.to("zoe@example.com")[0].text.clone().unwrap();
    assert!(text.contains(thanks), "{text}");
    for event in [json!({ "command": "sweep" }), request("GET", "/desk", &[])] {
        for _ in 0..2 {
            reads(&desk);
            desk.ask(event.clone()).await;
            assert_eq!(reads(&desk), 1, "{event}");
        }
    }
    desk.finish().await;
}

#[tokio::test]
async fn nothing_is_refused_that_a_newer_practice_knows() {
    let desk = Desk::start().await;
    form(&desk).await;
    let newer = changed(|it| {
        let mut treatment = it.treatment[0].clone();
        treatment.key = practice::raw::Key("feet".to_owned());
        it.treatment.push(treatment);
        it.consent.version = practice::raw::Version("2026-12-01".to_owned());
        it.question.push(practice::raw::Question {
            key: practice::raw::QuestionName("stairs".to_owned()),
            label: practice::raw::Line("Can you climb stairs?".to_owned()),
            kind: "yes-no".to_owned(),
            section: "you".to_owned(),
            ..practice::raw::Question::default()
        });
    });
    save(&desk, 1, &newer).await;
    reads(&desk);
    // Another instance, which shows the newer form, is a second ahead.
    desk.later(SECOND);
    let fields = [
        ("treatment", "feet"),
        ("consent_version", "2026-12-01"),
        ("q_stairs", "no"),
    ];
    let answer = desk.ask(post(&fields)).await;
    assert_eq!(answer["statusCode"], 201, "{answer}");
    assert_eq!(reads(&desk), 1);
    let asked = desk.items().await;
    let asked = asked
        .iter()
        .find(|it| it["kind"].as_s().unwrap() == "enquiry");
    assert!(format!("{asked:?}").contains("Can you climb stairs?"));
    // What no practice knows is refused, after one look.
    let answer = desk.ask(post(&[("treatment", "wings")])).await;
    assert_eq!(answer["statusCode"], 422);
    assert_eq!(reads(&desk), 1);
    // A question that it does not ask is read again for too, before its answer is kept as typed.
    let answer = desk.ask(post(&[("q_dogs", "two")])).await;
    assert_eq!(
        (answer["statusCode"].as_u64(), reads(&desk)),
        (Some(201), 1)
    );
    // Any other mistake costs none.
    let answer = desk.ask(request("POST", "/enquiries", &[])).await;
    assert_eq!(
        (answer["statusCode"].as_u64(), reads(&desk)),
        (Some(422), 0)
    );
    desk.finish().await;
}

#[tokio::test]
async fn an_answer_to_a_question_that_a_newer_practice_asks_is_kept_as_it_asks() {
    let desk = Desk::start().await;
    form(&desk).await;
    let question = practice::raw::Question {
        key: practice::raw::QuestionName("sport".to_owned()),
        label: practice::raw::Line("Which sport?".to_owned()),
        kind: "line".to_owned(),
        section: "body".to_owned(),
        ..practice::raw::Question::default()
    };
    save(&desk, 1, &changed(|it| it.question.push(question.clone()))).await;
    reads(&desk);
    let label = async |email: &str, answers: &[(&str, &str)]| {
        let fields = [&MINIMAL[2..], &[("name", "Zoë"), ("email", email)], answers].concat();
        let answer = desk.ask(request("POST", "/enquiries", &fields)).await;
        assert_eq!(answer["statusCode"], 201, "{answer}");
        let cost = reads(&desk);
        let export = desk
            .ask(json!({ "command": "export", "email": email }))
            .await;
        let entries = export["enquiries"].as_array().unwrap();
        assert_eq!(entries.len(), 1);
        let own = &entries[0]["received"]["enquiry"]["own"][0];
        reads(&desk);
        (
            own["label"].as_str().unwrap().to_owned(),
            own["said"].clone(),
            cost,
        )
    };
    // Another instance shows the newer form.
    let (asked, said, cost) = label("ada@example.org", &[("q_sport", "Chess")]).await;
    assert_eq!(
        (asked.as_str(), said),
        ("Which sport?", json!({ "typed": "Chess" }))
    );
    assert_eq!(cost, 1);
    // What no practice asks is kept by its name, after one look.
    let (asked, said, cost) = label("ben@example.net", &[("q_old", "Chess")]).await;
    assert_eq!(
        (asked.as_str(), said, cost),
        ("q_old", json!({ "typed": "Chess" }), 1)
    );
    // What is known needs no look.
    let (_, _, cost) = label("cas@example.net", &[("q_sport", "Chess")]).await;
    assert_eq!(cost, 0);
    desk.finish().await;
}

#[tokio::test]
async fn a_table_that_does_not_answer_costs_a_client_less_than_the_timer_and_no_enquiry() {
    let desk = Desk::start().await;
    form(&desk).await;
    desk.later(SECOND * 60);
    let hold = || *desk.wire.hold.lock().unwrap() = Some("GetItem");
    let answer = {
        hold();
        let mut client = pin!(desk.ask(post(&[])));
        tokio::select! {
            answer = &mut client => panic!("answered without a look: {answer}"),
            () = desk.wire.held.notified() => {}
        }
        hold();
        let mut timer = pin!(desk.ask(json!({ "command": "sweep" })));
        // Neither look is ever answered. The timer's begins later, and waits longer.
        tokio::select! {
            biased;
            answer = &mut client => answer,
            _ = &mut timer => panic!("a client waits for longer than the timer"),
        }
    };
    assert_eq!(answer["statusCode"], 201);
    // It is not tried again for each of those that follow.
    reads(&desk);
    desk.later(SECOND * 9).ask(post(&[("message", "2")])).await;
    assert_eq!(reads(&desk), 0);
    desk.later(SECOND).ask(post(&[("message", "3")])).await;
    assert_eq!(reads(&desk), 1);
    // Out of reach: the copy.
    desk.later(SECOND * 60);
    desk.wire.lose(Loss::Before(0));
    let answer = desk.ask(request("GET", "/", &[])).await;
    assert_eq!(answer["statusCode"], 200);
    desk.finish().await;
}

/// Overwrites an attribute of the saved practice, as a hand would.
async fn spoil(desk: &Desk, name: &str, value: AttributeValue) {
    let mut item = desk.item("practice#current").await.unwrap();
    item.insert(name.to_owned(), value);
    desk.put(item).await;
}

#[tokio::test]
async fn what_cannot_be_read_leaves_the_last_good_one_and_raises_an_alarm() {
    let mut desk = Desk::start().await;
    save(&desk, 1, &changed(dearer)).await;
    assert!(form(&desk).await.contains("£48"));
    let mut wrong = practice::compiled().written.clone();
    wrong.treatment[1].price = Some(practice::raw::Line(String::new()));
    wrong.hours.monday.0 = vec!["17:00-9:00".to_owned()];
    for (name, value, code) in [
        ("words", AttributeValue::S("{".to_owned()), ""),
        (
            "words",
            AttributeValue::S(Words::of(&wrong).0),
            "treatment[1].price, hours.monday[0]",
        ),
        ("words", AttributeValue::N("1".to_owned()), "Unreadable"),
        ("v", AttributeValue::N("2".to_owned()), "UnknownVersion"),
    ] {
        let good = desk.item("practice#current").await.unwrap();
        spoil(&desk, name, value).await;
        spoil(&desk, "revision", AttributeValue::N("2".to_owned())).await;
        let logs = Logs::default();
        let sweep = desk.event(json!({ "command": "sweep" }));
        sweep.with_subscriber(logs.dispatch()).await.unwrap();
        let line = logs.lines().into_iter().find(|it| it["alarm"].is_string());
        let line = line.unwrap();
        assert_eq!(line["alarm"], "practice_unreadable");
        let told = line["code"].as_str().unwrap();
        assert!(told.contains(code), "{told}");
        assert!(form(&desk).await.contains("£48"), "the last good one");
        let checked = desk.ask(json!({ "command": "check" })).await;
        let mut findings = checked["findings"].as_array().unwrap().iter();
        let found = findings.find(|it| it["key"] == "practice").unwrap();
        let step = match code {
            "UnknownVersion" => "deploy the newest version",
            _ => "correct it there",
        };
        assert!(found["next"].as_str().unwrap().contains(step), "{found}");
        desk.put(good).await;
    }
    // An instance that starts over words that were spoilt takes the version before them.
    let mut before = practice::compiled().written.clone();
    before.treatment[0].price = Some(practice::raw::Line("£47".to_owned()));
    spoil(&desk, "before", AttributeValue::S(Words::of(&before).0)).await;
    spoil(&desk, "words", AttributeValue::S("{}".to_owned())).await;
    desk.deploy(&[]);
    assert!(form(&desk).await.contains("£47"));
    // Corrected, and then deleted by hand: what was built in.
    save(&desk, 2, &changed(dearer)).await;
    assert!(form(desk.later(SECOND * 60)).await.contains("£48"));
    let key = AttributeValue::S("practice#current".to_owned());
    let delete = desk.dynamo.client().delete_item().key("pk", key);
    let table = desk.dynamo.table();
    delete.table_name(table).send().await.unwrap();
    assert!(!form(desk.later(SECOND * 60)).await.contains("£4"));
    desk.finish().await;
}

#[tokio::test]
async fn a_save_over_another_one_is_refused() {
    let desk = Desk::start().await;
    save(&desk, 1, &changed(dearer)).await;
    let mut saved = desk.app.store.practice().await.unwrap().unwrap();
    assert!(!desk.app.store.save_practice(&saved).await.unwrap());
    saved.revision = 3;
    assert!(!desk.app.store.save_practice(&saved).await.unwrap());
    saved.revision = 2;
    assert!(desk.app.store.save_practice(&saved).await.unwrap());
    assert_eq!(desk.app.store.practice().await.unwrap(), Some(saved));
    desk.finish().await;
}

#[tokio::test]
async fn it_is_read_while_the_function_starts() {
    let desk = Desk::start().await;
    save(&desk, 1, &changed(dearer)).await;
    let endpoints = emulated::endpoints(desk.dynamo.endpoint(), desk.ses.endpoint());
    let variables = emulated::environment(&endpoints, &[]);
    let variable = |name: &str| variables.get(name).cloned();
    let now = *desk.now.lock().unwrap();
    let client = desk.wire.client().into();
    reads(&desk);
    let runtime = enquiry_desk::app::Runtime::start_over(client, variable, now);
    let runtime = runtime.await.unwrap();
    assert_eq!(reads(&desk), 1);
    let clock = desk.clock();
    let answer = runtime
        .handle(request("GET", "/", &[]), &clock)
        .await
        .unwrap();
    assert!(answer["body"].as_str().unwrap().contains("£48"));
    assert_eq!(reads(&desk), 0);
    desk.finish().await;
}
