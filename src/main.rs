//! The `postern` command: takes the command line, says what went wrong in words, and gives an exit
//! code: 0 fine, 1 something failed or was found, 2 the command line is wrong (clap's own), 3 a
//! directory is out of order, so that it could not be found out. Only `postern doctor` has others.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser as _;
use postern::admin::{AdminError, Office, Outcome};
use postern::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match &cli.command {
        Command::Serve => finish(postern::serve::run(&cli.config, |_| ())),
        Command::Demo => finish(postern::demo::run(announce)),
        Command::Check { .. }
        | Command::Doctor { .. }
        | Command::Whois { .. }
        | Command::Auth(_)
        | Command::User(_)
        | Command::Maildrop(_)
        | Command::Report(_)
        | Command::Config(_)
        | Command::Completions { .. } => office(cli),
    }
}

/// Nobody may be listening, and the demo goes on all the same.
fn announce(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn finish<E: Display>(result: Result<(), E>) -> ExitCode {
    result.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

fn office(cli: Cli) -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the date comes from"
    )]
    let now = SystemTime::now();
    let mut out = io::stdout().lock();
    let mut office = Office {
        config: cli.config,
        out: &mut out,
        now,
    };
    match office.run(&cli.command) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::FAILURE,
        Ok(Outcome::Trouble) => ExitCode::from(3),
        Ok(Outcome::Status(code)) => ExitCode::from(code),
        // Whoever read the output has seen enough, as in `postern user list | head`.
        Err(AdminError::Write { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "postern: {error}");
    ExitCode::FAILURE
}
