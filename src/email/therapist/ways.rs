//! How the client is reached from the email, and where else it leads.

use super::super::format::{dial, reply_link};
use super::super::user_text::Typed;
use super::TherapistEmail;
use crate::enquiry::Received;
use crate::enquiry::answers::ContactBy;
use crate::practice::Practice;

/// A way to reach the client.
pub(super) struct Way {
    pub(super) label: &'static str,
    pub(super) link: String,
    pub(super) shown: Typed,
}

/// What the email leads to, with the words of each link.
pub(super) fn links<'a>(email: &TherapistEmail<'a>) -> Vec<(&'static str, &'a str)> {
    let Some(links) = email.links else {
        return Vec::new();
    };
    let desk = if email.suspect {
        "This is a real enquiry"
    } else {
        "Open it on your desk"
    };
    let answered = links.answered.as_deref();
    let answered = answered.map(|link| ("I have answered", link));
    answered
        .into_iter()
        .chain([(desk, links.enquiry.as_str())])
        .collect()
}

/// The way to reach the client that they asked for, and the others.
pub(super) fn ways(practice: &Practice, received: &Received) -> (Way, Vec<Way>) {
    let enquiry = &received.enquiry;
    let email = Way {
        label: "Reply to",
        link: reply_link(
            practice,
            &received.reference,
            &enquiry.name,
            enquiry.email.as_str(),
        ),
        shown: Typed::as_is(enquiry.email.as_str()),
    };
    let Some(phone) = &enquiry.phone else {
        return (email, Vec::new());
    };
    let way = |label, scheme| Way {
        label,
        link: dial(scheme, phone),
        shown: Typed::new(phone.typed()),
    };
    let ring = way("Call", "tel");
    let text = phone.takes_texts().then(|| way("Text", "sms"));
    let (first, others) = match (enquiry.contact_by, text) {
        (ContactBy::Text, Some(text)) => (text, [Some(email), Some(ring)]),
        (ContactBy::Email, text) => (email, [Some(ring), text]),
        (ContactBy::Phone | ContactBy::Text, text) => (ring, [Some(email), text]),
    };
    (first, others.into_iter().flatten().collect())
}
