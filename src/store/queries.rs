//! Queries of the indexes: pending work by when it is due, enquiries by their time or by their person.
//!
//! An index only says where to look: what is shown or done is read from the items themselves. An index may also lag a moment
//! behind, so that a second look finds what came in meanwhile.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::schema::{self, Item, List, s};
use super::{Store, StoreError};
use crate::enquiry::{EmailAddress, Received, Reference};
use crate::record::Work;

/// Work that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub work: Work,
    /// Since when.
    pub due: Timestamp,
}

/// Where an enquiry stands in a list: what a page begins after. Its text tells no more than the time and the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When it came in; in the list of those that wait, by when an answer was promised.
    pub at: Timestamp,
    pub reference: Reference,
}

/// Some enquiries, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Where they stand.
    pub found: Vec<Cursor>,
    /// What the next page begins after, when there is one.
    pub next: Option<Cursor>,
}

/// One query of an index whose entries are sorted by a time.
pub(super) struct ByTime {
    pub(super) index: &'static str,
    /// The attribute that is the index's partition key, and the partition.
    pub(super) key: &'static str,
    pub(super) value: String,
    /// The attribute that is its sort key.
    pub(super) sort: &'static str,
    /// Whether the earliest come first.
    pub(super) forward: bool,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The key of an item and its time.
    pub(super) after: Option<(String, Timestamp)>,
    pub(super) limit: usize,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.reference)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, reference) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            at: at.parse().map_err(drop)?,
            reference: Reference::parse(reference).map_err(drop)?,
        })
    }
}

