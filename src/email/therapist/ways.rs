//! How the client is reached from the email, and where else it leads.

use super::super::format::{dial, reply_link};
use super::super::user_text::Typed;
use super::TherapistEmail;
use crate::enquiry::answers::ContactBy;
use crate::enquiry::{Phone, Received};
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

/// What it brings to mark an enquiry as answered: said until she has marked one.
pub(super) fn marking(email: &TherapistEmail<'_>) -> &'static str {
    match email.links {
        Some(links) if links.explains_marking && email.practice.reminders => {
            "Mark it once you have answered. From then on you get a short list on working mornings of who is still waiting, \
             and a reminder before a promised time passes."
        }
        Some(links) if links.explains_marking => {
            "Mark it once you have answered. From then on you get a short list on working mornings of who is still waiting."
        }
        _ => "",
    }
}

/// The way to reach the client that they asked for, and the others; none where there is no number and no email may go.
pub(super) fn ways(
    practice: &Practice,
    received: &Received,
    may_write: bool,
) -> (Option<Way>, Vec<Way>) {
    let enquiry = &received.enquiry;
    let email = may_write.then(|| Way {
        label: "Reply to",
        link: reply_link(
            practice,
            &received.reference,
            &enquiry.name,
            enquiry.email.as_str(),
        ),
        shown: Typed::as_is(enquiry.email.as_str()),
    });
    let way = |label, scheme| {
        let phone = enquiry.phone.as_ref();
        phone.map(|phone| Way {
            label,
            link: dial(scheme, phone),
            shown: Typed::new(phone.typed()),
        })
    };
    let call = way("Call", "tel");
    let takes_texts = enquiry.phone.as_ref().is_some_and(Phone::takes_texts);
    let text = way("Text", "sms").filter(|_| takes_texts);
    let ways = match enquiry.contact_by {
        ContactBy::Text if takes_texts => [text, email, call],
        ContactBy::Email => [email, call, text],
        ContactBy::Phone | ContactBy::Text => [call, email, text],
    };
    let mut ways = ways.into_iter().flatten();
    (ways.next(), ways.collect())
}
