//! Which counted attempts have no outcome yet, and who waits for one.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::table::Key;
use super::{Full, Throttled};

/// How many attempts are being verified, by key. There are as many as there are tickets, which the
/// places for connections bound.
#[derive(Debug, Default)]
pub(super) struct Pending(HashMap<Key, Entry>);

#[derive(Debug, Default)]
struct Entry {
    count: u32,
    outcomes: Arc<Notify>,
}

/// The next outcome of an attempt under one key. None is missed between asking and waiting.
pub(super) struct Outcomes(OwnedNotified);

impl Outcomes {
    pub(super) async fn next(self) {
        self.0.await;
    }
}

impl Pending {
    pub(super) fn add(&mut self, key: Key) {
        let entry = self.0.entry(key).or_default();
        entry.count = entry.count.saturating_add(1);
    }

    /// An attempt has its outcome, which those who wait for one of this key look at.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(entry) = self.0.get_mut(&key) else {
            return;
        };
        entry.count = entry.count.saturating_sub(1);
        entry.outcomes.notify_waiters();
        if entry.count == 0 {
            self.0.remove(&key);
        }
    }

    /// What a reached limit means: nothing yet while an attempt under it is being verified.
    pub(super) fn full(&self, key: Key, why: Throttled) -> Full {
        match self.0.get(&key) {
            Some(entry) => Full::Wait(Outcomes(Arc::clone(&entry.outcomes).notified_owned())),
            None => Full::Refused(why),
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
