//! From the bytes of a post to the values of the form: urlencoded, multipart without files, JSON.
//!
//! Stricter than a browser's own parser where silence would lose something: bytes that are not UTF-8 and single fields that come
//! twice are refused with words, never dropped. What a site's author adds to a form (a named button, `_charset_`, `utm_source`)
//! loses no enquiry: fields that the form has not are left out and counted. A program that posts JSON is told of them.

use std::fmt;

use axum::body::Bytes;
use http::header::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use percent_encoding::percent_decode;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::form::EnquiryForm;
use super::problem::RequestError;
use crate::enquiry::field::{Control, Row};
use crate::enquiry::{Field, FormError};
use crate::practice::{Practice, Question};
use crate::text;

/// The most that may be typed in all, in characters.
pub const MAX_TYPED: usize = 8_000;

/// The largest body, in bytes, after base64: [`MAX_TYPED`] characters of any script fit into it in every encoding.
pub const MAX_BODY: usize = 128 * 1024;

/// The most values that a field with several answers may have: every area, and room to spare.
pub const MAX_ANSWERS: usize = 64;

/// The most values a post may have: every field once, and several answers.
const MAX_VALUES: usize = MAX_ANSWERS + Field::ALL.len() + Question::MOST * Question::MOST_OPTIONS;

/// A post that could be read: the values as typed, and the errors that only JSON can have (a value of another type).
#[derive(Default)]
pub(super) struct Decoded {
    /// What was posted.
    pub(super) form: EnquiryForm,
    /// Values that were not text.
    pub(super) wrong_types: Vec<FormError>,
    /// How many values were left out, since the form has no such field.
    pub(super) ignored: usize,
}

/// The encodings that the desk takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data` with this boundary.
    Multipart(String),
    /// `application/json`.
    Json,
}

impl Encoding {
    /// Reads the `Content-Type`.
    ///
    /// # Errors
    /// 415 when it is missing, is none of the three, or names another character set than UTF-8, and for a compressed body.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, RequestError> {
        let encodings = headers.get_all(CONTENT_ENCODING).iter();
        if !encodings.map(HeaderValue::as_bytes).all(is_identity) {
            return Err(RequestError::Compressed);
        }
        let given = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut parts = given.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charset = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        if charset.is_some_and(|(_, value)| !is_utf8(value)) {
            return Err(RequestError::UnsupportedCharset);
        }
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Ok(Self::Urlencoded),
            "application/json" => Ok(Self::Json),
            "multipart/form-data" => multer::parse_boundary(given)
                .map(Self::Multipart)
                .map_err(|_| RequestError::MalformedMultipart),
            _ => Err(RequestError::UnsupportedMediaType),
        }
    }
}

fn is_identity(encoding: &[u8]) -> bool {
    let mut codings = encoding.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
}

/// Whether it is UTF-8, or a part of it.
fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"').to_ascii_lowercase();
    matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii")
}

/// Decodes a whole post.
///
/// # Errors
/// When it cannot be read as a form at all: the encoding, the size, repeated fields, in JSON unknown ones.
pub(super) async fn decode(
    headers: &HeaderMap,
    body: Bytes,
    practice: &Practice,
) -> Result<Decoded, RequestError> {
    let encoding = Encoding::of(headers)?;
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if body.len().max(announced.unwrap_or_default()) > MAX_BODY {
        return Err(RequestError::TooLarge);
    }
    let decoded = match encoding {
        Encoding::Urlencoded => collect(urlencoded(&body)?, practice),
        Encoding::Multipart(boundary) => collect(multipart(body, boundary).await?, practice),
        Encoding::Json => json(&body, practice),
    }?;
    if typed(&decoded.form) > MAX_TYPED {
        return Err(RequestError::TooLarge);
    }
    Ok(decoded)
}

/// How many characters were typed in all; a line break counts once.
fn typed(form: &EnquiryForm) -> usize {
    let stored = form.posted().filter(|(field, _)| field.is_stored());
    let values = stored.flat_map(|(_, values)| values);
    values
        .map(|value| text::length(value) - value.matches("\r\n").count())
        .sum()
}

/// The values of an urlencoded body, by the parser of the WHATWG URL standard, but strict about UTF-8.
pub(super) fn urlencoded(body: &[u8]) -> Result<Vec<(String, String)>, RequestError> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            Ok((percent_decoded(name)?, percent_decoded(value)?))
        })
        .collect()
}

fn percent_decoded(bytes: &[u8]) -> Result<String, RequestError> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    String::from_utf8(percent_decode(&spaced).collect()).map_err(|_| RequestError::NotUtf8)
}

