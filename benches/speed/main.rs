//! What people wait for, and what it takes: `cargo bench --bench speed`.
//!
//! The release binary and an empty `lambda_runtime` function are started in turn, in the same run, against a Runtime API and
//! backends that answer at once: over plain HTTP, over TLS 1.3, and over TLS with a delay for each round trip, which is what a client
//! waits for. Each start is one process: how long until it asks for work, until the first answer, and how long the answers after it
//! take. The figures are this machine's; ratios are what can be compared. A missed goal is printed and does not fail the benchmark;
//! an enquiry that is not accepted or an email that does not leave does.
//!
//! Options: `--rounds N` (starts of each over each network, 30), `--warm N` (later answers of each start, 20), `--delay MS` (of a
//! round trip, 2), `--quota MB` (the share of a processor that Lambda gives to this memory size, once a function has started; needs
//! root and cgroups version 1), `--idle S` (seconds without a request, 60; 0 leaves that out), `--ours PATH` and `--empty PATH` for
//! binaries that are built already, `--peer NAME=PATH` for another function, and `--set NAME=VALUE` for a variable of the peers.
//! A peer gets an enquiry with the same answers in JSON, over plain HTTP only, since not every SDK reads `AWS_CA_BUNDLE`;
//! benches/peers/ has two.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark stops at whatever does not work"
)]

mod backend;
mod desk;
mod function;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::Value;

use backend::{Network, Services};
use function::{Function, Program, Surroundings, build, millis};

/// The goals that are not ratios: `docs/decisions` and the README quote them.
const MEMORY_MIB: f64 = 12.0;
const BINARY_MB: f64 = 10.0;
const ZIP_MB: f64 = 3.8;

