//! The fuzzer's corpus, played again: every input that it found worth keeping, and every one that once broke a promise.
//!
//! New ones come from `.ci/fuzz`. A crash that was mended belongs into `fuzz/corpus/` under a name that says what it was.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::fuzzing;

/// Each file is played on the thread of whoever is free: most of the time of the slow ones is waiting.
const THREADS: usize = 8;

fn files(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    files.map(|file| file.unwrap().path()).collect()
}

fn replay(target: &str) {
    let play = fuzzing::target(target);
    let all = files(target);
    let count = all.len();
    assert!(count >= 5, "{target} has a corpus");
    let left = Mutex::new(all);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_time().build().unwrap();
                loop {
                    let Some(file) = left.lock().unwrap().pop() else {
                        return;
                    };
                    let data = std::fs::read(&file).unwrap();
                    let played = std::panic::AssertUnwindSafe(|| play(&runtime, &data));
                    if std::panic::catch_unwind(played).is_err() {
                        failed.lock().unwrap().push(file);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "of {count} inputs: {failed:#?}");
}

#[test]
fn every_request_of_the_corpus_has_an_answer_and_none_is_lost() {
    replay("http");
}

#[test]
fn every_body_of_the_corpus_is_read_as_it_was_written() {
    replay("decode");
}

#[test]
fn every_batch_of_the_corpus_names_only_its_own_records() {
    replay("stream");
}

#[test]
fn every_report_of_the_corpus_is_counted() {
    replay("feedback");
}

#[test]
fn every_command_of_the_corpus_is_done_or_refused_in_words() {
    replay("command");
}

#[test]
fn every_practice_of_the_corpus_is_refused_by_line_or_writes_all_emails() {
    replay("practice");
}

#[test]
fn every_email_of_the_corpus_is_well_formed_and_without_foreign_links() {
    replay("emails");
}

#[test]
fn every_target_is_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut folders: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut targets: Vec<&str> = fuzzing::TARGETS.iter().map(|(name, _)| *name).collect();
    targets.sort_unstable();
    assert_eq!(folders, targets);
}
