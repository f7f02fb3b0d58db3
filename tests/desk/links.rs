//! "I have answered": the link of an email, and the machines that open and press it before she does.

use axum::http::{Method, StatusCode};
use enquiry_desk::clock::Clock;
use enquiry_desk::enquiry::Reference;
use enquiry_desk::link::Links;
use enquiry_desk::record::{Mark, Origin};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;

use crate::support::browser::Browser;
use crate::support::emulated::HASH_KEY;
use crate::support::{MINIMAL, TestApp};

/// The link of an enquiry whose email left so long ago.
fn link(app: &TestApp, reference: &str, ago: SignedDuration) -> String {
    link_to(app, reference, ago, "therapist@example.com", 0)
}

fn link_to(app: &TestApp, reference: &str, ago: SignedDuration, to: &str, epoch: i64) -> String {
    let links = links(app, HASH_KEY, to);
    let reference = Reference::parse(reference).unwrap();
    let link = links.answered(&reference, epoch, Timestamp::now() - ago);
    link.strip_prefix(app.desk.url()).unwrap().to_owned()
}

/// The links of a stack with this secret, to this therapist.
fn links(app: &TestApp, secret: &str, to: &str) -> Links {
    let keys = enquiry_desk::keys::Keys::from_secret(secret).unwrap();
    let to = enquiry_desk::enquiry::EmailAddress::parse(to).unwrap();
    Links::new(Some(app.desk.url()), Some(&keys), &to).unwrap()
}

/// What a form of the page posts.
fn carried(link: &str) -> [(&str, &str); 2] {
    let (_, query) = link.split_once("?t=").unwrap();
    let (sent, signature) = query.split_once("&s=").unwrap();
    [("t", sent), ("s", signature)]
}

fn path(link: &str) -> &str {
    link.split_once('?').unwrap().0
}

async fn enquire(app: &TestApp) -> String {
    let answer = app.post_form(&MINIMAL).await;
    let (_, reference) = answer.header("location").split_once("reference=").unwrap();
    let reference = reference.to_owned();
    app.emails().await;
    reference
}

/// What the desk says of it: the mark, and by which way it came.
async fn marked(app: &TestApp, reference: &str) -> (Mark, Option<Origin>) {
    let reference = Reference::parse(reference).unwrap();
    let state = app.app.desk.show(&reference).await.unwrap().state;
    (state.mark(), state.marked.map(|marked| marked.by))
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn the_link_of_an_email_marks_as_answered_and_takes_that_back() {
    let app = TestApp::start().await;
    let reference = enquire(&app).await;
    // The link as the email has it.
    let emails = app.emails().await;
    let email = emails
        .iter()
        .find(|email| email.to == ["therapist@example.com"])
        .unwrap();
    let text = email.text.clone().unwrap().replace("\n", "");
    let (_, rest) = text
        .split_once(&format!("{}/desk/act/", app.desk.url()))
        .unwrap();
    let fresh = format!("/desk/act/{}", rest.split(')').next().unwrap());
    let browser = Browser::new(&app);
    let page = browser.get(&fresh).await;
    assert_eq!(page.status, StatusCode::OK, "{fresh}: {}", page.body);
    assert!(page.body.contains("Have you answered Zoë?") && page.body.contains(&reference));
    assert!(!page.body.contains("zoe@example.com"), "{}", page.body);
    // A press within two minutes is asked about once more.
    let press = [carried(&fresh)[0], carried(&fresh)[1], ("do", "answered")];
    let soon = browser.post(path(&fresh), &press).await;
    assert!(soon.body.contains("Answered already?"), "{}", soon.body);
    assert_eq!(marked(&app, &reference).await.0, Mark::Waiting);
    let sure = [&press[..], &[("sure", "yes")]].concat();
    let done = browser.post(path(&fresh), &sure).await;
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, fresh.as_str())
    );
    assert_eq!(
        marked(&app, &reference).await,
        (Mark::Answered, Some(Origin::Link))
    );
    let page = browser.get(&fresh).await.body;
    assert!(
        page.contains("Marked as answered.") && page.contains(">Undo</button>"),
        "{page}"
    );
    let undo = [carried(&fresh)[0], carried(&fresh)[1], ("do", "undo")];
    browser.post(path(&fresh), &undo).await;
    assert_eq!(marked(&app, &reference).await.0, Mark::Waiting);
    // Later, one press does it; and no cookie is set by any of this.
    let old = link(&app, &reference, HOUR);
    let press = [carried(&old)[0], carried(&old)[1], ("do", "answered")];
    assert_eq!(
        browser.post(path(&old), &press).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(marked(&app, &reference).await.0, Mark::Answered);
    assert!(browser.cookies.lock().unwrap().is_empty());
    // On the desk it is told that a link did it.
    let hers = Browser::signed_in(&app).await;
    let page = hers.get(&format!("/desk/enquiries/{reference}")).await.body;
    assert!(page.contains("From a link in an email"), "{page}");
    app.finish().await;
}

