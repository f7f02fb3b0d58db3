//! The closed questions of the form: each answer is one of a few keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A question whose answers are known beforehand.
pub trait Choice: Copy + Eq + Sized + 'static {
    /// Every answer, in the order in which the form offers them.
    const ALL: &'static [Self];

    /// What is posted and stored.
    fn key(self) -> &'static str;

    /// What people read, on the form and in the mails.
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
        f.write_str("none of the answers that the form offers")
    }
}

impl std::error::Error for UnknownChoice {}

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $key:literal, $label:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $key)] $variant,)+
        }

        impl Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)+ }
            }

            fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }

        #[cfg(feature = "schema")]
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
        Email = "email", "Email";
        /// By a phone call.
        Phone = "phone", "Phone call";
        /// By a text message.
        Text = "text", "Text message";
    }
}

choice! {
    /// Where it hurts. A client may name several.
    Area {
        /// The lower back.
        LowerBack = "lower-back", "Lower back";
        /// The upper back.
        UpperBack = "upper-back", "Upper back";
        /// One shoulder or both.
        Shoulders = "shoulders", "Shoulders";
        /// The neck.
        Neck = "neck", "Neck";
        /// Anywhere else.
        Other = "other", "Somewhere else";
    }
}

choice! {
    /// What the client thinks is behind it.
    Cause {
        /// Emotional tension.
        Stress = "stress", "Stress or worry";
        /// An injury, new or old.
        Injury = "injury", "An injury, new or old";
        /// Overuse.
        Overuse = "overuse", "Doing too much, or the same movement too often";
        /// Posture.
        Posture = "posture", "Posture, or sitting at a desk";
        /// The client cannot say.
        NotSure = "not-sure", "I’m not sure";
    }
}

choice! {
    /// What the client wants from the massage.
    Goal {
        /// Have pain or an injury treated.
        Treat = "treat", "Treat pain or an injury";
        /// Unwind.
        Relax = "relax", "Relax and unwind";
        /// The client cannot say.
        NotSure = "not-sure", "I’m not sure";
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
        Yes = "yes", "Yes";
        /// Not injured in the last 48 hours.
        No = "no", "No";
    }
}

choice! {
    /// Whether warm stones appeal.
    Warmth {
        /// They do.
        Yes = "yes", "Yes";
        /// They do not.
        No = "no", "No";
        /// The client cannot say.
        NotSure = "not-sure", "I’m not sure";
    }
}

choice! {
    /// What a question of the practice's own looks like, and what its answer is.
    QuestionKind {
        /// One line of text.
        Line = "line", "One line of text";
        /// Several lines of text.
        Text = "text", "Several lines of text";
        /// One answer of several.
        OneOf = "one-of", "One answer of a list";
        /// Any number of answers.
        SeveralOf = "several-of", "Several answers of a list";
        /// Yes or no.
        YesNo = "yes-no", "Yes or no";
    }
}

choice! {
    /// A part of the form, under a heading of its own.
    FormSection {
        /// Who asks, and how to reach them.
        You = "you", "About you";
        /// What hurts.
        Body = "body", "About your body";
        /// Which treatment, and when.
        Visit = "visit", "About your visit";
    }
}

choice! {
    /// A question that every form can have and that a practice may leave out, by the name of its field.
    BuiltIn {
        /// The telephone number.
        Phone = "phone", "Phone number";
        /// How the client would like to hear back.
        ContactBy = "contact_by", "How would you like to hear back?";
        /// Where it hurts.
        Area = "area", "Where does it hurt?";
        /// What causes it.
        Cause = "cause", "What do you think is behind it?";
        /// What the client wants.
        Goal = "goal", "What would you like from the massage?";
        /// Whether there is an injury younger than 48 hours.
        RecentInjury = "recent_injury", "Were you injured in the last 48 hours?";
        /// Whether warm stones appeal.
        Warmth = "warmth", "Would you like warm stones?";
        /// A treatment that the client has in mind.
        Treatment = "treatment", "Do you have a treatment in mind?";
        /// When the client could come.
        Times = "times", "Which days and times can you make?";
        /// Anything else.
        Message = "message", "Is there anything else you would like to say?";
    }
}
