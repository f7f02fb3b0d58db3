//! The product in the emulator: its table, its event source, its settings, and the real application as the function.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use aws_emulator::dynamodb::{Dynamo, Index, TableDefinition};
use aws_emulator::function::Function;
use aws_emulator::ses::Ses;
use aws_emulator::ses::account::Account;
use aws_emulator::stream::filter::Filter;
use aws_emulator::stream::{self, mapping};
use aws_emulator::{Endpoints, Options, aws};
use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::app::{App, Runtime};
use enquiry_desk::aws::Clients;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::{self, Practice};
use enquiry_desk::settings::{SettingErrors, Settings};
use enquiry_desk::store::schema;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;
use serde_json::Value;

/// How long one invocation may take: `Timeout` in `template.yaml`.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(29);

/// The secret of the emulated desk.
pub const HASH_KEY: &str = "this-key-keeps-no-secret-it-is-for-one-machine";

const CONFIGURATION_SET: &str = "enquiry-desk";
/// That of the emails to the therapist.
const THERAPIST_CONFIGURATION_SET: &str = "enquiry-desk-therapist";

/// The table of `template.yaml`.
pub fn table() -> TableDefinition {
    TableDefinition {
        name: "enquiries".to_owned(),
        partition_key: schema::PARTITION_KEY.to_owned(),
        expiry: Some(schema::EXPIRY.to_owned()),
        indexes: schema::INDEXES
            .iter()
            .map(|index| Index {
                name: index.name.to_owned(),
                partition_key: index.partition_key.to_owned(),
                sort_key: index.sort_key.to_owned(),
            })
            .collect(),
    }
}

/// The event source of `template.yaml`.
pub fn event_source() -> mapping::Settings {
    mapping::Settings {
        filters: vec![Filter::parse(schema::NEW_ENQUIRIES).unwrap()],
        ..mapping::Settings::default()
    }
}

/// The stream with this event source.
pub fn stream() -> stream::Settings {
    stream::Settings {
        mapping: event_source(),
        ..stream::Settings::default()
    }
}

/// An SES account that has the product's configuration sets.
pub fn account() -> Account {
    Account {
        configuration_sets: [CONFIGURATION_SET, THERAPIST_CONFIGURATION_SET]
            .map(str::to_owned)
            .into(),
        unsuppressed_sets: [THERAPIST_CONFIGURATION_SET.to_owned()].into(),
        ..Account::default()
    }
}

/// Everything in memory, with the example site.
pub fn options() -> Options {
    Options {
        account: account(),
        stream: stream(),
        site: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../../site").into()),
        ..Options::new(table())
    }
}

/// The table alone, in memory.
pub async fn dynamo() -> Dynamo {
    Dynamo::start(None, &table()).await.unwrap()
}

/// Every item of a table, as it is.
pub async fn items(dynamo: &Dynamo) -> Vec<HashMap<String, AttributeValue>> {
    let scan = dynamo.client().scan().table_name(dynamo.table());
    scan.send().await.unwrap().items.unwrap_or_default()
}

/// Deletes the table: from now on it is out of reach.
pub async fn drop_table(dynamo: &Dynamo) {
    let delete = dynamo.client().delete_table().table_name(dynamo.table());
    delete.send().await.unwrap();
}

/// SES alone, in memory.
pub async fn ses() -> Ses {
    Ses::start(None, account()).await.unwrap()
}

/// The endpoints of a system without an HTTP API.
pub fn endpoints(dynamodb: &str, ses: &str) -> Endpoints {
    Endpoints {
        url: "http://127.0.0.1:1".to_owned(),
        port: 1,
        dynamodb: dynamodb.to_owned(),
        ses: ses.to_owned(),
        table: table().name,
    }
}

/// The function's environment: what is given, what a test wants unless it says otherwise, and the emulator's own variables.
pub fn environment(endpoints: &Endpoints, given: &[(&str, &str)]) -> HashMap<String, String> {
    let origins = format!(
        "http://127.0.0.1:{port},http://localhost:{port}",
        port = endpoints.port
    );
    let alarm_topic = format!("arn:aws:sns:{}:{}:alarms", aws::REGION, aws::ACCOUNT);
    let defaults = [
        ("THERAPIST_EMAIL", "therapist@example.com"),
        ("SENDER_EMAIL", "desk@example.com"),
        ("HASH_KEY", HASH_KEY),
        // One machine is one source, and fills in the form in no time.
        ("RATE_LIMIT_PER_SOURCE", "1000000"),
        ("AUTO_REPLIES_PER_DAY", "1000000"),
        ("MIN_FILL_SECONDS", "0"),
        ("CONFIGURATION_SET", CONFIGURATION_SET),
        ("THERAPIST_CONFIGURATION_SET", THERAPIST_CONFIGURATION_SET),
        ("ALLOWED_ORIGINS", origins.as_str()),
        ("PUBLIC_URL", endpoints.url.as_str()),
        ("ALARM_TOPIC", alarm_topic.as_str()),
    ];
    let ours = defaults.iter().chain(given);
    let ours = ours.map(|(name, value)| (*name, (*value).to_owned()));
    ours.chain([("TABLE_NAME", endpoints.table.clone())])
        .chain(endpoints.variables())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// An execution environment of the function, with the parts that it began with to look into.
pub struct Environment {
    /// The environment itself.
    pub runtime: Runtime,
    app: Arc<App>,
}

impl Environment {
    /// One with these parts.
    ///
    /// # Errors
    /// The settings that cannot be used together.
    pub fn new(
        settings: Settings,
        practice: Practice,
        clients: Clients,
    ) -> Result<Arc<Self>, SettingErrors> {
        Runtime::new(settings, practice, clients).map(Self::of)
    }

    /// One that has started.
    pub fn of(runtime: Runtime) -> Arc<Self> {
        let app = runtime.current();
        Arc::new(Self { runtime, app })
    }

    /// Answers one event, as [`Runtime::handle`] does.
    ///
    /// # Errors
    /// When Lambda is to try again, or to give up.
    pub async fn handle(&self, event: Value, clock: &Clock) -> Result<Value, Error> {
        self.runtime.handle(event, clock).await
    }
}

impl Deref for Environment {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

/// The application with this environment and HTTP client.
///
/// # Errors
/// Every variable that cannot be used.
pub fn app(
    endpoints: &Endpoints,
    given: &[(&str, &str)],
    client: SharedHttpClient,
) -> Result<Arc<Environment>, SettingErrors> {
    app_of(practice::compiled().clone(), endpoints, given, client)
}

/// The same for another practice.
///
/// # Errors
/// Every variable that cannot be used.
pub fn app_of(
    practice: Practice,
    endpoints: &Endpoints,
    given: &[(&str, &str)],
    client: SharedHttpClient,
) -> Result<Arc<Environment>, SettingErrors> {
    let environment = environment(endpoints, given);
    let variable = |name: &str| environment.get(name).cloned();
    let settings = Settings::from_env(variable)?;
    let clients = Clients::from_variables(client, variable);
    Environment::new(settings, practice, clients)
}

/// The application as the function that Lambda would run.
pub fn function(app: Arc<Environment>) -> Function {
    function_at(app, Timestamp::now)
}

/// The same by another clock.
pub fn function_at(
    app: Arc<Environment>,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> Function {
    Function::new(move |event| {
        let (app, now) = (Arc::clone(&app), now());
        async move {
            let answer = app.handle(event, &Clock::new(now, now + TIMEOUT)).await;
            answer.map_err(|error| error.to_string())
        }
    })
}
