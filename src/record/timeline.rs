//! The timeline of an enquiry: an audit log, entry by entry.
//!
//! In the table an entry is one line of text, since most enquiries have fewer than ten and their state must stay small:
//! `2026-11-23T09:00:04Z sent therapist 1`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize, Serializer};

use super::{Mark, Origin};
use crate::mail_state::{Deliveries, EmailKind, MailState, Report, Withheld};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When, to the second.
    pub at: Timestamp,
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The enquiry came in. It is never stored: the enquiry itself says when.
    Received,
    /// SES took an email.
    Sent {
        kind: EmailKind,
        /// At which try, from 1.
        attempt: u32,
    },
    /// An email did not leave for certain, and is tried again.
    NotSent {
        kind: EmailKind,
        /// Which try it was, from 1.
        attempt: u32,
    },
    /// An email will never go.
    Failed {
        kind: EmailKind,
        /// The class of the failure, as SES names it.
        reason: String,
    },
    /// The auto-reply was withheld.
    Withheld { reason: Withheld },
    /// It is unknown whether an email left, and it is not tried again.
    Unknown { kind: EmailKind },
    /// SES reported about an email.
    Reported {
        kind: EmailKind,
        report: Report,
        /// Why, in SES's own words and the status codes of email (RFC 3463), such as `Permanent/General 5.1.1`; no address.
        why: Option<String>,
    },
    /// The therapist marked the enquiry.
    Marked { mark: Mark, by: Origin },
    /// A mark was undone.
    Undone {
        /// What stands again.
        mark: Mark,
        by: Origin,
    },
    /// It was called spam.
    Spam { by: Origin },
    /// It was called a real enquiry.
    NotSpam { by: Origin },
    /// An email was asked for once more.
    Resend { kind: EmailKind, by: Origin },
    /// The private note was saved.
    Noted { by: Origin },
    /// The private note was taken away.
    NoteRemoved { by: Origin },
    /// The sender was blocked.
    Blocked { by: Origin },
    /// The sender was trusted.
    Trusted { by: Origin },
    /// The sender is neither blocked nor trusted any more.
    Unblocked { by: Origin },
    /// The client withdrew it, on their own page.
    Withdrawn,
    /// The client kept it after all.
    Kept,
    /// The owner of the address said that they did not send it.
    Disowned,
    /// The therapist noted a complaint about the use of personal data.
    DataComplaint { by: Origin },
    /// She has acknowledged it.
    Acknowledged { by: Origin },
    /// Something that only a newer version knows, as it is stored.
    Other(String),
}

/// The entries of an enquiry that its state holds: the newest ones. Older ones stand in an item of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The newest entries, oldest first.
    pub recent: Vec<Entry>,
    /// How many older ones there are.
    pub moved: u32,
}

impl Timeline {
    /// Adds an entry. An email that is tried again and again has one entry for that, which tells the last try.
    pub fn push(&mut self, entry: Entry) {
        if let Event::NotSent { kind, .. } = entry.event {
            let same = |event: &Event| matches!(event, Event::NotSent { kind: other, .. } if *other == kind);
            self.recent.retain(|entry| !same(&entry.event));
        }
        self.recent.push(entry);
    }

    /// Adds what a change of its emails' states tells, as far as the change has not told it by itself: what SES reports comes
    /// with its reason, and has an entry already.
    pub fn follow(&mut self, seen: &Self, before: &Deliveries, after: &Deliveries, now: Timestamp) {
        for kind in EmailKind::ALL.iter().copied() {
            let (Some(was), Some(is)) = (before.of(kind).or(Some(&MailState::NEW)), after.of(kind))
            else {
                continue;
            };
            let reported = |entry: &&Entry| matches!(entry.event, Event::Reported { kind: of, .. } if of == kind);
            let mut reports = self.recent.iter().filter(reported);
            let has_told = reports.any(|entry| !seen.recent.contains(entry));
            if let Some(event) = Event::of_change(kind, was, is).filter(|_| !has_told) {
                self.push(Entry { at: now, event });
            }
        }
    }
}

impl Event {
    /// What a change from one state to another tells; nothing for those that an action or a report brings, and for a lease.
    fn of_change(kind: EmailKind, was: &MailState, is: &MailState) -> Option<Self> {
        let attempt = match was {
            MailState::Sending { attempt, .. } => *attempt,
            _ => 0,
        };
        match is {
            is if is == was => None,
            MailState::Sent { .. } if !matches!(was, MailState::Sent { .. }) => {
                Some(Self::Sent { kind, attempt })
            }
            MailState::Pending { .. } | MailState::Sending { .. } if attempt > 0 => {
                Some(Self::NotSent { kind, attempt })
            }
            MailState::Failed { reason, .. } => Some(Self::Failed {
                kind,
                reason: word(reason),
            }),
            MailState::Withheld { reason } => Some(Self::Withheld { reason: *reason }),
            MailState::Unknown { .. } => Some(Self::Unknown { kind }),
            _ => None,
        }
    }
}

