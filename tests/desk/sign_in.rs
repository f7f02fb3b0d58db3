//! Getting into the desk and out of it, and what an attacker finds there.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::{Method, StatusCode};
use enquiry_desk::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;

use crate::support::browser::{Browser, IPHONE, last_code};
use crate::support::{Item, TestApp, emulated, urlencoded};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Every post of the desk that needs a session; the first two are about browsers.
const POSTS: [&str; 23] = [
    "/desk/browsers/sign-out",
    "/desk/browsers/sign-out-everywhere",
    "/desk/enquiries/search",
    "/desk/enquiries/BB-7KQ4M/mark",
    "/desk/enquiries/BB-7KQ4M/undo",
    "/desk/enquiries/BB-7KQ4M/not-spam",
    "/desk/enquiries/BB-7KQ4M/spam",
    "/desk/enquiries/BB-7KQ4M/block",
    "/desk/enquiries/BB-7KQ4M/trust",
    "/desk/enquiries/BB-7KQ4M/unblock",
    "/desk/enquiries/BB-7KQ4M/resend",
    "/desk/enquiries/BB-7KQ4M/complaint",
    "/desk/enquiries/BB-7KQ4M/acknowledged",
    "/desk/enquiries/BB-7KQ4M/note",
    "/desk/enquiries/BB-7KQ4M/erase",
    "/desk/people",
    "/desk/people/export",
    "/desk/people/erase",
    "/desk/people/erase-now",
    "/desk/people/unblock",
    "/desk/practice/step-back",
    "/desk/practice/hours",
    "/desk/practice/hours/save",
];

/// Every page of the desk that needs a session, but the first.
const PAGES: [&str; 10] = [
    "/desk/browsers",
    "/desk/enquiries",
    "/desk/enquiries/BB-7KQ4M",
    "/desk/enquiries/BB-7KQ4M/erase",
    "/desk/files",
    "/desk/files/2026-11/csv",
    "/desk/health",
    "/desk/people",
    "/desk/practice",
    "/desk/practice/hours",
];

/// What cannot be taken back, or tells of many people: a sign-in within the hour.
const RECENT: [(Method, &str); 6] = [
    (Method::GET, "/desk/enquiries/BB-7KQ4M/erase"),
    (Method::POST, "/desk/enquiries/BB-7KQ4M/erase"),
    (Method::GET, "/desk/files/2026-11/csv"),
    (Method::POST, "/desk/people/export"),
    (Method::POST, "/desk/people/erase"),
    (Method::POST, "/desk/people/erase-now"),
];

/// Whether this browser is signed in.
async fn is_in(browser: &Browser<'_>) -> bool {
    let answer = browser.get("/desk/browsers").await;
    assert!(
        answer.status == StatusCode::OK || answer.status == StatusCode::FORBIDDEN,
        "{}",
        answer.body
    );
    answer.status == StatusCode::OK
}

/// Sets attributes of every item of a kind.
async fn change(app: &TestApp, kind: &str, set: &[(&str, AttributeValue)]) {
    for mut item in app.items(kind).await {
        for (name, value) in set {
            item.insert((*name).to_owned(), value.clone());
        }
        put(app, item).await;
    }
}

async fn put(app: &TestApp, item: Item) {
    let (client, table) = (app.desk.dynamo().client(), app.desk.dynamo().table());
    let put = client.put_item().table_name(table).set_item(Some(item));
    put.send().await.unwrap();
}

fn number(seconds: i64) -> AttributeValue {
    AttributeValue::N(seconds.to_string())
}

fn hours_ago(hours: i64) -> Timestamp {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    now - SignedDuration::from_hours(hours)
}

/// A post as the gateway hands it over, from this place.
fn post_event(path: &str, source: &str, cookies: &[&str], fields: &[(&str, &str)]) -> Value {
    let headers = json!({
        "accept": "text/html", "content-type": FORM.1, "user-agent": IPHONE,
        "origin": "https://desk.example.com", "x-forwarded-for": "198.51.100.1",
    });
    let event = gateway::request("POST", path, &headers, &urlencoded(fields));
    let mut event = gateway::from(source, gateway::at("desk.example.com", event));
    event["cookies"] = cookies.into();
    event
}

