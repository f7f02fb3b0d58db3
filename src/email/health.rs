//! The email to the therapist when something about the desk itself has changed: what is wrong, what is right again, and what to do.

use std::collections::BTreeMap;

use askama::Template;

use super::{Email, styles};
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
use crate::messages::email::health as words;
use crate::practice::Practice;
use crate::record::{Finding, Health, Level, StepPage};

/// Everything that the email is made from.
#[derive(Clone, Copy)]
pub struct HealthEmail<'a> {
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    /// What the last check found.
    pub health: &'a Health,
    /// The page that shows all of it; none while links cannot be made.
    pub link: Option<&'a str>,
}

/// What both parts of the email show.
struct Page<'a> {
    practice: &'a Practice,
    preheader: String,
    title: String,
    /// What has become wrong, or worse.
    new: Vec<&'a Finding>,
    /// What was wrong and is well.
    well: Vec<&'a Finding>,
    /// How many things are wrong as before; empty when none is.
    still: String,
    link: Option<&'a str>,
}

impl Page<'_> {
    /// Where the next step is done, with its address.
    fn step<'f>(&self, finding: &'f Finding) -> Option<(&'f StepPage, String)> {
        let page = finding.page.as_ref()?;
        let origin = self.link?.strip_suffix("/desk/health")?;
        Some((page, format!("{origin}{}", page.path)))
    }
}

impl<'a> HealthEmail<'a> {
    /// The email, ready to be sent; text only if it cannot be rendered. Nothing when nothing is to be told.
    #[must_use]
    pub fn into_email(self) -> Option<Email> {
        let Health { before, .. } = self.health;
        let problems = self.health.problems();
        let is_new = |it: &&Finding| before.get(&it.key).is_none_or(|was| *was < it.level);
        let (new, still): (Vec<&Finding>, Vec<&Finding>) = problems.into_iter().partition(is_new);
        let well: Vec<&Finding> = self
            .health
            .findings
            .iter()
            .filter(|it| is_well(it, before))
            .collect();
        if new.is_empty() && well.is_empty() {
            return None;
        }
        let title = title(&new, &well, still.len());
        let page = Page {
            practice: self.practice,
            preheader: match new.as_slice() {
                [first, ..] => first.what.clone(),
                [] => words::PREHEADER.to_owned(),
            },
            title: title.clone(),
            new,
            well,
            still: match still.len() {
                0 => String::new(),
                count => words::still(count),
            },
            link: self.link,
        };
        let (text, html) = (Text { page: &page }.render(), Html { page: &page }.render());
        let kind = EmailKind::Health;
        Some(Email::own(kind, self.practice, self.to, title, text, html))
    }
}

fn is_well(finding: &Finding, before: &BTreeMap<String, Level>) -> bool {
    finding.level == Level::Ok && before.contains_key(&finding.key)
}

fn title(new: &[&Finding], well: &[&Finding], still: usize) -> String {
    match (new.len(), still) {
        (0, 0) if matches!(well, [one] if one.key == "replies") => words::REPLIES.to_owned(),
        (0, 0) => words::WELL.to_owned(),
        (0, _) => words::BETTER.to_owned(),
        (count, _) => words::needed(count),
    }
}

#[derive(Template)]
#[template(path = "emails/health.html")]
struct Html<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "emails/health.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page<'a>,
}
