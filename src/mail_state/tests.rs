//! The transitions, case by case.

use super::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted {
        message_id: "m-1".into(),
    }
}

#[test]
fn the_therapist_comes_first_and_each_email_goes_once() {
    let mut emails = Deliveries::new();
    emails.decide(None);
    assert_eq!(
        emails.claim(at(0), at(0), at(2), &[]),
        Some(EmailKind::Therapist)
    );
    assert_eq!(
        emails.claim(at(0), at(1), at(3), &[]),
        Some(EmailKind::AutoReply),
        "the first lease still runs"
    );
    assert_eq!(emails.claim(at(0), at(1), at(3), &[]), None);
    assert!(emails.record(EmailKind::Therapist, 1, &accepted(), at(1)));
    assert!(emails.record(EmailKind::AutoReply, 1, &accepted(), at(1)));
    assert!(!emails.is_pending());
    assert_eq!(emails.claim(at(0), at(90), at(92), &[]), None);
}

#[test]
fn a_lease_that_ran_out_is_taken_over_by_the_therapists_email_only() {
    let mut emails = Deliveries::new();
    emails.claim(at(0), at(0), at(2), &[]);
    emails.claim(at(0), at(0), at(2), &[]);
    assert_eq!(
        emails.claim(at(0), at(2), at(4), &[]),
        Some(EmailKind::Therapist)
    );
    assert_eq!(
        emails.therapist,
        MailState::Sending {
            attempt: 2,
            until: at(4)
        }
    );
    assert_eq!(
        emails.auto_reply,
        MailState::Unknown { at: at(2) },
        "it may have left"
    );
    assert!(
        !emails.record(EmailKind::Therapist, 1, &SendOutcome::NotSent, at(3)),
        "the first attempt is history"
    );
}

#[test]
fn an_ambiguous_send_is_repeated_for_the_therapist_and_never_for_the_client() {
    let mut emails = Deliveries::new();
    emails.claim(at(0), at(0), at(2), &[]);
    emails.claim(at(0), at(0), at(2), &[]);
    emails.record(EmailKind::Therapist, 1, &SendOutcome::Ambiguous, at(1));
    emails.record(EmailKind::AutoReply, 1, &SendOutcome::Ambiguous, at(1));
    assert_eq!(
        emails.therapist,
        MailState::Pending {
            attempts: 1,
            after: None
        }
    );
    assert_eq!(emails.auto_reply, MailState::Unknown { at: at(1) });
    assert_eq!(
        emails.notice, None,
        "the therapist's kind is still to be written"
    );
}

#[test]
fn an_auto_reply_that_comes_to_nothing_later_owes_the_therapist_one_notice() {
    let mut emails = Deliveries::new();
    emails.claim(at(0), at(0), at(2), &[]);
    emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
    emails.claim(at(0), at(0), at(2), &[]);
    let never = SendOutcome::Permanent {
        reason: "MessageRejected".into(),
    };
    emails.record(EmailKind::AutoReply, 1, &never, at(1));
    assert_eq!(
        emails.claim(at(0), at(1), at(3), &[]),
        Some(EmailKind::Notice)
    );
    assert!(emails.record(EmailKind::Notice, 1, &accepted(), at(1)));
    assert!(!emails.is_pending());
}

#[test]
fn an_auto_reply_that_is_a_day_late_is_withheld() {
    let mut emails = Deliveries::new();
    assert_eq!(
        emails.claim(at(0), at(24 * 60 + 1), at(24 * 60 + 3), &[]),
        Some(EmailKind::Therapist)
    );
    assert_eq!(
        emails.auto_reply,
        MailState::Withheld {
            reason: Withheld::Late
        }
    );
    assert!(emails.record(EmailKind::Therapist, 1, &accepted(), at(24 * 60 + 1)));
    assert_eq!(emails.notice, None, "the therapist's kind has told it");
}

