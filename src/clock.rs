//! Time as an argument: when the invocation began, what time it is now, and how long it may still run.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use tokio::time::Instant;

/// The time of one invocation. Waiting goes through it, so that a schedule of hours can be played in milliseconds.
#[derive(Debug, Clone)]
pub struct Clock {
    started_at: Timestamp,
    started: Instant,
    deadline: Timestamp,
}

impl Clock {
    /// A clock that shows `now` and must be done by `deadline`.
    #[must_use]
    pub fn new(now: Timestamp, deadline: Timestamp) -> Self {
        Self {
            started_at: now,
            started: Instant::now(),
            deadline,
        }
    }

    /// The time in UTC, to the second below: all stored times have one width and sort as text.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let exact = self.exact();
        Timestamp::from_second(exact.as_second()).unwrap_or(exact)
    }

    /// When the invocation will be stopped.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// How long a lease lasts that is taken now: until the invocation is certainly over, and 60 seconds.
    #[must_use]
    pub fn lease_until(&self) -> Timestamp {
        let end = self.deadline.max(self.now()) + SignedDuration::from_secs(60);
        end.round(Unit::Second).unwrap_or(end)
    }

    /// How long the invocation may still run.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        Duration::try_from(self.deadline.duration_since(self.exact())).unwrap_or_default()
    }

    /// Waits, when that leaves at least `needed` before the deadline; otherwise says no at once.
    pub async fn wait(&self, pause: Duration, needed: Duration) -> bool {
        if self.remaining() < pause + needed {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }

    /// The time in UTC as exactly as the machine tells it, for spans of a few seconds; nothing of it is stored.
    #[must_use]
    pub fn exact(&self) -> Timestamp {
        self.started_at
            + SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_knows_what_is_left() {
        let now: Timestamp = "2026-11-23T09:00:00.9Z".parse().unwrap();
        let clock = Clock::new(now, now + SignedDuration::from_secs(20));
        assert_eq!(clock.now().to_string(), "2026-11-23T09:00:00Z");
        assert!(
            clock.remaining() <= Duration::from_secs(20)
                && clock.remaining() > Duration::from_secs(15)
        );
        assert!(
            clock
                .wait(Duration::from_millis(1), Duration::from_secs(10))
                .await
        );
        assert!(
            !clock
                .wait(Duration::from_secs(15), Duration::from_secs(10))
                .await
        );
    }
}
