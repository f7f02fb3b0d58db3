//! The product in the emulator, with the environment of `cargo local`.

use std::sync::Arc;

use aws_emulator::function::Function;
use aws_emulator::{Endpoints, StartError, aws};
use enquiry_desk::aws::Clients;
use enquiry_desk::practice::Practice;
use enquiry_desk::settings::Settings;
use testing::emulated::{self, Environment};

/// The environment of a function that runs beside the emulator, one variable a line.
pub(crate) fn environment(endpoints: &Endpoints) -> String {
    let variables = emulated::environment(endpoints, &[]).into_iter();
    let mut lines: Vec<String> = variables
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    lines.sort();
    lines.concat()
}

/// The application over the emulator, for this practice. What is given comes before the environment of `cargo local`, and that before the
/// defaults, except for the table and for AWS, which are the emulator's.
pub(crate) fn app(
    endpoints: &Endpoints,
    practice: Practice,
    given: &[(&str, &str)],
) -> Result<Arc<Environment>, StartError> {
    let emulated = emulated::environment(endpoints, given);
    let variable = |name: &str| {
        let is_fixed = name == "TABLE_NAME"
            || name.starts_with("AWS_")
            || given.iter().any(|(its, _)| *its == name);
        let told = (!is_fixed).then(|| std::env::var(name).ok()).flatten();
        told.or_else(|| emulated.get(name).cloned())
    };
    let settings =
        Settings::from_env(variable).map_err(|errors| StartError::new(errors.to_string()))?;
    let clients = Clients::from_variables(aws::http_client(), variable);
    Environment::new(settings, practice, clients)
        .map_err(|errors| StartError::new(errors.to_string()))
}

/// The application as the function. It goes by the emulator's clock.
pub(crate) fn function(app: Arc<Environment>, clock: aws_emulator::clock::Clock) -> Function {
    emulated::function_at(app, move || clock.now())
}
