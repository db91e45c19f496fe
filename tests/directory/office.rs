//! Commands of an administrator, with a configuration that names a directory.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::lab::realm::PASSWORD;
use crate::lab::world::Lab;
use crate::served::configuration;

/// A configuration.
pub(crate) struct Office {
    config: PathBuf,
}

/// Exit code, and everything that was said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Office {
    /// With these lines under `[ldap]`, in the site `london`.
    pub(crate) fn new(lab: &Lab, ldap: &str) -> Self {
        let config = lab.write("office.toml", configuration(lab, "london", ldap));
        Self { config }
    }

    /// The same with more local users, as the users file has them.
    pub(crate) fn with_users(self, lab: &Lab, users: &str) -> Self {
        let path = lab.path().join("users.toml");
        let before = fs::read_to_string(&path).expect("the users file");
        fs::write(&path, format!("{before}{users}")).expect("the users file");
        self
    }

    /// Runs a command, with this line as its input. No command says a password.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(arguments)
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        // A command that does not read may be gone already.
        let _ = writeln!(pipe, "{input}");
        drop(pipe);
        let output = child.wait_with_output().expect("the program ends");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).expect("UTF-8");
        // `right` is also a word of ours.
        for secret in [PASSWORD, input]
            .into_iter()
            .filter(|secret| secret.len() > 5)
        {
            assert!(
                !text.contains(secret),
                "{arguments:?} says {secret}: {text}"
            );
        }
        Said {
            code: output.status.code(),
            text,
        }
    }

    /// Runs a command that needs no input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }
}

impl Said {
    /// The lines, with one blank between words.
    pub(crate) fn lines(&self) -> Vec<String> {
        let one = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        self.text.lines().map(one).collect()
    }

    /// Fails unless each of these is the beginning of a line, and the exit code is this.
    pub(crate) fn has(&self, code: i32, beginnings: &[&str]) {
        let lines = self.lines();
        for beginning in beginnings {
            let found = lines.iter().any(|line| line.starts_with(beginning));
            assert!(found, "no line begins with {beginning:?}: {}", self.text);
        }
        assert_eq!(self.code, Some(code), "{}", self.text);
    }

    /// The same, and what was said is one JSON object.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}
