//! The contract, for the practice in force: `docs/openapi.json` with the fields that its form has. The committed document is what this
//! makes of the practice in the repository; the tests make the rest of it, from the tables in the code.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::decode::MAX_ANSWERS;
use crate::enquiry::field::{Control, Required, Row};
use crate::enquiry::{EmailAddress, Field, Message, Name, Phone, Times, fields};
use crate::practice::{Practice, Question, QuestionKey};
use crate::text;

const COMMITTED: &str = include_str!("../../docs/openapi.json");

/// The contract of this practice.
#[must_use]
pub fn of(practice: &Practice) -> Value {
    with_fields(
        serde_json::from_str(COMMITTED).unwrap_or_default(),
        practice,
    )
}

/// A contract with the fields of this practice: their rules, their errors, and examples.
#[must_use]
pub fn with_fields(mut document: Value, practice: &Practice) -> Value {
    let rows = rows(practice);
    let set = |document: &mut Value, place: &str, value: Value| {
        if let Some(slot) = document.pointer_mut(place) {
            *slot = value;
        }
    };
    for (place, value) in [
        ("/components/schemas/Form", json_form(&rows, practice)),
        (
            "/components/schemas/PostedForm",
            posted_form(&rows, practice),
        ),
        (
            "/components/schemas/FieldError/description",
            code_table(&rows).into(),
        ),
        (
            "/components/schemas/FieldError/properties/pointer/anyOf/0/enum",
            rows.iter().map(|row| format!("#/{}", row.key)).collect(),
        ),
        (
            "/components/schemas/FieldError/properties/code/enum",
            codes(&rows).into_iter().collect(),
        ),
    ] {
        set(&mut document, place, value);
    }
    let body = "/paths/~1enquiries/post/requestBody/content";
    let encodings = [
        "application~1json",
        "application~1x-www-form-urlencoded",
        "multipart~1form-data",
    ];
    for encoding in encodings {
        let place = format!("{body}/{encoding}/examples");
        set(&mut document, &place, examples(&rows, practice));
    }
    document
}

/// Every field that may be posted: what the form asks, and what another form of the same desk may ask.
fn rows(practice: &Practice) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = fields(practice).collect();
    for field in Field::ALL.iter().filter(|field| !field.is_asked(practice)) {
        rows.extend(field.built_in());
    }
    rows
}

fn is_required(row: &Row<'_>, practice: &Practice) -> bool {
    row.required == Required::Yes && row.field.is_asked(practice)
}

/// A class of a regular expression with every character that passes: runs of them as `\uXXXX-\uXXXX`.
fn class(passes: impl Fn(char) -> bool) -> String {
    let mut runs: Vec<(char, char)> = Vec::new();
    // Beyond the Basic Multilingual Plane the dialects of regular expressions part ways.
    for c in ('\0'..='\u{ffff}').filter(|c| passes(*c)) {
        match runs.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(c) => *last = c,
            _ => runs.push((c, c)),
        }
    }
    runs.iter()
        .map(|(first, last)| format!("\\u{:04x}-\\u{:04x}", u32::from(*first), u32::from(*last)))
        .collect()
}

static LINE: LazyLock<String> = LazyLock::new(|| format!("^[^{}]*$", class(text::is_control)));

/// A character that shows.
static VISIBLE: LazyLock<String> = LazyLock::new(|| {
    let unseen = class(|c| {
        text::is_control(c)
            || text::is_invisible(c)
            || c.is_whitespace()
            || matches!(c, '\u{200c}' | '\u{200d}')
    });
    format!("[^{unseen}]")
});

/// A text of one line that shows something.
static VISIBLE_LINE: LazyLock<String> = LazyLock::new(|| {
    let control = class(text::is_control);
    format!("^[^{control}]*{}[^{control}]*$", *VISIBLE)
});

