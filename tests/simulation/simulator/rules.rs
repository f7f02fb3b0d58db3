//! The rules that hold after every schedule (docs/delivery.md).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_emulator::ses::Email;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::enquiry::EmailAddress;
use jiff::{SignedDuration, Timestamp};

use super::people;
use super::schedule::{Accepted, NAMES, Reported, World};
use crate::support::Item;

/// An email and what the wire knows of it.
struct Left {
    email: Arc<Email>,
    reference: String,
    kind: String,
    invocation: usize,
    at: Timestamp,
    /// SES's answer came, and what it said was written on the enquiry.
    certain: bool,
    /// It went past the table.
    fallback: bool,
    /// SES has sent it, and not only taken it.
    sent: bool,
}

/// Every rule that does not hold.
pub async fn broken(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    let items = world.enquiries().await;
    let enquiries: HashMap<&str, &Item> = items
        .iter()
        .chain(&world.expired)
        .map(|item| (text(item, "reference"), item))
        .collect();
    let left = left(world, &mut broken);
    let of = |reference: &str, kind: &str| {
        left.iter()
            .filter(|left| left.reference == reference && left.kind == kind)
            .collect::<Vec<_>>()
    };

    let raised = |code: &str, reference: &str| {
        let mut lines = world.lines.iter();
        lines.any(|line| line["alarm"] == code && line["reference"] == reference)
    };

    for Accepted {
        reference, form, ..
    } in &world.accepted
    {
        let posted = world.forms[*form].as_object().unwrap();
        let posted = posted.iter().filter(|(name, _)| name.starts_with("q_"));
        let posted: BTreeMap<&str, &str> = posted
            .map(|(name, answer)| (name.as_str(), answer.as_str().unwrap()))
            .collect();
        let kept = enquiries
            .get(reference.as_str())
            .and_then(|item| item.get("enquiry"))
            .map(own);
        if kept.is_some_and(|kept| kept != posted) {
            broken.push(format!("(a) {reference} has lost an answer"));
        }
        let in_mailbox = of(reference, "therapist").iter().any(|left| left.sent);
        // What SES took past the table and then dropped is told by an alarm alone.
        let told = ["therapist_suppressed", "email_refused"]
            .iter()
            .any(|code| raised(code, reference));
        let is_known =
            enquiries.contains_key(reference.as_str()) || world.may_be_withdrawn(reference);
        if !is_known && !in_mailbox && !told {
            broken.push(format!("(a) {reference} was accepted and is lost"));
        }
    }
    for (reference, item) in &enquiries {
        // The table has deleted it before its time came.
        if item.contains_key("withdrawn") {
            continue;
        }
        let state = |kind: &str| state(item, kind);
        let refused = state("therapist") == Some("failed") && raised("email_refused", reference);
        let arrived = of(reference, "therapist").iter().any(|left| left.sent);
        if !arrived && !refused {
            broken.push(format!("(b) the therapist never heard of {reference}"));
        }
        let agrees = match state("therapist") {
            Some("sent" | "delivered") => true,
            Some("bounced" | "complained") => raised("therapist_unreachable", reference),
            Some("failed") => raised("email_refused", reference),
            _ => false,
        };
        if !agrees {
            let state = state("therapist");
            broken.push(format!("(b) {reference} ends with its email {state:?}"));
        }
        // The auto-reply of an enquiry that the table has deleted may be pending still: it was late by then.
        let has_expired = has_expired(world, item);
        let expires = item.get("text_expires");
        let is_complete = !item.contains_key("pending") && item.get("expires") == expires;
        if expires.is_none() || !(is_complete || has_expired) {
            broken.push(format!("(b) {reference} is still pending or never expires"));
        }
        let arrived = of(reference, "notice").iter().any(|left| left.sent);
        if matches!(state("notice"), Some("sent" | "delivered")) && !arrived {
            broken.push(format!("(b) the notice of {reference} never left"));
        }
        let auto_replies = of(reference, "auto_reply").len();
        let agrees = match state("auto_reply") {
            Some("pending" | "sending") if has_expired => auto_replies <= 1,
            Some("failed") if matches!(reason(item), Some("Reject" | "Suppressed")) => {
                auto_replies == 1
            }
            Some("sent" | "delivered" | "bounced" | "complained") => auto_replies == 1,
            Some("withheld" | "failed") => auto_replies == 0,
            Some("unknown") => auto_replies <= 1,
            _ => false,
        };
        if !agrees {
            let state = state("auto_reply");
            broken.push(format!(
                "(d) {reference} says {state:?} of {auto_replies} auto-replies"
            ));
        }
    }
    for left in left.iter().filter(|left| left.fallback) {
        if !raised("table_unavailable", &left.reference) {
            let reference = &left.reference;
            broken.push(format!(
                "(b) {reference} went past the table without an alarm"
            ));
        }
    }
    let too_late = world.ledger.lock().unwrap().too_late.clone();
    broken.extend(
        too_late
            .iter()
            .map(|words| format!("(out of time) {words}")),
    );
    broken.extend(copies(world, &left, &enquiries));
    broken.extend(auto_replies(&left));
    broken.extend(reports(world, &enquiries));
    broken.extend(automatic_answers(world));
    broken.extend(unwanted(world, &left));
    broken.extend(items_of_one_form(world, &enquiries));
    broken.extend(repeats(world, &enquiries));
    broken.extend(people::broken(world).await);
    broken
}

