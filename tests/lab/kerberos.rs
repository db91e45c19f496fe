//! A Kerberos realm of its own (`kdc-testenv/mit`), and a client whose every move can be told.
//!
//! The room `auth/src/gssapi` is tested with this file too, so it needs nothing else of the lab.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine};

fn repository(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if here.ends_with("auth") {
        here.join("..")
    } else {
        here.to_owned()
    };
    root.join(name)
}

/// A realm, stopped when it is dropped. Its name is EXAMPLE.TEST.
pub(crate) struct Realm {
    folder: tempfile::TempDir,
}

impl Realm {
    /// Starts it; alice has a ticket.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("postern-realm-")
            .tempdir_in("/tmp");
        let realm = Self {
            folder: folder.expect("a folder under /tmp"),
        };
        realm.does(&["start"], &[]);
        realm.kinit(&[], "alice");
        realm
    }

    /// A file of the realm.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `kdc-testenv/mit VERB FOLDER ARGUMENTS`, which must succeed.
    pub(crate) fn does(&self, verb: &[&str], arguments: &[&str]) {
        let output = self.command(verb).args(arguments).output();
        let output = output.expect("kdc-testenv/mit; run script/bootstrap");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb:?} {arguments:?}: {said}");
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = Command::new(repository("kdc-testenv/mit"));
        command.args(verb).arg(self.folder.path());
        command
    }

    /// The tickets from now on are this user's, by the key in `users.keytab`.
    pub(crate) fn kinit(&self, options: &[&str], user: &str) {
        let keytab = self.path("users.keytab");
        let begin = ["kinit", "-k", "-t", keytab.to_str().expect("a plain path")];
        self.does(&["enter"], &[&begin, options, &[user]].concat());
    }

    /// What programs must have in their environment to be clients of the realm.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [
            ("KRB5_CONFIG", self.path("krb5.conf").display().to_string()),
            (
                "KRB5CCNAME",
                format!("FILE:{}", self.path("tickets").display()),
            ),
        ]
    }

    /// A client with the current tickets; `before` stands before the program, as `faketime` does.
    pub(crate) fn client_under(&self, before: &[&str], arguments: &[&str]) -> Initiator {
        let mut command = self.command(&["enter"]);
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

impl Drop for Realm {
    fn drop(&mut self) {
        let _ = self.command(&["stop"]).output();
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
