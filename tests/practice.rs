//! The practice: what its file may say, which treatment is suggested, and by when an answer is promised.

use enquiry_desk::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use enquiry_desk::practice::Practice;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::readability;

const SOURCE: &str = include_str!("../practice.toml");

/// The practice's file with one passage replaced.
fn edited(passage: &str, replacement: &str) -> String {
    assert!(
        SOURCE.contains(passage),
        "practice.toml no longer holds {passage:?}"
    );
    SOURCE.replacen(passage, replacement, 1)
}

fn line_of(text: &str, passage: &str) -> usize {
    let at = text
        .find(passage)
        .unwrap_or_else(|| panic!("no {passage:?} in the text"));
    text[..at].matches('\n').count() + 1
}

#[test]
fn the_compiled_practice_is_the_one_in_the_file() {
    let compiled = serde_json::to_value(Practice::compiled()).unwrap();
    let read = serde_json::to_value(Practice::from_toml(SOURCE).unwrap()).unwrap();
    assert_eq!(compiled, read);
}

#[test]
fn the_compiled_practice_carries_the_facts() {
    let practice = Practice::compiled();
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
fn only_a_key_from_the_list_names_a_treatment() {
    let practice = Practice::compiled();
    assert!(practice.treatment("relaxing").is_some());
    for key in ["", "Relaxing", "relaxing ", "thai"] {
        assert!(practice.treatment(key).is_none(), "{key:?}");
    }
}

#[test]
fn every_text_reads_easily() {
    let practice = Practice::compiled();
    let mut texts = vec![
        practice.explain.massage.clone(),
        practice.explain.recent_injury.clone(),
        practice.explain.general.clone(),
        practice.letter.thanks.clone(),
        practice.letter.sooner.clone(),
        practice.consent.wording.clone(),
    ];
    texts.extend(practice.explain.area.values().cloned());
    texts.extend(practice.explain.cause.values().cloned());
    for contact_by in ContactBy::ALL {
        texts.push(practice.next_step(*contact_by, "by Tuesday at 10 in the morning"));
    }
    for goal in Goal::ALL {
        for warmth in Warmth::ALL {
            let suggestion = practice.suggest(*goal, Some(*warmth), None, None);
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

/// One change to the file, the passage on whose line the fault is, its key, and words of its message.
#[rustfmt::skip]
const FAULTS: &[(&str, &str, &str, &str, &str)] = &[
    ("name = \"Body Benefits\"", "nmae = \"Body Benefits\"", "nmae", "practice.nmae", "unknown key; expected one of: address, name"),
    ("name = \"Body Benefits\"\n", "", "[practice]", "practice.name", "missing; expected a text"),
    ("name = \"Body Benefits\"", "name = 7", "name = 7", "practice.name", "expected a text between quotation marks, found a whole number"),
    ("name = \"Body Benefits\"", "name = \" \"", "name = \" \"", "practice.name", "empty"),
    ("name = \"Body Benefits\"", "name = \"Body\\u0000Benefits\"", "name = \"Body", "practice.name", "control character"),
    ("phone = \"07835 346476\"", "phone = \"call me\"", "phone = \"call", "practice.phone", "expected a phone number"),
    ("phone = \"07835 346476\"", "phone = \"0783\"", "phone = \"0783\"", "practice.phone", "7 to 15 digits"),
    ("phone = \"07835 346476\"", "phone = \"7835 346476\"", "phone = \"7835", "practice.phone", "starts with 0 or +"),
    ("phone = \"07835 346476\"", "phone = \"07835 346476 or 07700 900000\"", "phone = \"07835", "practice.phone", "expected a phone number"),
    ("reference_prefix = \"BB\"", "reference_prefix = \"Bb\"", "reference_prefix", "practice.reference_prefix", "two to four capital letters"),
    ("reference_prefix = \"BB\"", "reference_prefix = \"BODYB\"", "reference_prefix", "practice.reference_prefix", "two to four capital letters"),
    ("time_zone = \"Europe/London\"", "time_zone = \"Europe/Chelmsford\"", "time_zone =", "practice.time_zone", "expected a time zone"),
    ("# website = \"https://www.example.com/\"", "website = \"javascript:alert(1)\"", "website = \"java", "practice.website", "starts with https://"),
    ("link = \"https://www.facebook.com/bodybenefitsessex\"\n", "", "[[social]]", "social.link", "missing"),
    ("monday = [\"9:00-17:00\"]", "monday = [\"17:00-9:00\"]", "monday =", "hours.monday", "ends before it begins"),
    ("monday = [\"9:00-17:00\"]", "monday = [\"9:00-12:00\", \"11:30-17:00\"]", "monday =", "hours.monday", "overlaps"),
    ("monday = [\"9:00-17:00\"]", "monday = [\"14:00-17:00\", \"9:00-12:00\"]", "monday =", "hours.monday", "in order"),
    ("monday = [\"9:00-17:00\"]", "monday = [\"9-17\"]", "monday =", "hours.monday", "on the 24-hour clock"),
    ("monday = [\"9:00-17:00\"]", "monday = [\"9:00-24:30\"]", "monday =", "hours.monday", "on the 24-hour clock"),
    ("monday = [\"9:00-17:00\"]", "monday = \"closed\"", "monday =", "hours.monday", "or [] for a day off"),
    ("monday = [\"9:00-17:00\"]", "monday = [9]", "monday =", "hours.monday", "found a whole number in the list"),
    ("monday = [\"9:00-17:00\"]\n", "", "[hours]", "hours.monday", "missing"),
    ("saturday = []", "satturday = []", "satturday", "hours.satturday", "unknown key"),
    ("within_working_hours = 8", "within_working_hours = 0", "within_working_hours = 0", "reply.within_working_hours", "from 1 to 80"),
    ("within_working_hours = 8", "within_working_hours = \"8\"", "within_working_hours = \"8\"", "reply.within_working_hours", "a whole number from 1 to 80, found a text"),
    ("to = \"2026-12-28\"", "to = \"2026-12-32\"", "to = \"2026-12-32\"", "holiday.to", "expected a day of the calendar"),
    ("to = \"2026-12-28\"", "to = \"28 December\"", "to = \"28", "holiday.to", "expected a day of the calendar"),
    ("to = \"2026-12-28\"", "to = \"2025-12-28\"", "to = \"2025", "holiday.to", "is before"),
    ("to = \"2026-12-28\"", "to = \"2036-12-28\"", "to = \"2036", "holiday.to", "at most 366 days"),
    ("to = \"2026-12-28\"\n", "", "[[holiday]]", "holiday", "either `date`, or both"),
    ("key = \"relaxing\"", "key = \"deep-tissue-remedial\"", "key = \"deep-tissue-remedial\"\nname = \"Relaxing", "treatment.key", "is the key of another treatment"),
    ("key = \"relaxing\"", "key = \"Relaxing!\"", "key = \"Relaxing!", "treatment.key", "small letters"),
    ("warm = true", "warm = \"yes\"", "warm = \"yes\"", "treatment.warm", "true or false (without quotation marks), found a text"),
    ("suggest = \"relaxing\"", "suggest = \"relax\"", "suggest = \"relax\"", "guide.suggest", "expected the key of a treatment (\"deep-tissue-remedial\""),
    ("also = \"hot-stones\"", "also = \"relaxing\"", "also = \"relaxing\"", "guide.also", "expected another treatment"),
    ("also = \"hot-stones\"\n", "", "also_why = \"It is the warmer one", "guide.also_why", "together, or neither"),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relaxed\"\nwarmth = [\"no\"]", "goal = \"relaxed\"", "guide.goal", "expected one of \"treat\", \"relax\", \"not-sure\", found \"relaxed\""),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relax\"\nwarmth = [\"cold\"]", "warmth = [\"cold\"]", "guide.warmth", "found \"cold\""),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relax\"\nwarmth = []", "warmth = []", "guide.warmth", "empty"),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relax\"\nwarmth = [\"no\", \"no\"]", "warmth = [\"no\", \"no\"]", "guide.warmth", "twice"),
    ("goal = \"relax\"\nwarmth = [\"yes\"]", "goal = \"relax\"\nwarmth = [\"yes\", \"no\"]", "goal = \"relax\"\nwarmth = [\"yes\", \"no\"]", "guide.goal", "goal \"relax\" with warmth \"no\" is in a block above already"),
    ("lower-back = \"\"\"", "lower-bakc = \"\"\"", "lower-bakc", "explain.area.lower-bakc", "unknown key; expected one of: lower-back"),
    ("I will ring you {when} with", "I will ring you with", "next_by_phone", "letter.next_by_phone", "{when} exactly once"),
    ("I will ring you {when} with", "I will ring you {when} {when} with", "next_by_phone", "letter.next_by_phone", "{when} exactly once"),
    ("Your enquiry has arrived safely.\"", "Your enquiry has arrived safely\"", "thanks =", "letter.thanks", "no full stop"),
    ("version = \"2026-11-23\"", "version = \"23 November\"", "version =", "consent.version", "letters from A to Z"),
    ("words = []", "words = [\"x\"]", "words = [\"x\"]", "suspect.words", "at least three characters"),
    ("senders = []", "senders = [\"example\"]", "senders = [\"example\"]", "suspect.senders", "expected an address"),
    ("[consent]", "[consents]", "[consents]", "consents", "unknown key"),
];

