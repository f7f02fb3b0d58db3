//! Marks, spam and not spam, notes: each done once, told, and taken back.

use enquiry_desk::desk::DeskError;
use enquiry_desk::desk::act::Noted;
use enquiry_desk::mail_state::{EmailKind, MailState, Withheld};
use enquiry_desk::record::{Mark, Note, Origin};
use enquiry_desk::spam::SenderRule;
use jiff::Timestamp;
use serde_json::json;

use super::{DAY, HOUR, done, of, reference, stands};
use crate::support::desk::{Desk, Loss};

const BY: Origin = Origin::Desk;

#[tokio::test]
async fn a_mark_is_made_once_and_undone_once() {
    let desk = Desk::start().await;
    let name = desk.enquire("zoe@example.com", &[]).await;
    let (it, clock) = (reference(&name), desk.clock());
    let mark = async |mark, seen| {
        desk.app
            .desk
            .mark(&it, mark, seen, BY, &clock)
            .await
            .unwrap()
    };
    let undo = async |mark| desk.app.desk.undo(&it, mark, BY, &clock).await.unwrap();
    let waiting = Some(Mark::Waiting);

    let record = done(mark(Mark::Answered, waiting).await);
    assert_eq!(record.state.mark(), Mark::Answered);
    assert!(!record.is_waiting());
    // A second press, and one on a page that shows what stood before.
    assert_eq!(stands(mark(Mark::Answered, waiting).await), record);
    assert_eq!(stands(mark(Mark::Declined, waiting).await), record);
    // Who knows what stands may change it.
    let booked = done(mark(Mark::Booked, Some(Mark::Answered)).await);
    assert_eq!(booked.state.mark(), Mark::Booked);
    // An undo of something else changes nothing; that of what stands brings back what stood before.
    assert_eq!(stands(undo(Mark::Answered).await), booked);
    assert_eq!(done(undo(Mark::Booked).await).state.mark(), Mark::Answered);
    let again = stands(undo(Mark::Booked).await);
    assert_eq!(again.state.mark(), Mark::Answered);
    // A command says as what, whatever stands.
    let record = done(mark(Mark::Waiting, None).await);
    assert!(record.is_waiting());
    assert_eq!(desk.to("zoe@example.com").len(), 1, "a mark sends nothing");
    assert_eq!(desk.to("therapist@example.com").len(), 1);
    desk.finish().await;
}

#[tokio::test]
async fn two_windows_at_once_do_one_thing() {
    let desk = Desk::start().await;
    let it = reference(&desk.enquire("zoe@example.com", &[]).await);
    let clock = desk.clock();
    let press = |mark| {
        desk.app
            .desk
            .mark(&it, mark, Some(Mark::Waiting), BY, &clock)
    };
    let (one, other) = futures_util::join!(press(Mark::Answered), press(Mark::Declined));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(
        one.is_done() != other.is_done(),
        "one of them is told what the other did"
    );
    let stands = desk.app.desk.show(&it).await.unwrap().state.mark();
    assert_eq!(one.record().state.mark(), stands);
    assert_eq!(other.record().state.mark(), stands);
    desk.finish().await;
}

#[tokio::test]
async fn what_looks_like_spam_waits_for_nothing_until_it_is_released() {
    let desk = Desk::start().await;
    let name = desk
        .enquire("zoe@example.com", &[("extra_detail", "x")])
        .await;
    let (it, clock) = (reference(&name), desk.clock());
    let waiting = desk.app.desk.waiting(None).await.unwrap();
    assert!(waiting.waiting.is_empty());
    assert_eq!((waiting.suspects.number, waiting.suspects.more), (1, false));
    assert!(desk.to("zoe@example.com").is_empty());

    let record = done(desk.app.desk.not_spam(&it, BY, &clock).await.unwrap());
    assert!(record.is_waiting());
    assert_eq!(desk.to("zoe@example.com").len(), 1, "the reply is sent");
    stands(desk.app.desk.not_spam(&it, BY, &clock).await.unwrap());
    assert_eq!(desk.to("zoe@example.com").len(), 1, "and once only");
    let waiting = desk.app.desk.waiting(None).await.unwrap();
    assert_eq!(of(&waiting.waiting), [name]);
    assert_eq!(waiting.suspects.number, 0);
    desk.finish().await;
}

