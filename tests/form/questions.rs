//! The practice's own questions, and the built-in ones that it leaves out. That an own question comes through page, encodings, email,
//! privacy mode and export is in `fields`, with every other field.

use axum::http::StatusCode;
use enquiry_desk::email::TherapistEmail;
use enquiry_desk::enquiry::field::Control;
use enquiry_desk::enquiry::{Enquiry, Field, fields};
use enquiry_desk::form_token::TimeToken;
use enquiry_desk::practice::Practice;
use enquiry_desk::proof_of_work::ProofOfWork;
use enquiry_desk::spam::{self, Signal, Verdict};
use enquiry_desk::web::EnquiryForm;
use jiff::Timestamp;
use serde_json::{Value, json};
use testing::samples::{Samples, therapist};

use crate::support::browser::Browser;
use crate::support::desk::Desk;
use crate::support::{PHYSIOTHERAPIST, TestApp, emulated, practice_with_questions};

/// What the physiotherapist's form requires.
const REQUIRED: [(&str, &str); 5] = [
    ("name", "Zoë O'Brien"),
    ("email", "zoe@example.com"),
    ("consent", "yes"),
    ("q_problem", "My knee <b>hurts</b>.\r\nSince May."),
    ("q_sport", "run"),
];

/// Everything else that it asks.
const OPTIONAL: [(&str, &str); 9] = [
    ("phone", "07700 900982"),
    ("contact_by", "phone"),
    ("recent_injury", "no"),
    ("treatment", "assessment"),
    ("q_referred_by", "Dr =Example"),
    ("q_scans", "x-ray"),
    ("q_scans", "mri"),
    ("q_stairs", "no"),
    ("q_parking", "yes"),
];

fn physiotherapist() -> Practice {
    Practice::from_toml(PHYSIOTHERAPIST).unwrap()
}

async fn app_of(practice: Practice) -> TestApp {
    TestApp::start_for(practice, emulated::options(), &[]).await
}

/// A form with these values, checked for a practice.
fn checked(
    practice: &Practice,
    values: &[(&str, &str)],
) -> Result<Enquiry, Vec<(String, String, String)>> {
    let mut form = EnquiryForm::default();
    for (name, value) in values {
        form.put(Field::from_key(name).unwrap(), (*value).to_owned());
    }
    let checked = form.check(practice, Timestamp::UNIX_EPOCH).enquiry;
    checked.map_err(|errors| {
        let told = errors.iter().map(|it| {
            let (code, message) = (it.error.code(), it.error.message());
            (
                it.field.key().to_owned(),
                code.into_owned(),
                message.into_owned(),
            )
        });
        told.collect()
    })
}

/// The required values with others in their place.
fn with<'a>(change: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = REQUIRED
        .iter()
        .filter(|(name, _)| change.iter().all(|(other, _)| other != name));
    kept.chain(change).copied().collect()
}

