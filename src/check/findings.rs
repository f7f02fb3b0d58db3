//! What a check makes of what it was told, in words: for the therapist, and for the person who looks after her desk. Pure.
//!
//! One file because these are words, and each stands beside what it says something about.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::aws::Subscription;
use crate::practice::{Practice, date_in_words};
use crate::record::{Finding, Level, NightlyTest, Step};
use crate::ses::{Account, Advice, Identity};
use crate::store::Protection;

/// How much of the day's quota may be used before it is worth a word.
const QUOTA_NEAR: f64 = 0.8;
/// Who deploys the desk.
const DEPLOY: &str =
    "Ask the person who looks after your desk to deploy it again as it is: that switches this on.";

fn finding(key: &str, level: Level, what: impl Into<String>) -> Finding {
    Finding {
        key: key.to_owned(),
        level,
        what: what.into(),
        next: None,
        paste: Vec::new(),
    }
}

fn ok(key: &str, what: impl Into<String>) -> Finding {
    finding(key, Level::Ok, what)
}

impl Finding {
    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    fn paste(mut self, lines: Vec<String>) -> Self {
        self.paste = lines;
        self
    }
}

/// Something did not answer: it is not known how it stands.
pub(super) fn unasked(source: &str, name: &str, code: &str) -> Finding {
    let what = format!("{name} could not be asked ({code}), so it’s not known whether it is well.");
    let next = if matches!(
        code,
        "AccessDeniedException" | "AccessDenied" | "AuthorizationError"
    ) {
        "Your desk is not allowed to ask. Ask the person who looks after it to deploy the newest version."
    } else {
        "Check again in an hour. If it says the same tomorrow, ask the person who looks after your desk."
    };
    finding(&format!("asked-{source}"), Level::Warning, what).next(next)
}

pub(super) fn account(account: &Account) -> Vec<Finding> {
    let production = match account.production {
        true => ok("replies", "Amazon SES lets your desk write to anyone, so clients get their automatic reply."),
        false => finding(
            "replies",
            Level::Error,
            "Amazon SES is still in its sandbox: enquiries reach you, and clients get no automatic reply.",
        )
        .next(
            "In the SES console, choose “Get set up” and “Request production access”. Amazon answers within a day or so. Replies \
             then start by themselves, and your desk tells you.",
        ),
    };
    let sending = match account.sending {
        true => ok("sending", "Amazon SES takes emails from your desk."),
        false => finding("sending", Level::Error, "Amazon SES has paused sending for your account. Your emails wait, and nothing is lost.")
            .next("Read Amazon’s email about it, at the address of the AWS account, and answer it. Emails leave by themselves afterwards."),
    };
    let standing = match account.enforcement.as_str() {
        "HEALTHY" => ok("standing", "Amazon SES has nothing against your account."),
        "PROBATION" => finding(
            "standing",
            Level::Warning,
            "Amazon SES is reviewing your account, most likely because emails came back or were reported as spam.",
        )
        .next("Read Amazon’s email about it. Look for enquiries with made-up addresses, and call them spam on your desk."),
        other => finding("standing", Level::Error, format!("Amazon SES has shut your account’s sending down ({other})."))
            .next("Answer Amazon’s email about it, or open a case with AWS Support. Enquiries are kept, and their emails leave afterwards."),
    };
    let quota = match account.quota {
        Some((sent, most)) if sent >= most => finding(
            "quota",
            Level::Error,
            format!("All {most} emails that Amazon SES lets you send in a day have left. Further ones wait."),
        )
        .next("They leave by themselves within a day. If this comes again, ask for a higher quota in the SES console."),
        Some((sent, most)) if sent >= most * QUOTA_NEAR => finding(
            "quota",
            Level::Warning,
            format!("{sent} of the {most} emails that Amazon SES lets you send in a day have left."),
        )
        .next("If that is no flood of spam, ask for a higher quota in the SES console."),
        _ => ok("quota", "There’s plenty left of the emails that Amazon SES lets you send in a day."),
    };
    vec![production, sending, standing, quota]
}

