//! `cargo soak`: `cargo local` under load, with faults at SES and at the table, and killed again and again. Afterwards the
//! accepted posts must match the enquiries, and each enquiry must have its emails (the rules of docs/delivery.md).
//!
//! The simulator plays schedules inside one process, with a clock of its own. This is the other half: a real process
//! that dies by `kill -9`, real sockets, real files, and clients that know nothing but what they were answered.
//!
//! A seed repeats the forms and the moments of the kills; the faults and the threads differ from run to run.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a soak that cannot go on must stop"
)]

mod clients;
mod desk;
mod forms;
mod load;
mod rules;

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use clients::Clients;
use desk::{Desk, Phase};
use forms::Form;
use rules::Ledger;
use testing::random::Random;

const HELP: &str = "\
Posts forms to `cargo local` while SES and the table have faults and the process is killed, and then counts.

Usage: cargo soak [--posts N] [--kills K] [--seed S] [--ses-faults PERCENT] [--table-faults PERCENT] [--keep]

  --posts N              how many forms are filled in (default 500)
  --kills K              how often the process is killed while they are posted (default 10)
  --seed S               which forms, and when it is killed (default 1)
  --ses-faults PERCENT   how many requests to SES go wrong (default 5)
  --table-faults PERCENT how many requests to the table go wrong (default 10)
  --keep                 keep the data folder; it is kept anyway when a rule is broken
  --help                 show this
";

/// How many forms are on their way at once.
const AT_ONCE: usize = 12;
/// How many forms may be ahead of their emails, for the first so many seconds.
const AHEAD_OF_EMAILS: usize = 40;
const BURST: usize = 25;
const PACED: Duration = Duration::from_secs(60);

