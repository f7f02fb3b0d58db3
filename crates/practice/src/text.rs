//! The kinds of text in a practice: for each its rule, once for the checks and once, as a pattern, for editors.

use serde::{Deserialize, Serialize};

use crate::check::{At, Check};
use crate::messages::error;

/// The longest text that is taken, in characters: nothing in an email needs more, and an email must stay small.
const LONGEST: usize = 1_500;

/// Makes a kind of text: its longest length in characters, its pattern in the JSON Schema, its rule, and what is said
/// where the rule does not hold. `links` marks those that people read: where they link to is checked. Rules see the text on one line and not empty.
macro_rules! text {
    ($($(#[$meta:meta])* $($links:ident)? : $name:ident, $longest:expr, $pattern:literal, $rule:expr, $expected:expr;)+) => {$(
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
                $(at.$links(&text);)?
                text
            }
        }

        #[cfg(test)]
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
    links: Line, 120, r"\S", |_| true, "";

    /// The subject of an email.
    links: Subject, 80, r"\S", |_| true, "";

    /// The first lines of an email.
    links: Opening, 300, r"\S", |_| true, "";

    /// What ends the sentence "Choose it for …".
    links: Clause, 300, r"[^.!?…\s]\s*$", |text| !ends_a_sentence(text),
    error::text::CLAUSE;

    /// Full sentences, since others follow them.
    links: Sentences, LONGEST, r"[.!?…]\s*$", ends_a_sentence,
    error::text::SENTENCES;

    /// Full sentences with one `{when}`.
    links: NextStep, LONGEST, r"^[^{}]*\{when\}[^{}]*[.!?…]\s*$",
    |text| {
        let rest = text.replacen("{when}", "", 1);
        ends_a_sentence(text) && rest != text && !rest.contains(['{', '}'])
    },
    error::text::next_step("{when}");

    /// An address on the web.
    : WebAddress, 300, r#"^\s*https?://[^\s/"<>\\]*\.[^\s"<>\\]*\s*$"#,
    |link| {
        let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split('/').next());
        host.is_some_and(|host| host.contains('.')) && !link.contains([' ', '"', '<', '>', '\\'])
    },
    error::text::WEB_ADDRESS;

    /// A phone number. Only its shape is checked: the practice knows its own number, it is a typo that has to be caught.
    : Phone, 120, r"^[\s()-]*[+0][0-9\s()-]{6,}$",
    |shown| {
        let dial = dialled(shown);
        let digits = dial.strip_prefix('+').unwrap_or(&dial);
        let allowed = |c: char| c.is_ascii_digit() || " +()-".contains(c);
        shown.chars().all(allowed) && dial.starts_with(['+', '0']) && !digits.contains('+') && (7..=15).contains(&digits.len())
    },
    error::text::PHONE;

    /// What references start with.
    : Prefix, 120, r"^\s*[A-Z]{2,4}\s*$",
    |text| (2..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase()),
    error::text::PREFIX;

    /// The key of a treatment, or of an answer.
    : Key, 40, r"^\s*[a-z0-9-]+\s*$",
    |text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
    error::text::KEY;

    /// The key of a question of the practice's own.
    : QuestionName, crate::QuestionKey::LONGEST, r"^\s*[a-z0-9_]+\s*$",
    |text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
    error::text::QUESTION_KEY;

    /// The version of a wording.
    : Version, 40, r"^\s*[A-Za-z0-9.-]+\s*$",
    |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-'),
    error::text::VERSION;

    /// A word or a phrase that makes an enquiry suspect.
    : Phrase, LONGEST, r"\S(.|\s)+\S", |text| text.chars().count() >= 3,
    error::text::PHRASE;

    /// A sender that makes an enquiry suspect: an address, or `@` and a domain.
    : Sender, 300, r"^\s*[^\s@]*@[^\s@.][^\s@]*\.[^\s@]*\s*$",
    |text| text.split_once('@').is_some_and(|(name, domain)| {
        let odd = |c: char| c == '@' || c.is_whitespace();
        !name.contains(odd) && !domain.contains(odd) && domain.contains('.') && !domain.starts_with('.')
    }),
    error::text::SENDER;
}

/// The digits of a phone number, with a leading `+` where there is one: what follows `tel:` in a link.
pub(crate) fn dialled(shown: &str) -> String {
    let kept = |c: &char| c.is_ascii_digit() || *c == '+';
    shown.chars().filter(kept).collect()
}

fn ends_a_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '…'])
}
