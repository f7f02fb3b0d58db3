//! Blocked and trusted senders.

use enquiry_desk::enquiry::EmailAddress;
use enquiry_desk::record::Origin;
use enquiry_desk::spam::{SenderRule, Signal};
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

#[tokio::test]
async fn what_a_blocked_sender_sends_is_spam_by_address_and_by_number() {
    let desk = Desk::start().await;
    let first = reference(&desk.enquire("pest@example.com", &[NUMBER]).await);
    done(
        desk.app
            .desk
            .block(&first, BY, &desk.clock())
            .await
            .unwrap(),
    );
    stands(
        desk.app
            .desk
            .block(&first, BY, &desk.clock())
            .await
            .unwrap(),
    );
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
        assert!(text.contains("you have blocked its sender"), "{text}");
    }
    let other = desk.enquire("other@example.com", &[]).await;
    assert!(
        !judged(&desk, &other).await.0,
        "another address without the number"
    );
    done(
        desk.app
            .desk
            .unblock(&first, BY, &desk.clock())
            .await
            .unwrap(),
    );
    stands(
        desk.app
            .desk
            .unblock(&first, BY, &desk.clock())
            .await
            .unwrap(),
    );
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
            .trust(&reference(&suspect), BY, &desk.clock())
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
    done(
        desk.app
            .desk
            .block(&other, BY, &desk.clock())
            .await
            .unwrap(),
    );
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
    done(
        desk.app
            .desk
            .block(&first, BY, &desk.clock())
            .await
            .unwrap(),
    );
    desk.later(HOUR);
    let second = reference(&desk.enquire("zoe@example.com", &[]).await);
    done(
        desk.app
            .desk
            .trust(&second, BY, &desk.clock())
            .await
            .unwrap(),
    );
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
            .block(&reference(&first), BY, &desk.clock())
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
