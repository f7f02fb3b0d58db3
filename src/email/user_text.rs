//! How a visitor's text gets into an email: made harmless, and with what cannot be seen spelt out.

use std::fmt::Write;

use askama::filters::Safe;
use unicode_normalization::char::is_combining_mark;

use crate::text;

/// After how many characters without a space HTML gets a place to break, and a new line of source.
const UNBROKEN: usize = 80;

/// What a visitor typed, as an email may show it: nothing in it is a link, and what cannot be seen is spelt out.
///
/// It is text: templates escape it, like any other text.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Typed {
    shown: String,
    ours: bool,
}

impl Typed {
    /// Makes a text harmless.
    pub(super) fn new(typed: &str) -> Self {
        Self {
            shown: spell_out(&defang(typed)),
            ours: false,
        }
    }

    /// Takes a text as it is: one of ours, or an address whose rule leaves nothing to make harmless.
    pub(super) fn as_is(text: &str) -> Self {
        Self {
            shown: text.to_owned(),
            ours: true,
        }
    }

    /// For HTML: escaped, line breaks kept, long words given places to break.
    pub(super) fn html(&self) -> Safe<String> {
        let mut html = String::with_capacity(self.shown.len() * 5 / 4);
        let mut unbroken = 0;
        let mut joined = false;
        for c in self.shown.chars() {
            let joins =
                c == '\u{200d}' || ('\u{fe00}'..='\u{fe0f}').contains(&c) || is_combining_mark(c);
            if unbroken >= UNBROKEN && !joins && !joined {
                html.push_str("<wbr\n>");
                unbroken = 0;
            }
            joined = c == '\u{200d}';
            unbroken = if c.is_whitespace() { 0 } else { unbroken + 1 };
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                '\n' => html.push_str("<br>\n"),
                c => html.push(c),
            }
        }
        Safe(html)
    }

    /// For the text part: each line marked as the visitor's own, so that it cannot pass for one of ours; one of ours is
    /// only indented.
    pub(super) fn block(&self) -> String {
        let mark = if self.ours { "    " } else { "> " };
        self.shown
            .lines()
            .map(|line| format!("{mark}{line}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// For the text part, where it stands on a line of ours.
    pub(super) fn text(&self) -> &str {
        &self.shown
    }
}

/// Breaks what email programs make links of by themselves: addresses with and without a scheme, and email addresses.
fn defang(typed: &str) -> String {
    const SCHEMES: &[&str] = &[
        "about",
        "callto",
        "cid",
        "data",
        "facetime",
        "facetime-audio",
        "file",
        "geo",
        "intent",
        "javascript",
        "magnet",
        "mailto",
        "maps",
        "market",
        "ms-msdt",
        "news",
        "sip",
        "skype",
        "sms",
        "tel",
        "vbscript",
        "whatsapp",
        "xmpp",
    ];
    let characters: Vec<char> = typed.chars().collect();
    let at = |index: usize| characters.get(index).copied();
    let is = |index: usize, test: fn(char) -> bool| at(index).is_some_and(test);
    let mut out = String::with_capacity(typed.len() + 16);
    let mut word_begins = 0;
    let mut index = 0;
    while let Some(c) = at(index) {
        let before = index.checked_sub(1).and_then(at);
        match c {
            ':' => {
                let scheme: String = out
                    .get(word_begins..)
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                let begins = scheme
                    .rfind(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                    .map_or(0, |end| {
                        end + scheme
                            .get(end..)
                            .and_then(|rest| rest.chars().next())
                            .map_or(1, char::len_utf8)
                    });
                let scheme = scheme.get(begins..).unwrap_or_default();
                let slashes = at(index + 1) == Some('/') && at(index + 2) == Some('/');
                let web = slashes && matches!(scheme, "http" | "https");
                if web {
                    out.truncate(word_begins + begins);
                    out.push_str(if scheme == "http" { "hxxp:" } else { "hxxps:" });
                } else if slashes && !scheme.is_empty()
                    || SCHEMES.contains(&scheme) && !is(index + 1, char::is_whitespace)
                {
                    out.push_str("[:]");
                } else {
                    out.push(c);
                }
            }
            '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}'
                if before.is_some_and(is_of_a_host) && is_domain_label(&characters, index + 1) =>
            {
                out.push('[');
                out.push(c);
                out.push(']');
            }
            '@' | '\u{ff20}'
                if before.is_some_and(|c| !c.is_whitespace())
                    && is(index + 1, |c| !c.is_whitespace()) =>
            {
                out.push_str("[at]");
            }
            '\\' if at(index + 1) == Some('\\') && is(index + 2, char::is_alphanumeric) => {
                out.push_str("[\\]")
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

fn is_of_a_host(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_' || is_combining_mark(c) || text::is_invisible(c)
}

/// Whether a label starts here that may belong to a domain: it starts with an email and has two characters or more, or
/// follows "www". "10.30am", "9.5" and "p.m." are none.
fn is_domain_label(characters: &[char], start: usize) -> bool {
    let www = start >= 4
        && characters
            .get(start - 4..start - 1)
            .is_some_and(|word| word.iter().all(|c| c.eq_ignore_ascii_case(&'w')));
    let mut label = characters
        .iter()
        .skip(start)
        .take_while(|c| is_of_a_host(**c));
    match label.next() {
        Some(first) if www => is_of_a_host(*first),
        Some(first) => {
            (first.is_alphabetic() || text::is_invisible(*first)) && label.next().is_some()
        }
        None => false,
    }
}

/// Shows what has no shape as its code point.
fn spell_out(typed: &str) -> String {
    let mut out = String::with_capacity(typed.len());
    for c in typed.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            c if text::is_invisible(c) || text::is_control(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "[U+{:04X}]", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_is_a_link() {
        for (typed, shown) in [
            (
                "see http://example.com/a?b=c",
                "see hxxp://example[.]com/a?b=c",
            ),
            ("HTTPS://EXAMPLE.COM", "hxxps://EXAMPLE[.]COM"),
            ("(https://example.com)", "(hxxps://example[.]com)"),
            ("example.com/path", "example[.]com/path"),
            ("www.a.b", "www[.]a.b"),
            ("zoe@example.com", "zoe[at]example[.]com"),
            ("mailto:zoe@example.com", "mailto[:]zoe[at]example[.]com"),
            ("javascript:alert(1)", "javascript[:]alert(1)"),
            ("ftp://example.org", "ftp[:]//example[.]org"),
            ("tel:+447700900982", "tel[:]+447700900982"),
            ("\\\\server\\share", "[\\]\\server\\share"),
            ("bücher.example", "bücher[.]example"),
            ("例え。テスト", "例え[。]テスト"),
            (
                "exam\u{200b}ple.\u{200b}com",
                "exam[U+200B]ple[.][U+200B]com",
            ),
            ("é→http://example.com", "é→hxxp://example[.]com"),
        ] {
            assert_eq!(Typed::new(typed).shown, shown, "{typed}");
        }
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        for typed in [
            "Tuesdays, 10.30am to 4.15 p.m.",
            "e.g. the neck. And the back.",
            "well… yes. no: maybe",
            "9:30",
            "@zoe",
            "50 % @ work",
            "a/b",
            "note: this",
            "C:\\temp",
            "Zoë said: “ow”",
            "李小龍",
            "https: is a word",
            "10:30-12:00",
        ] {
            assert_eq!(Typed::new(typed).shown, typed);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(
            Typed::new("a\u{202e}b\u{7}c\u{2028}d\te\nf").shown,
            "a[U+202E]b[U+0007]c[U+2028]d e\nf"
        );
        assert_eq!(
            Typed::new("\u{644}\u{200c}\u{645} 👩\u{200d}🔬").shown,
            "\u{644}\u{200c}\u{645} 👩\u{200d}🔬"
        );
    }

    #[test]
    fn html_is_escaped_and_can_break_everywhere() {
        let html = Typed::new("<b>&\"'\nx").html().0;
        assert_eq!(html, "&lt;b&gt;&amp;&quot;&#39;<br>\nx");
        let long = Typed::new(&"&".repeat(4_000)).html().0;
        assert!(long.lines().all(|line| line.len() < 998));
        assert_eq!(long.replace("<wbr\n>", "").len(), 4_000 * "&amp;".len());
    }
}
