//! The product in the emulator: its table, its event source, its settings, and the real application as the function.

use std::sync::Arc;

use aws_emulator::dynamodb::{Index, TableDefinition};
use aws_emulator::function::Function;
use aws_emulator::ses::account::Account;
use aws_emulator::stream::{self, filter::Filter, mapping};
use aws_emulator::{Endpoints, StartError, aws};
use enquiry_desk::app::Runtime;
use enquiry_desk::aws::Clients;
use enquiry_desk::clock::Clock;
use enquiry_desk::practice::Practice;
use enquiry_desk::settings::Settings;
use enquiry_desk::store::schema;
use jiff::SignedDuration;

/// How long one invocation may take, in seconds: `Timeout` in `template.yaml`.
const TIMEOUT: i64 = 29;

/// The configuration set's name.
const CONFIGURATION_SET: &str = "enquiry-desk";

/// The name of the one for emails to the therapist.
const THERAPIST_CONFIGURATION_SET: &str = "enquiry-desk-therapist";

/// The variables of the local function beside those of AWS.
const VARIABLES: [&str; 12] = [
    "TABLE_NAME",
    "THERAPIST_EMAIL",
    "SENDER_EMAIL",
    "HASH_KEY",
    "RATE_LIMIT_PER_SOURCE",
    "AUTO_REPLIES_PER_DAY",
    "MIN_FILL_SECONDS",
    "CONFIGURATION_SET",
    "THERAPIST_CONFIGURATION_SET",
    "ALLOWED_ORIGINS",
    "PUBLIC_URL",
    "ALARM_TOPIC",
];

/// The table of `template.yaml`.
pub(crate) fn table() -> TableDefinition {
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
pub(crate) fn stream() -> Result<stream::Settings, StartError> {
    let filter = Filter::parse(schema::NEW_ENQUIRIES).map_err(StartError::new)?;
    Ok(stream::Settings {
        mapping: mapping::Settings {
            filters: vec![filter],
            ..mapping::Settings::default()
        },
        ..stream::Settings::default()
    })
}

/// An SES account that has the product's configuration sets.
pub(crate) fn account() -> Account {
    Account {
        configuration_sets: [CONFIGURATION_SET, THERAPIST_CONFIGURATION_SET]
            .map(str::to_owned)
            .into(),
        unsuppressed_sets: [THERAPIST_CONFIGURATION_SET.to_owned()].into(),
        ..Account::default()
    }
}

/// The value of a variable that is not set.
fn default(endpoints: &Endpoints, name: &str) -> Option<String> {
    let value = match name {
        "TABLE_NAME" => endpoints.table.clone(),
        "THERAPIST_EMAIL" => "therapist@example.com".to_owned(),
        "SENDER_EMAIL" => "desk@example.com".to_owned(),
        "HASH_KEY" => "this-key-keeps-no-secret-it-is-for-one-machine".to_owned(),
        // One machine is one source: a developer who tries things out must not be asked to wait.
        "RATE_LIMIT_PER_SOURCE" | "AUTO_REPLIES_PER_DAY" => "1000000".to_owned(),
        // A browser under test fills in the form at once.
        "MIN_FILL_SECONDS" => "0".to_owned(),
        "CONFIGURATION_SET" => CONFIGURATION_SET.to_owned(),
        "THERAPIST_CONFIGURATION_SET" => THERAPIST_CONFIGURATION_SET.to_owned(),
        "PUBLIC_URL" => endpoints.url.clone(),
        "ALARM_TOPIC" => format!("arn:aws:sns:{}:{}:alarms", aws::REGION, aws::ACCOUNT),
        "ALLOWED_ORIGINS" => format!(
            "http://127.0.0.1:{port},http://localhost:{port}",
            port = endpoints.port
        ),
        _ => return None,
    };
    Some(value)
}

/// The environment of a function that runs beside the emulator, one variable a line.
pub(crate) fn environment(endpoints: &Endpoints) -> String {
    let ours = VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, default(endpoints, name)?)));
    ours.chain(endpoints.variables())
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect()
}

/// The application over the emulator, for this practice. What is given comes before the environment of `cargo local`, and that before the
/// defaults, except for the table and for AWS, which are the emulator's.
pub(crate) fn runtime(
    endpoints: &Endpoints,
    practice: Practice,
    given: &[(&str, &str)],
) -> Result<Arc<Runtime>, StartError> {
    let aws = endpoints.variables();
    let variable = |name: &str| match name {
        "TABLE_NAME" => default(endpoints, name),
        _ if name.starts_with("AWS_") => aws
            .iter()
            .find(|(its, _)| *its == name)
            .map(|(_, value)| value.clone()),
        _ => given
            .iter()
            .find(|(its, _)| *its == name)
            .map(|(_, value)| (*value).to_owned())
            .or_else(|| std::env::var(name).ok())
            .or_else(|| default(endpoints, name)),
    };
    let settings =
        Settings::from_env(variable).map_err(|errors| StartError::new(errors.to_string()))?;
    let clients = Clients::from_variables(aws::http_client(), variable);
    let runtime = Runtime::new(settings, practice, clients)
        .map_err(|errors| StartError::new(errors.to_string()))?;
    Ok(Arc::new(runtime))
}

/// The application as the function. It goes by the emulator's clock.
pub(crate) fn function(runtime: Arc<Runtime>, clock: aws_emulator::clock::Clock) -> Function {
    Function::new(move |event| {
        let (runtime, now) = (Arc::clone(&runtime), clock.now());
        async move {
            let clock = Clock::new(now, now + SignedDuration::from_secs(TIMEOUT));
            runtime
                .handle(event, &clock)
                .await
                .map_err(|error| error.to_string())
        }
    })
}