pub(super) fn identity(
    sender: &str,
    at_a_provider: bool,
    identity: Option<&Identity>,
    region: &str,
) -> Vec<Finding> {
    let own = match at_a_provider {
        false => ok("own-domain", "Your emails come from a domain of your own."),
        true => finding(
            "own-domain",
            Level::Error,
            format!("Your emails come from {sender}. That provider tells the world to distrust its addresses when others send them, so many land in spam."),
        )
        .next("Deploy with a sender at a domain of your own, such as desk@your-practice.example."),
    };
    let Some(identity) = identity else {
        let domain = sender.rsplit('@').next().unwrap_or_default();
        let missing = finding("sender", Level::Error, format!("Neither {sender} nor {domain} is known to Amazon SES, so no email can leave."))
            .next("In the SES console, choose “Identities” and “Create identity”, and enter the domain. Emails that wait leave afterwards.");
        return vec![missing, own];
    };
    let name = &identity.name;
    let sender = match identity.verified {
        true => ok("sender", format!("{name} is verified at Amazon SES.")),
        false => finding("sender", Level::Error, format!("{name} is not verified at Amazon SES, so no email can leave."))
            .next("Enter the records below in the DNS of the domain, or follow the link in the email from Amazon. Emails that wait leave afterwards.")
            .paste(dkim_records(identity)),
    };
    let signed = match (identity.signed, name.contains('@')) {
        (true, _) => ok("dkim", "Your emails are signed (DKIM)."),
        (false, true) => finding("dkim", Level::Warning, format!("Amazon SES knows {name} as an address only, so your emails are not signed (DKIM) and may land in spam."))
            .next("In the SES console, create an identity for the whole domain, and enter the records that it shows in your DNS."),
        (false, false) => finding("dkim", Level::Error, "Your emails are not signed (DKIM), so they may land in spam.")
            .next("Enter these records in the DNS of the domain. Amazon notices within three days.")
            .paste(dkim_records(identity)),
    };
    let mail_from = match &identity.mail_from {
        None => ok("mail-from", "There is no MAIL FROM domain of your own, and you don’t need one: the signature (DKIM) vouches for you."),
        Some((domain, true)) => ok("mail-from", format!("Emails that come back go to {domain} (MAIL FROM).")),
        Some((domain, false)) => finding("mail-from", Level::Warning, format!("The MX record of {domain} (MAIL FROM) is missing or wrong, and Amazon SES silently uses a domain of its own."))
            .next("Enter these records in your DNS.")
            .paste(vec![
                format!("{domain} MX 10 feedback-smtp.{region}.amazonses.com"),
                format!("{domain} TXT \"v=spf1 include:amazonses.com ~all\""),
            ]),
    };
    vec![own, sender, signed, mail_from]
}

fn dkim_records(identity: &Identity) -> Vec<String> {
    let records = identity.tokens.iter().map(|token| {
        let name = &identity.name;
        format!("{token}._domainkey.{name} CNAME {token}.dkim.amazonses.com")
    });
    records.collect()
}

/// What SES advises; BIMI is said to be not worth it.
pub(super) fn advice(advice: &[Advice], domain: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for it in advice {
        let level = Level::Warning;
        findings.push(match it.kind.as_str() {
            "BIMI" => ok(
                "bimi",
                "Amazon SES advises BIMI, which shows a logo beside your emails. It isn’t worth it for a small practice: it takes a \
                 certificate that costs more each year than everything else here.",
            ),
            "DMARC" => finding("dmarc", level, "Your domain has no DMARC record, or one that Amazon SES doesn’t like. Some mailboxes then distrust your emails.")
                .next("Enter this record in the DNS of your domain. If there is one at this name already, keep it and ask who looks after your domain.")
                .paste(vec![format!("_dmarc.{domain} TXT \"v=DMARC1; p=none;\"")]),
            "SPF" => finding("spf", level, "The SPF record of your MAIL FROM domain is missing or wrong.")
                .next("Enter this record in the DNS of the MAIL FROM domain.")
                .paste(vec!["TXT \"v=spf1 include:amazonses.com ~all\"".to_owned()]),
            "DKIM" => finding("dkim-advice", level, format!("Amazon SES is not happy with your signature (DKIM): {}", it.words))
                .next("Open the domain in the SES console, and follow what it says about DKIM."),
            "BOUNCE" => finding("bounces", level, "Many of your emails come back.")
                .next("Look for enquiries with made-up addresses, and call them spam on your desk."),
            "COMPLAINT" => finding("complaints", level, "People report your emails as spam.")
                .next("Look for enquiries that were sent in other people’s names, and call them spam on your desk."),
            kind => finding(&format!("advice-{}", kind.to_ascii_lowercase()), level, format!("Amazon SES advises: {}", it.words))
                .next("Open “Virtual Deliverability Manager” in the SES console, and follow what it says."),
        });
        if it.high
            && let Some(last) = findings.last_mut()
        {
            let _ = write!(last.what, " Amazon calls this important.");
        }
    }
    if findings.iter().all(|it| it.level == Level::Ok) {
        findings.push(ok("advice", "Amazon SES has no other advice for you."));
    }
    findings
}

pub(super) fn table(table: &Protection) -> Vec<Finding> {
    let row = |key: &str, well: bool, level, good: &str, bad: &str| match well {
        true => ok(key, good),
        false => finding(key, level, bad).next(DEPLOY),
    };
    vec![
        row(
            "expiry",
            table.expiry,
            Level::Error,
            "Enquiries are deleted when their time is up.",
            "Enquiries are not deleted when their time is up, as your privacy notice promises: the table’s expiry is off.",
        ),
        row(
            "recovery",
            table.recovery,
            Level::Error,
            "After an accident, the table can be put back as it was at any moment of the last 35 days.",
            "After an accident, the table could not be put back: its recovery is off.",
        ),
        row(
            "deletion",
            table.deletion,
            Level::Warning,
            "The table can’t be deleted by mistake.",
            "The table could be deleted by mistake: its protection is off.",
        ),
        row(
            "stream",
            table.stream,
            Level::Error,
            "New enquiries wake your desk at once.",
            "New enquiries don’t wake your desk: the table’s stream is off, and emails leave only when the timer comes round.",
        ),
    ]
}

