//! How easily a text reads: Flesch's reading ease, with syllables counted by rule of thumb.

/// Flesch's reading ease (1948) of a text; from 60 upwards it is plain English. A line that is empty or ends without a
/// full stop ends its sentence too, as headings and list items do.
pub fn ease(text: &str) -> f64 {
    let mut sentences = 0_u32;
    let mut words = 0_u32;
    let mut syllables_in_all = 0_u32;
    for line in text.lines() {
        let mut open = false;
        // Addresses and the names of domains are not read as words.
        let is_address =
            |it: &str| it.contains('@') || it.trim_end_matches('.').contains(['/', '.']);
        for token in line.split_whitespace().filter(|it| !is_address(it)) {
            let word: String = token.chars().filter(|c| c.is_alphabetic()).collect();
            if !word.is_empty() {
                words += 1;
                syllables_in_all += syllables(&word.to_lowercase());
                open = true;
            }
            if open
                && token
                    .trim_end_matches(['"', '”', '’', ')'])
                    .ends_with(['.', '!', '?', ':', ';'])
            {
                sentences += 1;
                open = false;
            }
        }
        if open {
            sentences += 1;
        }
    }
    let (sentences, words) = (f64::from(sentences.max(1)), f64::from(words.max(1)));
    206.835 - 1.015 * words / sentences - 84.6 * f64::from(syllables_in_all) / words
}

fn syllables(word: &str) -> u32 {
    let vowel = |c: char| "aeiouyéë".contains(c);
    let mut count = 0;
    let mut before = false;
    for c in word.chars() {
        if vowel(c) && !before {
            count += 1;
        }
        before = vowel(c);
    }
    let silent_e = word.ends_with('e') && !word.ends_with("le")
        || word.ends_with("es") && !word.ends_with("ses");
    let silent_ed = word.ends_with("ed") && !word.ends_with("ted") && !word.ends_with("ded");
    if count > 1 && (silent_e || silent_ed) {
        count -= 1;
    }
    count.max(1)
}

#[test]
fn short_words_read_more_easily_than_long_ones() {
    assert!(ease("The cat sat on the mat. It was warm.") > 100.0);
    assert!(
        ease("Physiotherapeutic rehabilitation necessitates multidisciplinary collaboration.")
            < 0.0
    );
}

#[test]
fn syllables_are_counted_as_they_are_spoken() {
    for (word, expected) in [
        ("stone", 1),
        ("massage", 2),
        ("treated", 2),
        ("warmed", 1),
        ("muscle", 2),
        ("appointment", 3),
        ("i", 1),
    ] {
        assert_eq!(syllables(word), expected, "{word}");
    }
}
