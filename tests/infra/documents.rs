//! What the documents tell people to type.

use crate::support::template::text;

const DOCUMENTS: [&str; 7] = [
    "README.md",
    "infra/README.md",
    "docs/commands.md",
    "docs/LOGGING.md",
    "docs/practice.md",
    "docs/privacy.md",
    "docs/restore.md",
];

/// Each command of the AWS CLI: up to the end of its line, or of the code that it stands in.
fn commands(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let mut commands = Vec::new();
    for line in text.lines() {
        for (at, _) in line.match_indices("aws ") {
            let code = line[at..].split('`').next().unwrap();
            let mut words = code.split_whitespace().skip(1);
            let is_name = |word: &str| {
                word.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            };
            if let (Some(service), Some(operation)) = (words.next(), words.next())
                && is_name(service)
                && is_name(operation)
                && words.next().is_some_and(|word| word.starts_with("--"))
            {
                commands.push(code.to_owned());
            }
        }
    }
    commands
}

/// Without it the CLI asks whichever region is the default, and finds no function there.
#[test]
fn every_command_names_its_region() {
    let mut found = 0;
    for document in DOCUMENTS {
        for command in commands(&text(document)) {
            if command.starts_with("aws configure ") {
                continue;
            }
            found += 1;
            assert!(command.contains("--region "), "{document}: {command}");
        }
    }
    assert!(found > 20, "only {found}");
}