#[tokio::test]
async fn spam_by_hand_is_kept_for_the_short_life_from_then_on_and_can_be_taken_back() {
    let desk = Desk::start().await;
    let name = desk.enquire("zoe@example.com", &[]).await;
    let it = reference(&name);
    let expires = async |kind: &str| {
        let item = desk.item(&format!("{kind}#{name}")).await.unwrap();
        let expires = item["expires"].as_n().unwrap().parse().unwrap();
        Timestamp::from_second(expires).unwrap()
    };
    let note = desk
        .app
        .desk
        .note(&it, "odd", None, BY, &desk.clock())
        .await;
    note.unwrap();
    let long = expires("state").await;
    // After a hundred days, so that the short life would have ended long ago if it began with the enquiry.
    desk.later(DAY * 100);
    let now = desk.clock().now();
    let record = done(desk.app.desk.spam(&it, BY, &desk.clock()).await.unwrap());
    assert!(record.state.is_suspect() && !record.is_waiting() && !record.indexed);
    for kind in ["enquiry", "state", "annex"] {
        assert_eq!(expires(kind).await, now + DAY * 30, "{kind}");
    }
    stands(desk.app.desk.spam(&it, BY, &desk.clock()).await.unwrap());
    let record = done(
        desk.app
            .desk
            .not_spam(&it, BY, &desk.clock())
            .await
            .unwrap(),
    );
    assert!(record.is_waiting());
    for kind in ["enquiry", "state", "annex"] {
        assert_eq!(expires(kind).await, long, "{kind}");
    }
    assert_eq!(
        desk.to("zoe@example.com").len(),
        1,
        "it had its reply before"
    );
    desk.finish().await;
}

#[tokio::test]
async fn spam_by_hand_holds_back_a_reply_that_has_not_left() {
    // Before anything was decided about the reply, and when it was to be sent and could not.
    for paused in [false, true] {
        let desk = Desk::start().await;
        let name = desk.post("zoe@example.com", &[]).await;
        let it = reference(&name);
        let image = desk.stream_of(&name).await;
        if paused {
            desk.ses.mailbox().account(|account| account.paused = true);
            desk.ask(image.clone()).await;
        }
        let record = done(desk.app.desk.spam(&it, BY, &desk.clock()).await.unwrap());
        let withheld = MailState::Withheld {
            reason: Withheld::Suspect,
        };
        assert_eq!(record.state.deliveries.auto_reply, withheld);
        desk.ses.mailbox().account(|account| account.paused = false);
        // What the stream brings now is the enquiry as it came in.
        desk.ask(image).await;
        desk.later(HOUR).ask(json!({ "command": "sweep" })).await;
        assert!(desk.to("zoe@example.com").is_empty());
        assert_eq!(desk.to("therapist@example.com").len(), 1, "and no notice");
        done(
            desk.app
                .desk
                .not_spam(&it, BY, &desk.clock())
                .await
                .unwrap(),
        );
        assert_eq!(desk.to("zoe@example.com").len(), 1);
        desk.finish().await;
    }
}

#[tokio::test]
async fn a_note_is_saved_against_what_was_seen() {
    let desk = Desk::start().await;
    let name = desk.enquire("zoe@example.com", &[]).await;
    let (it, clock) = (reference(&name), desk.clock());
    let note = async |text: &str, seen| {
        let saved = desk.app.desk.note(&it, text, seen, BY, &clock).await;
        saved.unwrap()
    };
    let text = |noted: &Noted| match noted {
        Noted::Saved(note) => format!("saved {:?}", note.as_ref().map(Note::text)),
        Noted::Conflict(note) => format!("stands {:?}", note.as_ref().map(Note::text)),
    };
    assert_eq!(text(&note("  \n ", Some(0)).await), "saved None");
    assert_eq!(
        text(&note("first\r\nline", Some(0)).await),
        "saved Some(\"first\\nline\")"
    );
    assert_eq!(
        text(&note("second", Some(0)).await),
        "stands Some(\"first\\nline\")"
    );
    let Noted::Saved(Some(saved)) = note("second", Some(1)).await else {
        panic!("not saved")
    };
    assert_eq!((saved.text(), saved.version), ("second", 2));
    assert_eq!(
        text(&note("second", Some(1)).await),
        "saved Some(\"second\")",
        "it stands so"
    );
    let whole = desk.app.desk.enquiry(&it, &clock).await.unwrap();
    assert_eq!(whole.note, Some(saved));
    let long = desk
        .app
        .desk
        .note(&it, &"é".repeat(Note::MAX + 1), None, BY, &clock)
        .await;
    assert!(matches!(long, Err(DeskError::NoteTooLong(_))));
    let longest = "é".repeat(Note::MAX);
    assert_eq!(
        text(&note(&longest, Some(2)).await),
        format!("saved Some({longest:?})")
    );
    // It is part of what the client may ask to see.
    let export = json!({ "command": "export", "email": "zoe@example.com" });
    assert_eq!(desk.ask(export).await["enquiries"][0]["note"], longest);
    assert_eq!(text(&note("", Some(3)).await), "saved None");
    let whole = desk.app.desk.enquiry(&it, &clock).await.unwrap();
    assert_eq!(whole.note, None);
    assert!(!format!("{:?}", desk.items().await).contains("éé"));
    desk.finish().await;
}

