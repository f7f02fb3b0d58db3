//! What the therapist has said about the sender of an enquiry: asked when it is taken up, before anything is sent, and written
//! together with the first lease.

use tracing::info;

use super::Delivery;
use crate::clock::Clock;
use crate::record::{KnownSender, Record};
use crate::spam::SenderRule;

impl Delivery {
    /// What is known of the sender, where that was not asked before and still matters. Not knowing it stops no email to the
    /// therapist; the client then gets no auto-reply ([`Self::withheld`]).
    pub(super) async fn ask_sender(
        &self,
        record: &Record,
        clock: &Clock,
    ) -> Option<Option<SenderRule>> {
        let deliveries = &record.state.deliveries;
        let matters = deliveries.therapist.is_pending() || !deliveries.decided;
        if record.state.sender != KnownSender::NotAsked || !matters {
            return None;
        }
        let received = &record.received;
        let reference = &received.reference;
        match self.store.sender_rule(&received.enquiry, clock.now()).await {
            Ok(rule) => {
                if let Some(rule) = rule {
                    info!(%reference, sender = rule.key(), "the therapist knows the sender");
                }
                Some(rule)
            }
            Err(error) => {
                error.log(reference);
                None
            }
        }
    }
}
