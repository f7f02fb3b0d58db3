//! The practice: what its file may say, which treatment is suggested, and by when an answer is promised.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod errors;
mod form;
mod guide;
mod hours;
mod schema;

const SOURCE: &str = include_str!("../../../../practice.toml");
const SECOND: &str = include_str!("../../../../tests/second_practice.toml");
const PHYSIOTHERAPIST: &str = include_str!("../../../../tests/physiotherapist.toml");

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
