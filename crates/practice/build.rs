//! Turns this crate's part of the messages that people read into Rust.

use std::error::Error;
use std::path::Path;

const FILE: &str = "../../templates/messages.toml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FILE}");
    let messages = std::fs::read_to_string(FILE)?;
    let source = messages::generate(&messages, |table| table == "practice")?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR: expected Cargo to set it")?;
    std::fs::write(Path::new(&out).join("messages.rs"), source)?;
    Ok(())
}
