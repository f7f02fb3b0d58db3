//! Checks `practice.toml` and puts it where the compiler finds it.
//!
//! The deployed binary needs no TOML reader, and a typo in the file stops the build instead of an enquiry.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use practice::Practice;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=practice.toml");
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
    let text = std::fs::read_to_string("practice.toml").map_err(|error| {
        format!("practice.toml: expected the practice's words in UTF-8, but: {error}")
    })?;
    let json = serde_json::to_string(&Practice::from_toml(&text)?.written)?;
    // The package trusts that it can read this back.
    practice::check(&serde_json::from_str(&json)?)?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR: expected Cargo to set it")?;
    std::fs::write(Path::new(&out).join("practice.json"), json)?;
    Ok(())
}
