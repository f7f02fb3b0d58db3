//! The emails to the therapist about an enquiry.

use std::sync::LazyLock;

use enquiry_desk::email::preview::LINKS;
use enquiry_desk::email::{DeskLinks, TherapistEmail};
use enquiry_desk::enquiry::answers::{Area, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth};
use enquiry_desk::enquiry::{EmailAddress, Name, Phone, Received};
use enquiry_desk::mail_state::{MailState, Withheld};
use enquiry_desk::spam::Signal;
use jiff::Timestamp;

use super::{HOSTILE, Sample, Samples, message, sample, therapist, times};

/// As long as she has marked no enquiry.
static FIRST_LINKS: LazyLock<DeskLinks> = LazyLock::new(|| DeskLinks {
    explains_marking: true,
    ..LINKS.clone()
});
/// For what looks like spam.
static SUSPECTED_LINKS: LazyLock<DeskLinks> = LazyLock::new(|| DeskLinks {
    answered: None,
    ..LINKS.clone()
});

static THERAPIST: LazyLock<EmailAddress> = LazyLock::new(therapist);

const fn withheld(reason: Withheld) -> MailState {
    MailState::Withheld { reason }
}

impl<'a> Samples<'a> {
    /// The emails to the therapist, for every kind of enquiry.
    pub fn to_therapist(&self) -> Vec<Sample> {
        let mut emails = self.usual();
        emails.extend(self.suspected());
        emails.extend(self.returning());
        emails.extend(self.of_a_setting());
        emails.extend(self.extreme());
        emails.extend(self.without_a_reply());
        emails
    }

    /// An email about an enquiry, with a change.
    fn about<'b>(
        &self,
        name: &'static str,
        about: &'static str,
        received: &'b Received,
        change: impl FnOnce(&mut TherapistEmail<'b>),
    ) -> Sample
    where
        'a: 'b,
    {
        let mut email = self.email(received, &THERAPIST);
        change(&mut email);
        sample(name, about, email.into_email())
    }

    fn injured(&self) -> Received {
        self.with(self.complete(), |it| {
            it.answers.recent_injury = Some(RecentInjury::Yes);
            it.answers.cause = Some(Cause::Injury);
            it.contact_by = ContactBy::Text;
        })
    }

    /// By what the client answered.
    fn usual(&self) -> Vec<Sample> {
        let (full, least) = (self.complete(), self.minimal());
        let named = self.with(self.complete(), |it| {
            it.answers.goal = self.goal(Goal::Relax);
            it.contact_by = ContactBy::Email;
            it.answers.warmth = self.warmth(Warmth::No);
            it.answers.treatment = self.another(Goal::Relax, Warmth::No, true);
        });
        let open = self.with(self.minimal(), |it| {
            it.answers.goal = self.goal(Goal::NotSure);
            it.answers.area = Area::ALL.to_vec();
        });
        let landline = self.with(self.complete(), |it| {
            it.phone = Some(Phone::parse("01632 960123").expect("a number"));
        });
        vec![
            self.about("complete", "Everything filled in", &full, |_| {}),
            self.about(
                "first",
                "As long as you have marked no enquiry: what marking brings",
                &least,
                |it| it.links = Some(&FIRST_LINKS),
            ),
            self.about("minimal", "Only what the form requires", &least, |_| {}),
            self.about(
                "injured",
                "Injured in the last 48 hours; a text message is asked for",
                &self.injured(),
                |_| {},
            ),
            self.about(
                "named_another",
                "Another treatment is named than the guide suggests",
                &named,
                |_| {},
            ),
            self.about(
                "not_sure",
                "Not sure what they want, and it hurts in many places",
                &open,
                |_| {},
            ),
            self.about(
                "landline",
                "A landline, which takes no text messages",
                &landline,
                |_| {},
            ),
        ]
    }

    /// What looks like spam.
    fn suspected(&self) -> Vec<Sample> {
        let suspect = withheld(Withheld::Suspect);
        let unwanted = self.with(self.minimal(), |it| {
            it.message = message("Do you do happy endings?");
        });
        let marked = |name, about, received, signals| {
            self.about(name, about, received, |it| {
                it.suspect = true;
                it.signals = signals;
                it.auto_reply = Some(&suspect);
                it.links = Some(&SUSPECTED_LINKS);
            })
        };
        vec![
            marked(
                "suspect",
                "Looks like spam, so no answer is sent",
                &self.complete(),
                &[Signal::Text, Signal::Links, Signal::Markup],
            ),
            marked(
                "unwanted",
                "A request of a sexual nature: its text is tucked away",
                &unwanted,
                &[Signal::Unwanted],
            ),
        ]
    }

