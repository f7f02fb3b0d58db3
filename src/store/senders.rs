//! Senders that the therapist has blocked or trusted, by keyed hashes of an address and of a number.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::enquiry::Reference;
use crate::spam::SenderRule;

/// What the therapist has said about a sender. Of the sender it tells nothing: only hashes are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its name in the list.
    pub id: SenderId,
    /// What was said.
    pub rule: SenderRule,
    /// Since when.
    pub since: Timestamp,
    /// The enquiry from which it was said; nothing once that was erased.
    pub because_of: Option<Reference>,
    /// When it will be forgotten.
    pub expires: Option<Timestamp>,
}

/// The name of a sender in the list: the hash of an address or of a number, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderId(String);

impl fmt::Display for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SenderId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_hash = text.len() == 64
            && text
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(text.to_owned())).ok_or(())
    }
}
