//! One Maildir, held by a descriptor: everything beneath it is reached from there.
//!
//! The path of the Maildir itself may contain symbolic links of the administrator: see `way`.
//! Nothing beneath it may: whoever may write into the folder must not be able to point the server
//! at other files. The path is resolved once; a Maildir that is swapped for something else during
//! a session changes nothing for that session.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::way::{self, Lost};
use crate::store::StoreError;

/// The two folders of a Maildir that hold mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Delivered, not yet seen by a mail program.
    New,
    /// Everything else.
    Cur,
}

impl Place {
    /// The folder's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cur => "cur",
        }
    }
}

/// A message that was opened, and how long it was then.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) fd: OwnedFd,
    pub(crate) length: u64,
    /// When its octets last changed.
    pub(crate) modified: (i64, i64),
}

/// An open Maildir.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the Maildir at a path; none if there is nothing of that name.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let problem = match way::open(path) {
            Ok(fd) => {
                let path = path.to_owned();
                return Ok(Some(Self { fd, path }));
            }
            Err(Lost::System(Errno::NOENT)) => return Ok(None),
            Err(Lost::System(Errno::NOTDIR)) => {
                "it, or a part of its path, is not a folder: remove what stands there, or correct \
                 `maildrop.path`"
                    .to_owned()
            }
            Err(Lost::System(errno)) => return Err(trouble(path.to_owned(), errno, None)),
            Err(Lost::Foreign { link, uid }) => format!(
                "{} in its path is a symbolic link of uid {uid}, and only links of root and of \
                 this process are followed to a Maildir: remove it, or `chown -h` it if it is right",
                link.display()
            ),
        };
        Err(StoreError::Unusable {
            path: path.to_owned(),
            problem,
        })
    }

    /// Where it is, for messages to the administrator.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens `new` or `cur` for listing and for changes in it.
    pub(crate) fn place(&self, place: Place) -> Result<OwnedFd, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        self.beneath(place.name().as_bytes(), flags, Mode::empty())
            .map_err(|errno| match errno {
                Errno::NOENT => self.missing(place),
                Errno::NOTDIR | Errno::LOOP => self.unusable(
                    place.name(),
                    "it is not a folder (symbolic links are not followed inside a Maildir): put a \
                 real folder there",
                ),
                _ => self.failed(place.name(), errno),
            })
    }

    /// The error for a Maildir without one of its folders.
    pub(crate) fn missing(&self, place: Place) -> StoreError {
        self.unusable(
            place.name(),
            "it does not exist, so this is not a Maildir: create the folders cur, new and tmp, or \
             correct `maildrop.path`",
        )
    }

    /// The error for something beneath that is not as it must be.
    pub(crate) fn unusable(&self, name: &str, problem: &str) -> StoreError {
        StoreError::Unusable {
            path: self.path.join(name),
            problem: problem.to_owned(),
        }
    }

    /// Opens a message for reading. What is not a regular file is not there.
    pub(crate) fn message(&self, place: Place, name: &[u8]) -> Result<Opened, Errno> {
        let path = [place.name().as_bytes(), b"/", name].concat();
        open_message(|flags| self.beneath(&path, flags, Mode::empty()))
    }

    /// Opens a file in the Maildir's top folder, or a folder beneath.
    pub(crate) fn beneath(&self, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.fd, path, flags, mode, resolve) {
            // An old kernel, or a container's filter that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => walk(self.fd.as_fd(), path, flags, mode),
            other => other,
        }
    }

    /// What stands at a name in the top folder, a symbolic link unfollowed.
    pub(crate) fn stat(&self, name: &str) -> Result<Stat, Errno> {
        rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// What the Maildir itself is.
    pub(crate) fn itself(&self) -> Result<Stat, StoreError> {
        rustix::fs::fstat(&self.fd).map_err(|errno| self.failed("", errno))
    }

    /// Removes a file of the top folder.
    pub(crate) fn unlink(&self, name: &str) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
    }

    /// Puts a file of the top folder in the place of another one.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to)
    }

    /// Gives a file of the top folder a name that must be free.
    pub(crate) fn rename_to_free(&self, from: &str, to: &str) -> Result<(), Errno> {
        rename_to_free(
            self.fd.as_fd(),
            from.as_bytes(),
            self.fd.as_fd(),
            to.as_bytes(),
        )
    }

    /// Makes changes of names in the top folder durable.
    pub(crate) fn sync(&self) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::fsync(rustix::fs::openat(&self.fd, ".", flags, Mode::empty())?)
    }

    /// The error for a file or folder beneath, in words that name the owner where that matters.
    pub(crate) fn failed(&self, name: &str, errno: Errno) -> StoreError {
        let stat = self.stat(if name.is_empty() { "." } else { name }).ok();
        trouble(self.path.join(name), errno, stat)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// When the octets of a file last changed: seconds and nanoseconds.
pub(crate) fn modified(stat: &Stat) -> (i64, i64) {
    (
        stat.st_mtime,
        i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
    )
}

/// Opens a message by whatever opens a file. What is not a regular file is not there.
pub(crate) fn open_message(
    open: impl Fn(OFlags) -> Result<OwnedFd, Errno>,
) -> Result<Opened, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let opened = match open(flags | OFlags::NOATIME) {
        // Only the owner of a file may leave its time of access alone.
        Err(Errno::PERM) => open(flags),
        other => other,
    };
    let fd = opened.map_err(|errno| match errno {
        Errno::LOOP | Errno::NXIO | Errno::NOTDIR => Errno::NOENT,
        other => other,
    })?;
    let stat = rustix::fs::fstat(&fd)?;
    let opened = Opened {
        fd,
        length: u64::try_from(stat.st_size).unwrap_or(0),
        modified: modified(&stat),
    };
    is_regular(&stat).then_some(opened).ok_or(Errno::NOENT)
}

