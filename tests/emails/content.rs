//! The emails: what they say for every kind of enquiry, and what no email may contain.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use aws_emulator::aws;
use enquiry_desk::aws::Clients;
use enquiry_desk::email::{Email, NoticeEmail, PromisesEmail, ReplyFailure, TherapistEmail, Waits};
use enquiry_desk::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use enquiry_desk::enquiry::{
    Answers, EmailAddress, Enquiry, Message, Name, OwnAnswer, Phone, Received, Times,
};
use enquiry_desk::mail_state::{EmailKind, MailState};
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::ses::Ses;
use enquiry_desk::settings::Settings;
use mail_parser::MessageParser;
use testing::samples::{DESK, HOSTILE, MINE, Samples, therapist};

use crate::support::emulated;
use testing::readability;

/// Monday 23 November 2026, twenty past ten in London.
const RECEIVED: &str = "2026-11-23T10:20:00Z";

fn practice() -> &'static Practice {
    practice::compiled()
}

fn samples() -> Samples<'static> {
    Samples {
        practice: practice(),
        received_at: RECEIVED.parse().unwrap(),
        away_until: None,
    }
}

fn minimal() -> Received {
    samples().minimal()
}

fn complete() -> Received {
    samples().complete()
}

fn with(received: Received, change: impl FnOnce(&mut Enquiry)) -> Received {
    samples().with(received, change)
}

fn client_email(received: &Received) -> Email {
    samples().client_mail(received)
}

fn to_therapist<'a>(received: &'a Received, to: &'a EmailAddress) -> TherapistEmail<'a> {
    samples().email(received, to)
}

/// The emails to the therapist for every kind of enquiry.
fn therapists_emails() -> Vec<(&'static str, Email)> {
    let emails = samples().to_therapist().into_iter();
    emails.map(|it| (it.name, it.mail)).collect()
}

fn every_email() -> Vec<(String, Email)> {
    let emails = samples().every().into_iter();
    emails.map(|it| (it.full_name(), it.mail)).collect()
}

#[test]
fn there_is_a_sample_of_every_kind_of_email() {
    let shown: BTreeSet<&str> = every_email()
        .iter()
        .map(|(_, email)| email.kind.key())
        .collect();
    // No person gets that of the nightly test.
    let all = EmailKind::ALL
        .iter()
        .filter(|kind| **kind != EmailKind::Probe);
    let all: BTreeSet<&str> = all.map(|kind| kind.key()).collect();
    assert_eq!(shown, all);
}

/// One file a kind of email, with all of its samples.
#[test]
fn each_email_is_as_it_was_reviewed() {
    let mut kinds: BTreeMap<&str, String> = BTreeMap::new();
    for (name, email) in every_email() {
        let headers: String = email
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        let samples = kinds.entry(email.kind.key()).or_default();
        *samples += &format!(
            "======== {name}\nTo: {}\nReply-To: {}\nSubject: {}\n{headers}\n{}\n{}",
            email.to.as_str(),
            email
                .reply_to
                .as_ref()
                .map_or("(none)", EmailAddress::as_str),
            email.subject,
            email.text,
            email.html.as_deref().unwrap_or("(no HTML)\n")
        );
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (kind, samples) in kinds {
            insta::assert_snapshot!(kind, samples);
        }
    });
}

/// Through the SDK and the SES catcher. With `EMAILS_DIR` set, each message is also written there for
/// `tools/email-test`, with its parts beside it.
#[tokio::test]
async fn each_email_leaves_ses_as_it_was_written() {
    let ses = emulated::ses().await;
    let endpoints = emulated::endpoints("http://127.0.0.1:1", ses.endpoint());
    let environment = emulated::environment(&endpoints, &[]);
    let variable = |name: &str| environment.get(name).cloned();
    let settings = Settings::from_env(variable).unwrap().email;
    let clients = Clients::from_variables(aws::http_client(), variable);
    let sender = Ses::new(clients.ses, &settings);
    let folder = std::env::var_os("EMAILS_DIR").map(PathBuf::from);
    if let Some(folder) = &folder {
        fs::create_dir_all(folder).unwrap();
    }
    for (name, email) in every_email() {
        sender.send(&email).await.unwrap();
        let left = ses.mailbox().emails().pop().unwrap();
        if let Some(folder) = &folder {
            let write = |ending: &str, content: &str| {
                fs::write(folder.join(format!("{name}.{ending}")), content).unwrap();
            };
            write("eml", &left.eml);
            write("txt", &format!("{}\n\n{}", email.subject, email.text));
            if let Some(html) = &email.html {
                write("html", html);
            }
        }
        let message = MessageParser::default().parse(&left.eml).unwrap();
        let part =
            |body: Option<std::borrow::Cow<'_, str>>| body.map(|it| it.replace("\r\n", "\n"));
        assert_eq!(message.subject(), Some(email.subject.as_str()), "{name}");
        // A message of one part ends with a line break more.
        assert_eq!(
            part(message.body_text(0)).unwrap().trim_end(),
            email.text.trim_end(),
            "{name}"
        );
        if let Some(html) = &email.html {
            assert_eq!(part(message.body_html(0)).as_ref(), Some(html), "{name}");
            // What has such a letter never leaves as it is, in lines as long as a client's longest word: RFC 5322 allows 998 bytes.
            assert!(!html.is_ascii(), "{name}");
        }
        for line in left.eml.split('\n') {
            assert!(line.len() <= 998, "{name}: a line of {}", line.len());
        }
        let reply_to = message.reply_to().and_then(|to| to.first()?.address());
        assert_eq!(
            reply_to,
            email.reply_to.as_ref().map(EmailAddress::as_str),
            "{name}"
        );
        let mut names = BTreeSet::new();
        for header in message.headers() {
            let header = header.name().to_ascii_lowercase();
            assert!(names.insert(header.clone()), "{name}: {header} twice");
        }
        for (header, to_client, to_therapist) in [
            ("Auto-Submitted", "auto-replied", "auto-generated"),
            ("X-Auto-Response-Suppress", "All", "OOF, AutoReply"),
        ] {
            let found = message.header(header).and_then(|it| it.as_text());
            let expected = match email.kind {
                EmailKind::AutoReply => to_client,
                _ => to_therapist,
            };
            assert_eq!(found, Some(expected), "{name}: {header}");
        }
    }
    ses.stop().await;
}