/// The JSON type and the rule of a field, without null.
fn rule(row: &Row<'_>, practice: &Practice) -> Value {
    let required = is_required(row, practice);
    match (row.field, row.control) {
        (Field::Name, _) => {
            json!({ "type": "string", "minLength": 1, "maxLength": Name::MAX, "pattern": *VISIBLE_LINE })
        }
        (Field::Email, _) => json!({
            "type": "string", "minLength": 3, "maxLength": EmailAddress::MAX,
            "pattern": "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
        }),
        (Field::Phone, _) => json!({ "type": "string", "maxLength": Phone::MAX }),
        (Field::Times, _) => json!({ "type": "string", "maxLength": Times::MAX }),
        (Field::Message, _) => json!({ "type": "string", "maxLength": Message::MAX }),
        (Field::Consent, _) => json!({ "type": "string", "enum": ["yes"] }),
        (Field::Submission, _) => {
            json!({ "anyOf": [{ "type": "string", "format": "uuid" }, { "const": "" }] })
        }
        // Treatments come and go; what is offered is looked up when a form is posted.
        (Field::Treatment, _) => json!({ "type": "string" }),
        (_, Control::OneOf(_) | Control::SeveralOf(_)) => {
            let options = row.options(practice);
            let keys: Vec<&str> = options.iter().map(|option| option.key.as_str()).collect();
            match (row.is_repeatable(), required) {
                (true, false) => {
                    json!({ "type": "array", "maxItems": MAX_ANSWERS, "items": one_of(&keys) })
                }
                (true, true) => {
                    json!({ "type": "array", "minItems": 1, "maxItems": MAX_ANSWERS, "items": { "type": "string", "enum": keys } })
                }
                (false, true) => json!({ "type": "string", "enum": keys }),
                (false, false) => one_of(&keys),
            }
        }
        (_, Control::Line { .. }) if required => {
            json!({ "type": "string", "minLength": 1, "maxLength": Question::LINE, "pattern": *VISIBLE_LINE })
        }
        (_, Control::Line { .. }) => {
            json!({ "type": "string", "maxLength": Question::LINE, "pattern": *LINE })
        }
        (_, Control::Text { .. }) if required => {
            json!({ "type": "string", "minLength": 1, "maxLength": Question::TEXT, "pattern": *VISIBLE })
        }
        (_, Control::Text { .. }) => json!({ "type": "string", "maxLength": Question::TEXT }),
        (_, Control::Tick | Control::Hidden | Control::Kept) => json!({ "type": "string" }),
    }
}

/// A closed question that may be left out.
fn one_of(keys: &[&str]) -> Value {
    let with_empty: Vec<&str> = keys.iter().copied().chain([""]).collect();
    json!({ "type": "string", "enum": with_empty })
}

/// What stands beside the rule, for people: the question, and what no schema can say.
fn description(row: &Row<'_>, practice: &Practice) -> String {
    const REPEATED: &str =
        "In a form the field is repeated; in JSON a single text is taken as well.";
    let more = match row.field {
        Field::Name => "Any script. Trimmed, normalised to NFC; invisible characters are removed.",
        Field::Email => {
            "The rule of HTML's `type=email`, with two labels or more in the domain. An internationalised domain is \
             taken too, and stored as punycode. A likely typo or dots that no mail system carries are asked about once: 422 with the code \
             `email_suggestion` and the member `suggestion`."
        }
        Field::Phone => {
            "Whatever libphonenumber calls possible in its full length; a national number is British. A remark may stand \
             beside it and is kept, not dialled. Required when `contact_by` is `phone` or `text`; the latter needs a \
             number that takes text messages."
        }
        Field::ContactBy => "`email` when left out.",
        Field::Treatment => {
            "The key of one of the practice's treatments; empty for \"help me choose\"."
        }
        Field::Times | Field::Message => {
            "Line breaks are kept, and each counts as one character, CR LF too."
        }
        Field::Consent => {
            "The client's explicit consent to the use of what they tell about their health."
        }
        Field::Submission => {
            "Made once per filled-in form, so that the same post twice is one enquiry."
        }
        Field::EmailConfirmed => {
            "The answer to `email_suggestion`: the address as typed keeps it, the suggested one takes it."
        }
        Field::ConsentVersion => {
            "Which wording of the consent was shown. Unknown ones are refused."
        }
        Field::Token => "The page's signed time, from `/token`. Never an error.",
        Field::Altcha => {
            "A proof of work for a challenge from `/altcha`, where one is asked for. Never an error."
        }
        Field::Honeypot => "Leave it empty: what fills it in counts as a program.",
        _ if row.is_repeatable() => REPEATED,
        _ => "",
    };
    let label = row.label;
    let stop = if label.is_empty() || label.ends_with('?') {
        ""
    } else {
        "."
    };
    let unasked = if row.field.is_asked(practice) {
        ""
    } else {
        " This practice's form does not ask; an answer is taken all the same."
    };
    format!("{label}{stop} {more}{unasked}").trim().to_owned()
}