/// One word for the table, of what comes from outside: letters, digits, and the signs that codes have; 60 at most.
fn word(text: &str) -> String {
    let known = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    text.chars().filter(known).take(60).collect()
}

const REPORTS: [(&str, Report); 7] = [
    ("delivered", Report::Delivered),
    ("bounced", Report::Bounced { transient: false }),
    ("bounced_for_now", Report::Bounced { transient: true }),
    ("complained", Report::Complained),
    ("suppressed", Report::Suppressed),
    ("rejected", Report::Rejected),
    ("delayed", Report::Delayed),
];

impl fmt::Display for Entry {
    /// As it stands in the table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.event)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Received => f.write_str("received"),
            Event::Sent { kind, attempt } => write!(f, "sent {kind} {attempt}"),
            Event::NotSent { kind, attempt } => write!(f, "not_sent {kind} {attempt}"),
            Event::Failed { kind, reason } => write!(f, "failed {kind} {}", word(reason)),
            Event::Withheld { reason } => write!(f, "withheld {}", reason.key()),
            Event::Unknown { kind } => write!(f, "unknown {kind}"),
            Event::Reported { kind, report, why } => {
                let known = REPORTS.iter().find(|(_, it)| it == report);
                write!(f, "reported {kind} {}", known.map_or("", |(key, _)| key))?;
                let words = why.iter().flat_map(|why| why.split_whitespace());
                let words = words.filter(|it| !it.contains('@')).take(3).map(word);
                let mut words = words.filter(|it| !it.is_empty());
                words.try_for_each(|it| write!(f, " {it}"))
            }
            Event::Marked { mark, by } => write!(f, "marked {mark} {}", by.key()),
            Event::Undone { mark, by } => write!(f, "undone {mark} {}", by.key()),
            Event::Spam { by } => write!(f, "spam {}", by.key()),
            Event::NotSpam { by } => write!(f, "not_spam {}", by.key()),
            Event::Resend { kind, by } => write!(f, "resend {kind} {}", by.key()),
            Event::Noted { by } => write!(f, "noted {}", by.key()),
            Event::NoteRemoved { by } => write!(f, "note_removed {}", by.key()),
            Event::Blocked { by } => write!(f, "blocked {}", by.key()),
            Event::Trusted { by } => write!(f, "trusted {}", by.key()),
            Event::Unblocked { by } => write!(f, "unblocked {}", by.key()),
            Event::Withdrawn => f.write_str("withdrawn"),
            Event::Kept => f.write_str("kept"),
            Event::Disowned => f.write_str("disowned"),
            Event::DataComplaint { by } => write!(f, "data_complaint {}", by.key()),
            Event::Acknowledged { by } => write!(f, "acknowledged {}", by.key()),
            Event::Other(text) => f.write_str(text),
        }
    }
}

impl FromStr for Entry {
    type Err = ();

    /// Reads what [`fmt::Display`] wrote, or what a newer version did.
    fn from_str(line: &str) -> Result<Self, ()> {
        let (at, text) = line.split_once(' ').ok_or(())?;
        Ok(Self {
            at: at.parse().map_err(drop)?,
            event: read(text).unwrap_or_else(|| Event::Other(text.to_owned())),
        })
    }
}

