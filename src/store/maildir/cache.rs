//! Snapshots shared between sessions, so that opening a Maildir in which nothing happened costs
//! five system calls whatever its size.
//!
//! A snapshot is taken from here only if the folders and the index bear the very times that they
//! bore before it was taken. Times of change (`ctime`) are compared, for nobody can set those. A
//! file system stamps changes by a clock that ticks: what changed shortly before the snapshot may
//! change again within the same tick, so such a snapshot is not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use super::files::Seen;
use super::folder::{Folder, Place};
use super::index::INDEX;
use super::snapshot::Snapshot;
use crate::store::StoreError;

/// How long nothing may have changed before a snapshot is worth keeping.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// The cost of a cached Maildir in messages, besides those in it.
const OVERHEAD: usize = 8;

/// The state of a Maildir, as far as it can be seen without listing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    home: (u64, u64),
    new: Seen,
    cur: Seen,
    index: Option<Seen>,
}

impl Stamp {
    /// Looks at a Maildir.
    pub(crate) fn of(folder: &Folder) -> Result<Self, StoreError> {
        let look = |name: &str| match folder.stat(name) {
            Ok(stat) => Ok(Some(Seen::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(folder.failed(name, errno)),
        };
        let place = |place: Place| look(place.name())?.ok_or_else(|| folder.missing(place));
        let home = folder.itself()?;
        Ok(Self {
            home: (home.st_dev, home.st_ino),
            new: place(Place::New)?,
            cur: place(Place::Cur)?,
            index: look(INDEX)?,
        })
    }

    /// Whether nothing changed in the last moments before `now`, a time before the look.
    pub(crate) fn is_settled(&self, now: Duration) -> bool {
        let limit = now.saturating_sub(SETTLED).as_secs();
        [Some(&self.new), Some(&self.cur), self.index.as_ref()]
            .into_iter()
            .flatten()
            .all(|seen| u64::try_from(seen.changed().0).is_ok_and(|changed| changed < limit))
    }
}

/// The snapshots of the Maildirs that were opened last, up to a number of messages.
pub(crate) struct Cache {
    generations: Mutex<Generations>,
    limit: usize,
}

/// What was used lately, and what was used before that: when the young are too many they become
/// the old, and the old are forgotten.
#[derive(Default)]
struct Generations {
    young: HashMap<Key, Kept>,
    old: HashMap<Key, Kept>,
    cost: usize,
}

type Key = ((u64, u64), bool);
type Kept = (Stamp, Arc<Snapshot>);

impl Cache {
    /// Keeps at most about `limit` messages.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            generations: Mutex::default(),
            limit,
        }
    }

    /// The snapshot that was taken of a Maildir in this very state.
    pub(crate) fn find(&self, stamp: &Stamp, exact: bool) -> Option<Arc<Snapshot>> {
        let key = (stamp.home, exact);
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, snapshot)) = generations.young.get(&key) {
            return (kept == stamp).then(|| Arc::clone(snapshot));
        }
        let kept = generations
            .old
            .remove(&key)
            .filter(|(kept, _)| kept == stamp)?;
        let snapshot = Arc::clone(&kept.1);
        generations.put(key, kept, self.limit);
        Some(snapshot)
    }

    /// Keeps a snapshot, if nothing can have changed since the look before it was taken.
    pub(crate) fn keep(&self, stamp: Stamp, exact: bool, snapshot: &Arc<Snapshot>) {
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let key = (stamp.home, exact);
        generations.put(key, (stamp, Arc::clone(snapshot)), self.limit);
    }
}

impl Generations {
    fn put(&mut self, key: Key, kept: Kept, limit: usize) {
        let cost = cost(&kept);
        if cost > limit / 2 {
            self.young.remove(&key);
            return;
        }
        if self.cost + cost > limit / 2 {
            self.old = std::mem::take(&mut self.young);
            self.cost = 0;
        }
        self.cost += cost;
        if let Some(replaced) = self.young.insert(key, kept) {
            self.cost = self.cost.saturating_sub(self::cost(&replaced));
        }
    }
}

fn cost(kept: &Kept) -> usize {
    kept.1.listing.len().saturating_add(OVERHEAD)
}
