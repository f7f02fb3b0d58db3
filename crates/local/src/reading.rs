//! What people read is in the galleries, all of it, and reads easily.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

use std::path::Path;

use enquiry_desk::practice::{self, Practice};
use testing::readability;
use testing::samples::Samples;
use toml::{Table, Value};

use crate::pages;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What no gallery shows, by the beginning of its key, or of the template's name with the text, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    // For programs, files and terminals.
    ("command.", "answers of commands, in a terminal"),
    ("desk.column.", "the first row of a file"),
    ("desk.file.", "within a file"),
    ("email.probe.", "to a mailbox of Amazon's"),
    ("email.reply_link.", "within a link that writes an email"),
    ("error.fields.", "for programs"),
    (
        "error.field.reload",
        "where the page cannot put it right: for programs",
    ),
    ("error.not_a_reference", "in a terminal"),
    ("practice_file.", "of practice.toml"),
    ("practice.error.line", "of practice.toml"),
    ("practice.posted.", "for programs"),
    ("practice.error.consent.same_version", "of practice.toml"),
    ("practice.error.guide.no_warmth", "of practice.toml"),
    ("practice.error.question.not_left_out", "of practice.toml"),
    ("practice.error.question.same_key", "of practice.toml"),
    ("practice.error.twice", "of practice.toml"),
    ("practice.error.unknown_key", "of practice.toml"),
    (
        "desk.button.mark",
        "on a page that is shown after signing in, as others are",
    ),
    ("form.label.consent", "in exports"),
    // When something fails in the middle.
    ("error.no_page", "when no page can be made"),
    ("desk.plain.", "when no page can be made"),
    ("check.unanswered", "SES is silent at the very first check"),
    ("erase.html: ", "an erasure that was cut short"),
    // What takes more enquiries than a gallery should wait for.
    ("parts.html: ", "a file of more than four megabytes"),
    ("list.html: Show more", "more than a page of them"),
    ("waiting.html: Show more", "more than a page of them"),
    ("person.html: Show more", "more than a page of them"),
    ("people.html: Show more", "more than a page of them"),
    ("enquiry.html: There are more", "more than a page of them"),
    ("desk.waiting.more_suspects", "more than can be counted"),
    ("check.quota.near", "most of a day's quota"),
    // Beside a sentence of the same kind that is shown.
    ("spam.", "one reason is shown"),
    ("email.health.", "another number, or another thing"),
    ("email.weekly.", "another number, or another thing"),
    (
        "email.suggests.only_asked_for",
        "beside the other suggestions",
    ),
    ("email.therapist.elsewhere", "beside the other places"),
    ("email.therapist.pain", "beside the other places"),
    ("email.therapist.marking.list", "without the reminder"),
    ("auto_reply.", "without a link to the client's page"),
    ("practice.when.", "another time"),
    // Of another practice, deployment or site.
    ("files.html: ", "a desk without any month"),
    (
        "practice_section.html: Earlier wordings",
        "a practice with an earlier wording",
    ),
    ("check.mail_from.ok", "a MAIL FROM domain that works"),
    ("check.secret.", "a secret out of reach"),
    ("check.practice.", "a practice that was spoilt by hand"),
    ("check.site.", "a site with an old copy of the form"),
    // What no step brings about yet.
    ("desk.practice.too_long", "no step for it"),
    ("practice.error.guide.also_", "no step for it"),
    ("practice.error.guide.warmth", "no step for it"),
    ("practice.error.question.same_value", "no step for it"),
    ("practice.error.treatment.not_listed", "no step for it"),
];

/// What a browser does not get to, since it sends neither another encoding nor JSON: pages for programmers.
const FOR_PROGRAMMERS: &[&str] = &[
    "refused-not-utf-8",
    "refused-malformed-json",
    "refused-unsupported-media-type",
    "refused-unsupported-charset",
    "refused-compressed",
];

/// Every page and email of the galleries for this practice: its name, and all that is in it.
struct Shown {
    name: String,
    html: String,
}

async fn shown(practice: &Practice) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for section in pages::sections(practice).await.unwrap() {
        let pages = section.pages.into_iter();
        shown.extend(pages.map(|it| Shown {
            name: it.name,
            html: it.html,
        }));
    }
    let samples = Samples {
        practice,
        received_at: "2026-11-23T09:30:00Z".parse().unwrap(),
        away_until: None,
    };
    for sample in samples.every() {
        let mail = &sample.mail;
        let html = mail.html.as_deref().unwrap_or_default();
        shown.push(Shown {
            name: format!("email {}", sample.full_name()),
            html: format!("{}\n{}\n{html}", mail.subject, mail.text),
        });
    }
    shown
}

