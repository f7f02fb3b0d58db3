//! Turns this crate's part of the messages that people read into Rust.

use std::error::Error;
use std::path::Path;

const FILE: &str = "../../templates/messages.toml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FILE}");
    let messages = std::fs::read_to_string(FILE)?;
    let reads_a_file = std::env::var_os("CARGO_FEATURE_TOML").is_some();
    let source = messages::generate(&messages, |table| {
        table == "practice" || (table == "practice_file" && reads_a_file)
    })?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR: expected Cargo to set it")?;
    std::fs::write(Path::new(&out).join("messages.rs"), source)?;
    Ok(())
}
