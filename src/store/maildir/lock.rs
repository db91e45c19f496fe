//! Dovecot's dotlock: whoever creates `dovecot-uidlist.lock` may change `dovecot-uidlist`.
//!
//! Held for the change alone, never across a network wait or while mail is read. A lock that
//! nobody has touched for two minutes, by the file system's own clock, belongs to a dead process
//! and is broken. Whoever lost a lock that way notices before it changes anything.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::fs::{Gid, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::clock::Clock;
use super::folder::Folder;
use super::index::INDEX;
use crate::store::StoreError;

/// The lock's name.
pub(crate) const LOCK: &str = "dovecot-uidlist.lock";

/// Seconds without a touch after which a lock is stale; Dovecot's own figure.
const STALE: i64 = 120;

/// How long a session waits for another process.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The lock, held until it is dropped.
pub(crate) struct Lock<'a> {
    folder: &'a Folder,
    fd: OwnedFd,
    identity: (u64, u64),
    published: bool,
}

impl<'a> Lock<'a> {
    /// Takes the lock, waiting for others within limits.
    pub(crate) fn take(
        folder: &'a Folder,
        clock: &dyn Clock,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let mut waited = Duration::ZERO;
        let mut step = Duration::from_millis(5);
        loop {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
            match folder.beneath(LOCK.as_bytes(), flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => return Self::of(folder, fd).map_err(|errno| folder.failed(LOCK, errno)),
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(folder.failed("", errno)),
            }
            if break_stale(folder)? {
                continue;
            }
            if waited >= patience {
                return Err(StoreError::Locked {
                    path: folder.path().join(LOCK),
                });
            }
            clock.pause(step);
            waited += step;
            step = (step * 2).min(Duration::from_millis(200));
        }
    }

    fn of(folder: &'a Folder, fd: OwnedFd) -> Result<Self, Errno> {
        let identity = identity(&rustix::fs::fstat(&fd)?);
        Ok(Self {
            folder,
            fd,
            identity,
            published: false,
        })
    }

    /// Whether nobody broke the lock meanwhile.
    pub(crate) fn is_ours(&self) -> bool {
        self.folder
            .stat(LOCK)
            .is_ok_and(|stat| identity(&stat) == self.identity)
    }

    /// The lock file, into which a new index is written.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Puts the lock file in the place of the index, durably. False if the lock was broken; then
    /// nothing has changed.
    pub(crate) fn publish(mut self, mode: Mode, group: Option<u32>) -> Result<bool, Errno> {
        rustix::fs::fchmod(&self.fd, mode)?;
        if let Some(group) = group {
            // Fails when this process is not in the group of a shared Maildir; the mode still holds.
            let _ = rustix::fs::fchown(&self.fd, None, Some(Gid::from_raw(group)));
        }
        rustix::fs::fsync(&self.fd)?;
        if !self.is_ours() {
            return Ok(false);
        }
        self.folder.rename(LOCK, INDEX)?;
        self.published = true;
        self.folder.sync()?;
        Ok(true)
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if !self.published && self.is_ours() {
            let _ = self.folder.unlink(LOCK);
        }
    }
}

/// Removes the lock of a dead process; true if there is none any more.
fn break_stale(folder: &Folder) -> Result<bool, StoreError> {
    // Two sessions of this process must not break each other's fresh lock.
    static BREAKING: Mutex<()> = Mutex::new(());
    let now = now(folder).map_err(|errno| folder.failed("", errno))?;
    let _one_at_a_time = BREAKING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let touched = match folder.stat(LOCK) {
        Ok(stat) => stat.st_mtime,
        Err(Errno::NOENT) => return Ok(true),
        Err(errno) => return Err(folder.failed(LOCK, errno)),
    };
    if now.saturating_sub(touched) <= STALE {
        return Ok(false);
    }
    tracing::warn!(
        path = %folder.path().join(LOCK).display(),
        age_seconds = now.saturating_sub(touched),
        "a dead process left its lock behind; it is removed"
    );
    match folder.unlink(LOCK) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(errno) => Err(folder.failed(LOCK, errno)),
    }
}

/// Whether a lock lies there that nobody has touched for too long; for the administrator.
pub(crate) fn age(folder: &Folder) -> Option<(i64, bool)> {
    let stat = folder.stat(LOCK).ok()?;
    let age = now(folder).ok()?.saturating_sub(stat.st_mtime);
    Some((age, age > STALE))
}

/// The time by the file system's clock, in seconds since 1970: what it stamps on a new file. On a
/// network file system it is not ours.
fn now(folder: &Folder) -> Result<i64, Errno> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mode = Mode::RUSR | Mode::WUSR;
    if let Ok(fd) = folder.beneath(b".", OFlags::RDWR | OFlags::TMPFILE, mode) {
        return Ok(rustix::fs::fstat(fd)?.st_mtime);
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("{INDEX}.clock-{}-{number}", std::process::id());
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC;
    let fd = folder.beneath(name.as_bytes(), flags, mode)?;
    let stat = rustix::fs::fstat(fd);
    folder.unlink(&name)?;
    Ok(stat?.st_mtime)
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
