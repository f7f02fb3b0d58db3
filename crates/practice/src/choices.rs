//! The closed questions of the form: each answer is one of a few keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::messages::{choice, posted};

/// A question whose answers are known beforehand.
pub trait Choice: Copy + Eq + Sized + 'static {
    /// Every answer, in the order in which the form offers them.
    const ALL: &'static [Self];

    /// What is posted and stored.
    fn key(self) -> &'static str;

    /// What people read, on the form and in the emails.
    fn label(self) -> &'static str;

    /// The answer with this key, if there is one.
    fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|choice| choice.key() == key)
    }
}

/// What was posted is none of the answers that the form offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownChoice;

impl fmt::Display for UnknownChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(posted::NO_CHOICE)
    }
}

impl std::error::Error for UnknownChoice {}

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $key:literal, $label:path;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $key)] $variant,)+
        }

        impl $name {
            /// [`Choice::label`], for a constant.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }

        impl Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)+ }
            }

            fn label(self) -> &'static str {
                self.words()
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($key),+] })
            }
        }

        impl FromStr for $name {
            type Err = UnknownChoice;

            fn from_str(key: &str) -> Result<Self, UnknownChoice> {
                Self::from_key(key).ok_or(UnknownChoice)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.label())
            }
        }
    };
}

choice! {
    /// How the client would like to hear back.
    ContactBy {
        /// By e-mail: the default.
        Email = "email", choice::contact_by::EMAIL;
        /// By a phone call.
        Phone = "phone", choice::contact_by::PHONE;
        /// By a text message.
        Text = "text", choice::contact_by::TEXT;
    }
}

choice! {
    /// Where it hurts. A client may name several.
    Area {
        /// The lower back.
        LowerBack = "lower-back", choice::area::LOWER_BACK;
        /// The upper back.
        UpperBack = "upper-back", choice::area::UPPER_BACK;
        /// One shoulder or both.
        Shoulders = "shoulders", choice::area::SHOULDERS;
        /// The neck.
        Neck = "neck", choice::area::NECK;
        /// Anywhere else.
        Other = "other", choice::area::OTHER;
    }
}

choice! {
    /// What the client thinks is behind it.
    Cause {
        /// Emotional tension.
        Stress = "stress", choice::cause::STRESS;
        /// An injury, new or old.
        Injury = "injury", choice::cause::INJURY;
        /// Overuse.
        Overuse = "overuse", choice::cause::OVERUSE;
        /// Posture.
        Posture = "posture", choice::cause::POSTURE;
        /// The client cannot say.
        NotSure = "not-sure", choice::cause::NOT_SURE;
    }
}

choice! {
    /// What the client wants from the massage.
    Goal {
        /// Have pain or an injury treated.
        Treat = "treat", choice::goal::TREAT;
        /// Unwind.
        Relax = "relax", choice::goal::RELAX;
        /// The client cannot say.
        NotSure = "not-sure", choice::goal::NOT_SURE;
    }
}

/// What someone wants who has not said so.
impl Default for Goal {
    fn default() -> Self {
        Self::NotSure
    }
}

choice! {
    /// Whether the client was injured in the last 48 hours.
    RecentInjury {
        /// Injured in the last 48 hours.
        Yes = "yes", choice::recent_injury::YES;
        /// Not injured in the last 48 hours.
        No = "no", choice::recent_injury::NO;
    }
}

choice! {
    /// Whether warm stones appeal.
    Warmth {
        /// They do.
        Yes = "yes", choice::warmth::YES;
        /// They do not.
        No = "no", choice::warmth::NO;
        /// The client cannot say.
        NotSure = "not-sure", choice::warmth::NOT_SURE;
    }
}

choice! {
    /// What a question of the practice's own looks like, and what its answer is.
    QuestionKind {
        /// One line of text.
        Line = "line", choice::question_kind::LINE;
        /// Several lines of text.
        Text = "text", choice::question_kind::TEXT;
        /// One answer of several.
        OneOf = "one-of", choice::question_kind::ONE_OF;
        /// Any number of answers.
        SeveralOf = "several-of", choice::question_kind::SEVERAL_OF;
        /// Yes or no.
        YesNo = "yes-no", choice::question_kind::YES_NO;
    }
}

choice! {
    /// A part of the form, under a heading of its own.
    FormSection {
        /// Who asks, and how to reach them.
        You = "you", choice::form_section::YOU;
        /// What hurts.
        Body = "body", choice::form_section::BODY;
        /// Which treatment, and when.
        Visit = "visit", choice::form_section::VISIT;
    }
}

choice! {
    /// A question that every form can have and that a practice may leave out, by the name of its field.
    BuiltIn {
        /// The telephone number.
        Phone = "phone", choice::built_in::PHONE;
        /// How the client would like to hear back.
        ContactBy = "contact_by", choice::built_in::CONTACT_BY;
        /// Where it hurts.
        Area = "area", choice::built_in::AREA;
        /// What causes it.
        Cause = "cause", choice::built_in::CAUSE;
        /// What the client wants.
        Goal = "goal", choice::built_in::GOAL;
        /// Whether there is an injury younger than 48 hours.
        RecentInjury = "recent_injury", choice::built_in::RECENT_INJURY;
        /// Whether warm stones appeal.
        Warmth = "warmth", choice::built_in::WARMTH;
        /// A treatment that the client has in mind.
        Treatment = "treatment", choice::built_in::TREATMENT;
        /// When the client could come.
        Times = "times", choice::built_in::TIMES;
        /// Anything else.
        Message = "message", choice::built_in::MESSAGE;
    }
}