#[tokio::test]
async fn a_note_never_expires_before_its_enquiry_nor_outlives_it() {
    let desk = Desk::start().await;
    let name = desk.post("zoe@example.com", &[]).await;
    let it = reference(&name);
    // Before any email has left, nothing expires; afterwards all of it does, at the same time.
    desk.app
        .desk
        .note(&it, "first", None, BY, &desk.clock())
        .await
        .unwrap();
    let items = async || {
        let mut found = Vec::new();
        for kind in ["enquiry", "state", "annex"] {
            let item = desk.item(&format!("{kind}#{name}")).await.unwrap();
            found.push(item.get("expires").map(|it| it.as_n().unwrap().to_owned()));
        }
        found.dedup();
        found
    };
    assert_eq!(items().await, [None]);
    let image = desk.stream_of(&name).await;
    desk.ask(image).await;
    let kept = items().await;
    assert!(kept.len() == 1 && kept[0].is_some(), "{kept:?}");
    // The email goes once more, and SES takes nothing just then: nothing may expire before it has left.
    desk.ses.mailbox().account(|account| account.paused = true);
    desk.later(HOUR);
    let record = desk
        .app
        .desk
        .resend(&it, EmailKind::Therapist, BY, &desk.clock())
        .await;
    assert!(record.unwrap().state.deliveries.is_pending());
    assert_eq!(items().await, [None]);
    desk.ses.mailbox().account(|account| account.paused = false);
    desk.later(HOUR).ask(json!({ "command": "sweep" })).await;
    assert_eq!(items().await, kept);
    // Erased means erased.
    let erase = json!({ "command": "erase", "reference": name, "confirm": true });
    let receipt = desk.ask(erase).await;
    assert_eq!(receipt["erased"]["notes"], 1);
    assert!(!format!("{:?}", desk.items().await).contains(&name));
    desk.finish().await;
}

#[tokio::test]
async fn an_action_whose_write_is_lost_at_any_call_is_done_by_the_next_press_and_told_once() {
    for lost in 0.. {
        let desk = Desk::start().await;
        let it = reference(&desk.enquire("zoe@example.com", &[]).await);
        desk.wire.lose(Loss::After(lost));
        let clock = desk.clock();
        let first = desk.app.desk.note(&it, "x", Some(0), BY, &clock).await;
        let calls = desk.wire.calls();
        desk.wire.lose(Loss::None);
        let noted = desk
            .app
            .desk
            .note(&it, "x", Some(0), BY, &clock)
            .await
            .unwrap();
        assert!(
            matches!(noted, Noted::Saved(Some(_))),
            "call {lost}: {noted:?}"
        );
        let whole = desk.app.desk.enquiry(&it, &clock).await.unwrap();
        let told = whole
            .timeline
            .iter()
            .filter(|it| it.event.to_string() == "noted desk");
        assert_eq!(told.count(), 1, "call {lost}");
        desk.finish().await;
        if first.is_ok() && calls <= lost {
            assert!(lost >= 3);
            return;
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_said_to_be_gone() {
    let desk = Desk::start().await;
    let (it, clock) = (reference("BB-7KQ4M"), desk.clock());
    let gone = |error: DeskError| assert_eq!(error, DeskError::NotFound(it.clone()));
    gone(desk.app.desk.enquiry(&it, &clock).await.err().unwrap());
    gone(
        desk.app
            .desk
            .mark(&it, Mark::Booked, None, BY, &clock)
            .await
            .err()
            .unwrap(),
    );
    gone(
        desk.app
            .desk
            .undo(&it, Mark::Booked, BY, &clock)
            .await
            .err()
            .unwrap(),
    );
    gone(desk.app.desk.spam(&it, BY, &clock).await.err().unwrap());
    gone(desk.app.desk.not_spam(&it, BY, &clock).await.err().unwrap());
    gone(
        desk.app
            .desk
            .note(&it, "x", None, BY, &clock)
            .await
            .err()
            .unwrap(),
    );
    gone(
        desk.app
            .desk
            .rule(&it, Some(SenderRule::Blocked), BY, &clock)
            .await
            .err()
            .unwrap(),
    );
    assert!(desk.items().await.is_empty());
    desk.finish().await;
}

#[tokio::test]
async fn a_note_that_is_saved_while_its_enquiry_is_erased_does_not_stay() {
    let desk = Desk::start().await;
    let name = desk.enquire("zoe@example.com", &[]).await;
    let it = reference(&name);
    let erase =
        desk.ask(json!({ "command": "erase", "email": "zoe@example.com", "confirm": true }));
    // Between any two of its deletions she saves a note.
    let write = async {
        let mut saved = 0;
        for n in 0..4 {
            desk.wire.held.notified().await;
            let (clock, text) = (desk.clock(), format!("note {n}"));
            let note = desk.app.desk.note(&it, &text, None, BY, &clock);
            saved += usize::from(note.await.is_ok());
            *desk.wire.hold.lock().unwrap() = Some("DeleteItem");
            desk.wire.let_go.notify_one();
        }
        *desk.wire.hold.lock().unwrap() = None;
        desk.wire.let_go.notify_one();
        saved
    };
    *desk.wire.hold.lock().unwrap() = Some("DeleteItem");
    let (receipt, saved) = futures_util::join!(erase, write);
    assert_eq!(receipt["complete"], true, "{receipt}");
    assert!(saved >= 1, "while the state was there");
    let left = format!("{:?}", desk.items().await);
    assert!(!left.contains(&name) && !left.contains("note "), "{left}");
    desk.finish().await;
}
