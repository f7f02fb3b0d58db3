//! What is wrong in `practice.toml` is reported with line, key and what was expected, all at once.

use crate::Practice;
use crate::choices::{BuiltIn, Choice, Goal, Warmth};
use jiff::civil::date;

use crate::tests::{SOURCE, edited, line_of, without_warmth};

/// One change to the file, the passage on whose line the error is, its key, words of its message, and who sees it.
type ErrorCase = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    bool,
);

/// The reader and the JSON Schema.
const BOTH: bool = true;
/// The reader alone: the schema cannot compare one value with another, and knows no list of time zones.
const READER: bool = false;

#[rustfmt::skip]
pub(crate) const ERRORS: &[ErrorCase] = &[
    ("name = \"Body Benefits\"", "nmae = \"Body Benefits\"", "nmae", "practice.nmae", "Use one of these keys: name, trade", BOTH),
    ("name = \"Body Benefits\"\n", "", "[practice]", "practice.name", "This is missing. Write a text", BOTH),
    ("name = \"Body Benefits\"", "name = 7", "name = 7", "practice.name", "Write a text between quotation marks, not a whole number", BOTH),
    ("name = \"Body Benefits\"", "name = \" \"", "name = \" \"", "practice.name", "Fill this in", BOTH),
    ("name = \"Body Benefits\"", "name = \"Body\\u0000Benefits\"", "name = \"Body", "practice.name", "can’t be shown", READER),
    ("phone = \"07835 346476\"", "phone = \"call me\"", "phone = \"call", "practice.phone", "Enter a phone number", BOTH),
    ("phone = \"07835 346476\"", "phone = \"0783\"", "phone = \"0783\"", "practice.phone", "7 to 15 digits", BOTH),
    ("phone = \"07835 346476\"", "phone = \"7835 346476\"", "phone = \"7835", "practice.phone", "starts with 0 or +", BOTH),
    ("phone = \"07835 346476\"", "phone = \"07835 346476 or 07700 900000\"", "phone = \"07835", "practice.phone", "Enter a phone number", BOTH),
    ("reference_prefix = \"BB\"", "reference_prefix = \"Bb\"", "reference_prefix", "practice.reference_prefix", "two to four capital letters", BOTH),
    ("reference_prefix = \"BB\"", "reference_prefix = \"BODYB\"", "reference_prefix", "practice.reference_prefix", "two to four capital letters", BOTH),
    ("time_zone = \"Europe/London\"", "time_zone = \"Europe/Chelmsford\"", "time_zone =", "practice.time_zone", "Enter a time zone such as Europe/London: “Europe/Chelmsford” is not one", READER),
    ("# website = \"https://www.example.com/\"", "website = \"javascript:alert(1)\"", "website = \"java", "practice.website", "starts with https://", BOTH),
    ("link = \"https://www.facebook.com/bodybenefitsessex\"\n", "", "[[social]]", "social[0].link", "This is missing", BOTH),
    ("monday = [\"9:00-17:00\"]", "monday = [\"17:00-9:00\"]", "monday =", "hours.monday[0]", "ends before it begins", READER),
    ("monday = [\"9:00-17:00\"]", "monday = [\"9:00-12:00\", \"11:30-17:00\"]", "monday =", "hours.monday[1]", "without an overlap", READER),
    ("monday = [\"9:00-17:00\"]", "monday = [\"14:00-17:00\", \"9:00-12:00\"]", "monday =", "hours.monday[1]", "in order", READER),
    ("monday = [\"9:00-17:00\"]", "monday = [\"9-17\"]", "monday =", "hours.monday[0]", "Enter the time as 9:00-17:00, on the 24-hour clock", BOTH),
    ("monday = [\"9:00-17:00\"]", "monday = [\"9:00-24:30\"]", "monday =", "hours.monday[0]", "Enter the time as 9:00-17:00, on the 24-hour clock", BOTH),
    ("monday = [\"9:00-17:00\"]", "monday = \"closed\"", "monday =", "hours.monday", "or [] for a day off", BOTH),
    ("monday = [\"9:00-17:00\"]", "monday = [9]", "monday =", "hours.monday[0]", "not a whole number in the list", BOTH),
    ("monday = [\"9:00-17:00\"]\n", "", "[hours]", "hours.monday", "This is missing", BOTH),
    ("saturday = []", "satturday = []", "satturday", "hours.satturday", "Use one of these keys", BOTH),
    ("within_working_hours = 8", "within_working_hours = 0", "within_working_hours = 0", "reply.within_working_hours", "from 1 to 80", BOTH),
    ("within_working_hours = 8", "within_working_hours = \"8\"", "within_working_hours = \"8\"", "reply.within_working_hours", "Write a whole number from 1 to 80, not a text", BOTH),
    ("to = \"2026-12-28\"", "to = \"2026-12-32\"", "to = \"2026-12-32\"", "holiday[0].to", "Enter a day such as 2027-01-31", BOTH),
    ("to = \"2026-12-28\"", "to = \"28 December\"", "to = \"28", "holiday[0].to", "Enter a day such as 2027-01-31", BOTH),
    ("to = \"2026-12-28\"", "to = \"2025-12-28\"", "to = \"2025", "holiday[0].to", "is before", READER),
    ("to = \"2026-12-28\"", "to = \"2036-12-28\"", "to = \"2036", "holiday[0].to", "at most 366 days", READER),
    ("to = \"2026-12-28\"\n", "", "[[holiday]]", "holiday[0]", "Enter the day off (date), or", BOTH),
    ("key = \"relaxing\"", "key = \"deep-tissue-remedial\"", "key = \"deep-tissue-remedial\"\nname = \"Relaxing", "treatment[1].key", "another has “deep-tissue-remedial” already", READER),
    ("key = \"relaxing\"", "key = \"Relaxing!\"", "key = \"Relaxing!", "treatment[1].key", "small letters", BOTH),
    ("warm = true", "warm = \"yes\"", "warm = \"yes\"", "treatment[2].warm", "Write true or false (without quotation marks), not a text", BOTH),
    ("suggest = \"relaxing\"", "suggest = \"relax\"", "suggest = \"relax\"", "guide[3].suggest", "Choose a treatment that is on your list (deep-tissue-remedial", READER),
    ("also = \"hot-stones\"", "also = \"relaxing\"", "also = \"relaxing\"", "guide[4].also", "Choose another treatment", READER),
    ("also = \"hot-stones\"\n", "", "also_why = \"It’s the warmer of", "guide[4].also_why", "Enter both", BOTH),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relaxed\"\nwarmth = [\"no\"]", "goal = \"relaxed\"", "guide[3].goal", "Use one of these: treat, relax, not-sure. “relaxed” isn’t one of them", BOTH),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relax\"\nwarmth = [\"cold\"]", "warmth = [\"cold\"]", "guide[3].warmth[0]", "“cold” isn’t one of them", BOTH),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relax\"\nwarmth = []", "warmth = []", "guide[3].warmth", "Name some of the answers", BOTH),
    ("goal = \"relax\"\nwarmth = [\"no\"]", "goal = \"relax\"\nwarmth = [\"no\", \"no\"]", "warmth = [\"no\", \"no\"]", "guide[3].warmth[1]", "twice", BOTH),
    ("goal = \"relax\"\nwarmth = [\"yes\"]", "goal = \"relax\"\nwarmth = [\"yes\", \"no\"]", "goal = \"relax\"\nwarmth = [\"yes\", \"no\"]", "guide[5].goal", "a block above is for goal “relax” with warmth “no” already", READER),
    ("lower-back = \"\"\"", "lower-bakc = \"\"\"", "lower-bakc", "explain.area.lower-bakc", "Use one of these keys: lower-back", BOTH),
    ("I’ll call you {when} with", "I’ll call you with", "next_by_phone", "emails.next_by_phone", "{when} in them once", BOTH),
    ("I’ll call you {when} with", "I’ll call you {when} {when} with", "next_by_phone", "emails.next_by_phone", "{when} in them once", BOTH),
    ("Your enquiry has arrived safely.\"", "Your enquiry has arrived safely\"", "thanks =", "emails.thanks", "with a full stop at the end", BOTH),
    ("version = \"2026-11-23\"", "version = \"23 November\"", "version =", "consent.version", "letters from A to Z", BOTH),
    ("[suspect]", "[[consent.earlier]]\nversion = \"2026-11-23\"\nwording = \"I agree.\"\nreplaced = \"2026-11-23\"\n[suspect]", "version = \"2026-11-23\"\nwording = \"I", "consent.earlier[0].version", "another has “2026-11-23” already", READER),
    ("[suspect]", "[[consent.earlier]]\nversion = \"1\"\nwording = \"I agree.\"\nreplaced = \"in May\"\n[suspect]", "replaced = \"in May", "consent.earlier[0].replaced", "Enter a day such as 2027-01-31", BOTH),
    ("[suspect]", "[[consent.earlier]]\nversion = \"1\"\nreplaced = 2026-05-01\n[suspect]", "[[consent.earlier]]\nversion = \"1", "consent.earlier[0].wording", "This is missing", BOTH),
    ("words = []", "words = [\"x\"]", "words = [\"x\"]", "suspect.words[0]", "at least three characters", BOTH),
    ("senders = []", "senders = [\"example\"]", "senders = [\"example\"]", "suspect.senders[0]", "Enter an address", BOTH),
    ("[consent]", "[consents]", "[consents]", "consents", "Use one of these keys", BOTH),
    ("within_working_hours = 8", "within_working_hours = 300", "within_working_hours = 300", "reply.within_working_hours", "from 1 to 80", BOTH),
    ("address = \"1 Albra Mead, Chelmsford, Essex\"", "address = [\"1 Albra Mead\"]", "address = ", "practice.address", "Write a text between quotation marks, not a list", BOTH),
    ("[suspect]\nwords = []", "[suspect]\nwords = [\"one\", 2]", "words =", "suspect.words[1]", "not a whole number in the list", BOTH),
    ("[[social]]\nname = \"Facebook\"", "[[social]]\n\"na.me\" = \"Facebook\"", "\"na.me\"", "social[0].na.me", "Use one of these keys: name, handle", BOTH),
    ("date = \"2027-01-01\"", "date = 2027-01-01T09:00:00", "date = 2027-01-01T", "holiday[1].date", "Enter a day such as 2027-01-31", BOTH),
    ("Your enquiry has arrived safely.\"", "See https://evil.example/pay.\"", "thanks =", "emails.thanks", "Take out “https://evil.example/pay”", READER),
    ("choose_it_for = \"time to relax, with warmth\"", "price = \"ask me\"\nchoose_it_for = \"time to relax, with warmth\"", "price =", "treatment[2].price", "Write a price with a figure", READER),
    ("choose_it_for = \"time to relax, with warmth\"", "choose_it_for = \"A time to relax.\"", "choose_it_for = \"A time", "treatment[2].choose_it_for", "Take out the full stop", BOTH),
    ("subject = \"Thank you for your enquiry\"", "subject = \"Thank you for your enquiry, which has arrived safely and which I am going to answer as soon as I can\"", "subject =", "emails.subject", "at most 80 characters", BOTH),
    ("senders = []", "senders = []\n[form]\nleave_out = [\"cause\", \"name\"]", "leave_out", "form.leave_out[1]", "Every form asks for “name”", BOTH),
    ("senders = []", "senders = []\n[form]\nleave_out = [\"cause\", \"cause\"]", "leave_out", "form.leave_out[1]", "twice", BOTH),
    ("senders = []", "senders = []\n[form]\nleave_out = [\"phone\"]", "leave_out", "form.leave_out", "(contact_by) too", READER),
    ("senders = []", "senders = []\n[form]\nleave_out = \"cause\"", "leave_out", "form.leave_out", "Write a list of questions such as [\"cause\", \"times\"]", BOTH),
    ("senders = []", "senders = []\n[form]\n", "[form]", "form.leave_out", "This is missing", BOTH),
];

