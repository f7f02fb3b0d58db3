//! The therapist's actions on one enquiry. Each action is conditional on what stands, is an entry of the enquiry's timeline,
//! and may be asked for again without harm.

use futures_util::FutureExt;
use jiff::Timestamp;
use tracing::info;

use super::{Desk, DeskError};
use crate::clock::Clock;
use crate::email::ClientAction;
use crate::enquiry::Reference;
use crate::mail_state::EmailKind;
use crate::record::{Event, Mark, Marked, Note, Origin, OwnEmailId, Record, State};
use crate::spam::{SenderRule, Verdict};
use crate::store::{Along, NoteChange, SenderChange, Update};

/// What an action came to. A second press, also from an old page, changes nothing and gets what stands.
pub enum Outcome {
    /// It was done; the enquiry as it now is.
    Done(Box<Record>),
    /// Nothing was changed: it stood so already, or something else has been done since the page was made. The enquiry as it
    /// stands, from which the page says so.
    Stands(Box<Record>),
}

/// What became of a note that was to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// It was saved, or taken away; as it now is.
    Saved(Option<Note>),
    /// Nothing was saved: another window has saved this one in the meantime.
    Conflict(Option<Note>),
}

impl Outcome {
    /// The enquiry as it is, whichever way.
    #[must_use]
    pub const fn record(&self) -> &Record {
        match self {
            Self::Done(record) | Self::Stands(record) => record,
        }
    }

    /// Whether something was done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl Desk {
    /// Marks an enquiry. `seen` is what stood on the page that asked for it: when something else stands by now, nothing is
    /// changed. A mark can be undone for as long as it stands. It sends nothing.
    ///
    /// # Errors
    /// When there is no such enquiry, or the table cannot be written.
    pub async fn mark(
        &self,
        reference: &Reference,
        mark: Mark,
        seen: Option<Mark>,
        by: Origin,
        clock: &Clock,
    ) -> Result<Outcome, DeskError> {
        let change = |state: &mut State, now| {
            let before = state.mark();
            if before == mark || seen.is_some_and(|seen| seen != before) {
                return false;
            }
            state.marked = Some(Marked {
                mark,
                before,
                at: now,
                by,
            });
            state.tell(now, Event::Marked { mark, by });
            true
        };
        let outcome = self
            .act(reference, &Along::default(), clock, change)
            .await?;
        info!(%reference, %mark, by = by.key(), done = outcome.is_done(), "enquiry marked");
        Ok(outcome)
    }

    /// Undoes a mark, when it still stands: what stood before stands again.
    ///
    /// # Errors
    /// When there is no such enquiry, or the table cannot be written.
    pub async fn undo(
        &self,
        reference: &Reference,
        undone: Mark,
        by: Origin,
        clock: &Clock,
    ) -> Result<Outcome, DeskError> {
        let change = |state: &mut State, now| {
            let Some(marked) = state.marked.filter(|marked| marked.mark == undone) else {
                return false;
            };
            let mark = marked.before;
            state.marked = Some(Marked {
                mark,
                before: undone,
                at: now,
                by,
            });
            state.tell(now, Event::Undone { mark, by });
            true
        };
        let outcome = self
            .act(reference, &Along::default(), clock, change)
            .await?;
        info!(%reference, %undone, by = by.key(), done = outcome.is_done(), "mark undone");
        Ok(outcome)
    }

    /// It only looked like spam: it waits for an answer, and its auto-reply is sent if it was withheld for that.
    ///
    /// # Errors
    /// When there is no such enquiry, or the table cannot be written.
    pub async fn not_spam(
        &self,
        reference: &Reference,
        by: Origin,
        clock: &Clock,
    ) -> Result<Outcome, DeskError> {
        let change = |state: &mut State, now| {
            let was_suspect = state.is_suspect();
            state.judge(Verdict::Clear);
            state.judged = None;
            if !state.deliveries.release(now) && !was_suspect {
                return false;
            }
            state.tell(now, Event::NotSpam { by });
            true
        };
        let outcome = self
            .act(reference, &Along::default(), clock, change)
            .await?;
        info!(%reference, by = by.key(), done = outcome.is_done(), "not spam");
        self.deliver(outcome, clock).await
    }

