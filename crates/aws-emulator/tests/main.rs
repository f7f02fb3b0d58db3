//! That the emulator behaves like what it stands for.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

use aws_emulator::dynamodb::{Index, TableDefinition};

mod account;
mod dynamodb;
mod emulator;
mod http;
mod http_api;
mod mapping;
mod message;
mod ses;

/// The table of the tests: whatever the function under test is about.
fn table() -> TableDefinition {
    let index = |name: &str, partition_key: &str, sort_key: &str| Index {
        name: name.to_owned(),
        partition_key: partition_key.to_owned(),
        sort_key: sort_key.to_owned(),
    };
    TableDefinition {
        name: "orders".to_owned(),
        partition_key: "pk".to_owned(),
        expiry: Some("expires".to_owned()),
        indexes: vec![
            index("unpaid", "unpaid", "unpaid_since"),
            index("by_time", "kind", "received_at"),
        ],
    }
}
