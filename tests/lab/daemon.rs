//! Programs that run until the test is over, and the one place that waits.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::world::Lab;

/// How long anything may take before a test gives up on it. Machines may be busy.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer; the only sleep of the lab.
pub(crate) fn until<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(
            started.elapsed() < DEADLINE,
            "waited {DEADLINE:?} in vain for: {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// A server in the foreground. Ended when the value is dropped; a failing test prints its log.
pub(crate) struct Daemon {
    name: String,
    child: Child,
    /// What the program writes: standard output and standard error, and for some a log file.
    log: PathBuf,
    /// How long the log was before, when one of this name ran in this lab already.
    before: usize,
}

impl Daemon {
    /// Starts the program. Its output goes to `NAME.log` in the lab.
    pub(crate) fn start(lab: &Lab, name: &str, command: &mut Command) -> Self {
        let log = lab.path().join(format!("{name}.log"));
        let before = fs::read(&log).map_or(0, |octets| octets.len());
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("the log file twice"))
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{command:?} does not start: {error}; run script/bootstrap")
            });
        Self {
            name: name.to_owned(),
            child,
            log,
            before,
        }
    }

    /// Everything it wrote since it started.
    pub(crate) fn log(&self) -> String {
        let octets = fs::read(&self.log).unwrap_or_default();
        let said = octets.get(self.before..).unwrap_or_default();
        String::from_utf8_lossy(said).into_owned()
    }

    /// Waits for an answer, and fails at once when the program has ended before that.
    pub(crate) fn await_ready<T>(
        &mut self,
        what: &str,
        mut question: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        until(&format!("{} of {}", what, self.name), || {
            // Asked before the question: what it said last counts.
            let ended = self.child.try_wait().expect("the state of a child");
            let answer = question(self);
            assert!(
                answer.is_some() || ended.is_none(),
                "{} ended with {ended:?}",
                self.name
            );
            answer
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("kill");
    }

    /// Whether it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        let ended = self.child.try_wait().expect("the state of a child");
        ended.is_none()
    }

    /// Ends it as a power cut does: nothing in it runs any more.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("the end of a child");
    }

    /// Asks it to end and waits for it.
    pub(crate) fn stop(&mut self) {
        if self
            .child
            .try_wait()
            .expect("the state of a child")
            .is_none()
        {
            self.signal(Signal::SIGTERM);
            self.child.wait().expect("the end of a child");
        }
    }
}

impl Drop for Daemon {
    #[expect(
        clippy::print_stderr,
        reason = "what the server said explains a failed test"
    )]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "---- log of {} ----\n{}---- end of it ----",
                self.name,
                self.log()
            );
            // No second panic: that would hide the first.
            let _ = self.child.kill();
            let _ = self.child.wait();
        } else {
            self.stop();
        }
    }
}
