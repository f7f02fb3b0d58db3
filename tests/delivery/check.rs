//! The check: each state of the account is named with its next step, what has changed is told once, and replies begin by themselves.

use aws_emulator::ses::account::{Account, MailFrom, Recommendation, SWITCHES};
use axum::http::StatusCode;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice;
use enquiry_desk::record::{Finding, Health, Level};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::browser::Browser;
use crate::support::template::text;
use crate::support::{MINIMAL, TestApp, emulated};

/// What a check finds now.
async fn checked(app: &TestApp) -> Vec<Finding> {
    let answer = app.invoke(json!({ "command": "check" })).await.unwrap();
    serde_json::from_value(answer["findings"].clone()).unwrap()
}

/// What is not well, by key.
fn wrong(findings: &[Finding]) -> Vec<(&str, Level)> {
    let wrong = findings.iter().filter(|it| it.level > Level::Ok);
    wrong.map(|it| (it.key.as_str(), it.level)).collect()
}

/// A change that makes something wrong with an account, and what is then found.
type Wrong = (fn(&mut Account), &'static [(&'static str, Level)]);

const WRONG: &[Wrong] = &[
    (|it| it.sandbox = true, &[("replies", Level::Error)]),
    (|it| it.paused = true, &[("sending", Level::Error)]),
    (|it| it.probation = true, &[("standing", Level::Warning)]),
    (
        |it| it.suspended = true,
        &[("sending", Level::Error), ("standing", Level::Error)],
    ),
    (
        |it| it.max_24_hour_send = Some(0),
        &[("quota", Level::Error)],
    ),
    (|it| it.identities.clear(), &[("sender", Level::Error)]),
    (|it| it.unverified = true, &[("sender", Level::Error)]),
    (
        |it| it.configuration_sets = ["enquiry-desk".to_owned()].into(),
        &[("sets", Level::Error)],
    ),
    (
        |it| it.configuration_sets = ["enquiry-desk-therapist".to_owned()].into(),
        &[("sets", Level::Error)],
    ),
    (
        |it| it.paused_sets = ["enquiry-desk".to_owned()].into(),
        &[("sets", Level::Error)],
    ),
    (
        |it| it.silent_sets = ["enquiry-desk".to_owned()].into(),
        &[("reports", Level::Error)],
    ),
    (
        |it| it.unsuppressed_sets.clear(),
        &[("held-back", Level::Warning)],
    ),
    (
        |it| it.identities = ["desk@example.com".to_owned()].into(),
        &[("dkim", Level::Warning)],
    ),
    (
        |it| it.dkim = "FAILED".to_owned(),
        &[("dkim", Level::Error)],
    ),
    (
        |it| it.dkim = "PENDING".to_owned(),
        &[("dkim", Level::Error)],
    ),
    (
        |it| {
            it.mail_from = Some(MailFrom {
                domain: "mail.example.com".to_owned(),
                status: "FAILED".to_owned(),
            });
        },
        &[("mail-from", Level::Warning)],
    ),
    (
        |it| it.recommendations = advised("DMARC"),
        &[("dmarc", Level::Warning)],
    ),
    (
        |it| it.recommendations = advised("SPF"),
        &[("spf", Level::Warning)],
    ),
    (
        |it| it.recommendations = advised("DKIM"),
        &[("dkim-advice", Level::Warning)],
    ),
    (
        |it| it.recommendations = advised("COMPLAINT"),
        &[("complaints", Level::Warning)],
    ),
    (
        |it| it.recommendations = advised("BOUNCE"),
        &[("bounces", Level::Warning)],
    ),
    (
        |it| it.recommendations = advised("IP_LISTING"),
        &[("advice-ip_listing", Level::Warning)],
    ),
    // It is said to be not worth it.
    (|it| it.recommendations = advised("BIMI"), &[]),
    (|it| it.subscriptions.clear(), &[("alarms", Level::Error)]),
    (
        |it| it.subscriptions[0].confirmed = false,
        &[("alarms", Level::Error)],
    ),
    (
        |it| it.subscriptions[0].endpoint = "Therapist+alarms@example.com".to_owned(),
        &[("alarms", Level::Warning)],
    ),
    (
        |it| it.subscriptions[0].protocol = "sms".to_owned(),
        &[("alarms", Level::Error)],
    ),
    (|it| it.table.expiry = false, &[("expiry", Level::Error)]),
    (
        |it| it.table.recovery = false,
        &[("recovery", Level::Error)],
    ),
    (
        |it| it.table.deletion = false,
        &[("deletion", Level::Warning)],
    ),
    (|it| it.table.stream = false, &[("stream", Level::Error)]),
];

