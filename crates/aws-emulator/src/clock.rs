//! The emulator's clock, which can be put forward while it runs: what is due until then happens on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::dynamodb::Expiry;
use super::function::Function;
use super::ses::Mailbox;
use super::stream::Waker;
use super::{StartError, Timer};

/// How far the clock is put forward at a time: nothing that a timer does between two steps comes later than this.
const STEP: SignedDuration = SignedDuration::from_mins(30);
/// How long after midnight "tomorrow morning" is.
const MORNING: i8 = 10;

/// A clock that is ahead of the machine's. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// A clock that is ahead by this much.
    #[must_use]
    pub fn ahead(by: SignedDuration) -> Self {
        let clock = Self::default();
        clock.put_forward(by);
        clock
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.0.load(Ordering::SeqCst));
        Timestamp::now()
            .saturating_add(ahead)
            .unwrap_or(Timestamp::MAX)
    }

    fn put_forward(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or_default();
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

/// How far the clock jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// An hour.
    Hour,
    /// To ten o'clock on the next day.
    Morning,
    /// A day.
    Day,
    /// A week.
    Week,
}

impl Jump {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Morning, Self::Day, Self::Week];

    /// Its name in a form and on the command line.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Morning => "morning",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// What its button says.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hour => "An hour on",
            Self::Morning => "Tomorrow, 10am",
            Self::Day => "A day on",
            Self::Week => "A week on",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|jump| jump.key() == key)
    }

    fn length(self, now: &Zoned) -> SignedDuration {
        let hours = SignedDuration::from_hours;
        match self {
            Self::Hour => hours(1),
            Self::Day => hours(24),
            Self::Week => hours(7 * 24),
            Self::Morning => {
                let morning = now.tomorrow().map(|day| day.date().at(MORNING, 0, 0, 0));
                let morning = morning.and_then(|it| it.to_zoned(now.time_zone().clone()));
                morning.map_or(hours(24), |it| it.duration_since(now))
            }
        }
    }
}

/// Puts the clock forward, and does on the way what the timers and the expiry of items do.
#[derive(Debug)]
pub(super) struct Jumper {
    pub(super) clock: Clock,
    pub(super) zone: TimeZone,
    pub(super) function: Function,
    pub(super) timers: Vec<Timer>,
    pub(super) expiry: Option<Expiry>,
    pub(super) stream: Waker,
    pub(super) mailbox: Mailbox,
    /// One jump at a time.
    pub(super) busy: tokio::sync::Mutex<()>,
}

impl Jumper {
    /// The time in the zone of the pages.
    pub(super) fn local(&self) -> Zoned {
        self.clock.now().to_zoned(self.zone.clone())
    }

    /// Waits until everything on the stream is done and SES has reported everything.
    pub(super) async fn settled(&self) {
        self.stream.drained().await;
        self.mailbox.settled().await;
        // A report can make the function write, which is on the stream again.
        self.stream.drained().await;
    }

    /// Jumps. What a timer fails at is tried again at the next step.
    ///
    /// # Errors
    /// When what has expired cannot be removed.
    pub(super) async fn jump(&self, jump: Jump) -> Result<(), StartError> {
        let _one_at_a_time = self.busy.lock().await;
        let mut left = jump.length(&self.local());
        while left.is_positive() {
            let step = left.min(STEP);
            left -= step;
            self.clock.put_forward(step);
            // Twice, since one timer may ask for what another one does: they would run again a minute later.
            for timer in self.timers.iter().chain(&self.timers) {
                if let Err(error) = self.function.call(timer.event.clone()).await {
                    tracing::warn!(error, "the function failed on a timer's event");
                }
            }
            // What was begun in these minutes is done in them: a report that comes days later is an alarm.
            self.settled().await;
        }
        match &self.expiry {
            Some(expiry) => expiry.remove(self.clock.now()).await,
            None => Ok(()),
        }
    }
}
