//! `cargo local`: the whole desk on this machine.

mod desk_pages;
mod house;
mod pages;
mod previews;
mod product;
#[cfg(test)]
mod reading;
mod wrong_practice;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use aws_emulator::clock::{Clock, Jump};
use aws_emulator::mailbox_pages::Link;
use aws_emulator::{Emulator, Endpoints, Options, StartError, Timer};
use jiff::SignedDuration;
use serde_json::json;
use testing::emulated;

const HELP: &str = "\
The enquiry desk on this machine: form, function, database and emails.

Usage: cargo local [--port PORT] [--data DIR | --memory] [--ses-faults PERCENT]
                   [--table-faults PERCENT] [--sweep SECONDS] [--ahead SECONDS]
       cargo local --jump hour|morning|day|week [--port PORT]

  --port PORT          where to listen on 127.0.0.1 (default 8080; 0 takes a free one)
  --data DIR           the folder that keeps enquiries and emails (default .local/)
  --memory             keep nothing: everything is gone at the end
  --ses-faults PERCENT how many requests to SES go wrong (default 0)
  --table-faults PERCENT
                       how many requests to the database go wrong (default 0)
  --sweep SECONDS      how often the timer sends what is still pending (default 60)
  --ahead SECONDS      how far the function's clock is ahead (default 0)
  --jump HOW           put forward the clock of the desk that runs at the port: an hour, to
                       tomorrow at ten, a day or a week; what is due by then happens
  --help               show this

Ctrl-C stops everything.
";

/// The package's root.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What the navigation of the mailbox's pages offers.
const LINKS: [(&str, &str); 5] = [
    ("/", "Form"),
    ("/desk", "Desk"),
    ("/site/", "Example site"),
    ("/outbox/gallery", "Gallery: every email in your words"),
    ("/outbox/pages", "Every page"),
];

/// What `--jump` takes.
const JUMPS: &str = "--jump needs hour, morning, day or week.";

/// How often the timer fires; `template.yaml` has a minute, and here a developer is watching.
const TIMER: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let options = match asked() {
        Ok(Asked::Run(options)) => *options,
        Ok(Asked::Jump(jump, port)) => return jumped(jump, port),
        Ok(Asked::Help) => {
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
            eprintln!("{error}\n`cargo local --help` shows every option.");
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
    let (folder, clock) = (options.data.clone(), options.clock.clone());
    let desk = Emulator::start(options, async |endpoints| {
        let practice = enquiry_desk::practice::compiled().clone();
        let app = product::app(&endpoints, practice, &[])?;
        Ok(product::function(app, clock))
    })
    .await?;
    if let Some(folder) = folder {
        write_environment(&folder, desk.endpoints())?;
    }
    let url = desk.url();
    println!("The enquiry desk is at {url}/\n");
    println!("  {url}/                the form");
    println!("  {url}/desk            the therapist's desk; its code is in an email below");
    println!("  {url}/site/           the example site");
    println!("  {url}/outbox          the emails that left");
    println!("  {url}/outbox.json     the same as data");
    println!("  {url}/outbox/gallery  every email, in the words of practice.toml");
    println!("  {url}/outbox/pages    every page, in all that it can say\n");
    println!("Enquiries and emails are {kept}. Ctrl-C stops everything.");
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

/// What the command line asks for.
enum Asked {
    Help,
    /// To run, with these options.
    Run(Box<Options>),
    /// To put forward the clock of the desk at this port.
    Jump(Jump, u16),
}

/// Puts forward the clock of the desk that runs at this port.
fn jumped(jump: Jump, port: u16) -> ExitCode {
    let form = format!("jump={}", jump.key());
    let request = format!(
        "POST /outbox/clock HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let answer = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        let mut answer = String::new();
        stream.write_all(request.as_bytes())?;
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    match answer {
        Ok(answer) if answer.starts_with("HTTP/1.1 303") => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!("What runs at port {port} is not the enquiry desk.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("There is no desk at port {port}: {error}.");
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for.
fn asked() -> Result<Asked, String> {
    // The alias `cargo local` ends with `--`; a developer may type a second one.
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.filter(|argument| argument != "--").collect();
    let mut arguments = pico_args::Arguments::from_vec(arguments);
    if arguments.contains(["-h", "--help"]) {
        return Ok(Asked::Help);
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
    let ses_faults = share(&mut arguments, "--ses-faults")?;
    let table_faults = share(&mut arguments, "--table-faults")?;
    let timer = seconds(&mut arguments, "--sweep")?
        .map_or(TIMER, |every| Duration::from_secs_f64(every.max(0.1)));
    let ahead = seconds(&mut arguments, "--ahead")?.unwrap_or_default();
    let jump: Option<String> = arguments
        .opt_value_from_str("--jump")
        .map_err(|_| JUMPS.to_owned())?;
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
    if let Some(jump) = jump {
        let jump = Jump::from_key(&jump).ok_or(JUMPS)?;
        return Ok(Asked::Jump(jump, port));
    }
    let data = (!memory).then(|| folder.unwrap_or_else(|| PathBuf::from(".local")));
    let options = Options {
        port,
        data,
        ses_faults,
        table_faults,
        account: emulated::account(),
        stream: emulated::stream(),
        timers: ["sweep", "remind", "nightly"]
            .map(|command| Timer {
                every: timer,
                event: json!({ "command": command }),
            })
            .into(),
        clock: Clock::ahead(SignedDuration::from_secs_f64(ahead)),
        time_zone: enquiry_desk::practice::compiled().time_zone.rules().clone(),
        site: Some(Path::new(ROOT).join("site")),
        pages: previews::router(Path::new(ROOT).join("practice.toml"))
            .merge(pages::router(Path::new(ROOT).join("practice.toml"))),
        links: LINKS
            .map(|(path, label)| Link {
                path: path.to_owned(),
                label: label.to_owned(),
            })
            .into(),
        ..Options::new(emulated::table())
    };
    Ok(Asked::Run(Box::new(options)))
}

/// A percentage as a share from 0 to 1; 0 when it is left out.
fn share(arguments: &mut pico_args::Arguments, name: &'static str) -> Result<f64, String> {
    let percent = number(arguments, name, 10.0, 100.0)?.unwrap_or_default();
    Ok(percent / 100.0)
}

/// A time in seconds, up to ten years.
fn seconds(
    arguments: &mut pico_args::Arguments,
    name: &'static str,
) -> Result<Option<f64>, String> {
    number(arguments, name, 30.0, 315_360_000.0)
}

/// A number from 0 to `most`; `example` shows how to give it.
fn number(
    arguments: &mut pico_args::Arguments,
    name: &'static str,
    example: f64,
    most: f64,
) -> Result<Option<f64>, String> {
    let given: Option<String> = arguments
        .opt_value_from_str(name)
        .map_err(|_| format!("{name} needs a number, like {name} {example}."))?;
    given
        .map(|text| {
            text.parse()
                .ok()
                .filter(|number| (0.0..=most).contains(number))
                .ok_or_else(|| {
                    format!("{name} needs a number from 0 to {most}, and `{text}` is none.")
                })
        })
        .transpose()
}
