//! Finds what email programs turn into links in typed text: addresses with and without a scheme, and email addresses.
//! Those are broken; what no email program would link reads as it was typed.

use std::collections::VecDeque;
use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

use crate::text;

/// The endings of all registries (IANA's list, by the npm package tlds 1.261.0), and a few that some programs know beside them.
static ENDINGS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("endings.txt").lines().collect());

/// Endings that begin no sentence: "Example.Com" is an address, "neck.It started" is not.
const NEVER_WORDS: &[&str] = &[
    "ai", "app", "biz", "cn", "co", "com", "de", "dev", "eu", "example", "fr", "info", "io", "net",
    "online", "org", "ru", "site", "su", "tk", "top", "uk", "website", "xyz",
];

/// Schemes that open something without two slashes; those of Microsoft's programs begin with "ms-".
const SCHEMES: &[&str] = &[
    "about",
    "bitcoin",
    "blob",
    "callto",
    "cid",
    "data",
    "facetime",
    "facetime-audio",
    "feed",
    "file",
    "geo",
    "intent",
    "javascript",
    "magnet",
    "mailto",
    "maps",
    "market",
    "mk",
    "news",
    "onenote",
    "res",
    "search-ms",
    "shell",
    "sip",
    "sips",
    "skype",
    "sms",
    "smsto",
    "tel",
    "vbscript",
    "view-source",
    "vnd.libreoffice.command",
    "webcal",
    "whatsapp",
    "xmpp",
];

/// Breaks what email programs make links of.
pub(super) fn defang(typed: &str) -> String {
    let characters: Vec<char> = typed.chars().collect();
    let at = |index: usize| characters.get(index).copied();
    let is = |index: usize, test: fn(char) -> bool| at(index).is_some_and(test);
    let mut out = String::with_capacity(typed.len() + 16);
    let mut word_begins = 0;
    let mut index = 0;
    // Up to here the dots of a host are known, and which of them to break.
    let (mut known, mut breaks) = (0, VecDeque::new());
    while let Some(c) = at(index) {
        if index >= known {
            (known, breaks) = host(&characters, index);
        }
        let before = index.checked_sub(1).and_then(at);
        match c {
            ':' => {
                let word = out.get(word_begins..).unwrap_or_default();
                let is_of_a_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
                let scheme = word.trim_end_matches(is_of_a_scheme).len();
                let begins = word_begins + scheme;
                let scheme = word.get(scheme..).unwrap_or_default().to_ascii_lowercase();
                let slashes = at(index + 1) == Some('/') && at(index + 2) == Some('/');
                let opens = SCHEMES.contains(&scheme.as_str()) || scheme.starts_with("ms-");
                if slashes && matches!(scheme.as_str(), "http" | "https") {
                    out.truncate(begins);
                    out.push_str(if scheme == "http" { "hxxp:" } else { "hxxps:" });
                } else if slashes || opens && !is(index + 1, char::is_whitespace) {
                    out.push_str("[:]");
                } else {
                    out.push(c);
                }
            }
            c if breaks.front() == Some(&index) => {
                breaks.pop_front();
                out.push('[');
                out.push(c);
                out.push(']');
            }
            '@' | '\u{ff20}'
                if before.is_some_and(|c| !c.is_whitespace())
                    && !host(&characters, index + 1).1.is_empty() =>
            {
                out.push_str("[at]");
            }
            '\\' if at(index + 1) == Some('\\') && is(index + 2, char::is_alphanumeric) => {
                out.push_str("[\\]");
            }
            c => out.push(c),
        }
        if c.is_whitespace() {
            word_begins = out.len();
        }
        index += 1;
    }
    out
}

/// Where the host ends that begins here, and which of its dots to break: those before an ending of a registry, and one behind "www".
fn host(characters: &[char], start: usize) -> (usize, VecDeque<usize>) {
    let rest = characters.get(start..).unwrap_or_default();
    let of_a_host = |c: &&char| is_of_a_label(**c) || is_dot(**c);
    let end = start + rest.iter().take_while(of_a_host).count();
    let beside = |index: Option<usize>| index.and_then(|index| characters.get(index));
    // Behind "@" or "//", or with a path, it is no sentence that begins there.
    let before = matches!(beside(start.checked_sub(1)), Some('@' | '\u{ff20}' | '/'));
    let is_address = before || beside(Some(end)) == Some(&'/');

    let mut breaks = VecDeque::new();
    let mut dots: Vec<usize> = Vec::new();
    let mut previous = String::new();
    let host = characters.get(start..end).unwrap_or_default();
    let mut index = start;
    for label in host.split(|c| is_dot(*c)) {
        let label: String = label.iter().filter(|c| !is_unseen(**c)).collect();
        if label.is_empty() {
            dots.clear();
        } else if previous == "www" || is_ending(&label, &previous, is_address) {
            breaks.extend(dots.drain(..));
        }
        index += label_length(characters, index);
        dots.push(index);
        index += 1;
        previous = label.to_lowercase();
    }
    (end.max(start + 1), breaks)
}

