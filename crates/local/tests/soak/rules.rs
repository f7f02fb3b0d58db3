//! The rules of docs/delivery.md, checked against what the clients were answered, what the table holds and what left.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use aws_emulator::dynamodb::{Dynamo, TableDefinition};
use aws_emulator::ses::Email;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::enquiry::EmailAddress;
use jiff::{SignedDuration, Timestamp};

use super::clients::{Answers, Clients};
use super::desk::{self, Crash};
use super::forms::{Form, Kind, Own};

type Item = HashMap<String, AttributeValue>;

/// How long after SES's answer a crash can still come before the outcome is written down: that is tried for as long as the
/// invocation lasts.
const NOT_WRITTEN_DOWN: SignedDuration = SignedDuration::from_secs(29);
/// How many emails to the therapist can be on their way at once: the stream sends one at a time, and so does the sweep.
const HANDS: usize = 2;

/// Everything that is known at the end.
#[derive(Clone)]
pub struct Ledger {
    pub answers: BTreeMap<String, Answers>,
    pub enquiries: Vec<Enquiry>,
    pub left: Vec<Left>,
    pub crashes: Vec<Crash>,
    /// How many batches of the stream went to the failure destination.
    pub given_up: usize,
}

/// An enquiry as the table holds it.
#[derive(Debug, Clone)]
pub struct Enquiry {
    pub reference: String,
    name: String,
    verdict: String,
    therapist: String,
    message_id: String,
    auto_reply: String,
    notice: String,
    pending: bool,
    expires: bool,
    own: Own,
}

/// An email that SES took.
#[derive(Debug, Clone)]
pub struct Left {
    reference: String,
    kind: String,
    message_id: String,
    person: String,
    at: Timestamp,
    answered: bool,
    /// It went past the table.
    fallback: bool,
}

/// Figures about the emails.
#[derive(Debug, Default)]
pub struct Counts {
    pub therapist: usize,
    pub extra: usize,
    pub lost: usize,
    pub fallback: usize,
    pub auto_replies: usize,
    pub withheld: usize,
    pub unknown: usize,
    pub notices: usize,
}

impl Ledger {
    /// Reads the folder of a process that is dead.
    pub async fn read(
        folder: &Path,
        clients: &Clients,
        forms: &[Form],
        crashes: Vec<Crash>,
    ) -> Self {
        // It is there already, so that its name says enough.
        let definition = TableDefinition {
            name: "enquiries".to_owned(),
            partition_key: "pk".to_owned(),
            expiry: None,
            indexes: Vec::new(),
        };
        let table = Dynamo::start(Some(&folder.join("table.sqlite")), &definition)
            .await
            .expect("the table opens");
        let items = scan(&table).await;
        table.stop().await;
        let states = items.iter().filter(|item| text(item, "kind") == "state");
        let states: HashMap<&str, &Item> = states.map(|item| (text(item, "pk"), item)).collect();
        let enquiries = items.iter().filter(|item| text(item, "kind") == "enquiry");
        let left = desk::emails(folder).into_iter().map(|file| {
            let email = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            Left::read(&email)
        });
        Self {
            answers: forms
                .iter()
                .map(|form| (form.name.clone(), clients.answers(&form.name)))
                .collect(),
            enquiries: enquiries
                .map(|item| {
                    let state = format!("state#{}", text(item, "reference"));
                    Enquiry::read(item, states[&*state])
                })
                .collect(),
            left: left.collect(),
            crashes,
            given_up: desk::failures(folder),
        }
    }

    /// How many forms were accepted.
    pub fn forms_accepted(&self) -> usize {
        let accepted = |answers: &&Answers| !answers.references.is_empty();
        self.answers.values().filter(accepted).count()
    }

    /// How many posts were answered with a reference that an earlier answer to the same form had named.
    pub fn repeats(&self) -> usize {
        let repeated = |answers: &Answers| {
            let distinct: HashSet<&String> = answers.references.iter().collect();
            answers.references.len() - distinct.len()
        };
        self.answers.values().map(repeated).sum()
    }

    /// How many forms were accepted and are in the mailbox only.
    pub fn fallback_only(&self) -> usize {
        let stored: HashSet<&str> = self.enquiries.iter().map(|e| e.name.as_str()).collect();
        self.answers
            .iter()
            .filter(|(name, answers)| {
                !answers.references.is_empty() && !stored.contains(name.as_str())
            })
            .count()
    }

