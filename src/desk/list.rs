//! The enquiries of some days, newest first, and how they are looked through: so that one is found whose reference is not known.

use jiff::Timestamp;
use tracing::info;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{Desk, DeskError, ENOUGH};
use crate::clock::Clock;
use crate::enquiry::{EmailAddress, Reference};
use crate::record::{Mark, Record};
use crate::store::{Cursor, Store};

/// How many batches are looked through for one list: a filter that takes little must not read everything at once.
const LOOKED: usize = 6;

/// Some enquiries.
#[derive(Default)]
pub struct List {
    /// The enquiries, newest first.
    pub entries: Vec<Entry>,
    /// What the next list begins after, when there is more.
    pub next: Option<Cursor>,
}

/// One enquiry of a list.
pub enum Entry {
    /// As it stands in the table.
    Record(Box<Record>),
    /// Written by a newer version, which this one does not understand.
    Unreadable(Cursor),
}

/// Which enquiries are shown: those that everything here says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Where the therapist stands with them. Of those that wait, what looks like spam is left out.
    pub mark: Option<Mark>,
    /// Whether they look like spam.
    pub suspect: Option<bool>,
    /// What their client's name contains, whatever the case and the accents.
    pub name: Option<String>,
}

/// What was typed into the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// A reference: [`super::Desk::enquiry`].
    Reference(Reference),
    /// An address: [`super::Desk::person`].
    Address(EmailAddress),
    /// Part of a name: [`super::Desk::month`] with a [`Filter`].
    Name(String),
}

impl Search {
    /// Reads what was typed; nothing when it is empty.
    #[must_use]
    pub fn read(typed: &str) -> Option<Self> {
        let typed = crate::text::single_line(typed);
        if typed.is_empty() {
            return None;
        }
        if let Ok(reference) = Reference::parse(&typed) {
            return Some(Self::Reference(reference));
        }
        Some(match EmailAddress::parse(&typed) {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(typed),
        })
    }
}

impl Filter {
    /// Whether an enquiry is shown. One that only a newer version understands is never hidden.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        let Entry::Record(record) = entry else {
            return true;
        };
        let marked = self.mark.is_none_or(|mark| match mark {
            Mark::Waiting => record.is_waiting(),
            mark => record.state.mark() == mark,
        });
        let suspect = self
            .suspect
            .is_none_or(|it| it == record.state.is_suspect());
        let name = record.received.enquiry.name.as_str();
        let named = self.name.as_ref();
        marked && suspect && named.is_none_or(|part| plain(name).contains(&plain(part)))
    }
}

/// A name without case and accents.
fn plain(name: &str) -> String {
    let letters = name.nfkd().filter(|c| !is_combining_mark(*c));
    letters.flat_map(char::to_lowercase).collect()
}

impl Desk {
    /// The enquiries that came in from `first` to `last`, both included, as far as the filter takes them: after `after`, at most
    /// `limit`. Where the filter takes few, a list may be shorter although there is more.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        first: Timestamp,
        last: Timestamp,
        filter: &Filter,
        after: Option<&Cursor>,
        limit: usize,
        clock: &Clock,
    ) -> Result<List, DeskError> {
        let mut list = List {
            entries: Vec::new(),
            next: after.cloned(),
        };
        for looked in 0..LOOKED {
            let rest = limit - list.entries.len();
            if rest == 0 || (looked > 0 && clock.remaining() < ENOUGH) {
                break;
            }
            let page = self
                .store
                .received(first, last, list.next.as_ref(), rest.min(Store::BATCH))
                .await?;
            let entries = self.entries(&page.found).await?.into_iter();
            list.entries.extend(entries.filter(|it| filter.takes(it)));
            list.next = page.next;
            if list.next.is_none() {
                break;
            }
        }
        info!(count = list.entries.len(), "enquiries listed");
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_told_by_its_shape() {
        for (typed, expected) in [
            ("", "None"),
            ("  ", "None"),
            ("bb-7kq4m", "Some(Reference)"),
            ("Zoe@Example.com", "Some(Address)"),
            ("zoe", "Some(Name)"),
        ] {
            let read = Search::read(typed).map(|search| match search {
                Search::Reference(_) => "Reference",
                Search::Address(_) => "Address",
                Search::Name(_) => "Name",
            });
            let read = read.map_or("None".to_owned(), |it| format!("Some({it})"));
            assert_eq!(read, expected, "{typed:?}");
        }
        assert_eq!(plain("Zoë O'Brien"), "zoe o'brien");
    }
}
