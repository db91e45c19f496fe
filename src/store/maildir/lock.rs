//! Dovecot's dotlock: whoever creates `dovecot-uidlist.lock` may change `dovecot-uidlist`.
//!
//! Held for the change alone, never across a network wait or while mail is read. A lock that
//! nobody has touched for two minutes, by the file system's own clock, belongs to a dead process
//! and is broken; a lock of our own at once, for the kernel tells that its owner is gone, even by a
//! session that has no use for the lock itself. Whoever lost a lock that way notices before it
//! changes anything.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, Gid, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::clock::Clock;
use super::folder::{self, Folder};
use super::index::INDEX;
use crate::store::StoreError;

/// The lock's name.
pub(crate) const LOCK: &str = "dovecot-uidlist.lock";

/// What stands in a lock of ours, which is also locked in the kernel's eyes (flock).
const SIGN: &[u8] = b"postern\n";

/// The name under which a new index is written. Only the holder of the lock does so.
const DRAFT: &str = "postern-uidlist.draft";

/// Seconds without a touch after which a lock is stale; Dovecot's own figure.
const STALE: u64 = 120;

/// How long a session waits for another process.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The lock, held until it is dropped.
pub(crate) struct Lock<'a> {
    folder: &'a Folder,
    /// Holds the kernel's lock on the file as long as this process lives.
    _fd: OwnedFd,
    identity: (u64, u64),
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
        let mut ready = signed(folder);
        loop {
            match create(folder, &mut ready) {
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
            _fd: fd,
            identity,
        })
    }

    /// Whether nobody broke the lock meanwhile.
    pub(crate) fn is_ours(&self) -> bool {
        self.folder
            .stat(LOCK)
            .is_ok_and(|stat| identity(&stat) == self.identity)
    }

    /// Removes the lock, unless somebody broke it meanwhile.
    fn release(&self) -> Result<(), Errno> {
        let released = self.folder.stat(LOCK).and_then(|stat| {
            if identity(&stat) == self.identity {
                self.folder.unlink(LOCK)
            } else {
                Ok(())
            }
        });
        match released {
            Err(Errno::NOENT) => Ok(()),
            other => other,
        }
    }

    /// A new file into which a whole index can be written.
    pub(crate) fn draft(&self) -> Result<OwnedFd, Errno> {
        match self.folder.unlink(DRAFT) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        self.folder
            .beneath(DRAFT.as_bytes(), flags, Mode::RUSR | Mode::WUSR)
    }

    /// Puts a draft in the place of the index, durably. False if the lock was broken; then nothing
    /// has changed.
    pub(crate) fn publish(
        &self,
        draft: &OwnedFd,
        mode: Mode,
        group: Option<u32>,
    ) -> Result<bool, Errno> {
        rustix::fs::fchmod(draft, mode)?;
        if let Some(group) = group {
            // Fails when this process is not in the group of a shared Maildir; the mode still holds.
            let _ = rustix::fs::fchown(draft, None, Some(Gid::from_raw(group)));
        }
        rustix::fs::fsync(draft)?;
        let written = identity(&rustix::fs::fstat(draft)?);
        let is_there = self
            .folder
            .stat(DRAFT)
            .is_ok_and(|stat| identity(&stat) == written);
        if !is_there || !self.is_ours() {
            return Ok(false);
        }
        self.folder.rename(DRAFT, INDEX)?;
        self.folder.sync()?;
        Ok(true)
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if let Err(errno) = self.release() {
            tracing::warn!(
                path = %self.folder.path().join(LOCK).display(),
                problem = %std::io::Error::from(errno),
                "this lock could not be removed: Postern's next session does so; until then a \
                 Dovecot waits for it up to two minutes"
            );
        }
    }
}

/// A file without a name that is ready to become the lock: the kernel knows it as locked, and it
/// says so. None where a file system cannot do that.
fn signed(folder: &Folder) -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::TMPFILE;
    let fd = folder.beneath(b".", flags, Mode::RUSR | Mode::WUSR).ok()?;
    sign(&fd).then_some(fd)
}

