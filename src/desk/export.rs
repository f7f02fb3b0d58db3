//! Everything that the table holds about an address, for a person who asks for it (UK GDPR, articles 15 and 20).

use tracing::info;

use super::{Desk, DeskError, ENOUGH};
use crate::clock::Clock;
use crate::enquiry::EmailAddress;
use crate::store::{CoolDown, Cursor, StoredCopies};

/// How many enquiries are looked up at once.
const PAGE: usize = 100;

/// What is held about an address, as far as one answer goes.
pub struct Export {
    /// The enquiries, newest first.
    pub found: Vec<(Cursor, StoredCopies)>,
    /// What is kept about the address itself.
    pub cool_down: Option<CoolDown>,
    /// What the rest begins after, when there is more.
    pub next: Option<Cursor>,
}

impl Desk {
    /// Everything about an address, however it is spelt: after `after`, as long as `fits` takes the next one. The first one is
    /// always taken.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn export(
        &self,
        address: &EmailAddress,
        mut after: Option<Cursor>,
        mut fits: impl FnMut(&Cursor, &StoredCopies) -> bool,
        clock: &Clock,
    ) -> Result<Export, DeskError> {
        let mut found = Vec::new();
        let more = 'pages: loop {
            let page = self
                .store
                .from_address(address, after.as_ref(), PAGE)
                .await?;
            for cursor in page.found {
                if !found.is_empty() && clock.remaining() < ENOUGH {
                    break 'pages true;
                }
                let Some(copies) = self.store.copies(&cursor.reference).await? else {
                    // Deleted since the index was written.
                    continue;
                };
                if !fits(&cursor, &copies) && !found.is_empty() {
                    break 'pages true;
                }
                after = Some(cursor.clone());
                found.push((cursor, copies));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break false,
            }
        };
        info!(count = found.len(), more, "enquiries exported");
        Ok(Export {
            found,
            cool_down: self.store.cool_down(address).await?,
            next: after.filter(|_| more),
        })
    }
}
