//! What clients really type, and what comes of it.

use enquiry_desk::clock::Clock;
use enquiry_desk::enquiry::{EmailAddress, Field, FieldError};
use enquiry_desk::practice::Practice;
use enquiry_desk::web::EnquiryForm;

use testing::gateway;
use tracing::instrument::WithSubscriber;

use crate::support::logs::Logs;
use crate::support::{MINIMAL, TestApp, urlencoded};

fn practice() -> Practice {
    Practice::from_toml(include_str!("../../practice.toml")).unwrap()
}

/// The form with these answers, and otherwise only what is required.
fn form(answers: &[(&str, &str)]) -> EnquiryForm {
    let mut form = EnquiryForm::default();
    let others = MINIMAL
        .iter()
        .filter(|(key, _)| answers.iter().all(|(own, _)| own != key));
    for (key, value) in others.chain(answers) {
        form.put(Field::from_key(key).unwrap(), (*value).to_owned());
    }
    form
}

/// The errors of a form, each with its field.
fn errors(answers: &[(&str, &str)]) -> Vec<(Field, FieldError)> {
    let checked = form(answers).check(&practice(), jiff::Timestamp::UNIX_EPOCH);
    let errors = checked.enquiry.err().unwrap_or_default();
    errors
        .into_iter()
        .map(|error| (error.field, error.error))
        .collect()
}

#[test]
fn a_text_message_to_a_landline_is_asked_about() {
    for phone in [
        "01632 960001",
        "0800 157 0192",
        "020 7946 0958 (home)",
        "+33 1 99 00 12 34",
    ] {
        let answers = [("contact_by", "text"), ("phone", phone)];
        assert_eq!(
            errors(&answers),
            [(Field::Phone, FieldError::PhoneNoTexts)],
            "{phone}"
        );
        for contact_by in ["phone", "email", ""] {
            assert_eq!(
                errors(&[("contact_by", contact_by), ("phone", phone)]),
                [],
                "{phone}"
            );
        }
    }
    for phone in ["07700 900982", "+447700900982 WhatsApp", "+1 202 555 0123"] {
        assert_eq!(
            errors(&[("contact_by", "text"), ("phone", phone)]),
            [],
            "{phone}"
        );
    }
}

