//! The one place of this crate that looks at a clock.
//!
//! Windows and delays are measured by the monotonic clock, through tokio, so that a test can pause
//! it. The time of day is looked at for two things: whether a certificate is valid, and whether an
//! NTLM response was made now.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The moment, for a delay that is to end at a certain time.
#[expect(
    clippy::disallowed_methods,
    reason = "refusals are answered at a certain time"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// The time of day, in seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "certificates are valid from and until a time"
)]
pub(crate) fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// The time of day as NTLM writes it: in units of 100 ns since 1601.
#[expect(
    clippy::disallowed_methods,
    reason = "an NTLM challenge and its response carry a time"
)]
pub(crate) fn filetime() -> u64 {
    /// From 1601 to 1970.
    const BEFORE: u64 = 116_444_736_000_000_000;
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_or(0, |since| since.as_nanos() / 100);
    BEFORE.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
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