#[test]
fn each_fault_is_told_with_its_line_its_key_and_what_was_expected() {
    for (passage, replacement, place, key, message) in FAULTS {
        let text = edited(passage, replacement);
        let faults = Practice::from_toml(&text).expect_err(replacement).0;
        let found = faults.iter().any(|fault| {
            fault.line == line_of(&text, place)
                && fault.key == *key
                && fault.message.contains(message)
        });
        assert!(
            found,
            "{replacement}: expected {key} with {message:?} on line {}, found {faults:#?}",
            line_of(&text, place)
        );
    }
}

#[test]
fn a_single_slip_is_told_once() {
    for (passage, replacement) in [
        ("name = \"Body Benefits\"", "name = 7"),
        ("monday = [\"9:00-17:00\"]", "monday = [\"17:00-9:00\"]"),
        ("suggest = \"relaxing\"", "suggest = \"relax\""),
        ("also = \"hot-stones\"", "also = \"stones\""),
        (
            "goal = \"relax\"\nwarmth = [\"no\"]",
            "goal = \"relaxed\"\nwarmth = [\"no\"]",
        ),
        ("time_zone = \"Europe/London\"", "time_zone = \"London\""),
        ("to = \"2026-12-28\"", "to = \"2026-12-32\""),
        ("name = \"Body Benefits\"", "name = Body Benefits"),
    ] {
        let faults = Practice::from_toml(&edited(passage, replacement)).expect_err(replacement);
        assert_eq!(faults.0.len(), 1, "{replacement}: {faults}");
    }
}

