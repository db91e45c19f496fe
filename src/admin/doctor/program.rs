//! A program that is asked something: with a deadline, an empty environment, and bounded output.
#![expect(clippy::disallowed_types, reason = "the doctor asks programs")]

use std::io::{self, Read as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a program may take.
const WITHIN: Duration = Duration::from_secs(5);
/// The most of its output that is read, in octets.
const MAX_OUTPUT: u64 = 64 * 1024;
/// Where programs are.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// What a program said.
#[derive(Debug)]
pub(super) struct Said {
    /// Whether it ended well.
    pub(super) well: bool,
    /// All that it wrote, errors too.
    pub(super) text: String,
}

/// Why a program said nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    /// It is not there.
    #[error("the program {0} is not installed")]
    Missing(String),
    /// It was ended by force.
    #[error("{0} did not end in {secs} s", secs = WITHIN.as_secs())]
    Late(String),
    /// The system refused.
    #[error("{0} cannot be run: {1}")]
    System(String, io::Error),
}

/// Runs it, and waits for its end.
pub(super) fn ask(program: &str, arguments: &[&str]) -> Result<Said, Silence> {
    let system = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            Silence::Missing(program.to_owned())
        } else {
            Silence::System(program.to_owned(), error)
        }
    };
    let (reader, writer) = io::pipe().map_err(system)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(system)?)
        .stderr(writer);
    let mut child = command.spawn().map_err(system)?;
    // Its ends of the pipe in this process, or there would be no end of the output.
    drop(command);
    let (sender, receiver) = mpsc::channel();
    let read = move || {
        let mut octets = Vec::new();
        let read = reader.take(MAX_OUTPUT).read_to_end(&mut octets);
        let _ = sender.send(read.map(|_| octets));
    };
    thread::Builder::new().spawn(read).map_err(system)?;
    let Ok(read) = receiver.recv_timeout(WITHIN) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(Silence::Late(program.to_owned()));
    };
    // It has closed its output, so it is about to end.
    let status = child.wait().map_err(system)?;
    Ok(Said {
        well: status.success(),
        text: String::from_utf8_lossy(&read.map_err(system)?)
            .trim()
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_what_it_says_and_how_it_ended() {
        let said = ask("sh", &["-c", "echo out; echo err >&2; env; exit 3"]).unwrap();
        assert!(!said.well);
        assert!(said.text.starts_with("out\nerr"), "{}", said.text);
        assert!(!said.text.contains("CARGO"), "{}", said.text);
        assert!(ask("true", &[]).unwrap().well);
        let silent = ask("postern-no-such-program", &[]).unwrap_err();
        assert!(silent.to_string().contains("not installed"), "{silent}");
    }

    #[test]
    fn a_program_that_hangs_is_given_up() {
        let silent = ask("sleep", &["60"]).unwrap_err();
        assert!(matches!(silent, Silence::Late(_)), "{silent}");
    }
}
