//! The annex of an enquiry, for what its state is too small for: the private note, and the older part of the timeline. It expires with the
//! enquiry and goes with it.

use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;

use super::schema::{self, s};
use super::{Store, StoreError};
use crate::enquiry::Reference;
use crate::record::{Entry, Note, Record};

/// What is not in the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annex {
    /// The private note.
    pub note: Option<Note>,
    /// The older part of the timeline, oldest first.
    pub older: Vec<Entry>,
}

/// A change of the private note.
#[derive(Clone)]
pub enum NoteChange {
    /// It says this.
    Save(String),
    /// It goes.
    Remove,
}

impl fmt::Debug for NoteChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoteChange(…)")
    }
}

pub(super) struct AnnexChange<'a> {
    pub(super) note: Option<&'a NoteChange>,
    /// What the state gives away.
    pub(super) older: &'a [Entry],
    /// When it expires, where that is known now.
    pub(super) expires: Option<Timestamp>,
    /// Whether it must not expire any more.
    pub(super) reopens: bool,
}

impl Store {
    /// An enquiry with its annex, and when it will be deleted by itself; nothing when there is none with this reference.
    ///
    /// # Errors
    /// When the table cannot be read, or an item is not one that this version understands.
    pub async fn load_whole(
        &self,
        reference: &Reference,
    ) -> Result<Option<(Record, Annex)>, StoreError> {
        let keys = [
            schema::enquiry_key(reference),
            schema::state_key(reference),
            schema::annex_key(reference),
        ];
        let mut found = self.get_all("load", &keys).await?;
        let [enquiry, state, annex] = keys.map(|key| found.remove(&key));
        let (Some(enquiry), Some(state)) = (enquiry, state) else {
            return Ok(None);
        };
        let record = schema::record(enquiry, Some(state))?;
        let annex = annex.map(|annex| Annex::read(annex, record.state.note_version));
        let annex = annex.transpose()?.unwrap_or_default();
        Ok(Some((record, annex)))
    }

    /// The write of a change, if there is anything to write.
    pub(super) fn annex_change(
        &self,
        reference: &Reference,
        change: &AnnexChange<'_>,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        if change.note.is_none() && change.older.is_empty() && !change.reopens {
            return Ok(None);
        }
        let mut set = vec!["kind = :kind", "v = :v"];
        let mut remove = Vec::new();
        let mut values = HashMap::from([
            s(":kind", schema::ANNEX),
            schema::n(":v", i64::from(schema::VERSION)),
        ]);
        match change.note {
            Some(NoteChange::Save(text)) => {
                set.push("note = :note");
                values.extend([s(":note", text)]);
            }
            Some(NoteChange::Remove) => remove.push("note"),
            None => {}
        }
        if !change.older.is_empty() {
            set.push("timeline = list_append(if_not_exists(timeline, :none), :older)");
            let lines = schema::lines(change.older).into_iter();
            let older = lines.map(AttributeValue::S).collect();
            values.insert(":older".to_owned(), AttributeValue::L(older));
            values.insert(":none".to_owned(), AttributeValue::L(Vec::new()));
        }
        match change.expires {
            Some(expires) => {
                set.push("expires = :expires");
                values.extend([schema::seconds(":expires", expires)]);
            }
            None if change.reopens => remove.push("expires"),
            None => {}
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(schema::annex_key(reference)))
            .update_expression(expression)
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(|_| StoreError::unbuildable("change"))?;
        Ok(Some(TransactWriteItem::builder().update(update).build()))
    }

    /// Lets the annex expire with its enquiry. Says whether it is still there.
    pub(super) async fn annex_expires(
        &self,
        record: &Record,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let outcome = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(
                "pk",
                AttributeValue::S(schema::annex_key(&record.received.reference)),
            )
            .update_expression("SET expires = :expires")
            .condition_expression("attribute_exists(pk)")
            .set_expression_attribute_values(Some(HashMap::from([schema::seconds(
                ":expires", expires,
            )])))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk("change", &error)),
        }
    }
}

impl Annex {
    pub(super) fn read(item: schema::Item, version: u32) -> Result<Self, StoreError> {
        let (note, older) = schema::annex(item)?;
        Ok(Self {
            note: note.map(|text| Note::stored(text, version)),
            older,
        })
    }
}
