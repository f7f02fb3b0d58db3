//! The email of the nightly test, to SES's mailbox simulator: no person gets it ("Using the mailbox simulator manually", SES
//! developer guide).

use super::Email;
use crate::enquiry::{EmailAddress, Reference};
use crate::mail_state::EmailKind;
use crate::practice::Practice;

/// Where it goes.
pub const SIMULATOR: &str = "success@simulator.amazonses.com";

/// The email; nothing if its address were none.
#[must_use]
pub fn probe_email(practice: &Practice, reference: Reference) -> Option<Email> {
    Some(Email {
        kind: EmailKind::Probe,
        reference: Some(reference),
        from_name: practice.name.clone(),
        to: EmailAddress::parse(SIMULATOR).ok()?,
        reply_to: None,
        subject: "Nightly test".to_owned(),
        text: "Your desk sends itself an enquiry every night, to see that all works.\n".to_owned(),
        html: None,
        headers: super::TO_THERAPIST.to_vec(),
    })
}