pub(super) fn alarms(subscriptions: &[Subscription], is_hers: impl Fn(&str) -> bool) -> Finding {
    let emails = || subscriptions.iter().filter(|it| it.protocol == "email");
    let confirmed = || emails().filter(|it| it.confirmed);
    if confirmed().next().is_none() {
        let address = emails()
            .next()
            .map_or("no address", |it| it.endpoint.as_str());
        return finding("alarms", Level::Error, format!("Alarms reach no mailbox: {address} has not confirmed that it wants them."))
            .next(
                "Look in that mailbox (and in its spam) for “AWS Notification - Subscription Confirmation”, and follow the link. It is good \
                 for two days: after that, ask the person who looks after your desk to subscribe the address again.",
            );
    }
    if confirmed().all(|it| is_hers(&it.endpoint)) {
        return finding(
            "alarms",
            Level::Warning,
            "Alarms go to the mailbox that enquiries go to. When that mailbox fails, the alarm about it can’t be read.",
        )
        .next("Deploy with another address for alarms, such as a second mailbox or that of the person who looks after your desk.");
    }
    ok("alarms", "Alarms reach a mailbox that has confirmed it.")
}

/// How the last nightly test went.
pub(super) fn nightly(test: Option<&NightlyTest>, now: Timestamp) -> Finding {
    let Some(test) = test else {
        return ok(
            "nightly",
            "The first nightly test is made between 3am and 4am.",
        );
    };
    let days = now.duration_since(test.started_at).as_hours() / 24;
    let (what, next) = match test.failed {
        Some(Step::Door) => (
            "The form can’t be reached from outside.",
            "Open the address of your form in a browser. If it doesn’t answer, ask the person who looks after your desk at once: clients can’t write to you.",
        ),
        Some(Step::Table) => (
            "The table doesn’t take enquiries.",
            "Send yourself an enquiry. If it arrives marked as not stored, or the form asks you to call, ask the person who looks after your desk to look at DynamoDB.",
        ),
        Some(Step::Stream) => (
            "New enquiries don’t wake your desk, so emails leave late.",
            "Ask the person who looks after your desk to look at the function’s trigger for the table, in the Lambda console: is it switched on?",
        ),
        Some(Step::Ses) => (
            "Amazon SES did not take the test’s email.",
            "Look above for what Amazon SES says. Emails that wait leave by themselves afterwards.",
        ),
        Some(Step::Report) => (
            "Amazon SES doesn’t report what becomes of emails, so you wouldn’t hear of one that comes back.",
            "Ask the person who looks after your desk to look at the configuration sets in the SES console: do both have the destination “feedback”?",
        ),
        None if days >= 2 => (
            "The nightly test has not been made for two days.",
            "Ask the person who looks after your desk whether its timer named “Nightly” is switched on.",
        ),
        None => {
            let how = match test.missing() {
                None => {
                    "An enquiry that your desk sent itself at night went all the way, and its email was delivered."
                }
                Some(_) => "A test is under way just now.",
            };
            return ok("nightly", how);
        }
    };
    finding(
        "nightly",
        Level::Error,
        format!("The nightly test failed. {what}"),
    )
    .next(next)
}

/// Whether days off lie ahead.
pub(super) fn holidays(practice: &Practice, today: Date) -> Finding {
    match practice.holidays.iter().map(|it| it.last).max() {
        Some(last) if last >= today => ok(
            "holidays",
            format!("Your days off are entered up to {}.", date_in_words(last)),
        ),
        _ => finding(
            "holidays",
            Level::Warning,
            "No days off lie ahead, so answers may be promised for a bank holiday.",
        )
        .next("Enter the coming bank holidays and your own."),
    }
}

/// What pages of the site have posted, and on which day such a page was seen last.
pub(super) fn site(old_wording: Option<&str>, unknown_fields: Option<&str>) -> Vec<Finding> {
    let wording = match old_wording {
        None => ok("wording", "The pages that post here show today’s wording of the consent."),
        Some(day) => finding("wording", Level::Warning, format!("A page of your site still shows an earlier wording of the consent (last seen {day})."))
            .next("Copy the form into your page again. Pages that were opened before a change may post the old one for a day."),
    };
    let fields = match unknown_fields {
        None => ok("fields", "The pages that post here have the form’s own fields only."),
        Some(day) => finding("fields", Level::Warning, format!("A page of your site posts fields that the form doesn’t have, and what was typed there is lost (last seen {day})."))
            .next("Take these fields off your page, or copy the form into it again."),
    };
    vec![wording, fields]
}
