//! What builds and deploys: pinned actions, the smallest permissions, no stored keys, and the lock file kept to.

use serde_json::{Value, json};

use crate::support::template::{list, text, yaml};

const WORKFLOWS: [&str; 3] = [
    ".github/workflows/ci.yml",
    ".github/workflows/deploy.yml",
    ".github/workflows/release.yml",
];

/// The names of the files in a folder of this repository.
fn files(folder: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut names: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| format!("{folder}/{}", entry.file_name().into_string().unwrap()))
        .collect();
    names.sort();
    names
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    assert_eq!(files(".github/workflows"), WORKFLOWS);
    for path in WORKFLOWS {
        let mut seen = 0;
        for line in text(path).lines() {
            let Some((_, action)) = line.split_once("uses:") else {
                continue;
            };
            let (action, version) = action
                .split_once(" # ")
                .unwrap_or_else(|| panic!("{line} names no version"));
            let (_, commit) = action.rsplit_once('@').unwrap();
            assert!(
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{line}: a tag can be moved, a commit cannot"
            );
            assert!(version.starts_with('v'), "{line}");
            seen += 1;
        }
        assert!(seen > 0, "{path}");
    }
}

#[test]
fn a_workflow_may_read_the_code_and_only_what_deploys_or_publishes_may_prove_itself() {
    for path in WORKFLOWS {
        let workflow = yaml(path);
        assert_eq!(
            workflow["permissions"],
            json!({}),
            "{path}: nothing by default"
        );
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let allowed = match (path, name.as_str()) {
                (".github/workflows/deploy.yml", "deploy") => {
                    json!({ "contents": "read", "id-token": "write" })
                }
                (".github/workflows/release.yml", "publish") => {
                    json!({ "contents": "write", "id-token": "write", "attestations": "write" })
                }
                _ => json!({ "contents": "read" }),
            };
            assert_eq!(job["permissions"], allowed, "{path}: {name}");
            assert!(job["timeout-minutes"].as_u64().unwrap() <= 90);
            for step in list(&job["steps"]) {
                if step["uses"]
                    .as_str()
                    .is_some_and(|action| action.starts_with("actions/checkout@"))
                {
                    assert_eq!(step["with"]["persist-credentials"], false, "{path}: {name}");
                }
                // The job that may deploy compiles nothing, since build scripts are code of others.
                let runs = step["run"].as_str().unwrap_or_default();
                let builds = ["cargo", "sam\" build", "SAM\" build", "sam-build", "rustup"]
                    .iter()
                    .any(|word| runs.contains(word));
                assert!(
                    !(builds && allowed["id-token"] == "write"),
                    "{path}: {runs}"
                );
            }
        }
    }
}

