//! The pages, as a browser gets them; and the form of the example site, which is the form of our own pages.

use axum::http::StatusCode;
use enquiry_desk::enquiry::{Field, Reference};
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::web::pages::{ConfirmationPage, ErrorPage, FormPage, Notice};
use enquiry_desk::web::{CheckedAddress, EnquiryForm, RequestError};

use crate::support::{COMPLETE, MINIMAL, TestApp};

/// Another practice: no warm stones, other treatments.
fn without_stones() -> Practice {
    let mut practice = practice::compiled().clone();
    practice.treatments.retain(|treatment| !treatment.warm);
    practice
}

fn form(values: &[(Field, &str)]) -> EnquiryForm {
    let mut form = EnquiryForm::default();
    for (field, value) in values {
        form.put(*field, (*value).to_owned());
    }
    form
}

/// The page for a form that was checked, as it is answered.
fn page(practice: &Practice, form: &EnquiryForm) -> String {
    let checked = form.check(practice, jiff::Timestamp::UNIX_EPOCH);
    let errors = checked.enquiry.err().unwrap_or_default();
    FormPage {
        address: &checked.address,
        ..shown(practice, form, &errors, None)
    }
    .render()
    .unwrap()
}

/// An address without a likely typo.
const NO_QUESTION: CheckedAddress = CheckedAddress {
    suggestion: None,
    taken: None,
};

fn shown<'a>(
    practice: &'a Practice,
    form: &'a EnquiryForm,
    errors: &'a [enquiry_desk::enquiry::FormError],
    notice: Option<Notice>,
) -> FormPage<'a> {
    FormPage {
        practice,
        form,
        errors,
        address: &NO_QUESTION,
        notice,
        action: "/enquiries",
        submission: "6f0f3c1e-7d0e-4c50-9d3e-0a5b6f1c2d3e".to_owned(),
        proof: false,
    }
}

/// The form of the example site must be the one that the function renders, so that the practice has one form to copy.
///
/// After a change of the template: `UPDATE_SITE=1 cargo test the_example_site` writes it into `site/index.html`.
#[test]
fn the_example_site_carries_the_form_that_the_function_renders() {
    let practice = practice::compiled();
    let empty = EnquiryForm::default();
    let rendered = FormPage {
        submission: String::new(),
        ..shown(practice, &empty, &[], None)
    }
    .render_form()
    .unwrap();

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/site/index.html");
    let site = std::fs::read_to_string(path).unwrap();
    let (before, rest) = site.split_once("<!-- form:").unwrap();
    let (note, rest) = rest.split_once("-->\n").unwrap();
    let (form, after) = rest.split_once("<!-- /form -->").unwrap();
    if std::env::var_os("UPDATE_SITE").is_some() {
        std::fs::write(
            path,
            format!("{before}<!-- form:{note}-->\n{rendered}\n<!-- /form -->{after}"),
        )
        .unwrap();
        return;
    }
    assert_eq!(
        form.trim_end(),
        rendered,
        "run UPDATE_SITE=1 cargo test the_example_site"
    );
}

#[test]
fn the_script_is_small() {
    let script = include_str!("../../site/enquiry.js");
    assert!(script.len() < 6_200, "{} bytes", script.len());
}

#[test]
fn nothing_is_inline_so_that_the_policy_can_forbid_it() {
    let practice = practice::compiled();
    let empty = EnquiryForm::default();
    let reference = Reference::parse("BB-7KQ4M").unwrap();
    let notice = Notice {
        title: RequestError::Unavailable.problem_type().title,
        message: RequestError::Unavailable.message(),
    };
    for html in [
        page(practice, &empty),
        shown(practice, &empty, &[], Some(notice)).render().unwrap(),
        ConfirmationPage {
            practice,
            reference: Some(&reference),
        }
        .render()
        .unwrap(),
        ErrorPage {
            practice,
            error: &RequestError::NotFound,
        }
        .render()
        .unwrap(),
        include_str!("../../site/index.html").to_owned(),
        include_str!("../../site/thank-you.html").to_owned(),
    ] {
        for inline in ["<style", " style=", " onclick", " onsubmit", "javascript:"] {
            assert!(!html.contains(inline), "{inline}");
        }
        let scripts: Vec<&str> = html.split("<script").skip(1).collect();
        assert!(scripts.iter().all(|script| script.starts_with(" src=")));
    }
}