fn advised(kind: &str) -> Option<Vec<Recommendation>> {
    Some(vec![Recommendation {
        kind: kind.to_owned(),
        impact: "HIGH".to_owned(),
        description: "As SES says it.".to_owned(),
    }])
}

#[tokio::test]
async fn each_thing_that_can_be_wrong_is_named_with_its_next_step() {
    let app = TestApp::start().await;
    let well = app.desk.ses().account(|account| account.clone());
    let found = checked(&app).await;
    assert_eq!(wrong(&found), [], "{found:#?}");
    for (place, (change, expected)) in WRONG.iter().enumerate() {
        app.desk.ses().account(change);
        let found = checked(&app).await;
        assert_eq!(wrong(&found), *expected, "{place}: {found:#?}");
        for finding in &found {
            assert_eq!(
                finding.next.is_some(),
                finding.level > Level::Ok,
                "a step for what is wrong, and none for what is well: {finding:?}"
            );
            // She is told what to do, never to run a command.
            let words = format!(
                "{} {}",
                finding.what,
                finding.next.as_deref().unwrap_or_default()
            );
            assert!(
                !words.contains("aws ") && !words.contains("payload"),
                "{words}"
            );
        }
        app.desk.ses().account(|account| *account = well.clone());
    }
    assert_eq!(wrong(&checked(&app).await), []);
    app.finish().await;
}

/// Every switch of the emulator's page is found, but for what no check can see.
#[tokio::test]
async fn every_switch_of_the_emulator_is_found() {
    let app = TestApp::start().await;
    for (name, _) in SWITCHES {
        app.desk.ses().account(|account| account.switch(name));
        assert_ne!(wrong(&checked(&app).await), [], "{name}");
        app.desk.ses().account(|account| account.switch(name));
    }
    app.finish().await;
}

