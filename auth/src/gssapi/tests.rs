//! The room against a real KDC, with a client of MIT's library.
//!
//! The realm is that of `kdc-testenv/mit`. Each test has its own, as nextest gives each its own
//! process; the acceptor in this process never sees its `krb5.conf`.
#![expect(clippy::disallowed_types, reason = "starts a KDC and a client")]

mod bindings;
mod faults;
mod layers;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::*;
use crate::{Pool, Reason};

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// A realm of its own, stopped when it is dropped.
pub(super) struct Realm {
    folder: tempfile::TempDir,
}

impl Realm {
    /// Starts it; alice has a ticket.
    pub(super) fn start() -> Self {
        let realm = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        realm.does(&["start"], &[]);
        realm.kinit(&[], "alice");
        realm
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `kdc-testenv/mit VERB FOLDER ARGUMENTS`.
    pub(super) fn does(&self, verb: &[&str], arguments: &[&str]) {
        let output = self.command(verb).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb:?} {arguments:?}: {said}");
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = Command::new(repository("kdc-testenv/mit"));
        command.args(verb).arg(self.folder.path());
        command
    }

    pub(super) fn kinit(&self, options: &[&str], user: &str) {
        let keytab = self.path("users.keytab");
        let begin = ["kinit", "-k", "-t", keytab.to_str().unwrap()];
        self.does(&["enter"], &[&begin, options, &[user]].concat());
    }

    pub(super) fn settings(&self) -> GssapiSettings {
        GssapiSettings {
            keytab: self.path("pop.keytab"),
            services: vec![ServiceName::parse("pop").unwrap()],
            replay_cache: Some(self.path("replay-cache")),
            weak_keys: false,
            rules: PrincipalRules::default(),
        }
    }

    pub(super) fn gssapi(&self) -> Arc<Gssapi> {
        gssapi(self.settings())
    }

    /// A client with alice's ticket; `before` stands before the program, as `faketime` does.
    pub(super) fn client_under(&self, before: &[&str], arguments: &[&str]) -> Initiator {
        let mut command = self.command(&["enter"]);
        command.args(before).arg("/usr/bin/python3");
        command
            .arg(repository("tests/clients/gss_initiator.py"))
            .args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Initiator {
            child,
            input,
            output: BufReader::new(output),
        }
    }

    pub(super) fn client(&self, arguments: &[&str]) -> Initiator {
        self.client_under(&[], arguments)
    }

    /// The first token of such a client.
    pub(super) fn token(&self, arguments: &[&str]) -> Vec<u8> {
        self.client(arguments).hears()
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        let _ = self.command(&["stop"]).output();
    }
}

pub(super) fn gssapi(settings: GssapiSettings) -> Arc<Gssapi> {
    let pool = Arc::new(Pool::new("gssapi", 1, 10, 10).unwrap());
    Arc::new(Gssapi::new(settings, pool))
}

/// The scripted client.
pub(super) struct Initiator {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Initiator {
    fn hears(&mut self) -> Vec<u8> {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the client has ended");
        BASE64_STANDARD.decode(line.trim_end()).unwrap()
    }

    /// Talks to the end.
    pub(super) fn talk(&mut self, talk: &mut Talk) -> Result<Proven, Failure> {
        loop {
            let said = self.hears();
            match talk.step(&said)? {
                Said::Proven(proven) => return Ok(*proven),
                Said::Challenge(challenge) => {
                    let line = BASE64_STANDARD.encode(challenge);
                    writeln!(self.input, "{line}").unwrap();
                }
            }
        }
    }
}

impl Drop for Initiator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn begin(gssapi: &Arc<Gssapi>, flavour: Flavour) -> Talk {
    Talk::new(Arc::clone(gssapi), flavour, Bindings::default())
}

pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> (Reason, String) {
    let failure = outcome.unwrap_err();
    (failure.reason, failure.detail.unwrap_or_default())
}

const FLAVOURS: [(Flavour, &str); 2] = [(Flavour::Gssapi, "krb5"), (Flavour::Spnego, "spnego")];

#[test]
fn a_ticket_says_who_it_is_with_and_without_mutual_authentication() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    for (flavour, mechanism) in FLAVOURS {
        for more in [&[][..], &["--no-mutual"]] {
            let arguments = [&["pop@localhost", "--mechanism", mechanism], more].concat();
            let proven = realm
                .client(&arguments)
                .talk(&mut begin(&gssapi, flavour))
                .unwrap();
            assert_eq!(proven.client.to_string(), "alice@EXAMPLE.TEST");
            assert_eq!(proven.service.to_string(), "pop/localhost@EXAMPLE.TEST");
            assert_eq!((proven.authzid.as_str(), proven.bound), ("", Bound::No));
        }
    }
}

#[test]
fn the_name_of_another_host_of_the_keytab_will_do_unless_the_configuration_says_which() {
    let realm = Realm::start();
    let any = realm.gssapi();
    let mut settings = realm.settings();
    settings.services = vec![ServiceName::parse("POP/mail.example.test").unwrap()];
    let one = gssapi(settings);
    let asks = |host: &str, gssapi: &Arc<Gssapi>| {
        realm
            .client(&[host])
            .talk(&mut begin(gssapi, Flavour::Gssapi))
    };
    assert!(asks("pop@mail.example.test", &any).is_ok());
    assert!(asks("pop@mail.example.test", &one).is_ok());
    let (reason, detail) = refused(asks("pop@localhost", &one));
    assert_eq!(reason, Reason::WrongService);
    assert!(
        detail.contains("for pop/localhost@EXAMPLE.TEST kvno 1"),
        "{detail}"
    );
    assert!(
        detail.contains("holds pop/mail.example.test@EXAMPLE.TEST kvno 1"),
        "{detail}"
    );
}

#[test]
fn a_service_is_written_as_administrators_write_it() {
    assert!(ServiceName::parse("pop").is_some_and(|name| name.host.is_none()));
    let name = ServiceName::parse("POP/mail.example.test").unwrap();
    assert_eq!(
        (name.service.as_str(), name.host.as_deref()),
        ("POP", Some("mail.example.test"))
    );
    for text in [
        "", "/", "pop/", "/host", "pop/a/b", "pop@host", "pop/h@R", "p p", "pop\\x",
    ] {
        assert_eq!(ServiceName::parse(text), None, "{text}");
    }
}
