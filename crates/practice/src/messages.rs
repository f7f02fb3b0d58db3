//! The words of this crate that people read, from `templates/messages.toml`.
#![allow(clippy::useless_format, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

pub(crate) use self::practice::*;
