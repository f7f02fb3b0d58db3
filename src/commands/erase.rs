//! `erase`: without `"confirm": true` it only says what would go. What it answers when it has erased is a receipt without
//! personal data, to be filed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Commands, Error};
use crate::clock::Clock;
use crate::desk::erase::{Erase, Erasure, Subject};
use crate::desk::file::{about_address, about_sender};
use crate::messages;

impl Commands {
    /// Erases, or says what would go.
    pub(super) async fn erase(
        &self,
        subject: Subject<'_>,
        confirm: bool,
        clock: &Clock,
    ) -> Result<Value, Error> {
        let erase = if confirm {
            Erase::Confirmed
        } else {
            Erase::Preview
        };
        let erasure = self.desk.erase(subject, erase, clock).await;
        match (erase, erasure.error.clone()) {
            (Erase::Confirmed, _) => Ok(receipt(&erasure, clock.now())),
            (Erase::Preview, None) => Ok(preview(&erasure)),
            (Erase::Preview, Some(error)) => Err(error.into()),
        }
    }
}

fn counts(erasure: &Erasure) -> Value {
    json!({
        "enquiries": erasure.copies.len(),
        "idempotency_records": erasure.idempotency_records(),
        "cool_downs": usize::from(erasure.cool_down.is_some()),
        "notes": erasure.notes(),
        "senders": erasure.senders.len(),
    })
}

/// What would go: for the operator's eyes, with the addresses as they were typed.
fn preview(erasure: &Erasure) -> Value {
    let enquiries: Vec<Value> = erasure
        .copies
        .iter()
        .map(|copies| {
            let record = copies.record.as_ref();
            json!({
                "reference": copies.reference,
                "received_at": record.map(|record| record.received.received_at),
                "email": record.map(|record| &record.received.enquiry.email),
                "pending": record.map(|record| record.state.deliveries.is_pending()),
            })
        })
        .collect();
    json!({
        "dry_run": true,
        "would_erase": counts(erasure),
        "enquiries": enquiries,
        "about_the_sender": erasure.senders.iter().map(about_sender).collect::<Vec<_>>(),
        "about_the_address": erasure.cool_down.as_ref().map(about_address),
        "leaving": erasure.leaving,
        "address_code": erasure.address_code,
        "complete": erasure.complete,
        "to_do": messages::command::to_do::CONFIRM,
    })
}

/// What went: nothing that tells whose it was.
fn receipt(erasure: &Erasure, now: Timestamp) -> Value {
    let references: Vec<_> = erasure.copies.iter().map(|it| &it.reference).collect();
    json!({
        "erased": counts(erasure),
        "references": references,
        "unsure": erasure.unsure,
        "at": now,
        "leaving": erasure.leaving,
        "address_code": erasure.address_code,
        "complete": erasure.complete,
        "error": erasure.error.as_ref().map(ToString::to_string),
        "to_do": if erasure.complete {
            messages::command::to_do::ELSEWHERE
        } else {
            messages::command::to_do::AGAIN
        },
    })
}
