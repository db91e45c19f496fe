//! One `ntlm_auth` process: asked one thing at a time, with a deadline, and killed when in doubt.
#![expect(clippy::disallowed_types, reason = "the helper is a program")]

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use tokio::time::Instant;

use super::protocol::{self, MAX_ANSWER, OutOfStep, Request, Verdict};
use crate::clock;

/// Why a helper gave no verdict. It is not to be used again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    /// It could not be started.
    #[error("{program} cannot be started: {source}; install winbind, or correct `winbind.helper`")]
    Start {
        /// As configured.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended, or its pipe broke.
    #[error("the helper ended in the middle: {0}; `wbinfo -t` says whether winbind is well")]
    Ended(io::Error),
    /// It did not answer in time.
    #[error("the helper did not answer in {} s; `wbinfo -t` says whether winbind is well", .0.as_secs())]
    Late(Duration),
    /// It answered something else.
    #[error(transparent)]
    OutOfStep(#[from] OutOfStep),
}

/// A running helper.
pub(crate) struct Helper {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    asked: u64,
}

impl Helper {
    /// Starts the program: its path and its arguments.
    pub(crate) fn start(command: &[String]) -> Result<Self, HelperError> {
        let (program, arguments) = command.split_first().ok_or_else(nothing)?;
        let broken = |source| HelperError::Start {
            program: program.clone(),
            source,
        };
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(broken)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(nothing());
        };
        let helper = Self {
            child,
            input,
            output,
            asked: 0,
        };
        // A helper that does not read must not hold us in a write.
        for pipe in [helper.input.as_fd(), helper.output.as_fd()] {
            fcntl_setfl(pipe, OFlags::NONBLOCK).map_err(|error| broken(error.into()))?;
        }
        Ok(helper)
    }

    /// Asks, and waits for the answer. After an error the helper must be dropped.
    pub(crate) fn ask(
        &mut self,
        request: &Request,
        within: Duration,
    ) -> Result<Verdict, HelperError> {
        self.asked += 1;
        // The number is used once in this process, and another helper knows nothing of it.
        let nonce = self.asked ^ (u64::from(self.child.id()) << 32);
        let deadline = clock::instant() + within;
        let late = || HelperError::Late(within);
        self.write(protocol::request(request, nonce).as_bytes(), deadline)
            .map_err(|error| failed(error, late))?;
        let mut read = Vec::new();
        loop {
            if let Some(verdict) = protocol::answer(&read, nonce)? {
                return Ok(verdict);
            }
            if read.len() > MAX_ANSWER {
                return Err(OutOfStep.into());
            }
            self.read(&mut read, deadline)
                .map_err(|error| failed(error, late))?;
        }
    }

    /// Asks in another of the program's protocols, in which a question and its answer are a line each.
    pub(super) fn line(&mut self, question: &str, within: Duration) -> Result<String, HelperError> {
        let deadline = clock::instant() + within;
        let late = || HelperError::Late(within);
        self.write(question.as_bytes(), deadline)
            .map_err(|error| failed(error, late))?;
        let mut read = Vec::new();
        while read.last() != Some(&b'\n') {
            if read.len() > MAX_ANSWER {
                return Err(OutOfStep.into());
            }
            self.read(&mut read, deadline)
                .map_err(|error| failed(error, late))?;
        }
        let line = String::from_utf8(read).map_err(|_| OutOfStep)?;
        Ok(line.trim_end().to_owned())
    }

    fn write(&mut self, mut octets: &[u8], deadline: Instant) -> io::Result<()> {
        while !octets.is_empty() {
            wait(&self.input, PollFlags::OUT, deadline)?;
            match self.input.write(octets) {
                Ok(written) => octets = octets.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read(&mut self, into: &mut Vec<u8>, deadline: Instant) -> io::Result<()> {
        wait(&self.output, PollFlags::IN, deadline)?;
        let mut octets = [0; 1024];
        match self.output.read(&mut octets) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                into.extend_from_slice(octets.get(..length).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It has nothing to save, and a killed process is reaped at once.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn nothing() -> HelperError {
    HelperError::Start {
        program: String::new(),
        source: io::ErrorKind::NotFound.into(),
    }
}

fn failed(error: io::Error, late: impl Fn() -> HelperError) -> HelperError {
    if error.kind() == io::ErrorKind::TimedOut {
        late()
    } else {
        HelperError::Ended(error)
    }
}

/// Until the pipe is ready, has ended, or the deadline has passed.
fn wait(pipe: &impl AsFd, what: PollFlags, deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(clock::instant());
    let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::TimedOut)?;
    let mut pipes = [PollFd::new(pipe, what)];
    match poll(&mut pipes, Some(&left)) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