/// The form as JSON: null means left out, as an empty text does.
fn json_form(rows: &[Row<'_>], practice: &Practice) -> Value {
    let property = |row: &Row<'_>| {
        let rule = rule(row, practice);
        let required = is_required(row, practice);
        let mut rule = match (row.is_repeatable(), required) {
            // Whatever it is, it is taken.
            _ if row.field.takes_anything() => json!({}),
            (false, true) => rule,
            (false, false) => nullable(rule),
            (true, _) => {
                let options = row.options(practice);
                let keys: Vec<&str> = options.iter().map(|option| option.key.as_str()).collect();
                if required {
                    json!({ "anyOf": [rule, { "type": "string", "enum": keys }] })
                } else {
                    json!({ "anyOf": [rule, one_of(&keys), { "type": "null" }] })
                }
            }
        };
        describe(&mut rule, row, practice);
        (row.key.to_owned(), rule)
    };
    let mut form = form_object(rows.iter().map(property).collect(), rows, practice);
    let kept = json!({
        "description": format!(
            "A question that this practice does not ask, or asks no more, is kept as it is; at most {} of them.",
            Question::MOST
        ),
        "anyOf": [
            { "type": "string" },
            { "type": "array", "maxItems": MAX_ANSWERS, "items": { "type": "string" } },
            { "type": "null" },
        ],
    });
    let name = format!(
        "^{}[a-z0-9_]{{1,{}}}$",
        QuestionKey::BEGINNING,
        QuestionKey::LONGEST
    );
    // What the properties name has its own rule.
    let asked: Vec<String> = rows
        .iter()
        .filter_map(|row| row.key.strip_prefix(QuestionKey::BEGINNING))
        .map(|key| format!("(?!{key}$)"))
        .collect();
    let name = name.replacen(
        QuestionKey::BEGINNING,
        &format!("{}{}", QuestionKey::BEGINNING, asked.concat()),
        1,
    );
    add(&mut form, "patternProperties", json!({ name: kept }));
    add(&mut form, "additionalProperties", false.into());
    form
}

fn nullable(mut rule: Value) -> Value {
    if let Some(ways) = rule.get_mut("anyOf").and_then(Value::as_array_mut) {
        ways.push(json!({ "type": "null" }));
        return rule;
    }
    add(&mut rule, "type", json!(["string", "null"]));
    if let Some(values) = rule.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    rule
}

/// The form as a browser sends it: only texts.
fn posted_form(rows: &[Row<'_>], practice: &Practice) -> Value {
    let property = |row: &Row<'_>| {
        let mut rule = rule(row, practice);
        describe(&mut rule, row, practice);
        (row.key.to_owned(), rule)
    };
    let mut form = form_object(rows.iter().map(property).collect(), rows, practice);
    add(&mut form, "additionalProperties", true.into());
    form
}

fn describe(rule: &mut Value, row: &Row<'_>, practice: &Practice) {
    add(rule, "description", description(row, practice).into());
}

fn add(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn form_object(properties: Map<String, Value>, rows: &[Row<'_>], practice: &Practice) -> Value {
    let required = rows.iter().filter(|row| is_required(row, practice));
    let required: Vec<&str> = required.map(|row| row.key).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn codes(rows: &[Row<'_>]) -> BTreeSet<String> {
    let errors = rows.iter().flat_map(Row::errors);
    errors.map(|error| error.code().into_owned()).collect()
}

fn code_table(rows: &[Row<'_>]) -> String {
    let lines: String = rows
        .iter()
        .flat_map(|row| {
            row.errors().into_iter().map(|error| {
                // A label may hold what ends a cell.
                let message = error.message().replace('|', "\\|");
                format!("| `#/{}` | `{}` | {message} |\n", row.key, error.code())
            })
        })
        .collect();
    format!(
        "What is wrong with one field.\n\n| pointer | code | detail |\n| --- | --- | --- |\n{lines}"
    )
}

/// The least that the form takes, and every answer.
fn examples(rows: &[Row<'_>], practice: &Practice) -> Value {
    let asked = |row: &&Row<'_>| row.field.is_stored() && row.field.is_asked(practice);
    let answer = |row: &Row<'_>| (row.key.to_owned(), example(row, practice));
    let all: Map<String, Value> = rows.iter().filter(asked).map(answer).collect();
    let least = rows.iter().filter(|row| is_required(row, practice));
    let least: Map<String, Value> = least.map(answer).collect();
    json!({
        "least": { "summary": "All that is required", "value": least },
        "complete": { "summary": "Every answer", "value": all },
    })
}

fn example(row: &Row<'_>, practice: &Practice) -> Value {
    let first = row
        .options(practice)
        .into_iter()
        .find(|it| !it.key.is_empty());
    match (row.field, first) {
        (Field::Name, _) => "Zoë O'Brien".into(),
        (Field::Email, _) => "zoe@example.com".into(),
        (Field::Phone, _) => "07700 900982".into(),
        (Field::Times, _) => "Tuesday mornings".into(),
        (Field::Consent, _) => "yes".into(),
        (_, Some(first)) if row.is_repeatable() => json!([first.key]),
        (_, Some(first)) => first.key.into(),
        (_, None) => "It began in spring.".into(),
    }
}