#[test]
fn the_subject_says_what_matters_first() {
    let subjects: Vec<(&str, String)> = therapists_emails()
        .into_iter()
        .map(|(name, email)| (name, email.subject))
        .collect();
    for (name, expected) in [
        ("complete", "New enquiry from Zoë (BB-7KQ4M)"),
        ("minimal", "New enquiry from Sam (BB-7KQ4M)"),
        ("injured", "New enquiry from Zoë (BB-7KQ4M)"),
        ("suspect", "[possible spam] New enquiry from Zoë (BB-7KQ4M)"),
        ("private", "New enquiry from Zoë (BB-7KQ4M)"),
        ("fallback", "[only copy] New enquiry from Zoë (BB-7KQ4M)"),
        ("hostile", "New enquiry (BB-7KQ4M)"),
        ("bare", "New enquiry (BB-7KQ4M): please open your desk"),
    ] {
        let subject = &subjects.iter().find(|(it, _)| *it == name).unwrap().1;
        assert_eq!(subject, expected, "{name}");
    }
}

#[test]
fn a_reply_to_the_therapists_email_goes_to_the_client() {
    for (name, email) in therapists_emails() {
        assert_eq!(email.to, therapist(), "{name}");
        let none = ["bare", "not_to_be_written_to"].contains(&name);
        assert_eq!(email.reply_to.is_none(), none, "{name}");
        assert!(
            email
                .reply_to
                .is_none_or(|address| address.as_str().ends_with("@example.com")),
            "{name}"
        );
        let kind = if name == "fallback" {
            EmailKind::Fallback
        } else {
            EmailKind::Therapist
        };
        assert_eq!(email.kind, kind, "{name}");
    }
}

#[test]
fn the_therapist_can_answer_with_one_tap() {
    let emails = therapists_emails();
    let html = |name: &str| {
        emails
            .iter()
            .find(|(it, _)| *it == name)
            .unwrap()
            .1
            .html
            .clone()
            .unwrap()
    };
    let complete = html("complete");
    assert!(complete.contains("href=\"tel:+447700900982\""));
    assert!(complete.contains("href=\"sms:+447700900982\""));
    assert!(complete.contains(
        "href=\"mailto:zoe.bronte@example.com?subject=Your%20enquiry%20to%20Body%20Benefits%20%28BB-7KQ4M%29&#38;body=Hello%20Zo%C3%AB%2C%0D%0A%0D%0AThank%20you"
    ));
    // The way that the client asked for is the button, and comes first.
    for (name, link) in [
        ("complete", "tel:"),
        ("injured", "sms:"),
        ("named_another", "mailto:"),
    ] {
        let html = html(name);
        let button = html.find("class=\"button\"").unwrap();
        assert!(
            html[button..]
                .split_once("href=\"")
                .unwrap()
                .1
                .starts_with(link),
            "{name}"
        );
    }
    assert!(html("hostile").contains("mailto:a%26b%3Dc%3Fd%27e@example.com?subject="));
}

