//! The previews in the browser: every email to the table of sample enquiries, in the words of `practice.toml` as the file is now.
//!
//! The therapist changes a word, loads the page again, and sees every consequence; or the errors of the file, by line and key.

use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use aws_emulator::mailbox_pages::{email_html, not_found, page};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use enquiry_desk::practice::{Practice, PracticeErrors};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::Deserialize;
use testing::samples::{Sample, Samples};

/// The routes under `/outbox/gallery`; `file` is the practice's file.
pub(crate) fn router(file: PathBuf) -> Router {
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
#[template(path = "previews.html")]
struct Gallery<'a> {
    sections: Vec<Section>,
    received: String,
    away_until: String,
    query: String,
    practice: &'a Practice,
}

struct Section {
    heading: &'static str,
    emails: Vec<Sample>,
}

#[derive(Template)]
#[template(path = "errors.html")]
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
                emails: samples.to_client(),
            },
            Section {
                heading: "To you",
                emails: samples.to_therapist(),
            },
            Section {
                heading: "To you, when an answer did not arrive",
                emails: samples.notices(),
            },
            Section {
                heading: "To you, about no single enquiry",
                emails: samples.own(),
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
    let sample = practice(&file).ok().and_then(|practice| {
        samples(&practice, &when)
            .every()
            .into_iter()
            .find(|it| it.full_name() == name)
    });
    match sample.and_then(|it| it.mail.html) {
        Some(html) => email_html(html),
        None => not_found("There is no email of this name with an HTML part."),
    }
}

/// The practice as its file is now; as it was compiled, when the file is no longer there.
pub(crate) fn practice(file: &std::path::Path) -> Result<Practice, PracticeErrors> {
    match std::fs::read_to_string(file) {
        Ok(text) => Practice::from_toml(&text),
        Err(_) => Ok(enquiry_desk::practice::compiled().clone()),
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

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    const SECOND: &str = include_str!("../../../tests/second_practice.toml");

    /// What the router answers: status, policy and body.
    async fn get(router: &Router, path: &str) -> (StatusCode, String, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let policy = &parts.headers["content-security-policy"];
        let policy = policy.to_str().unwrap().to_owned();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        (parts.status, policy, body)
    }

    #[tokio::test]
    async fn the_gallery_shows_every_email_in_the_words_of_the_file() {
        let file = std::env::temp_dir().join(format!("previews-{}.toml", std::process::id()));
        std::fs::write(&file, SECOND).unwrap();
        let router = router(file.clone());
        let when = "received=2026-12-01T10:00&away_until=2026-12-21";

        let (status, _, page) = get(&router, &format!("/outbox/gallery?{when}")).await;
        assert_eq!(status, StatusCode::OK);
        let practice = Practice::from_toml(SECOND).unwrap();
        let samples = Samples {
            practice: &practice,
            received_at: "2026-12-01T10:00:00Z".parse().unwrap(),
            away_until: None,
        };
        for sample in samples.every() {
            let name = sample.full_name();
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
            if sample.mail.html.is_some() {
                let frame = format!("/outbox/gallery/{name}?{when}");
                assert!(page.replace("&#38;", "&").contains(&frame), "{name}");
            }
        }
        assert!(page.contains("Quiet Hands") && !page.contains("Body Benefits"));

        let path = format!("/outbox/gallery/client_relax?{when}");
        let (status, policy, frame) = get(&router, &path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(policy.starts_with("sandbox;"), "{policy}");
        assert!(frame.contains("December"), "{frame}");
        let (status, ..) = get(&router, "/outbox/gallery/client_unknown").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        // Nonsense in the address is read as "now".
        let (status, ..) = get(&router, "/outbox/gallery?received=soon").await;
        assert_eq!(status, StatusCode::OK);

        std::fs::write(&file, SECOND.replace("£40", "")).unwrap();
        let (status, _, page) = get(&router, "/outbox/gallery").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("practice.toml, line "), "{page}");
        assert!(page.contains("treatment.price"), "{page}");
        std::fs::remove_file(file).unwrap();
    }
}
