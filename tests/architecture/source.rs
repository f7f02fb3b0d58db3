//! A file of Rust as far as the rules need it: its paths, its strings and its length, without comments and unit tests.

use std::ops::Range;

/// What a file names, each with its line.
pub(super) struct Source {
    /// Every path, spelt out: `use a::{b, c::*}` is `a::b` and `a::c::*`.
    pub(super) paths: Vec<(usize, Vec<String>)>,
    /// What stands between quotes.
    pub(super) strings: Vec<(usize, String)>,
    /// Of these what may reach a reader: all but attributes, what is logged, and what a panic says.
    pub(super) shown: Vec<(usize, String)>,
    /// The names of the fields that are logged.
    pub(super) logged: Vec<String>,
    /// How many lines there are outside unit tests.
    pub(super) length: usize,
}

#[derive(Debug, PartialEq)]
enum Token {
    /// A word, a number, `::` or any other single character.
    Code(String),
    Text(String),
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let mut tokens = tokens(text);
        let mut length = text.lines().count();
        while let Some(range) = unit_test(&tokens) {
            length -= tokens[range.end - 1].0 + 1 - tokens[range.start].0;
            tokens.drain(range);
        }
        let all = strings(&tokens);
        let paths = paths(&tokens);
        let logged = logged(&tokens);
        while let Some(range) = unseen(&tokens) {
            tokens.drain(range);
        }
        Self {
            strings: all,
            shown: strings(&tokens),
            paths,
            logged,
            length,
        }
    }
}

fn strings(tokens: &[(usize, Token)]) -> Vec<(usize, String)> {
    let strings = tokens.iter().filter_map(|(line, token)| match token {
        Token::Text(text) => Some((*line, text.clone())),
        Token::Code(_) => None,
    });
    strings.collect()
}

/// What stands before the message of each line for the log: `name`, `%name`, `?name` or `name = value`.
fn logged(tokens: &[(usize, Token)]) -> Vec<String> {
    const MACROS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
    let mut found = Vec::new();
    for (at, window) in tokens.windows(3).enumerate() {
        let [(_, name), (_, bang), (_, open)] = window else {
            continue;
        };
        if !(MACROS.iter().any(|it| is(name, it)) && is(bang, "!") && is(open, "(")) {
            continue;
        }
        let mut depth = 0;
        let mut starts = false;
        for (_, token) in &tokens[at + 2..] {
            match token {
                Token::Text(_) if depth == 1 && starts => break,
                Token::Code(code) if ["(", "[", "{"].contains(&code.as_str()) => depth += 1,
                Token::Code(code) if [")", "]", "}"].contains(&code.as_str()) => depth -= 1,
                Token::Code(code) if starts && ["%", "?"].contains(&code.as_str()) => continue,
                Token::Code(code) if starts && depth == 1 => found.push(code.clone()),
                _ => {}
            }
            if depth == 0 {
                break;
            }
            starts = depth == 1 && (is(token, ",") || is(token, "("));
        }
    }
    found
}