#[test]
fn privacy_keeps_health_out_of_the_mailbox() {
    let emails = therapists_emails();
    let private = &emails
        .iter()
        .find(|(name, _)| *name == "private")
        .unwrap()
        .1;
    let html = private.html.as_ref().unwrap();
    for kept_out in [
        "injur",
        "Injur",
        "back",
        "neck",
        "Neck",
        "pain",
        "Deep tissue",
        "deep tissue",
        "stiff",
        "parking",
        "warm",
        "48 hours",
    ] {
        assert!(!private.subject.contains(kept_out), "{kept_out}");
        for part in [&private.text, html] {
            // "Hear back" is how, "background" is a colour.
            assert!(
                !part
                    .replace("hear back", "")
                    .replace("background", "")
                    .contains(kept_out),
                "{kept_out}: {part}"
            );
        }
    }
    for kept in [
        "Zoë Brontë",
        "07700 900982",
        "zoe.bronte@example.com",
        "Tuesday mornings",
        "on your desk",
    ] {
        assert!(private.text.contains(kept) && html.contains(kept), "{kept}");
    }
    let fallback = &emails
        .iter()
        .find(|(name, _)| *name == "fallback")
        .unwrap()
        .1;
    assert!(
        fallback.text.contains("parking"),
        "what is stored nowhere else is shown in full"
    );
}

#[test]
fn nothing_that_a_visitor_typed_is_markup_or_a_link() {
    for (name, email) in every_email() {
        let Some(html) = &email.html else { continue };
        for forbidden in [
            "<script",
            "<img",
            "<b>",
            "<i>",
            "onerror=alert(1)>",
            "</td></table><",
        ] {
            assert!(!html.contains(forbidden), "{name}: {forbidden}");
        }
        for part in [html, &email.text, &email.subject] {
            for live in [
                "http://evil",
                "evil.example",
                "bad@evil",
                "www.",
                "\u{202e}",
                "\u{200b}",
                "\u{2066}",
            ] {
                assert!(
                    !part
                        .replace("www.facebook", "")
                        .replace("www.instagram", "")
                        .contains(live),
                    "{name}: {live}"
                );
            }
        }
        for link in html.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap();
            let ours = [
                "tel:",
                "sms:",
                "mailto:",
                "https://www.facebook.com/",
                "https://www.instagram.com/",
                MINE,
                DESK,
                "https://desk.example.com/desk/health",
                "https://desk.example.com/desk/act/answered/BB-7KQ4M?t=1795429800&#38;s=",
            ];
            assert!(
                ours.iter().any(|scheme| link.starts_with(scheme)),
                "{name}: {link}"
            );
        }
    }
    let emails = therapists_emails();
    let hostile = &emails
        .iter()
        .find(|(name, _)| *name == "hostile")
        .unwrap()
        .1;
    assert!(hostile.text.contains("hxxp://evil[.]example/a?b=c&d=<e>"));
    assert!(
        hostile
            .text
            .contains("> Your automatic reply was not sent."),
        "it cannot pass for one of our lines"
    );
    assert!(
        hostile
            .text
            .contains("right[U+202E]to left, nothinghere, a bell")
    );
    assert!(
        hostile
            .html
            .as_ref()
            .unwrap()
            .contains("&lt;script&gt;alert(1)&lt;/script&gt;")
    );
}

#[test]
fn the_plain_email_has_every_answer_and_the_bare_one_none() {
    let emails = therapists_emails();
    let find = |name: &str| &emails.iter().find(|(it, _)| *it == name).unwrap().1;
    let plain = find("plain");
    assert!(plain.html.is_none());
    for part in [
        "BB-7KQ4M",
        "a&b=c?d'e@example.com",
        "07700 900982",
        "Lower back, Neck",
        "Posture",
        "any</i> time",
    ] {
        assert!(plain.text.contains(part), "{part}: {}", plain.text);
    }
    let bare = find("bare");
    assert!(bare.text.contains(DESK) && bare.reply_to.is_none());
    for typed in ["Zo", "evil", "07700", "example.com"] {
        assert!(
            !bare.text.replace(DESK, "").contains(typed) && !bare.subject.contains(typed),
            "{typed}"
        );
    }
}

/// Every combination of the closed answers that changes what is suggested.
fn combinations() -> Vec<Answers> {
    let mut all = Vec::new();
    let mut others = minimal().enquiry.answers;
    others.area = vec![Area::Neck];
    others.cause = Some(Cause::Stress);
    let treatments: Vec<_> = practice()
        .treatments
        .iter()
        .map(|treatment| Some(treatment.key.clone()))
        .chain([None])
        .collect();
    for goal in Goal::ALL {
        for warmth in [
            None,
            Some(Warmth::Yes),
            Some(Warmth::No),
            Some(Warmth::NotSure),
        ] {
            for recent_injury in [None, Some(RecentInjury::Yes), Some(RecentInjury::No)] {
                for treatment in &treatments {
                    all.push(Answers {
                        goal: Some(*goal),
                        recent_injury,
                        warmth,
                        treatment: treatment.clone(),
                        ..others.clone()
                    });
                }
            }
        }
    }
    all
}

