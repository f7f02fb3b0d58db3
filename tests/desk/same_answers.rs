//! The commands and the pages say the same of the same table.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::practice::unescaped;
use crate::support::browser::Browser;
use crate::support::{COMPLETE, MINIMAL, TestApp};

/// Posts a form, and gives its reference.
async fn enquire(app: &TestApp, form: &[(&str, &str)], change: &[(&str, &str)]) -> String {
    let kept = |name: &str| name != "submission" && change.iter().all(|(other, _)| *other != name);
    let form = form.iter().copied().filter(|(name, _)| kept(name));
    let form: Vec<_> = form.chain(change.iter().copied()).collect();
    let answer = app.post_form(&form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    app.emails().await;
    let (_, reference) = answer.header("location").split_once("reference=").unwrap();
    reference.to_owned()
}

/// What stands between these two, from the first of the one on.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page
        .split_once(from)
        .unwrap_or_else(|| panic!("{from} is missing in {page}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

/// The references that headings or lines of a list lead to, in their order.
fn linked(part: &str) -> Vec<&str> {
    let links = part.split("<a ").skip(1);
    let to = links.filter_map(|it| it.split_once("href=\"/desk/enquiries/"));
    let to = to.filter_map(|(_, rest)| rest.split_once('"'));
    to.map(|(reference, _)| reference)
        .filter(|it| it.len() == "BB-7KQ4M".len())
        .collect()
}

fn named<'a>(rows: &'a Value, name: &str) -> Vec<&'a str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[name].as_str().unwrap()).collect()
}

/// A desk on which everything has happened once.
async fn lived(app: &TestApp) -> Vec<String> {
    let form = |name, email| [("name", name), ("email", email)];
    let bounce = "bounce@simulator.amazonses.com";
    let mut all = vec![
        enquire(app, &COMPLETE, &form("Zoë Brontë", "zoe@example.com")).await,
        enquire(app, &MINIMAL, &form("Ben Li", "ben@example.com")).await,
        enquire(app, &MINIMAL, &form("Priya Rao", bounce)).await,
    ];
    let spam = [
        &form("Offer", "offer@example.com")[..],
        &[("extra_detail", "x")],
    ]
    .concat();
    all.push(enquire(app, &MINIMAL, &spam).await);
    let again = [
        &form("Zoë Brontë", "zoe@example.com")[..],
        &[("message", "Parking?")],
    ]
    .concat();
    all.push(enquire(app, &COMPLETE, &again).await);
    let [zoe, ben, _, spam, _] = &all[..] else {
        panic!("{all:?}");
    };
    for command in [
        json!({ "command": "mark", "reference": ben, "as": "booked" }),
        json!({ "command": "note", "reference": zoe, "text": "Prefers <mornings>" }),
        json!({ "command": "block", "reference": spam }),
    ] {
        app.invoke(command).await.unwrap();
    }
    all
}

#[tokio::test]
async fn the_lists_of_the_pages_are_those_of_the_commands() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    lived(&app).await;

    let told = app.invoke(json!({ "command": "waiting" })).await.unwrap();
    let page = browser.get("/desk").await.body;
    let waiting = between(&page, "<h1>", "look like spam");
    let (waiting, marked) = (
        between(waiting, "</h1>", "/desk/enquiries?show=suspect"),
        between(&page, "Recently dealt with", "</main>"),
    );
    assert_eq!(linked(waiting), named(&told["waiting"], "reference"));
    assert_eq!(linked(marked), named(&told["last_marked"], "reference"));
    assert_eq!(
        (
            told["suspects"].as_u64(),
            told["waiting"].as_array().unwrap().len()
        ),
        (Some(1), 3)
    );
    assert!(page.contains("1 enquiry looks like spam"), "{page}");

    for (filter, show) in [
        (json!({}), ""),
        (json!({ "as": "waiting" }), "waiting"),
        (json!({ "as": "booked" }), "booked"),
        (json!({ "as": "answered" }), "answered"),
        (json!({ "suspect": true }), "suspect"),
    ] {
        let mut command = filter;
        command["command"] = "list".into();
        let told = app.invoke(command).await.unwrap();
        let page = browser
            .get(&format!("/desk/enquiries?show={show}"))
            .await
            .body;
        assert_eq!(
            linked(&page),
            named(&told["enquiries"], "reference"),
            "{show}"
        );
        for name in named(&told["enquiries"], "name") {
            assert!(page.contains(&format!(">{name}</a>")), "{name}: {page}");
        }
    }
    let told = app.invoke(json!({ "command": "list", "name": "zoë" }));
    let told = told.await.unwrap();
    let found = browser.post("/desk/enquiries/search", &[("search", "zoë")]);
    let found = found.await.body;
    assert_eq!(linked(&found), named(&told["enquiries"], "reference"));
    assert_eq!(linked(&found).len(), 2);

    let told = app.invoke(json!({ "command": "senders" })).await.unwrap();
    let page = browser.get("/desk/people").await.body;
    let mut ids: Vec<&str> = page.split("name=\"sender\" value=\"").skip(1).collect();
    ids.iter_mut()
        .for_each(|it| *it = it.split_once('"').unwrap().0);
    let mut expected = named(&told["senders"], "sender");
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert!(!ids.is_empty());

    let told = app.invoke(json!({ "command": "check" })).await.unwrap();
    let page = unescaped(&browser.get("/desk/health").await.body);
    for finding in told["findings"].as_array().unwrap() {
        let what = finding["what"].as_str().unwrap();
        assert!(page.contains(what), "{what}: {page}");
        let next = finding["next"].as_str().unwrap_or_default();
        assert!(
            finding["level"] == "ok" || page.contains(next),
            "{next}: {page}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn an_enquiry_and_its_person_are_on_the_pages_what_they_are_to_the_commands() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let all = lived(&app).await;
    for reference in &all {
        let told = app.invoke(json!({ "command": "show", "reference": reference }));
        let told = told.await.unwrap();
        let page = browser.get(&format!("/desk/enquiries/{reference}")).await;
        let page = unescaped(&page.body);
        let enquiry = &told["received"]["enquiry"];
        for typed in ["name", "email", "message", "times"] {
            let typed = enquiry[typed].as_str().unwrap_or_default();
            assert!(
                page.contains(&typed.replace("\r\n", "\n")),
                "{typed}: {page}"
            );
        }
        let lines = between(&page, "<ol class=\"timeline\">", "</ol>");
        let lines = lines.matches("<li>").count();
        assert_eq!(lines, told["timeline"].as_array().unwrap().len(), "{page}");
        let note = between(&page, "<textarea id=\"note\"", "</textarea>");
        let note = note.split_once('>').unwrap().1.trim();
        assert_eq!(note, told["note"].as_str().unwrap_or_default());
        let others = page.split_once("Other enquiries from this address");
        let others = others.map_or("", |(_, rest)| between(rest, "<ul>", "</ul>"));
        assert_eq!(linked(others), named(&told["other_enquiries"], "reference"));
        assert_eq!(
            page.contains("not-spam"),
            told["verdict"] == "suspect",
            "{page}"
        );
        let blocked = !told["sender"]["address"].is_null();
        assert_eq!(
            page.contains(&format!("/desk/enquiries/{reference}/unblock")),
            blocked
        );
        let undo = told["mark"] != "waiting";
        assert_eq!(
            page.contains(&format!("/desk/enquiries/{reference}/undo")),
            undo
        );
    }

    let address = ("email", "zoe@example.com");
    let preview = json!({ "command": "erase", "email": address.1 });
    let preview = app.invoke(preview).await.unwrap();
    let page = browser.post("/desk/people/erase", &[address]).await.body;
    let references = named(&preview["enquiries"], "reference");
    assert_eq!(references.len(), 2);
    let listed = page.matches("<li>enquiry ").count();
    assert_eq!(listed, references.len());
    for reference in &references {
        assert!(
            page.contains(&format!("<li>enquiry {reference}</li>")),
            "{page}"
        );
    }
    for format in ["json", "csv"] {
        let command = json!({ "command": "export", "email": address.1, "format": format });
        let told = app.invoke(command).await.unwrap();
        let form = [address, ("format", format)];
        let file = browser.post("/desk/people/export", &form).await.body;
        match format {
            "csv" => assert_eq!(told["csv"], file.as_str()),
            _ => {
                let file: Value = serde_json::from_str(&file).unwrap();
                assert_eq!(told["enquiries"], file["enquiries"]);
                assert_eq!(told["about_the_address"], file["about_the_address"]);
            }
        }
    }
    app.finish().await;
}
