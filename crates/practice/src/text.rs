//! The kinds of text in a practice: for each its rule, once for the checks and once, as a pattern, for editors.

use serde::{Deserialize, Serialize};

use crate::check::{At, Check};

/// The longest text that is taken, in characters: nothing in an email needs more, and an email must stay small.
const LONGEST: usize = 1_500;

/// Makes a kind of text: its longest length in characters, its pattern in the JSON Schema, its rule, and what is said
/// where the rule does not hold. Rules see the text on one line and not empty.
macro_rules! text {
    ($($(#[$meta:meta])* $name:ident, $longest:expr, $pattern:literal, $rule:expr, $expected:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(
            /// As it was written.
            pub String,
        );

        impl Check for $name {
            type Checked = String;

            fn check(&self, at: &At<'_>) -> String {
                let text = at.text(&self.0, $longest);
                let rule: fn(&str) -> bool = $rule;
                at.expect(text.is_empty() || rule(&text), $expected);
                text
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "maxLength": $longest, "pattern": $pattern })
            }
        }
    )+};
}

text! {
    /// A name, a heading or another short text.
    Line, 120, r"\S", |_| true, "";

    /// The subject of an email.
    Subject, 80, r"\S", |_| true, "";

    /// The first lines of an email.
    Opening, 300, r"\S", |_| true, "";

    /// What ends the sentence "Choose it for …".
    Clause, 300, r"[^.!?…\s]\s*$", |text| !ends_a_sentence(text),
    "expected no full stop: it ends the sentence \"Choose it for …\"";

    /// Full sentences, since others follow them.
    Sentences, LONGEST, r"[.!?…]\s*$", ends_a_sentence,
    "expected full sentences; the last one has no full stop";

    /// Full sentences with one `{when}`.
    NextStep, LONGEST, r"^[^{}]*\{when\}[^{}]*[.!?…]\s*$",
    |text| {
        let rest = text.replacen("{when}", "", 1);
        ends_a_sentence(text) && rest != text && !rest.contains(['{', '}'])
    },
    "expected full sentences with {when} exactly once, where the time belongs, and no other curly brackets";

    /// An address on the web.
    WebAddress, 300, r#"^\s*https?://[^\s/"<>\\]*\.[^\s"<>\\]*\s*$"#,
    |link| {
        let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split('/').next());
        host.is_some_and(|host| host.contains('.')) && !link.contains([' ', '"', '<', '>', '\\'])
    },
    "expected a web address that starts with https://";

    /// A phone number. Only its shape is checked: the practice knows its own number, it is a typo that has to be caught.
    Phone, 120, r"^[\s()-]*[+0][0-9\s()-]{6,}$",
    |shown| {
        let dial = dialled(shown);
        let digits = dial.strip_prefix('+').unwrap_or(&dial);
        let allowed = |c: char| c.is_ascii_digit() || " +()-".contains(c);
        shown.chars().all(allowed) && dial.starts_with(['+', '0']) && !digits.contains('+') && (7..=15).contains(&digits.len())
    },
    "expected a phone number that starts with 0 or +, of 7 to 15 digits, with spaces, brackets or hyphens only";

    /// What references start with.
    Prefix, 120, r"^\s*[A-Z]{2,4}\s*$",
    |text| (2..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase()),
    "expected two to four capital letters from A to Z";

    /// The key of a treatment, or of an answer.
    Key, 40, r"^\s*[a-z0-9-]+\s*$",
    |text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
    "expected small letters from a to z, digits and hyphens only";

    /// The key of a question of the practice's own.
    QuestionName, crate::QuestionKey::LONGEST, r"^\s*[a-z0-9_]+\s*$",
    |text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
    "expected small letters from a to z, digits and underscores only";

    /// The version of a wording.
    Version, 40, r"^\s*[A-Za-z0-9.-]+\s*$",
    |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-'),
    "expected letters from A to Z, digits, full stops and hyphens only";

    /// A word or a phrase that makes an enquiry suspect.
    Phrase, LONGEST, r"\S(.|\s)+\S", |text| text.chars().count() >= 3,
    "expected at least three characters: shorter words are in too many texts";

    /// A sender that makes an enquiry suspect: an address, or `@` and a domain.
    Sender, 300, r"^\s*[^\s@]*@[^\s@.][^\s@]*\.[^\s@]*\s*$",
    |text| text.split_once('@').is_some_and(|(name, domain)| {
        let odd = |c: char| c == '@' || c.is_whitespace();
        !name.contains(odd) && !domain.contains(odd) && domain.contains('.') && !domain.starts_with('.')
    }),
    "expected an address (\"pest@example.com\") or a domain (\"@example.com\")";
}

/// The digits of a phone number, with a leading `+` where there is one: what follows `tel:` in a link.
pub(crate) fn dialled(shown: &str) -> String {
    let kept = |c: &char| c.is_ascii_digit() || *c == '+';
    shown.chars().filter(kept).collect()
}

fn ends_a_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '…'])
}