#[test]
fn every_answer_to_a_client_is_complete_and_in_order() {
    for answers in combinations() {
        let received = with(minimal(), |it| it.answers = answers.clone());
        let content = client_email(&received);
        let suggestion = received.suggestion(practice());
        let html = visible(content.html.as_deref().unwrap());
        let text = squeezed(&content.text);
        for part in [&html, &text] {
            let at = |needle: &str| {
                let needle = squeezed(needle);
                part.find(&needle)
                    .unwrap_or_else(|| panic!("{answers:?} lacks {needle:?} in {part}"))
            };
            let first = suggestion
                .first()
                .map(|treatment| at(&treatment.how_it_works));
            for treatment in &practice().treatments {
                let place = at(&treatment.how_it_works);
                assert!(
                    first.is_none_or(|first| first <= place),
                    "{answers:?}: {} stands before",
                    treatment.name
                );
                // What it is for is said, but where the guide's own reason says why it is suggested.
                let why = [
                    suggestion.suggested,
                    suggestion.alternative().map(|it| it.treatment),
                ];
                if !why.into_iter().flatten().any(|it| it.key == treatment.key) {
                    at(&treatment.choose_it_for);
                }
            }
            let injury = squeezed(&practice().explain.recent_injury);
            assert_eq!(part.contains(&injury), suggestion.wait, "{answers:?}");
            assert!(
                !suggestion.wait || first.is_none_or(|first| at(&injury) < first),
                "{answers:?}"
            );
            for needed in [
                "BB-7KQ4M",
                "by 11am on Tuesday",
                "07835 346476",
                "Hours: Monday to Friday, 9am to 5pm",
                &practice().explain.general,
                &practice().explain.cause[&Cause::Stress],
                &practice().explain.area[&Area::Neck],
                "If that wasn’t you",
            ] {
                at(needed);
            }
            if let Some(alternative) = suggestion.alternative() {
                at(alternative.why);
            }
            // What happens next comes first, and what might be causing it last.
            let last = practice().treatments.iter().map(|it| at(&it.name)).max();
            assert!(
                at("by 11am on Tuesday") < first.unwrap_or(usize::MAX)
                    && last.unwrap() < at("What might be causing it"),
                "{answers:?}"
            );
            if answers.goal == Some(Goal::NotSure) {
                at("I’ll help you choose.");
            }
        }
    }
}

/// The others have a line of why and a line of how; the suggested one has more to say, in a box of its own.
#[test]
fn the_other_treatments_are_told_in_fewer_words_than_the_suggested_one() {
    for answers in combinations() {
        let received = with(minimal(), |it| it.answers = answers.clone());
        let suggestion = received.suggestion(practice());
        let (Some(suggested), None) = (suggestion.suggested, suggestion.named) else {
            continue;
        };
        let told = suggestion.why.len() + suggested.how_it_works.len();
        for other in suggestion.others() {
            let other =
                "Choose it for .".len() + other.choose_it_for.len() + other.how_it_works.len();
            assert!(other < told, "{answers:?}");
        }
    }
}

/// What the treatments are based on, each fact by the words that tell it.
#[test]
fn the_facts_are_all_told() {
    let explain = &practice().explain;
    for (text, facts) in [
        (
            &explain.massage,
            &[
                "tension",
                "calm mind calms the body",
                "knots",
                "fresh blood",
                "48 hours",
                "without scar tissue",
            ][..],
        ),
        (
            &explain.recent_injury,
            &[
                "48 hours",
                "rest",
                "ice",
                "no massage",
                "light pressure",
                "deeper",
                "without scar tissue",
            ],
        ),
        (&explain.general, &["not medical advice", "GP", "NHS 111"]),
        (
            &explain.cause[&Cause::Stress],
            &["tight", "upper back and shoulders", "let go"],
        ),
        (
            &explain.cause[&Cause::Injury],
            &[
                "even an old one",
                "scar tissue",
                "doesn’t tighten and let go as easily",
            ],
        ),
        (
            &explain.cause[&Cause::Overuse],
            &["same movement", "knots", "hurt", "harder to move"],
        ),
        (
            &explain.cause[&Cause::Posture],
            &["desk", "more than their share", "tension", "hurt"],
        ),
        (
            &explain.area[&Area::LowerBack],
            &[
                "weak",
                "hips tip forward",
                "arches",
                "lower spine",
                "too much",
                "twist",
                "stretch",
            ],
        ),
        (
            &explain.area[&Area::UpperBack],
            &[
                "posture",
                "desk work",
                "injury",
                "same movement",
                "worry",
                "headaches",
                "move less",
                "just notice",
            ],
        ),
        (
            &explain.area[&Area::Shoulders],
            &["every direction", "weak", "strain"],
        ),
        (
            &explain.area[&Area::Neck],
            &["turn your head", "headache", "hurt"],
        ),
    ] {
        for fact in facts {
            assert!(
                text.to_lowercase().contains(&fact.to_lowercase()),
                "{fact}: {text}"
            );
        }
    }
    for (key, facts) in [
        (
            "deep-tissue-remedial",
            [
                "aches",
                "pains",
                "injury",
                "spots that cause the trouble",
                "do their job",
            ],
        ),
        (
            "relaxing",
            ["unwind", "upper back", "let go", "gentle", "less pressure"],
        ),
        (
            "hot-stones",
            [
                "relax",
                "warmth",
                "deeper",
                "without more pressure",
                "comfort",
            ],
        ),
        (
            "hot-stones-deep-tissue",
            [
                "most effective",
                "deep tissue",
                "warm your muscles first",
                "more deeply",
                "problem spots",
            ],
        ),
    ] {
        let treatment = practice().treatment(key).unwrap();
        let text = format!("{} {}", treatment.choose_it_for, treatment.how_it_works);
        for fact in facts {
            assert!(
                text.contains(fact) || text.contains(&format!("its {fact}")),
                "{key}: {fact}"
            );
        }
    }
}

