//! `cargo local`: the whole desk on this machine.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use enquiry_desk::local::function::Function;
use enquiry_desk::local::{Desk, Endpoints, Options, StartError, product};
use enquiry_desk::practice::Practice;

const HELP: &str = "\
The enquiry desk on this machine: form, function, database and mails.

Usage: cargo local [--port PORT] [--data DIR | --memory] [--ses-faults PERCENT]

  --port PORT          where to listen on 127.0.0.1 (default 8080; 0 takes a free one)
  --data DIR           the folder that keeps enquiries and mails (default .local/)
  --memory             keep nothing: everything is gone at the end
  --ses-faults PERCENT how many requests to SES go wrong (default 0)
  --help               show this

Ctrl-C stops everything.
";

/// How often the timer fires; `template.yaml` has five minutes, and here somebody is watching.
const TIMER: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(words) => {
            eprintln!("{words}\n`cargo local --help` shows every option.");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The runtime did not start: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(options));
    // Connections that are still open are dropped, not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), StartError> {
    // Listen for the end first, so that Ctrl-C during the start is not lost.
    let end = end()?;
    let kept = match &options.data {
        Some(folder) => format!("kept in {}", folder.display()),
        None => "kept in memory only".to_owned(),
    };
    let folder = options.data.clone();
    let desk = Desk::start(options, function).await?;
    if let Some(folder) = folder {
        write_environment(&folder, desk.endpoints())?;
    }
    let url = desk.url();
    println!("The enquiry desk is at {url}/\n");
    println!("  {url}/                the form");
    println!("  {url}/site/           the example site");
    println!("  {url}/outbox          the mails that left");
    println!("  {url}/outbox.json     the same as data");
    println!("  {url}/outbox/gallery  every letter, in the words of practice.toml\n");
    println!("Enquiries and mails are {kept}. Ctrl-C stops everything.");
    end.await;
    desk.stop().await;
    Ok(())
}

/// The settings of a function that runs beside this system, for `cargo lambda watch --env-file`.
fn write_environment(folder: &Path, endpoints: &Endpoints) -> Result<(), StartError> {
    let file = folder.join("function.env");
    std::fs::write(&file, product::environment(endpoints))
        .map_err(|error| StartError::new(format!("{} cannot be written: {error}.", file.display())))
}

/// The real application, with the settings of the local system; the environment overrides them.
async fn function(endpoints: Endpoints) -> Result<Function, StartError> {
    let settings = product::settings(&endpoints, |name| std::env::var(name).ok())
        .map_err(|faults| StartError::new(faults.to_string()))?;
    Ok(product::function(product::app(
        &endpoints,
        settings,
        Practice::compiled().clone(),
    )))
}

/// Resolves at Ctrl-C, or when the system asks the process to end.
fn end() -> Result<impl Future<Output = ()>, StartError> {
    let failed =
        |error: std::io::Error| StartError::new(format!("Ctrl-C cannot be listened for: {error}."));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let _ = failed;
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

/// The options from the command line; `None` when only help was asked for.
fn options() -> Result<Option<Options>, String> {
    let mut arguments = pico_args::Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        return Ok(None);
    }
    let port: Option<String> = arguments
        .opt_value_from_str("--port")
        .map_err(|_| "--port needs a number, like --port 8081.")?;
    let port = match port {
        None => 8080,
        Some(text) => text
            .parse()
            .map_err(|_| format!("--port needs a number from 0 to 65535, and `{text}` is none."))?,
    };
    let folder: Option<PathBuf> = arguments
        .opt_value_from_os_str("--data", |text| {
            Ok::<_, std::convert::Infallible>(PathBuf::from(text))
        })
        .map_err(|_| "--data needs a folder, like --data .local/.")?;
    let faults: Option<String> = arguments
        .opt_value_from_str("--ses-faults")
        .map_err(|_| "--ses-faults needs a number, like --ses-faults 10.")?;
    let ses_faults = match faults {
        None => 0.0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(|percent: f64| percent / 100.0)
            .ok_or_else(|| {
                format!("--ses-faults needs a number from 0 to 100, and `{text}` is none.")
            })?,
    };
    let memory = arguments.contains("--memory");
    if let Some(unknown) = arguments.finish().first() {
        return Err(format!(
            "There is no option `{}`.",
            unknown.to_string_lossy()
        ));
    }
    if memory && folder.is_some() {
        return Err(
            "--memory keeps nothing and --data keeps everything: leave one of them out.".to_owned(),
        );
    }
    let data = (!memory).then(|| folder.unwrap_or_else(|| PathBuf::from(".local")));
    Ok(Some(Options {
        port,
        data,
        ses_faults,
        timer: Some(TIMER),
        ..Options::default()
    }))
}
