//! The client's own page, which the auto-reply links to. It shows closed words only: the address may be a stranger's.

use askama::Template;

use crate::enquiry::Reference;
use crate::messages::client;
use crate::practice::Practice;

/// What the client's own page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// What is known, and what can be done.
    Look,
    /// What deleting means, and the box to tick.
    Withdraw,
    /// The same, with the box left out.
    NotTicked,
    /// What "I didn’t send this" means.
    Disown,
}

/// The client's own page.
#[derive(Template)]
#[template(path = "pages/mine.html")]
pub(crate) struct MinePage<'a> {
    pub(crate) practice: &'a Practice,
    /// The name of the enquiry.
    pub(crate) reference: &'a Reference,
    /// What opens the page, for its links and buttons.
    pub(crate) signature: &'a str,
    /// What it shows.
    pub(crate) step: Step,
    /// When the enquiry arrived, in words.
    pub(crate) received: String,
    /// By when an answer was promised, in words.
    pub(crate) promised: String,
    /// When it is gone, in words, where the client has deleted it.
    pub(crate) erased: Option<String>,
    /// Whether the owner of the address has said that they did not send it.
    pub(crate) disowned: bool,
    /// The address that takes complaints about the use of data, and a link that writes one.
    pub(crate) complaints: (&'a str, String),
}

impl MinePage<'_> {
    /// The page.
    ///
    /// # Errors
    /// As [`super::FormPage::render`].
    pub(crate) fn render(&self) -> askama::Result<String> {
        Template::render(self)
    }

    fn title(&self) -> &'static str {
        match self.step {
            Step::NotTicked | Step::Withdraw => client::WITHDRAW,
            Step::Disown => client::DISOWN,
            Step::Look => client::LOOK,
        }
    }
}

/// Why the client's own page is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotShown {
    /// The link is none of ours, or the enquiry is gone: which of the two is not told.
    Gone,
    /// A button was pressed on another site's page.
    Elsewhere,
    /// The table cannot be reached.
    Unavailable,
}

impl NotShown {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Gone => (client::gone::TITLE, client::gone::DETAIL),
            Self::Elsewhere => (client::elsewhere::TITLE, client::elsewhere::DETAIL),
            Self::Unavailable => (client::unavailable::TITLE, client::unavailable::DETAIL),
        }
    }

    /// The page that says so.
    ///
    /// # Errors
    /// As [`super::FormPage::render`].
    pub(crate) fn render(self, practice: &Practice) -> askama::Result<String> {
        let (title, text) = self.words();
        let page = MessagePage {
            practice,
            title,
            text,
        };
        page.render()
    }
}

/// Says one thing.
#[derive(Template)]
#[template(path = "pages/mine_message.html")]
struct MessagePage<'a> {
    practice: &'a Practice,
    title: &'static str,
    text: &'static str,
}
