//! What a person asked: the enquiry and its parts.
//!
//! An [`Enquiry`] can only be made from checked parts. It knows no AWS type, no HTTP type and no clock: the time at
//! which it was received is given to it.

pub mod answers;
mod email;
mod error;
mod field;
mod name;
mod personal;
mod phone;
mod reference;
pub mod text;
mod words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::practice::TreatmentKey;
use answers::{Area, Cause, ContactBy, Goal, RecentInjury, Warmth};

pub use email::EmailAddress;
pub use error::{Fault, Why};
pub use field::{Arity, Field};
pub use name::Name;
pub use phone::Phone;
pub use reference::{NotAReference, Reference};
pub use words::{Message, Times};

/// What a client told us, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enquiry {
    /// The client's name.
    pub name: Name,
    /// Where the reply goes.
    pub email: EmailAddress,
    /// The number to ring or text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// How the client would like to hear back.
    pub contact_by: ContactBy,
    /// The closed questions about the body and the massage.
    pub answers: Answers,
    /// When the client could come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The version of the consent's wording that the client agreed to.
    pub consent_version: String,
}

/// The closed answers: all that the auto-reply may know of an enquiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Where it hurts, in the order of the form, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub area: Vec<Area>,
    /// What is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What the client wants.
    pub goal: Goal,
    /// Whether there is an injury younger than 48 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent_injury: Option<RecentInjury>,
    /// Whether warm stones appeal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmth: Option<Warmth>,
    /// A treatment of the practice that the client named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<TreatmentKey>,
}

/// An enquiry that was accepted: with its reference and the time it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Its name.
    pub reference: Reference,
    /// When it was accepted, in UTC, to the second.
    pub received_at: Timestamp,
    /// What was asked.
    pub enquiry: Enquiry,
}