/// One line of a good question, what replaces it, the key of the error, words of its message, and who sees it.
#[rustfmt::skip]
const OF_A_QUESTION: &[(&str, &str, &str, &str, bool)] = &[
    ("key = \"sport\"", "key = \"Sport!\"", "key", "Use only small letters from a to z, digits and underscores", BOTH),
    ("key = \"sport\"", "key = \"my-sport\"", "key", "digits and underscores", BOTH),
    ("key = \"sport\"", "key = \"a_key_of_more_than_thirty_letters\"", "key", "at most 30 characters", BOTH),
    ("key = \"sport\"", "", "key", "This is missing", BOTH),
    ("label = \"Which sport?\"", "label = \" \"", "label", "Fill this in", BOTH),
    ("hint = \"One is enough.\"", "hint = 7", "hint", "Write a text", BOTH),
    ("hint = \"One is enough.\"", "help = \"One is enough.\"", "help", "Use one of these keys: key, label, hint", BOTH),
    ("kind = \"one-of\"", "kind = \"select\"", "kind", "Use one of these: line, text, one-of, several-of, yes-no. “select” isn’t one of them", BOTH),
    ("kind = \"one-of\"", "kind = \"line\"", "options", "Leave these out: only a question with a list", READER),
    ("options = [{ value = \"run\", label = \"Running\" }, { value = \"swim\", label = \"Swimming\" }]", "", "options", "Enter the answers to choose from", READER),
    ("options = [{ value = \"run\", label = \"Running\" }, { value = \"swim\", label = \"Swimming\" }]", "options = [\"run\", { value = \"swim\", label = \"Swimming\" }]", "options[0]", "Write a list of answers such as", BOTH),
    ("options = [{ value = \"run\", label = \"Running\" }, { value = \"swim\", label = \"Swimming\" }]", "options = [{ value = \"run\", label = \"Running\" }]", "options", "Enter from 2 to 20 answers", BOTH),
    ("value = \"swim\"", "value = \"run\"", "options[1].value", "another has “run” already", READER),
    ("value = \"swim\"", "value = \"Swimming pool\"", "options[1].value", "small letters", BOTH),
    ("required = true", "required = \"yes\"", "required", "true or false (without quotation marks)", BOTH),
    ("section = \"body\"", "section = \"consent\"", "section", "Use one of these: you, body, visit. “consent” isn’t one of them", BOTH),
    ("health = false", "", "health", "This is missing. Write true or false", BOTH),
];

