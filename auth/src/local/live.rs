//! The users file as the running server sees it.
//!
//! A changed file is loaded within a second of being asked for. A bad one is reported once and
//! does not replace the last good one: a slip of an editor locks nobody out.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::error::UsersError;
use super::file::{Stamp, read};
use super::index::Index;
use super::key::UsersKey;
use super::parse::{Parsed, parse};
use super::unsealing::key_for;
use crate::clock::Clock;
use crate::directory::{Answer, Directory, Name, ScramAnswer, Unavailable, Verdict};
use crate::{Account, Description, Fingerprint, Login, NtHash, Pool, Secret};

/// How often the file is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a changed file must stay as it is before it is believed. An editor that writes in place
/// goes on within this time; half of such a file may look like a whole one with fewer users in it.
const SETTLED: Duration = Duration::from_millis(50);

/// The users of one file, kept up to date.
#[derive(Debug)]
pub struct LocalUsers {
    path: PathBuf,
    /// Where the key of sealed NT hashes is; read again with the users.
    key_file: Option<PathBuf>,
    current: ArcSwap<Index>,
    /// The version that was looked at last, good or bad; none when there was no file.
    seen: Mutex<Option<Stamp>>,
    clock: Clock,
    /// When the file is to be looked at again, in milliseconds of the clock.
    next_look: AtomicU64,
}

impl LocalUsers {
    /// Loads the file, with the key file of its sealed NT hashes where there is one. Without the
    /// right key these accounts have no NT hash, which the log says; everything else goes on.
    ///
    /// # Errors
    /// When it is not a regular file, others may read or write it, or there is a mistake in it:
    /// a server does not start with a bad file.
    pub fn open(path: &Path, key_file: Option<&Path>) -> Result<Self, UsersError> {
        let (text, stamp) = read(path)?;
        let index = indexed(path, key_file, &text)?;
        Ok(Self {
            path: path.into(),
            key_file: key_file.map(Path::to_owned),
            current: ArcSwap::from_pointee(index),
            seen: Mutex::new(Some(stamp)),
            clock: Clock::start(),
            next_look: AtomicU64::new(millis(LOOK_EVERY)),
        })
    }

    /// The account that a name reaches, as typed at a login. Does not look at the file: see
    /// [`Self::refresh`].
    pub fn account(&self, name: &str) -> Option<Arc<Account>> {
        let login = Login::parse(name).ok()?;
        self.current
            .load()
            .find(login.key())
            .map(|entry| Arc::clone(&entry.account))
    }

    /// How many users there are.
    pub fn count(&self) -> usize {
        self.current.load().users
    }

    /// Looks whether the file changed, and loads it if so. Reads the disk.
    pub fn refresh(&self) {
        let stamp = Stamp::of_path(&self.path);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == stamp {
            return;
        }
        match self.load() {
            Ok((index, stamp)) => {
                tracing::info!(path = %self.path.display(), users = index.users, "users loaded");
                self.current.store(Arc::new(index));
                *seen = Some(stamp);
            }
            // It is being written at this moment; it will be looked at again.
            Err(UsersError::Changed { .. }) => {}
            Err(reason) => {
                tracing::error!(
                    path = %self.path.display(),
                    %reason,
                    "users not loaded; the last good version stays"
                );
                *seen = stamp;
            }
        }
    }

    fn load(&self) -> Result<(Index, Stamp), UsersError> {
        let path = self.path.clone();
        let (text, stamp) = read(&path)?;
        settle();
        if Stamp::of_path(&path) != Some(stamp) {
            return Err(UsersError::Changed { path });
        }
        if text.trim().is_empty() && self.count() > 0 {
            return Err(UsersError::Empty { path });
        }
        Ok((indexed(&path, self.key_file.as_deref(), &text)?, stamp))
    }

