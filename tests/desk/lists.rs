//! Who waits, the enquiries of a month, a person, and files of them.

use enquiry_desk::desk::export::Selection;
use enquiry_desk::desk::file::{File, Format};
use enquiry_desk::desk::list::Entry;
use enquiry_desk::desk::list::Filter;
use enquiry_desk::desk::month::Month;
use enquiry_desk::enquiry::EmailAddress;
use enquiry_desk::record::{Event, Mark, Origin};
use enquiry_desk::spam::SenderRule;
use enquiry_desk::withdrawal::{Action, Withdrawal};
use serde_json::{Value, json};

use super::{DAY, HOUR, mark_as, of, reference};
use crate::support::as_many;
use crate::support::desk::Desk;

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_nearest_promise_comes_first_and_what_has_passed_is_overdue() {
    let mut desk = Desk::start().await;
    desk.away_until("2026-12-07");
    let later = desk.post("one@example.com", &[]).await;
    desk.deploy(&[]);
    desk.later(HOUR);
    let soon = desk.post("two@example.com", &[]).await;
    desk.later(HOUR);
    let marked = desk.post("three@example.com", &[]).await;
    let mark = async |name: &str| {
        desk.later(HOUR);
        assert!(mark_as(&desk, name, Mark::Answered).await.is_done());
    };
    mark(&marked).await;
    desk.post("four@example.com", &[("extra_detail", "x")])
        .await;
    desk.later(DAY * 2);
    let waiting = desk.app.desk.waiting(None).await.unwrap();
    assert_eq!(of(&waiting.waiting), [soon.clone(), later.clone()]);
    assert_eq!(of(&waiting.marked), std::slice::from_ref(&marked));
    assert_eq!(waiting.suspects.number, 1);
    assert!(waiting.next.is_none());
    let overdue = |entry: &Entry| match entry {
        Entry::Record(record) => record.is_overdue(desk.clock().now()),
        Entry::Unreadable(_) => panic!("unreadable"),
    };
    assert_eq!(
        waiting.waiting.iter().map(overdue).collect::<Vec<_>>(),
        [true, false]
    );
    // The command says the same.
    let said = desk.ask(json!({ "command": "waiting" })).await;
    assert_eq!(said["waiting"][0]["reference"], soon);
    assert_eq!(said["waiting"][0]["overdue"], true);
    assert_eq!(said["waiting"][1]["overdue"], false);
    assert_eq!(said["last_marked"][0]["reference"], marked);
    assert_eq!(said["suspects"], 1);
    // The last that was marked is shown first, whenever it came in.
    mark(&soon).await;
    let waiting = desk.app.desk.waiting(None).await.unwrap();
    assert_eq!(of(&waiting.waiting), [later]);
    assert_eq!(of(&waiting.marked), [soon, marked]);
    desk.finish().await;
}

#[tokio::test]
async fn many_that_wait_come_in_pages() {
    let desk = Desk::start().await;
    let mut all = Vec::new();
    for n in 0..47 {
        all.push(desk.post(&format!("client{n}@example.com"), &[]).await);
        desk.later(HOUR * 9);
    }
    let first = desk.app.desk.waiting(None).await.unwrap();
    assert_eq!(first.waiting.len(), 45);
    let second = desk.app.desk.waiting(first.next.as_ref()).await.unwrap();
    assert!(second.next.is_none());
    let shown = [of(&first.waiting), of(&second.waiting)].concat();
    assert_eq!(shown.len(), 47);
    let mut sorted = shown.clone();
    sorted.sort();
    all.sort();
    assert_eq!(sorted, all, "each once");
    desk.finish().await;
}