const QUESTION: &str = "[[question]]\nkey = \"sport\"\nlabel = \"Which sport?\"\nhint = \"One is enough.\"\nkind = \"one-of\"\n\
    options = [{ value = \"run\", label = \"Running\" }, { value = \"swim\", label = \"Swimming\" }]\nrequired = true\n\
    section = \"body\"\nhealth = false\n";

/// The practice with questions, each changed as the table says.
pub(crate) fn with_question(passage: &str, replacement: &str) -> String {
    assert!(QUESTION.contains(passage), "{passage}");
    format!("{SOURCE}\n{}", QUESTION.replacen(passage, replacement, 1))
}

/// The texts with an error in a question, and whether the schema sees it.
pub(crate) fn of_questions() -> impl Iterator<Item = (String, bool)> {
    let cases = OF_A_QUESTION.iter();
    cases.map(|(passage, replacement, .., seen)| (with_question(passage, replacement), *seen))
}

#[test]
fn a_question_is_checked_like_everything_else() {
    Practice::from_toml(&with_question("", "")).unwrap();
    for (passage, replacement, key, message, _) in OF_A_QUESTION {
        let errors =
            Practice::from_toml(&with_question(passage, replacement)).expect_err(replacement);
        let key = format!("question[0].{key}");
        let [error] = errors.0.as_slice() else {
            panic!("{replacement}: {errors}")
        };
        assert_eq!(error.key, key, "{error}");
        assert!(error.message.contains(message), "{replacement}: {error}");
        assert!(error.line > Some(SOURCE.matches('\n').count()), "{error}");
    }
}

