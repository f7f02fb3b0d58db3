//! A desk of its own for the galleries, in memory: the whole product over the emulator, with a browser at it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_emulator::clock::{Clock, Jump};
use aws_emulator::function::Function;
use aws_emulator::ses::Mailbox;
use aws_emulator::{Emulator, Options};
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::practice::Practice;
use jiff::Timestamp;
use serde_json::{Value, json};
use testing::emulated::{self, Environment};
use testing::gateway;

use crate::product;

/// What the browser says it is.
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
/// How it posts a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// Where it asks from.
const SOURCE: &str = "192.0.2.1";

/// The running desk.
pub(crate) struct House {
    desk: Emulator,
    function: Function,
    app: Arc<Environment>,
    clock: Clock,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u64,
    /// Where it leads; empty for a page.
    pub(crate) location: String,
    pub(crate) body: String,
}

impl House {
    /// A desk for this practice at this time, with these variables set.
    pub(crate) async fn start(
        practice: &Practice,
        at: Timestamp,
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let clock = Clock::ahead(at.duration_since(Timestamp::now()));
        let options = Options {
            account: emulated::account(),
            stream: emulated::stream(),
            clock: clock.clone(),
            time_zone: practice.time_zone.rules().clone(),
            ..Options::new(emulated::table())
        };
        let mut app = None;
        let desk = Emulator::start(options, async |endpoints| {
            let built = product::app(&endpoints, practice.clone(), variables)?;
            app = Some(Arc::clone(&built));
            Ok(product::function(built, clock.clone()))
        })
        .await
        .map_err(|error| error.to_string())?;
        Ok(Self {
            clock,
            function: desk.function().clone(),
            app: app.ok_or("the desk was not built")?,
            desk,
            cookies: Mutex::default(),
        })
    }

    /// Asks as the browser does; `form` is posted, as browsers write it.
    pub(crate) async fn ask(&self, way: &str, form: Option<&str>) -> Result<Answer, String> {
        let method = if form.is_some() { "POST" } else { "GET" };
        let (own, body) = (self.url(), form.unwrap_or_default());
        self.send(&self.function, method, way, own, FORM, body)
            .await
    }

    /// Posts a body of this type from a page of this origin.
    pub(crate) async fn post_from(
        &self,
        origin: &str,
        way: &str,
        media_type: &str,
        body: &str,
    ) -> Result<Answer, String> {
        self.send(&self.function, "POST", way, origin, media_type, body)
            .await
    }

    /// Opens a page while the table is out of reach.
    pub(crate) async fn without_table(
        &self,
        practice: &Practice,
        way: &str,
    ) -> Result<Answer, String> {
        let mut endpoints = self.desk.endpoints().clone();
        // A port that nothing listens at.
        endpoints.dynamodb = "http://127.0.0.1:1".to_owned();
        let app = product::app(&endpoints, practice.clone(), &[]);
        let app = app.map_err(|error| error.to_string())?;
        let function = product::function(app, self.clock.clone());
        self.send(&function, "GET", way, self.url(), FORM, "").await
    }

    /// Sends a request to the function, with the browser's cookies, and keeps those that come back.
    async fn send(
        &self,
        function: &Function,
        method: &str,
        way: &str,
        origin: &str,
        media_type: &str,
        body: &str,
    ) -> Result<Answer, String> {
        let sent: Vec<String> = self
            .cookies()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let headers = json!({
            "accept": "text/html", "content-type": media_type, "origin": origin, "user-agent": IPHONE,
        });
        let request = gateway::request(method, way, &headers, body);
        let mut request = gateway::from(SOURCE, gateway::at("127.0.0.1", request));
        if let Some(request) = request.as_object_mut() {
            request.insert("cookies".to_owned(), sent.into());
        }
        let answer = function.call(request).await?;
        let text = |at| {
            let value = answer.pointer(at).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let status = answer.get("statusCode").and_then(Value::as_u64);
        let set = answer.get("cookies").and_then(Value::as_array);
        let set = set.into_iter().flatten();
        for set in set.filter_map(Value::as_str) {
            let pair = set.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.cookies().insert(name.to_owned(), value.to_owned());
        }
        Ok(Answer {
            status: status.unwrap_or_default(),
            location: text("/headers/location"),
            body: text("/body"),
        })
    }

    fn cookies(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives one of the operator's commands.
    pub(crate) async fn command(&self, command: Value) -> Result<Value, String> {
        self.function.call(command).await
    }

    /// Signs in with a code that needs no email; `more` goes along in the form.
    pub(crate) async fn sign_in(&self, more: &str) -> Result<Answer, String> {
        let made = self.command(json!({ "command": "sign-in" })).await?;
        let code = made.get("code").and_then(Value::as_str);
        let code = code.unwrap_or_default().replace(' ', "");
        self.ask("/desk/code", Some(&format!("code={code}{more}")))
            .await
    }

    /// Posts the form of a client with these fields and what is required beside them, and has it delivered. Gives its reference.
    pub(crate) async fn enquire(&self, form: &str) -> Result<String, String> {
        let goal = if form.contains("goal=") {
            ""
        } else {
            "&goal=treat"
        };
        let form = format!("{form}&consent=yes{goal}");
        let answer = self.ask("/enquiries", Some(&form)).await?;
        let reference = answer.location.split_once("reference=");
        let (_, reference) = reference.ok_or_else(|| format!("{form}: {}", answer.body))?;
        self.desk.settled().await;
        Ok(reference.to_owned())
    }

    /// The link that an email holds, from the deployment's address on.
    pub(crate) fn link(&self, path: &str) -> Result<String, String> {
        let begin = format!("{}{path}", self.desk.endpoints().url);
        let emails = self.desk.emails();
        let texts = emails
            .iter()
            .rev()
            .filter_map(|email| email.html.as_deref());
        let found = texts.filter_map(|html| html.split_once(&format!("href=\"{begin}")));
        let rest = found
            .map(|(_, rest)| rest.split('"').next().unwrap_or_default())
            .next();
        let rest = rest.ok_or_else(|| format!("no email leads to {path}"))?;
        Ok(format!(
            "{path}{}",
            rest.replace("&#38;", "&").replace("&amp;", "&")
        ))
    }

    /// The deployment's address.
    pub(crate) fn url(&self) -> &str {
        self.desk.url()
    }

    /// The account, and the faults, of SES.
    pub(crate) fn ses(&self) -> Mailbox {
        self.desk.ses()
    }

    /// The application as it began.
    pub(crate) fn app(&self) -> &Environment {
        &self.app
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Puts the clock forward.
    pub(crate) async fn jump(&self, jump: Jump) -> Result<(), String> {
        self.desk
            .jump(jump)
            .await
            .map_err(|error| error.to_string())
    }

    /// Changes an item of the table by hand; a dot in the attribute leads into a map.
    pub(crate) async fn set(
        &self,
        pk: &str,
        attribute: &str,
        value: AttributeValue,
    ) -> Result<(), String> {
        let dynamo = self.desk.dynamo();
        let update = dynamo.client().update_item().table_name(dynamo.table());
        let update = update
            .key("pk", AttributeValue::S(pk.to_owned()))
            .update_expression(format!("SET {attribute} = :v"))
            .expression_attribute_values(":v", value);
        update
            .send()
            .await
            .map(drop)
            .map_err(|error| format!("{error:?}"))
    }

    /// Stops everything.
    pub(crate) async fn stop(self) {
        self.desk.stop().await;
    }
}
