//! How typed text is looked at: phrases as whole words, links, code, scripts.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text::is_invisible;

/// Text in which phrases are found: small letters and digits with one space between words.
pub(super) struct Searchable(String);

impl Searchable {
    /// All of these texts, none of which runs into the next.
    pub(super) fn new(texts: &[&str]) -> Self {
        Self(texts.iter().map(|text| plain(text)).collect())
    }

    /// Whether the phrase stands in it as whole words: "sex" is not in "Essex".
    pub(super) fn has(&self, phrase: &str) -> bool {
        let phrase = plain(phrase);
        phrase.trim().chars().next().is_some() && self.0.contains(&phrase)
    }
}

/// The words with a space before and after each run of them, without case, accents, joiners, the styles that
/// Unicode has of a letter, and with letters of other scripts that look Latin as those: what a reader sees.
fn plain(text: &str) -> String {
    let mut plain = " ".to_owned();
    let seen = text
        .nfkd()
        .filter(|c| {
            !is_combining_mark(*c)
                && !is_invisible(*c)
                && !matches!(c, '\u{200c}' | '\u{200d}' | '\'' | '’')
        })
        .flat_map(char::to_lowercase)
        .map(look);
    for c in seen {
        if c.is_alphanumeric() {
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

/// The Latin letter that a small Cyrillic or Greek one cannot be told from (after Unicode's confusables, UTS #39).
const fn look(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'с' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'ɡ' => 'g',
        'һ' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        c => c,
    }
}

/// How many addresses of web pages stand in it: with a scheme, with `www.`, or a name that ends as web addresses do.
/// E-mail addresses are none.
pub(super) fn links(text: &str) -> usize {
    let text: String = text.nfkc().flat_map(char::to_lowercase).collect();
    text.split(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | '=')
    })
    .map(|word| {
        let schemes = word.matches("://").count();
        if schemes > 0 {
            schemes
        } else {
            usize::from(is_bare_link(word))
        }
    })
    .sum()
}

fn is_bare_link(word: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "biz", "click", "com", "info", "io", "link", "net", "online", "org", "ru", "shop", "site",
        "su", "uk", "website", "xyz",
    ];
    let host = word.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.trim_end_matches(['.', '!', ':']);
    if host.contains('@') || !host.is_ascii() {
        return false;
    }
    if let Some(after) = host.strip_prefix("www.") {
        return after.contains(|c: char| c.is_ascii_alphanumeric());
    }
    // Not the endings that are everyday words: "it hurts.Me too" is a typo of a fast typist.
    match host.rsplit_once('.') {
        Some((name, ending)) => {
            ENDINGS.contains(&ending)
                && name.len() > 3
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        }
        None => false,
    }
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

/// A family of emails, coarsely.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Arabic,
    Indic,
    Thai,
    EastAsian,
    Other,
}

/// Whether most letters are of another script than most of the practice's own. A few words are no text: a name or a
/// greeting in one's own script is no sign of anything.
pub(super) fn is_foreign(typed: &[&str], own: &str) -> bool {
    const SOME: usize = 20;
    let emails = count(typed.iter().flat_map(|text| text.chars()));
    let sum: usize = emails.values().sum();
    let most = |emails: &BTreeMap<Script, usize>| {
        emails
            .iter()
            .max_by_key(|(_, count)| **count)
            .map(|(script, _)| *script)
    };
    sum >= SOME && most(&emails) != most(&count(own.chars()))
}

fn count(chars: impl Iterator<Item = char>) -> BTreeMap<Script, usize> {
    let mut counted = BTreeMap::new();
    for script in chars.filter(|c| c.is_alphabetic()).map(script_of) {
        *counted.entry(script).or_default() += 1;
    }
    counted
}

/// By the blocks of Unicode.
const fn script_of(c: char) -> Script {
    match c {
        '\0'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' => Script::Cyrillic,
        '\u{590}'..='\u{5ff}' => Script::Hebrew,
        '\u{600}'..='\u{6ff}'
        | '\u{750}'..='\u{77f}'
        | '\u{8a0}'..='\u{8ff}'
        | '\u{fb50}'..='\u{fdff}' => Script::Arabic,
        '\u{900}'..='\u{dff}' => Script::Indic,
        '\u{e00}'..='\u{eff}' => Script::Thai,
        '\u{1100}'..='\u{11ff}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{20000}'..='\u{323af}' => Script::EastAsian,
        _ => Script::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("anything", "", false, "an empty entry is in nothing"),
            (
                "anything",
                "…",
                false,
                "an entry without an email is in nothing",
            ),
        ] {
            assert_eq!(Searchable::new(&[text]).has(phrase), found, "{why}: {text}");
        }
        assert!(
            !Searchable::new(&["happy", "ending"]).has("happy ending"),
            "two fields are two texts"
        );
    }

    #[test]
    fn links_are_counted_and_what_people_write_is_none() {
        for (text, count) in [
            ("https://a.example http://b.example", 2),
            ("see www.example.com/path, and example.com/x?y=http", 2),
            ("HTTPS://EXAMPLE.COM", 1),
            ("cheap-pills.xyz", 1),
            ("<a href=https://a.example>x</a>", 1),
            ("[url=https://a.example]x[/url]", 1),
            ("write to zoe@example.com", 0),
            ("about 5 p.m., e.g. on Tuesday... or at 10.30", 0),
            ("My back hurts.Me too", 0),
            ("L4/L5, since 3.11.2026", 0),
            ("http", 0),
            ("ｗｗｗ.example.com", 1),
        ] {
            assert_eq!(links(text), count, "{text}");
        }
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

    #[test]
    fn a_text_in_another_script_is_told_from_a_name_in_it() {
        let own = "I agree that my answers may be used to reply to me.";
        assert!(is_foreign(
            &["Продвижение сайтов в поисковых системах недорого"],
            own
        ));
        assert!(!is_foreign(
            &["Меня зовут Анна, my back hurts after long days at the desk"],
            own
        ));
        assert!(!is_foreign(&["肩が痛いです"], own));
        assert!(!is_foreign(&["", ""], own));
        assert!(!is_foreign(
            &["Tôi bị đau lưng từ nhiều tuần nay, xin hẹn gặp"],
            own
        ));
        assert!(is_foreign(
            &["My shoulders have hurt for weeks"],
            "Я согласна на обработку моих ответов"
        ));
    }
}
