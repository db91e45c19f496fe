//! The protocol log in the form of Exchange: a record for each command, in files of its own.
//!
//! Off unless configured. Records go through a bounded queue to one writing thread, so a slow or
//! full disk costs records, which are counted, and never a session. What a record may show of a
//! command is decided by the verb table ([`crate::pop3::verb`]); a password is in none.

mod files;
mod minutes;
mod record;
#[cfg(test)]
mod tests;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::SystemTime;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::config;
use files::Files;
pub use minutes::{Heard, Minutes};

/// How many records may wait for the writer.
const QUEUE: usize = 16 * 1024;

/// The way into the log; every session has a copy.
#[derive(Clone, Debug)]
pub struct ProtocolLog {
    queue: NonBlocking,
}

/// The first file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "the protocol log cannot be written: {}: {source}; make the folder and give it to the service user with mode 750 (under systemd it must also be in ReadWritePaths=), or set protocol_log.enabled = false",
    path.display()
)]
pub struct Unwritable {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Begins the log. What waits is written when the guard is dropped.
///
/// # Errors
/// [`Unwritable`] when the first file cannot be opened.
pub fn open(settings: &config::ProtocolLog) -> Result<(ProtocolLog, WorkerGuard), Unwritable> {
    let files = Files::open(settings, now)?;
    let (queue, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE)
        .thread_name("protocol-log")
        .finish(files);
    Ok((ProtocolLog { queue }, guard))
}

impl ProtocolLog {
    /// How many records were lost because the writer could not keep up.
    pub fn lost(&self) -> usize {
        self.queue.error_counter().dropped_lines()
    }

    fn write(&mut self, record: &str) {
        // A queue that is full counts what it loses, and there is nobody else to tell.
        let _ = self.queue.write_all(record.as_bytes());
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "records bear the time of day; this is the one place that looks at it"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