fn read(text: &str) -> Option<Event> {
    let words: Vec<&str> = text.split(' ').collect();
    Some(match words.as_slice() {
        ["received"] => Event::Received,
        ["withdrawn"] => Event::Withdrawn,
        ["kept"] => Event::Kept,
        ["disowned"] => Event::Disowned,
        ["data_complaint", by] => Event::DataComplaint {
            by: Origin::from_key(by)?,
        },
        ["acknowledged", by] => Event::Acknowledged {
            by: Origin::from_key(by)?,
        },
        ["sent", kind, attempt] => Event::Sent {
            kind: EmailKind::from_key(kind)?,
            attempt: attempt.parse().ok()?,
        },
        ["not_sent", kind, attempt] => Event::NotSent {
            kind: EmailKind::from_key(kind)?,
            attempt: attempt.parse().ok()?,
        },
        ["failed", kind, reason] => Event::Failed {
            kind: EmailKind::from_key(kind)?,
            reason: (*reason).to_owned(),
        },
        ["withheld", reason] => Event::Withheld {
            reason: named(reason)?,
        },
        ["unknown", kind] => Event::Unknown {
            kind: EmailKind::from_key(kind)?,
        },
        ["reported", kind, report, why @ ..] => Event::Reported {
            kind: EmailKind::from_key(kind)?,
            report: REPORTS.iter().find(|(key, _)| key == report)?.1,
            why: (!why.is_empty()).then(|| why.join(" ")),
        },
        ["marked", mark, by] => Event::Marked {
            mark: Mark::from_key(mark)?,
            by: Origin::from_key(by)?,
        },
        ["undone", mark, by] => Event::Undone {
            mark: Mark::from_key(mark)?,
            by: Origin::from_key(by)?,
        },
        ["resend", kind, by] => Event::Resend {
            kind: EmailKind::from_key(kind)?,
            by: Origin::from_key(by)?,
        },
        [word, by] => {
            let by = Origin::from_key(by)?;
            match *word {
                "spam" => Event::Spam { by },
                "not_spam" => Event::NotSpam { by },
                "noted" => Event::Noted { by },
                "note_removed" => Event::NoteRemoved { by },
                "blocked" => Event::Blocked { by },
                "trusted" => Event::Trusted { by },
                "unblocked" => Event::Unblocked { by },
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn named(reason: &str) -> Option<Withheld> {
    let reason: StrDeserializer<'_, serde::de::value::Error> = reason.into_deserializer();
    Withheld::deserialize(reason).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_back_as_it_was_written() {
        let (kind, by) = (EmailKind::AutoReply, Origin::Link);
        let reported = |report| Event::Reported {
            kind,
            report,
            why: Some("Permanent/General 5.1.1".to_owned()),
        };
        let mut events = vec![
            Event::Received,
            Event::Sent { kind, attempt: 1 },
            Event::NotSent { kind, attempt: 2 },
            Event::Failed {
                kind,
                reason: "MessageRejected".to_owned(),
            },
            Event::Withheld {
                reason: Withheld::OwnAddress,
            },
            Event::Unknown { kind },
            Event::Spam { by },
            Event::NotSpam { by },
            Event::Resend { kind, by },
            Event::Noted { by },
            Event::NoteRemoved { by },
            Event::Blocked { by },
            Event::Trusted { by },
            Event::Unblocked { by },
            Event::Withdrawn,
            Event::Kept,
            Event::Disowned,
            Event::DataComplaint { by: Origin::Desk },
            Event::Acknowledged { by: Origin::Desk },
            Event::Other("forwarded to a colleague".to_owned()),
        ];
        events.extend(REPORTS.map(|(_, report)| reported(report)));
        for mark in Mark::ALL.iter().copied() {
            events.extend([Event::Marked { mark, by }, Event::Undone { mark, by }]);
        }
        for event in events {
            let entry = Entry {
                at: "2026-11-23T09:00:04Z".parse().unwrap(),
                event,
            };
            assert_eq!(entry.to_string().parse(), Ok(entry));
        }
    }

    #[test]
    fn what_comes_from_outside_stays_a_few_words_of_plain_signs() {
        let entry = Entry {
            at: "2026-11-23T09:00:04Z".parse().unwrap(),
            event: Event::Reported {
                kind: EmailKind::AutoReply,
                report: Report::Bounced { transient: false },
                why: Some(format!("5.1.1 <zoe@example.com>\nx {}", "y".repeat(99))),
            },
        };
        assert_eq!(
            entry.to_string(),
            format!(
                "2026-11-23T09:00:04Z reported auto_reply bounced 5.1.1 x {}",
                "y".repeat(60)
            )
        );
    }

    #[test]
    fn an_email_that_is_tried_again_and_again_has_one_entry_for_it() {
        let mut timeline = Timeline::default();
        for (attempt, kind) in (1..200).zip(
            [EmailKind::Therapist, EmailKind::Notice]
                .into_iter()
                .cycle(),
        ) {
            let at = Timestamp::from_second(i64::from(attempt)).unwrap();
            timeline.push(Entry {
                at,
                event: Event::NotSent { kind, attempt },
            });
        }
        let told: Vec<String> = timeline.recent.iter().map(Entry::to_string).collect();
        assert_eq!(
            told,
            [
                "1970-01-01T00:03:18Z not_sent notice 198",
                "1970-01-01T00:03:19Z not_sent therapist 199"
            ]
        );
    }
}