#[test]
fn faults_are_summed_up_on_top_and_shown_at_their_fields() {
    let html = page(practice::compiled(), &form(&[(Field::ContactBy, "text")]));
    assert!(html.contains("<title>Error: Send an enquiry – "));
    for (field, words) in [
        ("name", "Enter your full name"),
        (
            "email",
            "Enter an email address in the correct format, like name@example.com",
        ),
        (
            "phone",
            "Enter a phone number, like 01632 960 001, 07700 900 982 or +44 808 157 0192",
        ),
        ("goal", "Select what you would like from the massage"),
        (
            "consent",
            "Select the box to say that your answers may be used to reply to you",
        ),
    ] {
        assert!(
            html.contains(&format!("<li><a href=\"#{field}\">{words}</a></li>")),
            "{field}"
        );
        let inline =
            format!("id=\"{field}-error\"><span class=\"unseen\">Error: </span>{words}</p>");
        assert!(html.contains(&inline), "{field}");
        assert!(
            html.contains(&format!(" id=\"{field}\"")),
            "the link of {field} leads nowhere"
        );
    }
    assert!(html.contains(r#"id="email" name="email" type="email" inputmode="email" autocomplete="email" enterkeyhint="send" spellcheck="false" aria-required="true" aria-invalid="true" aria-describedby="email-error""#));
}

#[test]
fn every_value_is_kept_and_escaped() {
    let values = [
        (Field::Name, r#"Zoë "O'Brien" <b>"#),
        (Field::Email, "not an address"),
        (Field::Phone, "12"),
        (Field::ContactBy, "phone"),
        (Field::Area, "neck"),
        (Field::Area, "other"),
        (Field::Cause, "posture"),
        (Field::Goal, "relax"),
        (Field::RecentInjury, "no"),
        (Field::Warmth, "not-sure"),
        (Field::Treatment, "hot-stones"),
        (Field::Times, "</textarea><script>"),
        (Field::Message, "\r\n  first line was empty"),
        (Field::Consent, "yes"),
    ];
    let html = page(practice::compiled(), &form(&values));
    assert!(html.contains(r#"value="Zoë &#34;O&#39;Brien&#34; &#60;b&#62;""#));
    assert!(html.contains(r#"value="not an address""#) && html.contains(r#"value="12""#));
    for (id, value) in [
        ("contact_by-phone", "phone"),
        ("area-neck", "neck"),
        ("area-other", "other"),
        ("cause-posture", "posture"),
        ("goal-relax", "relax"),
        ("recent_injury-no", "no"),
        ("warmth-not-sure", "not-sure"),
        ("treatment-hot-stones", "hot-stones"),
        ("consent", "yes"),
    ] {
        let input = html
            .split(&format!("<input id=\"{id}\""))
            .nth(1)
            .unwrap()
            .split('>')
            .next()
            .unwrap();
        assert!(
            input.contains(&format!("value=\"{value}\"")) && input.contains(" checked"),
            "{id}: {input}"
        );
    }
    assert_eq!(html.matches(" checked").count(), 9);
    assert!(html.contains(">\n&#60;/textarea&#62;&#60;script&#62;</textarea>"));
    // The parser drops the first line break after the tag: the second one was typed.
    assert!(html.contains(">\n\r\n  first line was empty</textarea>"));
}

#[test]
fn a_likely_typo_is_asked_about_with_a_button_for_each_answer() {
    let typed = [
        (Field::Name, "Zoë"),
        (Field::Email, "zoe@gmial.com"),
        (Field::Goal, "treat"),
        (Field::Consent, "yes"),
    ];
    let html = page(practice::compiled(), &form(&typed));
    assert!(
        html.contains("Check your email address") && html.contains("Did you mean zoe@gmail.com?")
    );
    assert!(html.contains(
        r#"<button class="button button-quiet" name="email_confirmed" value="zoe@gmail.com">"#
    ));
    assert!(html.contains(
        r#"<button class="button" id="send" name="email_confirmed" value="zoe@gmial.com">"#
    ));
    // The first button is what the Enter key presses.
    let first = html.split("<button").nth(1).unwrap();
    assert!(first.contains(r#"value="zoe@gmial.com""#));
    // A hidden field beside the buttons would make it a repeated field.
    assert!(!html.contains(r#"type="hidden" name="email_confirmed""#));
}

#[test]
fn both_answers_to_the_question_settle_it() {
    let practice = practice::compiled();
    let typed = [
        (Field::Name, "Zoë"),
        (Field::Email, "zoe@gmial.com"),
        (Field::Goal, "treat"),
        (Field::Consent, "yes"),
    ];
    for (confirmed, accepted) in [
        ("zoe@gmail.com", "zoe@gmail.com"),
        ("zoe@gmial.com", "zoe@gmial.com"),
    ] {
        let mut form = form(&typed);
        form.put(Field::EmailConfirmed, confirmed.to_owned());
        assert_eq!(
            form.check(practice, jiff::Timestamp::UNIX_EPOCH)
                .enquiry
                .unwrap()
                .email
                .as_str(),
            accepted
        );
    }
    let mut other = form(&typed);
    other.put(Field::EmailConfirmed, "eve@example.com".to_owned());
    assert_eq!(
        other
            .check(practice, jiff::Timestamp::UNIX_EPOCH)
            .enquiry
            .unwrap_err()[0]
            .error
            .code(),
        "email_suggestion"
    );
}

#[test]
fn an_answer_to_the_question_outlives_other_errors() {
    let typed = [
        (Field::Email, "zoe@gmial.com"),
        (Field::EmailConfirmed, "zoe@gmail.com"),
    ];
    let html = page(practice::compiled(), &form(&typed));
    assert!(html.contains(r#"<input type="hidden" name="email_confirmed" value="zoe@gmail.com">"#));
    assert!(
        !html.contains("id=\"email-error\""),
        "the address is no error"
    );
    assert!(
        html.contains(r#"spellcheck="false" value="zoe@gmail.com""#),
        "the address that was taken is shown"
    );
}

#[test]
fn a_new_wording_of_the_consent_asks_for_it_again() {
    let html = page(
        practice::compiled(),
        &form(&[(Field::Consent, "yes"), (Field::ConsentVersion, "1999")]),
    );
    assert!(html.contains(
        "<li><a href=\"#consent\">The wording has changed. Read it and tick the box.</a></li>"
    ));
    let consent = html
        .split("<input id=\"consent\"")
        .nth(1)
        .unwrap()
        .split('>')
        .next()
        .unwrap();
    assert!(!consent.contains("checked") && consent.contains("aria-invalid"));
    assert!(!html.contains("1999"));
}

#[test]
fn a_form_that_cannot_be_taken_keeps_everything_and_gives_the_number_to_call() {
    let practice = practice::compiled();
    let form = form(&[(Field::Name, "Zoë"), (Field::Message, "kept")]);
    for refusal in [RequestError::Unavailable, RequestError::TooManyRequests(90)] {
        let notice = Notice {
            title: refusal.problem_type().title,
            message: refusal.message(),
        };
        let html = shown(practice, &form, &[], Some(notice)).render().unwrap();
        assert!(html.contains(refusal.problem_type().title) && html.contains("Nothing is lost"));
        assert!(html.contains(&format!("href=\"tel:{}\"", practice.phone.dial)));
        assert!(html.contains(r#"value="Zoë""#) && html.contains(">\nkept</textarea>"));
    }
}

#[test]
fn warm_stones_are_asked_about_only_where_there_are_some() {
    let practice = without_stones();
    let html = page(&practice, &EnquiryForm::default());
    assert!(!html.to_lowercase().contains("stones") && !html.contains("warmth"));
    assert!(
        page(practice::compiled(), &EnquiryForm::default()).contains("Would you like warm stones?")
    );
}

#[test]
fn the_trap_is_out_of_reach_and_never_filled_in_again() {
    let html = page(practice::compiled(), &form(&[(Field::Honeypot, "caught")]));
    assert!(!html.contains("caught"));
    assert!(html.contains(r#"name="extra_detail" type="text" tabindex="-1" autocomplete="off">"#));
}

#[tokio::test]
async fn every_field_of_the_page_is_one_that_the_desk_knows() {
    let app = TestApp::start().await;
    let html = app.get("/").await.body;
    let names: Vec<&str> = html
        .split(" name=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    for name in names.into_iter().filter(|name| {
        !matches!(
            *name,
            "viewport" | "color-scheme" | "theme-color" | "format-detection"
        )
    }) {
        assert!(Field::from_key(name).is_some(), "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_form_that_is_sent_again_with_the_suggestion_arrives() {
    let app = TestApp::start().await;
    let typed: Vec<(&str, &str)> = MINIMAL
        .iter()
        .map(|(name, value)| {
            (
                *name,
                if *name == "email" {
                    "zoe@gmial.com"
                } else {
                    value
                },
            )
        })
        .collect();
    let asked = app.post_form(&typed).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asked.body.contains("Did you mean zoe@gmail.com?"));
    let taken = app
        .post_form(&[&typed[..], &[("email_confirmed", "zoe@gmail.com")]].concat())
        .await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER);
    assert!(
        app.emails()
            .await
            .iter()
            .any(|email| email.to == ["zoe@gmail.com"])
    );
    app.finish().await;
}

#[tokio::test]
async fn a_complete_form_with_one_error_comes_back_complete() {
    let app = TestApp::start().await;
    let typed: Vec<(&str, &str)> = COMPLETE
        .iter()
        .map(|(name, value)| (*name, if *name == "name" { "" } else { value }))
        .collect();
    let answer = app.post_form(&typed).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.body.matches(" checked").count(), 9);
    for kept in [
        "zoe@example.com",
        "07700 900982",
        "Tuesday mornings",
        "Stairs are hard.",
        "3f0c2f5e-6d0f-4b7e-9a53-0d3c9a4f6b11",
    ] {
        assert!(answer.body.contains(kept), "{kept}");
    }
    app.finish().await;
}
