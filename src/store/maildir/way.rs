//! The way to a Maildir: from `/` through folders, and through the symbolic links that an
//! administrator made.
//!
//! Never through a link that somebody else made: whoever owns the folder around a Maildir could put a
//! link to another user's mail in its place.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The kernel's own limit of links in one path.
const MAX_LINKS: u32 = 40;

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The system refused.
    System(Errno),
    /// A link belongs neither to root nor to this process.
    Foreign {
        /// The link's name.
        link: OsString,
        /// Its owner.
        uid: u32,
    },
}

impl From<Errno> for Lost {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Opens a folder by its absolute path, as a place to start from.
pub(crate) fn open(path: &Path) -> Result<OwnedFd, Lost> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // A link on the way; or an old kernel, or a container's filter that does not know the call.
        Err(Errno::LOOP | Errno::NOSYS | Errno::PERM) => walk(path),
        other => Ok(other?),
    }
}

/// Step by step, each from the folder before it, so that nothing can be swapped behind our back.
pub(super) fn walk(path: &Path) -> Result<OwnedFd, Lost> {
    let mut here = step(None, OsStr::new("/"))?;
    let mut rest = names(path);
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        let there = step(Some(&here), &name)?;
        let stat = rustix::fs::fstat(&there)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            here = there;
            continue;
        }
        if kind != FileType::Symlink {
            return Err(Errno::NOTDIR.into());
        }
        if stat.st_uid != 0 && stat.st_uid != rustix::process::geteuid().as_raw() {
            let (link, uid) = (name, stat.st_uid);
            return Err(Lost::Foreign { link, uid });
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = rustix::fs::readlinkat(&there, "", Vec::new())?;
        let target = Path::new(OsStr::from_bytes(target.as_bytes()));
        if target.is_absolute() {
            here = step(None, OsStr::new("/"))?;
        }
        let mut longer = names(target);
        longer.append(&mut rest);
        rest = longer;
    }
    Ok(here)
}

fn step(here: Option<&OwnedFd>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match here {
        Some(here) => rustix::fs::openat(here, name, flags, Mode::empty()),
        None => rustix::fs::openat(CWD, name, flags, Mode::empty()),
    }
}

/// The pieces of a path; a `..` is the folder's own.
fn names(path: &Path) -> VecDeque<OsString> {
    let pieces = path.components().filter_map(|piece| match piece {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::Prefix(_) | Component::RootDir => None,
    });
    pieces.collect()
}
