//! Blocked and trusted senders.

use std::sync::Arc;

use enquiry_desk::clock::Clock;
use enquiry_desk::desk::act::Outcome;
use enquiry_desk::enquiry::{EmailAddress, Reference};
use enquiry_desk::record::Origin;
use enquiry_desk::spam::{SenderRule, Signal};
use jiff::SignedDuration;
use serde_json::json;

use super::{DAY, HOUR, done, reference, stands};
use crate::support::desk::Desk;

const BY: Origin = Origin::Desk;
const LINKS: (&str, &str) = (
    "message",
    "https://a.example https://b.example https://c.example",
);
const NUMBER: (&str, &str) = ("phone", "07700 900982");

/// Whether an enquiry looks like spam, and why.
async fn judged(desk: &Desk, name: &str) -> (bool, Vec<Signal>) {
    let record = desk.app.desk.show(&reference(name)).await.unwrap();
    (record.state.is_suspect(), record.signals)
}

async fn rule(desk: &Desk, reference: &Reference, rule: Option<SenderRule>) -> Outcome {
    let clock = desk.clock();
    let ruled = desk.app.desk.rule(reference, rule, BY, &clock).await;
    ruled.unwrap()
}

#[tokio::test]
async fn what_a_blocked_sender_sends_is_spam_by_address_and_by_number() {
    let desk = Desk::start().await;
    let first = reference(&desk.enquire("pest@example.com", &[NUMBER]).await);
    done(rule(&desk, &first, Some(SenderRule::Blocked)).await);
    stands(rule(&desk, &first, Some(SenderRule::Blocked)).await);
    assert!(
        !judged(&desk, first.as_str()).await.0,
        "the enquiry itself stays as it is"
    );
    desk.later(HOUR);
    let blocked = (true, vec![Signal::BlockedSender]);
    for (email, fields) in [
        ("Pest+again@example.com", &[][..]),
        ("other@example.com", &[("phone", "+44 7700 900982")]),
    ] {
        let name = desk.enquire(email, fields).await;
        assert_eq!(judged(&desk, &name).await, blocked, "{email}");
        assert!(desk.to(email).is_empty(), "no reply");
        let emails = desk.to("therapist@example.com");
        let told = emails.iter().find(|it| it.subject.contains(&name)).unwrap();
        let text = told.text.clone().unwrap();
        assert!(
            text.replace('\n', " ")
                .contains("from a sender you’ve blocked"),
            "{text}"
        );
    }
    let other = desk.enquire("other@example.com", &[]).await;
    assert!(
        !judged(&desk, &other).await.0,
        "another address without the number"
    );
    done(rule(&desk, &first, None).await);
    stands(rule(&desk, &first, None).await);
    let free = desk
        .enquire("pest@example.com", &[NUMBER, ("times", "noon")])
        .await;
    assert!(!judged(&desk, &free).await.0);
    desk.finish().await;
}

#[tokio::test]
async fn what_a_trusted_sender_says_does_not_make_it_spam_and_how_it_was_sent_may() {
    let desk = Desk::start().await;
    let suspect = desk.enquire("zoe@example.com", &[LINKS, NUMBER]).await;
    assert!(judged(&desk, &suspect).await.0);
    done(
        desk.app
            .desk
            .rule(
                &reference(&suspect),
                Some(SenderRule::Trusted),
                BY,
                &desk.clock(),
            )
            .await
            .unwrap(),
    );
    desk.later(HOUR);
    let clear = desk
        .enquire("zoe@example.com", &[LINKS, ("times", "noon")])
        .await;
    assert_eq!(judged(&desk, &clear).await, (false, Vec::new()));
    let program = desk
        .enquire("zoe@example.com", &[LINKS, ("extra_detail", "x")])
        .await;
    assert_eq!(
        judged(&desk, &program).await,
        (true, vec![Signal::Honeypot])
    );
    // Known by both: what was blocked counts.
    let other = reference(
        &desk
            .enquire("other@example.com", &[("phone", "07700 900983")])
            .await,
    );
    done(rule(&desk, &other, Some(SenderRule::Blocked)).await);
    for more in [&[][..], &[LINKS]] {
        let mut fields = vec![("phone", "07700 900983")];
        fields.extend(more);
        let both = desk.enquire("zoe@example.com", &fields).await;
        let (suspect, signals) = judged(&desk, &both).await;
        assert!(
            suspect && signals.contains(&Signal::BlockedSender),
            "{signals:?}"
        );
    }
    desk.finish().await;
}

