//! What a flood costs, computed from the throttles of `template.yaml` and AWS's prices, and stated in the same figures by the template
//! and docs/cost.md; and that the table's cap is above what the throttle lets through.
//!
//! A flood is a month of requests at the full throttle, from so many places that the limit per source never counts. Nothing here
//! was measured on AWS: prices are list prices, units are counted by DynamoDB's rules.

use serde_json::Value;

use crate::support::template::{Stack, text, text_of};

/// List prices of Europe (London) in US dollars, without any free tier, November 2026: Amazon DynamoDB (on demand), Amazon API Gateway
/// (HTTP APIs), AWS Lambda (x86), Amazon SES, Amazon SNS, Amazon CloudWatch (logs) and Amazon EC2 (transfer). docs/cost.md says
/// where each was read.
mod price {
    pub const WRITE_UNIT: f64 = 0.7423e-6;
    pub const READ_UNIT: f64 = 0.1485e-6;
    /// A gigabyte for a month, and its backup to any point in time.
    pub const KEPT_GB: f64 = 0.297 + 0.238;
    pub const REQUEST: f64 = 1.16e-6;
    pub const INVOCATION: f64 = 0.20e-6;
    pub const GB_SECOND: f64 = 16.67e-6;
    pub const EMAIL: f64 = 0.10e-3;
    /// SES reports to SNS what became of an email.
    pub const REPORT: f64 = 0.50e-6;
    pub const LOGGED_GB: f64 = 0.5985;
    pub const SENT_GB: f64 = 0.09;
    /// A month of an alarm beyond an account's ten.
    pub const ALARM: f64 = 0.10;
    /// A month of a dashboard beyond an account's three.
    pub const DASHBOARD: f64 = 3.00;
    /// A month of a secret.
    pub const SECRET: f64 = 0.40;
}

const MONTH: f64 = 365.25 / 12.0 * 86_400.0;
/// What SES lets an account out of its sandbox send in a day, to begin with ("Service quotas in Amazon SES"). What is above stays pending.
const EMAILS_A_DAY: f64 = 50_000.0;
/// How large the item with what was typed is in KiB, rounded up: without a message, with one of a thousand characters, and with
/// the longest of four-byte characters.
const SMALL: u32 = 1;
pub const USUAL: u32 = 2;
pub const LARGEST: u32 = 19;

/// Write units for the transaction that accepts an enquiry: its idempotency record, the source's counter and its state are two
/// each, what was typed twice its size, and each index that it appears in one.
/// `delivery::units` counts them on the wire.
pub const fn to_accept(kib: u32) -> u32 {
    to_the_table(kib) + 4
}

/// The same without the indexes, each of which counts under its own cap.
const fn to_the_table(kib: u32) -> u32 {
    2 + 2 + 2 + 2 * kib
}

/// Write units of one enquiry from the post until both its emails are delivered: accepted; the auto-reply booked (cool-down and day's
/// count, two each); its state, one each time: the decision with the first lease, the two outcomes, two reports; when what was
/// typed expires, written to it once; out of one index.
pub const fn write_units(kib: u32) -> u32 {
    to_accept(kib) + 2 * 2 + 5 + kib + 1
}

/// Read units of the same, where no practice was saved on the desk: what is known of the sender, the enquiry for each of the two reports
/// (both its items), the practice for each of the four events, the desk's gate, the last check, and two queries.
pub const fn read_units(kib: u32) -> f64 {
    (2 + 2 * (kib.div_ceil(4) + 1) + 4 + 1 + 1) as f64 + 2.0 * 0.5
}

fn number(value: &Value) -> f64 {
    text_of(value).parse().unwrap()
}

struct Flood {
    stage: Value,
    memory_gb: f64,
}

impl Flood {
    fn new() -> Self {
        let stack = Stack::new(&[]);
        Self {
            stage: stack.properties("HttpApiStage"),
            memory_gb: number(&stack.properties("Function")["MemorySize"]) / 1024.0,
        }
    }

    /// Requests a second.
    fn rate(&self, route: &str) -> f64 {
        number(&self.settings(route)["ThrottlingRateLimit"])
    }

    fn burst(&self, route: &str) -> f64 {
        number(&self.settings(route)["ThrottlingBurstLimit"])
    }

    fn settings(&self, route: &str) -> &Value {
        match route {
            "$default" => &self.stage["DefaultRouteSettings"],
            route => &self.stage["RouteSettings"][route],
        }
    }

    /// What the function costs that runs so often for so many seconds.
    fn function(&self, invocations: f64, seconds: f64) -> f64 {
        invocations * (price::INVOCATION + seconds * self.memory_gb * price::GB_SECOND)
    }

