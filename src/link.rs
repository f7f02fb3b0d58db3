//! The links of our emails that open something without a session: each is signed, for its purpose and its enquiry alone.
//!
//! A link begins with the address of the deployment, never with what a request says of itself. Its signature is 128 bits of
//! HMAC-SHA-256; its key does not change by the day, since a link is good for as long as the enquiry is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::{SignedDuration, Timestamp};

use crate::enquiry::{EmailAddress, Reference};
use crate::keys::{Keys, SigningKey};

/// How many bytes of a signature stand in a link.
const LENGTH: usize = 16;
/// How long a link of an email to the therapist is good.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Makes the links of one deployment, and knows them again.
#[derive(Clone)]
pub struct Links {
    /// `https://desk.example.com`.
    base: String,
    /// The therapist's address: a link that was sent to another one opens nothing.
    therapist: String,
    mine: SigningKey,
    answered: SigningKey,
}

impl Links {
    /// The links of the deployment at this address. The emails of a deployment without an address, or without its secret, have
    /// none.
    #[must_use]
    pub fn new(base: Option<&str>, keys: Option<&Keys>, therapist: &EmailAddress) -> Option<Self> {
        Some(Self {
            base: base?.to_owned(),
            therapist: therapist.as_str().to_ascii_lowercase(),
            mine: keys?.lasting("link to one's own enquiry"),
            answered: keys?.lasting("link that marks as answered"),
        })
    }

    /// The client's own page about this enquiry.
    #[must_use]
    pub fn mine(&self, reference: &Reference) -> String {
        let signature = signature(&self.mine, reference.as_str());
        format!("{}/mine/{reference}?s={signature}", self.base)
    }

    /// Whether this signature opens the client's own page about this enquiry.
    #[must_use]
    pub fn opens_mine(&self, reference: &Reference, signature: &str) -> bool {
        is_signature(&self.mine, reference.as_str(), signature)
    }

    /// The enquiry on the desk, for who is signed in.
    #[must_use]
    pub fn desk(&self, reference: &Reference) -> String {
        format!("{}/desk/enquiries/{reference}", self.base)
    }

    /// The page that tells how the desk itself is, for who is signed in.
    #[must_use]
    pub fn health(&self) -> String {
        format!("{}/desk/health", self.base)
    }

    /// The page that marks this enquiry as answered, without signing in, for 30 days. `epoch` counts how often everything was
    /// signed out.
    #[must_use]
    pub fn answered(&self, reference: &Reference, epoch: i64, now: Timestamp) -> String {
        let until = (now + LIFE).as_second();
        let signed = self.signed(reference, epoch, now.as_second(), until);
        let signature = signature(&self.answered, &signed);
        let sent = now.as_second();
        format!(
            "{}/desk/act/answered/{reference}?t={sent}&s={signature}",
            self.base
        )
    }

    /// When the email with this link left, if the link is good: made by this deployment, for this therapist, this enquiry and
    /// this epoch, and not older than 30 days.
    #[must_use]
    pub fn opens_answered(
        &self,
        reference: &Reference,
        sent: i64,
        signature: &str,
        epoch: i64,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let left = Timestamp::from_second(sent).ok()?;
        let until = left.checked_add(LIFE).ok()?;
        let signed = self.signed(reference, epoch, sent, until.as_second());
        let is_good = is_signature(&self.answered, &signed, signature) && now <= until;
        is_good.then_some(left)
    }

    /// What is signed: its parts hold no line break.
    fn signed(&self, reference: &Reference, epoch: i64, sent: i64, until: i64) -> String {
        format!("{}\n{reference}\n{epoch}\n{sent}\n{until}", self.therapist)
    }
}

fn signature(key: &SigningKey, signed: &str) -> String {
    let mut signature = key.sign(signed.as_bytes());
    signature.truncate(LENGTH);
    BASE64.encode(signature)
}

fn is_signature(key: &SigningKey, signed: &str, signature: &str) -> bool {
    let signature = BASE64.decode(signature).unwrap_or_default();
    signature.len() == LENGTH && key.verifies_beginning(signed.as_bytes(), &signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(secret: char) -> Links {
        links_to(secret, "therapist@example.com")
    }

    fn links_to(secret: char, therapist: &str) -> Links {
        let keys = Keys::from_secret(&secret.to_string().repeat(32));
        let therapist = EmailAddress::parse(therapist).unwrap();
        Links::new(Some("https://desk.example.com"), keys.as_ref(), &therapist).unwrap()
    }

    fn reference(text: &str) -> Reference {
        Reference::parse(text).unwrap()
    }

    #[test]
    fn a_link_opens_its_own_enquiry_and_no_other() {
        let (ours, mine) = (links('a'), reference("BB-7KQ4M"));
        let link = ours.mine(&mine);
        let signature = link
            .strip_prefix("https://desk.example.com/mine/BB-7KQ4M?s=")
            .unwrap();
        assert_eq!(signature.len(), 22);
        assert!(ours.opens_mine(&mine, signature));
        assert!(!ours.opens_mine(&reference("BB-7KQ4N"), signature));
        assert!(!links('b').opens_mine(&mine, signature));
        for place in 0..signature.len() {
            let mut other: Vec<char> = signature.chars().collect();
            other[place] = if other[place] == 'A' { 'B' } else { 'A' };
            let other: String = other.into_iter().collect();
            assert!(!ours.opens_mine(&mine, &other), "{other}");
        }
        for wrong in [
            "",
            "A",
            &signature[..21],
            &signature[..16],
            &format!("{signature}AA"),
        ] {
            assert!(!ours.opens_mine(&mine, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_link_that_marks_is_good_for_its_enquiry_its_therapist_its_epoch_and_thirty_days() {
        let (ours, mine) = (links('a'), reference("BB-7KQ4M"));
        let now: Timestamp = "2026-11-28T14:00:00Z".parse().unwrap();
        let link = ours.answered(&mine, 3, now);
        let beginning = "https://desk.example.com/desk/act/answered/BB-7KQ4M?t=";
        let (sent, signature) = link
            .strip_prefix(beginning)
            .unwrap()
            .split_once("&s=")
            .unwrap();
        let sent: i64 = sent.parse().unwrap();
        let day = SignedDuration::from_hours(24);
        assert_eq!(
            ours.opens_answered(&mine, sent, signature, 3, now + day * 30),
            Some(now)
        );
        assert_eq!(
            ours.opens_answered(&mine, sent, signature, 3, now + day * 31),
            None
        );
        for (links, reference, sent, epoch) in [
            (&ours, &reference("BB-7KQ4N"), sent, 3),
            (&ours, &mine, sent + 86_400, 3),
            (&ours, &mine, i64::MAX, 3),
            (&ours, &mine, sent, 4),
            (&links('b'), &mine, sent, 3),
            (&links_to('a', "other@example.com"), &mine, sent, 3),
        ] {
            assert_eq!(
                links.opens_answered(reference, sent, signature, epoch, now),
                None
            );
        }
        // The signature of one purpose is worth nothing for the other.
        assert!(!ours.opens_mine(&mine, signature));
    }

    #[test]
    fn without_an_address_or_a_secret_there_is_no_link() {
        let keys = Keys::from_secret(&"a".repeat(32));
        let therapist = EmailAddress::parse("therapist@example.com").unwrap();
        assert!(Links::new(None, keys.as_ref(), &therapist).is_none());
        assert!(Links::new(Some("https://desk.example.com"), None, &therapist).is_none());
    }
}