#[tokio::test]
async fn a_block_is_listed_without_telling_whom_and_ends() {
    let desk = Desk::start().await;
    let first = reference(&desk.enquire("pest@example.com", &[NUMBER]).await);
    done(rule(&desk, &first, Some(SenderRule::Blocked)).await);
    desk.later(HOUR);
    let second = reference(&desk.enquire("zoe@example.com", &[]).await);
    done(rule(&desk, &second, Some(SenderRule::Trusted)).await);
    let page = desk.app.desk.senders(None, &desk.clock()).await.unwrap();
    let listed: Vec<_> = page
        .senders
        .iter()
        .map(|it| (it.rule, it.because_of.clone()))
        .collect();
    assert_eq!(
        listed,
        [
            (SenderRule::Trusted, Some(second.clone())),
            (SenderRule::Blocked, Some(first.clone())),
            (SenderRule::Blocked, Some(first.clone())),
        ]
    );
    let said = desk.ask(json!({ "command": "senders" })).await.to_string();
    assert!(!said.contains("pest") && !said.contains("900982"), "{said}");
    // From the list, one at a time.
    let unblock = json!({ "command": "unblock", "sender": page.senders[0].id.to_string() });
    desk.ask(unblock).await;
    assert_eq!(
        desk.app
            .desk
            .senders(None, &desk.clock())
            .await
            .unwrap()
            .senders
            .len(),
        2
    );
    // It ends by itself, also where the table has not deleted it yet.
    desk.later(DAY * 365);
    assert!(
        desk.app
            .desk
            .senders(None, &desk.clock())
            .await
            .unwrap()
            .senders
            .is_empty()
    );
    let name = desk
        .enquire("pest@example.com", &[NUMBER, ("times", "noon")])
        .await;
    assert!(!judged(&desk, &name).await.0);
    desk.finish().await;
}

#[tokio::test]
async fn erasing_a_person_forgets_the_block_and_erasing_an_enquiry_only_its_name() {
    let desk = Desk::start().await;
    let first = desk.enquire("pest@example.com", &[NUMBER]).await;
    done(
        desk.app
            .desk
            .rule(
                &reference(&first),
                Some(SenderRule::Blocked),
                BY,
                &desk.clock(),
            )
            .await
            .unwrap(),
    );
    desk.later(HOUR);
    let second = desk
        .enquire("pest@example.com", &[NUMBER, ("times", "noon")])
        .await;
    let erase = json!({ "command": "erase", "reference": first });
    let preview = desk.ask(erase).await;
    assert_eq!(preview["about_the_sender"][0]["because_of"], first);
    let erase = json!({ "command": "erase", "reference": first, "confirm": true });
    let receipt = desk.ask(erase).await;
    assert_eq!(receipt["erased"]["senders"], 2, "{receipt}");
    let senders = desk
        .app
        .desk
        .senders(None, &desk.clock())
        .await
        .unwrap()
        .senders;
    assert_eq!(senders.len(), 2, "the block stays");
    assert!(senders.iter().all(|it| it.because_of.is_none()));
    assert!(!format!("{:?}", desk.items().await).contains(&first));
    let address = EmailAddress::parse("pest@example.com").unwrap();
    let person = desk
        .app
        .desk
        .person(&address, None, &desk.clock())
        .await
        .unwrap();
    assert!(person.sender.is_some());

    let erase = json!({ "command": "erase", "email": "pest@example.com", "confirm": true });
    let receipt = desk.ask(erase).await;
    assert_eq!(receipt["references"], json!([second]));
    assert_eq!(receipt["erased"]["senders"], 2, "{receipt}");
    assert_eq!(
        desk.kinds().await,
        ["counter", "counter", "counter"],
        "the source's, the day's, and that of suspected ones"
    );
    let name = desk.enquire("pest@example.com", &[NUMBER]).await;
    assert!(
        !judged(&desk, &name).await.0,
        "nothing is known of them any more"
    );
    desk.finish().await;
}

/// Who blocks and trusts whom; the enquiries are older than the day's auto-replies.
async fn known(desk: &Desk) {
    let pest = reference(&desk.enquire("pest@example.com", &[]).await);
    done(rule(desk, &pest, Some(SenderRule::Blocked)).await);
    let zoe = reference(&desk.enquire("zoe@example.com", &[]).await);
    done(rule(desk, &zoe, Some(SenderRule::Trusted)).await);
    desk.later(DAY * 2);
}

/// What became of the auto-reply.
async fn auto_reply(desk: &Desk, name: &str) -> String {
    let record = desk.app.desk.show(&reference(name)).await.unwrap();
    record.state.deliveries.auto_reply.to_string()
}

