//! Alarms lead out: each one of the template says the one thing to do, and has a drill: a test that raises it, does what the text says,
//! and sees it end. What AWS alone can raise says so.

use std::collections::BTreeMap;

use crate::support::template::{Stack, text};

/// The alarm, what its text tells to do, and where that is tried: a test, or why there is none.
const DRILLS: [(&str, &str, Drill); 20] = [
    (
        "OldestPendingAlarm",
        "Amazon SES: is sending paused",
        Drill::Test(
            "delivery::pending::after_days_without_the_event_source_the_sweep_sends_everything_and_says_how_old_it_was",
        ),
    ),
    (
        "OperatorNeededAlarm",
        "Look at the SES console",
        Drill::Test(
            "delivery::drills::a_sweep_stops_at_the_first_refusal_that_concerns_the_whole_account",
        ),
    ),
    (
        "LetterRefusedAlarm",
        "answer the client from there",
        Drill::Test(
            "delivery::pending::an_email_that_ses_refuses_in_every_form_ends_under_an_alarm_of_its_own",
        ),
    ),
    (
        "PracticeUnreadableAlarm",
        "/desk/practice",
        Drill::Test(
            "submission::practice_copy::what_cannot_be_read_leaves_the_last_good_one_and_raises_an_alarm",
        ),
    ),
    (
        "RecordParkedAlarm",
        "answer the client, and erase it",
        Drill::Test(
            "delivery::drills::an_enquiry_that_cannot_be_read_is_shown_as_it_is_and_ends_when_it_is_erased",
        ),
    ),
    (
        "SecretUnavailableAlarm",
        "is it there, has it 32 characters or more",
        Drill::Test(
            "security::secret::without_the_key_an_enquiry_is_stored_and_found_by_its_address_later",
        ),
    ),
    (
        "TableUnavailableAlarm",
        "answer it yourself",
        Drill::Test(
            "delivery::alarms::a_table_that_takes_nothing_is_told_and_the_next_enquiry_is_stored",
        ),
    ),
    (
        "TherapistUnreachableAlarm",
        "deploy with another TherapistEmail",
        Drill::Test(
            "delivery::drills::after_the_mailbox_turned_an_email_away_another_one_gets_it_by_resend",
        ),
    ),
    (
        "TherapistSuppressedAlarm",
        "delete-suppressed-destination",
        Drill::Test(
            "delivery::pending::what_ses_suppressed_to_the_therapist_is_sent_again_until_it_arrives",
        ),
    ),
    (
        "TherapistDelayedAlarm",
        "Is the mailbox full",
        Drill::Test("delivery::pending::a_delay_is_shown_until_something_is_known"),
    ),
    (
        "NightlyTestAlarm",
        "test again: command \"probe\"",
        Drill::Test(
            "delivery::nightly::each_part_that_is_gone_raises_the_alarm_that_names_it_and_the_next_test_ends_it",
        ),
    ),
    (
        "FailureQueueAlarm",
        "tools/replay",
        Drill::Test(
            "delivery::failure_queue::a_bounce_that_ended_on_the_failure_queue_is_recorded_when_its_message_is_sent_again",
        ),
    ),
    (
        "IteratorAgeAlarm",
        "Look in the function's",
        Drill::Test(
            "delivery::pending::deliveries_wait_while_the_function_is_busy_and_none_is_lost",
        ),
    ),
    (
        "FunctionErrorsAlarm",
        "Look in its log",
        Drill::Test(
            "delivery::alarms::a_function_that_fails_loses_nothing_and_its_work_is_done_again",
        ),
    ),
    (
        "ServerErrorsAlarm",
        "send yourself an enquiry",
        Drill::Test(
            "delivery::alarms::a_form_that_takes_nothing_says_so_and_takes_the_same_enquiry_later",
        ),
    ),
    (
        "FunctionThrottlesAlarm",
        "ask for more \"concurrent executions\"",
        Drill::OnAws("the limit is the account's"),
    ),
    (
        "TurnedAwayAlarm",
        "ends by itself",
        Drill::OnAws("the throttle is the gateway's"),
    ),
    (
        "TrafficAlarm",
        "block their senders",
        Drill::OnAws("the gateway counts its requests"),
    ),
    (
        "ComplaintAlarm",
        "mark them as spam",
        Drill::OnAws("SES computes the rate"),
    ),
    (
        "BounceAlarm",
        "mark them as spam",
        Drill::OnAws("SES computes the rate"),
    ),
];

enum Drill {
    Test(&'static str),
    OnAws(&'static str),
}

#[test]
fn each_alarm_says_what_to_do_and_has_a_drill() {
    let stack = Stack::new(&[]);
    let alarms = stack.resources("AWS::CloudWatch::Alarm").into_iter();
    let mut alarms: BTreeMap<String, String> = alarms
        .map(|(id, alarm)| {
            let told = alarm["Properties"]["AlarmDescription"].as_str().unwrap();
            (id, told.to_owned())
        })
        .collect();
    for (alarm, what_to_do, drill) in &DRILLS {
        let told = alarms
            .remove(*alarm)
            .unwrap_or_else(|| panic!("there is no {alarm}"));
        assert!(told.contains(what_to_do), "{alarm}: {told}");
        // "AlarmDescription", CloudFormation template reference.
        assert!(told.len() <= 1_024, "{alarm}: {}", told.len());
        match drill {
            Drill::Test(path) => assert!(has_test(path), "{alarm}: {path}"),
            Drill::OnAws(why) => assert!(!why.is_empty(), "{alarm}"),
        }
    }
    assert!(alarms.is_empty(), "without a drill: {:?}", alarms.keys());
}

/// Whether `delivery::drills::name` is a test.
fn has_test(path: &str) -> bool {
    let (module, name) = path.rsplit_once("::").unwrap();
    let file = format!("tests/{}.rs", module.replace("::", "/"));
    let declared = format!("fn {name}(");
    let source = text(&file);
    let place = source.find(&declared);
    place.is_some_and(|place| {
        source[..place]
            .trim_end_matches("async ")
            .trim_end()
            .ends_with(']')
    })
}
