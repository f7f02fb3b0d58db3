//! Which treatment is suggested, and what happens next.

use crate::choices::{Choice, ContactBy, Goal, RecentInjury, Warmth};
use crate::{Practice, Treatment};

use crate::tests::SOURCE;

fn the_practice() -> Practice {
    Practice::from_toml(SOURCE).unwrap()
}

#[test]
fn only_a_key_from_the_list_names_a_treatment() {
    let practice = the_practice();
    assert!(practice.treatment("relaxing").is_some());
    for key in ["", "Relaxing", "relaxing ", "thai"] {
        assert!(practice.treatment(key).is_none(), "{key:?}");
    }
}

/// Goal, warmth, what is suggested, and what is named beside it.
type GuideCase = (
    Goal,
    Option<Warmth>,
    Option<&'static str>,
    Option<&'static str>,
);

/// The guide as TREATMENTS.md draws it.
#[rustfmt::skip]
const GUIDE: &[GuideCase] = &[
    (Goal::Treat,   Some(Warmth::No),      Some("deep-tissue-remedial"),   None),
    (Goal::Treat,   Some(Warmth::NotSure), Some("deep-tissue-remedial"),   Some("hot-stones-deep-tissue")),
    (Goal::Treat,   None,                  Some("deep-tissue-remedial"),   Some("hot-stones-deep-tissue")),
    (Goal::Treat,   Some(Warmth::Yes),     Some("hot-stones-deep-tissue"), None),
    (Goal::Relax,   Some(Warmth::No),      Some("relaxing"),               None),
    (Goal::Relax,   Some(Warmth::NotSure), Some("relaxing"),               Some("hot-stones")),
    (Goal::Relax,   None,                  Some("relaxing"),               Some("hot-stones")),
    (Goal::Relax,   Some(Warmth::Yes),     Some("hot-stones"),             None),
    (Goal::NotSure, Some(Warmth::No),      None,                           None),
    (Goal::NotSure, Some(Warmth::NotSure), None,                           None),
    (Goal::NotSure, None,                  None,                           None),
    (Goal::NotSure, Some(Warmth::Yes),     None,                           None),
];

#[test]
fn the_guide_suggests_what_its_table_says_for_every_combination() {
    let practice = the_practice();
    assert_eq!(
        GUIDE.len(),
        Goal::ALL.len() * (Warmth::ALL.len() + 1),
        "a combination is missing from the table"
    );
    let names: Vec<_> = practice
        .treatments
        .iter()
        .map(|treatment| Some(&treatment.key))
        .chain([None])
        .collect();
    for (goal, warmth, suggested, also) in GUIDE {
        for named in &names {
            for recent_injury in [None, Some(RecentInjury::Yes), Some(RecentInjury::No)] {
                let case = format!("{goal:?}, {warmth:?}, {named:?}, {recent_injury:?}");
                let suggestion = practice.suggestion(
                    &practice.suggest(*goal, *warmth),
                    *goal,
                    *warmth,
                    recent_injury,
                    *named,
                );
                let key = |treatment: Option<&Treatment>| {
                    treatment.map(|treatment| treatment.key.as_str().to_owned())
                };
                let named = named.map(|key| key.as_str());
                assert_eq!(
                    suggestion.wait,
                    recent_injury == Some(RecentInjury::Yes),
                    "{case}"
                );
                assert_eq!(key(suggestion.suggested).as_deref(), *suggested, "{case}");
                assert_eq!(
                    key(suggestion.first()).as_deref(),
                    named.or(*suggested),
                    "{case}"
                );
                let beside = match (named, *suggested) {
                    (Some(named), Some(suggested)) if named != suggested => Some(suggested),
                    _ => *also,
                };
                let alternative = suggestion.alternative();
                assert_eq!(
                    key(alternative.map(|it| it.treatment)).as_deref(),
                    beside,
                    "{case}"
                );
                assert!(
                    alternative.is_none_or(|alternative| !alternative.why.is_empty()),
                    "{case}"
                );
                assert!(!suggestion.why.is_empty(), "{case}");

                let mut told = Vec::from_iter(suggestion.first());
                told.extend(alternative.map(|alternative| alternative.treatment));
                told.extend(suggestion.others());
                told.sort_by(|one, other| one.key.cmp(&other.key));
                let mut all: Vec<_> = practice.treatments.iter().collect();
                all.sort_by(|one, other| one.key.cmp(&other.key));
                assert_eq!(told, all, "{case}: each treatment is told exactly once");
            }
        }
    }
}

#[test]
fn the_next_step_is_told_for_each_way_to_hear_back() {
    let practice = the_practice();
    for contact_by in ContactBy::ALL {
        let step = practice.next_step(*contact_by, "by midday on Monday");
        assert!(
            step.contains("by midday on Monday") && !step.contains('{'),
            "{step}"
        );
    }
}
