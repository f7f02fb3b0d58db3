//! The proof of work: ALTCHA's protocol, version 2, as its widget speaks it.
//!
//! The desk generates a random number and says what a key that was derived from it begins with; the browser derives keys from 0 on
//! until one begins so, and brings it back. That takes an old phone about a second, and us one derivation. The desk keeps
//! nothing until then: a challenge is signed, expires, and counts once, which the store sees to.
//!
//! PBKDF2 over SHA-256 is what the widget takes by itself, and what `crypto.subtle` of every browser can do. The crate
//! `altcha` brings a second family of hash crates and asks the system's clock, so that it checks this file in the tests
//! instead of being in the binary.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::keys::{self, Keys, SigningKey};

const PURPOSE: &str = "altcha";
const ALGORITHM: &str = "PBKDF2/SHA-256";
/// Iterations for each number that is tried. Few, so that we derive quickly; a browser asks for at most a few hundred keys.
const COST: u32 = 1_000;
/// The numbers that may be generated, from this one on: with 400 of them in the middle, an old phone that does 400,000
/// iterations in a second takes one.
const LEAST: u32 = 200;
const NUMBERS: u32 = 401;
/// Bytes of a derived key.
const KEY: usize = 32;
/// No proof is longer: a little over twice one of ours.
const LONGEST: usize = 2_048;

/// What the proof of work of a post says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofOfWork {
    /// The desk asks for none.
    NotAsked,
    /// The work was done. Whether for the first time, only the store can say.
    Proven,
    /// There is none: no script, or it was blocked.
    Missing,
    /// It is no proof, or for no challenge of this form.
    Wrong,
    /// By its own word the challenge is older than [`ProofOfWork::LIFE`].
    Expired,
    /// Another enquiry brought it before.
    UsedBefore,
}

/// The name of a challenge, which counts once. It says nothing about anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// 32 hexadecimal digits.
    pub value: String,
    /// When the challenge expires, after which its nonce need not be remembered.
    pub expires: Timestamp,
}

/// What a browser has to work on. The order of the members is the alphabet's: it is signed as this JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    algorithm: String,
    cost: u32,
    expires_at: i64,
    key_length: usize,
    key_prefix: String,
    nonce: String,
    salt: String,
}

/// The parameters with our signature.
#[derive(Serialize, Deserialize)]
pub struct Challenge {
    parameters: Parameters,
    signature: String,
}

/// The number that was found, and the key that comes of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Solution {
    counter: u32,
    derived_key: String,
}

/// What a form brings back: JSON in base64.
#[derive(Serialize, Deserialize)]
struct Proof {
    challenge: Challenge,
    solution: Solution,
}

impl ProofOfWork {
    /// How long a challenge may be answered, and how long its nonce is remembered: as long as a token is good.
    pub const LIFE: SignedDuration = Keys::SIGNATURE_LIFE;

    /// A new challenge, or with no randomness none.
    #[must_use]
    pub fn challenge(keys: &Keys, form: &str, now: Timestamp) -> Option<Challenge> {
        let random = keys::random::<36>()?;
        let (number, rest) = random.split_first_chunk()?;
        let (nonce, salt) = rest.split_at(16);
        let counter = LEAST + u32::from_be_bytes(*number) % NUMBERS;
        let derived = derive(nonce, salt, counter, COST);
        let (prefix, _) = derived.split_at(KEY / 2);
        let parameters = Parameters {
            algorithm: ALGORITHM.to_owned(),
            cost: COST,
            expires_at: (now + Self::LIFE).as_second(),
            key_length: KEY,
            key_prefix: hex::encode(prefix),
            nonce: hex::encode(nonce),
            salt: hex::encode(salt),
        };
        let key = keys.signing(PURPOSE, form, now);
        let signature = hex::encode(key.sign(&serde_json::to_vec(&parameters).ok()?));
        Some(Challenge {
            parameters,
            signature,
        })
    }

    /// Reads the proof of a post; with a proven one comes the nonce that must not have been used. Any text is one of the
    /// first five.
    #[must_use]
    pub fn read(posted: &str, keys: &Keys, form: &str, now: Timestamp) -> (Self, Option<Nonce>) {
        let posted = posted.trim();
        if posted.is_empty() {
            return (Self::Missing, None);
        }
        let proof = (posted.len() <= LONGEST)
            .then(|| BASE64.decode(posted).ok())
            .flatten()
            .and_then(|json| serde_json::from_slice::<Proof>(&json).ok());
        let Some(proof) = proof else {
            return (Self::Wrong, None);
        };
        if proof.challenge.parameters.expires_at < now.as_second() {
            return (Self::Expired, None);
        }
        let keys = keys.verifying(PURPOSE, form, now);
        match proof.nonce(&keys) {
            Some(nonce) => (Self::Proven, Some(nonce)),
            None => (Self::Wrong, None),
        }
    }
}

