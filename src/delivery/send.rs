//! One email: written, sent, and tried again as SES's answer says.

use std::time::Duration;

use jiff::Timestamp;
use tracing::field::display;
use tracing::{error, info, warn};

use super::{Attempt, Delivery, SEND_AND_RECORD, TRIES};
use crate::clock::Clock;
use crate::email::{AutoReplyEmail, DeskLinks, Email, NoticeEmail, TherapistEmail};
use crate::mail_state::{EmailKind, MailState, SendOutcome};
use crate::record::Record;
use crate::ses::{ErrorClass, SendError};

impl Delivery {
    /// Sends one email whose lease is held, again when SES says that it came too fast. An email to the therapist that SES
    /// refuses for its words goes once more without any of them; one that is refused all the same raises an alarm each
    /// time, and is tried for a day.
    pub(super) async fn send(
        &self,
        record: &Record,
        kind: EmailKind,
        earlier: &[Timestamp],
        desk: Option<&DeskLinks>,
        clock: &Clock,
    ) -> Attempt {
        let number = match record.state.deliveries.of(kind) {
            Some(MailState::Sending { attempt, .. }) => *attempt,
            _ => 0,
        };
        let mut outcome = SendOutcome::NotSent;
        for email in self.forms(record, kind, earlier, desk) {
            outcome = self.send_email(&email, number, clock).await;
            if !matches!(outcome, SendOutcome::Permanent { .. }) {
                break;
            }
        }
        if kind != EmailKind::AutoReply && matches!(outcome, SendOutcome::Permanent { .. }) {
            let reference = &record.received.reference;
            error!(alarm = "email_refused", %reference, %kind, "SES refuses every form of this email");
        }
        Attempt {
            kind,
            number,
            outcome,
        }
    }

    pub(super) async fn send_email(
        &self,
        email: &Email,
        attempt: u32,
        clock: &Clock,
    ) -> SendOutcome {
        let kind = email.kind;
        let reference = email.reference.as_ref().map(display);
        let mut tries = 1;
        loop {
            if clock.remaining() < SEND_AND_RECORD {
                return SendOutcome::NotSent;
            }
            let SendError { class, code } = match self.ses.send(email).await {
                Ok(message_id) => {
                    info!(reference, %kind, attempt, message_id, "email sent");
                    return SendOutcome::Accepted { message_id };
                }
                Err(error) => error,
            };
            warn!(reference, %kind, attempt, ?class, code, "email not sent");
            match class {
                ErrorClass::Throttled | ErrorClass::NotConnected => {
                    let pause = Duration::from_millis(400 * u64::from(tries));
                    if tries >= TRIES && class == ErrorClass::Throttled {
                        return SendOutcome::Refused;
                    }
                    if tries >= TRIES || !clock.wait(pause, SEND_AND_RECORD).await {
                        return SendOutcome::NotSent;
                    }
                    tries += 1;
                }
                ErrorClass::Misconfigured => {
                    error!(alarm = "misconfigured", reference, %kind, code, "emails stay pending until an operator acts");
                    return SendOutcome::Refused;
                }
                ErrorClass::Permanent => return SendOutcome::Permanent { reason: code },
                ErrorClass::Ambiguous => return SendOutcome::Ambiguous,
            }
        }
    }

    /// The email, and what goes in its place when SES refuses it for what is in it.
    fn forms(
        &self,
        record: &Record,
        kind: EmailKind,
        earlier: &[Timestamp],
        desk: Option<&DeskLinks>,
    ) -> Vec<Email> {
        let (practice, settings) = (&self.practice, &self.settings);
        match kind {
            EmailKind::Therapist | EmailKind::Fallback => {
                let email = TherapistEmail::new(practice, settings, record, earlier, desk);
                if record.state.deliveries.bare {
                    vec![email.bare()]
                } else {
                    vec![email.into_email(), email.bare()]
                }
            }
            EmailKind::AutoReply => {
                let links = self.links.as_ref();
                let mine = links.map(|links| links.mine(&record.received.reference));
                let (reply_to, received) = (&settings.therapist, &record.received);
                let email = AutoReplyEmail::new(practice, reply_to, received, mine.as_deref());
                vec![email.into_email()]
            }
            EmailKind::Notice => vec![NoticeEmail::new(practice, settings, record).into_email()],
            _ => Vec::new(),
        }
    }
}
