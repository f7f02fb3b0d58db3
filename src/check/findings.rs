//! The findings of a check, in words: for the therapist, and for the person who looks after her desk. Pure.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::aws::Subscription;
use crate::messages::check as words;
use crate::practice::{Practice, date_in_words};
use crate::record::{Finding, Level, NightlyTest, Step, StepPage};
use crate::ses::{Account, Advice, ConfigurationSet, Identity};
use crate::store::Protection;

/// How much of the day's quota may be used before it is worth a word.
const QUOTA_NEAR: f64 = 0.8;

fn finding(key: &str, level: Level, what: impl Into<String>) -> Finding {
    Finding {
        key: key.to_owned(),
        level,
        what: what.into(),
        next: None,
        page: None,
        paste: Vec::new(),
    }
}

fn ok(key: &str, what: impl Into<String>) -> Finding {
    finding(key, Level::Ok, what)
}

fn warning(key: &str, what: impl Into<String>, next: &str) -> Finding {
    finding(key, Level::Warning, what).next(next)
}

fn error(key: &str, what: impl Into<String>, next: &str) -> Finding {
    finding(key, Level::Error, what).next(next)
}

impl Finding {
    fn next(mut self, next: &str) -> Self {
        self.next = Some(next.to_owned());
        self
    }

    fn page(mut self, path: &str, name: &str) -> Self {
        let (path, name) = (path.to_owned(), name.to_owned());
        self.page = Some(StepPage { path, name });
        self
    }

    /// The next step is to look through the enquiries.
    fn enquiries(self) -> Self {
        self.page("/desk/enquiries", words::page::ENQUIRIES)
    }

    fn form(self) -> Self {
        self.page("/", words::page::FORM)
    }

    fn copy(self) -> Self {
        self.page("/form", words::page::COPY)
    }

    fn paste(mut self, lines: Vec<String>) -> Self {
        self.paste = lines;
        self
    }
}

/// Something did not answer: it is not known how it stands.
pub(super) fn unasked(source: &str, name: &str, code: &str) -> Finding {
    let next = match code {
        "AccessDeniedException" | "AccessDenied" | "AuthorizationError" => words::REFUSED,
        _ => words::UNANSWERED,
    };
    let what = words::unasked(code, name);
    warning(&format!("asked-{source}"), what, next)
}

/// What is found in the state of the account.
#[must_use]
pub fn account(account: &Account) -> Vec<Finding> {
    let production = if account.production {
        ok("replies", words::replies::OK)
    } else {
        error("replies", words::replies::SANDBOX, words::replies::NEXT)
    };
    let sending = if account.sending {
        ok("sending", words::sending::OK)
    } else {
        error("sending", words::sending::PAUSED, words::sending::NEXT)
    };
    let standing = {
        use words::standing as words;
        match account.enforcement.as_str() {
            "HEALTHY" => ok("standing", words::OK),
            "PROBATION" => warning("standing", words::PROBATION, words::PROBATION_NEXT).enquiries(),
            other => error("standing", words::shut(other), words::SHUT_NEXT),
        }
    };
    let quota = {
        use words::quota as words;
        match account.quota {
            Some((sent, most)) if sent >= most => {
                error("quota", words::used_up(most), words::USED_UP_NEXT)
            }
            Some((sent, most)) if sent >= most * QUOTA_NEAR => {
                warning("quota", words::near(most, sent), words::NEAR_NEXT).enquiries()
            }
            _ => ok("quota", words::OK),
        }
    };
    vec![production, sending, standing, quota]
}

/// What is found in the sender's identity, for this address in this region.
#[must_use]
pub fn identity(
    sender: &str,
    at_a_provider: bool,
    identity: Option<&Identity>,
    region: &str,
) -> Vec<Finding> {
    let own = if at_a_provider {
        use words::own_domain as words;
        error("own-domain", words::provider(sender), words::NEXT)
    } else {
        ok("own-domain", words::own_domain::OK)
    };
    let Some(identity) = identity else {
        use words::sender as words;
        let domain = sender.rsplit('@').next().unwrap_or_default();
        let what = words::unknown(domain, sender);
        return vec![error("sender", what, words::UNKNOWN_NEXT), own];
    };
    let name = &identity.name;
    let sender = {
        use words::sender as words;
        if identity.verified {
            ok("sender", words::ok(name))
        } else {
            error("sender", words::unverified(name), words::UNVERIFIED_NEXT)
                .paste(dkim_records(identity))
        }
    };
    let signed = {
        use words::dkim as words;
        match (identity.signed, name.contains('@')) {
            (true, _) => ok("dkim", words::OK),
            (false, true) => warning("dkim", words::address_only(name), words::ADDRESS_ONLY_NEXT),
            (false, false) => {
                error("dkim", words::UNSIGNED, words::UNSIGNED_NEXT).paste(dkim_records(identity))
            }
        }
    };
    let mail_from = {
        use words::mail_from as words;
        match &identity.mail_from {
            None => ok("mail-from", words::NONE),
            Some((domain, true)) => ok("mail-from", words::ok(domain)),
            Some((domain, false)) => {
                let feedback = format!("10 feedback-smtp.{region}.amazonses.com");
                let records = vec![record(domain, "MX", &feedback), record(domain, "TXT", SPF)];
                warning("mail-from", words::missing(domain), words::NEXT).paste(records)
            }
        }
    };
    // The records that verify a domain are those that sign its emails: they are asked for once.
    let signed = identity.verified.then_some(signed);
    [Some(own), Some(sender), signed, Some(mail_from)]
        .into_iter()
        .flatten()
        .collect()
}

