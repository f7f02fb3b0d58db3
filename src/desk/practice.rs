//! The practice as the therapist changes it: what was saved, saving over what was seen, and one step back.
//!
//! Of a change of what could speak in her name she is told by email, one an hour at most.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::{Desk, DeskError};
use crate::clock::Clock;
use crate::mail_state::EmailKind;
use crate::messages;
use crate::practice::{self, Practice, PracticeError, raw};
use crate::record::OwnEmailId;
use crate::store::{SavedPractice, Words};

/// How long the email about a change waits, so that it finds what has been saved.
const WRITTEN_BY_THEN: SignedDuration = SignedDuration::from_secs(30);

/// The practice as it stands.
pub struct Held {
    pub written: raw::Practice,
    /// How often it was saved; 0 for the first version.
    pub revision: u64,
    /// When it was saved; none for the first version.
    pub saved_at: Option<Timestamp>,
    /// When the version before it was saved, when there is one to step back to; none inside for the first version.
    pub before: Option<Option<Timestamp>>,
    /// What is wrong with what was saved. Then the last good version stands here.
    pub wrong: Vec<PracticeError>,
}

/// What became of a save.
pub enum Saving {
    Saved,
    /// Another window had saved since; the practice as it stands now.
    Conflict(Box<Held>),
    /// What is to hold would be wrong, or too long.
    Refused(Vec<PracticeError>),
}

impl Held {
    fn new(saved: Option<&SavedPractice>, good: &Practice) -> Self {
        let read = saved.map(|saved| saved.words.read());
        let (written, wrong) = match read {
            None => (good.written.clone(), Vec::new()),
            Some(Ok(practice)) => (practice.written, Vec::new()),
            Some(Err(errors)) => (good.written.clone(), errors.0),
        };
        Self {
            written,
            revision: saved.map_or(0, |saved| saved.revision),
            saved_at: saved.map(|saved| saved.saved_at),
            before: saved.map(|saved| saved.before_saved_at),
            wrong,
        }
    }
}

impl Desk {
    /// The practice as it stands.
    ///
    /// # Errors
    /// When the table cannot be read, or a newer version saved it.
    pub async fn held(&self) -> Result<Held, DeskError> {
        let saved = self.store.practice().await?;
        Ok(Held::new(saved.as_ref(), &self.practice))
    }

    /// Saves what was written, over the revision that was seen. Wordings of the consent that were in use stay known.
    ///
    /// # Errors
    /// When the table cannot be read or written, or a newer version saved it.
    pub async fn save_practice(
        &self,
        mut written: raw::Practice,
        seen: u64,
        clock: &Clock,
    ) -> Result<Saving, DeskError> {
        let saved = self.store.practice().await?;
        let held = Held::new(saved.as_ref(), &self.practice);
        if held.revision != seen {
            return Ok(Saving::Conflict(Box::new(held)));
        }
        let today = clock
            .now()
            .to_zoned(self.practice.time_zone.rules().clone());
        keep_wordings(&mut written.consent, &held.written.consent, today.date());
        self.write(written, held, saved, clock).await
    }

    /// Puts the version before in force again. Done twice, it changes nothing.
    ///
    /// # Errors
    /// As [`Self::save_practice`].
    pub async fn step_back(&self, seen: u64, clock: &Clock) -> Result<Saving, DeskError> {
        let saved = self.store.practice().await?;
        let held = Held::new(saved.as_ref(), &self.practice);
        let Some(stands) = saved.filter(|_| held.revision == seen) else {
            return Ok(Saving::Conflict(Box::new(held)));
        };
        let mut written = match stands.before.read() {
            Ok(practice) => practice.written,
            Err(errors) => return Ok(Saving::Refused(errors.0)),
        };
        let today = clock
            .now()
            .to_zoned(self.practice.time_zone.rules().clone());
        keep_wordings(&mut written.consent, &held.written.consent, today.date());
        self.write(written, held, Some(stands), clock).await
    }

    async fn write(
        &self,
        written: raw::Practice,
        held: Held,
        saved: Option<SavedPractice>,
        clock: &Clock,
    ) -> Result<Saving, DeskError> {
        let checked = match practice::check(&written) {
            Ok(checked) => checked,
            Err(errors) => return Ok(Saving::Refused(errors.0)),
        };
        let (now, words) = (clock.now(), Words::of(&written));
        if words.0.len() > Words::MAX {
            let message = messages::desk::practice::TOO_LONG.to_owned();
            return Ok(Saving::Refused(vec![PracticeError {
                key: String::new(),
                line: None,
                message,
            }]));
        }
        let parts = practice::check(&held.written);
        let parts = parts.map_or_else(|_| PARTS.to_vec(), |before| changed(&before, &checked));
        if !parts.is_empty() {
            // First, so that the therapist is told for certain: an email that finds nothing to tell is not sent.
            self.tell_of_a_change(now).await?;
        }
        let mut times: BTreeMap<String, Timestamp> =
            saved.map_or_else(BTreeMap::new, |saved| saved.changed);
        times.extend(parts.into_iter().map(|part| (part.to_owned(), now)));
        let next = SavedPractice {
            revision: held.revision + 1,
            saved_at: now,
            words,
            before: Words::of(&held.written),
            before_saved_at: held.saved_at,
            changed: times,
        };
        if self.store.save_practice(&next).await? {
            return Ok(Saving::Saved);
        }
        // One's own write, when its answer was lost and the SDK asked again; or another window's.
        let stands = self.store.practice().await?;
        if stands.as_ref() == Some(&next) {
            return Ok(Saving::Saved);
        }
        let held = Held::new(stands.as_ref(), &self.practice);
        Ok(Saving::Conflict(Box::new(held)))
    }

