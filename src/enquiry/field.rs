//! The fields of the form, once: their names on the wire, their questions and hints, and what is said when one is
//! wrong. The pages, the problem documents, the mails and the tests all read this table.

use super::error::Why;
use super::{email, name, phone};

/// How often a field may be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// Once at the most.
    Single,
    /// Any number of times: a group of checkboxes, or an array in JSON.
    Several,
}

macro_rules! fields {
    ($($(#[$meta:meta])* $name:ident = $key:literal, $arity:ident, $label:literal, $hint:literal;)+) => {
        /// A field of the form, in the order in which the form shows them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $($(#[$meta])* $name,)+ }

        impl Field {
            /// Every field, in the order of the form.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name on the wire.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// Whether it may be repeated.
            #[must_use]
            pub const fn arity(self) -> Arity {
                match self { $(Self::$name => Arity::$arity,)+ }
            }

            /// Its question or label; empty for what people never see.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// The line of help under its label, often empty.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)+ }
            }
        }
    };
}

fields! {
    /// The client's name.
    Name = "name", Single, "Full name", "";
    /// Where the reply goes.
    Email = "email", Single, "Email address", "We reply to this address.";
    /// A telephone number, required when the client would like a call or a text message.
    Phone = "phone", Single, "Phone number", "We need it if you would like a call or a text message.";
    /// How the client would like to hear back.
    ContactBy = "contact_by", Single, "How would you like to hear back?", "";
    /// Where it hurts.
    Area = "area", Several, "Where does it hurt?", "Select all that apply.";
    /// What is behind it.
    Cause = "cause", Single, "What do you think is behind it?", "";
    /// What the client wants.
    Goal = "goal", Single, "What would you like from the massage?", "";
    /// Whether there is an injury younger than 48 hours.
    RecentInjury = "recent_injury", Single, "Were you injured in the last 48 hours?", "";
    /// Whether warm stones appeal.
    Warmth = "warmth", Single, "Would you like warm stones?", "Smooth stones, warmed in water and laid on the muscles.";
    /// A treatment the client named.
    Treatment = "treatment", Single, "Do you have a treatment in mind?", "";
    /// When the client could come.
    Times = "times", Single, "Which days and times can you make?", "For example, Tuesday mornings, or any day after 5 in the afternoon.";
    /// Anything else.
    Message = "message", Single, "Is there anything else you would like to say?", "Leave medical detail for the appointment.";
    /// The client's explicit consent.
    Consent = "consent", Single, "Your consent", "";
    /// Made once per filled-in form, so that a double click is one enquiry.
    Submission = "submission", Single, "", "";
    /// The address that the client was asked about and kept.
    EmailConfirmed = "email_confirmed", Single, "", "";
    /// Which wording of the consent was shown.
    ConsentVersion = "consent_version", Single, "", "";
    /// The page's signed time.
    Token = "token", Single, "", "";
    /// A proof of work.
    Altcha = "altcha", Single, "", "";
    /// The trap: people never see it, programs fill it in.
    Honeypot = "extra_detail", Single, "Leave this empty", "";
}

impl Field {
    /// The field of this name, if the form has one.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.key() == key)
    }

    /// What is said when the value is missing or none of those that the form offers.
    #[must_use]
    pub const fn missing(self) -> Why {
        match self {
            Self::Name => Why::new("name_required", "Enter your full name"),
            Self::Email => Why::new("email_required", EMAIL_FORMAT),
            Self::Phone => Why::new("phone_required", PHONE_FORMAT),
            Self::ContactBy => Why::new(
                "contact_by_choice",
                "Select how you would like to hear back",
            ),
            Self::Area => Why::new("area_choice", "Select where it hurts"),
            Self::Cause => Why::new("cause_choice", "Select what you think is behind it"),
            Self::Goal => Why::new("goal_choice", "Select what you would like from the massage"),
            Self::RecentInjury => Why::new(
                "recent_injury_choice",
                "Select yes if you were injured in the last 48 hours",
            ),
            Self::Warmth => Why::new("warmth_choice", "Select whether you would like warm stones"),
            Self::Treatment => Why::new("treatment_choice", "Select a treatment"),
            Self::Times => Why::new(
                "times_too_long",
                "Times you can make must be 500 characters or less",
            ),
            Self::Message => Why::new(
                "message_too_long",
                "Message must be 4,000 characters or less",
            ),
            Self::Consent => Why::new(
                "consent_required",
                "Select the box to say that your answers may be used to reply to you",
            ),
            Self::ConsentVersion => Why::new("consent_version_unknown", RELOAD),
            Self::Submission => Why::new("submission_format", RELOAD),
            Self::EmailConfirmed => Why::new("email_confirmed_format", RELOAD),
            Self::Token => Why::new("token_format", RELOAD),
            Self::Altcha => Why::new("altcha_format", RELOAD),
            Self::Honeypot => Why::new("extra_detail_format", RELOAD),
        }
    }

    /// Every reason for which this field can be refused: the table that the documents and the tests read. The question
    /// about a likely slip in the address stands here with an example.
    #[must_use]
    pub fn reasons(self) -> Vec<Why> {
        let mut reasons = vec![self.missing()];
        match self {
            Self::Name => reasons.extend([name::TOO_LONG, name::CONTROL]),
            Self::Email => reasons.extend([
                email::FORMAT,
                email::TOO_LONG,
                Why::new(email::SUGGESTION, "Did you mean name@gmail.com?"),
            ]),
            Self::Phone => reasons.push(phone::FORMAT),
            // Its value is never an error, only its type.
            Self::EmailConfirmed => reasons.clear(),
            _ if self.only_weighs() => return Vec::new(),
            _ => {}
        }
        reasons.push(self.wrong_type());
        reasons
    }

    /// Whether whatever stands in the field is taken, and only weighs: people do not fill it in, and cannot mend it.
    #[must_use]
    pub const fn only_weighs(self) -> bool {
        matches!(self, Self::Token | Self::Altcha | Self::Honeypot)
    }

    /// What is said when a value is of another type than text: only JSON can do that.
    #[must_use]
    pub fn wrong_type(self) -> Why {
        Why {
            code: "type",
            ..self.missing()
        }
    }
}

/// What is said of an address that is none.
pub(super) const EMAIL_FORMAT: &str =
    "Enter an email address in the correct format, like name@example.com";
/// What is said of a telephone number that is none.
pub(super) const PHONE_FORMAT: &str =
    "Enter a phone number, like 01632 960 001, 07700 900 982 or +44 808 157 0192";
/// What is said when a hidden field is not as the page made it.
pub(super) const RELOAD: &str = "Reload the page and send the form again";
