//! `tests/mutants.toml` fits the tree: each text that a mutant replaces is found once, and each test that must then fail is there.
//! `tools/mutants` tries them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::support::template::text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    pub name: String,
    why: String,
    /// The test that must fail; without one, a random schedule of the simulator must.
    pub test: Option<String>,
    #[serde(default)]
    simulator: bool,
    #[serde(default)]
    changes: Vec<Change>,
    // Where there is one change only.
    find: Option<String>,
    replace: Option<String>,
    file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    find: String,
    replace: String,
    file: Option<String>,
}

pub fn all() -> Vec<Mutant> {
    let file: File = toml::from_str(&text("tests/mutants.toml")).unwrap();
    file.mutant
}

impl Mutant {
    fn changes(self) -> Vec<Change> {
        match (self.find, self.replace) {
            (Some(find), Some(replace)) => vec![Change {
                find,
                replace,
                file: self.file,
            }],
            (None, None) => self.changes,
            _ => panic!(
                "{}: find without replace, or replace without find",
                self.name
            ),
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Any white space matches any other.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// `src/` and the `src/` of each crate beside it.
fn source_folders() -> Vec<PathBuf> {
    let crates = std::fs::read_dir(root().join("crates"))
        .into_iter()
        .flatten();
    let mut folders = vec![root().join("src")];
    folders.extend(crates.map(|entry| entry.unwrap().path().join("src")));
    folders
}

/// Whether a test of this name is there: `module::name` of this binary, or `module::tests::name` of a package itself.
pub fn is_a_test(path: &str) -> bool {
    let (module, name) = path.rsplit_once("::").unwrap();
    let module = format!("::{module}");
    let (module, folders) = match module.strip_suffix("::tests") {
        Some(module) => (module, source_folders()),
        None => (module.as_str(), vec![root().join("tests")]),
    };
    let module = match module.trim_start_matches("::") {
        "" => "lib".to_owned(),
        module => module.replace("::", "/"),
    };
    folders.iter().any(|folder| {
        [".rs", "/mod.rs", "/tests.rs"].iter().any(|end| {
            let file = folder.join(format!("{module}{end}"));
            let text = std::fs::read_to_string(file).unwrap_or_default();
            text.contains(&format!("fn {name}("))
        })
    })
}

#[test]
fn each_text_that_a_mutant_replaces_is_found_once() {
    let mut files = Vec::new();
    for folder in source_folders() {
        collect(&folder, &mut files);
    }
    let sources: Vec<String> = files
        .iter()
        .map(|file| words(&std::fs::read_to_string(file).unwrap()))
        .collect();
    let mutants = all();
    assert!(mutants.len() > 80, "only {} mutants", mutants.len());
    let mut wrong = Vec::new();
    for mutant in mutants {
        let name = mutant.name.clone();
        let changes = mutant.changes();
        assert!(!changes.is_empty(), "{name} changes nothing");
        for change in changes {
            let find = words(&change.find);
            assert!(!find.is_empty() && find != words(&change.replace), "{name}");
            let count: usize = match &change.file {
                Some(file) => words(&text(file)).matches(&find).count(),
                None => sources.iter().map(|text| text.matches(&find).count()).sum(),
            };
            if count != 1 {
                wrong.push(format!("{name} is found {count} times: {find}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_mutant_says_why_and_names_a_test_that_is_there() {
    let mut names = std::collections::BTreeSet::new();
    for mutant in all() {
        let name = &mutant.name;
        assert!(names.insert(name.clone()), "{name} is there twice");
        assert!(mutant.why.ends_with('.'), "{name}: {}", mutant.why);
        assert!(mutant.simulator != mutant.test.is_some(), "{name}");
        if let Some(test) = &mutant.test {
            assert!(is_a_test(test), "{name}: there is no {test}");
        }
    }
}
