//! "I have answered": the link in an email about an enquiry, which works without signing in.
//!
//! Opening it changes nothing, since programs open links too. What a press does can be undone here, is on the timeline as a
//! link's, and is told in the next morning list; it never takes back what the therapist marked on her desk.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::pages::{self, Frame, Message, page_response};
use super::{Fields, desk_failed, failed, query, see_other, words};
use crate::clock::Clock;
use crate::email::first_name;
use crate::enquiry::Reference;
use crate::record::{Mark, Origin, Record};
use crate::web::Web;

/// A press that comes sooner after the email left is asked about once more: programs that look at emails press at once.
const TOO_SOON: SignedDuration = SignedDuration::from_mins(2);

/// A link that is good.
struct Link {
    reference: Reference,
    sent: i64,
    signature: String,
    /// When its email left.
    left: Timestamp,
}

#[derive(Template)]
#[template(path = "pages/desk/act.html")]
struct ActPage<'a> {
    frame: Frame<'a>,
    reference: &'a str,
    /// The client's first name, when one can be told.
    name: &'a str,
    sent: i64,
    signature: &'a str,
    stands: Stands,
    /// Where it stands, in words.
    words: String,
    /// Whether the press came too soon after the email.
    is_too_soon: bool,
}

/// What the page can offer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It can be marked as answered.
    Waiting,
    /// It was, through a link, which can be undone here.
    ByLink,
    /// Anything else is changed on the desk.
    Otherwise,
    /// Its client has withdrawn it: nothing changes that here.
    Withdrawn,
}

impl Stands {
    fn of(record: &Record) -> Self {
        if record.state.withdrawn.is_some() {
            return Self::Withdrawn;
        }
        match record
            .state
            .marked
            .filter(|marked| marked.mark != Mark::Waiting)
        {
            None if record.is_waiting() => Self::Waiting,
            Some(marked) if marked.mark == Mark::Answered && matches!(marked.by, Origin::Link) => {
                Self::ByLink
            }
            _ => Self::Otherwise,
        }
    }
}

/// The link, when it is one of ours, for this enquiry and this therapist, not older than 30 days, and from after everything was
/// last signed out.
async fn link(
    web: &Web,
    reference: &str,
    carried: &Fields,
    now: Timestamp,
) -> Result<Link, Response> {
    let worn = || pages::message(web, &Message::LINK);
    let epoch = web.sign_in.epoch().await;
    let epoch = epoch.map_err(|error| failed(web, &error))?;
    let links = web.links.as_ref();
    let links = links.ok_or_else(|| pages::message(web, &Message::UNAVAILABLE))?;
    let reference = Reference::parse(reference).map_err(|_| worn())?;
    let sent = carried.get("t").parse().map_err(|_| worn())?;
    let signature = carried.get("s").to_owned();
    let left = links.opens_answered(&reference, sent, &signature, epoch, now);
    let left = left.ok_or_else(worn)?;
    Ok(Link {
        reference,
        sent,
        signature,
        left,
    })
}

async fn record(web: &Web, link: &Link) -> Result<Record, Response> {
    let record = web.desk.show(&link.reference).await;
    record.map_err(|error| desk_failed(web, &error))
}

fn render(web: &Web, link: &Link, record: &Record, is_too_soon: bool, now: Timestamp) -> Response {
    let page = ActPage {
        frame: Frame::outside(web),
        reference: link.reference.as_str(),
        name: first_name(&record.received.enquiry.name).unwrap_or_default(),
        sent: link.sent,
        signature: &link.signature,
        stands: Stands::of(record),
        words: words::stands(&web.practice, record, now),
        is_too_soon,
    };
    page_response(web, StatusCode::OK, &page)
}

/// Where it stands, and a button.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Path(reference): Path<String>,
    request: Request,
) -> Response {
    let carried = query(&request);
    drop(request);
    let opened = opened(&web, &reference, &carried, clock.now());
    opened.await.unwrap_or_else(|response| response)
}

async fn opened(
    web: &Web,
    reference: &str,
    carried: &Fields,
    now: Timestamp,
) -> Result<Response, Response> {
    let link = link(web, reference, carried, now).await?;
    let record = record(web, &link).await?;
    Ok(render(web, &link, &record, false, now))
}

/// Marks it as answered, or takes that back.
pub(super) async fn press(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Path(reference): Path<String>,
    posted: Fields,
) -> Response {
    let pressed = pressed(&web, &reference, &posted, &clock);
    pressed.await.unwrap_or_else(|response| response)
}

async fn pressed(
    web: &Web,
    reference: &str,
    posted: &Fields,
    clock: &Clock,
) -> Result<Response, Response> {
    let now = clock.now();
    let link = link(web, reference, posted, now).await?;
    let record = record(web, &link).await?;
    let (stands, reference) = (Stands::of(&record), &link.reference);
    let outcome = match (posted.get("do"), stands) {
        ("undo", Stands::ByLink) => {
            web.desk
                .undo(reference, Mark::Answered, Origin::Link, clock)
                .await
        }
        ("answered", Stands::Waiting) => {
            if now < link.left + TOO_SOON && posted.get("sure") != "yes" {
                return Ok(render(web, &link, &record, true, now));
            }
            let seen = Some(Mark::Waiting);
            web.desk
                .mark(reference, Mark::Answered, seen, Origin::Link, clock)
                .await
        }
        // An old page, or a second press: the page says what stands.
        _ => return Ok(back(&link)),
    };
    outcome.map_err(|error| desk_failed(web, &error))?;
    Ok(back(&link))
}

/// Back to the page of the link, so that a reload repeats nothing.
fn back(link: &Link) -> Response {
    let Link {
        reference,
        sent,
        signature,
        ..
    } = link;
    see_other(&format!(
        "/desk/act/answered/{reference}?t={sent}&s={signature}"
    ))
}
