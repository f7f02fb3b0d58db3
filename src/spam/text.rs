//! How typed text is looked at: phrases as whole words, names of sites, code.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::model::ENDINGS;
use crate::text::{is_invisible, latin_look};

/// What the filter is shown of an enquiry.
pub(super) struct Typed<'a> {
    pub(super) name: &'a str,
    /// What was typed beside the message: which times, and answers to the practice's own questions.
    pub(super) beside: Vec<&'a str>,
    /// The message down to its signature.
    pub(super) body: &'a str,
    /// The signature.
    pub(super) below: &'a str,
    /// The domain of the client's address.
    pub(super) domain: &'a str,
    /// Whether an area or a cause was ticked.
    pub(super) ticked: bool,
    /// Whether a telephone number was given.
    pub(super) phone: bool,
}

/// Text in which phrases are found: small letters and digits with one space between words.
pub(super) struct Searchable {
    text: String,
    /// Where what follows the name begins, the body of the message, and its signature.
    beside_at: usize,
    body_at: usize,
    signature_at: usize,
}

impl Searchable {
    /// All that was typed. The fields do not run into each other; the message and its signature do.
    pub(super) fn of(typed: &Typed<'_>) -> Self {
        let mut text = plain(typed.name);
        let beside_at = text.len();
        for beside in &typed.beside {
            text.push_str(&plain(beside));
        }
        let body_at = text.len();
        text.push_str(&plain(typed.body));
        let signature_at = text.len();
        text.push_str(plain(typed.below).trim_start_matches(' '));
        Self {
            text,
            beside_at,
            body_at,
            signature_at,
        }
    }

    /// Whether the phrase stands in it as whole words: "sex" is not in "Essex".
    pub(super) fn has(&self, phrase: &str) -> bool {
        let phrase = plain(phrase);
        phrase.trim().chars().next().is_some() && self.text.contains(&phrase)
    }

    /// All but the name and the signature: Grant, Price and Love are families.
    pub(super) fn above_the_signature(&self) -> &str {
        let text = self.text.get(self.beside_at..self.signature_at);
        text.unwrap_or_default()
    }

    pub(super) fn signature(&self) -> &str {
        self.text.get(self.signature_at..).unwrap_or_default()
    }

    /// How many words the body has.
    pub(super) fn words_of_the_body(&self) -> usize {
        let body = self.text.get(self.body_at..self.signature_at);
        body.map_or(0, |body| {
            body.split(' ').filter(|word| !word.is_empty()).count()
        })
    }
}

/// The words with a space before and after each run of them, without case, accents, joiners, the styles that
/// Unicode has of a letter, and with letters of other scripts that look Latin as those: what a reader sees.
/// Chinese and Japanese have no spaces: each of their characters is a word.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 2);
    plain.push(' ');
    let seen = text
        .nfkd()
        .filter(|c| {
            !is_combining_mark(*c)
                && !is_invisible(*c)
                && !matches!(c, '\u{200c}' | '\u{200d}' | '\'' | '’')
        })
        .flat_map(char::to_lowercase)
        .map(latin_look);
    for c in seen {
        if is_unspaced(c) {
            if !plain.ends_with(' ') {
                plain.push(' ');
            }
            plain.push(c);
            plain.push(' ');
        } else if c.is_alphanumeric() {
            plain.push(c);
        } else if !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    if !plain.ends_with(' ') {
        plain.push(' ');
    }
    plain
}

const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// Whether this is the name of a site without anything before it. Not with the endings that are everyday words: "it
/// hurts.Me too" is a typo.
pub(super) fn is_bare_site(host: &str) -> bool {
    host.rsplit_once('.').is_some_and(|(name, ending)| {
        ENDINGS.contains(&ending)
            && name.len() > 3
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
    })
}

/// Whether there is code in it: an HTML tag, or the links of forums.
pub(super) fn has_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let forum = ["[url", "[/url", "[link", "[img", "{{", "<?", "<!"];
    forum.iter().any(|code| lower.contains(code)) || has_tag(&lower)
}

/// `<` with an email right behind it (or behind a `/`), and a `>` later: not "pain < 3 weeks" and not "<3".
fn has_tag(lower: &str) -> bool {
    lower.match_indices('<').any(|(at, _)| {
        let rest = lower.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains('>')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searchable(times: &str, message: &str) -> Searchable {
        let (body, below) = super::super::shape::split_signature(message);
        Searchable::of(&Typed {
            name: "",
            beside: vec![times],
            body,
            below,
            domain: "",
            ticked: false,
            phone: false,
        })
    }

    #[test]
    fn phrases_are_whole_words_however_they_are_dressed_up() {
        for (text, phrase, found, why) in [
            ("I live in Essex", "sex", false, "part of another word"),
            ("Sex, please", "sex", true, "punctuation ends a word"),
            ("happy   ENDING!", "happy ending", true, "case and spaces"),
            ("happy-ending", "happy ending", true, "a hyphen is a space"),
            (
                "hap\u{200b}py end\u{200d}ing",
                "happy ending",
                true,
                "invisible characters",
            ),
            (
                "𝓱𝓪𝓹𝓹𝔂 ｅｎｄｉｎｇ",
                "happy ending",
                true,
                "styles of emails",
            ),
            (
                "hаppу еnding",
                "happy ending",
                true,
                "Cyrillic letters that look Latin",
            ),
            ("häppy énding", "happy ending", true, "accents"),
            (
                "unhappy ending",
                "happy ending",
                false,
                "another first word",
            ),
            (
                "массаж с окончанием",
                "окончанием",
                true,
                "a listed word of another script",
            ),
            ("有特殊服务吗", "特殊服务", true, "a script without spaces"),
            ("anything", "", false, "an empty entry is in nothing"),
            (
                "anything",
                "…",
                false,
                "an entry without a letter is in nothing",
            ),
        ] {
            assert_eq!(searchable("", text).has(phrase), found, "{why}: {text}");
        }
        assert!(
            !searchable("happy", "ending").has("happy ending"),
            "two fields are two texts"
        );
    }

    #[test]
    fn code_is_told_from_hearts_and_arrows() {
        for text in [
            "<a href='x'>y</a>",
            "</b>",
            "<SCRIPT>",
            "[url=x]",
            "{{7*7}}",
            "<!-- x -->",
            "<?php",
        ] {
            assert!(has_markup(text), "{text}");
        }
        for text in [
            "I <3 massages",
            "pain < 3 weeks",
            "left -> right",
            "a<b",
            "[sic]",
            "{ }",
        ] {
            assert!(!has_markup(text), "{text}");
        }
    }
}
