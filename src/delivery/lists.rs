//! What the emails about promises and about the week tell: who waits and what came in, as it stands when they are written.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::Delivery;
use crate::email::{DeskLinks, Email, PromisesEmail, Waits, Week, WeeklyEmail};
use crate::enquiry::{Received, Reference};
use crate::mail_state::{EmailKind, MailState};
use crate::record::{Mark, Origin, Record, Work};
use crate::spam::Verdict;
use crate::store::{Cursor, Store, StoreError};

/// How many of those that wait a morning list names at the most.
const LISTED: usize = 50;
/// Mail that has been due for longer is stuck.
const STUCK: SignedDuration = SignedDuration::from_mins(30);

impl Delivery {
    /// The morning list of a day: whose promise ends on it, or ended on the working day before; and what was marked through a
    /// link. Nothing when there are none, and on any other day.
    pub(super) async fn morning_list(
        &self,
        day: Date,
        now: Timestamp,
    ) -> Result<Option<Email>, StoreError> {
        let practice = &self.practice;
        let zone = practice.time_zone.rules();
        let date_of = |moment: Timestamp| moment.to_zoned(zone.clone()).date();
        if date_of(now) != day {
            return Ok(None);
        }
        let first = practice.working_day_before(day).unwrap_or(day);
        // Not those of long ago, which no list names any more, however many there are.
        let begin = first
            .to_zoned(zone.clone())
            .map_or(now, |begin| begin.timestamp());
        let waiting = self.store.waiting_from(begin, 2 * LISTED).await?.found;
        let near: Vec<Cursor> = waiting
            .into_iter()
            .filter(|waits| (first..=day).contains(&date_of(waits.at)))
            .take(LISTED)
            .collect();
        let waiting = self.records(&near).await?;
        let waiting: Vec<&Record> = waiting.iter().filter(|it| it.is_waiting()).collect();
        let since = practice.opens(first).map(|opens| opens.timestamp());
        let by_link = self
            .records(&self.store.marked(LISTED).await?.found)
            .await?;
        let by_link = by_link.iter().filter(|record| {
            let marked = record.state.marked;
            marked.is_some_and(|marked| {
                marked.by == Origin::Link
                    && marked.mark != Mark::Waiting
                    && since.is_some_and(|since| marked.at >= since)
            })
        });
        let desk = |received: &Received| {
            let links = self.links.as_ref();
            links.map(|links| links.desk(&received.reference))
        };
        let marked: Vec<_> = by_link
            .map(|record| (&record.received, desk(&record.received)))
            .collect();
        if waiting.is_empty() && marked.is_empty() {
            return Ok(None);
        }
        let email = self
            .promises(EmailKind::MorningList, &waiting, &marked, now)
            .await;
        Ok(Some(email))
    }

    /// The reminder about one enquiry, as long as it waits and its promise has not ended.
    pub(super) async fn reminder(
        &self,
        reference: &Reference,
        now: Timestamp,
    ) -> Result<Option<Email>, StoreError> {
        let record = self.store.load(reference).await?;
        let record = record.filter(|it| it.is_waiting() && !it.is_overdue(now));
        Ok(match record {
            Some(record) => Some(
                self.promises(EmailKind::Reminder, &[&record], &[], now)
                    .await,
            ),
            None => None,
        })
    }

    async fn promises(
        &self,
        kind: EmailKind,
        waiting: &[&Record],
        marked: &[(&Received, Option<String>)],
        now: Timestamp,
    ) -> Email {
        let epoch = self.store.desk_epoch().await.ok().flatten();
        let links: Vec<Option<DeskLinks>> = waiting
            .iter()
            .map(|record| {
                let (links, reference) = (self.links.as_ref()?, &record.received.reference);
                Some(DeskLinks {
                    enquiry: links.desk(reference),
                    answered: epoch.map(|epoch| links.answered(reference, epoch, now)),
                    explains_marking: false,
                })
            })
            .collect();
        let rows = waiting.iter().zip(&links).map(|(record, links)| Waits {
            received: &record.received,
            may_write: record.may_write(),
            links: links.as_ref(),
        });
        let rows: Vec<Waits<'_>> = rows.collect();
        PromisesEmail {
            kind,
            practice: &self.practice,
            to: &self.settings.therapist,
            waiting: &rows,
            marked,
            now,
        }
        .into_email()
    }

    /// The list of the week before this Monday.
    pub(super) async fn weekly(&self, monday: Date, now: Timestamp) -> Result<Email, StoreError> {
        let zone = self.practice.time_zone.rules();
        let begin = monday
            .checked_sub(SignedDuration::from_hours(7 * 24))
            .unwrap_or(monday);
        let midnight = |day: Date| {
            let moment = day.to_zoned(zone.clone());
            moment.map_or(now, |moment| moment.timestamp())
        };
        let (first, last) = (
            midnight(begin),
            midnight(monday) - SignedDuration::from_secs(1),
        );
        let (mut week, mut minutes) = (Week::default(), Vec::new());
        let mut after = None;
        loop {
            let page = self
                .store
                .received(first, last, after.as_ref(), Store::BATCH)
                .await?;
            for record in self.records(&page.found).await? {
                if record.state.withdrawn.is_none() {
                    self.count(&record, &mut week, &mut minutes);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        minutes.sort_unstable();
        week.median_minutes = minutes.get(minutes.len() / 2).copied();
        let stuck = self.store.pending(now - STUCK, 1_000).await?;
        // The nightly test is no email that anyone waits for.
        let stuck = stuck.iter().flatten();
        week.stuck = stuck.filter(|it| it.work != Work::NightlyTest).count();
        // Without what the last check found, the numbers leave all the same.
        let health = self.store.health().await.ok().flatten();
        Ok(WeeklyEmail {
            practice: &self.practice,
            to: &self.settings.therapist,
            monday: begin,
            week,
            health: health.as_ref(),
        }
        .into_email())
    }

    fn count(&self, record: &Record, week: &mut Week, minutes: &mut Vec<u64>) {
        let state = &record.state;
        let marked = state.marked.filter(|marked| marked.mark != Mark::Waiting);
        if state.verdict == Verdict::Suspect && marked.is_none() {
            week.suspected += 1;
            return;
        }
        week.enquiries += 1;
        week.came_back += usize::from(matches!(
            state.deliveries.auto_reply,
            MailState::Bounced { .. } | MailState::Complained { .. }
        ));
        let Some(marked) = marked else {
            week.unmarked += 1;
            return;
        };
        if marked.at <= record.received.promised_by {
            week.in_time += 1;
        } else {
            week.later += 1;
        }
        let received_at = record.received.received_at;
        let time = self.practice.working_time_between(received_at, marked.at);
        minutes.push(u64::try_from(time.as_mins()).unwrap_or_default());
    }

    /// The enquiries at these places; what is gone or unreadable is left out.
    async fn records(&self, found: &[Cursor]) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        for found in found.chunks(Store::BATCH) {
            let loaded = self.store.load_all(found).await?;
            records.extend(
                loaded
                    .into_iter()
                    .filter_map(|record| record.ok().flatten()),
            );
        }
        Ok(records)
    }
}
