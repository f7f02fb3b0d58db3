//! Emails: whatever was typed, each is a well-formed email without a foreign link, and the one to the client does not
//! change by a byte.

use arbitrary::{Result, Unstructured};
use enquiry_desk::email::{AutoReplyEmail, Email, NoticeEmail, ReplyFailure, TherapistEmail};
use enquiry_desk::enquiry::answers::{Choice, ContactBy};
use enquiry_desk::enquiry::{
    Answers, EmailAddress, Enquiry, Message, Name, OwnAnswer, Phone, Received, Reference, Times,
};
use enquiry_desk::mail_state::{EmailKind, MailState, Withheld};
use enquiry_desk::practice;
use enquiry_desk::spam::Signal;
use enquiry_desk::text;
use jiff::{SignedDuration, Timestamp};
use testing::samples::therapist;
use tokio::runtime::Runtime;

use super::desk::PRACTICE;
use super::http::LINKS;
use super::markup;

/// What becomes of the auto-reply in the end, as far as a notice says.
const FAILURES: [ReplyFailure; 6] = [
    ReplyFailure::Bounced,
    ReplyFailure::Complained,
    ReplyFailure::Rejected,
    ReplyFailure::Unknown,
    ReplyFailure::Withheld(Withheld::Late),
    ReplyFailure::Withheld(Withheld::DailyCap),
];

pub(super) fn play(_: &Runtime, data: &[u8]) -> bool {
    let Ok(drawn) = Drawn::from(&mut Unstructured::new(data)) else {
        return false;
    };
    let practice = practice::compiled();
    let to = therapist();
    let received = &drawn.received;
    let may_write = drawn.earlier.len() % 2 == 0 && received.enquiry.email.is_carried();
    let therapists = TherapistEmail {
        practice,
        to: &to,
        received,
        suspect: drawn.suspect,
        signals: if drawn.suspect { Signal::ALL } else { &[] },
        auto_reply: drawn.auto_reply.as_ref(),
        earlier: &drawn.earlier,
        more_earlier: drawn.earlier.len() > 20,
        may_write,
        privacy: drawn.privacy,
        links: None,
    };
    let notice = |failure| NoticeEmail {
        practice,
        to: &to,
        received,
        failure,
        may_write,
    };
    let to_therapist = [
        therapists.into_email(),
        therapists.plain(),
        therapists.bare(),
    ]
    .into_iter()
    .chain(FAILURES.map(|failure| notice(failure).into_email()));
    for email in to_therapist {
        check(&email, &LINKS);
        no_foreign_link(&email, received.enquiry.email.as_str());
        assert_eq!(email.to, to);
    }

    let email = to_client(received);
    check(&email, &LINKS);
    let same = to_client(&without_texts(received));
    let words = |email: &Email| {
        (
            email.subject.clone(),
            email.text.clone(),
            email.html.clone(),
        )
    };
    assert_eq!(
        words(&email),
        words(&same),
        "typed text reached the client's email"
    );
    assert_eq!(
        (&email.headers, &email.reply_to),
        (&same.headers, &same.reply_to)
    );
    assert_eq!(email.to, received.enquiry.email);
    true
}

/// An enquiry and what is known of it.
struct Drawn {
    received: Received,
    suspect: bool,
    auto_reply: Option<MailState>,
    earlier: Vec<Timestamp>,
    privacy: bool,
}

impl Drawn {
    /// The closed answers come first; the rest is what was typed: name, address, number, times and message, each after
    /// the first behind a line break and `&`.
    fn from(u: &mut Unstructured<'_>) -> Result<Self> {
        let received_at = u.int_in_range(1_700_000_000..=2_000_000_000)?;
        let received_at = Timestamp::from_second(received_at).unwrap();
        let at = received_at;
        let states = [
            MailState::NEW,
            MailState::Sent {
                message_id: "m".to_owned(),
                at,
                delayed_since: None,
            },
            MailState::Failed {
                reason: "r".to_owned(),
                at,
            },
            MailState::Unknown { at },
            MailState::Withheld {
                reason: Withheld::CoolDown,
            },
        ];
        let auto_reply = optional(u, |u| u.choose(&states).cloned())?;
        let earlier = u.int_in_range(0..=25)?;
        let earlier = (1..=earlier).map(|days| at - SignedDuration::from_hours(24 * days));
        let away_until = optional(u, |u| u.int_in_range(-40..=900))?;
        let away_until = away_until.map(|days: i64| {
            let day = at + SignedDuration::from_hours(24 * days);
            day.to_zoned(jiff::tz::TimeZone::UTC).date()
        });
        let (suspect, privacy) = (u.arbitrary()?, u.arbitrary()?);
        let reference = Reference::from_random("BB", u.arbitrary()?);
        let contact_by = *u.choose(ContactBy::ALL)?;
        let answers = answers(u)?;
        let typed = String::from_utf8_lossy(u.bytes(u.len())?);
        let mut typed = typed.split("\n&");
        let mut next = move || typed.next().unwrap_or_default();
        let enquiry = Enquiry {
            name: Name::parse(next()).unwrap_or_else(|_| Name::parse("Sam Carter").unwrap()),
            email: EmailAddress::parse(next())
                .unwrap_or_else(|_| EmailAddress::parse("sam@example.com").unwrap()),
            phone: Phone::parse(next()).ok(),
            contact_by,
            answers,
            times: Times::parse(next()).unwrap_or_default(),
            message: Message::parse(next()).unwrap_or_default(),
            own: own(next),
            consent_version: practice::compiled().consent.version.clone(),
        };
        let mut practice = practice::compiled().clone();
        practice.away_until = away_until;
        Ok(Self {
            received: Received::new(reference, received_at, enquiry, &practice),
            suspect,
            auto_reply,
            earlier: earlier.collect(),
            privacy,
        })
    }
}