#[tokio::test]
async fn opening_a_link_changes_nothing_and_what_she_marked_herself_stands() {
    let app = TestApp::start().await;
    let reference = enquire(&app).await;
    let link = link(&app, &reference, HOUR);
    let machine = Browser::new(&app);
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        machine.send(method, &link, &[], "").await;
    }
    assert_eq!(marked(&app, &reference).await, (Mark::Waiting, None));
    let emails = app.emails().await.len();
    let hers = Browser::signed_in(&app).await;
    for mark in ["booked", "answered"] {
        let fields = [("as", mark), ("seen", "waiting")];
        hers.post(&format!("/desk/enquiries/{reference}/mark"), &fields)
            .await;
        for action in ["answered", "undo", "", "erase"] {
            let press = [
                carried(&link)[0],
                carried(&link)[1],
                ("do", action),
                ("sure", "yes"),
            ];
            machine.post(path(&link), &press).await;
        }
        let stands = marked(&app, &reference).await;
        assert_eq!(stands, (Mark::from_key(mark).unwrap(), Some(Origin::Desk)));
        let page = machine.get(&link).await.body;
        assert!(
            page.contains("You can change this on your desk.") && !page.contains("Undo"),
            "{page}"
        );
        hers.post(
            &format!("/desk/enquiries/{reference}/undo"),
            &[("undone", mark)],
        )
        .await;
    }
    // Nothing left or went by any of it, except the code of her sign-in.
    assert_eq!(app.emails().await.len(), emails + 1);
    assert_eq!(app.items("enquiry").await.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_link_that_is_not_good_gets_one_calm_page_and_does_nothing() {
    let app = TestApp::start().await;
    let reference = enquire(&app).await;
    let good = link(&app, &reference, HOUR);
    let day = SignedDuration::from_hours(24);
    let mut wrong = vec![
        link(&app, &reference, day * 31),
        link_to(&app, &reference, HOUR, "other@example.com", 0),
        link_to(&app, &reference, HOUR, "therapist@example.com", 1),
        link(&app, "BB-00000", HOUR).replace("BB-00000", &reference),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        good.replace("?t=", "?t=1"),
        good.replace("?t=", "?t=x"),
        path(&good).to_owned() + "?t=&s=",
        good.replace(&reference, "nonsense"),
    ];
    let browser = Browser::new(&app);
    let press = async |link: &str| {
        let press = [
            carried(link)[0],
            carried(link)[1],
            ("do", "answered"),
            ("sure", "yes"),
        ];
        browser.post(path(link), &press).await
    };
    let mut pages = Vec::new();
    for link in &wrong {
        for answer in [browser.get(link).await, press(link).await] {
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{link}: {}",
                answer.body
            );
            assert!(answer.body.contains("Go to your desk"), "{}", answer.body);
            pages.push(answer.body);
        }
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
    assert_eq!(marked(&app, &reference).await, (Mark::Waiting, None));
    // A good one from another site's page, or of an enquiry that is gone.
    let fields = [carried(&good)[0], carried(&good)[1], ("do", "answered")];
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let answer = browser.post_from(origin, path(&good), &fields).await;
        assert!(answer.body.contains("Nothing was done"), "{}", answer.body);
    }
    let gone = link(&app, "BB-00000", HOUR);
    assert_eq!(browser.get(&gone).await.status, StatusCode::NOT_FOUND);
    assert_eq!(marked(&app, &reference).await, (Mark::Waiting, None));
    // Closed is closed, and signing out everywhere ends the links.
    app.invoke(json!({ "command": "close-desk" }))
        .await
        .unwrap();
    for answer in [browser.get(&good).await, press(&good).await] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.body.contains("Your desk is closed"));
    }
    app.invoke(json!({ "command": "open-desk" })).await.unwrap();
    wrong = vec![good];
    for link in &wrong {
        assert_eq!(
            press(link).await.status,
            StatusCode::FORBIDDEN,
            "after signing out everywhere"
        );
    }
    assert_eq!(marked(&app, &reference).await, (Mark::Waiting, None));
    app.finish().await;
}

