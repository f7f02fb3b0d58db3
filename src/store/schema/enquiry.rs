//! An enquiry as items, and back: what was typed, what changes, and what the state is too small for.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    ENQUIRY, Item, List, STATE, VERSION, enquiry_key, idempotency_key, partition, read, state_key,
    to_item,
};
use crate::enquiry::{Enquiry, Received, Reference};
use crate::mail_state::Deliveries;
use crate::practice::Suggested;
use crate::record::{Entry, KnownSender, Mark, Marked, Record, State, Timeline};
use crate::spam::{Score, Signal, Verdict};
use crate::store::StoreError;

/// What was typed, and all that is known from the first moment: written once.
#[derive(Serialize, Deserialize)]
struct StoredEnquiry {
    pk: String,
    kind: String,
    v: u32,
    reference: Reference,
    received_at: Timestamp,
    promised_by: Timestamp,
    suggested: Suggested,
    retention_days: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// The key of its idempotency record, so that erasing the enquiry finds it.
    idempotency: String,
    /// What the spam filter said; what holds now is in the state.
    verdict: Verdict,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "known_signals"
    )]
    signals: Vec<Signal>,
    enquiry: Enquiry,
    #[serde(default)]
    uncounted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

/// What changes: small, so that a change costs the same whatever was typed.
#[derive(Serialize, Deserialize)]
struct StoredState {
    pk: String,
    kind: String,
    v: u32,
    revision: u64,
    /// Tells one's own write from another's, when its answer was lost and the SDK asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    writer: Option<String>,
    verdict: Verdict,
    /// What the therapist had said about the sender when the enquiry was taken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    deliveries: Deliveries,
    list: String,
    list_by: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marked: Option<Marked>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judged: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    timeline: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    moved: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    note_version: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    annex: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    completed: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    disowned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_complaint: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

/// What the state of an enquiry is too small for.
#[derive(Deserialize)]
struct StoredAnnex {
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    timeline: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The signals that this version knows: a newer one may have more, and that is no reason to leave an enquiry alone.
fn known_signals<'de, D: Deserializer<'de>>(stored: D) -> Result<Vec<Signal>, D::Error> {
    let codes = Vec::<String>::deserialize(stored)?;
    Ok(codes
        .iter()
        .filter_map(|code| Signal::from_code(code))
        .collect())
}

impl List {
    /// Where an enquiry stands.
    fn of(record: &Record) -> (Self, Timestamp) {
        let received = &record.received;
        if let Some(at) = record.state.withdrawn {
            return (Self::Withdrawn, at);
        }
        match record.state.marked {
            Some(marked) if marked.mark != Mark::Waiting => (Self::Marked, marked.at),
            _ if record.state.is_suspect() => (Self::Suspect, received.received_at),
            _ => (Self::Waiting, received.promised_by),
        }
    }
}

/// The item with what was typed.
pub(in crate::store) fn enquiry_item(
    record: &Record,
    address: Option<String>,
    idempotency: &str,
) -> Result<Item, StoreError> {
    let received = &record.received;
    to_item(
        "accept",
        StoredEnquiry {
            pk: enquiry_key(&received.reference),
            kind: ENQUIRY.to_owned(),
            v: VERSION,
            reference: received.reference.clone(),
            received_at: received.received_at,
            promised_by: received.promised_by,
            suggested: received.suggested.clone(),
            retention_days: received.retention_days,
            address,
            idempotency: idempotency_key(idempotency),
            verdict: record.state.verdict,
            signals: record.signals.clone(),
            enquiry: received.enquiry.clone(),
            uncounted: record.uncounted,
            expires: None,
        },
    )
}

/// The item with what changes; it expires no sooner than every email to the therapist is final.
pub(in crate::store) fn state_item(
    record: &Record,
    writer: Option<String>,
    expires: Option<Timestamp>,
) -> Result<Item, StoreError> {
    let pending = record.indexed;
    let state = record.state.clone();
    let (list, list_by) = List::of(record);
    to_item(
        "change",
        StoredState {
            pk: state_key(&record.received.reference),
            kind: STATE.to_owned(),
            v: VERSION,
            revision: state.revision,
            writer,
            verdict: state.verdict,
            sender: state.sender.key().map(str::to_owned),
            deliveries: state.deliveries,
            list: list.key().to_owned(),
            list_by,
            marked: state.marked,
            judged: state.judged,
            timeline: lines(&state.timeline.recent),
            moved: state.timeline.moved,
            note_version: state.note_version,
            annex: state.has_annex,
            pending: pending.then(|| partition(state.verdict).to_owned()),
            due: pending.then(|| record.due()),
            completed: state.completed,
            withdrawn: state.withdrawn,
            disowned: state.disowned,
            data_complaint: state.data_complaint,
            expires: expires.map(Timestamp::as_second),
        },
    )
}

/// Reads an enquiry from its two items. Without the second one it is as it came in: the state of what the stream reports is
/// the first one, or a conditional write will tell.
pub(in crate::store) fn record(enquiry: Item, state: Option<Item>) -> Result<Record, StoreError> {
    let stored: StoredEnquiry = read(enquiry)?;
    let (state, indexed) = match state {
        Some(item) => read_state(item)?,
        None => (State::new(stored.verdict), true),
    };
    // What was noticed is written once; what the therapist has said of the sender came later.
    let signals = stored.signals;
    let Score { signals } = Score { signals }.with_sender(state.sender.rule());
    Ok(Record {
        received: Received {
            reference: stored.reference,
            received_at: stored.received_at,
            promised_by: stored.promised_by,
            suggested: stored.suggested,
            retention_days: stored.retention_days,
            enquiry: stored.enquiry,
        },
        signals,
        uncounted: stored.uncounted,
        addressed: stored.address.is_some(),
        text_expires: stored
            .expires
            .and_then(|at| Timestamp::from_second(at).ok()),
        indexed,
        state,
    })
}

/// The state, and whether it stands in the index of pending work.
fn read_state(item: Item) -> Result<(State, bool), StoreError> {
    let stored: StoredState = read(item)?;
    let state = State {
        revision: stored.revision,
        verdict: stored.verdict,
        sender: KnownSender::from_key(stored.sender.as_deref()),
        deliveries: stored.deliveries,
        completed: stored.completed,
        withdrawn: stored.withdrawn,
        disowned: stored.disowned,
        data_complaint: stored.data_complaint,
        judged: stored.judged,
        marked: stored.marked,
        timeline: Timeline {
            recent: entries(&stored.timeline),
            moved: stored.moved,
        },
        note_version: stored.note_version,
        has_annex: stored.annex,
    };
    Ok((state, stored.pending.is_some()))
}

/// The entries of a timeline as lines.
pub(in crate::store) fn lines(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(Entry::to_string).collect()
}

/// A line without a time is no entry: nothing here wrote it.
fn entries(lines: &[String]) -> Vec<Entry> {
    lines.iter().filter_map(|line| line.parse().ok()).collect()
}

/// The note and the older part of the timeline.
pub(in crate::store) fn annex(item: Item) -> Result<(Option<String>, Vec<Entry>), StoreError> {
    let stored: StoredAnnex = read(item)?;
    Ok((stored.note, entries(&stored.timeline)))
}