#[tokio::test]
async fn another_trade_needs_no_line_of_rust() {
    let app = app_of(physiotherapist()).await;
    let page = app.get("/").await.body;
    for asked in [
        "What is the problem?",
        "Name of your GP",
        "Running &#38; walking",
        "Example Physio",
    ] {
        assert!(page.contains(asked), "{asked} is missing in {page}");
    }
    // Short answers stand side by side, his own as those of every form.
    for (field, class) in [
        ("q_stairs", "options short"),
        ("q_scans", "options columns"),
        ("q_sport", "options"),
        ("recent_injury", "options short"),
    ] {
        let (_, part) = page.split_once(&format!("id=\"{field}-field\"")).unwrap();
        let (_, part) = part.split_once("<div class=\"").unwrap();
        assert!(part.starts_with(&format!("{class}\">")), "{field}: {part}");
    }
    for left_out in [
        "massage",
        "name=\"goal\"",
        "name=\"area\"",
        "name=\"cause\"",
        "name=\"times\"",
        "name=\"message\"",
        "warm",
    ] {
        assert!(
            !page.to_lowercase().contains(left_out),
            "{left_out} is in {page}"
        );
    }

    // Two errors, and everything else is kept.
    let wrong = [
        &with(&[("q_sport", "chess"), ("q_problem", " \u{200b} ")])[..],
        &OPTIONAL[2..],
    ]
    .concat();
    let answer = app.post_form(&wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.body;
    for told in [
        "<a href=\"#q_problem\">Enter an answer for “What is the problem?”</a>",
        "<a href=\"#q_sport\">Select an answer for “Which sport do you do most?”</a>",
        "id=\"q_problem-error\"",
        "value=\"Dr =Example\"",
        "value=\"x-ray\" checked",
        "value=\"mri\" checked",
        "name=\"q_stairs\" type=\"radio\" value=\"no\" checked",
    ] {
        assert!(page.contains(told), "{told} is missing in {page}");
    }
    assert!(!page.contains("value=\"ultrasound\" checked"));

    let right = [&REQUIRED[..], &OPTIONAL[..]].concat();
    let answer = app.post_form(&right).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let reference = answer
        .header("location")
        .rsplit_once('=')
        .unwrap()
        .1
        .to_owned();
    assert!(reference.starts_with("EP-"));
    let emails = app.emails().await;
    assert_eq!(emails.len(), 2);
    let text = emails[0].text.as_deref().unwrap();
    for told in [
        "What is the problem?\n> My knee <b>hurts</b>.\n> Since May.",
        "Name of your GP\n> Dr =Example",
        "Which sport do you do most?\n    Running & walking",
        "Which scans have you had?\n    X-ray, MRI",
        "Can you climb stairs?\n    No",
        "Do you need a parking space?\n    Yes",
        "Your guide suggests\n    First assessment",
    ] {
        assert!(text.contains(told), "{told} is missing in {text}");
    }
    let to_client = format!("{:?}{:?}", emails[1].text, emails[1].html);
    for own in ["knee", "Running", "X-ray", "parking", "stairs", "Dr "] {
        assert!(!to_client.contains(own), "{own} is in {to_client}");
    }

    let browser = Browser::signed_in(&app).await;
    let page = browser
        .get(&format!("/desk/enquiries/{reference}"))
        .await
        .body;
    for told in [
        "<dt>Which scans have you had?</dt><dd dir=\"auto\">X-ray, MRI</dd>",
        "My knee &#60;b&#62;hurts",
    ] {
        assert!(page.contains(told), "{told} is missing in {page}");
    }
    let page = browser.get("/desk").await.body;
    assert!(page.contains("Zoë") && !page.contains("<p></p>"), "{page}");

    let contract = app.get("/openapi.json").await.json();
    let form = &contract["components"]["schemas"]["Form"];
    assert_eq!(
        form["required"],
        json!(["name", "email", "q_problem", "q_sport", "consent"])
    );
    assert_eq!(
        form["properties"]["q_sport"]["enum"],
        json!(["none", "run", "swim"])
    );
    assert_eq!(form["properties"]["q_referred_by"]["maxLength"], 200);
    assert!(
        form["properties"]["cause"]["description"]
            .as_str()
            .unwrap()
            .contains("does not ask")
    );
    let examples = &contract["paths"]["/enquiries"]["post"]["requestBody"]["content"]["application/json"]
        ["examples"];
    for name in ["least", "complete"] {
        let answer = app.post_json(&examples[name]["value"]).await;
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "{name}: {}",
            answer.body
        );
    }
    app.emails().await;
    app.finish().await;
}