#[tokio::test]
async fn a_month_is_filtered_by_mark_spam_and_name() {
    let desk = Desk::start().await;
    let waits = desk
        .post("one@example.com", &[("name", "Zoë Brontë")])
        .await;
    desk.later(HOUR);
    let booked = desk
        .post("two@example.com", &[("name", "Zoe Carter")])
        .await;
    desk.later(HOUR);
    let suspect = desk
        .post(
            "three@example.com",
            &[("name", "Ben"), ("extra_detail", "x")],
        )
        .await;
    assert!(mark_as(&desk, &booked, Mark::Booked).await.is_done());
    // Another month.
    desk.later(DAY * 10);
    let december = desk.post("four@example.com", &[]).await;
    let november = month("2026-11");
    let filter = |mark, suspect, name: &str| Filter {
        mark,
        suspect,
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
    };
    for (filter, expected) in [
        (Filter::default(), vec![&suspect, &booked, &waits]),
        (filter(Some(Mark::Waiting), None, ""), vec![&waits]),
        (filter(Some(Mark::Booked), None, ""), vec![&booked]),
        (filter(Some(Mark::Answered), None, ""), vec![]),
        (filter(None, Some(true), ""), vec![&suspect]),
        (filter(None, Some(false), ""), vec![&booked, &waits]),
        (filter(None, None, "ZOE"), vec![&booked, &waits]),
        (filter(None, None, "bronte"), vec![&waits]),
        (
            filter(Some(Mark::Booked), Some(false), "zoë"),
            vec![&booked],
        ),
    ] {
        let list = desk
            .app
            .desk
            .month(november, &filter, None, &desk.clock())
            .await
            .unwrap();
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(of(&list.entries), expected, "{filter:?}");
        assert!(list.next.is_none());
        // The command filters in the same way.
        let mut command = json!({ "command": "list", "from": "2026-11-01", "to": "2026-11-30" });
        let mut set = |name: &str, value: Value| command[name] = value;
        if let Some(mark) = filter.mark {
            set("as", mark.key().into());
        }
        if let Some(suspect) = filter.suspect {
            set("suspect", suspect.into());
        }
        if let Some(name) = &filter.name {
            set("name", name.as_str().into());
        }
        let said = desk.ask(command).await;
        assert_eq!(
            crate::support::desk::references(&said),
            expected,
            "{filter:?}"
        );
    }
    let months = desk.app.desk.months(&desk.clock()).await.unwrap();
    assert_eq!(months, [month("2026-12"), november]);
    let list = desk
        .app
        .desk
        .month(months[0], &Filter::default(), None, &desk.clock())
        .await
        .unwrap();
    assert_eq!(of(&list.entries), [december]);
    desk.finish().await;
}

#[tokio::test]
async fn a_filter_that_takes_few_reads_on_and_the_pages_meet() {
    let desk = Desk::start().await;
    let mut real = Vec::new();
    for n in 0..120 {
        let trap = if n % 40 == 0 { "" } else { "x" };
        let name = desk
            .post(&format!("client{n}@example.com"), &[("extra_detail", trap)])
            .await;
        if trap.is_empty() {
            real.push(name);
        }
        desk.later(HOUR);
    }
    let (mut shown, mut after, mut pages) = (Vec::new(), None, 0);
    let filter = Filter {
        suspect: Some(false),
        ..Filter::default()
    };
    loop {
        let clock = desk.clock();
        let list = desk
            .app
            .desk
            .month(month("2026-11"), &filter, after.as_ref(), &clock);
        let list = list.await.unwrap();
        shown.extend(of(&list.entries));
        pages += 1;
        after = list.next;
        if after.is_none() {
            break;
        }
    }
    real.reverse();
    assert_eq!((shown, pages), (real, 1));
    desk.finish().await;
}

