//! What is taken for spam and what is not: the table of signals, played.

use std::collections::BTreeSet;

use enquiry_desk::enquiry::Field;
use enquiry_desk::form_token::TimeToken;
use enquiry_desk::practice::Practice;
use enquiry_desk::proof_of_work::ProofOfWork;
use enquiry_desk::spam::{self, SUSPECT, Score, SenderRule, Signal, Verdict};
use enquiry_desk::web::EnquiryForm;

use crate::support::{MINIMAL, TestApp};

/// A practice whose therapist has a list.
fn practice() -> Practice {
    let toml = include_str!("../../practice.toml")
        .replace(
            "words = []",
            "words = [\"happy ending\", \"sex\", \"Окончание\"]",
        )
        .replace(
            "senders = []",
            "senders = [\"pest@example.com\", \"@pests.example\"]",
        );
    Practice::from_toml(&toml).unwrap()
}

fn weighed(practice: &Practice, fields: &[(&str, &str)]) -> (Verdict, Vec<Signal>) {
    weighed_with(practice, fields, TimeToken::Absent, ProofOfWork::NotAsked)
}

fn weighed_with(
    practice: &Practice,
    fields: &[(&str, &str)],
    token: TimeToken,
    proof: ProofOfWork,
) -> (Verdict, Vec<Signal>) {
    let mut form = EnquiryForm::default();
    for (key, value) in MINIMAL
        .iter()
        .filter(|(key, _)| fields.iter().all(|(own, _)| own != key))
        .chain(fields)
    {
        form.put(Field::from_key(key).unwrap(), (*value).to_owned());
    }
    let checked = form.check(practice, jiff::Timestamp::UNIX_EPOCH).enquiry;
    let enquiry = checked.unwrap_or_else(|_| panic!("the form has errors: {fields:?}"));
    let honeypot_filled = !form.value(Field::Honeypot).is_empty();
    let score = spam::score(&enquiry, practice, honeypot_filled, token, proof);
    (score.verdict(), score.signals)
}

