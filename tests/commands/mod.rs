//! The operator's commands: export, erasure, restore.

mod privacy;
mod restore;
