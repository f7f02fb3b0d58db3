//! The notices to the therapist that a client has not got the answer.

use enquiry_desk::email::{NoticeEmail, ReplyFailure};
use enquiry_desk::mail_state::Withheld;

use super::{Sample, Samples, sample, therapist};

impl Samples<'_> {
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