#[test]
fn a_release_counts_its_day_from_the_release() {
    let mut emails = Deliveries::new();
    emails.decide(Some(Withheld::Suspect));
    emails.claim(at(0), at(0), at(2), &[]);
    emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
    let monday = 3 * 24 * 60;
    assert!(emails.release(at(monday)));
    emails.decide(None);
    assert_eq!(
        emails.claim(at(0), at(monday + 1), at(monday + 3), &[]),
        Some(EmailKind::AutoReply)
    );
}

#[test]
fn an_auto_reply_goes_once_more_only_when_it_certainly_never_left() {
    let (message_id, at_) = ("m-1".to_owned(), at(0));
    let withheld = |reason| MailState::Withheld { reason };
    for (auto_reply, expected, why) in [
        (
            MailState::Failed {
                reason: "MessageRejected".into(),
                at: at_,
            },
            Ok(()),
            "SES refused it",
        ),
        (
            withheld(Withheld::Sandbox),
            Ok(()),
            "SES lets emails out now, perhaps",
        ),
        (
            withheld(Withheld::CoolDown),
            Ok(()),
            "it is booked again, or not",
        ),
        (withheld(Withheld::DailyCap), Ok(()), "tomorrow counts anew"),
        (
            withheld(Withheld::CountersUnavailable),
            Ok(()),
            "the counters may be back",
        ),
        (
            withheld(Withheld::Late),
            Ok(()),
            "the therapist asks for it now",
        ),
        (
            withheld(Withheld::Suspect),
            Err(ResendRefused::Suspect),
            "a release says that it is no spam",
        ),
        (
            withheld(Withheld::OwnAddress),
            Err(ResendRefused::NoPerson),
            "it stays the practice's own",
        ),
        (
            withheld(Withheld::RoleAddress),
            Err(ResendRefused::NoPerson),
            "it stays a machine's",
        ),
        (
            withheld(Withheld::Unsendable),
            Err(ResendRefused::Unsendable),
            "no email system carries it next time either",
        ),
        (
            withheld(Withheld::Undeliverable),
            Err(ResendRefused::CameBack),
            "the address turns emails away",
        ),
        (
            MailState::Bounced {
                message_id: message_id.clone(),
                at: at_,
                transient: false,
            },
            Err(ResendRefused::CameBack),
            "it left once",
        ),
        (
            MailState::Complained {
                message_id: message_id.clone(),
                at: at_,
            },
            Err(ResendRefused::CameBack),
            "it is not wanted",
        ),
        (
            MailState::Unknown { at: at_ },
            Err(ResendRefused::MayHaveLeft),
            "a second one could be a second one",
        ),
        (
            MailState::Sent {
                message_id: message_id.clone(),
                at: at_,
                delayed_since: None,
            },
            Err(ResendRefused::Left),
            "one for each enquiry",
        ),
        (
            MailState::Delivered {
                message_id: message_id.clone(),
                at: at_,
            },
            Err(ResendRefused::Left),
            "one for each enquiry",
        ),
        (
            MailState::NEW,
            Err(ResendRefused::Pending),
            "it is on its way",
        ),
        (
            MailState::Sending {
                attempt: 1,
                until: at(2),
            },
            Err(ResendRefused::Pending),
            "it is leaving now",
        ),
    ] {
        let mut emails = Deliveries {
            therapist: MailState::Sent {
                message_id: message_id.clone(),
                at: at_,
                delayed_since: None,
            },
            auto_reply,
            decided: true,
            ..Deliveries::new()
        };
        let before = emails.clone();
        let week = 7 * 24 * 60;
        assert_eq!(emails.resend_to_client(at(week)), expected, "{why}");
        if expected.is_err() {
            assert_eq!(emails, before, "{why}");
            continue;
        }
        assert!(!emails.decided, "{why}: the limits hold for it too");
        assert_eq!(
            emails.claim(at(0), at(week), at(week + 2), &[]),
            Some(EmailKind::AutoReply),
            "{why}"
        );
        assert_eq!(
            emails.resend_to_client(at(week)),
            Err(ResendRefused::Pending),
            "{why}"
        );
    }
}

