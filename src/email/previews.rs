//! Previews: a sample enquiry for every kind of email. `cargo local` shows them in the browser, and the tests review them.
//! The desk shows two of them with a change before it is saved.
//!
//! One file because a list of samples reads best as one.
//!
//! No person here is real: the addresses are under example.com and the phone numbers are reserved for fiction.

#![allow(
    clippy::expect_used,
    reason = "the samples are constants of this file, and a test reads every one"
)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::email::{
    AutoReply, AutoReplyEmail, ClientAction, ClientActionEmail, DeskLinks, Email, HealthEmail,
    NoticeEmail, PracticeChangedEmail, PromisesEmail, SignInEmail, SuspectedCountEmail,
    TherapistEmail, Trouble, Waits, Week, WeeklyEmail,
};
use crate::enquiry::answers::{
    Area, BuiltIn, Cause, Choice, ContactBy, Goal, RecentInjury, Warmth,
};
use crate::enquiry::{
    Answers, EmailAddress, Enquiry, Message, Name, OwnAnswer, Phone, Received, Reference, Times,
};
use crate::mail_state::{EmailKind, MailState, Withheld};
use crate::messages::check;
use crate::practice::{Practice, Question, TreatmentKey};
use crate::record::{Finding, Health, Level};
use crate::session::Code;
use crate::spam::Signal;

/// A message with everything in it that might break an email, or become a link.
pub const HOSTILE: &str = "</td></table><script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7*7 }} {% if %}\n\
    Look at http://evil.example/a?b=c&d=<e> or evil.example or write to bad@evil.example\n\
    right\u{202e}to left, nothing\u{200b}here, a bell\u{2066}\n\
    \n--\nYour automatic reply was not sent.\n.\nEnd";

/// The link to the client's own page in every sample.
pub const MINE: &str = "https://desk.example.com/mine/BB-7KQ4M?s=3q2-7wAAAAAAAAAAAAAAAA";

/// Where the samples to the therapist lead.
static LINKS: LazyLock<DeskLinks> = LazyLock::new(|| DeskLinks {
    enquiry: DESK.to_owned(),
    answered: Some(ANSWERED.to_owned()),
    explains_marking: false,
});
/// The same until she has marked one.
static FIRST_LINKS: LazyLock<DeskLinks> = LazyLock::new(|| DeskLinks {
    explains_marking: true,
    ..LINKS.clone()
});
/// The same for what looks like spam.
static SUSPECTED_LINKS: LazyLock<DeskLinks> = LazyLock::new(|| DeskLinks {
    enquiry: DESK.to_owned(),
    answered: None,
    explains_marking: false,
});
/// The link to the enquiry on the desk.
pub const DESK: &str = "https://desk.example.com/desk/enquiries/BB-7KQ4M";
/// The link that marks it as answered.
pub const ANSWERED: &str =
    "https://desk.example.com/desk/act/answered/BB-7KQ4M?t=1795429800&s=3q2-7wAAAAAAAAAAAAAAAA";

/// The link to what the desk has found out about itself.
pub const HEALTH: &str = "https://desk.example.com/desk/health";

fn sandbox() -> Finding {
    Finding {
        key: "replies".to_owned(),
        level: Level::Error,
        what: check::replies::SANDBOX.to_owned(),
        next: Some(check::replies::NEXT.to_owned()),
        page: None,
        paste: Vec::new(),
    }
}

fn unsigned() -> Finding {
    Finding {
        key: "dkim".to_owned(),
        level: Level::Error,
        what: check::dkim::UNSIGNED.to_owned(),
        next: Some(check::dkim::UNSIGNED_NEXT.to_owned()),
        page: None,
        // As long as the tokens of SES are.
        paste: ["a", "b", "c"]
            .map(|token| token.repeat(32))
            .map(|token| format!("{token}._domainkey.example.com CNAME {token}.dkim.amazonses.com"))
            .into(),
    }
}

/// An email about a sample enquiry.
pub struct Sample {
    /// Its name: unique among the letters of its kind, and fit for a file.
    pub name: &'static str,
    /// What is special about the enquiry.
    pub about: &'static str,
    /// The email.
    pub mail: Email,
}

