//! Everything about one address, and the senders that were blocked or trusted.

use futures_util::future::try_join3;

use super::list::List;
use super::{Desk, DeskError};
use crate::clock::Clock;
use crate::enquiry::EmailAddress;
use crate::store::{CoolDown, Cursor, Sender, SenderCursor, SenderId, SenderPage, Store};

/// How many senders are on a page.
const SENDERS: usize = 50;

/// Everything about one address, however it is spelt.
pub struct Person {
    /// Its enquiries, the latest first.
    pub enquiries: List,
    /// What is kept about the address itself.
    pub cool_down: Option<CoolDown>,
    /// What was said about it as a sender.
    pub sender: Option<Sender>,
}

impl Desk {
    /// Everything about one address: its enquiries after `after`, at most 50. One query and two reads at the same time, and one
    /// batch read.
    ///
    /// # Errors
    /// When the table cannot be read, or the keys are out of reach.
    pub async fn person(
        &self,
        address: &EmailAddress,
        after: Option<&Cursor>,
        clock: &Clock,
    ) -> Result<Person, DeskError> {
        let (page, cool_down, sender) = try_join3(
            self.store.from_address(address, after, Store::BATCH),
            self.store.cool_down(address),
            self.store.sender(address, clock.now()),
        )
        .await?;
        Ok(Person {
            enquiries: List {
                entries: self.entries(&page.found).await?,
                next: page.next,
            },
            cool_down,
            sender,
        })
    }

    /// The senders that were blocked or trusted, the latest first: after `after`, at most 50. One query and one batch read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn senders(
        &self,
        after: Option<&SenderCursor>,
        clock: &Clock,
    ) -> Result<SenderPage, DeskError> {
        Ok(self.store.senders(after, SENDERS, clock.now()).await?)
    }

    /// Neither blocks nor trusts this sender of the list any more. One that is not in it is no error.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_sender(&self, id: &SenderId) -> Result<(), DeskError> {
        Ok(self.store.forget_sender(id).await?)
    }
}