    /// Asks for the email of this hour; where that has been asked for already, for the one of the next.
    async fn tell_of_a_change(&self, now: Timestamp) -> Result<(), DeskError> {
        let next = now + SignedDuration::from_hours(1);
        let id = |at: Timestamp| OwnEmailId {
            kind: EmailKind::PracticeChanged,
            about: at.strftime("%Y-%m-%dT%H").to_string(),
        };
        if !self.store.schedule(&id(now), now + WRITTEN_BY_THEN).await? {
            let since = now.as_second().rem_euclid(3600);
            let due = next - SignedDuration::from_secs(since) + WRITTEN_BY_THEN;
            self.store.schedule(&id(next), due).await?;
        }
        Ok(())
    }
}

/// The parts of whose changes the therapist is told: who has her session could speak in her name.
const PARTS: [&str; 3] = ["contact", "consent", "emails"];

fn changed(before: &Practice, after: &Practice) -> Vec<&'static str> {
    let contact = |it: &Practice| {
        let phone = it.phone.shown.clone();
        let name = [it.name.clone(), it.trade.clone(), it.address.clone(), phone];
        (name, it.website.clone(), it.social.clone())
    };
    let is_changed = [
        contact(before) != contact(after),
        before.consent.wording != after.consent.wording,
        before.emails != after.emails,
    ];
    let parts = PARTS.into_iter().zip(is_changed);
    parts
        .filter_map(|(part, is_changed)| is_changed.then_some(part))
        .collect()
}

/// A new wording gets a version of its own, and every wording that was in use stays among the earlier ones: enquiries name them, and
/// pages that are open still show the last.
fn keep_wordings(consent: &mut raw::Consent, before: &raw::Consent, today: Date) {
    let is_known = |consent: &raw::Consent, version: &raw::Version| {
        consent.version == *version || consent.earlier.iter().any(|it| it.version == *version)
    };
    // Line breaks make no other wording.
    let is_same = consent
        .wording
        .0
        .split_whitespace()
        .eq(before.wording.0.split_whitespace());
    if consent.version == before.version && !is_same {
        let mut versions = (1..).map(|number| match number {
            1 => today.to_string(),
            number => format!("{today}.{number}"),
        });
        let free = versions.find(|version| !is_known(before, &raw::Version(version.clone())));
        consent.version = raw::Version(free.unwrap_or_default());
    }
    let present = raw::EarlierConsent {
        version: before.version.clone(),
        wording: before.wording.clone(),
        replaced: raw::Day(today.to_string()),
    };
    for earlier in before.earlier.iter().chain([&present]) {
        if !is_known(consent, &earlier.version) {
            consent.earlier.push(earlier.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_that_was_in_use_stays_known_whichever_way_it_is_replaced() {
        let day: Date = "2026-11-28".parse().unwrap();
        let consent = |version: &str, wording: &str| raw::Consent {
            version: raw::Version(version.to_owned()),
            wording: raw::Sentences(wording.to_owned()),
            earlier: Vec::new(),
        };
        let versions = |consent: &raw::Consent| -> Vec<String> {
            let earlier = consent.earlier.iter().map(|it| it.version.0.clone());
            [consent.version.0.clone()]
                .into_iter()
                .chain(earlier)
                .collect()
        };
        let first = consent("2026-11-23", "One.");
        let mut second = consent("2026-11-23", "Two.");
        keep_wordings(&mut second, &first, day);
        assert_eq!(versions(&second), ["2026-11-28", "2026-11-23"]);
        assert_eq!(second.earlier[0].wording.0, "One.");
        assert_eq!(second.earlier[0].replaced.0, "2026-11-28");
        // Twice on a day.
        let mut third = raw::Consent {
            wording: raw::Sentences("Three.".to_owned()),
            ..second.clone()
        };
        keep_wordings(&mut third, &second, day);
        assert_eq!(
            versions(&third),
            ["2026-11-28.2", "2026-11-23", "2026-11-28"]
        );
        // A step back.
        let mut back = second.clone();
        keep_wordings(&mut back, &third, day);
        assert_eq!(
            versions(&back),
            ["2026-11-28", "2026-11-23", "2026-11-28.2"]
        );
        // And to the very first.
        let mut back = first.clone();
        keep_wordings(&mut back, &third, day);
        assert_eq!(
            versions(&back),
            ["2026-11-23", "2026-11-28", "2026-11-28.2"]
        );
        // Nothing was changed.
        let mut same = third.clone();
        keep_wordings(&mut same, &third, day);
        assert_eq!(same, third);
    }
}
