//! What may name what. `src/lib.rs` lists the modules by layer, ARCHITECTURE.md says why; here it is held.

mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use source::Source;

/// The layers, from the lowest: a module names only modules of lower layers, and its own.
const LAYERS: [&[&str]; 13] = [
    &["messages"],
    &["clock", "practice", "telemetry", "text"],
    &["enquiry", "keys"],
    &[
        "form_token",
        "link",
        "mail_state",
        "proof_of_work",
        "session",
    ],
    &["aws", "settings", "spam"],
    &["record"],
    &["email", "store"],
    &["ses"],
    &["delivery"],
    &[
        "check",
        "desk",
        "nightly",
        "reminders",
        "sign_in",
        "submission",
        "withdrawal",
    ],
    &["commands", "feedback", "stream", "web"],
    &["app"],
    &["main"],
];

/// Which modules alone may name a path: another crate's, or a part of it.
const RESERVED: [(&str, &[&str]); 20] = [
    ("aws_sdk_dynamodb", &["aws", "store"]),
    ("aws_sdk_sesv2", &["aws", "ses"]),
    ("serde_dynamo", &["store"]),
    ("crate::store::schema", &["store"]),
    ("axum", &["web"]),
    ("lambda_http", &["web"]),
    ("tower", &["web"]),
    // `aws` builds the request for the secret; `settings` checks an origin as a browser writes it.
    ("http", &["web", "aws", "settings"]),
    ("lambda_runtime", &["main", "app"]),
    ("hmac", &["keys"]),
    ("getrandom", &["keys"]),
    ("sha2", &["keys", "proof_of_work"]),
    ("pbkdf2", &["proof_of_work"]),
    ("askama", &["email", "web"]),
    ("Timestamp::now", &["main"]),
    ("Zoned::now", &["main"]),
    ("std::env", &["main"]),
    // The certificates of `AWS_CA_BUNDLE`.
    ("std::fs", &["aws"]),
    // The clock of a deadline, and the time at which a request is signed.
    ("Instant::now", &["clock"]),
    ("SystemTime::now", &["aws"]),
];

/// What the function is never built with, and what would go on after an invocation has answered.
const NOWHERE: [&str; 9] = [
    "toml",
    "dynoxide",
    "lettre",
    "aws_emulator",
    "testing",
    "tokio::spawn",
    "tokio::task::spawn",
    "std::thread",
    "JoinSet",
];

/// What only the store writes: attributes whose names mean nothing else, and what keys and conditions contain.
const ATTRIBUTES: [&str; 5] = ["pk", "due", "writer", "uncounted", "list_by"];
const OF_THE_TABLE: [&str; 18] = [
    "attribute_exists",
    "attribute_not_exists",
    "/kind/",
    "enquiry#",
    "state#",
    "annex#",
    "sender#",
    "idempotency#",
    "cool-down#",
    "source#",
    "day#",
    "nonce#",
    "sign-in#",
    "session#",
    "asks#",
    "asked#",
    "desk#",
    "practice#",
];

/// What a file of `src/` names that it must not, each with its line.
fn findings(path: &str, text: &str) -> Vec<(usize, String)> {
    let inside = path.strip_prefix("src/").unwrap();
    let (module, depth) = match inside.split_once('/') {
        Some((folder, rest)) => (
            folder,
            rest.matches('/').count() + 2 - usize::from(rest.ends_with("mod.rs")),
        ),
        None => (inside.trim_end_matches(".rs"), 1),
    };
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let Some(own) = layer(module) else {
        return vec![(1, format!("{module} is in no layer"))];
    };
    let source = Source::read(text);
    let mut found = Vec::new();
    for (line, mut path) in source.paths {
        // `super` leads out of the folder once it stands there as often as the file is deep.
        let up = path.iter().take_while(|part| *part == "super").count();
        if up >= depth {
            path.splice(..up, ["crate".to_owned()]);
        }
        let named = path.join("::");
        if let [root, other, ..] = path.as_slice()
            && root == "crate"
            && other != module
            && layer(other).is_none_or(|layer| layer >= own)
        {
            found.push((line, named.clone()));
        }
        let is_in = |part: &str| {
            let part: Vec<&str> = part.split("::").collect();
            // A function of a type may be called by any path to the type; a crate or a module starts it.
            let is_of_type = part[0].starts_with(char::is_uppercase);
            let place = path.windows(part.len()).position(|window| window == part);
            place.is_some_and(|place| place == 0 || is_of_type)
        };
        let reserved = RESERVED
            .iter()
            .any(|(part, modules)| is_in(part) && !modules.contains(&module));
        if reserved || NOWHERE.iter().any(|it| is_in(it)) {
            found.push((line, named));
        }
    }
    if module != "store" {
        let of_the_table = |text: &str| {
            ATTRIBUTES.contains(&text) || OF_THE_TABLE.iter().any(|part| text.contains(part))
        };
        found.extend(
            source
                .strings
                .into_iter()
                .filter(|(_, text)| of_the_table(text)),
        );
    }
    found
}

