//! How often a name and a source may be refused before they are refused unseen.
//!
//! Pure: the time is handed in as a duration since some start. Memory is bounded, and so is what
//! an attacker can do to it: keys are hashed with random keys, and the oldest entries go first.
//!
//! # The rules
//! 1. An attempt is counted when its verification *begins* and given back when it is granted, so
//!    that two hundred guesses at once are two hundred guesses. An attempt that is cut off stays
//!    counted; one that the server could not verify is given back. Where a limit is reached by
//!    attempts that are still being verified, the next one waits for their outcome: they may all be
//!    right, as when an office comes back after an outage.
//! 2. Per account and source, `failures_per_account` in a window. Per source alone,
//!    `failures_per_source`.
//! 3. Per account from all sources together, ten times `failures_per_account`, against guessing
//!    from many addresses. A source from which the account was opened within the last day is not
//!    held to this one limit: an attacker elsewhere cannot lock its owner out at home.
//! 4. An attempt that is refused by the throttle is not counted itself: it ends when the window
//!    does, however often it was tried.
//! 5. A granted login clears the count of its account *from its source* and nothing else. Whoever
//!    knows one password can so neither clear other accounts' counts nor his source's, and
//!    an owner's login does not clear what is counted against strangers.
//!
//! A window begins with the first counted attempt and ends `throttle_window` later.

mod pending;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::pending::{Outcomes, Pending};
use self::table::{Key, Keys, Table};
use crate::Policy;
use crate::source::Source;

/// How many more failures an account may have from all sources together than from one.
const ALL_SOURCES: u32 = 10;
/// How long a source counts as known after a login.
const KNOWN: Duration = Duration::from_secs(24 * 60 * 60);
/// Entries in each table; about 64 octets each.
const ENTRIES: usize = 100_000;
/// How long an attempt waits for the outcome of others.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is counted against whom; shared by everything that lets people in, and kept when the
/// configuration is reloaded.
#[derive(Debug)]
pub(crate) struct Throttle {
    counts: Mutex<Counts>,
    keys: Keys,
}

#[derive(Debug)]
struct Counts {
    sources: Table,
    pairs: Table,
    accounts: Table,
    /// Account and source of granted logins.
    known: Table,
    /// What of these counts is still being verified.
    pending: Pending,
}

/// The limits of a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) per_account: u32,
    pub(crate) per_source: u32,
    pub(crate) window: Duration,
}

impl From<&Policy> for Limits {
    fn from(policy: &Policy) -> Self {
        Self {
            per_account: policy.failures_per_account,
            per_source: policy.failures_per_source,
            window: policy.throttle_window,
        }
    }
}

/// Where and when an attempt is made, and what it is held to.
#[derive(Clone, Copy)]
struct Attempt {
    source: Source,
    limits: Limits,
    now: Duration,
}

/// Too many refused logins: not to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Throttled {
    /// Of this account.
    Account,
    /// Of all accounts, from this source.
    Source,
    /// So many are being verified that nobody can say yet.
    Busy,
}

/// Why an attempt cannot be counted now.
enum Full {
    /// It is refused.
    Refused(Throttled),
    /// Others may be given back.
    Wait(Outcomes),
}

/// One counted attempt, still being verified. Dropping it leaves it counted.
#[derive(Debug)]
pub(crate) struct Ticket {
    throttle: Arc<Throttle>,
    source: Source,
    limits: Limits,
    accounts: Vec<String>,
    /// Under which it stands among the pending.
    keys: Vec<Key>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::with_entries(ENTRIES)
    }
}

impl Throttle {
    fn with_entries(entries: usize) -> Self {
        let counts = Counts {
            sources: Table::new(entries),
            pairs: Table::new(entries),
            accounts: Table::new(entries),
            known: Table::new(entries),
            pending: Pending::default(),
        };
        Self {
            counts: Mutex::new(counts),
            keys: Keys::default(),
        }
    }

