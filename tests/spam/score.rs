//! How the spam filter does on texts: the goals, on a part that tools/spam/fit.py never fits on.
//!
//! texts/*.jsonl holds one text a line. A fifth of them, chosen by a hash of the message, and all of texts/unseen*.jsonl, are
//! held out; clear.jsonl are sentences of clients that an earlier filter took for spam.

use std::collections::BTreeMap;

use enquiry_desk::enquiry::Field;
use enquiry_desk::form_token::TimeToken;
use enquiry_desk::practice::Practice;
use enquiry_desk::proof_of_work::ProofOfWork;
use enquiry_desk::spam::{self, Signal, Verdict};
use enquiry_desk::web::EnquiryForm;
use serde_json::Value;

fn practice() -> Practice {
    Practice::from_toml(include_str!("../../practice.toml")).unwrap()
}

fn signals(practice: &Practice, text: &Value) -> (Verdict, Vec<Signal>) {
    let mut form = EnquiryForm::default();
    for key in ["name", "email", "times", "message", "goal"] {
        if let Some(value) = text[key].as_str().filter(|value| !value.is_empty()) {
            form.put(Field::from_key(key).unwrap(), value.to_owned());
        }
    }
    if text["goal"].is_null() {
        form.put(Field::Goal, "treat".to_owned());
    }
    for area in text["area"].as_array().into_iter().flatten() {
        form.put(Field::Area, area.as_str().unwrap().to_owned());
    }
    form.put(Field::Consent, "yes".to_owned());
    let checked = form.check(practice).enquiry;
    let enquiry = checked.unwrap_or_else(|_| panic!("no enquiry: {text}"));
    let score = spam::score(
        &enquiry,
        practice,
        false,
        TimeToken::Absent,
        ProofOfWork::NotAsked,
    );
    (score.verdict(), score.signals)
}

/// FNV-1a, as tools/spam/fit.py has it.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn held_out() -> Vec<Value> {
    let files = [
        (include_str!("texts/enquiries.jsonl"), false),
        (include_str!("texts/pitches.jsonl"), false),
        (include_str!("texts/unwanted.jsonl"), false),
        (include_str!("texts/unseen.jsonl"), true),
        (include_str!("texts/unseen2.jsonl"), true),
    ];
    let mut all = Vec::new();
    for (file, whole) in files {
        let texts = file
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.extend(
            texts.filter(|text| whole || hash(text["message"].as_str().unwrap()).is_multiple_of(5)),
        );
    }
    all
}

#[test]
fn the_goals_are_met_by_texts_that_were_never_fitted_on() {
    let practice = practice();
    let mut marked: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let texts = held_out();
    for text in &texts {
        let group = match (
            text["label"].as_str().unwrap(),
            text["kind"].as_str().unwrap(),
        ) {
            ("enquiry", kind) if kind.starts_with("phrase") => {
                "enquiry with an advertiser's phrase"
            }
            ("enquiry", _) => "enquiry",
            (_, _) => "spam",
        };
        let (of_group, all) = marked.entry(group).or_default();
        *all += 1;
        *of_group += u32::from(signals(&practice, text).0 == Verdict::Suspect);
    }
    let percent = |group: &str| {
        let (of_group, all) = marked[group];
        assert!(all >= 30, "{group}: {all} texts say too little");
        of_group * 100 / all
    };
    assert!(percent("spam") >= 80, "{marked:?}");
    assert!(percent("enquiry") <= 2, "{marked:?}");
    assert!(
        percent("enquiry with an advertiser's phrase") <= 10,
        "{marked:?}"
    );
}

#[test]
fn what_has_been_taken_for_spam_is_clear() {
    let practice = practice();
    for line in include_str!("clear.jsonl").lines() {
        let text = serde_json::from_str(line).unwrap();
        assert_eq!(
            signals(&practice, &text),
            (Verdict::Clear, vec![]),
            "{line}"
        );
    }
}

#[test]
fn a_frank_medical_sentence_is_no_sexual_request() {
    let practice = practice();
    let of_kind = |kind: &str| {
        let all = include_str!("texts/enquiries.jsonl").lines();
        let all = all.map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|text| text["kind"] == kind).collect::<Vec<_>>()
    };
    let frank = of_kind("frank");
    assert!(frank.len() > 15);
    for text in frank {
        assert_eq!(
            signals(&practice, &text),
            (Verdict::Clear, vec![]),
            "{text}"
        );
    }
    for message in [
        "My tailbone has hurt since childbirth. Could you treat the pelvic floor?",
        "I have had pain during sex since my hip operation.",
    ] {
        let text =
            serde_json::json!({ "name": "Jo", "email": "jo@example.com", "message": message });
        assert_eq!(
            signals(&practice, &text),
            (Verdict::Clear, vec![]),
            "{message}"
        );
    }
}

#[test]
fn a_sexual_request_has_a_signal_of_its_own_and_no_other() {
    let practice = practice();
    for message in [
        "Do you do happy endings?",
        "I would like a sensual body to body massage tonight, I tip well",
    ] {
        let text =
            serde_json::json!({ "name": "Jo", "email": "jo@example.com", "message": message });
        assert_eq!(
            signals(&practice, &text),
            (Verdict::Suspect, vec![Signal::Unwanted]),
            "{message}"
        );
    }
}

#[test]
fn no_single_phrase_decides() {
    let practice = practice();
    for message in [
        "expired",
        "SEO",
        "unsubscribe",
        "viagra",
        "Your website",
        "https://a.example",
    ] {
        let text =
            serde_json::json!({ "name": "Jo", "email": "jo@example.com", "message": message });
        assert_eq!(signals(&practice, &text).0, Verdict::Clear, "{message}");
    }
}
