//! `cargo load`: how much the release build of `cargo local` takes, what it keeps of the machine meanwhile, and whether anything costs
//! more when the table is large. It measures and does not guess: what must hold on every machine fails, times are only printed.
//!
//! The clients are the soak's. The first part goes as fast as both emails of each enquiry leave, the second one at a steady rate
//! whatever the answers take, and the third asks the same of a small table and of a large one.

mod table;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::clients::Clients;
use crate::desk::{self, Desk, Phase};
use crate::forms::{self, Form};
use crate::number;
use table::Table;
use testing::random::Random;

pub const HELP: &str = "\
Measures `cargo local`: enquiries a second, how long clients wait, memory at a steady rate, and a large table.

Usage: cargo load [--posts N] [--rate R] [--seconds S] [--table N] [--data DIR]

  --posts N      how many enquiries are posted as fast as it goes (default 2000; 0 leaves that out)
  --rate R       how many a second are posted at the steady rate (default 5)
  --seconds S    for how long, in seconds (default 120; 0 leaves that out)
  --table N      how many enquiries the large table holds (default 100000; 0 leaves that out)
  --data DIR     where the files are while it runs (default: the folder for temporary files)
  --help         show this
";

/// How many clients post at once where it goes as fast as it can.
const AT_ONCE: usize = 8;
/// How many enquiries may wait for their emails meanwhile.
const AHEAD: usize = 200;
/// Memory is looked at this often while the rate is steady.
const LOOKS: u32 = 60;
/// What memory may differ by between two fifths of the steady time, in MiB, and still have stayed the same: buffers, and pages of
/// the database in memory.
const SAME: f64 = 8.0;
/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(600);

/// What was asked for on the command line.
pub struct Options {
    posts: u64,
    rate: f64,
    seconds: u64,
    table: u64,
    data: std::path::PathBuf,
}

impl Options {
    pub fn read(arguments: &mut pico_args::Arguments) -> Result<Self, String> {
        let data: Option<std::path::PathBuf> = arguments
            .opt_value_from_os_str("--data", |text| {
                Ok::<_, std::convert::Infallible>(text.into())
            })
            .map_err(|_| "--data needs a folder.")?;
        Ok(Self {
            posts: number(arguments, "--posts", 2_000)?,
            rate: number(arguments, "--rate", 5.0_f64)?.max(0.1),
            seconds: number(arguments, "--seconds", 120)?,
            table: number(arguments, "--table", 100_000)?,
            data: data.unwrap_or_else(std::env::temp_dir),
        })
    }
}

/// Whether nothing that must hold was broken.
pub async fn load(options: &Options) -> bool {
    let folder = options
        .data
        .join(format!("enquiry-desk-load-{}", std::process::id()));
    println!("load, {}\n", machine());
    let mut broken = Vec::new();
    if options.posts + options.seconds > 0 {
        broken.extend(served(options, &folder.join("served")).await);
    }
    if options.table > 0 {
        broken.extend(tables(options.table.max(table::FEW), &folder).await);
    }
    let _ = std::fs::remove_dir_all(&folder);
    for line in &broken {
        println!("broken: {line}");
    }
    println!(
        "{}",
        if broken.is_empty() {
            "passed"
        } else {
            "FAILED"
        }
    );
    broken.is_empty()
}

/// The first two parts, over a process of its own.
async fn served(options: &Options, folder: &Path) -> Vec<String> {
    let mut desk = Desk::new(folder.to_owned());
    desk.start(&Phase::undisturbed()).await;
    let steady = Duration::from_secs(options.seconds);
    let clients = Clients::new(desk.address(), Instant::now() + steady + 2 * PATIENCE);
    let mut random = Random::new(1);
    let mut forms = (0..).map(|number| forms::clear(number, &mut random));
    let mut broken = Vec::new();
    let mut posted = 0;
    if options.posts > 0 {
        let forms: Vec<Form> = forms.by_ref().take(to_usize(options.posts)).collect();
        posted += forms.len();
        as_fast_as_it_goes(&desk, &clients, forms, folder).await;
    }
    if options.seconds > 0 {
        let count = options.rate * steady.as_secs_f64();
        let forms: Vec<Form> = forms.take(count as usize).collect();
        let before = posted;
        posted += forms.len();
        broken.extend(at_a_steady_rate(&desk, &clients, forms, options).await);
        emails(folder, 2 * posted).await;
        println!(
            "both emails left, of each of these {:>21}\n",
            posted - before
        );
    }
    let tally = clients.tally();
    let posted = posted as u64;
    if (tally.accepted, tally.sent) != (posted, posted) {
        broken.push(format!(
            "of {} posts {} were accepted, of {posted} enquiries",
            tally.sent, tally.accepted
        ));
    }
    desk.end().await;
    broken
}