    pub fn counts(&self) -> Counts {
        let of_kind = |kind: &str| {
            let kind = kind.to_owned();
            self.left
                .iter()
                .filter(move |left| left.kind == kind && !left.fallback)
        };
        let states = |state: &str| {
            let is_so = |e: &&Enquiry| e.auto_reply == state;
            self.enquiries.iter().filter(is_so).count()
        };
        let therapist = of_kind("therapist").count();
        let of: HashSet<&str> = of_kind("therapist").map(|l| l.reference.as_str()).collect();
        Counts {
            therapist,
            extra: therapist - of.len(),
            lost: self.left.iter().filter(|left| !left.answered).count(),
            fallback: self.left.iter().filter(|left| left.fallback).count(),
            auto_replies: of_kind("auto_reply").count(),
            withheld: states("withheld"),
            unknown: states("unknown"),
            notices: of_kind("notice").count(),
        }
    }

    fn of<'a>(&'a self, reference: &'a str, kind: &'a str) -> impl Iterator<Item = &'a Left> {
        self.left
            .iter()
            .filter(move |left| left.reference == reference && left.kind == kind && !left.fallback)
    }
}

/// Every rule that does not hold.
pub fn broken(forms: &[Form], ledger: &Ledger) -> Vec<String> {
    let mut broken = Vec::new();
    accepted(forms, ledger, &mut broken);
    delivered(ledger, &mut broken);
    copies(ledger, &mut broken);
    auto_replies(ledger, &mut broken);
    broken
}

/// Rule (a), and one enquiry for each accepted form, however often it was posted.
fn accepted(forms: &[Form], ledger: &Ledger, broken: &mut Vec<String>) {
    let fallback: HashSet<&str> = ledger
        .left
        .iter()
        .filter(|left| left.fallback)
        .map(|left| left.reference.as_str())
        .collect();
    let mut by_name: HashMap<&str, Vec<&Enquiry>> = HashMap::new();
    for enquiry in &ledger.enquiries {
        by_name.entry(&enquiry.name).or_default().push(enquiry);
    }
    let mut valid = 0;
    for form in forms {
        let answers = &ledger.answers[&form.name];
        let stored = by_name.remove(form.name.as_str()).unwrap_or_default();
        for strange in &answers.strange {
            broken.push(format!("{} was answered {strange}", form.name));
        }
        if !form.is_valid() {
            if !stored.is_empty() || !answers.references.is_empty() {
                broken.push(format!("{} is not valid and was accepted", form.name));
            }
            continue;
        }
        valid += 1;
        let fixed = usize::from(form.kind == Kind::Fixed);
        if answers.refused.len() > fixed || answers.refused.iter().any(|status| *status != 422) {
            broken.push(format!("{} was refused: {:?}", form.name, answers.refused));
        }
        if answers.references.is_empty() {
            broken.push(format!("{} was never accepted", form.name));
        }
        if stored.len() > 1 {
            broken.push(format!("{} is {} enquiries", form.name, stored.len()));
        }
        for reference in answers.references.iter().collect::<HashSet<_>>() {
            let in_table = stored.iter().any(|e| e.reference == *reference);
            if !in_table && !fallback.contains(reference.as_str()) {
                broken.push(format!("(a) {reference} was accepted and is lost"));
            }
        }
        if stored.iter().any(|e| e.own != form.own()) {
            broken.push(format!("(a) an answer of {} is lost", form.name));
        }
        if form.kind == Kind::Honeypot && stored.iter().any(|e| e.verdict != "suspect") {
            broken.push(format!("{} looks like spam and counts as clear", form.name));
        }
    }
    for name in by_name.keys() {
        broken.push(format!("{name} is in the table and was never posted"));
    }
    let (stored, fallback) = (ledger.enquiries.len(), ledger.fallback_only());
    if stored + fallback != valid {
        broken.push(format!(
            "{valid} forms are valid, {stored} enquiries are in the table and {fallback} in the mailbox only"
        ));
    }
}

