//! The keys that sign what a page brings back: time tokens and challenges. They rotate; the hash key never does
//! (`docs/decisions/0007-token-keys.md`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use super::HashKey;

/// The keys in use: the first signs, all of them verify. Silent in `Debug`.
#[derive(Clone)]
pub struct TokenKeys(Source);

#[derive(Clone)]
enum Source {
    /// `TOKEN_KEYS`: the one that signs, and others that only verify.
    Given(HashKey, Vec<HashKey>),
    /// A key for each day (UTC), made from the hash key.
    EachDay(HashKey),
}

/// A key for one purpose and one form, so that what was signed for one is worth nothing for another. Silent in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl TokenKeys {
    /// How long what is signed may be believed: its key is not forgotten before. With keys of each day, those of
    /// today and yesterday verify.
    pub const LIFE: SignedDuration = SignedDuration::from_hours(24);

    /// Reads secrets of 32 characters or more, with commas between.
    pub(super) fn parse(list: &str) -> Option<Self> {
        let mut secrets = list
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(|secret| (secret.len() >= HashKey::MIN).then(|| HashKey(secret.to_owned())));
        let signing = secrets.next()??;
        let others = secrets.collect::<Option<Vec<HashKey>>>()?;
        Some(Self(Source::Given(signing, others)))
    }

    /// A new key for each day, made from the hash key, which is used for nothing else than that here.
    pub(super) fn of_each_day(hash_key: &HashKey) -> Self {
        Self(Source::EachDay(hash_key.clone()))
    }

    /// The key that signs now.
    #[must_use]
    pub fn signing(&self, purpose: &str, form: &str, now: Timestamp) -> Key {
        match &self.0 {
            Source::Given(signing, _) => Key::of(signing.as_bytes(), purpose, form),
            Source::EachDay(hash_key) => Key::of_day(hash_key, purpose, form, now),
        }
    }

    /// Every key whose signatures are believed now.
    #[must_use]
    pub fn verifying(&self, purpose: &str, form: &str, now: Timestamp) -> Vec<Key> {
        match &self.0 {
            Source::Given(signing, others) => [signing]
                .into_iter()
                .chain(others)
                .map(|key| Key::of(key.as_bytes(), purpose, form))
                .collect(),
            Source::EachDay(hash_key) => [now, now - Self::LIFE]
                .into_iter()
                .map(|day| Key::of_day(hash_key, purpose, form, day))
                .collect(),
        }
    }
}

impl Key {
    fn of_day(hash_key: &HashKey, purpose: &str, form: &str, time: Timestamp) -> Self {
        let day = time.to_zoned(TimeZone::UTC).date().to_string();
        let key = mac(hash_key.as_bytes(), &["token keys", &day]);
        Self::of(&key, purpose, form)
    }

    fn of(secret: &[u8], purpose: &str, form: &str) -> Self {
        Self(BASE64.encode(mac(secret, &[purpose, form])))
    }

    /// HMAC-SHA-256 under this key.
    #[must_use]
    pub fn sign(&self, signed: &[u8]) -> Vec<u8> {
        mac_of(self.0.as_bytes(), signed)
            .map(|mac| mac.finalize().into_bytes().to_vec())
            .unwrap_or_default()
    }

    /// Whether this key made the signature. How long it takes does not tell how much of it is right.
    #[must_use]
    pub fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        mac_of(self.0.as_bytes(), signed).is_some_and(|mac| mac.verify_slice(signature).is_ok())
    }

    /// The key itself, for what checks the protocol from outside.
    #[cfg(test)]
    pub(crate) fn reveal(&self) -> String {
        self.0.clone()
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys(…)")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// HMAC-SHA-256 over texts, each after its length, so that no two lists of texts are signed alike.
fn mac(key: &[u8], parts: &[&str]) -> Vec<u8> {
    let mut signed = Vec::new();
    for part in parts {
        signed.extend((part.len() as u64).to_be_bytes());
        signed.extend(part.as_bytes());
    }
    mac_of(key, &signed)
        .map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// `None` never happens: HMAC takes keys of any length.
fn mac_of(key: &[u8], signed: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(signed);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(of: char) -> String {
        String::from(of).repeat(32)
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn the_first_key_signs_and_all_verify() {
        let now = at("2026-11-23T09:00:00Z");
        let old = TokenKeys::parse(&key('a')).unwrap();
        let signed = old.signing("p", "f", now).sign(b"x");
        let verifies = |keys: &str| {
            let keys = TokenKeys::parse(keys).unwrap();
            let mut verifying = keys.verifying("p", "f", now).into_iter();
            verifying.any(|key| key.verifies(b"x", &signed))
        };
        for (keys, expected, why) in [
            (key('a'), true, "before anything changes"),
            (
                format!("{},{}", key('a'), key('b')),
                true,
                "the new one behind",
            ),
            (
                format!(" {} , {} ", key('b'), key('a')),
                true,
                "the new one first",
            ),
            (key('b'), false, "the old one dropped"),
        ] {
            assert_eq!(verifies(&keys), expected, "{why}");
        }
        let both = TokenKeys::parse(&format!("{},{}", key('b'), key('a'))).unwrap();
        assert_ne!(
            both.signing("p", "f", now).sign(b"x"),
            signed,
            "the first one signs"
        );
    }

    #[test]
    fn keys_are_secrets_of_32_characters_or_more() {
        for wrong in [
            "",
            ",",
            "short",
            &format!("{},short", key('a')),
            &key('a')[1..],
        ] {
            assert!(TokenKeys::parse(wrong).is_none(), "{wrong}");
        }
        assert!(TokenKeys::parse(&format!("{},", key('a'))).is_some());
    }

    #[test]
    fn without_keys_of_their_own_each_day_has_a_new_one_which_is_believed_until_the_next_day_ends()
    {
        let keys = TokenKeys::of_each_day(&HashKey(key('h')));
        let monday = keys.signing("p", "f", at("2026-11-23T09:00:00Z"));
        assert!(monday == keys.signing("p", "f", at("2026-11-23T23:59:59Z")));
        assert!(monday != keys.signing("p", "f", at("2026-11-24T00:00:00Z")));
        let believed = |now| keys.verifying("p", "f", at(now)).contains(&monday);
        assert!(!believed("2026-11-22T23:59:59Z"), "not before it signs");
        assert!(believed("2026-11-23T00:00:00Z"));
        assert!(believed("2026-11-24T23:59:59Z"), "the day after");
        assert!(!believed("2026-11-25T00:00:00Z"), "forgotten by itself");
        let other = TokenKeys::of_each_day(&HashKey(key('i')));
        assert!(monday != other.signing("p", "f", at("2026-11-23T09:00:00Z")));
    }

    #[test]
    fn a_purpose_and_a_form_have_keys_of_their_own() {
        let now = at("2026-11-23T09:00:00Z");
        for keys in [
            TokenKeys::parse(&key('a')).unwrap(),
            TokenKeys::of_each_day(&HashKey(key('a'))),
        ] {
            let one = keys.signing("p", "f", now);
            assert!(one != keys.signing("q", "f", now));
            assert!(one != keys.signing("p", "g", now));
            // The parts do not run together.
            assert!(keys.signing("pf", "", now) != one);
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let keys = TokenKeys::parse(&key('a')).unwrap();
        let now = at("2026-11-23T09:00:00Z");
        let signing = keys.signing("p", "f", now);
        let printed = format!("{keys:?} {signing:?}");
        assert_eq!(printed, "TokenKeys(…) Key(…)");
    }
}
