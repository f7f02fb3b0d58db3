//! `export`: everything that the table holds about an address, for a person who asks for it (UK GDPR, articles 15 and
//! 20).

use lambda_runtime::Error;
use serde_json::{Value, json};
use tracing::info;

use super::{ENOUGH, Format, csv, list};
use crate::app::App;
use crate::clock::Clock;
use crate::delivery::MailState;
use crate::enquiry::EmailAddress;
use crate::store::{CoolDown, Place, Record, Trace};

/// How much one answer may hold, in bytes as it is sent: Lambda refuses more than 6 MB (quota "Invocation payload").
const LARGEST: usize = 5_000_000;
/// How many enquiries are looked up at once.
const PAGE: usize = 100;

const COLUMNS: [&str; 21] = [
    "reference",
    "received_at",
    "name",
    "email",
    "phone",
    "contact_by",
    "area",
    "cause",
    "goal",
    "recent_injury",
    "warmth",
    "treatment",
    "times",
    "message",
    "consent_version",
    "verdict",
    "signals",
    "therapist",
    "auto_reply",
    "notice",
    "deleted_after",
];

/// What is kept about an address itself, in words that a person understands.
pub(super) fn about_address(cool_down: &CoolDown) -> Value {
    json!({
        "what": if cool_down.undeliverable {
            "an email to this address came back, or was reported as spam: it gets no automatic reply"
        } else {
            "this address had an automatic reply a short time ago: it gets no other one for now"
        },
        "because_of": cool_down.because_of,
        "deleted_after": cool_down.expires,
    })
}

/// Everything about an address, however it is spelt; the rest with `next`, when one answer cannot hold it.
pub(super) async fn export(
    app: &App,
    address: &EmailAddress,
    next: Option<&str>,
    format: Format,
    clock: &Clock,
) -> Result<Value, Error> {
    let mut after = next.map(list::place).transpose()?;
    let mut found: Vec<Value> = Vec::new();
    let mut table = format!("{}{}", csv::BEGIN, csv::row(COLUMNS));
    let (mut count, mut size) = (0, 0);
    let more = 'pages: loop {
        let page = app
            .store
            .from_address(address, after.as_ref(), PAGE)
            .await?;
        for place in page.places {
            if count > 0 && clock.remaining() < ENOUGH {
                break 'pages true;
            }
            let Some(trace) = app.store.trace(&place.reference).await? else {
                // Deleted since the index was written.
                continue;
            };
            let entry = match format {
                Format::Json => entry(&place, &trace),
                Format::Csv => Value::String(line(&place, &trace)),
            };
            // As text of JSON, in which quotes and line breaks take more room.
            size += entry.to_string().len();
            if count > 0 && size > LARGEST {
                break 'pages true;
            }
            count += 1;
            match entry {
                Value::String(line) => table.push_str(&line),
                entry => found.push(entry),
            }
            after = Some(place);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break false,
        }
    };
    info!(count, more, "enquiries exported");
    let cool_down = app.store.cool_down(address).await?;
    let mut answer = json!({
        "email": address,
        "count": count,
        "complete": !more,
        "about_the_address": cool_down.as_ref().map(about_address),
    });
    if let Some(answer) = answer.as_object_mut() {
        match format {
            Format::Json => answer.insert("enquiries".to_owned(), found.into()),
            Format::Csv => answer.insert("csv".to_owned(), table.into()),
        };
        if let Some(after) = after.filter(|_| more) {
            answer.insert("next".to_owned(), after.to_string().into());
            answer.insert(
                "note".to_owned(),
                "one answer cannot hold it all: send the same command with this next for the rest, until complete is true".into(),
            );
        }
    }
    Ok(answer)
}

fn entry(place: &Place, trace: &Trace) -> Value {
    let Some(record) = &trace.record else {
        return json!({
            "reference": place.reference,
            "received_at": place.received_at,
            "unreadable": "a newer version of the desk wrote it: deploy that one, and export again",
        });
    };
    json!({
        "received": record.received,
        "verdict": record.verdict,
        "signals": record.signals,
        "deliveries": record.deliveries,
        "post_remembered": trace.marked,
        "deleted_after": trace.expires,
    })
}

fn line(place: &Place, trace: &Trace) -> String {
    let mut cells = vec![place.reference.to_string(), place.received_at.to_string()];
    match &trace.record {
        Some(record) => cells.extend(told(record)),
        None => {
            cells.push("unreadable: a newer version of the desk wrote it".to_owned());
            cells.resize(COLUMNS.len() - 1, String::new());
        }
    }
    cells.push(trace.expires.map_or_else(String::new, |at| at.to_string()));
    csv::row(cells.iter().map(String::as_str))
}

/// What the client told us and what became of it, cell by cell, in the words of the form.
fn told(record: &Record) -> Vec<String> {
    let enquiry = &record.received.enquiry;
    let answers = &enquiry.answers;
    let deliveries = &record.deliveries;
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let said =
        |value: Option<&dyn std::fmt::Display>| value.map_or_else(String::new, |it| it.to_string());
    let areas: Vec<String> = answers.area.iter().map(ToString::to_string).collect();
    let verdict = json!(record.verdict);
    let signals: Vec<&str> = record.signals.iter().map(|signal| signal.code()).collect();
    vec![
        enquiry.name.as_str().to_owned(),
        enquiry.email.as_str().to_owned(),
        text(enquiry.phone.as_ref().map(|phone| phone.typed())),
        enquiry.contact_by.to_string(),
        areas.join(", "),
        said(answers.cause.as_ref().map(|it| it as _)),
        answers.goal.to_string(),
        said(answers.recent_injury.as_ref().map(|it| it as _)),
        said(answers.warmth.as_ref().map(|it| it as _)),
        said(answers.treatment.as_ref().map(|it| it as _)),
        text(enquiry.times.as_ref().map(|times| times.as_str())),
        text(enquiry.message.as_ref().map(|message| message.as_str())),
        enquiry.consent_version.clone(),
        text(verdict.as_str()),
        signals.join(", "),
        deliveries.therapist.to_string(),
        deliveries.auto_reply.to_string(),
        deliveries
            .notice
            .as_ref()
            .map_or_else(String::new, MailState::to_string),
    ]
}
