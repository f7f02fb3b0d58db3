//! Everything about an address, or one enquiry, goes from the table (UK GDPR, article 17); or is only counted first.
//!
//! Interrupted, it goes on where it stopped when it is asked for again: whatever finds the rest goes last.

use jiff::Timestamp;
use tracing::{error, info};

use super::{Desk, ENOUGH};
use crate::clock::Clock;
use crate::enquiry::{EmailAddress, Reference};
use crate::mail_state::MailState;
use crate::store::{CoolDown, Sender, StoreError, StoredCopies};

/// How many enquiries are looked up at once.
const PAGE: usize = 100;

/// What is to be erased.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// Everything about an address, however it is spelt.
    Address(&'a EmailAddress),
    Enquiry(&'a Reference),
}

/// Whether it is done or only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erase {
    /// Says what would go.
    Preview,
    /// It goes.
    Confirmed,
}

/// What went, or would go.
#[derive(Default)]
pub struct Erasure {
    /// The enquiries.
    pub copies: Vec<StoredCopies>,
    /// What is kept about the address itself.
    pub cool_down: Option<CoolDown>,
    /// What was said about the sender: of a person all of it goes, with one enquiry only the reference to it.
    pub senders: Vec<Sender>,
    /// Of the enquiries, how many have an email that is leaving just now.
    pub leaving: usize,
    /// The one at which an error came: it may or may not be gone.
    pub unsure: Option<Reference>,
    /// What tells this address from others on a receipt, and does not tell the address.
    pub address_code: Option<String>,
    /// Whether it came to the end before its time was up.
    pub complete: bool,
    /// What stopped it.
    pub error: Option<StoreError>,
}

impl Desk {
    /// Erases, or says what would go. An error half-way does not take away the receipt of what had gone before it.
    pub async fn erase(&self, subject: Subject<'_>, erase: Erase, clock: &Clock) -> Erasure {
        let mut erasure = Erasure::default();
        let outcome = match subject {
            Subject::Address(address) => {
                erasure.address_code = self.store.receipt_code(address);
                self.erase_address(address, erase, &mut erasure, clock)
                    .await
            }
            Subject::Enquiry(reference) => {
                self.erase_one(reference, erase, &mut erasure, clock).await
            }
        };
        match outcome {
            Ok(complete) => erasure.complete = complete,
            Err(error) => {
                let StoreError { action, code } = &error;
                error!(code, "the table could not {action}");
                erasure.error = Some(error);
            }
        }
        if erase == Erase::Confirmed {
            info!(
                count = erasure.copies.len(),
                idempotency_records = erasure.idempotency_records(),
                complete = erasure.complete,
                "erased"
            );
        }
        erasure
    }

    /// Returns whether it came to the end before its time was up.
    async fn erase_address(
        &self,
        address: &EmailAddress,
        erase: Erase,
        erasure: &mut Erasure,
        clock: &Clock,
    ) -> Result<bool, StoreError> {
        let mut after = None;
        loop {
            let page = self
                .store
                .from_address(address, after.as_ref(), PAGE)
                .await?;
            for cursor in &page.found {
                // However late it is, one goes: an erasure that is sent again and again comes to its end.
                if !erasure.copies.is_empty() && clock.remaining() < ENOUGH {
                    return Ok(false);
                }
                let Some(copies) = self.store.copies(&cursor.reference).await? else {
                    // Gone already, and the index does not know it yet.
                    continue;
                };
                if erase == Erase::Confirmed {
                    erasure.unsure = Some(copies.reference.clone());
                    self.store.forget_senders(&copies).await?;
                    self.store.erase(&copies).await?;
                    erasure.unsure = None;
                    info!(reference = %copies.reference, "enquiry erased");
                }
                erasure.add(copies, clock.now());
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        // Last: an enquiry that is worked on could book another one, as long as it is there.
        let cool_down = self.store.cool_down(address).await?;
        erasure.add_senders(self.store.sender(address, Timestamp::MIN).await?);
        if erase == Erase::Confirmed {
            self.store.erase_address(address).await?;
        }
        erasure.cool_down = cool_down;
        Ok(true)
    }

    async fn erase_one(
        &self,
        reference: &Reference,
        erase: Erase,
        erasure: &mut Erasure,
        clock: &Clock,
    ) -> Result<bool, StoreError> {
        let Some(copies) = self.store.copies(reference).await? else {
            return Ok(true);
        };
        let cool_down = self.store.cool_down_of(&copies).await?;
        if erase == Erase::Confirmed {
            erasure.unsure = Some(reference.clone());
            self.store.erase_with_cool_down(&copies).await?;
            erasure.unsure = None;
            info!(%reference, "enquiry erased");
        }
        erasure.add(copies, clock.now());
        erasure.cool_down = cool_down;
        Ok(true)
    }
}

impl Erasure {
    /// How many idempotency records went with the enquiries.
    #[must_use]
    pub fn idempotency_records(&self) -> usize {
        let kept = |copies: &&StoredCopies| copies.idempotency_record;
        self.copies.iter().filter(kept).count()
    }

    /// How many private notes went with them.
    #[must_use]
    pub fn notes(&self) -> usize {
        let noted = |copies: &&StoredCopies| {
            let annex = copies.annex.as_ref();
            annex.is_some_and(|annex| annex.note.is_some())
        };
        self.copies.iter().filter(noted).count()
    }

    fn add_senders(&mut self, senders: impl IntoIterator<Item = Sender>) {
        for sender in senders {
            if !self.senders.contains(&sender) {
                self.senders.push(sender);
            }
        }
    }

    fn add(&mut self, copies: StoredCopies, now: Timestamp) {
        self.add_senders(copies.senders.iter().cloned());
        let is_leaving =
            |state: &MailState| matches!(state, MailState::Sending { until, .. } if *until > now);
        let leaving = copies.record.as_ref().is_some_and(|record| {
            record
                .state
                .deliveries
                .states()
                .any(|(_, state)| is_leaving(state))
        });
        self.leaving += usize::from(leaving);
        self.copies.push(copies);
    }
}