#[test]
fn each_signal_is_noticed_and_what_is_enough_alone_is() {
    use Signal::{
        Business, Gibberish, Greeting, Honeypot, Links, ListedSender, ListedWord, Markup,
        Middleman, Money, OffTopic, Offer, OptOut, Phishing, Reach, Text, ThrowAway, Unwanted, Web,
    };
    let practice = practice();
    let mut noticed = BTreeSet::new();
    for (fields, signals, why) in [
        (
            &[("extra_detail", "x")][..],
            &[Honeypot][..],
            "the honeypot",
        ),
        (
            &[(
                "message",
                "https://a.example https://b.example and www.c.example",
            )],
            &[Text, Links],
            "three sites and nothing else",
        ),
        (
            &[("name", "Visit https://a.example")],
            &[Text, Links],
            "a link for a name",
        ),
        (
            &[("message", "Do you offer a Happy-Ending?")],
            &[ListedWord, Unwanted],
            "a listed phrase",
        ),
        (
            &[("message", "s\u{200b}ex?")],
            &[ListedWord, Unwanted],
            "a listed word with an invisible letter in it",
        ),
        (
            &[("message", "ѕех")],
            &[ListedWord, Unwanted],
            "a listed word in Cyrillic disguise",
        ),
        (
            &[("times", "окончание сегодня")],
            &[ListedWord],
            "a listed word of another script, in another field",
        ),
        (
            &[("email", "PEST+1@example.com")],
            &[ListedSender],
            "a listed sender, in another spelling",
        ),
        (
            &[("email", "anyone@mail.pests.example")],
            &[ListedSender],
            "below a listed domain",
        ),
        (
            &[(
                "message",
                "We bring you to the first page of Google, guaranteed.",
            )],
            &[Text, Reach, Offer],
            "an advertisement",
        ),
        (
            &[("message", "Dear Sir/Madam, we offer web design")],
            &[Text, Web, Offer, Greeting],
            "another",
        ),
        (
            &[("message", "We have a loan offer for your business")],
            &[Text, Business, Offer, Money],
            "a lender",
        ),
        (
            &[(
                "message",
                "Verify your account now or it expires. https://login.example",
            )],
            &[Text, Phishing, Links],
            "a phisher",
        ),
        (
            &[(
                "message",
                "I can’t phone, I’m deaf. Charge the driver’s fee to my credit card with the massages for my group, and forward it to him.",
            )],
            &[Text, Middleman],
            "an overpayment fraud",
        ),
        (
            &[("message", "Reply STOP to unsubscribe")],
            &[Text, OptOut],
            "a mass mailing",
        ),
        (
            &[(
                "message",
                "Our team writes to you from a distance with the wish of a long and good talk about it",
            )],
            &[Text, OffTopic],
            "a text that does not fit",
        ),
        (
            &[(
                "message",
                "XqRtVwLmNpZk fGhTrWqBn https://short.example/Ax9",
            )],
            &[Text, Links, Gibberish],
            "a program",
        ),
        (
            &[("message", "<b>Hello</b> [url=https://a.example]x[/url]")],
            &[Text, Links, Markup],
            "code for web pages, and a link",
        ),
        (
            &[("email", "zoe@yopmail.com")],
            &[ThrowAway],
            "a throw-away address",
        ),
    ] {
        let (verdict, found) = weighed(&practice, fields);
        assert_eq!(found, signals, "{why}");
        let weight: u8 = signals.iter().map(|signal| signal.weight()).sum();
        assert_eq!(verdict == Verdict::Suspect, weight >= SUSPECT, "{why}");
        noticed.extend(signals.iter().map(|signal| signal.code()));
    }
    for (token, proof, signals, fields) in [
        (TimeToken::InTime, ProofOfWork::Proven, &[][..], &[][..]),
        (
            TimeToken::TooFast,
            ProofOfWork::NotAsked,
            &[Signal::TooFast],
            &[],
        ),
        (
            TimeToken::Forged,
            ProofOfWork::NotAsked,
            &[Signal::ForgedToken],
            &[],
        ),
        (
            TimeToken::Forged,
            ProofOfWork::NotAsked,
            &[ThrowAway, Signal::ForgedToken],
            &[("email", "zoe@mailinator.com")],
        ),
        (
            TimeToken::Expired,
            ProofOfWork::NotAsked,
            &[ThrowAway, Signal::ExpiredToken],
            &[("email", "zoe@mailinator.com")],
        ),
        (
            TimeToken::Absent,
            ProofOfWork::Missing,
            &[Signal::Proof],
            &[],
        ),
        (TimeToken::InTime, ProofOfWork::Wrong, &[Signal::Proof], &[]),
        (
            TimeToken::InTime,
            ProofOfWork::Expired,
            &[Signal::Proof],
            &[],
        ),
        (
            TimeToken::InTime,
            ProofOfWork::UsedBefore,
            &[Signal::Proof],
            &[],
        ),
    ] {
        let (verdict, found) = weighed_with(&practice, fields, token, proof);
        assert_eq!(found, signals, "{token:?}, {proof:?}");
        let weight: u8 = signals.iter().map(|signal| signal.weight()).sum();
        assert_eq!(verdict == Verdict::Suspect, weight >= SUSPECT);
        noticed.extend(signals.iter().map(|signal| signal.code()));
    }
    for signal in [
        ListedWord,
        ListedSender,
        Signal::BlockedSender,
        Unwanted,
        Text,
        Honeypot,
        Signal::TooFast,
        Signal::Proof,
    ] {
        assert!(signal.weight() >= SUSPECT, "{signal:?} is enough alone");
    }
    for signal in [ThrowAway, Signal::ForgedToken, Signal::ExpiredToken] {
        assert!(
            signal.weight() < SUSPECT,
            "{signal:?} only adds up with others"
        );
    }
    for sender in [None, Some(SenderRule::Trusted), Some(SenderRule::Blocked)] {
        let score = Score {
            signals: vec![Text, Signal::ForgedToken],
        };
        let signals = score.with_sender(sender).signals;
        let expected: &[Signal] = match sender {
            None => &[Text, Signal::ForgedToken],
            // What was typed does not count; how it was sent does.
            Some(SenderRule::Trusted) => &[Signal::ForgedToken],
            Some(SenderRule::Blocked) => &[Text, Signal::ForgedToken, Signal::BlockedSender],
        };
        assert_eq!(signals, expected, "{sender:?}");
        noticed.extend(signals.iter().map(|signal| signal.code()));
    }
    for signal in Signal::ALL {
        assert!(
            noticed.contains(signal.code()),
            "{signal:?} has no case in this table"
        );
        assert_eq!(Signal::from_code(signal.code()), Some(*signal));
    }
}