/// A subject and the line beside it are shown on locked screens, and the subject stands in the reports of SES. So nothing that a
/// client answers changes either, but their name and how to reach them.
#[test]
fn no_subject_and_no_preview_names_health() {
    let to = therapist();
    let shown = |email: &Email| (email.subject.clone(), preview(email));
    let silent = with(complete(), |it| {
        it.answers = Answers::default();
        it.message = None;
        it.times = None;
        it.own = Vec::new();
    });
    let state = MailState::NEW;
    let every = |received: &Received| {
        let about = |suspect, privacy, auto_reply| TherapistEmail {
            suspect,
            privacy,
            auto_reply,
            ..to_therapist(received, &to)
        };
        let mut emails = Vec::new();
        for (suspect, privacy) in [(false, false), (true, false), (false, true)] {
            for auto_reply in [Some(&state), None] {
                let email = about(suspect, privacy, auto_reply);
                emails.extend([email.into_email(), email.plain(), email.bare()]);
            }
        }
        for failure in [
            ReplyFailure::Bounced,
            ReplyFailure::Complained,
            ReplyFailure::Rejected,
            ReplyFailure::Unknown,
        ] {
            let notice = NoticeEmail {
                practice: practice(),
                to: &to,
                received,
                failure,
                may_write: true,
            };
            emails.push(notice.into_email());
        }
        let waits = Waits {
            received,
            may_write: true,
            links: None,
        };
        for kind in [EmailKind::MorningList, EmailKind::Reminder] {
            let promises = PromisesEmail {
                kind,
                practice: practice(),
                to: &to,
                waiting: &[waits],
                marked: &[(received, None)],
                now: received.received_at,
            };
            emails.push(promises.into_email());
        }
        emails.push(client_email(received));
        emails.iter().map(shown).collect::<Vec<_>>()
    };
    let expected = every(&silent);
    let mut all = combinations();
    for injured in &mut all {
        injured.area = Area::ALL.to_vec();
    }
    for answers in all {
        let received = with(complete(), |it| it.answers = answers.clone());
        assert_eq!(every(&received), expected, "{answers:?}");
    }
    for (name, email) in every_email() {
        let (subject, preview) = shown(&email);
        for word in [
            "injur", "pain", "hurt", "back and", "neck", "shoulder", "stress", "massage", "treat",
            "relax", "stone", "48 hours",
        ] {
            let text = format!("{subject} {preview}").to_lowercase();
            assert!(!text.contains(word), "{name}: {word} is in {text}");
        }
    }
}

/// What email programs show beside the subject.
fn preview(email: &Email) -> String {
    let html = email.html.as_deref().unwrap_or_default();
    let Some((_, after)) = html.split_once("overflow:hidden;\">") else {
        // Without one they show how the text begins.
        return email.text.lines().next().unwrap_or_default().to_owned();
    };
    after.split_once("</div>").unwrap().0.to_owned()
}

#[test]
fn what_a_sexual_request_says_is_folded_away() {
    let emails = every_email();
    let (_, email) = emails
        .iter()
        .find(|(name, _)| name == "therapist_unwanted")
        .unwrap();
    let html = email.html.as_deref().unwrap();
    let (open, folded) = html.split_once("<details>").unwrap();
    assert!(!open.contains("happy endings") && folded.contains("happy endings"));
    assert!(open.contains("Unwanted request"));
    let (open, folded) = email.text.split_once("WHAT WAS WRITTEN").unwrap();
    assert!(!open.contains("happy endings") && folded.contains("happy endings"));
    assert_eq!(html.matches("<details>").count(), 1);
    for (name, email) in emails
        .iter()
        .filter(|(name, _)| name != "therapist_unwanted")
    {
        assert!(
            !email
                .html
                .as_deref()
                .unwrap_or_default()
                .contains("<details>"),
            "{name}"
        );
    }
}