#[test]
fn the_therapists_email_goes_once_more_from_every_state_in_which_nothing_is_pending() {
    let mut emails = Deliveries::new();
    emails.decide(Some(Withheld::Sandbox));
    assert_eq!(
        emails.resend_to_therapist(at(1)),
        Err(ResendRefused::Pending)
    );
    emails.claim(at(0), at(0), at(2), &[]);
    assert_eq!(
        emails.resend_to_therapist(at(1)),
        Err(ResendRefused::Pending)
    );
    emails.record(EmailKind::Therapist, 1, &accepted(), at(1));
    for report in [
        None,
        Some(Report::Delivered),
        Some(Report::Bounced { transient: false }),
        Some(Report::Complained),
    ] {
        if let Some(report) = report {
            assert!(emails.report(EmailKind::Therapist, report, "m-1", at(2)));
        }
        let mut again = emails.clone();
        assert_eq!(again.resend_to_therapist(at(90)), Ok(()));
        assert_eq!(again.pending_since, Some(at(90)), "no alarm about its age");
        assert_eq!(
            again.claim(at(0), at(90), at(92), &[]),
            Some(EmailKind::Therapist)
        );
        assert_eq!(again.auto_reply, emails.auto_reply);
    }
}

#[test]
fn sending_to_the_therapist_again_keeps_an_auto_reply_from_growing_younger() {
    let mut emails = Deliveries::new();
    emails.decide(None);
    emails.claim(at(0), at(0), at(2), &[]);
    emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
    assert_eq!(emails.resend_to_therapist(at(23 * 60)), Ok(()));
    emails.claim(at(0), at(24 * 60 + 1), at(24 * 60 + 3), &[]);
    assert_eq!(
        emails.auto_reply,
        MailState::Withheld {
            reason: Withheld::Late
        }
    );
}

#[test]
fn an_email_that_was_tried_does_not_hold_up_the_next() {
    let mut emails = Deliveries::new();
    emails.claim(at(0), at(0), at(2), &[]);
    emails.record(EmailKind::Therapist, 1, &SendOutcome::NotSent, at(0));
    assert_eq!(
        emails.claim(at(0), at(0), at(2), &[EmailKind::Therapist]),
        Some(EmailKind::AutoReply)
    );
    assert_eq!(
        emails.therapist,
        MailState::Pending {
            attempts: 1,
            after: None
        }
    );
}

#[test]
fn the_decision_is_made_once() {
    let mut emails = Deliveries::new();
    emails.decide(Some(Withheld::Suspect));
    emails.decide(None);
    assert_eq!(
        emails.auto_reply,
        MailState::Withheld {
            reason: Withheld::Suspect
        }
    );
}

#[test]
fn states_are_stored_under_their_names() {
    let stored = serde_json::to_value(Deliveries::new()).unwrap();
    assert_eq!(
        stored["therapist"],
        serde_json::json!({ "state": "pending", "attempts": 0 })
    );
    assert_eq!(
        serde_json::from_value::<Deliveries>(stored).unwrap(),
        Deliveries::new()
    );
}

