//! The signed time of a page: how long it took to fill in the form.
//!
//! A token is the time of issue in milliseconds (8 bytes), randomness (8 bytes) and their HMAC-SHA-256 (32 bytes)
//! under a key for this purpose and this form, in base64url: 64 characters. It is no secret, and sending one twice is
//! fine: a form may be sent again until its token has expired.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::{SignedDuration, Timestamp};

use crate::keys::{self, Keys};

const PURPOSE: &str = "time token";

/// What the token of a post says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeToken {
    /// There is none: the form stands on a site without the script, or the script could not run.
    Absent,
    /// The form came back sooner than a person can fill it in.
    TooFast,
    /// The form took its time.
    InTime,
    /// By its own word it is older than [`TimeToken::LIFE`]: the page was left open, or the token was kept. Its key may be
    /// gone, so that the signature is not looked at.
    Expired,
    /// It is not one that this form's pages were given.
    Forged,
}

impl TimeToken {
    /// How long a token is good for: a form that was begun in the morning is sent in the evening. No longer than its key.
    pub const LIFE: SignedDuration = Keys::SIGNATURE_LIFE;

    /// A token for a page that is made now; `None` when the system has no randomness.
    #[must_use]
    pub fn issue(keys: &Keys, form: &str, now: Timestamp) -> Option<String> {
        let mut token = now.as_millisecond().to_be_bytes().to_vec();
        token.extend(keys::random::<8>()?);
        let key = keys.signing(PURPOSE, form, now);
        token.extend(key.sign(&token));
        Some(BASE64.encode(token))
    }

