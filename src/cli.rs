//! The command line: what can be typed, and the help that teaches it.
//!
//! Only words here; `main.rs` starts the server, `admin` does the rest.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::config::DEFAULT_PATH;

mod pages;
mod user;

pub use pages::{completions, man_pages};
pub use user::{KeyCommand, NtHashChoice, UserCommand};

/// A POP3 server for organisations on Active Directory or Kerberos; it behaves as Exchange's does.
#[derive(Debug, Parser)]
#[command(
    name = "postern",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "\
Begin with:
  postern demo                            try it: sample users and mail on loopback
  postern config example > postern.toml   a commented configuration with every setting
  postern check --config postern.toml     everything that is wrong with it, with remedies
  postern doctor                          and with what it depends on: DNS, Kerberos, LDAP, winbind
  postern user add ann@example.test       a first account
  postern serve                           serve mail

Exit codes: 0 fine, 1 something failed or was found, 2 the command line is wrong, 3 a directory is out
of order, so that it could not be found out."
)]
pub struct Cli {
    /// The configuration file
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        default_value = DEFAULT_PATH
    )]
    pub config: PathBuf,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve mail until SIGTERM
    ///
    /// SIGHUP reads the configuration and the certificates again; with an error in them the server
    /// goes on with the old ones and logs why. SIGTERM closes the listeners and gives sessions
    /// `timeouts.drain` to end. Under systemd it says READY=1 and takes sockets handed over.
    #[command(after_help = "\
Examples:
  postern serve
  postern serve --config ./postern.toml")]
    Serve,

    /// Serve sample users and mail on loopback, to try the server out
    ///
    /// Everything is made up for this run and gone after it: certificate, users, mail. It prints
    /// commands that work against it.
    Demo,

    /// Say everything that is wrong with the configuration and what it names
    ///
    /// Looks at the configuration, the certificates, the users file, the maildrops and the ports,
    /// and changes nothing. It also asks the LDAP directory whether the base, the groups, the filter and
    /// the attributes of the configuration are there, and whether the service account may read them. Every
    /// finding has its place and a remedy. The exit code is 1 when there is an error, and 0 when there are
    /// only warnings; a directory out of reach is one of these, as a reload must be possible meanwhile.
    #[command(after_help = "\
Examples:
  postern check
  postern check --config new.toml && sudo systemctl reload postern
  postern check --json | jq '.findings[].remedy'")]
    Check {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        /// Take a directory out of reach as an error
        #[arg(long)]
        strict: bool,
    },

    /// Say whether this host is well, and what is wrong with it
    ///
    /// Looks at everything that `postern check` looks at, and asks those whom the server and its clients
    /// depend on: DNS, the KDC and its clock, the directory, winbind. It changes nothing. Whoever hangs is given up
    /// after ten seconds. With --client it asks the KDC for a real ticket for every name of this server, and
    /// tries each against the keytab.
    ///
    /// The first line is the sum of it. Then every check has its lines: `ok`, `warn`, `FAIL` with the remedy below,
    /// `?` for what could not be looked at, and `-` for what the configuration does not need. The exit code is that
    /// of a plugin of Nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    #[command(after_help = "\
Examples:
  sudo postern doctor
  sudo postern doctor --client ann@EXAMPLE.TEST
  sudo postern doctor --client probe --client-keytab /etc/postern/probe.keytab
  postern doctor --json | jq '.checks[] | select(.status == \"critical\")'")]
    Doctor {
        /// Who asks for a ticket
        #[command(flatten)]
        client: TicketClient,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },

    /// Keep the local accounts
    #[command(subcommand)]
    User(UserCommand),

    /// Say how a typed name is understood, and which account it reaches
    ///
    /// Takes the name apart as a login does, asks whoever keeps the accounts, and shows state, site,
    /// maildrop, delegates and the kinds of credentials, never their values. Of an account in a directory
    /// it shows the entry, by which attribute it answers to the name, and its groups; and also says when
    /// several entries answer, or a local account comes first. A name of two, as delegates type it at
    /// USER, shows both accounts and the right. The exit code is 1 when nobody answers to a name, or the
    /// right is missing, and 3 when the directory would have to be asked and is out of order.
    #[command(after_help = "\
Examples:
  postern whois 'CORP\\ann'
  postern whois ann@example.test/sales@example.test
  postern whois ann --json | jq -r '.names[0].account.name'")]
    Whois {
        /// The name, as somebody types it
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },

    /// Try a login
    #[command(subcommand)]
    Auth(AuthCommand),

    /// Look into maildrops
    #[command(subcommand)]
    Maildrop(MaildropCommand),

    /// Count what the log says
    #[command(subcommand)]
    Report(ReportCommand),

    /// Print what can be configured
    #[command(subcommand)]
    Config(ConfigCommand),

    /// Print a script that completes commands in a shell
    #[command(after_help = "\
Examples:
  postern completions bash > /usr/share/bash-completion/completions/postern
  postern completions fish > ~/.config/fish/completions/postern.fish")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// An account.
#[derive(Debug, Args)]
pub struct Name {
    /// The account's name, such as ann@example.test
    #[arg(value_name = "USER")]
    pub name: String,
}

/// Try a login.
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    /// Make one real attempt to log in, and explain every step of it
    ///
    /// The attempt is made by the code and the configuration of the server, in this process: name,
    /// account, password, state, groups, site and delegate are judged as for a client. It shows what was
    /// asked, what a client would see on the wire, and what the login record would say, with its meaning
    /// and remedy. No secret is shown. The maildrop is not opened, and the throttle and the log of a
    /// running server know nothing of it; but a wrong password counts in a directory, or at a domain
    /// controller, as any other does. TLS itself is not tried.
    ///
    /// The exit code is 0 when the login is granted, 1 when it is refused or could not be tried, and 3
    /// when a directory or a domain controller could not be asked.
    #[command(after_help = "\
