//! The shape of what was typed: how it begins and ends, where it links to.

use unicode_normalization::UnicodeNormalization;

use super::model::{EVERYDAY, MAILBOXES, MONEY, SIGN_OFFS, SYMBOLS, Sign};
use super::text::{Typed, has_markup, is_bare_site, plain};

/// More lines than this after "kind regards" are no signature.
const MOST_OF_A_SIGNATURE: usize = 8;
/// More different sites than this make no difference.
const MOST_SITES: usize = 3;

/// Where the signature of a message begins: after the last short line that says goodbye, when only a few lines follow.
pub(super) fn split_signature(message: &str) -> (&str, &str) {
    let whole = (message, "");
    let (mut end, mut below) = (message.len(), 0);
    while let Some(upper) = message.get(..end) {
        let start = upper.rfind('\n').map_or(0, |at| at + 1);
        let line = upper.get(start..).unwrap_or_default();
        if is_sign_off(line) {
            if start == 0 || below > MOST_OF_A_SIGNATURE {
                return whole;
            }
            return message.split_at_checked(end + 1).unwrap_or(whole);
        }
        below += usize::from(!line.trim().is_empty());
        if start == 0 || below > MOST_OF_A_SIGNATURE {
            return whole;
        }
        end = start - 1;
    }
    whole
}

fn is_sign_off(line: &str) -> bool {
    // No longer line can have four words of a sign-off.
    if line.len() > 120 {
        return false;
    }
    let folded = plain(line);
    line.trim_end() == "--"
        || (folded.matches(' ').count() <= 5
            && SIGN_OFFS.iter().any(|words| folded.starts_with(words)))
}

/// The signs of an enquiry, each once. `of_a_client` says whether words of the body, of massage or of a visit were found,
/// `words` how many the body of the message has.
pub(super) fn signs(
    typed: &Typed<'_>,
    of_a_client: bool,
    words: usize,
    mut note: impl FnMut(Sign),
) {
    let body = typed.body;
    note_sites(typed, &mut note);
    let mut check = |seen: bool, sign| {
        if seen {
            note(sign);
        }
    };
    check(
        [typed.name, body, typed.below]
            .iter()
            .chain(&typed.beside)
            .any(|text| has_markup(text)),
        Sign::Markup,
    );
    let letters = body.chars().filter(|c| c.is_alphabetic());
    let (all, capitals) = letters.fold((0_usize, 0_usize), |(all, capitals), c| {
        (all + 1, capitals + usize::from(c.is_uppercase()))
    });
    check(all >= 20 && capitals * 10 > all * 6, Sign::Capitals);
    check(words > 80, Sign::Long);
    check(words > 160, Sign::VeryLong);
    check(words >= 15 && !of_a_client, Sign::SaysNothingOfTheBody);
    check(body.contains(|c| SYMBOLS.contains(c)), Sign::Symbols);
    check(body.contains(|c| MONEY.contains(c)), Sign::ForeignMoney);
    check(body.matches('!').count() >= 3, Sign::Marks);
    let mut every_word = typed.name.split_whitespace().chain(body.split_whitespace());
    check(every_word.any(is_gibberish), Sign::Gibberish);
    check(body.split_whitespace().any(is_address), Sign::EmailInText);
    check(typed.ticked, Sign::Ticked);
    check(typed.phone, Sign::Phone);
    check(body.contains(['?', '？', '؟']), Sign::Question);
}

/// Distinct sites count, not links; the signature's own weigh little, and sites that everybody links to nothing.
fn note_sites(typed: &Typed<'_>, note: &mut impl FnMut(Sign)) {
    let domain = site_of(typed.domain);
    let own = if MAILBOXES.contains(&domain) {
        ""
    } else {
        domain
    };
    let mut advertises_own = false;
    let mut seen: [String; MOST_SITES] = Default::default();
    let (mut whole, mut bare) = (0, 0);
    let beside = typed.beside.iter().copied();
    for text in [typed.name].into_iter().chain(beside).chain([typed.body]) {
        let lower = lower(text);
        for (site, is_whole) in sites(&lower).filter(|(site, _)| !EVERYDAY.contains(site)) {
            advertises_own |= site == own;
            if seen.iter().any(|seen| seen == site) {
                continue;
            }
            if let Some(slot) = seen.get_mut(whole + bare) {
                site.clone_into(slot);
                *(if is_whole { &mut whole } else { &mut bare }) += 1;
            }
        }
    }
    for (sign, so_many) in [(Sign::Site, 1), (Sign::SecondSite, 2), (Sign::ThirdSite, 3)] {
        if whole >= so_many {
            note(sign);
        }
    }
    if bare > 0 {
        note(Sign::BareSite);
    }
    if sites(&lower(typed.below)).any(|(site, _)| !EVERYDAY.contains(&site)) {
        note(Sign::SignatureSite);
    }
    if sites(&lower(typed.name)).any(|(_, is_whole)| is_whole) {
        note(Sign::AddressInName);
    }
    if advertises_own {
        note(Sign::OwnSite);
    }
}

