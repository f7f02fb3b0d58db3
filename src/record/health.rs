//! The result of a check of the desk itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It is well.
    Ok,
    /// It works, and should be seen to.
    Warning,
    /// Something does not work.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about: the same from check to check.
    pub key: String,
    /// How it stands.
    pub level: Level,
    /// In plain words, nothing personal.
    pub what: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<StepPage>,
    /// What to enter somewhere, one record a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paste: Vec<String>,
}

/// The page on which the next step is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPage {
    /// Its address, from the deployment's own on.
    pub path: String,
    /// What the link to it says.
    pub name: String,
}

/// What the last check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// When it was made.
    pub checked_at: Timestamp,
    /// Everything that was looked at.
    pub findings: Vec<Finding>,
    /// What was not well before something changed last.
    pub before: BTreeMap<String, Level>,
    /// Whether SES delivers to any address, if that is known.
    pub production: Option<bool>,
}

impl Health {
    /// What is not well.
    #[must_use]
    pub fn wrong(&self) -> BTreeMap<String, Level> {
        let wrong = self.findings.iter().filter(|it| it.level > Level::Ok);
        wrong.map(|it| (it.key.clone(), it.level)).collect()
    }

    /// What is not well, the worst first.
    #[must_use]
    pub fn problems(&self) -> Vec<&Finding> {
        let mut problems: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|it| it.level > Level::Ok)
            .collect();
        problems.sort_by_key(|it| std::cmp::Reverse(it.level));
        problems
    }
}