#[test]
fn what_clients_write_is_clear() {
    let practice = practice();
    for (fields, why) in [
        (&[][..], "nothing but what is needed"),
        (
            &[("message", "I live in Essex, near Sussex Road")],
            "a place with a listed word inside",
        ),
        (
            &[(
                "message",
                "I work for a digital marketing agency and sit all day. My seo job is stressful.",
            )],
            "a trade that advertises",
        ),
        (
            &[(
                "message",
                "I take Viagra and blood thinners without a prescription problem. Is that all right?",
            )],
            "a medicine, in use",
        ),
        (
            &[(
                "message",
                "I found you on https://www.example.com/page?x=1, and www.example.org says you do hot stones.",
            )],
            "two links",
        ),
        (
            &[(
                "message",
                "Pain <3 weeks -> worse at 5 p.m., L4/L5, 10.30 a.m. is best...Thanks",
            )],
            "signs that are no code",
        ),
        (
            &[("name", "李小龍"), ("message", "肩が痛い")],
            "a name and a few words in another script",
        ),
        (&[("name", "Владимир Іванов")], "a name in Cyrillic"),
        (
            &[(
                "message",
                "Мене звати Оксана, у мене вже третій тиждень болить спина, допоможіть",
            )],
            "a whole message in another script, and nothing else",
        ),
        (
            &[("email", "zoe@mailinator.com")],
            "a throw-away address, and nothing else",
        ),
        (
            &[(
                "message",
                "Please write to zoe@example.com, z.o@example.org or office@example.net",
            )],
            "addresses are no links",
        ),
        (
            &[("email", "pest2@example.com")],
            "an address that only begins like a listed one",
        ),
        (
            &[("email", "a@notpests.example")],
            "a domain that only ends like a listed one",
        ),
    ] {
        assert_eq!(weighed(&practice, fields).0, Verdict::Clear, "{why}");
    }
}

#[test]
fn the_guide_has_the_same_table() {
    let guide = include_str!("../../docs/practice.md");
    for signal in Signal::ALL {
        let row = format!("(`{}`) | {} |", signal.code(), signal.weight());
        assert!(guide.contains(&row), "docs/practice.md lacks {row}");
    }
}

#[tokio::test]
async fn the_therapist_reads_why_it_looks_like_spam() {
    let app = TestApp::start().await;
    let fields = [
        &MINIMAL[..],
        &[(
            "message",
            "<a href=https://a.example>1</a> https://b.example https://c.example",
        )],
    ]
    .concat();
    app.post_form(&fields).await;
    let emails = app.emails().await;
    assert_eq!(emails.len(), 1, "and the client gets no answer");
    assert!(emails[0].subject.starts_with("[possible spam]"));
    let words = "because it reads like an advertisement, links to other sites and has code for web pages in it.";
    let text = emails[0].text.as_deref().unwrap().split_whitespace();
    let text = text.collect::<Vec<_>>().join(" ");
    assert!(text.contains(words), "{text}");
    let item = app.items("enquiry").await.remove(0);
    let codes: Vec<_> = item["signals"]
        .as_l()
        .unwrap()
        .iter()
        .map(|code| code.as_s().unwrap().as_str())
        .collect();
    assert_eq!(codes, ["text", "links", "markup"]);
    app.finish().await;
}
