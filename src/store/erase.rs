//! What the table keeps because of an enquiry or a person, and how it is erased: whatever finds the rest goes last, so that an
//! erasure that was interrupted goes on where it stopped.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::schema::{self, Item};
use super::{Store, StoreError};
use crate::enquiry::{EmailAddress, Reference};
use crate::record::Record;

/// An enquiry with all that the table keeps because of it.
#[derive(Debug)]
pub struct StoredCopies {
    /// Its reference.
    pub reference: Reference,
    /// The enquiry; nothing when a newer version wrote it, which this one does not understand.
    pub record: Option<Record>,
    /// When it will be deleted by itself; nothing while an email to the therapist is pending.
    pub expires: Option<Timestamp>,
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
    /// An enquiry with all that hangs on it; nothing when there is none with this reference.
    ///
    /// # Errors
    /// When the table cannot be read. An item that this version does not understand is no error: it can be erased all the
    /// same.
    pub async fn copies(&self, reference: &Reference) -> Result<Option<StoredCopies>, StoreError> {
        let (Some(enquiry), state) = self.items("trace", reference).await? else {
            return Ok(None);
        };
        let idempotency_key = schema::text(&enquiry, "idempotency").map(str::to_owned);
        let address = schema::text(&enquiry, "address").map(str::to_owned);
        let kept = match &idempotency_key {
            Some(key) => self.get("trace", key.clone()).await?,
            None => None,
        };
        Ok(Some(StoredCopies {
            reference: reference.clone(),
            expires: schema::expires_of(&enquiry),
            record: schema::record(enquiry, state).ok(),
            // A record that had expired may belong to a later post of the same.
            idempotency_record: kept.as_ref().and_then(schema::reference_of).as_ref()
                == Some(reference),
            idempotency_key,
            address,
        }))
    }

    /// Erases an enquiry. The item with what was typed goes last: the others are found through it.
    ///
    /// # Errors
    /// When the table cannot be written. Erasing again then goes on where it stopped.
    pub async fn erase(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        if let Some(key) = &copies.idempotency_key {
            self.delete(key.clone(), Some(&copies.reference)).await?;
        }
        self.delete(schema::state_key(&copies.reference), None)
            .await?;
        self.delete(schema::enquiry_key(&copies.reference), None)
            .await
    }

    /// Erases what is left of an enquiry when the table has deleted what was typed: each of the two items expires for itself.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn erase_state(&self, reference: &Reference) -> Result<(), StoreError> {
        self.delete(schema::state_key(reference), None).await
    }

    /// Erases an enquiry by its reference alone, and the cool-down that is there for it; that of another enquiry stays.
    ///
    /// # Errors
    /// When the table cannot be written. Erasing again then goes on where it stopped.
    pub async fn erase_with_cool_down(&self, copies: &StoredCopies) -> Result<(), StoreError> {
        let cool_down = copies.address.as_deref().map(schema::cool_down_key);
        if let Some(key) = &cool_down {
            self.delete(key.clone(), Some(&copies.reference)).await?;
        }
        self.erase(copies).await?;
        // It may have been booked in between, as long as the enquiry was there.
        match cool_down {
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
        let key = schema::cool_down_key(&self.address_hash("find", address)?);
        self.delete(key, None).await
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
