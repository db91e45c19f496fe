//! Postern with NTLM, as an administrator configures it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::lab::Doors;
use crate::lab::daemon::{Daemon, until};
use crate::lab::postern::{address, messages};
use crate::lab::tool::Tool;
use crate::lab::world::{HOST, Lab, is_root};

const PROGRAM: &str = env!("CARGO_BIN_EXE_postern");

/// What a test configures beside what every server here has.
pub(crate) struct Setup {
    settings: Vec<(String, String)>,
    people: Vec<Person>,
    /// What runs the server: nothing, or a program with its arguments.
    within: Vec<String>,
}

/// Somebody in the users file.
struct Person {
    name: String,
    /// None: only a domain controller knows it.
    password: Option<String>,
    aliases: Vec<String>,
}

impl Setup {
    /// NTLM and PLAIN, refusals at once, and no limit of failures.
    pub(crate) fn new() -> Self {
        let setup = Self {
            settings: Vec::new(),
            people: Vec::new(),
            within: Vec::new(),
        };
        setup
            .set("login.mechanisms", r#"["NTLM", "PLAIN"]"#)
            .set("login.type", r#""plain-text""#)
            .set("login.refusal_delay", r#""0s""#)
            .set("login.attempts", "100")
            .set("login.failures_per_account", "0")
            .set("login.failures_per_source", "0")
            .set("limits.max_connections_per_source", "500")
            .set("log.format", r#""json""#)
            .set("ntlm.domain", r#""HOUSE""#)
            .set("ntlm.local_domains", r#"["", "HOUSE", "POP"]"#)
    }

    /// With this key set to this value, written as TOML.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With a user who has an NT hash.
    pub(crate) fn user(self, name: &str, password: &str, aliases: &[&str]) -> Self {
        self.person(name, Some(password), aliases)
    }

    /// With a user whose password a domain controller alone knows.
    pub(crate) fn foreigner(self, name: &str, aliases: &[&str]) -> Self {
        self.person(name, None, aliases)
    }

    fn person(mut self, name: &str, password: Option<&str>, aliases: &[&str]) -> Self {
        self.people.push(Person {
            name: name.to_owned(),
            password: password.map(str::to_owned),
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        });
        self
    }

    /// Started by this program.
    pub(crate) fn within(mut self, command: Vec<String>) -> Self {
        self.within = command;
        self
    }

    fn users(&self, lab: &Lab) -> String {
        let mut file = toml::Table::new();
        let entries = self.people.iter().map(|person| {
            let mut entry = toml::Table::new();
            entry.insert("name".to_owned(), person.name.as_str().into());
            entry.insert("aliases".to_owned(), person.aliases.clone().into());
            if let Some(password) = &person.password {
                let hash = Tool::new(lab, "openssl")
                    .args(["passwd", "-6", password])
                    .run();
                let hash = String::from_utf8(hash).expect("a hash is ASCII");
                entry.insert("password".to_owned(), hash.trim().into());
                entry.insert("nt_hash".to_owned(), nt_hash(password).into());
            }
            toml::Value::Table(entry)
        });
        file.insert("user".to_owned(), toml::Value::Array(entries.collect()));
        toml::to_string(&file).expect("plain values")
    }

    fn configuration(&self, lab: &Lab, users: &str) -> String {
        let mut table = toml::Table::new();
        let mut put = |key: &str, value: &str| {
            let parsed: toml::Table = format!("value = {value}")
                .parse()
                .unwrap_or_else(|_| panic!("{key} = {value}"));
            place(&mut table, key, parsed["value"].clone());
        };
        let address = lab.address;
        let listener = |tls: &str| format!(r#"{{ address = "{address}:0", tls = "{tls}" }}"#);
        let secure =
            format!(r#"{{ address = "{address}:0", tls = "starttls", login_type = "secure" }}"#);
        put("hostname", &format!("{HOST:?}"));
        put(
            "listener",
            &format!(
                "[{}, {secure}, {}]",
                listener("starttls"),
                listener("implicit")
            ),
        );
        put("tls.certificate", &format!("{:?}", lab.pki.certificate));
        put("tls.private_key", &format!("{:?}", lab.pki.key));
        put("users.file", &format!("{users:?}"));
        let mail = lab.path().join("mail/{user}/Maildir");
        put("maildrop.path", &format!("{mail:?}"));
        if is_root() {
            put("user", "\"nobody\"");
        }
        for (key, value) in &self.settings {
            put(key, value);
        }
        toml::to_string(&table).expect("plain values")
    }

    /// Writes the files that the server reads, and says where its configuration is.
    fn write(&self, lab: &Lab) -> PathBuf {
        let users = lab.write("users.toml", self.users(lab));
        for path in [&users, &lab.pki.key] {
            fs::set_permissions(path, Permissions::from_mode(0o600)).expect("chmod");
            lab.give(path);
        }
        let users = users.display().to_string();
        lab.write("postern.toml", self.configuration(lab, &users))
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn start(&self, lab: &Lab) -> Server {
        let configuration = self.write(lab);
        let words = self.within.iter().map(String::as_str);
        let words: Vec<_> = words.chain([PROGRAM, "serve", "--config"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&configuration);
        let mut daemon = Daemon::start(lab, "postern", &mut command);
        let addresses = daemon.await_ready("the record `ready`", |daemon| {
            let log = daemon.log();
            messages(&log, "ready").next()?;
            let listening = messages(&log, "listening");
            Some(listening.filter_map(address).collect::<Vec<_>>())
        });
        let [plain, secure, implicit] = addresses.as_slice() else {
            panic!("three listeners, not {addresses:?}")
        };
        Server {
            doors: Doors {
                plain: *plain,
                secure: *secure,
                implicit: *implicit,
            },
            daemon,
        }
    }
}

/// The NT hash as the users file has it.
fn nt_hash(password: &str) -> String {
    use md4::Digest as _;
    let digest = md4::Md4::digest(crate::message::utf16(password));
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn place(table: &mut toml::Table, key: &str, value: toml::Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, key)) => {
            let inner = table
                .entry(section)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            place(inner.as_table_mut().expect("a section"), key, value);
        }
    }
}

/// A running Postern.
pub(crate) struct Server {
    pub(crate) doors: Doors,
    pub(crate) daemon: Daemon,
}

impl Server {
    /// The last log record with this message that has all these words; records come a moment after the
    /// answer.
    pub(crate) fn told(&self, message: &str, words: &[&str]) -> String {
        until(&format!("the record {message:?} with {words:?}"), || {
            let log = self.daemon.log();
            let found = messages(&log, message)
                .filter(|record| words.iter().all(|word| record.contains(word)));
            found.last().map(str::to_owned)
        })
    }

    /// How many login records there are.
    pub(crate) fn logins(&self) -> usize {
        messages(&self.daemon.log(), "login").count()
    }

    /// The login record after this many.
    pub(crate) fn login(&self, before: usize) -> serde_json::Value {
        until("a login record", || {
            let log = self.daemon.log();
            let record = messages(&log, "login").nth(before)?;
            Some(serde_json::from_str(record).expect("JSON"))
        })
    }

    /// The reasons of the login records after this many, once the wanted one is the last of them; or after
    /// a while whatever there is. Records may come a moment after the answer.
    pub(crate) fn reasons_after(&self, before: usize, wanted: &str) -> Vec<String> {
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(3);
        until("the reasons in the log", || {
            let log = self.daemon.log();
            let reasons: Vec<_> = messages(&log, "login").skip(before).map(reason).collect();
            let there = reasons.last().is_some_and(|last| last == wanted);
            (there || std::time::Instant::now() > patience).then_some(reasons)
        })
    }
}

/// Why a login came out as it did.
fn reason(record: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(record).expect("JSON");
    record["fields"]["reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
