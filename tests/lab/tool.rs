//! Programs that run and end: the mail clients.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::realm::Part;
use super::world::Lab;

/// Seconds that a client may take. It is ended by force after that.
const SECONDS: &str = "60";

/// One run of a client program, in a home folder of its own and with a bare environment.
pub(crate) struct Tool {
    command: Command,
    name: String,
}

impl Tool {
    /// A run of the program. It gets the lab's folder `home` as its home.
    pub(crate) fn new(lab: &Lab, program: &str) -> Self {
        Self::behind(lab, &[], program)
    }

    /// The same, with these words before the program, as `env` has them.
    pub(crate) fn behind(lab: &Lab, words: &[String], program: &str) -> Self {
        let found = which(program);
        assert!(found, "{program} is not installed: run script/bootstrap");
        let mut command = Command::new("timeout");
        let home = lab.dir("home");
        command
            .args(["--kill-after=5", SECONDS])
            .args(words)
            .arg(program)
            .env_clear()
            .env("HOME", &home)
            .env("LC_ALL", "C.UTF-8")
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("TERM", "dumb")
            .env("USER", "lab")
            .current_dir(&home)
            .stdin(Stdio::null());
        Self {
            command,
            name: program.to_owned(),
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Adds a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it under another user and group.
    pub(crate) fn owner(mut self, uid: u32, gid: u32) -> Self {
        use std::os::unix::process::CommandExt;
        if super::world::is_root() {
            self.command.uid(uid).gid(gid);
        }
        self
    }

    /// Takes its standard input from a file.
    pub(crate) fn input(mut self, file: &Path) -> Self {
        self.command
            .stdin(std::fs::File::open(file).expect("the input"));
        self
    }

    /// Runs it, whatever comes out.
    pub(crate) fn output(mut self) -> Output {
        self.command
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}; run script/bootstrap", self.name))
    }

    /// Runs it and gives its standard output; fails the test when it does not end well.
    pub(crate) fn run(self) -> Vec<u8> {
        let name = self.name.clone();
        let output = self.output();
        assert!(
            output.status.success(),
            "{name} ended with {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }
}

impl Part {
    /// A run of a program that sees the part.
    pub(crate) fn tool(&self, lab: &Lab, program: &str) -> Tool {
        let bare = Tool::new(lab, program);
        self.env()
            .into_iter()
            .fold(bare, |tool, (name, value)| tool.env(&name, value))
    }
}

fn which(program: &str) -> bool {
    program.starts_with('/') && Path::new(program).exists()
        || ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
            .iter()
            .any(|folder| Path::new(folder).join(program).exists())
}