    /// It is spam: it waits for nothing, is kept for the short life of spam from now on, and gets no auto-reply unless that has
    /// left. [`Self::not_spam`] takes it back.
    ///
    /// # Errors
    /// When there is no such enquiry, or the table cannot be written.
    pub async fn spam(
        &self,
        reference: &Reference,
        by: Origin,
        clock: &Clock,
    ) -> Result<Outcome, DeskError> {
        let change = |state: &mut State, now| {
            if state.is_suspect() {
                return false;
            }
            state.judge(Verdict::Suspect);
            state.judged = Some(now);
            state.deliveries.suspect();
            state.tell(now, Event::Spam { by });
            true
        };
        let outcome = self
            .act(reference, &Along::default(), clock, change)
            .await?;
        info!(%reference, by = by.key(), done = outcome.is_done(), "spam");
        self.deliver(outcome, clock).await
    }

    /// Sends one email once more. The therapist's may go any number of times. The auto-reply goes only when it certainly
    /// never left, and with all the limits of a first one: one for each enquiry, and one for each address within the
    /// cool-down.
    ///
    /// # Errors
    /// When it may not go again, or the table cannot be written.
    pub async fn resend(
        &self,
        reference: &Reference,
        kind: EmailKind,
        by: Origin,
        clock: &Clock,
    ) -> Result<Record, DeskError> {
        let record = self.show(reference).await?;
        if kind == EmailKind::AutoReply {
            still_helps(&record, clock.now())?;
        }
        let resent = self.delivery.resend(record, kind, by, clock).await?;
        let record = resent
            .map_err(|refused| DeskError::Resend(reference.clone(), kind, refused))?
            .ok_or_else(|| DeskError::JustErased(reference.clone()))?;
        info!(%reference, %kind, "an email is to go once more");
        // What cannot be sent now stays pending, and the sweep goes on.
        let _ = self.delivery.deliver(record, clock).boxed().await;
        self.show(reference).await
    }

    /// Saves the private note, of [`Note::MAX`] characters at most; an empty one is taken away. `seen` is the version that stood
    /// on the page, 0 where there was none yet: when another one stands by now, nothing is saved.
    ///
    /// # Errors
    /// When the note is too long, there is no such enquiry, or the table cannot be written.
    pub async fn note(
        &self,
        reference: &Reference,
        typed: &str,
        seen: Option<u32>,
        by: Origin,
        clock: &Clock,
    ) -> Result<Noted, DeskError> {
        let text = Note::clean(typed)?;
        let stands = self.store.load_whole(reference).await?;
        let (_, annex) = stands.ok_or_else(|| DeskError::NotFound(reference.clone()))?;
        if annex.note.as_ref().map(Note::text) == text.as_deref() {
            return Ok(Noted::Saved(annex.note));
        }
        let along = Along {
            note: Some(match &text {
                Some(text) => NoteChange::Save(text.clone()),
                None => NoteChange::Remove,
            }),
            sender: None,
        };
        let change = |state: &mut State, now| {
            if seen.is_some_and(|seen| seen != state.note_version) {
                return false;
            }
            state.note_version = state.note_version.saturating_add(1);
            let saved = match text {
                Some(_) => Event::Noted { by },
                None => Event::NoteRemoved { by },
            };
            state.tell(now, saved);
            true
        };
        match self.act(reference, &along, clock, change).await? {
            Outcome::Done(record) => {
                info!(%reference, by = by.key(), "note saved");
                let version = record.state.note_version;
                Ok(Noted::Saved(text.map(|text| Note::stored(text, version))))
            }
            Outcome::Stands(_) => {
                let stands = self.store.load_whole(reference).await?;
                let (_, annex) = stands.ok_or_else(|| DeskError::JustErased(reference.clone()))?;
                Ok(Noted::Conflict(annex.note))
            }
        }
    }

    /// Blocks or trusts the sender of an enquiry, by address and number; with no rule, neither any more. What a blocked sender sends from now
    /// on counts as spam, and what they have sent that was not taken up yet; what a trusted one sends does not count as spam because of what it
    /// says. An enquiry whose emails were written stays as it is.
    ///
    /// # Errors
    /// When there is no such enquiry, the keys are out of reach, or the table cannot be written.
    pub async fn rule(
        &self,
        reference: &Reference,
        rule: Option<SenderRule>,
        by: Origin,
        clock: &Clock,
    ) -> Result<Outcome, DeskError> {
        let record = self.show(reference).await?;
        let enquiry = &record.received.enquiry;
        let senders = self.store.senders_of(enquiry, clock.now()).await?;
        let stands = |sender: Option<&crate::store::Sender>| sender.map(|it| it.rule) == rule;
        let number = enquiry.phone.is_none() || stands(senders.number.as_ref());
        if number && stands(senders.address.as_ref()) {
            return Ok(Outcome::Stands(Box::new(record)));
        }
        let along = Along {
            note: None,
            sender: Some(rule.map_or(SenderChange::Forget, SenderChange::Set)),
        };
        let event = match rule {
            Some(SenderRule::Blocked) => Event::Blocked { by },
            Some(SenderRule::Trusted) => Event::Trusted { by },
            None => Event::Unblocked { by },
        };
        let change = |state: &mut State, now| {
            state.tell(now, event.clone());
            true
        };
        let outcome = self.act(reference, &along, clock, change).await?;
        info!(%reference, rule = rule.map_or("none", SenderRule::key), by = by.key(), "sender");
        Ok(outcome)
    }

