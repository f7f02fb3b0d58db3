//! How many requests a page takes, as `docs/table.md` says: the same however much is in the table.

use enquiry_desk::desk::list::Filter;
use enquiry_desk::desk::month::Month;
use enquiry_desk::enquiry::EmailAddress;
use enquiry_desk::record::{Mark, Origin};

use super::{HOUR, reference};
use crate::support::desk::Desk;

/// The calls of one page, sorted.
async fn calls<T, E: std::fmt::Debug>(
    desk: &Desk,
    page: impl Future<Output = Result<T, E>>,
) -> Vec<String> {
    desk.wire.operations.lock().unwrap().clear();
    page.await.unwrap();
    let mut calls = desk.wire.operations.lock().unwrap().clone();
    calls.sort();
    calls
}

#[tokio::test]
async fn a_page_takes_the_same_requests_however_much_is_in_the_table() {
    let desk = Desk::start().await;
    let address = EmailAddress::parse("zoe@example.com").unwrap();
    let november: Month = "2026-11".parse().unwrap();
    let mut last = String::new();
    let mut costs = Vec::new();
    for round in 0..2 {
        for n in 0..20 {
            let n = 20 * round + n;
            last = desk
                .post("zoe@example.com", &[("message", &format!("{n}"))])
                .await;
            desk.later(HOUR);
        }
        let (it, clock, filter) = (reference(&last), desk.clock(), Filter::default());
        let use_cases = &desk.app.desk;
        let mark = |mark| use_cases.mark(&it, mark, None, Origin::Desk, &clock);
        costs.push([
            calls(&desk, use_cases.waiting(None)).await,
            calls(&desk, use_cases.enquiry(&it, &clock)).await,
            calls(&desk, use_cases.month(november, &filter, None, &clock)).await,
            calls(&desk, use_cases.person(&address, None, &clock)).await,
            calls(&desk, use_cases.senders(None, &clock)).await,
            calls(&desk, mark(Mark::Answered)).await,
            calls(
                &desk,
                use_cases.note(&it, &last, None, Origin::Desk, &clock),
            )
            .await,
        ]);
    }
    assert_eq!(costs[0], costs[1]);
    let (batch, query) = ("BatchGetItem", "Query");
    let (get, put, transact) = ("GetItem", "PutItem", "TransactWriteItems");
    let expected: [&[&str]; 7] = [
        &[batch, query, query, query],
        &[batch, batch, query],
        &[batch, query],
        &[batch, get, get, query],
        &[query],
        &[batch, put],
        &[batch, batch, transact],
    ];
    for (calls, expected) in costs[0].iter().zip(expected) {
        assert_eq!(calls, expected);
    }
    desk.finish().await;
}
