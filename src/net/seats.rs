//! Who is logged in now, and whose time here is over.
//!
//! Sessions of one holder share one record. When its account may no longer log in, the record says so,
//! and each of them ends before its next command: see [`crate::net::House`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use postern_auth::{Holder, Reason};

type Shared = HashMap<Arc<Holder>, Arc<Holding>>;

/// All sessions after login, by their holders.
#[derive(Default)]
pub struct Seats(Arc<Mutex<Shared>>);

/// What the sessions of one holder share.
pub struct Holding {
    holder: Arc<Holder>,
    /// How many sessions there are; changed under the lock of [`Seats`].
    sessions: AtomicUsize,
    barred: OnceLock<Reason>,
}

/// One session's part in it, given back on drop.
pub(super) struct Seat {
    holding: Arc<Holding>,
    all: Arc<Mutex<Shared>>,
}

impl Seats {
    /// One more session of this holder.
    pub(super) fn take(&self, holder: Holder) -> Seat {
        let mut all = lock(&self.0);
        let holding = match all.get(&holder) {
            Some(known) => Arc::clone(known),
            None => {
                let holder = Arc::new(holder);
                let new = Arc::new(Holding {
                    holder: Arc::clone(&holder),
                    sessions: AtomicUsize::new(0),
                    barred: OnceLock::new(),
                });
                all.insert(holder, Arc::clone(&new));
                new
            }
        };
        holding.sessions.fetch_add(1, Ordering::Relaxed);
        Seat {
            holding,
            all: Arc::clone(&self.0),
        }
    }

    /// Everybody who is here now.
    pub fn all(&self) -> Vec<Arc<Holding>> {
        let all = lock(&self.0);
        all.values().map(Arc::clone).collect()
    }

    /// Says to the sessions of a holder that their time is over, and how many they are. They see it
    /// when they are woken next. Whoever logs in from now on is none of them.
    pub fn bar(&self, holding: &Arc<Holding>, reason: Reason) -> usize {
        let mut all = lock(&self.0);
        // Sessions that were told before keep their reason.
        let _ = holding.barred.set(reason);
        forget(&mut all, holding);
        holding.sessions.load(Ordering::Relaxed)
    }
}

impl Holding {
    /// Whose sessions they are.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }
}

impl Seat {
    /// Why the session may not go on, once that is so.
    pub(super) fn barred(&self) -> Option<Reason> {
        self.holding.barred.get().copied()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        if self.holding.sessions.fetch_sub(1, Ordering::Relaxed) == 1 {
            forget(&mut all, &self.holding);
        }
    }
}

/// Takes a record out, unless a later one has its place.
fn forget(all: &mut Shared, holding: &Arc<Holding>) {
    let same = |known: &Arc<Holding>| Arc::ptr_eq(known, holding);
    if all.get(&holding.holder).is_some_and(same) {
        all.remove(&holding.holder);
    }
}

fn lock(all: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}
