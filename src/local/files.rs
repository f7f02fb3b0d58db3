//! Files that are either the old one or the new one, whatever happens in between.

use std::io;
use std::path::Path;

/// Writes a file beside `path` and puts it in its place.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
