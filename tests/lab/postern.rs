//! Postern as an administrator runs it: the program, a configuration file, a users file.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Doors;
use super::daemon::{Daemon, until};
use super::tool::Tool;
use super::world::{HOST, Lab, USERS, is_root};

const PROGRAM: &str = env!("CARGO_BIN_EXE_postern");

/// A running Postern.
pub(crate) struct Postern {
    /// Where it listens, as its log says.
    pub(crate) doors: Doors,
    /// Its configuration file.
    pub(crate) configuration: PathBuf,
    /// The process and its log.
    pub(crate) daemon: Daemon,
}

impl Postern {
    /// Starts it on the lab's Maildirs and waits until all listeners accept.
    pub(crate) fn start(lab: &Lab) -> Self {
        Self::start_with(lab, "")
    }

    /// As [`Self::start`], with lines for the configuration file: keys of the top level, then whole
    /// sections.
    pub(crate) fn start_with(lab: &Lab, top: &str) -> Self {
        Self::start_in(lab, top, &[])
    }

    /// As [`Self::start_with`], with these variables as its whole environment.
    pub(crate) fn start_in(lab: &Lab, top: &str, environment: &[(&str, &str)]) -> Self {
        let users = users_file(lab);
        private(lab, &lab.pki.key);
        let configuration = lab.write("postern.toml", configuration(lab, top, &users));
        let mut command = Command::new(PROGRAM);
        command
            .arg("serve")
            .arg("--config")
            .arg(&configuration)
            .env_clear()
            .envs(environment.iter().copied());
        let mut daemon = Daemon::start(lab, "postern", &mut command);
        let addresses = daemon.await_ready("the record `ready`", |daemon| {
            let log = daemon.log();
            messages(&log, "ready").next()?;
            Some(
                messages(&log, "listening")
                    .filter_map(address)
                    .collect::<Vec<_>>(),
            )
        });
        let [plain, secure, implicit] = addresses.as_slice() else {
            panic!("three listeners, not {addresses:?}")
        };
        let doors = Doors {
            plain: *plain,
            secure: *secure,
            implicit: *implicit,
        };
        Self {
            doors,
            configuration,
            daemon,
        }
    }

    /// The last log record with this message that has all these words in it. Records are written a
    /// moment after the client has its answer.
    pub(crate) fn told(&self, message: &str, words: &[&str]) -> String {
        until(&format!("the record {message:?} with {words:?}"), || {
            let mut records = self.records(message);
            records.retain(|record| words.iter().all(|word| record.contains(word)));
            records.pop()
        })
    }

    /// The log records with this message.
    pub(crate) fn records(&self, message: &str) -> Vec<String> {
        messages(&self.daemon.log(), message)
            .map(str::to_owned)
            .collect()
    }
}

/// The records of a JSON log that carry this message.
pub(crate) fn messages<'log>(log: &'log str, message: &str) -> impl Iterator<Item = &'log str> {
    let wanted = format!("\"message\":\"{message}\"");
    // The last one may be half written.
    let whole = log
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'));
    whole.filter(move |line| line.contains(&wanted))
}

/// The field `address` of a log record.
pub(crate) fn address(record: &str) -> Option<SocketAddr> {
    let (_, rest) = record.split_once("\"address\":\"")?;
    rest.split('"').next()?.parse().ok()
}

/// The users with hashed passwords, in a file that only the server may read.
fn users_file(lab: &Lab) -> PathBuf {
    let text = USERS.iter().fold(String::new(), |mut text, user| {
        let hash = Tool::new(lab, "openssl")
            .args(["passwd", "-6", user.password])
            .run();
        let hash = String::from_utf8(hash).expect("a hash is ASCII");
        writeln!(
            text,
            "[[user]]\nname = \"{}\"\npassword = \"{}\"\nscram = \"{}\"\nnt_hash = \"{}\"\n",
            user.name,
            hash.trim(),
            user.scram,
            user.nt_hash
        )
        .expect("a string grows");
        text
    });
    let path = lab.write("users.toml", text);
    private(lab, &path);
    path
}

/// Makes it the server's own and nobody else's.
fn private(lab: &Lab, path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("chmod");
    lab.give(path);
}

fn configuration(lab: &Lab, top: &str, users: &Path) -> String {
    let user = if is_root() { "user = \"nobody\"" } else { "" };
    let address = lab.address;
    let (top, sections) = top.split_at(top.find("\n[").unwrap_or(top.len()));
    let kerberos = if sections.contains("[gssapi]") {
        r#""GSSAPI", "GSS-SPNEGO", "#
    } else {
        ""
    };
    format!(
        r#"{top}
hostname = "{HOST}"
{user}

[[listener]]
address = "{address}:0"
tls = "starttls"
login_type = "plain-text"

[[listener]]
address = "{address}:0"
tls = "starttls"
login_type = "secure"

[[listener]]
address = "{address}:0"
tls = "implicit"

[tls]
certificate = "{certificate}"
private_key = "{key}"

[login]
mechanisms = [{kerberos}"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "NTLM"]
refusal_delay = "10ms"
extended_protection = "{protection}"

[users]
file = "{users}"

[maildrop]
path = "{mail}/{{user}}/Maildir"

[log]
format = "json"
{sections}
"#,
        protection = lab.extended_protection,
        certificate = lab.pki.certificate.display(),
        key = lab.pki.key.display(),
        users = users.display(),
        mail = lab.path().join("mail").display(),
    )
}
