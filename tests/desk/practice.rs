//! "Your practice": every section, what is wrong at its field, the preview, two windows, one step back, and the email that tells of a
//! change.

use aws_emulator::aws;
use axum::http::StatusCode;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::choices::{BuiltIn, Choice, Goal, Warmth};
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::store::Words;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use testing::gateway;

use crate::support::browser::Browser;
use crate::support::{MINIMAL, TestApp, emulated, urlencoded};

const SECTIONS: [&str; 10] = [
    "away",
    "hours",
    "treatments",
    "questions",
    "emails",
    "explanations",
    "contact",
    "consent",
    "unwanted",
    "privacy",
];

pub(super) fn unescaped(text: &str) -> String {
    let marks = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    marks
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split_once('"')?.0))
}

/// The fields of the form that goes to this address, as a browser would post them.
pub(super) fn fields(page: &str, action: &str) -> Vec<(String, String)> {
    let begin = page
        .find(&format!("action=\"{action}\""))
        .unwrap_or_else(|| panic!("no form to {action} in {page}"));
    let form = page[begin..].split_once("</form>").unwrap().0;
    let mut fields = Vec::new();
    for part in form.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        let Some(name) = attribute(tag, "name").filter(|_| !tag.starts_with("button")) else {
            continue;
        };
        if tag.starts_with("textarea") {
            fields.push((name, unescaped(text.strip_prefix('\n').unwrap_or(text))));
        } else if tag.starts_with("select") {
            let (_, rest) = form.split_once(&format!("<{tag}>")).unwrap();
            let options = rest.split_once("</select>").unwrap().0;
            let selected = options.split("<option").find(|it| it.contains(" selected"));
            let value = selected.and_then(|it| attribute(it, "value"));
            fields.push((name, value.unwrap_or_default()));
        } else if !tag.contains("type=\"checkbox\"") || tag.contains(" checked") {
            fields.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }
    fields
}