#[tokio::test]
async fn a_link_of_another_stack_or_of_another_purpose_does_nothing() {
    let app = TestApp::start().await;
    let it = enquire(&app).await;
    let reference = Reference::parse(&it).unwrap();
    let good = link(&app, &it, HOUR);
    let [sent, signed] = carried(&good);
    let other = links(
        &app,
        "the secret of another stack, of 32",
        "therapist@example.com",
    );
    let others = other.answered(&reference, 0, Timestamp::now() - HOUR);
    let ours = links(&app, HASH_KEY, "therapist@example.com");
    let mine = ours.mine(&reference);
    let (_, client) = mine.split_once("?s=").unwrap();
    let others_mine = other.mine(&reference);
    let browser = Browser::new(&app);
    // What signs is another stack, the client's own link, or only the beginning of a signature.
    let mut signatures = vec![carried(&others)[1].1.to_owned(), client.to_owned()];
    signatures.extend((0..signed.1.len()).map(|length| signed.1[..length].to_owned()));
    for signature in &signatures {
        let press = [sent, ("s", signature), ("do", "answered"), ("sure", "yes")];
        let pressed = browser.post(path(&good), &press).await;
        assert_eq!(pressed.status, StatusCode::FORBIDDEN, "{signature}");
    }
    assert_eq!(marked(&app, &it).await, (Mark::Waiting, None));
    let (_, others_client) = others_mine.split_once("?s=").unwrap();
    for signature in [others_client, signed.1] {
        let opened = browser.get(&format!("/mine/{it}?s={signature}")).await;
        assert_eq!(opened.status, StatusCode::NOT_FOUND, "{signature}");
    }
    let opened = browser.get(&format!("/mine/{it}?s={client}")).await;
    assert_eq!(opened.status, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn a_link_begins_with_the_deployments_address_whatever_a_request_says() {
    let app = TestApp::start().await;
    let reference = enquire(&app).await;
    let emails = app.emails().await;
    let email = emails
        .iter()
        .find(|email| email.to == ["therapist@example.com"])
        .unwrap();
    let ours = format!("{}/desk/act/answered/{reference}", app.desk.url());
    let text = email.text.clone().unwrap();
    assert!(text.replace('\n', "").contains(&ours), "{text}");
    let now = Timestamp::now();
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    let headers = json!({
        "accept": "application/json", "content-type": gateway::FORM,
        "host": "evil.example", "x-forwarded-host": "evil.example",
    });
    let form = "name=Eve&email=eve@example.com&goal=treat&consent=yes";
    let evil = gateway::request("POST", "/enquiries", &headers, form);
    let evil = gateway::at("evil.example", evil);
    let answer: Value = app.app.handle(evil, &clock).await.unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
    // Its stream record comes with the next enquiry's.
    enquire(&app).await;
    assert!(
        app.emails()
            .await
            .iter()
            .all(|email| !email.eml.contains("evil.example"))
    );
    app.finish().await;
}
