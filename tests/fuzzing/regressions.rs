//! The fuzzer's regressions, played again: inputs of every kind that a target distinguishes, every one that once broke a promise,
//! the events of `events/`, and the practices of the repository.
//!
//! New ones come from `tools/fuzz`: CONTRIBUTING.md says how.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use serde::Deserialize;

use crate::fuzzing;

/// The inputs are played on so many threads: the slow ones mostly wait.
const THREADS: usize = 8;

/// An entry of a target's file: a text, or bytes in hexadecimal digits and then a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    Bytes {
        bytes: String,
        #[serde(default)]
        text: String,
    },
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The regressions of a target by their names.
fn regressions(target: &str) -> Vec<(String, Vec<u8>)> {
    let file = root().join(format!("tests/fuzzing/regressions/{target}.toml"));
    let entries: BTreeMap<String, Entry> =
        toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let entries = entries.into_iter().map(|(name, entry)| match entry {
        Entry::Text(text) => (name, text.into_bytes()),
        Entry::Bytes { bytes, text } => (
            name,
            [hex::decode(bytes).unwrap(), text.into_bytes()].concat(),
        ),
    });
    entries.collect()
}

/// The files of this folder whose names begin so, each after `before`.
fn files(folder: &str, beginning: &str, before: &str) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(root().join(folder)).unwrap();
    let files: Vec<_> = files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), file.path()))
        .filter(|(name, _)| name.starts_with(beginning))
        .map(|(name, path)| {
            let content = std::fs::read(path).unwrap();
            (name, [before.as_bytes(), &content].concat())
        })
        .collect();
    assert!(!files.is_empty(), "{beginning}");
    files
}

/// The events whose names begin so: the script of AWS before them says nothing.
fn events(beginning: &str) -> Vec<(String, Vec<u8>)> {
    files("events", beginning, "\n")
}

fn replay(target: &str, more: Vec<(String, Vec<u8>)>) {
    let play = fuzzing::target(target);
    let mut all = regressions(target);
    all.extend(more);
    assert!(all.len() >= 5, "{target} has regressions");
    let count = all.len();
    let left = Mutex::new(all);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_time().build().unwrap();
                loop {
                    let Some((name, data)) = left.lock().unwrap().pop() else {
                        return;
                    };
                    let played = std::panic::AssertUnwindSafe(|| play(&runtime, &data));
                    if std::panic::catch_unwind(played).is_err() {
                        failed.lock().unwrap().push(name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "of {count} inputs: {failed:#?}");
}

#[test]
fn every_request_of_the_regressions_has_an_answer_and_none_is_lost() {
    replay("http", [events("http-"), events("function-url")].concat());
}

#[test]
fn every_body_of_the_regressions_is_read_as_it_was_written() {
    replay("decode", Vec::new());
}

#[test]
fn every_batch_of_the_regressions_names_only_its_own_records() {
    replay("stream", events("stream-"));
}

#[test]
fn every_report_of_the_regressions_is_counted() {
    replay("feedback", Vec::new());
}

#[test]
fn every_command_of_the_regressions_is_done_or_refused_in_words() {
    replay("command", events("command-"));
}

#[test]
fn every_practice_of_the_regressions_is_refused_by_line_or_writes_all_emails() {
    let tests = ["second_practice", "physiotherapist"].map(|name| files("tests", name, ""));
    replay(
        "practice",
        [files(".", "practice.toml", ""), tests.concat()].concat(),
    );
}

#[test]
fn every_email_of_the_regressions_is_well_formed_and_without_foreign_links() {
    replay("emails", Vec::new());
}

#[test]
fn every_target_is_played() {
    let files = files("tests/fuzzing/regressions", "", "").into_iter();
    let mut files: Vec<String> = files.map(|(name, _)| name).collect();
    files.sort();
    let targets = fuzzing::TARGETS.iter();
    let mut targets: Vec<String> = targets.map(|(name, _)| format!("{name}.toml")).collect();
    targets.sort_unstable();
    assert_eq!(files, targets);
}
