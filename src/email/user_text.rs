//! Typed text in emails: made harmless, and with what cannot be seen spelt out.

use std::fmt::Write;

use askama::filters::Safe;

use super::links::defang;
use crate::text;

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

    /// For HTML: escaped, line breaks kept. Long words are broken by the style, not by tags within them, which spam filters take
    /// for an attempt to hide a word; and the line of source that they make is folded when the email is encoded.
    pub(super) fn html(&self) -> Safe<String> {
        let mut html = String::with_capacity(self.shown.len() * 5 / 4);
        for c in self.shown.chars() {
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
    fn html_is_escaped_and_has_no_tag_within_a_word() {
        let html = Typed::new("<b>&\"'\nx").html().0;
        assert_eq!(html, "&lt;b&gt;&amp;&quot;&#39;<br>\nx");
        let long = "a".repeat(4_000);
        assert_eq!(Typed::new(&long).html().0, long);
    }
}
