//! `resend`: one letter of an enquiry goes once more, because an operator asks for it.
//!
//! The therapist's may go as often as anybody likes. The auto-reply goes only when it certainly never left, and with
//! all the limits of a first one: one for each enquiry, and one for each address within the cool-down.

use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;

use super::{find, refused};
use crate::app::App;
use crate::clock::Clock;
use crate::outbox::{self, Letter, MailState, NotAgain};
use crate::store::Record;

/// The letters that may go once more.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Again {
    /// The enquiry itself.
    Therapist,
    /// The explanation of the treatments, to the client.
    AutoReply,
}

impl Again {
    const fn letter(self) -> Letter {
        match self {
            Self::Therapist => Letter::Therapist,
            Self::AutoReply => Letter::AutoReply,
        }
    }
}

/// Owes the letter once more and sends it as far as it can be sent now.
pub(super) async fn resend(
    app: &App,
    reference: &str,
    again: Again,
    clock: &Clock,
) -> Result<Value, Error> {
    let letter = again.letter();
    let record = find(app, reference).await?;
    let reference = record.received.reference.clone();
    if let Again::AutoReply = again {
        still_helps(app, &record, clock)?;
    }
    let record = outbox::resend(app, record, letter, clock)
        .await?
        .map_err(|why| refused(format!("{letter} of {reference} {}", words(why))))?
        .ok_or_else(|| refused(format!("{reference} has just been erased")))?;
    info!(%reference, %letter, "a letter is to go once more");
    // What cannot be sent now stays owed, and the sweep goes on.
    let _ = outbox::deliver(app, record, clock).await;
    let record = find(app, reference.as_str()).await?;
    let state = record.deliveries.of(letter);
    let left = matches!(
        state,
        Some(MailState::Sent { .. } | MailState::Delivered { .. })
    );
    Ok(json!({ "reference": reference, "letter": letter.key(), "sent": left, "state": state }))
}

/// An auto-reply says by when to expect an answer, counted from the enquiry.
fn still_helps(app: &App, record: &Record, clock: &Clock) -> Result<(), Error> {
    let reference = &record.received.reference;
    let promised = app
        .practice
        .reply_by(record.received.received_at, app.settings.away_until);
    if promised.timestamp() < clock.now() {
        return Err(refused(format!(
            "auto_reply of {reference} would promise an answer by a time that has passed: answer the client yourself"
        )));
    }
    if record.uncounted {
        return Err(refused(format!(
            "auto_reply of {reference} stays withheld, since nobody counted where the enquiry came from: answer the client yourself"
        )));
    }
    Ok(())
}

const fn words(why: NotAgain) -> &'static str {
    match why {
        NotAgain::Owed => {
            "is not sent again now, since mails of this enquiry are still owed: they leave by themselves, or with a sweep"
        }
        NotAgain::Left => {
            "has left already, and there is one for each enquiry: if the client has not found it, answer them yourself"
        }
        NotAgain::MayHaveLeft => {
            "may have left, and a second one might be one too many: answer the client yourself"
        }
        NotAgain::CameBack => {
            "is not sent, since mails to this address come back or are not wanted: ring the client, or ask for another address"
        }
        NotAgain::Suspect => {
            "waits for a release, since the enquiry looks like spam: if it is none, release it"
        }
        NotAgain::NoPerson => {
            "is never sent to the practice's own addresses or to those of machines: answer the client yourself"
        }
    }
}