#[tokio::test]
async fn records_to_enter_are_shown_as_they_are_entered() {
    let app = TestApp::start().await;
    app.desk.ses().account(|account| {
        account.dkim = "NOT_STARTED".to_owned();
        account.mail_from = Some(MailFrom {
            domain: "mail.example.com".to_owned(),
            status: "PENDING".to_owned(),
        });
        account.recommendations = advised("DMARC");
    });
    let found = checked(&app).await;
    let pasted = |key: &str| found.iter().find(|it| it.key == key).unwrap().paste.clone();
    assert_eq!(
        pasted("dkim")[0],
        "token1._domainkey.example.com CNAME token1.dkim.amazonses.com"
    );
    assert_eq!(
        pasted("mail-from"),
        [
            "mail.example.com MX 10 feedback-smtp.eu-west-2.amazonses.com",
            "mail.example.com TXT \"v=spf1 include:amazonses.com ~all\""
        ]
    );
    assert_eq!(
        pasted("dmarc"),
        ["_dmarc.example.com TXT \"v=DMARC1; p=none;\""]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_therapist_whom_the_sandbox_keeps_emails_from_is_named() {
    let app = TestApp::start_with(&[("THERAPIST_EMAIL", "zoe@elsewhere.example")]).await;
    assert_eq!(wrong(&checked(&app).await), []);
    app.desk.ses().account(|account| account.sandbox = true);
    let both = [("replies", Level::Error), ("recipient", Level::Error)];
    assert_eq!(wrong(&checked(&app).await), both);
    // She follows the link.
    app.desk.ses().account(|account| {
        let her = "zoe@elsewhere.example".to_owned();
        account.identities.insert(her);
    });
    assert_eq!(wrong(&checked(&app).await), [both[0]]);
    app.finish_pending().await;
}

#[tokio::test]
async fn a_sender_at_a_provider_is_named() {
    let sender = [("SENDER_EMAIL", "a.practice@gmail.com")];
    let app = TestApp::start_with(&sender).await;
    let found = checked(&app).await;
    let keys: Vec<&str> = wrong(&found).iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["sender", "own-domain"]);
    app.finish().await;
}

#[tokio::test]
async fn what_has_changed_is_told_once_and_the_same_never_again() {
    let app = TestApp::start().await;
    let check_and_sweep = async || {
        checked(&app).await;
        app.invoke(json!({ "command": "sweep" })).await.unwrap();
        let subjects: Vec<String> = app
            .emails()
            .await
            .iter()
            .map(|it| it.subject.clone())
            .collect();
        subjects
    };
    assert_eq!(
        check_and_sweep().await,
        [""; 0],
        "all is well on a new desk, and nothing is told"
    );
    app.desk
        .ses()
        .account(|account| account.table.recovery = false);
    let one = "Your desk needs your attention";
    assert_eq!(check_and_sweep().await, [one]);
    wait_a_second().await;
    assert_eq!(
        check_and_sweep().await,
        [one],
        "the same is never told again"
    );
    app.desk
        .ses()
        .account(|account| account.table.recovery = true);
    let two = [one, "Your desk is working properly again"];
    wait_a_second().await;
    assert_eq!(check_and_sweep().await, two);
    assert_eq!(check_and_sweep().await, two);
    let emails = app.emails().await;
    assert!(emails.iter().all(|it| it.to == ["therapist@example.com"]));
    let told = emails[0].text.as_deref().unwrap().replace('\n', " ");
    assert!(told.contains("its recovery is off"), "{told}");
    assert!(told.contains("/desk/health"), "{told}");
    app.finish().await;
}

/// An email is named by the second of its check.
async fn wait_a_second() {
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
}

#[tokio::test]
async fn a_moments_silence_tells_nothing_and_a_refusal_does() {
    let app = TestApp::start().await;
    checked(&app).await;
    let last = app.app.store.health().await.unwrap().unwrap();
    assert_eq!(last.production, Some(true));
    // The role may not ask: that does not end by itself.
    app.desk.ses().account(|account| account.allowed = false);
    let found = checked(&app).await;
    let keys: Vec<&str> = wrong(&found).iter().map(|(key, _)| *key).collect();
    let asked = [
        "asked-account",
        "asked-sender",
        "asked-sets",
        "asked-alarms",
    ];
    assert_eq!(keys, asked);
    let kept = app.app.store.health().await.unwrap().unwrap();
    assert_eq!(kept.production, Some(true), "what was known stays known");
    app.finish_pending().await;
}

#[tokio::test]
async fn replies_begin_by_themselves_when_production_access_is_there() {
    let app = TestApp::start().await;
    app.desk.ses().account(|account| {
        account.sandbox = true;
        account
            .identities
            .insert("therapist@example.com".to_owned());
    });
    // Before the first check: SES itself is asked, and no reply is tried that it would refuse.
    assert_eq!(app.post_form(&MINIMAL).await.status, StatusCode::SEE_OTHER);
    let emails = app.emails().await;
    assert_eq!(emails.len(), 1);
    let text = emails[0].text.clone().unwrap().replace('\n', " ");
    assert!(text.contains("trial mode"), "she is told why: {text}");
    app.invoke(json!({ "command": "nightly" })).await.unwrap();
    app.invoke(json!({ "command": "sweep" })).await.unwrap();
    let emails = app.emails().await;
    let told = |subject: &str| emails.iter().any(|it| it.subject == subject);
    assert!(told("Your desk needs your attention"), "what to do");
    // Amazon grants it. The next check is an hour away, and replies go out no later than five minutes from now.
    app.desk.ses().account(|account| account.sandbox = false);
    let later = Timestamp::now() + SignedDuration::from_mins(6);
    let clock = Clock::new(later, later + SignedDuration::from_secs(29));
    let nightly = json!({ "command": "nightly" });
    let answer = app.app.handle(nightly.clone(), &clock).await.unwrap();
    assert_eq!(answer["checked"], false, "not yet");
    let later = Timestamp::now() + SignedDuration::from_mins(61);
    let clock = Clock::new(later, later + SignedDuration::from_secs(29));
    let answer = app.app.handle(nightly, &clock).await.unwrap();
    assert_eq!(
        answer["checked"], true,
        "every hour, as long as clients get no reply"
    );
    let sweep = json!({ "command": "sweep" });
    app.app.handle(sweep, &clock).await.unwrap();
    let emails = app.emails().await;
    assert_eq!(
        emails.last().unwrap().subject,
        "Clients now get your automatic reply"
    );
    app.finish().await;
}

#[tokio::test]
async fn what_the_table_keeps_decides_on_another_start() {
    for (production, replies) in [(Some(true), 2), (None, 1), (Some(false), 1)] {
        let app = TestApp::start().await;
        app.desk.ses().account(|account| {
            account.sandbox = true;
            account
                .identities
                .insert("therapist@example.com".to_owned());
            account.identities.insert("zoe@example.com".to_owned());
        });
        if production.is_some() {
            let health = Health {
                checked_at: Timestamp::now(),
                findings: Vec::new(),
                before: std::collections::BTreeMap::new(),
                production,
            };
            app.app.store.keep_health(&health).await.unwrap();
        }
        assert_eq!(app.post_form(&MINIMAL).await.status, StatusCode::SEE_OTHER);
        assert_eq!(app.emails().await.len(), replies, "{production:?}");
        app.finish().await;
    }
}

#[tokio::test]
async fn a_page_of_the_site_that_posts_what_it_should_not_is_named() {
    let app = TestApp::start().await;
    let mut odd = MINIMAL.to_vec();
    odd.push(("newsletter", "yes"));
    // A program that fills in the honeypot posts what it likes.
    let mut spam = odd.clone();
    spam.extend([("extra_detail", "cheap watches"), ("message", "Another")]);
    assert_eq!(app.post_form(&spam).await.status, StatusCode::SEE_OTHER);
    assert_eq!(wrong(&checked(&app).await), []);
    assert_eq!(app.post_form(&odd).await.status, StatusCode::SEE_OTHER);
    let found = checked(&app).await;
    assert_eq!(wrong(&found), [("fields", Level::Warning)]);
    let told = found.iter().find(|it| it.key == "fields").unwrap();
    assert!(
        !told.what.contains("newsletter"),
        "no name of a field: {told:?}"
    );
    app.finish_pending().await;
}

#[tokio::test]
async fn the_page_shows_what_the_last_check_found_and_checks_again() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.get("/desk/health").await;
    assert!(page.body.contains("Not checked yet"), "{}", page.body);
    app.desk
        .ses()
        .account(|account| account.dkim = "FAILED".to_owned());
    let again = browser.post("/desk/health", &[]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    let page = browser.get("/desk/health").await.body;
    // A long name may break behind a dot.
    let page = page.replace("<wbr>", "");
    for words in [
        "Not everything is working",
        "Your emails aren’t signed (DKIM)",
        "token1._domainkey.example.com CNAME token1.dkim.amazonses.com",
        "Last checked today",
        "What’s working",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    app.desk
        .ses()
        .account(|account| account.dkim = "SUCCESS".to_owned());
    browser.post("/desk/health", &[]).await;
    let page = browser.get("/desk/health").await;
    assert!(page.body.contains("Everything is working"), "{}", page.body);
    app.finish_pending().await;
}

/// A step that is taken on the desk is a link, on the page as in the email.
#[tokio::test]
async fn a_step_on_the_desk_is_a_link() {
    let mut practice = practice::compiled().clone();
    practice.holidays.clear();
    let app = TestApp::start_for(practice, emulated::options(), &[]).await;
    let browser = Browser::signed_in(&app).await;
    browser.post("/desk/health", &[]).await;
    let page = browser.get("/desk/health").await.body;
    let link = "<a class=\"act\" href=\"/desk/practice/away\">Enter days off</a>";
    assert!(page.contains(link), "{page}");
    assert_eq!(
        browser.get("/desk/practice/away").await.status,
        StatusCode::OK
    );
    app.invoke(json!({ "command": "sweep" })).await.unwrap();
    let told = app.emails().await.pop().unwrap();
    let text = told.text.clone().unwrap().replace('\n', " ");
    assert!(text.contains("/desk/practice/away)"), "{text}");
    let html = told.html.clone().unwrap();
    assert!(
        html.contains("/desk/practice/away\">Enter days off</a>"),
        "{html}"
    );
    app.finish().await;
}

/// Who gets the alarms is asked about the very topic of the template.
#[test]
fn the_template_names_the_topic_that_is_looked_at() {
    assert!(text("template.yaml").contains("ALARM_TOPIC: !Ref AlarmTopic"));
}