#[test]
fn there_are_at_most_twelve_questions_three_of_them_long_and_each_once() {
    let text = |kind: &str, count: usize| {
        let questions = (0..count).map(|nth| {
            format!(
                "[[question]]\nkey = \"q{nth}\"\nlabel = \"Which?\"\nkind = \"{kind}\"\nsection = \"you\"\nhealth = true\n"
            )
        });
        Practice::from_toml(&format!("{SOURCE}\n{}", questions.collect::<String>()))
    };
    assert_eq!(text("line", 12).unwrap().questions.len(), 12);
    assert_eq!(text("text", 3).unwrap().questions.len(), 3);
    for (kind, count, key) in [
        ("line", 13, "question[12]"),
        ("text", 4, "question[3].kind"),
    ] {
        let errors = text(kind, count).unwrap_err();
        assert_eq!(errors.0.len(), 1, "{errors}");
        assert_eq!(errors.0[0].key, key);
    }
    let twice = format!("{}{QUESTION}", with_question("", ""));
    let errors = Practice::from_toml(&twice).unwrap_err();
    assert_eq!(errors.0[0].key, "question[1].key", "{errors}");
}

#[test]
fn a_guide_says_only_what_the_form_asks() {
    let at = SOURCE.find("[[guide]]").unwrap();
    let end = SOURCE.find("# ── What you explain").unwrap();
    let guide = |rows: &str, form: &str| {
        let text = format!("{}{rows}{}\n{form}", &SOURCE[..at], &SOURCE[end..]);
        Practice::from_toml(&text)
    };
    let row = "[[guide]]\ngoal = \"not-sure\"\nwhy = \"We shall see.\"\n\n";
    guide(row, "[form]\nleave_out = [\"goal\"]\n").unwrap();
    guide(row, "[form]\nleave_out = [\"warmth\"]\n").unwrap_err();
    // A question that comes back finds its rows.
    let practice = Practice::from_toml(&format!(
        "{SOURCE}\n[form]\nleave_out = [\"goal\", \"warmth\"]\n"
    ))
    .unwrap();
    assert!(!practice.asks_warmth() && practice.asks(BuiltIn::Area));
}

