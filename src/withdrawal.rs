//! The client's actions on their own page: withdraws the enquiry, keeps it after all, or says that they never
//! sent it. The address may be a stranger's, so nothing that was typed and no state is ever shown.

use jiff::{SignedDuration, Timestamp};
use tracing::info;

use crate::clock::Clock;
use crate::enquiry::Reference;
use crate::mail_state::EmailKind;
use crate::record::{Event, OwnEmailId, Record};
use crate::store::{Store, StoreError, Update};

/// How long the therapist's email waits, so that it finds what has been written.
const WRITTEN_BY_THEN: SignedDuration = SignedDuration::from_secs(30);

/// Works with the table.
pub struct Withdrawal {
    store: Store,
}

/// What the client's own page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mine {
    /// When the enquiry came in.
    pub received_at: Timestamp,
    /// By when an answer was promised.
    pub promised_by: Timestamp,
    /// When it is erased, if it was withdrawn.
    pub erased_at: Option<Timestamp>,
    /// Whether the owner of the address has said that they did not send it.
    pub disowned: bool,
}

/// What a client can do on their own page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Withdraw the enquiry: it is erased a day later.
    Withdraw,
    /// Keep it after all.
    Keep,
    /// Say that they did not send it.
    Disown,
}

impl Withdrawal {
    /// Works with this table.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// What there is to show; nothing when the enquiry is gone.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn look(
        &self,
        reference: &Reference,
        clock: &Clock,
    ) -> Result<Option<Mine>, StoreError> {
        let record = self.store.load(reference).await?;
        Ok(record.and_then(|record| Mine::of(&record, clock.now())))
    }

    /// Does it, and tells the therapist by an email; a second time changes nothing. Nothing when the enquiry is gone.
    ///
    /// # Errors
    /// When the table cannot be written: doing it again then goes on where it stopped.
    pub async fn act(
        &self,
        reference: &Reference,
        action: Action,
        clock: &Clock,
    ) -> Result<Option<Mine>, StoreError> {
        let Some(record) = self.store.load(reference).await? else {
            return Ok(None);
        };
        let now = clock.now();
        if Mine::of(&record, now).is_none() {
            return Ok(None);
        }
        if action.applies_to(&record) {
            // First, so that the therapist is told for certain: an email that finds nothing to tell is not sent.
            let id = OwnEmailId::about_enquiry(action.email(), reference, now);
            self.store.schedule(&id, now + WRITTEN_BY_THEN).await?;
        }
        if action == Action::Withdraw {
            // First, so that no post is ever answered with an enquiry that is going to be erased.
            self.store.forget_post(reference).await?;
        }
        if action == Action::Disown {
            self.store.never_reply_to(&record.received, clock).await?;
        }
        let change = |record: &mut Record| {
            let applies = action.applies_to(record) && Mine::of(record, now).is_some();
            if applies {
                action.apply(record, now);
            }
            applies
        };
        let record = match self.store.update(record, clock, change).await? {
            Update::Applied(record) => {
                info!(%reference, action = action.email().key(), "a client's own page");
                record
            }
            Update::Unchanged(record) => record,
            Update::Gone => return Ok(None),
        };
        Ok(Mine::of(&record, now))
    }
}

impl Action {
    fn applies_to(self, record: &Record) -> bool {
        match self {
            Self::Withdraw => record.state.withdrawn.is_none(),
            Self::Keep => record.state.withdrawn.is_some(),
            Self::Disown => !record.state.disowned,
        }
    }

    const fn email(self) -> EmailKind {
        match self {
            Self::Withdraw => EmailKind::Withdrawn,
            Self::Keep => EmailKind::Kept,
            Self::Disown => EmailKind::Disowned,
        }
    }

    fn apply(self, record: &mut Record, now: Timestamp) {
        let state = &mut record.state;
        match self {
            Self::Withdraw => {
                state.withdrawn = Some(now);
                state.deliveries.withdraw(now);
                state.tell(now, Event::Withdrawn);
            }
            Self::Keep => {
                state.withdrawn = None;
                state.deliveries.keep(now);
                state.tell(now, Event::Kept);
            }
            Self::Disown => {
                state.disowned = true;
                state.tell(now, Event::Disowned);
            }
        }
    }
}

impl Mine {
    /// Nothing once it was to be erased, whether or not that has been done.
    fn of(record: &Record, now: Timestamp) -> Option<Self> {
        let erased_at = record.erased_at();
        erased_at.is_none_or(|at| at > now).then_some(Self {
            received_at: record.received.received_at,
            promised_by: record.received.promised_by,
            erased_at,
            disowned: record.state.disowned,
        })
    }
}
