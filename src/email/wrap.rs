//! Lines of an email: short enough for mail servers, and laid out for people.

use unicode_normalization::char::is_combining_mark;

/// How wide the text part is, in characters.
const TEXT_WIDTH: usize = 76;
/// How long a line of HTML source may get, in bytes, before a space in it becomes a line break.
const SOURCE_WIDTH: usize = 400;
/// No line of an email may be longer than 998 bytes (RFC 5322, section 2.1.1): one of text is cut before that.
const LONGEST_LINE: usize = 900;

/// Lays out a text part: no line wider than the page, what continues a line indented as the line was, no more than one
/// empty line in a row.
pub(super) fn fold_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 40);
    let mut empty_before = true;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            if !empty_before {
                out.push('\n');
            }
            empty_before = true;
            continue;
        }
        empty_before = false;
        fold_line(line, &mut out);
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out.push('\n');
    out
}

fn fold_line(line: &str, out: &mut String) {
    let (indent, first, rest) = if let Some(quoted) = line.strip_prefix("> ") {
        ("> ".to_owned(), "> ".to_owned(), quoted)
    } else if line == ">" {
        (String::new(), ">".to_owned(), "")
    } else {
        let rest = line.trim_start_matches(' ');
        let spaces = " ".repeat(line.len() - rest.len());
        match rest.strip_prefix("- ") {
            Some(item) => (format!("{spaces}  "), format!("{spaces}- "), item),
            None => (spaces.clone(), spaces, rest),
        }
    };
    out.push_str(&first);
    let mut width = first.chars().count();
    let mut bytes = first.len();
    let mut begins = true;
    for word in rest.split(' ') {
        let length = word.chars().count();
        if !begins && width + 1 + length > TEXT_WIDTH {
            out.push('\n');
            out.push_str(&indent);
            (width, bytes) = (indent.chars().count(), indent.len());
        } else if !begins {
            out.push(' ');
            width += 1;
            bytes += 1;
        }
        begins = false;
        for c in word.chars() {
            if bytes + c.len_utf8() > LONGEST_LINE && !is_combining_mark(c) && c != '\u{200d}' {
                out.push('\n');
                out.push_str(&indent);
                (width, bytes) = (indent.chars().count(), indent.len());
            }
            out.push(c);
            bytes += c.len_utf8();
        }
        width += length;
    }
    out.push('\n');
}

/// Keeps the lines of HTML source short: between tags, a space and a line break are the same. Empty lines go.
pub(super) fn fold_html(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for line in html.lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let mut bytes = 0;
        let mut in_tag = false;
        for c in line.chars() {
            match c {
                '<' => in_tag = true,
                '>' => in_tag = false,
                _ => {}
            }
            if c == ' ' && !in_tag && bytes > SOURCE_WIDTH {
                out.push('\n');
                bytes = 0;
            } else {
                out.push(c);
                bytes += c.len_utf8();
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_text_is_folded_under_its_own_beginning() {
        let words = "word ".repeat(30);
        for (line, start) in [
            (format!("- {words}"), "  word"),
            (format!("> {words}"), "> word"),
            (format!("    {words}"), "    word"),
        ] {
            let folded = fold_text(&line);
            assert!(
                folded.lines().count() > 1 && folded.lines().all(|line| line.len() <= TEXT_WIDTH),
                "{folded}"
            );
            assert!(
                folded.lines().skip(1).all(|line| line.starts_with(start)),
                "{folded}"
            );
        }
        let unbroken = fold_text(&format!("> {}", "💆".repeat(4_000)));
        assert!(
            unbroken
                .lines()
                .all(|line| line.len() < 998 && line.starts_with("> "))
        );
    }
}