#[test]
fn all_faults_come_at_once_and_in_order() {
    let text = edited("phone = \"07835 346476\"", "phone = \"none\"")
        .replacen("friday = [\"9:00-17:00\"]", "friday = [\"late\"]", 1)
        .replacen("warm = false", "warm = 0", 1)
        .replacen("[suspect]", "[suspects]", 1);
    let faults = Practice::from_toml(&text).unwrap_err();
    let keys: Vec<_> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "suspect",
            "practice.phone",
            "hours.friday",
            "treatment.warm",
            "suspects"
        ]
    );
    assert!(
        faults
            .to_string()
            .starts_with("practice.toml, line 1, suspect: missing; expected a section"),
        "{faults}"
    );
}

#[test]
fn a_text_that_is_no_toml_is_told_with_its_line() {
    let text = edited("trade = \"massage therapist\"", "trade = massage therapist");
    let faults = Practice::from_toml(&text).unwrap_err();
    assert_eq!(
        faults.0[0].line,
        line_of(&text, "trade = massage"),
        "{faults}"
    );
    assert!(
        Practice::from_toml("")
            .unwrap_err()
            .0
            .iter()
            .any(|fault| fault.key == "practice")
    );
}

#[test]
fn a_guide_must_hold_every_pair_of_goal_and_warmth() {
    let at = SOURCE
        .find("[[guide]]\ngoal = \"relax\"\nwarmth = [\"no\"]")
        .unwrap();
    let end = at + SOURCE[at..].find("\n\n").unwrap();
    let faults = Practice::from_toml(&format!("{}{}", &SOURCE[..at], &SOURCE[end..])).unwrap_err();
    assert_eq!(faults.0.len(), 1, "{faults}");
    assert!(
        faults.0[0]
            .message
            .contains("no block for goal \"relax\" with warmth \"no\""),
        "{faults}"
    );
}

