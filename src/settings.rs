//! The deployment's settings: read from the environment once, every error named at once, and handed out in parts.

use std::fmt;

use crate::enquiry::EmailAddress;
use crate::keys::Keys;

/// The deployment's settings. The variables are set by `template.yaml`; `cargo local` sets its own.
#[derive(Clone)]
pub struct Settings {
    /// What the public pages need.
    pub web: WebSettings,
    /// What the table needs.
    pub store: StoreSettings,
    /// What the emails need.
    pub email: EmailSettings,
    /// `HASH_KEY`: the secret under which addresses are hashed and tokens are signed. It may be missing while the secret that
    /// holds it (`SECRET_ID`) cannot be read: then enquiries are stored all the same, and get no auto-reply.
    pub keys: Option<Keys>,
    /// What is shown until the practice was saved on the desk; none where the build holds a practice.
    pub beginning: Option<Beginning>,
}

/// `PRACTICE_NAME`, `PRACTICE_PHONE` and `TIME_ZONE`: all that a downloaded build knows of the practice. Whether they are as the file of
/// a practice wants them is found out with the rest of it.
#[derive(Clone)]
pub struct Beginning {
    pub name: String,
    /// The number to call.
    pub phone: String,
    /// The name of the time zone.
    pub time_zone: String,
}

/// The settings of the public pages, and of what they take.
#[derive(Clone)]
pub struct WebSettings {
    /// The name under which this form's tokens are signed: that of its table.
    pub form: String,
    /// `ALLOWED_ORIGINS`: the sites that may post, as browsers spell an origin: `https://example.com`.
    pub allowed_origins: Vec<String>,
    /// `PUBLIC_URL`: where the desk is reached, as browsers spell an origin.
    pub public_url: Option<String>,
    /// `THANK_YOU_URL`: where a browser goes after an accepted enquiry; our own page when left out.
    pub thank_you_url: Option<String>,
    /// `MIN_FILL_SECONDS`: a form that comes back sooner was filled in by a program; 0 switches that off. 0 to 60.
    pub min_fill_seconds: u32,
    /// `ALTCHA`: whether an enquiry has to bring a proof of work; without one it is suspect.
    pub altcha: bool,
    /// Whether there is a practice to write to: without one in the build, from the first time that it was saved on the desk.
    pub is_open: bool,
}

/// The settings of the table.
#[derive(Clone)]
pub struct StoreSettings {
    /// `TABLE_NAME`: the table.
    pub table: String,
    /// `RATE_LIMIT_PER_SOURCE`: how many enquiries one source may send in ten minutes.
    pub rate_limit: u32,
    /// `AUTO_REPLIES_PER_DAY`: how many auto-replies may leave in a day (UTC).
    pub auto_replies_per_day: u32,
}

#[derive(Clone)]
pub struct EmailSettings {
    /// `THERAPIST_EMAIL`: who reads the enquiries.
    pub therapist: EmailAddress,
    /// `SENDER_EMAIL`: the verified address that every email comes from.
    pub sender: EmailAddress,
    /// `CONFIGURATION_SET`: the SES configuration set whose events come back.
    pub configuration_set: Option<String>,
    /// `THERAPIST_CONFIGURATION_SET`: the one for emails to the therapist, which suppresses nothing; the same when left out.
    pub therapist_configuration_set: Option<String>,
}

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// The variable's name.
    pub variable: &'static str,
    /// What it must be.
    pub expected: &'static str,
}

/// Every setting that cannot be used. The values are not repeated: one of them is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingErrors(pub Vec<SettingError>);

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment cannot be used:")?;
        self.0
            .iter()
            .try_for_each(|error| write!(f, " {} must be {};", error.variable, error.expected))
    }
}

impl std::error::Error for SettingErrors {}

