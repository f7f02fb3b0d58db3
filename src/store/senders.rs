//! Senders that the therapist has blocked or trusted, by keyed hashes of an address and of a number.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use jiff::Timestamp;

use super::queries::ByTime;
use super::schema::{self, Item};
use super::{Store, StoreError, retention};
use crate::enquiry::{EmailAddress, Enquiry, Phone, Received, Reference};
use crate::spam::SenderRule;

/// What the therapist has said about a sender. Of the sender it tells nothing: only hashes are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its name in the list.
    pub id: SenderId,
    pub rule: SenderRule,
    pub since: Timestamp,
    /// The enquiry from which it was said; nothing once that was erased.
    pub because_of: Option<Reference>,
    /// When it will be forgotten.
    pub expires: Option<Timestamp>,
}

/// What was said about the two ways in which a client is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Senders {
    /// About the address.
    pub address: Option<Sender>,
    /// About the number.
    pub number: Option<Sender>,
}

/// Some senders, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderPage {
    pub senders: Vec<Sender>,
    /// What the next page begins after, when there is one.
    pub next: Option<SenderCursor>,
}

/// Where a sender stands in their list. Its text tells a time and a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderCursor {
    since: Timestamp,
    id: SenderId,
}

/// The name of a sender in the list: the hash of an address or of a number, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderId(String);

/// What is to be said about a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderChange {
    Set(SenderRule),
    /// Nothing any more.
    Forget,
}

impl Store {
    /// What was said about a client, by their address and their number, unless it has expired.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn senders_of(
        &self,
        enquiry: &Enquiry,
        now: Timestamp,
    ) -> Result<Senders, StoreError> {
        let address = self.address_hash("find senders", &enquiry.email)?;
        let number = enquiry.phone.as_ref();
        let number = number.map(|number| self.number_hash("find senders", number));
        let number = number.transpose()?;
        let keys: Vec<String> = [Some(&address), number.as_ref()]
            .into_iter()
            .flatten()
            .map(|hash| schema::sender_key(hash))
            .collect();
        let found = self.get_all("find senders", &keys).await?;
        let of = |hash: &String| {
            let item = found.get(&schema::sender_key(hash))?;
            Sender::read(item).filter(|_| !schema::has_expired(item, now))
        };
        Ok(Senders {
            address: of(&address),
            number: number.as_ref().and_then(of),
        })
    }

    /// What was said about a client: where both are said, of their address and of their number, a block counts.
    ///
    /// # Errors
    /// When the table cannot be read, or the keys are out of reach.
    pub async fn sender_rule(
        &self,
        enquiry: &Enquiry,
        now: Timestamp,
    ) -> Result<Option<SenderRule>, StoreError> {
        let Senders { address, number } = self.senders_of(enquiry, now).await?;
        let rules = [address, number].into_iter().flatten().map(|it| it.rule);
        Ok(rules.max())
    }

    /// What was said about an address, unless it has expired.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn sender(
        &self,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<Sender>, StoreError> {
        let hash = self.address_hash("find senders", address)?;
        let found = self.get("find senders", schema::sender_key(&hash)).await?;
        let found = found.filter(|item| !schema::has_expired(item, now));
        Ok(found.as_ref().and_then(Sender::read))
    }

    /// The senders of whom something was said, the latest first: after `after`, at most `limit`, which is 100 at most.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn senders(
        &self,
        after: Option<&SenderCursor>,
        limit: usize,
        now: Timestamp,
    ) -> Result<SenderPage, StoreError> {
        let after = after.map(|after| (schema::sender_key(&after.id.0), after.since));
        let (keys, more) = self
            .page(ByTime {
                value: schema::SENDER.to_owned(),
                after,
                limit,
                ..ByTime::received()
            })
            .await?;
        let read: Vec<String> = keys.iter().map(|(key, _)| key.clone()).collect();
        let found = self.get_all("list senders", &read).await?;
        let last = keys.last().filter(|_| more);
        Ok(SenderPage {
            next: last.and_then(|(key, since)| {
                Some(SenderCursor {
                    since: *since,
                    id: key.split_once('#')?.1.parse().ok()?,
                })
            }),
            senders: read
                .iter()
                .filter_map(|key| found.get(key))
                .filter(|item| !schema::has_expired(item, now))
                .filter_map(Sender::read)
                .collect(),
        })
    }

    /// Forgets what was said about a sender.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget_sender(&self, id: &SenderId) -> Result<(), StoreError> {
        self.delete(schema::sender_key(&id.0), None).await
    }

    /// Takes the reference from what was said about a sender, when it is this one.
    pub(super) async fn detach_sender(
        &self,
        id: &SenderId,
        reference: &Reference,
    ) -> Result<(), StoreError> {
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::sender_key(&id.0)))
            .update_expression("REMOVE #reference")
            .condition_expression("#reference = :mine")
            .expression_attribute_names("#reference", "reference")
            .expression_attribute_values(":mine", AttributeValue::S(reference.to_string()))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::from_sdk("erase", &error)),
        }
    }

    /// The writes that say something about the client of an enquiry.
    pub(super) fn sender_changes(
        &self,
        received: &Received,
        change: SenderChange,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let unbuildable = |_| StoreError::unbuildable("change");
        let hashes = self.sender_hashes("change", &received.enquiry)?;
        let write = |hash: &String| match change {
            SenderChange::Set(rule) => {
                let (reference, expires) = (&received.reference, now + retention(received));
                let item = schema::sender(hash, rule, reference, now, expires);
                let put = Put::builder().table_name(&self.table).set_item(Some(item));
                let put = put.build().map_err(unbuildable)?;
                Ok(TransactWriteItem::builder().put(put).build())
            }
            SenderChange::Forget => {
                let delete = Delete::builder()
                    .table_name(&self.table)
                    .key("pk", AttributeValue::S(schema::sender_key(hash)));
                let delete = delete.build().map_err(unbuildable)?;
                Ok(TransactWriteItem::builder().delete(delete).build())
            }
        };
        hashes.iter().map(write).collect()
    }

    /// The hashes under which a client is known as a sender.
    pub(super) fn sender_hashes(
        &self,
        action: &'static str,
        enquiry: &Enquiry,
    ) -> Result<Vec<String>, StoreError> {
        let mut hashes = vec![self.address_hash(action, &enquiry.email)?];
        if let Some(number) = &enquiry.phone {
            hashes.push(self.number_hash(action, number)?);
        }
        Ok(hashes)
    }

    fn number_hash(&self, action: &'static str, number: &Phone) -> Result<String, StoreError> {
        let keys = self.keys.as_ref();
        keys.map(|keys| keys.hash("number", &[number.e164().as_bytes()]))
            .ok_or_else(|| StoreError::new(action, StoreError::NO_KEY))
    }
}

impl Sender {
    /// Reads an item; one of a rule that only a newer version knows is left out.
    pub(super) fn read(item: &Item) -> Option<Self> {
        Some(Self {
            id: schema::text(item, "pk")?.split_once('#')?.1.parse().ok()?,
            rule: schema::rule_of(item)?,
            since: schema::time(item, "received_at")?,
            because_of: schema::reference_of(item),
            expires: schema::expires_of(item),
        })
    }
}

impl fmt::Display for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SenderId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_hash = text.len() == 64
            && text
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for SenderCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.since, self.id)
    }
}

impl FromStr for SenderCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (since, id) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            since: since.parse().map_err(drop)?,
            id: id.parse()?,
        })
    }
}
