//! How a visitor's text gets into an email: made harmless, and with what cannot be seen spelt out.

use std::fmt::Write;

use askama::filters::Safe;
use unicode_normalization::char::is_combining_mark;

use super::links::defang;
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
            shown: spell_out(&defang(&text::without(typed, text::is_added_by_devices))),
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
            let joins = matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0030}'..='\u{e007f}')
                || is_combining_mark(c);
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

/// Shows what has no shape as its code point.
fn spell_out(typed: &str) -> String {
    let mut out = String::with_capacity(typed.len());
    let mut flag = 0;
    for (at, c) in typed.char_indices() {
        if let Some(tags) = typed.get(at..).and_then(text::tags_of_a_flag) {
            flag = at + c.len_utf8() + tags.len();
        }
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            c if at >= flag && (text::is_invisible(c) || text::is_control(c)) => {
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
    fn what_devices_add_goes_unseen_and_what_else_has_no_shape_is_spelt_out() {
        for (typed, shown) in [
            ("a\u{202e}b\u{7}c\td\ne", "a[U+202E]b[U+0007]c d\ne"),
            ("\u{3164}x", "[U+3164]x"),
            (
                "My number: \u{202d}+44 7700 900982\u{202c}",
                "My number: +44 7700 900982",
            ),
            ("Mas\u{ad}sage", "Massage"),
            ("\u{feff}Hello, I pasted this", "Hello, I pasted this"),
            ("שלום\u{200f}, כואב לי הגב\u{200f}.", "שלום, כואב לי הגב."),
            ("\u{2068}Jo\u{2069} zero\u{200b}width", "Jo zerowidth"),
            ("exam\u{200b}ple.\u{200b}com", "example[.]com"),
            (
                "\u{644}\u{200c}\u{645} 👩\u{200d}🔬",
                "\u{644}\u{200c}\u{645} 👩\u{200d}🔬",
            ),
            (
                "Up 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}!",
                "Up 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}!",
            ),
            ("🇬🇧 🏳\u{fe0f}\u{200d}🌈", "🇬🇧 🏳\u{fe0f}\u{200d}🌈"),
            ("x\u{e0068}\u{e0069}", "x[U+E0068][U+E0069]"),
        ] {
            assert_eq!(Typed::new(typed).shown, shown, "{typed}");
        }
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