impl Settings {
    /// Reads every variable; an empty one counts as left out.
    ///
    /// # Errors
    /// All variables that are missing or wrong, by name.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingErrors> {
        let mut reader = Reader {
            variable,
            errors: Vec::new(),
        };
        let table = reader.required("TABLE_NAME", "the name of the table", |name| {
            Some(name.to_owned())
        });
        let address = |typed: &str| EmailAddress::parse(typed).ok();
        let therapist = reader.required("THERAPIST_EMAIL", "an email address", address);
        let sender = reader.required("SENDER_EMAIL", "an email address", address);
        let expected = "a secret of 32 characters or more";
        let secret_id = reader.optional("SECRET_ID", "the name of a secret", |id| {
            Some(id.to_owned())
        });
        let keys = match secret_id {
            Some(_) => reader.optional("HASH_KEY", expected, Keys::from_secret),
            None => reader.required("HASH_KEY", expected, Keys::from_secret),
        };
        let allowed_origins = reader.optional(
            "ALLOWED_ORIGINS",
            "origins like https://example.com, with commas between",
            origins,
        );
        let public_url = reader.optional(
            "PUBLIC_URL",
            "an origin like https://desk.example.com",
            |url| is_origin(url).then(|| url.to_owned()),
        );
        let thank_you_url = reader.optional(
            "THANK_YOU_URL",
            "an address that starts with https://",
            web_address,
        );
        let rate_limit = reader.optional(
            "RATE_LIMIT_PER_SOURCE",
            "a number from 1 to 1000000",
            positive,
        );
        let auto_replies_per_day = reader.optional(
            "AUTO_REPLIES_PER_DAY",
            "a number from 1 to 1000000",
            positive,
        );
        let min_fill_seconds =
            reader.optional("MIN_FILL_SECONDS", "a number from 0 to 60", |seconds| {
                seconds.parse().ok().filter(|seconds| *seconds <= 60)
            });
        let altcha = reader.optional("ALTCHA", "true or false", |flag| flag.parse().ok());
        let set = |name: &str| Some(name.to_owned());
        let configuration_set = reader.optional("CONFIGURATION_SET", "a name", set);
        let therapist_configuration_set = reader
            .optional("THERAPIST_CONFIGURATION_SET", "a name", set)
            .or_else(|| configuration_set.clone());

        let beginning = reader.optional("PRACTICE_NAME", "a name", set).map(|name| {
            let phone = reader.required("PRACTICE_PHONE", "a telephone number", set);
            let time_zone = reader.required("TIME_ZONE", "the name of a time zone", set);
            Beginning {
                name,
                phone: phone.unwrap_or_default(),
                time_zone: time_zone.unwrap_or_default(),
            }
        });

        match (reader.errors.is_empty(), table, therapist, sender) {
            (true, Some(table), Some(therapist), Some(sender)) => Ok(Self {
                web: WebSettings {
                    form: table.clone(),
                    allowed_origins: allowed_origins.unwrap_or_default(),
                    public_url,
                    thank_you_url,
                    min_fill_seconds: min_fill_seconds.unwrap_or(3),
                    altcha: altcha.unwrap_or(false),
                    is_open: beginning.is_none(),
                },
                store: StoreSettings {
                    table,
                    rate_limit: rate_limit.unwrap_or(20),
                    auto_replies_per_day: auto_replies_per_day.unwrap_or(100),
                },
                email: EmailSettings {
                    therapist,
                    sender,
                    configuration_set,
                    therapist_configuration_set,
                },
                keys,
                beginning,
            }),
            _ => Err(SettingErrors(reader.errors)),
        }
    }
}

struct Reader<F> {
    variable: F,
    errors: Vec<SettingError>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn optional<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let given = (self.variable)(variable)?;
        let given = given.trim();
        if given.is_empty() {
            return None;
        }
        let value = read(given);
        if value.is_none() {
            self.errors.push(SettingError { variable, expected });
        }
        value
    }

    fn required<T>(
        &mut self,
        variable: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let errors = self.errors.len();
        let value = self.optional(variable, expected, read);
        if value.is_none() && self.errors.len() == errors {
            self.errors.push(SettingError { variable, expected });
        }
        value
    }
}