#[tokio::main]
async fn main() {
    let options = Options::read();
    let events = Events::read();
    let folder = std::env::temp_dir().join(format!("speed-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder of its own");
    let ours = Program {
        name: "enquiry desk".to_owned(),
        path: options.ours.unwrap_or_else(|| build("enquiry-desk")),
        variables: Vec::new(),
    };
    let empty = Program {
        name: "empty function".to_owned(),
        path: options.empty.unwrap_or_else(|| build("empty-function")),
        variables: Vec::new(),
    };
    let tls = Network::tls(&folder);
    let far = tls.with_round_trip(Duration::from_millis(options.delay));
    let networks = [Network::plain(), tls, far];
    println!("{}", machine());
    println!(
        "{} starts of each, in turn, with {} later answers each; medians",
        options.rounds, options.warm
    );
    if let Some(memory) = options.quota {
        println!("once started, with the share of a processor of {memory} MB");
    }
    println!(
        "\n{:42}{:>9}{:>8}{:>9}{:>8}{:>9}{:>8}{:>8}",
        "milliseconds", "start", "CPU", "first", "CPU", "warm", "CPU", "MiB"
    );

    let mut kept = Vec::new();
    for network in &networks {
        let services = Services::default();
        let around = surroundings(network, &services, options.quota).await;
        let mut programs = vec![ours.clone(), empty.clone()];
        if network.bundle().is_none() {
            programs.extend(options.peers.iter().cloned());
        }
        let mut starts: Vec<Vec<Start>> = programs.iter().map(|_| Vec::new()).collect();
        // The first round of each warms the disk's cache and is not counted.
        for round in 0..=options.rounds {
            for (place, (program, starts)) in programs.iter().zip(&mut starts).enumerate() {
                let event = if place < 2 {
                    &events.form
                } else {
                    &events.json
                };
                let start = Start::of(program, &around, event, options.warm).await;
                if round > 0 {
                    starts.push(start);
                }
            }
        }
        println!("{}", network.name);
        for (program, starts) in programs.iter().zip(&starts) {
            Figures::of(starts).print(&program.name);
        }
        kept.push((Figures::of(&starts[0]), Figures::of(&starts[1])));
    }
    let [(plain, plain_empty), _, (far, far_empty)] = &kept[..] else {
        panic!("three networks");
    };

    let (far_network, near_network) = (&networks[2], &networks[0]);
    let stream = stream(&ours, near_network, &events, &options.quota).await;
    let desk = desk::list(&ours).await;
    let idle = match options.idle {
        0 => None,
        seconds => Some(idle(&ours, far_network, &events, seconds, options.quota).await),
    };
    let memory = [plain.memory, far.memory, stream.memory, desk.memory]
        .into_iter()
        .fold(0.0, f64::max);
    println!(
        "\nthe stream's call with both emails, plain HTTP: CPU {:.2} ms",
        stream.cpu
    );
    println!(
        "the desk's list of {} enquiries: CPU {:.2} ms",
        desk::WAITING,
        desk.cpu
    );
    println!(
        "round trips to the table for an accepted enquiry: {}",
        stream.round_trips
    );

    println!("\n{:60}{:>8}{:>8}", "ratios", "goal", "here");
    goal(
        "start to first answer, plain ÷ empty function's",
        2.0,
        plain.whole() / plain_empty.whole(),
    );
    goal("first answer ÷ warm answer, far", 1.3, far.first / far.warm);
    goal(
        "CPU of the first answer ÷ of a warm one, far",
        1.5,
        far.first_cpu / far.warm_cpu,
    );
    goal(
        "start to first answer, far ÷ empty function's",
        6.0,
        far.whole() / far_empty.whole(),
    );
    if let Some((alone, after_timer)) = idle {
        goal(
            "answer after the idle time and the timer ÷ warm answer, far",
            1.5,
            after_timer / far.warm,
        );
        goal(
            "the same without the timer in between",
            f64::NAN,
            alone / far.warm,
        );
    }
    goal("peak memory, MiB", MEMORY_MIB, memory);
    let (size, zipped) = sizes(&ours.path);
    goal("binary, MB", BINARY_MB, size);
    goal("binary zipped, MB", ZIP_MB, zipped);
    let _ = std::fs::remove_dir_all(&folder);
}

/// The services, a host each for table, SES and secret.
async fn surroundings(network: &Network, services: &Services, quota: Option<u32>) -> Surroundings {
    Surroundings {
        table: network.serve(services.router()).await,
        ses: network.serve(services.router()).await,
        secret: network.serve(services.router()).await,
        bundle: network.bundle().map(Path::to_owned),
        quota,
    }
}

struct Options {
    rounds: usize,
    warm: usize,
    delay: u64,
    quota: Option<u32>,
    idle: u64,
    ours: Option<PathBuf>,
    empty: Option<PathBuf>,
    peers: Vec<Program>,
}

/// `NAME=VALUE`.
fn pair(value: OsString) -> (String, String) {
    let value = value.into_string().expect("text");
    let (name, value) = value.split_once('=').expect("NAME=VALUE");
    (name.to_owned(), value.to_owned())
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            rounds: 30,
            warm: 20,
            delay: 2,
            quota: None,
            idle: 60,
            ours: None,
            empty: None,
            peers: Vec::new(),
        };
        let mut variables = Vec::new();
        let mut arguments = std::env::args_os().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().expect("every option takes a value");
            let number = |value: OsString| -> u64 {
                let number = value.to_str().and_then(|n| n.parse().ok());
                number.expect("a number")
            };
            let count = |value| usize::try_from(number(value).max(1)).expect("a number");
            match name.to_str() {
                // What cargo itself says to every benchmark.
                Some("--bench") => {}
                Some("--rounds") => options.rounds = count(value()),
                Some("--warm") => options.warm = count(value()),
                Some("--delay") => options.delay = number(value()).max(1),
                Some("--quota") => {
                    options.quota = Some(u32::try_from(number(value())).expect("a memory size"));
                }
                Some("--idle") => options.idle = number(value()),
                Some("--ours") => options.ours = Some(value().into()),
                Some("--empty") => options.empty = Some(value().into()),
                Some("--peer") => {
                    let (name, path) = pair(value());
                    options.peers.push(Program {
                        name,
                        path: path.into(),
                        variables: Vec::new(),
                    });
                }
                Some("--set") => variables.push(pair(value())),
                _ => panic!("the options stand at the top of benches/speed/main.rs"),
            }
        }
        for peer in &mut options.peers {
            peer.variables.clone_from(&variables);
        }
        options
    }
}

/// The events of the functions: the files that the tests read and that `cargo lambda invoke` sends.
struct Events {
    form: Bytes,
    json: Bytes,
    stream: Bytes,
    sweep: Bytes,
}

impl Events {
    fn read() -> Self {
        // The enquiry is of today: an auto-reply whose promise has passed is withheld.
        let mut stream: Value = serde_json::from_slice(&event("stream-insert.json")).expect("JSON");
        let now = jiff::Timestamp::now();
        let tomorrow = now + jiff::SignedDuration::from_hours(24);
        for (name, at) in [("received_at", now), ("promised_by", tomorrow)] {
            let stored = stream
                .pointer_mut(&format!("/Records/0/dynamodb/NewImage/{name}/S"))
                .unwrap();
            *stored = at.to_string().into();
        }
        Self {
            form: event("http-form.json"),
            json: event("http-json.json"),
            stream: stream.to_string().into(),
            sweep: event("command-sweep.json"),
        }
    }
}

fn event(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("events")
        .join(name);
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into()
}

/// One start; times in milliseconds, memory in MiB.
struct Start {
    ready: f64,
    ready_cpu: f64,
    first: f64,
    first_cpu: f64,
    warm: f64,
    warm_cpu: f64,
    memory: f64,
}

