//! Erases what the table keeps because of an enquiry or a person: whatever finds the rest goes last, so that an
//! erasure that was interrupted goes on where it stopped.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::schema::{self, Item};
use super::{Annex, Sender, Store, StoreError};
use crate::enquiry::{EmailAddress, Reference};
use crate::record::Record;

/// An enquiry with all that the table keeps because of it.
#[derive(Debug)]
pub struct StoredCopies {
    pub reference: Reference,
    /// The enquiry; nothing when a newer version wrote it, which this one does not understand.
    pub record: Option<Record>,
    /// When it will be deleted by itself; nothing while an email to the therapist is pending.
    pub expires: Option<Timestamp>,
    /// The private note and the older part of the timeline; nothing when a newer version wrote them.
    pub annex: Option<Annex>,
    /// What was said about its sender.
    pub senders: Vec<Sender>,
    /// Whether the idempotency record of its post is still there.
    pub idempotency_record: bool,
    idempotency_key: Option<String>,
    address: Option<String>,
}

/// What is kept about an address itself: that it had an auto-reply a short time ago, or that emails to it come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoolDown {
    /// Which enquiry it is there for.
    pub because_of: Option<Reference>,
    /// When it will be deleted by itself.
    pub expires: Option<Timestamp>,
    /// Whether an email came back for good, or its reader complained.
    pub undeliverable: bool,
}

impl Store {
    /// How many enquiries [`Self::copies_of`] traces at once: three items each ("BatchGetItem" takes 100 keys).
    pub const TRACED: usize = 33;