#[tokio::test]
async fn a_file_has_every_answer_and_what_became_of_it() {
    let desk = Desk::start().await;
    let long = "=Ä\"\n".repeat(1_000);
    for n in 0..60 {
        let email = format!("client{n}@example.com");
        desk.post(&email, &[("name", "+Zoe"), ("message", &long)])
            .await;
        desk.later(HOUR);
    }
    let note = "n".repeat(2_000);
    let november = month("2026-11");
    let all = desk
        .app
        .desk
        .month(november, &Filter::default(), None, &desk.clock())
        .await
        .unwrap();
    let noted = reference(&of(&all.entries)[0]);
    desk.app
        .desk
        .note(&noted, &note, None, Origin::Desk, &desk.clock())
        .await
        .unwrap();
    for format in [Format::Json, Format::Csv] {
        let (mut after, mut count, mut names) = (None, 0, Vec::new());
        loop {
            let clock = desk.clock();
            let file = desk
                .app
                .desk
                .file(Selection::Month(november), format, after, &clock);
            let file: File = file.await.unwrap();
            assert!(
                file.content.len() <= File::LARGEST,
                "{}",
                file.content.len()
            );
            if format == Format::Json {
                let read: Value = serde_json::from_str(&file.content).unwrap();
                assert_eq!(read["enquiries"].as_array().unwrap().len(), file.count);
                if count == 0 {
                    assert_eq!(read["enquiries"][0]["note"], note);
                    assert_eq!(read["enquiries"][0]["mark"], "waiting");
                    assert_eq!(read["enquiries"][0]["timeline"][1]["event"], "noted desk");
                }
            } else {
                assert_eq!(file.content.matches("\"'+Zoe\"").count(), file.count);
                assert!(file.content.contains("\"'=Ä\"\""), "a formula stays text");
            }
            count += file.count;
            names.push(file.name);
            after = file.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(count, 60);
        let extension = if format == Format::Json {
            "json"
        } else {
            "csv"
        };
        assert_eq!(names[0], format!("enquiries-2026-11.{extension}"));
    }
    desk.finish().await;
}

#[tokio::test]
async fn a_person_is_everything_about_one_address_however_it_is_spelt() {
    let desk = Desk::start().await;
    let first = desk.enquire("zoe@example.com", &[]).await;
    desk.later(HOUR);
    let second = desk
        .enquire("Zoe+x@example.com", &[("message", "again")])
        .await;
    desk.later(HOUR);
    desk.enquire("ben@example.com", &[]).await;
    let block = desk
        .app
        .desk
        .rule(
            &reference(&first),
            Some(SenderRule::Blocked),
            Origin::Desk,
            &desk.clock(),
        )
        .await;
    assert!(block.unwrap().is_done());
    let address = EmailAddress::parse("ZOE@example.com").unwrap();
    let person = desk
        .app
        .desk
        .person(&address, None, &desk.clock())
        .await
        .unwrap();
    assert_eq!(
        of(&person.enquiries.entries),
        [second.clone(), first.clone()]
    );
    assert!(person.cool_down.is_some());
    assert_eq!(person.sender.unwrap().because_of, Some(reference(&first)));
    // On the enquiry itself, the others of the same person.
    let whole = desk
        .app
        .desk
        .enquiry(&reference(&second), &desk.clock())
        .await
        .unwrap();
    assert_eq!(whole.others.len(), 1);
    assert_eq!(whole.others[0].reference, reference(&first));
    assert!(!whole.more_others);
    assert!(whole.senders.address.is_some() && whole.senders.number.is_none());
    // The file for its owner.
    let clock = desk.clock();
    let selection = Selection::Person(&address);
    let file = desk.app.desk.file(selection, Format::Json, None, &clock);
    let file = file.await.unwrap();
    assert_eq!(
        (file.name.as_str(), file.count),
        ("enquiries-of-one-person.json", 2)
    );
    let read: Value = serde_json::from_str(&file.content).unwrap();
    assert_eq!(
        read["enquiries"][0]["about_the_sender"][0]["rule"],
        "blocked"
    );
    assert!(read["about_the_address"]["what"].is_string());
    assert!(!file.content.contains("ben@"));
    desk.finish().await;
}

#[tokio::test]
async fn what_a_client_has_withdrawn_is_in_no_list() {
    let desk = Desk::start().await;
    let name = desk.enquire("zoe@example.com", &[]).await;
    let client = Withdrawal::new(desk.app.store.clone());
    let done = client
        .act(&reference(&name), Action::Withdraw, &desk.clock())
        .await;
    assert!(done.unwrap().is_some());
    let waiting = desk.app.desk.waiting(None).await.unwrap();
    assert!(waiting.waiting.is_empty() && waiting.marked.is_empty());
    let (filter, clock) = (Filter::default(), desk.clock());
    let list = desk
        .app
        .desk
        .month(month("2026-11"), &filter, None, &clock)
        .await;
    assert!(list.unwrap().entries.is_empty());
    // By its reference she sees that it was withdrawn.
    let whole = desk
        .app
        .desk
        .enquiry(&reference(&name), &clock)
        .await
        .unwrap();
    assert_eq!(whole.timeline.last().unwrap().event, Event::Withdrawn);
    client
        .act(&reference(&name), Action::Keep, &clock)
        .await
        .unwrap();
    let waiting = desk.app.desk.waiting(None).await.unwrap();
    assert_eq!(of(&waiting.waiting), [name]);
    desk.finish().await;
}

#[tokio::test]
async fn a_large_month_is_several_files() {
    let desk = Desk::start().await;
    desk.enquire("zoe@example.com", &[("message", "long")])
        .await;
    const MADE: usize = 27;
    for item in as_many(&desk.items().await, &"😀".repeat(40_000), MADE) {
        desk.put(item).await;
    }
    let november = Selection::Month(month("2026-11"));
    for format in [Format::Json, Format::Csv] {
        let (mut after, mut counts, mut names) = (None, Vec::new(), Vec::new());
        loop {
            let clock = desk.clock();
            let file = desk
                .app
                .desk
                .file(november, format, after, &clock)
                .await
                .unwrap();
            assert!(
                file.content.len() <= File::LARGEST,
                "{}",
                file.content.len()
            );
            counts.push(file.count);
            names.push(file.name);
            after = file.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(counts.iter().sum::<usize>(), MADE);
        assert_eq!(counts.len(), 2, "{counts:?}");
        assert!(
            names[1].starts_with("enquiries-2026-11-after-BB-"),
            "{names:?}"
        );
    }
    desk.finish().await;
}
