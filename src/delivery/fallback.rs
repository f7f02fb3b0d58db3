//! The way past a table that cannot be written: straight to the therapist's mailbox.

use jiff::SignedDuration;

use super::{Delivery, SEND_AND_RECORD, Unfinished};
use crate::clock::Clock;
use crate::email::TherapistEmail;
use crate::enquiry::Received;
use crate::mail_state::SendOutcome;
use crate::spam::Score;

/// How many enquiries may go this way within a minute, for each execution environment of the function.
const A_MINUTE: usize = 5;

impl Delivery {
    /// The table cannot be written: the enquiry goes straight to the therapist's mailbox, marked as not stored, and counts as
    /// accepted only when SES has said yes, and has not reported that such an email is held back: then it is sent, and the
    /// client hears that it cannot be taken. There is no auto-reply, since nothing would remember it.
    ///
    /// What SES has reported is known where the report came in, in this execution environment; the others learn of it when they take
    /// up an enquiry that was held back, or by the report about their own first email, and the alarm tells of that one.
    ///
    /// # Errors
    /// When it is not certain that it was sent, or when more than five went this way within a minute.
    pub async fn fallback(
        &self,
        received: &Received,
        score: &Score,
        clock: &Clock,
    ) -> Result<(), Unfinished> {
        if clock.remaining() < SEND_AND_RECORD || !self.may_fall_back(clock) {
            return Err(Unfinished::OutOfTime);
        }
        let email = TherapistEmail::fallback(&self.practice, &self.settings, received, score);
        match self.send_email(&email.into_email(), 1, clock).await {
            SendOutcome::Accepted { .. } if !self.is_unreached(clock.now()) => Ok(()),
            _ => Err(Unfinished::Pending),
        }
    }

    /// Whether one more enquiry may go this way: a table that is down under a flood of posts must not become a flood of
    /// emails.
    fn may_fall_back(&self, clock: &Clock) -> bool {
        let Ok(mut fallbacks) = self.fallbacks.lock() else {
            return false;
        };
        let minute_ago = clock.now() - SignedDuration::from_secs(60);
        fallbacks.retain(|at| *at > minute_ago);
        let may = fallbacks.len() < A_MINUTE;
        if may {
            fallbacks.push(clock.now());
        }
        may
    }
}
