//! Checks `practice.toml`, or the file that `PRACTICE_FILE` names, and puts it where the compiler finds it; and turns the messages
//! that people read into Rust.
//!
//! The deployed binary needs no TOML reader, and a typo in a file stops the build instead of an enquiry.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use practice::Practice;

const MESSAGES: &str = "templates/messages.toml";

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed=PRACTICE_FILE");
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), Box<dyn Error>> {
    // A build to download holds no practice (tools/release).
    let file = std::env::var("PRACTICE_FILE").unwrap_or_else(|_| "practice.toml".to_owned());
    println!("cargo::rerun-if-changed={file}");
    let text = std::fs::read_to_string(&file)
        .map_err(|error| format!("{file}: expected the practice's words in UTF-8, but: {error}"))?;
    let json = serde_json::to_string(&Practice::from_toml(&text)?.written)?;
    // The package trusts that it can read this back.
    practice::check(&serde_json::from_str(&json)?)?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR: expected Cargo to set it")?;
    std::fs::write(Path::new(&out).join("practice.json"), json)?;
    println!("cargo::rerun-if-changed={MESSAGES}");
    let messages = std::fs::read_to_string(MESSAGES)?;
    let source = messages::generate(&messages, |table| !table.starts_with("practice"))?;
    std::fs::write(Path::new(&out).join("messages.rs"), source)?;
    Ok(())
}
