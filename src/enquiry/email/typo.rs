//! Typos in the domains that people in the United Kingdom really use.
//!
//! A domain is questioned only when it is one edit away from a well-known one and is not itself a provider's, or when
//! its ending is a known typo. It is a question, never a refusal.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text::latin_look;

/// The mail domains that most private addresses in the United Kingdom end in.
const PROVIDERS: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "hotmail.co.uk",
    "outlook.com",
    "live.com",
    "live.co.uk",
    "msn.com",
    "yahoo.com",
    "yahoo.co.uk",
    "ymail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "btinternet.com",
    "sky.com",
    "talktalk.net",
    "virginmedia.com",
    "ntlworld.com",
    "blueyonder.co.uk",
    "tiscali.co.uk",
    "aol.com",
    "aol.co.uk",
    "protonmail.com",
    "proton.me",
    "pm.me",
    "gmx.com",
    "gmx.co.uk",
    "fastmail.com",
    "zoho.com",
    "plus.com",
    "plusnet.com",
    "orange.co.uk",
    "outlook.co.uk",
    "btopenworld.com",
    "hey.com",
    "tutanota.com",
    "mail.com",
];

/// Real domains that only look like a typo of one of [`PROVIDERS`]; they are never questioned.
const REAL: &[&str] = &[
    "gmx.net",
    "gmx.de",
    "gmx.at",
    "email.com",
    "ymail.co.uk",
    "live.ca",
    "live.fr",
    "live.nl",
    "live.ie",
    "yahoo.ca",
    "yahoo.fr",
    "yahoo.de",
    "yahoo.es",
    "yahoo.it",
    "yahoo.in",
    "yahoo.ie",
    "hotmail.fr",
    "hotmail.de",
    "hotmail.es",
    "hotmail.it",
    "hotmail.ca",
    "hotmail.be",
    "hotmail.nl",
    "outlook.fr",
    "outlook.de",
    "outlook.es",
    "outlook.ie",
    "rocketmail.com",
    "fmail.com",
    "sky.co",
    "skye.com",
    "hot.com",
    "gail.com",
    "maill.com",
    "aol.de",
    "aol.fr",
    "zoho.eu",
    "zoho.in",
    "fastmail.fm",
    "fastmail.co.uk",
    "proton.ch",
    "protonmail.ch",
    "mail.ru",
    "ail.com",
    "gmai.com.example",
    "mac.co",
    "mae.com",
    "he.com",
    "hay.com",
    "they.com",
    "plusnet.co.uk",
    "talktalk.co.uk",
    "talk21.com",
    "virgin.net",
    "mailo.com",
    "mail.de",
    "mail.ie",
    "iol.com",
    "iol.ie",
    "usn.com",
    "mmsn.com",
    "amail.com",
    "cmail.com",
    "dmail.com",
    "imail.com",
    "jmail.com",
    "kmail.com",
    "pmail.com",
    "qmail.com",
    "rmail.com",
    "smail.com",
    "tmail.com",
    "umail.com",
    "wmail.com",
    "xmail.com",
    "zmail.com",
    "gmail.de",
    "snail.com",
    "small.com",
    "grail.com",
    "cloud.com",
    "range.co.uk",
    "grange.co.uk",
    "orange.com",
    "orange.fr",
    "tutanota.de",
    "tutamail.com",
    "tuta.com",
    "yahoo.com.au",
    "yahoo.co.in",
    "yahoo.co.nz",
    "yahoo.co.jp",
    "yahoo.com.br",
    "outlook.com.au",
    "outlook.it",
    "outlook.in",
    "hotmail.se",
    "hotmail.no",
    "hotmail.com.au",
    "live.com.au",
    "live.se",
    "live.be",
    "sky.uk",
    "bt.com",
    "nhs.scot",
];

/// Domains that carry no mail and are what people write for another one.
const TYPOS: &[(&str, &str)] = &[
    ("gmail.co.uk", "gmail.com"),
    ("gmail.uk", "gmail.com"),
    ("gmail.net", "gmail.com"),
    ("gmail.org", "gmail.com"),
    ("googlemail.co.uk", "googlemail.com"),
    ("icloud.co.uk", "icloud.com"),
    ("icloud.uk", "icloud.com"),
    ("btinternet.co.uk", "btinternet.com"),
    ("virginmedia.co.uk", "virginmedia.com"),
    ("hotmail.uk", "hotmail.co.uk"),
    ("yahoo.uk", "yahoo.co.uk"),
    ("sky.co.uk", "sky.com"),
];

