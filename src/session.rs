//! Signing in to the therapist's desk: the code that is emailed, the secrets in a browser's cookies, and the keyed hashes
//! under which the table knows them. No clock, no network.
//!
//! The table never holds a code or a secret. A code is worth something only in the browser that asked for it, and a session
//! only as long as the same address is the therapist's.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::{SignedDuration, Timestamp};

use crate::enquiry::EmailAddress;
use crate::keys::{self, Keys};

/// How long a code is good for.
pub const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How often a code may be tried.
pub const CODE_TRIES: u32 = 5;

/// What a browser keeps in a cookie: 256 random bits, in base64url. Silent in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one; `None` when the system has no randomness.
    #[must_use]
    pub fn generate() -> Option<Self> {
        Some(Self(BASE64.encode(keys::random::<32>()?)))
    }

    /// Reads what a browser sent; `None` when it has not the form of one.
    #[must_use]
    pub fn parse(sent: &str) -> Option<Self> {
        let bytes = BASE64.decode(sent).ok()?;
        (bytes.len() == 32).then(|| Self(sent.to_owned()))
    }

    /// The secret as a cookie's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A code, in digits. Silent in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// Where a code comes from, which its length tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// Emailed: 8 digits, for the browser that asked.
    Emailed,
    /// Made by the command `sign-in`: 20 digits, which are beyond guessing, for any browser.
    Operator,
}

impl Code {
    /// A code for an email; `None` when the system has no randomness.
    #[must_use]
    pub fn emailed() -> Option<Self> {
        let number = u64::from_be_bytes(keys::random()?) % 100_000_000;
        Some(Self(format!("{number:08}")))
    }

    /// A code for the command `sign-in`; `None` when the system has no randomness.
    #[must_use]
    pub fn operator() -> Option<Self> {
        let half = || Some(u64::from_be_bytes(keys::random()?) % 10_000_000_000);
        Some(Self(format!("{:010}{:010}", half()?, half()?)))
    }

    /// Reads a code as it was typed: spaces and hyphens between the digits do not count.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect();
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        (all_digits && matches!(digits.len(), 8 | 20)).then_some(Self(digits))
    }

    /// Where it comes from.
    #[must_use]
    pub fn kind(&self) -> CodeKind {
        if self.0.len() == 8 {
            CodeKind::Emailed
        } else {
            CodeKind::Operator
        }
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its digits in groups of four, as people read them out.
    #[must_use]
    pub fn grouped(&self) -> String {
        let digits: Vec<char> = self.0.chars().collect();
        let groups: Vec<String> = digits
            .chunks(4)
            .map(|group| group.iter().collect())
            .collect();
        groups.join(" ")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// The hashes of one therapist's codes, sessions and browsers.
#[derive(Debug, Clone)]
pub struct SessionKeys {
    keys: Keys,
    owner: String,
}

impl SessionKeys {
    /// The hashes under these keys, for the therapist at this address.
    #[must_use]
    pub fn new(keys: Keys, therapist: &EmailAddress) -> Self {
        let address = therapist.as_str().to_ascii_lowercase();
        let owner = keys.hash("owner", &[address.as_bytes()]);
        Self { keys, owner }
    }

    /// The therapist's address, hashed: what is kept for another one counts for nothing.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Under which key the table knows a code: by the browser that asked, or by the operator's code itself.
    #[must_use]
    pub fn code_key(&self, asked_by: Option<&Secret>, code: &Code) -> Option<String> {
        match code.kind() {
            CodeKind::Emailed => asked_by.map(|secret| self.asked_key(secret)),
            CodeKind::Operator => Some(self.keys.hash("operator code", &[code.0.as_bytes()])),
        }
    }

    /// Under which key the table knows the code that this browser asked for.
    #[must_use]
    pub fn asked_key(&self, asked_by: &Secret) -> String {
        self.keys.hash("sign-in", &[asked_by.0.as_bytes()])
    }

    /// The hash of a code, under the key of its item.
    #[must_use]
    pub fn code_hash(&self, key: &str, code: &Code) -> String {
        let parts = [key.as_bytes(), code.0.as_bytes(), self.owner.as_bytes()];
        self.keys.hash("code", &parts)
    }

    /// Whether this code has this hash.
    #[must_use]
    pub fn is_code(&self, key: &str, code: &Code, hash: &str) -> bool {
        let parts = [key.as_bytes(), code.0.as_bytes(), self.owner.as_bytes()];
        self.keys.is_hash("code", &parts, hash)
    }

    /// Under which key the table knows a session.
    #[must_use]
    pub fn session_key(&self, secret: &Secret) -> String {
        self.keys.hash("session", &[secret.0.as_bytes()])
    }

    /// A mark for a browser that has signed in: its own name, random, and a signature that no date ends.
    #[must_use]
    pub fn browser_mark(&self) -> Option<String> {
        let name = hex::encode(keys::random::<16>()?);
        let signature = self.keys.hash("browser", &self.browser_parts(&name));
        Some(format!("{name}.{signature}"))
    }

    /// The name in a browser's mark, hashed for the table; `None` when it is not one of ours, or another therapist's.
    #[must_use]
    pub fn known_browser(&self, mark: &str) -> Option<String> {
        let (name, signature) = mark.split_once('.')?;
        let is_ours = self
            .keys
            .is_hash("browser", &self.browser_parts(name), signature);
        is_ours.then(|| self.keys.hash("browser budget", &[name.as_bytes()]))
    }

    fn browser_parts<'a>(&'a self, name: &'a str) -> [&'a [u8]; 2] {
        [name.as_bytes(), self.owner.as_bytes()]
    }
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The key under which the table knows it: a hash.
    pub key: String,
    /// What the browser is called.
    pub browser: String,
    /// When a code was last typed in.
    pub signed_in_at: Timestamp,
    /// When it was last used, to within an hour.
    pub used_at: Timestamp,
}

impl Session {
    /// How long a session lasts at most.
    pub const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
    /// How long one lasts that is not used.
    const UNUSED: SignedDuration = SignedDuration::from_hours(7 * 24);
    /// How long a sign-in is recent enough for what cannot be taken back.
    pub const RECENT: SignedDuration = SignedDuration::from_hours(1);
    /// How often its use is written down.
    const PRECISION: SignedDuration = SignedDuration::from_hours(1);

    /// When it ends, unless it is used before.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        (self.signed_in_at + Self::LIFE).min(self.used_at + Self::UNUSED)
    }

    /// Whether it has ended by this time.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.expires()
    }

    /// Whether its sign-in is recent enough for what cannot be taken back.
    #[must_use]
    pub fn is_recent(&self, now: Timestamp) -> bool {
        now < self.signed_in_at + Self::RECENT
    }

    /// Whether its use is to be written down again.
    #[must_use]
    pub fn is_to_be_renewed(&self, now: Timestamp) -> bool {
        now >= self.used_at + Self::PRECISION
    }
}

