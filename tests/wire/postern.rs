//! Starts the server that is built from this repository.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use super::fixture;
use super::house::{Ground, House};
use super::script::Script;

const LISTENERS: &str = r#"[
    { address = "127.0.0.1:0", tls = "starttls" },
    { address = "127.0.0.1:0", tls = "implicit" },
]"#;

/// What a test configures; everything else is as the profile has it.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The profile.
    pub(crate) profile: String,
    /// `login.type`; `default` leaves it to the profile.
    pub(crate) login: String,
    /// The name of alice's maildrop.
    pub(crate) maildrop: String,
    /// Further settings: the path of a key, and a value in TOML.
    pub(crate) set: Vec<(String, String)>,
    /// Whether there is a certificate, an implicit listener and STLS.
    pub(crate) tls: bool,
}

impl Setup {
    /// The profile `postern` with plain-text logins and the maildrop `two`.
    pub(crate) fn new() -> Self {
        Self {
            profile: "postern".into(),
            login: "plain-text".into(),
            maildrop: "two".into(),
            set: Vec::new(),
            tls: true,
        }
    }

    /// What a transcript asks for, under one of its profiles.
    pub(crate) fn of(script: &Script, profile: &str) -> Self {
        Self {
            profile: profile.to_owned(),
            login: script.login.clone(),
            maildrop: script.maildrop.clone(),
            set: script.set.clone(),
            tls: true,
        }
    }

    /// With another maildrop for alice.
    pub(crate) fn maildrop(mut self, name: &str) -> Self {
        self.maildrop = name.to_owned();
        self
    }

    /// With a listener in the clear only, and no certificate.
    pub(crate) fn without_tls(mut self) -> Self {
        self.tls = false;
        self
    }

    /// With another profile.
    pub(crate) fn profile(mut self, name: &str) -> Self {
        self.profile = name.to_owned();
        self
    }

    /// With this key set to this value, written as TOML.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.set.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The configuration file.
    pub(crate) fn toml(&self, ground: &Ground) -> String {
        let path = |name: &str| ground.path(name).display().to_string();
        let mut table = toml::Table::new();
        let mut put = |key: &str, value: &str| {
            let parsed: toml::Table = format!("value = {value}")
                .parse()
                .unwrap_or_else(|_| panic!("{key} = {value}"));
            place(&mut table, key, parsed["value"].clone());
        };
        put("profile", &format!("{:?}", self.profile));
        put("hostname", "\"pop.example.test\"");
        put("site", "\"london\"");
        if nix::unistd::Uid::effective().is_root() {
            put("user", "\"nobody\"");
        }
        if self.tls {
            put("listener", LISTENERS);
            put("tls.certificate", &format!("{:?}", path("chain.pem")));
            put("tls.private_key", &format!("{:?}", path("key.pem")));
        } else {
            put(
                "listener",
                "[{ address = \"127.0.0.1:0\", tls = \"none\" }]",
            );
        }
        if self.login != "default" {
            put("login.type", &format!("{:?}", self.login));
        }
        put("login.mechanisms", "[\"PLAIN\"]");
        put("login.refusal_delay", "\"0s\"");
        put("users.file", &format!("{:?}", path("users.toml")));
        put(
            "maildrop.path",
            &format!("{:?}", path("mail/{name}/Maildir")),
        );
        put("log.format", "\"json\"");
        for (key, value) in &self.set {
            put(key, value);
        }
        toml::to_string(&table).expect("a table of plain values")
    }
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

/// Starts the server and waits until all listeners accept.
pub(crate) fn start(setup: &Setup) -> House {
    try_start(setup).unwrap_or_else(|log| panic!("the server did not start:\n{log}"))
}

/// Starts the server, or tells what it said when it ended at once.
///
/// # Errors
/// What it said.
pub(crate) fn try_start(setup: &Setup) -> Result<House, String> {
    run(prepared(setup, |_| ()))
}

/// Starts the server on a ground to which something is added first.
pub(crate) fn start_on(setup: &Setup, add: impl Fn(&Ground)) -> House {
    run(prepared(setup, add)).unwrap_or_else(|log| panic!("the server did not start:\n{log}"))
}

fn prepared(setup: &Setup, add: impl Fn(&Ground)) -> Ground {
    let ground = Ground::prepare(&setup.maildrop);
    ground.secret("users.toml", &users());
    std::fs::write(ground.path("postern.toml"), setup.toml(&ground)).expect("writing");
    add(&ground);
    ground.give_away();
    ground
}

fn run(ground: Ground) -> Result<House, String> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["serve", "--config"])
        .arg(ground.path("postern.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starting the server");
    let mut lines = BufReader::new(process.stderr.take().expect("its log")).lines();
    let mut said = Vec::new();
    let (mut clear, mut implicit) = (None, None);
    loop {
        let Some(Ok(line)) = lines.next() else {
            process.wait().expect("the end of the server");
            return Err(said.join("\n"));
        };
        match field(&line, "message") {
            Some("listening") if field(&line, "tls") == Some("implicit") => {
                implicit = address(&line)
            }
            Some("listening") => clear = address(&line),
            _ => {}
        }
        let ready = field(&line, "message") == Some("ready");
        said.push(line);
        if ready {
            break;
        }
    }
    let log = Arc::new(Mutex::new(said));
    let writer = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            writer.lock().expect("the log").push(line);
        }
    });
    let clear = clear.expect("a listener in the clear");
    Ok(House::new(
        ground,
        clear,
        implicit.unwrap_or(clear),
        process,
        log,
    ))
}

/// The value of a field of a JSON log line, when it is a plain text.
pub(crate) fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("\"{name}\":\"");
    let rest = &line[line.find(&start)? + start.len()..];
    rest.split('"').next()
}

fn address(line: &str) -> Option<SocketAddr> {
    field(line, "address")?.parse().ok()
}

/// The users file of the fixture.
pub(crate) fn users() -> String {
    let mut file = toml::Table::new();
    let secret = "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgb2N0ZXRzLi4=";
    file.insert("scram_secret".to_owned(), secret.into());
    let entry = |user: &fixture::User| {
        let mut entry = toml::Table::new();
        entry.insert("name".to_owned(), user.name.into());
        entry.insert(
            "aliases".to_owned(),
            vec![format!("{}@example.test", user.name)].into(),
        );
        entry.insert("password".to_owned(), user.hash.into());
        if !user.scram.is_empty() {
            entry.insert("scram".to_owned(), user.scram.into());
        }
        entry.insert("site".to_owned(), user.site.into());
        entry.insert("disabled".to_owned(), user.disabled.into());
        entry.insert("pop3".to_owned(), (!user.pop3_off).into());
        entry.insert("delegates".to_owned(), user.delegates.to_vec().into());
        toml::Value::Table(entry)
    };
    file.insert(
        "user".to_owned(),
        toml::Value::Array(fixture::USERS.iter().map(entry).collect()),
    );
    toml::to_string(&file).expect("a table of plain values")
}
