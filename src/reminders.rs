//! Emails that are due by the clock: the morning list, the reminder shortly before a promise ends, and Monday's list. Here is decided
//! when each is due; each is an email of its own, and tells what stands when it is sent. What the morning list has just told needs no
//! reminder.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::mail_state::EmailKind;
use crate::practice::Practice;
use crate::record::OwnEmailId;
use crate::store::{Store, StoreError};

/// How much working time before a promise ends its reminder is due.
const SHORTLY: SignedDuration = SignedDuration::from_hours(2);
/// How many of those that wait are looked at: the nearest promises.
const LOOKED_AT: usize = 100;
/// When Monday's list leaves where the practice is closed on that day: nine in the morning.
const CLOSED_MONDAY: i8 = 9;

/// Decides what is due.
pub struct Reminders {
    store: Store,
    practice: Arc<Practice>,
    /// What this execution environment has asked for already, so that it asks once.
    asked_for: Mutex<BTreeSet<String>>,
}

impl Reminders {
    /// Decides by this practice's hours.
    #[must_use]
    pub const fn new(store: Store, practice: Arc<Practice>) -> Self {
        Self {
            store,
            practice,
            asked_for: Mutex::new(BTreeSet::new()),
        }
    }

    /// Asks for every email that is due by now, and says for how many. Each is asked for once, however often this is called; the
    /// next sweep sends it.
    ///
    /// # Errors
    /// When the table cannot be read or written: the next call asks for what is missing.
    pub async fn schedule(&self, clock: &Clock) -> Result<usize, StoreError> {
        let mut asked_for = 0;
        let now = clock.now();
        let local = now.to_zoned(self.practice.time_zone.rules().clone());
        let today = local.date();
        let opens = self.practice.opens(today);
        let opens = opens.filter(|_| !self.practice.is_away(today));
        let opens = opens.map(|opens| opens.timestamp());
        if today.weekday() == Weekday::Monday {
            let nine = today.at(CLOSED_MONDAY, 0, 0, 0);
            let nine = nine.to_zoned(local.time_zone().clone());
            let due = opens.or_else(|| nine.ok().map(|nine| nine.timestamp()));
            if due.is_some_and(|due| due <= now) {
                asked_for += self.ask_for(EmailKind::Weekly, today, now).await?;
            }
        }
        // Who marks nothing is reminded of nothing.
        if self.store.marked(1).await?.found.is_empty() {
            return Ok(asked_for);
        }
        if opens.is_some_and(|opens| opens <= now) {
            asked_for += self.ask_for(EmailKind::MorningList, today, now).await?;
        }
        if !self.practice.reminders {
            return Ok(asked_for);
        }
        for waits in self.store.waiting_from(now, LOOKED_AT).await?.found {
            let promised_by = waits.at;
            let before = self.practice.working_time_before(promised_by, SHORTLY);
            // A promise so early in the day stands in the list of that morning.
            let is_listed = opens.is_some_and(|opens| before <= opens);
            if before <= now && now < promised_by && !is_listed {
                asked_for += self
                    .ask_for(EmailKind::Reminder, &waits.reference, now)
                    .await?;
            }
        }
        Ok(asked_for)
    }

    async fn ask_for(
        &self,
        kind: EmailKind,
        about: impl ToString,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let id = OwnEmailId {
            kind,
            about: about.to_string(),
        };
        let name = id.to_string();
        let asked_for = || {
            self.asked_for
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if asked_for().contains(&name) {
            return Ok(0);
        }
        self.store.schedule(&id, now).await?;
        asked_for().insert(name);
        Ok(1)
    }
}