#[test]
fn a_week_without_working_hours_is_refused() {
    let text = SOURCE.replace("[\"9:00-17:00\"]", "[]");
    let faults = Practice::from_toml(&text).unwrap_err();
    assert!(
        faults
            .0
            .iter()
            .any(|fault| fault.message.contains("every day is a day off")),
        "{faults}"
    );
}

#[test]
fn dates_may_stand_without_quotation_marks() {
    let practice =
        Practice::from_toml(&edited("date = \"2027-01-01\"", "date = 2027-01-01")).unwrap();
    assert!(
        practice
            .holidays
            .iter()
            .any(|holiday| holiday.first == date(2027, 1, 1))
    );
    assert!(
        Practice::from_toml(&edited(
            "date = \"2027-01-01\"",
            "date = 2027-01-01T09:00:00"
        ))
        .is_err()
    );
}

/// The practice without warm stones: two treatments, and a guide that asks for the goal only.
fn without_warmth() -> String {
    let treatments = SOURCE.find("[[treatment]]\nkey = \"hot-stones\"").unwrap();
    let guide = SOURCE.find("# ── Which treatment to suggest").unwrap();
    let explain = SOURCE.find("# ── What you explain").unwrap();
    let rows = "[[guide]]\ngoal = \"treat\"\nsuggest = \"deep-tissue-remedial\"\nwhy = \"So it is.\"\n\
                [[guide]]\ngoal = \"relax\"\nsuggest = \"relaxing\"\nwhy = \"So it is.\"\n\
                [[guide]]\ngoal = \"not-sure\"\nwhy = \"We shall see.\"\n";
    assert!(treatments < guide && guide < explain);
    format!("{}{rows}{}", &SOURCE[..treatments], &SOURCE[explain..])
}