/// The policy of a domain that only begins with one.
const DMARC: &str = "\"v=DMARC1; p=none;\"";
/// Which servers a MAIL FROM domain sends from.
const SPF: &str = "\"v=spf1 include:amazonses.com ~all\"";

fn dkim_records(identity: &Identity) -> Vec<String> {
    let records = identity.tokens.iter().map(|token| {
        let name = format!("{token}._domainkey.{}", identity.name);
        record(&name, "CNAME", &format!("{token}.dkim.amazonses.com"))
    });
    records.collect()
}

/// A record of the DNS, as it is entered.
fn record(name: &str, kind: &str, value: &str) -> String {
    format!("{name} {kind} {value}").trim_start().to_owned()
}

/// What SES advises; BIMI is said to be not worth it.
pub(super) fn advice(advice: &[Advice], domain: &str) -> Vec<Finding> {
    use words::advice as words;
    let mut findings = Vec::new();
    for it in advice {
        let mut finding = match it.kind.as_str() {
            "BIMI" => ok("bimi", words::BIMI),
            "DMARC" => warning("dmarc", words::DMARC, words::DMARC_NEXT).paste(vec![record(
                &format!("_dmarc.{domain}"),
                "TXT",
                DMARC,
            )]),
            "SPF" => {
                warning("spf", words::SPF, words::SPF_NEXT).paste(vec![record("", "TXT", SPF)])
            }
            "DKIM" => warning("dkim-advice", words::dkim(&it.words), words::DKIM_NEXT),
            "BOUNCE" => warning("bounces", words::BOUNCES, words::BOUNCES_NEXT).enquiries(),
            "COMPLAINT" => {
                warning("complaints", words::COMPLAINTS, words::COMPLAINTS_NEXT).enquiries()
            }
            kind => {
                let key = format!("advice-{}", kind.to_ascii_lowercase());
                warning(&key, words::other(&it.words), words::OTHER_NEXT)
            }
        };
        if it.high {
            finding.what = crate::messages::check::important(finding.what);
        }
        findings.push(finding);
    }
    if findings.iter().all(|it| it.level == Level::Ok) {
        findings.push(ok("advice", words::OK));
    }
    findings
}

/// SES does not write to the therapist while it is in its sandbox.
pub(super) fn unconfirmed(address: &str) -> Finding {
    use words::recipient as words;
    error("recipient", words::unconfirmed(address), words::NEXT)
}

/// Whether emails can leave with their configuration sets, what becomes of them is reported, and hers are never held back.
pub(super) fn sets(sets: &[ConfigurationSet]) -> Vec<Finding> {
    use words::sets as words_of;
    let first = |is_wrong: fn(&ConfigurationSet) -> bool| sets.iter().find(|it| is_wrong(it));
    let missing = first(|it| it.sending.is_none());
    let paused = first(|it| it.sending == Some(false));
    let sending = match (missing, paused) {
        (Some(set), _) => error("sets", words_of::missing(&set.name), words::PUT_RIGHT),
        (None, Some(set)) => error("sets", words_of::paused(&set.name), words_of::PAUSED_NEXT),
        (None, None) => ok("sets", words_of::OK),
    };
    let reports = match first(|it| !it.reports) {
        Some(set) => error("reports", words_of::silent(&set.name), words::PUT_RIGHT),
        None => ok("reports", words_of::REPORTS_OK),
    };
    let hers = match first(|it| it.suppresses_hers) {
        Some(set) => warning(
            "held-back",
            words_of::held_back(&set.name),
            words::PUT_RIGHT,
        ),
        None => ok("held-back", words_of::NOT_HELD_BACK),
    };
    vec![sending, reports, hers]
}

