//! The pages of the desk: what they show, what their buttons do, and what a second press or another window gets.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::StatusCode;
use enquiry_desk::enquiry::fields;
use enquiry_desk::practice;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::browser::{Browser, last_code};
use crate::support::{Answer, COMPLETE, MINIMAL, TestApp};

/// Posts a form of a client, and gives its reference.
async fn enquire(app: &TestApp, form: &[(&str, &str)], change: &[(&str, &str)]) -> String {
    let kept = |name: &str| name != "submission" && change.iter().all(|(other, _)| *other != name);
    let mut form: Vec<_> = form
        .iter()
        .copied()
        .filter(|(name, _)| kept(name))
        .collect();
    form.extend(change);
    let answer = app.post_form(&form).await;
    let (_, reference) = answer.header("location").split_once("reference=").unwrap();
    let reference = reference.to_owned();
    app.emails().await;
    reference
}

/// Sets attributes of the items of an enquiry.
async fn change(app: &TestApp, kind: &str, reference: &str, set: &[(&str, AttributeValue)]) {
    let (client, table) = (app.desk.dynamo().client(), app.desk.dynamo().table());
    let key = AttributeValue::S(format!("{kind}#{reference}"));
    let found = client.get_item().table_name(table).key("pk", key);
    let mut item = found.send().await.unwrap().item.unwrap();
    for (name, value) in set {
        item.insert((*name).to_owned(), value.clone());
    }
    let put = client.put_item().table_name(table).set_item(Some(item));
    put.send().await.unwrap();
}

fn time(at: Timestamp) -> AttributeValue {
    let whole = Timestamp::from_second(at.as_second()).unwrap();
    AttributeValue::S(whole.to_string())
}

/// Follows a redirect within the desk.
async fn follow(browser: &Browser<'_>, answer: &Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    browser.get(answer.header("location")).await
}

/// Whether these stand in a page in this order.
fn in_order(page: &str, parts: &[&str]) {
    let mut rest = page;
    for part in parts {
        let at = rest.find(part);
        let at = at.unwrap_or_else(|| panic!("{part} is missing, or comes too soon, in {page}"));
        rest = &rest[at + part.len()..];
    }
}

#[tokio::test]
async fn who_waits_is_listed_with_the_nearest_promise_first_and_overdue_in_words() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let empty = browser.get("/desk").await.body;
    assert!(
        empty.contains("no one is waiting for an answer."),
        "{empty}"
    );
    let later = enquire(
        &app,
        &COMPLETE,
        &[("name", "Later Carter"), ("email", "later@example.com")],
    )
    .await;
    let late = enquire(
        &app,
        &MINIMAL,
        &[
            ("name", "Late Okonkwo"),
            ("email", "late@example.com"),
            ("recent_injury", "yes"),
        ],
    )
    .await;
    enquire(
        &app,
        &MINIMAL,
        &[
            ("name", "Cheap Watches"),
            ("email", "spam@example.com"),
            ("extra_detail", "x"),
        ],
    )
    .await;
    // A promise that has passed.
    let yesterday = time(Timestamp::now() - SignedDuration::from_hours(30));
    change(
        &app,
        "enquiry",
        &late,
        &[("promised_by", yesterday.clone())],
    )
    .await;
    change(&app, "state", &late, &[("list_by", yesterday)]).await;
    let page = browser.get("/desk").await.body;
    in_order(
        &page,
        &[
            "Overdue <span class=\"count\">(1)</span></h2>",
            "Late Okonkwo",
            "since ",
            "Injured in the last 48 hours",
            "Later Carter",
            "by ",
            "Treat pain or an injury: lower back and neck",
            "It began in spring. Stairs are hard.",
            // The way that was asked for is the first.
            "sms:+447700900982",
            "tel:+447700900982",
            "mailto:later@example.com",
            "1 enquiry looks like spam",
        ],
    );
    assert!(
        !page.contains("Cheap Watches") && !page.contains("Recently dealt with"),
        "{page}"
    );
    // Why it looks like spam is what tells it from another.
    let suspects = browser.get("/desk/enquiries?show=suspect").await.body;
    in_order(
        &suspects,
        &["Cheap Watches", "This looks like spam, because it "],
    );
    // Answered goes from the list, and stands among the last.
    let fields = [("as", "answered"), ("seen", "waiting")];
    browser
        .post(&format!("/desk/enquiries/{late}/mark"), &fields)
        .await;
    let page = browser.get("/desk").await.body;
    in_order(
        &page,
        &[
            "Later Carter",
            "Recently dealt with",
            "Late Okonkwo",
            "Answered today",
        ],
    );
    assert!(page.contains(&format!("/desk/enquiries/{later}")));
    app.finish().await;
}

