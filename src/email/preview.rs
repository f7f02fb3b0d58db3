//! A sample enquiry and both emails about it: what the desk shows of a change of the practice before it is saved.
//!
//! No person here is real: the addresses are under example.com and the phone number is reserved for fiction.

#![allow(
    clippy::expect_used,
    reason = "the sample is made of constants, and the tests make it for every practice"
)]

use std::sync::LazyLock;

use jiff::Timestamp;

use super::{AutoReplyEmail, DeskLinks, Email, TherapistEmail};
use crate::enquiry::answers::{Area, BuiltIn, Cause, ContactBy, Goal, RecentInjury, Warmth};
use crate::enquiry::{
    Answers, EmailAddress, Enquiry, Message, Name, OwnAnswer, Phone, Received, Reference, Times,
};
use crate::mail_state::MailState;
use crate::practice::{Practice, Question};

/// The link to the client's own page.
pub const MINE: &str = "https://desk.example.com/mine/BB-7KQ4M?s=3q2-7wAAAAAAAAAAAAAAAA";
/// The link to the enquiry on the desk.
pub const DESK: &str = "https://desk.example.com/desk/enquiries/BB-7KQ4M";
/// The link that marks it as answered.
pub const ANSWERED: &str =
    "https://desk.example.com/desk/act/answered/BB-7KQ4M?t=1795429800&s=3q2-7wAAAAAAAAAAAAAAAA";

/// Where the email to the therapist leads.
pub static LINKS: LazyLock<DeskLinks> = LazyLock::new(|| DeskLinks {
    enquiry: DESK.to_owned(),
    answered: Some(ANSWERED.to_owned()),
    explains_marking: false,
});

#[must_use]
pub fn therapist() -> EmailAddress {
    EmailAddress::parse("therapist@example.org").expect("an address")
}

/// A practice at the moment at which an enquiry comes in.
#[derive(Clone, Copy)]
pub struct Preview<'a> {
    /// The practice that it was sent to.
    pub practice: &'a Practice,
    /// When it came in.
    pub received_at: Timestamp,
}

impl<'a> Preview<'a> {
    /// The enquiry with everything filled in that the form asks for.
    #[must_use]
    pub fn complete(&self) -> Received {
        let practice = self.practice;
        let warmth = practice.asks_warmth().then_some(Warmth::NotSure);
        let enquiry = Enquiry {
            name: Name::parse("Zoë Brontë").expect("a name"),
            email: EmailAddress::parse("zoe.bronte@example.com").expect("an address"),
            phone: Some(Phone::parse("07700 900982").expect("a number")),
            contact_by: ContactBy::Phone,
            answers: Answers {
                area: vec![Area::LowerBack, Area::Neck],
                cause: Some(Cause::Posture),
                goal: practice.asks(BuiltIn::Goal).then_some(Goal::Treat),
                recent_injury: Some(RecentInjury::No),
                warmth,
                treatment: practice.suggest(Goal::Treat, warmth).treatment,
            },
            times: Times::parse("Tuesday mornings, or any day after 5.30pm").expect("times"),
            message: Message::parse(
                "My back has been stiff since we moved house.\n\nIs there parking near you?",
            )
            .expect("a message"),
            own: self.own_answers(),
            consent_version: practice.consent.version.clone(),
        };
        let reference = format!("{}-7KQ4M", practice.reference_prefix);
        let reference = Reference::parse(&reference).expect("a reference");
        Received::new(reference, self.received_at, enquiry, practice)
    }

    /// An answer to each question of the practice's own: the last one that is offered, or a few words.
    fn own_answers(&self) -> Vec<OwnAnswer> {
        let answer = |question: &Question| {
            let last = question.options.last();
            let said = last.map_or("A few words about it", |option| &option.value);
            OwnAnswer::parse(question, &[said.to_owned()]).expect("an answer")
        };
        self.practice.questions.iter().filter_map(answer).collect()
    }

    /// The email to the therapist about an enquiry, with nothing special about it.
    #[must_use]
    pub fn to_therapist<'b>(
        &self,
        received: &'b Received,
        to: &'b EmailAddress,
    ) -> TherapistEmail<'b>
    where
        'a: 'b,
    {
        TherapistEmail {
            practice: self.practice,
            to,
            received,
            suspect: false,
            signals: &[],
            auto_reply: Some(&MailState::NEW),
            earlier: &[],
            more_earlier: false,
            may_write: true,
            privacy: self.practice.privacy.keep_health_out_of_email,
            links: Some(&LINKS),
        }
    }

    /// The email to the client about an enquiry.
    #[must_use]
    pub fn to_client(&self, received: &Received) -> Email {
        AutoReplyEmail::new(self.practice, &therapist(), received, Some(MINE)).into_email()
    }
}
