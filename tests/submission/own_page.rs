//! The client's own page: what the link in the auto-reply opens, and what can be done there.

use std::sync::Arc;

use aws_emulator::ses::Email;
use axum::http::Method;
use enquiry_desk::clock::Clock;
use enquiry_desk::enquiry::Reference;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::{Answer, COMPLETE, TestApp, emulated, urlencoded};

/// The link's path and query, from the auto-reply.
fn link_of(app: &TestApp, emails: &[Arc<Email>]) -> String {
    let auto_reply = emails
        .iter()
        .find(|email| email.to == ["zoe@example.com"])
        .unwrap();
    let text = auto_reply.text.clone().unwrap();
    let (_, link) = text
        .split_once(&format!("{}/mine/", app.desk.url()))
        .unwrap();
    let end = link.find([')', ' ', '\n']).unwrap_or(link.len());
    format!("/mine/{}", &link[..end])
}

async fn look(app: &TestApp, link: &str) -> Answer {
    app.send(Method::GET, link, &[("accept", "text/html")], String::new())
        .await
}

/// Presses a button of the page, from this origin.
async fn press(app: &TestApp, link: &str, fields: &[(&str, &str)], origin: Option<&str>) -> Answer {
    let (path, signature) = link.split_once("?s=").unwrap();
    let mut all = vec![("s", signature)];
    all.extend(fields);
    let mut headers = vec![
        ("accept", "text/html"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    headers.extend(origin.map(|origin| ("origin", origin)));
    app.send(Method::POST, path, &headers, urlencoded(&all))
        .await
}

async fn started() -> (TestApp, String, String) {
    let app = TestApp::start().await;
    assert_eq!(app.post_form(&COMPLETE).await.status, 303);
    let emails = app.emails().await;
    let link = link_of(&app, &emails);
    let reference = link["/mine/".len()..].split('?').next().unwrap().to_owned();
    (app, link, reference)
}

/// A sweep that long after now.
async fn sweep_after(app: &TestApp, after: SignedDuration) {
    let now = Timestamp::now() + after;
    let clock = Clock::new(now, now + SignedDuration::from_secs(29));
    let swept = app.app.handle(json!({ "command": "sweep" }), &clock).await;
    swept.unwrap();
}

fn subjects(app: &TestApp) -> Vec<String> {
    let emails = app.desk.emails();
    emails.iter().map(|email| email.subject.clone()).collect()
}

#[tokio::test]
async fn the_page_shows_closed_words_and_nothing_that_was_typed() {
    let (app, link, reference) = started().await;
    let page = look(&app, &link).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&reference));
    for typed in [
        "Zoë",
        "Brien",
        "zoe@",
        "07700",
        "900982",
        "spring",
        "Stairs",
        "Tuesday mornings",
    ] {
        assert!(!page.body.contains(typed), "{typed}");
    }
    let complain = format!(
        "mailto:therapist@example.com?subject=Complaint%20about%20the%20use%20of%20my%20data%20%28{reference}%29"
    );
    assert!(page.body.contains(&complain), "{}", page.body);
    assert!(!page.body.contains("<script"), "{}", page.body);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-robots-tag", "noindex"),
    ] {
        assert_eq!(page.header(name), value);
    }
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'; style-src")
    );
    app.finish().await;
}

