//! How many connections there are, in all, from one address, and of one user.
//!
//! The counts are those of Exchange's `MaxConnections`, `MaxConnectionFromSingleIP` and
//! `MaxConnectionsPerUser`. A place is a value: whatever ends a connection gives it back.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use postern_auth::Source;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// What all long lines before login may hold together, in octets: a bound on what strangers can
/// make the server keep, however many they are.
const LONG_LINES: usize = 64 << 20;

/// The places taken now. How many there may be stands in the configuration and may change.
pub struct Places {
    all: Counter<()>,
    sources: Counter<Source>,
    users: Counter<String>,
    long_lines: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Counter::default(),
            sources: Counter::default(),
            users: Counter::default(),
            long_lines: Arc::new(Semaphore::new(LONG_LINES)),
        }
    }
}

/// A connection's place, in all and from its address.
pub(super) struct Admission {
    _all: Place<()>,
    _source: Place<Source>,
}

impl Places {
    /// A place for a connection, or none.
    pub(super) fn admit(&self, source: IpAddr, limits: &Limits) -> Option<Admission> {
        Some(Admission {
            _all: self.all.take((), limits.max_connections)?,
            _source: self
                .sources
                .take(Source::of(source), limits.max_connections_per_source)?,
        })
    }

    /// A place for a session of this account, or none.
    pub(super) fn enter(&self, account: &str, limits: &Limits) -> Option<Place<String>> {
        self.users
            .take(account.to_owned(), limits.max_connections_per_user)
    }

    /// Leave to hold a line of up to so many octets before login, or none.
    pub(super) fn long_line(&self, octets: usize) -> Option<OwnedSemaphorePermit> {
        let octets = u32::try_from(octets).ok()?;
        self.long_lines.clone().try_acquire_many_owned(octets).ok()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.all.count(&())
    }
}

struct Counter<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Default for Counter<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// A place that is given back on drop.
pub(super) struct Place<K: Hash + Eq> {
    key: K,
    counts: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    fn take(&self, key: K, max: usize) -> Option<Place<K>> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key.clone()).or_insert(0);
        if *count >= max {
            return None;
        }
        *count += 1;
        let counts = self.0.clone();
        Some(Place { key, counts })
    }

    fn count(&self, key: &K) -> usize {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(key).copied().unwrap_or(0)
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}
