//! Text normalisation, before anything is checked: the same for every field, so that "as typed" has one meaning.
//!
//! Text is normalised to NFC and trimmed. Single-line fields lose the characters that are invisible (bidi controls,
//! zero-width characters, fillers); text of several lines keeps them, and the therapist's email leaves out those that devices
//! add and shows the others as code points. ZWJ and ZWNJ stay everywhere: several scripts need them. So do flags.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Whether this character has no shape of its own and no place in a name, an address or a number.
///
/// The bidi controls, the zero-width and filler characters and the tag characters of Unicode; not the joiners
/// U+200C and U+200D, and not the variation selectors, which Japanese names and emoji need.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether phones, browsers and word processors put this character into a text by themselves: soft hyphens, spaces without a
/// width, byte-order marks, and marks of direction but for the one that turns Latin letters round.
#[must_use]
pub const fn is_added_by_devices(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202d}' | '\u{2060}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text without some of the characters. The tags that make the flag of England, Scotland or Wales of a black one stay.
#[must_use]
pub fn without(typed: &str, dropped: impl Fn(char) -> bool) -> String {
    let mut kept = String::with_capacity(typed.len());
    let mut rest = typed;
    while let Some(c) = rest.chars().next() {
        let length = c.len_utf8() + tags_of_a_flag(rest).map_or(0, str::len);
        let (character, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if !dropped(c) {
            kept.push_str(character);
        }
        rest = after;
    }
    kept
}

/// The tags behind the black flag that a text begins with, when they name a region (UTS #51, annex C).
#[must_use]
pub fn tags_of_a_flag(text: &str) -> Option<&str> {
    let behind = text.strip_prefix('\u{1f3f4}')?;
    let is_tag = |c: char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let end = behind.find(|c| !is_tag(c))?;
    let region = behind.get(..end)?;
    let tags = behind.get(..end + '\u{e007f}'.len_utf8())?;
    ((3..=6).contains(&region.chars().count()) && tags.ends_with('\u{e007f}')).then_some(tags)
}

/// Whether this character breaks a line or steers a terminal: all of Unicode's control characters and its two
/// separators of lines and paragraphs.
#[must_use]
pub fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A single-line field as it is checked and stored: NFC, without invisible characters, trimmed.
///
/// A tab is a space; other control characters stay in, so that the check of the field can refuse them.
#[must_use]
pub fn single_line(typed: &str) -> String {
    // What most people type has nothing to normalise.
    if typed.is_ascii() {
        return typed.replace('\t', " ").trim().to_owned();
    }
    // Without the invisible ones first: a mark behind one of them would otherwise stay apart from its letter.
    let visible = without(typed, is_invisible);
    // A tab is as it comes from a spreadsheet.
    let spaced = visible.chars().map(|c| if c == '\t' { ' ' } else { c });
    spaced.nfc().collect::<String>().trim().to_owned()
}

/// A field of several lines as it is checked and stored: NFC, every line break that Unicode has (UAX #14) one `\n`, trimmed.
#[must_use]
pub fn several_lines(typed: &str) -> String {
    const BREAKS: [char; 6] = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let unified: Cow<'_, str> = if typed.contains(BREAKS) {
        typed.replace("\r\n", "\n").replace(BREAKS, "\n").into()
    } else {
        typed.into()
    };
    unified.nfc().collect::<String>().trim().to_owned()
}

/// Whether anything in it can be seen: not only white space and joiners.
#[must_use]
pub fn has_something_visible(text: &str) -> bool {
    text.chars().any(|c| {
        !c.is_whitespace()
            && !is_invisible(c)
            && !is_control(c)
            && !matches!(c, '\u{200c}' | '\u{200d}')
    })
}

/// How long a text is to a person: Unicode scalar values, a line break counting once.
#[must_use]
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// The Latin letter that a small Cyrillic or Greek one cannot be told from (after Unicode's confusables, UTS #39).
#[must_use]
pub const fn latin_look(c: char) -> char {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_line_loses_what_is_invisible_and_keeps_what_scripts_need() {
        for (typed, kept, why) in [
            (
                "  Zoë\u{a0}",
                "Zoë",
                "white space around it goes, no-break spaces too",
            ),
            ("Zoe\u{308}", "Zoë", "a combining mark is composed"),
            ("Nguy\u{1ec5}n", "Nguyễn", "composed emails stay"),
            (
                "Zoe\u{200b}\u{308}",
                "Zoë",
                "a mark is composed with the letter before it, whatever invisible stood between them",
            ),
            (
                "a\u{202e}b\u{200b}c\u{feff}",
                "abc",
                "bidi and zero-width characters go",
            ),
            ("\tJo\tBrown", "Jo Brown", "a tab is a space"),
            (
                "Jo 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
                "Jo 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
                "a flag stays a flag",
            ),
            (
                "a\u{e0067}\u{e0062}🏴\u{e0068}\u{e0069}\u{e0064}\u{e0064}\u{e0065}\u{e006e}\u{e0021}\u{e007f}",
                "a🏴",
                "tags that make no flag go",
            ),
            (
                "\u{644}\u{200c}\u{645}",
                "\u{644}\u{200c}\u{645}",
                "the non-joiner stays",
            ),
            ("👩\u{200d}🔬", "👩\u{200d}🔬", "the joiner stays"),
            (
                "\u{8fbb}\u{e0100}",
                "\u{8fbb}\u{e0100}",
                "a variation selector stays",
            ),
        ] {
            assert_eq!(single_line(typed), kept, "{why}");
        }
    }

    #[test]
    fn line_breaks_of_every_system_become_one() {
        assert_eq!(several_lines("a\r\nb\rc\nd\r\n"), "a\nb\nc\nd");
        assert_eq!(
            several_lines("a\u{b}b\u{c}c\u{85}d\u{2028}e\u{2029}f\r\u{2028}g"),
            "a\nb\nc\nd\ne\nf\n\ng"
        );
    }
}