#[tokio::test]
async fn a_link_that_is_not_ours_opens_nothing_and_does_not_say_why() {
    let (app, link, reference) = started().await;
    let (path, signature) = link.split_once("?s=").unwrap();
    let nobody = path.replace(&reference, "BB-22222");
    let mut bodies = Vec::new();
    for wrong in [
        path.to_owned(),
        format!("{path}?s="),
        format!("{path}?s={}", &signature[..20]),
        format!("{path}?s={signature}A"),
        format!("{nobody}?s={signature}"),
        format!("/mine/nothing?s={signature}"),
    ] {
        let answer = look(&app, &wrong).await;
        assert_eq!(answer.status, 404, "{wrong}");
        bodies.push(answer.body);
        let fields = [("do", "withdraw"), ("sure", "yes")];
        if wrong.contains("?s=") {
            let pressed = press(&app, &wrong, &fields, Some(app.desk.url())).await;
            assert_eq!(pressed.status, 404, "{wrong}");
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "all of them say the same");
    app.finish().await;
}

#[tokio::test]
async fn a_machine_that_opens_and_presses_everything_changes_nothing() {
    let (app, link, _) = started().await;
    let own = app.desk.url();
    let before = app.all_items().await.len();
    for page in ["", "&do=withdraw", "&do=disown"] {
        let answer = look(&app, &format!("{link}{page}")).await;
        assert_eq!(answer.status, 200);
        // Every form as it stands, with no box ticked.
        for action in ["withdraw", "disown", "keep"] {
            if answer.body.contains(&format!("value=\"{action}\"")) {
                press(&app, &link, &[("do", action)], Some(own)).await;
            }
        }
    }
    let not_ticked = press(&app, &link, &[("do", "withdraw")], Some(own)).await;
    assert_eq!(not_ticked.status, 422);
    assert!(not_ticked.body.contains("Select the box"));
    sweep_after(&app, SignedDuration::from_mins(5)).await;
    assert_eq!(app.all_items().await.len(), before);
    assert_eq!(app.desk.emails().len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn a_post_from_elsewhere_or_from_nowhere_changes_nothing() {
    let (app, link, _) = started().await;
    let fields = [("do", "withdraw"), ("sure", "yes")];
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let answer = press(&app, &link, &fields, origin).await;
        assert_eq!(answer.status, 403, "{origin:?}");
    }
    // A site that may send enquiries may not press buttons here.
    let site = format!(
        "http://localhost:{}",
        app.desk.url().rsplit(':').next().unwrap()
    );
    assert_eq!(press(&app, &link, &fields, Some(&site)).await.status, 403);
    let page = look(&app, &link).await;
    assert!(!page.body.contains("You’ve deleted"));
    app.finish().await;
}

#[tokio::test]
async fn a_withdrawn_enquiry_is_told_and_erased_after_a_day_unless_it_is_kept() {
    let (app, link, reference) = started().await;
    let own = app.desk.url();
    let withdraw = [("do", "withdraw"), ("sure", "yes")];
    for _ in 0..2 {
        let page = press(&app, &link, &withdraw, Some(own)).await;
        assert_eq!(page.status, 200);
        assert!(
            page.body.contains("You’ve deleted this enquiry"),
            "{}",
            page.body
        );
    }
    sweep_after(&app, SignedDuration::from_mins(2)).await;
    let told = format!("An enquiry was withdrawn ({reference})");
    assert_eq!(subjects(&app).iter().filter(|it| **it == told).count(), 1);
    let email = app.desk.emails().last().unwrap().clone();
    assert_eq!(email.to, ["therapist@example.com"]);
    assert!(
        email
            .text
            .as_deref()
            .unwrap()
            .contains("delete it from your mailbox too")
    );
    assert!(
        !email.text.as_deref().unwrap().contains("Zoë"),
        "nothing personal in it"
    );

    // Kept after all: told, too; and nothing is erased a day later.
    let page = press(&app, &link, &[("do", "keep")], Some(own)).await;
    assert!(page.body.contains("Delete my enquiry"));
    sweep_after(&app, SignedDuration::from_mins(4)).await;
    let kept = format!("A withdrawn enquiry stands after all ({reference})");
    assert_eq!(subjects(&app).last(), Some(&kept));
    sweep_after(&app, SignedDuration::from_hours(25)).await;
    assert_eq!(look(&app, &link).await.status, 200);

    // Withdrawn once more, and left: nothing of it remains, and the page says no more than for any other.
    press(&app, &link, &withdraw, Some(own)).await;
    sweep_after(&app, SignedDuration::from_hours(23)).await;
    assert_eq!(look(&app, &link).await.status, 200);
    sweep_after(&app, SignedDuration::from_hours(25)).await;
    assert_eq!(look(&app, &link).await.status, 404);
    assert_eq!(
        press(&app, &link, &[("do", "keep")], Some(own))
            .await
            .status,
        404
    );
    let parsed = Reference::parse(&reference).unwrap();
    assert!(app.app.store.copies(&parsed).await.unwrap().is_none());
    let left: Vec<_> = app.all_items().await;
    for item in &left {
        let text = format!("{item:?}");
        assert!(!text.contains("zoe@") && !text.contains("Zoë"), "{text}");
        let key = item["pk"].as_s().unwrap();
        assert!(
            !key.starts_with("enquiry#") && !key.starts_with("state#"),
            "{key}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_withdrawal_is_told_although_no_email_left_until_it_was_erased() {
    let (app, link, reference) = started().await;
    app.desk.ses().account(|account| account.paused = true);
    let withdraw = [("do", "withdraw"), ("sure", "yes")];
    press(&app, &link, &withdraw, Some(app.desk.url())).await;
    sweep_after(&app, SignedDuration::from_mins(2)).await;
    sweep_after(&app, SignedDuration::from_hours(25)).await;
    assert_eq!(look(&app, &link).await.status, 404);
    app.desk.ses().account(|account| account.paused = false);
    sweep_after(&app, SignedDuration::from_hours(26)).await;
    let told = format!("An enquiry was withdrawn ({reference})");
    assert_eq!(subjects(&app).last(), Some(&told));
    let email = app.desk.emails().last().unwrap().clone();
    let text = email.text.as_deref().unwrap();
    assert!(text.contains("It has been erased for good."), "{text}");
    app.finish().await;
}

#[tokio::test]
async fn an_enquiry_that_its_addresss_owner_did_not_send_is_kept_and_the_address_left_alone() {
    let (app, link, reference) = started().await;
    let own = app.desk.url();
    let disown = [("do", "disown"), ("sure", "yes")];
    let page = press(&app, &link, &disown, Some(own)).await;
    assert!(
        page.body.contains("telling me that you didn’t send"),
        "{}",
        page.body
    );
    sweep_after(&app, SignedDuration::from_mins(2)).await;
    let email = app.desk.emails().last().unwrap().clone();
    assert_eq!(
        email.subject,
        format!("An enquiry has the wrong email address ({reference})")
    );
    assert!(
        email.text.as_deref().unwrap().contains("07700 900982"),
        "{}",
        email.text.as_deref().unwrap()
    );
    // The enquiry stays, and the address gets nothing more.
    let shown = app
        .invoke(json!({ "command": "show", "reference": reference }))
        .await
        .unwrap();
    assert_eq!(
        shown["received"]["enquiry"]["message"],
        "It began in spring.\nStairs are hard."
    );
    let mut again = COMPLETE.to_vec();
    again.retain(|(name, _)| *name != "submission");
    let posted = app.post_form(&again).await;
    assert_eq!(posted.status, 303);
    let (_, second) = posted.header("location").split_once("reference=").unwrap();
    let emails = app.emails().await;
    let show = json!({ "command": "show", "reference": second });
    let shown = app.invoke(show).await.unwrap();
    let reason = &shown["deliveries"]["auto_reply"]["reason"];
    assert_eq!(reason, "undeliverable", "not for a day only");
    // Her buttons that write to it are gone: in her emails about this enquiry and about the next one, and on the desk.
    let resend = json!({ "command": "resend", "reference": reference, "kind": "therapist" });
    app.invoke(resend).await.unwrap();
    let about = |reference: &str| {
        let found = app.desk.emails().into_iter().rev();
        let mut found = found.filter(|email| email.subject.contains(reference));
        found.next().unwrap()
    };
    let browser = Browser::signed_in(&app).await;
    for reference in [&reference, second] {
        let email = about(reference);
        assert!(email.reply_to.is_empty(), "{reference}");
        let parts = [email.text.as_deref(), email.html.as_deref()];
        let email = parts.map(Option::unwrap_or_default).concat();
        let page = browser.get(&format!("/desk/enquiries/{reference}")).await;
        for shown in [&email, &page.body] {
            assert!(!shown.contains("mailto:") && !shown.contains("Reply to"));
            assert!(shown.contains("tel:+447700900982"), "{shown}");
        }
    }
    let to_zoe = emails
        .iter()
        .filter(|email| email.to == ["zoe@example.com"]);
    assert_eq!(to_zoe.count(), 1);
    app.finish().await;
}

#[tokio::test]
async fn while_the_table_is_out_of_reach_the_page_says_so() {
    let (app, link, _) = started().await;
    emulated::drop_table(app.desk.dynamo()).await;
    let page = look(&app, &link).await;
    assert_eq!(page.status, 503);
    assert_eq!(page.header("retry-after"), "60");
    assert!(page.body.contains("Nothing is lost"));
    app.finish_pending().await;
}

#[tokio::test]
async fn an_enquiry_that_is_kept_in_the_last_moment_is_not_erased() {
    let (app, link, reference) = started().await;
    let withdraw = [("do", "withdraw"), ("sure", "yes")];
    press(&app, &link, &withdraw, Some(app.desk.url())).await;
    let reference = Reference::parse(&reference).unwrap();
    let there = async || app.app.store.copies(&reference).await.unwrap().is_some();
    let day = SignedDuration::from_hours(24);
    // An invocation on a machine whose clock is behind may still be writing it.
    sweep_after(&app, day + SignedDuration::from_secs(50)).await;
    assert!(there().await);
    sweep_after(&app, day + SignedDuration::from_mins(3)).await;
    assert!(!there().await);
    app.finish().await;
}

#[tokio::test]
async fn a_form_that_is_posted_again_after_it_was_withdrawn_is_another_enquiry() {
    let (app, link, reference) = started().await;
    let again = async || {
        let answer = app.post_form(&COMPLETE).await;
        let (_, reference) = answer.header("location").split_once("reference=").unwrap();
        reference.to_owned()
    };
    assert_eq!(again().await, reference);
    let withdraw = [("do", "withdraw"), ("sure", "yes")];
    press(&app, &link, &withdraw, Some(app.desk.url())).await;
    let second = again().await;
    assert_ne!(second, reference, "that one is going to be erased");
    sweep_after(&app, SignedDuration::from_hours(25)).await;
    let show = json!({ "command": "show", "reference": second });
    assert!(app.invoke(show).await.is_ok());
    app.finish().await;
}