#[tokio::test]
async fn a_block_between_the_post_and_the_stream_counts() {
    let desk = Desk::start().await;
    let first = reference(&desk.enquire("pest@example.com", &[]).await);
    desk.later(DAY * 2);
    let name = desk.post("pest@example.com", &[("times", "noon")]).await;
    let record = desk.stream_of(&name).await;
    assert!(
        !judged(&desk, &name).await.0,
        "the client does not wait for it"
    );
    done(rule(&desk, &first, Some(SenderRule::Blocked)).await);
    // The state is another one than the stream knows.
    desk.ask(json!({ "command": "note", "reference": name, "text": "Rang." }))
        .await;
    let blocked = (true, vec![Signal::BlockedSender]);
    for _ in 0..2 {
        desk.ask(record.clone()).await;
        assert_eq!(judged(&desk, &name).await, blocked);
        assert_eq!(desk.to("pest@example.com").len(), 1, "the first one's");
    }
    assert_eq!(auto_reply(&desk, &name).await, "withheld: suspect");
    let waiting = desk.ask(json!({ "command": "waiting" })).await.to_string();
    assert!(!waiting.contains(&format!("\"{name}\"")), "{waiting}");
    // What is said later changes nothing of it.
    done(rule(&desk, &first, None).await);
    desk.ask(record).await;
    assert_eq!(judged(&desk, &name).await, blocked);

    // Without the stream, by the sweep; and trust.
    let suspect = desk.post("zoe@example.com", &[LINKS]).await;
    let zoe = reference(&suspect);
    done(rule(&desk, &zoe, Some(SenderRule::Trusted)).await);
    desk.ask(json!({ "command": "sweep" })).await;
    assert_eq!(judged(&desk, &suspect).await, (false, Vec::new()));
    let replies = desk.to("zoe@example.com").len();
    desk.ask(desk.stream_of(&suspect).await).await;
    assert_eq!((replies, desk.to("zoe@example.com").len()), (1, 1));
    desk.finish().await;
}

#[tokio::test]
async fn without_what_is_known_of_the_sender_the_client_gets_no_auto_reply() {
    let desk = Desk::start().await;
    known(&desk).await;
    let told = desk.to("therapist@example.com").len();
    for (place, email) in ["pest@example.com", "ben@example.com"].iter().enumerate() {
        let name = desk.post(email, &[("times", "noon")]).await;
        let replies = desk.to(email).len();
        *desk.wire.broken.lock().unwrap() = Some("BatchGetItem");
        desk.ask(desk.stream_of(&name).await).await;
        *desk.wire.broken.lock().unwrap() = None;
        assert_eq!(desk.to("therapist@example.com").len(), told + place + 1);
        let withheld = auto_reply(&desk, &name).await;
        assert_eq!(withheld, "withheld: counters_unavailable");
        // It is asked before the auto-reply goes after all.
        let resend = json!({ "command": "resend", "reference": name, "kind": "auto_reply" });
        desk.ask(resend).await;
        let (suspect, sent) = (judged(&desk, &name).await.0, desk.to(email).len() - replies);
        assert_eq!((suspect, sent), (place == 0, place), "{email}");
    }
    desk.finish().await;
}

#[tokio::test]
async fn what_a_person_says_of_an_enquiry_outranks_what_is_known_of_its_sender() {
    let desk = Desk::start().await;
    known(&desk).await;
    let (pest, zoe) = (
        desk.to("pest@example.com").len(),
        desk.to("zoe@example.com").len(),
    );
    let real = desk.post("pest@example.com", &[LINKS]).await;
    let real = reference(&real);
    done(
        desk.app
            .desk
            .not_spam(&real, BY, &desk.clock())
            .await
            .unwrap(),
    );
    let spam = reference(&desk.post("zoe@example.com", &[("times", "noon")]).await);
    done(desk.app.desk.spam(&spam, BY, &desk.clock()).await.unwrap());
    for (enquiry, suspect) in [(real, false), (spam, true)] {
        desk.ask(desk.stream_of(enquiry.as_str()).await).await;
        assert_eq!(judged(&desk, enquiry.as_str()).await.0, suspect);
    }
    assert_eq!(desk.to("pest@example.com").len(), pest + 1);
    assert_eq!(desk.to("zoe@example.com").len(), zoe);
    desk.finish().await;
}

#[tokio::test]
async fn a_release_while_the_stream_decides_is_answered() {
    let desk = Arc::new(Desk::start().await);
    let name = desk.post("zoe@example.com", &[LINKS]).await;
    let record = desk.stream_of(&name).await;
    *desk.wire.hold.lock().unwrap() = Some("Query");
    let stream = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { desk.ask(record).await }
    });
    desk.wire.held.notified().await;
    // There is no time left to send anything.
    let now = desk.clock().now();
    let short = Clock::new(now, now + SignedDuration::from_secs(5));
    done(
        desk.app
            .desk
            .not_spam(&reference(&name), BY, &short)
            .await
            .unwrap(),
    );
    desk.wire.let_go.notify_one();
    stream.await.unwrap();
    assert_eq!(auto_reply(&desk, &name).await, "sent");
    assert_eq!(desk.to("zoe@example.com").len(), 1);
    Arc::into_inner(desk).unwrap().finish().await;
}