    /// Whether it is time to look at the file; says so to one asker only.
    fn is_due(&self) -> bool {
        let (now, due) = (
            millis(self.clock.elapsed()),
            self.next_look.load(Ordering::Relaxed),
        );
        let next = now.saturating_add(millis(LOOK_EVERY));
        now >= due
            && self
                .next_look
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// The users of a text. Keys without the secret come from an editor: salts that are made up can
/// then be told from real ones after a restart.
fn indexed(path: &Path, key_file: Option<&Path>, text: &str) -> Result<Index, UsersError> {
    let parsed = parse(path, text)?;
    if parsed.secret.is_none() && parsed.users.iter().any(|user| user.scram.is_some()) {
        tracing::warn!(
            path = %path.display(),
            "there are SCRAM keys and no scram_secret: `postern user passwd` writes one"
        );
    }
    let key = key(path, key_file, &parsed);
    Ok(Index::new(&parsed, key.as_ref()))
}

/// The key of the sealed NT hashes, where there are any. What is wrong with it is said once for
/// each version of the file, and stops nobody who logs in by anything else.
fn key(path: &Path, key_file: Option<&Path>, parsed: &Parsed) -> Option<UsersKey> {
    let (key, trouble) = key_for(&parsed.users, key_file);
    if let Some(reason) = trouble {
        tracing::error!(
            path = %path.display(),
            %reason,
            "NT hashes not unsealed; NTLM is refused to their users, everything else goes on"
        );
    }
    key
}

#[expect(
    clippy::disallowed_methods,
    reason = "once for each change of the file, in the pool that may wait"
)]
fn settle() {
    std::thread::sleep(SETTLED);
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Local users as a directory: files are read and passwords checked in the pool.
#[derive(Debug)]
pub struct LocalDirectory {
    users: Arc<LocalUsers>,
    hashing: Arc<Pool>,
}

impl LocalDirectory {
    /// The users of a file, and the threads that work for them.
    pub fn new(users: Arc<LocalUsers>, hashing: Arc<Pool>) -> Self {
        Self { users, hashing }
    }
}

impl LocalDirectory {
    /// Loads a changed file, when it is time to look.
    async fn look(&self, client: IpAddr) {
        if self.users.is_due() {
            let users = Arc::clone(&self.users);
            // Under load the last version serves for another second.
            let _ = self.hashing.run(client, move || users.refresh()).await;
        }
    }
}

impl Directory for LocalDirectory {
    fn find<'a>(&'a self, name: Name<'a>, client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            self.look(client).await;
            let index = self.users.current.load();
            Ok(index
                .find(name.login().key())
                .map(|entry| Arc::clone(&entry.account)))
        })
    }

    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        client: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async move {
            let (hash, answer) = self.users.current.load().hash_for(account);
            let password = password.clone();
            let right = self
                .hashing
                .run_at(hash.pace(), client, move || hash.verify(&password))
                .await?;
            let verdict = if right {
                Verdict::Right
            } else {
                Verdict::Wrong
            };
            Ok(answer.unwrap_or(verdict))
        })
    }

    fn scram_keys<'a>(
        &'a self,
        login: &'a Login,
        account: Option<&'a Account>,
        _client: IpAddr,
    ) -> Answer<'a, ScramAnswer> {
        Box::pin(async move {
            let index = self.users.current.load();
            index.keys_for(login, account).ok_or(Unavailable::Trouble)
        })
    }

    fn describe<'a>(
        &'a self,
        account: &'a Account,
        _client: IpAddr,
    ) -> Answer<'a, Option<Description>> {
        Box::pin(async move {
            let index = self.users.current.load();
            Ok(index.describe(account).map(|shown| Description {
                source: format!("users file {}", self.users.path.display()),
                ..shown
            }))
        })
    }

    fn nt_hash<'a>(&'a self, account: &'a Account, _client: IpAddr) -> Answer<'a, Option<NtHash>> {
        Box::pin(async move { Ok(self.users.current.load().nt_hash(account)) })
    }

    fn find_certificate<'a>(
        &'a self,
        fingerprint: Fingerprint,
        client: IpAddr,
    ) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            self.look(client).await;
            let index = self.users.current.load();
            Ok(index.holder(&fingerprint).map(Arc::clone))
        })
    }
}

#[cfg(test)]
mod tests;