/// What was asked for on the command line.
enum Asked {
    Help(&'static str),
    Soak(Options),
    Load(load::Options),
}

/// How to soak.
struct Options {
    posts: u64,
    kills: u64,
    seed: u64,
    ses_faults: f64,
    table_faults: f64,
    keep: bool,
}

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(Asked::Help(help)) => {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
        Ok(asked) => asked,
        Err(words) => {
            eprintln!("{words}\n`--help` shows every option.");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the runtime starts");
    let passed = runtime.block_on(async {
        match &asked {
            Asked::Help(_) => true,
            Asked::Soak(options) => soak(options).await,
            Asked::Load(options) => load::load(options).await,
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn soak(options: &Options) -> bool {
    let began = Instant::now();
    let until = began + patience(options);
    let forms = forms::fill_in(options.posts, options.seed);
    let kills = moments(options);
    let folder = std::env::temp_dir().join(format!("enquiry-desk-soak-{}", std::process::id()));
    let mut desk = Desk::new(folder.clone());
    desk.ask_questions().await;
    let faulty = |reports| Phase::faulty(options.ses_faults, options.table_faults, reports);
    desk.start(&faulty(false)).await;
    let clients = Clients::new(desk.address(), until);

    let posting = post_all(clients.clone(), forms.clone(), folder.clone());
    let posting = tokio::spawn(posting);
    for (life, (moment, pause)) in kills.into_iter().enumerate() {
        clients.answered(moment).await;
        // At a random moment, not always just after an answer.
        tokio::time::sleep(pause).await;
        desk.kill().await;
        // Only every other run gets SES's reports, since they complete much by themselves.
        desk.start(&faulty(life % 2 == 0)).await;
    }
    posting.await.expect("the clients go on to the end");
    let posted = began.elapsed();

    // Emails are on their way, and the last kill meets them. Afterwards there are no faults, and the clock is
    // past every lease of the killed processes.
    desk.kill().await;
    desk.start(&Phase::calm()).await;
    // Clients that gave up come back with the same form when it works again.
    clients.come_back(&forms).await;
    let settled = desk.settled(until).await;
    let crashes = desk.kills();
    desk.end().await;

    let ledger = Ledger::read(&folder, &clients, &forms, crashes).await;
    let mut broken = rules::broken(&forms, &ledger);
    if let Err(missing) = settled {
        broken.push(missing);
    }
    if broken.is_empty() {
        broken.extend(rules::blind_spots(&forms, &ledger));
    }
    let times = [posted, began.elapsed()].map(|time| time.as_secs());
    report(options, &forms, &clients, &ledger, times);
    let passed = broken.is_empty();
    if !passed {
        println!("\n{} rules are broken:", broken.len());
        for line in broken.iter().take(40) {
            println!("  {line}");
        }
    }
    if passed && !options.keep {
        let _ = std::fs::remove_dir_all(&folder);
    } else {
        println!(
            "\nTable, emails and the process's own words are in {}.",
            folder.display()
        );
    }
    println!("{}", if passed { "\npassed" } else { "\nFAILED" });
    passed
}

/// After how many answered forms the process is killed, each time, and how much later.
fn moments(options: &Options) -> Vec<(u64, Duration)> {
    let mut random = Random::new(options.seed ^ 0x6b69_6c6c);
    let mut moments: Vec<(u64, Duration)> = (0..options.kills)
        .map(|_| {
            let pause = Duration::from_millis(random.below(50));
            (random.below(options.posts.max(1)), pause)
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// After this time whatever is not finished counts as broken. A busy machine needs more of it.
fn patience(options: &Options) -> Duration {
    Duration::from_secs(240 + options.posts / 2)
}

/// Posts every form, so many at once. At first they wait for the emails to follow, so that faults and crashes meet as many
/// emails as posts.
async fn post_all(clients: Arc<Clients>, forms: Arc<Vec<Form>>, folder: PathBuf) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    let began = Instant::now();
    for number in 0..forms.len() {
        // In bursts, so that a kill finds posts under way.
        while number.is_multiple_of(BURST)
            && number > AHEAD_OF_EMAILS + desk::emails(&folder).len() / 2
            && began.elapsed() < PACED
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let place = places.clone().acquire_owned().await.expect("never closed");
        let (clients, forms) = (clients.clone(), forms.clone());
        under_way.spawn(async move {
            clients.send(&forms[number]).await;
            drop(place);
        });
    }
    while let Some(sent) = under_way.join_next().await {
        sent.expect("a client goes on to the end");
    }
}

/// The figures, one a line.
fn report(options: &Options, forms: &[Form], clients: &Clients, ledger: &Ledger, times: [u64; 2]) {
    let answers = clients.tally();
    let emails = ledger.counts();
    let wrong = forms.iter().filter(|form| !form.is_valid()).count();
    let row = |what: &str, figure: &dyn Display| println!("{what:<48} {figure:>9}");
    println!("soak, seed {}\n", options.seed);
    row("forms filled in", &forms.len());
    row("of these, never valid", &wrong);
    row("posts, with double clicks and repeats", &answers.sent);
    row("posts accepted", &answers.accepted);
    row("posts refused, 4xx", &answers.refused);
    row("posts that could not be taken, 503", &answers.unavailable);
    row("posts whose answer was lost", &answers.lost);
    row("kill -9", &ledger.crashes.len());
    println!();
    row("forms accepted", &ledger.forms_accepted());
    row("enquiries in the table", &ledger.enquiries.len());
    row("accepted by email alone", &ledger.fallback_only());
    row(
        "repeats answered with the same reference",
        &ledger.repeats(),
    );
    println!();
    row("therapist's emails that left", &emails.therapist);
    row("of these, extra copies", &emails.extra);
    row("emails by fallback delivery that left", &emails.fallback);
    row("auto-replies that left", &emails.auto_replies);
    row("auto-replies withheld", &emails.withheld);
    row("auto-replies whose outcome is unknown", &emails.unknown);
    row("notices that left", &emails.notices);
    row("emails of which SES's answer was lost", &emails.lost);
    row("batches of the stream that were given up", &ledger.given_up);
    println!();
    row("faults at SES, in a hundred requests", &options.ses_faults);
    row(
        "faults at the table, in a hundred requests",
        &options.table_faults,
    );
    row("until every form was answered, s", &times[0]);
    row("until nothing was pending, s", &times[1]);
}

/// What the command line asks for: `load` first is `cargo load`.
fn asked() -> Result<Asked, String> {
    let mut arguments = pico_args::Arguments::from_env();
    let what = arguments.subcommand().map_err(|error| error.to_string())?;
    let help = arguments.contains(["-h", "--help"]);
    let asked = match what.as_deref() {
        None if help => Asked::Help(HELP),
        None => Asked::Soak(Options {
            posts: number(&mut arguments, "--posts", 500)?,
            kills: number(&mut arguments, "--kills", 10)?,
            seed: number(&mut arguments, "--seed", 1)?,
            ses_faults: number(&mut arguments, "--ses-faults", 5.0)?,
            table_faults: number(&mut arguments, "--table-faults", 10.0)?,
            keep: arguments.contains("--keep"),
        }),
        Some("load") if help => Asked::Help(load::HELP),
        Some("load") => Asked::Load(load::Options::read(&mut arguments)?),
        Some(unknown) => return Err(format!("There is no `{unknown}`.")),
    };
    match arguments.finish().first() {
        Some(unknown) if !help => Err(format!(
            "There is no option `{}`.",
            unknown.to_string_lossy()
        )),
        _ => Ok(asked),
    }
}

fn number<T: FromStr>(
    arguments: &mut pico_args::Arguments,
    name: &'static str,
    otherwise: T,
) -> Result<T, String> {
    let given: Option<String> = arguments
        .opt_value_from_str(name)
        .map_err(|_| format!("{name} needs a number."))?;
    match given {
        None => Ok(otherwise),
        Some(text) => text
            .parse()
            .map_err(|_| format!("{name} needs a number, and `{text}` is none.")),
    }
}
