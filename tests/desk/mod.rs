//! The therapist's desk: the use cases that the commands and the pages share, the pages, and signing in.

mod acts;
mod cost;
mod first_setup;
mod large;
mod links;
mod lists;
mod machine;
mod pages;
mod practice;
mod promise;
mod same_answers;
mod senders;
mod sign_in;
mod timeline;

use enquiry_desk::desk::act::Outcome;
use enquiry_desk::desk::list::Entry;
use enquiry_desk::enquiry::Reference;
use enquiry_desk::record::{Mark, Origin, Record};
use jiff::SignedDuration;

use crate::support::desk::Desk;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

/// The references of a list.
fn of(entries: &[Entry]) -> Vec<String> {
    let reference = |entry: &Entry| match entry {
        Entry::Record(record) => record.received.reference.to_string(),
        Entry::Unreadable(cursor) => cursor.reference.to_string(),
    };
    entries.iter().map(reference).collect()
}

/// Marks an enquiry, whatever stands.
async fn mark_as(desk: &Desk, name: &str, mark: Mark) -> Outcome {
    let (it, clock) = (reference(name), desk.clock());
    let marked = desk.app.desk.mark(&it, mark, None, Origin::Desk, &clock);
    marked.await.unwrap()
}

/// What was done.
fn done(outcome: Outcome) -> Record {
    match outcome {
        Outcome::Done(record) => *record,
        Outcome::Stands(_) => panic!("nothing was done"),
    }
}

/// What stands.
fn stands(outcome: Outcome) -> Record {
    match outcome {
        Outcome::Stands(record) => *record,
        Outcome::Done(_) => panic!("something was done"),
    }
}