    /// Counts an attempt on `account` (a lookup key) that is about to be verified; waits while its
    /// limits are reached only by attempts that are being verified.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        source: Source,
        account: &str,
        limits: Limits,
        now: Duration,
    ) -> Result<Ticket, Throttled> {
        let attempt = Attempt {
            source,
            limits,
            now,
        };
        let keys = patiently(|| self.try_begin(account, attempt)).await?;
        Ok(Ticket {
            throttle: Arc::clone(self),
            source,
            limits,
            accounts: vec![account.to_owned()],
            keys,
        })
    }

    fn try_begin(&self, account: &str, attempt: Attempt) -> Result<Vec<Key>, Full> {
        let Attempt {
            source,
            limits,
            now,
        } = attempt;
        let counts = &mut *self.lock();
        let key = self.keys.of(&source);
        let count = counts.sources.count(key, now, limits.window);
        if over(limits.per_source, count) {
            return Err(counts.pending.full(key, Throttled::Source));
        }
        let mut keys = self.count_account(counts, account, attempt)?;
        counts.sources.add(key, now, limits.window);
        counts.pending.add(key);
        keys.push(key);
        Ok(keys)
    }

    fn count_account(
        &self,
        counts: &mut Counts,
        account: &str,
        attempt: Attempt,
    ) -> Result<Vec<Key>, Full> {
        let Attempt {
            source,
            limits:
                Limits {
                    per_account,
                    window,
                    ..
                },
            now,
        } = attempt;
        let (pair, all) = (self.keys.of(&(source, account)), self.keys.of(&account));
        if over(per_account, counts.pairs.count(pair, now, window)) {
            return Err(counts.pending.full(pair, Throttled::Account));
        }
        let everywhere = per_account.saturating_mul(ALL_SOURCES);
        if over(everywhere, counts.accounts.count(all, now, window))
            && counts.known.count(pair, now, KNOWN) == 0
        {
            return Err(counts.pending.full(all, Throttled::Account));
        }
        counts.pairs.add(pair, now, window);
        counts.accounts.add(all, now, window);
        counts.pending.add(pair);
        counts.pending.add(all);
        Ok(vec![pair, all])
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries until there is an answer, each time when an attempt that stood in the way has its outcome.
async fn patiently<T>(mut attempt: impl FnMut() -> Result<T, Full>) -> Result<T, Throttled> {
    let tried = async {
        loop {
            match attempt() {
                Ok(counted) => return Ok(counted),
                Err(Full::Refused(why)) => return Err(why),
                Err(Full::Wait(outcomes)) => outcomes.next().await,
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, tried).await;
    answer.unwrap_or(Err(Throttled::Busy))
}

/// Whether a limit is used up; 0 is no limit.
fn over(limit: u32, count: u32) -> bool {
    limit != 0 && count >= limit
}

impl Ticket {
    /// The typed name reached this account: it is counted under its canonical name too, so that
    /// its aliases are not as many chances.
    pub(crate) async fn reached(&mut self, account: &str, now: Duration) -> Result<(), Throttled> {
        if self.accounts.iter().any(|counted| counted == account) {
            return Ok(());
        }
        let throttle = Arc::clone(&self.throttle);
        let attempt = Attempt {
            source: self.source,
            limits: self.limits,
            now,
        };
        let count = || throttle.count_account(&mut throttle.lock(), account, attempt);
        self.keys.append(&mut patiently(count).await?);
        self.accounts.push(account.to_owned());
        Ok(())
    }

    /// The login was granted.
    pub(crate) fn granted(self, now: Duration) {
        let keys = &self.throttle.keys;
        let mut counts = self.throttle.lock();
        counts.sources.give_back(keys.of(&self.source));
        for account in &self.accounts {
            let pair = keys.of(&(self.source, account.as_str()));
            counts.pairs.clear(pair);
            counts.accounts.give_back(keys.of(&account.as_str()));
            counts.known.clear(pair);
            counts.known.add(pair, now, KNOWN);
        }
    }

    /// Nothing was verified: the throttle refused it after all, or the server is in trouble.
    pub(crate) fn give_back(self) {
        let keys = &self.throttle.keys;
        let mut counts = self.throttle.lock();
        counts.sources.give_back(keys.of(&self.source));
        for account in &self.accounts {
            counts
                .pairs
                .give_back(keys.of(&(self.source, account.as_str())));
            counts.accounts.give_back(keys.of(&account.as_str()));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        let pending = &mut self.throttle.lock().pending;
        keys.into_iter().for_each(|key| pending.remove(key));
    }
}

#[cfg(test)]
mod tests;