#[test]
fn no_free_text_changes_a_byte_of_the_answer_to_the_client() {
    let reference = client_email(&complete());
    let mut texts: Vec<&str> = naughty_strings::BLNS.to_vec();
    texts.extend([HOSTILE, "Zoë", "http://example.com"]);
    for text in texts {
        let changed = with(complete(), |it| {
            it.name = Name::parse(text).unwrap_or_else(|_| Name::parse("A").unwrap());
            it.times = Times::parse(text).unwrap_or_default();
            it.message = Message::parse(text).unwrap_or_default();
            it.own = OwnAnswer::kept("q_old".parse().unwrap(), &[text.to_owned()])
                .into_iter()
                .collect();
            it.phone = Phone::parse("01632 960001").ok();
            it.consent_version = text.to_owned();
            it.email = EmailAddress::parse("somebody.else+tag@example.org").unwrap();
        });
        let email = client_email(&changed);
        assert_eq!(
            (
                &email.subject,
                &email.text,
                &email.html,
                &email.headers,
                &email.reply_to
            ),
            (
                &reference.subject,
                &reference.text,
                &reference.html,
                &reference.headers,
                &reference.reply_to
            ),
            "{text}"
        );
        assert_eq!(email.to.as_str(), "somebody.else+tag@example.org");
    }
}

#[test]
fn the_answer_to_the_client_says_that_a_machine_wrote_it() {
    let email = client_email(&complete());
    assert_eq!(
        email.headers,
        [
            ("Auto-Submitted", "auto-replied"),
            ("X-Auto-Response-Suppress", "All")
        ]
    );
    assert_eq!(email.reply_to, Some(therapist()));
    assert_eq!(email.kind, EmailKind::AutoReply);
}

#[test]
fn naughty_strings_arrive_and_break_nothing() {
    let to = therapist();
    let unseen = "\u{e0001}\u{202e}".repeat(2_000);
    let mut texts: Vec<&str> = naughty_strings::BLNS.to_vec();
    texts.extend([unseen.as_str(), &unseen[..unseen.len() / 8]]);
    for text in texts {
        let received = with(complete(), |it| {
            if let Ok(name) = Name::parse(text) {
                it.name = name;
            }
            it.times = Times::parse(text).unwrap_or_default();
            it.message = Message::parse(text).unwrap_or_default();
        });
        for email in [
            to_therapist(&received, &to).into_email(),
            to_therapist(&received, &to).plain(),
        ] {
            check_form("naughty", &email);
        }
        let email = to_therapist(&received, &to).into_email();
        let html = email.html.as_ref().unwrap();
        assert_eq!(same_words(html), same_words_of_text(&email.text), "{text}");
        let tags = html.matches("<table").count();
        assert_eq!(tags, 3, "{text}: the visitor's text made a tag");
        if text.is_ascii()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !text.is_empty()
        {
            assert!(email.text.contains(text), "{text}");
        }
    }
}

#[test]
fn every_email_keeps_to_the_form_of_emails() {
    for (name, email) in every_email() {
        check_form(&name, &email);
    }
}

/// Below what Gmail cuts, no line of text too long (RFC 5322, section 2.1.1), no control characters, one line of subject. The lines
/// of the HTML part are folded when it is encoded.
fn check_form(name: &str, email: &Email) {
    let html = email.html.as_deref().unwrap_or_default();
    assert!(
        email.text.len() + html.len() < 100_000,
        "{name}: {} bytes",
        email.text.len() + html.len()
    );
    for line in email.text.lines() {
        assert!(line.len() < 998, "{name}: a line of {} bytes", line.len());
    }
    for part in [html, &email.text] {
        assert!(part.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
    }
    assert!(
        email.subject.chars().all(|c| !c.is_control()) && email.subject.len() < 200,
        "{name}"
    );
    assert!(
        !email.subject.is_empty() && email.text.ends_with('\n') && !email.text.contains("\n\n\n"),
        "{name}"
    );
}

#[test]
fn text_and_html_say_the_same() {
    for (name, email) in every_email() {
        if let Some(html) = &email.html {
            assert_eq!(same_words(html), same_words_of_text(&email.text), "{name}");
        }
    }
}

#[test]
fn every_email_reads_easily() {
    for (name, email) in every_email() {
        // These carry a visitor's nonsense.
        if ["therapist_hostile", "therapist_long", "therapist_plain"].contains(&name.as_str()) {
            continue;
        }
        let prose: String = email.text.replace("\n    ", "\n").replace("\n> ", "\n");
        let ease = readability::ease(&unfolded(&prose));
        assert!(ease >= 60.0, "{name}: {ease:.0}\n{prose}");
    }
}

/// Joins wrapped lines, so that the end of a line does not end a sentence.
fn unfolded(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let continues = out
            .chars()
            .last()
            .is_some_and(|c| c.is_lowercase() || c == ',')
            && line.chars().next().is_some_and(char::is_lowercase);
        out.push_str(if continues { " " } else { "\n" });
        out.push_str(line);
    }
    out
}

