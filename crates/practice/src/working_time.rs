//! Working time: when a day opens, which working day came before, and how much working time lies between two moments.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::Practice;
use crate::hours::{HORIZON_DAYS, moment};

impl Practice {
    /// Whether the therapist is not back yet on this day.
    #[must_use]
    pub fn is_away(&self, day: Date) -> bool {
        self.away_until.is_some_and(|back| day < back)
    }

    /// When the practice opens on this day; nothing when it is closed.
    #[must_use]
    pub fn opens(&self, day: Date) -> Option<Zoned> {
        let first = self.spans(day).first()?;
        moment(day, first.from, self.time_zone.rules())
    }

    /// The last working day before this one.
    #[must_use]
    pub fn working_day_before(&self, day: Date) -> Option<Date> {
        let mut before = day;
        for _ in 0..HORIZON_DAYS {
            before = before.yesterday().ok()?;
            if !self.spans(before).is_empty() {
                return Some(before);
            }
        }
        None
    }

    /// The moment that lies so much working time before `at`; the days before the therapist is back have none.
    #[must_use]
    pub fn working_time_before(&self, at: Timestamp, time: SignedDuration) -> Timestamp {
        let zone = self.time_zone.rules();
        let end = at.to_zoned(zone.clone());
        let mut left = time;
        let mut day = end.date();
        for _ in 0..HORIZON_DAYS {
            for span in self.spans_unless_away(day).iter().rev() {
                let (Some(opens), Some(closes)) =
                    (moment(day, span.from, zone), moment(day, span.to, zone))
                else {
                    continue;
                };
                let closes = if end < closes { &end } else { &closes };
                let open = opens.duration_until(closes).max(SignedDuration::ZERO);
                if open >= left {
                    return closes.timestamp() - left;
                }
                left -= open;
            }
            let Ok(before) = day.yesterday() else { break };
            day = before;
        }
        at - time
    }

    /// How much working time lies between two moments; none when the second is not the later one.
    #[must_use]
    pub fn working_time_between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let zone = self.time_zone.rules();
        let (from, to) = (from.to_zoned(zone.clone()), to.to_zoned(zone.clone()));
        let mut sum = SignedDuration::ZERO;
        let mut day = from.date();
        for _ in 0..HORIZON_DAYS {
            if day > to.date() {
                break;
            }
            for span in self.spans(day) {
                let (Some(opens), Some(closes)) =
                    (moment(day, span.from, zone), moment(day, span.to, zone))
                else {
                    continue;
                };
                let begin = if from > opens { &from } else { &opens };
                let end = if to < closes { &to } else { &closes };
                sum += begin.duration_until(end).max(SignedDuration::ZERO);
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        sum
    }

    fn spans_unless_away(&self, day: Date) -> &[crate::Span] {
        if self.is_away(day) {
            return &[];
        }
        self.spans(day)
    }
}
