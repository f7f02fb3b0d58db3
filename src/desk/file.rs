//! Files of enquiries, every answer included: the same from a command and from a page.

use crate::store::Cursor;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As data.
    Json,
    /// As a table, for a spreadsheet (RFC 4180). What people typed stays text there.
    Csv,
}

/// One file of some enquiries, below [`File::LARGEST`] unless it holds a single one.
pub struct File {
    /// What it is called, such as `enquiries-2026-11.csv`; a later part says which one it begins after.
    pub name: String,
    /// Its media type, such as `text/csv; charset=utf-8`.
    pub media_type: &'static str,
    /// What is in it.
    pub content: String,
    /// How many enquiries are in it.
    pub count: usize,
    /// What the next file begins after, when there is more.
    pub next: Option<Cursor>,
}

impl File {
    /// How large a file may be, in bytes: a response of Lambda may have 6 MB, in base64.
    pub const LARGEST: usize = 4_000_000;
}
