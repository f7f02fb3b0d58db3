//! `show`, `waiting` and `senders`.

use serde_json::{Value, json};

use super::{Commands, Error, cursor, list, refused};
use crate::clock::Clock;
use crate::desk::DeskError;
use crate::desk::file::about_sender;
use crate::desk::list::Entry;
use crate::enquiry::Reference;
use crate::messages;
use crate::record::Note;

impl Commands {
    /// One enquiry with everything about it; one that cannot be read as the table has it.
    pub(super) async fn show(&self, reference: &Reference, clock: &Clock) -> Result<Value, Error> {
        let whole = match self.desk.enquiry(reference, clock).await {
            Err(DeskError::Store(error)) if error.is_unreadable() => {
                let items = self.desk.raw(reference).await?;
                return Ok(json!({ "unreadable": error.code, "items": items }));
            }
            whole => whole?,
        };
        let record = &whole.record;
        let others = whole.others.iter();
        let others = others.map(|it| json!({ "reference": it.reference, "received_at": it.at }));
        Ok(json!({
            "received": record.received,
            "verdict": record.state.verdict,
            "signals": record.signals,
            "mark": record.state.mark(),
            "marked": record.state.marked,
            "withdrawn": record.state.withdrawn,
            "disowned": record.state.disowned,
            "data_complaint": record.state.data_complaint,
            "deliveries": record.state.deliveries,
            "timeline": whole.timeline,
            "note": whole.note.as_ref().map(Note::text),
            "other_enquiries": others.collect::<Vec<_>>(),
            "sender": {
                "address": whole.senders.address.as_ref().map(about_sender),
                "number": whole.senders.number.as_ref().map(about_sender),
            },
        }))
    }

    /// Who waits for an answer.
    pub(super) async fn waiting(&self, after: Option<&str>, clock: &Clock) -> Result<Value, Error> {
        let waiting = self.desk.waiting(cursor(after)?.as_ref()).await?;
        let row = |entry: &Entry| {
            let mut row = list::entry(entry);
            if let (Entry::Record(record), Some(row)) = (entry, row.as_object_mut()) {
                let overdue = record.is_overdue(clock.now());
                row.insert("overdue".to_owned(), overdue.into());
            }
            row
        };
        let mut answer = json!({
            "waiting": waiting.waiting.iter().map(row).collect::<Vec<_>>(),
            "suspects": waiting.suspects.number,
            "more_suspects": waiting.suspects.more,
            "last_marked": waiting.marked.iter().map(list::entry).collect::<Vec<_>>(),
        });
        if let (Some(next), Some(answer)) = (waiting.next, answer.as_object_mut()) {
            answer.insert("next_cursor".to_owned(), next.to_string().into());
        }
        Ok(answer)
    }

    /// The senders that were blocked or trusted.
    pub(super) async fn senders(&self, after: Option<&str>, clock: &Clock) -> Result<Value, Error> {
        let after = after.map(str::parse).transpose();
        let after = after.map_err(|()| refused(messages::command::CURSOR))?;
        let page = self.desk.senders(after.as_ref(), clock).await?;
        let row = |sender| {
            let mut row = about_sender(sender);
            if let Some(row) = row.as_object_mut() {
                row.insert("sender".to_owned(), sender.id.to_string().into());
            }
            row
        };
        let mut answer = json!({ "senders": page.senders.iter().map(row).collect::<Vec<_>>() });
        if let (Some(next), Some(answer)) = (page.next, answer.as_object_mut()) {
            answer.insert("next_cursor".to_owned(), next.to_string().into());
        }
        Ok(answer)
    }
}