/// Every file of Rust in these folders, by its path from the repository's root, with its text.
fn files(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                found.push((path, fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    assert!(!found.is_empty());
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with every finding, one a line, as compilers write them.
fn none(findings: impl Iterator<Item = String>) {
    let findings: Vec<String> = findings.collect();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn modules_name_only_what_is_below_them() {
    let product = files(&["src"]).into_iter();
    let product = product.filter(|(path, _)| path != "src/lib.rs" && !path.ends_with("/tests.rs"));
    none(product.flat_map(|(path, text)| {
        let found = findings(&path, &text).into_iter();
        found.map(move |(line, what)| format!("{path}:{line}: {what}"))
    }));
}

#[test]
fn lib_rs_lists_the_modules_by_layer() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut listed = vec![Vec::new()];
    for line in text.lines() {
        let module = line.trim_start_matches("pub ").strip_prefix("mod ");
        if let Some(module) = module {
            listed
                .last_mut()
                .unwrap()
                .push(module.trim_end_matches(';'));
        } else if line.is_empty() {
            listed.push(Vec::new());
        }
    }
    listed.retain(|layer| !layer.is_empty());
    assert_eq!(listed, LAYERS[..LAYERS.len() - 1]);
}

/// Each row is a file, its text, and what is found in which line of it.
#[test]
fn the_rules_find_what_breaks_them_and_nothing_else() {
    for (path, text, expected) in [
        // Layers.
        (
            "src/ses.rs",
            "use crate::email::Email;",
            &[] as &[(usize, &str)],
        ),
        (
            "src/email/notice.rs",
            "use crate::store::Store;",
            &[(1, "crate::store::Store")],
        ),
        (
            "src/store/mod.rs",
            "\nuse crate::{\n    clock::Clock,\n    desk::Desk,\n};",
            &[(4, "crate::desk::Desk")],
        ),
        (
            "src/desk/list.rs",
            "fn f() {\n    crate::web::handle()\n}",
            &[(2, "crate::web::handle")],
        ),
        (
            "src/desk/list.rs",
            "fn f() -> Vec<crate::app::App> {}",
            &[(1, "crate::app::App")],
        ),
        (
            "src/desk/list.rs",
            "use super::super::web;",
            &[(1, "crate::web")],
        ),
        ("src/desk/mod.rs", "use super::web;", &[(1, "crate::web")]),
        ("src/desk/list.rs", "use super::web;", &[]),
        ("src/desk/list.rs", "use crate::*;", &[(1, "crate::*")]),
        ("src/desk/list.rs", "pub(in crate::desk) fn f() {}", &[]),
        ("src/unheard_of.rs", "", &[(1, "unheard_of is in no layer")]),
        // Unit tests, comments and strings are left out.
        (
            "src/desk/list.rs",
            "#[cfg(test)]\nmod tests { use crate::app::App; fn f() { \"}\" } }\nuse crate::web;",
            &[(3, "crate::web")],
        ),
        (
            "src/desk/list.rs",
            "#[cfg(test)]\nmod tests;\nuse crate::web;",
            &[(3, "crate::web")],
        ),
        (
            "src/desk/list.rs",
            "// crate::app\n/* crate::app */ /// crate::app\nconst A: &str = \"\\\" crate::app\";",
            &[],
        ),
        (
            "src/desk/list.rs",
            "const A: &str = r#\"\"crate::app\"#; const B: char = '\"'; fn f<'a>(_: &'a str) { crate::app::f() }",
            &[(1, "crate::app::f")],
        ),
        // Other crates.
        ("src/store/mod.rs", "use aws_sdk_dynamodb::Client;", &[]),
        (
            "src/delivery/mod.rs",
            "use aws_sdk_dynamodb::Client;",
            &[(1, "aws_sdk_dynamodb::Client")],
        ),
        (
            "src/delivery/mod.rs",
            "use ::aws_sdk_sesv2 as ses;",
            &[(1, "aws_sdk_sesv2")],
        ),
        ("src/web/form.rs", "use axum::http::HeaderMap;", &[]),
        (
            "src/feedback.rs",
            "fn f() -> http::StatusCode {}",
            &[(1, "http::StatusCode")],
        ),
        (
            "src/web/mod.rs",
            "use lambda_runtime::Error;",
            &[(1, "lambda_runtime::Error")],
        ),
        ("src/store/mod.rs", "let item: serde_dynamo::Item;", &[]),
        (
            "src/app.rs",
            "use crate::store::schema::{self, INDEXES};",
            &[
                (1, "crate::store::schema::self"),
                (1, "crate::store::schema::INDEXES"),
            ],
        ),
        ("src/practice.rs", "use toml::Value;", &[(1, "toml::Value")]),
        // The clock and the environment.
        (
            "src/main.rs",
            "let now = Timestamp::now(); std::env::var(name)",
            &[],
        ),
        (
            "src/desk/list.rs",
            "\nlet now = jiff::Timestamp::now();",
            &[(2, "jiff::Timestamp::now")],
        ),
        (
            "src/settings.rs",
            "use std::{env, fmt};",
            &[(1, "std::env")],
        ),
        (
            "src/desk/month.rs",
            "use jiff::Zoned;\nlet now = Zoned::now();",
            &[(2, "Zoned::now")],
        ),
        ("src/aws.rs", "std::fs::read_to_string(file)", &[]),
        (
            "src/store/mod.rs",
            "std::fs::write(file, item)",
            &[(1, "std::fs::write")],
        ),
        // What would go on after the answer.
        (
            "src/submission.rs",
            "tokio::spawn(async move { deliver().await });",
            &[(1, "tokio::spawn")],
        ),
        (
            "src/ses.rs",
            "std::thread::spawn(work);",
            &[(1, "std::thread::spawn")],
        ),
        // The table.
        ("src/store/mod.rs", "s(\"pk\", key)", &[]),
        (
            "src/stream.rs",
            "image.pointer(\"/kind/S\")",
            &[(1, "/kind/S")],
        ),
        ("src/commands/list.rs", "\nitem.get(\"due\")", &[(2, "due")]),
        (
            "src/desk/erase.rs",
            "format!(\"state#{reference}\")",
            &[(1, "state#{reference}")],
        ),
        ("src/web/respond.rs", "\"The answer is due tomorrow\"", &[]),
    ] {
        let found = findings(path, text);
        let found: Vec<(usize, &str)> = found
            .iter()
            .map(|(line, what)| (*line, what.as_str()))
            .collect();
        assert_eq!(found, expected, "{path}: {text}");
    }
}

/// `docs/LOGGING.md` names every field of a line, and no others.
#[test]
fn the_document_names_every_field_that_is_logged() {
    let code = files(&["src"]).into_iter();
    let logged = code.flat_map(|(_, text)| Source::read(&text).logged);
    // These are in every line.
    let logged: BTreeSet<String> = logged
        .chain(["level", "target", "message"].map(str::to_owned))
        .collect();
    let document = fs::read_to_string(root().join("docs/LOGGING.md")).unwrap();
    let table = document
        .split("\n## What stands in a line\n")
        .nth(1)
        .unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: BTreeSet<String> = rows
        .flat_map(|row| row.split(" |").next().unwrap().split("`, `"))
        .map(|name| name.trim_matches('`').to_owned())
        .collect();
    assert_eq!(named, logged);
}

#[test]
fn fields_of_the_log_are_told_from_its_words() {
    let source = Source::read(
        "fn f() { info!(%reference, mark = f(a, b), ?c, bytes, \"taken in {time}\", d); warn!(\"no field: {x}\") }",
    );
    assert_eq!(source.logged, ["reference", "mark", "c", "bytes"]);
}

#[test]
fn the_crates_beside_the_product_do_not_know_it() {
    let emulator = files(&["crates/aws-emulator"]).into_iter();
    let product = emulator.flat_map(|(path, text)| {
        let lines: Vec<String> = text.lines().map(str::to_lowercase).collect();
        let naming = lines
            .into_iter()
            .enumerate()
            .filter(|(_, line)| line.contains("enquir"));
        naming
            .map(move |(line, _)| format!("{path}:{}: an enquiry", line + 1))
            .collect::<Vec<_>>()
    });
    let practice = files(&["crates/practice"]).into_iter();
    let others = practice.flat_map(|(path, text)| {
        let paths = Source::read(&text).paths.into_iter();
        let naming =
            paths.filter(|(_, it)| ["enquiry_desk", "aws_emulator"].contains(&it[0].as_str()));
        naming
            .map(move |(line, it)| format!("{path}:{line}: {}", it.join("::")))
            .collect::<Vec<_>>()
    });
    none(product.chain(others));
}

/// What the tests put between the SDK and its servers is one client, with a function in it.
#[test]
fn one_client_carries_the_calls_of_every_test() {
    let all = files(&["tests", "crates", "benches", "fuzz/src"]).into_iter();
    let others = all.filter(|(path, text)| {
        // The traits of the SDK; other crates have such names, too.
        let is_client = |(_, path): &(usize, Vec<String>)| {
            path[0] == "aws_smithy_runtime_api"
                && path
                    .iter()
                    .any(|part| part == "HttpConnector" || part == "HttpClient")
        };
        path != "crates/aws-emulator/src/wire.rs" && Source::read(text).paths.iter().any(is_client)
    });
    none(others.map(|(path, _)| format!("{path}: use aws_emulator::wire")));
}

/// Unit tests do not count.
#[test]
fn a_long_file_says_why_it_is_one() {
    const LONGEST: usize = 450;
    let all = files(&[
        "src",
        "crates/practice/src",
        "crates/aws-emulator/src",
        "crates/local/src",
    ]);
    let long = all.into_iter().filter(|(path, text)| {
        let mut head = text.lines().take_while(|line| line.starts_with("//!"));
        !path.ends_with("/tests.rs")
            && Source::read(text).length > LONGEST
            && !head.any(|line| line.contains("One file because"))
    });
    none(long.map(|(path, text)| {
        format!(
            "{path}: {} lines, and no \"One file because …\" in its head",
            Source::read(&text).length
        )
    }));
}

/// The documents in these folders, by their paths, with their texts.
fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["", "docs/", "docs/decisions/", "infra/", "site/"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            let path = format!("{folder}{}", name.to_str().unwrap());
            if path.ends_with(".md") {
                let text = fs::read_to_string(root().join(&path)).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 30, "only {}", found.len());
    found
}

/// Words that hide who acts, or are out of use. What stands between quotes is data: names of mailboxes.
#[test]
fn source_and_documents_use_todays_words_and_say_who_acts() {
    const WORDS: [&str; 8] = [
        "whoever", "nobody", "somebody", "mend", "slip", "slips", "shall", "octets",
    ];
    // The names of tests are theirs.
    let documents = documents().into_iter().map(|(path, text)| {
        let outside_code = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        (path, outside_code)
    });
    let all = files(&["src"]).into_iter().chain(documents);
    none(all.flat_map(|(path, text)| {
        let lines: Vec<String> = text.lines().map(str::to_lowercase).collect();
        let used = lines.into_iter().enumerate().flat_map(|(at, line)| {
            // The method of the standard library's addresses.
            let line = line.replace(".octets()", "").replace("\"nobody\"", "");
            // What people type instead of a name.
            let line = line
                .replace(" nobody none ", "")
                .replace(" somebody someone ", "");
            let words = line.split(|c: char| !c.is_alphanumeric());
            words
                .filter(|word| WORDS.contains(word))
                .map(|word| format!("{}: {word}", at + 1))
                .collect::<Vec<_>>()
        });
        used.map(move |used| format!("{path}:{used}"))
            .collect::<Vec<_>>()
    }));
}

/// Where texts go to the log, to AWS or to a program, or are a specimen; never to a reader.
const UNREAD: &[&str] = &[
    "crates/practice/src/zone.rs",
    "src/app",
    "src/aws",
    "src/delivery",
    "src/email/first_name.rs",
    "src/email/preview.rs",
    "src/email/styles.rs",
    "src/feedback.rs",
    "src/form_token.rs",
    "src/keys.rs",
    "src/link.rs",
    "src/mail_state",
    "src/main.rs",
    "src/nightly.rs",
    "src/ses",
    "src/session.rs",
    "src/settings.rs",
    "src/spam/lists.rs",
    "src/spam/model.rs",
    "src/store",
    "src/stream.rs",
    "src/web/decode.rs",
    "src/web/openapi.rs",
    "src/web/origin.rs",
];

/// Whether a text reads like words for people: two words in a row, or one that begins like a sentence.
fn reads_like_words(text: &str) -> bool {
    let mut words = String::new();
    for (at, part) in text.split(['{', '}']).enumerate() {
        words.push_str(if at % 2 == 0 { part } else { "" });
    }
    let is_word = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        // A method of HTTP and a kind of DNS record are written in capitals.
        word.contains(char::is_lowercase)
            && word.len() > 1
            && word.chars().all(|c| c.is_alphabetic() || "’-".contains(c))
    };
    let is_label = |word: &str| {
        let word = word.trim_end_matches(['.', '?', '!', ':', '…']);
        let mut letters = word.chars();
        let capital = letters.next().is_some_and(char::is_uppercase);
        capital && word.len() > 3 && letters.all(char::is_lowercase)
    };
    let words: Vec<&str> = words.split_whitespace().collect();
    match words.as_slice() {
        [word] => is_label(word),
        // What a comma or a semicolon divides is a list, such as a header's.
        words => words.windows(2).any(|pair| {
            pair.iter()
                .all(|word| is_word(word) && !word.contains('\''))
                && !pair[0].ends_with([',', ';'])
        }),
    }
}

/// Words stand in `templates/`: another language is a second file of messages, with templates of its own.
#[test]
fn no_words_that_people_read_stand_in_the_code() {
    let code = files(&["src", "crates/practice/src"]).into_iter();
    let read = code.filter(|(path, _)| {
        let is_in = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
        !path.ends_with("/tests.rs") && !is_in(UNREAD)
    });
    none(read.flat_map(|(path, text)| {
        let shown = Source::read(&text).shown.into_iter();
        let words = shown.filter(|(_, text)| reads_like_words(text));
        words
            .map(|(line, text)| format!("{path}:{line}: {text}"))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn words_are_told_from_what_programs_read() {
    for words in [
        "Waiting",
        "Sent?",
        "it links to other sites",
        "\\n{count} emails are pending.",
        "Call {number} now",
    ] {
        assert!(reads_like_words(words), "{words}");
    }
    for other in [
        "",
        "contact_by",
        "GET",
        "GET, HEAD, OPTIONS",
        "default-src 'none'; base-uri 'none'",
        "text/html; charset=utf-8",
        "Content-Type",
        "{first}, {second}",
        "%A %-d %B",
        "GET, HEAD, OPTIONS",
        "default-src 'none'; base-uri 'none'",
        "{name}={value}; Path=/; Secure; HttpOnly",
    ] {
        assert!(!reads_like_words(other), "{other}");
    }
    let source = Source::read(
        "#[doc = \"not read\"]\nfn f() {\n    warn!(\"not read either\");\n    say(\"this is read\")\n}",
    );
    assert_eq!(source.shown, [(4, "this is read".to_owned())]);
}
