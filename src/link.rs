//! The links of our emails that open something without a session: each is signed, for its purpose and its enquiry alone.
//!
//! A link begins with the address of the deployment, never with what a request says of itself. Its signature is 128 bits of
//! HMAC-SHA-256; its key does not change by the day, since a link is good for as long as the enquiry is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::enquiry::Reference;
use crate::keys::{Keys, SigningKey};

/// How many bytes of a signature stand in a link.
const LENGTH: usize = 16;

/// Makes the links of one deployment, and knows them again.
#[derive(Clone)]
pub struct Links {
    /// `https://desk.example.com`.
    base: String,
    mine: SigningKey,
}

impl Links {
    /// The links of the deployment at this address. The emails of a deployment without an address, or without its secret, have
    /// none.
    #[must_use]
    pub fn new(base: Option<&str>, keys: Option<&Keys>) -> Option<Self> {
        Some(Self {
            base: base?.to_owned(),
            mine: keys?.lasting("link to one's own enquiry"),
        })
    }

    /// The client's own page about this enquiry.
    #[must_use]
    pub fn mine(&self, reference: &Reference) -> String {
        let Self { base, mine } = self;
        let mut signature = mine.sign(reference.as_str().as_bytes());
        signature.truncate(LENGTH);
        format!("{base}/mine/{reference}?s={}", BASE64.encode(signature))
    }

    /// Whether this signature opens the client's own page about this enquiry.
    #[must_use]
    pub fn opens_mine(&self, reference: &Reference, signature: &str) -> bool {
        let signature = BASE64.decode(signature).unwrap_or_default();
        signature.len() == LENGTH
            && self
                .mine
                .verifies_beginning(reference.as_str().as_bytes(), &signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(secret: char) -> Links {
        let keys = Keys::from_secret(&secret.to_string().repeat(32));
        Links::new(Some("https://desk.example.com"), keys.as_ref()).unwrap()
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
    fn without_an_address_or_a_secret_there_is_no_link() {
        let keys = Keys::from_secret(&"a".repeat(32));
        assert!(Links::new(None, keys.as_ref()).is_none());
        assert!(Links::new(Some("https://desk.example.com"), None).is_none());
    }
}
