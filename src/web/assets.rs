//! Style sheets and scripts, which every page shares.

use axum::http::header;
use axum::response::{IntoResponse, Response};

pub(super) async fn style_sheet() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../../site/style.css"),
    )
}

pub(super) async fn desk_style_sheet() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../../templates/pages/desk/desk.css"),
    )
}

pub(super) async fn script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../../site/enquiry.js"),
    )
}

pub(super) async fn proof_script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../../site/proof.js"),
    )
}

/// A file that every page shares: kept for a day, so that a new deployment shows soon.
fn asset(content_type: &'static str, body: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "public, max-age=86400"),
        ],
        body,
    )
        .into_response()
}