/// Endings that no registry has, and what was meant.
const ENDINGS: &[(&str, &str)] = &[
    (".co.k", ".co.uk"),
    (".couk", ".co.uk"),
    (".co.ul", ".co.uk"),
    (".co.uj", ".co.uk"),
    (".co.ukk", ".co.uk"),
    (".c.uk", ".co.uk"),
    (".cou.k", ".co.uk"),
    (".co.u", ".co.uk"),
    (".con", ".com"),
    (".cmo", ".com"),
    (".ocm", ".com"),
    (".vom", ".com"),
    (".xom", ".com"),
    (".comm", ".com"),
    (".coom", ".com"),
    (".cpm", ".com"),
    (".clm", ".com"),
    (".co.yk", ".co.uk"),
    (".co.ik", ".co.uk"),
    (".co.uo", ".co.uk"),
    (".co.uk.uk", ".co.uk"),
    (".co.u.k", ".co.uk"),
    (".c.ouk", ".co.uk"),
    (".cuk", ".co.uk"),
    (".cim", ".com"),
    (".ckm", ".com"),
    (".cok", ".com"),
    (".conm", ".com"),
    (".comn", ".com"),
    (".com.com", ".com"),
    (".comcom", ".com"),
    (".com.uk", ".co.uk"),
    (".con.uk", ".co.uk"),
    (".cpm.uk", ".co.uk"),
    (".co.uk.com", ".co.uk"),
    (".ner", ".net"),
    (".nte", ".net"),
    (".nett", ".net"),
    (".ogr", ".org"),
    (".orgg", ".org"),
];

/// Endings that registries have, and what was meant when that leads to a provider.
const LOOSE_ENDINGS: &[(&str, &str)] = &[
    (".co", ".com"),
    (".cm", ".com"),
    (".om", ".com"),
    (".c", ".com"),
    (".co.uk", ".com"),
];

/// Providers without domains below their own.
const WHOLE: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "hotmail.co.uk",
    "outlook.com",
    "live.co.uk",
    "icloud.com",
    "yahoo.co.uk",
    "btinternet.com",
];

/// A letter that is moved, and those it is moved past: "icould".
const MOVED: usize = 4;

/// More typos than this in one domain are none.
const MOST_TYPOS: usize = 4;

/// How short a provider's first label may be for a typo in it to be told from another name: "live" is one letter away
/// from "love", "life" and "olive".
const TELLING: usize = 5;

/// The domain that was probably meant, when it differs from this one. Each answer is looked at again: none is a typo itself.
pub(super) fn suggest(domain: &str) -> Option<String> {
    let meant = std::iter::successors(better(domain), |meant| better(meant));
    meant.take(MOST_TYPOS).last()
}

fn better(domain: &str) -> Option<String> {
    if known(domain) {
        return None;
    }
    let other_name = TYPOS
        .iter()
        .find(|(typo, _)| *typo == domain)
        .map(|(_, meant)| *meant)
        .or_else(|| look_alike(domain))
        .or_else(|| dotted_apart(domain))
        .or_else(|| above(domain));
    if let Some(provider) = other_name {
        return Some(provider.to_owned());
    }
    let fixed = fix_ending(domain);
    let candidate = fixed.as_deref().unwrap_or(domain);
    let near = provider(candidate)
        .or_else(|| nearest(candidate))
        .or_else(|| loosely(domain));
    near.map(str::to_owned).or(fixed)
}

fn provider(domain: &str) -> Option<&'static str> {
    PROVIDERS
        .iter()
        .copied()
        .find(|provider| *provider == domain)
}

/// The provider whose name is written with letters that look the same: of another alphabet, with accents, or "rn" for "m".
fn look_alike(domain: &str) -> Option<&'static str> {
    let (shown, _) = idna::domain_to_unicode(domain);
    let plain = shown.nfkd().filter(|c| !is_combining_mark(*c));
    let looks: String = plain.flat_map(char::to_lowercase).map(latin_look).collect();
    let joined = looks.replace("rn", "m").replace("vv", "w");
    let foreign = looks != domain;
    provider(&looks)
        .or_else(|| provider(&joined))
        .or_else(|| foreign.then(|| nearest(&looks)).flatten())
}

/// The provider above a domain that it does not have: "hotmail.gmail.com".
fn above(domain: &str) -> Option<&'static str> {
    let below = |provider: &&str| {
        domain
            .strip_suffix(provider)
            .is_some_and(|before| before.ends_with('.'))
    };
    WHOLE.iter().copied().find(below)
}

