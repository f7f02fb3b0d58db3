//! The nightly test: how far the enquiry came that the desk sent itself.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::enquiry::Reference;

/// One step on the way of an enquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The public door takes it.
    Door,
    /// The table keeps it.
    Table,
    /// The stream brings it to the function.
    Stream,
    /// SES takes the email.
    Ses,
    /// SES reports that it was delivered.
    Report,
}

/// The last test. Each time says when its step was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightlyTest {
    /// What names it in the email's tags.
    pub reference: Reference,
    /// Good once, for this test alone.
    pub nonce: String,
    /// When it began.
    pub started_at: Timestamp,
    /// What the door answered instead of taking it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Step>,
    /// The door took it and the table keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_at: Option<Timestamp>,
    /// The stream brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streamed_at: Option<Timestamp>,
    /// SES took the email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// SES reported the delivery: the test is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// The step that had not happened after an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Step>,
}

impl NightlyTest {
    /// The first step that has not happened; nothing when all have.
    #[must_use]
    pub fn missing(&self) -> Option<Step> {
        if self.reported_at.is_some() {
            None
        } else if self.sent_at.is_some() {
            Some(Step::Report)
        } else if self.streamed_at.is_some() {
            Some(Step::Ses)
        } else if self.stored_at.is_some() {
            Some(Step::Stream)
        } else {
            Some(self.trouble.unwrap_or(Step::Door))
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Door => "door",
            Self::Table => "table",
            Self::Stream => "stream",
            Self::Ses => "ses",
            Self::Report => "report",
        })
    }
}
