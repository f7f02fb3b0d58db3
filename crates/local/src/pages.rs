//! Every page with all that it can say, in the browser: the form with each kind of error, each refusal, the client's own page, and the
//! desk's.

use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use aws_emulator::mailbox_pages::{not_found, page};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use enquiry_desk::enquiry::field::Row;
use enquiry_desk::enquiry::{Field, FieldError, FormError, Reference, fields};
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::web::pages::{ConfirmationPage, ErrorPage, FormPage, Notice};
use enquiry_desk::web::{CheckedAddress, EnquiryForm, RequestError};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Mutex;

use crate::{desk_pages, previews};

/// The routes under `/outbox/pages`; `file` is the practice's file.
pub(crate) fn router(file: PathBuf) -> Router {
    Router::new()
        .route("/outbox/pages", get(list))
        .route("/outbox/pages/{name}", get(one))
        .with_state(Arc::new(Gallery {
            file,
            made: Mutex::default(),
        }))
}

struct Gallery {
    file: PathBuf,
    /// The pages of the practice as it was last: a desk is lived for them, which takes a while.
    made: Mutex<Option<(Practice, Arc<Vec<Section>>)>>,
}

/// Pages that belong together.
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) pages: Vec<Shown>,
}

/// A page with what it says.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) html: String,
}

#[derive(Template)]
#[template(path = "pages.html")]
struct List<'a> {
    sections: &'a [Section],
}

impl Gallery {
    /// Every page; an error in words when the practice's file or a page cannot be used.
    async fn sections(&self) -> Result<Arc<Vec<Section>>, String> {
        let unusable = "practice.toml cannot be used: /outbox/gallery says why.";
        let practice = previews::practice(&self.file).map_err(|_| unusable)?;
        let mut made = self.made.lock().await;
        if let Some((of, sections)) = made.as_ref()
            && of.written == practice.written
        {
            return Ok(Arc::clone(sections));
        }
        let sections = Arc::new(sections(&practice).await?);
        *made = Some((practice, Arc::clone(&sections)));
        Ok(sections)
    }
}

async fn list(State(gallery): State<Arc<Gallery>>) -> Response {
    match gallery.sections().await {
        Ok(sections) => page(&List {
            sections: &sections,
        }),
        Err(words) => not_found(&words),
    }
}

async fn one(State(gallery): State<Arc<Gallery>>, Path(name): Path<String>) -> Response {
    let sections = match gallery.sections().await {
        Ok(sections) => sections,
        Err(words) => return not_found(&words),
    };
    let mut pages = sections.iter().flat_map(|it| &it.pages);
    let Some(shown) = pages.find(|page| page.name == name) else {
        return not_found("There is no page of this name.");
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        // A page of the desk shows emails, which bring their own style.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
        ),
    ];
    (StatusCode::OK, headers, shown.html.clone()).into_response()
}

/// Every page of this practice.
pub(crate) async fn sections(practice: &Practice) -> Result<Vec<Section>, String> {
    let public = Section {
        heading: "The form, and what can become of it",
        pages: public(practice).ok_or("a public page cannot be made")?,
    };
    let mut sections = vec![public];
    sections.extend(desk_pages::every(practice).await?);
    Ok(sections)
}

fn public(practice: &Practice) -> Option<Vec<Shown>> {
    let reference = Reference::parse("BB-7KQ4M").ok()?;
    let confirmed = |reference| {
        ConfirmationPage {
            practice,
            reference,
        }
        .render()
        .ok()
    };
    let mut pages = forms(practice)?;
    pages.extend([
        shown(
            "confirmation",
            "The enquiry has arrived",
            confirmed(Some(&reference))?,
        ),
        shown(
            "confirmation-alone",
            "The same, opened by itself",
            confirmed(None)?,
        ),
    ]);
    let unknown = RequestError::unknown_field("nickname");
    for error in RequestError::ALL.iter().chain([&unknown]) {
        let problem = error.problem_type();
        let named = matches!(error, RequestError::UnknownField(Some(_)));
        let name = format!(
            "refused-{}{}",
            problem.name,
            if named { "-named" } else { "" }
        );
        let html = ErrorPage { practice, error }.render().ok()?;
        pages.push(shown(
            &name,
            &format!("{}: {}", problem.status.as_u16(), problem.title),
            html,
        ));
    }
    Some(pages)
}

