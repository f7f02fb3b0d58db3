//! The forms that the clients fill in: each under a name of its own, so that an enquiry in the table says which form it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use testing::random::Random;

/// How the form reaches the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A browser without scripts.
    Page,
    /// The site's script.
    Script,
    /// A program.
    Program,
}

/// What is wrong with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Good,
    /// The consent is missing at first; then it is sent again.
    Fixed,
    /// It fills in the field that people never see: accepted, and never answered automatically.
    Honeypot,
    /// It stays as it is: this field is missing, wrong or unknown.
    Wrong(&'static str, &'static str),
}

/// A form as it was filled in.
#[derive(Debug, Clone)]
pub struct Form {
    pub name: String,
    pub kind: Kind,
    pub way: Way,
    /// How many times it is posted at the same moment.
    pub clicks: u64,
    /// Whether it is posted once more when all of these are answered.
    pub again: bool,
    fields: Vec<(&'static str, String)>,
}

/// The answers to the practice's own questions, by their fields.
pub type Own = BTreeMap<String, Vec<String>>;

impl Form {
    /// What it answers of the practice's own questions.
    pub fn own(&self) -> Own {
        let mut own = Own::new();
        for (name, value) in self
            .fields
            .iter()
            .filter(|(name, _)| name.starts_with("q_"))
        {
            let values = own.entry((*name).to_owned()).or_default();
            values.push(value.replace("\r\n", "\n"));
        }
        own
    }

    /// Whether the desk has to accept it.
    pub const fn is_valid(&self) -> bool {
        !matches!(self.kind, Kind::Wrong(..))
    }

    /// The headers and the body of a post; `before` it was fixed.
    pub fn post(&self, before: bool) -> (&'static str, String, Bytes) {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .filter(|(name, _)| !(before && *name == "consent"))
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        match self.way {
            Way::Page => (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "application/x-www-form-urlencoded".to_owned(),
                urlencoded(&fields).into(),
            ),
            Way::Script => {
                let boundary = "----soak-7c1f0d2e9b";
                (
                    "application/json",
                    format!("multipart/form-data; boundary={boundary}"),
                    multipart(&fields, boundary).into(),
                )
            }
            Way::Program => (
                "application/json",
                "application/json".to_owned(),
                object(&fields).to_string().into(),
            ),
        }
    }
}

/// Fills in so many forms. The same seed fills them in alike.
pub fn fill_in(count: u64, seed: u64) -> Arc<Vec<Form>> {
    let mut random = Random::new(seed);
    Arc::new(
        (0..count)
            .map(|number| fill_in_one(number, &mut random))
            .collect(),
    )
}

/// A clear enquiry of a client who asks for the first time, and posts once.
pub fn clear(number: u64, random: &mut Random) -> Form {
    let name = format!("Zoë O'Brien {number}");
    Form {
        fields: vec![
            ("name", name.clone()),
            ("email", format!("client.{number}@example.com")),
            ("phone", format!("07700 900{:03}", random.below(1000))),
            ("area", "neck".to_owned()),
            ("goal", (*random.pick(&["treat", "relax"])).to_owned()),
            (
                "message",
                "It began in spring.\r\nStairs are hard.".to_owned(),
            ),
            ("consent", "yes".to_owned()),
            ("submission", submission(random)),
        ],
        name,
        kind: Kind::Good,
        way: *random.pick(&[Way::Page, Way::Script, Way::Program]),
        clicks: 1,
        again: false,
    }
}

fn fill_in_one(number: u64, random: &mut Random) -> Form {
    let kind = match random.below(100) {
        0..6 => Kind::Fixed,
        6..9 => Kind::Honeypot,
        9..19 => *random.pick(&[
            Kind::Wrong("consent", ""),
            Kind::Wrong("email", "nobody"),
            Kind::Wrong("goal", "everything"),
            Kind::Wrong("submission", "not-an-id"),
            Kind::Wrong("warmth", "boiling"),
            Kind::Wrong("q_problem", ""),
            Kind::Wrong("q_sport", "everything"),
        ]),
        _ => Kind::Good,
    };
    let name = format!("Zoë O'Brien {number}");
    let email = match random.below(100) {
        // Some people ask more than once, and write their address in more than one way.
        0..10 => {
            let person = random.below(20);
            let typed = random.pick(&["Regular", "regular", "REGULAR"]);
            let tag = random.pick(&["", "+massage", "+2"]);
            format!("{typed}.{person}{tag}@example.com")
        }
        10 => format!("bounce+{number}@simulator.amazonses.com"),
        _ => format!("client.{number}@example.com"),
    };
    let mut fields = vec![
        ("name", name.clone()),
        ("email", email),
        ("goal", (*random.pick(&["treat", "relax"])).to_owned()),
        ("consent", "yes".to_owned()),
        ("submission", submission(random)),
    ];
    if random.percent(50) {
        fields.push(("phone", format!("07700 900{:03}", random.below(1000))));
        fields.push((
            "message",
            "It began in spring.\r\nStairs are hard.".to_owned(),
        ));
    }
    for area in ["lower-back", "neck"] {
        if random.percent(40) {
            fields.push(("area", area.to_owned()));
        }
    }
    // Those of the physiotherapist in tests/, each kind of them: the first two must be answered.
    fields.push(("q_problem", format!("Knee {number}.\r\nSince spring.")));
    fields.push((
        "q_sport",
        (*random.pick(&["none", "run", "swim"])).to_owned(),
    ));
    for (question, answer) in [
        ("q_referred_by", "Dr Example"),
        ("q_scans", "x-ray"),
        ("q_scans", "mri"),
        ("q_stairs", "no"),
        ("q_parking", "yes"),
    ] {
        if random.percent(40) {
            fields.push((question, answer.to_owned()));
        }
    }
    match kind {
        Kind::Honeypot => fields.push(("extra_detail", "https://example.com/".to_owned())),
        Kind::Wrong(wrong, value) => {
            fields.retain(|(name, _)| *name != wrong);
            if !value.is_empty() {
                fields.push((wrong, value.to_owned()));
            }
        }
        Kind::Good | Kind::Fixed => {}
    }
    Form {
        name,
        kind,
        way: *random.pick(&[Way::Page, Way::Script, Way::Program]),
        clicks: *random.pick(&[1, 1, 1, 1, 1, 1, 2, 2, 3, 5]),
        again: random.percent(15),
        fields,
    }
}

/// What a page or a script makes once for each form: a random UUID.
fn submission(random: &mut Random) -> String {
    let bytes: [u8; 16] = std::array::from_fn(|_| random.below(256) as u8);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn urlencoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

fn multipart(fields: &[(&str, &str)], boundary: &str) -> String {
    let mut body: String = fields
        .iter()
        .map(|(name, value)| {
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        })
        .collect();
    body.push_str(&format!("--{boundary}--\r\n"));
    body
}

fn object(fields: &[(&str, &str)]) -> Value {
    let mut object = json!({});
    for (name, value) in fields {
        if !["area", "q_scans"].contains(name) {
            object[*name] = json!(value);
            continue;
        }
        match &mut object[*name] {
            Value::Array(answers) => answers.push(json!(value)),
            empty => *empty = json!([value]),
        }
    }
    object
}