/// The messages, written down a second time, since a table of the code cannot check itself.
#[test]
fn every_kind_of_question_has_its_codes_and_its_words() {
    let practice = physiotherapist();
    let long = |count: usize| "é".repeat(count);
    let (line, too_long) = (long(200), long(201));
    let (text, too_long_text) = (long(1_000), long(1_001));
    for (field, value, code, message) in [
        (
            "q_problem",
            "",
            "q_problem_required",
            "Enter an answer for “What is the problem?”",
        ),
        (
            "q_problem",
            &too_long_text,
            "q_problem_too_long",
            "Your answer for “What is the problem?” must be 1,000 characters or less",
        ),
        (
            "q_referred_by",
            &too_long,
            "q_referred_by_too_long",
            "Your answer for “Name of your GP” must be 200 characters or less",
        ),
        (
            "q_referred_by",
            "Dr\nExample",
            "q_referred_by_control",
            "Enter an answer for “Name of your GP” on one line",
        ),
        (
            "q_sport",
            "",
            "q_sport_required",
            "Select an answer for “Which sport do you do most?”",
        ),
        (
            "q_sport",
            "Run",
            "q_sport_choice",
            "Select an answer for “Which sport do you do most?”",
        ),
        (
            "q_scans",
            "ct",
            "q_scans_choice",
            "Select an answer for “Which scans have you had?”",
        ),
        (
            "q_stairs",
            "maybe",
            "q_stairs_choice",
            "Select an answer for “Can you climb stairs?”",
        ),
    ] {
        let errors = checked(&practice, &with(&[(field, value)])).unwrap_err();
        assert_eq!(
            errors,
            [(field.to_owned(), code.to_owned(), message.to_owned())]
        );
        let row = fields(&practice).find(|row| row.key == field).unwrap();
        let known: Vec<_> = row
            .errors()
            .into_iter()
            .map(|it| (it.code().into_owned(), it.message().into_owned()))
            .collect();
        assert!(
            known.contains(&(code.to_owned(), message.to_owned())),
            "{known:?}"
        );
    }
    checked(
        &practice,
        &with(&[("q_problem", &text), ("q_referred_by", &line)]),
    )
    .unwrap();
    // What must be answered comes before what may be added; the message closes the one, and the consent all.
    let with_all = practice_with_questions();
    let order: Vec<&str> = fields(with_all).map(|row| row.key).collect();
    let place = |key| order.iter().position(|it| *it == key);
    assert!(
        place("q_sport") < place("message")
            && place("message") < place("area")
            && place("times") < place("q_stairs")
            && place("q_stairs") < place("consent")
    );
    // Several errors come in the order of the form.
    let errors = checked(
        &practice,
        &[("q_stairs", "maybe"), ("q_referred_by", "a\nb")],
    )
    .unwrap_err();
    let keys: Vec<&str> = errors.iter().map(|(key, ..)| key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "name",
            "email",
            "q_problem",
            "q_sport",
            "q_referred_by",
            "q_stairs",
            "consent"
        ]
    );
}

#[tokio::test]
async fn json_is_told_of_a_value_of_another_type_and_takes_several_answers() {
    let app = app_of(physiotherapist()).await;
    let mut post = Value::Object(
        REQUIRED
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect(),
    );
    post["q_scans"] = json!(["mri", "x-ray", "mri"]);
    post["q_old"] = json!(["kept", "as it is"]);
    let answer = app.post_json(&post).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    app.emails().await;
    let export = app
        .invoke(json!({ "command": "export", "email": "zoe@example.com" }))
        .await
        .unwrap();
    let own = &export["enquiries"][0]["received"]["enquiry"]["own"];
    assert_eq!(
        own[2],
        json!({
            "key": "q_scans", "label": "Which scans have you had?", "section": "body", "health": true,
            "said": { "chosen": [{ "value": "x-ray", "label": "X-ray" }, { "value": "mri", "label": "MRI" }] },
        })
    );
    assert_eq!(own[3]["said"], json!({ "typed": "kept, as it is" }));
    for (field, value, detail) in [
        (
            "q_problem",
            json!(7),
            "Enter an answer for “What is the problem?”",
        ),
        (
            "q_sport",
            json!(["run"]),
            "Select an answer for “Which sport do you do most?”",
        ),
        (
            "q_scans",
            json!([true]),
            "Select an answer for “Which scans have you had?”",
        ),
        (
            "q_old",
            json!({}),
            "Reload the page and send the form again, or call",
        ),
    ] {
        let mut post = post.clone();
        post[field] = value;
        let answer = app.post_json(&post).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            answer.body
        );
        let error = &answer.json()["errors"][0];
        assert_eq!(error["pointer"], format!("#/{field}"));
        assert_eq!(
            (error["code"].as_str(), error["detail"].as_str()),
            (Some("type"), Some(detail))
        );
    }
    // A question has one answer unless it offers several; one that is not asked any more may have had several.
    for (more, status) in [
        (("q_sport", "swim"), 400),
        (("q_scans", "mri"), 303),
        (("q_old", "b"), 303),
    ] {
        let form = [&with(&[("q_old", "a"), ("q_scans", "mri")])[..], &[more]].concat();
        assert_eq!(
            app.post_form(&form).await.status.as_u16(),
            status,
            "{more:?}"
        );
    }
    app.emails().await;
    app.finish().await;
}

