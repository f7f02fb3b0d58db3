//! A build that holds no practice: closed under the name and the number of the deployment until the practice was saved on the desk.

use axum::http::{Method, StatusCode};
use enquiry_desk::practice;

use super::practice::{fields, pairs, with};
use crate::support::browser::Browser;
use crate::support::desk::{Desk, Loss};
use crate::support::{BROWSER, MINIMAL, TestApp, emulated};

const BEGINNING: [(&str, &str); 3] = [
    ("PRACTICE_NAME", "Quiet Hands"),
    ("PRACTICE_PHONE", "01632 960123"),
    ("TIME_ZONE", "Europe/Berlin"),
];

/// The form as it is for visitors.
async fn form(app: &TestApp) -> (StatusCode, String) {
    let answer = app.send(Method::GET, "/", &[("accept", BROWSER)], "").await;
    (answer.status, answer.body)
}

/// The fields of a section as its page shows them: what is between the quotation marks of each `value`.
fn contact(revision: &str) -> Vec<(&'static str, String)> {
    let written = &practice::compiled().written.practice;
    [
        ("seen", revision),
        ("practice.name", "Quiet Hands"),
        ("practice.trade", &written.trade.0),
        ("practice.address", "1 Example Street, Exampletown"),
        ("practice.phone", "01632 960123"),
        ("practice.reference_prefix", "QH"),
        ("practice.time_zone", "Europe/Berlin"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

#[tokio::test]
async fn the_form_opens_when_the_practice_was_saved_for_the_first_time() {
    let app = TestApp::start_with(&BEGINNING).await;
    let compiled = practice::compiled();
    let (status, page) = form(&app).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        page.contains("Quiet Hands") && page.contains("01632 960123"),
        "{page}"
    );
    for not_hers in [&compiled.name, &compiled.address, &compiled.phone.shown] {
        assert!(!page.contains(not_hers.as_str()), "{not_hers}: {page}");
    }
    for path in ["/form", "/form.json", "/enquiries"] {
        let answer = app.send(Method::GET, path, &[], "").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    let posted = app.post_form(&MINIMAL).await;
    assert_eq!(posted.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.items("enquiry").await.len(), 0);

    // On the desk she is told, and where to go; with the first save the form is open at once.
    let browser = Browser::new(&app);
    let signed_in = browser.sign_in().await;
    assert_eq!(signed_in.header("location"), "/desk/practice");
    let desk = browser.get("/desk").await;
    assert!(desk.body.contains("Your form isn’t open yet") && desk.body.contains("/desk/practice"));
    let fields = contact("0");
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let saved = browser.post("/desk/practice/contact/save", &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    let (status, page) = form(&app).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("Quiet Hands") && page.contains("1 Example Street"),
        "{page}"
    );
    assert!(!browser.get("/desk").await.body.contains("isn’t open yet"));
    let posted = app.post_form(&MINIMAL).await;
    assert_eq!(posted.status, StatusCode::SEE_OTHER, "{}", posted.body);
    app.finish().await;
}

#[tokio::test]
async fn a_new_practice_is_led_from_section_to_section_until_its_form_is_shown() {
    let app = TestApp::start_with(&BEGINNING).await;
    let browser = Browser::signed_in(&app).await;
    let index = browser.get("/desk/practice").await.body;
    let mut at = "/desk/practice/contact?setup=yes".to_owned();
    assert!(index.contains("Your form isn’t open yet"), "{index}");
    assert!(index.contains(&format!("href=\"{at}\"")), "{index}");
    for (step, section) in ["contact", "hours", "treatments", "emails"]
        .iter()
        .enumerate()
    {
        let path = format!("/desk/practice/{section}");
        assert!(at.starts_with(&path), "{at}");
        let page = browser.get(&at).await.body;
        assert!(page.contains(&format!("Step {} of 4", step + 1)), "{page}");
        let typed = fields(&page, &path);
        if *section == "contact" {
            // What is wrong is put right without leaving the way.
            let wrong = with(typed.clone(), &[("practice.phone", "ask")]);
            let answer = browser.post(&format!("{path}/save"), &pairs(&wrong)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.body.contains("Step 1 of 4"), "{}", answer.body);
        }
        let answer = browser.post(&format!("{path}/save"), &pairs(&typed)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        at = answer.header("location").to_owned();
    }
    assert_eq!(at, "/desk/practice?done=setup");
    let end = browser.get(&at).await.body;
    assert!(
        end.contains("your form is open") && end.contains("href=\"/\">See your form"),
        "{end}"
    );
    assert_eq!(form(&app).await.0, StatusCode::OK);
    // Later on, a section leads back to the list.
    let page = browser.get("/desk/practice/hours").await.body;
    assert!(!page.contains("Step "), "{page}");
    app.finish_pending().await;
}

#[tokio::test]
async fn a_practice_out_of_reach_closes_the_form_and_shows_no_other_ones_number() {
    let mut desk = Desk::start().await;
    desk.deploy(&BEGINNING);
    desk.wire.lose(Loss::Before(0));
    let headers = serde_json::json!({ "accept": BROWSER });
    let page = desk
        .ask(testing::gateway::request("GET", "/", &headers, ""))
        .await;
    assert_eq!(page["statusCode"], 503);
    let body = page["body"].as_str().unwrap();
    assert!(body.contains("01632 960123") && !body.contains(&practice::compiled().phone.shown));
    desk.wire.lose(Loss::None);
    desk.finish().await;
}

#[tokio::test]
async fn what_the_deployment_gives_is_checked_like_the_rest_of_a_practice() {
    let endpoints = emulated::endpoints("http://127.0.0.1:1", "http://127.0.0.1:1");
    for (name, value) in [
        ("PRACTICE_PHONE", "ask"),
        ("PRACTICE_PHONE", ""),
        ("TIME_ZONE", "Europe/Exampletown"),
        ("TIME_ZONE", ""),
    ] {
        let mut given = BEGINNING;
        for pair in &mut given {
            if pair.0 == name {
                pair.1 = value;
            }
        }
        let client = aws_emulator::aws::http_client();
        let errors = emulated::app(&endpoints, &given, client).err().unwrap();
        let named: Vec<_> = errors.0.iter().map(|error| error.variable).collect();
        assert_eq!(named, [name], "{value}");
    }
}
