//! The one integration binary: a module for each concern.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

#[path = "../tools/copy_table.rs"]
#[allow(dead_code, reason = "its own `main`")]
mod copy_table;

mod architecture;

/// The operator's commands: export, erasure, restore.
mod commands {
    mod privacy;
    mod restore;
}

/// From the table to the mailboxes.
mod delivery {
    mod alarms;
    mod check;
    mod drills;
    mod events;
    mod failure_queue;
    mod nightly;
    mod own_emails;
    mod pending;
    mod promises;
    mod units;
    mod year;
}

mod desk;

/// What the emails hold, and how it reads.
mod emails {
    mod content;
}

/// The form: its contract, fields, pages and tokens.
mod form {
    mod clients;
    mod consent;
    mod contract;
    mod fields;
    mod malformed_input;
    mod pages;
    mod practice;
    mod published;
    mod questions;
    mod tell_me_more;
    mod tokens;
}

mod fuzzing;

/// The template, the roles, the table, the workflows, the cost.
mod infra {
    pub mod cost;
    mod deploy_role;
    mod documents;
    mod drills;
    mod policy;
    mod table;
    mod template;
    mod workflows;
}

mod mutants;

/// Attacks, the log, the secret, and whom the function believes to be AWS.
mod security {
    mod attacks;
    mod log_privacy;
    pub mod secret;
    mod tls;
}

/// The simulator.
mod simulation {
    pub mod simulator;
}

/// The spam score.
mod spam {
    mod score;
    mod texts;
}

/// From the post to the table, the limits on the way, and what the client does afterwards.
mod submission {
    mod end_to_end;
    mod own_page;
    mod practice_copy;
    mod rate_limits;
    mod round_trips;
}

mod support;