#[tokio::test]
async fn a_code_goes_to_the_therapist_alone_and_signs_its_browser_in_once() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    let first = browser.get("/desk").await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(first.body.contains("Email me a code"));
    assert!(
        !first.body.contains("type=\"email\""),
        "there is no field for an address"
    );
    let lures = [("email", "evil@example.com"), ("to", "evil@example.com")];
    assert_eq!(
        browser.post("/desk/sign-in", &lures).await.status,
        StatusCode::SEE_OTHER
    );
    let emails = app.desk.emails();
    assert_eq!(emails.len(), 1);
    assert_eq!(emails[0].to, ["therapist@example.com"]);
    let text = emails[0].text.clone().unwrap();
    let code = last_code(&app);
    assert!(
        text.contains("Browser: Safari on an iPhone") && !text.contains("http"),
        "{text}"
    );
    assert!(
        !emails[0].subject.contains(&code),
        "a subject is shown on a locked screen"
    );
    assert_eq!(emails[0].tags().get("kind"), Some(&"sign_in"));
    // The table knows neither the code nor the browser's secret.
    let secret = browser.cookies.lock().unwrap()["__Host-desk-code"].clone();
    let table = format!("{:?}", app.all_items().await);
    assert!(!table.contains(&code) && !table.contains(&secret));

    let other = Browser::new(&app);
    let elsewhere = other.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = browser
        .post(
            "/desk/code",
            &[("code", &format!("{} {}", &code[..4], &code[4..]))],
        )
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), "/desk");
    let cookies: Vec<&str> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|it| it.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    for (cookie, name, age) in [
        (cookies[0], "__Host-desk=", "2592000"),
        (cookies[1], "__Host-desk-code=", "0"),
        (cookies[2], "__Host-desk-browser=", "34560000"),
    ] {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.starts_with(name), "{cookie}");
        assert_eq!(
            attributes,
            format!("Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Lax")
        );
    }
    assert!(is_in(&browser).await && !is_in(&other).await);
    let secret = browser.cookies.lock().unwrap()["__Host-desk"].clone();
    assert!(!format!("{:?}", app.all_items().await).contains(&secret));

    // The code is used up, for the same browser too.
    let again = browser.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    app.finish().await;
}

#[tokio::test]
async fn a_code_that_does_not_work_gets_one_calm_page_that_offers_another() {
    let app = TestApp::start_with(&[]).await;
    let browser = Browser::new(&app);
    browser.post("/desk/sign-in", &[]).await;
    let code = last_code(&app);
    let wrong = if code == "00000000" {
        "00000001"
    } else {
        "00000000"
    };
    let mut pages = Vec::new();
    for typed in ["", "1234567", "not a code", wrong, wrong, wrong, wrong] {
        let answer = browser.post("/desk/code", &[("code", typed)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(answer.body.contains("Email me a code"), "{}", answer.body);
        assert!(
            !answer.body.contains("value=\"0000"),
            "what was typed is not repeated"
        );
        pages.push(answer.body);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
    // Four tries so far that could have been right; a fifth wrong one, and the right code is too late.
    let last = browser.post("/desk/code", &[("code", wrong)]).await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
    let late = browser.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(
        late.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "after five tries"
    );
    assert_eq!(late.body, pages[0]);
    app.finish().await;
}

#[tokio::test]
async fn a_code_works_at_the_fifth_try_and_for_ten_minutes() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    browser.post("/desk/sign-in", &[]).await;
    let code = last_code(&app);
    let wrong = if code == "00000000" {
        "00000001"
    } else {
        "00000000"
    };
    for _ in 0..4 {
        browser.post("/desk/code", &[("code", wrong)]).await;
    }
    let expires = app.items("sign-in").await[0]["expires"]
        .as_n()
        .unwrap()
        .parse::<i64>()
        .unwrap();
    let left = expires - Timestamp::now().as_second();
    assert!((590..=600).contains(&left), "{left}");
    change(
        &app,
        "sign-in",
        &[("expires", number(Timestamp::now().as_second()))],
    )
    .await;
    let expired = browser.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(expired.status, StatusCode::UNPROCESSABLE_ENTITY);
    change(&app, "sign-in", &[("expires", number(expires))]).await;
    let fifth = browser.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(fifth.status, StatusCode::SEE_OTHER);
    app.finish().await;
}

#[tokio::test]
async fn one_code_typed_twice_at_once_begins_one_session() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    browser.post("/desk/sign-in", &[]).await;
    let code = last_code(&app);
    let fields = [("code", code.as_str())];
    let answers =
        futures_util::future::join_all((0..4).map(|_| browser.post("/desk/code", &fields))).await;
    let signed_in = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::SEE_OTHER)
        .count();
    assert!(signed_in <= 1, "{signed_in}");
    assert_eq!(app.items("session").await.len(), signed_in);
    app.finish().await;
}

