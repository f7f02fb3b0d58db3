//! How bytes become events: a script for AWS on the first line, then what the event says. It is text, so that people can
//! read the regressions and the fuzzer changes what matters.

use serde_json::Value;

/// The script of the first line, and the rest.
pub fn scripted(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    match end {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// The sections of the rest, between lines of `---`; nothing when it is no UTF-8.
pub fn sections(rest: &[u8]) -> Option<Vec<&str>> {
    let rest = std::str::from_utf8(rest).ok()?;
    Some(rest.split("\n---\n").collect())
}

/// A sample with changes: each line is a JSON pointer, a space and the new value, as JSON or as plain text; without a value,
/// what is there goes away. Escapes in a plain text are those of JSON.
pub fn changed(sample: &Value, lines: &str) -> Value {
    let mut changed = sample.clone();
    for line in lines.lines().take(64) {
        let (pointer, value) = line.split_once(' ').unwrap_or((line, ""));
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            continue;
        };
        let value = serde_json::from_str(value)
            .or_else(|_| serde_json::from_str(&format!("\"{value}\"")).map(Value::String))
            .unwrap_or_else(|_| Value::String(value.to_owned()));
        let gone = !line.contains(' ');
        match changed.pointer_mut(parent) {
            Some(Value::Object(members)) if gone => {
                members.remove(name);
            }
            Some(Value::Object(members)) => {
                members.insert(name.to_owned(), value);
            }
            Some(Value::Array(values)) => match name.parse::<usize>() {
                Ok(index) if index < values.len() && gone => {
                    values.remove(index);
                }
                Ok(index) if index < values.len() => values[index] = value,
                _ if values.len() < 64 => values.push(value),
                _ => {}
            },
            _ => {}
        }
    }
    changed
}