#[tokio::test]
async fn a_mark_says_what_was_done_and_can_be_undone_and_a_second_press_changes_nothing() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let reference = enquire(&app, &MINIMAL, &[]).await;
    let emails = app.emails().await.len();
    let at = |action: &str| format!("/desk/enquiries/{reference}/{action}");
    for (key, said) in [
        ("answered", "Marked as answered."),
        ("booked", "Marked as booked."),
        ("declined", "Marked as not for you."),
    ] {
        let fields = [("as", key), ("seen", "waiting")];
        let done = browser.post(&at("mark"), &fields).await;
        let page = follow(&browser, &done).await.body;
        assert!(
            page.contains(said) && page.contains(">Undo</button>"),
            "{page}"
        );
        assert!(page.contains("You can undo this at any time."));
        // Once more, from the page as it was.
        let again = browser.post(&at("mark"), &fields).await;
        let page = follow(&browser, &again).await.body;
        assert!(page.contains("Nothing was changed."), "{page}");
        // Another window has not seen it.
        let other = if key == "booked" {
            "answered"
        } else {
            "booked"
        };
        let other = browser
            .post(&at("mark"), &[("as", other), ("seen", "waiting")])
            .await;
        let page = follow(&browser, &other).await.body;
        assert!(page.contains("Nothing was changed."), "{page}");
        let undone = browser.post(&at("undo"), &[("undone", key)]).await;
        let page = follow(&browser, &undone).await.body;
        assert!(
            page.contains("Undone.") && page.contains("Answer by"),
            "{page}"
        );
        let again = browser.post(&at("undo"), &[("undone", key)]).await;
        assert!(
            follow(&browser, &again)
                .await
                .body
                .contains("Nothing was changed.")
        );
    }
    assert_eq!(app.emails().await.len(), emails, "a mark sends nothing");
    for fields in [&[("as", "gone")][..], &[]] {
        let refused = browser.post(&at("mark"), fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_enquiry_shows_every_answer_and_what_happened_and_nothing_in_it_is_markup() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let hostile = "<script>alert(1)</script> \u{202e}live\n{{ 7*7 }}";
    let reference = enquire(
        &app,
        &COMPLETE,
        &[
            ("message", hostile),
            ("email", "bounce@simulator.amazonses.com"),
            ("recent_injury", "yes"),
        ],
    )
    .await;
    let page = browser
        .get(&format!("/desk/enquiries/{reference}"))
        .await
        .body;
    // As JSON, the command says the same.
    let shown = app
        .invoke(json!({ "command": "show", "reference": reference }))
        .await
        .unwrap();
    assert_eq!(shown["received"]["reference"], reference.as_str());
    let enquiry = serde_json::from_value::<enquiry_desk::enquiry::Enquiry>(
        shown["received"]["enquiry"].clone(),
    )
    .unwrap();
    for row in fields(practice::compiled()) {
        let Some(answer) = enquiry.answer(row.field, practice::compiled()) else {
            continue;
        };
        let text = match row.key {
            "consent" => practice::compiled().consent.wording.clone(),
            "message" => {
                "&#60;script&#62;alert(1)&#60;/script&#62; [U+202E]live\n{{ 7*7 }}".to_owned()
            }
            _ => answer.text.replace('\'', "&#39;"),
        };
        assert!(
            page.contains(&text),
            "{}: {text} is missing in {page}",
            row.key
        );
    }
    assert!(!page.contains("<script"));
    in_order(
        &page,
        &[
            "Emails can’t reach this address.",
            "Injured in the last 48 hours.",
            "What your guide suggests",
            "Private note",
            "not for treatment records",
            "What happened",
            "The enquiry came in",
            "The automatic reply came back",
            "Permanent",
        ],
    );
    app.finish().await;
}

#[tokio::test]
async fn a_complaint_about_data_is_noted_and_acknowledged_on_the_page_of_the_enquiry() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let reference = enquire(&app, &COMPLETE, &[]).await;
    let page = format!("/desk/enquiries/{reference}");
    let press = async |action: &str| {
        let answer = browser.post(&format!("{page}/{action}"), &[]).await;
        follow(&browser, &answer).await.body
    };
    let noted = "You noted a complaint about their data today.";
    assert!(!browser.get(&page).await.body.contains(noted));
    in_order(
        &press("complaint").await,
        &[
            "Complaint noted.",
            noted,
            "I have acknowledged it",
            "was noted",
        ],
    );
    assert!(press("complaint").await.contains("Nothing was changed."));
    let done = press("acknowledged").await;
    in_order(
        &done,
        &["Marked as acknowledged.", "That complaint was acknowledged"],
    );
    assert!(!done.contains(noted));
    assert!(press("acknowledged").await.contains("Nothing was changed."));
    app.finish().await;
}