#[tokio::test]
async fn a_session_cannot_be_planted_or_used_again() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app);
    // Planted before she signs in, in the form of a real one.
    let planted = "A".repeat(43);
    browser
        .cookies
        .lock()
        .unwrap()
        .insert("__Host-desk".to_owned(), planted.clone());
    browser.sign_in().await;
    let first = browser.cookies.lock().unwrap()["__Host-desk"].clone();
    assert_ne!(first, planted, "a new secret at sign-in");
    let with = |secret: &str| {
        let other = Browser::new(&app);
        other
            .cookies
            .lock()
            .unwrap()
            .insert("__Host-desk".to_owned(), secret.to_owned());
        other
    };
    assert!(!is_in(&with(&planted)).await && is_in(&with(&first)).await);
    // Signing in again ends the session before.
    browser.sign_in().await;
    let second = browser.cookies.lock().unwrap()["__Host-desk"].clone();
    assert!(second != first && !is_in(&with(&first)).await && is_in(&browser).await);
    // Two at once: another than us put one there.
    let tossed = with(&second);
    let cookie = format!("__Host-desk={planted}; __Host-desk={second}");
    let answer = tossed
        .send(Method::GET, "/desk/browsers", &[("cookie", &cookie)], "")
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // Truncated, or of another shape.
    for wrong in [
        "",
        "A",
        &second[..42],
        &format!("{second}A"),
        &format!("session#{second}"),
    ] {
        assert!(!is_in(&with(wrong)).await, "{wrong}");
    }
    // Signed out is signed out, also for a copy of the cookie.
    let out = browser.post("/desk/sign-out", &[]).await;
    assert_eq!(
        (out.status, out.header("location")),
        (StatusCode::SEE_OTHER, "/desk")
    );
    assert!(
        browser
            .cookies
            .lock()
            .unwrap()
            .keys()
            .all(|name| name == "__Host-desk-browser")
    );
    assert!(!is_in(&with(&second)).await);
    app.finish().await;
}

#[tokio::test]
async fn a_session_ends_unused_after_seven_days_and_in_any_case_after_thirty() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    for (signed_in, used, still) in [
        (6 * 24, 6 * 24, true),
        (8 * 24, 7 * 24, false),
        (29 * 24, 1, true),
        (30 * 24, 1, false),
    ] {
        // DynamoDB deletes late: what the table says of the expiry is not what counts.
        change(
            &app,
            "session",
            &[
                (
                    "received_at",
                    AttributeValue::S(hours_ago(signed_in).to_string()),
                ),
                ("used_at", AttributeValue::S(hours_ago(used).to_string())),
            ],
        )
        .await;
        assert_eq!(
            is_in(&browser).await,
            still,
            "signed in {signed_in} hours ago, used {used} hours ago"
        );
    }
    // Its use is written down, and the expiry with it.
    change(
        &app,
        "session",
        &[
            ("received_at", AttributeValue::S(hours_ago(48).to_string())),
            ("used_at", AttributeValue::S(hours_ago(2).to_string())),
        ],
    )
    .await;
    assert!(is_in(&browser).await);
    let session = app.items("session").await.remove(0);
    let expires: i64 = session["expires"].as_n().unwrap().parse().unwrap();
    let days = (expires - Timestamp::now().as_second()) as f64 / 86_400.0;
    assert!((6.99..7.01).contains(&days), "{days}");
    app.finish().await;
}