impl Start {
    async fn of(program: &Program, around: &Surroundings, enquiry: &Bytes, warm: usize) -> Self {
        let mut function = Function::start(program, around).await;
        let ready = function.ready().await;
        let (first, _) = function.answered(enquiry).await;
        let mut later = Vec::new();
        for _ in 0..warm {
            later.push(function.timed(enquiry).await);
        }
        let start = Self {
            ready: millis(ready.at - function.spawned),
            ready_cpu: ready.cpu,
            first: millis(first.at - ready.at),
            first_cpu: first.cpu - ready.cpu,
            warm: median(later.iter().map(|(time, _)| *time)),
            warm_cpu: median(later.iter().map(|(_, cpu)| *cpu)),
            memory: function.memory(),
        };
        function.stop().await;
        start
    }
}

/// The medians of many starts.
struct Figures {
    ready: f64,
    ready_cpu: f64,
    first: f64,
    first_cpu: f64,
    warm: f64,
    warm_cpu: f64,
    memory: f64,
}

impl Figures {
    fn of(starts: &[Start]) -> Self {
        let of = |figure: fn(&Start) -> f64| median(starts.iter().map(figure));
        Self {
            ready: of(|start| start.ready),
            ready_cpu: of(|start| start.ready_cpu),
            first: of(|start| start.first),
            first_cpu: of(|start| start.first_cpu),
            warm: of(|start| start.warm),
            warm_cpu: of(|start| start.warm_cpu),
            memory: of(|start| start.memory),
        }
    }

    /// From the start to the first answer.
    fn whole(&self) -> f64 {
        self.ready + self.first
    }

    fn print(&self, name: &str) {
        println!(
            "  {name:40}{:>9.2}{:>8.2}{:>9.2}{:>8.2}{:>9.2}{:>8.2}{:>8.2}",
            self.ready,
            self.ready_cpu,
            self.first,
            self.first_cpu,
            self.warm,
            self.warm_cpu,
            self.memory
        );
    }
}

/// The call by which the stream hands over a new enquiry.
struct Stream {
    cpu: f64,
    memory: f64,
    round_trips: usize,
}

async fn stream(
    program: &Program,
    network: &Network,
    events: &Events,
    quota: &Option<u32>,
) -> Stream {
    let services = Services::default();
    let around = surroundings(network, &services, *quota).await;
    let mut function = Function::start(program, &around).await;
    function.ready().await;
    function.answered(&events.form).await;
    let before = services.requests();
    function.answered(&events.form).await;
    let round_trips = services.requests() - before;
    let mut cpu = Vec::new();
    for _ in 0..20 {
        let before = (function.mark().cpu, services.emails());
        let (after, _) = function.invoke(&events.stream).await;
        assert_eq!(
            services.emails() - before.1,
            2,
            "a new enquiry in the stream sends two emails"
        );
        cpu.push(after.cpu - before.0);
    }
    let stream = Stream {
        cpu: median(cpu.into_iter()),
        memory: function.memory(),
        round_trips,
    };
    function.stop().await;
    stream
}

/// The answer after some time without a request, in milliseconds: nothing in between, or the timer's call just before.
async fn idle(
    program: &Program,
    network: &Network,
    events: &Events,
    seconds: u64,
    quota: Option<u32>,
) -> (f64, f64) {
    let services = Services::default();
    let around = surroundings(network, &services, quota).await;
    let mut functions = Vec::new();
    for _ in 0..10 {
        let mut function = Function::start(program, &around).await;
        function.ready().await;
        function.answered(&events.form).await;
        functions.push(function);
    }
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (mut alone, mut after_timer) = (Vec::new(), Vec::new());
    for (number, mut function) in functions.into_iter().enumerate() {
        if number % 2 == 0 {
            alone.push(function.timed(&events.form).await.0);
        } else {
            function.invoke(&events.sweep).await;
            after_timer.push(function.timed(&events.form).await.0);
        }
        function.stop().await;
    }
    (median(alone.into_iter()), median(after_timer.into_iter()))
}

/// The size of the file and of a zip with it, in MB of a million bytes. The zip is made as deployment tools make it.
fn sizes(binary: &Path) -> (f64, f64) {
    let zip = std::env::temp_dir().join(format!("speed-{}.zip", std::process::id()));
    let made = Command::new("python3")
        .args(["-m", "zipfile", "-c"])
        .args([&zip, binary])
        .status()
        .is_ok_and(|status| status.success());
    assert!(made, "python3, which makes the zip, is not here or failed");
    let megabytes = |path: &Path| std::fs::metadata(path).expect("the file").len() as f64 / 1e6;
    let sizes = (megabytes(binary), megabytes(&zip));
    std::fs::remove_file(&zip).expect("our own file");
    sizes
}

fn goal(name: &str, goal: f64, figure: f64) {
    if goal.is_nan() {
        return println!("{name:60}{:>8}{figure:>8.2}", "");
    }
    let missed = if figure <= goal { "" } else { "  missed" };
    println!("{name:60}{goal:>8.1}{figure:>8.2}{missed}");
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len().is_multiple_of(2) {
        f64::midpoint(figures[middle - 1], figures[middle])
    } else {
        figures[middle]
    }
}

fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("unknown CPU", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{model}, {cores} cores, Linux {}, {}",
        kernel.trim(),
        std::env::consts::ARCH
    )
}
