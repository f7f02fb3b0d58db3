//! `export`: everything that the table holds about an address.

use serde_json::{Value, json};

use super::{Commands, Error, Format, csv, cursor};
use crate::clock::Clock;
use crate::enquiry::{EmailAddress, Field};
use crate::mail_state::EmailKind;
use crate::practice::Practice;
use crate::record::Record;
use crate::store::{CoolDown, Cursor, StoredCopies};

/// How much one answer may hold, in bytes as it is sent: Lambda refuses more than 6 MB (quota "Invocation payload").
const LARGEST: usize = 5_000_000;

/// A column of the table, beside the reference and the times.
#[derive(Clone, Copy)]
enum Column {
    Answer(Field),
    Verdict,
    Signals,
    Email(EmailKind),
}

impl Column {
    /// Every answer, in the order of the form, and what became of the enquiry.
    fn all() -> Vec<Self> {
        let answers = Field::ALL.iter().filter(|field| field.is_stored());
        let emails = EmailKind::ALL.iter().filter(|kind| kind.is_stored());
        answers
            .map(|field| Self::Answer(*field))
            .chain([Self::Verdict, Self::Signals])
            .chain(emails.map(|kind| Self::Email(*kind)))
            .collect()
    }

    const fn name(self) -> &'static str {
        match self {
            // The box is always ticked: the wording is what tells.
            Self::Answer(Field::Consent) => Field::ConsentVersion.key(),
            Self::Answer(field) => field.key(),
            Self::Verdict => "verdict",
            Self::Signals => "signals",
            Self::Email(kind) => kind.key(),
        }
    }

    fn cell(self, record: &Record, practice: &Practice) -> String {
        let enquiry = &record.received.enquiry;
        match self {
            Self::Answer(Field::Consent) => enquiry.consent_version.clone(),
            Self::Answer(field) => enquiry
                .answer(field, practice)
                .map_or_else(String::new, |answer| answer.text),
            Self::Verdict => record.state.verdict.code().to_owned(),
            Self::Signals => {
                let codes: Vec<&str> = record.signals.iter().map(|it| it.code()).collect();
                codes.join(", ")
            }
            Self::Email(kind) => {
                let state = record.state.deliveries.of(kind);
                state.map_or_else(String::new, ToString::to_string)
            }
        }
    }
}

/// What is kept about an address itself, in words that a person understands.
pub(super) fn about_address(cool_down: &CoolDown) -> Value {
    json!({
        "what": if cool_down.undeliverable {
            "an email to this address came back, or was reported as spam: it gets no automatic reply"
        } else {
            "this address had an automatic reply a short time ago: it gets no other one for now"
        },
        "because_of": cool_down.because_of,
        "deleted_after": cool_down.expires,
    })
}

impl Commands {
    /// Everything about an address, however it is spelt; the rest with `next_cursor`, when one answer cannot hold it.
    pub(super) async fn export(
        &self,
        address: &EmailAddress,
        after: Option<&str>,
        format: Format,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let columns = Column::all();
        let shown = |cursor: &Cursor, copies: &StoredCopies| match format {
            Format::Json => entry(cursor, copies),
            Format::Csv => Value::String(self.line(&columns, cursor, copies)),
        };
        let mut size = 0;
        let fits = |cursor: &Cursor, copies: &StoredCopies| {
            // As text of JSON, in which quotes and line breaks take more room.
            size += shown(cursor, copies).to_string().len();
            size <= LARGEST
        };
        let export = self
            .desk
            .export(address, cursor(after)?, fits, clock)
            .await?;
        let entries: Vec<Value> = export
            .found
            .iter()
            .map(|(cursor, copies)| shown(cursor, copies))
            .collect();
        let mut answer = json!({
            "email": address,
            "count": entries.len(),
            "complete": export.next.is_none(),
            "about_the_address": export.cool_down.as_ref().map(about_address),
        });
        if let Some(answer) = answer.as_object_mut() {
            match format {
                Format::Json => answer.insert("enquiries".to_owned(), entries.into()),
                Format::Csv => {
                    let names = columns.iter().map(|column| column.name());
                    let header = ["reference", "received_at"].into_iter().chain(names);
                    let header = csv::row(header.chain(["deleted_after"]));
                    let lines: String = entries.iter().filter_map(Value::as_str).collect();
                    let table = format!("{}{header}{lines}", csv::BEGIN);
                    answer.insert("csv".to_owned(), table.into())
                }
            };
            if let Some(next) = export.next {
                answer.insert("next_cursor".to_owned(), next.to_string().into());
                answer.insert(
                    "note".to_owned(),
                    "one answer cannot hold it all: send the same command with this next_cursor as cursor for the rest, until complete is true".into(),
                );
            }
        }
        Ok(answer)
    }

    fn line(&self, columns: &[Column], cursor: &Cursor, copies: &StoredCopies) -> String {
        let mut cells = vec![cursor.reference.to_string(), cursor.at.to_string()];
        match &copies.record {
            Some(record) => {
                cells.extend(columns.iter().map(|it| it.cell(record, &self.practice)));
            }
            None => {
                cells.push("unreadable: a newer version of the desk wrote it".to_owned());
                cells.resize(columns.len() + 2, String::new());
            }
        }
        cells.push(copies.expires.map_or_else(String::new, |at| at.to_string()));
        csv::row(cells.iter().map(String::as_str))
    }
}

fn entry(cursor: &Cursor, copies: &StoredCopies) -> Value {
    let Some(record) = &copies.record else {
        return json!({
            "reference": cursor.reference,
            "received_at": cursor.at,
            "unreadable": "a newer version of the desk wrote it: deploy that one, and export again",
        });
    };
    json!({
        "received": record.received,
        "verdict": record.state.verdict,
        "signals": record.signals,
        "deliveries": record.state.deliveries,
        "post_remembered": copies.idempotency_record,
        "deleted_after": copies.expires,
    })
}