/// The fields of a section as they stand.
async fn shown(browser: &Browser<'_>, section: &str) -> Vec<(String, String)> {
    let page = browser.get(&format!("/desk/practice/{section}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    fields(&page.body, &format!("/desk/practice/{section}"))
}

/// With other values in some fields; a field that is not there is added.
pub(super) fn with(
    mut fields: Vec<(String, String)>,
    change: &[(&str, &str)],
) -> Vec<(String, String)> {
    for (name, value) in change {
        fields.retain(|(its, _)| its != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

pub(super) fn pairs(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    let pairs = fields.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Saves a section with some fields changed, which must do.
async fn save(browser: &Browser<'_>, section: &str, change: &[(&str, &str)]) {
    let fields = with(shown(browser, section).await, change);
    let path = format!("/desk/practice/{section}/save");
    let answer = browser.post(&path, &pairs(&fields)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), "/desk/practice?done=saved");
}

/// What stands in the table.
async fn saved(app: &TestApp) -> Practice {
    let saved = app.app.store.practice().await.unwrap().unwrap();
    saved.words.read().unwrap()
}

/// What a practice says, whichever way it was written.
fn said(practice: &Practice) -> Vec<String> {
    let Practice {
        name,
        trade,
        address,
        phone,
        website,
        reference_prefix,
        time_zone,
        social,
        hours,
        holidays,
        treatments,
        explain,
        emails,
        consent,
        suspect,
        privacy,
        questions,
        left_out,
        ..
    } = practice;
    vec![
        format!(
            "{name} {trade} {address} {phone:?} {website:?} {reference_prefix} {time_zone:?} {social:?}"
        ),
        format!(
            "{hours:?} {} {:?} {}",
            practice.reply_within_working_hours, practice.away_until, practice.reminders
        ),
        format!("{holidays:?}"),
        format!("{treatments:?}"),
        format!("{explain:?}"),
        format!("{emails:?}"),
        format!("{consent:?}"),
        format!("{suspect:?} {privacy:?}"),
        format!(
            "{questions:?} {:?}",
            BuiltIn::ALL
                .iter()
                .filter(|it| left_out.contains(it))
                .collect::<Vec<_>>()
        ),
    ]
}

#[tokio::test]
async fn each_section_shows_what_is_written_and_saves_it_as_it_was() {
    let second = Practice::from_toml(include_str!("../second_practice.toml")).unwrap();
    let third = Practice::from_toml(include_str!("../physiotherapist.toml")).unwrap();
    for practice in [practice::compiled().clone(), second, third] {
        let options = emulated::options();
        let app = TestApp::start_for(practice.clone(), options, &[]).await;
        let browser = Browser::signed_in(&app).await;
        let index = browser.get("/desk/practice").await.body;
        assert!(index.contains("Nothing has been changed here yet"));
        for section in SECTIONS {
            assert!(index.contains(&format!("href=\"/desk/practice/{section}\"")));
            save(&browser, section, &[]).await;
            let saved = saved(&app).await;
            assert_eq!(said(&saved), said(&practice), "{section}");
            // Of a question that is left out, every row says what a missing answer counts as.
            let goals = if practice.left_out.contains(&BuiltIn::Goal) {
                &[Goal::NotSure]
            } else {
                Goal::ALL
            };
            for goal in goals {
                for warmth in Warmth::ALL {
                    let of = |it: &Practice| it.suggest(*goal, Some(*warmth));
                    assert_eq!(of(&saved), of(&practice), "{section}");
                }
            }
        }
        let nowhere = browser.get("/desk/practice/nowhere").await;
        assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
        app.finish().await;
    }
}

#[tokio::test]
async fn a_change_is_on_the_form_and_in_the_emails_of_the_next_enquiry() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    save(
        &browser,
        "treatments",
        &[
            ("treatment[0].price", "£48"),
            ("treatment[2].off", "yes"),
            ("treatment[1].order", "1"),
            ("treatment[9].name", "Reflexology for Feet"),
            ("treatment[9].choose_it_for", "tired feet"),
            ("treatment[9].how_it_works", "It works from below."),
            ("guide[5].also", ""),
            ("guide[5].also_why", ""),
            ("guide[3].suggest", "relaxing"),
        ],
    )
    .await;
    let keys: Vec<String> = saved(&app)
        .await
        .treatments
        .iter()
        .map(|it| it.key.to_string())
        .collect();
    assert_eq!(
        keys,
        [
            "relaxing",
            "deep-tissue-remedial",
            "hot-stones-deep-tissue",
            "reflexology-for-feet"
        ]
    );
    let today = jiff::Zoned::now();
    let back = today.date() + SignedDuration::from_hours(24 * 20);
    save(
        &browser,
        "away",
        &[
            ("reply.away_until", &back.to_string()),
            ("holiday[40].name", "A day at the sea"),
            ("holiday[40].from", "2027-06-01"),
        ],
    )
    .await;
    let holidays = saved(&app).await.holidays;
    let sea = holidays.iter().find(|it| it.name == "A day at the sea");
    let sea = sea.unwrap();
    assert_eq!(sea.first, sea.last);
    save(
        &browser,
        "emails",
        &[("emails.thanks", "It’s here, thank you.")],
    )
    .await;

    // The desk reads it fresh, and with it this instance.
    browser.get("/desk").await;
    let form = app.get("/").await.body;
    assert!(form.contains("£48") && form.contains("Reflexology for Feet"));
    assert!(!form.contains("value=\"hot-stones\""));
    let answer = app
        .post_form(&[&MINIMAL[..], &[("treatment", "reflexology-for-feet")]].concat())
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let emails = app.emails().await;
    let of = |to: &str| {
        let email = emails.iter().find(|it| it.to == [to]).unwrap();
        let text = email.text.clone().unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let client = of("zoe@example.com");
    assert!(client.contains("It’s here, thank you."), "{client}");
    let promised = app.items("enquiry").await[0]["promised_by"]
        .as_s()
        .unwrap()
        .clone();
    assert!(promised >= back.to_string(), "{promised}");
    assert!(
        browser
            .get("/desk/practice")
            .await
            .body
            .contains("You’re away until")
    );
    app.finish().await;
}

#[tokio::test]
async fn her_own_questions_are_asked_and_every_forms_are_left_out() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let change = [
        ("form.leave_out:goal", "yes"),
        ("form.leave_out:cause", "yes"),
        ("question[0].label", "Which sport do you do?"),
        ("question[0].kind", "one-of"),
        ("question[0].options", "Running\nSwimming"),
        ("question[0].section", "body"),
        ("question[0].required", "yes"),
    ];
    save(&browser, "questions", &change).await;
    let question = &saved(&app).await.questions[0];
    assert_eq!(question.key.as_str(), "q_which_sport_do_you_do");
    // Another wording of an answer is another answer; the others keep their keys, in whichever order.
    let change = [
        ("question[0].options", "Swimming in a lake\nRunning"),
        ("question[1].label", "Do you climb stairs?"),
        ("question[1].kind", "yes-no"),
        ("question[1].section", "visit"),
        ("question[1].order", "1"),
    ];
    save(&browser, "questions", &change).await;
    let questions = saved(&app).await.questions;
    let keys: Vec<&str> = questions.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["q_do_you_climb_stairs", "q_which_sport_do_you_do"]);
    let values: Vec<&str> = questions[1]
        .options
        .iter()
        .map(|it| it.value.as_str())
        .collect();
    assert_eq!(values, ["swimming-in-a-lake", "running"]);
    browser.get("/desk").await;
    let form = app.get("/").await.body;
    assert!(form.contains("name=\"q_which_sport_do_you_do\"") && !form.contains("name=\"cause\""));
    // What was left out is asked again, and the guide has a row for each of its answers.
    let mut fields = shown(&browser, "questions").await;
    fields.retain(|(name, _)| !name.starts_with("form.leave_out"));
    let answer = browser
        .post("/desk/practice/questions/save", &pairs(&fields))
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(saved(&app).await.left_out.is_empty());
    // What is wrong stands at its field.
    let change = [
        ("form.leave_out:phone", "yes"),
        ("question[0].options", "One"),
        ("question[7].label", "What else?"),
        ("question[7].kind", "one-of"),
        ("question[7].section", "you"),
    ];
    let fields = with(shown(&browser, "questions").await, &change);
    let answer = browser
        .post("/desk/practice/questions/save", &pairs(&fields))
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for at in [
        "form.leave_out",
        "question[0].options",
        "question[7].options",
    ] {
        assert!(
            answer.body.contains(&format!("id=\"{at}-error\"")),
            "{at}: {}",
            answer.body
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn every_error_stands_at_its_field_with_everything_kept() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    for (section, change, errors) in [
        (
            "treatments",
            &[
                ("treatment[0].name", ""),
                ("treatment[0].price", "ask me"),
                ("treatment[1].how_it_works", "No full stop"),
                ("treatment[2].off", "yes"),
                ("treatment[3].choose_it_for", "an end."),
                ("treatment[3].price", "£48 <b>"),
            ][..],
            &[
                "treatment[0].name",
                "treatment[0].price",
                "treatment[1].how_it_works",
                "treatment[3].choose_it_for",
                // The one that is taken off is still suggested.
                "guide[3].suggest",
                "guide[5].also",
            ][..],
        ),
        (
            "hours",
            &[
                ("hours.monday", "17:00-9:00"),
                ("hours.friday", "9:00-12:00, late"),
                ("reply.within_working_hours", "1000"),
            ],
            &["hours.monday", "hours.friday", "reply.within_working_hours"],
        ),
        (
            "away",
            &[
                ("reply.away_until", "tomorrow"),
                ("holiday[1].to", "2026-12-31"),
                ("holiday[0].from", ""),
            ],
            &["reply.away_until", "holiday[0].from", "holiday[1].to"],
        ),
        (
            "contact",
            &[
                ("practice.phone", "ring me"),
                ("social[0].link", "instagram"),
            ],
            &["practice.phone", "social[0].link"],
        ),
        (
            "privacy",
            &[("privacy.retention_days", "for ever")],
            &["privacy.retention_days"],
        ),
        (
            "unwanted",
            &[("suspect.words", "fine words\nno")],
            &["suspect.words"],
        ),
        ("consent", &[("consent.wording", "")], &["consent.wording"]),
        (
            "emails",
            &[("emails.next_by_email", "I will write soon.")],
            &["emails.next_by_email"],
        ),
        (
            "explanations",
            &[("explain.area.neck", "no full stop")],
            &["explain.area.neck"],
        ),
    ] {
        let fields = with(shown(&browser, section).await, change);
        for path in ["", "/save"] {
            let path = format!("/desk/practice/{section}{path}");
            let answer = browser.post(&path, &pairs(&fields)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{section}");
            assert!(answer.body.contains("<title>Error: "));
            for error in errors {
                let id = format!("id=\"{error}-error\"");
                assert!(answer.body.contains(&id), "{error}: {}", answer.body);
                let target = error.replace('[', "%5B").replace(']', "%5D");
                assert!(
                    answer.body.contains(&format!("href=\"#{target}\"")),
                    "{error}"
                );
            }
            let count = answer.body.matches("class=\"error\"").count();
            assert_eq!(count, errors.len(), "{section}: {}", answer.body);
            // Everything is kept, and typed text stays text.
            let again = self::fields(&answer.body, &format!("/desk/practice/{section}"));
            for (name, value) in &fields {
                let kept = again.iter().find(|(its, _)| its == name);
                assert_eq!(kept.map(|(_, value)| value), Some(value), "{name}");
            }
            assert!(!answer.body.contains("£48 <b>"));
        }
    }
    assert!(app.app.store.practice().await.unwrap().is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_practice_without_treatments_is_refused_in_words() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let mut typed = shown(&browser, "treatments").await;
    let order = |(name, _): &(String, String)| {
        let block = name.strip_suffix(".order")?;
        Some((format!("{block}.off"), "yes".to_owned()))
    };
    let off: Vec<_> = typed.iter().filter_map(order).collect();
    assert_eq!(off.len(), practice::compiled().treatments.len());
    typed.extend(off);
    let answer = browser
        .post("/desk/practice/treatments/save", &pairs(&typed))
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.body.contains("Add at least one treatment"),
        "{}",
        answer.body
    );
    assert!(app.app.store.practice().await.unwrap().is_none());
    app.finish().await;
}

#[tokio::test]
async fn the_reminders_are_switched_off_with_a_box() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let mut hours = shown(&browser, "hours").await;
    let ticked = ("reply.reminders".to_owned(), "yes".to_owned());
    assert!(hours.contains(&ticked), "on where nothing was said");
    hours.retain(|it| *it != ticked);
    let path = "/desk/practice/hours/save";
    let answer = browser.post(path, &pairs(&hours)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(!saved(&app).await.reminders);
    assert!(!shown(&browser, "hours").await.contains(&ticked));
    save(&browser, "hours", &[("reply.reminders", "yes")]).await;
    assert!(saved(&app).await.reminders);
    app.finish().await;
}

#[tokio::test]
async fn a_text_links_to_her_own_website_only() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let typed = async |section: &str, name: &str, text: &str| {
        let fields = with(shown(&browser, section).await, &[(name, text)]);
        let path = format!("/desk/practice/{section}/save");
        browser.post(&path, &pairs(&fields)).await
    };
    for (section, name, text) in [
        ("emails", "emails.thanks", "Pay at https://evil.example/."),
        ("emails", "emails.subject", "Now on www.evil.example"),
        (
            "emails",
            "emails.next_by_text",
            "I text {when}. See evil.com.",
        ),
        ("explanations", "explain.general", "Read evil.example/pay."),
        ("treatments", "treatment[0].price", "£45 at evil.com"),
    ] {
        let answer = typed(section, name, text).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        let at = format!("id=\"{name}-error\"");
        assert!(answer.body.contains(&at), "{text}: {}", answer.body);
    }
    let website = ("practice.website", "https://www.example.com/");
    save(&browser, "contact", &[website]).await;
    let own = "See example.com/prices, or write to me@example.org.";
    save(&browser, "emails", &[("emails.thanks", own)]).await;
    // A wording that was agreed to stays as it was when her website moves.
    let wording = ("consent.wording", "I have read example.com/privacy.");
    save(&browser, "consent", &[wording]).await;
    save(&browser, "consent", &[("consent.wording", "I agree.")]).await;
    save(&browser, "emails", &[("emails.thanks", "Thank you.")]).await;
    save(&browser, "contact", &[("practice.website", "")]).await;
    app.finish_pending().await;
}

#[tokio::test]
async fn a_preview_shows_the_form_and_both_emails_and_saves_nothing() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let before = app.emails().await.len();
    let thanks = "It’s here, <i>thank</i> you.";
    let fields = with(
        shown(&browser, "emails").await,
        &[("emails.thanks", thanks)],
    );
    let page = browser.post("/desk/practice/emails", &pairs(&fields)).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = unescaped(&page.body);
    assert!(text.contains("Nothing has been saved yet") && text.contains(thanks));
    assert!(!page.body.contains(thanks), "text stays text");
    assert!(text.contains("To the client") && text.contains("To you"));
    // The emails are shown as mail programs show them, in frames that allow them nothing.
    let frames: Vec<&str> = page.body.split("<iframe ").skip(1).collect();
    assert_eq!(frames.len(), 2);
    for frame in frames {
        let (attributes, _) = frame.split_once('>').unwrap();
        assert!(attributes.contains(" sandbox title="), "{attributes}");
        let srcdoc = attribute(attributes, "srcdoc").unwrap();
        assert!(srcdoc.contains("</html>") && !srcdoc.contains("<script"));
        assert!(!srcdoc.contains(thanks), "text stays text");
    }
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self' 'unsafe-inline'"));
    assert!(policy.ends_with("frame-ancestors 'none'") && !policy.contains("script-src"));
    assert_eq!(page.body.matches("<form").count(), 2, "none of the preview");
    assert!(page.body.contains("<div inert>") && page.body.contains("id=\"goal-field\""));
    assert!(app.app.store.practice().await.unwrap().is_none());
    // From there it is saved, or changed once more.
    let kept = self::fields(&page.body, "/desk/practice/emails/save");
    let again = with(kept.clone(), &[("again", "yes")]);
    let again = browser.post("/desk/practice/emails", &pairs(&again)).await;
    assert_eq!(again.status, StatusCode::OK);
    let typed = self::fields(&again.body, "/desk/practice/emails");
    assert!(typed.contains(&("emails.thanks".to_owned(), thanks.to_owned())));
    let answer = browser
        .post("/desk/practice/emails/save", &pairs(&kept))
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(saved(&app).await.emails.thanks, thanks);
    assert_eq!(app.emails().await.len(), before, "the samples went nowhere");
    app.finish_pending().await;
}

#[tokio::test]
async fn the_second_of_two_windows_is_told_and_loses_nothing() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let (first, second) = (
        shown(&browser, "hours").await,
        shown(&browser, "hours").await,
    );
    let first = with(first, &[("hours.monday", "10:00-16:00")]);
    let second = with(
        second,
        &[
            ("hours.monday", "8:00-12:00"),
            ("hours.saturday", "9:00-11:00"),
        ],
    );
    let save = "/desk/practice/hours/save";
    let answer = browser.post(save, &pairs(&first)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    for path in ["/desk/practice/hours", save] {
        let answer = browser.post(path, &pairs(&second)).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
        assert!(answer.body.contains("another window has saved since"));
        let text = unescaped(&answer.body);
        assert!(text.contains("“10:00-16:00”"), "{text}");
        let again = fields(&answer.body, "/desk/practice/hours");
        for (name, value) in &second {
            let kept = again.iter().find(|(its, _)| its == name).unwrap();
            assert!(kept.1 == *value || name == "seen", "{name}");
        }
        assert!(again.contains(&("seen".to_owned(), "1".to_owned())));
    }
    // Having seen it, she saves hers.
    let second = with(second, &[("seen", "1")]);
    let answer = browser.post(save, &pairs(&second)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let hours = saved(&app).await.working_days();
    assert_eq!(hours[0].hours, "8am to midday");
    app.finish().await;
}

#[tokio::test]
async fn one_step_back_leads_back_and_forth_and_keeps_every_wording() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let first = practice::compiled().consent.clone();
    save(
        &browser,
        "consent",
        &[("consent.wording", "I agree to this.")],
    )
    .await;
    let second = saved(&app).await.consent;
    assert_eq!(second.earlier[0].version, first.version);
    assert_eq!(second.earlier[0].wording, first.wording);
    assert_ne!(second.version, first.version);
    let page = browser.get("/desk/practice").await.body;
    assert!(page.contains("to the first version"), "{page}");
    let back = fields(&page, "/desk/practice/step-back");
    let answer = browser
        .post("/desk/practice/step-back", &pairs(&back))
        .await;
    assert_eq!(answer.header("location"), "/desk/practice?done=back");
    let third = saved(&app).await.consent;
    assert_eq!(
        (&third.version, &third.wording),
        (&first.version, &first.wording)
    );
    assert_eq!(
        third.earlier[0].version, second.version,
        "enquiries name it"
    );
    // An old tab changes nothing.
    let answer = browser
        .post("/desk/practice/step-back", &pairs(&back))
        .await;
    assert_eq!(answer.header("location"), "/desk/practice?done=changed");
    let answer = browser
        .post("/desk/practice/step-back", &[("seen", "2")])
        .await;
    assert_eq!(answer.header("location"), "/desk/practice?done=back");
    assert_eq!(saved(&app).await.consent.version, second.version);
    app.finish_pending().await;
}

#[tokio::test]
async fn a_change_of_what_speaks_in_her_name_is_told_once_an_hour_at_most() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let owed = async || {
        let items = app.items("email").await;
        let mut keys: Vec<String> = items
            .iter()
            .map(|it| it["pk"].as_s().unwrap().clone())
            .collect();
        keys.sort();
        keys
    };
    for (section, change) in [
        ("hours", ("hours.monday", "10:00-16:00")),
        ("treatments", ("treatment[0].price", "£48")),
        ("explanations", ("explain.area.neck", "It is stiff.")),
        ("privacy", ("privacy.retention_days", "30")),
        ("unwanted", ("suspect.words", "watches")),
        ("away", ("holiday[0].name", "Yule")),
    ] {
        save(&browser, section, &[change]).await;
        assert!(owed().await.is_empty(), "{section}");
    }
    save(&browser, "contact", &[("practice.phone", "01632 960123")]).await;
    assert_eq!(owed().await.len(), 1);
    save(
        &browser,
        "consent",
        &[("consent.wording", "I agree to this.")],
    )
    .await;
    save(&browser, "emails", &[("emails.thanks", "It is here.")]).await;
    let keys = owed().await;
    assert_eq!(keys.len(), 2, "this hour's and the next one's: {keys:?}");

    // The first leaves within a minute and tells all of it; the second within the next hour.
    let before = app.emails().await.len();
    let sweep = async |after: i64| {
        let now = Timestamp::now() + SignedDuration::from_secs(after);
        let clock = Clock::new(now, now + SignedDuration::from_secs(29));
        let sweep = json!({ "command": "sweep" });
        app.app.handle(sweep, &clock).await.unwrap();
        app.emails().await.len() - before
    };
    assert_eq!(sweep(31).await, 1);
    assert_eq!(sweep(31).await, 1);
    assert_eq!(sweep(3_631).await, 2);
    assert_eq!(sweep(7_300).await, 2);
    let email = app.emails().await[before].clone();
    assert_eq!(email.to, ["therapist@example.com"]);
    let text = email.text.clone().unwrap();
    for part in [
        "Your contact details",
        "What clients agree to",
        "Your automatic reply",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(
        !text.contains("01632"),
        "a stranger's number is not handed on as hers"
    );
    app.finish().await;
}

#[tokio::test]
async fn what_was_typed_is_kept_when_the_session_has_ended() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    for path in [
        "/desk/practice/treatments",
        "/desk/practice/treatments/save",
    ] {
        let typed = with(
            shown(&browser, "treatments").await,
            &[("treatment[0].price", "£48 & up"), ("evil", "x")],
        );
        browser.cookies.lock().unwrap().remove("__Host-desk");
        let answer = browser.post(path, &pairs(&typed)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let kept = fields(&answer.body, "/desk/sign-in");
        let asked = browser.post("/desk/sign-in", &pairs(&kept)).await;
        let page = match asked.status {
            StatusCode::SEE_OTHER => browser.get(asked.header("location")).await,
            _ => asked,
        };
        let mut kept = fields(&page.body, "/desk/code");
        kept.retain(|(name, _)| name != "code");
        kept.push(("code".to_owned(), crate::support::browser::last_code(&app)));
        let answer = browser.post("/desk/code", &pairs(&kept)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert!(answer.body.contains("Nothing has been saved yet"));
        let again = fields(&answer.body, "/desk/practice/treatments");
        for (name, value) in typed.iter().filter(|(name, _)| name != "evil") {
            assert!(again.contains(&(name.clone(), value.clone())), "{name}");
        }
        assert!(!answer.body.contains("evil"));
        assert!(app.app.store.practice().await.unwrap().is_none());
    }
    app.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_what_was_saved_is_said_and_can_be_corrected() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    save(&browser, "treatments", &[("treatment[0].price", "£48")]).await;
    let mut item = app.app.store.practice().await.unwrap().unwrap();
    let mut written = item.words.read().unwrap().written;
    item.before = item.words;
    written.hours.monday.0 = vec!["17:00-9:00".to_owned()];
    item.words = Words::of(&written);
    item.revision = 2;
    assert!(app.app.store.save_practice(&item).await.unwrap());
    let page = browser.get("/desk/practice").await.body;
    assert!(page.contains("What was saved can’t be used") && page.contains("hours.monday[0]"));
    // The last good one holds and is what she starts from.
    assert!(app.get("/").await.body.contains("£48"));
    save(&browser, "hours", &[("hours.monday", "9:00-13:00")]).await;
    let page = browser.get("/desk/practice").await.body;
    assert!(!page.contains("can’t be used"));
    assert_eq!(
        saved(&app).await.treatments[0].price.as_deref(),
        Some("£48")
    );
    // One that a newer version has saved is not overwritten.
    let key = aws_sdk_dynamodb::types::AttributeValue::S("practice#current".to_owned());
    let newer = aws_sdk_dynamodb::types::AttributeValue::N("2".to_owned());
    let (client, table) = (app.desk.dynamo().client(), app.desk.dynamo().table());
    let update = client.update_item().table_name(table).key("pk", key);
    let update = update.update_expression("SET v = :v");
    update
        .expression_attribute_values(":v", newer)
        .send()
        .await
        .unwrap();
    for answer in [
        browser.get("/desk/practice").await,
        browser.get("/desk/practice/hours").await,
        browser
            .post("/desk/practice/hours/save", &[("seen", "3")])
            .await,
        browser
            .post("/desk/practice/step-back", &[("seen", "3")])
            .await,
    ] {
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(answer.body.contains("can’t be changed here"));
    }
    assert!(app.get("/").await.body.contains("£48"));
    app.finish().await;
}

#[tokio::test]
async fn another_instance_takes_an_enquiry_by_what_was_saved_a_minute_later() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let other = emulated::app(app.desk.endpoints(), &[], aws::http_client()).unwrap();
    let ask = async |after: i64, method: &str, path: &str, body: String| {
        let headers = json!({ "accept": "text/html", "content-type": gateway::FORM });
        let event = gateway::request(method, path, &headers, &body);
        let now = Timestamp::now() + SignedDuration::from_secs(after);
        let clock = Clock::new(now, now + SignedDuration::from_secs(29));
        other.handle(event, &clock).await.unwrap()
    };
    ask(0, "GET", "/", String::new()).await;
    let back = jiff::Zoned::now().date() + SignedDuration::from_hours(24 * 20);
    save(&browser, "away", &[("reply.away_until", &back.to_string())]).await;
    for (after, name, is_away) in [(30, "one", false), (62, "two", true)] {
        let email = format!("{name}@example.com");
        let form = [&MINIMAL[2..], &[("name", name), ("email", &email)]].concat();
        let answer = ask(after, "POST", "/enquiries", urlencoded(&form)).await;
        assert_eq!(answer["statusCode"], 303);
        let items = app.items("enquiry").await;
        let item = items
            .iter()
            .find(|it| format!("{:?}", it["enquiry"]).contains(&email))
            .unwrap();
        let promised = item["promised_by"].as_s().unwrap();
        assert_eq!(*promised >= back.to_string(), is_away, "{promised}");
    }
    app.emails().await;
    app.finish().await;
}

#[tokio::test]
async fn holidays_that_end_soon_are_told() {
    let mut practice = practice::compiled().clone();
    let day = |days: i64| jiff::Zoned::now().date() + SignedDuration::from_hours(24 * days);
    for (days, words) in [
        (61, None),
        (59, Some("Your last holiday ends on ")),
        (-2, Some("You have no holidays ahead")),
    ] {
        practice.holidays.truncate(1);
        practice.holidays[0].first = day(days);
        practice.holidays[0].last = day(days);
        let app = TestApp::start_for(practice.clone(), emulated::options(), &[]).await;
        let browser = Browser::signed_in(&app).await;
        for page in ["/desk", "/desk/practice"] {
            let page = browser.get(page).await.body;
            let told = ["Your last holiday ends on ", "You have no holidays ahead"];
            let told = told.into_iter().find(|it| page.contains(it));
            assert_eq!(told, words, "{days}");
        }
        app.finish().await;
    }
}