#[test]
fn each_error_is_told_with_its_line_its_key_and_what_was_expected() {
    for (passage, replacement, place, key, message, _) in ERRORS {
        let text = edited(passage, replacement);
        let errors = Practice::from_toml(&text).expect_err(replacement).0;
        let found = errors.iter().any(|error| {
            error.line == Some(line_of(&text, place))
                && error.key == *key
                && error.message.contains(message)
        });
        assert!(
            found,
            "{replacement}: expected {key} with {message:?} on line {}, found {errors:#?}",
            line_of(&text, place)
        );
    }
}

#[test]
fn a_single_typo_is_told_once() {
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
        let errors = Practice::from_toml(&edited(passage, replacement)).expect_err(replacement);
        assert_eq!(errors.0.len(), 1, "{replacement}: {errors}");
    }
}

#[test]
fn all_errors_come_at_once_and_in_order() {
    let text = edited("phone = \"07835 346476\"", "phone = \"none\"")
        .replacen("friday = [\"9:00-17:00\"]", "friday = [\"late\"]", 1)
        .replacen("warm = false", "warm = 0", 1)
        .replacen("[suspect]", "[suspects]", 1);
    let errors = Practice::from_toml(&text).unwrap_err();
    let keys: Vec<_> = errors.0.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "suspect",
            "practice.phone",
            "hours.friday[0]",
            "treatment[0].warm",
            "suspects"
        ]
    );
    assert!(
        errors
            .to_string()
            .starts_with("practice.toml, line 1, suspect: This is missing. Write a section"),
        "{errors}"
    );
}

#[test]
fn a_text_that_is_no_toml_is_told_with_its_line() {
    let text = edited("trade = \"massage therapist\"", "trade = massage therapist");
    let errors = Practice::from_toml(&text).unwrap_err();
    assert_eq!(
        errors.0[0].line,
        Some(line_of(&text, "trade = massage")),
        "{errors}"
    );
    assert!(
        Practice::from_toml("")
            .unwrap_err()
            .0
            .iter()
            .any(|error| error.key == "practice")
    );
}

