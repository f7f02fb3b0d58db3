//! Every field of the form, through everything that shows, reads or keeps it. A field that is forgotten somewhere fails here,
//! and CONTRIBUTING.md ("A new field of the form") says where it belongs.

use enquiry_desk::email::TherapistEmail;
use enquiry_desk::enquiry::field::{Control, Required, Row, Section};
use enquiry_desk::enquiry::{Enquiry, Field, fields};
use enquiry_desk::web::EnquiryForm;
use enquiry_desk::web::pages::FormPage;
use serde_json::{Map, Value, json};
use testing::samples::{Samples, therapist};

use crate::support::{
    Answer, BROWSER, TestApp, emulated, practice_with_questions as practice, urlencoded,
};

/// What the page sends along by itself: it is no answer, and neither an email nor an export shows it.
const OF_THE_PAGE: [Field; 6] = [
    Field::Submission,
    Field::EmailConfirmed,
    Field::ConsentVersion,
    Field::Token,
    Field::Altcha,
    Field::Honeypot,
];

/// Of those, what is not in the form as it is first shown: the question about the address and the script put them there.
const ADDED_LATER: [Field; 2] = [Field::EmailConfirmed, Field::Altcha];

/// Each answer that a form gives: the row, what is posted, and what people read of it.
fn answers() -> Vec<(Row<'static>, String, String)> {
    let rows: Vec<Row<'_>> = fields(practice()).collect();
    let own = practice().questions.len();
    assert!(own > 4);
    assert_eq!(
        rows.len(),
        Field::ALL.len() + own,
        "the practice asks everything"
    );
    let answer = |row: Row<'static>| {
        let text = match row.control {
            Control::Line { kind: "email", .. } => "zoe@example.com".to_owned(),
            Control::Line { kind: "tel", .. } => "07700 900982".to_owned(),
            Control::Line { .. } | Control::Text { .. } => {
                format!("Typed as {}", row.key.replace('_', " "))
            }
            Control::Tick => {
                return (
                    row,
                    "yes".to_owned(),
                    format!("Given (wording {})", practice().consent.version),
                );
            }
            Control::OneOf(_) | Control::SeveralOf(_) => {
                let option = row.options(practice()).pop().unwrap();
                return (row, option.key, option.label);
            }
            Control::Hidden | Control::Kept => return (row, String::new(), String::new()),
        };
        (row, text.clone(), text)
    };
    let answers = rows.into_iter().map(answer);
    answers
        .filter(|(row, ..)| !OF_THE_PAGE.contains(&row.field))
        .collect()
}

fn form() -> EnquiryForm {
    let mut form = EnquiryForm::default();
    for (row, posted, _) in answers() {
        form.put(row.field, posted);
    }
    form
}

fn enquiry() -> Enquiry {
    form()
        .check(practice(), jiff::Timestamp::UNIX_EPOCH)
        .enquiry
        .expect("every answer is one that is taken")
}