/// Whether this is an ordinary file.
pub(crate) fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Renames without ever replacing a file.
pub(crate) fn rename_to_free(
    from: BorrowedFd<'_>,
    name: &[u8],
    to: BorrowedFd<'_>,
    free: &[u8],
) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, name, to, free, RenameFlags::NOREPLACE) {
        // The file system does not know the flag: link and unlink never replace either.
        Err(Errno::INVAL | Errno::NOSYS) => {
            rustix::fs::linkat(from, name, to, free, AtFlags::empty())?;
            rustix::fs::unlinkat(from, name, AtFlags::empty())
        }
        other => other,
    }
}

/// As openat2 with RESOLVE_BENEATH and NO_SYMLINKS, for paths without `..`.
pub(super) fn walk(
    dir: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let Some(slash) = memchr::memchr(b'/', path) else {
        return rustix::fs::openat(dir, path, flags, mode);
    };
    let (first, rest) = path.split_at_checked(slash).ok_or(Errno::INVAL)?;
    let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let next = rustix::fs::openat(dir, first, through, Mode::empty())?;
    walk(
        next.as_fd(),
        rest.get(1..).ok_or(Errno::INVAL)?,
        flags,
        mode,
    )
}

fn trouble(path: PathBuf, errno: Errno, stat: Option<Stat>) -> StoreError {
    if errno != Errno::ACCESS && errno != Errno::PERM {
        return StoreError::Failed {
            path,
            source: errno.into(),
        };
    }
    let me = rustix::process::geteuid().as_raw();
    let owner = stat.map_or_else(String::new, |stat| {
        format!(
            " (it belongs to uid {} and has mode {:04o})",
            stat.st_uid,
            stat.st_mode & 0o7777
        )
    });
    let problem = format!(
        "this process (uid {me}) may not use it{owner}: give the Maildir to uid {me} with `chown -R`"
    );
    StoreError::Unusable { path, problem }
}
