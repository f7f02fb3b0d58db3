//! The words that people read and that stand in no template, from `templates/messages.toml`.
#![allow(clippy::useless_format, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/messages.rs"));