#[tokio::test]
async fn a_foreign_site_posts_nothing_in_any_encoding() {
    // The practice's own website is another site, too.
    let app = TestApp::start_with(&[("ALLOWED_ORIGINS", "https://www.example.com")]).await;
    let browser = Browser::signed_in(&app).await;
    let key = app.items("session").await[0]["pk"]
        .as_s()
        .unwrap()
        .replace("session#", "");
    let own = app.desk.url();
    let multipart =
        format!("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n{key}\r\n--b--\r\n");
    let encodings = [
        (FORM.1, urlencoded(&[("key", &key)])),
        ("multipart/form-data; boundary=b", multipart),
        ("text/plain", format!("key={key}")),
        ("application/json", json!({ "key": key }).to_string()),
        ("", String::new()),
    ];
    let origins = [
        None,
        Some("null".to_owned()),
        Some("https://www.example.com".to_owned()),
        Some("https://evil.example".to_owned()),
        Some(format!("{own}.evil.example")),
        Some(format!("{own}/")),
        Some(
            own.replace("http://", "https://")
                .replace("127.0.0.1", "127.0.0.2"),
        ),
        Some(own.to_uppercase()),
    ];
    let emails = app.desk.emails().len();
    let posts = POSTS.into_iter().chain([
        "/desk/sign-in",
        "/desk/code",
        "/desk/sign-out",
        "/desk/act/answered/BB-7KQ4M",
        "/desk/nowhere",
    ]);
    for path in posts {
        for origin in &origins {
            for (content_type, body) in &encodings {
                let mut headers = vec![("content-type", *content_type)];
                headers.extend(origin.as_deref().map(|origin| ("origin", origin)));
                // Also where her session has ended: what is kept of a form until she has signed in is only hers.
                for browser in [&browser, &Browser::new(&app)] {
                    let answer = browser
                        .send(Method::POST, path, &headers, body.clone())
                        .await;
                    assert_eq!(
                        answer.status,
                        StatusCode::FORBIDDEN,
                        "{path} {origin:?} {content_type}"
                    );
                    assert!(
                        answer.body.contains("Nothing was done"),
                        "not even a sign-in page"
                    );
                    assert!(
                        answer
                            .headers
                            .keys()
                            .all(|name| !name.as_str().starts_with("access-control"))
                    );
                    assert!(!answer.headers.contains_key("set-cookie"));
                }
            }
        }
    }
    // Twice is not once.
    let headers = [FORM, ("origin", own), ("origin", "https://evil.example")];
    let twice = browser
        .send(Method::POST, "/desk/sign-out", &headers, "")
        .await;
    assert_eq!(twice.status, StatusCode::FORBIDDEN);
    assert!(is_in(&browser).await);
    assert_eq!(app.desk.emails().len(), emails);
    // A preflight gets no permission.
    let asked = [
        ("origin", "https://www.example.com"),
        ("access-control-request-method", "POST"),
    ];
    let preflight = browser
        .send(Method::OPTIONS, "/desk/sign-out", &asked, "")
        .await;
    assert!(
        preflight
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
    // The test itself: the same post from a page of our own.
    let own = [FORM, ("origin", own)];
    let answer = browser
        .send(Method::POST, POSTS[0], &own, urlencoded(&[("key", &key)]))
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(!is_in(&browser).await);
    app.finish().await;
}

#[tokio::test]
async fn every_page_and_post_but_signing_in_needs_a_session() {
    let app = TestApp::start().await;
    let stranger = Browser::new(&app);
    for path in PAGES {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(
            answer
                .body
                .contains(&format!("name=\"to\" value=\"{path}\"")),
            "{}",
            answer.body
        );
    }
    let signed_in = Browser::signed_in(&app).await;
    for path in POSTS {
        let answer = stranger.post(path, &[("key", "x")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.body.contains("Email me a code"), "{}", answer.body);
    }
    assert!(is_in(&signed_in).await, "nothing happened");
    app.finish().await;
}

#[tokio::test]
async fn what_cannot_be_taken_back_needs_a_sign_in_within_the_hour() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let own = app.desk.url();
    let headers = [FORM, ("origin", own)];
    let body = urlencoded(&[("email", "zoe@example.com")]);
    for (minutes, asks) in [(59, false), (61, true)] {
        let signed_in = hours_ago(0) - SignedDuration::from_mins(minutes);
        change(
            &app,
            "session",
            &[("received_at", AttributeValue::S(signed_in.to_string()))],
        )
        .await;
        for (method, path) in RECENT {
            let answer = browser
                .send(method.clone(), path, &headers, body.clone())
                .await;
            let asked = answer.body.contains("Sign in once more");
            assert_eq!(asked, asks, "{method} {path} after {minutes} minutes");
            assert!(!asked || answer.status == StatusCode::FORBIDDEN);
        }
        assert!(is_in(&browser).await, "everything else goes on");
    }
    // With the form, and after signing in it stands there as it was.
    let asked = browser
        .post("/desk/people/erase", &[("email", "zoe@example.com")])
        .await;
    let kept = "email=zoe%40example%2Ecom";
    assert!(asked.body.contains(kept), "{}", asked.body);
    browser.post("/desk/sign-in", &[]).await;
    let code = last_code(&app);
    let fields = [
        ("code", code.as_str()),
        ("path", "/desk/people/erase"),
        ("form", kept),
    ];
    let resumed = browser.post("/desk/code", &fields).await;
    assert!(
        resumed.body.contains("value=\"zoe@example.com\""),
        "{}",
        resumed.body
    );
    app.finish().await;
}

#[tokio::test]
async fn a_form_that_was_posted_after_the_session_ended_is_shown_again_and_not_carried_out() {
    let app = TestApp::start().await;
    let other = Browser::signed_in(&app).await;
    let key = app.items("session").await[0]["pk"]
        .as_s()
        .unwrap()
        .replace("session#", "");
    let browser = Browser::new(&app);
    let fields = [("key", key.as_str()), ("surprise", "<b>")];
    let ended = browser.post(POSTS[0], &fields).await;
    assert_eq!(ended.status, StatusCode::FORBIDDEN);
    let form = format!("key={key}");
    for (name, value) in [("path", POSTS[0]), ("form", form.as_str())] {
        let hidden = format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        assert!(ended.body.contains(&hidden), "{}", ended.body);
    }
    // No table keeps what was typed.
    assert!(!format!("{:?}", app.items("sign-in").await).contains(&key));
    let kept = [("path", POSTS[0]), ("form", form.as_str())];
    let asked = browser.post("/desk/sign-in", &kept).await;
    assert_eq!(asked.status, StatusCode::OK, "the form goes along");
    assert!(asked.body.contains(&form));
    let code = last_code(&app);
    let entered = browser
        .post("/desk/code", &[("code", code.as_str()), kept[0], kept[1]])
        .await;
    assert_eq!(entered.status, StatusCode::OK);
    assert!(
        entered.body.contains(&format!("action=\"{}\"", POSTS[0])) && entered.body.contains(&key)
    );
    assert!(is_in(&other).await, "only a press of her own does it");
    assert_eq!(
        browser.post(POSTS[0], &fields[..1]).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(!is_in(&other).await);
    app.finish().await;
}

#[tokio::test]
async fn after_signing_in_only_pages_of_the_desk_are_come_back_to() {
    let app = TestApp::start().await;
    for (to, location) in [
        ("/desk/browsers", "/desk/browsers"),
        ("//evil.example/", "/desk"),
        ("https://evil.example/desk", "/desk"),
        ("/desk\\@evil.example", "/desk"),
        ("/desk/../x", "/desk"),
        ("/", "/desk"),
        ("/desk/code", "/desk"),
        ("/desk/browsers\r\nset-cookie: a=b", "/desk"),
    ] {
        let browser = Browser::new(&app);
        // One machine is one source, and here it asks more than twice.
        change(&app, "counter", &[("expires", number(0))]).await;
        let asked = browser.post("/desk/sign-in", &[("to", to)]).await;
        assert_eq!(
            asked.header("location"),
            format!("/desk/code?to={location}"),
            "{to}"
        );
        let code = last_code(&app);
        let entered = browser
            .post("/desk/code", &[("code", &code), ("to", to)])
            .await;
        assert_eq!(
            (entered.status, entered.header("location")),
            (StatusCode::SEE_OTHER, location),
            "{to}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn strangers_cannot_lock_her_out_nor_flood_her() {
    let app = TestApp::start().await;
    let hers = Browser::signed_in(&app).await;
    hers.post("/desk/sign-out", &[]).await;
    // Two an hour from one source, and not a third, whatever it says of itself.
    let ask = async |source: &str, cookies: &[&str]| {
        let event = post_event("/desk/sign-in", source, cookies, &[]);
        app.invoke(event).await.unwrap()
    };
    let forged = "__Host-desk-browser=00000000000000000000000000000000.0000";
    for (source, cookies, expected) in [
        ("192.0.2.1", &[][..], 303),
        ("192.0.2.1", &[], 303),
        ("192.0.2.1", &[], 429),
        ("192.0.2.1", &[forged], 429),
        ("2001:db8:1:1::1", &[], 303),
        ("2001:db8:1:1::2", &[], 303),
        ("2001:db8:1:1:ffff::3", &[], 429),
    ] {
        let answer = ask(source, cookies).await;
        assert_eq!(answer["statusCode"], expected, "{source} {cookies:?}");
        if expected == 429 {
            let after = answer["headers"]["retry-after"].as_str().unwrap();
            assert!(
                (3500..=3600).contains(&after.parse::<i64>().unwrap()),
                "{after}"
            );
            assert!(answer["body"].as_str().unwrap().contains("Too many codes"));
        }
    }
    // Twenty a day from all of them; her own sign-in was one.
    let mut sent = 5;
    for source in 1..100 {
        let answer = ask(&format!("198.51.100.{source}"), &[]).await;
        if answer["statusCode"] == 429 {
            break;
        }
        sent += 1;
    }
    assert_eq!(sent, 20);
    // What was refused counts nothing, and the hour ends by itself.
    change(&app, "counter", &[("expires", number(0))]).await;
    assert_eq!(
        ask("192.0.2.1", &[]).await["statusCode"],
        429,
        "the day's are used up"
    );
    // She, in a browser that was signed in before, has her own.
    for _ in 0..10 {
        let asked = hers.post("/desk/sign-in", &[]).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    }
    let code = last_code(&app);
    assert_eq!(
        hers.post("/desk/sign-in", &[]).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    let entered = hers.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(
        entered.status,
        StatusCode::SEE_OTHER,
        "the last code that left works"
    );
    app.finish().await;
}

#[tokio::test]
async fn every_answer_is_the_browsers_own_business() {
    let app = TestApp::start().await;
    let stranger = Browser::new(&app);
    let hers = Browser::signed_in(&app).await;
    let own = app.desk.url();
    for browser in [&stranger, &hers] {
        for (method, path) in [
            (Method::GET, "/desk"),
            (Method::HEAD, "/desk"),
            (Method::GET, "/desk/code"),
            (Method::GET, "/desk/browsers"),
            (Method::GET, "/desk/nowhere"),
            (Method::GET, "/desk/"),
            (Method::PUT, "/desk"),
            (Method::POST, "/desk/code"),
            (Method::POST, "/desk/nowhere"),
            (Method::OPTIONS, "/desk"),
        ] {
            let headers = [FORM, ("origin", own)];
            let answer = browser.send(method.clone(), path, &headers, "").await;
            let what = format!("{method} {path}: {}", answer.status);
            assert_eq!(answer.header("cache-control"), "no-store", "{what}");
            assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
            assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow", "{what}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
            let policy = answer.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; ") && !policy.contains("script"),
                "{what}"
            );
            assert!(
                policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"),
                "{what}"
            );
            assert!(
                answer
                    .headers
                    .keys()
                    .all(|name| !name.as_str().starts_with("access-control")),
                "{what}"
            );
            assert!(
                !answer.body.contains("<script") && !answer.body.contains("style="),
                "{what}"
            );
        }
    }
    let refused = hers.send(Method::GET, "/desk/sign-in", &[], "").await;
    assert_eq!(
        (refused.status, refused.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "POST, OPTIONS")
    );
    // A mailbox's program that fetches and asks changes nothing.
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        hers.send(method, "/desk/sign-out", &[], "").await;
    }
    assert!(is_in(&hers).await);
    app.finish().await;
}

#[tokio::test]
async fn public_pages_neither_read_nor_set_a_cookie_of_the_desk() {
    let app = TestApp::start().await;
    let hers = Browser::signed_in(&app).await;
    let stranger = Browser::new(&app);
    for path in [
        "/thank-you",
        "/style.css",
        "/desk.css",
        "/enquiry.js",
        "/nowhere",
        "/desks",
    ] {
        let [with, without] = [hers.get(path).await, stranger.get(path).await];
        assert_eq!(
            (with.status, &with.body),
            (without.status, &without.body),
            "{path}"
        );
        assert!(!with.headers.contains_key("set-cookie"), "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_list_of_browsers_signs_out_each_and_all() {
    let app = TestApp::start().await;
    let (hers, lost) = (
        Browser::signed_in(&app).await,
        Browser::signed_in(&app).await,
    );
    let list = hers.get("/desk/browsers").await.body;
    assert_eq!(
        list.matches("<h2>Safari on an iPhone</h2>").count(),
        2,
        "{list}"
    );
    assert_eq!(list.matches("This browser.").count(), 1);
    let secret = lost.cookies.lock().unwrap()["__Host-desk"].clone();
    assert!(!list.contains(&secret));
    let keys: Vec<&str> = list
        .split("name=\"key\" value=\"")
        .skip(1)
        .map(|rest| &rest[..64])
        .collect();
    let own = list.find("This browser.").unwrap();
    let at = |key: &str| list.find(key).unwrap();
    let of_lost = keys.iter().find(|key| {
        keys.iter()
            .filter(|it| at(it) > own)
            .min_by_key(|it| at(it))
            != Some(key)
    });
    let answer = hers.post(POSTS[0], &[("key", of_lost.unwrap())]).await;
    assert_eq!(answer.header("location"), "/desk/browsers?done=signed-out");
    assert!(!is_in(&lost).await && is_in(&hers).await);

    let other = {
        change(&app, "counter", &[("expires", number(0))]).await;
        Browser::signed_in(&app).await
    };
    let asked = Browser::new(&app);
    change(&app, "counter", &[("expires", number(0))]).await;
    asked.post("/desk/sign-in", &[]).await;
    let code = last_code(&app);
    let everywhere = hers.post(POSTS[1], &[]).await;
    assert_eq!(everywhere.status, StatusCode::OK);
    assert!(everywhere.body.contains("Every browser is signed out"));
    assert!(!is_in(&hers).await && !is_in(&other).await);
    let late = asked.post("/desk/code", &[("code", &code)]).await;
    assert_eq!(
        late.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a code that was on its way, too"
    );
    app.finish().await;
}

#[tokio::test]
async fn commands_let_in_and_shut_out_without_an_email() {
    let app = TestApp::start().await;
    let hers = Browser::signed_in(&app).await;
    let made = app.invoke(json!({ "command": "sign-in" })).await.unwrap();
    let code = made["code"].as_str().unwrap();
    assert_eq!(code.len(), 24, "{code}");
    assert_eq!(app.desk.emails().len(), 1, "no email");
    assert!(!format!("{:?}", app.all_items().await).contains(&code.replace(' ', "")));
    let phone = Browser::new(&app);
    assert_eq!(
        phone.post("/desk/code", &[("code", code)]).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(is_in(&phone).await);
    let twice = Browser::new(&app)
        .post("/desk/code", &[("code", code)])
        .await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);

    app.invoke(json!({ "command": "sign-out-everywhere" }))
        .await
        .unwrap();
    assert!(!is_in(&hers).await && !is_in(&phone).await);
    hers.sign_in().await;
    let made = app.invoke(json!({ "command": "sign-in" })).await.unwrap();
    app.invoke(json!({ "command": "close-desk" }))
        .await
        .unwrap();
    let emails = app.desk.emails().len();
    for answer in [
        hers.get("/desk").await,
        hers.get("/desk/browsers").await,
        hers.post("/desk/sign-in", &[]).await,
        hers.post("/desk/code", &[("code", made["code"].as_str().unwrap())])
            .await,
        hers.post(POSTS[0], &[]).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            answer.body.contains("Your desk is closed"),
            "{}",
            answer.body
        );
    }
    assert_eq!(app.desk.emails().len(), emails);
    assert!(app.invoke(json!({ "command": "sign-in" })).await.is_err());
    app.invoke(json!({ "command": "open-desk" })).await.unwrap();
    assert!(!is_in(&hers).await, "it takes a new code");
    let old = hers
        .post("/desk/code", &[("code", made["code"].as_str().unwrap())])
        .await;
    assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
    hers.sign_in().await;
    assert!(is_in(&hers).await);
    app.finish().await;
}

#[tokio::test]
async fn another_therapists_address_ends_sessions_codes_and_marks() {
    let app = TestApp::start().await;
    let hers = Browser::signed_in(&app).await;
    hers.post("/desk/sign-in", &[]).await;
    let code = last_code(&app);
    let given = [("THERAPIST_EMAIL", "other@example.com")];
    let other = emulated::app(
        app.desk.endpoints(),
        &given,
        aws_emulator::aws::http_client(),
    )
    .unwrap();
    let cookies: Vec<String> = hers
        .cookies
        .lock()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let cookies: Vec<&str> = cookies.iter().map(String::as_str).collect();
    let now = Timestamp::now();
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    for (path, fields, expected) in [
        ("/desk/browsers/sign-out-everywhere", &[][..], 403),
        ("/desk/code", &[("code", code.as_str())][..], 422),
    ] {
        let event = post_event(path, "192.0.2.1", &cookies, fields);
        let answer = other.handle(event, &clock).await.unwrap();
        assert_eq!(answer["statusCode"], expected, "{path}");
    }
    // Its mark has no budget of its own any more.
    change(
        &app,
        "counter",
        &[
            ("times", number(20)),
            ("expires", number(now.as_second() + 600)),
        ],
    )
    .await;
    let event = post_event("/desk/sign-in", "192.0.2.1", &cookies, &[]);
    assert_eq!(
        other.handle(event, &clock).await.unwrap()["statusCode"],
        429
    );
    app.finish().await;
}

#[tokio::test]
async fn what_is_out_of_reach_is_said_and_what_to_do() {
    let app = TestApp::start().await;
    let hers = Browser::signed_in(&app).await;
    app.desk.ses().account(|account| account.paused = true);
    let refused = hers.post("/desk/sign-in", &[]).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        refused.body.contains("The email couldn’t be sent"),
        "{}",
        refused.body
    );
    assert!(!refused.headers.contains_key("set-cookie"));
    // Without its secret, or without its table.
    let endpoints = app.desk.endpoints();
    let unreachable = emulated::endpoints("http://127.0.0.1:1", "http://127.0.0.1:1");
    let now = Timestamp::now();
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    for (endpoints, given) in [
        (endpoints, &[("SECRET_ID", "x"), ("HASH_KEY", "")][..]),
        (&unreachable, &[]),
    ] {
        let other = emulated::app(endpoints, given, aws_emulator::aws::http_client()).unwrap();
        let posts = ["/desk/sign-in", "/desk/code", "/desk/browsers/sign-out"];
        let posts = posts.map(|path| ("POST", path)).into_iter();
        for (method, path) in posts.chain(PAGES.map(|path| ("GET", path))) {
            let cookies = [hers.cookie_header()];
            let cookies: Vec<&str> = cookies[0].split("; ").collect();
            let fields = [("code", "12345678")];
            let mut event = post_event(path, "192.0.2.1", &cookies, &fields);
            event["requestContext"]["http"]["method"] = method.into();
            let answer = other.handle(event, &clock).await.unwrap();
            assert_eq!(answer["statusCode"], 503, "{path}");
            assert!(
                answer["body"]
                    .as_str()
                    .unwrap()
                    .contains("your emails still work"),
                "{path}"
            );
        }
    }
    app.finish().await;
}