/// The provider whose name has a dot too many: "g.mail.com".
fn dotted_apart(domain: &str) -> Option<&'static str> {
    let joined = domain.replace('.', "");
    let told = |provider: &&str| provider.find('.').is_some_and(|length| length >= TELLING);
    let mut all = PROVIDERS.iter().copied().filter(told);
    all.find(|provider| provider.replace('.', "") == joined)
}

/// The two parts of an address at a provider, where the key beside that of the @ was pressed: on British keyboards it changes places with
/// `"`, and shares its key with `'` or with 2.
pub(super) fn beside_at(typed: &str) -> Option<(&str, &str)> {
    typed.match_indices(['"', '\'', '2']).find_map(|(at, key)| {
        let domain = typed.get(at + key.len()..)?;
        let is_provider = PROVIDERS.contains(&domain.to_ascii_lowercase().as_str());
        is_provider.then_some((typed.get(..at)?, domain))
    })
}

/// The provider that this is with another ending, and perhaps one more typo: "gamil.co".
fn loosely(domain: &str) -> Option<&'static str> {
    LOOSE_ENDINGS.iter().find_map(|(ending, meant)| {
        let candidate = format!("{}{meant}", domain.strip_suffix(ending)?);
        let told = candidate.find('.').is_some_and(|length| length >= TELLING);
        if REAL.contains(&candidate.as_str()) || !told {
            return None;
        }
        provider(&candidate).or_else(|| nearest(&candidate))
    })
}

/// A domain out of what is none: a comma or a semicolon for a dot, dots too many, no dot at all, a space within. None when
/// that leads nowhere. A space is fixed only on the way to a provider: what follows it is often another sentence.
pub(super) fn fix(domain: &str) -> Option<String> {
    let closed: String = domain.split_whitespace().collect();
    let labels: Vec<&str> = closed
        .split(['.', ',', ';'])
        .filter(|label| !label.is_empty())
        .collect();
    let fixed = match labels.as_slice() {
        [] => return None,
        [single] => with_its_dots(single)?.to_owned(),
        several => several.join("."),
    };
    let spaced = closed.len() < domain.len();
    (!spaced || PROVIDERS.contains(&fixed.as_str())).then_some(fixed)
}

/// The one provider that this is when its dots or its ending are left out: "gmailcom", "gmail".
fn with_its_dots(label: &str) -> Option<&'static str> {
    let without_dots = |provider: &&str| provider.replace('.', "") == label;
    if let Some(provider) = PROVIDERS.iter().copied().find(without_dots) {
        return Some(provider);
    }
    let mut named = PROVIDERS
        .iter()
        .copied()
        .filter(|provider| provider.split('.').next() == Some(label));
    let first = named.next()?;
    (label.len() >= TELLING && named.next().is_none()).then_some(first)
}

/// Whether anyone can have an address at this domain.
pub(super) fn is_provider(domain: &str) -> bool {
    PROVIDERS.contains(&domain)
}

fn known(domain: &str) -> bool {
    PROVIDERS.contains(&domain) || REAL.contains(&domain)
}

fn fix_ending(domain: &str) -> Option<String> {
    ENDINGS.iter().find_map(|(typo, meant)| {
        domain
            .strip_suffix(typo)
            .map(|stem| format!("{stem}{meant}"))
    })
}

/// The one provider that is a single typo away; none when several are, or when the domain is too short to tell.
fn nearest(domain: &str) -> Option<&'static str> {
    let stem = domain.split('.').next().unwrap_or_default();
    if stem.len() < 4 {
        return None;
    }
    let mut near = PROVIDERS.iter().copied().filter(|provider| {
        provider
            .split('.')
            .next()
            .is_some_and(|stem| stem.len() >= TELLING)
            && one_typo(domain, provider)
    });
    let first = near.next()?;
    near.next().is_none().then_some(first)
}