impl Sample {
    /// A name that is unique among all samples.
    #[must_use]
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
    /// The least that the form takes.
    #[must_use]
    pub fn minimal(&self) -> Received {
        let reference = format!("{}-7KQ4M", self.practice.reference_prefix);
        self.received(
            Reference::parse(&reference).expect("a reference"),
            Enquiry {
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
                consent_version: self.practice.consent.version.clone(),
            },
        )
    }

    /// The enquiry with a change, as if it had come in so.
    #[must_use]
    pub fn with(&self, mut received: Received, change: impl FnOnce(&mut Enquiry)) -> Received {
        change(&mut received.enquiry);
        self.received(received.reference, received.enquiry)
    }

    fn received(&self, reference: Reference, enquiry: Enquiry) -> Received {
        let mut away = self.practice.clone();
        away.away_until = self.away_until;
        Received::new(reference, self.received_at, enquiry, &away)
    }

    /// Everything filled in.
    #[must_use]
    pub fn complete(&self) -> Received {
        let minimal = self.minimal();
        let enquiry = Enquiry {
            name: Name::parse("Zoë Brontë").expect("a name"),
            email: EmailAddress::parse("zoe.bronte@example.com").expect("an address"),
            phone: Some(Phone::parse("07700 900982").expect("a number")),
            contact_by: ContactBy::Phone,
            answers: Answers {
                area: vec![Area::LowerBack, Area::Neck],
                cause: Some(Cause::Posture),
                goal: self.goal(Goal::Treat),
                recent_injury: Some(RecentInjury::No),
                warmth: self.warmth(Warmth::NotSure),
                treatment: self.suggested(Goal::Treat, Warmth::NotSure),
            },
            times: times("Tuesday mornings, or any day after 5.30pm"),
            message: message(
                "My back has been stiff since we moved house.\n\nIs there parking near you?",
            ),
            own: self.own_answers(),
            consent_version: minimal.enquiry.consent_version,
        };
        self.received(minimal.reference, enquiry)
    }

