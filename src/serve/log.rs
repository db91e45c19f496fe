//! Where records go: standard error, for people or for programs.
//!
//! Records are handed to one writing thread through a bounded queue. A reader that stops reading, a
//! full disk or a closed pipe costs records, which are counted, and never a session. Only our own
//! records are written: other libraries would put what strangers send into the log.

use std::io::{self, BufWriter, IsTerminal as _, Stderr, Write};
use std::thread;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

use crate::config::{Log, LogFormat, LogLevel};

/// How many records may wait for the writer.
const QUEUE: usize = 16 * 1024;

/// How long the writer rests when it has written everything. What is recorded meanwhile leaves in
/// one write, and does not wake the writer each time.
const REST: Duration = Duration::from_millis(5);

/// The log of this process; what waits is written when it is dropped.
pub(super) struct Recorder {
    level: Handle<Targets, Registry>,
    lost: ErrorCounter,
    _writer: WorkerGuard,
}

impl Recorder {
    /// Begins the log. One that is there already, in a test, stays.
    pub(super) fn begin(log: Log) -> Self {
        let queue = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(QUEUE);
        let (writer, guard) = queue.finish(Batches(BufWriter::new(io::stderr())));
        let lost = writer.error_counter();
        let (filter, level) = reload::Layer::new(ours(log.level));
        // Without this a record that cannot be written would panic.
        let records = fmt::layer().log_internal_errors(false).with_writer(writer);
        let registry = tracing_subscriber::registry().with(filter);
        let _ = match log.format {
            LogFormat::Human => {
                let ansi = io::stderr().is_terminal();
                registry
                    .with(records.with_ansi(ansi).with_target(false))
                    .try_init()
            }
            LogFormat::Json => registry.with(records.json()).try_init(),
        };
        Self {
            level,
            lost,
            _writer: guard,
        }
    }

    /// Another level from now on.
    pub(super) fn set_level(&self, level: LogLevel) {
        // Fails only when the log is gone, and then there is nothing to set.
        let _ = self.level.reload(ours(level));
    }

    /// How many records were lost because the writer could not keep up.
    pub(super) fn lost(&self) -> usize {
        self.lost.dropped_lines()
    }
}

/// The records of both our crates, down to this level.
fn ours(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_target("postern", level)
}

/// Records gathered into few writes, each of whole records.
struct Batches(BufWriter<Stderr>);

impl Write for Batches {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.0.write(record)
    }

    /// Called when nothing waits.
    #[expect(clippy::disallowed_methods, reason = "a rest, on a thread of its own")]
    fn flush(&mut self) -> io::Result<()> {
        let written = self.0.flush();
        thread::sleep(REST);
        written
    }
}