/// As many at once as there are clients, and no more ahead of their emails than a few.
async fn as_fast_as_it_goes(desk: &Desk, clients: &Arc<Clients>, forms: Vec<Form>, folder: &Path) {
    let count = forms.len();
    let times = Arc::new(Mutex::new(Vec::new()));
    let forms = Arc::new(Mutex::new(forms.into_iter()));
    let (mine, its) = (Usage::own(), Usage::of(desk));
    let began = Instant::now();
    let mut posting = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (clients, forms, times) = (clients.clone(), forms.clone(), times.clone());
        let folder = folder.to_owned();
        posting.spawn(async move {
            loop {
                let (form, left) = {
                    let mut forms = forms.lock().unwrap();
                    (forms.next(), forms.len())
                };
                let Some(form) = form else { return };
                let posted = Instant::now();
                clients.send(&form).await;
                times.lock().unwrap().push(posted.elapsed());
                let done = count - left;
                while done.is_multiple_of(AHEAD / 4)
                    && done > AHEAD + desk::emails(&folder).len() / 2
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
    }
    while let Some(posted) = posting.join_next().await {
        posted.expect("a client goes on to the end");
    }
    let answered = began.elapsed().as_secs_f64();
    emails(folder, 2 * count).await;
    let whole = began.elapsed().as_secs_f64();
    println!("as fast as it goes, {count} enquiries, {AT_ONCE} clients at once");
    row("enquiries a second, to both emails", count as f64 / whole);
    row("enquiries a second, answered", count as f64 / answered);
    waited(&mut times.lock().unwrap());
    row("cores that it used", Usage::of(desk).since(&its) / whole);
    row(
        "cores that the clients used",
        Usage::own().since(&mine) / whole,
    );
    row("memory at the end, MiB", memory(desk));
    println!();
}

/// One after the other at fixed moments, whatever the answers take: a client who comes late because of a slow answer would hide it.
async fn at_a_steady_rate(
    desk: &Desk,
    clients: &Arc<Clients>,
    forms: Vec<Form>,
    options: &Options,
) -> Vec<String> {
    let count = forms.len();
    let times = Arc::new(Mutex::new(Vec::new()));
    let every = Duration::from_secs_f64(1.0 / options.rate);
    let look = Duration::from_secs(options.seconds) / LOOKS;
    let its = Usage::of(desk);
    let began = tokio::time::Instant::now();
    let mut looks = Vec::new();
    let mut posting = JoinSet::new();
    for (number, form) in (0_u32..).zip(forms) {
        let due = began + every * number;
        while look * u32::try_from(looks.len()).expect("a few") < due - began {
            looks.push(memory(desk));
        }
        tokio::time::sleep_until(due).await;
        let (clients, times) = (clients.clone(), times.clone());
        posting.spawn(async move {
            clients.send(&form).await;
            times.lock().unwrap().push(due.elapsed());
        });
    }
    while let Some(posted) = posting.join_next().await {
        posted.expect("a client goes on to the end");
    }
    let whole = began.elapsed().as_secs_f64();
    println!(
        "{} a second for {} s, {count} enquiries",
        options.rate, options.seconds
    );
    waited(&mut times.lock().unwrap());
    row("cores that it used", Usage::of(desk).since(&its) / whole);
    let fifths: Vec<f64> = looks
        .chunks(looks.len().div_ceil(5).max(1))
        .map(|fifth| fifth.iter().copied().fold(0.0, f64::max))
        .collect();
    let told: Vec<String> = fifths.iter().map(|fifth| format!("{fifth:.1}")).collect();
    println!("memory in each fifth, MiB {:>34}", told.join(", "));
    match (fifths.get(1), fifths.last()) {
        (Some(second), Some(last)) if last - second > SAME => {
            vec![format!("memory grew from {second:.1} to {last:.1} MiB")]
        }
        _ => Vec::new(),
    }
}

async fn tables(count: u64, folder: &Path) -> Vec<String> {
    std::fs::create_dir_all(folder).expect("a folder for the data");
    let now = Timestamp::now();
    let few = Table::filled(&folder.join("few.sqlite"), table::FEW, now).await;
    let began = Instant::now();
    let many = Table::filled(&folder.join("many.sqlite"), count, now).await;
    println!(
        "{count} enquiries written by the store's own code in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    table::compare(few, many, count).await
}

/// Waits until so many emails have left.
async fn emails(folder: &Path, count: usize) {
    let until = Instant::now() + PATIENCE;
    while desk::emails(folder).len() < count {
        assert!(Instant::now() < until, "an email did not leave");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn waited(times: &mut [Duration]) {
    times.sort_unstable();
    let of = |share: f64| {
        let at = (times.len() as f64 * share) as usize;
        times[at.min(times.len() - 1)].as_secs_f64() * 1e3
    };
    row("a client waits, the middle one, ms", of(0.5));
    row("the 99th in a hundred, ms", of(0.99));
    row("the longest, ms", of(1.0));
}

fn row(what: &str, figure: f64) {
    println!("{what:<48} {figure:>9.2}");
}

/// Processor time in seconds.
struct Usage(f64);

impl Usage {
    fn own() -> Self {
        Self::read("self")
    }

    fn of(desk: &Desk) -> Self {
        Self::read(&desk.id().to_string())
    }

    /// User and system time, fields 14 and 15 of `stat`, in hundredths (proc(5)).
    fn read(process: &str) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux's /proc");
        let (_, after_name) = stat.rsplit_once(')').expect("a name");
        let fields = after_name.split_whitespace().skip(11).take(2);
        let ticks: f64 = fields
            .map(|field| field.parse::<f64>().expect("ticks"))
            .sum();
        Self(ticks / 100.0)
    }

    fn since(&self, before: &Self) -> f64 {
        self.0 - before.0
    }
}

/// What is resident, in MiB.
fn memory(desk: &Desk) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", desk.id()));
    let status = status.expect("Linux's /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok())
        .expect("VmRSS in kB");
    kib / 1024.0
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!("{model}, {cores} cores, {build} build")
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).expect("a count")
}
