//! What a page costs at the table, counted on the wire: `docs/table.md` has these figures, and they do not grow with the table.

use std::sync::Arc;

use aws_emulator::meter::{Cost, Meter};
use enquiry_desk::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testing::gateway;

use crate::support::browser::Browser;
use crate::support::emulated::{self, Environment};
use crate::support::{BROWSER, COMPLETE, Item, TestApp, as_many, urlencoded};

/// How many enquiries are in the table at first; then twice as many. Each list has more than a page of them.
const ENQUIRIES: usize = 60;

/// The function as another instance has it, whose calls are counted, and the cookies of a browser that is signed in.
struct Counted {
    instance: Arc<Environment>,
    meter: Arc<Meter>,
    cookies: Vec<String>,
}

impl Counted {
    fn of(app: &TestApp, browser: &Browser<'_>) -> Self {
        let meter = Arc::new(Meter::default());
        let cookies = browser.cookies.lock().unwrap();
        let cookies = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Self {
            instance: emulated::app(app.desk.endpoints(), &[], meter.client()).unwrap(),
            meter,
            cookies: cookies.collect(),
        }
    }

    /// What an event costs.
    async fn cost(&self, event: Value) -> (Cost, Value) {
        let now = Timestamp::now();
        let clock = Clock::new(now, now + SignedDuration::from_secs(29));
        self.meter.take();
        let answer = self.instance.handle(event, &clock).await.unwrap();
        let cost = self.meter.take();
        assert_eq!(cost.refused, 0);
        (cost, answer)
    }

    /// What a page, or a form that is posted, costs.
    async fn page(&self, address: &str, form: Option<&[(&str, &str)]>) -> Cost {
        let method = form.map_or("GET", |_| "POST");
        let headers = json!({
            "accept": BROWSER, "content-type": gateway::FORM, "origin": "https://desk.example.com",
        });
        let body = urlencoded(form.unwrap_or_default());
        let event = gateway::request(method, address, &headers, &body);
        let mut event = gateway::at("desk.example.com", event);
        event["cookies"] = self.cookies.clone().into();
        let (cost, answer) = self.cost(event).await;
        let status = answer["statusCode"].as_u64();
        assert!(matches!(status, Some(200 | 303)), "{address}: {answer}");
        cost
    }
}

/// Another sixty from one address, copied from the one enquiry among these items, of which six are marked. Their references.
async fn fill(app: &TestApp, items: &[Item], round: usize) -> Vec<String> {
    let named = |n: usize| format!("BB-{n:05}");
    let all: Vec<String> = (0..ENQUIRIES)
        .map(|n| named(round * ENQUIRIES + n + 1))
        .collect();
    for item in as_many(items, "It began in spring.", (round + 1) * ENQUIRIES + 1) {
        let key = item["pk"].as_s().unwrap();
        if all.iter().any(|reference| key.ends_with(reference)) {
            app.put(item).await;
        }
    }
    for reference in &all[..6] {
        let mark = json!({ "command": "mark", "reference": reference, "as": "answered" });
        app.invoke(mark).await.unwrap();
    }
    all
}

#[tokio::test]
async fn a_page_costs_what_the_documents_say_however_much_is_in_the_table() {
    let app = TestApp::start().await;
    let browser = Browser::signed_in(&app).await;
    let counted = Counted::of(&app, &browser);
    let address = [("email", "zoe@example.com")];
    app.post_form(&COMPLETE).await;
    app.emails().await;
    let items = app.all_items().await;
    let mut rounds = Vec::new();
    let mut files = Vec::new();
    for round in 0..2 {
        let all = fill(&app, &items, round).await;
        let [other, last] = [&all[50], &all[ENQUIRIES - 1]];
        let enquiry = format!("/desk/enquiries/{last}");
        let at = |action: &str| format!("{enquiry}/{action}");
        // What an instance asks once an hour is asked now.
        let warm = format!("/desk/enquiries/{}/resend", all[51]);
        counted.page(&warm, Some(&[])).await;
        let page = async |what: &str, path: &str| (what.to_owned(), counted.page(path, None).await);
        let post = async |what: &str, path: &str, form: &[(&str, &str)]| {
            (what.to_owned(), counted.page(path, Some(form)).await)
        };
        rounds.push([
            page("who waits: 45, and 5 that were marked", "/desk").await,
            page("an enquiry", &enquiry).await,
            page("a month: 50 enquiries", "/desk/enquiries").await,
            post("a person: 50 enquiries", "/desk/people", &address).await,
            page("blocked and trusted senders: none", "/desk/people").await,
            page("is everything well", "/desk/health").await,
            page(
                "the practice, or a section of it",
                "/desk/practice/treatments",
            )
            .await,
            page("signed-in browsers: 1", "/desk/browsers").await,
            post(
                "a mark",
                &at("mark"),
                &[("as", "booked"), ("seen", "waiting")],
            )
            .await,
            post("a mark taken back", &at("undo"), &[("undone", "booked")]).await,
            post("a note", &at("note"), &[("note", "x"), ("seen", "0")]).await,
            post("spam", &at("spam"), &[]).await,
            post("not spam", &at("not-spam"), &[]).await,
            post("a block", &at("block"), &[]).await,
            post("a block taken back", &at("unblock"), &[]).await,
            post(
                "the email to the therapist again",
                &format!("/desk/enquiries/{other}/resend"),
                &[],
            )
            .await,
        ]);
        let month = &Timestamp::now().to_string()[..7];
        files.push(
            counted
                .page(&format!("/desk/files/{month}/csv"), None)
                .await,
        );
    }
    let [before, after] = &rounds[..] else {
        unreachable!()
    };
    assert_eq!(before, after);
    let documents = include_str!("../../docs/table.md");
    let row = |(what, cost): &(String, Cost)| {
        format!("| {what} | {} | {} |\n", cost.requests, cost.units)
    };
    let rows: String = before.iter().map(row).collect();
    assert!(documents.contains(&rows), "docs/table.md lacks:\n{rows}");
    // A file costs what is in it.
    let (requests, units) = (
        files[1].requests - files[0].requests,
        (files[1].units - files[0].units) / ENQUIRIES as f64,
    );
    let row = format!(
        "| a file, for each 33 enquiries | 3 | {:.0} |\n",
        units * 33.0
    );
    assert!(documents.contains(&row), "docs/table.md lacks:\n{row}");
    assert_eq!(requests, 6, "{files:?}");
    app.finish().await;
}
