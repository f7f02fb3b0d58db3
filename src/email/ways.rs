//! The ways to reach a client, each with the words of its link.

use super::first_name::first_name;
use super::format::{dial, reply_link};
use super::user_text::Typed;
use crate::enquiry::answers::ContactBy;
use crate::enquiry::{Enquiry, Phone, Received};
use crate::messages::email::client;
use crate::practice::Practice;

/// A way to reach the client.
pub(super) struct Way {
    /// What the link says.
    pub(super) words: Typed,
    pub(super) link: String,
}

impl Way {
    /// A link that calls the number.
    pub(super) fn call(phone: &Phone) -> Self {
        Self {
            words: Typed::new(&client::call(phone.typed())),
            link: dial("tel", phone),
        }
    }

    /// A link that texts the number, where it takes texts.
    pub(super) fn text(phone: &Phone) -> Option<Self> {
        phone.takes_texts().then(|| Self {
            words: Typed::new(&client::text(phone.typed())),
            link: dial("sms", phone),
        })
    }

    /// A link that answers the client by name, for the email that a reply goes to the client from.
    pub(super) fn reply(practice: &Practice, received: &Received) -> Self {
        let words = first_name(&received.enquiry.name)
            .map_or_else(|| client::REPLY_UNNAMED.to_owned(), client::reply);
        Self::write_as(practice, received, &words)
    }

    /// A link that writes to the client's address, which is named.
    pub(super) fn write(practice: &Practice, received: &Received) -> Self {
        let words = client::write(received.enquiry.email.as_str());
        Self::write_as(practice, received, &words)
    }

    fn write_as(practice: &Practice, received: &Received, words: &str) -> Self {
        let Enquiry { name, email, .. } = &received.enquiry;
        Self {
            // The rule of an address leaves nothing to make harmless, nor does that of a first name.
            words: Typed::as_is(words),
            link: reply_link(practice, &received.reference, name, email.as_str()),
        }
    }
}

/// Every way, the one that the client asked for first; `write` is none where no email may go.
pub(super) fn ways(enquiry: &Enquiry, write: Option<Way>) -> Vec<Way> {
    let phone = enquiry.phone.as_ref();
    let (call, text) = (phone.map(Way::call), phone.and_then(Way::text));
    let ways = match enquiry.contact_by {
        ContactBy::Email => [write, call, text],
        ContactBy::Phone => [call, text, write],
        ContactBy::Text => [text, call, write],
    };
    ways.into_iter().flatten().collect()
}

/// What the therapist is asked to do when emails do not reach the client.
pub(super) fn please_call(client: &str, phone: &Phone) -> String {
    if phone.takes_texts() {
        client::please_call_or_text(client)
    } else {
        client::please_call(client)
    }
}

/// The client by their first name, if it can be told, within a sentence.
pub(super) fn named(enquiry: &Enquiry) -> &str {
    first_name(&enquiry.name).unwrap_or(client::UNNAMED)
}
