//! What the operator's commands find and erase: enquiries by their time and by their person, with all that hangs on
//! them in the table.
//!
//! An index only says where to look: what is shown or erased is read from the item itself. An index may also lag a
//! moment behind, so that a second look finds what came in meanwhile.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::item::{self, Item};
use super::{Record, Store, StoreError};
use crate::enquiry::{EmailAddress, Received, Reference};

/// Where an enquiry stands among all, by when it came in: what a page begins after. Its text tells no more than the time
/// and the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// When it came in.
    pub received_at: Timestamp,
    /// Its name.
    pub reference: Reference,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.received_at, self.reference)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (received_at, reference) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            received_at: received_at.parse().map_err(drop)?,
            reference: Reference::parse(reference).map_err(drop)?,
        })
    }
}

/// Some enquiries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where they stand.
    pub places: Vec<Place>,
    /// What the next page begins after, when there is one.
    pub next: Option<Place>,
}

/// An enquiry with all that the table keeps because of it.
#[derive(Debug)]
pub struct Trace {
    /// Its name.
    pub reference: Reference,
    /// The enquiry; nothing when a newer version wrote it, which this one does not understand.
    pub record: Option<Record>,
    /// When it will be deleted by itself; nothing while it owes something to the therapist.
    pub expires: Option<Timestamp>,
    /// Whether the marker of its post is still there.
    pub marked: bool,
    marker: Option<String>,
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
    /// The enquiries that came in from `first` to `last`, both included: after `after`, at most `most`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn received(
        &self,
        first: Timestamp,
        last: Timestamp,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Page, StoreError> {
        let kind = AttributeValue::S("enquiry".to_owned());
        self.page("received", "kind", kind, first, last, after, most)
            .await
    }

