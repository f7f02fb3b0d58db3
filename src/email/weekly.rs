//! Monday's list to the therapist: the week that has passed, in numbers, and whether everything works. It always leaves, so
//! that its absence says that something is wrong.

use askama::Template;
use jiff::civil::Date;

use super::{Email, styles};
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
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
    /// The practice.
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
            0 => "No enquiries last week".to_owned(),
            1 => "1 enquiry last week".to_owned(),
            many => format!("{many} enquiries last week"),
        };
        let wrong = self.health.map(Health::problems).unwrap_or_default();
        let page = Page {
            practice: self.practice,
            preheader: format!("The week from {}.", date_in_words(self.monday)),
            title: title.clone(),
            rows: self.rows(),
            works: match self.week.stuck {
                0 if wrong.is_empty() => "Everything works.".to_owned(),
                0 => "Not everything is well:".to_owned(),
                1 => "1 email has been waiting to leave for more than half an hour. Nothing is lost: it leaves as soon as the \
                      email service takes it. If you get this line twice, ask the person who looks after your desk."
                    .to_owned(),
                many => format!(
                    "{many} emails have been waiting to leave for more than half an hour. Nothing is lost: they leave as soon \
                     as the email service takes them. If you get this line twice, ask the person who looks after your desk."
                ),
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
        let mut rows = vec![("Enquiries", week.enquiries.to_string())];
        let marked = week.in_time + week.later;
        if marked > 0 {
            rows.push((
                "Answered by the time that was promised",
                week.in_time.to_string(),
            ));
            if week.later > 0 {
                rows.push(("Answered later", week.later.to_string()));
            }
        }
        if week.enquiries > 0 {
            rows.push(("Not marked", week.unmarked.to_string()));
        }
        if let Some(minutes) = week.median_minutes {
            rows.push(("Working time to an answer, usually", in_hours(minutes)));
        }
        for (label, number) in [
            ("Suspected spam", week.suspected),
            ("Automatic replies that came back", week.came_back),
        ] {
            if number > 0 {
                rows.push((label, number.to_string()));
            }
        }
        rows
    }
}

/// "40 minutes", "1 hour", "5 and a half hours".
fn in_hours(minutes: u64) -> String {
    let halves = (minutes + 15) / 30;
    match (halves / 2, halves % 2) {
        (0, _) => format!("{minutes} minutes"),
        (1, 0) => "1 hour".to_owned(),
        (hours, 0) => format!("{hours} hours"),
        (1, _) => "an hour and a half".to_owned(),
        (hours, _) => format!("{hours} and a half hours"),
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
