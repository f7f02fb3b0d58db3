//! Files of enquiries, every answer included: the same from a command and from a page.

use serde_json::{Value, json};

use super::export::Selection;
use super::{Desk, DeskError, csv};
use crate::clock::Clock;
use crate::enquiry::Field;
use crate::mail_state::EmailKind;
use crate::messages::{self, desk::column};
use crate::practice::Practice;
use crate::record::{Entry, Event, Record};
use crate::store::{Annex, CoolDown, Cursor, Sender, StoredCopies};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As data.
    Json,
    /// As a table, for a spreadsheet (RFC 4180). What people typed stays text there.
    Csv,
}

/// One file of some enquiries, below [`File::LARGEST`] unless it holds a single one.
pub struct File {
    /// What it is called, such as `enquiries-2026-11.csv`; that of a later part names the enquiry that it begins after. It never
    /// names a person.
    pub name: String,
    /// Its media type, such as `text/csv; charset=utf-8`.
    pub media_type: &'static str,
    pub content: String,
    /// How many enquiries are in it.
    pub count: usize,
    /// What the next file begins after, when there is more.
    pub next: Option<Cursor>,
}

impl File {
    /// How large a file may be, in bytes: an answer of Lambda may have 6 MB, and in base64 this is 5.4 ("Lambda quotas").
    pub const LARGEST: usize = 4_000_000;
    /// What is left for what stands around the enquiries.
    const AROUND: usize = 2_000;
}

impl Desk {
    /// A file of everything that is selected, after `after`. What it costs: [`Desk::export`].
    ///
    /// # Errors
    /// When the table cannot be read, or an address is asked for while the keys are out of reach.
    pub async fn file(
        &self,
        selection: Selection<'_>,
        format: Format,
        after: Option<Cursor>,
        clock: &Clock,
    ) -> Result<File, DeskError> {
        let table = Table::new(&self.practice);
        let shown = |cursor: &Cursor, copies: &StoredCopies| match format {
            Format::Json => entry(cursor, copies).to_string(),
            Format::Csv => table.line(cursor, copies),
        };
        let part = after
            .as_ref()
            .map(|after| format!("-after-{}", after.reference));
        let mut size = File::AROUND;
        let fits = |cursor: &Cursor, copies: &StoredCopies| {
            size += shown(cursor, copies).len() + 1;
            size <= File::LARGEST
        };
        let export = self.export(selection, after, fits, clock).await?;
        let found = export.found.iter();
        let found: Vec<String> = found
            .map(|(cursor, copies)| shown(cursor, copies))
            .collect();
        let (extension, media_type) = match format {
            Format::Json => ("json", "application/json"),
            Format::Csv => ("csv", "text/csv; charset=utf-8"),
        };
        let of = match selection {
            Selection::Person(_) => "of-one-person".to_owned(),
            Selection::Month(month) => month.to_string(),
        };
        Ok(File {
            name: format!("enquiries-{of}{}.{extension}", part.unwrap_or_default()),
            media_type,
            content: match format {
                Format::Csv => format!("{}{}{}", csv::BEGIN, table.header(), found.concat()),
                Format::Json => {
                    let about = export.cool_down.as_ref().map(about_address);
                    let about = about.unwrap_or(Value::Null);
                    let entries = found.join(",");
                    format!("{{\"about_the_address\":{about},\"enquiries\":[{entries}]}}")
                }
            },
            count: found.len(),
            next: export.next,
        })
    }
}

/// The table of enquiries: one row each, every answer in a column of its own.
pub struct Table<'a> {
    columns: Vec<Column>,
    practice: &'a Practice,
}

impl<'a> Table<'a> {
    /// The table of a practice's enquiries.
    #[must_use]
    pub fn new(practice: &'a Practice) -> Self {
        Self {
            columns: Column::all(practice),
            practice,
        }
    }

    /// The names of the columns, as a row.
    #[must_use]
    pub fn header(&self) -> String {
        let names = self.columns.iter().map(|it| it.name(self.practice));
        let header = [column::REFERENCE, column::RECEIVED_AT].into_iter();
        csv::row(header.chain(names).chain([column::DELETED_AFTER]))
    }

    /// The row of an enquiry.
    #[must_use]
    pub fn line(&self, cursor: &Cursor, copies: &StoredCopies) -> String {
        let mut cells = vec![cursor.reference.to_string(), cursor.at.to_string()];
        match &copies.record {
            Some(record) => {
                let annex = copies.annex.as_ref();
                let columns = self.columns.iter();
                cells.extend(columns.map(|it| it.cell(record, annex, self.practice)));
            }
            None => {
                cells.push(messages::desk::file::UNREADABLE_ROW.to_owned());
                cells.resize(self.columns.len() + 2, String::new());
            }
        }
        cells.push(copies.expires.map_or_else(String::new, |at| at.to_string()));
        csv::row(cells.iter().map(String::as_str))
    }
}

/// A column of the table, beside the reference and the times.
#[derive(Clone, Copy)]
enum Column {
    Answer(Field),
    /// The answers to questions of the practice's own that it asks no more.
    Others,
    PromisedBy,
    Mark,
    MarkedAt,
    Verdict,
    Signals,
    Email(EmailKind),
    Note,
}