#[test]
fn without_a_warm_treatment_nobody_is_asked_about_warmth() {
    let practice = Practice::from_toml(&without_warmth()).unwrap();
    assert!(!practice.asks_warmth());
    for warmth in Warmth::ALL.iter().copied().map(Some).chain([None]) {
        let suggested = practice
            .suggest(Goal::Relax, warmth, None, None)
            .suggested
            .unwrap();
        assert_eq!(suggested.key.as_str(), "relaxing");
    }
    let text = without_warmth().replacen(
        "goal = \"relax\"\n",
        "goal = \"relax\"\nwarmth = [\"no\"]\n",
        1,
    );
    let faults = Practice::from_toml(&text).unwrap_err();
    assert!(
        faults
            .0
            .iter()
            .any(|fault| fault.key == "guide.warmth" && fault.message.contains("nobody is asked"))
    );
    let text = without_warmth().replacen("goal = \"relax\"\n", "goal = \"treat\"\n", 1);
    let faults = Practice::from_toml(&text).unwrap_err();
    let messages: Vec<_> = faults
        .0
        .iter()
        .map(|fault| fault.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "no block for goal \"relax\"; expected one",
            "goal \"treat\" is in a block above already; expected each goal once"
        ]
    );
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
    let practice = Practice::compiled();
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
                let suggestion = practice.suggest(*goal, *warmth, recent_injury, *named);
                let key = |treatment: Option<&enquiry_desk::practice::Treatment>| {
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

/// When an enquiry comes in (London time), until when the therapist is away, and what is promised.
type PromiseCase = (
    &'static str,
    Option<Date>,
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const PROMISES: &[PromiseCase] = &[
    // Eight working hours, Monday to Friday from 9 to 5.
    ("2026-11-23T09:00", None, "2026-11-23T17:00", "by Monday at 5 in the afternoon", "exactly at opening: the whole day"),
    ("2026-11-23T15:00", None, "2026-11-24T15:00", "by Tuesday at 3 in the afternoon", "two hours today, six tomorrow"),
    ("2026-11-23T10:20", None, "2026-11-24T11:00", "by Tuesday at 11 in the morning", "rounded up to the hour"),
    ("2026-11-23T16:59:59", None, "2026-11-24T17:00", "by Tuesday at 5 in the afternoon", "just before closing"),
    ("2026-11-23T17:00", None, "2026-11-24T17:00", "by Tuesday at 5 in the afternoon", "at closing"),
    ("2026-11-24T00:00", None, "2026-11-24T17:00", "by Tuesday at 5 in the afternoon", "at midnight"),
    ("2026-11-23T23:59:59", None, "2026-11-24T17:00", "by Tuesday at 5 in the afternoon", "just before midnight"),
    ("2026-11-27T12:00", None, "2026-11-30T12:00", "by Monday at noon", "over a weekend"),
    ("2026-11-28T11:00", None, "2026-11-30T17:00", "by Monday at 5 in the afternoon", "on a Saturday"),
    ("2026-12-24T12:00", None, "2026-12-29T12:00", "by Tuesday at noon", "over Christmas, which ends with a Monday off"),
    ("2026-12-31T12:00", None, "2027-01-04T12:00", "by Monday at noon", "New Year's Day and a weekend"),
    ("2026-03-27T16:00", None, "2026-03-30T16:00", "by Monday at 4 in the afternoon", "summer time begins in between"),
    ("2026-10-23T16:00", None, "2026-10-26T16:00", "by Monday at 4 in the afternoon", "summer time ends in between"),
    ("2026-11-23T10:00", Some(date(2026, 12, 2)), "2026-12-02T17:00", "by Wednesday 2 December at 5 in the afternoon", "away for more than a week"),
    ("2026-11-23T10:00", Some(date(2026, 11, 25)), "2026-11-25T17:00", "by Wednesday at 5 in the afternoon", "away until Wednesday"),
    ("2026-11-23T10:00", Some(date(2026, 11, 28)), "2026-11-30T17:00", "by Monday 30 November at 5 in the afternoon", "back on a closed day; a week from today has its date"),
    ("2026-11-23T10:00", Some(date(2026, 11, 23)), "2026-11-24T10:00", "by Tuesday at 10 in the morning", "back today"),
    ("2026-11-23T10:00", Some(date(2020, 1, 1)), "2026-11-24T10:00", "by Tuesday at 10 in the morning", "back long ago"),
    ("2026-12-20T10:00", Some(date(2027, 1, 1)), "2027-01-04T17:00", "by Monday 4 January at 5 in the afternoon", "back on a holiday"),
];

#[test]
fn a_promise_counts_working_hours_only() {
    check_promises(Practice::compiled(), PROMISES);
}

fn check_promises(practice: &Practice, cases: &[PromiseCase]) {
    for (received, away_until, due, words, reason) in cases {
        let zone = practice.time_zone.rules();
        let received = received
            .parse::<jiff::civil::DateTime>()
            .unwrap()
            .to_zoned(zone.clone())
            .unwrap()
            .timestamp();
        let due = due.parse::<jiff::civil::DateTime>().unwrap();
        assert_eq!(
            practice.reply_by(received, *away_until).datetime(),
            due,
            "{reason}"
        );
        assert_eq!(
            practice.reply_by_in_words(received, *away_until),
            *words,
            "{reason}"
        );
    }
}

#[test]
fn a_promise_knows_other_hours() {
    let text = edited(
        "monday = [\"9:00-17:00\"]",
        "monday = [\"9:30-12:30\", \"14:00-18:30\"]",
    )
    .replacen(
        "tuesday = [\"9:00-17:00\"]",
        "tuesday = [\"20:00-24:00\"]",
        1,
    )
    .replacen("within_working_hours = 8", "within_working_hours = 4", 1);
    #[rustfmt::skip]
    check_promises(&Practice::from_toml(&text).unwrap(), &[
        ("2026-11-23T08:00", None, "2026-11-23T15:00", "by Monday at 3 in the afternoon", "over a lunch break"),
        ("2026-11-23T14:20", None, "2026-11-23T18:30", "by Monday at half past 6 in the evening", "never past closing"),
        ("2026-11-24T09:00", None, "2026-11-25T00:00", "by the end of Tuesday", "midnight is named by the day that it ends"),
    ]);
}

#[test]
fn working_hours_on_the_night_of_the_clocks_are_counted_as_they_pass() {
    let text = edited("sunday = []", "sunday = [\"0:00-4:00\"]").replacen(
        "within_working_hours = 8",
        "within_working_hours = 3",
        1,
    );
    #[rustfmt::skip]
    check_promises(&Practice::from_toml(&text).unwrap(), &[
        ("2026-03-29T00:00", None, "2026-03-29T04:00", "by Sunday at 4 in the morning", "the night has an hour less"),
        ("2026-10-25T00:00", None, "2026-10-25T02:00", "by Sunday at 2 in the morning", "the night has an hour more"),
    ]);
}

#[test]
fn a_promise_comes_to_an_end_whatever_the_date() {
    let practice = Practice::compiled();
    let received = jiff::Timestamp::MAX;
    assert!(
        !practice
            .reply_by_in_words(received, Some(Date::MAX))
            .is_empty()
    );
    assert!(
        !practice
            .reply_by_in_words(jiff::Timestamp::MIN, None)
            .is_empty()
    );
    let far = practice.reply_by("2026-11-23T10:00Z".parse().unwrap(), Some(date(9000, 1, 1)));
    assert_eq!(far.year(), 9000);
}

#[test]
fn a_promise_is_kept_in_the_zone_of_the_practice() {
    let practice = Practice::from_toml(&edited("Europe/London", "Australia/Sydney")).unwrap();
    let due = practice.reply_by("2026-11-22T22:00Z".parse().unwrap(), None);
    assert_eq!(due.datetime(), date(2026, 11, 23).at(17, 0, 0, 0));
    assert_eq!(due.timestamp(), "2026-11-23T06:00Z".parse().unwrap());
    assert_ne!(due.time_zone(), &TimeZone::UTC);
}

#[test]
fn working_hours_are_told_with_equal_days_together() {
    let told = |practice: &Practice| -> Vec<String> {
        practice
            .working_days()
            .into_iter()
            .map(|group| format!("{}: {}", group.days, group.hours))
            .collect()
    };
    assert_eq!(
        told(Practice::compiled()),
        ["Monday to Friday: 9 am to 5 pm"]
    );
    let text = edited("wednesday = [\"9:00-17:00\"]", "wednesday = []").replacen(
        "saturday = []",
        "saturday = [\"9:30-12:00\", \"20:00-24:00\"]",
        1,
    );
    let practice = Practice::from_toml(&text).unwrap();
    assert_eq!(
        told(&practice),
        [
            "Monday and Tuesday: 9 am to 5 pm",
            "Thursday and Friday: 9 am to 5 pm",
            "Saturday: 9:30 am to noon and 8 pm to midnight"
        ]
    );
}

#[test]
fn the_next_step_is_told_for_each_way_to_hear_back() {
    let practice = Practice::compiled();
    for contact_by in ContactBy::ALL {
        let step = practice.next_step(*contact_by, "by Monday at noon");
        assert!(
            step.contains("by Monday at noon") && !step.contains('{'),
            "{step}"
        );
    }
}
