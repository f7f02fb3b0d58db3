//! What an enquiry looks like: a person's, or a program's. One table of signals with their weights.
//!
//! A verdict never throws anything away: what is suspect is stored, shown to the therapist with the reasons, and gets no
//! auto-reply. Nothing is looked up for it, so that the client waits for the accepting write only; how much one source
//! has sent is a condition of that very write.

mod lists;
#[rustfmt::skip]
mod model;
mod score;
mod shape;
mod text;

use serde::{Deserialize, Serialize};

use crate::enquiry::{Enquiry, OwnAnswer};
use crate::form_token::TimeToken;
use crate::messages;
use crate::practice::Practice;
use crate::proof_of_work::ProofOfWork;
use score::Reason;
use text::{Searchable, Typed};

/// From this weight on an enquiry is suspect.
pub const SUSPECT: u8 = 4;

/// What the signals add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing speaks against it, or too little.
    Clear,
    /// It looks like spam: kept for a short time, marked, never answered automatically.
    Suspect,
}

impl Verdict {
    /// Its name in the table, in logs and in exports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Suspect => "suspect",
        }
    }
}

/// What the therapist has said about a sender: a keyed hash of an address or of a number stands for them.
/// Where both are said, of an address and of a number, the later one here counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderRule {
    /// What comes from them is a real enquiry, however it reads.
    Trusted,
    /// What comes from them is spam.
    Blocked,
}

impl SenderRule {
    /// Its name in the table, in commands and in forms.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Trusted => "trusted",
        }
    }

    /// The rule of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Blocked, Self::Trusted]
            .into_iter()
            .find(|rule| rule.key() == key)
    }
}

macro_rules! signals {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $weight:literal, $words:ident;)+) => {
        /// Something about an enquiry that speaks for a program or an advertiser, by its code. The codes are stored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum Signal { $($(#[$meta])* #[serde(rename = $code)] $name,)+ }

        impl Signal {
            /// Every signal.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name in logs and in the table.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The signal of this code, if there is one.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|signal| signal.code() == code)
            }

            /// How much it counts; [`SUSPECT`] or more is enough alone.
            #[must_use]
            pub const fn weight(self) -> u8 {
                match self { $(Self::$name => $weight,)+ }
            }

            /// What the therapist reads: the end of a sentence that begins with "This looks like spam, because it".
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => messages::spam::reason::$words,)+ }
            }
        }
    };
}

signals! {
    /// The trap has something in it.
    Honeypot = "honeypot", 4, HONEYPOT;
    /// The form came back sooner than a person can fill it in, by its signed time.
    TooFast = "too_fast", 4, TOO_FAST;
    /// A proof of work was asked for and is missing, wrong, expired or was used before.
    Proof = "proof", 4, PROOF;
    /// A word of the practice's list.
    ListedWord = "listed_word", 4, LISTED_WORD;
    /// A sender of the practice's list.
    ListedSender = "listed_sender", 4, LISTED_SENDER;
    /// A sender whom the therapist has blocked.
    BlockedSender = "blocked_sender", 4, BLOCKED_SENDER;
    /// The address is at a service for addresses that last minutes.
    ThrowAway = "throw_away", 2, THROW_AWAY;
    /// Its signed time is none of ours.
    ForgedToken = "forged_token", 2, FORGED_TOKEN;
    /// Its signed time is too old to say anything: a page that was left open, or a token that is kept for use.
    ExpiredToken = "expired_token", 1, EXPIRED_TOKEN;
    /// It asks for something sexual.
    Unwanted = "unwanted", 4, UNWANTED;
    /// The text's evidence adds up to a pitch. What weighed most in it follows.
    Text = "text", 4, TEXT;
    /// Reason: speaks of the practice's website, or offers software.
    Web = "offers_websites", 0, WEB;
    /// Reason: rankings, visitors, customers, articles.
    Reach = "offers_reach", 0, REACH;
    /// Reason: speaks of businesses, staff and costs.
    Business = "to_a_business", 0, BUSINESS;
    /// Reason: the words of salespeople.
    Offer = "sales_talk", 0, OFFER;
    /// Reason: loans, investments, prizes, gambling, pills.
    Money = "about_money", 0, MONEY;
    /// Reason: a payment to take and to pass on, for a driver or an agent, as overpayment frauds have it.
    Middleman = "passes_money_on", 0, MIDDLEMAN;
    /// Reason: accounts to confirm, invoices to pay, files to open.
    Phishing = "asks_to_act", 0, PHISHING;
    /// Reason: says how to get no more of them.
    OptOut = "opt_out", 0, OPT_OUT;
    /// Reason: "Dear business owner".
    Greeting = "to_no_one", 0, GREETING;
    /// Reason: links to sites that clients do not link to, or one for a name.
    Links = "links", 0, LINKS;
    /// Reason: HTML or forum code.
    Markup = "markup", 0, MARKUP;
    /// Reason: a text of some length without a word of the body, of pain or of massage.
    OffTopic = "nothing_of_the_body", 0, OFF_TOPIC;
    /// Reason: letters as a program generates them.
    Gibberish = "gibberish", 0, GIBBERISH;
}

