//! Turns the messages that people read (`templates/messages.toml`) into Rust.
//!
//! A table becomes a module, and a message
//! - a constant, `pub(crate) const REPLY: &str`;
//! - a function, when its text has a place for something: `"Call {number}"` becomes `fn call(number: impl Display) -> String`.
//!   Several places are its parameters in alphabetical order, so that another language may name them in another one;
//! - a function of `count` and its other places, when it is a table of `one` and `other` (the plural forms of English, as
//!   Unicode's CLDR names them).
//!
//! So a message that is missing, misspelt or called with too little does not compile, and reading one costs nothing at run time.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use toml::{Table, Value};

/// Why messages cannot be used: the key, and what is wrong there.
#[derive(Debug, PartialEq, Eq)]
pub struct MessageError(String);

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MessageError {}

/// The source of the modules for the top-level tables that are wanted.
///
/// # Errors
///
/// The first message that is no text, has an unfit key, or a brace that ends no place.
pub fn generate(toml: &str, wanted: impl Fn(&str) -> bool) -> Result<String, MessageError> {
    let tables: Table = toml
        .parse()
        .map_err(|error| MessageError(format!("{error}")))?;
    let mut source = String::new();
    for (name, value) in tables.iter().filter(|(name, _)| wanted(name)) {
        let Value::Table(table) = value else {
            return Err(wrong(name, "expected a table of messages"));
        };
        module(&mut source, name, name, table)?;
    }
    Ok(source)
}

fn wrong(key: &str, what: &str) -> MessageError {
    MessageError(format!("{key}: {what}"))
}

fn module(source: &mut String, path: &str, name: &str, table: &Table) -> Result<(), MessageError> {
    source.push_str(&format!("pub(crate) mod {} {{\n", fit(path, name)?));
    for (name, value) in table {
        let path = format!("{path}.{name}");
        match value {
            Value::String(text) => message(source, &path, name, text)?,
            Value::Table(table) => match (table.get("one"), table.get("other")) {
                (Some(Value::String(one)), Some(Value::String(other))) if table.len() == 2 => {
                    plural(source, &path, name, [one, other])?;
                }
                _ => module(source, &path, name, table)?,
            },
            _ => return Err(wrong(&path, "expected a text")),
        }
    }
    source.push_str("}\n");
    Ok(())
}

/// A key that is a name in Rust.
fn fit<'a>(path: &str, name: &'a str) -> Result<&'a str, MessageError> {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if begins && name.chars().all(fits) {
        Ok(name)
    } else {
        Err(wrong(
            path,
            "expected a key of small letters, digits and underscores that starts with a letter",
        ))
    }
}

/// What a text has places for.
fn places<'t>(path: &str, text: &'t str) -> Result<BTreeSet<&'t str>, MessageError> {
    let mut places = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (_, brace) = rest.split_at(at);
        let place = brace
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'));
        let Some((place, after)) = place else {
            return Err(wrong(path, "a curly bracket that belongs to no other"));
        };
        places.insert(fit(path, place)?);
        rest = after;
    }
    Ok(places)
}

fn message(source: &mut String, path: &str, name: &str, text: &str) -> Result<(), MessageError> {
    let (name, places) = (fit(path, name)?, places(path, text)?);
    if places.is_empty() {
        let name = name.to_ascii_uppercase();
        source.push_str(&format!("pub(crate) const {name}: &str = {text:?};\n"));
    } else {
        let parameters = parameters(&places);
        source.push_str(&format!(
            "pub(crate) fn {name}({parameters}) -> String {{ format!({text:?}) }}\n"
        ));
    }
    Ok(())
}

fn plural(
    source: &mut String,
    path: &str,
    name: &str,
    forms: [&str; 2],
) -> Result<(), MessageError> {
    let name = fit(path, name)?;
    let mut all = BTreeSet::new();
    for form in forms {
        all.extend(places(path, form)?);
    }
    all.remove("count");
    let [one, other] = forms;
    let parameters = parameters(&all);
    source.push_str(&format!(
        "pub(crate) fn {name}(count: usize, {parameters}) -> String {{ if count == 1 {{ format!({one:?}) }} else {{ format!({other:?}) }} }}\n"
    ));
    Ok(())
}

fn parameters(places: &BTreeSet<&str>) -> String {
    let mut written = String::new();
    for place in places {
        // Writing to a string cannot fail.
        let _ = write!(written, "{place}: impl std::fmt::Display, ");
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(toml: &str) -> Result<String, MessageError> {
        generate(toml, |_| true)
    }

    #[test]
    fn a_message_is_a_constant_or_a_function_of_its_places() {
        let source =
            all("[desk.waiting]\ntitle = \"Who's “waiting”\"\nby = \"{name}: by {day}\"\n")
                .unwrap();
        assert_eq!(
            source,
            "pub(crate) mod desk {\npub(crate) mod waiting {\n\
             pub(crate) fn by(day: impl std::fmt::Display, name: impl std::fmt::Display, ) -> String { format!(\"{name}: by {day}\") }\n\
             pub(crate) const TITLE: &str = \"Who's “waiting”\";\n}\n}\n"
        );
    }

    #[test]
    fn a_plural_takes_the_count_first() {
        let source =
            all("[list]\nfound = { one = \"One of {name}\", other = \"{count} of {name}\" }")
                .unwrap();
        assert!(
            source.contains("fn found(count: usize, name: impl std::fmt::Display, )"),
            "{source}"
        );
        assert!(source.contains("if count == 1 { format!(\"One of {name}\") } else { format!(\"{count} of {name}\") }"), "{source}");
    }

    #[test]
    fn only_the_wanted_tables_are_made() {
        let source = generate("[a]\nx = \"1\"\n[b]\ny = \"2\"", |name| name == "b").unwrap();
        assert_eq!(
            source,
            "pub(crate) mod b {\npub(crate) const Y: &str = \"2\";\n}\n"
        );
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (toml, error) in [
            ("x = \"1\"", "x: expected a table of messages"),
            ("[a]\nx = 1", "a.x: expected a text"),
            (
                "[a]\nX = \"1\"",
                "a.X: expected a key of small letters, digits and underscores that starts with a letter",
            ),
            (
                "[a]\nx = \"an {open one\"",
                "a.x: a curly bracket that belongs to no other",
            ),
            (
                "[a]\nx = \"a closed} one\"",
                "a.x: a curly bracket that belongs to no other",
            ),
            (
                "[a]\nx = \"none {}\"",
                "a.x: expected a key of small letters, digits and underscores that starts with a letter",
            ),
        ] {
            assert_eq!(all(toml).unwrap_err().to_string(), error, "{toml}");
        }
    }
}
