//! Keys derived from the deployment's secret: keyed hashes for the table, and signing keys that change every day.
//!
//! HMAC-SHA-256 and randomness are used through this module only. Each purpose has keys of its own, so that what was
//! made for one is worth nothing for another.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// The secret, silent in `Debug`. It never changes by itself: another one would forget every cool-down.
#[derive(Clone)]
pub struct Keys(String);

/// A key for one purpose, one form and one day. Silent in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(String);

impl Keys {
    /// The shortest secret, in bytes.
    pub const MIN: usize = 32;

    /// How long a signature may be valid: keys of today and of yesterday (UTC) verify.
    pub const SIGNATURE_LIFE: SignedDuration = SignedDuration::from_hours(24);

    /// The keys of this secret; `None` when it is shorter than [`Self::MIN`].
    #[must_use]
    pub fn from_secret(secret: &str) -> Option<Self> {
        (secret.len() >= Self::MIN).then(|| Self(secret.to_owned()))
    }

    /// A keyed hash, in hexadecimal: it tells one text from another without telling the text.
    #[must_use]
    pub fn hash(&self, purpose: &str, parts: &[&[u8]]) -> String {
        hash(self.0.as_bytes(), purpose, parts)
    }

    /// Whether a text is the keyed hash of these parts, in constant time.
    #[must_use]
    pub fn is_hash(&self, purpose: &str, parts: &[&[u8]], hash: &str) -> bool {
        let parts: Vec<&[u8]> = [purpose.as_bytes()]
            .into_iter()
            .chain(parts.iter().copied())
            .collect();
        let expected = mac_of(self.0.as_bytes(), &framed(&parts));
        hex::decode(hash)
            .is_ok_and(|hash| expected.is_some_and(|mac| mac.verify_slice(&hash).is_ok()))
    }

    /// The key that signs at this time.
    #[must_use]
    pub fn signing(&self, purpose: &str, form: &str, now: Timestamp) -> SigningKey {
        let day = now.to_zoned(TimeZone::UTC).date().to_string();
        let of_day = mac(self.0.as_bytes(), &[b"signing", day.as_bytes()]);
        SigningKey(BASE64.encode(mac(&of_day, &[purpose.as_bytes(), form.as_bytes()])))
    }

    /// The key for signatures that are good for longer than a day.
    #[must_use]
    pub fn lasting(&self, purpose: &str) -> SigningKey {
        let lasting = mac(self.0.as_bytes(), &[b"lasting", purpose.as_bytes()]);
        SigningKey(BASE64.encode(lasting))
    }

    /// The keys whose signatures are valid at this time.
    #[must_use]
    pub fn verifying(&self, purpose: &str, form: &str, now: Timestamp) -> [SigningKey; 2] {
        [now, now - Self::SIGNATURE_LIFE].map(|day| self.signing(purpose, form, day))
    }
}

impl SigningKey {
    /// HMAC-SHA-256 under this key.
    #[must_use]
    pub fn sign(&self, signed: &[u8]) -> Vec<u8> {
        mac_of(self.0.as_bytes(), signed)
            .map(|mac| mac.finalize().into_bytes().to_vec())
            .unwrap_or_default()
    }

    /// Whether this key made the signature, in constant time.
    #[must_use]
    pub fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        mac_of(self.0.as_bytes(), signed).is_some_and(|mac| mac.verify_slice(signature).is_ok())
    }

    /// Whether this key made the signature that begins with these bytes, in constant time.
    #[must_use]
    pub fn verifies_beginning(&self, signed: &[u8], beginning: &[u8]) -> bool {
        let mac = mac_of(self.0.as_bytes(), signed);
        mac.is_some_and(|mac| mac.verify_truncated_left(beginning).is_ok())
    }

    /// The key itself, for tests that check a protocol from outside.
    #[cfg(test)]
    pub(crate) fn reveal(&self) -> String {
        self.0.clone()
    }
}