    /// The emails to the therapist, for every kind of enquiry.
    #[must_use]
    pub fn to_therapist(&self) -> Vec<Sample> {
        let to = therapist();
        let full = self.complete();
        let least = self.minimal();
        let injured = self.with(self.complete(), |it| {
            it.answers.recent_injury = Some(RecentInjury::Yes);
            it.answers.cause = Some(Cause::Injury);
            it.contact_by = ContactBy::Text;
        });
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
        let hostile = self.with(self.complete(), |it| {
            it.name = Name::parse("<b>Zoë</b> www.evil.example").expect("a name");
            it.times = times("<i>any</i> time, see evil.example");
            it.message = message(HOSTILE);
            it.email = EmailAddress::parse("a&b=c?d'e@example.com").expect("an address");
        });
        let unwanted = self.with(self.minimal(), |it| {
            it.message = message("Do you do happy endings?");
        });
        let long = self.with(self.complete(), |it| {
            it.name = Name::parse(&"W".repeat(100)).expect("a name");
            it.times = times(&"&".repeat(500));
            it.message = message(&"<".repeat(4_000));
        });
        let unbroken = self.with(self.complete(), |it| {
            it.message = message(&"a".repeat(3_000))
        });
        let landline = self.with(self.complete(), |it| {
            it.phone = Some(Phone::parse("01632 960123").expect("a number"));
        });
        let earlier = [self.ago(53, 140), self.ago(239, 590)];
        let many: Vec<Timestamp> = (34..54).map(|days| self.ago(days, 140)).collect();
        let away_until = self.away_until.or_else(|| self.in_two_weeks());
        let away = Self {
            away_until,
            ..*self
        }
        .minimal();
        let withheld = |reason| MailState::Withheld { reason };
        let (suspect, cool_down) = (withheld(Withheld::Suspect), withheld(Withheld::CoolDown));
        let undeliverable = withheld(Withheld::Undeliverable);
        let sent = MailState::Sent {
            message_id: "0100".to_owned(),
            at: self.received_at,
            delayed_since: None,
        };
        let about = |received| self.email(received, &to);
        let at = self.received_at;
        let fates = [
            (
                "reply_failed",
                "The reply could not be sent",
                MailState::Failed {
                    reason: "MessageRejected".to_owned(),
                    at,
                },
            ),
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
        let fates = fates.map(|(name, what, reply)| {
            let email = TherapistEmail {
                auto_reply: Some(&reply),
                ..about(&least)
            };
            sample(name, what, email.into_email())
        });
        let mut emails = vec![
            sample(
                "complete",
                "Everything filled in",
                about(&full).into_email(),
            ),
            sample(
                "first",
                "As long as you have marked no enquiry: what marking brings",
                TherapistEmail {
                    links: Some(&FIRST_LINKS),
                    ..about(&least)
                }
                .into_email(),
            ),
            sample(
                "minimal",
                "Only what the form requires",
                about(&least).into_email(),
            ),
            sample(
                "injured",
                "Injured in the last 48 hours; a text message is asked for",
                about(&injured).into_email(),
            ),
            sample(
                "named_another",
                "Another treatment is named than the guide suggests",
                about(&named).into_email(),
            ),
            sample(
                "not_sure",
                "Not sure what they want, and it hurts in many places",
                about(&open).into_email(),
            ),
            sample(
                "suspect",
                "Looks like spam, so no answer is sent",
                TherapistEmail {
                    suspect: true,
                    links: Some(&SUSPECTED_LINKS),
                    signals: &[Signal::Text, Signal::Links, Signal::Markup],
                    auto_reply: Some(&suspect),
                    ..about(&full)
                }
                .into_email(),
            ),
            sample(
                "unwanted",
                "A request of a sexual nature: its text is tucked away",
                TherapistEmail {
                    suspect: true,
                    signals: &[Signal::Unwanted],
                    auto_reply: Some(&suspect),
                    links: Some(&SUSPECTED_LINKS),
                    ..about(&unwanted)
                }
                .into_email(),
            ),
            sample(
                "repeat",
                "Has written before",
                TherapistEmail {
                    earlier: &earlier,
                    auto_reply: Some(&sent),
                    ..about(&full)
                }
                .into_email(),
            ),
            sample(
                "repeat_often",
                "Has written many times, the last time a moment ago",
                TherapistEmail {
                    earlier: &many,
                    more_earlier: true,
                    auto_reply: Some(&cool_down),
                    ..about(&least)
                }
                .into_email(),
            ),
            sample(
                "not_to_be_written_to",
                "The owner of its address has said that they did not send an earlier one",
                TherapistEmail {
                    earlier: &earlier[..1],
                    may_write: false,
                    auto_reply: Some(&undeliverable),
                    ..about(&full)
                }
                .into_email(),
            ),
            sample(
                "private",
                "With the privacy setting: nothing about health in the mailbox",
                TherapistEmail {
                    privacy: true,
                    ..about(&injured)
                }
                .into_email(),
            ),
            sample("away", "While you are away", about(&away).into_email()),
            sample(
                "landline",
                "A landline, which takes no text messages",
                about(&landline).into_email(),
            ),
            sample(
                "fallback",
                "The database could not be reached, so this email is all there is",
                TherapistEmail {
                    auto_reply: None,
                    privacy: true,
                    links: None,
                    ..about(&full)
                }
                .into_email(),
            ),
            sample(
                "hostile",
                "An attacker tries to do harm",
                about(&hostile).into_email(),
            ),
            sample("long", "As long as it can get", about(&long).into_email()),
            sample(
                "unbroken",
                "One word of 3,000 letters",
                about(&unbroken).into_email(),
            ),
            sample(
                "plain",
                "If the email cannot be made beautiful: the plain one",
                about(&hostile).plain(),
            ),
            sample(
                "bare",
                "If even that fails: where to look it up",
                about(&hostile).bare(),
            ),
        ];
        emails.extend(fates);
        emails
    }

    /// The emails to the client, for the rows of the guide and for what stands across them.
    ///
    /// A practice without a warm treatment does not ask about warmth, and has fewer.
    #[must_use]
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

    /// The emails that belong to no enquiry.
    #[must_use]
    pub fn own(&self) -> Vec<Sample> {
        let count = |name, about, count| {
            let email = SuspectedCountEmail {
                practice: self.practice,
                to: &therapist(),
                begin: self.received_at,
                mailed: 30,
                count,
            };
            sample(name, about, email.into_email())
        };
        let received = self.complete();
        let action_on = |name, about, received: &Received, action| {
            let email = ClientActionEmail {
                practice: self.practice,
                to: &therapist(),
                reference: &received.reference,
                phone: received.enquiry.phone.as_ref(),
                action,
            };
            sample(name, about, email.into_email())
        };
        let action = |name, about, action| action_on(name, about, &received, action);
        let erased_at = Some(self.ago(-1, 0));
        let (minimal, now) = (self.minimal(), received.promised_by);
        let unnamed = self.with(self.complete(), |it| {
            it.name = Name::parse("www.evil.example").expect("a name");
        });
        let waits = |received, links| Waits {
            received,
            may_write: true,
            links,
        };
        let both = [
            waits(&minimal, Some(&*LINKS)),
            waits(&received, Some(&*LINKS)),
        ];
        let promises = |name, about, kind, waiting: &[Waits<'_>], marked: &[&Received], now| {
            let marked = marked.iter().map(|it| (*it, Some(DESK.to_owned())));
            let marked: Vec<_> = marked.collect();
            let email = PromisesEmail {
                kind,
                practice: self.practice,
                to: &therapist(),
                waiting,
                marked: &marked,
                now,
            };
            sample(name, about, email.into_email())
        };
        let health = |name, about, wrong: &[Finding], before: &[&str]| {
            let mut findings = wrong.to_vec();
            let is_well = |key: &&&str| wrong.iter().all(|it| it.key != **key);
            findings.extend(before.iter().filter(is_well).map(|key| Finding {
                key: (*key).to_owned(),
                level: Level::Ok,
                what: check::replies::OK.to_owned(),
                next: None,
                page: None,
                paste: Vec::new(),
            }));
            let health = Health {
                checked_at: self.received_at,
                findings,
                before: before
                    .iter()
                    .map(|key| ((*key).to_owned(), Level::Error))
                    .collect(),
                production: None,
            };
            let email = HealthEmail {
                practice: self.practice,
                to: &therapist(),
                health: &health,
                link: Some(HEALTH),
            };
            sample(name, about, email.into_email().expect("something to tell"))
        };
        let (sandbox, unsigned) = (sandbox(), unsigned());
        let wrong = Health {
            checked_at: self.received_at,
            findings: vec![sandbox.clone()],
            before: BTreeMap::default(),
            production: Some(false),
        };
        let weekly = |name, about, week, health| {
            let email = WeeklyEmail {
                practice: self.practice,
                to: &therapist(),
                monday: self
                    .received_at
                    .to_zoned(self.practice.time_zone.rules().clone())
                    .date(),
                week,
                health,
            };
            sample(name, about, email.into_email())
        };
        let week = Week {
            enquiries: 12,
            in_time: 8,
            later: 1,
            unmarked: 3,
            median_minutes: Some(275),
            suspected: 4,
            came_back: 1,
            stuck: 0,
        };
        let stuck = Week {
            stuck: 2,
            ..Week::default()
        };
        let one = Week {
            enquiries: 1,
            in_time: 1,
            median_minutes: Some(60),
            stuck: 1,
            ..Week::default()
        };
        let sign_in = SignInEmail {
            practice: self.practice,
            to: &therapist(),
            code: &Code::parse("20261123").expect("a code"),
            browser: "Safari on an iPhone",
            asked_at: self.received_at,
        };
        vec![
            sample("sign_in", "A code for the desk", sign_in.into_email()),
            promises(
                "morning_list",
                "The morning list",
                EmailKind::MorningList,
                &both,
                &[&minimal],
                now + SignedDuration::from_secs(1),
            ),
            promises(
                "morning_list_marked",
                "The morning list when no one waits and a link was pressed",
                EmailKind::MorningList,
                &[],
                &[&received],
                now,
            ),
            promises(
                "reminder",
                "Two working hours before a promise ends",
                EmailKind::Reminder,
                &both[1..],
                &[],
                now - SignedDuration::from_hours(2),
            ),
            promises(
                "morning_list_one",
                "The morning list when one person waits",
                EmailKind::MorningList,
                &both[1..],
                &[],
                now + SignedDuration::from_secs(1),
            ),
            promises(
                "reminder_unnamed",
                "The reminder about a client whose first name cannot be told",
                EmailKind::Reminder,
                &[waits(&unnamed, Some(&*LINKS))],
                &[],
                now - SignedDuration::from_hours(2),
            ),
            weekly("weekly", "Monday's list", week, None),
            weekly(
                "weekly_one",
                "Monday's list after a week with one enquiry, whose email is stuck",
                one,
                None,
            ),
            weekly(
                "weekly_quiet",
                "Monday's list after a quiet week in which something is stuck",
                stuck,
                Some(&wrong),
            ),
            health(
                "health",
                "The first check of a new desk finds two things",
                &[sandbox, unsigned.clone()],
                &[],
            ),
            health(
                "health_changed",
                "One thing is wrong as before, one is right again",
                &[unsigned],
                &["dkim", "replies"],
            ),
            health(
                "health_well",
                "Everything is right again",
                &[],
                &["replies"],
            ),
            action(
                "withdrawn",
                "The client has withdrawn the enquiry",
                ClientAction::Withdrawn { erased_at },
            ),
            action(
                "withdrawn_erased",
                "The same, told when it had been erased already",
                ClientAction::Withdrawn { erased_at: None },
            ),
            action("kept", "The client keeps it after all", ClientAction::Kept),
            action(
                "disowned",
                "The address is not the client's",
                ClientAction::Disowned,
            ),
            action_on(
                "disowned_no_phone",
                "The address is not the client's, and there is no number",
                &minimal,
                ClientAction::Disowned,
            ),
            action(
                "data_complaint",
                "A complaint about the use of data was noted three weeks ago",
                ClientAction::DataComplaint {
                    noted_at: self.ago(21, 0),
                },
            ),
            sample(
                "practice_changed",
                "Contact details, the consent or the automatic reply were changed",
                PracticeChangedEmail {
                    practice: self.practice,
                    to: &therapist(),
                    changed: &[
                        ("consent".to_owned(), self.received_at),
                        ("contact".to_owned(), self.ago(0, 20)),
                    ],
                }
                .into_email(),
            ),
            count(
                "suspected_count",
                "Many suspected enquiries within an hour",
                45,
            ),
            count("suspected_count_one", "One more than are mailed", 1),
        ]
    }

    /// The notices to the therapist, for every trouble.
    #[must_use]
    pub fn notices(&self) -> Vec<Sample> {
        let (full, without_phone) = (self.complete(), self.minimal());
        let notice = |name, about, received, trouble| {
            let to = therapist();
            let email = NoticeEmail {
                practice: self.practice,
                to: &to,
                received,
                trouble,
                may_write: trouble != Trouble::Withheld(Withheld::Undeliverable),
            };
            sample(name, about, email.into_email())
        };
        vec![
            notice("bounced", "The answer came back", &full, Trouble::Bounced),
            notice(
                "bounced_no_phone",
                "The answer came back, and there is no number to ring",
                &without_phone,
                Trouble::Bounced,
            ),
            notice(
                "complained",
                "The answer was reported as spam",
                &full,
                Trouble::Complained,
            ),
            notice(
                "rejected",
                "The answer was not taken",
                &full,
                Trouble::Rejected,
            ),
            notice(
                "unknown",
                "It is unknown whether the answer left",
                &without_phone,
                Trouble::Unknown,
            ),
            notice(
                "undeliverable",
                "The address was found to be another person's before the answer left",
                &full,
                Trouble::Withheld(Withheld::Undeliverable),
            ),
            notice(
                "late",
                "The answer would have been too late",
                &full,
                Trouble::Withheld(Withheld::Late),
            ),
        ]
    }

    /// Every email.
    #[must_use]
    pub fn every(&self) -> Vec<Sample> {
        let mut all = self.to_therapist();
        all.extend(self.to_client());
        all.extend(self.notices());
        all.extend(self.own());
        all
    }

    /// The email to the therapist about this enquiry, with nothing special about it.
    #[must_use]
    pub fn email<'b>(&self, received: &'b Received, to: &'b EmailAddress) -> TherapistEmail<'b>
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

    /// The email to the client about this enquiry.
    #[must_use]
    pub fn client_mail(&self, received: &Received) -> Email {
        AutoReplyEmail {
            content: AutoReply {
                practice: self.practice,
                reference: &received.reference,
                received_at: received.received_at,
                promised_by: received.promised_by,
                suggested: &received.suggested,
                contact_by: received.enquiry.contact_by,
                answers: &received.enquiry.answers,
                mine: Some(MINE),
            },
            to: &received.enquiry.email,
            reply_to: &therapist(),
        }
        .into_email()
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

/// The therapist's address in every sample.
#[must_use]
pub fn therapist() -> EmailAddress {
    EmailAddress::parse("therapist@example.org").expect("an address")
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
