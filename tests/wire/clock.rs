//! Waiting for something that another process does: by looking again, never by hoping.

use std::time::{Duration, Instant};

use super::client::PATIENCE;

/// Asks again until there is an answer, for as long as the patience lasts.
pub(crate) fn within<T>(ask: impl FnMut() -> Option<T>) -> Option<T> {
    within_time(PATIENCE, ask)
}

fn within_time<T>(time: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if begun.elapsed() > time {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// The same, where no answer fails the test.
pub(crate) fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(ask).unwrap_or_else(|| panic!("waited too long for {what}"))
}

/// The same for what takes a time of its own, such as a timer of the server.
pub(crate) fn until_within<T>(time: Duration, what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within_time(time, ask).unwrap_or_else(|| panic!("waited {time:?} for {what}"))
}

/// The time that something takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}
