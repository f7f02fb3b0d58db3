//! A sample of every kind of email: the gallery of `cargo local` shows them, and the tests review them.
//!
//! No person here is real: the addresses are under example.com and the phone numbers are reserved for fiction.

mod own;
mod therapist;

use enquiry_desk::email::preview::Preview;
use enquiry_desk::email::{Email, TherapistEmail};
use enquiry_desk::enquiry::answers::{
    Area, BuiltIn, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth,
};
use enquiry_desk::enquiry::{Answers, EmailAddress, Enquiry, Message, Name, Received, Times};
use enquiry_desk::mail_state::EmailKind;
use enquiry_desk::practice::{Practice, TreatmentKey};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

pub use enquiry_desk::email::preview::{ANSWERED, DESK, MINE, therapist};

/// A message with everything in it that might break an email, or become a link.
pub const HOSTILE: &str = "</td></table><script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7*7 }} {% if %}\n\
    Look at http://evil.example/a?b=c&d=<e> or evil.example or write to bad@evil.example\n\
    right\u{202e}to left, nothing\u{200b}here, a bell\u{2066}\n\
    \n--\nYour automatic reply was not sent.\n.\nEnd";

/// The link to what the desk has found out about itself.
pub const HEALTH: &str = "https://desk.example.com/desk/health";

/// An email about a sample enquiry.
pub struct Sample {
    /// Its name: unique among the emails of its kind, and fit for a file.
    pub name: &'static str,
    /// What is special about the enquiry.
    pub about: &'static str,
    /// The email.
    pub mail: Email,
}

impl Sample {
    /// A name that is unique among all samples.
    pub fn full_name(&self) -> String {
        let kind = match self.mail.kind {
            EmailKind::Therapist | EmailKind::Fallback => "therapist",
            EmailKind::AutoReply => "client",
            EmailKind::Notice => "notice",
            _ => "own",
        };
        format!("{kind}_{}", self.name)
    }
}

/// The sample enquiries of one practice, received at one moment.
#[derive(Clone, Copy)]
pub struct Samples<'a> {
    /// The practice that they were sent to.
    pub practice: &'a Practice,
    /// When they came in.
    pub received_at: Timestamp,
    /// The day on which the therapist is back; one of the emails says "in two weeks" if there is none.
    pub away_until: Option<Date>,
}

/// What a sample changes in an enquiry.
type Change = fn(&mut Enquiry);

impl<'a> Samples<'a> {
    /// Every email.
    pub fn every(&self) -> Vec<Sample> {
        let mut all = self.to_therapist();
        all.extend(self.to_client());
        all.extend(self.notices());
        all.extend(self.own());
        all
    }

