//! The emails that belong to no enquiry's state: what SES reports of them counts as for any other email to the therapist.

use aws_emulator::ses::account::Suppression;
use aws_emulator::ses::faults::Fault;
use serde_json::{Value, json};

use super::pending::{Bench, at, flood};

/// A desk that has told the number of suspected enquiries by an email of its own, and what SES reports of that one. `before` is done to
/// the account just before it leaves.
async fn told(variables: &[(&str, &str)], before: impl FnOnce(&Bench)) -> (Bench, Vec<Value>) {
    let variables = [&[("RATE_LIMIT_PER_SOURCE", "1000")], variables].concat();
    let bench = Bench::start(&variables).await;
    flood(&bench, at(0), 31).await;
    bench.sweep(at(6)).await;
    before(&bench);
    bench.sweep(at(63)).await;
    let events = reports(&bench);
    bench.logs.take();
    (bench, events)
}

/// What SES reports of the last email.
fn reports(bench: &Bench) -> Vec<Value> {
    let email = bench.emails().pop().unwrap();
    assert_eq!(email.subject, "1 more enquiry that looks like spam");
    email
        .notices
        .iter()
        .map(|notice| notice.sns_event())
        .collect()
}

#[tokio::test]
async fn what_ses_suppressed_is_sent_again_until_it_arrives() {
    for why in Suppression::ALL {
        let suppress = |bench: &Bench, is_suppressed: bool| {
            bench.ses.mailbox().account(|account| {
                account.suppressed = is_suppressed
                    .then(|| ("therapist@example.com".to_owned(), why))
                    .into_iter()
                    .collect();
            });
        };
        let variables = [("THERAPIST_CONFIGURATION_SET", "enquiry-desk")];
        let (bench, events) = told(&variables, |bench| suppress(bench, true)).await;
        assert!(!bench.emails().pop().unwrap().sent);
        bench.tell(at(64), &events).await;
        bench.tell(at(65), &events).await;
        assert_eq!(
            bench.logs.alarms(),
            ["therapist_suppressed"],
            "{why:?}: once"
        );
        assert_eq!(
            bench.sweep(at(100)).await["pending"],
            0,
            "not with every sweep"
        );
        // The operator does what the alarm says.
        suppress(&bench, false);
        let sent = bench.emails().len();
        bench.sweep(at(126)).await;
        assert_eq!(bench.emails().len(), sent + 1);
        assert!(bench.emails().pop().unwrap().sent);
        bench.tell(at(127), &reports(&bench)).await;
        bench.tell(at(127), &events).await;
        bench.sweep(at(200)).await;
        assert_eq!(bench.emails().len(), sent + 1, "a report of the first one");
        assert_eq!(bench.logs.alarms(), ["therapist_suppressed"]);
        assert!(bench.logs.oldest_due_seconds().iter().all(|age| *age < 300));
    }
}

#[tokio::test]
async fn an_automatic_answer_is_no_bounce_in_either_order() {
    for address in [
        "ooto@simulator.amazonses.com",
        "ooto+first@simulator.amazonses.com",
    ] {
        let (bench, events) = told(&[("THERAPIST_EMAIL", address)], |_| {}).await;
        assert_eq!(events.len(), 3);
        let sent = bench.emails().len();
        bench.tell(at(64), &events).await;
        bench.tell(at(65), &events).await;
        bench.sweep(at(200)).await;
        assert_eq!(bench.emails().len(), sent, "{address}");
        assert_eq!(bench.logs.alarms(), [""; 0], "{address}");
    }
}

#[tokio::test]
async fn one_that_comes_back_for_now_goes_again_and_the_second_one_alarms() {
    let (bench, _) = told(&[], |_| {}).await;
    let sent = bench.emails().len();
    let full = |bench: &Bench| {
        let mut event = reports(bench).remove(0);
        let message = event["Records"][0]["Sns"]["Message"].as_str().unwrap();
        let mut record: Value = serde_json::from_str(message).unwrap();
        record["eventType"] = "Bounce".into();
        record["bounce"] = json!({ "bounceType": "Transient", "bounceSubType": "MailboxFull" });
        event["Records"][0]["Sns"]["Message"] = record.to_string().into();
        event
    };
    bench.invoke(at(64), full(&bench)).await;
    assert_eq!(bench.logs.alarms(), [""; 0], "it may be a machine's answer");
    bench.sweep(at(125)).await;
    assert_eq!(bench.emails().len(), sent + 1);
    bench.invoke(at(126), full(&bench)).await;
    assert_eq!(bench.logs.alarms(), ["therapist_unreachable"]);
    // There is room in the mailbox again.
    bench.sweep(at(190)).await;
    assert_eq!(bench.emails().len(), sent + 2);
    bench.tell(at(191), &reports(&bench)).await;
    bench.sweep(at(260)).await;
    assert_eq!(bench.emails().len(), sent + 2);
    assert_eq!(bench.logs.alarms(), ["therapist_unreachable"]);
}

#[tokio::test]
async fn one_that_ses_refuses_is_tried_each_hour_for_a_day() {
    let refuse = |bench: &Bench| bench.ses.mailbox().fail(Fault::Rejected);
    let (bench, _) = told_but_refused(refuse).await;
    assert_eq!(bench.logs.alarms(), ["email_refused"]);
    assert_eq!(bench.sweep(at(100)).await["pending"], 0);
    // What was wrong with it is put right.
    bench.sweep(at(124)).await;
    reports(&bench);
    assert_eq!(bench.logs.alarms(), ["email_refused"]);
    bench.sweep(at(300)).await;
    assert_eq!(bench.logs.oldest_due_seconds().last(), Some(&0));

    let (bench, sent) = told_but_refused(refuse).await;
    for hour in 2..=26 {
        refuse(&bench);
        bench.sweep(at(64 + (hour - 1) * 60)).await;
    }
    assert_eq!(bench.logs.alarms().len(), 25, "a day");
    bench.ses.mailbox().clear_faults();
    bench.sweep(at(64 + 30 * 60)).await;
    assert_eq!(bench.emails().len(), sent, "then it has failed");
}

/// A batch that fails half-way comes again, with those behind the failure that were delivered.
#[tokio::test]
async fn a_suspected_enquiry_that_the_stream_brings_again_is_counted_once() {
    let bench = Bench::start(&[("RATE_LIMIT_PER_SOURCE", "1000")]).await;
    let first = flood(&bench, at(0), 1).await.remove(0);
    for _ in 0..31 {
        let again = bench.stream(&[&first]).await;
        bench.invoke(at(1), again).await;
    }
    assert_eq!(bench.emails_to("therapist@example.com"), 1);
    let second = bench
        .store_with(at(2), "spam@example.org", "2", "filled")
        .await;
    bench.sweep(at(6)).await;
    let shown = bench.show(&second).await;
    assert_eq!(shown["therapist"]["state"], "sent", "{shown}");
    bench.sweep(at(63)).await;
    assert_eq!(bench.emails_to("therapist@example.com"), 2, "and no number");
}

/// The same when SES refuses the email.
async fn told_but_refused(refuse: impl Fn(&Bench)) -> (Bench, usize) {
    let bench = Bench::start(&[("RATE_LIMIT_PER_SOURCE", "1000")]).await;
    flood(&bench, at(0), 31).await;
    bench.sweep(at(6)).await;
    bench.logs.take();
    let sent = bench.emails().len();
    refuse(&bench);
    bench.sweep(at(63)).await;
    (bench, sent)
}
