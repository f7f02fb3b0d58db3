//! Cross-origin rules: an exact list of origins that may post from a browser, and the headers of every answer.
//!
//! An `Origin` is a filter, not a proof of who posts; the public pages have no cookies that a foreign site could borrow. The
//! therapist's pages have a guard of their own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, COOKIE, ORIGIN,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tracing::error;

use super::{Answer, OwnOrigin, RequestError, ResponseFormat, Unread, Web};

/// What a request's `Origin` says.
enum Origin {
    /// No browser's cross-site request, or one that hides its origin (`null`, as after a redirect).
    Absent,
    /// A site on the list.
    Allowed(HeaderValue),
    /// Any other.
    Denied,
}

/// Refuses foreign origins, answers preflights, and puts the headers on every answer that all share. A panic further in
/// is an error of ours: the client still hears how else to reach the therapist, and the site's script may read it.
pub(super) async fn guard(
    State(web): State<Arc<Web>>,
    mut request: Request,
    next: Next,
) -> Response {
    // The desk's cookies come along wherever the browser goes; no public page gets to see them.
    request.headers_mut().remove(COOKIE);
    let own = request.extensions().get::<OwnOrigin>().cloned();
    let origin = check(&web, own.as_ref(), request.headers());
    let answer = Answer::new(&web, ResponseFormat::negotiate(request.headers()));
    let path = request.uri().path().to_owned();
    let mut response = match &origin {
        Origin::Denied => answer.problem(&RequestError::ForeignOrigin),
        _ if request.extensions().get::<Unread>().is_some() => {
            answer.problem(&RequestError::Unreadable)
        }
        _ if request.method() == Method::OPTIONS => options(web.allowed(&path)),
        _ => AssertUnwindSafe(next.run(request))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                error!("a request could not be answered: the code panicked");
                answer.problem(&RequestError::Unavailable)
            }),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(web.allowed(&path)));
    }
    add_common_headers(response.headers_mut());
    if let Origin::Allowed(allowed) = origin {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Location, Retry-After"),
        );
    }
    response
}

/// Puts the headers on an answer that all share, from every origin.
pub(super) fn add_common_headers(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("Origin, Accept"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("strict-origin-when-cross-origin"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

fn check(web: &Web, own: Option<&OwnOrigin>, headers: &HeaderMap) -> Origin {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => Origin::Absent,
        (Some(origin), None) if origin == "null" => Origin::Absent,
        (Some(origin), None) => {
            let listed = web
                .settings
                .allowed_origins
                .iter()
                .chain(own.map(|OwnOrigin(own)| own))
                .any(|listed| origin == listed);
            if listed {
                Origin::Allowed(origin.clone())
            } else {
                Origin::Denied
            }
        }
        _ => Origin::Denied,
    }
}

/// Whether a request comes from one of our own pages: its `Origin` is there, once, and exactly ours.
pub(super) fn is_own(web: &Web, extensions: &Extensions, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    let own = extensions
        .get::<OwnOrigin>()
        .map(|OwnOrigin(own)| own.as_str());
    let public = web.settings.public_url.as_deref();
    [own, public].into_iter().flatten().any(|own| origin == own)
}

/// The answer to a preflight, and to anybody who asks what is allowed.
fn options(allowed: &'static str) -> Response {
    let headers = [
        (ALLOW, allowed),
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Content-Type"),
        (ACCESS_CONTROL_MAX_AGE, "7200"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::app::App;
    use crate::aws::{Clients, HttpClients};
    use crate::practice;
    use crate::settings::Settings;

    fn app() -> Arc<App> {
        let variable = |name: &str| {
            let value = match name {
                "TABLE_NAME" => "enquiries",
                "THERAPIST_EMAIL" | "SENDER_EMAIL" => "desk@example.com",
                "HASH_KEY" => "0123456789abcdef0123456789abcdef",
                "ALLOWED_ORIGINS" => "http://127.0.0.1:1",
                _ => return None,
            };
            Some(value.to_owned())
        };
        App::new(
            Settings::from_env(variable).unwrap(),
            Arc::new(practice::compiled().clone()),
            Clients::from_variables(HttpClients::new(), variable),
        )
    }

    #[tokio::test]
    async fn a_public_page_never_sees_a_cookie() {
        let echo = async |headers: HeaderMap| headers.contains_key(COOKIE).to_string();
        let router: Router = Router::new()
            .route("/", get(echo))
            .layer(from_fn_with_state(Arc::clone(&app().web.web), guard));
        let request = axum::http::Request::get("/")
            .header(COOKIE, "__Host-desk=secret")
            .body(Body::empty())
            .unwrap();
        let response = router.oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 100)
            .await
            .unwrap();
        assert_eq!(body, "false");
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_the_headers_that_let_a_site_read_it() {
        let app = app();
        let broken = async || -> Response { panic!("a bug of ours") };
        let router: Router = Router::new()
            .route("/", get(broken))
            .layer(from_fn_with_state(Arc::clone(&app.web.web), guard));
        let request = axum::http::Request::get("/")
            .header(ORIGIN, "http://127.0.0.1:1")
            .body(Body::empty())
            .unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "http://127.0.0.1:1");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers.contains_key("retry-after"));
    }
}