/// Whether the table has deleted it in time, or the first of its two items.
fn has_expired(world: &World, item: &Item) -> bool {
    world.deleted.contains(text(item, "reference"))
}

/// What SES has reported of the email that an enquiry knows is never taken back.
fn reports(world: &World, enquiries: &HashMap<&str, &Item>) -> Vec<String> {
    let mut broken = Vec::new();
    for report in &world.reports {
        let least = match report.event_type.as_str() {
            "Delivery" => 1,
            // Of a suppressed one a delivery may be reported all the same: then it has arrived.
            "Bounce" if report.permanent && !report.suppressed => 2,
            "Complaint" if !report.suppressed => 3,
            _ => continue,
        };
        // What came after the table had deleted it was taken and is nowhere.
        let known = enquiries
            .get(report.reference.as_str())
            .filter(|item| !has_expired(world, item));
        let Some(email) =
            known.and_then(|item| item["deliveries"].as_m().unwrap().get(&report.kind))
        else {
            continue;
        };
        let email = email.as_m().unwrap();
        if email.get("message_id").map(|id| id.as_s().unwrap()) != Some(&report.message_id) {
            continue;
        }
        let state = email["state"].as_s().unwrap();
        let rank = ["sent", "delivered", "bounced", "complained"]
            .iter()
            .position(|known| known == state);
        if rank.is_none_or(|rank| rank < least) {
            broken.push(format!(
                "(b) the {} email of {} is {state} although SES reported {}",
                report.kind, report.reference, report.event_type
            ));
        }
    }
    broken
}

/// An automatic answer of the therapist's mailbox alone raises no alarm: that takes a bounce for good, a complaint, or two emails
/// that came back for now.
fn automatic_answers(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    let alarms = world
        .lines
        .iter()
        .filter(|line| line["alarm"] == "therapist_unreachable");
    for line in alarms {
        // An email of its own is about no enquiry.
        if line["kind"].as_str().is_some_and(people::is_own) {
            continue;
        }
        let (Some(reference), Some(kind)) = (line["reference"].as_str(), line["kind"].as_str())
        else {
            broken.push(format!("(b) an alarm about nothing: {line}"));
            continue;
        };
        let about = || {
            let told = world.told.iter();
            told.filter(|told| told.reference == reference && told.kind != "auto_reply")
        };
        let for_good = about().any(|told| {
            told.event_type == "Complaint" || (told.event_type == "Bounce" && told.permanent)
        });
        let mut for_now: Vec<&str> = about()
            .filter(|told| told.event_type == "Bounce" && !told.permanent)
            .map(|told| told.message_id.as_str())
            .collect();
        for_now.sort_unstable();
        for_now.dedup();
        if !for_good && for_now.len() < 2 && kind != "fallback" {
            broken.push(format!(
                "(b) an automatic answer raised an alarm about {reference}"
            ));
        }
    }
    broken
}