    /// A month of enquiries.
    fn enquiries(&self, kib: u32) -> f64 {
        let posts = self.rate("POST /enquiries") * MONTH;
        let emails = (2.0 * posts).min(EMAILS_A_DAY * MONTH / 86_400.0);
        let table =
            f64::from(write_units(kib)) * price::WRITE_UNIT + read_units(kib) * price::READ_UNIT;
        // Half of a month's enquiries are kept on the average of that month.
        let kept = f64::from(kib) / 1024.0 / 1024.0 * price::KEPT_GB / 2.0;
        let logged = 2.5e-6 * price::LOGGED_GB;
        // The post, the stream, and two reports.
        posts * (price::REQUEST + table + kept + logged)
            + self.function(4.0 * posts, 0.05)
            + emails * (price::EMAIL + price::REPORT)
    }

    /// A month of pages, the site's largest.
    fn pages(&self, route: &str) -> f64 {
        let requests = self.rate(route) * MONTH;
        let page = text("site/index.html").len() as f64 / 1e9;
        requests * (price::REQUEST + page * price::SENT_GB + 0.3e-6 * price::LOGGED_GB)
            + self.function(requests, 0.01)
    }
}

/// Rounded to two digits: such a figure is not more exact.
fn about(dollars: f64) -> String {
    let step = 10_f64.powf(dollars.log10().floor() - 1.0);
    let figure = ((dollars / step).round() * step).round().to_string();
    match figure.len() {
        4.. => format!(
            "{},{}",
            &figure[..figure.len() - 3],
            &figure[figure.len() - 3..]
        ),
        _ => figure,
    }
}

#[test]
fn what_a_flood_costs_is_said_as_it_is_computed() {
    let flood = Flood::new();
    let template = text("template.yaml");
    let costs = text("docs/cost.md").replace('\n', " ");
    let (small, largest) = (
        about(flood.enquiries(SMALL)),
        about(flood.enquiries(LARGEST)),
    );
    let pages = about(flood.pages("$default"));
    let desk = about(flood.pages("ANY /desk") + flood.pages("ANY /desk/{proxy+}"));
    for line in [
        format!("#   enquiries: some {small} US dollars in small texts, {largest} in the largest"),
        format!("#   pages: some {pages}; what asks for the therapist's pages: some {desk}"),
    ] {
        assert!(template.contains(&line), "template.yaml must say {line:?}");
    }
    let line = format!(
        "some US$ {small} in small texts and {largest} in the largest; of pages {pages}, of the therapist's {desk}"
    );
    assert!(costs.contains(&line), "docs/cost.md must say {line:?}");
}

#[test]
fn the_tables_cap_stands_above_what_the_throttle_lets_through() {
    let flood = Flood::new();
    let table = Stack::new(&[]).properties("Table");
    let cap = number(&table["OnDemandThroughput"]["MaxWriteRequestUnits"]);
    let route = "POST /enquiries";
    let sustained = flood.rate(route) * f64::from(write_units(LARGEST));
    assert!(
        cap >= 2.0 * sustained,
        "{sustained} units a second meet a cap of {cap}"
    );
    let at_once = flood.burst(route) * f64::from(to_the_table(LARGEST));
    assert!(
        cap >= at_once,
        "{at_once} units at once meet a cap of {cap}"
    );
}

/// What alarms and dashboards cost beyond those that an account has free, for so many stacks in it.
fn watching(stacks: usize) -> f64 {
    let stack = Stack::new(&[]);
    let count = |kind: &str| stacks * stack.resources(kind).len();
    let alarms = count("AWS::CloudWatch::Alarm").saturating_sub(10) as f64;
    let dashboards = count("AWS::CloudWatch::Dashboard").saturating_sub(3) as f64;
    alarms * price::ALARM + dashboards * price::DASHBOARD
}

#[test]
fn what_a_month_costs_counts_every_alarm_and_the_dashboard() {
    let stack = Stack::new(&[]);
    let alarms = stack.resources("AWS::CloudWatch::Alarm").len();
    let dashboards = stack.resources("AWS::CloudWatch::Dashboard").len();
    let costs = text("docs/cost.md").replace('\n', " ");
    let line = format!(
        "an account has ten alarms and three dashboards free, and the desk has {alarms} and {dashboards}: US$ {:.2}",
        watching(1)
    );
    assert!(costs.contains(&line), "docs/cost.md must say {line:?}");
    let month = |stacks: usize| stacks as f64 * (0.10 + price::SECRET) + watching(stacks);
    let all = format!(
        "about US$ {:.2} a month, and US$ {:.2} for two desks in one account",
        month(1),
        month(2)
    );
    assert!(costs.contains(&all), "docs/cost.md must say {all:?}");
    let one = format!("about [US$ {:.2} a month]", month(1));
    assert!(
        text("README.md").contains(&one),
        "README.md must say {one:?}"
    );
}