/// First locked, then marked: whoever sees the mark may ask the kernel for the owner. On a full
/// disk or an odd file system there is no mark, and the lock is as any other.
fn sign(fd: &OwnedFd) -> bool {
    let locked = rustix::fs::flock(fd, FlockOperation::NonBlockingLockExclusive).is_ok();
    locked && rustix::io::write(fd, SIGN) == Ok(SIGN.len())
}

/// Creates the lock file, whole at once if possible, so that no crash leaves an unsigned one.
fn create(folder: &Folder, ready: &mut Option<OwnedFd>) -> Result<OwnedFd, Errno> {
    if let Some(fd) = ready.take() {
        let unnamed = format!("/proc/self/fd/{}", fd.as_raw_fd());
        match rustix::fs::linkat(CWD, unnamed, folder, LOCK, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => return Ok(fd),
            Err(Errno::EXIST) => {
                *ready = Some(fd);
                return Err(Errno::EXIST);
            }
            Err(_) => {}
        }
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
    let fd = folder.beneath(LOCK.as_bytes(), flags, Mode::RUSR | Mode::WUSR)?;
    sign(&fd);
    Ok(fd)
}

/// Two sessions of this process must not break each other's fresh lock.
static BREAKING: Mutex<()> = Mutex::new(());

/// Removes a lock of ours that nobody holds, for a session that does not need the lock: a killed
/// process left it, or one whose disk failed when it was to be removed, and Dovecot would wait for
/// it. Never waits, and is no reason to refuse anything: the next session tries again.
pub(crate) fn sweep(folder: &Folder) {
    if folder.stat(LOCK).is_err() {
        return;
    }
    let _one_at_a_time = BREAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((_held, orphan)) = orphan(folder) else {
        return;
    };
    if let Ok(stat) = folder.stat(LOCK)
        && identity(&stat) == orphan
        && folder.unlink(LOCK).is_ok()
    {
        tracing::warn!(
            path = %folder.path().join(LOCK).display(),
            "a lock of ours was left behind; it is removed"
        );
    }
}

/// Removes the lock of a dead process; true if there is none any more.
fn break_stale(folder: &Folder) -> Result<bool, StoreError> {
    let now = now(folder).map_err(|errno| folder.failed("", errno))?;
    let _one_at_a_time = BREAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let orphan = orphan(folder);
    let stat = match folder.stat(LOCK) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(true),
        Err(errno) => return Err(folder.failed(LOCK, errno)),
    };
    let age = now.saturating_sub(stat.st_mtime);
    if !is_stale(age) && orphan.is_none_or(|(_, orphan)| orphan != identity(&stat)) {
        return Ok(false);
    }
    tracing::warn!(
        path = %folder.path().join(LOCK).display(),
        age_seconds = age,
        "a dead process left its lock behind; it is removed"
    );
    match folder.unlink(LOCK) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(errno) => Err(folder.failed(LOCK, errno)),
    }
}

/// A lock of ours whose process is no more: the kernel has released what it held. It stays locked
/// while the descriptor is kept, so that one process alone removes it.
fn orphan(folder: &Folder) -> Option<(OwnedFd, (u64, u64))> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK;
    let fd = folder.beneath(LOCK.as_bytes(), flags, Mode::empty()).ok()?;
    let stat = rustix::fs::fstat(&fd).ok().filter(folder::is_regular)?;
    let mut text = [0; SIGN.len()];
    let count = rustix::io::read(&fd, &mut text).ok()?;
    let signed = text.get(..count) == Some(SIGN);
    let lock = FlockOperation::NonBlockingLockExclusive;
    (signed && rustix::fs::flock(&fd, lock).is_ok()).then(|| (fd, identity(&stat)))
}

/// Whether a lock lies there that nobody has touched for too long; for the administrator.
pub(crate) fn age(folder: &Folder) -> Option<(i64, bool)> {
    let stat = folder.stat(LOCK).ok()?;
    let age = now(folder).ok()?.saturating_sub(stat.st_mtime);
    Some((age, is_stale(age)))
}

/// Whether a lock of this age is nobody's. One from the future was made before a clock was set back,
/// or its time was set by hand: nobody touches it now, or it would bear the time of now.
fn is_stale(age: i64) -> bool {
    age.unsigned_abs() > STALE
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
