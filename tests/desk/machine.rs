//! A machine that opens every link of every email and presses every button behind it, as mail scanners do: nothing is sent or
//! erased, and nothing falls silent without being told.

use std::collections::BTreeSet;

use axum::http::Method;
use enquiry_desk::clock::Clock;
use enquiry_desk::record::{Mark, Origin};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::reference;
use crate::support::browser::Browser;
use crate::support::{COMPLETE, TestApp};

/// Every address of ours in an email.
fn links(app: &TestApp, text: &str) -> BTreeSet<String> {
    let addresses = text.split(['"', '(', ')', ' ', '\n', '<', '>']);
    let ours = addresses.filter_map(|it| it.strip_prefix(app.desk.url()));
    ours.map(|it| it.replace("&#38;", "&").replace("&amp;", "&"))
        .filter(|it| it.starts_with('/'))
        .collect()
}

/// What stands in an attribute of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

/// Every form of a page as it stands: where it goes, what its hidden fields and each of its buttons say. No box is ticked.
fn forms(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut forms = Vec::new();
    for form in page.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap();
        let Some(action) = attribute(form.split('>').next().unwrap(), "action") else {
            continue;
        };
        let named = |tag: &str| {
            let tag = tag.split('>').next().unwrap();
            let name = attribute(tag, "name")?.to_owned();
            Some((name, attribute(tag, "value").unwrap_or_default().to_owned()))
        };
        let inputs = form
            .split("<input")
            .skip(1)
            .filter(|tag| tag.contains("hidden"));
        let hidden: Vec<_> = inputs.filter_map(named).collect();
        for button in form.split("<button").skip(1) {
            let pressed = hidden.iter().cloned().chain(named(button));
            forms.push((action.to_owned(), pressed.collect()));
        }
    }
    forms
}

#[tokio::test]
async fn nothing_is_sent_or_erased_and_what_was_marked_is_told() {
    let app = TestApp::start().await;
    for (email, honeypot) in [
        ("zoe@example.com", ""),
        ("bounce@simulator.amazonses.com", ""),
        ("spam@example.com", "filled"),
    ] {
        let mut fields = COMPLETE.to_vec();
        fields.retain(|(name, _)| !["email", "submission"].contains(name));
        fields.extend([("email", email), ("extra_detail", honeypot)]);
        assert_eq!(app.post_form(&fields).await.status, 303);
    }
    // An email more of each kind that belongs to no enquiry is written from the same templates.
    let emails = app.emails().await;
    let before = app.items("enquiry").await;
    let machine = Browser::new(&app);
    let mut opened = BTreeSet::new();
    let mut pressed = 0;
    for email in &emails {
        let text = email.text.clone().unwrap_or_default() + &email.html.clone().unwrap_or_default();
        let mut to_open: Vec<String> = links(&app, &text).into_iter().collect();
        while let Some(link) = to_open.pop() {
            if !opened.insert(link.clone()) || opened.len() > 60 {
                continue;
            }
            app.send(Method::HEAD, &link, &[], "").await;
            let page = machine.get(&link).await.body;
            // The buttons of the page, and those of each page that a press leads to.
            let mut to_press = forms(&page);
            let mut presses = BTreeSet::new();
            while let Some((action, fields)) = to_press.pop() {
                // Asking for a code is all that anyone may do without one: its email goes to the therapist alone. And what
                // it has done a machine takes back as well: here it does not get that far.
                let undo = fields.iter().any(|(_, value)| value == "undo");
                if action == "/desk/sign-in" || action == "/enquiries" || undo {
                    continue;
                }
                if presses.insert((action.clone(), fields.clone())) {
                    let fields: Vec<(&str, &str)> = fields
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_str()))
                        .collect();
                    let next = machine.post(&action, &fields).await.body;
                    to_press.extend(forms(&next));
                    pressed += 1;
                }
            }
            // And what the page leads to.
            let further = page
                .split("href=\"")
                .skip(1)
                .filter_map(|it| it.split('"').next());
            let further = further.map(|it| it.replace("&amp;", "&").replace("&#38;", "&"));
            to_open.extend(further.filter(|it| it.starts_with("/desk") || it.starts_with("/mine")));
        }
    }
    assert!(
        opened.len() > 6 && pressed > 3,
        "{pressed} pressed on {opened:?}"
    );

    // Nothing left, nothing went, nothing was withdrawn, and no auto-reply was let go.
    assert_eq!(app.emails().await.len(), emails.len());
    let after = app.items("enquiry").await;
    assert_eq!(after.len(), before.len());
    let mut marked = Vec::new();
    for item in &after {
        assert!(!item.contains_key("withdrawn") && !item.contains_key("disowned"));
        let name = item["pk"].as_s().unwrap().strip_prefix("enquiry#").unwrap();
        let record = app.app.desk.show(&reference(name)).await.unwrap();
        let stands = record.state.marked.filter(|it| it.mark != Mark::Waiting);
        if let Some(stands) = stands {
            assert_eq!(stands.by, Origin::Link);
            marked.push(name.to_owned());
        }
    }

    // What it marked does not fall silent: the next morning list says so, and asks.
    assert!(!marked.is_empty());
    let mut now = Timestamp::now();
    let list = loop {
        now += SignedDuration::from_hours(1);
        let clock = Clock::new(now, now + SignedDuration::from_secs(29));
        for command in ["remind", "sweep"] {
            app.app
                .handle(json!({ "command": command }), &clock)
                .await
                .unwrap();
        }
        let emails = app.desk.emails();
        // A heading where the list says more, else the subject.
        let lists = emails.iter().find(|email| {
            email.subject == "Marked as answered from your email"
                || email.text.as_ref().unwrap().contains("MARKED AS ANSWERED")
        });
        if let Some(list) = lists {
            break list.text.clone().unwrap();
        }
        assert!(now < Timestamp::now() + SignedDuration::from_hours(24 * 6));
    };
    for name in &marked {
        assert!(list.contains(name.as_str()), "{name}: {list}");
    }
    app.finish_pending().await;
}
