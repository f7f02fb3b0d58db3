//! What people do meanwhile: the therapist marks, notes, judges and blocks, and the client withdraws, keeps or disowns an
//! enquiry on their own page; and the rules about it. Its randomness is its own, so that it shifts nothing of the rest.

use std::collections::{HashMap, HashSet};

use enquiry_desk::enquiry::{EmailAddress, Reference};
use enquiry_desk::keys::Keys;
use enquiry_desk::link::Links;
use enquiry_desk::mail_state::EmailKind;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::post_event;
use super::schedule::World;
use crate::support::emulated::HASH_KEY;
use crate::support::urlencoded;

/// How long a withdrawn enquiry can be kept.
const GRACE: SignedDuration = SignedDuration::from_hours(24);
/// By how much two clocks may disagree.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// Whether an email of this kind is one of its own, to the therapist.
pub fn is_own(kind: &str) -> bool {
    EmailKind::from_key(kind).is_some_and(EmailKind::is_own)
}

/// What a person does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A command about an enquiry.
    Command(Value),
    /// A button of the client's own page: `withdraw`, `keep` or `disown`.
    Mine(String, &'static str),
}

/// What is certain to be in force, and about what: an enquiry or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Marked,
    Blocked,
    Withdrawn,
    Disowned,
}

/// A fact, since the answer that said so, and until something was begun that may have ended it.
#[derive(Debug)]
struct Known {
    fact: Fact,
    about: String,
    since: Timestamp,
    until: Option<Timestamp>,
}

/// What people have done in a schedule.
#[derive(Debug, Default)]
pub struct People {
    known: Vec<Known>,
    /// The enquiries that a person has called no spam.
    released: Vec<String>,
    /// Since when an enquiry may be withdrawn: from the first press on.
    pub withdrawals: HashMap<String, Timestamp>,
    /// Which of them are gone.
    gone: Vec<String>,
    /// Each that was ever withdrawn, also one that was kept: its form, posted again meanwhile, is another enquiry.
    once_withdrawn: HashSet<String>,
}

impl Known {
    fn holds(&self, fact: Fact, about: &str, from: Timestamp, to: Timestamp) -> bool {
        self.fact == fact
            && self.about == about
            && self.since < from
            && self.until.is_none_or(|until| to < until)
    }
}

impl People {
    fn holds(&self, fact: Fact, about: &str, from: Timestamp, to: Timestamp) -> bool {
        let mut known = self.known.iter();
        known.any(|known| known.holds(fact, about, from, to))
    }

    fn open(&mut self, fact: Fact, about: &str, since: Timestamp, until: Option<Timestamp>) {
        self.known.push(Known {
            fact,
            about: about.to_owned(),
            since,
            until,
        });
    }

    fn close(&mut self, fact: Fact, about: &str, now: Timestamp) {
        for known in &mut self.known {
            if known.fact == fact && known.about == about {
                known.until = Some(known.until.map_or(now, |until| until.min(now)));
            }
        }
    }

    /// Before a release is begun.
    pub fn releases(&mut self, reference: &str) {
        self.released.push(reference.to_owned());
    }
}

impl Act {
    pub fn name(&self) -> String {
        match self {
            Self::Command(command) => command.to_string(),
            Self::Mine(reference, action) => format!("{action} {reference}"),
        }
    }

    fn reference(&self) -> Option<&str> {
        match self {
            Self::Command(command) => command["reference"].as_str(),
            Self::Mine(reference, _) => Some(reference),
        }
    }

    /// The event that carries it.
    pub fn event(&self) -> Value {
        let (reference, action) = match self {
            Self::Command(command) => return command.clone(),
            Self::Mine(reference, action) => (reference, *action),
        };
        let keys = Keys::from_secret(HASH_KEY);
        let base = "http://127.0.0.1:1";
        let therapist = EmailAddress::parse("therapist@example.com").unwrap();
        let links = Links::new(Some(base), keys.as_ref(), &therapist).unwrap();
        let link = links.mine(&Reference::parse(reference).unwrap());
        let (path, signature) = link.strip_prefix(base).unwrap().split_once("?s=").unwrap();
        let mut event = post_event(&json!({}));
        event["rawPath"] = path.into();
        event["requestContext"]["http"]["path"] = path.into();
        event["headers"]["accept"] = "text/html".into();
        event["headers"]["content-type"] = "application/x-www-form-urlencoded".into();
        event["headers"]["origin"] = base.into();
        event["body"] = urlencoded(&[("s", signature), ("do", action), ("sure", "yes")]).into();
        event
    }
}

