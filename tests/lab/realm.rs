//! The parts of `kdc-testenv`, started for one test and stopped with it.
//!
//! A part is a script with `start FOLDER` and `stop FOLDER`; where it is, its folder's `env` says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::tool::Tool;
use super::world::Lab;

/// What every test account there has as its password.
pub(crate) const PASSWORD: &str = "Right-1234";

/// Something that a script of `kdc-testenv` started.
pub(crate) struct Part {
    script: &'static str,
    folder: PathBuf,
}

impl Part {
    /// Starts it in the lab's folder of this name, and waits until it is ready.
    pub(crate) fn start(lab: &Lab, script: &'static str, name: &str, options: &[&str]) -> Self {
        let part = Self {
            script,
            folder: lab.path().join(name),
        };
        part.start_again(options);
        part
    }

    /// Starts it, in the folder that it has.
    pub(crate) fn start_again(&self, options: &[&str]) {
        let output = self.run("start", options);
        assert!(
            output.status.success(),
            "{} does not start: {}",
            self.script,
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Runs the script with this action on the folder, whatever comes out.
    pub(crate) fn run(&self, action: &str, options: &[&str]) -> Output {
        Command::new(script(self.script))
            .arg(action)
            .arg(&self.folder)
            .args(options)
            .env("POSTERN", env!("CARGO_BIN_EXE_postern"))
            .stdin(Stdio::null())
            .output()
            .expect("a script of kdc-testenv")
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The variables that let a program see it.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.file("env")).expect("the part's env");
        let variables = text.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.trim_matches('\'').to_owned()))
        });
        variables.collect()
    }

    /// One of these variables.
    pub(crate) fn variable(&self, name: &str) -> String {
        let found = self.env().into_iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name} is not in env")).1
    }

    /// A run of a program that sees it.
    pub(crate) fn tool(&self, lab: &Lab, program: &str) -> Tool {
        let bare = Tool::new(lab, program);
        self.env()
            .into_iter()
            .fold(bare, |tool, (name, value)| tool.env(&name, value))
    }

    /// Stops it. Its folder stays, but for that of a whole realm.
    pub(crate) fn stop(&self) {
        let output = self.run("stop", &[]);
        assert!(
            output.status.success(),
            "{} does not stop: {}",
            self.script,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Also after a failure, and when it has been stopped before: that is no error.
        let _ = self.run("stop", &[]);
    }
}

/// The path of a script of `kdc-testenv`.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("kdc-testenv")
        .join(name)
}