/// Whether what the desk itself needs can be read: its secret, and what was saved under "Your practice".
pub(super) fn own(has_keys: bool, practice: Result<(), Unread>) -> Vec<Finding> {
    let secret = {
        use words::secret as words;
        if has_keys {
            ok("secret", words::OK)
        } else {
            error("secret", words::UNREAD, words::NEXT)
        }
    };
    let practice = {
        use words::practice as words;
        match practice {
            Ok(()) => ok("practice", words::OK),
            Err(Unread::Wrong) => error("practice", words::WRONG, words::WRONG_NEXT)
                .page("/desk/practice", crate::messages::check::page::PRACTICE),
            Err(Unread::Newer) => error("practice", words::WRONG, words::NEWER_NEXT),
        }
    };
    vec![secret, practice]
}

/// Why what was saved under "Your practice" does not hold.
pub(super) enum Unread {
    /// Something in it is wrong.
    Wrong,
    /// A newer version wrote it.
    Newer,
}

pub(super) fn table(table: &Protection) -> Vec<Finding> {
    use words::table as words_of;
    let row = |key: &str, well: bool, level, good: &str, bad: &str| {
        if well {
            ok(key, good)
        } else {
            finding(key, level, bad).next(words::PUT_RIGHT)
        }
    };
    vec![
        row(
            "expiry",
            table.expiry,
            Level::Error,
            words_of::expiry::OK,
            words_of::expiry::OFF,
        ),
        row(
            "recovery",
            table.recovery,
            Level::Error,
            words_of::recovery::OK,
            words_of::recovery::OFF,
        ),
        row(
            "deletion",
            table.deletion,
            Level::Warning,
            words_of::deletion::OK,
            words_of::deletion::OFF,
        ),
        row(
            "stream",
            table.stream,
            Level::Error,
            words_of::stream::OK,
            words_of::stream::OFF,
        ),
    ]
}

pub(super) fn alarms(subscriptions: &[Subscription], is_hers: impl Fn(&str) -> bool) -> Finding {
    use words::alarms as words;
    let emails = || subscriptions.iter().filter(|it| it.protocol == "email");
    let confirmed = || emails().filter(|it| it.confirmed);
    match (emails().next(), confirmed().next()) {
        (None, _) => error("alarms", words::NONE, words::NONE_NEXT),
        (Some(first), None) => {
            let what = words::unconfirmed(&first.endpoint);
            error("alarms", what, words::UNCONFIRMED_NEXT)
        }
        _ if confirmed().all(|it| is_hers(&it.endpoint)) => {
            warning("alarms", words::HERS, words::HERS_NEXT)
        }
        _ => ok("alarms", words::OK),
    }
}

/// How the last nightly test went.
pub(super) fn nightly(test: Option<&NightlyTest>, now: Timestamp) -> Finding {
    use words::nightly as words;
    let Some(test) = test else {
        return ok("nightly", words::FIRST);
    };
    let days = now.duration_since(test.started_at).as_hours() / 24;
    let failed = |what: &str, next: &str| error("nightly", what, next);
    match test.failed {
        Some(Step::Door) => failed(words::DOOR, words::DOOR_NEXT).form(),
        Some(Step::Table) => failed(words::TABLE, words::TABLE_NEXT).form(),
        Some(Step::Stream) => failed(words::STREAM, words::STREAM_NEXT),
        Some(Step::Ses) => failed(words::SES, words::SES_NEXT),
        Some(Step::Report) => failed(words::REPORT, words::REPORT_NEXT),
        None if days >= 2 => failed(words::STOPPED, words::STOPPED_NEXT),
        None if test.missing().is_none() => ok("nightly", words::OK),
        None => ok("nightly", words::UNDER_WAY),
    }
}

/// Whether days off lie ahead.
pub(super) fn holidays(practice: &Practice, today: Date) -> Finding {
    use words::holidays as words_of;
    match practice.holidays.iter().map(|it| it.last).max() {
        Some(last) if last >= today => ok("holidays", words_of::ok(date_in_words(last))),
        _ => warning("holidays", words_of::NONE, words_of::NEXT)
            .page("/desk/practice/away", words::page::HOLIDAYS),
    }
}

/// What pages of the site have posted, and on which day such a page was seen last.
pub(super) fn site(old_wording: Option<&str>, unknown_fields: Option<&str>) -> Vec<Finding> {
    use words::site as words;
    let wording = match old_wording {
        None => ok("wording", words::WORDING_OK),
        Some(day) => warning("wording", words::wording(day), words::WORDING_NEXT).copy(),
    };
    let fields = match unknown_fields {
        None => ok("fields", words::FIELDS_OK),
        Some(day) => warning("fields", words::fields(day), words::FIELDS_NEXT).copy(),
    };
    vec![wording, fields]
}