Examples:
  postern auth test ann@example.test
  postern auth test 'CORP\\ann' --mechanism ntlm --address 192.0.2.7
  pass show mail/ann | head -n 1 | postern auth test ann --password-stdin --json | jq -r .reason")]
    Test(AuthTest),
}

/// One attempt.
#[derive(Debug, Args)]
pub struct AuthTest {
    /// The name, as somebody types it; a delegate's double name too
    pub name: String,
    /// How the client logs in
    #[arg(long, value_enum, default_value = "user-pass")]
    pub mechanism: MechanismChoice,
    /// Its password
    #[command(flatten)]
    pub password: PasswordSource,
    /// The listener, by its address in the configuration [default: the first with TLS]
    #[arg(long, value_name = "ADDRESS")]
    pub listener: Option<String>,
    /// As before STLS
    #[arg(long)]
    pub no_tls: bool,
    /// From where the client comes, for rules about networks
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub address: IpAddr,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How a client logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MechanismChoice {
    /// USER and PASS
    UserPass,
    /// AUTH PLAIN
    Plain,
    /// AUTH LOGIN
    Login,
    /// AUTH SCRAM-SHA-256
    #[value(name = "scram", alias = "scram-sha-256")]
    Scram,
    /// AUTH SCRAM-SHA-256-PLUS, bound to the TLS connection
    #[value(name = "scram-plus", alias = "scram-sha-256-plus")]
    ScramPlus,
    /// AUTH NTLM: NTLMv2, bound to the certificate
    Ntlm,
    /// Needs a ticket: it says what to try instead
    Gssapi,
    /// Needs a certificate: it says what to try instead
    External,
}

impl MechanismChoice {
    /// The mechanism's name in SASL; USER and PASS have none.
    pub fn sasl(self) -> Option<&'static str> {
        match self {
            Self::UserPass => None,
            Self::Plain => Some("PLAIN"),
            Self::Login => Some("LOGIN"),
            Self::Scram => Some("SCRAM-SHA-256"),
            Self::ScramPlus => Some("SCRAM-SHA-256-PLUS"),
            Self::Ntlm => Some("NTLM"),
            Self::Gssapi => Some("GSSAPI"),
            Self::External => Some("EXTERNAL"),
        }
    }

    /// In words for people.
    pub fn shown(self) -> &'static str {
        self.sasl().unwrap_or("USER and PASS")
    }
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// Who asks for a ticket.
#[derive(Debug, Args)]
pub struct TicketClient {
    /// Ask the KDC for a ticket as this principal; its password is asked for
    #[arg(long, value_name = "PRINCIPAL")]
    pub client: Option<String>,
    /// A keytab with the principal's key, instead of the password
    #[arg(long, value_name = "FILE", requires = "client")]
    pub client_keytab: Option<PathBuf>,
    /// Read the password from the first line of standard input
    #[arg(long, requires = "client", conflicts_with = "client_keytab")]
    pub password_stdin: bool,
}

/// Look into maildrops.
#[derive(Debug, Subcommand)]
pub enum MaildropCommand {
    /// List the messages of an account as a session would see them
    #[command(after_help = "\
Examples:
  postern maildrop show ann@example.test
  postern maildrop show ann@example.test --json | jq '.messages[0].uid'")]
    Show {
        /// The account
        #[command(flatten)]
        name: Name,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },

    /// Test an account's Maildir and its index, and change nothing
    ///
    /// The exit code is 1 when something was found.
    Verify {
        /// The account
        #[command(flatten)]
        name: Name,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Count what the log says.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Who still logs in by NTLM, in clear text, or without channel binding
    ///
    /// Reads the server's log in either of its forms, from files or from standard input, and lists
    /// account, address, machine and times of every use that should go before it is refused: clear
    /// text, NTLMv1 (refused or let in), NTLM, a binding to another TLS connection or to none, and
    /// logins that stricter rules on `audit` would have refused.
    #[command(after_help = "\
Examples:
  journalctl -u postern -o cat --since -30d | postern report auth
  postern report auth --since 7d /var/log/postern.log
  postern report auth --json postern.log | jq -r '.uses[] | select(.kind == \"ntlm\") | .account'")]
    Auth {
        /// Logs of the server [default: standard input]
        #[arg(value_name = "LOG")]
        logs: Vec<PathBuf>,
        /// Only what is younger, such as 12h or 30d
        #[arg(long, value_name = "AGE", value_parser = crate::config::age)]
        since: Option<Duration>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Print what can be configured.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the reference of all settings, in Markdown
    Reference,

    /// Print a commented configuration with every setting
    #[command(after_help = "\
Example:
  postern config example | sudo tee /etc/postern/postern.toml")]
    Example,

    /// Print the man page postern.toml(5), or write all man pages into a folder
    #[command(after_help = "\
Examples:
  postern config man | man -l -
  postern config man --directory ./man
  sudo install -D -m 644 -t /usr/local/share/man/man1 ./man/*.1
  sudo install -D -m 644 -t /usr/local/share/man/man5 ./man/*.5")]
    Man {
        /// Write postern(1), one page for each command, and postern.toml(5) into this folder
        #[arg(long, value_name = "FOLDER")]
        directory: Option<PathBuf>,
    },
}

/// The definition of the whole command line.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_holds_together() {
        super::command().debug_assert();
    }
}
