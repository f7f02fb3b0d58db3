//! The browsers that are signed in, and signing them out.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;

use super::pages::{self, Message};
use super::{Fields, cookies, failed, see_other, with_cookies};
use crate::clock::Clock;
use crate::session::Session;
use crate::web::Web;

pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Response {
    let done = request.uri().query() == Some("done=signed-out");
    match web.sign_in.browsers(&clock).await {
        Ok(browsers) => pages::browsers(&web, &browsers, &session, done, clock.now()),
        Err(error) => failed(&web, &error),
    }
}

/// Signs one browser out; this one, too.
pub(super) async fn sign_out(
    State(web): State<Arc<Web>>,
    Extension(session): Extension<Session>,
    fields: Fields,
) -> Response {
    let key = fields.get("key");
    if let Err(error) = web.sign_in.sign_out_browser(key).await {
        return failed(&web, &error);
    }
    if key == session.key {
        return with_cookies(see_other("/desk"), [cookies::clear_session()]);
    }
    see_other("/desk/browsers?done=signed-out")
}

/// Signs every browser out, and revokes the links of the emails.
pub(super) async fn sign_out_everywhere(State(web): State<Arc<Web>>) -> Response {
    match web.sign_in.sign_out_everywhere().await {
        Ok(()) => {
            let done = pages::message(&web, &Message::SIGNED_OUT_EVERYWHERE);
            with_cookies(done, [cookies::clear_session()])
        }
        Err(error) => failed(&web, &error),
    }
}