/// The hash of an idempotency key: keyed when there are keys, and without one while the secret is out of reach, so that a
/// duplicate is found all the same.
#[must_use]
pub fn idempotency_hash(keys: Option<&Keys>, parts: &[&[u8]]) -> String {
    hash(
        keys.map_or(&[], |keys| keys.0.as_bytes()),
        "idempotency",
        parts,
    )
}

/// Bytes from the system's source of randomness; `None` when it has none.
#[must_use]
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

fn hash(key: &[u8], purpose: &str, parts: &[&[u8]]) -> String {
    let parts: Vec<&[u8]> = [purpose.as_bytes()]
        .into_iter()
        .chain(parts.iter().copied())
        .collect();
    hex::encode(mac(key, &parts))
}

/// HMAC-SHA-256 over parts.
fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    mac_of(key, &framed(parts))
        .map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Parts, each after its length, so that no two lists of parts are the same bytes.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut input = Vec::new();
    for part in parts {
        input.extend((part.len() as u64).to_be_bytes());
        input.extend(*part);
    }
    input
}

/// `None` never happens: HMAC takes keys of any length.
fn mac_of(key: &[u8], input: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(input);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(of: char) -> Keys {
        Keys::from_secret(&String::from(of).repeat(32)).unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_secret_has_32_bytes_or_more() {
        assert!(Keys::from_secret(&"a".repeat(31)).is_none());
        assert!(Keys::from_secret(&"a".repeat(32)).is_some());
    }

    #[test]
    fn each_day_has_a_key_of_its_own_which_is_valid_until_the_next_day_ends() {
        let keys_ = keys('h');
        let monday = keys_.signing("p", "f", at("2026-11-23T09:00:00Z"));
        assert!(monday == keys_.signing("p", "f", at("2026-11-23T23:59:59Z")));
        assert!(monday != keys_.signing("p", "f", at("2026-11-24T00:00:00Z")));
        let valid = |now| keys_.verifying("p", "f", at(now)).contains(&monday);
        assert!(!valid("2026-11-22T23:59:59Z"), "not before it signs");
        assert!(valid("2026-11-23T00:00:00Z"));
        assert!(valid("2026-11-24T23:59:59Z"), "the day after");
        assert!(!valid("2026-11-25T00:00:00Z"), "no longer");
        assert!(monday != keys('i').signing("p", "f", at("2026-11-23T09:00:00Z")));
    }

    #[test]
    fn a_purpose_and_a_form_have_keys_of_their_own() {
        let now = at("2026-11-23T09:00:00Z");
        let one = keys('a').signing("p", "f", now);
        assert!(one != keys('a').signing("q", "f", now));
        assert!(one != keys('a').signing("p", "g", now));
        assert!(
            one != keys('a').signing("pf", "", now),
            "the parts do not run together"
        );
        let hash = keys('a').hash("p", &[b"x"]);
        assert_ne!(hash, keys('a').hash("q", &[b"x"]));
        assert_ne!(hash, keys('b').hash("p", &[b"x"]));
        assert_ne!(
            keys('a').hash("p", &[b"ab", b""]),
            keys('a').hash("p", &[b"a", b"b"])
        );
    }

    #[test]
    fn a_hash_is_known_again_whole_and_for_its_own_parts_only() {
        let hash = keys('a').hash("p", &[b"x"]);
        assert!(keys('a').is_hash("p", &[b"x"], &hash));
        assert!(!keys('a').is_hash("p", &[b"y"], &hash));
        assert!(!keys('a').is_hash("q", &[b"x"], &hash));
        assert!(!keys('b').is_hash("p", &[b"x"], &hash));
        for wrong in ["", "zz", &hash[..62], &format!("{hash}00")] {
            assert!(!keys('a').is_hash("p", &[b"x"], wrong), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let now = at("2026-11-23T09:00:00Z");
        let printed = format!("{:?} {:?}", keys('a'), keys('a').signing("p", "f", now));
        assert_eq!(printed, "Keys(…) SigningKey(…)");
    }
}