/// An address whose email came back, or whose reader complained, gets no auto-reply afterwards, for as long as it is known.
fn unwanted(world: &World, left: &[Left]) -> Vec<String> {
    let mut broken = Vec::new();
    let person = |left: &Left| EmailAddress::parse(&left.email.to[0]).unwrap().canonical();
    let auto_replies = || left.iter().filter(|left| left.kind == "auto_reply");
    let known = |report: &&Reported| {
        let is_final = report.permanent || report.event_type == "Complaint";
        // The function may have had no item to find the address in.
        is_final
            && !world.deleted.contains(&report.reference)
            && !world.may_be_withdrawn(&report.reference)
    };
    for report in world.reports.iter().filter(known) {
        let about = auto_replies().find(|left| left.email.message_id == report.message_id);
        let Some(about) = about else { continue };
        for later in auto_replies().filter(|later| person(later) == person(about)) {
            let after = later.at.duration_since(report.at);
            if after.is_positive() && after < SignedDuration::from_mins(24 * 60 - 5) {
                broken.push(format!(
                    "(d) {} was answered at {} after a {}",
                    person(later),
                    later.at,
                    report.event_type
                ));
            }
        }
    }
    broken
}

/// A form that is posted again after 24 hours is another enquiry, however late the table deletes what has expired.
fn repeats(world: &World, enquiries: &HashMap<&str, &Item>) -> Vec<String> {
    let mut broken = Vec::new();
    for accepted in &world.accepted {
        let Some(item) = enquiries.get(accepted.reference.as_str()) else {
            continue;
        };
        let received_at: Timestamp = text(item, "received_at").parse().unwrap();
        let age = accepted.at.duration_since(received_at);
        if age > SignedDuration::from_hours(24) + SignedDuration::from_secs(60) {
            let Accepted {
                form, reference, ..
            } = accepted;
            broken.push(format!(
                "one form of {} is still {reference} after {age:#}",
                NAMES[*form]
            ));
        }
    }
    broken
}

/// The answers to the practice's own questions, as they were posted.
fn own(enquiry: &AttributeValue) -> BTreeMap<&str, &str> {
    let Some(own) = enquiry.as_m().unwrap().get("own") else {
        return BTreeMap::new();
    };
    let mut answers = BTreeMap::new();
    for answer in own.as_l().unwrap() {
        let answer = answer.as_m().unwrap();
        let said = answer["said"].as_m().unwrap();
        let said = said.get("typed").unwrap_or_else(|| {
            let chosen = said["chosen"].as_l().unwrap();
            &chosen[0].as_m().unwrap()["value"]
        });
        answers.insert(
            answer["key"].as_s().unwrap().as_str(),
            said.as_s().unwrap().as_str(),
        );
    }
    answers
}

/// Rule (c): whatever left in excess was either not confirmed, or not written down because of a crash or a fault, or
/// went past the table because it could not be written.
fn copies(world: &World, left: &[Left], enquiries: &HashMap<&str, &Item>) -> Vec<String> {
    let mut broken = Vec::new();
    // A report about another copy may have come first, and then says all there is to know of this email.
    let is_settled = |copy: &Left| {
        let item = enquiries.get(copy.reference.as_str())?;
        let email = item["deliveries"].as_m().unwrap().get(&copy.kind)?;
        let email = email.as_m().unwrap();
        let reported = ["delivered", "bounced", "complained"];
        let state = email["state"].as_s().unwrap().as_str();
        let other = email.get("message_id")?.as_s().unwrap() != &copy.email.message_id;
        (other && reported.contains(&state)).then_some(())
    };
    let ledger = world.ledger.lock().unwrap();
    let mut certain: HashMap<(&str, &str), u32> = HashMap::new();
    let mut fallback: HashMap<usize, u32> = HashMap::new();
    for copy in left {
        let sent = &ledger.sent[&copy.email.message_id];
        let happened = ledger.invocations[copy.invocation];
        let (reference, kind) = (copy.reference.as_str(), copy.kind.as_str());
        if copy.fallback {
            *fallback.entry(copy.invocation).or_default() += 1;
            if happened.table_faults == 0 && !happened.crashed {
                broken.push(format!("(c) {reference} went past a table that works"));
            }
        } else if copy.certain && !world.returned.contains(&copy.email.message_id) {
            // What SES did not deliver is sent again, and counts as no copy.
            *certain.entry((reference, kind)).or_default() += 1;
        } else if sent.confirmed
            && !copy.certain
            && !happened.crashed
            && happened.table_faults == 0
            && is_settled(copy).is_none()
            && !world.may_be_withdrawn(reference)
        {
            broken.push(format!(
                "(c) the {kind} email of {reference} left and was not written down"
            ));
        }
    }
    for ((reference, kind), copies) in certain {
        if copies > 1 {
            broken.push(format!(
                "(c) {copies} copies of the {kind} email of {reference} left without a reason"
            ));
        }
    }
    for (invocation, copies) in fallback {
        if copies > 1 {
            broken.push(format!(
                "(c) {copies} emails went past the table in invocation #{invocation}"
            ));
        }
    }
    broken
}

