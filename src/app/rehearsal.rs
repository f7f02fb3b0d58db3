//! One enquiry while the function starts, so that the first client does not wait for what is done once: expressions that are compiled,
//! tables that are read, templates, the router, the SDK's own preparations. It goes the whole way that an enquiry goes, in an
//! application of its own whose calls reach no network, and is not logged.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::yield_now;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::App;
use crate::aws::{Clients, no_network};
use crate::clock::Clock;
use crate::practice;
use crate::settings::Settings;
use crate::web::Copied;

/// Takes one enquiry that leaves no trace; gives the answer, unless a setting is wrong. In between it lets what waits for the network go
/// on: a connection that is open has its next message to send.
pub(super) async fn rehearse(
    variable: impl Fn(&str) -> Option<String>,
    clock: &Clock,
) -> Option<Value> {
    yield_now().await;
    let practice = practice::compiled().clone();
    yield_now().await;
    // The key is none that anything was ever made with.
    let key = |name: &str| (name == "HASH_KEY").then(|| "-".repeat(32));
    // What is wrong is told by the application that is built next.
    let mut settings = Settings::from_env(|name| key(name).or_else(|| variable(name))).ok()?;
    // What is rehearsed is an enquiry, also where the practice has not been read yet.
    settings.web.is_open = true;
    let clients = Clients::from_variables(no_network(), variable);
    let app = App::new(settings, Arc::new(practice), clients);
    let enquiry = enquiry();
    yield_now().await;
    let answered = app.web.handle(&enquiry, Copied::Now, clock);
    answered.with_subscriber(NoSubscriber::new()).await.ok()?
}

/// A post as API Gateway hands it over, from the desk's own page.
fn enquiry() -> Value {
    const HOST: &str = "desk.example.com";
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/enquiries",
        "rawQueryString": "",
        "headers": {
            "accept": "text/html",
            "content-type": "application/x-www-form-urlencoded",
            "host": HOST,
            "origin": format!("https://{HOST}"),
        },
        "requestContext": {
            "domainName": HOST,
            "http": { "method": "POST", "path": "/enquiries", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
        },
        "body": "name=Zo%C3%AB+Example&email=zoe%40example.com&phone=07700+900982&area=neck&goal=treat&recent_injury=no&warmth=yes\
                 &message=It+aches+after+a+day+at+the+desk.&consent=yes",
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    #[tokio::test]
    async fn the_enquiry_goes_the_whole_way() {
        let variable = |name: &str| {
            let value = match name {
                "AWS_REGION" => "eu-west-2",
                "TABLE_NAME" => "enquiries",
                "THERAPIST_EMAIL" | "SENDER_EMAIL" => "desk@example.com",
                // As in a build without a practice.
                "PRACTICE_NAME" => "Quiet Hands",
                "PRACTICE_PHONE" => "01632 960123",
                "TIME_ZONE" => "Europe/London",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let now = Timestamp::now();
        let clock = Clock::new(now, now + SignedDuration::from_secs(1));
        let answer = rehearse(variable, &clock).await;
        assert_eq!(answer.unwrap()["statusCode"], 303, "taken, not refused");
    }
}