impl Signal {
    /// Whether it tells how the form was sent, not what was typed.
    const fn is_of_a_program(self) -> bool {
        matches!(
            self,
            Self::Honeypot | Self::TooFast | Self::Proof | Self::ForgedToken | Self::ExpiredToken
        )
    }
}

/// What was noticed about an enquiry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// The signals, in the order of the table.
    pub signals: Vec<Signal>,
}

impl Score {
    /// What the signals add up to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let weight: u32 = self
            .signals
            .iter()
            .map(|signal| u32::from(signal.weight()))
            .sum();
        if weight >= u32::from(SUSPECT) {
            Verdict::Suspect
        } else {
            Verdict::Clear
        }
    }

    /// The same with what the therapist has said about the sender. Of one whom she trusts only that counts which a program
    /// does: a stranger who knows the address can type it in.
    #[must_use]
    pub fn with_sender(mut self, rule: Option<SenderRule>) -> Self {
        match rule {
            None => {}
            Some(SenderRule::Blocked) => self.signals.push(Signal::BlockedSender),
            Some(SenderRule::Trusted) => self.signals.retain(|signal| signal.is_of_a_program()),
        }
        self
    }

    /// The signals' codes, for the log.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static str> {
        self.signals.iter().map(|signal| signal.code()).collect()
    }
}

/// Scores a post that was found in order.
#[must_use]
pub fn score(
    enquiry: &Enquiry,
    practice: &Practice,
    honeypot_filled: bool,
    token: TimeToken,
    proof: ProofOfWork,
) -> Score {
    let times = enquiry.times.as_ref().map(|it| it.as_str());
    let mut beside: Vec<&str> = times
        .into_iter()
        .chain(enquiry.own.iter().filter_map(OwnAnswer::typed))
        .collect();
    let message = enquiry.message.as_ref().map(|it| it.as_str());
    let (body, below) = shape::split_signature(message.unwrap_or_else(|| longest(&mut beside)));
    let answers = &enquiry.answers;
    let typed = Typed {
        name: enquiry.name.as_str(),
        beside,
        body,
        below,
        domain: enquiry.email.domain(),
        ticked: !answers.area.is_empty() || answers.cause.is_some(),
        phone: enquiry.phone.is_some(),
    };
    let searchable = Searchable::of(&typed);
    let text = score::score(&typed, &searchable);
    let words = &practice.suspect.words;
    // What weighed most in a pitch: said beside the signal `Text`, and never without it.
    let told = |reason| text.is_pitch() && text.tells(reason);

    let noticed = [
        (Signal::Honeypot, honeypot_filled),
        (Signal::TooFast, token == TimeToken::TooFast),
        (
            Signal::Proof,
            !matches!(proof, ProofOfWork::NotAsked | ProofOfWork::Proven),
        ),
        (
            Signal::ListedWord,
            words.iter().any(|word| searchable.has(word)),
        ),
        (Signal::ListedSender, is_listed_sender(enquiry, practice)),
        (Signal::ThrowAway, is_throw_away(enquiry.email.domain())),
        (Signal::ForgedToken, token == TimeToken::Forged),
        (Signal::ExpiredToken, token == TimeToken::Expired),
        (Signal::Unwanted, text.is_unwanted()),
        (Signal::Text, text.is_pitch()),
        (Signal::Web, told(Reason::Web)),
        (Signal::Reach, told(Reason::Reach)),
        (Signal::Business, told(Reason::Business)),
        (Signal::Offer, told(Reason::Offer)),
        (Signal::Money, told(Reason::Money)),
        (Signal::Middleman, told(Reason::Middleman)),
        (Signal::Phishing, told(Reason::Phishing)),
        (Signal::OptOut, told(Reason::OptOut)),
        (Signal::Greeting, told(Reason::Greeting)),
        (Signal::Links, told(Reason::Links)),
        (Signal::Markup, told(Reason::Markup)),
        (Signal::OffTopic, told(Reason::Body)),
        (Signal::Gibberish, told(Reason::Program)),
    ];
    Score {
        signals: noticed
            .into_iter()
            .filter_map(|(signal, seen)| seen.then_some(signal))
            .collect(),
    }
}

/// The longest of these texts, which stands for the message where there is none: not every form asks for one.
fn longest<'a>(texts: &mut Vec<&'a str>) -> &'a str {
    let longest = (0..texts.len()).max_by_key(|at| texts.get(*at).map_or(0, |text| text.len()));
    longest.map_or("", |at| texts.remove(at))
}

/// An address of the list in any spelling that reaches the same mailbox, or any address at a listed domain or below it.
fn is_listed_sender(enquiry: &Enquiry, practice: &Practice) -> bool {
    let email = &enquiry.email;
    practice
        .suspect
        .senders
        .iter()
        .any(|listed| match listed.strip_prefix('@') {
            Some(domain) => is_at(email.domain(), domain),
            None => crate::enquiry::EmailAddress::parse(listed)
                .is_ok_and(|listed| listed.canonical() == email.canonical()),
        })
}

fn is_throw_away(domain: &str) -> bool {
    lists::THROW_AWAY.iter().any(|listed| is_at(domain, listed))
}

/// Whether this is the domain, or one below it.
fn is_at(domain: &str, listed: &str) -> bool {
    domain
        .strip_suffix(listed)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}
