//! The email with a code for signing in to the desk. It has no link: programs that look at emails fetch links and press buttons.

use askama::Template;
use jiff::Timestamp;

use super::Email;
use super::format::moment;
use super::wrap::fold_text;
use crate::enquiry::EmailAddress;
use crate::mail_state::EmailKind;
use crate::messages::email::sign_in as words;
use crate::practice::Practice;
use crate::session::Code;

/// Everything that the email is made from.
pub struct SignInEmail<'a> {
    pub practice: &'a Practice,
    /// The therapist's address.
    pub to: &'a EmailAddress,
    pub code: &'a Code,
    /// What the browser that asked is called: one of our own names.
    pub browser: &'a str,
    pub asked_at: Timestamp,
}

impl SignInEmail<'_> {
    /// The email, ready to be sent: text only, since it is read once, within minutes.
    #[must_use]
    pub fn into_email(self) -> Email {
        let text = Text {
            practice: self.practice,
            code: self.code.as_str(),
            browser: self.browser,
            asked_at: moment(self.practice, self.asked_at),
        };
        // A template that fails leaves the one thing that is needed.
        let text = text
            .render()
            .unwrap_or_else(|_| self.code.as_str().to_owned());
        Email {
            kind: EmailKind::SignIn,
            reference: None,
            about: None,
            from_name: self.practice.name.clone(),
            to: self.to.clone(),
            reply_to: None,
            // Without the code: a subject is shown on a locked screen.
            subject: words::SUBJECT.to_owned(),
            text: fold_text(&text),
            html: None,
            headers: super::TO_THERAPIST.to_vec(),
        }
    }
}

#[derive(Template)]
#[template(path = "emails/sign_in.txt", escape = "none")]
struct Text<'a> {
    practice: &'a Practice,
    code: &'a str,
    browser: &'a str,
    asked_at: String,
}