fn positive(number: &str) -> Option<u32> {
    number
        .parse()
        .ok()
        .filter(|number| (1..=1_000_000).contains(number))
}

/// Origins as browsers send them: a scheme and a host, in lower case, without a path.
fn origins(list: &str) -> Option<Vec<String>> {
    let origins = list
        .split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty());
    origins
        .map(|origin| is_origin(origin).then(|| origin.to_owned()))
        .collect()
}

fn is_origin(origin: &str) -> bool {
    let host = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host.bytes().all(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || matches!(b, b'.' | b'-' | b':' | b'[' | b']')
            })
    })
}

/// An absolute web address without anything that could break a header.
fn web_address(typed: &str) -> Option<String> {
    let uri: http::Uri = typed.parse().ok()?;
    let on_the_web = matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some();
    // A header carries it: only visible ASCII, and nothing that a page would have to escape.
    let plain = typed
        .bytes()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'#' | b'"' | b'<' | b'>' | b'`'));
    (on_the_web && plain).then(|| typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingErrors> {
        Settings::from_env(|name| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    const NEEDED: [(&str, &str); 4] = [
        ("TABLE_NAME", "enquiries"),
        ("THERAPIST_EMAIL", "therapist@example.com"),
        ("SENDER_EMAIL", "desk@example.com"),
        ("HASH_KEY", "0123456789abcdef0123456789abcdef"),
    ];

    #[test]
    fn four_variables_are_enough() {
        let settings = read(&NEEDED).unwrap();
        assert_eq!(
            (settings.web.min_fill_seconds, settings.web.altcha),
            (3, false)
        );
        assert!(settings.web.allowed_origins.is_empty() && settings.web.thank_you_url.is_none());
    }

    #[test]
    fn every_error_is_named_at_once_and_no_value_is_repeated() {
        let errors = read(&[
            ("THERAPIST_EMAIL", "nobody"),
            ("HASH_KEY", "short-secret"),
            ("ALLOWED_ORIGINS", "https://example.com/path"),
            ("PUBLIC_URL", "https://desk.example.com/"),
            ("THANK_YOU_URL", "javascript:alert(1)"),
            ("MIN_FILL_SECONDS", "61"),
            ("ALTCHA", "perhaps"),
        ])
        .err()
        .unwrap();
        let named: Vec<_> = errors.0.iter().map(|error| error.variable).collect();
        assert_eq!(
            named,
            [
                "TABLE_NAME",
                "THERAPIST_EMAIL",
                "SENDER_EMAIL",
                "HASH_KEY",
                "ALLOWED_ORIGINS",
                "PUBLIC_URL",
                "THANK_YOU_URL",
                "MIN_FILL_SECONDS",
                "ALTCHA",
            ]
        );
        assert!(!errors.to_string().contains("short-secret"));
    }

    #[test]
    fn a_thank_you_page_fits_into_a_header() {
        let with = |url| read(&[&NEEDED[..], &[("THANK_YOU_URL", url)]].concat());
        assert!(with("https://www.example.com/thanks?from=form").is_ok());
        for wrong in [
            "https://www.example.com/danke-schön",
            "https://www.example.com/#thanks",
            "//www.example.com/",
            "https://www.example.com/a b",
        ] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn origins_are_exact() {
        let with = |origins| read(&[&NEEDED[..], &[("ALLOWED_ORIGINS", origins)]].concat());
        let settings = with(" https://example.com , http://127.0.0.1:8080,").unwrap();
        assert_eq!(
            settings.web.allowed_origins,
            ["https://example.com", "http://127.0.0.1:8080"]
        );
        for wrong in [
            "*",
            "example.com",
            "https://Example.com",
            "https://",
            "https://example.com,*",
        ] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
    }
}