impl Column {
    /// Every answer, in the order of the form, and what became of the enquiry.
    fn all(practice: &Practice) -> Vec<Self> {
        let answers = Field::ALL.iter().filter(|field| field.is_stored());
        let own = practice.questions.iter().map(|it| Field::Own(it.key));
        let emails = EmailKind::ALL.iter().filter(|kind| kind.is_stored());
        let answers = answers.copied().chain(own);
        answers
            .map(Self::Answer)
            .chain([Self::Others, Self::PromisedBy, Self::Mark, Self::MarkedAt])
            .chain([Self::Verdict, Self::Signals])
            .chain(emails.map(|kind| Self::Email(*kind)))
            .chain([Self::Note])
            .collect()
    }

    fn name<'a>(&'a self, practice: &'a Practice) -> &'a str {
        match self {
            // The box is always ticked: the wording is what tells.
            Self::Answer(Field::Consent) => column::CONSENT_VERSION,
            Self::Answer(field) => field.short(field.row(practice).label),
            Self::Others => column::OTHER_ANSWERS,
            Self::PromisedBy => column::PROMISED_BY,
            Self::Mark => column::MARK,
            Self::MarkedAt => column::MARKED_AT,
            Self::Verdict => column::VERDICT,
            Self::Signals => column::SIGNALS,
            Self::Email(EmailKind::Therapist) => column::THERAPIST,
            Self::Email(EmailKind::AutoReply) => column::AUTO_REPLY,
            Self::Email(EmailKind::Notice) => column::NOTICE,
            Self::Email(kind) => kind.key(),
            Self::Note => column::NOTE,
        }
    }

    fn cell(self, record: &Record, annex: Option<&Annex>, practice: &Practice) -> String {
        let enquiry = &record.received.enquiry;
        match self {
            Self::Answer(Field::Consent) => enquiry.consent_version.clone(),
            Self::Answer(field) => enquiry
                .answer(field, practice)
                .map_or_else(String::new, |answer| answer.text),
            Self::Others => {
                let others = enquiry.own.iter();
                let others = others.filter(|it| !Field::Own(it.key).is_asked(practice));
                let others: Vec<String> = others
                    .map(|it| format!("{}: {}", it.label, it.text()))
                    .collect();
                others.join("\n")
            }
            Self::PromisedBy => record.received.promised_by.to_string(),
            Self::Mark => record.state.mark().key().to_owned(),
            Self::MarkedAt => {
                let marked = record.state.marked;
                marked.map_or_else(String::new, |marked| marked.at.to_string())
            }
            Self::Verdict => record.state.verdict.code().to_owned(),
            Self::Signals => {
                let codes: Vec<&str> = record.signals.iter().map(|it| it.code()).collect();
                codes.join(", ")
            }
            Self::Email(kind) => {
                let state = record.state.deliveries.of(kind);
                state.map_or_else(String::new, ToString::to_string)
            }
            Self::Note => {
                let note = annex.and_then(|annex| annex.note.as_ref());
                note.map_or_else(String::new, |note| note.text().to_owned())
            }
        }
    }
}

/// What is kept about an address itself, in words that a person understands: for its owner too.
#[must_use]
pub const fn about_address_in_words(cool_down: &CoolDown) -> &'static str {
    if cool_down.undeliverable {
        messages::desk::address::UNDELIVERABLE
    } else {
        messages::desk::address::COOL_DOWN
    }
}

/// What is kept about an address itself, as data.
#[must_use]
pub fn about_address(cool_down: &CoolDown) -> Value {
    json!({
        "what": about_address_in_words(cool_down),
        "because_of": cool_down.because_of,
        "deleted_after": cool_down.expires,
    })
}

#[must_use]
pub fn about_sender(sender: &Sender) -> Value {
    json!({
        "rule": sender.rule,
        "since": sender.since,
        "because_of": sender.because_of,
        "deleted_after": sender.expires,
    })
}

/// An enquiry with all that hangs on it, as data.
#[must_use]
pub fn entry(cursor: &Cursor, copies: &StoredCopies) -> Value {
    let Some(record) = &copies.record else {
        return json!({
            "reference": cursor.reference,
            "received_at": cursor.at,
            "unreadable": messages::desk::file::UNREADABLE,
        });
    };
    let annex = copies.annex.as_ref();
    let older = annex.map_or(&[][..], |annex| &annex.older);
    json!({
        "received": record.received,
        "verdict": record.state.verdict,
        "signals": record.signals,
        "mark": record.state.mark(),
        "deliveries": record.state.deliveries,
        "timeline": timeline(record, older),
        "note": annex.and_then(|annex| annex.note.as_ref()).map(|note| note.text()),
        "about_the_sender": copies.senders.iter().map(about_sender).collect::<Vec<_>>(),
        "post_remembered": copies.idempotency_record,
        "deleted_after": copies.expires,
    })
}

/// What happened to an enquiry, oldest first: the older part stands in its annex.
#[must_use]
pub fn timeline(record: &Record, older: &[Entry]) -> Vec<Entry> {
    let received = Entry {
        at: record.received.received_at,
        event: Event::Received,
    };
    let entries = [&received].into_iter().chain(older);
    let recent = &record.state.timeline.recent;
    entries.chain(recent).cloned().collect()
}