/// As people read it: without what the markup adds, and with each white space as one.
fn plain(html: &str) -> String {
    let decoded = [
        ("&#38;", "&"),
        ("&amp;", "&"),
        ("&#39;", "'"),
        ("&#34;", "\""),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&nbsp;", " "),
    ]
    .iter()
    .fold(html.to_owned(), |text, (entity, sign)| {
        text.replace(entity, sign)
    });
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same without its tags.
fn without_tags(html: &str) -> String {
    let parts = html.split('<');
    plain(
        &parts
            .map(|it| it.split_once('>').map_or(it, |(_, text)| text))
            .collect::<Vec<_>>()
            .join(""),
    )
}

/// The messages of a table, with their keys.
fn messages(path: &str, table: &Table, all: &mut Vec<(String, String)>) {
    for (name, value) in table {
        let path = format!("{path}{name}");
        match value {
            Value::String(text) => all.push((path, text.clone())),
            Value::Table(table) => messages(&format!("{path}."), table, all),
            _ => panic!("{path} is no text"),
        }
    }
}

/// Whether the pieces of a text, between what is filled in, stand in another one in this order.
fn stands(pieces: &[&str], text: &str) -> bool {
    let mut rest = text;
    pieces.iter().all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

/// What a text says, between the places that are filled in.
fn pieces(text: &str) -> Vec<&str> {
    let parts = text.split('{');
    let parts = parts.map(|it| it.split_once('}').map_or(it, |(_, rest)| rest));
    parts.map(str::trim).filter(|it| !it.is_empty()).collect()
}

/// What a template says by itself: what is left of it without its tags and those of HTML.
fn said(template: &str) -> Vec<String> {
    let mut text = template.to_owned();
    for (begin, end) in [
        ("{#", "#}"),
        ("<style", "</style>"),
        ("{%", "%}"),
        ("{{", "}}"),
        ("<", ">"),
    ] {
        let mut left = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(begin) {
            left.push_str(before);
            left.push('\u{1}');
            rest = after.split_once(end).map_or("", |(_, after)| after);
        }
        text = left + rest;
    }
    let words = |it: &str| {
        it.split_whitespace()
            .filter(|it| it.chars().any(char::is_alphabetic))
            .count()
    };
    let parts = text.split('\u{1}').map(plain);
    parts.filter(|it| words(it) > 1).collect()
}

fn templates(folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            templates(&path, all);
        } else if path
            .extension()
            .is_some_and(|it| it == "html" || it == "txt")
        {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            all.extend(said(&text).into_iter().map(|words| (name.clone(), words)));
        }
    }
}

#[tokio::test]
async fn everything_that_people_read_is_in_the_galleries() {
    let shown = shown(practice::compiled()).await;
    let texts: Vec<String> = shown
        .iter()
        .flat_map(|it| [plain(&it.html), without_tags(&it.html)])
        .collect();
    let mut all = Vec::new();
    let file = std::fs::read_to_string(Path::new(ROOT).join("templates/messages.toml")).unwrap();
    messages("", &file.parse().unwrap(), &mut all);
    templates(&Path::new(ROOT).join("templates"), &mut all);
    let mut missing = Vec::new();
    let mut used = vec![false; ELSEWHERE.len()];
    for (key, text) in &all {
        let text = plain(text);
        let pieces = pieces(&text);
        if texts.iter().any(|it| stands(&pieces, it)) {
            continue;
        }
        match ELSEWHERE
            .iter()
            .position(|(begin, _)| format!("{key}: {text}").starts_with(begin))
        {
            Some(place) => used[place] = true,
            None => missing.push(format!("{key}: {text}")),
        }
    }
    assert!(
        missing.is_empty(),
        "no gallery shows\n{}",
        missing.join("\n")
    );
    for (place, used) in used.iter().enumerate() {
        assert!(used, "{:?} is shown after all, or gone", ELSEWHERE[place]);
    }
}

/// What stands in the paragraphs and lists of a page's main part, each on a line of its own.
fn prose(html: &str) -> String {
    let main = html.split_once("<main").unwrap().1;
    let main = main.split_once("</main>").unwrap().0;
    let mut lines = Vec::new();
    for (start, end) in [("<p", "</p>"), ("<li", "</li>")] {
        for part in main.split(start).skip(1) {
            let text = part.split_once('>').unwrap().1;
            let text = text.split_once(end).map_or("", |(text, _)| text);
            lines.push(without_tags(text));
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn every_page_reads_easily() {
    let mut hard = Vec::new();
    for page in shown(practice::compiled()).await {
        if page.name.starts_with("email ") || FOR_PROGRAMMERS.contains(&page.name.as_str()) {
            continue;
        }
        let prose = prose(&page.html);
        let ease = readability::ease(&prose);
        if ease < 60.0 {
            hard.push(format!("{}: {ease:.0}\n{prose}\n", page.name));
        }
    }
    assert!(hard.is_empty(), "{}", hard.join("\n"));
}
