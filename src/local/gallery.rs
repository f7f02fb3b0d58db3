//! The gallery in the browser: every letter for the table of sample enquiries, in the words of `practice.toml` as the file is now.
//!
//! The therapist changes a word, loads the page again, and sees every consequence; or the errors of the file, by line and key.

use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::Deserialize;

use self::samples::{Sample, Samples};
use super::outbox::{MAIL_POLICY, not_found, page, respond};
use crate::practice::{self, Practice, PracticeErrors};

pub mod samples;

/// The routes under `/outbox/gallery`; `file` is the practice's file.
pub(super) fn router<S: Clone + Send + Sync + 'static>(file: PathBuf) -> Router<S> {
    Router::new()
        .route("/outbox/gallery", get(gallery))
        .route("/outbox/gallery/{name}", get(html))
        .with_state(Arc::new(file))
}

/// When the sample enquiries come in, as the page's own form says it: local time of the practice.
#[derive(Debug, Default, Deserialize)]
struct When {
    #[serde(default)]
    received: String,
    #[serde(default)]
    away_until: String,
}

#[derive(Template)]
#[template(path = "local/gallery.html")]
struct Gallery<'a> {
    sections: Vec<Section>,
    received: String,
    away_until: String,
    query: String,
    practice: &'a Practice,
}

struct Section {
    heading: &'static str,
    letters: Vec<Sample>,
}

#[derive(Template)]
#[template(path = "local/errors.html")]
struct Errors {
    errors: PracticeErrors,
}

async fn gallery(State(file): State<Arc<PathBuf>>, Query(when): Query<When>) -> Response {
    let practice = match practice(&file) {
        Ok(practice) => practice,
        Err(errors) => {
            let mut response = page(&Errors { errors });
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return response;
        }
    };
    let samples = samples(&practice, &when);
    let received = samples
        .received_at
        .to_zoned(practice.time_zone.rules().clone())
        .strftime("%Y-%m-%dT%H:%M")
        .to_string();
    let away_until = samples
        .away_until
        .map_or_else(String::new, |day| day.to_string());
    page(&Gallery {
        sections: vec![
            Section {
                heading: "To the client",
                letters: samples.to_client(),
            },
            Section {
                heading: "To you",
                letters: samples.to_therapist(),
            },
            Section {
                heading: "To you, when an answer did not arrive",
                letters: samples.notices(),
            },
        ],
        // Both are made of digits and signs that a query may hold.
        query: format!("?received={received}&away_until={away_until}"),
        received,
        away_until,
        practice: &practice,
    })
}

/// The HTML part alone, for the frames.
async fn html(
    State(file): State<Arc<PathBuf>>,
    Path(name): Path<String>,
    Query(when): Query<When>,
) -> Response {
    let letter = practice(&file).ok().and_then(|practice| {
        samples(&practice, &when)
            .every()
            .into_iter()
            .find(|it| it.full_name() == name)
    });
    match letter.and_then(|it| it.mail.html) {
        Some(html) => respond("text/html; charset=utf-8", MAIL_POLICY, html.into_bytes()),
        None => not_found("There is no letter of this name with an HTML part."),
    }
}

/// The practice as its file is now; as it was compiled, when the file is no longer there.
fn practice(file: &std::path::Path) -> Result<Practice, PracticeErrors> {
    match std::fs::read_to_string(file) {
        Ok(text) => Practice::from_toml(&text),
        Err(_) => Ok(practice::compiled().clone()),
    }
}

/// The samples, received now unless the query says otherwise.
fn samples<'a>(practice: &'a Practice, when: &When) -> Samples<'a> {
    let zone = practice.time_zone.rules();
    let received_at = when
        .received
        .parse::<DateTime>()
        .ok()
        .and_then(|local| local.to_zoned(zone.clone()).ok())
        .map_or_else(Timestamp::now, |zoned| zoned.timestamp());
    Samples {
        practice,
        received_at,
        away_until: when.away_until.parse::<Date>().ok(),
    }
}