/// Whether one typo (a letter too many, too few, another one, or one moved by a few places) turns one into the other.
fn one_typo(typed: &str, meant: &str) -> bool {
    let (typed, meant) = (typed.as_bytes(), meant.as_bytes());
    let same_front = typed.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let (typed, meant) = (
        typed.get(same_front..).unwrap_or_default(),
        meant.get(same_front..).unwrap_or_default(),
    );
    match (typed, meant) {
        ([], []) => false,
        ([_, rest @ ..], meant) if rest == meant => true,
        (typed, [_, rest @ ..]) if typed == rest => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        (typed, meant) => (2..=MOVED).any(|length| {
            let (Some((a, after)), Some((b, rest))) = (
                typed.split_at_checked(length),
                meant.split_at_checked(length),
            ) else {
                return false;
            };
            let moved = |from: &[u8], to: &[u8]| {
                from.split_first()
                    .is_some_and(|(first, others)| to.strip_suffix(&[*first]) == Some(others))
            };
            after == rest && (moved(a, b) || moved(b, a))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{ENDINGS, LOOSE_ENDINGS, PROVIDERS, REAL, fix, suggest};

    #[test]
    fn typos_are_asked_about() {
        for (typed, meant) in [
            ("gmial.com", "gmail.com"),
            ("gamil.com", "gmail.com"),
            ("gmai.com", "gmail.com"),
            ("gmail.con", "gmail.com"),
            ("gnail.com", "gmail.com"),
            ("gmaill.com", "gmail.com"),
            ("gmail.cm", "gmail.com"),
            ("hotmail.con", "hotmail.com"),
            ("hotmial.co.uk", "hotmail.co.uk"),
            ("hotmail.couk", "hotmail.co.uk"),
            ("hotmai.com", "hotmail.com"),
            ("outlook.couk", "outlook.co.uk"),
            ("outlok.com", "outlook.com"),
            ("yahoo.co.k", "yahoo.co.uk"),
            ("yaho.co.uk", "yahoo.co.uk"),
            ("yahooo.com", "yahoo.com"),
            ("iclod.com", "icloud.com"),
            ("icloud.con", "icloud.com"),
            ("btinernet.com", "btinternet.com"),
            ("talktak.net", "talktalk.net"),
            ("virginmeda.com", "virginmedia.com"),
            ("protonmial.com", "protonmail.com"),
            ("example.con", "example.com"),
            ("googlemial.com", "googlemail.com"),
            ("aol.con", "aol.com"),
            ("sky.con", "sky.com"),
            ("gmail.co", "gmail.com"),
            ("gmail.co.uk", "gmail.com"),
            ("gmail.comm", "gmail.com"),
            ("gmail.cok", "gmail.com"),
            ("mgail.com", "gmail.com"),
            ("hotmail.co.k", "hotmail.co.uk"),
            ("live.co.k", "live.co.uk"),
            ("live.con", "live.com"),
            ("sky.couk", "sky.com"),
            ("yahoo.couk", "yahoo.co.uk"),
            ("example.co.k", "example.co.uk"),
            ("btinternet.con", "btinternet.com"),
            ("btinternet.co.uk", "btinternet.com"),
            ("virginmedia.con", "virginmedia.com"),
            ("talktalk.ner", "talktalk.net"),
            ("protonmail.con", "protonmail.com"),
            ("proton.em", "proton.me"),
            ("outlook.cm", "outlook.com"),
            ("outllok.com", "outlook.com"),
            // Two typos, the ending one of them.
            ("gmail.couk", "gmail.com"),
            ("gmail.co.k", "gmail.com"),
            ("gmail.co.ul", "gmail.com"),
            ("icloud.couk", "icloud.com"),
            ("btinternet.co.k", "btinternet.com"),
            ("gamil.co", "gmail.com"),
            ("gmial.co", "gmail.com"),
            ("gnail.co", "gmail.com"),
            ("gmial.cm", "gmail.com"),
            ("gmial.co.uk", "gmail.com"),
            ("outlok.co", "outlook.com"),
            ("icoud.co", "icloud.com"),
            ("gmail.con.uk", "gmail.com"),
            ("gmail.com.uk", "gmail.com"),
            ("hotmail.con.uk", "hotmail.co.uk"),
            ("yahoo.com.uk", "yahoo.co.uk"),
            ("example.com.uk", "example.co.uk"),
            ("gmail.comcom", "gmail.com"),
            ("hotmail.gmail.com", "gmail.com"),
            ("www.hotmail.com", "hotmail.com"),
            ("g.mail.com", "gmail.com"),
            ("hot.mail.co.uk", "hotmail.co.uk"),
            // A letter moved.
            ("icould.com", "icloud.com"),
            ("gmali.com", "gmail.com"),
            ("htomail.com", "hotmail.com"),
            ("oultook.com", "outlook.com"),
            // Letters that look the same.
            ("grnail.com", "gmail.com"),
            ("gmai1.com", "gmail.com"),
            ("0utlook.com", "outlook.com"),
        ] {
            assert_eq!(suggest(typed).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn letters_of_other_alphabets_that_look_like_a_provider_are_asked_about() {
        for (typed, meant) in [
            // Cyrillic а, о, у and х; Greek ο; a dotless i; an accent.
            ("gm\u{430}il.com", Some("gmail.com")),
            ("h\u{43e}tm\u{430}il.c\u{43e}.uk", Some("hotmail.co.uk")),
            ("yah\u{3bf}\u{3bf}.com", Some("yahoo.com")),
            ("gma\u{131}l.com", Some("gmail.com")),
            ("gmáil.com", Some("gmail.com")),
            ("gm\u{430}l.com", Some("gmail.com")),
            ("bücher.example", None),
            ("почта.рф", None),
            ("müller.de", None),
        ] {
            let ascii = idna::domain_to_ascii_strict(typed).unwrap();
            assert_eq!(suggest(&ascii).as_deref(), meant, "{typed}");
        }
    }

    #[test]
    fn no_suggestion_is_itself_a_typo() {
        let stems = PROVIDERS.iter().map(|it| it.split_once('.').unwrap().0);
        let endings = ENDINGS
            .iter()
            .chain(LOOSE_ENDINGS)
            .flat_map(|(a, b)| [*a, *b]);
        let endings: Vec<&str> = endings.collect();
        let mut asked = 0;
        for stem in stems {
            let mut spellings = vec![stem.to_owned(), format!("{stem}{stem}")];
            for at in 1..stem.len() {
                spellings.push(format!("{}{}", &stem[..at], &stem[at + 1..]));
                spellings.push(format!("{}{}", &stem[..at], &stem[at - 1..]));
            }
            for domain in spellings
                .iter()
                .flat_map(|it| endings.iter().map(move |end| format!("{it}{end}")))
            {
                if let Some(meant) = suggest(&domain) {
                    assert_eq!(suggest(&meant), None, "{domain} leads to {meant}");
                    asked += 1;
                }
            }
        }
        assert!(asked > 5_000, "{asked}");
    }

    #[test]
    fn what_is_no_domain_is_fixed() {
        for (typed, meant) in [
            ("gmail..com", Some("gmail.com")),
            ("gmail.com.", Some("gmail.com")),
            (".gmail.com", Some("gmail.com")),
            ("gmail,com", Some("gmail.com")),
            ("hotmail.co,uk", Some("hotmail.co.uk")),
            ("hotmail.co..uk", Some("hotmail.co.uk")),
            ("example..com", Some("example.com")),
            ("gmailcom", Some("gmail.com")),
            ("hotmailcouk", Some("hotmail.co.uk")),
            ("gmail", Some("gmail.com")),
            ("gmail .com", Some("gmail.com")),
            ("example .com", None),
            ("gmail.com please", None),
            ("hotmail", None),
            ("localhost", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(fix(typed).as_deref(), meant, "{typed}");
        }
    }

    #[test]
    fn the_lists_hold_each_domain_once() {
        let mut all = [PROVIDERS, REAL].concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn real_domains_are_left_alone() {
        for domain in [
            "gmail.com",
            "example.com",
            "gmx.net",
            "email.com",
            "mail.com",
            "yahoo.fr",
            "hotmail.fr",
            "nhs.uk",
            "nhs.net",
            "skye.com",
            "me.com",
            "live.ie",
            "essex.gov.uk",
            "company.co",
            "example.co",
            "proton.ch",
            "talktalk.co.uk",
            "googlemail.com",
            "live.co.uk",
            "love.com",
            "life.com",
            "olive.com",
            "plush.com",
            "nail.com",
            "rail.com",
            "main.com",
            "cloud.com",
            "grange.co.uk",
            "jmail.com",
            "rocketmail.com",
            "yahoo.com.au",
            "yahoo.co.in",
            "yahoo.co.jp",
            "hotmail.com.au",
            "outlook.com.br",
            "orange.fr",
            "wanadoo.fr",
            "laposte.net",
            "libero.it",
            "web.de",
            "t-online.de",
            "qq.com",
            "163.com",
            "naver.com",
            "yandex.com",
            "wp.pl",
            "onet.pl",
            "bt.com",
            "bbc.co.uk",
            "ox.ac.uk",
            "police.uk",
            "doctors.org.uk",
            "sainsburys.co.uk",
            "apple.com",
            "microsoft.com",
            "google.com",
            "amazon.co.uk",
            "tesco.net",
            "waitrose.com",
            "o2.co.uk",
            "o2.pl",
            "three.co.uk",
            "zen.co.uk",
            "clara.co.uk",
            "freeserve.co.uk",
            "lineone.net",
            "uwclub.net",
            "supanet.com",
            "example.cm",
            "example.om",
            "example.cam",
            "example.co.ck",
            "example.us.com",
            "example.uk.com",
            "bodybenefits.co.uk",
            "snail.co.uk",
            "mail.co.uk",
            "cloud.co.uk",
            "hey.co",
            "blueyonder.com",
            "corp.aol.com",
        ] {
            assert_eq!(suggest(domain), None, "{domain}");
        }
    }
}
