//! A practice in the therapist's own words: `practice.toml` as types, which treatment to suggest, and by when an answer
//! can be expected.
//!
//! What was written comes as [`raw::Practice`], from a file or from the fields of a form; [`check`] makes a [`Practice`]
//! of it, or reports everything that is wrong. Nothing here knows AWS, HTTP or the time of day: the caller brings the
//! time along.

mod check;
pub mod choices;
mod content;
mod error;
mod guide;
mod hours;
/// The words of this crate that people read, from `templates/messages.toml`.
#[allow(clippy::useless_format, reason = "generated")]
mod messages {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));

    pub(crate) use self::practice::*;
}
mod question;
pub mod raw;
#[cfg(feature = "toml")]
mod reader;
#[cfg(test)]
#[path = "../tests/practice/main.rs"]
mod tests;
mod text;
mod when;
mod working_time;
mod zone;

pub use check::check;
pub use content::{
    Agreed, Consent, EarlierConsent, EmailTexts, Explain, Holiday, PhoneLine, Practice, Privacy,
    SocialPage, Span, Suspect, Treatment, TreatmentKey, WorkingHours,
};
pub use error::{PracticeError, PracticeErrors};
pub use guide::{Alternative, Suggested, Suggestion};
pub use hours::{WorkingDays, date_in_words, in_words};
pub use question::{NotAQuestionKey, Question, QuestionKey, QuestionOption};
pub use when::time_in_words;
pub use zone::Zone;
