//! The email of the nightly test, to SES's mailbox simulator: no person gets it ("Using the mailbox simulator manually", SES
//! developer guide).

use super::Email;
use crate::enquiry::{EmailAddress, Reference};
use crate::mail_state::EmailKind;
use crate::messages::email::probe as words;
use crate::practice::Practice;

/// Where it goes.
pub const SIMULATOR: &str = "success@simulator.amazonses.com";

/// The email; nothing if its address were none.
#[must_use]
pub fn probe_email(practice: &Practice, reference: Reference) -> Option<Email> {
    Some(Email {
        kind: EmailKind::Probe,
        reference: Some(reference),
        about: None,
        from_name: practice.name.clone(),
        to: EmailAddress::parse(SIMULATOR).ok()?,
        reply_to: None,
        subject: words::SUBJECT.to_owned(),
        text: format!("{}\n", words::TEXT),
        html: None,
        headers: super::TO_THERAPIST.to_vec(),
    })
}