/// What a browser is called, from its `User-Agent`: one of a closed list of names, so that nothing a program says of itself
/// is kept or shown.
#[must_use]
pub fn browser_name(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 9] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("FxiOS/", "Firefox"),
        ("Firefox/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Chromium/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const DEVICES: [(&str, &str); 7] = [
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Android", "an Android device"),
        ("CrOS", "a Chromebook"),
        ("Macintosh", "a Mac"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ];
    let find = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(part, _)| user_agent.contains(part));
        found.map(|(_, name)| *name)
    };
    let browser = find(&BROWSERS).unwrap_or("A browser");
    match find(&DEVICES) {
        Some(device) => format!("{browser} on {device}"),
        None => browser.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(address: &str) -> SessionKeys {
        let keys = Keys::from_secret(&"a".repeat(32)).unwrap();
        SessionKeys::new(keys, &EmailAddress::parse(address).unwrap())
    }

    #[test]
    fn a_code_is_read_as_people_type_it_and_nothing_else_is() {
        let code = Code::emailed().unwrap();
        assert_eq!(Code::parse(code.as_str()), Some(code.clone()));
        assert_eq!(Code::parse(&format!(" {}\n", code.grouped())), Some(code));
        let operator = Code::operator().unwrap();
        assert_eq!(operator.as_str().len(), 20);
        assert_eq!(
            Code::parse(&operator.grouped().replace(' ', "-")),
            Some(operator)
        );
        for typed in [
            "",
            "1234567",
            "123456789",
            "1234567a",
            "１２３４５６７８",
            "٠١٢٣٤٥٦٧",
        ] {
            assert_eq!(Code::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_code_counts_in_the_browser_that_asked_and_for_its_own_therapist() {
        let code = Code::parse("12345678").unwrap();
        let [one, other] = [Secret::generate().unwrap(), Secret::generate().unwrap()];
        let ours = keys("therapist@example.com");
        let key = ours.code_key(Some(&one), &code).unwrap();
        let hash = ours.code_hash(&key, &code);
        assert!(ours.is_code(&key, &code, &hash));
        assert!(!ours.is_code(&key, &Code::parse("12345679").unwrap(), &hash));
        let elsewhere = ours.code_key(Some(&other), &code).unwrap();
        assert!(elsewhere != key && !ours.is_code(&elsewhere, &code, &hash));
        assert!(!keys("other@example.com").is_code(&key, &code, &hash));
        assert_eq!(ours.code_key(None, &code), None, "no browser asked for it");
    }

    #[test]
    fn a_browser_that_was_signed_in_is_known_again_and_no_other() {
        let ours = keys("therapist@example.com");
        let mark = ours.browser_mark().unwrap();
        assert!(ours.known_browser(&mark).is_some());
        assert_eq!(keys("other@example.com").known_browser(&mark), None);
        let mut changed = mark.clone();
        changed.replace_range(..1, if mark.starts_with('0') { "1" } else { "0" });
        for wrong in [
            "",
            ".",
            &changed,
            &mark[..mark.len() - 2],
            mark.split_once('.').unwrap().0,
        ] {
            assert_eq!(ours.known_browser(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_session_ends_after_thirty_days_and_after_seven_without_use() {
        let at = |days: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days);
        let session = |used| Session {
            key: String::new(),
            browser: String::new(),
            signed_in_at: at(0),
            used_at: at(used),
        };
        for (used, expires) in [(0, 7), (5, 12), (22, 29), (23, 30), (29, 30)] {
            assert_eq!(session(used).expires(), at(expires), "used on day {used}");
            assert!(session(used).has_ended(at(expires)));
        }
        assert!(session(0).is_recent(at(0)) && !session(0).is_recent(at(1)));
    }

    #[test]
    fn a_secret_has_one_form() {
        let secret = Secret::generate().unwrap();
        assert_eq!(Secret::parse(secret.as_str()), Some(secret.clone()));
        let longer = format!("{}A", secret.as_str());
        for wrong in ["", "AAAA", &secret.as_str()[..42], &longer, "é"] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn browsers_have_a_closed_list_of_names() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on an iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome on an Android device",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on a Mac",
            ),
            ("<script>alert(1)</script>", "A browser"),
            ("", "A browser"),
        ] {
            assert_eq!(browser_name(user_agent), name, "{user_agent}");
        }
    }
}
