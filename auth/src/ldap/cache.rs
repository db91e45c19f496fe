//! Answers of the directory that are kept for a while, where the configuration says so: accounts, and
//! that a password was right.
//!
//! Nothing that keeps somebody out is kept: no name that reaches nobody, no account that may not log in,
//! no wrong password. Of a password there is a digest with a key of this process, which belongs to one
//! account and to its entry as it was. What an answer from here saves in time is seen by who has the right
//! password alone: every refusal is sent at its own time, and where a name is looked up for a stranger
//! (SCRAM) nothing is taken from here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::shelf::Shelf;
use crate::caller::Digest;
use crate::{Account, Name, Secret, Verdict, clock};

/// How often the log says how much was answered from here.
const SAID_EVERY: Duration = Duration::from_secs(300);

/// Attributes that tell a change of the entry, its password's among them.
pub(super) const CHANGES: &[&str] = &[
    "pwdLastSet",
    "whenChanged",
    "pwdChangedTime",
    "krbLastPwdChange",
    "modifyTimestamp",
];

/// How long answers are kept; zero switches it off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheTimes {
    /// An account that was found.
    pub accounts: Duration,
    /// That a password was right.
    pub passwords: Duration,
}

/// What is kept.
pub(super) struct Cache(Mutex<Inner>);

struct Inner {
    accounts: Shelf<Arc<Account>>,
    passwords: Shelf<Right>,
    said: Instant,
}

/// A password that was right.
struct Right {
    digest: Digest,
    /// The entry's version at that time.
    version: Option<[u8; 32]>,
}

impl Cache {
    pub(super) fn new(times: CacheTimes) -> Self {
        Self(Mutex::new(Inner {
            accounts: Shelf::new(times.accounts),
            passwords: Shelf::new(times.passwords),
            said: clock::instant(),
        }))
    }

    /// The account that a name reached a while ago.
    pub(super) fn account(&self, name: Name<'_>) -> Option<Arc<Account>> {
        let mut inner = self.lock();
        let found = inner.accounts.get(&key(name)).cloned();
        if !inner.accounts.is_off() {
            inner.say();
        }
        found
    }

    /// Keeps an account that may log in.
    pub(super) fn keep_account(&self, name: Name<'_>, account: &Arc<Account>) {
        if !account.disabled && !account.pop3_off && account.barred.is_none() {
            let mut inner = self.lock();
            inner.accounts.put(&key(name), Arc::clone(account));
        }
    }

    /// Whether this password was the account's a while ago, and the entry has not changed since.
    pub(super) fn was_right(&self, account: &Account, password: &Secret) -> bool {
        let mut inner = self.lock();
        if inner.passwords.is_off() {
            return false;
        }
        let Some(digest) = digest(account, password) else {
            return false;
        };
        let right = inner.passwords.get(&account.name);
        let (same, current) = right.map_or((false, true), |right| {
            let current = right.version == account.version;
            (current && right.digest.is(&digest), current)
        });
        if !current {
            inner.passwords.remove(&account.name);
        }
        inner.say();
        same
    }

    /// Keeps that a password was right, or forgets the account of which one was not.
    pub(super) fn learn(&self, account: &Account, password: &Secret, verdict: Verdict) {
        let mut inner = self.lock();
        if verdict != Verdict::Right {
            inner.forget(&account.name);
        } else if let Some(digest) = digest(account, password) {
            let version = account.version;
            inner
                .passwords
                .put(&account.name, Right { digest, version });
        }
    }