/// Whether a program takes this label for the end of a domain.
fn is_ending(label: &str, before: &str, is_address: bool) -> bool {
    let lower = label.to_lowercase();
    let begins_a_sentence = !is_address
        && label.starts_with(char::is_uppercase)
        && !NEVER_WORDS.contains(&lower.as_str());
    let is_a_time = matches!(lower.as_str(), "am" | "pm")
        && before.len() <= 2
        && before.bytes().all(|b| b.is_ascii_digit());
    let known = ENDINGS.binary_search(&lower.as_str()).is_ok() || lower.starts_with("xn--");
    known && !before.is_empty() && !begins_a_sentence && !is_a_time
}

fn label_length(characters: &[char], start: usize) -> usize {
    let rest = characters.get(start..).unwrap_or_default();
    rest.iter().take_while(|c| is_of_a_label(**c)).count()
}

const fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// What has no shape, and may stand within an address all the same.
const fn is_unseen(c: char) -> bool {
    text::is_invisible(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

fn is_of_a_label(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_' || is_combining_mark(c) || is_unseen(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endings_are_in_order() {
        assert!(ENDINGS.is_sorted());
        assert!(
            NEVER_WORDS
                .iter()
                .all(|word| ENDINGS.binary_search(word).is_ok())
        );
    }

    #[test]
    fn nothing_typed_is_a_link() {
        for (typed, shown) in [
            (
                "see http://example.com/a?b=c",
                "see hxxp://example[.]com/a?b=c",
            ),
            ("HTTPS://EXAMPLE.COM", "hxxps://EXAMPLE[.]COM"),
            ("(https://example.com)", "(hxxps://example[.]com)"),
            ("http://Evil.It", "hxxp://Evil[.]It"),
            ("example.com/path", "example[.]com/path"),
            ("Evil.It/path", "Evil[.]It/path"),
            ("a.b.example.co.uk.", "a[.]b[.]example[.]co[.]uk."),
            ("example.com.Thanks", "example[.]com.Thanks"),
            ("Example.Com", "Example[.]Com"),
            ("EXAMPLE.COM", "EXAMPLE[.]COM"),
            ("evil.zip", "evil[.]zip"),
            ("www.a.b", "www[.]a.b"),
            ("WWW.intranet", "WWW[.]intranet"),
            ("zoe@example.com", "zoe[at]example[.]com"),
            ("jo@Evil.It", "jo[at]Evil[.]It"),
            ("mailto:zoe@example.com", "mailto[:]zoe[at]example[.]com"),
            ("javascript:alert(1)", "javascript[:]alert(1)"),
            (
                "ms-word:ofe|u|https://evil.example/x.docx",
                "ms-word[:]ofe|u|hxxps://evil[.]example/x.docx",
            ),
            ("ms-excel:ofv|u|x", "ms-excel[:]ofv|u|x"),
            ("search-ms:query=x", "search-ms[:]query=x"),
            ("onenote:x", "onenote[:]x"),
            ("ftp://example.org", "ftp[:]//example[.]org"),
            ("http\u{200c}://x", "http\u{200c}[:]//x"),
            ("tel:+447700900982", "tel[:]+447700900982"),
            ("\\\\server\\share", "[\\]\\server\\share"),
            ("bücher.example", "bücher[.]example"),
            ("例え。中国", "例え[。]中国"),
            ("пример.рф", "пример[.]рф"),
            ("evil.xn--p1ai", "evil[.]xn--p1ai"),
            ("evil\u{200c}.com", "evil\u{200c}[.]com"),
            ("evil.\u{200d}com", "evil[.]\u{200d}com"),
            ("evil.c\u{200c}om", "evil[.]c\u{200c}om"),
            ("evil.\u{3164}com", "evil[.]\u{3164}com"),
            ("é→http://example.com", "é→hxxp://example[.]com"),
        ] {
            assert_eq!(defang(typed), shown, "{typed}");
        }
    }

    #[test]
    fn what_no_program_would_link_reads_as_typed() {
        for typed in [
            "Tuesdays, 10.30am to 4.15 p.m.",
            "e.g. the neck. And the back.",
            "well… yes. no: maybe",
            "9:30",
            "@zoe",
            "50 % @ work",
            "2 massages@30 each, me@home",
            "a/b",
            "note: this",
            "C:\\temp",
            "Zoë said: “ow”",
            "李小龍",
            "https: is a word",
            "10:30-12:00",
            "I have a sore neck.It started last week.Can you help?I can come Mon.Tue or Wed.Thanks",
            "Mon.Tue 10.30am-12.Weds after 5.30pm",
            "Meet at St.John’s, ask for Dr.Smith or Mr.Li",
            "since Monday.Is it ok.My back hurts.So I rest.No pain at night.Do you work Sundays",
            "at 5.pm or 9.am, 10.11.2026",
            "болит спина.Помогите пожалуйста.Спасибо",
            "我腰痛。两个星期了。想预约",
            "دردم زیاد است.کمک کنید",
            "word.docx and scan.pdf",
            "wait...what",
            ".com",
            "L4.L5",
        ] {
            assert_eq!(defang(typed), typed);
        }
    }

    #[test]
    fn as_many_dots_as_fit_take_no_time() {
        let typed = "a.".repeat(2_000);
        assert_eq!(defang(&typed), typed);
        let typed = "com.".repeat(1_000);
        assert_eq!(defang(&typed).matches("[.]").count(), 999);
    }
}
