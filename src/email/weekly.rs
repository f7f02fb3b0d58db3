//! Monday's list to the therapist: the week that has passed, in numbers, and whether everything works. It always leaves, so
//! that its absence says that something is wrong.

use askama::Template;
use jiff::civil::Date;

use super::{Email, styles};
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
use crate::messages::email::weekly as words;
use crate::practice::{Practice, date_in_words};
use crate::record::{Finding, Health};

/// The numbers of a week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Week {
    /// Enquiries that came in and do not look like spam.
    pub enquiries: usize,
    /// How many of them were marked before their promise ended.
    pub in_time: usize,
    /// How many were marked later.
    pub later: usize,
    /// How many were not marked.
    pub unmarked: usize,
    /// The median of the working time until they were marked, in minutes; none when none was.
    pub median_minutes: Option<u64>,
    /// How many look like spam.
    pub suspected: usize,
    /// How many automatic replies came back, or were not welcome.
    pub came_back: usize,
    /// How many emails to the therapist or to clients are waiting to leave, for more than half an hour.
    pub stuck: usize,
}

/// Everything that the email is made from.
#[derive(Clone, Copy)]
pub struct WeeklyEmail<'a> {
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// The Monday on which the week began.
    pub monday: Date,
    /// Its numbers.
    pub week: Week,
    /// What the last check found; nothing before the first one.
    pub health: Option<&'a Health>,
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    preheader: String,
    title: String,
    rows: Vec<(&'static str, String)>,
    works: String,
    /// What is not well.
    wrong: Vec<&'a Finding>,
}

impl WeeklyEmail<'_> {
    /// The email, ready to be sent; text only if it cannot be rendered.
    #[must_use]
    pub fn into_email(self) -> Email {
        let title = match self.week.enquiries {
            0 => words::TITLE_NONE.to_owned(),
            count => words::title(count),
        };
        let wrong = self.health.map(Health::problems).unwrap_or_default();
        let page = Page {
            practice: self.practice,
            preheader: words::week(date_in_words(self.monday)),
            title: title.clone(),
            rows: self.rows(),
            works: match self.week.stuck {
                0 if wrong.is_empty() => words::WELL.to_owned(),
                0 => words::NOT_WELL.to_owned(),
                count => words::stuck(count),
            },
            wrong,
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        let kind = EmailKind::Weekly;
        Email::own(kind, self.practice, self.to, title, text, html)
    }

    /// The numbers that say something: none that is always there and nought.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let week = &self.week;
        let mut rows = vec![(words::ENQUIRIES, week.enquiries.to_string())];
        let marked = week.in_time + week.later;
        if marked > 0 {
            rows.push((words::IN_TIME, week.in_time.to_string()));
            if week.later > 0 {
                rows.push((words::LATER, week.later.to_string()));
            }
        }
        if week.enquiries > 0 {
            rows.push((words::UNMARKED, week.unmarked.to_string()));
        }
        if let Some(minutes) = week.median_minutes {
            rows.push((words::MEDIAN, in_hours(minutes)));
        }
        for (label, number) in [
            (words::SUSPECTED, week.suspected),
            (words::CAME_BACK, week.came_back),
        ] {
            if number > 0 {
                rows.push((label, number.to_string()));
            }
        }
        rows
    }
}

/// "40 minutes", "1 hour", "5½ hours".
fn in_hours(minutes: u64) -> String {
    let minutes = usize::try_from(minutes).unwrap_or(usize::MAX);
    let halves = minutes.saturating_add(15) / 30;
    match (halves / 2, halves % 2) {
        (0, _) => words::minutes(minutes),
        (hours, 0) => words::hours(hours),
        (hours, _) => words::hours_and_a_half(hours),
    }
}

#[derive(Template)]
#[template(path = "emails/weekly.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/weekly.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