#[test]
fn a_guide_must_hold_every_pair_of_goal_and_warmth() {
    let at = SOURCE
        .find("[[guide]]\ngoal = \"relax\"\nwarmth = [\"no\"]")
        .unwrap();
    let end = at + SOURCE[at..].find("\n\n").unwrap();
    let errors = Practice::from_toml(&format!("{}{}", &SOURCE[..at], &SOURCE[end..])).unwrap_err();
    assert_eq!(errors.0.len(), 1, "{errors}");
    assert!(
        errors.0[0]
            .message
            .contains("Add a block for goal “relax” with warmth “no”"),
        "{errors}"
    );
}

#[test]
fn a_week_without_working_hours_is_refused() {
    let text = SOURCE.replace("[\"9:00-17:00\"]", "[]");
    let errors = Practice::from_toml(&text).unwrap_err();
    assert!(
        errors
            .0
            .iter()
            .any(|error| error.message.contains("at least one day")),
        "{errors}"
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

#[test]
fn without_a_warm_treatment_the_form_does_not_ask_about_warmth() {
    let practice = Practice::from_toml(&without_warmth()).unwrap();
    assert!(!practice.asks_warmth());
    for warmth in Warmth::ALL.iter().copied().map(Some).chain([None]) {
        let suggested = practice.suggest(Goal::Relax, warmth).treatment.unwrap();
        assert_eq!(suggested.as_str(), "relaxing");
    }
    let text = without_warmth().replacen(
        "goal = \"relax\"\n",
        "goal = \"relax\"\nwarmth = [\"no\"]\n",
        1,
    );
    let errors = Practice::from_toml(&text).unwrap_err();
    assert!(errors.0.iter().any(|error| error.key == "guide[1].warmth"
        && error.message.contains("the form does not ask about warmth")));
    let text = without_warmth().replacen("goal = \"relax\"\n", "goal = \"treat\"\n", 1);
    let errors = Practice::from_toml(&text).unwrap_err();
    let messages: Vec<_> = errors
        .0
        .iter()
        .map(|error| error.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "Add a block for goal “relax”",
            "Take this out: a block above is for goal “treat” already"
        ]
    );
}

#[test]
fn what_is_missing_as_a_whole_is_told_once() {
    let without = |section: &str, end: &str| {
        let at = SOURCE.find(section).unwrap();
        let end = at + SOURCE[at..].find(end).unwrap();
        format!("{}{}", &SOURCE[..at], &SOURCE[end..])
    };
    for (text, key, message) in [
        (
            without("[emails]", "# ── What people"),
            "emails",
            "This is missing. Write a section that starts with [emails]",
        ),
        (
            without("[explain.area]", "[explain.cause]").replacen(
                "[explain]",
                "[explain]\narea = 7",
                1,
            ),
            "explain.area",
            "Write a section that starts with [explain.area], not a whole number",
        ),
        (
            without("[[social]]", "# ── When").replacen(
                "[practice]",
                "social = true\n[practice]",
                1,
            ),
            "social",
            "Write blocks that each start with [[social]], not true or false",
        ),
        (
            without("[[social]]", "# ── When").replacen(
                "[practice]",
                "social = [\"Facebook\"]\n[practice]",
                1,
            ),
            "social[0]",
            "Write blocks that each start with [[social]], not a text in the list",
        ),
        (
            without("[[treatment]]", "# ── Which"),
            "treatment",
            "Add at least one treatment",
        ),
    ] {
        let errors = Practice::from_toml(&text).unwrap_err();
        let found: Vec<_> = errors
            .0
            .iter()
            .filter(|error| error.key.starts_with(key))
            .collect();
        assert_eq!(found.len(), 1, "{key}: {errors}");
        assert_eq!(found[0].message, message);
        // Without treatments nothing is warm, and that is told of the guide.
        assert!(key == "treatment" || errors.0.len() == 1, "{key}: {errors}");
    }
}

#[test]
fn a_line_is_named_without_the_number_of_the_block() {
    let text = edited("suggest = \"relaxing\"", "suggest = \"relax\"");
    let errors = Practice::from_toml(&text).unwrap_err().to_string();
    let line = line_of(&text, "suggest = \"relax\"");
    let expected = format!(
        "practice.toml, line {line}, guide.suggest: Choose a treatment that is on your list ("
    );
    assert!(errors.starts_with(&expected), "{errors}");
}
