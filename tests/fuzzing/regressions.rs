//! The fuzzer's regressions, played again: inputs of every kind that a target distinguishes, every one that once broke a promise,
//! and the events of `events/`.
//!
//! New ones come from `tools/fuzz`: CONTRIBUTING.md says how.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::fuzzing;

/// The files are played on so many threads: the slow ones mostly wait.
const THREADS: usize = 8;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzzing/regressions")
}

/// The names of the regressions of a target, with the bytes.
fn regressions(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder().join(target)).unwrap();
    files
        .map(|file| {
            let path = file.unwrap().path();
            (path.display().to_string(), std::fs::read(path).unwrap())
        })
        .collect()
}

/// The events whose names begin so, after an empty line: the script of AWS says nothing.
fn events(beginning: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let events = std::fs::read_dir(folder).unwrap();
    let events: Vec<_> = events
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), file.path()))
        .filter(|(name, _)| name.starts_with(beginning))
        .map(|(name, path)| {
            (
                name,
                [b"\n".to_vec(), std::fs::read(path).unwrap()].concat(),
            )
        })
        .collect();
    assert!(!events.is_empty(), "{beginning}");
    events
}

fn replay(target: &str, events: Vec<(String, Vec<u8>)>) {
    let play = fuzzing::target(target);
    let mut all = regressions(target);
    assert!(all.len() >= 5, "{target} has regressions");
    all.extend(events);
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
    replay("practice", Vec::new());
}

#[test]
fn every_email_of_the_regressions_is_well_formed_and_without_foreign_links() {
    replay("emails", Vec::new());
}

#[test]
fn every_target_is_played() {
    let mut folders: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut targets: Vec<&str> = fuzzing::TARGETS.iter().map(|(name, _)| *name).collect();
    targets.sort_unstable();
    assert_eq!(folders, targets);
}