#[allow(
    clippy::needless_update,
    reason = "a question that is new is left out until it stands here"
)]
fn answers(u: &mut Unstructured<'_>) -> Result<Answers> {
    let treatments = &practice::compiled().treatments;
    let areas: u8 = u.arbitrary()?;
    let all = enquiry_desk::enquiry::answers::Area::ALL;
    Ok(Answers {
        area: all
            .iter()
            .enumerate()
            .filter(|(index, _)| areas >> index & 1 == 1)
            .map(|(_, area)| *area)
            .collect(),
        cause: choice(u)?,
        goal: Some(*u.choose(Choice::ALL)?),
        recent_injury: choice(u)?,
        warmth: choice(u)?,
        treatment: optional(u, |u| Ok(u.choose(treatments)?.key.clone()))?,
        ..Answers::default()
    })
}

/// What follows answers the practice's own questions, one part each, and then one that is not asked any more.
fn own<'t>(mut next: impl FnMut() -> &'t str) -> Vec<OwnAnswer> {
    let questions = PRACTICE.questions.iter();
    let asked = questions.filter_map(|question| {
        let typed = next();
        let chosen = question.options.get(typed.len() % 4);
        let said = chosen.map_or(typed, |option| &option.value);
        OwnAnswer::parse(question, &[said.to_owned()])
            .ok()
            .flatten()
    });
    let mut own: Vec<OwnAnswer> = asked.collect();
    own.extend(OwnAnswer::kept(
        "q_old".parse().unwrap(),
        &[next().to_owned()],
    ));
    own
}

fn optional<'u, T>(
    u: &mut Unstructured<'u>,
    draw: impl FnOnce(&mut Unstructured<'u>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? {
        draw(u).map(Some)
    } else {
        Ok(None)
    }
}

fn choice<C: Choice>(u: &mut Unstructured<'_>) -> Result<Option<C>> {
    optional(u, |u| Ok(*u.choose(C::ALL)?))
}

fn to_client(received: &Received) -> Email {
    AutoReplyEmail::new(practice::compiled(), &therapist(), received, None).into_email()
}

/// The same enquiry with next to nothing typed.
fn without_texts(received: &Received) -> Received {
    let mut plain = received.clone();
    plain.enquiry = Enquiry {
        name: Name::parse("A").unwrap(),
        email: EmailAddress::parse("a@example.org").unwrap(),
        phone: None,
        times: None,
        message: None,
        consent_version: String::new(),
        ..plain.enquiry
    };
    plain
}

/// What every email keeps to: one line in each header, below what Gmail cuts, no line too long for RFC 5322, no control
/// characters, and no tag, attribute or link that our templates do not write.
pub(super) fn check(email: &Email, links: &[&str]) {
    let html = email.html.as_deref().unwrap_or_default();
    let bytes = email.text.len() + html.len();
    assert!(bytes < 100_000, "{bytes} bytes");
    let addresses = [Some(&email.to), email.reply_to.as_ref()];
    let addresses = addresses.into_iter().flatten().map(EmailAddress::as_str);
    let headers = email
        .headers
        .iter()
        .flat_map(|(name, value)| [*name, *value]);
    for line in addresses.chain(headers).chain([email.subject.as_str()]) {
        assert!(
            !line.contains(text::is_control) && !line.is_empty() && line.len() < 255,
            "{line:?}"
        );
    }
    for line in email.text.lines() {
        assert!(line.len() < 998, "a line of {} bytes", line.len());
    }
    let unseen = |c: char| text::is_control(c) && c != '\n' || text::is_invisible(c);
    assert!(
        [html, &email.text]
            .iter()
            .all(|part| text::without(part, unseen) == **part),
        "{}",
        email.text
    );
    assert!(
        email.text.ends_with('\n') && !email.text.contains("\n\n\n"),
        "{:?}",
        email.text
    );
    markup::check(html, links).unwrap_or_else(|found| panic!("{found} in {html}"));
    let answers = email.headers.contains(&("Auto-Submitted", "auto-replied"));
    assert_eq!(answers, email.kind == EmailKind::AutoReply);
}

/// No email program makes a link of anything that was typed, but for the address, which the therapist writes to.
fn no_foreign_link(email: &Email, address: &str) {
    let escaped = address.replace('&', "&#38;").replace('\'', "&#39;");
    for part in [email.html.as_deref().unwrap_or_default(), &email.text] {
        let mut part = part.replace(address, "").replace(&escaped, "");
        for link in LINKS {
            part = part.replace(link, "");
        }
        let part = part.to_ascii_lowercase();
        for live in ["http://", "https://"] {
            assert!(!part.contains(live), "{live} in {part}");
        }
        for (at, _) in part.match_indices("www.") {
            let after = part[at + 4..].chars().next();
            assert!(!after.is_some_and(char::is_alphanumeric), "www. in {part}");
        }
    }
}