    /// Forgets an account that is gone, and its password.
    pub(super) fn forget(&self, account: &str) {
        self.lock().forget(account);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl Inner {
    fn forget(&mut self, account: &str) {
        self.passwords.remove(account);
        self.accounts.forget(|kept| kept.name == account);
    }

    /// Says from time to time what it was good for.
    fn say(&mut self) {
        let now = clock::instant();
        if now.saturating_duration_since(self.said) < SAID_EVERY {
            return;
        }
        self.said = now;
        tracing::info!(
            accounts = self.accounts.len(),
            account_hits = self.accounts.hits,
            account_misses = self.accounts.misses,
            passwords = self.passwords.len(),
            password_hits = self.passwords.hits,
            password_misses = self.passwords.misses,
            "answers of the directory were kept"
        );
    }
}

/// Under what an account is kept. What a typed address has found must not answer for a proven name, which
/// reaches less.
fn key(name: Name<'_>) -> String {
    let kind = match name {
        Name::Typed(_) => "typed",
        Name::Own(_) => "own",
        Name::Principal(_) => "principal",
    };
    format!("{kind} {}", name.login().typed())
}

/// What is kept of a password: nothing that fits another account, or another entry of its name.
fn digest(account: &Account, password: &Secret) -> Option<Digest> {
    let entry = account.entry.as_deref().unwrap_or_default();
    Digest::of(&[
        b"directory",
        account.name.as_bytes(),
        entry.as_bytes(),
        password.expose(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Login;

    const MINUTE: Duration = Duration::from_secs(60);

    fn account(name: &str) -> Account {
        Account {
            name: name.to_owned(),
            entry: Some(format!("uid={name}").as_str().into()),
            version: Some([1; 32]),
            ..Account::default()
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    fn cache() -> Cache {
        Cache::new(CacheTimes {
            accounts: MINUTE,
            passwords: MINUTE,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_password_is_right_for_its_account_alone_and_for_a_while() {
        let cache = cache();
        let alice = account("alice");
        assert!(!cache.was_right(&alice, &secret("right")));
        cache.learn(&alice, &secret("right"), Verdict::Right);
        assert!(cache.was_right(&alice, &secret("right")));
        assert!(!cache.was_right(&alice, &secret("Right")));
        assert!(!cache.was_right(&account("bob"), &secret("right")));
        // Somebody else of this name.
        let mut other = account("alice");
        other.entry = Some("uid=alice,ou=other".into());
        assert!(!cache.was_right(&other, &secret("right")));
        tokio::time::advance(MINUTE).await;
        assert!(!cache.was_right(&alice, &secret("right")));
    }

    #[test]
    fn a_changed_entry_and_a_wrong_password_end_it() {
        let cache = cache();
        let alice = account("alice");
        cache.learn(&alice, &secret("right"), Verdict::Right);
        let mut changed = account("alice");
        changed.version = Some([2; 32]);
        assert!(!cache.was_right(&changed, &secret("right")));
        assert!(
            !cache.was_right(&alice, &secret("right")),
            "it is forgotten"
        );

        let login = Login::parse("alice").unwrap();
        for verdict in [
            Verdict::Wrong,
            Verdict::NoPassword,
            Verdict::Barred(crate::Reason::LockedOut),
        ] {
            cache.learn(&alice, &secret("right"), Verdict::Right);
            cache.keep_account(Name::Typed(&login), &Arc::new(account("alice")));
            assert!(cache.account(Name::Typed(&login)).is_some());
            cache.learn(&alice, &secret("other"), verdict);
            assert!(!cache.was_right(&alice, &secret("right")), "{verdict:?}");
            assert!(cache.account(Name::Typed(&login)).is_none(), "{verdict:?}");
        }
    }

    #[test]
    fn nothing_is_kept_that_keeps_somebody_out() {
        let cache = cache();
        let login = Login::parse("alice").unwrap();
        let kept = |change: fn(&mut Account)| {
            let mut account = account("alice");
            change(&mut account);
            cache.keep_account(Name::Typed(&login), &Arc::new(account));
            cache.account(Name::Typed(&login)).is_some()
        };
        assert!(!kept(|account| account.disabled = true));
        assert!(!kept(|account| account.pop3_off = true));
        assert!(!kept(
            |account| account.barred = Some(crate::Reason::NotInGroup)
        ));
        assert!(kept(|_| {}));
    }

    #[test]
    fn what_was_found_by_an_address_answers_for_no_proven_name() {
        let cache = cache();
        let login = Login::parse("a.liddell@example.test").unwrap();
        cache.keep_account(Name::Typed(&login), &Arc::new(account("alice")));
        assert!(cache.account(Name::Typed(&login)).is_some());
        assert!(cache.account(Name::Own(&login)).is_none());
        assert!(cache.account(Name::Principal(&login)).is_none());
    }

    #[test]
    fn switched_off_it_keeps_nothing() {
        let cache = Cache::new(CacheTimes::default());
        let alice = account("alice");
        let login = Login::parse("alice").unwrap();
        cache.learn(&alice, &secret("right"), Verdict::Right);
        cache.keep_account(Name::Typed(&login), &Arc::new(account("alice")));
        assert!(!cache.was_right(&alice, &secret("right")));
        assert!(cache.account(Name::Typed(&login)).is_none());
    }
}
