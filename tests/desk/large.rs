//! What is too much for one page or one file: a person's further enquiries, and files in parts.

use axum::http::StatusCode;

use crate::support::browser::Browser;
use crate::support::{MINIMAL, TestApp, as_many};

/// The value of each hidden field of this name.
fn hidden<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!("name=\"{name}\" value=\"");
    let values = page.split(begin.as_str()).skip(1);
    values.map(|it| it.split('"').next().unwrap()).collect()
}

/// The references that a text names, each once, as they come.
fn references(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (at, _) in text.match_indices("BB-") {
        let reference: String = text[at..].chars().take(8).collect();
        if !found.contains(&reference) {
            found.push(reference);
        }
    }
    found
}

/// How many enquiries there are: three pages of a person.
const MADE: usize = 110;

#[tokio::test]
async fn a_person_with_many_enquiries_has_further_pages_and_files_in_parts() {
    let app = TestApp::start_with(&[("PRIVACY", "true")]).await;
    let posted = app
        .post_form(&[&MINIMAL[..], &[("message", "long")]].concat())
        .await;
    assert_eq!(posted.status, StatusCode::SEE_OTHER);
    app.desk.settled().await;
    for item in as_many(&app.all_items().await, &"😀".repeat(10_000), MADE) {
        app.put(item).await;
    }
    let browser = Browser::signed_in(&app).await;
    let email = ("email", "zoe@example.com");

    let mut seen: Vec<String> = Vec::new();
    let mut fields = vec![email];
    let mut page = browser.post("/desk/people", &fields).await.body;
    for pages in 1.. {
        assert_eq!(page.contains("Show more"), pages < 3, "page {pages}");
        let listed = references(page.split("If they ask for their data").next().unwrap());
        assert!(listed.iter().all(|it| !seen.contains(it)));
        seen.extend(listed);
        let Some(after) = hidden(&page, "after").first().map(ToString::to_string) else {
            break;
        };
        fields = vec![email, ("after", &after)];
        page = browser.post("/desk/people", &fields).await.body;
    }
    assert_eq!(seen.len(), MADE);

    for format in ["json", "csv"] {
        let format = ("format", format);
        let parts = browser.post("/desk/people/export", &[email, format]).await;
        assert!(parts.header("content-type").starts_with("text/html"));
        let begins = hidden(&parts.body, "after");
        assert_eq!(begins.len(), 2, "{}", parts.body);
        assert_eq!(hidden(&parts.body, "email"), ["zoe@example.com"; 2]);
        let mut exported = Vec::new();
        for begin in begins {
            let part = [email, format, ("after", begin)];
            let part = browser.post("/desk/people/export", &part).await;
            assert!(part.header("content-disposition").starts_with("attachment"));
            // What is kept about the address itself stands before.
            let enquiries = part.body.split("\"enquiries\":").last().unwrap();
            exported.extend(references(enquiries));
        }
        assert!(exported == seen, "every enquiry, in the same order");
        // A page of parts that begins at the second one has one.
        let from = [
            email,
            format,
            ("from", hidden(&parts.body, "after")[1]),
            ("number", "2"),
        ];
        let rest = browser.post("/desk/people/export", &from).await.body;
        assert!(rest.contains("Download part 2") && hidden(&rest, "after").len() == 1);
    }

    let files = browser.get("/desk/files").await.body;
    let month: String = files
        .split("/desk/files/")
        .nth(1)
        .unwrap()
        .chars()
        .take(7)
        .collect();
    let path = format!("/desk/files/{month}/csv");
    let parts = browser.get(&path).await.body;
    let links: Vec<&str> = parts.split("href=\"?").skip(1).collect();
    let mut exported = Vec::new();
    for link in links.iter().map(|it| it.split('"').next().unwrap()) {
        let part = browser.get(&format!("{path}?{link}")).await;
        assert!(part.header("content-disposition").starts_with("attachment"));
        exported.extend(references(&part.body));
    }
    assert!(exported == seen);
    app.finish().await;
}
