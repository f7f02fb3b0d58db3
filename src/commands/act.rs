//! Commands about one enquiry: `mark`, `note`, `release`, `spam`, `block`, `trust`, `unblock`. A command that finds
//! it done already says what stands.

use serde_json::{Value, json};

use super::{Commands, Error, refused};
use crate::clock::Clock;
use crate::desk::act::{Noted, Outcome};
use crate::enquiry::Reference;
use crate::messages;
use crate::record::{Mark, Origin};
use crate::spam::SenderRule;

impl Commands {
    /// Marks an enquiry.
    pub(super) async fn mark(
        &self,
        reference: &Reference,
        mark: Mark,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let marked = self
            .desk
            .mark(reference, mark, None, Origin::Command, clock);
        Ok(answer(&marked.await?))
    }

    /// Saves the private note; an empty one is taken away.
    pub(super) async fn note(
        &self,
        reference: &Reference,
        text: &str,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let noted = self
            .desk
            .note(reference, text, None, Origin::Command, clock);
        let (Noted::Saved(note) | Noted::Conflict(note)) = noted.await?;
        Ok(json!({ "reference": reference, "note": note.as_ref().map(|note| note.text()) }))
    }

    /// Answers an enquiry that only looked like spam.
    pub(super) async fn release(
        &self,
        reference: &Reference,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let released = self.desk.not_spam(reference, Origin::Command, clock);
        let Outcome::Done(record) = released.await? else {
            return Err(refused(messages::command::nothing_to_release(reference)));
        };
        let auto_reply = record.state.deliveries.auto_reply;
        Ok(json!({ "reference": reference, "released": true, "auto_reply": auto_reply }))
    }

    /// Calls an enquiry spam.
    pub(super) async fn spam(&self, reference: &Reference, clock: &Clock) -> Result<Value, Error> {
        let outcome = self.desk.spam(reference, Origin::Command, clock).await?;
        Ok(answer(&outcome))
    }

    /// Blocks or trusts the sender of an enquiry, or neither any more.
    pub(super) async fn rule(
        &self,
        reference: &Reference,
        rule: Option<SenderRule>,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let outcome = self.desk.rule(reference, rule, Origin::Command, clock);
        let done = outcome.await?.is_done();
        Ok(json!({ "reference": reference, "done": done, "sender": rule }))
    }

    /// Neither blocks nor trusts a sender of the list any more.
    pub(super) async fn forget_sender(&self, sender: &str) -> Result<Value, Error> {
        let id = sender.parse();
        let id = id.map_err(|()| refused(messages::command::SENDER))?;
        self.desk.forget_sender(&id).await?;
        Ok(json!({ "sender": sender, "done": true }))
    }
}

/// What was done, or what stands.
fn answer(outcome: &Outcome) -> Value {
    let record = outcome.record();
    json!({
        "reference": record.received.reference,
        "done": outcome.is_done(),
        "mark": record.state.mark(),
        "marked": record.state.marked,
        "verdict": record.state.verdict,
    })
}