/// What the big email programs make of the CSS in our emails: Apple Mail (iOS), Gmail (in the browser), Outlook.com, and
/// the older Outlook for Windows, in this order; y is yes, p is partly, n is no. Where one is not a yes, the last column
/// says what that does to an email.
///
/// The source is the data behind <https://www.caniemail.com>, as of 29 June 2026 (commit 6b086a3 of hteumeuleu/caniemail).
/// The parts of `border` are on its page about `border`, the parts of a font on the one about `font`; it has none about
/// `color`, which every program knows.
const SUPPORT: &[(&str, &str, &str)] = &[
    (
        "@media (prefers-color-scheme: dark)",
        "ynyn",
        "elsewhere the email is light, or darkened by the program itself",
    ),
    ("background-color", "yyyy", ""),
    ("border", "yyyp", BORDERS),
    ("border-bottom", "yyyp", BORDERS),
    ("border-collapse", "yyyy", ""),
    ("border-color", "yyyp", BORDERS),
    ("border-left", "yyyp", BORDERS),
    ("border-radius", "yyyn", "the corners are square"),
    (
        "border-spacing",
        "yyyn",
        "the boxes may stand a little further apart",
    ),
    ("border-top", "yyyp", BORDERS),
    ("color", "yyyy", ""),
    ("color-scheme", "ynnn", "the same as without dark colours"),
    (
        "display",
        "yyyp",
        "only `none` is known, which is all that the preheader needs; the button is as wide as its words anyway",
    ),
    ("font-family", "yyyy", ""),
    (
        "font-size",
        "yyyp",
        "only without `rem`, which we do not use",
    ),
    (
        "font-weight",
        "yyyp",
        "only `normal` and `bold` are sure, and we use `bold` alone",
    ),
    (
        "line-height",
        "yyyp",
        "only `em` and `px` go wrong, and ours has no unit",
    ),
    (
        "margin",
        "yppp",
        "only below zero, which we do not use; in Outlook for Windows the email stands on the left",
    ),
    (
        "max-height",
        "yyyn",
        "only the preheader has it, which is not displayed",
    ),
    ("max-width", "yyyp", "only on tables, and ours is on one"),
    (
        "overflow",
        "pppn",
        "only the preheader has it, which is not displayed",
    ),
    ("overflow-wrap", "pnnn", "`word-break` does the same"),
    (
        "padding",
        "yyyp",
        "only on cells: the button is flat, and what the client wrote touches its line",
    ),
    (
        "text-align",
        "yyyp",
        "`left` is known, which is all that we use",
    ),
    (
        "text-decoration",
        "yyyp",
        "`none` and `underline` are known, which is all that we use",
    ),
    (
        "width",
        "yyyp",
        "only on tables and cells, and ours is on tables",
    ),
    (
        "word-break",
        "pypy",
        "very long words may break earlier than they must",
    ),
];

const BORDERS: &str = "only up to 8 pixels, and not sure on paragraphs: the line beside what the client wrote may be missing";

#[test]
fn only_css_is_used_that_email_programs_know() {
    for (property, support, consequence) in SUPPORT {
        assert_eq!(support.len(), 4, "{property}");
        assert_eq!(*support == "yyyy", consequence.is_empty(), "{property}");
    }
    let mut never: BTreeSet<&str> = SUPPORT.iter().map(|(property, ..)| *property).collect();
    for (name, email) in every_email() {
        let Some(html) = &email.html else { continue };
        let sheet = html
            .split_once("<style>")
            .unwrap()
            .1
            .split_once("</style>")
            .unwrap()
            .0;
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for (before, rule) in sheet.split('{').zip(sheet.split('{').skip(1)) {
            let selector = before.rsplit(['}', ';']).next().unwrap().trim();
            if selector.starts_with('@') {
                used.insert(selector);
            } else {
                used.extend(properties(rule.split('}').next().unwrap()));
            }
        }
        for style in html.split("style=\"").skip(1) {
            used.extend(properties(style.split('"').next().unwrap()));
        }
        for property in used {
            assert!(
                SUPPORT.iter().any(|(known, ..)| *known == property),
                "{name}: {property}"
            );
            never.remove(property);
        }
        for remote in [
            "<img",
            "<link",
            "<script",
            "@import",
            "@font-face",
            "url(",
            "background=",
            "<iframe",
            "<form",
        ] {
            assert!(!html.contains(remote), "{name}: {remote}");
        }
    }
    assert!(never.is_empty(), "no email uses {never:?}");
}

fn properties(declarations: &str) -> impl Iterator<Item = &str> {
    declarations
        .split(';')
        .filter_map(|it| Some(it.split_once(':')?.0.trim()))
}

