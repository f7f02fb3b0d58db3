//! Everything that the table holds: about an address, for a person who asks for it (UK GDPR, articles 15 and 20); or of a month.

use tracing::info;

use super::month::Month;
use super::{Desk, DeskError, ENOUGH};
use crate::clock::Clock;
use crate::enquiry::{EmailAddress, Reference};
use crate::store::{CoolDown, Cursor, Page, Store, StoredCopies};

/// What is exported.
#[derive(Clone, Copy)]
pub enum Selection<'a> {
    /// Everything about an address, however it is spelt.
    Person(&'a EmailAddress),
    /// The enquiries that came in in a month.
    Month(Month),
}

/// What is held, as far as one answer goes.
pub struct Export {
    /// The enquiries, the latest first.
    pub found: Vec<(Cursor, StoredCopies)>,
    /// What is kept about the address itself.
    pub cool_down: Option<CoolDown>,
    /// What the rest begins after, when there is more.
    pub next: Option<Cursor>,
}

impl Desk {
    /// Everything that is selected: after `after`, as long as `fits` takes the next one. The first one is always taken. One query
    /// and two batch reads for each [`Store::TRACED`] enquiries.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn export(
        &self,
        selection: Selection<'_>,
        mut after: Option<Cursor>,
        mut fits: impl FnMut(&Cursor, &StoredCopies) -> bool,
        clock: &Clock,
    ) -> Result<Export, DeskError> {
        let mut found = Vec::new();
        let more = 'pages: loop {
            if !found.is_empty() && clock.remaining() < ENOUGH {
                break true;
            }
            let page = self.selected(selection, after.as_ref()).await?;
            let references: Vec<&Reference> = page.found.iter().map(|it| &it.reference).collect();
            let copies = self.store.copies_of(&references).await?;
            for (cursor, copies) in page.found.iter().zip(copies) {
                // Nothing where it was deleted since the index was written.
                let Some(copies) = copies else { continue };
                if !fits(cursor, &copies) && !found.is_empty() {
                    break 'pages true;
                }
                after = Some(cursor.clone());
                found.push((cursor.clone(), copies));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break false,
            }
        };
        info!(count = found.len(), more, "enquiries exported");
        Ok(Export {
            found,
            cool_down: match selection {
                Selection::Person(address) => self.store.cool_down(address).await?,
                Selection::Month(_) => None,
            },
            next: after.filter(|_| more),
        })
    }

    async fn selected(
        &self,
        selection: Selection<'_>,
        after: Option<&Cursor>,
    ) -> Result<Page, DeskError> {
        Ok(match selection {
            Selection::Person(address) => {
                let page = self.store.from_address(address, after, Store::TRACED);
                page.await?
            }
            Selection::Month(month) => match month.span(&self.practice) {
                Some((first, last)) => {
                    let page = self.store.received(first, last, after, Store::TRACED);
                    page.await?
                }
                None => Page::default(),
            },
        })
    }
}
