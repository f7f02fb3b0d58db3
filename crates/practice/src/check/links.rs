//! Where the texts of a practice link to. They are plain, but mail programs make links of what looks like an address.

/// Where links may lead.
#[derive(Clone, Copy)]
pub(super) enum Links<'e> {
    /// Only to this site; nowhere while the practice has none.
    To(Option<&'e str>),
    Anywhere,
}

/// The ends of names that mail programs link without "www." before or a path behind.
const ENDINGS: [&str; 24] = [
    "app", "biz", "club", "co", "com", "de", "dev", "eu", "fr", "ie", "info", "io", "life", "link",
    "me", "net", "online", "org", "shop", "site", "top", "uk", "us", "xyz",
];

/// What stands around a word beside spaces.
const AROUND: [char; 14] = [
    '<', '>', '(', ')', '[', ']', '{', '}', '"', '“', '”', '|', ',', ';',
];

impl Links<'_> {
    /// The first word that links to another site.
    pub(super) fn foreign<'t>(&self, text: &'t str) -> Option<&'t str> {
        let Self::To(own) = self else { return None };
        // A link has a stop or a colon inside. Every function starts with a check of all texts, few of which have one there.
        let inside = |two: &[u8]| matches!(two, [b'.' | b':', next] if !next.is_ascii_whitespace());
        if !text.as_bytes().windows(2).any(inside) {
            return None;
        }
        let words = text.split(|c: char| c.is_whitespace() || AROUND.contains(&c));
        let words = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/'));
        let mut links = words.filter(|word| is_link(word));
        links.find(|word| {
            let site = site(word);
            !own.is_some_and(|own| own.eq_ignore_ascii_case(site))
        })
    }
}

/// The site of a web address, without "www.".
pub(super) fn site(address: &str) -> &str {
    let address = address.trim();
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    // What stands before an @ is a name, however much it looks like a site.
    let host = host.rsplit('@').next().unwrap_or(host);
    match host.split_at_checked(WWW.len()) {
        Some((www, bare)) if www.eq_ignore_ascii_case(WWW) => bare,
        _ => host,
    }
}

const WWW: &str = "www.";

fn is_link(word: &str) -> bool {
    let small = word.to_lowercase();
    if small.contains("://") || small.starts_with(WWW) {
        return true;
    }
    let (host, has_path) = match small.split_once('/') {
        Some((host, _)) => (host, true),
        None => (small.as_str(), false),
    };
    let Some((name, ending)) = host.rsplit_once('.') else {
        return false;
    };
    let is_name = |part: &str| {
        let fits = |c: char| c.is_alphanumeric() || c == '-';
        !part.is_empty() && part.chars().all(fits)
    };
    // An email address is none.
    name.split('.').all(is_name)
        && (ENDINGS.contains(&ending)
            || has_path && ending.len() > 1 && ending.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_another_site_are_found_and_nothing_else() {
        let own = Links::To(Some(site("https://www.quiet-hands.example.org/")));
        for (text, found) in [
            (
                "Read https://evil.example/pay now.",
                Some("https://evil.example/pay"),
            ),
            ("See (www.evil.example).", Some("www.evil.example")),
            ("Pay at Evil-Pay.co.uk, please", Some("Evil-Pay.co.uk")),
            ("Pay at evil.example/pay.", Some("evil.example/pay")),
            // Neither is what it looks like.
            (
                "https://quiet-hands.example.org@evil.example/",
                Some("https://quiet-hands.example.org@evil.example/"),
            ),
            (
                "https://quiet-hands.example.org.evil.example",
                Some("https://quiet-hands.example.org.evil.example"),
            ),
            (
                "https://evil.example\\@quiet-hands.example.org",
                Some("https://evil.example\\@quiet-hands.example.org"),
            ),
            (
                "https://quiet-hands.example.org/prices, www.Quiet-Hands.example.org and quiet-hands.example.org/faq",
                None,
            ),
            (
                "Write to zoe@example.com. See you, e.g. at 9.30am or 2/3 p.m.",
                None,
            ),
            ("A missing space.Then more; and/or less", None),
        ] {
            assert_eq!(own.foreign(text), found, "{text}");
        }
        let none = Links::To(None);
        assert_eq!(none.foreign("At quiet-hands.org"), Some("quiet-hands.org"));
        assert_eq!(Links::Anywhere.foreign("https://evil.example"), None);
    }
}