/// The values of a multipart body; a part with a file name is a file, which no field of this form takes.
async fn multipart(body: Bytes, boundary: String) -> Result<Vec<(String, String)>, RequestError> {
    let whole = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut values = Vec::new();
    while let Some(part) = parts
        .next_field()
        .await
        .map_err(|_| RequestError::MalformedMultipart)?
    {
        if values.len() >= MAX_VALUES {
            return Err(RequestError::TooManyFields);
        }
        let file = part.file_name().map(str::to_owned);
        let name = part
            .name()
            .ok_or(RequestError::MalformedMultipart)?
            .to_owned();
        let value = part
            .bytes()
            .await
            .map_err(|_| RequestError::MalformedMultipart)?;
        // A browser sends a nameless, empty file where none was chosen.
        if file.is_some_and(|name| !name.is_empty() || !value.is_empty()) {
            return Err(RequestError::File);
        }
        values.push((
            name,
            String::from_utf8(value.to_vec()).map_err(|_| RequestError::NotUtf8)?,
        ));
    }
    Ok(values)
}

/// The fields that a post has brought so far, each as often as it came.
struct Seen<'p> {
    practice: &'p Practice,
    fields: Vec<Field>,
}

impl Seen<'_> {
    /// The field of this name, if the form has one. Of the questions that are not asked any more, as many are kept as a practice may
    /// ask.
    fn field(&self, name: &str) -> Option<Field> {
        let field = Field::from_key(name)?;
        let is_kept = |field: &Field| matches!(field.row(self.practice).control, Control::Kept);
        if is_kept(&field) && !self.fields.contains(&field) {
            let mut kept: Vec<&Field> = self.fields.iter().filter(|it| is_kept(it)).collect();
            kept.dedup();
            return (kept.len() < Question::MOST).then_some(field);
        }
        Some(field)
    }
}

/// Puts values that are all text into the form.
fn collect(values: Vec<(String, String)>, practice: &Practice) -> Result<Decoded, RequestError> {
    if values.len() > MAX_VALUES {
        return Err(RequestError::TooManyFields);
    }
    let mut decoded = Decoded::default();
    let mut seen = Seen {
        practice,
        fields: Vec::new(),
    };
    for (name, value) in values {
        let Some(field) = seen.field(&name) else {
            decoded.ignored += 1;
            continue;
        };
        let before = seen.fields.iter().filter(|other| **other == field).count();
        match field.row(practice).is_repeatable() {
            false if before > 0 => return Err(RequestError::RepeatedField(field)),
            true if before >= MAX_ANSWERS => return Err(RequestError::TooManyFields),
            _ => {}
        }
        seen.fields.push(field);
        decoded.form.put(field, value);
    }
    Ok(decoded)
}

/// The values of a JSON object: text, or for several answers an array of text; null means left out.
fn json(body: &[u8], practice: &Practice) -> Result<Decoded, RequestError> {
    if std::str::from_utf8(body).is_err() {
        return Err(RequestError::NotUtf8);
    }
    let Members(members) = serde_json::from_slice(body).map_err(|_| RequestError::MalformedJson)?;
    if members.len() > MAX_VALUES {
        return Err(RequestError::TooManyFields);
    }
    let mut decoded = Decoded::default();
    let mut seen = Seen {
        practice,
        fields: Vec::new(),
    };
    for (name, value) in members {
        let Some(field) = seen.field(&name) else {
            return Err(RequestError::unknown_field(&name));
        };
        if seen.fields.contains(&field) {
            return Err(RequestError::RepeatedField(field));
        }
        seen.fields.push(field);
        let row = field.row(practice);
        match texts(&row, value) {
            Some(texts) if texts.len() > MAX_ANSWERS => return Err(RequestError::TooManyFields),
            Some(texts) => texts
                .into_iter()
                .for_each(|text| decoded.form.put(field, text)),
            None => decoded.wrong_types.push(FormError {
                field,
                error: row.wrong_type(),
            }),
        }
    }
    Ok(decoded)
}

fn texts(row: &Row<'_>, value: serde_json::Value) -> Option<Vec<String>> {
    use serde_json::Value;
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(vec![text]),
        // No error, and nothing that a page of ours would send: it is scored as its JSON.
        value if row.field.takes_anything() => Some(vec![value.to_string()]),
        Value::Array(values) if row.is_repeatable() => values
            .into_iter()
            .map(|value| {
                if let Value::String(text) = value {
                    Some(text)
                } else {
                    None
                }
            })
            .collect(),
        _ => None,
    }
}

