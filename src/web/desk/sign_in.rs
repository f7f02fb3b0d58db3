//! Getting in and out: a code is asked for, typed in, and becomes a session.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::kept::Kept;
use super::pages::{self, Message};
use super::{Fields, cookies, failed, practice, retry_after, see_other, user_agent, with_cookies};
use crate::clock::Clock;
use crate::sign_in::{Asked, Asker};
use crate::web::{Source, Web};

/// Emails a code. Without a form to go on with, the answer leads to the page that takes it, so that a reload asks for no second one.
pub(super) async fn ask(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Extension(Source(source)): Extension<Source>,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let kept = Kept::read(&fields);
    let asker = Asker {
        mark: cookies::mark(&headers),
        source,
        user_agent: user_agent(&headers),
    };
    let (secret, unsure) = match web.sign_in.ask(asker, &clock).await {
        Ok(Asked::Sent(secret)) => (secret, false),
        Ok(Asked::Unsure(secret)) => (secret, true),
        Ok(Asked::NotSent) => return pages::message(&web, &Message::NOT_SENT),
        Ok(Asked::TooMany(until)) => {
            let seconds = until.duration_since(clock.now()).as_secs();
            let until = web.practice.when(until, clock.now());
            return retry_after(pages::too_many(&web, &until), seconds);
        }
        Err(error) => return failed(&web, &error),
    };
    let answer = if kept.path.is_empty() && !unsure {
        see_other(&format!("/desk/code?to={}", kept.to()))
    } else {
        pages::code(&web, StatusCode::OK, &kept, unsure)
    };
    with_cookies(answer, [cookies::set_asked(&secret)])
}

/// The page that takes a code.
pub(super) async fn code_page(State(web): State<Arc<Web>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let to = query.strip_prefix("to=").unwrap_or_default();
    pages::code(&web, StatusCode::OK, &Kept::page(to), false)
}

/// Takes a code, and signs in.
pub(super) async fn enter(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let kept = Kept::read(&fields);
    let (asked, before) = (cookies::asked(&headers), cookies::session(&headers));
    let entered = web
        .sign_in
        .enter(
            asked.as_ref(),
            before.as_ref(),
            fields.get("code"),
            user_agent(&headers),
            &clock,
        )
        .await;
    let signed_in = match entered {
        Ok(Some(signed_in)) => signed_in,
        Ok(None) => return pages::wrong_code(&web, &kept),
        Err(error) => return failed(&web, &error),
    };
    let practice = practice::resumed(&web, &kept.path, &kept.fields());
    let answer = practice.unwrap_or_else(|| match kept.resumed() {
        Some(form) => pages::resume(&web, &form),
        // A practice that is still to be set up comes first.
        None if !web.settings.is_open && kept.to() == "/desk" => see_other("/desk/practice"),
        None => see_other(kept.to()),
    });
    // A browser that is known keeps the mark it has, and with it what it has used up of its budget.
    let before = cookies::mark(&headers).filter(|mark| web.sign_in.knows(Some(mark)));
    let mark = before.map(str::to_owned).or(signed_in.mark);
    let cookies = [
        cookies::set_session(&signed_in.secret),
        cookies::clear_asked(),
        mark.and_then(|mark| cookies::set_mark(&mark)),
    ];
    with_cookies(answer, cookies)
}

/// Signs this browser out, whether or not its session has ended by itself.
pub(super) async fn sign_out(State(web): State<Arc<Web>>, request: Request) -> Response {
    if let Some(secret) = cookies::session(request.headers())
        && let Err(error) = web.sign_in.sign_out(&secret).await
    {
        return failed(&web, &error);
    }
    with_cookies(see_other("/desk"), [cookies::clear_session()])
}