impl World {
    /// What a person does at this moment, sometimes.
    pub fn act(&mut self) -> Option<Act> {
        if self.accepted.is_empty() || !self.people_random.percent(40) {
            return None;
        }
        let random = &mut self.people_random;
        let place = random.below(self.accepted.len() as u64) as usize;
        let reference = self.accepted[place].reference.clone();
        let long = "Knee, both sides. ".repeat(80);
        let note = *random.pick(&["", "Rang back.", &long]);
        let about = |command: &str| json!({ "command": command, "reference": reference });
        Some(match random.below(16) {
            0..=2 => {
                let mut mark = about("mark");
                mark["as"] = (*random.pick(&["answered", "booked", "declined", "waiting"])).into();
                Act::Command(mark)
            }
            3 | 4 => {
                let mut command = about("note");
                command["text"] = note.into();
                Act::Command(command)
            }
            5 => Act::Command(about("spam")),
            6 | 7 => Act::Command(about("block")),
            8 => Act::Command(about("trust")),
            9 => Act::Command(about("unblock")),
            10 | 11 => Act::Command(json!({ "command": "remind" })),
            12 | 13 => Act::Mine(reference, "withdraw"),
            14 => Act::Mine(reference, "keep"),
            _ => Act::Mine(reference, "disown"),
        })
    }

    /// The person who has sent an enquiry.
    fn person(&self, reference: &str) -> Option<String> {
        let mut accepted = self.accepted.iter();
        let accepted = accepted.find(|accepted| accepted.reference == reference)?;
        let address = self.forms[accepted.form]["email"].as_str()?;
        Some(EmailAddress::parse(address).unwrap().canonical().to_owned())
    }

    /// Before it is begun: what it may end is not certain any more.
    pub fn begins(&mut self, act: &Act) {
        let Some(reference) = act.reference() else {
            return;
        };
        let person = self.person(reference).unwrap_or_default();
        // One that went past the table never was in it.
        let was_stored = self.received_at(reference).is_some();
        let now = self.now;
        let people = &mut self.people;
        match act {
            Act::Command(command) => match command["command"].as_str().unwrap() {
                "mark" => people.close(Fact::Marked, reference, now),
                "trust" | "unblock" => people.close(Fact::Blocked, &person, now),
                _ => {}
            },
            Act::Mine(_, "keep") => people.close(Fact::Withdrawn, reference, now),
            Act::Mine(_, "withdraw") if was_stored => {
                people.once_withdrawn.insert(reference.to_owned());
                let began = people.withdrawals.entry(reference.to_owned());
                began.or_insert(now);
            }
            Act::Mine(..) => {}
        }
    }

    /// It was answered: what it did is certain from now on.
    pub fn has_acted(&mut self, act: &Act, answer: &Value) {
        let Some(reference) = act.reference() else {
            return;
        };
        let person = self.person(reference).unwrap_or_default();
        let now = self.now;
        let kept = SignedDuration::from_hours(24) * i32::from(self.retention_days());
        let people = &mut self.people;
        match act {
            Act::Command(command) => match command["command"].as_str().unwrap() {
                "mark" if command["as"] != "waiting" => {
                    people.open(Fact::Marked, reference, now, None);
                }
                "block" => people.open(Fact::Blocked, &person, now, Some(now + kept - SKEW)),
                _ => {}
            },
            Act::Mine(..) if answer["statusCode"] != 200 => {}
            Act::Mine(_, "withdraw") => people.open(Fact::Withdrawn, reference, now, None),
            Act::Mine(_, "keep") => {
                people.withdrawals.remove(reference);
            }
            Act::Mine(..) => people.open(Fact::Disowned, &person, now, Some(now + kept - SKEW)),
        }
    }

    /// An enquiry that was withdrawn is not erased before its time.
    pub async fn look_for_the_gone(&mut self) {
        if self.people.withdrawals.is_empty() {
            return;
        }
        let items = self.items().await;
        let is_there = |reference: &str| {
            let key = format!("enquiry#{reference}");
            items.iter().any(|item| *item["pk"].as_s().unwrap() == key)
        };
        let mut gone = Vec::new();
        for (reference, since) in &self.people.withdrawals {
            if is_there(reference) || self.people.gone.contains(reference) {
                continue;
            }
            let after = self.now.duration_since(*since);
            if after < GRACE - SKEW && !self.deleted.contains(reference) {
                self.broken.push(format!(
                    "(w) {reference} is gone {after:#} after it was withdrawn"
                ));
            }
            gone.push(reference.clone());
        }
        self.people.gone.extend(gone);
    }