    /// The enquiries from this address, however it is spelt: after `after`, at most `most`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn from_address(
        &self,
        address: &EmailAddress,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Page, StoreError> {
        let address = AttributeValue::S(self.address_key("find", address)?);
        let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        self.page("address", "address", address, first, last, after, most)
            .await
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one query, called from the two functions above"
    )]
    async fn page(
        &self,
        index: &str,
        hash: &str,
        value: AttributeValue,
        first: Timestamp,
        last: Timestamp,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Page, StoreError> {
        let text = |text: &dyn fmt::Display| AttributeValue::S(text.to_string());
        let begin = after.map(|place| {
            Item::from([
                ("pk".to_owned(), text(&item::enquiry_key(&place.reference))),
                (hash.to_owned(), value.clone()),
                ("received_at".to_owned(), text(&place.received_at)),
            ])
        });
        // One more than asked for tells whether there is another page.
        let limit = i32::try_from(most.saturating_add(1)).unwrap_or(i32::MAX);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#hash = :hash AND received_at BETWEEN :first AND :last")
            .expression_attribute_names("#hash", hash)
            .expression_attribute_values(":hash", value)
            .expression_attribute_values(":first", text(&first))
            .expression_attribute_values(":last", text(&last))
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(begin)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("list", &error))?;
        let mut places: Vec<Place> = answer
            .items()
            .iter()
            .filter_map(item::place_of)
            .map(|(reference, received_at)| Place {
                received_at,
                reference,
            })
            .collect();
        let more = places.len() > most;
        places.truncate(most);
        let next = places.last().filter(|_| more).cloned();
        Ok(Page { places, next })
    }

    /// An enquiry with all that hangs on it; nothing when there is none of this name.
    ///
    /// # Errors
    /// When the table cannot be read. An item that this version does not understand is none: it can be erased all the same.
    pub async fn trace(&self, reference: &Reference) -> Result<Option<Trace>, StoreError> {
        let Some(found) = self.get("trace", item::enquiry_key(reference)).await? else {
            return Ok(None);
        };
        let marker = item::text(&found, "marker").map(str::to_owned);
        let address = item::text(&found, "address").map(str::to_owned);
        let marked = match &marker {
            Some(key) => self.get("trace", key.clone()).await?,
            None => None,
        };
        Ok(Some(Trace {
            reference: reference.clone(),
            expires: item::expires_of(&found),
            record: Record::from_item(found).ok(),
            // A marker that had expired may belong to a later post of the same.
            marked: marked.as_ref().and_then(item::reference_of).as_ref() == Some(reference),
            marker,
            address,
        }))
    }

    /// Erases an enquiry. Its marker goes first: without the enquiry nobody would find it.
    ///
    /// # Errors
    /// When the table cannot be written. Erasing again then goes on where it stopped.
    pub async fn erase(&self, trace: &Trace) -> Result<(), StoreError> {
        if let Some(marker) = &trace.marker {
            self.delete(marker.clone(), Some(&trace.reference)).await?;
        }
        self.delete(item::enquiry_key(&trace.reference), None).await
    }

    /// Erases an enquiry by its reference alone, and the cool-down that is there for it; that of another enquiry stays.
    ///
    /// # Errors
    /// When the table cannot be written. Erasing again then goes on where it stopped.
    pub async fn erase_with_cool_down(&self, trace: &Trace) -> Result<(), StoreError> {
        let cool_down = trace.address.as_deref().map(item::cool_down_key);
        if let Some(key) = &cool_down {
            self.delete(key.clone(), Some(&trace.reference)).await?;
        }
        self.erase(trace).await?;
        // It may have been booked in between, as long as the enquiry was there.
        match cool_down {
            Some(key) => self.delete(key, Some(&trace.reference)).await,
            None => Ok(()),
        }
    }

    /// Erases what is kept about an address itself, for whichever enquiry. After its enquiries, since those are where
    /// another one would come from.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn erase_address(&self, address: &EmailAddress) -> Result<(), StoreError> {
        let key = item::cool_down_key(&self.address_key("find", address)?);
        self.delete(key, None).await
    }

    /// What is kept about an address itself.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn cool_down(&self, address: &EmailAddress) -> Result<Option<CoolDown>, StoreError> {
        let key = item::cool_down_key(&self.address_key("find", address)?);
        Ok(self.get("trace", key).await?.as_ref().map(CoolDown::of))
    }

    /// The cool-down that is there for this enquiry.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn cool_down_of(&self, trace: &Trace) -> Result<Option<CoolDown>, StoreError> {
        let Some(address) = &trace.address else {
            return Ok(None);
        };
        let found = self.get("trace", item::cool_down_key(address)).await?;
        let cool_down = found.as_ref().map(CoolDown::of);
        Ok(cool_down.filter(|it| it.because_of.as_ref() == Some(&trace.reference)))
    }

    /// Gives back what was booked for an enquiry that was erased while somebody worked on it.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_booking(&self, received: &Received) -> Result<(), StoreError> {
        let address = self.address_key("book", &received.enquiry.email)?;
        let key = item::cool_down_key(&address);
        self.delete(key, Some(&received.reference)).await
    }

    /// A keyed hash that tells an address from others and does not tell the address, for a receipt. It is another one
    /// than those in the table.
    #[must_use]
    pub fn receipt_code(&self, address: &EmailAddress) -> Option<String> {
        let mut code = self.hash("receipt", &[address.canonical().as_bytes()])?;
        code.truncate(16);
        Some(code)
    }

    /// Deletes an item; with `of`, only when it is there for this enquiry. One that is gone already is no error.
    async fn delete(&self, key: String, of: Option<&Reference>) -> Result<(), StoreError> {
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

    /// Reads an item, with all that was written before.
    pub(super) async fn get(
        &self,
        doing: &'static str,
        key: String,
    ) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(doing, &error))?;
        Ok(answer.item)
    }
}

impl CoolDown {
    fn of(found: &Item) -> Self {
        Self {
            because_of: item::reference_of(found),
            expires: item::expires_of(found),
            undeliverable: item::is_undeliverable(found),
        }
    }
}
