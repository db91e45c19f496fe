//! The store's only look at the time, and its only pause. Everything else is handed a [`Clock`].

use std::time::Duration;

/// Tells the time and waits. The server uses [`SystemClock`]; tests hand in their own.
pub trait Clock: Send + Sync {
    /// The time since 1970 (UTC).
    fn unix_time(&self) -> Duration;

    /// Lets another process go on that holds the lock of an index.
    fn pause(&self, length: Duration);
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the store looks at the time"
    )]
    fn unix_time(&self) -> Duration {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "another process holds the dotlock: there is nothing that would wake us"
    )]
    fn pause(&self, length: Duration) {
        std::thread::sleep(length);
    }
}
