//! The page about the desk itself: what the last check found, and checking again.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::pages::{Frame, page_response};
use super::{desk_failed, see_other};
use crate::clock::Clock;
use crate::record::{Finding, Health, Level};
use crate::web::Web;

#[derive(Template)]
#[template(path = "pages/desk/health.html")]
struct HealthPage<'a> {
    frame: Frame<'a>,
    /// When it was checked last; nothing before the first time.
    checked: Option<String>,
    problems: Vec<&'a Finding>,
    well: Vec<&'a Finding>,
}

/// What the last check found.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
) -> Response {
    let health = match web.check.last().await {
        Ok(health) => health,
        Err(error) => return desk_failed(&web, &error.into()),
    };
    let practice = &web.practice;
    let checked = health.as_ref().map(|it| {
        let zone = practice.time_zone.rules().clone();
        let time = crate::practice::time_in_words(it.checked_at.to_zoned(zone).time());
        format!("{}, {time}", practice.which_day(it.checked_at, clock.now()))
    });
    let findings = health
        .as_ref()
        .map(|it| it.findings.as_slice())
        .unwrap_or_default();
    let page = HealthPage {
        frame: Frame::signed_in(&web, "/desk/health"),
        checked,
        problems: health.as_ref().map(Health::problems).unwrap_or_default(),
        well: findings.iter().filter(|it| it.level == Level::Ok).collect(),
    };
    page_response(&web, StatusCode::OK, &page)
}

/// Checks again, and shows what was found.
pub(super) async fn again(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
) -> Response {
    match web.check.now(&clock).await {
        Ok(_) => see_other("/desk/health"),
        Err(error) => desk_failed(&web, &error.into()),
    }
}