    /// From an address that has written before.
    fn returning(&self) -> Vec<Sample> {
        let full = self.complete();
        let earlier = [self.ago(53, 140), self.ago(239, 590)];
        let many: Vec<Timestamp> = (34..54).map(|days| self.ago(days, 140)).collect();
        let sent = MailState::Sent {
            message_id: "0100".to_owned(),
            at: self.received_at,
            delayed_since: None,
        };
        let cool_down = withheld(Withheld::CoolDown);
        let undeliverable = withheld(Withheld::Undeliverable);
        vec![
            self.about("repeat", "Has written before", &full, |it| {
                it.earlier = &earlier;
                it.auto_reply = Some(&sent);
            }),
            self.about(
                "repeat_often",
                "Has written many times, the last time a moment ago",
                &self.minimal(),
                |it| {
                    it.earlier = &many;
                    it.more_earlier = true;
                    it.auto_reply = Some(&cool_down);
                },
            ),
            self.about(
                "not_to_be_written_to",
                "The owner of its address has said that they did not send an earlier one",
                &full,
                |it| {
                    it.earlier = &earlier[..1];
                    it.may_write = false;
                    it.auto_reply = Some(&undeliverable);
                },
            ),
        ]
    }

    /// As the practice is set up, and while something is out of reach.
    fn of_a_setting(&self) -> Vec<Sample> {
        let away = Self {
            away_until: self.away_until.or_else(|| self.in_two_weeks()),
            ..*self
        };
        vec![
            self.about(
                "private",
                "With the privacy setting: nothing about health in the mailbox",
                &self.injured(),
                |it| it.privacy = true,
            ),
            self.about("away", "While you are away", &away.minimal(), |_| {}),
            self.about(
                "fallback",
                "The database could not be reached, so this email is all there is",
                &self.complete(),
                |it| {
                    it.auto_reply = None;
                    it.privacy = true;
                    it.links = None;
                },
            ),
        ]
    }

    /// What tries to do harm, and what is as long as it can get.
    fn extreme(&self) -> Vec<Sample> {
        let hostile = self.with(self.complete(), |it| {
            it.name = Name::parse("<b>Zoë</b> www.evil.example").expect("a name");
            it.times = times("<i>any</i> time, see evil.example");
            it.message = message(HOSTILE);
            it.email = EmailAddress::parse("a&b=c?d'e@example.com").expect("an address");
        });
        let long = self.with(self.complete(), |it| {
            it.name = Name::parse(&"W".repeat(100)).expect("a name");
            it.times = times(&"&".repeat(500));
            it.message = message(&"<".repeat(4_000));
        });
        let unbroken = self.with(self.complete(), |it| {
            it.message = message(&"a".repeat(3_000));
        });
        vec![
            self.about("hostile", "An attacker tries to do harm", &hostile, |_| {}),
            self.about("long", "As long as it can get", &long, |_| {}),
            self.about("unbroken", "One word of 3,000 letters", &unbroken, |_| {}),
            sample(
                "plain",
                "If the email cannot be made beautiful: the plain one",
                self.email(&hostile, &THERAPIST).plain(),
            ),
            sample(
                "bare",
                "If even that fails: where to look it up",
                self.email(&hostile, &THERAPIST).bare(),
            ),
        ]
    }

    /// Why the client got no reply, or perhaps none.
    fn without_a_reply(&self) -> Vec<Sample> {
        let at = self.received_at;
        let failed = MailState::Failed {
            reason: "MessageRejected".to_owned(),
            at,
        };
        let least = self.minimal();
        let replies = [
            ("reply_failed", "The reply could not be sent", failed),
            (
                "reply_unknown",
                "It is unknown whether the reply left",
                MailState::Unknown { at },
            ),
            (
                "reply_sandbox",
                "No reply: SES is in its sandbox",
                withheld(Withheld::Sandbox),
            ),
            (
                "reply_own_address",
                "No reply: the address is your own",
                withheld(Withheld::OwnAddress),
            ),
            (
                "reply_role_address",
                "No reply: the address is no person’s",
                withheld(Withheld::RoleAddress),
            ),
            (
                "reply_unsendable",
                "No reply: no email system carries the address",
                withheld(Withheld::Unsendable),
            ),
            (
                "reply_daily_cap",
                "No reply: as many as may have left today",
                withheld(Withheld::DailyCap),
            ),
            (
                "reply_uncounted",
                "No reply: the address could not be counted",
                withheld(Withheld::CountersUnavailable),
            ),
            (
                "reply_late",
                "No reply: it would have come too late",
                withheld(Withheld::Late),
            ),
            (
                "reply_withdrawn",
                "No reply: the client has withdrawn the enquiry",
                withheld(Withheld::Withdrawn),
            ),
        ];
        let replies = replies.iter().map(|(name, what, reply)| {
            self.about(name, what, &least, |it| it.auto_reply = Some(reply))
        });
        replies.collect()
    }
}
