//! Where an email to the therapist leads.

use std::sync::atomic::Ordering;

use super::Delivery;
use crate::clock::Clock;
use crate::email::DeskLinks;
use crate::record::{Record, State};
use crate::spam::Verdict;

impl Delivery {
    /// Where the email to the therapist leads. Without the table it leaves without the link that marks.
    pub(super) async fn desk_links(&self, record: &Record, clock: &Clock) -> Option<DeskLinks> {
        let links = self.links.as_ref()?;
        let State {
            verdict,
            deliveries,
            ..
        } = &record.state;
        if !deliveries.therapist.is_pending() {
            return None;
        }
        let reference = &record.received.reference;
        // What looks like spam waits for no answer.
        let epoch = match verdict {
            Verdict::Clear => self.store.desk_epoch().await.ok().flatten(),
            Verdict::Suspect => None,
        };
        Some(DeskLinks {
            enquiry: links.desk(reference),
            answered: epoch.map(|epoch| links.answered(reference, epoch, clock.now())),
            explains_marking: epoch.is_some() && !self.has_marked().await,
        })
    }

    /// Whether the therapist has ever marked an enquiry: once that is known, it is not asked again. Not knowing it counts as yes.
    async fn has_marked(&self) -> bool {
        if !self.marks.load(Ordering::Relaxed) {
            let marked = self.store.marked(1).await;
            let has_marked = marked.map_or(true, |marked| !marked.found.is_empty());
            self.marks.store(has_marked, Ordering::Relaxed);
            return has_marked;
        }
        true
    }
}
