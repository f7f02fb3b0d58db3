//! What the world really sends: hostile text, broken encodings, odd spellings, and events of every shape, end to end.
//! Each is taken and arrives intact, or is refused with a message; nothing panics, and nothing is answered as a server error.

use std::collections::HashMap;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enquiry_desk::enquiry::field::Required;
use enquiry_desk::enquiry::{EmailAddress, Phone, fields};
use enquiry_desk::practice;
use enquiry_desk::text;
use enquiry_desk::web::{MAX_BODY, MAX_TYPED};
use serde_json::{Value, json};
use testing::gateway;
use unicode_normalization::UnicodeNormalization;

use crate::support::{BROWSER, Item, MINIMAL, TestApp, minimal_json, urlencoded};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A post as the gateway hands it over: text as it is, everything else as base64.
fn event(content_type: &str, body: &[u8], base64: bool) -> Value {
    let body = if base64 {
        STANDARD.encode(body)
    } else {
        String::from_utf8(body.to_vec()).unwrap()
    };
    let mut event = gateway::post(content_type, &body);
    event["isBase64Encoded"] = base64.into();
    event
}

/// The status and the body of the answer to an event.
async fn answer(app: &TestApp, event: Value) -> (u64, Value) {
    let answer = app.invoke(event).await.unwrap();
    let status = answer["statusCode"].as_u64().unwrap();
    let body = answer["body"].as_str().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A refusal has words for people and a code for programs.
fn is_clear(status: u64, body: &Value) -> bool {
    let said = |value: &Value| value.as_str().is_some_and(|words| words.len() > 10);
    match status {
        400 | 413 | 415 => said(&body["detail"]),
        422 => body["errors"]
            .as_array()
            .is_some_and(|errors| errors.iter().all(|error| said(&error["detail"]))),
        _ => false,
    }
}

async fn all_enquiries(app: &TestApp) -> HashMap<String, Item> {
    let mut found = HashMap::new();
    let mut start = None;
    loop {
        let page = app
            .desk
            .dynamo()
            .client()
            .scan()
            .table_name(app.desk.dynamo().table())
            .set_exclusive_start_key(start)
            .send()
            .await
            .unwrap();
        for item in page.items.unwrap_or_default() {
            if item["kind"].as_s().unwrap() == "enquiry" {
                found.insert(item["reference"].as_s().unwrap().clone(), item);
            }
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return found;
        }
    }
}

/// What has to be in the item: NFC, one kind of line break, trimmed; in a single line, nothing invisible.
fn kept(typed: &str, single_line: bool) -> String {
    let unified = if single_line {
        typed.to_owned()
    } else {
        let breaks = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
        typed.replace("\r\n", "\n").replace(breaks, "\n")
    };
    let visible = text::without(&unified, |c| single_line && text::is_invisible(c));
    let spaced = visible
        .chars()
        .map(|c| if single_line && c == '\t' { ' ' } else { c });
    spaced.nfc().collect::<String>().trim().to_owned()
}

/// A text as far as the email may change it: links broken, lines folded, case of a scheme. Both sides are made alike.
fn alike(shown: &str) -> String {
    let mut shown = shown.to_lowercase();
    for (broken, whole) in [
        ("[at]", "@"),
        ("\u{ff20}", "@"),
        ("[.]", "."),
        ("[\u{3002}]", "\u{3002}"),
        ("[\u{ff0e}]", "\u{ff0e}"),
        ("[\u{ff61}]", "\u{ff61}"),
        ("[:]", ":"),
        ("[\\]", "\\"),
        ("hxxp", "http"),
    ] {
        shown = shown.replace(broken, whole);
    }
    shown.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The characters that the therapist has to see as code points.
fn spelt_out(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c.to_string(),
            c if text::is_added_by_devices(c) => String::new(),
            c if text::is_invisible(c) || text::is_control(c) => {
                format!("[U+{:04X}]", u32::from(c))
            }
            c => c.to_string(),
        })
        .collect()
}

