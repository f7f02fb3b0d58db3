//! An e-mail address that a client typed.
//!
//! The rule is that of `<input type=email>` (WHATWG HTML, "Email state"), with two labels or more in the domain,
//! since no person is reached at a bare host name; internationalised domains become punycode, as SES wants them.

use super::error::FieldError;
use super::redacted::redacted;
use crate::text;

mod typo;

redacted! {
    /// An address as it is stored and written to: the local part as typed, the domain in lower-case ASCII.
    EmailAddress
}

impl EmailAddress {
    /// The longest address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
    pub const MAX: usize = 254;

    /// Checks and cleans a typed address.
    ///
    /// # Errors
    /// When it is empty, too long, or not an address by the rule of this module.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let address = text::single_line(typed);
        if address.is_empty() {
            return Err(FieldError::EmailRequired);
        }
        let wrong = || FieldError::EmailFormat;
        let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
        let domain = ascii_domain(domain).ok_or_else(wrong)?;
        if local.is_empty() || !local.bytes().all(is_local_byte) || !is_public_domain(&domain) {
            return Err(wrong());
        }
        if local.len() + 1 + domain.len() > Self::MAX {
            return Err(FieldError::EmailTooLong);
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// The part before the last `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the last `@`, in lower-case ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address under which a person is counted: lower case, without a `+tag`, and without the dots that Gmail
    /// ignores; a local part of which nothing would be left stays whole. Never used to write to.
    #[must_use]
    pub fn canonical(&self) -> String {
        let whole = self.local_part().to_ascii_lowercase();
        let local = whole
            .split_once('+')
            .map_or(whole.as_str(), |(before, _)| before);
        let (local, domain) = match self.domain() {
            "gmail.com" | "googlemail.com" => (local.replace('.', ""), "gmail.com"),
            domain => (local.to_owned(), domain),
        };
        let local = if local.is_empty() { whole } else { local };
        format!("{local}@{domain}")
    }

    /// Whether mail systems carry it: browsers take any dots and any length before the `@`, SMTP takes 64 bytes and no dot
    /// at either end or beside another (RFC 5321, sections 4.1.2 and 4.5.3.1.1). SES refuses a whole mail over it.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        let local = self.local_part();
        local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty())
    }

    /// Whether it is at a provider where anyone can have an address.
    #[must_use]
    pub fn is_at_a_provider(&self) -> bool {
        typo::is_provider(&self.domain().to_ascii_lowercase())
    }

    /// Whether a function or a machine reads it (RFC 2142 and the customs of mail servers): an auto-reply to it helps no person
    /// and may start a loop.
    #[must_use]
    pub fn is_role(&self) -> bool {
        const ROLES: &[&str] = &[
            "abuse",
            "bounces",
            "daemon",
            "do-not-reply",
            "donotreply",
            "hostmaster",
            "list",
            "mailer-daemon",
            "no-reply",
            "nobody",
            "noreply",
            "postmaster",
            "root",
            "security",
            "spam",
            "usenet",
            "uucp",
            "webmaster",
            "www",
        ];
        let local = self.local_part().to_ascii_lowercase();
        let local = local
            .split_once('+')
            .map_or(local.as_str(), |(before, _)| before);
        ROLES.contains(&local)
    }

    /// Reads a typed address, and with it what the client probably meant when it looks like a typo: a wrong domain, a
    /// comma for a dot, a dot too many or none at all. What was typed need not be an address for that.
    pub fn read(typed: &str) -> (Result<Self, FieldError>, Option<Self>) {
        let parsed = Self::parse(typed);
        let meant = match &parsed {
            Ok(address) => address.suggestion(),
            Err(_) => Self::fixed(typed),
        };
        (parsed, meant)
    }

    fn suggestion(&self) -> Option<Self> {
        let domain = typo::suggest(self.domain());
        // No mail system carries a dot at either end or beside another, and "www." belongs to no address.
        let local = self.local_part();
        let local = local.strip_prefix("www.").unwrap_or(local);
        let atoms = local.split('.').filter(|atom| !atom.is_empty());
        let local = atoms.collect::<Vec<_>>().join(".");
        let dotted = local != self.local_part() && !local.is_empty();
        if domain.is_none() && !dotted {
            return None;
        }
        let local = if dotted { &local } else { self.local_part() };
        Some(Self(format!(
            "{local}@{}",
            domain.as_deref().unwrap_or(self.domain())
        )))
    }

    fn fixed(typed: &str) -> Option<Self> {
        let typed = text::single_line(typed).replace('\u{ff20}', "@");
        // "Zoë <zoe@example.com>", as an address book copies it.
        let within = typed.split_once('<').map_or(&*typed, |(_, within)| within);
        let within = within.strip_prefix("mailto:").unwrap_or(within);
        let around = |c: char| c.is_whitespace() || "<>()[]\"'“”‘’".contains(c);
        let bare = within.trim_matches(around);
        let (local, domain) = bare.rsplit_once('@').or_else(|| typo::beside_at(bare))?;
        let domain = typo::fix(&domain.to_lowercase())?;
        let local = local.trim_end_matches(['@', ' ']).replace(',', ".");
        let address = Self::parse(&format!("{local}@{domain}")).ok()?;
        Some(address.suggestion().unwrap_or(address))
    }
}