/// The members of a JSON object in their order, repeated ones included: `serde_json::Map` would keep the last only.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::practice;

    fn headers(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    #[test]
    fn the_content_type_decides_and_its_parameters_count() {
        for (given, expected) in [
            (
                "application/x-www-form-urlencoded",
                Ok(Encoding::Urlencoded),
            ),
            (
                "Application/X-WWW-Form-Urlencoded; Charset=\"UTF-8\"",
                Ok(Encoding::Urlencoded),
            ),
            ("application/json;charset=utf-8", Ok(Encoding::Json)),
            ("application/json; charset=US-ASCII", Ok(Encoding::Json)),
            (
                "multipart/form-data; boundary=x",
                Ok(Encoding::Multipart("x".into())),
            ),
            ("multipart/form-data", Err(RequestError::MalformedMultipart)),
            (
                "application/json; charset=utf-16",
                Err(RequestError::UnsupportedCharset),
            ),
            ("text/plain", Err(RequestError::UnsupportedMediaType)),
            ("", Err(RequestError::UnsupportedMediaType)),
        ] {
            assert_eq!(Encoding::of(&headers(given)), expected, "{given}");
        }
    }

    #[test]
    fn a_compressed_body_is_told_from_one_that_only_says_identity() {
        for (given, compressed) in [
            ("", false),
            ("identity", false),
            ("Identity, identity", false),
            ("gzip", true),
            ("br", true),
            ("identity, gzip", true),
            ("aws-chunked", true),
        ] {
            let mut headers = headers("application/json");
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(given));
            let expected = if compressed {
                Err(RequestError::Compressed)
            } else {
                Ok(Encoding::Json)
            };
            assert_eq!(Encoding::of(&headers), expected, "{given}");
        }
    }

    /// The cases of web-platform-tests; where ours is stricter about UTF-8, the standard's answer has U+FFFD.
    #[test]
    fn urlencoded_bodies_are_read_as_the_url_standard_says() {
        let cases: Vec<serde_json::Value> = serde_json::from_str(include_str!(
            "../../tests/corpora/wpt/urlencoded-parser-data.json"
        ))
        .unwrap();
        assert_eq!(cases.len(), 35);
        for case in cases {
            let input = case["input"].as_str().unwrap();
            let expected: Vec<(String, String)> =
                serde_json::from_value(case["output"].clone()).unwrap();
            let replaced = expected
                .iter()
                .any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
            match urlencoded(input.as_bytes()) {
                Ok(values) => assert_eq!(values, expected, "{input}"),
                Err(refusal) => assert!(replaced && refusal == RequestError::NotUtf8, "{input}"),
            }
        }
    }

    #[test]
    fn json_is_read_strictly() {
        for (body, expected) in [
            (
                r#"{"name":"Zoë","name":"Ann"}"#,
                Some(RequestError::RepeatedField(Field::Name)),
            ),
            (
                r#"{"surprise":"x"}"#,
                Some(RequestError::unknown_field("surprise")),
            ),
            (r#"["name"]"#, Some(RequestError::MalformedJson)),
            (r#""name""#, Some(RequestError::MalformedJson)),
            (r#"{"name":"Zoë""#, Some(RequestError::MalformedJson)),
            (r#"{"name":"\ud800"}"#, Some(RequestError::MalformedJson)),
            (r#"{"name":"\ud83d\ude00"}"#, None),
            (r#"{"name":null,"area":["neck","other"]}"#, None),
        ] {
            assert_eq!(
                json(body.as_bytes(), practice::compiled()).err(),
                expected,
                "{body}"
            );
        }
        let deep = format!("{{\"name\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(
            json(deep.as_bytes(), practice::compiled()).err(),
            Some(RequestError::MalformedJson)
        );
        let wrong = json(
            br#"{"name":7,"area":[1],"email":["a@example.com"]}"#,
            practice::compiled(),
        )
        .unwrap()
        .wrong_types;
        assert_eq!(
            wrong.iter().map(|error| error.field).collect::<Vec<_>>(),
            [Field::Name, Field::Area, Field::Email]
        );
    }

    #[tokio::test]
    async fn multipart_takes_text_and_no_files() {
        let body = |part: &str| {
            Bytes::from(format!(
                "--x\r\nContent-Disposition: form-data; {part}\r\n--x--\r\n"
            ))
        };
        let form = headers("multipart/form-data; boundary=x");
        let decoded = decode(
            &form,
            body("name=\"name\"\r\n\r\nZoë"),
            practice::compiled(),
        )
        .await
        .unwrap();
        assert_eq!(decoded.form.value(Field::Name), "Zoë");
        let refused = decode(
            &form,
            body("name=\"name\"; filename=\"a.txt\"\r\n\r\nx"),
            practice::compiled(),
        )
        .await
        .err();
        assert_eq!(refused, Some(RequestError::File));
        assert_eq!(
            decode(
                &form,
                Bytes::from_static(b"--x\r\nContent-"),
                practice::compiled()
            )
            .await
            .err(),
            Some(RequestError::MalformedMultipart)
        );
    }
}