impl Store {
    /// The work that is due at this time, at most `limit` of each: what clients wait for, then suspected spam, each with the
    /// oldest first. What is due later is left out, and so are items of a kind that only a newer version knows.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn pending(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<[Vec<Pending>; 2], StoreError> {
        let [clear, suspected] = schema::PENDING;
        Ok([
            self.pending_in(clear, now, limit).await?,
            self.pending_in(suspected, now, limit).await?,
        ])
    }

    async fn pending_in(
        &self,
        partition: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Pending>, StoreError> {
        let mut pending = Vec::new();
        let mut from = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name("pending")
                .key_condition_expression("pending = :pending AND due <= :now")
                .set_expression_attribute_values(Some(Item::from([
                    s(":pending", partition),
                    s(":now", now),
                ])))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk("list what is pending", &error))?;
            pending.extend(answer.items().iter().filter_map(|item| {
                Some(Pending {
                    work: schema::work(item)?,
                    due: schema::time(item, "due")?,
                })
            }));
            from = answer.last_evaluated_key;
            if from.is_none() || pending.len() >= limit {
                pending.truncate(limit);
                return Ok(pending);
            }
        }
    }

    /// When earlier enquiries came from the same address, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn earlier(
        &self,
        received: &Received,
        limit: i32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let address = self.address_hash("find earlier enquiries", &received.enquiry.email)?;
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("address")
            .key_condition_expression("address = :address AND received_at < :before")
            .set_expression_attribute_values(Some(Item::from([
                s(":address", address),
                s(":before", received.received_at),
            ])))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("find earlier enquiries", &error))?;
        let received_at = |item: &Item| schema::time(item, "received_at");
        Ok(answer.items().iter().filter_map(received_at).collect())
    }

    /// The enquiries that came in from `first` to `last`, both included: after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn received(
        &self,
        first: Timestamp,
        last: Timestamp,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let query = ByTime {
            first,
            last,
            after: after.map(|after| (schema::enquiry_key(&after.reference), after.at)),
            limit,
            ..ByTime::received()
        };
        Ok(Page::of(self.page(query).await?))
    }

    /// When the first enquiry came in of those that are still there.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn first_received(&self) -> Result<Option<Timestamp>, StoreError> {
        let query = ByTime {
            forward: true,
            limit: 1,
            ..ByTime::received()
        };
        let page = Page::of(self.page(query).await?);
        Ok(page.found.first().map(|first| first.at))
    }

    /// The enquiries from this address, however it is spelt: after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn from_address(
        &self,
        address: &EmailAddress,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let query = ByTime {
            index: "address",
            key: "address",
            value: self.address_hash("find", address)?,
            after: after.map(|after| (schema::enquiry_key(&after.reference), after.at)),
            limit,
            ..ByTime::received()
        };
        Ok(Page::of(self.page(query).await?))
    }

    /// Those that wait for the therapist's answer, the nearest promise first: after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn waiting(&self, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        let query = ByTime {
            forward: true,
            after: after.map(|after| (schema::state_key(&after.reference), after.at)),
            limit,
            ..ByTime::listed(List::Waiting)
        };
        Ok(Page::of(self.page(query).await?))
    }

    /// Those that wait for an answer that was promised by `first` or later, the nearest promise first, at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn waiting_from(&self, first: Timestamp, limit: usize) -> Result<Page, StoreError> {
        let query = ByTime {
            forward: true,
            first,
            limit,
            ..ByTime::listed(List::Waiting)
        };
        Ok(Page::of(self.page(query).await?))
    }

    /// Those that were marked, the latest first, at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn marked(&self, limit: usize) -> Result<Page, StoreError> {
        let query = ByTime {
            limit,
            ..ByTime::listed(List::Marked)
        };
        Ok(Page::of(self.page(query).await?))
    }

    /// How many look like spam and were not marked, up to `limit`, and whether there are more.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn suspects(&self, limit: usize) -> Result<(usize, bool), StoreError> {
        let query = ByTime {
            limit,
            ..ByTime::listed(List::Suspect)
        };
        let (found, more) = self.page(query).await?;
        Ok((found.len(), more))
    }

    /// The keys of the items that an index finds, with their times; and whether there are more.
    pub(super) async fn page(
        &self,
        query: ByTime,
    ) -> Result<(Vec<(String, Timestamp)>, bool), StoreError> {
        let value = AttributeValue::S(query.value);
        let begin = query.after.map(|(pk, at)| {
            Item::from([
                s("pk", pk),
                (query.key.to_owned(), value.clone()),
                s(query.sort, at),
            ])
        });
        // One more than asked for tells whether there is another page.
        let limit = i32::try_from(query.limit.saturating_add(1)).unwrap_or(i32::MAX);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(query.index)
            .key_condition_expression("#key = :key AND #sort BETWEEN :first AND :last")
            .expression_attribute_names("#key", query.key)
            .expression_attribute_names("#sort", query.sort)
            .expression_attribute_values(":key", value)
            .expression_attribute_values(":first", AttributeValue::S(query.first.to_string()))
            .expression_attribute_values(":last", AttributeValue::S(query.last.to_string()))
            .scan_index_forward(query.forward)
            .limit(limit)
            .set_exclusive_start_key(begin)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("list", &error))?;
        let found = answer.items().iter().filter_map(|item| {
            let key = schema::text(item, "pk")?.to_owned();
            Some((key, schema::time(item, query.sort)?))
        });
        let mut found: Vec<_> = found.collect();
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        Ok((found, more))
    }
}

impl ByTime {
    /// All enquiries by when they came in, the latest first.
    pub(super) fn received() -> Self {
        Self {
            index: "received",
            key: "kind",
            value: schema::ENQUIRY.to_owned(),
            sort: "received_at",
            forward: false,
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::MAX,
            after: None,
            limit: 0,
        }
    }

    /// One list of the index of states, the latest first.
    fn listed(list: List) -> Self {
        Self {
            index: "waiting",
            key: "list",
            value: list.key().to_owned(),
            sort: "list_by",
            ..Self::received()
        }
    }
}

impl Page {
    /// What these keys name; one that names no enquiry is left out.
    fn of((keys, more): (Vec<(String, Timestamp)>, bool)) -> Self {
        let cursor = |(key, at): &(String, Timestamp)| {
            let (_, reference) = key.split_once('#')?;
            Some(Cursor {
                at: *at,
                reference: Reference::parse(reference).ok()?,
            })
        };
        let found: Vec<Cursor> = keys.iter().filter_map(cursor).collect();
        let next = found.last().filter(|_| more).cloned();
        Self { found, next }
    }
}