/// A text or a page as it is read: without tags and marks, and with single spaces.
fn read(text: &str) -> String {
    // What was typed is quoted in the text.
    let text = text.replace("\n> ", "\n");
    let mut tags = text.split('<');
    let mut plain = tags.next().unwrap().to_owned();
    for tag in tags {
        plain.push(' ');
        plain.push_str(tag.split_once('>').map_or("", |(_, text)| text));
    }
    for (entity, meant) in [("&#38;", "&"), ("&#39;", "'"), ("&#34;", "\"")] {
        plain = plain.replace(entity, meant);
    }
    plain
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Whether the answer stands under its label.
fn shows(text: &str, label: &str, answer: &str) -> bool {
    read(text).contains(&format!(
        "{} {}",
        label.to_lowercase(),
        answer.to_lowercase()
    ))
}

/// Whether the email to the therapist says it: under its short label, or at the top, in the words of the top.
fn is_told(text: &str, row: &Row<'_>, answer: &str) -> bool {
    let above = match row.field {
        Field::Name | Field::Phone | Field::Treatment => answer,
        Field::Area => "pain somewhere else",
        Field::Goal => "not sure yet",
        _ => "",
    };
    let is_above = !above.is_empty() && read(text).contains(&above.to_lowercase());
    is_above || shows(text, row.field.short(row.label), answer)
}

#[test]
fn only_what_the_page_sends_by_itself_is_no_answer() {
    for row in fields(practice()) {
        let field = row.field;
        let of_the_page = OF_THE_PAGE.contains(&field);
        assert_eq!(row.section == Section::Hidden, of_the_page, "{field:?}");
        assert_eq!(field.is_stored(), !of_the_page, "{field:?}");
    }
}

#[test]
fn every_field_is_on_the_page_with_its_label_and_its_answers() {
    let (form, address) = (EnquiryForm::default(), Default::default());
    let page = FormPage {
        practice: practice(),
        form: &form,
        errors: &[],
        address: &address,
        notice: None,
        action: "/enquiries",
        submission: "6f0f3c1e-7d0e-4c50-9d3e-0a5b6f1c2d3e".to_owned(),
        proof: false,
    };
    let page = page.render().unwrap();
    for row in fields(practice()) {
        let field = row.field;
        let named = page.contains(&format!("name=\"{}\"", row.key));
        assert_eq!(named, !ADDED_LATER.contains(&field), "{field:?}");
        assert!(read(&page).contains(&row.hint.to_lowercase()), "{field:?}");
        // The consent's own words are its label.
        let label = match field {
            Field::Consent => &practice().consent.wording,
            _ => row.label,
        };
        assert!(read(&page).contains(&label.to_lowercase()), "{field:?}");
        for option in row.options(practice()) {
            assert!(
                page.contains(&format!("value=\"{}\"", option.key)),
                "{field:?}: {}",
                option.key
            );
        }
    }
}

#[test]
fn every_field_has_a_place_of_its_own_in_the_form() {
    let mut form = EnquiryForm::default();
    for row in fields(practice()) {
        form.put(row.field, row.key.to_owned());
    }
    for row in fields(practice()) {
        assert_eq!(form.values(row.field), [row.key]);
        assert_eq!(Field::from_key(row.key), Some(row.field));
    }
}

#[test]
fn every_question_refuses_what_it_does_not_offer_and_misses_what_it_requires() {
    let errors_at = |field: Field, value: &str| {
        let mut form = EnquiryForm::default();
        for (row, posted, _) in answers() {
            if row.field != field {
                form.put(row.field, posted);
            }
        }
        form.put(field, value.to_owned());
        let errors = form
            .check(practice(), jiff::Timestamp::UNIX_EPOCH)
            .enquiry
            .err()
            .unwrap_or_default();
        errors.iter().any(|error| error.field == field)
    };
    for (row, ..) in answers() {
        let closed = matches!(
            row.control,
            Control::OneOf(_) | Control::SeveralOf(_) | Control::Tick
        );
        assert_eq!(
            errors_at(row.field, "no-such-answer"),
            closed || row.field == Field::Email || row.field == Field::Phone,
            "{:?}",
            row.field
        );
        // The form asks for a call or a text message, for which a number is needed.
        let missed = row.required == Required::Yes || row.field == Field::Phone;
        assert_eq!(errors_at(row.field, ""), missed, "{:?}", row.field);
    }
}

#[test]
fn every_answer_is_in_the_email_to_the_therapist_and_privacy_mode_leaves_out_what_is_sensitive() {
    let samples = Samples {
        practice: practice(),
        received_at: "2026-11-23T10:20:00Z".parse().unwrap(),
        away_until: None,
    };
    let received = samples.with(samples.minimal(), |it| *it = enquiry());
    let to = therapist();
    for privacy in [false, true] {
        let email = TherapistEmail {
            privacy,
            ..samples.email(&received, &to)
        };
        let (email, plain) = (email.into_email(), email.plain());
        for (part, text) in [
            ("text", email.text),
            ("HTML", email.html.unwrap()),
            ("plain", plain.text),
        ] {
            for (row, posted, answer) in answers() {
                let shown = is_told(&text, &row, &answer);
                assert_eq!(
                    shown,
                    !(privacy && row.sensitive),
                    "{:?}, {part}, privacy {privacy}",
                    row.field
                );
                let typed = matches!(row.control, Control::Line { .. } | Control::Text { .. });
                assert!(
                    shown || !typed || !read(&text).contains(&posted.to_lowercase()),
                    "{:?}, {part}",
                    row.field
                );
            }
        }
    }
}

async fn post(app: &TestApp, content_type: &str, body: String) -> Answer {
    let headers = [("accept", BROWSER), ("content-type", content_type)];
    app.send(axum::http::Method::POST, "/enquiries", &headers, body)
        .await
}

#[tokio::test]
async fn every_answer_is_read_from_every_encoding_and_exported() {
    let app = TestApp::start_for(practice().clone(), emulated::options(), &[]).await;
    let posted: Vec<(&str, String)> = answers()
        .into_iter()
        .map(|(row, posted, _)| (row.key, posted))
        .collect();
    for encoding in ["form", "multipart", "json"] {
        let email = format!("{encoding}@example.com");
        let posted: Vec<(&str, &str)> = posted
            .iter()
            .map(|(key, value)| {
                (
                    *key,
                    if *key == "email" {
                        &email
                    } else {
                        value.as_str()
                    },
                )
            })
            .collect();
        let (content_type, body) = match encoding {
            "form" => ("application/x-www-form-urlencoded", urlencoded(&posted)),
            "multipart" => {
                let part = |(key, value): &(&str, &str)| {
                    format!(
                        "--b\r\nContent-Disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n"
                    )
                };
                let parts: String = posted.iter().map(part).collect();
                (
                    "multipart/form-data; boundary=b",
                    format!("{parts}--b--\r\n"),
                )
            }
            _ => {
                let member = |(key, value): &(&str, &str)| {
                    let field = Field::from_key(key).unwrap();
                    let repeatable = field.row(practice()).is_repeatable();
                    (
                        (*key).to_owned(),
                        if repeatable {
                            json!([value])
                        } else {
                            json!(value)
                        },
                    )
                };
                let members: Map<String, Value> = posted.iter().map(member).collect();
                ("application/json", Value::Object(members).to_string())
            }
        };
        let answer = post(&app, content_type, body).await;
        assert_eq!(answer.status, 303, "{encoding}: {}", answer.body);

        let export = app
            .invoke(json!({ "command": "export", "email": email }))
            .await
            .unwrap();
        let kept = export["enquiries"][0]["received"]["enquiry"].clone();
        let kept: Enquiry = serde_json::from_value(kept).unwrap();
        let table = json!({ "command": "export", "email": email, "format": "csv" });
        let table = app.invoke(table).await.unwrap();
        let mut rows = table["csv"]
            .as_str()
            .unwrap()
            .lines()
            .map(|row| row.split("\",\"").collect::<Vec<_>>());
        let (names, cells) = (rows.next().unwrap(), rows.next().unwrap());
        for (row, _, answer) in answers() {
            let answer = if row.field == Field::Email {
                email.clone()
            } else {
                answer
            };
            let shown = kept.answer(row.field, practice()).map(|it| it.text);
            assert_eq!(shown.as_ref(), Some(&answer), "{:?}, {encoding}", row.field);
            // The box is always ticked: the column says which wording was agreed to.
            let (name, cell) = match row.field {
                Field::Consent => ("Wording agreed to", practice().consent.version.clone()),
                _ => (row.field.short(row.label), answer),
            };
            let column = names.iter().position(|it| *it == name);
            let column = column.unwrap_or_else(|| panic!("{name} is no column"));
            assert_eq!(cells[column], cell, "{name}, {encoding}");
        }
    }
    app.emails().await;
    app.finish().await;
}