    /// An enquiry with all that hangs on it; nothing when there is none with this reference.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn copies(&self, reference: &Reference) -> Result<Option<StoredCopies>, StoreError> {
        let found = self.copies_of(&[reference]).await?;
        Ok(found.into_iter().flatten().next())
    }

    /// Several enquiries with all that hangs on each, in this order, by two requests; at most [`Self::TRACED`]. Nothing in the
    /// place of one that is not there.
    ///
    /// # Errors
    /// When the table cannot be read. An item that this version does not understand is no error: it can be erased all the
    /// same.
    pub async fn copies_of(
        &self,
        references: &[&Reference],
    ) -> Result<Vec<Option<StoredCopies>>, StoreError> {
        let keys = references.iter().flat_map(|reference| {
            [
                schema::enquiry_key(reference),
                schema::state_key(reference),
                schema::annex_key(reference),
            ]
        });
        let mut found = self.get_all("trace", &keys.collect::<Vec<_>>()).await?;
        let mut all = Vec::new();
        let mut beside = Vec::new();
        for reference in references {
            let mut take = |key: String| found.remove(&key);
            let (state, annex) = (
                take(schema::state_key(reference)),
                take(schema::annex_key(reference)),
            );
            let Some(enquiry) = take(schema::enquiry_key(reference)) else {
                all.push(None);
                continue;
            };
            let traced = self.traced(reference, enquiry, state, annex);
            beside.extend(traced.1.iter().chain(&traced.0.idempotency_key).cloned());
            all.push(Some(traced));
        }
        beside.sort();
        beside.dedup();
        let beside = self.get_all("trace", &beside).await?;
        Ok(all
            .into_iter()
            .map(|traced| {
                let (mut copies, senders) = traced?;
                let senders = senders.iter().filter_map(|key| beside.get(key));
                copies.senders = senders.filter_map(Sender::read).collect();
                let record = copies.idempotency_key.as_ref();
                let record = record.and_then(|key| beside.get(key));
                // A record that had expired may belong to a later post of the same.
                copies.idempotency_record =
                    record.and_then(schema::reference_of).as_ref() == Some(&copies.reference);
                Some(copies)
            })
            .collect())
    }

    /// What the items of an enquiry tell, and the keys under which its sender is known.
    fn traced(
        &self,
        reference: &Reference,
        enquiry: Item,
        state: Option<Item>,
        annex: Option<Item>,
    ) -> (StoredCopies, Vec<String>) {
        let text = |name| schema::text(&enquiry, name).map(str::to_owned);
        let (idempotency_key, address) = (text("idempotency"), text("address"));
        let expires = schema::expires_of(&enquiry);
        let record = schema::record(enquiry, state).ok();
        let enquiry = record.as_ref().map(|record| &record.received.enquiry);
        let senders = enquiry.and_then(|enquiry| self.sender_hashes("trace", enquiry).ok());
        let senders = senders.unwrap_or_default();
        let version = record
            .as_ref()
            .map_or(0, |record| record.state.note_version);
        let copies = StoredCopies {
            reference: reference.clone(),
            record,
            annex: match annex {
                Some(annex) => Annex::read(annex, version).ok(),
                None => Some(Annex::default()),
            },
            senders: Vec::new(),
            expires,
            idempotency_record: false,
            idempotency_key,
            address,
        };
        let keys = senders.iter().map(|hash| schema::sender_key(hash));
        (copies, keys.collect())
    }

    /// Erases an enquiry with its note and its timeline. The item with what was typed goes last, since the others are found
    /// through it.
    ///
    /// # Errors
    /// When the table cannot be written. Erasing again then goes on where it stopped.
    pub async fn erase(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        if let Some(key) = &copies.idempotency_key {
            self.delete(key.clone(), Some(&copies.reference)).await?;
        }
        self.erase_state(&copies.reference).await?;
        self.delete(schema::enquiry_key(&copies.reference), None)
            .await
    }

    /// Forgets the post that an enquiry came from: the same form, posted again, is another enquiry.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn forget_post(&self, reference: &Reference) -> Result<(), StoreError> {
        let enquiry = self.get("trace", schema::enquiry_key(reference)).await?;
        let enquiry = enquiry.unwrap_or_default();
        match schema::text(&enquiry, "idempotency") {
            Some(key) => self.delete(key.to_owned(), Some(reference)).await,
            None => Ok(()),
        }
    }

    /// Forgets what was said about the sender of an enquiry. Before the enquiry, which knows the number.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_senders(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        for sender in &copies.senders {
            self.forget_sender(&sender.id).await?;
        }
        Ok(())
    }

    /// Erases what is left of an enquiry when the table has deleted what was typed: each item expires for itself. The annex before
    /// the state, which finds it; and once more, since until the state is gone a change of it may write one.
    ///
    /// # Errors
    /// When the table cannot be written. Erasing again then goes on where it stopped.
    pub async fn erase_state(&self, reference: &Reference) -> Result<(), StoreError> {
        let annex = schema::annex_key(reference);
        self.delete(annex.clone(), None).await?;
        self.delete(schema::state_key(reference), None).await?;
        self.delete(annex, None).await
    }

    /// Erases an enquiry that its client has withdrawn, and whose time is up. The state goes last: it stands in the index of pending
    /// work, so that a sweep goes on where another one stopped.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn erase_withdrawn(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        self.erase_around(copies).await?;
        if let Some(key) = &copies.idempotency_key {
            self.delete(key.clone(), Some(&copies.reference)).await?;
        }
        let typed = schema::enquiry_key(&copies.reference);
        self.delete(typed, None).await?;
        self.erase_state(&copies.reference).await
    }

    /// Erases an enquiry by its reference alone, and the cool-down that is there for it; that of another enquiry stays. So does
    /// a block of its sender, which then names no enquiry any more.
    ///
    /// # Errors
    /// When the table cannot be written. Erasing again then goes on where it stopped.
    pub async fn erase_with_cool_down(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        self.erase_around(copies).await?;
        self.erase(copies).await?;
        // It may have been booked in between, as long as the enquiry was there.
        self.erase_cool_down(copies).await
    }

    /// Erases what is there for an enquiry beside its own items.
    async fn erase_around(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        self.erase_cool_down(copies).await?;
        for sender in &copies.senders {
            self.detach_sender(&sender.id, &copies.reference).await?;
        }
        Ok(())
    }

    async fn erase_cool_down(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        match copies.address.as_deref().map(schema::cool_down_key) {
            Some(key) => self.delete(key, Some(&copies.reference)).await,
            None => Ok(()),
        }
    }

    /// Erases what is kept about an address itself, whichever enquiry it is there for. After its enquiries, since those are
    /// where another one would come from.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn erase_address(&self, address: &EmailAddress) -> Result<(), StoreError> {
        let hash = self.address_hash("find", address)?;
        self.delete(schema::sender_key(&hash), None).await?;
        self.delete(schema::cool_down_key(&hash), None).await
    }

    /// What is kept about an address itself.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn cool_down(&self, address: &EmailAddress) -> Result<Option<CoolDown>, StoreError> {
        let key = schema::cool_down_key(&self.address_hash("find", address)?);
        Ok(self.get("trace", key).await?.as_ref().map(CoolDown::of))
    }

    /// The cool-down that is there for this enquiry.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn cool_down_of(
        &self,
        copies: &StoredCopies,
    ) -> Result<Option<CoolDown>, StoreError> {
        let Some(address) = &copies.address else {
            return Ok(None);
        };
        let found = self.get("trace", schema::cool_down_key(address)).await?;
        let cool_down = found.as_ref().map(CoolDown::of);
        Ok(cool_down.filter(|it| it.because_of.as_ref() == Some(&copies.reference)))
    }

    /// A keyed hash that tells an address from others and does not tell the address, for a receipt. It differs from those
    /// in the table.
    #[must_use]
    pub fn receipt_code(&self, address: &EmailAddress) -> Option<String> {
        let keys = self.keys.as_ref()?;
        let mut code = keys.hash("receipt", &[address.canonical().as_bytes()]);
        code.truncate(16);
        Some(code)
    }

    /// Deletes an item; with `of`, only when it is there for this enquiry. One that is gone already is no error.
    pub(super) async fn delete(
        &self,
        key: String,
        of: Option<&Reference>,
    ) -> Result<(), StoreError> {
        let mut request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key));
        if let Some(reference) = of {
            request = request
                .condition_expression("#reference = :mine")
                .expression_attribute_names("#reference", "reference")
                .expression_attribute_values(":mine", AttributeValue::S(reference.to_string()));
        }
        match request.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::from_sdk("erase", &error)),
        }
    }
}

impl CoolDown {
    fn of(found: &Item) -> Self {
        Self {
            because_of: schema::reference_of(found),
            expires: schema::expires_of(found),
            undeliverable: schema::is_undeliverable(found),
        }
    }
}
