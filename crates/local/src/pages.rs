//! Every public page with all that it can say, in the browser: the form with each kind of error, each refusal, and the client's own page.

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
use enquiry_desk::practice::Practice;
use enquiry_desk::web::pages::{
    ConfirmationPage, ErrorPage, FormPage, MinePage, NotShown, Notice, Step,
};
use enquiry_desk::web::{CheckedAddress, EnquiryForm, RequestError};
use jiff::Timestamp;

use crate::previews::practice;

/// The routes under `/outbox/pages`; `file` is the practice's file.
pub(crate) fn router(file: PathBuf) -> Router {
    Router::new()
        .route("/outbox/pages", get(list))
        .route("/outbox/pages/{name}", get(one))
        .with_state(Arc::new(file))
}

/// A page with what it says.
struct Shown {
    name: String,
    about: String,
    html: String,
}

#[derive(Template)]
#[template(path = "pages.html")]
struct List {
    pages: Vec<Shown>,
}

async fn list(State(file): State<Arc<PathBuf>>) -> Response {
    match every(&file) {
        Some(pages) => page(&List { pages }),
        None => not_found("practice.toml cannot be used: /outbox/gallery says why."),
    }
}

async fn one(State(file): State<Arc<PathBuf>>, Path(name): Path<String>) -> Response {
    let pages = every(&file).unwrap_or_default();
    let Some(shown) = pages.into_iter().find(|page| page.name == name) else {
        return not_found("There is no page of this name.");
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self' data:",
        ),
    ];
    (StatusCode::OK, headers, shown.html).into_response()
}

/// Every page; none when the practice's file or a template cannot be used.
fn every(file: &std::path::Path) -> Option<Vec<Shown>> {
    let practice = practice(file).ok()?;
    let (forms, mine) = (forms(&practice)?, mine(&practice)?);
    let reference = Reference::parse("BB-7KQ4M").ok()?;
    let confirmed = |reference| {
        ConfirmationPage {
            practice: &practice,
            reference,
        }
        .render()
        .ok()
    };
    let mut pages = forms;
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
        let html = ErrorPage {
            practice: &practice,
            error,
        }
        .render()
        .ok()?;
        pages.push(shown(
            &name,
            &format!("{}: {}", problem.status.as_u16(), problem.title),
            html,
        ));
    }
    pages.extend(mine);
    Some(pages)
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
    let mut add = |name: &str,
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
    add("form", "The form", &[], &[], None)?;
    let told = [
        (Field::Name, "Zoë O’Brien"),
        (Field::Email, "zoe@gmial.com"),
        (Field::Goal, "treat"),
        (Field::Message, "My back has hurt since spring."),
        (Field::Times, "Tuesday mornings"),
        (Field::Consent, "yes"),
    ];
    add(
        "form-answered",
        "The form, with answers",
        &told,
        &[],
        Some(&RequestError::Unavailable),
    )?;
    add(
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
    add("form-question", "A likely typo", &told, &asked, None)?;
    // One error a field and page, in as many pages as a field can have errors.
    let rows: Vec<_> = fields(practice).collect();
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

/// The client's own page in each step, and why it may not be shown.
fn mine(practice: &Practice) -> Option<Vec<Shown>> {
    let reference = Reference::parse("BB-7KQ4M").ok()?;
    let mine = |step, erased: Option<&str>, disowned| {
        let page = MinePage {
            practice,
            reference: &reference,
            signature: "",
            step,
            received: "yesterday, 9:20am".to_owned(),
            promised: "by 5pm on Monday".to_owned(),
            erased: erased.map(str::to_owned),
            disowned,
            complaints: ("desk@example.com", "mailto:desk@example.com".to_owned()),
        };
        page.render().ok()
    };
    let mut pages = vec![
        shown(
            "mine",
            "The client's own page",
            mine(Step::Look, None, false)?,
        ),
        shown(
            "mine-withdraw",
            "Deleting",
            mine(Step::Withdraw, None, false)?,
        ),
        shown(
            "mine-not-ticked",
            "Deleting, without the tick",
            mine(Step::NotTicked, None, false)?,
        ),
        shown(
            "mine-deleted",
            "Deleted",
            mine(Step::Look, Some("tomorrow, 9:40am"), false)?,
        ),
        shown(
            "mine-disown",
            "Not their enquiry",
            mine(Step::Disown, None, false)?,
        ),
        shown(
            "mine-disowned",
            "They have said so",
            mine(Step::Look, None, true)?,
        ),
    ];
    for why in NotShown::ALL {
        let name = format!("mine-{why:?}").to_lowercase();
        pages.push(shown(
            &name,
            &format!("The client's own page: {why:?}"),
            why.render(practice).ok()?,
        ));
    }
    Some(pages)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
mod tests {
    use super::*;

    #[test]
    fn the_gallery_shows_every_public_page_under_a_name_of_its_own() {
        let pages = every(std::path::Path::new("no such file")).unwrap();
        let mut names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), pages.len());
        for row in fields(enquiry_desk::practice::compiled()) {
            let read = row.errors().into_iter();
            for error in read.filter(|it| !matches!(it, FieldError::WrongType(_))) {
                // Of a hidden field only its page can be put right.
                let words = match &error {
                    FieldError::Hidden(_) => "Send the form again".to_owned(),
                    FieldError::ConsentVersionUnknown => "The wording has changed".to_owned(),
                    error => error.message().into_owned(),
                };
                let words = words.replace('\'', "&#39;");
                assert!(
                    pages.iter().any(|page| page.html.contains(&words)),
                    "{words}"
                );
            }
        }
    }
}
