//! Errors in a practice: each with its key, and its line where it was read from a file.

use std::fmt;

use crate::messages::error;

/// One thing that is wrong in what was written about the practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PracticeError {
    /// The key with its section, such as `hours.monday[0]` or `treatment[2].price`; blocks and lists are counted from 0.
    /// Empty where the text is not TOML.
    pub key: String,
    /// The line in `practice.toml`, counted from 1; none where there is no file.
    pub line: Option<usize>,
    /// What to do, for the therapist at the field as for a developer at the line.
    pub message: String,
}

impl fmt::Display for PracticeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(line) = self.line else {
            return write!(f, "{}: {}", self.key, self.message);
        };
        f.write_str(&error::line(line))?;
        // The line says which block of several it is, and does so without counting from 0.
        let mut separator = ", ";
        for part in self.key.split('.').filter(|part| !part.is_empty()) {
            let name = part.split_once('[').map_or(part, |(name, _)| name);
            write!(f, "{separator}{name}")?;
            separator = ".";
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong, in the order of the lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PracticeErrors(pub Vec<PracticeError>);

impl fmt::Display for PracticeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PracticeErrors {}
