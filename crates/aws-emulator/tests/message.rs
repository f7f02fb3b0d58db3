//! The rendered message, read back by an independent parser.

use aws_emulator::ses::message::{Draft, address, decode, headers, pass_through, render};
use jiff::Timestamp;
use mail_parser::{HeaderValue, MessageParser, MimeHeaders};

fn now() -> Timestamp {
    "2026-03-02T09:05:07Z".parse().unwrap()
}

fn draft() -> Draft {
    Draft {
        from: "=?UTF-8?Q?Zo=C3=AB?= <shop@example.com>".to_owned(),
        to: vec!["client@example.org".to_owned()],
        reply_to: vec!["owner@example.com".to_owned()],
        subject: "New order ORD-1001: Zoë, lower back – 李 and a subject that is long enough to be folded over several lines".to_owned(),
        text: Some("Grüße,\r\nNguyễn\n".to_owned()),
        html: Some("<p>Grüße, Nguyễn &amp; co</p>".to_owned()),
        headers: vec![("Auto-Submitted".to_owned(), "auto-replied".to_owned())],
        ..Draft::default()
    }
}

#[test]
fn non_ascii_subjects_names_and_bodies_arrive_intact() {
    let eml = render(&draft(), "id", now()).unwrap();
    assert!(eml.is_ascii());
    let message = MessageParser::default().parse(&eml).unwrap();
    assert_eq!(message.subject(), Some(draft().subject.as_str()));
    assert_eq!(message.from().unwrap().first().unwrap().name(), Some("Zoë"));
    assert_eq!(
        message.from().unwrap().first().unwrap().address(),
        Some("shop@example.com")
    );
    assert_eq!(
        message.reply_to().unwrap().first().unwrap().address(),
        Some("owner@example.com")
    );
    assert_eq!(
        message.body_text(0).unwrap().replace("\r\n", "\n"),
        "Grüße,\nNguyễn\n"
    );
    assert_eq!(
        message.body_html(0).unwrap(),
        "<p>Grüße, Nguyễn &amp; co</p>"
    );
}

#[test]
fn the_alternatives_come_text_first() {
    let eml = render(&draft(), "id", now()).unwrap();
    let message = MessageParser::default().parse(&eml).unwrap();
    assert_eq!(
        message.content_type().unwrap().subtype(),
        Some("alternative")
    );
    let kinds: Vec<_> = message.parts[1..]
        .iter()
        .map(|part| part.content_type().unwrap().subtype().unwrap())
        .collect();
    assert_eq!(kinds, ["plain", "html"]);
}

#[test]
fn ses_sets_its_own_headers_and_each_is_there_once() {
    let eml = render(&draft(), "id", now()).unwrap();
    let message = MessageParser::default().parse(&eml).unwrap();
    assert_eq!(message.message_id(), Some("id@eu-west-2.amazonses.com"));
    assert_eq!(message.date().unwrap().to_rfc3339(), "2026-03-02T09:05:07Z");
    assert_eq!(
        message.header("Auto-Submitted"),
        Some(&HeaderValue::Text("auto-replied".into()))
    );
    assert!(eml.starts_with("Return-Path: <id@mail.example.com>\r\n"));
    let mut names: Vec<_> = message
        .headers()
        .iter()
        .map(|header| header.name().to_lowercase())
        .collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
}

#[test]
fn no_line_is_longer_than_smtp_allows() {
    let mut long = draft();
    long.text = Some("x".repeat(4_000));
    long.html = Some(format!("<p>{}</p>", "ü".repeat(4_000)));
    let eml = render(&long, "id", now()).unwrap();
    assert!(eml.split("\r\n").all(|line| line.len() <= 998));
    let message = MessageParser::default().parse(&eml).unwrap();
    assert_eq!(message.body_text(0).unwrap(), "x".repeat(4_000));
}

#[test]
fn an_email_with_one_part_has_no_alternatives() {
    let eml = render(
        &Draft {
            html: None,
            ..draft()
        },
        "id",
        now(),
    )
    .unwrap();
    let message = MessageParser::default().parse(&eml).unwrap();
    assert_eq!(message.content_type().unwrap().subtype(), Some("plain"));
}

#[test]
fn headers_are_read_back_decoded_and_repeated_ones_as_a_list() {
    let eml = render(&draft(), "id", now()).unwrap();
    let map = headers(&eml);
    assert_eq!(map["Subject"], draft().subject);
    assert_eq!(map["From"], "Zoë <shop@example.com>");
    let map = headers("X-Note: one\r\nX-Note: two\r\n\r\nbody: no header\r\n");
    assert_eq!(map["X-Note"], serde_json::json!(["one", "two"]));
    assert_eq!(map.len(), 1);
}

#[test]
fn encoded_words_are_decoded_and_everything_else_stays() {
    for (encoded, decoded) in [
        ("plain", "plain"),
        ("=?utf-8?b?WsOr?=", "Zë"),
        ("=?UTF-8?Q?a_b=C3=A9?= tail", "a bé tail"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?= and =?utf-8?q?b?=", "a and b"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("50 =? 50", "50 =? 50"),
        ("=?utf-8?q?=C?=", "=?utf-8?q?=C?="),
    ] {
        assert_eq!(decode(encoded), decoded, "{encoded}");
    }
}

#[test]
fn the_bare_address_of_a_mailbox_is_found() {
    for (mailbox, bare) in [
        ("a@example.com", "a@example.com"),
        ("A <a@example.com>", "a@example.com"),
        ("\"A <x@y>\" <a@example.com>", "a@example.com"),
        ("  a@example.com ", "a@example.com"),
    ] {
        assert_eq!(address(mailbox), bare, "{mailbox}");
    }
}

#[test]
fn raw_content_passes_through_with_the_headers_of_ses() {
    let raw = "From: shop@example.com\nTo: a@example.org\nBcc: b@example.org\nMessage-ID: <mine@example.com>\nSubject: Raw\n\nBody\n";
    let eml = pass_through(raw, "shop@example.com", "id", now());
    let message = MessageParser::default().parse(&eml).unwrap();
    assert_eq!(message.message_id(), Some("id@eu-west-2.amazonses.com"));
    assert_eq!(message.subject(), Some("Raw"));
    assert!(message.bcc().is_none());
    assert!(message.date().is_some());
    assert_eq!(message.body_text(0).unwrap().trim_end(), "Body");
}
