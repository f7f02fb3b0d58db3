//! Slips of the finger in the domains that people in the United Kingdom really use.
//!
//! A domain is questioned only when it is one edit away from a well-known one and is not itself a provider's, or when
//! its ending is a known slip. It is a question, never a refusal.

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

/// Real domains that only look like a slip of one of [`PROVIDERS`]; they are never questioned.
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
    "gmail.co",
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
    (".co,uk", ".co.uk"),
];

/// The domain that was probably meant, when it differs from this one.
pub(super) fn suggest(domain: &str) -> Option<String> {
    if known(domain) {
        return None;
    }
    let mended = mend_ending(domain);
    let candidate = mended.as_deref().unwrap_or(domain);
    if PROVIDERS.contains(&candidate) {
        return Some(candidate.to_owned());
    }
    nearest(candidate).map(str::to_owned).or(mended)
}

fn known(domain: &str) -> bool {
    PROVIDERS.contains(&domain) || REAL.contains(&domain)
}

fn mend_ending(domain: &str) -> Option<String> {
    ENDINGS.iter().find_map(|(slip, meant)| {
        domain
            .strip_suffix(slip)
            .map(|stem| format!("{stem}{meant}"))
    })
}

/// The one provider that is a single slip away; none when several are, or when the domain is too short to tell.
fn nearest(domain: &str) -> Option<&'static str> {
    let stem = domain.split('.').next().unwrap_or_default();
    if stem.len() < 4 {
        return None;
    }
    let mut near = PROVIDERS.iter().copied().filter(|provider| {
        provider
            .split('.')
            .next()
            .is_some_and(|stem| stem.len() >= 4)
            && one_slip(domain, provider)
    });
    let first = near.next()?;
    near.next().is_none().then_some(first)
}

/// Whether one typing slip (a letter too many, too few, another one, or two swapped) turns one into the other.
fn one_slip(typed: &str, meant: &str) -> bool {
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
        ([a, b, rest_typed @ ..], [c, d, rest_meant @ ..]) => {
            a == d && b == c && rest_typed == rest_meant
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn slips_are_asked_about() {
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
        ] {
            assert_eq!(suggest(typed).as_deref(), Some(meant), "{typed}");
        }
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
        ] {
            assert_eq!(suggest(domain), None, "{domain}");
        }
    }
}
