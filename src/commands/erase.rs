//! `erase`: everything about an address, or one enquiry, goes from the table (UK GDPR, article 17). Without
//! `"confirm": true` it only says what would go.
//!
//! What it answers when it has erased is a receipt without personal data, to be filed. Interrupted, it goes on where it
//! stopped when it is sent again: whatever finds the rest goes last.

use jiff::Timestamp;
use lambda_runtime::Error;
use serde_json::{Value, json};
use tracing::{error, info};

use super::{ENOUGH, export};
use crate::app::App;
use crate::clock::Clock;
use crate::delivery::{EmailKind, MailState};
use crate::enquiry::{EmailAddress, Reference};
use crate::store::{CoolDown, StoreError, Trace};

/// How many enquiries are looked up at once.
const PAGE: usize = 100;

/// What went, or would go.
#[derive(Default)]
struct Tally {
    enquiries: Vec<Value>,
    references: Vec<Reference>,
    idempotency_records: usize,
    cool_down: Option<CoolDown>,
    /// Of these an email is leaving just now.
    under_way: usize,
    /// The one at which an error came: nobody knows whether it went.
    unsure: Option<Reference>,
}

impl Tally {
    fn add(&mut self, trace: &Trace, now: Timestamp) {
        let leaves = |email| {
            let deliveries = trace.record.as_ref().map(|record| &record.deliveries);
            let state = deliveries.and_then(|deliveries| deliveries.of(email));
            matches!(state, Some(MailState::Sending { until, .. }) if *until > now)
        };
        let leaving = [
            EmailKind::Therapist,
            EmailKind::AutoReply,
            EmailKind::Notice,
        ]
        .into_iter()
        .any(leaves);
        self.under_way += usize::from(leaving);
        self.idempotency_records += usize::from(trace.marked);
        self.references.push(trace.reference.clone());
        let received = trace.record.as_ref().map(|record| &record.received);
        self.enquiries.push(json!({
            "reference": trace.reference,
            "received_at": received.map(|received| received.received_at),
            "email": received.map(|received| &received.enquiry.email),
            "pending": trace.record.as_ref().map(|record| record.deliveries.is_pending()),
        }));
    }

    fn counts(&self) -> Value {
        json!({
            "enquiries": self.references.len(),
            "idempotency_records": self.idempotency_records,
            "cool_downs": usize::from(self.cool_down.is_some()),
        })
    }

    /// What would go: for the operator's eyes, with the addresses as they were typed.
    fn preview(&self, code: Option<String>, complete: bool) -> Value {
        json!({
            "dry_run": true,
            "would_erase": self.counts(),
            "enquiries": self.enquiries,
            "about_the_address": self.cool_down.as_ref().map(export::about_address),
            "under_way": self.under_way,
            "address_code": code,
            "complete": complete,
            "to_do": "nothing was erased: look whether these are the right ones, then send the same command with \"confirm\": true",
        })
    }

    /// What went: nothing that tells who it was.
    fn receipt(
        &self,
        code: Option<String>,
        error: Option<&StoreError>,
        complete: bool,
        now: Timestamp,
    ) -> Value {
        info!(
            count = self.references.len(),
            idempotency_records = self.idempotency_records,
            complete,
            "erased"
        );
        json!({
            "erased": self.counts(),
            "references": self.references,
            "unsure": self.unsure,
            "at": now,
            "under_way": self.under_way,
            "address_code": code,
            "complete": complete,
            "error": error.map(ToString::to_string),
            "to_do": if complete {
                "what this does not reach is in docs/privacy.md: your mailbox, SES's suppression list, the failure queue, backups"
            } else {
                "file this receipt and send the same command again: it goes on where this one stopped"
            },
        })
    }
}

/// Everything about an address, however it is spelt.
pub(super) async fn about(
    app: &App,
    address: &EmailAddress,
    confirm: bool,
    clock: &Clock,
) -> Result<Value, Error> {
    let code = app.store.receipt_code(address);
    let mut tally = Tally::default();
    let outcome = every(app, address, confirm, &mut tally, clock).await;
    finish(&tally, code, outcome, confirm, clock)
}

/// One enquiry, by its reference.
pub(super) async fn one(
    app: &App,
    reference: &Reference,
    confirm: bool,
    clock: &Clock,
) -> Result<Value, Error> {
    let mut tally = Tally::default();
    let outcome = single(app, reference, confirm, &mut tally, clock).await;
    finish(&tally, None, outcome, confirm, clock)
}

/// Returns whether it came to the end before its time was up.
async fn every(
    app: &App,
    address: &EmailAddress,
    confirm: bool,
    tally: &mut Tally,
    clock: &Clock,
) -> Result<bool, StoreError> {
    let mut after = None;
    loop {
        let page = app
            .store
            .from_address(address, after.as_ref(), PAGE)
            .await?;
        for place in &page.places {
            // However late it is, one goes: an erasure that is sent again and again comes to its end.
            if !tally.references.is_empty() && clock.remaining() < ENOUGH {
                return Ok(false);
            }
            let Some(trace) = app.store.trace(&place.reference).await? else {
                // Gone already, and the index does not know it yet.
                continue;
            };
            if confirm {
                tally.unsure = Some(trace.reference.clone());
                app.store.erase(&trace).await?;
                tally.unsure = None;
                info!(reference = %trace.reference, "enquiry erased");
            }
            tally.add(&trace, clock.now());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    // Last: an enquiry that is worked on could book another one, as long as it is there.
    let cool_down = app.store.cool_down(address).await?;
    if confirm {
        app.store.erase_address(address).await?;
    }
    tally.cool_down = cool_down;
    Ok(true)
}

async fn single(
    app: &App,
    reference: &Reference,
    confirm: bool,
    tally: &mut Tally,
    clock: &Clock,
) -> Result<bool, StoreError> {
    let Some(trace) = app.store.trace(reference).await? else {
        return Ok(true);
    };
    let cool_down = app.store.cool_down_of(&trace).await?;
    if confirm {
        tally.unsure = Some(reference.clone());
        app.store.erase_with_cool_down(&trace).await?;
        tally.unsure = None;
        info!(%reference, "enquiry erased");
    }
    tally.add(&trace, clock.now());
    tally.cool_down = cool_down;
    Ok(true)
}

/// The answer. An error half way does not take away the receipt of what had gone before it.
fn finish(
    tally: &Tally,
    code: Option<String>,
    outcome: Result<bool, StoreError>,
    confirm: bool,
    clock: &Clock,
) -> Result<Value, Error> {
    match outcome {
        Ok(complete) if confirm => Ok(tally.receipt(code, None, complete, clock.now())),
        Ok(complete) => Ok(tally.preview(code, complete)),
        Err(error) => {
            error!(code = error.code, "the table could not {}", error.doing);
            if !confirm {
                return Err(error.into());
            }
            Ok(tally.receipt(code, Some(&error), false, clock.now()))
        }
    }
}
