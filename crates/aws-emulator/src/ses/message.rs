//! The message that SES would send: MIME from `Simple` content, or the raw content with SES's own headers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, Headers};
use lettre::message::{MultiPart, SinglePart};
use serde_json::{Map, Value};

/// What `SendEmail` asks for, as far as the message depends on it.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The `From` mailbox.
    pub from: String,
    /// The `To` mailboxes.
    pub to: Vec<String>,
    /// The `Cc` mailboxes.
    pub cc: Vec<String>,
    /// The `Reply-To` mailboxes.
    pub reply_to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
    /// The headers that the caller adds.
    pub headers: Vec<(String, String)>,
}

/// Renders `Simple` content: SES's headers, then the alternatives, text first.
///
/// # Errors
/// Names a header that cannot be written.
pub fn render(draft: &Draft, message_id: &str, now: Timestamp) -> Result<String, String> {
    let mut headers = Headers::new();
    let mut add = |name: &str, value: String| -> Result<(), String> {
        let name = HeaderName::new_from_ascii(name.to_owned())
            .map_err(|_| format!("Invalid header name: {name}"))?;
        headers.insert_raw(HeaderValue::new(name, value));
        Ok(())
    };
    add("Return-Path", return_path(message_id, &draft.from))?;
    add("From", draft.from.clone())?;
    if !draft.reply_to.is_empty() {
        add("Reply-To", draft.reply_to.join(", "))?;
    }
    if !draft.to.is_empty() {
        add("To", draft.to.join(", "))?;
    }
    if !draft.cc.is_empty() {
        add("Cc", draft.cc.join(", "))?;
    }
    add(
        "Message-ID",
        format!("<{message_id}@eu-west-2.amazonses.com>"),
    )?;
    add("Subject", draft.subject.clone())?;
    add("MIME-Version", "1.0".to_owned())?;
    for (name, value) in &draft.headers {
        add(name, value.clone())?;
    }
    add("Date", date(now))?;
    add("Feedback-ID", "::1.eu-west-2.local:AmazonSES".to_owned())?;
    let body = match (&draft.text, &draft.html) {
        (Some(text), Some(html)) => MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, text))
            .singlepart(part(ContentType::TEXT_HTML, html))
            .formatted(),
        (Some(text), None) => part(ContentType::TEXT_PLAIN, text).formatted(),
        (None, Some(html)) => part(ContentType::TEXT_HTML, html).formatted(),
        (None, None) => return Err("The body is empty".to_owned()),
    };
    Ok(format!("{headers}{}", String::from_utf8_lossy(&body)))
}

/// Passes raw content through, with the headers that SES sets itself.
pub fn pass_through(raw: &str, from: &str, message_id: &str, now: Timestamp) -> String {
    let raw = raw.replace("\r\n", "\n").replace('\n', "\r\n");
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((&raw, ""));
    let mut message = format!(
        "Return-Path: {}\r\nMessage-ID: <{message_id}@eu-west-2.amazonses.com>\r\n",
        return_path(message_id, from)
    );
    let mut dated = false;
    for field in unfolded_fields(head) {
        let name = field
            .split(':')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        // SES writes these itself, and no recipient sees who was in Bcc.
        if matches!(name.as_str(), "message-id" | "return-path" | "bcc") {
            continue;
        }
        dated |= name == "date";
        message.push_str(&field);
        message.push_str("\r\n");
    }
    if !dated {
        // Writing to a string does not fail.
        let _ = write!(message, "Date: {}\r\n", date(now));
    }
    message.push_str("\r\n");
    message.push_str(body);
    message
}

/// Every header of a message: its decoded value, or a list of them when it is repeated.
pub fn headers(eml: &str) -> Map<String, Value> {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    for (name, value) in fields(eml) {
        let values = headers.entry(name.clone()).or_default();
        if values.is_empty() {
            order.push(name);
        }
        values.push(decode(&value));
    }
    let mut map = Map::new();
    for name in order {
        let mut values = headers.remove(&name).unwrap_or_default();
        let value = match values.len() {
            1 => values.pop().map_or(Value::Null, Value::String),
            _ => Value::from(values),
        };
        map.insert(name, value);
    }
    map
}

/// The header fields of a message in their order: name and unfolded value, not decoded.
pub fn fields(eml: &str) -> Vec<(String, String)> {
    let head = eml.split("\r\n\r\n").next().unwrap_or_default();
    unfolded_fields(head)
        .into_iter()
        .filter_map(|field| {
            let (name, value) = field.split_once(':')?;
            Some((name.to_owned(), value.replace("\r\n", "").trim().to_owned()))
        })
        .collect()
}

/// The bare address of a mailbox such as `"Shop" <shop@example.com>`.
pub fn address(mailbox: &str) -> &str {
    match (mailbox.rfind('<'), mailbox.rfind('>')) {
        (Some(start), Some(end)) if start < end => {
            mailbox.get(start + 1..end).unwrap_or_default().trim()
        }
        _ => mailbox.trim(),
    }
}

/// A header value with its encoded words (RFC 2047) decoded; what cannot be decoded stays as it is.
pub fn decode(value: &str) -> String {
    let mut decoded = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some((before, word, after)) = next_word(rest) {
        // White space between two encoded words belongs to neither.
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        decoded.push_str(&word);
        rest = after;
        after_word = true;
    }
    decoded.push_str(rest);
    decoded
}

/// The next encoded word: what stands before it, its text, what stands behind it.
fn next_word(text: &str) -> Option<(&str, String, &str)> {
    for (start, _) in text.match_indices("=?") {
        let Some((before, word)) = text.split_at_checked(start) else {
            continue;
        };
        let mut parts = word.get(2..)?.splitn(4, '?');
        let (Some(charset), Some(encoding), Some(encoded), Some(after)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let Some(after) = after.strip_prefix('=') else {
            continue;
        };
        let bytes = match encoding {
            "b" | "B" => STANDARD.decode(encoded).ok(),
            "q" | "Q" => quoted(encoded),
            _ => None,
        };
        if let Some(bytes) = bytes.filter(|_| {
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii")
        }) {
            return Some((before, String::from_utf8_lossy(&bytes).into_owned(), after));
        }
    }
    None
}

fn quoted(encoded: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut characters = encoded.bytes();
    while let Some(byte) = characters.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [characters.next()?, characters.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(bytes)
}

fn part(kind: ContentType, body: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(body.to_owned())
}

/// The envelope sender: a subdomain of the sender's domain, set up as custom MAIL FROM, so that SPF aligns.
fn return_path(message_id: &str, from: &str) -> String {
    let domain = address(from)
        .rsplit_once('@')
        .map_or("example.com", |(_, domain)| domain);
    format!("<{message_id}@mail.{domain}>")
}

fn date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn unfolded_fields(head: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => {
                field.push_str("\r\n");
                field.push_str(line);
            }
            _ if !line.is_empty() => fields.push(line.to_owned()),
            _ => {}
        }
    }
    fields
}
