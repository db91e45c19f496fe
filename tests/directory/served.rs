//! Postern with a directory: one listener for clients on loopback, one local user, and its log.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::lab::daemon::{Daemon, until};
use crate::lab::pop3::Client;
use crate::lab::postern::messages;
use crate::lab::realm::PASSWORD;
use crate::lab::world::{Lab, is_root};

/// A user who stands in no directory; the password is `right`.
const LOCAL: &str = "[[user]]\nname = \"lotte\"\n\
    password = \"$5$rounds=1000$x$5ncE3xeFO8YNQwpQEydhoeUN1txqxYfpsfRQnCfc8E0\"\n";

/// A running Postern.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    configuration: PathBuf,
    daemon: Daemon,
}

impl Served {
    /// Starts it in `site` with these lines under `[ldap]`. `before` is the program, and its
    /// arguments, that runs it.
    pub(crate) fn start(lab: &Lab, site: &str, ldap: &str, before: &[&str]) -> Self {
        let name = format!("postern-{site}");
        let configuration = lab.write(&format!("{name}.toml"), configuration(lab, site, ldap));
        let program = env!("CARGO_BIN_EXE_postern");
        let mut words = before.iter().copied().chain([program]);
        let mut command = Command::new(words.next().expect("a program"));
        command
            .args(words)
            .args(["serve", "--config"])
            .arg(&configuration);
        let mut daemon = Daemon::start(lab, &name, &mut command);
        let address = daemon.await_ready("the record `ready`", |daemon| {
            let log = daemon.log();
            log.contains("\"message\":\"ready\"").then_some(())?;
            let (_, rest) = log.split_once("\"address\":\"")?;
            rest.split('"').next()?.parse().ok()
        });
        Self {
            address,
            configuration,
            daemon,
        }
    }

    /// The account and the site of the last login record of this name, once it has this reason:
    /// records are written a moment after the client has its answer.
    pub(crate) fn record(&self, login: &str, reason: &str) -> (String, String) {
        let text = serde_json::to_string(login).expect("a text");
        let (wanted, reason) = (
            format!("\"login\":{text}"),
            format!("\"reason\":\"{reason}\""),
        );
        let record = until(&format!("a record of {login} with {reason}"), || {
            let log = self.daemon.log();
            let records = messages(&log, "login").filter(|record| record.contains(&wanted));
            let last = records.last()?;
            last.contains(&reason).then(|| last.to_owned())
        });
        let record: serde_json::Value = serde_json::from_str(&record).expect("a record in JSON");
        let field = |name: &str| {
            let value = record["fields"][name].as_str();
            value.unwrap_or("-").to_owned()
        };
        (field("account"), field("site"))
    }

    /// How many login records of this name have this reason and account, once there are two: one of
    /// each way in which `ad` logs in.
    pub(crate) fn count(&self, login: &str, reason: &str, account: &str) -> usize {
        until(&format!("records of {login}: {reason}, {account}"), || {
            let log = self.daemon.log();
            let records = log.lines().filter_map(|line| {
                let record: serde_json::Value = serde_json::from_str(line).ok()?;
                Some(record["fields"].clone())
            });
            let is = |fields: &serde_json::Value, name: &str, value: &str| {
                fields[name].as_str().unwrap_or("-") == value
            };
            let count = records
                .filter(|fields| is(fields, "message", "login") && is(fields, "login", login))
                .filter(|fields| is(fields, "reason", reason) && is(fields, "account", account))
                .count();
            (count >= 2).then_some(count)
        })
    }

    /// Changes the local users; takes the old text.
    pub(crate) fn change_users(&self, lab: &Lab, change: impl Fn(&str) -> String) {
        private(lab, "users.toml", &change(LOCAL));
    }

    /// Changes the configuration and has it read again: SIGHUP, and the record that says what came of it.
    pub(crate) fn reload(&self, outcome: &str, change: impl Fn(&str) -> String) {
        let text = fs::read_to_string(&self.configuration).expect("the configuration");
        fs::write(&self.configuration, change(&text)).expect("the configuration");
        let message = format!("\"message\":\"{outcome}");
        let told = |served: &Self| served.log().matches(&message).count();
        let before = told(self);
        self.daemon.signal(Signal::SIGHUP);
        until(&format!("the record {outcome:?}"), || {
            (told(self) > before).then_some(())
        });
    }

    /// The answer to a login by USER and PASS, and how long it took.
    pub(crate) fn login(&self, name: &str, password: &str) -> (String, Duration) {
        let mut client = Client::connect(self.address);
        client.ok(&format!("USER {name}"));
        let begun = Instant::now();
        let answer = client.ask(&format!("PASS {password}"));
        (answer, begun.elapsed())
    }

    /// A session of alice that stays open.
    pub(crate) fn session(&self) -> Client {
        let mut session = Client::connect(self.address);
        session.ok("USER alice");
        session.ok(&format!("PASS {PASSWORD}"));
        session
    }

    /// Everything that it wrote.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }
}

/// Writes a file that the server alone may read.
pub(crate) fn private(lab: &Lab, name: &str, text: &str) -> PathBuf {
    let path = lab.write(name, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
    lab.give(&path);
    path
}

/// The text of its configuration.
pub(crate) fn configuration(lab: &Lab, site: &str, ldap: &str) -> String {
    let user = if is_root() { "user = \"nobody\"" } else { "" };
    let users = private(lab, "users.toml", LOCAL);
    let password = private(lab, "password", &format!("{PASSWORD}\n"));
    let mail = lab.dir("mail");
    lab.give(&mail);
    let shown = |path: &Path| path.display().to_string();
    format!(
        r#"site = "{site}"
{user}

[[listener]]
address = "127.0.0.1:0"
tls = "none"
login_type = "plain-text"

[login]
mechanisms = ["PLAIN", "LOGIN"]
refusal_delay = "10ms"
attempts = 100
failures_per_account = 0
recheck = "1s"
failures_per_source = 0

[limits]
max_connections_per_source = 1000

[users]
file = "{users}"

[maildrop]
path = "{mail}/{{user}}/Maildir"

[log]
format = "json"

[ldap]
password_file = "{password}"
{ldap}
"#,
        users = shown(&users),
        mail = shown(&mail),
        password = shown(&password),
    )
}