/// Rule (d): at most one auto-reply for each enquiry, and for each person within the cool-down.
fn auto_replies(left: &[Left]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut by_reference: HashMap<&str, u32> = HashMap::new();
    let mut by_person: HashMap<String, Vec<Timestamp>> = HashMap::new();
    for left in left.iter().filter(|left| left.kind == "auto_reply") {
        *by_reference.entry(&left.reference).or_default() += 1;
        let person = EmailAddress::parse(&left.email.to[0]).unwrap().canonical();
        by_person.entry(person).or_default().push(left.at);
    }
    for (reference, times) in by_reference {
        if times > 1 {
            broken.push(format!("(d) {reference} was answered {times} times"));
        }
    }
    for (person, mut times) in by_person {
        times.sort_unstable();
        for pair in times.windows(2) {
            if pair[1].duration_since(pair[0]) < SignedDuration::from_hours(24) {
                broken.push(format!(
                    "(d) {person} was answered at {} and at {}",
                    pair[0], pair[1]
                ));
            }
        }
    }
    broken
}

/// A form that is posted again within 24 hours is the same enquiry.
fn items_of_one_form(world: &World, enquiries: &HashMap<&str, &Item>) -> Vec<String> {
    let mut broken = Vec::new();
    for name in NAMES {
        let mut times: Vec<Timestamp> = enquiries
            .values()
            .filter(|item| !world.may_have_been_withdrawn(text(item, "reference")))
            .filter(|item| {
                let enquiry = item["enquiry"].as_m().unwrap();
                enquiry["name"].as_s().unwrap() == name
            })
            .map(|item| text(item, "received_at").parse().unwrap())
            .collect();
        times.sort_unstable();
        let day = SignedDuration::from_hours(24) - SignedDuration::from_secs(60);
        for pair in times.windows(2) {
            if pair[1].duration_since(pair[0]) < day {
                broken.push(format!("one form of {name} is two enquiries"));
            }
        }
    }
    broken
}

fn left(world: &World, broken: &mut Vec<String>) -> Vec<Left> {
    let ledger = world.ledger.lock().unwrap();
    let mut left = Vec::new();
    for email in world.ses.mailbox().emails() {
        let Some(sent) = ledger.sent.get(&email.message_id) else {
            broken.push("the wire has missed an email".to_owned());
            continue;
        };
        let tags = email.tags();
        if people::is_own(tags["kind"]) {
            continue;
        }
        left.push(Left {
            reference: tags["reference"].to_owned(),
            // Past the table or not, it is the enquiry in the therapist's mailbox.
            kind: tags["kind"].replace("fallback", "therapist"),
            invocation: sent.invocation,
            at: sent.at,
            certain: sent.confirmed && sent.recorded,
            fallback: tags["kind"] == "fallback",
            sent: email.sent,
            email: Arc::clone(&email),
        });
    }
    left
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

/// Why the auto-reply failed, or was withheld.
pub fn reason(item: &Item) -> Option<&str> {
    let auto_reply = item["deliveries"].as_m().unwrap()["auto_reply"].as_m();
    Some(auto_reply.unwrap().get("reason")?.as_s().unwrap())
}

/// Where an email stands.
pub fn state<'a>(item: &'a Item, kind: &str) -> Option<&'a str> {
    let deliveries = item["deliveries"].as_m().unwrap();
    let state = deliveries.get(kind)?.as_m().unwrap()["state"].as_s();
    Some(state.unwrap())
}
