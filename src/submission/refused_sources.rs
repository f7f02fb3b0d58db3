//! The sources that were refused again and again lately, as this execution environment remembers them: a flood of one of them then costs
//! no write of the table.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::store::network;

/// After so many refusals the table is not asked any more. A person who presses twice is not there yet, and a repeat of what
/// was accepted is answered as before.
const REFUSALS: u32 = 5;
/// How many sources are remembered.
const SOURCES: usize = 1_000;

struct Refused {
    times: u32,
    until: Timestamp,
}

/// The sources, in memory only.
#[derive(Default)]
pub(super) struct RefusedSources(Mutex<HashMap<Vec<u8>, Refused>>);

impl RefusedSources {
    /// How long a source has still to wait, in seconds, when it was refused again and again.
    pub(super) fn wait(&self, source: Option<IpAddr>, now: Timestamp) -> Option<u32> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = sources.get(&network(source?))?;
        let left = refused.until.duration_since(now).as_secs();
        let left = u32::try_from(left).ok().filter(|left| *left > 0)?;
        (refused.times >= REFUSALS).then_some(left)
    }

    /// The table has refused a source.
    pub(super) fn note(&self, source: Option<IpAddr>, retry_after: u32, now: Timestamp) {
        let Some(source) = source else { return };
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|_, refused| refused.until > now);
        let key = network(source);
        if sources.len() >= SOURCES && !sources.contains_key(&key) {
            return;
        }
        let refused = sources.entry(key).or_insert(Refused {
            times: 0,
            until: now,
        });
        refused.times += 1;
        refused.until = now + SignedDuration::from_secs(i64::from(retry_after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_source_that_was_refused_again_and_again_is_remembered_until_it_may_go_on() {
        let sources = RefusedSources::default();
        let (one, same, other) = ("2001:db8::1", "2001:db8::2", "192.0.2.1");
        let [one, same, other] = [one, same, other].map(|source| source.parse().ok());
        for n in 1..=REFUSALS {
            assert_eq!(sources.wait(one, at(0)), None, "after {} refusals", n - 1);
            sources.note(one, 300, at(0));
        }
        assert_eq!(sources.wait(same, at(10)), Some(290), "the same network");
        assert_eq!(sources.wait(other, at(10)), None);
        assert_eq!(sources.wait(None, at(10)), None);
        assert_eq!(sources.wait(one, at(300)), None);
        sources.note(one, 300, at(301));
        assert_eq!(sources.wait(one, at(302)), None, "it counts anew");
    }

    #[test]
    fn only_so_many_are_remembered() {
        let sources = RefusedSources::default();
        for n in 0..1_100_u32 {
            sources.note(Some(IpAddr::from(n.to_be_bytes())), 300, at(0));
        }
        assert_eq!(sources.0.lock().unwrap().len(), SOURCES);
    }
}