    /// Notes a complaint about the use of personal data: an email reminds of acknowledging it, unless [`Self::acknowledge`] came
    /// first.
    ///
    /// # Errors
    /// When there is no such enquiry, or the table cannot be written.
    pub async fn data_complaint(
        &self,
        reference: &Reference,
        by: Origin,
        clock: &Clock,
    ) -> Result<Outcome, DeskError> {
        let noted = self.show(reference).await?.state.data_complaint;
        let at = noted.unwrap_or_else(|| clock.now());
        // First, so that the reminder comes for certain: one that finds nothing to remind of is not sent.
        let id = OwnEmailId::about_enquiry(EmailKind::DataComplaint, reference, at);
        self.store
            .schedule(&id, at + ClientAction::REMINDED_AFTER)
            .await?;
        let change = |state: &mut State, now| {
            if state.data_complaint.is_some() {
                return false;
            }
            state.data_complaint = Some(at);
            state.tell(now, Event::DataComplaint { by });
            true
        };
        let outcome = self
            .act(reference, &Along::default(), clock, change)
            .await?;
        info!(%reference, by = by.key(), done = outcome.is_done(), "complaint about data noted");
        Ok(outcome)
    }

    /// The complaint about the use of personal data has been acknowledged, or was noted by mistake: nothing reminds of it.
    ///
    /// # Errors
    /// When there is no such enquiry, or the table cannot be written.
    pub async fn acknowledge(
        &self,
        reference: &Reference,
        by: Origin,
        clock: &Clock,
    ) -> Result<Outcome, DeskError> {
        let change = |state: &mut State, now| {
            if state.data_complaint.take().is_none() {
                return false;
            }
            state.tell(now, Event::Acknowledged { by });
            true
        };
        let outcome = self
            .act(reference, &Along::default(), clock, change)
            .await?;
        info!(%reference, by = by.key(), done = outcome.is_done(), "complaint about data acknowledged");
        Ok(outcome)
    }

    /// Changes the state of an enquiry, and writes what goes along with it.
    async fn act(
        &self,
        reference: &Reference,
        along: &Along,
        clock: &Clock,
        mut change: impl FnMut(&mut State, Timestamp) -> bool,
    ) -> Result<Outcome, DeskError> {
        let record = self.show(reference).await?;
        let now = clock.now();
        let change = |record: &mut Record| change(&mut record.state, now);
        let update = self.store.update_along(record, along, clock, change);
        match Box::pin(update).await? {
            Update::Applied(record) => Ok(Outcome::Done(record)),
            Update::Unchanged(record) => Ok(Outcome::Stands(record)),
            Update::Gone => Err(DeskError::JustErased(reference.clone())),
        }
    }

    /// Sends what is pending after an action; what cannot be sent now stays pending, and the sweep goes on.
    async fn deliver(&self, outcome: Outcome, clock: &Clock) -> Result<Outcome, DeskError> {
        let Outcome::Done(record) = outcome else {
            return Ok(outcome);
        };
        let reference = record.received.reference.clone();
        // Boxed, since the SDK's futures are large and deeply nested.
        let _ = self.delivery.deliver(*record, clock).boxed().await;
        Ok(Outcome::Done(Box::new(self.show(&reference).await?)))
    }
}

/// An auto-reply says by when to expect an answer, counted from the enquiry.
fn still_helps(record: &Record, now: Timestamp) -> Result<(), DeskError> {
    let reference = &record.received.reference;
    if record.received.is_late(now) {
        return Err(DeskError::PromisePassed(reference.clone()));
    }
    if record.uncounted {
        return Err(DeskError::Uncounted(reference.clone()));
    }
    Ok(())
}
