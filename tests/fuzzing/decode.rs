//! The decoders: the first letter names the encoding, the rest is the body as it is. What is accepted is stored as a plain
//! reading of the same bytes says.
//!
//! After `=` come fields, one a line that starts with `&`: they are sent in all three encodings, and all three must be
//! answered alike.

use enquiry_desk::enquiry::Field;
use enquiry_desk::text;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::desk::{Desk, PRACTICE, item, post};
use super::http::check;

/// The boundary of multipart bodies.
const BOUNDARY: &str = "----fuzz7391";

pub(super) fn play(runtime: &Runtime, data: &[u8]) -> bool {
    let Some((kind, body)) = data.split_first() else {
        return false;
    };
    let taken = |content_type: &str| taken(runtime, content_type, body);
    match kind {
        b'u' => {
            let (_, stored) = taken("application/x-www-form-urlencoded");
            compare(stored, |name| plain_urlencoded(body, name));
        }
        b'j' => {
            let (_, stored) = taken("application/json");
            let plain: Value = serde_json::from_slice(body).unwrap_or_default();
            compare(stored, |name| plain[name].as_str().map(str::to_owned));
        }
        b'm' => drop(taken(&format!("multipart/form-data; boundary={BOUNDARY}"))),
        b'q' => drop(taken(&format!(
            "multipart/form-data; boundary=\"{BOUNDARY}\"; charset=utf-8"
        ))),
        b'=' => return alike(runtime, body),
        _ => return false,
    }
    true
}

/// What the desk answers to a post, without what differs from post to post, and the enquiry that it stored.
fn taken(runtime: &Runtime, content_type: &str, body: &[u8]) -> ((u64, Vec<Value>), Option<Value>) {
    let desk = Desk::new(&[], item());
    let answer = desk.handle(runtime, post(content_type, body)).unwrap();
    let seen = desk.seen();
    check(&answer, &seen, false);
    let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let stored = seen.stored.first().map(|item| item["enquiry"]["M"].clone());
    ((answer["statusCode"].as_u64().unwrap(), errors), stored)
}

/// The three texts of an accepted post are those of a plain reading.
fn compare(stored: Option<Value>, plain: impl Fn(&str) -> Option<String>) {
    let Some(stored) = stored else { return };
    for (name, several) in [("name", false), ("times", true), ("message", true)] {
        let typed = plain(name).unwrap_or_default();
        let kept = if several {
            text::several_lines(&typed)
        } else {
            text::single_line(&typed)
        };
        assert_eq!(
            stored[name]["S"].as_str().unwrap_or_default(),
            kept,
            "{name}: {typed:?}"
        );
    }
}

/// The value of a field in an urlencoded body, read in the simplest way.
fn plain_urlencoded(body: &[u8], wanted: &str) -> Option<String> {
    let decoded = |half: &str| {
        let spaced = half.replace('+', " ");
        String::from_utf8(percent_decode(spaced.as_bytes()).collect()).ok()
    };
    let body = std::str::from_utf8(body).ok()?;
    let mut pairs = body
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find_map(|(name, value)| (decoded(name)? == wanted).then(|| decoded(value))?)
}

/// The same fields in all three encodings get the same answer.
fn alike(runtime: &Runtime, body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    // Small enough that no encoding makes it too large, and no value can end a part.
    if text.len() > 8_000 || text.contains(BOUNDARY) {
        return false;
    }
    let fields: Vec<(Field, &str)> = text
        .split("\n&")
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((Field::from_key(name)?, value))
        })
        .collect();
    let urlencoded: Vec<String> = fields
        .iter()
        .map(|(field, value)| {
            format!(
                "{}={}",
                field.key(),
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            )
        })
        .collect();
    let parts: String = fields
        .iter()
        .map(|(field, value)| {
            let name = field.key();
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        })
        .collect();
    let by_url = taken(
        runtime,
        "application/x-www-form-urlencoded",
        urlencoded.join("&").as_bytes(),
    );
    let by_parts = taken(
        runtime,
        &format!("multipart/form-data; boundary={BOUNDARY}"),
        format!("{parts}--{BOUNDARY}--\r\n").as_bytes(),
    );
    let by_json = taken(runtime, "application/json", as_json(&fields).as_bytes());
    assert_eq!(by_url, by_parts, "urlencoded, multipart");
    assert_eq!(by_url, by_json, "urlencoded, JSON");
    true
}

/// A JSON object of the fields; one that came twice is in it twice, unless it takes several answers.
fn as_json(fields: &[(Field, &str)]) -> String {
    let mut members = Vec::new();
    for (index, (field, value)) in fields.iter().enumerate() {
        let value = if !field.row(&PRACTICE).is_repeatable() {
            json!(value)
        } else if fields[..index].iter().any(|(before, _)| before == field) {
            continue;
        } else {
            let same = fields.iter().filter(|(other, _)| other == field);
            json!(same.map(|(_, value)| value).collect::<Vec<_>>())
        };
        members.push(format!("{}:{value}", json!(field.key())));
    }
    format!("{{{}}}", members.join(","))
}
