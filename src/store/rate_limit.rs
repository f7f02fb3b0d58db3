//! The sliding count of one source's enquiries, as one conditional write.
//!
//! A count that begins anew every ten minutes lets twice as many through across its edge, and one that is kept as a list
//! must be read first. Here a post adds itself to the sums of the minute it falls into and of the ten minutes that follow:
//! the sum `m<minute>` then holds how many came in that minute and the ten before it, and "is it below the limit" is a
//! condition of the same write. In any ten minutes no more than the limit is counted; who was refused may go on
//! after eleven minutes at the latest, and is told when. Posts that meet others at the counter again and again are stored
//! without being counted, and get no auto-reply (SECURITY.md).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::schema::Item;

/// How many minutes a sum covers: ten whole ones, and the one that has just begun.
const MINUTES: i64 = 11;

/// The count at one moment.
pub(super) struct SlidingCount {
    now: i64,
}

impl SlidingCount {
    /// The longest wait, in seconds.
    pub(super) const LONGEST_WAIT: u32 = 660;

    pub(super) fn at(now: Timestamp) -> Self {
        Self {
            now: now.as_second(),
        }
    }

    fn minute(&self) -> i64 {
        self.now.div_euclid(60)
    }

    /// Adds one to each sum that this moment belongs to, and drops those that are not asked for any more.
    pub(super) fn update(&self) -> String {
        let sums: Vec<String> = (0..MINUTES).map(|n| format!("#s{n} :one")).collect();
        let old: Vec<String> = (1..=MINUTES).map(|n| format!("#o{n}")).collect();
        format!(
            "SET kind = :kind, expires = :expires REMOVE {} ADD {}",
            old.join(", "),
            sums.join(", ")
        )
    }

    /// The sum of the last minutes must be below the limit.
    pub(super) const fn condition(&self) -> &'static str {
        "attribute_not_exists(#s0) OR #s0 < :limit"
    }

    pub(super) fn names(&self) -> HashMap<String, String> {
        let sums = (0..MINUTES).map(|n| (format!("#s{n}"), sum(self.minute() + n)));
        let old = (1..=MINUTES).map(|n| (format!("#o{n}"), sum(self.minute() - n)));
        sums.chain(old).collect()
    }

    pub(super) fn values(&self, limit: u32) -> Item {
        // As long as a sum may be asked for, and once more for clocks that differ.
        let expires = self.now + 2 * MINUTES * 60;
        HashMap::from([
            (":kind".to_owned(), AttributeValue::S("counter".to_owned())),
            (
                ":expires".to_owned(),
                AttributeValue::N(expires.to_string()),
            ),
            (":one".to_owned(), AttributeValue::N("1".to_owned())),
            (":limit".to_owned(), AttributeValue::N(limit.to_string())),
        ])
    }

    /// In how many seconds the source may send again, by its counter: when the first minute begins whose sum is below
    /// the limit.
    pub(super) fn retry_after(&self, counter: &Item, limit: u32) -> u32 {
        let is_free = |minute: &i64| {
            let sent = counter
                .get(&sum(*minute))
                .and_then(|sent| sent.as_n().ok())
                .and_then(|sent| sent.parse::<u32>().ok());
            sent.is_none_or(|sent| sent < limit)
        };
        let free = (self.minute() + 1..=self.minute() + MINUTES).find(is_free);
        let free = free.unwrap_or(self.minute() + MINUTES);
        u32::try_from(free * 60 - self.now)
            .unwrap_or(Self::LONGEST_WAIT)
            .clamp(1, Self::LONGEST_WAIT)
    }
}

fn sum(minute: i64) -> String {
    format!("m{minute}")
}
