//! The parts of `kdc-testenv`, started for one test and stopped with it.
//!
//! A part is a script with `start FOLDER` and `stop FOLDER`; where it is, its folder's `env` says. The
//! room `auth/src/gssapi` is tested with this file too, so it needs nothing else of the lab.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What every test account there has as its password.
pub(crate) const PASSWORD: &str = "Right-1234";

/// Something that a script of `kdc-testenv` started.
pub(crate) struct Part {
    script: &'static str,
    folder: PathBuf,
}

impl Part {
    /// Starts it in the folder of this name below another, and waits until it is ready.
    pub(crate) fn start(
        below: impl AsRef<Path>,
        script: &'static str,
        name: &str,
        options: &[&str],
    ) -> Self {
        let part = Self::in_folder(below.as_ref().join(name), script);
        part.start_again(options);
        part
    }

    /// One that is made already, in this folder, and may have been started.
    pub(crate) fn in_folder(folder: PathBuf, script: &'static str) -> Self {
        Self { script, folder }
    }

    /// Starts it, in the folder that it has.
    pub(crate) fn start_again(&self, options: &[&str]) {
        self.does("start", options);
    }

    /// Runs the script with this action on the folder, which must succeed.
    pub(crate) fn does(&self, action: &str, options: &[&str]) -> Output {
        let output = self.run(action, options);
        assert!(
            output.status.success(),
            "{} {action} {options:?}: {}{}; run script/bootstrap",
            self.script,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// Runs the script with this action on the folder, whatever comes out.
    pub(crate) fn run(&self, action: &str, options: &[&str]) -> Output {
        self.command(action)
            .args(options)
            .stdin(Stdio::null())
            .output()
            .expect("a script of kdc-testenv")
    }

    /// The script with this action on the folder, to be given more arguments.
    pub(crate) fn command(&self, action: &str) -> Command {
        let mut command = Command::new(script(self.script));
        command.arg(action).arg(&self.folder);
        // Tests of the crate postern-auth alone know no program.
        if let Some(program) = option_env!("CARGO_BIN_EXE_postern") {
            command.env("POSTERN", program);
        }
        command
    }

    /// The words that stand before a program, so that it runs inside.
    pub(crate) fn words(&self, action: &str) -> [String; 3] {
        let plain = |path: &Path| path.to_str().expect("a plain path").to_owned();
        [
            plain(&script(self.script)),
            action.to_owned(),
            plain(&self.folder),
        ]
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

    /// Stops it. Its folder stays, but for that of a whole realm.
    pub(crate) fn stop(&self) {
        self.does("stop", &[]);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Also after a failure, and when it has been stopped before: that is no error.
        let _ = self.run("stop", &[]);
    }
}

/// A file of this repository.
pub(crate) fn repository(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if here.ends_with("auth") {
        here.join("..")
    } else {
        here.to_owned()
    };
    root.join(name)
}

/// The path of a script of `kdc-testenv`.
pub(crate) fn script(name: &str) -> PathBuf {
    repository("kdc-testenv").join(name)
}