/// The practice with questions of its own: one of each kind, when it has none.
fn with_questions(practice: &Practice) -> Option<Practice> {
    if !practice.questions.is_empty() {
        return Some(practice.clone());
    }
    let mut written = practice.written.clone();
    let listed = |first: &str, second: &str| json!([{ "value": "first", "label": first }, { "value": "second", "label": second }]);
    let mut questions = Vec::new();
    for (key, label, kind, options) in [
        ("q_sport", "Which sport do you do?", "line", None),
        ("q_tried", "What have you tried so far?", "text", None),
        (
            "q_time",
            "When are you free?",
            "one-of",
            Some(listed("On weekdays", "At the weekend")),
        ),
        (
            "q_floor",
            "How can you get to us?",
            "several-of",
            Some(listed("By lift", "By the stairs")),
        ),
        (
            "q_dog",
            "Are you fine with a dog in the house?",
            "yes-no",
            None,
        ),
    ] {
        questions.push(json!({
            "key": key, "label": label, "kind": kind, "options": options, "section": "visit", "required": true, "health": false,
        }));
    }
    written.question = serde_json::from_value(questions.into()).ok()?;
    practice::check(&written).ok()
}

fn shown(name: &str, about: &str, html: String) -> Shown {
    Shown {
        name: name.to_owned(),
        about: about.to_owned(),
        html,
    }
}

/// The form: empty, with every error that a field can have, with each question, and with what is said when it cannot be taken.
fn forms(practice: &Practice) -> Option<Vec<Shown>> {
    let mut pages = Vec::new();
    let mut add = |practice: &Practice,
                   name: &str,
                   about: &str,
                   typed: &[(Field, &str)],
                   errors: &[FormError],
                   error: Option<&RequestError>| {
        let mut form = EnquiryForm::default();
        for (field, value) in typed {
            form.put(*field, (*value).to_owned());
        }
        let checked = form.check(practice, Timestamp::UNIX_EPOCH);
        let address = if errors.is_empty() {
            CheckedAddress::default()
        } else {
            checked.address
        };
        let page = FormPage {
            practice,
            form: &form,
            errors,
            address: &address,
            notice: error.map(|error| Notice {
                title: error.problem_type().title,
                message: error.message(),
            }),
            action: "/enquiries",
            submission: String::new(),
            proof: false,
        };
        pages.push(shown(name, about, page.render().ok()?));
        Some(())
    };
    add(practice, "form", "The form", &[], &[], None)?;
    let told = [
        (Field::Name, "Zoë O’Brien"),
        (Field::Email, "zoe@gmial.com"),
        (Field::Goal, "treat"),
        (Field::Message, "My back has hurt since spring."),
        (Field::Times, "Tuesday mornings"),
        (Field::Consent, "yes"),
    ];
    add(
        practice,
        "form-answered",
        "The form, with answers",
        &told,
        &[],
        Some(&RequestError::Unavailable),
    )?;
    add(
        practice,
        "form-too-many",
        "Too many enquiries from one connection",
        &told,
        &[],
        Some(&RequestError::TooManyRequests(660)),
    )?;
    let mut form = EnquiryForm::default();
    for (field, value) in told {
        form.put(field, value.to_owned());
    }
    let asked = form.check(practice, Timestamp::UNIX_EPOCH).enquiry.err()?;
    add(
        practice,
        "form-question",
        "A likely typo",
        &told,
        &asked,
        None,
    )?;
    // One error a field and page, in as many pages as a field can have errors.
    let asking = with_questions(practice)?;
    let rows: Vec<_> = fields(&asking).collect();
    let most = rows.iter().map(|row| row.errors().len()).max()?;
    for nth in 0..most {
        let error_of = |row: &Row<'_>| {
            let errors = row.errors().into_iter();
            let mut errors = errors.filter(|it| !matches!(it, FieldError::WrongType(_)));
            let field = row.field;
            errors.nth(nth).map(|error| FormError { field, error })
        };
        let errors: Vec<FormError> = rows.iter().filter_map(error_of).collect();
        if !errors.is_empty() {
            let name = format!("form-errors-{}", nth + 1);
            add(
                &asking,
                &name,
                &format!("Errors of every field, {} of {most}", nth + 1),
                &[],
                &errors,
                None,
            )?;
        }
    }
    Some(pages)
}
