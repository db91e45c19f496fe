//! A Kerberos realm of its own, tickets in it, and a client whose every move can be told.
//!
//! There are two makers: an MIT KDC (`kdc-testenv/mit`), and the domain controller of an Active
//! Directory domain (`kdc-testenv/ad`), which [`super::domain`] starts. The room `auth/src/gssapi` is
//! tested with this file too, so it needs nothing of the lab but [`super::realm`].

use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine};

use super::realm::{Part, repository};

/// A realm, stopped when it is dropped.
pub(crate) struct Realm {
    // First, so that it ends before its folder vanishes.
    part: Part,
    /// Its name.
    pub(crate) name: &'static str,
    /// The host for which `pop.keytab` has keys of `pop`.
    pub(crate) host: &'static str,
    /// Where that host is.
    pub(crate) address: Ipv4Addr,
    /// The action of the script that runs a program inside.
    inside: &'static str,
    /// What must stand before a client that talks to a server of this machine.
    beside: Vec<String>,
    _folder: Option<tempfile::TempDir>,
}

impl Realm {
    /// Starts EXAMPLE.TEST, with an MIT KDC; alice has a ticket.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("postern-realm-")
            .tempdir_in("/tmp")
            .expect("a folder under /tmp");
        let part = Part::start(&folder, "mit", "kdc", &[]);
        let realm = Self {
            name: "EXAMPLE.TEST",
            host: "localhost",
            address: Ipv4Addr::LOCALHOST,
            inside: "enter",
            beside: part.words("enter").to_vec(),
            part,
            _folder: Some(folder),
        };
        realm.kinit(&[], "alice");
        realm
    }

    /// The realm AD.EXAMPLE.TEST of a domain controller that runs; alice has a ticket, also for the
    /// mail server: the controller is on a network of its own, where servers of this machine are not.
    pub(crate) fn of_domain(part: Part) -> Self {
        let before = ["env", "HOST_NETWORK=1"].map(str::to_owned);
        let within = part.words("mail");
        // The script takes the language away.
        let after = ["env", "LC_ALL=C.UTF-8"].map(str::to_owned);
        let realm = Self {
            name: "AD.EXAMPLE.TEST",
            host: "mail.ad.example.test",
            address: Ipv4Addr::new(127, 0, 0, 11),
            inside: "mail",
            beside: before.into_iter().chain(within).chain(after).collect(),
            part,
            _folder: None,
        };
        realm.kinit(&[], "alice");
        realm.does(&["mail"], &["kvno", &format!("pop/{}", realm.host)]);
        realm
    }

    /// A file of the realm.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.part.file(name)
    }

    /// The name of the mail server, as a client asks for a ticket for it.
    pub(crate) fn service(&self) -> String {
        format!("pop@{}", self.host)
    }

    /// `kdc-testenv/SCRIPT VERB FOLDER ARGUMENTS`, which must succeed.
    pub(crate) fn does(&self, verb: &[&str], arguments: &[&str]) {
        let (verb, more) = verb.split_first().expect("a verb");
        self.part.does(verb, &[more, arguments].concat());
    }

    /// The tickets from now on are this user's, by the key in `users.keytab`.
    pub(crate) fn kinit(&self, options: &[&str], user: &str) {
        let keytab = self.path("users.keytab");
        let begin = ["kinit", "-k", "-t", keytab.to_str().expect("a plain path")];
        self.does(&[self.inside], &[&begin, options, &[user]].concat());
    }

    /// The tickets from now on are one that no KDC gave out: of this user for the mail server, with a PAC
    /// of so many octets.
    pub(crate) fn forge(&self, user: &str, octets: usize) {
        let forger = repository("tests/clients/forge_ticket.py");
        let output = Command::new("/usr/bin/python3")
            .args([forger, self.path("pop.keytab")])
            .arg(format!("pop/{}@{}", self.host, self.name))
            .arg(format!("{user}@{}", self.name))
            .arg(octets.to_string())
            .arg(self.path("tickets"))
            .output()
            .expect("python3; run script/bootstrap");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    /// What stands before a client program, so that it has the current tickets and finds the mail server.
    pub(crate) fn words(&self) -> &[String] {
        &self.beside
    }

    /// A client with the current tickets; `before` stands before the program, as `faketime` does.
    pub(crate) fn client_under(&self, before: &[&str], arguments: &[&str]) -> Initiator {
        let mut command = self.part.command(self.inside);
        command.args(before).arg("/usr/bin/python3");
        command
            .arg(repository("tests/clients/gss_initiator.py"))
            .args(arguments);
        Initiator::start(&mut command)
    }

    /// A client with the current tickets.
    pub(crate) fn client(&self, arguments: &[&str]) -> Initiator {
        self.client_under(&[], arguments)
    }

    /// The first token of such a client.
    pub(crate) fn token(&self, arguments: &[&str]) -> Vec<u8> {
        BASE64_STANDARD
            .decode(self.client(arguments).says())
            .expect("base64")
    }
}

/// The scripted client.
pub(crate) struct Initiator {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Initiator {
    /// Starts it as this command says.
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("python3; run script/bootstrap");
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Self {
            child,
            input: input.expect("a pipe"),
            output: BufReader::new(output.expect("a pipe")),
        }
    }

    /// What it says next, in base64.
    pub(crate) fn says(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe");
        assert!(!line.is_empty(), "the client has ended");
        line.trim_end().to_owned()
    }

    /// Has it hear what the server says, in base64.
    pub(crate) fn hears(&mut self, challenge: &str) {
        writeln!(self.input, "{challenge}").expect("a pipe");
    }
}

impl Drop for Initiator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
