//! The emails to the therapist that belong to no enquiry's state, and the notices that a client has not got the answer.

use std::collections::BTreeMap;

use enquiry_desk::check::findings;
use enquiry_desk::email::preview::LINKS;
use enquiry_desk::email::{
    ClientAction, ClientActionEmail, HealthEmail, NoticeEmail, PracticeChangedEmail, PromisesEmail,
    ReplyFailure, SignInEmail, SuspectedCountEmail, Waits, Week, WeeklyEmail,
};
use enquiry_desk::enquiry::{Name, Received};
use enquiry_desk::mail_state::{EmailKind, Withheld};
use enquiry_desk::record::{Finding, Health, Level};
use enquiry_desk::ses::{Account, Identity};
use enquiry_desk::session::Code;
use jiff::SignedDuration;

use super::{DESK, HEALTH, Sample, Samples, sample, therapist};

/// What the check finds about replies to clients, in SES's sandbox or out of it.
fn replies(production: bool) -> Finding {
    let account = Account {
        production,
        sending: true,
        enforcement: "HEALTHY".to_owned(),
        quota: None,
    };
    one("replies", findings::account(&account))
}

/// What the check finds about signatures; unsigned emails come with records as long as those of SES.
fn signatures(signed: bool) -> Finding {
    let identity = Identity {
        name: "example.com".to_owned(),
        verified: true,
        signed,
        tokens: ["a", "b", "c"].map(|token| token.repeat(32)).into(),
        mail_from: None,
    };
    let sender = "desk@example.com";
    one(
        "dkim",
        findings::identity(sender, false, Some(&identity), "eu-west-2"),
    )
}

fn one(key: &str, findings: Vec<Finding>) -> Finding {
    let mut of_key = findings.into_iter().filter(|it| it.key == key);
    of_key.next().expect("a finding of this key")
}