#[test]
fn an_email_is_as_complete_when_its_style_sheet_is_stripped() {
    for (name, email) in every_email() {
        let Some(html) = &email.html else { continue };
        assert!(
            html.contains("lang=\"en-GB\"") && html.contains("name=\"color-scheme\""),
            "{name}"
        );
        let body = html.split_once("<body").unwrap().1;
        for element in body
            .split('<')
            .filter(|it| it.starts_with("td") || it.starts_with("p ") || it.starts_with('h'))
        {
            let tag = element.split('>').next().unwrap();
            assert!(
                tag.starts_with("html") || tag.contains("style=\""),
                "{name}: <{tag}> has no style of its own"
            );
        }
    }
}

/// What a reader sees of an HTML part, in lower case, with single spaces.
fn visible(html: &str) -> String {
    let body = html
        .split_once("<body")
        .unwrap()
        .1
        .split_once('>')
        .unwrap()
        .1;
    let preheader = body.find("<div").unwrap();
    let after = body[preheader..].split_once("</div>").unwrap().1;
    let mut out = String::new();
    for (index, piece) in after.split('<').enumerate() {
        if index == 0 {
            out.push_str(piece);
            continue;
        }
        let (tag, text) = piece.split_once('>').unwrap();
        let name = tag
            .trim_start_matches('/')
            .split_whitespace()
            .next()
            .unwrap();
        if !["a", "strong", "span"].contains(&name) {
            out.push(' ');
        }
        out.push_str(text);
    }
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#34;", "\""),
        ("&#60;", "<"),
        ("&#62;", ">"),
    ] {
        out = out.replace(entity, character);
    }
    squeezed(&out.replace("&#38;", "&").replace("&amp;", "&"))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// All letters and digits of an HTML part, without what only one part needs.
fn same_words(html: &str) -> String {
    visible(html)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// The same of a text part, which also spells out where its links lead.
fn same_words_of_text(text: &str) -> String {
    let shown: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !word.starts_with("(https://"))
        .collect();
    squeezed(&shown.join(" "))
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[test]
fn another_practice_speaks_with_its_own_voice() {
    let practice = Practice::from_toml(include_str!("../second_practice.toml")).unwrap();
    let samples = Samples {
        practice: &practice,
        ..samples()
    };
    for goal in Goal::ALL {
        for (contact_by, promise) in [
            (
                ContactBy::Email,
                "we will drop you a line by midday on saturday.",
            ),
            (
                ContactBy::Phone,
                "we will give you a call by midday on saturday.",
            ),
            (
                ContactBy::Text,
                "we will send you a text by midday on saturday.",
            ),
        ] {
            let received = samples.with(samples.minimal(), |it| {
                it.contact_by = contact_by;
                it.phone = Phone::parse("07700 900982").ok();
                it.answers.goal = Some(*goal);
                it.answers.recent_injury = Some(RecentInjury::Yes);
            });
            let email = samples.client_mail(&received);
            assert_eq!(email.subject, "We have your note (QHN-7KQ4M)");
            for part in [
                promise,
                "Quiet Hands",
                "Sports massage practitioner",
                "Sports massage (45 minutes, £40)",
                "Please wait two days, then come.",
                "Hours: Tuesday and Wednesday, midday to 8pm; Saturday, 8:30am to 12:30pm and 2pm to 5pm",
                "Website: https://quiet-hands.example.org/",
                "See you soon,",
                "We are no doctors",
            ] {
                assert!(
                    squeezed(&email.text).contains(&squeezed(part)),
                    "{part}: {}",
                    email.text
                );
            }
        }
    }
    let emails = samples.every();
    assert!(emails.len() > 20);
    for sample in emails {
        let (name, email) = (sample.full_name(), sample.mail);
        check_form(&name, &email);
        let html = email.html.clone().unwrap_or_default();
        for part in [&email.subject, &email.text, &html] {
            for left in [
                "Body",
                "Benefits",
                "07835",
                "Chelmsford",
                "Essex",
                "Facebook",
                "stones",
                "warm",
                "NHS",
                "GP ",
                "ice.",
            ] {
                assert!(!part.contains(left), "{name}: {left} is left in {part}");
            }
        }
    }
}

/// A form written by hand may still ask what this practice does not.
#[test]
fn no_email_speaks_of_warmth_when_nothing_is_warm() {
    let practice = Practice::from_toml(include_str!("../second_practice.toml")).unwrap();
    let samples = Samples {
        practice: &practice,
        ..samples()
    };
    let received = with(samples.complete(), |it| {
        it.answers.warmth = Some(Warmth::Yes);
    });
    let to = therapist();
    for email in [
        samples.email(&received, &to).into_email(),
        samples.email(&received, &to).plain(),
        samples.client_mail(&received),
    ] {
        for part in [&email.text, &email.html.unwrap_or_default()] {
            assert!(!part.to_lowercase().contains("warm"), "{part}");
        }
    }
}