#[test]
fn reports_go_upwards_only_and_each_once() {
    let delivered = Report::Delivered;
    let (soft, hard) = (
        Report::Bounced { transient: true },
        Report::Bounced { transient: false },
    );
    for (reports, last, why) in [
        (
            &[delivered, delivered][..],
            "delivered",
            "a repeat changes nothing",
        ),
        (
            &[delivered, soft],
            "delivered",
            "a transient bounce after the delivery changes nothing",
        ),
        (
            &[delivered, hard],
            "bounced",
            "some servers take an email and send it back later",
        ),
        (&[hard, delivered], "bounced", "out of order"),
        (
            &[Report::Complained, hard, delivered],
            "complained",
            "a complaint outranks everything",
        ),
        (
            &[Report::Rejected, delivered],
            "failed",
            "a rejected email never left",
        ),
        (&[soft], "bounced", "SES has given up trying"),
        (
            &[soft, delivered],
            "delivered",
            "an automatic reply was faster",
        ),
        (&[soft, hard], "bounced", "and then for good"),
        (
            &[Report::Suppressed, delivered],
            "failed",
            "SES has not sent it",
        ),
    ] {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::AutoReply, 1, &accepted(), at(0));
        assert!(
            !emails.report(EmailKind::AutoReply, hard, "another", at(1)),
            "another email's report"
        );
        for report in reports {
            emails.report(EmailKind::AutoReply, *report, "m-1", at(1));
        }
        let state = serde_json::to_value(&emails.auto_reply).unwrap();
        assert_eq!(state["state"], last, "{why}");
        assert_eq!(emails.notice.is_some(), last != "delivered", "{why}");
    }
}

#[test]
fn a_delay_is_noted_once_and_whatever_else_is_reported_says_more() {
    let hard = Report::Bounced { transient: false };
    for (reports, state, delayed, why) in [
        (&[Report::Delayed][..], "sent", true, "it is on its way"),
        (
            &[Report::Delayed, Report::Delayed],
            "sent",
            true,
            "the first delay is the one that counts",
        ),
        (
            &[Report::Delayed, Report::Delivered],
            "delivered",
            false,
            "it has arrived",
        ),
        (
            &[Report::Delivered, Report::Delayed],
            "delivered",
            false,
            "out of order",
        ),
        (
            &[Report::Delayed, hard],
            "bounced",
            false,
            "SES has given up",
        ),
        (&[hard, Report::Delayed], "bounced", false, "late"),
        (
            &[Report::Rejected, Report::Delayed],
            "pending",
            false,
            "a rejected email never left, and goes without the client's words",
        ),
    ] {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        assert!(
            !emails.report(EmailKind::Therapist, Report::Delayed, "m-1", at(0)),
            "while it is being sent, who sends it knows best"
        );
        emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
        assert!(
            !emails.report(EmailKind::Therapist, Report::Delayed, "another", at(1)),
            "another email's report"
        );
        for (minute, report) in (1..).zip(reports) {
            emails.report(EmailKind::Therapist, *report, "m-1", at(minute));
        }
        let shown = serde_json::to_value(&emails.therapist).unwrap();
        assert_eq!(shown["state"], state, "{why}");
        let since = delayed.then(|| at(1).to_string());
        assert_eq!(shown["delayed_since"].as_str(), since.as_deref(), "{why}");
    }
}

#[test]
fn an_email_that_was_stored_before_delays_were_noted_is_read() {
    let stored =
        serde_json::json!({ "state": "sent", "message_id": "m-1", "at": "2026-11-23T09:30:00Z" });
    let read: MailState = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), stored);
}

#[test]
fn a_member_of_a_later_version_does_not_make_an_email_unreadable() {
    let newer = serde_json::json!({
        "state": "sent", "message_id": "m-1", "at": "2026-11-23T09:30:00Z", "surprise": 7,
    });
    assert!(serde_json::from_value::<MailState>(newer).is_ok());
}

#[test]
fn a_report_settles_an_email_that_was_unknown() {
    let mut emails = Deliveries::new();
    emails.claim(at(0), at(0), at(2), &[]);
    assert!(emails.report(EmailKind::Therapist, Report::Delivered, "m-1", at(1)));
    assert!(!emails.record(EmailKind::Therapist, 1, &SendOutcome::Ambiguous, at(1)));
    assert!(!emails.therapist.is_pending(), "no second copy");
}

