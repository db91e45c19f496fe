//! The office: what an administrator does beside the running server.
//!
//! Every command writes to the output that it is given and says what it came to; nothing here
//! runs inside the server, and no command changes what it was not asked to.

mod auth_test;
mod check;
mod doctor;
mod json;
mod maildrop;
mod meaning;
mod pages;
mod password;
mod report;
mod service;
mod table;
mod user;
mod whois;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::cli::{AuthCommand, Command, ReportCommand};
use crate::config::{self, Config, Rejected};

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done, and nothing wrong was found.
    Fine,
    /// It was done, and something wrong was found and printed.
    Found,
    /// It could not be found out, as a directory is out of order; why was printed.
    Trouble,
    /// It was done, and came to this exit code.
    Status(u8),
}

/// Why a command could not be done, in words for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(#[from] Rejected),
    /// The users file refused.
    #[error("{0}")]
    Users(#[from] user::UserError),
    /// The maildrop refused.
    #[error("{0}")]
    Maildrop(#[from] maildrop::MaildropError),
    /// No password was given.
    #[error("{0}")]
    Password(#[from] password::PasswordError),
    /// No login could be tried.
    #[error("{0}")]
    AuthTest(#[from] auth_test::AuthTestError),
    /// Nobody could be asked for the account.
    #[error("{0}")]
    Whois(#[from] whois::WhoisError),
    /// A log could not be read.
    #[error("{0}")]
    Report(#[from] report::ReportError),
    /// A file or the output could not be written.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file, or `standard output`.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl From<io::Error> for AdminError {
    fn from(source: io::Error) -> Self {
        Self::Write {
            path: "standard output".to_owned(),
            source,
        }
    }
}

/// What a command works with.
pub struct Office<'a> {
    /// The configuration file.
    pub config: PathBuf,
    /// Where results go.
    pub out: &'a mut dyn Write,
    /// Today, for certificates.
    pub now: SystemTime,
}

impl Office<'_> {
    /// Does what was typed; `serve` and `demo` are not the office's.
    ///
    /// # Errors
    /// [`AdminError`] when it could not be done.
    pub fn run(&mut self, command: &Command) -> Result<Outcome, AdminError> {
        match command {
            Command::Serve | Command::Demo => Ok(Outcome::Fine),
            Command::Check { json, strict } => self.check(*json, *strict),
            Command::Doctor { client, json } => self.doctor(client, *json),
            Command::User(command) => self.user(command),
            Command::Whois { name, json } => self.whois(name, *json),
            Command::Auth(AuthCommand::Test(asked)) => self.auth_test(asked),
            Command::Maildrop(command) => self.maildrop(command),
            Command::Config(command) => self.pages(command),
            Command::Report(ReportCommand::Auth { logs, since, json }) => {
                self.report(logs, *since, *json)
            }
            Command::Completions { shell } => {
                self.out.write_all(&crate::cli::completions(*shell))?;
                Ok(Outcome::Fine)
            }
        }
    }

    /// The configuration, for commands that need a file or a path of it.
    fn configuration(&self) -> Result<Config, AdminError> {
        Ok(config::load(&self.config)?.config)
    }
}