/// The first attribute, or macro whose text goes to the log or to the one who reads a panic.
fn unseen(tokens: &[(usize, Token)]) -> Option<Range<usize>> {
    const MACROS: [&str; 12] = [
        "trace",
        "debug",
        "info",
        "warn",
        "error",
        "event",
        "panic",
        "assert",
        "debug_assert",
        "unreachable",
        "include",
        "include_str",
    ];
    let starts = |at: usize| {
        let [(_, first), (_, second), ..] = &tokens[at..] else {
            return false;
        };
        (is(first, "#") && (is(second, "[") || is(second, "!")))
            || (is(second, "!") && MACROS.iter().any(|name| is(first, name)))
    };
    let start = (0..tokens.len()).find(|at| starts(*at))?;
    let mut depth = 0;
    for (at, (_, token)) in tokens.iter().enumerate().skip(start) {
        match token {
            Token::Code(code) if ["[", "(", "{"].contains(&code.as_str()) => depth += 1,
            Token::Code(code) if ["]", ")", "}"].contains(&code.as_str()) => {
                depth -= 1;
                if depth == 0 {
                    return Some(start..at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The tokens with their lines. Comments are left out.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let line = text[..at].matches('\n').count() + 1;
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let hashes = rest.len() - rest.trim_start_matches(['b', 'r', '#']).len();
        let mut token = Token::Code(rest[..word.max(c.len_utf8())].to_owned());
        at += if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest[hashes..].starts_with('"') {
            let (open, raw) = (&rest[..hashes], rest[..hashes].contains('r'));
            let close = format!("\"{}", open.trim_start_matches(['b', 'r']));
            let end = end_of_text(&rest[hashes + 1..], &close, raw);
            token = Token::Text(rest[hashes + 1..][..end].to_owned());
            hashes + 1 + end + close.len()
        } else if let Some(length) = character(rest) {
            length
        } else if rest.starts_with("::") {
            token = Token::Code("::".to_owned());
            2
        } else {
            word.max(c.len_utf8())
        };
        let skipped = c.is_whitespace() || rest.starts_with("//") || rest.starts_with("/*");
        if !skipped {
            tokens.push((line, token));
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of_text(text: &str, close: &str, raw: bool) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|(at, c)| {
        let ends = !escaped && text[*at..].starts_with(close);
        escaped = !raw && !escaped && *c == '\\';
        ends
    });
    end.expect("a string ends").0
}

/// The length of a character between quotes; none for a lifetime.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    if first == '\\' {
        return Some(inner[2..].find('\'')? + 4);
    }
    inner[first.len_utf8()..]
        .starts_with('\'')
        .then_some(first.len_utf8() + 2)
}

/// The first item under `#[cfg(test)]`: up to its closing brace, or its semicolon.
fn unit_test(tokens: &[(usize, Token)]) -> Option<Range<usize>> {
    const CFG: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let is_cfg = |window: &[(usize, Token)]| {
        let mut pairs = window.iter().zip(CFG);
        pairs.all(|((_, token), code)| is(token, code))
    };
    let start = tokens.windows(CFG.len()).position(is_cfg)?;
    let mut depth = 0;
    for (at, (_, token)) in tokens.iter().enumerate().skip(start + CFG.len()) {
        match token {
            Token::Code(code) if code == "{" => depth += 1,
            Token::Code(code) if code == "}" => depth -= 1,
            Token::Code(code) if code == ";" => {}
            _ => continue,
        }
        if depth == 0 {
            return Some(start..at + 1);
        }
    }
    None
}

fn is(token: &Token, code: &str) -> bool {
    matches!(token, Token::Code(it) if it == code)
}

fn paths(tokens: &[(usize, Token)]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = tree(tokens, at, &[], &mut found).max(at + 1);
    }
    found
}

/// Reads one path, or a tree of `use`, that starts here; says where it ends.
fn tree(
    tokens: &[(usize, Token)],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut path = prefix.to_vec();
    let line = tokens[at].0;
    // A path may begin with `::`.
    if prefix.is_empty() && is(&tokens[at].1, "::") {
        at += 1;
    }
    loop {
        let Some((_, Token::Code(code))) = tokens.get(at) else {
            return at;
        };
        match code.as_str() {
            "{" if !path.is_empty() => {
                at += 1;
                while !is(&tokens[at].1, "}") {
                    at = tree(tokens, at, &path, found).max(at + 1);
                }
                return at + 1;
            }
            // What may stand before a `::` that begins a path.
            "as" | "dyn" | "for" | "impl" | "in" | "mut" | "return" | "use" | "where" => return at,
            code if code == "*" && !path.is_empty() || code.starts_with(is_word) => {
                path.push(code.to_owned());
                at += 1;
            }
            _ => return at,
        }
        if !tokens.get(at).is_some_and(|(_, token)| is(token, "::")) {
            found.push((line, path));
            return at;
        }
        at += 1;
    }
}