impl Proof {
    /// The nonce, when the challenge is ours and the solution solves it.
    fn nonce(self, keys: &[SigningKey]) -> Option<Nonce> {
        let Self {
            challenge:
                Challenge {
                    parameters,
                    signature,
                },
            solution,
        } = self;
        // First the signature: what is signed is what we made, so that no client sets the cost of checking.
        let signed = serde_json::to_vec(&parameters).ok()?;
        let signature = hex::decode(&signature).ok()?;
        keys.iter().find(|key| key.verifies(&signed, &signature))?;
        let nonce = hex::decode(&parameters.nonce).ok()?;
        let salt = hex::decode(&parameters.salt).ok()?;
        let derived = hex::encode(derive(&nonce, &salt, solution.counter, parameters.cost));
        // The time this takes tells nothing: a client that knows the key has done the work.
        let solved = derived == solution.derived_key && derived.starts_with(&parameters.key_prefix);
        Some(Nonce {
            value: parameters.nonce,
            expires: Timestamp::from_second(parameters.expires_at).ok()?,
        })
        .filter(|_| solved)
    }
}

/// The key for a number: PBKDF2 over SHA-256, with the nonce and the number (32 bits, the highest byte first) as the
/// password.
fn derive(nonce: &[u8], salt: &[u8], counter: u32, cost: u32) -> [u8; KEY] {
    let password = [nonce, &counter.to_be_bytes()].concat();
    pbkdf2::pbkdf2_hmac_array::<Sha256, KEY>(&password, salt, cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "enquiries";

    fn keys(of: char) -> Keys {
        Keys::from_secret(&String::from(of).repeat(32)).unwrap()
    }

    fn challenge(now: Timestamp) -> Challenge {
        ProofOfWork::challenge(&keys('k'), FORM, now).unwrap()
    }

    fn begin() -> Timestamp {
        "2026-11-23T23:59:30Z".parse().unwrap()
    }

    /// Solves a challenge with ALTCHA's own code.
    fn solved(challenge: &Challenge) -> serde_json::Value {
        let challenge: altcha::Challenge =
            serde_json::from_value(serde_json::to_value(challenge).unwrap()).unwrap();
        let solution = altcha::solve_challenge(altcha::SolveChallengeOptions::new(&challenge));
        let solution = solution.unwrap().unwrap();
        serde_json::to_value(altcha::Payload {
            challenge,
            solution,
        })
        .unwrap()
    }

    fn posted(proof: &serde_json::Value) -> String {
        BASE64.encode(proof.to_string())
    }

    fn read(proof: &serde_json::Value, now: Timestamp) -> ProofOfWork {
        ProofOfWork::read(&posted(proof), &keys('k'), FORM, now).0
    }

    #[test]
    fn what_altcha_itself_solves_is_proven_until_it_expires() {
        let challenge = challenge(begin());
        let proof = solved(&challenge);
        let counter = proof["solution"]["counter"].as_u64().unwrap();
        assert!((200..=600).contains(&counter), "{counter}");
        let (read, nonce) = ProofOfWork::read(&posted(&proof), &keys('k'), FORM, begin());
        assert_eq!(read, ProofOfWork::Proven);
        let nonce = nonce.unwrap();
        assert_eq!(nonce.value, challenge.parameters.nonce);
        assert_eq!(nonce.expires, begin() + ProofOfWork::LIFE);
        let after = |seconds| begin() + SignedDuration::from_secs(seconds);
        for (now, expected, why) in [
            (
                after(31),
                ProofOfWork::Proven,
                "over midnight, under yesterday's key",
            ),
            (after(86_400), ProofOfWork::Proven, "just not expired"),
            (after(86_401), ProofOfWork::Expired, "a day and a second"),
            (
                after(30 * 86_400),
                ProofOfWork::Expired,
                "its key is long gone",
            ),
        ] {
            assert_eq!(self::read(&proof, now), expected, "{why}");
        }
    }

    #[test]
    fn altcha_itself_believes_our_challenges_and_we_believe_its() {
        // The crate asks the system's clock.
        let now = Timestamp::now();
        let secret = keys('k').signing(PURPOSE, FORM, now).reveal();
        let ours = solved(&challenge(now));
        let payload: altcha::Payload = serde_json::from_value(ours).unwrap();
        let options =
            altcha::VerifySolutionOptions::new(&payload.challenge, &payload.solution, &secret);
        assert!(altcha::verify_solution(options).unwrap().verified);

        let theirs = altcha::create_challenge(altcha::CreateChallengeOptions {
            cost: 10,
            expires_at: Some(now.as_second() + 60),
            hmac_signature_secret: Some(secret),
            ..Default::default()
        });
        let theirs = serde_json::from_value(serde_json::to_value(theirs.unwrap()).unwrap());
        let theirs = solved(&theirs.unwrap());
        assert_eq!(read(&theirs, now), ProofOfWork::Proven);
    }

    /// RFC 7914, section 11.
    #[test]
    fn the_derivation_is_the_standard_one() {
        let key = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(b"passwd", b"salt", 1);
        assert_eq!(
            hex::encode(key),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        );
    }

    #[test]
    fn any_change_of_a_proof_is_seen() {
        let challenge = challenge(begin());
        let proof = solved(&challenge);
        let counter = &proof["solution"]["counter"];
        for (place, value, why) in [
            (
                "/challenge/parameters/algorithm",
                "SHA-256".into(),
                "a cheaper algorithm",
            ),
            ("/challenge/parameters/cost", 1.into(), "cheaper keys"),
            ("/challenge/parameters/cost", u32::MAX.into(), "work for us"),
            (
                "/challenge/parameters/expiresAt",
                i64::MAX.into(),
                "never expires",
            ),
            ("/challenge/parameters/keyLength", 1.into(), "a shorter key"),
            ("/challenge/parameters/keyPrefix", "".into(), "any key"),
            (
                "/challenge/parameters/nonce",
                "00".repeat(16).into(),
                "another nonce",
            ),
            (
                "/challenge/parameters/salt",
                "00".repeat(16).into(),
                "another salt",
            ),
            (
                "/challenge/signature",
                "00".repeat(32).into(),
                "no signature",
            ),
            ("/challenge/signature", "".into(), "an empty signature"),
            ("/challenge/signature", "Zoë".into(), "no hexadecimal"),
            ("/solution/counter", 0.into(), "another number"),
            (
                "/solution/counter",
                (counter.as_u64().unwrap() + 1).into(),
                "the next number",
            ),
            ("/solution/derivedKey", "".into(), "no key"),
            (
                "/solution/derivedKey",
                challenge.parameters.key_prefix.clone().into(),
                "only what it begins with",
            ),
        ] {
            let mut changed = proof.clone();
            *changed.pointer_mut(place).unwrap() = value;
            assert_eq!(read(&changed, begin()), ProofOfWork::Wrong, "{why}");
        }
        // A key that fits its number, but no challenge: a client may not choose an easier one.
        let mut other = proof.clone();
        let parameters = &challenge.parameters;
        let nonce = hex::decode(&parameters.nonce).unwrap();
        let salt = hex::decode(&parameters.salt).unwrap();
        other["solution"]["counter"] = 0.into();
        other["solution"]["derivedKey"] = hex::encode(derive(&nonce, &salt, 0, COST)).into();
        assert_eq!(read(&other, begin()), ProofOfWork::Wrong);
        // Members that we do not know are not signed and change nothing.
        let mut more = proof.clone();
        more["solution"]["time"] = serde_json::json!(12.5);
        more["more"] = true.into();
        assert_eq!(read(&more, begin()), ProofOfWork::Proven);
    }

    #[test]
    fn a_proof_for_another_form_or_under_an_unknown_key_is_wrong() {
        for (key, form, why) in [
            ('k', "others", "another form's"),
            ('x', FORM, "not our key"),
        ] {
            let theirs = ProofOfWork::challenge(&keys(key), form, begin()).unwrap();
            assert_eq!(read(&solved(&theirs), begin()), ProofOfWork::Wrong, "{why}");
        }
    }

    #[test]
    fn what_is_no_proof_is_missing_or_wrong() {
        for (posted, expected) in [
            ("", ProofOfWork::Missing),
            (" \t", ProofOfWork::Missing),
            ("x", ProofOfWork::Wrong),
            ("e30=", ProofOfWork::Wrong),
            ("bnVsbA==", ProofOfWork::Wrong),
            (&BASE64.encode("[".repeat(1_000)), ProofOfWork::Wrong),
            (
                &BASE64.encode(format!("{{\"x\":{}", "[".repeat(1_000))),
                ProofOfWork::Wrong,
            ),
            (&"A".repeat(60_000), ProofOfWork::Wrong),
        ] {
            assert_eq!(
                ProofOfWork::read(posted, &keys('k'), FORM, begin()),
                (expected, None),
                "{posted}"
            );
        }
        let proof = solved(&challenge(begin()));
        assert!(
            posted(&proof).len() < LONGEST / 2,
            "{}",
            posted(&proof).len()
        );
    }
}
