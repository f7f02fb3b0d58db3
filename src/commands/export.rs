//! `export`: everything that the table holds about an address, or the enquiries of a month.

use serde_json::{Value, json};

use super::{Commands, Error, Format, cursor};
use crate::clock::Clock;
use crate::desk::export::Selection;
use crate::desk::file::{Table, about_address, entry};
use crate::desk::{csv, month::Month};
use crate::enquiry::EmailAddress;
use crate::messages;
use crate::store::{Cursor, StoredCopies};

/// How much one answer may hold, in bytes as it is sent: Lambda refuses more than 6 MB (quota "Invocation payload").
const LARGEST: usize = 5_000_000;

impl Commands {
    /// Everything about an address, however it is spelt; the rest with `next_cursor`, when one answer cannot hold it.
    pub(super) async fn export(
        &self,
        address: &EmailAddress,
        after: Option<&str>,
        format: Format,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let answer = json!({ "email": address, "about_the_address": null });
        self.exported(Selection::Person(address), answer, after, format, clock)
            .await
    }

    /// The enquiries of a month, in the same way.
    pub(super) async fn export_month(
        &self,
        month: Month,
        after: Option<&str>,
        format: Format,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let answer = json!({ "month": month.to_string() });
        self.exported(Selection::Month(month), answer, after, format, clock)
            .await
    }

    async fn exported(
        &self,
        selection: Selection<'_>,
        mut answer: Value,
        after: Option<&str>,
        format: Format,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let table = Table::new(&self.practice);
        let shown = |cursor: &Cursor, copies: &StoredCopies| match format {
            Format::Json => entry(cursor, copies),
            Format::Csv => Value::String(table.line(cursor, copies)),
        };
        let mut size = 0;
        let fits = |cursor: &Cursor, copies: &StoredCopies| {
            // As text of JSON, in which quotes and line breaks take more room.
            size += shown(cursor, copies).to_string().len();
            size <= LARGEST
        };
        let after = cursor(after)?;
        let export = self.desk.export(selection, after, fits, clock).await?;
        let found = export.found.iter();
        let entries: Vec<Value> = found
            .map(|(cursor, copies)| shown(cursor, copies))
            .collect();
        if let Some(answer) = answer.as_object_mut() {
            let mut set = |name: &str, value: Value| answer.insert(name.to_owned(), value);
            set("count", entries.len().into());
            set("complete", export.next.is_none().into());
            if let Selection::Person(_) = selection {
                let about = export.cool_down.as_ref().map(about_address);
                set("about_the_address", about.into());
            }
            match format {
                Format::Json => set("enquiries", entries.into()),
                Format::Csv => {
                    let lines: String = entries.iter().filter_map(Value::as_str).collect();
                    let table = format!("{}{}{lines}", csv::BEGIN, table.header());
                    set("csv", table.into())
                }
            };
            if let Some(next) = export.next {
                set("next_cursor", next.to_string().into());
                set("note", messages::command::MORE.into());
            }
        }
        Ok(answer)
    }
}
