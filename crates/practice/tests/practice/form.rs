//! The same checks for values that come from no file, such as the fields of a form.

use crate::raw::{Day, Line, Spans};
use crate::{Practice, check, raw};

use crate::tests::{PHYSIOTHERAPIST, SECOND, SOURCE};

fn written(text: &str) -> raw::Practice {
    toml::from_str(
        &text
            .replace("= 2026-11-24", "= \"2026-11-24\"")
            .replace("= 2026-11-27", "= \"2026-11-27\""),
    )
    .unwrap()
}

#[test]
fn values_without_a_file_make_the_same_practice() {
    for text in [SOURCE, SECOND, PHYSIOTHERAPIST] {
        let read = Practice::from_toml(text).unwrap();
        // As it may be stored.
        let stored = serde_json::to_string(&written(text)).unwrap();
        let raw: raw::Practice = serde_json::from_str(&stored).unwrap();
        assert_eq!(raw, written(text));
        let checked = check(&raw).unwrap();
        assert_eq!(format!("{checked:?}"), format!("{read:?}"));
    }
}

#[test]
fn errors_without_a_file_have_the_key_alone() {
    let mut raw = written(SOURCE);
    raw.practice.name = Line(" ".to_owned());
    raw.hours.friday = Spans(vec!["9:00-12:00".to_owned(), "late".to_owned()]);
    raw.reply.within_working_hours.0 = 0;
    raw.holiday[1].date = Some(Day("tomorrow".to_owned()));
    raw.treatment[2].price = Some(Line("£".repeat(121)));
    raw.practice.time_zone = Line("Europe/Nowhere".to_owned());
    let errors = check(&raw).unwrap_err();
    let told: Vec<_> = errors
        .0
        .iter()
        .map(|error| (error.key.as_str(), error.line))
        .collect();
    assert_eq!(
        told,
        [
            ("treatment[2].price", None),
            ("practice.name", None),
            ("practice.time_zone", None),
            ("hours.friday[1]", None),
            ("holiday[1].date", None),
            ("reply.within_working_hours", None),
        ]
    );
    assert_eq!(
        errors.0[0].to_string(),
        "treatment[2].price: Shorten this to at most 120 characters"
    );
}