fn lower(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// The web addresses in a text of small letters: their sites, and whether one is more than a bare name. A link inside a link
/// is none of its own.
fn sites(lower: &str) -> impl Iterator<Item = (&str, bool)> {
    let apart = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | '|')
    };
    lower.split(apart).filter_map(|word| {
        let scheme = word.find("://");
        let rest = scheme.map_or(word, |at| word.get(at + 3..).unwrap_or_default());
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let host = host.trim_end_matches(['.', '!', ':']);
        if !host.is_ascii()
            || word
                .split('/')
                .next()
                .is_some_and(|first| first.contains('@'))
        {
            return None;
        }
        let named = |name: &str| name.contains(|c: char| c.is_ascii_alphanumeric());
        if scheme.is_some() {
            named(host).then(|| (site_of(host), true))
        } else if let Some(name) = host.strip_prefix("www.") {
            named(name).then(|| (site_of(host), true))
        } else {
            is_bare_site(host).then(|| (site_of(host), word.contains('/')))
        }
    })
}

/// The part of a host that one owner has: `a.b.example.co.uk` is `example.co.uk`.
fn site_of(host: &str) -> &str {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut labels = host.rsplit('.');
    let (last, second) = (labels.next(), labels.next());
    let is_second = matches!(
        second,
        Some("co" | "com" | "org" | "net" | "ac" | "gov" | "nhs")
    ) && last.is_some_and(|last| last.len() == 2)
        && labels.next().is_some();
    let before = host.rmatch_indices('.').nth(if is_second { 2 } else { 1 });
    before.map_or(host, |(at, _)| host.get(at + 1..).unwrap_or(host))
}

/// Letters as a program generates them, without a vowel for a while: "XkRTvWqLmNpZ", but not "NoMoreBackPain".
fn is_gibberish(word: &str) -> bool {
    if word.len() < 8 || !word.bytes().all(|b| b.is_ascii_alphabetic()) {
        return false;
    }
    let turns = word.bytes().zip(word.bytes().skip(1));
    let turns = turns.filter(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let vowels = |c| {
        matches!(
            c,
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'A' | 'E' | 'I' | 'O' | 'U' | 'Y'
        )
    };
    turns.count() >= 3 && word.split(vowels).any(|consonants| consonants.len() >= 4)
}

fn is_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(before, after)| {
        !before.is_empty() && after.find('.').is_some_and(|at| at > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, bool)> {
        let lower = lower(text);
        sites(&lower)
            .map(|(site, whole)| (site.to_owned(), whole))
            .collect()
    }

    #[test]
    fn sites_are_found_and_what_people_write_is_none() {
        for (text, expected) in [
            (
                "https://a.example/x and http://www.b.example?y",
                &[("a.example", true), ("b.example", true)][..],
            ),
            (
                "see www.Example.com/path, example.com",
                &[("example.com", true), ("example.com", false)],
            ),
            (
                "https://maps.google.co.uk/?q=https://goo.gl/abc",
                &[("google.co.uk", true)],
            ),
            (
                "<a href=https://a.example>x</a> [url=https://b.example]x[/url]",
                &[("a.example", true), ("b.example", true)],
            ),
            ("cheap-pills.xyz", &[("cheap-pills.xyz", false)]),
            ("cheap-pills.xyz/now", &[("cheap-pills.xyz", true)]),
            ("ｗｗｗ.example.com", &[("example.com", true)]),
            ("write to zoe@example.com", &[]),
            ("about 5 p.m., e.g. on Tuesday... or at 10.30", &[]),
            ("My back hurts.Me too", &[]),
            ("L4/L5, since 3.11.2026", &[]),
            ("http", &[]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(site, whole)| ((*site).to_owned(), *whole))
                .collect();
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn a_signature_is_what_follows_the_sign_off() {
        for (message, below) in [
            (
                "My back hurts.\n\nKind regards,\nJo\nwww.example.com",
                "Jo\nwww.example.com",
            ),
            ("My back hurts.\n--\nJo", "Jo"),
            (
                "Thanks for yesterday, I slept so well\nCan I come again?",
                "",
            ),
            ("Thanks\nMy back hurts", ""),
            ("My back hurts\nThanks", ""),
            ("a\nregards\n1\n2\n3\n4\n5\n6\n7\n8\n9", ""),
            ("", ""),
        ] {
            assert_eq!(split_signature(message).1, below, "{message}");
        }
    }

    #[test]
    fn a_name_is_told_from_generated_letters() {
        assert!(is_gibberish("XqRtVwLmNpZk"));
        for name in [
            "MacDonald",
            "McIntyre",
            "LinkedIn",
            "YouTube",
            "DeShawn",
            "FIBROMYALGIA",
            "NoMoreBackPain",
            "Anna-Maria",
        ] {
            assert!(!is_gibberish(name), "{name}");
        }
    }
}