#[test]
fn no_workflow_holds_a_key() {
    for path in WORKFLOWS {
        let text = text(path);
        for word in [
            "secrets.",
            "aws-access-key-id",
            "aws-secret-access-key",
            "AKIA",
            "pull_request_target",
            "workflow_run",
        ] {
            assert!(!text.contains(word), "{path}: {word}");
        }
        // What the operator chose is handed over as a variable and never written into a script.
        for (_, job) in yaml(path)["jobs"].as_object().unwrap() {
            for step in list(&job["steps"]) {
                assert!(
                    !step["run"].as_str().unwrap_or_default().contains("${{"),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn the_role_trusts_the_environment_that_the_workflow_deploys_from() {
    let template = yaml("infra/deploy-role.yaml");
    let trust =
        &template["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"];
    assert_eq!(trust.as_array().unwrap().len(), 1);
    assert_eq!(trust[0]["Action"], "sts:AssumeRoleWithWebIdentity");
    // Equal, not like: one repository, one environment.
    assert_eq!(
        trust[0]["Condition"],
        json!({ "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": { "Fn::Sub": "repo:${Repository}:environment:${Environment}" },
        } })
    );
    let workflow = yaml(".github/workflows/deploy.yml");
    assert_eq!(
        workflow["on"],
        json!({ "workflow_dispatch": Value::Null }),
        "a maintainer starts it"
    );
    let environment = &workflow["jobs"]["deploy"]["environment"];
    assert_eq!(
        environment,
        &template["Parameters"]["Environment"]["Default"]
    );
    let needed = template["Outputs"].as_object().unwrap().values();
    for output in needed {
        let described = output["Description"].as_str().unwrap();
        let variable = described
            .split(' ')
            .find(|word| word.contains('_'))
            .unwrap();
        let used = format!("${{{{ vars.{variable} }}}}");
        assert!(
            text(".github/workflows/deploy.yml").contains(&used),
            "{variable}"
        );
    }
    let config = text("samconfig.toml");
    let region = config
        .lines()
        .find_map(|line| line.strip_prefix("region = "))
        .unwrap();
    let steps = list(&workflow["jobs"]["deploy"]["steps"]);
    let region_of_step = steps
        .iter()
        .find_map(|step| step["with"]["aws-region"].as_str());
    assert_eq!(format!("{:?}", region_of_step.unwrap()), region);
}

#[test]
fn the_stacks_name_is_short_enough_for_what_is_named_after_it() {
    let pattern = &yaml("infra/deploy-role.yaml")["Parameters"]["StackName"]["AllowedPattern"];
    let pattern = pattern.as_str().unwrap().trim_matches(['^', '$']);
    assert_eq!(pattern, "[a-z][a-z0-9-]{0,39}");
    let looked_for = format!("grep -qE '^stack_name = \"{pattern}\"$' samconfig.toml");
    assert!(text(".github/workflows/deploy.yml").contains(&looked_for));
    let config = text("samconfig.toml");
    let name = config
        .lines()
        .find_map(|line| line.strip_prefix("stack_name = "));
    let name = name.unwrap().trim_matches('"');
    assert!(name.len() <= 40, "{name}");
    assert!(
        text("README.md")
            .replace('\n', " ")
            .contains("must have 40 small")
    );
    // Functions, configuration sets and roles may have names of 64.
    let longest = "-therapist".len().max("-Role-".len() + 12);
    assert!(40 + longest <= 64);
}

/// What compiles, or says what would be compiled.
const BUILDS: [&str; 11] = [
    "bench", "build", "check", "clippy", "doc", "fetch", "install", "metadata", "run", "test",
    "tree",
];

#[test]
fn every_build_keeps_to_the_lock_file() {
    let mut seen = 0;
    let scripts = [files(".ci"), files("tools")].concat();
    for path in scripts.into_iter().chain(WORKFLOWS.map(str::to_owned)) {
        for line in text(&path)
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            // `sam build` and `cargo lambda` take no such option: Cargo.toml has it (package.metadata.lambda.build).
            for call in line.split("cargo ").skip(1) {
                let command = call.split_whitespace().next().unwrap_or_default();
                if !BUILDS.contains(&command) {
                    continue;
                }
                seen += 1;
                assert!(call.contains("--locked"), "{path}: {line}");
            }
        }
    }
    assert!(seen >= 12, "only {seen} calls of cargo were found");
    let manifest = text("Cargo.toml");
    let lambda = manifest
        .split("[package.metadata.lambda.build]")
        .nth(1)
        .unwrap();
    let lambda = lambda.split("\n[").next().unwrap();
    assert!(lambda.contains("locked = true"));
    // Alone, so that it has the features of its own dependencies and no other.
    assert!(lambda.contains("packages = [\"enquiry-desk\"]"));
    assert_eq!(steps()[0], "lock-file");
}

/// The names of the steps of `.ci/run`, in their order.
fn steps() -> Vec<String> {
    let run = text(".ci/run");
    let names = run.lines().filter_map(|line| line.strip_prefix("step "));
    names
        .map(|step| step.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn each_step_of_the_checks_runs_in_one_job() {
    let workflow = yaml(".github/workflows/ci.yml");
    let jobs = list(&workflow["jobs"]["checks"]["strategy"]["matrix"]["include"]);
    let mut run: Vec<&str> = jobs
        .iter()
        .flat_map(|job| job["steps"].as_str().unwrap().split(' '))
        .collect();
    run.sort_unstable();
    let mut steps = steps();
    steps.sort_unstable();
    assert_eq!(run, steps);
}