#[tokio::test]
async fn a_reference_that_does_not_exist_is_said_in_words() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    for path in [
        "/desk/enquiries/BB-7KQ4M",
        "/desk/enquiries/BB-7KQ4M/erase",
        "/desk/enquiries/nonsense",
        "/desk/enquiries/%3Cscript%3E",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(
            answer
                .body
                .contains("There is no enquiry with this reference"),
            "{}",
            answer.body
        );
    }
    for (action, fields) in [
        ("mark", &[("as", "answered")][..]),
        ("undo", &[("undone", "answered")]),
        ("not-spam", &[]),
        ("spam", &[]),
        ("block", &[]),
        ("trust", &[]),
        ("unblock", &[]),
        ("resend", &[]),
        ("note", &[("note", "x"), ("seen", "0")]),
    ] {
        let path = format!("/desk/enquiries/BB-7KQ4M/{action}");
        let answer = browser.post(&path, fields).await;
        assert_eq!(
            answer.status,
            StatusCode::NOT_FOUND,
            "{action}: {}",
            answer.body
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_note_is_kept_however_it_was_saved_and_never_lost_to_another_window() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let reference = enquire(&app, &MINIMAL, &[]).await;
    let path = format!("/desk/enquiries/{reference}/note");
    let saved = browser
        .post(
            &path,
            &[("note", "Rang.\r\n<b>No</b> answer."), ("seen", "0")],
        )
        .await;
    let page = follow(&browser, &saved).await.body;
    assert!(
        page.contains("The note is saved.")
            && page.contains("Rang.\n&#60;b&#62;No&#60;/b&#62; answer."),
        "{page}"
    );
    // Another window that has seen no note yet.
    let conflict = browser
        .post(&path, &[("note", "Prefers mornings"), ("seen", "0")])
        .await;
    assert_eq!(conflict.status, StatusCode::UNPROCESSABLE_ENTITY);
    in_order(
        &conflict.body,
        &[
            "Not saved",
            "Rang.",
            "Prefers mornings",
            "name=\"seen\" value=\"1\"",
        ],
    );
    let both = browser
        .post(&path, &[("note", "Rang. Prefers mornings"), ("seen", "1")])
        .await;
    assert!(
        follow(&browser, &both)
            .await
            .body
            .contains("Rang. Prefers mornings")
    );
    // Too long: said beside the box, with everything kept.
    let long = "ü".repeat(2_001);
    let refused = browser.post(&path, &[("note", &long), ("seen", "2")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .body
            .contains("Note must be 2,000 characters or less"),
        "{}",
        refused.body
    );
    assert!(refused.body.contains(&long) && refused.body.contains("aria-invalid=\"true\""));
    // The session ended while she wrote: after signing in the note stands there, and only "Save" saves it.
    app.invoke(json!({ "command": "sign-out-everywhere" }))
        .await
        .unwrap();
    let ended = browser
        .post(&path, &[("note", "Line one\nLine two"), ("seen", "2")])
        .await;
    assert_eq!(ended.status, StatusCode::FORBIDDEN);
    let (_, rest) = ended.body.split_once("name=\"form\" value=\"").unwrap();
    let form = rest.split('"').next().unwrap().replace("&#38;", "&");
    browser
        .post("/desk/sign-in", &[("path", &path), ("form", &form)])
        .await;
    let code = last_code(&app);
    let resumed = browser
        .post(
            "/desk/code",
            &[("code", &code), ("path", &path), ("form", &form)],
        )
        .await;
    in_order(
        &resumed.body,
        &[
            "Nothing has been done yet",
            "name=\"seen\" value=\"2\"",
            "Line one\nLine two",
            ">Save</button>",
        ],
    );
    let page = browser
        .get(&format!("/desk/enquiries/{reference}"))
        .await
        .body;
    assert!(page.contains("Rang. Prefers mornings") && !page.contains("Line one"));
    let saved = browser
        .post(&path, &[("note", "Line one\nLine two"), ("seen", "2")])
        .await;
    assert!(
        follow(&browser, &saved)
            .await
            .body
            .contains("Line one\nLine two")
    );
    app.finish().await;
}

#[tokio::test]
async fn what_only_looked_like_spam_is_released_and_a_sender_is_blocked_and_unblocked() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let reference = enquire(&app, &MINIMAL, &[("extra_detail", "x")]).await;
    let at = |action: &str| format!("/desk/enquiries/{reference}/{action}");
    let page = browser.get(&at("")[..at("").len() - 1]).await.body;
    in_order(
        &page,
        &[
            "Suspected spam",
            "This looks like spam, because",
            "Not spam: send the reply",
        ],
    );
    let suspects = browser.get("/desk/enquiries?show=suspect").await.body;
    assert!(suspects.contains(&reference), "{suspects}");
    let before = app.emails().await.len();
    let released = browser.post(&at("not-spam"), &[]).await;
    let page = follow(&browser, &released).await.body;
    assert!(
        page.contains("Marked as a real enquiry.") && page.contains("Answer by"),
        "{page}"
    );
    let emails = app.emails().await;
    assert_eq!(emails.len(), before + 1);
    assert_eq!(emails.last().unwrap().to, ["zoe@example.com"]);
    let again = browser.post(&at("not-spam"), &[]).await;
    assert!(
        follow(&browser, &again)
            .await
            .body
            .contains("Nothing was changed.")
    );
    assert_eq!(app.emails().await.len(), before + 1);

    // By address and number: one row, and one press forgets both.
    let other = [("email", "ann@example.com"), ("phone", "07700 900111")];
    let other = enquire(&app, &COMPLETE, &other).await;
    browser
        .post(&format!("/desk/enquiries/{other}/trust"), &[])
        .await;
    let people = browser.get("/desk/people").await.body;
    assert_eq!(people.matches("Trusted today").count(), 1, "{people}");
    let ids: Vec<_> = people.split("name=\"sender\" value=\"").skip(1).collect();
    let ids: Vec<_> = ids.iter().map(|rest| ("sender", &rest[..64])).collect();
    assert_eq!(ids.len(), 2);
    browser.post("/desk/people/unblock", &ids).await;
    let people = browser.get("/desk/people").await.body;
    assert!(!people.contains("Trusted today"), "{people}");

    let blocked = browser.post(&at("block"), &[]).await;
    assert!(
        follow(&browser, &blocked)
            .await
            .body
            .contains("Sender blocked:")
    );
    let people = browser.get("/desk/people").await.body;
    in_order(&people, &["Blocked today", &reference, "Unblock"]);
    assert!(!people.contains("zoe@example.com"), "only a hash is kept");
    let (_, rest) = people.split_once("name=\"sender\" value=\"").unwrap();
    let sender = &rest[..64];
    let unblocked = browser
        .post("/desk/people/unblock", &[("sender", sender)])
        .await;
    let page = follow(&browser, &unblocked).await.body;
    assert!(page.contains("no longer blocked or trusted"), "{page}");
    let spam = browser.post(&at("spam"), &[]).await;
    assert!(
        follow(&browser, &spam)
            .await
            .body
            .contains("Marked as spam.")
    );
    let resent = browser.post(&at("resend"), &[]).await;
    assert!(
        follow(&browser, &resent)
            .await
            .body
            .contains("on its way to you again")
    );
    app.finish().await;
}

#[tokio::test]
async fn the_search_finds_a_reference_an_address_and_a_name_and_none_of_it_is_in_an_address() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let zoe = enquire(&app, &COMPLETE, &[]).await;
    let sam = enquire(
        &app,
        &MINIMAL,
        &[("name", "Sam Carter"), ("email", "sam@example.com")],
    )
    .await;
    let search = async |typed: &str| {
        let fields = [("search", typed), ("month", "")];
        browser.post("/desk/enquiries/search", &fields).await
    };
    let by_reference = search(&format!(" {} ", zoe.to_lowercase())).await;
    assert_eq!(
        by_reference.header("location"),
        format!("/desk/enquiries/{zoe}")
    );
    let by_address = search("ZOE@example.com").await;
    assert_eq!(by_address.status, StatusCode::OK);
    assert!(by_address.body.contains(&zoe) && !by_address.body.contains(&sam));
    let by_name = search("zoe").await;
    assert_eq!(by_name.status, StatusCode::OK);
    assert!(
        by_name.body.contains(&zoe) && !by_name.body.contains(&sam),
        "{}",
        by_name.body
    );
    assert!(
        by_name
            .body
            .contains("Names are searched one month at a time.")
    );
    let nobody = search("<b>Nobody</b>").await;
    assert!(nobody.body.contains("Nothing was found for") && !nobody.body.contains("<b>"));
    // Names that have the shape of a reference.
    let anne = enquire(
        &app,
        &MINIMAL,
        &[("name", "Anne-Marie Hill"), ("email", "anne@example.com")],
    )
    .await;
    assert!(search("Anne-Marie").await.body.contains(&anne));
    assert!(
        search("Rebecca")
            .await
            .body
            .contains("Nothing was found for")
    );
    assert_eq!(search("").await.header("location"), "/desk/enquiries");
    for body in [by_address.body, by_name.body] {
        for address in body
            .split("href=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
        {
            let ours = !address.starts_with("mailto:")
                && !address.starts_with("tel:")
                && !address.starts_with("sms:");
            assert!(!ours || !address.contains("zoe"), "{address}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn months_are_files_and_hold_what_the_command_gives() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let reference = enquire(&app, &COMPLETE, &[("message", "=1+1")]).await;
    let files = browser.get("/desk/files").await.body;
    let (_, rest) = files.split_once("/desk/files/").unwrap();
    let month = &rest[..7];
    let list = browser
        .get(&format!("/desk/enquiries?month={month}"))
        .await
        .body;
    assert!(list.contains(&reference));
    for (format, kind) in [
        ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"),
    ] {
        let file = browser.get(&format!("/desk/files/{month}/{format}")).await;
        assert_eq!(file.status, StatusCode::OK);
        assert!(
            file.header("content-type").starts_with(kind),
            "{}",
            file.header("content-type")
        );
        let name = format!("attachment; filename=\"enquiries-{month}.{format}\"");
        assert_eq!(file.header("content-disposition"), name);
        assert_eq!(file.header("cache-control"), "no-store");
        assert!(file.body.contains(&reference) && file.body.contains("zoe@example.com"));
        if format == "csv" {
            let command = json!({ "command": "export", "month": month, "format": "csv" });
            let command = app.invoke(command).await.unwrap();
            assert_eq!(command["csv"], file.body.as_str());
        }
    }
    for path in [
        "/desk/files/2026-13/csv",
        "/desk/files/x/csv",
        "/desk/files/2026-11/xml",
    ] {
        assert_eq!(
            browser.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let strange = browser
        .get("/desk/enquiries?month=2026-99&show=nonsense&after=x")
        .await;
    assert_eq!(
        strange.status,
        StatusCode::OK,
        "an address that says nothing shows this month"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_person_is_exported_and_erased_in_two_steps_with_a_receipt() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let zoe = enquire(&app, &COMPLETE, &[]).await;
    let sam = enquire(
        &app,
        &MINIMAL,
        &[("name", "Sam Carter"), ("email", "sam@example.com")],
    )
    .await;
    let address = [("email", "Zoe+tag@example.com")];
    let person = browser.post("/desk/people", &address).await.body;
    assert!(person.contains(&zoe) && !person.contains(&sam), "{person}");
    let export = [address[0], ("format", "json")];
    let file = browser.post("/desk/people/export", &export).await;
    assert!(file.body.contains(&zoe) && !file.body.contains("sam@example.com"));
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"enquiries-of-one-person.json\""
    );
    let preview = browser.post("/desk/people/erase", &address).await.body;
    in_order(
        &preview,
        &[
            "This would go",
            &zoe,
            "This can’t be undone.",
            "/desk/people/erase-now",
        ],
    );
    assert_eq!(app.items("enquiry").await.len(), 2, "nothing has gone");
    let erased = browser.post("/desk/people/erase-now", &address).await.body;
    in_order(
        &erased,
        &["<h1>Erased</h1>", "This has gone", &zoe, "Receipt:"],
    );
    let left = app.all_items().await;
    assert_eq!(app.items("enquiry").await.len(), 1);
    assert!(!format!("{left:?}").contains(&zoe));
    // Once more there is nothing, and it is said.
    let again = browser.post("/desk/people/erase", &address).await.body;
    assert!(
        again.contains("nothing: there is nothing about this address on your desk"),
        "{again}"
    );
    let gone = browser.get(&format!("/desk/enquiries/{zoe}")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    // One enquiry by its page.
    let path = format!("/desk/enquiries/{sam}/erase");
    in_order(
        &browser.get(&path).await.body,
        &["Erase", &sam, "This would go"],
    );
    in_order(
        &browser.post(&path, &[]).await.body,
        &["<h1>Erased</h1>", &sam],
    );
    assert!(app.items("enquiry").await.is_empty());
    for typed in ["", "nonsense", "<b>@"] {
        let wrong = browser.post("/desk/people", &[("email", typed)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        in_order(
            &wrong.body,
            &[
                "Enter an email address in the correct format",
                "aria-invalid",
            ],
        );
        assert!(!wrong.body.contains("<b>@"));
    }
    app.finish().await;
}
