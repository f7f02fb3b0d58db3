//! "Your practice": its sections, each on a page of its own; a change is shown before it is saved, and can be taken back.

mod fields;
mod pages;
mod preview;
mod typed;

use std::sync::Arc;

use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::pages::{Message, message};
use super::{Fields, desk_failed, query, see_other};
use crate::clock::Clock;
use crate::desk::DeskError;
use crate::desk::practice::{Held, Saving};
use crate::practice::{self, Practice, PracticeError};
use crate::web::Web;
use fields::Section;
pub(super) use pages::notes;
use pages::{Errors, Shown};
use typed::{Changed, Typed};

/// The sections, what was saved last, and what is worth knowing.
pub(super) async fn index(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    request: Request,
) -> Response {
    match web.desk.held().await {
        Ok(held) => pages::index(&web, &held, query(&request).get("done"), clock.now()),
        Err(error) => failed(&web, &error),
    }
}

/// One section, as it stands.
pub(super) async fn section(
    State(web): State<Arc<Web>>,
    Path(section): Path<String>,
    request: Request,
) -> Response {
    let Some(section) = Section::find(&section) else {
        return message(&web, &Message::NOT_FOUND);
    };
    match web.desk.held().await {
        Ok(held) => {
            let typed = Typed::of(section, &held.written);
            let shown = Shown {
                setup: !query(&request).get(SETUP).is_empty(),
                ..Shown::new(section, &typed, held.revision)
            };
            pages::section(&web, StatusCode::OK, &shown)
        }
        Err(error) => failed(&web, &error),
    }
}

/// A section with what was typed, in a browser that has signed in again; nothing for an address that is no section's.
pub(super) fn resumed(web: &Web, path: &str, posted: &[(String, String)]) -> Option<Response> {
    let section = path.strip_prefix("/desk/practice/")?;
    let section = Section::find(section.trim_end_matches("/save"))?;
    let typed = Typed::posted(section, posted);
    let fields = Fields(posted.to_vec());
    let seen = fields.get(SEEN).parse().unwrap_or_default();
    let shown = Shown {
        resumed: true,
        setup: !fields.get(SETUP).is_empty(),
        ..Shown::new(section, &typed, seen)
    };
    Some(pages::section(web, StatusCode::OK, &shown))
}

/// The field with the revision that was seen.
const SEEN: &str = "seen";
/// The field that a new practice is led through with.
const SETUP: &str = "setup";

/// Whether a field of this name may be one of a section's: what is kept of a form when the session has ended.
pub(super) fn is_field(name: &str) -> bool {
    let one = [(name.to_owned(), String::new())];
    let is_known = |section: &Section| !Typed::posted(section, &one).0.is_empty();
    name == SEEN || name == SETUP || fields::SECTIONS.iter().any(is_known)
}

/// What was posted for a section, applied to the practice as it stands and checked.
struct Attempt {
    section: &'static Section,
    typed: Typed,
    seen: u64,
    /// Whether only the form is wanted again.
    again: bool,
    setup: bool,
    held: Held,
    changed: Changed,
    checked: Result<Practice, Vec<PracticeError>>,
}

async fn attempt(web: &Web, section: &str, posted: Fields) -> Result<Attempt, Response> {
    let Some(section) = Section::find(section) else {
        return Err(message(web, &Message::NOT_FOUND));
    };
    let held = web.desk.held().await.map_err(|error| failed(web, &error))?;
    let typed = Typed::posted(section, &posted.0);
    let changed = typed.applied(section, &held.written);
    let checked = practice::check(&changed.written).map_err(|errors| errors.0);
    Ok(Attempt {
        section,
        seen: posted.get(SEEN).parse().unwrap_or_default(),
        again: !posted.get("again").is_empty(),
        setup: !posted.get(SETUP).is_empty(),
        typed,
        held,
        changed,
        checked,
    })
}

impl Attempt {
    /// The form as it was posted.
    fn shown(&self, seen: u64) -> Shown<'_> {
        Shown {
            setup: self.setup,
            ..Shown::new(self.section, &self.typed, seen)
        }
    }

    /// The form again, with everything that was typed and every error at its field.
    fn refused(&self, web: &Web, errors: &[PracticeError]) -> Response {
        let errors = Errors::new(self.section, &self.changed, errors);
        let shown = Shown {
            errors,
            ..self.shown(self.seen)
        };
        pages::section(web, StatusCode::UNPROCESSABLE_ENTITY, &shown)
    }

    /// The form again, with what another window has saved beside it.
    fn conflict(&self, web: &Web, stands: &Held) -> Response {
        let now = Typed::of(self.section, &stands.written);
        let shown = Shown {
            stands: Some(&now),
            ..self.shown(stands.revision)
        };
        pages::section(web, StatusCode::CONFLICT, &shown)
    }
}

/// Shows the form and both emails with the change. Nothing is saved.
pub(super) async fn preview(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Path(section): Path<String>,
    posted: Fields,
) -> Response {
    let attempt = match attempt(&web, &section, posted).await {
        Ok(attempt) => attempt,
        Err(response) => return response,
    };
    match &attempt.checked {
        _ if attempt.again => pages::section(&web, StatusCode::OK, &attempt.shown(attempt.seen)),
        Err(errors) => attempt.refused(&web, errors),
        Ok(_) if attempt.seen != attempt.held.revision => attempt.conflict(&web, &attempt.held),
        Ok(practice) => {
            let (section, typed, seen) = (attempt.section, &attempt.typed, attempt.seen);
            preview::page(&web, practice, section, typed, seen, clock.now())
        }
    }
}

/// Saves a section.
pub(super) async fn save(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    Path(section): Path<String>,
    posted: Fields,
) -> Response {
    let attempt = match attempt(&web, &section, posted).await {
        Ok(attempt) => attempt,
        Err(response) => return response,
    };
    if let Err(errors) = &attempt.checked {
        return attempt.refused(&web, errors);
    }
    let written = attempt.changed.written.clone();
    match web.desk.save_practice(written, attempt.seen, &clock).await {
        Ok(Saving::Saved) if attempt.setup => see_other(&attempt.section.after()),
        Ok(Saving::Saved) => see_other("/desk/practice?done=saved"),
        Ok(Saving::Conflict(stands)) => attempt.conflict(&web, &stands),
        Ok(Saving::Refused(errors)) => attempt.refused(&web, &errors),
        Err(error) => failed(&web, &error),
    }
}

/// Puts the version before in force again.
pub(super) async fn step_back(
    State(web): State<Arc<Web>>,
    Extension(clock): Extension<Clock>,
    posted: Fields,
) -> Response {
    let seen = posted.get(SEEN).parse().unwrap_or_default();
    match web.desk.step_back(seen, &clock).await {
        Ok(Saving::Saved) => see_other("/desk/practice?done=back"),
        Ok(Saving::Conflict(_)) => see_other("/desk/practice?done=changed"),
        Ok(Saving::Refused(_)) => see_other("/desk/practice?done=gone"),
        Err(error) => failed(&web, &error),
    }
}

fn failed(web: &Web, error: &DeskError) -> Response {
    match error {
        DeskError::Store(store) if store.is_unreadable() => {
            message(web, &Message::PRACTICE_UNREADABLE)
        }
        error => desk_failed(web, error),
    }
}