#[tokio::test]
async fn the_therapist_reads_the_remark_and_the_links_dial_the_number() {
    let app = TestApp::start().await;
    let phone = [
        ("contact_by", "phone"),
        ("phone", "01632 960001 - evenings only"),
    ];
    let answer = app.post_form(&[&MINIMAL[..], &phone].concat()).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let emails = app.emails().await;
    let html = emails
        .iter()
        .find_map(|email| email.html.as_deref().filter(|it| it.contains("tel:")));
    let html = html.unwrap();
    assert!(html.contains("href=\"tel:+441632960001\""), "{html}");
    assert!(html.contains("01632 960001 - evenings only"), "{html}");
    assert!(
        !html.contains("sms:"),
        "a landline is not offered for a text message"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_subject_says_who_and_the_email_what() {
    let app = TestApp::start().await;
    let mut expected = Vec::new();
    for (at, (answers, about, wants)) in [
        (
            &[("name", "Jo Brown"), ("area", "other")][..],
            " from Jo",
            "Treat pain or an injury (pain somewhere else)",
        ),
        (
            &[
                ("name", "Jo\tBrown"),
                ("area", "other"),
                ("goal", "not-sure"),
            ],
            " from Jo",
            "Not sure yet (pain somewhere else)",
        ),
        (
            &[
                ("name", "Mrs Jane Smith"),
                ("area", "neck"),
                ("area", "other"),
            ],
            " from Jane",
            "Treat pain or an injury: neck and somewhere else",
        ),
        (
            &[("name", "Mum of Tom"), ("area", "neck")],
            "",
            "Treat pain or an injury: neck",
        ),
        (&[("name", "Dr"), ("goal", "relax")], "", "Relax and unwind"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("client{at}@example.com");
        let others = MINIMAL
            .iter()
            .filter(|(key, _)| answers.iter().all(|(own, _)| own != key));
        let mut fields: Vec<_> = others.chain(answers).copied().collect();
        fields.retain(|(key, _)| *key != "email");
        fields.push(("email", &email));
        let answer = app.post_form(&fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        expected.push((email, about, wants));
    }
    let emails = app.emails().await;
    for (address, about, wants) in expected {
        let email = emails
            .iter()
            .find(|email| email.reply_to.iter().any(|it| it.contains(&address)))
            .unwrap();
        assert!(
            email.subject.starts_with(&format!("New enquiry{about} (")),
            "{}: {about}",
            email.subject
        );
        assert!(
            email
                .text
                .as_deref()
                .unwrap()
                .contains(&format!("    {wants}\n")),
            "{wants}"
        );
    }
    app.finish().await;
}

#[test]
fn a_likely_typo_in_the_address_is_asked_about_once() {
    for (typed, meant) in [
        ("jo@gmail.couk", "jo@gmail.com"),
        ("jo@icould.com", "jo@icloud.com"),
        ("jo@gamil.co", "jo@gmail.com"),
        ("jo@hotmail.gmail.com", "jo@gmail.com"),
        ("jo@gmаil.com", "jo@gmail.com"),
        // SMTP carries no such dots.
        ("pat..b@example.com", "pat.b@example.com"),
        (".pat@example.com", "pat@example.com"),
        ("pat.@example.com", "pat@example.com"),
        ("pat.@gmial.com", "pat@gmail.com"),
    ] {
        let meant = EmailAddress::parse(meant).unwrap();
        let question = FieldError::EmailSuggestion(meant.clone());
        assert_eq!(
            errors(&[("email", typed)]),
            [(Field::Email, question)],
            "{typed}"
        );
        for (confirmed, stored) in [
            (meant.as_str(), &meant),
            (typed, &EmailAddress::parse(typed).unwrap()),
        ] {
            let answers = [("email", typed), ("email_confirmed", confirmed)];
            let enquiry = form(&answers)
                .check(&practice(), jiff::Timestamp::UNIX_EPOCH)
                .enquiry
                .ok()
                .unwrap();
            assert_eq!(&enquiry.email, stored, "{typed} with {confirmed}");
        }
        assert_eq!(
            errors(&[("email", meant.as_str())]),
            [],
            "{typed} leads to a typo"
        );
    }
}

#[tokio::test]
async fn a_field_that_the_form_has_not_is_left_out_and_counted() {
    let app = TestApp::start().await;
    let logs = Logs::default();
    let urlencoded_form = "application/x-www-form-urlencoded";
    let minimal = urlencoded(&MINIMAL);
    let part = |head: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    let parts: String = MINIMAL
        .iter()
        .map(|(name, value)| part(&format!("name=\"{name}\""), value))
        .collect();
    let (file, sent) = ("name=\"photo\"; filename=\"\"", "name=\"send\"");
    for (content_type, body, ignored) in [
        (
            urlencoded_form,
            format!("{minimal}&send=Send&_charset_=UTF-8&utm_source=x&utm_source=y&__proto__=z"),
            5,
        ),
        (
            "multipart/form-data; boundary=b",
            format!("{parts}{}{}--b--\r\n", part(file, ""), part(sent, "Send")),
            2,
        ),
        (urlencoded_form, minimal, 0),
    ] {
        let clock = Clock::new(
            "2026-11-23T09:00:00Z".parse().unwrap(),
            "2026-11-23T09:00:20Z".parse().unwrap(),
        );
        let answer = app
            .app
            .handle(gateway::post(content_type, &body), &clock)
            .with_subscriber(logs.dispatch())
            .await;
        assert_eq!(answer.unwrap()["statusCode"], 201, "{body}");
        let lines = logs.take();
        let counted: Vec<_> = lines
            .iter()
            .filter_map(|line| line["ignored"].as_u64())
            .collect();
        assert_eq!(
            counted,
            Vec::from_iter((ignored > 0).then_some(ignored)),
            "{body}"
        );
        let logged = format!("{lines:?}");
        for name in ["utm", "proto", "photo", "charset"] {
            assert!(!logged.contains(name), "{name} in {logged}");
        }
    }
    // A file that was chosen is none of the form's.
    let body = format!(
        "{parts}{}--b--\r\n",
        part("name=\"photo\"; filename=\"a.jpg\"", "x")
    );
    let clock = Clock::new(
        "2026-11-23T09:00:00Z".parse().unwrap(),
        "2026-11-23T09:00:20Z".parse().unwrap(),
    );
    let answer = app
        .app
        .handle(
            gateway::post("multipart/form-data; boundary=b", &body),
            &clock,
        )
        .await;
    assert_eq!(answer.unwrap()["statusCode"], 415);
    app.emails().await;
    app.finish().await;
}
