//! The practice that is compiled in.

use enquiry_desk::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, Warmth};
use enquiry_desk::practice::{self, Practice};

use testing::readability;

const SOURCE: &str = include_str!("../../practice.toml");

#[test]
fn the_compiled_practice_is_the_one_in_the_file() {
    let read = Practice::from_toml(SOURCE).unwrap();
    assert_eq!(format!("{:?}", practice::compiled()), format!("{read:?}"));
}

#[test]
fn the_compiled_practice_carries_the_facts() {
    let practice = practice::compiled();
    assert_eq!(practice.name, "Body Benefits");
    assert_eq!(practice.phone.shown, "07835 346476");
    assert_eq!(practice.phone.dial, "07835346476");
    assert_eq!(practice.reference_prefix, "BB");
    assert_eq!(practice.time_zone.name(), "Europe/London");
    assert!(practice.asks_warmth());
    let keys: Vec<_> = practice
        .treatments
        .iter()
        .map(|treatment| treatment.key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "deep-tissue-remedial",
            "relaxing",
            "hot-stones",
            "hot-stones-deep-tissue"
        ]
    );
    assert!(
        Area::ALL
            .iter()
            .all(|area| *area == Area::Other || practice.explain.area.contains_key(area))
    );
    assert!(
        Cause::ALL
            .iter()
            .all(|cause| *cause == Cause::NotSure || practice.explain.cause.contains_key(cause))
    );
}

#[test]
fn every_text_reads_easily() {
    let practice = practice::compiled();
    let mut texts = vec![
        practice.explain.massage.clone(),
        practice.explain.recent_injury.clone(),
        practice.explain.general.clone(),
        practice.emails.thanks.clone(),
        practice.emails.sooner.clone(),
        practice.consent.wording.clone(),
    ];
    texts.extend(practice.explain.area.values().cloned());
    texts.extend(practice.explain.cause.values().cloned());
    for contact_by in ContactBy::ALL {
        texts.push(practice.next_step(*contact_by, "by 10am on Tuesday"));
    }
    for goal in Goal::ALL {
        for warmth in Warmth::ALL {
            let suggestion = practice.suggestion(
                &practice.suggest(*goal, Some(*warmth)),
                *goal,
                Some(*warmth),
                None,
                None,
            );
            texts.push(suggestion.why.to_owned());
            texts.extend(
                suggestion
                    .alternative()
                    .map(|alternative| alternative.why.to_owned()),
            );
        }
    }
    for treatment in &practice.treatments {
        texts.push(format!(
            "Choose it for {}. {}",
            treatment.choose_it_for, treatment.how_it_works
        ));
    }
    for text in texts {
        let ease = readability::ease(&text);
        assert!(ease >= 60.0, "{ease:.0} for: {text}");
    }
}