/// The domain in lower-case ASCII; only a domain that is not ASCII goes through IDNA (UTS #46).
fn ascii_domain(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_ascii_lowercase());
    }
    idna::domain_to_ascii_strict(domain).ok()
}

/// The characters that the WHATWG rule allows before the `@`.
const fn is_local_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'.' | b'!'
                | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
                | b'-'
        )
}

/// Two labels or more, each of 1 to 63 letters, digits and inner hyphens.
fn is_public_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_by_the_rule_of_browsers_are_accepted() {
        for (typed, stored) in [
            ("zoe@example.com", "zoe@example.com"),
            (
                "  Zoe.O'Brien+tag@EXAMPLE.Co.Uk ",
                "Zoe.O'Brien+tag@example.co.uk",
            ),
            ("a..b@example.com", "a..b@example.com"),
            (".@example.com", ".@example.com"),
            ("zoe@\u{200b}example.com", "zoe@example.com"),
            ("zoe@bücher.example", "zoe@xn--bcher-kva.example"),
            ("zoe@例え.example", "zoe@xn--r8jz45g.example"),
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), stored);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for typed in [
            "zoe",
            "@example.com",
            "zoe@",
            "zoe@localhost",
            "zoe@-example.com",
            "zoe@example-.com",
            "zoe@example..com",
            "zoe@.example.com",
            "zoe@example.com.",
            "z oe@example.com",
            "\"zoe\"@example.com",
            "zoë@example.com",
            "zoe@[127.0.0.1]",
            "a@b@example.com",
            "zoe@exa_mple.com",
            "zoe@example.com\r\nBcc: x@example.com",
            "zoe@exam\u{0}ple.com",
        ] {
            assert_eq!(
                EmailAddress::parse(typed).unwrap_err().code(),
                "email_format",
                "{typed:?}"
            );
        }
        let label = "a".repeat(63);
        let long = format!("zoe@{label}.{label}.{label}.{}.com", "a".repeat(60));
        assert_eq!(
            EmailAddress::parse(&long).unwrap_err().code(),
            "email_too_long"
        );
        assert_eq!(
            EmailAddress::parse(&format!("zoe@{}.com", "a".repeat(64)))
                .unwrap_err()
                .code(),
            "email_format"
        );
    }

    #[test]
    fn what_mail_systems_do_not_carry_is_known() {
        for (typed, carried) in [
            ("zoe.brien@example.com", true),
            (".zoe@example.com", false),
            ("zoe.@example.com", false),
            ("z..oe@example.com", false),
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().is_carried(), carried);
        }
        for (length, carried) in [(64, true), (65, false)] {
            let typed = format!("{}@example.com", "a".repeat(length));
            assert_eq!(EmailAddress::parse(&typed).unwrap().is_carried(), carried);
        }
    }

    #[test]
    fn one_person_is_counted_once() {
        for typed in [
            "zoe.brien@gmail.com",
            "ZoeBrien+massage@googlemail.com",
            "z.o.e.brien@GMAIL.com",
        ] {
            assert_eq!(
                EmailAddress::parse(typed).unwrap().canonical(),
                "zoebrien@gmail.com"
            );
        }
        for (typed, folded) in [
            ("Zoe.B@example.com", "zoe.b@example.com"),
            // Without a name before it, a tag is no tag: these are two people.
            ("+zoe@example.com", "+zoe@example.com"),
            ("+ann@googlemail.com", "+ann@gmail.com"),
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().canonical(), folded);
        }
    }

    #[test]
    fn what_was_meant_is_told_of_what_is_no_address() {
        for (typed, meant) in [
            ("Zoë <zoe@example.com>", Some("zoe@example.com")),
            ("<zoe@example.com>", Some("zoe@example.com")),
            ("mailto:zoe@example.com", Some("zoe@example.com")),
            ("(zoe@example.com)", Some("zoe@example.com")),
            ("“zoe@gmail.com”", Some("zoe@gmail.com")),
            ("zoe@@example.com", Some("zoe@example.com")),
            ("zoe,brien@example.com", Some("zoe.brien@example.com")),
            ("zoe＠example.com", Some("zoe@example.com")),
            ("www.zoe@example.com", Some("zoe@example.com")),
            ("zoe\"gmail.com", Some("zoe@gmail.com")),
            ("zoe'hotmail.co.uk", Some("zoe@hotmail.co.uk")),
            ("zoe2gmail.com", Some("zoe@gmail.com")),
            ("zoe\"example.com", None),
            ("zoe2you.example", None),
            ("zoe@example.com (work)", None),
            ("zoe@example.com, jo@example.com", None),
            ("zoe brien@example.com", None),
            ("zoe@example.com", None),
        ] {
            let (_, found) = EmailAddress::read(typed);
            let found = found.as_ref().map(EmailAddress::as_str);
            assert_eq!(found, meant, "{typed}");
        }
    }
}