/// The text of an email without the marks of quoting.
fn unquoted(email: &str) -> String {
    email
        .lines()
        .map(|line| match line {
            ">" => "",
            line => line.strip_prefix("> ").unwrap_or(line),
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn every_naughty_string_arrives_intact_or_is_refused_with_words() {
    // One email for each enquiry is enough here; another test reads the auto-replies.
    let app = TestApp::start_with(&[("AUTO_REPLIES_PER_DAY", "1")]).await;
    let mut accepted = Vec::new();
    let mut refused = 0;
    let strings = naughty_strings::BLNS;
    assert!(strings.len() > 400);
    for (index, naughty) in strings.iter().enumerate() {
        let own = format!("client{index}@example.com");
        let local = format!("{naughty}@example.com");
        let mut posts = vec![
            vec![
                ("name", *naughty),
                ("message", naughty),
                ("times", naughty),
                ("email", &own),
            ],
            vec![("name", "Zoë"), ("email", naughty)],
            vec![("name", "Zoë"), ("email", &local)],
        ];
        while let Some(hostile) = posts.pop() {
            let form = [&hostile[..], &[("goal", "treat"), ("consent", "yes")]].concat();
            let event = if index % 2 == 0 {
                event(FORM, urlencoded(&form).as_bytes(), true)
            } else {
                let form: serde_json::Map<String, Value> = form
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                    .collect();
                event(JSON, Value::Object(form).to_string().as_bytes(), false)
            };
            let (status, body) = answer(&app, event).await;
            if status == 201 {
                let reference = body["reference"].as_str().unwrap();
                accepted.extend(
                    hostile
                        .iter()
                        .map(|(field, value)| (reference.to_owned(), *field, (*value).to_owned())),
                );
                continue;
            }
            refused += 1;
            assert!(is_clear(status, &body), "{hostile:?}: {status} {body}");
            for error in body["errors"].as_array().unwrap() {
                assert!(
                    matches!(error["pointer"].as_str(), Some("#/name" | "#/email")),
                    "nothing short is refused as a message: {hostile:?} {body}"
                );
            }
            // A text that is refused as a name may still be a message.
            if hostile.len() == 4 {
                let rest = [&[("name", "Zoë")], &hostile[1..]].concat();
                assert_ne!(hostile, rest, "{body}");
                posts.push(rest);
            }
        }
    }
    assert!(accepted.len() > 1_600 && refused > 500);

    let items = all_enquiries(&app).await;
    let emails: Vec<_> = app
        .emails()
        .await
        .into_iter()
        .filter(|email| email.to == ["therapist@example.com"])
        .collect();
    for (reference, field, value) in accepted {
        let expected = kept(&value, matches!(field, "name" | "email"));
        let item = items[&reference]["enquiry"].as_m().unwrap();
        let stored = item
            .get(field)
            .map_or("", |value| value.as_s().unwrap().as_str());
        assert_eq!(stored, expected, "{field} {value:?}");
        let email = emails
            .iter()
            .find(|email| email.subject.contains(&reference))
            .unwrap_or_else(|| panic!("no email about {field} {value:?}"));
        let shown = alike(&unquoted(email.text.as_deref().unwrap()));
        let expected = alike(&spelt_out(&expected));
        assert!(shown.contains(&expected), "{field} {value:?}: {shown}");
        let html = email.html.as_deref().unwrap().to_lowercase();
        for markup in ["<script", "<img", "<svg", "<iframe", "=\"javascript:"] {
            assert!(!html.contains(markup), "{field} {value:?}: {markup}");
        }
    }
    app.finish().await;
}

/// JSON that RFC 8259 allows, and JSON that it does not. In `y` the form has to come through, in `n` it has to be refused as no JSON,
/// and in `t` the JSON is right and a value is no text.
#[tokio::test]
async fn json_is_read_as_the_standard_says() {
    let app = TestApp::start().await;
    let with = |members: &str| {
        format!(
            r#"{{"name":"Zoë","email":"zoe@example.com","goal":"treat","consent":"yes"{members}}}"#
        )
        .into_bytes()
    };
    let deep = |depth: usize| format!(r#","message":{}{}"#, "[".repeat(depth), "]".repeat(depth));
    let mut cases: Vec<(Vec<u8>, u64, &str)> = vec![
        (with(""), 201, "y: the least"),
        (with(r#","message":null"#), 201, "y: null is left out"),
        (with(r#","message":"\u00e9\n\t\"\\\/""#), 201, "y: escapes"),
        (
            with(r#","message":"\ud83d\ude00""#),
            201,
            "y: a pair of surrogates",
        ),
        (
            with(r#","message":"\u0000""#),
            201,
            "y: an escaped NUL in a text",
        ),
        (
            with(r#","message":"\uffff\ufdd0""#),
            201,
            "y: noncharacters",
        ),
        (
            with("\n\t\r ,\n\"message\" : \"x\" \r\n"),
            201,
            "y: white space",
        ),
        (
            with(r#","m\u0065ssage":"x""#),
            201,
            "y: an escape in a name",
        ),
        (
            with(r#","area":["neck","neck","other"]"#),
            201,
            "y: an area twice",
        ),
        (with(r#","area":[]"#), 201, "y: no area"),
        (with(r#","area":"neck""#), 201, "y: one area"),
        (with(r#","message":{}"#), 422, "t: an object"),
        (with(r#","message":[]"#), 422, "t: an array"),
        (
            with(r#","message":["x"]"#),
            422,
            "t: an array of text for one value",
        ),
        (with(r#","message":true"#), 422, "t: true"),
        (with(r#","message":-0"#), 422, "t: minus zero"),
        (
            with(r#","message":123456789012345678901234567890"#),
            422,
            "t: a big number",
        ),
        (with(r#","message":1e-400"#), 422, "t: a tiny number"),
        (with(r#","area":[null]"#), 422, "t: null among the areas"),
        (with(&deep(100)), 422, "t: a deep array"),
        (with(&deep(10_000)), 400, "n: too deep to read"),
        (
            with(r#","message":1e400"#),
            400,
            "n: a number that no machine holds",
        ),
        (
            with(r#","message":"x","message":"x""#),
            400,
            "a member twice",
        ),
        (with(r#","name":"Ann""#), 400, "a member twice, otherwise"),
        (with(r#","":"x""#), 400, "a member without a name"),
        (with(r#","surprise":"x""#), 400, "an unknown member"),
        (
            with(r#","__proto__":{}"#),
            400,
            "a member that means something elsewhere",
        ),
        (with(","), 400, "n: a comma at the end"),
        (with(r#",,"message":"x""#), 400, "n: two commas"),
        (with(r#","message":"x" "times":"y""#), 400, "n: no comma"),
        (with(r#","message":'x'"#), 400, "n: single quotes"),
        (with(r#",message:"x""#), 400, "n: a name without quotes"),
        (with(r#","message":undefined"#), 400, "n: undefined"),
        (with(r#","message":NaN"#), 400, "n: NaN"),
        (with(r#","message":01"#), 400, "n: a leading zero"),
        (with(r#","message":+1"#), 400, "n: a plus sign"),
        (
            with(r#","message":.5"#),
            400,
            "n: no digit before the point",
        ),
        (with(r#","message":0x1f"#), 400, "n: hexadecimal"),
        (with("/* x */"), 400, "n: a comment"),
        (
            with(",\"message\":\"a\nb\""),
            400,
            "n: a bare line break in a text",
        ),
        (
            with(",\"message\":\"a\tb\""),
            400,
            "n: a bare tab in a text",
        ),
        (
            with(",\"message\":\"a\0b\""),
            400,
            "n: a bare NUL in a text",
        ),
        (
            with(r#","message":"\x41""#),
            400,
            "n: an escape that is none",
        ),
        (with(r#","message":"\u12""#), 400, "n: half an escape"),
        (
            with(r#","message":"\ud800""#),
            400,
            "n: the first half of a pair",
        ),
        (
            with(r#","message":"\udc00""#),
            400,
            "n: the second half of a pair",
        ),
        (
            with(r#","message":"\ude00\ud83d""#),
            400,
            "n: a pair the wrong way round",
        ),
        (b"".to_vec(), 400, "n: nothing"),
        (b" ".to_vec(), 400, "n: white space alone"),
        (b"null".to_vec(), 400, "no object: null"),
        (b"[]".to_vec(), 400, "no object: an array"),
        (b"\"x\"".to_vec(), 400, "no object: a text"),
        (b"7".to_vec(), 400, "no object: a number"),
        (b"{".to_vec(), 400, "n: an open object"),
        (
            b"{}".to_vec(),
            422,
            "an empty object: everything is missing",
        ),
        (b"{}}".to_vec(), 400, "n: more after the object"),
        (b"{} {}".to_vec(), 400, "n: two objects"),
    ];
    let mut marked = vec![0xef, 0xbb, 0xbf];
    marked.extend(with(""));
    cases.push((marked, 400, "n: a byte order mark"));
    let wide: Vec<u8> = String::from_utf8(with(""))
        .unwrap()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    cases.push((wide, 400, "n: UTF-16"));
    for bytes in [
        &[0xff][..],
        &[0xc0, 0xaf],
        &[0xed, 0xa0, 0x80],
        &[0xf4, 0x90, 0x80, 0x80],
        &[0xe2, 0x82],
    ] {
        let mut body = br#"{"name":""#.to_vec();
        body.extend(bytes);
        body.extend(b"\"}");
        cases.push((body, 400, "n: no UTF-8"));
    }
    for (body, expected, why) in cases {
        let (status, said) = answer(&app, event(JSON, &body, true)).await;
        assert_eq!(status, expected, "{why}: {said}");
        assert!(status == 201 || is_clear(status, &said), "{why}: {said}");
    }
    app.finish().await;
}

/// Addresses at the edges of the WHATWG rule and from public lists of odd addresses, with what this form does and why.
#[test]
fn addresses_are_taken_by_the_rule_of_browsers() {
    let label = "a".repeat(63);
    for (typed, stored) in [
        ("a@b.co", "a@b.co"),
        ("simple@example.com", "simple@example.com"),
        ("very.common@example.com", "very.common@example.com"),
        ("x@example.com", "x@example.com"),
        (
            "disposable.style.email.with+symbol@example.com",
            "disposable.style.email.with+symbol@example.com",
        ),
        (
            "user%example.com@example.org",
            "user%example.com@example.org",
        ),
        ("user-@example.org", "user-@example.org"),
        (
            "mailhost!username@example.org",
            "mailhost!username@example.org",
        ),
        (
            "!#$%&'*+/=?^_`{|}~-@example.com",
            "!#$%&'*+/=?^_`{|}~-@example.com",
        ),
        // The rule of browsers knows nothing of dots in the local part, unlike RFC 5322.
        (".leading@example.com", ".leading@example.com"),
        ("trailing.@example.com", "trailing.@example.com"),
        ("two..dots@example.com", "two..dots@example.com"),
        ("1234567890@example.com", "1234567890@example.com"),
        ("_______@example.com", "_______@example.com"),
        // 64 bytes is SMTP's limit for a local part; browsers have none.
        (
            "1234567890123456789012345678901234567890123456789012345678901234+x@example.com",
            "1234567890123456789012345678901234567890123456789012345678901234+x@example.com",
        ),
        (
            "email@subdomain.example.co.uk",
            "email@subdomain.example.co.uk",
        ),
        ("email@example-one.com", "email@example-one.com"),
        ("email@example--two.com", "email@example--two.com"),
        ("email@123.example.com", "email@123.example.com"),
        ("email@192.0.2.1", "email@192.0.2.1"),
        ("EMAIL@EXAMPLE.COM", "EMAIL@example.com"),
        ("  zoe@example.com\t", "zoe@example.com"),
        ("zoe@\u{ff45}xample.com", "zoe@example.com"),
        ("zoe@xn--bcher-kva.example", "zoe@xn--bcher-kva.example"),
        ("zoe@Bücher.example", "zoe@xn--bcher-kva.example"),
        ("zoe@bu\u{308}cher.example", "zoe@xn--bcher-kva.example"),
        ("zoe@παράδειγμα.example", "zoe@xn--hxajbheg2az3al.example"),
        ("zoe@例え\u{3002}example", "zoe@xn--r8jz45g.example"),
    ] {
        let address = EmailAddress::parse(typed);
        assert_eq!(
            address.map(|it| it.as_str().to_owned()),
            Ok(stored.to_owned()),
            "{typed}"
        );
    }
    let longest_label = format!("zoe@{label}.com");
    assert!(EmailAddress::parse(&longest_label).is_ok());
    let longest = format!("{}@example.com", "a".repeat(EmailAddress::MAX - 12));
    assert_eq!(longest.len(), 254);
    assert!(EmailAddress::parse(&longest).is_ok());
    assert_eq!(
        EmailAddress::parse(&format!("a{longest}"))
            .unwrap_err()
            .code(),
        "email_too_long"
    );

    for (typed, why) in [
        ("plainaddress", "no at sign"),
        ("#@%^%#$@#$@#.com", "signs in the domain"),
        ("@example.com", "no local part"),
        ("Zoe <zoe@example.com>", "a display name"),
        ("<zoe@example.com>", "angle brackets"),
        (
            "mailto:zoe@example.com",
            "a link: the colon is no character of a local part",
        ),
        ("zoe.example.com", "no at sign"),
        ("zoe@example@example.com", "two at signs"),
        (
            "あいうえお@example.com",
            "a local part beyond ASCII: browsers refuse it, and SES does",
        ),
        ("zoe@example.com (Zoe)", "a comment"),
        ("zoe@example", "one label: it reaches no mailbox"),
        ("zoe@-example.com", "a label that starts with a hyphen"),
        ("zoe@example-.com", "a label that ends with one"),
        ("zoe@example..com", "an empty label"),
        ("zoe@.example.com", "an empty label in front"),
        ("zoe@example.com.", "an empty label at the end"),
        ("\"much.more unusual\"@example.com", "a quoted local part"),
        (
            "very.unusual.\"@\".unusual.com@example.com",
            "a quoted part within",
        ),
        ("zoe@[192.0.2.1]", "an address literal"),
        ("zoe@[IPv6:2001:db8::1]", "an address literal"),
        ("just\"not\"right@example.com", "a quotation mark"),
        (
            "this is\"not\\allowed@example.com",
            "a space and a backslash",
        ),
        ("a b@example.com", "a space"),
        ("zoe@exam ple.com", "a space in the domain"),
        ("zoe@exa_mple.com", "an underscore in the domain"),
        ("zoe@example.com, ann@example.com", "two addresses"),
        ("zoe@example.com;ann@example.com", "two addresses"),
        ("zoe@example.com\nBcc: ann@example.com", "a line break"),
        ("zoe@example.com\u{0}", "a NUL"),
        (
            "zoe@\u{200d}example.com",
            "a joiner where no script needs one",
        ),
        (
            "zoe@a\u{ff0f}b.example",
            "a wide slash: IDNA maps it to a plain one",
        ),
        ("zoe@１.", "a label that is empty after mapping"),
    ] {
        let refused = EmailAddress::parse(typed).map(|it| it.as_str().to_owned());
        assert_eq!(
            refused.unwrap_err().code(),
            "email_format",
            "{typed}: {why}"
        );
    }
    let label_too_long = format!("zoe@{label}a.com");
    assert_eq!(
        EmailAddress::parse(&label_too_long).unwrap_err().code(),
        "email_format"
    );
}

/// Numbers that regulators set aside for fiction, and what people leave in such a field.
#[test]
fn telephone_numbers_of_the_world_are_understood() {
    for (typed, e164) in [
        ("01632 960001", "+441632960001"),
        ("(01632) 960 001", "+441632960001"),
        ("01632-960-001", "+441632960001"),
        ("01632.960.001", "+441632960001"),
        ("01632/960001", "+441632960001"),
        ("+441632960001", "+441632960001"),
        ("+44 (0) 1632 960001", "+441632960001"),
        ("0044 1632 960001", "+441632960001"),
        ("tel:+44-1632-960001", "+441632960001"),
        ("07700900982", "+447700900982"),
        ("٠٧٧٠٠٩٠٠٩٨٢", "+447700900982"),
        ("０７７００ ９００９８２", "+447700900982"),
        ("07700 900982 ext. 5", "+447700900982"),
        ("Mobile: 07700 900982", "+447700900982"),
        (
            "07700 900982 or 07700 900983 after six o'clock",
            "+447700900982",
        ),
        ("020 7946 0018", "+442079460018"),
        ("0808 157 0192", "+448081570192"),
        ("+1 202 555 0143", "+12025550143"),
        ("+1 (613) 555-0135", "+16135550135"),
        ("+33 1 99 00 12 34", "+33199001234"),
        ("+49 30 23125 014", "+493023125014"),
        ("+353 20 910 1234", "+353209101234"),
        ("+61 491 570 156", "+61491570156"),
        ("+39 06 1234 5678", "+390612345678"),
        ("+48 22 123 45 67", "+48221234567"),
        ("+91 98765 43210", "+919876543210"),
        ("+86 131 2345 6789", "+8613123456789"),
        ("+81 3 1234 5678", "+81312345678"),
        ("00353 20 910 1234", "+353209101234"),
    ] {
        let phone = Phone::parse(typed).unwrap_or_else(|_| panic!("{typed}"));
        assert_eq!(phone.e164(), e164, "{typed}");
    }
    for typed in [
        "none",
        "n/a",
        "-",
        "0",
        "123",
        "email please",
        "077009009821234567",
        "+44 7700 900 982 000 000",
        "+1 202 555",
        "+0 1632 960001",
        "+999 1632 960001",
        "07700\u{0}900982",
        "zoe@example.com",
    ] {
        let refused = Phone::parse(typed).map(|phone| phone.e164().to_owned());
        assert_eq!(refused.unwrap_err().code(), "phone_format", "{typed}");
    }
}

const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/// A body as Chromium writes it.
fn multipart(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut body: String = parts
        .iter()
        .map(|(head, value)| {
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
        })
        .collect();
    body.push_str(&format!("--{BOUNDARY}--\r\n"));
    body.into_bytes()
}

#[tokio::test]
async fn multipart_is_read_as_browsers_write_it() {
    let app = TestApp::start().await;
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let least = [
        ("name=\"name\"", "Zoë \"O'Brien\""),
        ("name=\"email\"", "zoe@example.com"),
        ("name=\"goal\"", "treat"),
        ("name=\"consent\"", "yes"),
    ];
    let with = |parts: &[(&str, &str)]| multipart(&[&least[..], parts].concat());
    for (body, expected, why) in [
        (with(&[]), 201, "the least"),
        (
            with(&[("name=\"message\"", "one\r\n\r\ntwo\r\n")]),
            201,
            "line breaks in a value",
        ),
        (with(&[("name=\"message\"", "")]), 201, "an empty value"),
        (
            with(&[("name=\"message\"", "--x\r\n------WebKit")]),
            201,
            "something like a boundary in a value",
        ),
        (
            with(&[("name=\"area\"", "neck"), ("name=\"area\"", "other")]),
            201,
            "checkboxes",
        ),
        (
            with(&[(
                "name=\"times\"\r\nContent-Type: text/plain; charset=UTF-8",
                "Mondays",
            )]),
            201,
            "a part that names its charset",
        ),
        (with(&[("name=message", "x")]), 201, "a name without quotes"),
        (
            with(&[(
                "name=\"photo\"; filename=\"\"\r\nContent-Type: application/octet-stream",
                "",
            )]),
            201,
            "a site author's file field that was left empty",
        ),
        (
            with(&[(
                "name=\"message\"; filename=\"a.txt\"\r\nContent-Type: text/plain",
                "x",
            )]),
            415,
            "a file",
        ),
        (
            with(&[("name=\"\"", "x")]),
            201,
            "a field with an empty name",
        ),
        (
            with(&[(
                "filename=\"\"\r\nContent-Type: application/octet-stream",
                "",
            )]),
            400,
            "an empty file without a name",
        ),
        (with(&[("x=\"y\"", "x")]), 400, "a part without a name"),
        (
            with(&[("name=\"mess%22age\"", "x")]),
            201,
            "an escaped quotation mark in the name of another field",
        ),
        (with(&[("name=\"goal\"", "relax")]), 400, "a field twice"),
        (b"".to_vec(), 400, "nothing"),
        (b"--".to_vec(), 400, "half a boundary"),
        (format!("--{BOUNDARY}--\r\n").into_bytes(), 422, "no part"),
        (with(&[])[..60].to_vec(), 400, "cut off"),
    ] {
        let (status, said) = answer(&app, event(&content_type, &body, true)).await;
        assert_eq!(status, expected, "{why}: {said}");
        assert!(status == 201 || is_clear(status, &said), "{why}: {said}");
    }
    let not_utf8 = [
        b"--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nZo",
        &[0xeb][..],
        b"\r\n--b--\r\n",
    ]
    .concat();
    let odd = event(
        "Multipart/Form-Data; charset=utf-8; Boundary=\"b\"",
        &not_utf8,
        true,
    );
    let (status, said) = answer(&app, odd).await;
    assert_eq!(
        (status, said["type"].as_str()),
        (400, Some("urn:enquiry-desk:problem:not-utf-8"))
    );
    app.emails().await;
    let names: Vec<_> = app
        .items("enquiry")
        .await
        .iter()
        .map(|item| {
            item["enquiry"].as_m().unwrap()["name"]
                .as_s()
                .unwrap()
                .clone()
        })
        .collect();
    assert!(
        names.iter().all(|name| name == "Zoë \"O'Brien\""),
        "{names:?}"
    );
    app.finish().await;
}

#[tokio::test]
async fn content_types_are_read_however_they_are_spelt() {
    let app = TestApp::start().await;
    let form = urlencoded(&MINIMAL);
    let object = minimal_json().to_string();
    for (content_type, body, expected) in [
        ("application/x-www-form-urlencoded", &form, 201),
        ("APPLICATION/X-WWW-FORM-URLENCODED", &form, 201),
        (
            "application/x-www-form-urlencoded; charset=UTF-8",
            &form,
            201,
        ),
        ("application/x-www-form-urlencoded;charset=utf8", &form, 201),
        (
            "application/x-www-form-urlencoded ; CHARSET = \"Utf-8\"",
            &form,
            201,
        ),
        ("application/x-www-form-urlencoded;", &form, 201),
        ("  application/json  ", &object, 201),
        ("Application/JSON;charset=utf-8;version=1", &object, 201),
        ("application/json; charset=iso-8859-1", &object, 415),
        ("application/json; charset=", &object, 415),
        ("application/json, application/json", &object, 415),
        ("application/ld+json", &object, 415),
        ("text/json", &object, 415),
        ("text/plain;charset=UTF-8", &object, 415),
        ("application/octet-stream", &form, 415),
        ("*/*", &form, 415),
        ("json", &object, 415),
        ("", &form, 415),
        ("multipart/form-data; boundary=", &form, 400),
        ("multipart/form-data; boundary=\"\"", &form, 400),
        ("multipart/mixed; boundary=b", &form, 415),
    ] {
        let (status, said) = answer(&app, event(content_type, body.as_bytes(), true)).await;
        assert_eq!(status, expected, "{content_type:?}: {said}");
        assert!(
            status == 201 || is_clear(status, &said),
            "{content_type:?}: {said}"
        );
    }
    let mut none = event(FORM, form.as_bytes(), true);
    none["headers"]
        .as_object_mut()
        .unwrap()
        .remove("content-type");
    assert_eq!(answer(&app, none).await.0, 415);
    app.finish().await;
}

/// Pads a body to this many bytes with the field `token`, which is never an error.
fn padded(encoding: &str, bytes: usize) -> (String, Vec<u8>) {
    let build = |pad: usize| {
        let token = "x".repeat(pad);
        match encoding {
            FORM => urlencoded(&[&MINIMAL[..], &[("token", token.as_str())]].concat()).into_bytes(),
            JSON => {
                let mut object = minimal_json();
                object["token"] = token.into();
                object.to_string().into_bytes()
            }
            _ => {
                let heads: Vec<(String, &str)> = MINIMAL
                    .iter()
                    .map(|(name, value)| (format!("name=\"{name}\""), *value))
                    .chain([("name=\"token\"".to_owned(), token.as_str())])
                    .collect();
                let parts: Vec<(&str, &str)> = heads
                    .iter()
                    .map(|(head, value)| (head.as_str(), *value))
                    .collect();
                multipart(&parts)
            }
        }
    };
    let body = build(bytes - build(0).len());
    assert_eq!(body.len(), bytes);
    let content_type = if encoding == FORM || encoding == JSON {
        encoding.to_owned()
    } else {
        format!("{encoding}; boundary={BOUNDARY}")
    };
    (content_type, body)
}

#[tokio::test]
async fn a_hundred_and_twenty_eight_kibibytes_are_taken_and_not_a_byte_more() {
    let app = TestApp::start().await;
    assert_eq!(MAX_BODY, 131_072);
    for encoding in [FORM, JSON, "multipart/form-data"] {
        for (bytes, expected) in [(MAX_BODY, 201), (MAX_BODY + 1, 413)] {
            let (content_type, body) = padded(encoding, bytes);
            for base64 in [true, false] {
                let (status, said) = answer(&app, event(&content_type, &body, base64)).await;
                assert_eq!(status, expected, "{encoding} {bytes} {base64}: {said}");
            }
            let headers = [("accept", JSON), ("content-type", content_type.as_str())];
            let sent = app.send(Method::POST, "/enquiries", &headers, body).await;
            assert_eq!(
                u64::from(sent.status.as_u16()),
                expected,
                "{encoding} {bytes}"
            );
        }
    }
    // The longest answers in the widest script fit in every encoding.
    let (name, times, message) = ("𠮷".repeat(100), "😀".repeat(500), "😀".repeat(4_000));
    let long = [
        ("name", name.as_str()),
        ("times", &times),
        ("message", &message),
    ];
    let fields = [&MINIMAL[1..], &long[..]].concat();
    let (status, said) = answer(&app, event(FORM, urlencoded(&fields).as_bytes(), true)).await;
    assert_eq!(status, 201, "{said}");
    // A long message that fits is judged by its field; the line breaks of a browser count once.
    let typed: usize = MINIMAL.iter().map(|(_, value)| value.chars().count()).sum();
    let lines = "\r\n".repeat(3_000);
    for (more, expected) in [(0, 422), (1, 413)] {
        let message = format!("{}{lines}", "😀".repeat(MAX_TYPED - typed - 3_000 + more));
        let fields = [&MINIMAL[..], &[("message", message.as_str())]].concat();
        let (status, said) = answer(&app, event(FORM, urlencoded(&fields).as_bytes(), true)).await;
        assert_eq!(status, expected, "{said}");
        assert!(is_clear(status, &said), "{said}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_query_or_a_host_that_makes_no_address_loses_no_enquiry() {
    let app = TestApp::start().await;
    let form = urlencoded(&MINIMAL);
    let object = minimal_json().to_string();
    for (content_type, body) in [(FORM, &form), (JSON, &object)] {
        for (query, host) in [
            ("a=b c", "api.example.com"),
            ("q=\"x\"", "api.example.com"),
            ("q=<y>|^`{}", "api.example.com"),
            ("q=\u{7f}", "api.example.com"),
            ("q=100%", "api.example.com"),
            ("q=ü#x", "api.example.com"),
            ("", "exa mple"),
            ("", "[::"),
            ("", "a:b:c"),
            ("", ":99999"),
            ("", ""),
            ("a b", "\"x\""),
        ] {
            let mut posted = event(content_type, body.as_bytes(), true);
            posted["rawQueryString"] = query.into();
            posted["headers"]["host"] = host.into();
            posted["headers"]["X-Forwarded-Proto"] = host.into();
            posted["requestContext"]["domainName"] = host.into();
            let (status, said) = answer(&app, posted.clone()).await;
            assert_eq!(status, 201, "{query:?} {host:?}: {said}");
            posted["headers"]["accept"] = BROWSER.into();
            assert_eq!(
                app.invoke(posted).await.unwrap()["statusCode"],
                303,
                "{query:?} {host:?}"
            );
        }
    }
    // A query that can be read is.
    let mut page = event(FORM, b"", true);
    page["requestContext"]["http"]["method"] = "GET".into();
    page["rawPath"] = "/thank-you".into();
    page["rawQueryString"] = "reference=BB-7KQ4M".into();
    let page = app.invoke(page).await.unwrap();
    assert!(page["body"].as_str().unwrap().contains("BB-7KQ4M"));
    app.finish().await;
}

#[tokio::test]
async fn events_of_both_gateways_are_read_in_every_shape() {
    let app = TestApp::start_with(&[("ALLOWED_ORIGINS", "https://www.example.com")]).await;
    let form = urlencoded(&MINIMAL);
    let object = minimal_json().to_string();
    for (content_type, body) in [(FORM, &form), (JSON, &object)] {
        for base64 in [true, false] {
            let plain = event(content_type, body.as_bytes(), base64);
            let mut shouted = plain.clone();
            shouted["headers"] =
                json!({ "ACCEPT": JSON, "Content-Type": content_type, "Host": "api.example.com" });
            let mut function_url = plain.clone();
            function_url["requestContext"]["domainName"] = "abc.lambda-url.eu-west-2.on.aws".into();
            function_url["requestContext"]["authorizer"] = Value::Null;
            function_url["cookies"] = json!(["a=b"]);
            function_url["pathParameters"] = Value::Null;
            function_url["stageVariables"] = Value::Null;
            function_url["queryStringParameters"] = json!({ "a": "b" });
            function_url["rawQueryString"] = "a=b".into();
            let mut slashed = plain.clone();
            slashed["rawPath"] = "/enquiries/".into();
            slashed["requestContext"]["http"]["path"] = "/enquiries/".into();
            for event in [plain, shouted, function_url, slashed] {
                let (status, said) = answer(&app, event.clone()).await;
                assert_eq!(status, 201, "{event}: {said}");
            }
        }
    }

    // The gateway's own domain is where our own pages come from.
    let mut own = event(FORM, form.as_bytes(), true);
    own["headers"]["origin"] = "https://api.example.com".into();
    let taken = app.invoke(own).await.unwrap();
    assert_eq!(taken["statusCode"], 201);
    assert_eq!(
        taken["headers"]["access-control-allow-origin"],
        "https://api.example.com"
    );

    let mut broken = event(FORM, form.as_bytes(), true);
    broken["body"] = "%%% no base64 %%%".into();
    broken["headers"]["origin"] = "https://www.example.com".into();
    let refused = app.invoke(broken.clone()).await.unwrap();
    assert_eq!(refused["statusCode"], 400);
    assert_eq!(
        refused["headers"]["content-type"],
        "application/problem+json"
    );
    assert_eq!(
        refused["headers"]["access-control-allow-origin"],
        "https://www.example.com"
    );
    broken["headers"]["origin"] = "https://evil.example".into();
    assert_eq!(app.invoke(broken).await.unwrap()["statusCode"], 403);

    for (member, value) in [
        ("body", Value::Null),
        ("body", "".into()),
        ("headers", json!({})),
        ("rawPath", "/enqui ries\u{e9}".into()),
        ("rawPath", "//".into()),
        ("rawPath", "".into()),
        ("rawPath", Value::Null),
        ("isBase64Encoded", Value::Null),
        ("isBase64Encoded", "yes".into()),
        ("body", json!({ "a": 1 })),
        ("cookies", json!([])),
        ("requestContext", json!({ "http": {} })),
    ] {
        let mut odd = event(FORM, form.as_bytes(), false);
        odd[member] = value.clone();
        let answer = app.invoke(odd).await.unwrap();
        let status = answer["statusCode"].as_u64().unwrap();
        assert!(status < 500, "{member} {value}: {answer}");
        assert_eq!(
            answer["headers"]["x-content-type-options"], "nosniff",
            "{member} {value}"
        );
        assert!(
            answer["headers"]["vary"]
                .as_str()
                .unwrap()
                .contains("Origin"),
            "{member} {value}"
        );
    }
    app.finish().await;
}

/// `email_confirmed` settles the question in one of two ways, and nothing else does.
#[tokio::test]
async fn the_question_about_an_address_is_asked_until_it_is_settled() {
    let app = TestApp::start().await;
    for (email, confirmed, status, outcome) in [
        ("zoe@gmial.com", "", 422, "email_suggestion"),
        ("zoe@gmial.com", "zoe@gmial.com", 201, "zoe@gmial.com"),
        ("zoe@gmial.com", " zoe@GMIAL.com", 201, "zoe@gmial.com"),
        ("zoe@gmial.com", "zoe@gmail.com", 201, "zoe@gmail.com"),
        ("zoe@gmial.com", "ann@gmail.com", 422, "email_suggestion"),
        ("zoe@gmial.com", "rubbish", 422, "email_suggestion"),
        ("zoe@gmail..com", "", 422, "email_suggestion"),
        ("zoe@gmail..com", "zoe@gmail.com", 201, "zoe@gmail.com"),
        // A text that is no address cannot be kept, and is not asked about again and again.
        ("zoe@gmail..com", "zoe@gmail..com", 422, "email_format"),
        ("zoe@gmail,com", "", 422, "email_suggestion"),
        ("zoe@hotmail.co..uk", "", 422, "email_suggestion"),
        ("zoe@gmailcom", "", 422, "email_suggestion"),
        ("zoe@gmial..con", "zoe@gmail.com", 201, "zoe@gmail.com"),
        ("zoe@example.com", "ann@example.com", 201, "zoe@example.com"),
    ] {
        let mut post = minimal_json();
        post["email"] = email.into();
        post["email_confirmed"] = confirmed.into();
        post["message"] = format!("{email} {confirmed}").into();
        let answer = app.post_json(&post).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{email} {confirmed}: {}",
            answer.body
        );
        let body = answer.json();
        if status == 422 {
            assert_eq!(body["errors"][0]["code"], outcome, "{email} {confirmed}");
            assert_eq!(
                body["errors"][0].get("suggestion").is_some(),
                outcome == "email_suggestion"
            );
        } else {
            let items = all_enquiries(&app).await;
            let item = items[body["reference"].as_str().unwrap()]["enquiry"]
                .as_m()
                .unwrap();
            assert_eq!(
                item["email"].as_s().unwrap(),
                outcome,
                "{email} {confirmed}"
            );
        }
    }
    app.finish().await;
}

/// A count that is in the contract: the same in every encoding, whatever else is in the form.
#[tokio::test]
async fn an_area_may_come_sixty_four_times_and_not_once_more() {
    let app = TestApp::start().await;
    for (count, expected) in [(64, 201), (65, 400)] {
        let form = [&MINIMAL[..], &vec![("area", "neck"); count]].concat();
        let mut object = minimal_json();
        object["area"] = json!(vec!["neck"; count]);
        let heads: Vec<(String, &str)> = form
            .iter()
            .map(|(name, value)| (format!("name=\"{name}\""), *value))
            .collect();
        let parts: Vec<(&str, &str)> = heads
            .iter()
            .map(|(head, value)| (head.as_str(), *value))
            .collect();
        for (content_type, body) in [
            (FORM.to_owned(), urlencoded(&form).into_bytes()),
            (JSON.to_owned(), object.to_string().into_bytes()),
            (
                format!("multipart/form-data; boundary={BOUNDARY}"),
                multipart(&parts),
            ),
        ] {
            let (status, said) = answer(&app, event(&content_type, &body, true)).await;
            assert_eq!(status, expected, "{content_type} {count}: {said}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn an_empty_form_field_is_one_that_was_left_out() {
    let app = TestApp::start().await;
    let optional = fields(practice::compiled()).filter(|row| row.required != Required::Yes);
    let empty: Vec<(&str, &str)> = optional.map(|row| (row.key, "")).collect();
    assert!(empty.len() > 10);
    let fields = [
        &MINIMAL[..],
        &empty[..],
        &[("area", "neck"), ("area", "neck")],
    ]
    .concat();
    let headers = [("accept", BROWSER), ("content-type", FORM)];
    let answer = app
        .send(Method::POST, "/enquiries", &headers, urlencoded(&fields))
        .await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.body);
    app.emails().await;
    let item = app.items("enquiry").await.remove(0);
    let enquiry = item["enquiry"].as_m().unwrap();
    let area = enquiry["answers"].as_m().unwrap()["area"].as_l().unwrap();
    assert_eq!(area.len(), 1, "an area counts once");
    for left_out in ["phone", "times", "message"] {
        assert!(!enquiry.contains_key(left_out), "{left_out}");
    }
    app.finish().await;
}