/// Rule (b), and that the table says of each email what became of it.
fn delivered(ledger: &Ledger, broken: &mut Vec<String>) {
    for enquiry in &ledger.enquiries {
        let reference = enquiry.reference.as_str();
        // Fallback delivery counts: its email says everything, since the table seemed to be down.
        let mut emails = ledger
            .left
            .iter()
            .filter(|left| left.reference == reference && left.kind == "therapist")
            .peekable();
        if emails.peek().is_none() {
            broken.push(format!("(b) the therapist never heard of {reference}"));
        } else if !emails.any(|left| left.message_id == enquiry.message_id) {
            broken.push(format!("(b) the email that {reference} names never left"));
        }
        if !matches!(enquiry.therapist.as_str(), "sent" | "delivered") {
            let state = &enquiry.therapist;
            broken.push(format!(
                "(b) {reference} ends with the therapist's email {state:?}"
            ));
        }
        if enquiry.pending || !enquiry.expires {
            broken.push(format!("(b) {reference} is still pending or never expires"));
        }
        let notices = ledger.of(reference, "notice").count();
        if !matches!(enquiry.notice.as_str(), "" | "sent" | "delivered")
            || enquiry.notice.is_empty() != (notices == 0)
        {
            let state = &enquiry.notice;
            broken.push(format!(
                "(b) {reference} says {state:?} of {notices} notices"
            ));
        }
        let replies = ledger.of(reference, "auto_reply").count();
        let agrees = match enquiry.auto_reply.as_str() {
            "sent" | "delivered" | "bounced" | "complained" => replies == 1,
            "withheld" | "failed" => replies == 0,
            "unknown" => replies <= 1,
            _ => false,
        };
        if !agrees || (enquiry.verdict == "suspect" && replies > 0) {
            let state = &enquiry.auto_reply;
            broken.push(format!(
                "(d) {reference} says {state:?} of {replies} auto-replies"
            ));
        }
    }
    let stored: HashSet<&str> = ledger
        .enquiries
        .iter()
        .map(|e| e.reference.as_str())
        .collect();
    for left in ledger.left.iter().filter(|left| !left.fallback) {
        if !stored.contains(left.reference.as_str()) {
            let (kind, reference) = (&left.kind, &left.reference);
            broken.push(format!(
                "a {kind} email of {reference} left, which is no enquiry"
            ));
        }
    }
}

/// Rule (c): behind a copy there was another one only when its answer was lost, or when the process died before it could
/// write down what became of it. One death explains no more emails than were on their way.
fn copies(ledger: &Ledger, broken: &mut Vec<String>) {
    let mut copies: BTreeMap<(&str, &str), Vec<&Left>> = BTreeMap::new();
    for left in ledger.left.iter().filter(|left| !left.fallback) {
        let emails = copies.entry((&left.reference, &left.kind)).or_default();
        emails.push(left);
    }
    let mut explained = vec![0; ledger.crashes.len()];
    for ((reference, kind), mut copies) in copies {
        copies.sort_unstable_by_key(|left| left.at);
        for pair in copies.windows(2).filter(|pair| pair[0].answered) {
            let crash = ledger.crashes.iter().position(|crash| {
                pair[0].at <= crash.not_after
                    && crash.not_before <= pair[1].at
                    && crash.not_after.duration_since(pair[0].at) < NOT_WRITTEN_DOWN
            });
            match crash {
                Some(crash) => explained[crash] += usize::from(kind == "therapist"),
                None => broken.push(format!(
                    "(c) another {kind} email of {reference} left without a reason"
                )),
            }
        }
    }
    for (crash, emails) in explained.into_iter().enumerate() {
        if emails > HANDS {
            let number = crash + 1;
            broken.push(format!(
                "(c) {emails} emails left twice over crash {number}"
            ));
        }
    }
}

/// Rule (d): one auto-reply for each person, whatever they wrote and however they spell their address. No run is as long as
/// the cool-down.
fn auto_replies(ledger: &Ledger, broken: &mut Vec<String>) {
    let mut people: BTreeMap<&str, usize> = BTreeMap::new();
    for left in ledger.left.iter().filter(|left| left.kind == "auto_reply") {
        *people.entry(&left.person).or_default() += 1;
    }
    for (person, replies) in people.into_iter().filter(|(_, replies)| *replies > 1) {
        broken.push(format!("(d) {person} was answered {replies} times"));
    }
}