impl Samples<'_> {
    /// The emails that belong to no enquiry.
    pub fn own(&self) -> Vec<Sample> {
        let mut emails = vec![self.sign_in()];
        emails.extend(self.promises());
        emails.extend(self.weekly());
        emails.extend(self.health());
        emails.extend(self.client_actions());
        emails.push(self.practice_changed());
        emails.extend(self.suspected_counts());
        emails
    }

    fn sign_in(&self) -> Sample {
        let email = SignInEmail {
            practice: self.practice,
            to: &therapist(),
            code: &Code::parse("20261123").expect("a code"),
            browser: "Safari on an iPhone",
            asked_at: self.received_at,
        };
        sample("sign_in", "A code for the desk", email.into_email())
    }

    /// The morning list and the reminders.
    fn promises(&self) -> Vec<Sample> {
        let (minimal, complete) = (self.minimal(), self.complete());
        let unnamed = self.with(self.complete(), |it| {
            it.name = Name::parse("www.evil.example").expect("a name");
        });
        let [first, second, unnamed] = [&minimal, &complete, &unnamed].map(|received| Waits {
            received,
            may_write: true,
            links: Some(&*LINKS),
        });
        let both = [first, second];
        let promised = complete.promised_by;
        let late = promised + SignedDuration::from_secs(1);
        let early = promised - SignedDuration::from_hours(2);
        let email = |name, about, kind, waiting: &[Waits<'_>], marked: &[&Received], now| {
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
        let (list, reminder) = (EmailKind::MorningList, EmailKind::Reminder);
        vec![
            email(
                "morning_list",
                "The morning list",
                list,
                &both,
                &[&minimal],
                late,
            ),
            email(
                "morning_list_marked",
                "The morning list when no one waits and a link was pressed",
                list,
                &[],
                &[&complete],
                promised,
            ),
            email(
                "reminder",
                "Two working hours before a promise ends",
                reminder,
                &both[1..],
                &[],
                early,
            ),
            email(
                "morning_list_one",
                "The morning list when one person waits",
                list,
                &both[1..],
                &[],
                late,
            ),
            email(
                "reminder_unnamed",
                "The reminder about a client whose first name cannot be told",
                reminder,
                &[unnamed],
                &[],
                early,
            ),
        ]
    }

    /// Monday's list.
    fn weekly(&self) -> Vec<Sample> {
        let zone = self.practice.time_zone.rules();
        let monday = self.received_at.to_zoned(zone.clone()).date();
        let email = |name, about, week, health| {
            let email = WeeklyEmail {
                practice: self.practice,
                to: &therapist(),
                monday,
                week,
                health,
            };
            sample(name, about, email.into_email())
        };
        let full = Week {
            enquiries: 12,
            in_time: 8,
            later: 1,
            unmarked: 3,
            median_minutes: Some(275),
            suspected: 4,
            came_back: 1,
            stuck: 0,
        };
        let one = Week {
            enquiries: 1,
            in_time: 1,
            median_minutes: Some(60),
            stuck: 1,
            ..Week::default()
        };
        let quiet = Week {
            stuck: 2,
            ..Week::default()
        };
        let wrong = Health {
            checked_at: self.received_at,
            findings: vec![replies(false)],
            before: BTreeMap::default(),
            production: Some(false),
        };
        vec![
            email("weekly", "Monday's list", full, None),
            email(
                "weekly_one",
                "Monday's list after a week with one enquiry, whose email is stuck",
                one,
                None,
            ),
            email(
                "weekly_quiet",
                "Monday's list after a quiet week in which something is stuck",
                quiet,
                Some(&wrong),
            ),
        ]
    }

    /// What the check found, and what it had found before.
    fn health(&self) -> Vec<Sample> {
        let email = |name, about, findings, before: &[&str]| {
            let was = |key: &&str| ((*key).to_owned(), Level::Error);
            let health = Health {
                checked_at: self.received_at,
                findings,
                before: before.iter().map(was).collect(),
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
        vec![
            email(
                "health",
                "The first check of a new desk finds two things",
                vec![replies(false), signatures(false)],
                &[],
            ),
            email(
                "health_changed",
                "One thing is wrong as before, one is right again",
                vec![signatures(false), replies(true)],
                &["dkim", "replies"],
            ),
            email(
                "health_well",
                "Everything is right again",
                vec![replies(true)],
                &["replies"],
            ),
        ]
    }

    /// What a client did on their own page.
    fn client_actions(&self) -> Vec<Sample> {
        let (complete, minimal) = (self.complete(), self.minimal());
        let email = |name, about, received: &Received, action| {
            let email = ClientActionEmail {
                practice: self.practice,
                to: &therapist(),
                reference: &received.reference,
                phone: received.enquiry.phone.as_ref(),
                action,
            };
            sample(name, about, email.into_email())
        };
        let tomorrow = self.ago(-1, 0);
        let noted_at = self.ago(21, 0);
        vec![
            email(
                "withdrawn",
                "The client has withdrawn the enquiry",
                &complete,
                ClientAction::Withdrawn {
                    erased_at: Some(tomorrow),
                },
            ),
            email(
                "withdrawn_erased",
                "The same, told when it had been erased already",
                &complete,
                ClientAction::Withdrawn { erased_at: None },
            ),
            email(
                "kept",
                "The client keeps it after all",
                &complete,
                ClientAction::Kept,
            ),
            email(
                "disowned",
                "The address is not the client's",
                &complete,
                ClientAction::Disowned,
            ),
            email(
                "disowned_no_phone",
                "The address is not the client's, and there is no number",
                &minimal,
                ClientAction::Disowned,
            ),
            email(
                "data_complaint",
                "A complaint about the use of data was noted three weeks ago",
                &complete,
                ClientAction::DataComplaint { noted_at },
            ),
        ]
    }

    fn practice_changed(&self) -> Sample {
        let email = PracticeChangedEmail {
            practice: self.practice,
            to: &therapist(),
            changed: &[
                ("consent".to_owned(), self.received_at),
                ("contact".to_owned(), self.ago(0, 20)),
            ],
        };
        sample(
            "practice_changed",
            "Contact details, the consent or the automatic reply were changed",
            email.into_email(),
        )
    }

    fn suspected_counts(&self) -> Vec<Sample> {
        let email = |name, about, count| {
            let email = SuspectedCountEmail {
                practice: self.practice,
                to: &therapist(),
                begin: self.received_at,
                mailed: 30,
                count,
            };
            sample(name, about, email.into_email())
        };
        vec![
            email(
                "suspected_count",
                "Many suspected enquiries within an hour",
                45,
            ),
            email("suspected_count_one", "One more than are mailed", 1),
        ]
    }

    /// The notices to the therapist, for every way in which a reply can fail.
    pub fn notices(&self) -> Vec<Sample> {
        let (full, without_phone) = (self.complete(), self.minimal());
        let notice = |name, about, received, failure| {
            let to = therapist();
            let email = NoticeEmail {
                practice: self.practice,
                to: &to,
                received,
                failure,
                may_write: failure != ReplyFailure::Withheld(Withheld::Undeliverable),
            };
            sample(name, about, email.into_email())
        };
        vec![
            notice(
                "bounced",
                "The answer came back",
                &full,
                ReplyFailure::Bounced,
            ),
            notice(
                "bounced_no_phone",
                "The answer came back, and there is no number to ring",
                &without_phone,
                ReplyFailure::Bounced,
            ),
            notice(
                "complained",
                "The answer was reported as spam",
                &full,
                ReplyFailure::Complained,
            ),
            notice(
                "rejected",
                "The answer was not taken",
                &full,
                ReplyFailure::Rejected,
            ),
            notice(
                "unknown",
                "It is unknown whether the answer left",
                &without_phone,
                ReplyFailure::Unknown,
            ),
            notice(
                "undeliverable",
                "The address was found to be another person's before the answer left",
                &full,
                ReplyFailure::Withheld(Withheld::Undeliverable),
            ),
            notice(
                "late",
                "The answer would have been too late",
                &full,
                ReplyFailure::Withheld(Withheld::Late),
            ),
        ]
    }
}