#[test]
fn a_report_that_comes_before_the_answer_of_its_send_sends_the_email_again() {
    for (report, after) in [
        (Report::Suppressed, Some(at(61))),
        (Report::Bounced { transient: true }, Some(at(61))),
        (Report::Rejected, None),
    ] {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        assert!(emails.report(EmailKind::Therapist, report, "m-1", at(0)));
        assert!(emails.record(EmailKind::Therapist, 1, &accepted(), at(1)));
        assert_eq!(
            emails.therapist,
            MailState::Pending { attempts: 1, after },
            "{report:?}"
        );
        assert!(
            !emails.report(EmailKind::Therapist, report, "m-1", at(1)),
            "a repeat"
        );
        assert_eq!(emails.bare, report == Report::Rejected);
    }
}

#[test]
fn a_refusal_of_long_ago_does_not_make_the_next_one_final() {
    let refused = SendOutcome::Permanent {
        reason: "MessageRejected".into(),
    };
    let days = |days: i64| days * 24 * 60;
    let mut emails = Deliveries::new();
    emails.claim(at(0), at(0), at(2), &[]);
    emails.record(EmailKind::Therapist, 1, &refused, at(0));
    emails.claim(at(0), at(60), at(62), &[EmailKind::AutoReply]);
    emails.record(EmailKind::Therapist, 2, &accepted(), at(60));
    emails.resend_to_therapist(at(days(3))).unwrap();
    let claimed = emails.claim(at(0), at(days(3)), at(days(3) + 2), &[]);
    assert_eq!(claimed, Some(EmailKind::Therapist));
    emails.record(EmailKind::Therapist, 1, &refused, at(days(3)));
    assert!(emails.therapist.is_pending(), "it has a day of its own");
}

#[test]
fn a_copy_with_the_words_that_is_rejected_late_does_not_end_the_one_without() {
    let mut emails = Deliveries::new();
    emails.claim(at(0), at(0), at(2), &[]);
    // SES took it, and its answer was lost.
    emails.record(EmailKind::Therapist, 1, &SendOutcome::Ambiguous, at(0));
    emails.claim(at(0), at(1), at(3), &[EmailKind::AutoReply]);
    emails.record(EmailKind::Therapist, 2, &accepted(), at(1));
    assert!(emails.report(EmailKind::Therapist, Report::Rejected, "m-1", at(2)));
    assert!(!emails.report(EmailKind::Therapist, Report::Rejected, "m-0", at(3)));
    assert!(emails.therapist.is_pending(), "it has not left yet");
    emails.claim(at(0), at(4), at(6), &[EmailKind::AutoReply]);
    let bare = SendOutcome::Accepted {
        message_id: "m-2".into(),
    };
    assert!(emails.record(EmailKind::Therapist, 1, &bare, at(4)));
    assert!(emails.report(EmailKind::Therapist, Report::Rejected, "m-2", at(5)));
    assert!(!emails.therapist.is_pending(), "it has now");
}

#[test]
fn what_is_still_reported_of_an_email_does_not_take_the_place_of_one_that_is_sent_once_more() {
    for report in [Report::Bounced { transient: false }, Report::Delivered] {
        let mut emails = Deliveries::new();
        emails.claim(at(0), at(0), at(2), &[]);
        emails.record(EmailKind::Therapist, 1, &accepted(), at(0));
        assert!(emails.report(EmailKind::Therapist, report, "m-1", at(1)));
        emails.resend_to_therapist(at(10)).unwrap();
        let late = |emails: &mut Deliveries| {
            emails.report(EmailKind::Therapist, Report::Delivered, "m-1", at(11))
                || emails.report(EmailKind::Therapist, report, "m-1", at(11))
        };
        assert!(!late(&mut emails), "{report:?}, while it is pending");
        let claimed = emails.claim(at(0), at(12), at(14), &[EmailKind::AutoReply]);
        assert_eq!(claimed, Some(EmailKind::Therapist), "{report:?}");
        assert!(!late(&mut emails), "{report:?}, while it is being sent");
        let again = SendOutcome::Accepted {
            message_id: "m-2".into(),
        };
        assert!(emails.record(EmailKind::Therapist, 1, &again, at(12)));
        assert!(emails.report(EmailKind::Therapist, Report::Delivered, "m-2", at(13)));
    }
}
