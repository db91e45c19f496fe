//! The load generator of `script/bench`: a POP3 client that does one thing many times, on one thread.
//!
//! It prepares, prints `ready`, waits for a line on standard input (or its end), does the work,
//! prints the result as one line of JSON, waits for another line, and ends. Who started it can so
//! look at the server's counters at the right moments. The first error ends it: a figure with errors
//! in it is none. It never measures the server's CPU or memory, and never pins itself to a core;
//! that is done by whoever starts it.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: a client has sockets, files and a clock"
)]
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program whose result is what it prints"
)]

mod client;
mod directory;
mod fetch;
mod mechanism;
mod noop;
mod target;
mod visit;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, stdin};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use postern_auth::{PasswordHash, Secret};

use directory::Directory;
use fetch::{Fetch, Verify};
use noop::Noop;
use target::Target;
use visit::{Idle, Paced, Visits};

/// What any part may fail with; it is printed and ends the program.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "Load on a POP3 server, for script/bench")]
struct Arguments {
    #[command(subcommand)]
    job: Job,
    /// `cargo bench` says this to every benchmark; it means nothing here.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Job {
    /// Connect, log in, QUIT.
    Login(Visits),
    /// Log in, STAT, UIDL, LIST, RETR of three messages, QUIT; with CAPA under TLS.
    Session(Visits),
    /// RETR of whole mailboxes in sessions that are open already.
    Fetch(Fetch),
    /// RETR of whole mailboxes, each message compared with its file.
    Verify(Verify),
    /// Logins or sessions at a fixed rate: how long each one took.
    Paced(Paced),
    /// Connections that are opened and then do nothing.
    Idle(Idle),
    /// NOOP in sessions that are open already, until told to end.
    Noop(Noop),
    /// Searches and binds of a directory, without any mail server.
    Directory(Directory),
    /// One session in a big mailbox: how long STAT, LIST and UIDL took.
    Big(Target),
    /// A password hash by itself, without a server.
    Hash {
        /// The hash, as it stands in the users file; the password is `right`.
        hash: String,
        /// How many times.
        #[arg(long, default_value_t = 1000)]
        count: u64,
    },
}

/// What a job found, to be printed as JSON.
#[derive(Default)]
struct Report(Vec<(&'static str, f64)>);

impl Report {
    fn put(&mut self, name: &'static str, value: f64) {
        self.0.push((name, value));
    }

    /// Percentiles, in milliseconds.
    fn put_latency(&mut self, mut times: Vec<Duration>) {
        times.sort();
        let at = |percent: usize| {
            let place = times.len().saturating_sub(1) * percent / 100;
            times.get(place).map_or(0.0, milliseconds)
        };
        self.put("p50", at(50));
        self.put("p99", at(99));
    }

    fn json(&self) -> String {
        let mut text = String::from("{");
        for (number, (name, value)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}\"{name}\": {value}");
        }
        text + "}"
    }
}

fn milliseconds(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A count as a figure of the report; counts here are far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn figure(count: u64) -> f64 {
    count as f64
}

/// Says that everything is prepared and waits for the word; the end of the input is one too.
fn wait(word: &str) -> Outcome<()> {
    println!("{word}");
    stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Runs `work` when told to, and adds how long it took.
async fn timed(work: impl Future<Output = Outcome<Report>>) -> Outcome<Report> {
    wait("ready")?;
    let begun = Instant::now();
    let mut report = work.await?;
    report.put("seconds", begun.elapsed().as_secs_f64());
    Ok(report)
}

async fn run(job: Job) -> Outcome<()> {
    match job {
        Job::Login(visits) => wait(&timed(visits.run(visit::login)).await?.json()),
        Job::Session(visits) => wait(&timed(visits.run(visit::session)).await?.json()),
        Job::Fetch(fetch) => {
            let open = fetch.open().await?;
            wait(&timed(fetch.run(open)).await?.json())
        }
        Job::Verify(verify) => wait(&timed(verify.run()).await?.json()),
        Job::Paced(paced) => wait(&timed(paced.run()).await?.json()),
        Job::Idle(idle) => {
            let mut open = Vec::new();
            let report = timed(idle.run(&mut open)).await?;
            wait(&report.json())
        }
        Job::Noop(noop) => {
            let open = noop.open().await?;
            wait(&timed(noop.run(open)).await?.json())
        }
        Job::Directory(directory) => {
            let open = directory.open().await?;
            wait(&timed(directory.run(open)).await?.json())
        }
        Job::Big(target) => wait(&timed(visit::big(&target)).await?.json()),
        Job::Hash { hash, count } => {
            wait(&timed(async { verify_hash(&hash, count) }).await?.json())
        }
    }
}

fn verify_hash(text: &str, count: u64) -> Outcome<Report> {
    let (hash, password) = (
        text.parse::<PasswordHash>()?,
        Secret::new(b"right".to_vec()),
    );
    for _ in 0..count {
        if !hash.verify(&password) {
            return Err("this hash is not of the password `right`".into());
        }
    }
    let mut report = Report::default();
    report.put("operations", figure(count));
    Ok(report)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(arguments.job)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
