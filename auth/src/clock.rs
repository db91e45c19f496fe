//! The one place of this crate that looks at a clock.
//!
//! It never looks at the time of day: windows and delays are measured by the monotonic clock,
//! through tokio, so that a test can pause it.

use std::time::Duration;

use tokio::time::Instant;

/// The moment, for a delay that is to end at a certain time.
#[expect(
    clippy::disallowed_methods,
    reason = "refusals are answered at a certain time"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Time since something began: the throttle's and the users file's measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(instant())
    }

    /// How long ago it was started.
    pub(crate) fn elapsed(&self) -> Duration {
        instant().saturating_duration_since(self.0)
    }
}