    const fn preview(&self) -> Preview<'a> {
        Preview {
            practice: self.practice,
            received_at: self.received_at,
        }
    }

    /// The least that the form takes.
    pub fn minimal(&self) -> Received {
        self.with(self.preview().complete(), |it| {
            *it = Enquiry {
                name: Name::parse("Sam Carter").expect("a name"),
                email: EmailAddress::parse("sam@example.com").expect("an address"),
                phone: None,
                contact_by: ContactBy::Email,
                answers: Answers {
                    goal: self.goal(Goal::Relax),
                    ..Answers::default()
                },
                times: None,
                message: None,
                own: Vec::new(),
                consent_version: it.consent_version.clone(),
            };
        })
    }

    /// Everything filled in.
    pub fn complete(&self) -> Received {
        self.with(self.preview().complete(), |_| {})
    }

    /// The enquiry with a change, as if it had come in so.
    pub fn with(&self, received: Received, change: impl FnOnce(&mut Enquiry)) -> Received {
        let mut enquiry = received.enquiry;
        change(&mut enquiry);
        let mut practice = self.practice.clone();
        practice.away_until = self.away_until;
        Received::new(received.reference, self.received_at, enquiry, &practice)
    }

    /// The email to the therapist about this enquiry, with nothing special about it.
    pub fn email<'b>(&self, received: &'b Received, to: &'b EmailAddress) -> TherapistEmail<'b>
    where
        'a: 'b,
    {
        self.preview().to_therapist(received, to)
    }

    /// The email to the client about this enquiry.
    pub fn client_mail(&self, received: &Received) -> Email {
        self.preview().to_client(received)
    }

    /// The emails to the client, for the rows of the guide and for what stands across them.
    ///
    /// A practice without a warm treatment does not ask about warmth, and has fewer.
    pub fn to_client(&self) -> Vec<Sample> {
        let answer = |name, about, goal, warmth: Option<Warmth>, named, change: Change| {
            let received = self.with(self.minimal(), |it| {
                change(it);
                it.answers.goal = self.goal(goal);
                it.answers.warmth = warmth.and_then(|warmth| self.warmth(warmth));
                it.answers.treatment = named;
            });
            sample(name, about, self.client_mail(&received))
        };
        let mut emails = vec![
            answer(
                "treat_cool",
                "Pain or an injury, without warmth",
                Goal::Treat,
                Some(Warmth::No),
                None,
                |_| {},
            ),
            answer(
                "treat",
                "Pain or an injury",
                Goal::Treat,
                None,
                None,
                |it| {
                    it.answers.area = vec![Area::LowerBack, Area::Shoulders];
                    it.answers.cause = Some(Cause::Overuse);
                },
            ),
            answer(
                "treat_warm",
                "Pain or an injury, with warmth; a call is asked for",
                Goal::Treat,
                Some(Warmth::Yes),
                None,
                |it| it.contact_by = ContactBy::Phone,
            ),
            answer(
                "treat_injured",
                "Injured in the last 48 hours",
                Goal::Treat,
                Some(Warmth::NotSure),
                None,
                |it| {
                    it.answers.recent_injury = Some(RecentInjury::Yes);
                    it.answers.cause = Some(Cause::Injury);
                },
            ),
            answer(
                "relax_cool",
                "To relax, without warmth",
                Goal::Relax,
                Some(Warmth::No),
                None,
                |_| {},
            ),
            answer(
                "relax",
                "To relax; a text message is asked for",
                Goal::Relax,
                Some(Warmth::NotSure),
                None,
                |it| it.contact_by = ContactBy::Text,
            ),
            answer(
                "relax_warm",
                "To relax, with warmth",
                Goal::Relax,
                Some(Warmth::Yes),
                None,
                |_| {},
            ),
            answer(
                "not_sure",
                "Not sure what they want",
                Goal::NotSure,
                None,
                None,
                |it| {
                    it.answers.area = Area::ALL.to_vec();
                    it.answers.cause = Some(Cause::Stress);
                },
            ),
            answer(
                "named_the_same",
                "Names the treatment that the guide suggests",
                Goal::Relax,
                Some(Warmth::No),
                self.suggested(Goal::Relax, Warmth::No),
                |_| {},
            ),
            answer(
                "named_another",
                "Names another treatment than the guide suggests",
                Goal::Relax,
                Some(Warmth::No),
                self.another(Goal::Relax, Warmth::No, false),
                |_| {},
            ),
            answer(
                "named_not_sure",
                "Names a treatment, and is not sure otherwise",
                Goal::NotSure,
                None,
                self.suggested(Goal::Relax, Warmth::Yes),
                |_| {},
            ),
        ];
        if !self.practice.asks_warmth() {
            emails.retain(|it| {
                !["treat_cool", "treat_warm", "relax_cool", "relax_warm"].contains(&it.name)
            });
        }
        emails
    }

    /// What they want, if the form asks for it.
    fn goal(&self, answer: Goal) -> Option<Goal> {
        self.practice.asks(BuiltIn::Goal).then_some(answer)
    }

    /// The answer about warmth, if the form asks for it.
    fn warmth(&self, answer: Warmth) -> Option<Warmth> {
        self.practice.asks_warmth().then_some(answer)
    }

    fn suggested(&self, goal: Goal, warmth: Warmth) -> Option<TreatmentKey> {
        self.practice.suggest(goal, self.warmth(warmth)).treatment
    }

    /// A treatment that the guide does not suggest: the last one, or the first.
    fn another(&self, goal: Goal, warmth: Warmth, last: bool) -> Option<TreatmentKey> {
        let suggested = self.suggested(goal, warmth);
        let mut others = self
            .practice
            .treatments
            .iter()
            .map(|treatment| &treatment.key)
            .filter(|key| Some(*key) != suggested.as_ref());
        let other = if last {
            others.next_back()
        } else {
            others.next()
        };
        other.cloned()
    }

    fn ago(&self, days: i64, minutes: i64) -> Timestamp {
        let earlier = SignedDuration::from_mins(days * 24 * 60 + minutes);
        self.received_at
            .checked_sub(earlier)
            .unwrap_or(Timestamp::MIN)
    }

    fn in_two_weeks(&self) -> Option<Date> {
        let today = self
            .received_at
            .to_zoned(self.practice.time_zone.rules().clone())
            .date();
        today.checked_add(SignedDuration::from_hours(14 * 24)).ok()
    }
}

fn sample(name: &'static str, about: &'static str, mail: Email) -> Sample {
    Sample { name, about, mail }
}

fn times(typed: &str) -> Option<Times> {
    Times::parse(typed).expect("times")
}

fn message(typed: &str) -> Option<Message> {
    Message::parse(typed).expect("a message")
}
