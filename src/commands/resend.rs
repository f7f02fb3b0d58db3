//! `resend`: one email of an enquiry goes once more, because an operator asks for it.
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
use crate::delivery::{self, EmailKind, MailState, ResendRefused};
use crate::store::Record;

/// The emails that may go once more.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Again {
    /// The enquiry itself.
    Therapist,
    /// The explanation of the treatments, to the client.
    AutoReply,
}

impl Again {
    const fn kind(self) -> EmailKind {
        match self {
            Self::Therapist => EmailKind::Therapist,
            Self::AutoReply => EmailKind::AutoReply,
        }
    }
}

/// Owes the email once more and sends it as far as it can be sent now.
pub(super) async fn resend(
    app: &App,
    reference: &str,
    again: Again,
    clock: &Clock,
) -> Result<Value, Error> {
    let kind = again.kind();
    let record = find(app, reference).await?;
    let reference = record.received.reference.clone();
    if let Again::AutoReply = again {
        still_helps(app, &record, clock)?;
    }
    let record = delivery::resend(app, record, kind, clock)
        .await?
        .map_err(|why| refused(format!("{kind} of {reference} {}", words(why))))?
        .ok_or_else(|| refused(format!("{reference} has just been erased")))?;
    info!(%reference, %kind, "a kind is to go once more");
    // What cannot be sent now stays pending, and the sweep goes on.
    let _ = delivery::deliver(app, record, clock).await;
    let record = find(app, reference.as_str()).await?;
    let state = record.deliveries.of(kind);
    let left = matches!(
        state,
        Some(MailState::Sent { .. } | MailState::Delivered { .. })
    );
    Ok(json!({ "reference": reference, "kind": kind.key(), "sent": left, "state": state }))
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

const fn words(why: ResendRefused) -> &'static str {
    match why {
        ResendRefused::Pending => {
            "is not sent again now, since emails of this enquiry are still pending: they leave by themselves, or with a sweep"
        }
        ResendRefused::Left => {
            "has left already, and there is one for each enquiry: if the client has not found it, answer them yourself"
        }
        ResendRefused::MayHaveLeft => {
            "may have left, and a second one might be one too many: answer the client yourself"
        }
        ResendRefused::CameBack => {
            "is not sent, since emails to this address come back or are not wanted: ring the client, or ask for another address"
        }
        ResendRefused::Suspect => {
            "waits for a release, since the enquiry looks like spam: if it is none, release it"
        }
        ResendRefused::NoPerson => {
            "is never sent to the practice's own addresses or to those of machines: answer the client yourself"
        }
    }
}