    /// Reads the token of a post. Any text is one of the five. `min_fill_seconds`: a form that comes back sooner was filled in
    /// by a program.
    #[must_use]
    pub fn read(
        posted: &str,
        keys: Option<&Keys>,
        form: &str,
        min_fill_seconds: u32,
        now: Timestamp,
    ) -> Self {
        let posted = posted.trim();
        // Without keys no token can be judged; the enquiry gets no auto-reply anyway.
        let Some(keys) = keys.filter(|_| !posted.is_empty()) else {
            return Self::Absent;
        };
        let Some(token) = BASE64
            .decode(posted)
            .ok()
            .and_then(|bytes| <[u8; 48]>::try_from(bytes).ok())
        else {
            return Self::Forged;
        };
        let (signed, signature) = token.split_at(16);
        let issued = signed.first_chunk().copied().map_or(0, i64::from_be_bytes);
        // The clock of the machine that issued it may be a little ahead: then no time has passed.
        let age = now.as_millisecond().saturating_sub(issued).max(0);
        let age = SignedDuration::from_millis(age);
        if age > Self::LIFE {
            return Self::Expired;
        }
        let keys = keys.verifying(PURPOSE, form, now);
        if !keys.iter().any(|key| key.verifies(signed, signature)) {
            return Self::Forged;
        }
        if age < SignedDuration::from_secs(i64::from(min_fill_seconds)) {
            Self::TooFast
        } else {
            Self::InTime
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "enquiries";

    fn keys(of: char) -> Keys {
        Keys::from_secret(&String::from(of).repeat(32)).unwrap()
    }

    fn read(token: &str, seconds: f64) -> TimeToken {
        TimeToken::read(token, Some(&keys('k')), FORM, 3, after(seconds))
    }

    fn begin() -> Timestamp {
        "2026-11-23T23:59:30.250Z".parse().unwrap()
    }

    fn after(seconds: f64) -> Timestamp {
        begin() + SignedDuration::from_secs_f64(seconds)
    }

    #[test]
    fn how_long_the_form_took_decides() {
        let token = TimeToken::issue(&keys('k'), FORM, begin()).unwrap();
        assert_eq!(token.len(), 64);
        let day = 24.0 * 3600.0;
        for (seconds, expected, why) in [
            (0.0, TimeToken::TooFast, "in a blink"),
            (2.999, TimeToken::TooFast, "to the millisecond"),
            (3.0, TimeToken::InTime, "three seconds are enough"),
            (
                31.0,
                TimeToken::InTime,
                "over midnight, under yesterday's key",
            ),
            (day, TimeToken::InTime, "just not expired"),
            (day + 0.001, TimeToken::Expired, "a day and a blink"),
            (40.0 * day, TimeToken::Expired, "its key is long gone"),
            (-1.0, TimeToken::TooFast, "another machine's clock is ahead"),
        ] {
            assert_eq!(read(&token, seconds), expected, "{why}");
        }
    }

    #[test]
    fn the_least_time_is_a_setting() {
        for (least, seconds, expected) in [
            (0, 0.0, TimeToken::InTime),
            (0, -0.5, TimeToken::InTime),
            (1, 0.9, TimeToken::TooFast),
            (60, 59.9, TimeToken::TooFast),
            (60, 60.0, TimeToken::InTime),
        ] {
            let token = TimeToken::issue(&keys('k'), FORM, begin()).unwrap();
            let read = TimeToken::read(&token, Some(&keys('k')), FORM, least, after(seconds));
            assert_eq!(read, expected, "{seconds} of {least}");
        }
    }

    #[test]
    fn a_change_of_any_bit_is_seen() {
        let token = TimeToken::issue(&keys('k'), FORM, begin()).unwrap();
        let bytes = BASE64.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let read = read(&BASE64.encode(changed), 10.0);
            // A time that is long ago makes it an old one, under any signature.
            let in_time = bit < 64;
            assert!(
                read == TimeToken::Forged || (in_time && read == TimeToken::Expired),
                "bit {bit}: {read:?}"
            );
        }
    }

    #[test]
    fn a_token_of_another_form_or_key_or_kind_is_forged() {
        for (key, form, why) in [
            ('k', "others", "another form's"),
            ('x', FORM, "another deployment's"),
        ] {
            let token = TimeToken::issue(&keys(key), form, begin()).unwrap();
            let theirs = TimeToken::read(&token, Some(&keys(key)), form, 3, after(10.0));
            assert_eq!(theirs, TimeToken::InTime);
            assert_eq!(read(&token, 10.0), TimeToken::Forged, "{why}");
        }
        let challenges = keys('k').signing("altcha", FORM, begin());
        let mut other = begin().as_millisecond().to_be_bytes().to_vec();
        other.extend([0; 8]);
        other.extend(challenges.sign(&other));
        assert_eq!(
            read(&BASE64.encode(other), 10.0),
            TimeToken::Forged,
            "signed for another purpose"
        );
        let token = TimeToken::issue(&keys('k'), FORM, begin()).unwrap();
        let without_keys = TimeToken::read(&token, None, FORM, 3, after(10.0));
        assert_eq!(without_keys, TimeToken::Absent);
    }

    #[test]
    fn what_is_no_token_is_absent_or_forged_or_old() {
        let token = TimeToken::issue(&keys('k'), FORM, begin()).unwrap();
        for (posted, expected) in [
            ("", TimeToken::Absent),
            (" \r\n", TimeToken::Absent),
            (&format!(" {token} "), TimeToken::InTime),
            (&format!("{token}="), TimeToken::Forged),
            (&format!("{token}A"), TimeToken::Forged),
            (&format!("{token}AAAA"), TimeToken::Forged),
            (&token[..60], TimeToken::Forged),
            (&token[..8], TimeToken::Forged),
            ("/", TimeToken::Forged),
            ("Zoë", TimeToken::Forged),
            (&"A".repeat(64), TimeToken::Expired),
            (&"_".repeat(64), TimeToken::Expired),
            (&"x".repeat(60_000), TimeToken::Forged),
        ] {
            let read = read(posted, 10.0);
            assert_eq!(read, expected, "{posted}");
        }
        let one = TimeToken::issue(&keys('k'), FORM, begin());
        assert_ne!(one, Some(token), "two pages of one moment have two tokens");
    }
}