/// Shows that the rules can fail: what is spoilt in a sound ledger has to be found.
pub fn blind_spots(forms: &[Form], sound: &Ledger) -> Vec<String> {
    let position = |kind: &str, nth: usize| {
        let fits =
            |(_, left): &(usize, &Left)| left.kind == kind && left.answered && !left.fallback;
        let places: Vec<usize> = sound
            .left
            .iter()
            .enumerate()
            .filter(fits)
            .map(|(i, _)| i)
            .collect();
        (!places.is_empty()).then(|| places[nth.min(places.len() - 1)])
    };
    let therapist = position("therapist", usize::MAX);
    let reply = position("auto_reply", usize::MAX);
    let first_reply = position("auto_reply", 0).filter(|first| Some(*first) != reply);
    type Spoil<'a> = (&'a str, Box<dyn Fn(&mut Ledger) + 'a>);
    let mut spoilt: Vec<Spoil<'_>> = Vec::new();
    if !sound.enquiries.is_empty() {
        spoilt.push(("an enquiry is gone", Box::new(|l| drop(l.enquiries.pop()))));
        spoilt.push((
            "an answer to a question of the practice's own is lost",
            Box::new(|l| drop(l.enquiries[0].own.pop_first())),
        ));
        spoilt.push((
            "a form is stored twice",
            Box::new(|l| {
                let mut twin = l.enquiries[0].clone();
                for left in l
                    .left
                    .clone()
                    .iter_mut()
                    .filter(|left| left.reference == twin.reference)
                {
                    left.reference = "BB-00000".to_owned();
                    left.person.push('2');
                    l.left.push(left.clone());
                }
                twin.reference = "BB-00000".to_owned();
                l.enquiries.push(twin);
            }),
        ));
    }
    if let Some(place) = therapist {
        spoilt.push((
            "an email never left",
            Box::new(move |l| {
                let reference = l.left[place].reference.clone();
                l.left
                    .retain(|left| left.reference != reference || left.kind != "therapist");
            }),
        ));
        spoilt.push((
            "an email left twice",
            Box::new(move |l| {
                let mut twin = l.left[place].clone();
                twin.at += SignedDuration::from_micros(1);
                l.left.push(twin);
            }),
        ));
        spoilt.push((
            "an email stays pending",
            Box::new(|l| l.enquiries[0].pending = true),
        ));
    }
    if let Some(place) = reply {
        spoilt.push((
            "an auto-reply left twice",
            Box::new(move |l| {
                let mut twin = l.left[place].clone();
                twin.person.push('2');
                l.left.push(twin);
            }),
        ));
    }
    if let (Some(first), Some(last)) = (first_reply, reply) {
        spoilt.push((
            "a person is answered twice",
            Box::new(move |l| {
                l.left[first].person = l.left[last].person.clone();
            }),
        ));
    }
    if let Some(form) = forms.iter().find(|form| form.is_valid()) {
        spoilt.push((
            "an accepted reference is nowhere",
            Box::new(|l| {
                let answers = l.answers.get_mut(&form.name).unwrap();
                answers.references.push("BB-ZZZZZ".to_owned());
            }),
        ));
    }
    spoilt
        .into_iter()
        .filter(|(_, spoil)| {
            let mut ledger = sound.clone();
            spoil(&mut ledger);
            broken(forms, &ledger).is_empty()
        })
        .map(|(what, _)| format!("the rules do not see it when {what}"))
        .collect()
}

impl Enquiry {
    fn read(item: &Item, its_state: &Item) -> Self {
        let deliveries = its_state["deliveries"].as_m().unwrap();
        let of = |kind: &str, what: &str| {
            let state = deliveries.get(kind).map(|state| state.as_m().unwrap());
            state.map_or(String::new(), |state| optional(state, what))
        };
        Self {
            reference: text(item, "reference").to_owned(),
            name: text(item["enquiry"].as_m().unwrap(), "name").to_owned(),
            verdict: text(its_state, "verdict").to_owned(),
            therapist: of("therapist", "state"),
            message_id: of("therapist", "message_id"),
            auto_reply: of("auto_reply", "state"),
            notice: of("notice", "state"),
            pending: its_state.contains_key("pending"),
            expires: item.contains_key("expires"),
            own: own(item["enquiry"].as_m().unwrap()),
        }
    }
}

/// The answers to the practice's own questions, as they were posted.
fn own(enquiry: &Item) -> Own {
    let answers = enquiry.get("own").map(|own| own.as_l().unwrap());
    let answers = answers.into_iter().flatten().map(|it| it.as_m().unwrap());
    let said = |answer: &Item| {
        let said = answer["said"].as_m().unwrap();
        match said.get("typed") {
            Some(typed) => vec![typed.as_s().unwrap().clone()],
            None => {
                let chosen = said["chosen"].as_l().unwrap().iter();
                let chosen = chosen.map(|it| text(it.as_m().unwrap(), "value").to_owned());
                chosen.collect()
            }
        }
    };
    answers
        .map(|it| (text(it, "key").to_owned(), said(it)))
        .collect()
}

impl Left {
    fn read(email: &Email) -> Self {
        let tags = email.tags();
        let words = email.text.as_deref().unwrap_or_default();
        Self {
            reference: tags["reference"].to_owned(),
            kind: tags["kind"].to_owned(),
            message_id: email.message_id.clone(),
            person: EmailAddress::parse(&email.to[0]).unwrap().canonical(),
            at: email.at,
            answered: email.answered,
            fallback: words.contains("could not be stored"),
        }
    }
}

async fn scan(table: &Dynamo) -> Vec<Item> {
    let mut items = Vec::new();
    let mut from = None;
    loop {
        let page = table
            .client()
            .scan()
            .table_name(table.table())
            .set_exclusive_start_key(from)
            .send()
            .await
            .expect("the table can be read");
        from = page.last_evaluated_key;
        items.extend(page.items.unwrap_or_default());
        if from.is_none() {
            return items;
        }
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

fn optional(item: &Item, name: &str) -> String {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.cloned().unwrap_or_default()
}