    /// Whether the client may have withdrawn it: then it may be gone.
    pub fn may_be_withdrawn(&self, reference: &str) -> bool {
        self.people.withdrawals.contains_key(reference)
    }

    /// Whether the client may ever have withdrawn it: then the same form is a new enquiry.
    pub fn may_have_been_withdrawn(&self, reference: &str) -> bool {
        self.people.once_withdrawn.contains(reference)
    }

    /// Whether one of the withdrawn enquiries is still to be erased.
    pub async fn awaits_erasure(&self) -> bool {
        let mut items = self.items().await.into_iter();
        items.any(|item| item.contains_key("withdrawn"))
    }
}

/// Every rule about people that does not hold.
pub async fn broken(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    let people = &world.people;
    let ledger = world.ledger.lock().unwrap().sent.clone();
    for email in world.ses.mailbox().emails() {
        let Some(sent) = ledger.get(&email.message_id) else {
            continue;
        };
        let (tags, at) = (email.tags(), sent.at);
        let kind = tags["kind"];
        let text = email.text.as_deref().unwrap_or_default();
        for accepted in &world.accepted {
            let reference = &accepted.reference;
            if ["reminder", "morning_list"].contains(&kind)
                && text.contains(reference.as_str())
                && people.holds(Fact::Marked, reference, at, at)
            {
                broken.push(format!(
                    "(m) the {kind} of {at} has {reference}, which is marked"
                ));
            }
        }
        let Some(reference) = tags.get("reference").filter(|_| kind != "fallback") else {
            continue;
        };
        if people.holds(Fact::Withdrawn, reference, at, at) {
            broken.push(format!(
                "(w) the {kind} email of {reference} left at {at}, after it was withdrawn"
            ));
        }
        if kind != "auto_reply" {
            continue;
        }
        let person = EmailAddress::parse(&email.to[0])
            .unwrap()
            .canonical()
            .to_owned();
        if people.holds(Fact::Disowned, &person, at, at) {
            broken.push(format!(
                "(d) {person} was answered at {at} and had disowned an enquiry"
            ));
        }
        // By the clock of the machine that stored it, whether or not the client was told.
        let Some(came) = world.received_at(reference).map(|at| at - SKEW) else {
            continue;
        };
        let is_released = people.released.iter().any(|it| it == reference);
        if people.holds(Fact::Blocked, &person, came, at) && !is_released {
            broken.push(format!(
                "(d) {reference} came at {came} from a blocked sender and was answered at {at}"
            ));
        }
    }
    for accepted in &world.accepted {
        let reference = &accepted.reference;
        if people.holds(Fact::Withdrawn, reference, accepted.truly, accepted.truly) {
            broken.push(format!(
                "(a) a post was answered with {reference}, which had been withdrawn"
            ));
        }
    }
    let items = world.items().await;
    for item in &items {
        let key = item["pk"].as_s().unwrap();
        let (kind, name) = key.split_once('#').unwrap_or_default();
        // What was typed, or the note, may be left without the state that knows it.
        let is_withdrawn = ["enquiry", "annex"].contains(&kind)
            && people.holds(Fact::Withdrawn, name, world.now, world.now);
        if (item.contains_key("withdrawn") || is_withdrawn) && !world.deleted.contains(name) {
            broken.push(format!("(w) {key} was withdrawn and not erased"));
        }
    }
    for reference in &people.gone {
        if world.deleted.contains(reference) {
            continue;
        }
        for item in &items {
            // What tells the therapist of it names it, for a week.
            let is_told = item["kind"].as_s().unwrap() == "email";
            if !is_told && format!("{item:?}").contains(reference.as_str()) {
                let key = item["pk"].as_s().unwrap();
                broken.push(format!(
                    "(w) {reference} is erased, and {key} still names it"
                ));
            }
        }
        let tells = |email: &aws_emulator::ses::Email| {
            email.tags()["kind"] == "withdrawn" && email.subject.contains(reference.as_str())
        };
        let emails = world.ses.mailbox().emails();
        // SES may refuse every email for hours; then an alarm has told.
        let is_refused = world
            .lines
            .iter()
            .any(|line| line["alarm"] == "email_refused" && line["kind"] == "withdrawn");
        if !is_refused && !emails.iter().any(|email| tells(email)) {
            broken.push(format!(
                "(w) the therapist was not told that {reference} is withdrawn"
            ));
        }
    }
    broken
}
