//! System calls of a running program that fail, by strace: the real program, the real file system,
//! and an error that a disk would give.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::daemon::{DEADLINE, until};
use super::world::Lab;

/// Faults that last until the value is dropped.
pub(crate) struct Faults {
    strace: Child,
    traced: Pid,
    log: PathBuf,
}

impl Faults {
    /// Makes calls of this program fail. `inject` is what strace calls so, such as
    /// `fsync:error=EIO:when=1` (each thread counts for itself); only calls on these paths, or on
    /// descriptors of them, are meant. No path at all means all calls.
    pub(crate) fn attach(lab: &Lab, pid: Pid, inject: &str, paths: &[PathBuf]) -> Self {
        let (calls, _) = inject
            .split_once(':')
            .expect("calls and what happens to them");
        let log = lab.path().join("strace.log");
        let mut command = Command::new("strace");
        command
            .args([
                "--follow-forks",
                "--quiet=all",
                "--attach",
                &pid.to_string(),
            ])
            .arg(format!("--trace={calls}"))
            .arg(format!("--inject={inject}"))
            .arg("--output")
            .arg(&log);
        for path in paths {
            command.arg("--trace-path").arg(path);
        }
        let strace = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("strace: {error}; run script/bootstrap"));
        let mut faults = Self {
            strace,
            traced: pid,
            log,
        };
        until("strace to hold every thread", || {
            let ended = faults.strace.try_wait().expect("the state of strace");
            assert!(
                ended.is_none(),
                "strace may not trace the server: {ended:?}"
            );
            all_traced(pid).then_some(())
        });
        faults
    }

    /// How many calls were made to fail so far.
    pub(crate) fn count(&self) -> usize {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).matches("(INJECTED)").count()
    }

    /// Ends them, and says how many there were.
    pub(crate) fn end(self) -> usize {
        let log = self.log.clone();
        drop(self);
        let log = fs::read(log).unwrap_or_default();
        String::from_utf8_lossy(&log).matches("(INJECTED)").count()
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.strace.id()).expect("a process id"));
        // It detaches, and the program goes on by itself.
        let _ = kill(pid, Signal::SIGTERM);
        // One whose program was killed under it may wait for ever. Another is given its time: if it
        // were killed, a call of the program could be left unfinished.
        let started = Instant::now();
        while self.strace.try_wait().is_ok_and(|ended| ended.is_none()) {
            let patience = if is_dead(self.traced) {
                Duration::from_secs(1)
            } else {
                DEADLINE
            };
            if started.elapsed() > patience {
                let _ = self.strace.kill();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Ended, although nobody has asked for its status yet.
fn is_dead(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.is_empty() || status.contains("State:\tZ")
}

fn all_traced(pid: Pid) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a running program");
    tasks.flatten().all(|task| is_traced(&task.path()))
}

fn is_traced(task: &Path) -> bool {
    let status = fs::read_to_string(task.join("status")).unwrap_or_default();
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