#[tokio::test]
async fn an_answer_to_a_question_that_is_not_asked_any_more_is_kept_as_typed() {
    let app = app_of(physiotherapist()).await;
    // An error elsewhere: the answer is on the page that comes back, although the page no longer asks.
    let stale = [
        ("q_was_asked", "Twice\r\na \"week\""),
        ("times", "Mondays"),
        ("area", "neck"),
        ("q_sport", ""),
    ];
    let answer = app.post_form(&with(&stale)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in [
        "<input type=\"hidden\" name=\"q_was_asked\" value=\"Twice\r\na &#34;week&#34;\">",
        "<input type=\"hidden\" name=\"times\" value=\"Mondays\">",
        "<input type=\"hidden\" name=\"area\" value=\"neck\">",
    ] {
        assert!(
            answer.body.contains(kept),
            "{kept} is missing in {}",
            answer.body
        );
    }
    // What the page cannot show as it is, since it is wrong, it asks for once more.
    let long = "x".repeat(501);
    let answer = app.post_form(&with(&[("times", &long)])).await;
    assert!(
        answer.body.contains("<a href=\"#times\">")
            && answer.body.contains("<textarea id=\"times\"")
    );

    let answer = app.post_form(&with(&stale[..3])).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let emails = app.emails().await;
    let text = emails[0].text.as_deref().unwrap();
    for told in [
        "q_was_asked\n> Twice\n> a \"week\"",
        "Days and times\n> Mondays",
        "Pain: neck",
    ] {
        assert!(text.contains(told), "{told} is missing in {text}");
    }
    // What is unknown may be about health.
    let export = app
        .invoke(json!({ "command": "export", "email": "zoe@example.com", "format": "csv" }))
        .await
        .unwrap();
    let csv = export["csv"].as_str().unwrap();
    assert!(
        csv.contains("\"q_was_asked: Twice\na \"\"week\"\"\""),
        "{csv}"
    );
    app.finish().await;
}

#[tokio::test]
async fn as_many_unknown_answers_are_kept_as_a_practice_may_ask() {
    let app = app_of(physiotherapist()).await;
    let names: Vec<String> = (0..13).map(|nth| format!("q_old{nth}")).collect();
    let unknown: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let answer = app.post_form(&with(&unknown)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    app.emails().await;
    let export = app
        .invoke(json!({ "command": "export", "email": "zoe@example.com" }))
        .await
        .unwrap();
    let own = export["enquiries"][0]["received"]["enquiry"]["own"]
        .as_array()
        .unwrap();
    assert_eq!(
        own.iter()
            .filter(|it| it["key"].as_str().unwrap().starts_with("q_old"))
            .count(),
        12
    );
    let as_json: Value = with(&unknown)
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let answer = app.post_json(&as_json).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.json()["type"]
            .as_str()
            .unwrap()
            .ends_with("unknown-field")
    );
    // What is typed into them counts among all that is typed.
    let long = "x".repeat(7_950);
    let answer = app.post_form(&with(&[("q_old", &long)])).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let name = format!("q_{}", "x".repeat(31));
    for no_name in [name.as_str(), "q_", "q_Old", "q_a-b", "Q_old"] {
        assert_eq!(Field::from_key(no_name), None, "{no_name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_later_change_of_the_practice_neither_alters_nor_hides_an_answer() {
    let mut desk = Desk::start().await;
    desk.deploy_for(physiotherapist(), &[]);
    let email = "ada@example.org";
    let own = [
        ("q_problem", "My knee"),
        ("q_sport", "run"),
        ("q_scans", "mri"),
        ("q_stairs", "no"),
        ("cause", "stress"),
    ];
    let reference = desk.enquire(email, &own).await;
    let before = desk
        .to("therapist@example.com")
        .pop()
        .unwrap()
        .text
        .clone()
        .unwrap();
    let exported = desk
        .ask(json!({ "command": "export", "email": email }))
        .await;

    // Another label, another option in its place, one question gone, another not about health any more.
    let changed = PHYSIOTHERAPIST
        .replace("Which sport do you do most?", "Your sport?")
        .replace(
            "{ value = \"run\", label = \"Running & walking\" }",
            "{ value = \"ride\", label = \"Cycling\" }",
        )
        .replace("key = \"scans\"", "key = \"pictures\"")
        .replace("key = \"stairs\"", "key = \"steps\"");
    assert_ne!(changed, PHYSIOTHERAPIST);
    desk.deploy_for(Practice::from_toml(&changed).unwrap(), &[]);
    desk.ask(json!({ "command": "resend", "reference": reference, "kind": "therapist" }))
        .await;
    let after = desk
        .to("therapist@example.com")
        .pop()
        .unwrap()
        .text
        .clone()
        .unwrap();
    for told in [
        "Which sport do you do most?\n    Running & walking",
        "Which scans have you had?\n    MRI",
        "Can you climb stairs?\n    No",
        "Likely cause\n    Stress or worry",
    ] {
        assert!(
            before.contains(told) && after.contains(told),
            "{told} is missing in {after}"
        );
    }
    let again = desk
        .ask(json!({ "command": "export", "email": email }))
        .await;
    assert_eq!(
        again["enquiries"][0]["received"],
        exported["enquiries"][0]["received"]
    );
    let table = desk
        .ask(json!({ "command": "export", "email": email, "format": "csv" }))
        .await;
    let csv = table["csv"].as_str().unwrap();
    assert!(csv.contains("Running & walking"), "{csv}");
    assert!(
        csv.contains("\"Which scans have you had?: MRI\nCan you climb stairs?: No\""),
        "{csv}"
    );
    desk.finish().await;
}

#[test]
fn privacy_mode_keeps_out_of_the_mailbox_what_was_about_health_when_it_was_asked() {
    let practice = physiotherapist();
    let mut later = practice.clone();
    for question in &mut later.questions {
        question.health = false;
    }
    let right = [&REQUIRED[..], &OPTIONAL[..], &[("q_old", "unknown words")]].concat();
    let enquiry = checked(&practice, &right).unwrap();
    let samples = Samples {
        practice: &later,
        received_at: "2026-11-23T10:20:00Z".parse().unwrap(),
        away_until: None,
    };
    let received = samples.with(samples.minimal(), |it| *it = enquiry);
    let to = therapist();
    let email = TherapistEmail {
        privacy: true,
        ..samples.email(&received, &to)
    };
    let (email, plain) = (email.into_email(), email.plain());
    for part in [email.text, email.html.unwrap(), plain.text] {
        for kept_out in [
            "knee",
            "X-ray",
            "scans",
            "stairs",
            "unknown words",
            "problem",
        ] {
            assert!(!part.contains(kept_out), "{kept_out} is in {part}");
        }
        assert!(
            part.contains("Do you need a parking space?") && part.contains("Dr =Example"),
            "{part}"
        );
    }
}

#[tokio::test]
async fn the_same_answers_are_one_enquiry_and_others_another() {
    let mut desk = Desk::start().await;
    desk.deploy_for(physiotherapist(), &[]);
    let own = [
        ("q_problem", "My knee"),
        ("q_sport", "run"),
        ("submission", "3f0c2f5e-6d0f-4b7e-9a53-0d3c9a4f6b11"),
    ];
    let first = desk.enquire("ada@example.org", &own).await;
    let reworded = PHYSIOTHERAPIST
        .replace("Which sport do you do most?", "Your sport?")
        .replace("Running & walking", "Running");
    desk.deploy_for(Practice::from_toml(&reworded).unwrap(), &[]);
    assert_eq!(desk.post("ada@example.org", &own).await, first);
    for change in [
        ("q_sport", "swim"),
        ("q_problem", "My foot"),
        ("q_stairs", "yes"),
        ("q_old", "x"),
    ] {
        let mut other: Vec<_> = own
            .iter()
            .copied()
            .filter(|(name, _)| *name != change.0)
            .collect();
        other.push(change);
        assert_ne!(
            desk.enquire("ada@example.org", &other).await,
            first,
            "{change:?}"
        );
    }
    desk.finish().await;
}

#[test]
fn what_a_sexual_request_says_in_an_own_question_is_folded_away() {
    let practice = physiotherapist();
    let enquiry = checked(
        &practice,
        &with(&[("q_problem", "Do you do happy endings?")]),
    )
    .unwrap();
    let samples = Samples {
        practice: &practice,
        received_at: "2026-11-23T10:20:00Z".parse().unwrap(),
        away_until: None,
    };
    let received = samples.with(samples.minimal(), |it| *it = enquiry);
    let to = therapist();
    let email = TherapistEmail {
        suspect: true,
        signals: &[Signal::Unwanted],
        ..samples.email(&received, &to)
    };
    let email = email.into_email();
    for (part, joint) in [
        (email.html.unwrap(), "<details>"),
        (email.text, "WHAT WAS WRITTEN"),
    ] {
        let (open, folded) = part.split_once(joint).unwrap();
        assert!(!open.contains("happy endings") && folded.contains("happy endings"));
    }
}

fn scored(practice: &Practice, values: &[(&str, &str)]) -> (Verdict, Vec<Signal>) {
    let enquiry = checked(practice, values).unwrap();
    let score = spam::score(
        &enquiry,
        practice,
        false,
        TimeToken::Absent,
        ProofOfWork::NotAsked,
    );
    (score.verdict(), score.signals)
}

#[test]
fn what_is_typed_into_a_practices_own_question_is_scored() {
    let pitch = "Dear business owner, we offer SEO and backlinks that bring your website to the first page of Google. \
                 Buy followers now: https://a.example https://b.example https://c.example";
    let practice = physiotherapist();
    assert_eq!(scored(&practice, &REQUIRED).0, Verdict::Clear);
    for field in ["q_problem", "q_referred_by", "q_old"] {
        let (verdict, signals) = scored(&practice, &with(&[(field, pitch)]));
        assert_eq!(verdict, Verdict::Suspect, "{field}: {signals:?}");
        assert!(signals.contains(&Signal::Text), "{field}: {signals:?}");
    }
    // Where the form has no message, the longest text is looked at as one.
    let strange =
        "Our team writes to you from a distance with the wish of a long and good talk about it";
    let (verdict, signals) = scored(&practice, &with(&[("q_problem", strange)]));
    assert_eq!(verdict, Verdict::Suspect);
    assert!(signals.contains(&Signal::OffTopic), "{signals:?}");
    let mut listed = practice.clone();
    listed.suspect.words = vec!["casino".to_owned()];
    let (verdict, signals) = scored(&listed, &with(&[("q_referred_by", "The Casino")]));
    assert_eq!(
        (verdict, signals),
        (Verdict::Suspect, vec![Signal::ListedWord])
    );
    // Two answers do not run into each other.
    listed.suspect.words = vec!["my knee".to_owned()];
    let apart = with(&[("q_problem", "It is my"), ("q_referred_by", "knee")]);
    assert_eq!(scored(&listed, &apart).0, Verdict::Clear);
}

#[test]
fn no_answer_to_an_own_question_changes_the_reply_to_the_client() {
    let practice = practice_with_questions();
    let samples = Samples {
        practice,
        received_at: "2026-11-23T10:20:00Z".parse().unwrap(),
        away_until: None,
    };
    let complete = samples.complete();
    let asked: Vec<_> = complete.enquiry.own.iter().map(|it| it.key).collect();
    assert_eq!(asked.len(), practice.questions.len());
    let without = samples.with(samples.complete(), |it| it.own.clear());
    let (with, without) = (
        samples.client_mail(&complete),
        samples.client_mail(&without),
    );
    assert_eq!(with.text, without.text);
    assert_eq!(with.html, without.html);
    assert_eq!(with.subject, without.subject);
}

#[test]
fn each_built_in_question_can_be_left_out_alone_and_all_together() {
    use enquiry_desk::enquiry::answers::{BuiltIn, Choice};
    let source = include_str!("../../practice.toml");
    let form =
        |keys: &[&str]| Practice::from_toml(&format!("{source}\n[form]\nleave_out = {keys:?}\n"));
    for question in BuiltIn::ALL {
        let field = Field::from_key(question.key()).unwrap();
        let row = field.built_in().unwrap();
        assert_eq!(question.label(), row.label);
        let keys = match question {
            BuiltIn::Phone => vec!["phone", "contact_by"],
            _ => vec![question.key()],
        };
        let practice = form(&keys).unwrap();
        assert!(fields(&practice).all(|row| row.field != field), "{field:?}");
        assert_eq!(fields(&practice).count(), Field::ALL.len() - keys.len());
    }
    let all: Vec<&str> = BuiltIn::ALL.iter().map(|it| it.key()).collect();
    let short = form(&all).unwrap();
    let shown: Vec<&str> = fields(&short)
        .filter(|row| !matches!(row.control, Control::Hidden))
        .map(|row| row.key)
        .collect();
    assert_eq!(shown, ["name", "email", "consent"]);
    let enquiry = checked(
        &short,
        &[
            ("name", "Zoë"),
            ("email", "zoe@example.com"),
            ("consent", "yes"),
        ],
    );
    assert_eq!(enquiry.unwrap().answers.goal, None);
    // Whatever another page has sent is taken, by its rule.
    let stale = [
        ("name", "Zoë"),
        ("email", "zoe@example.com"),
        ("consent", "yes"),
        ("goal", "relax"),
        ("contact_by", "text"),
    ];
    let errors = checked(&short, &stale).unwrap_err();
    assert_eq!(errors[0].1, "phone_required");
    let enquiry = checked(&short, &stale[..4]).unwrap();
    assert!(enquiry.answers.goal.is_some());
}
