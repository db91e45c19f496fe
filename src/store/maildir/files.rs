//! What lies in `new` and `cur`: names in one arena, and where each of them is.
//!
//! Symbolic links, FIFOs, sockets, devices and folders are not mail and are left out.

use std::ffi::CStr;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;

use super::folder::{self, Folder, Opened, Place};
use super::name;
use crate::store::StoreError;

/// How often a folder is read again that changed while it was read: a name that is changed
/// meanwhile may be missed, and a message must not seem deleted for that.
const ATTEMPTS: usize = 4;

/// The mail in both folders at one moment.
#[derive(Debug, Default)]
pub(crate) struct Files {
    names: Vec<u8>,
    files: Vec<File>,
    /// Numbers of files, by the hash of their base names. With a key of its own, for whoever
    /// delivers mail makes the names.
    by_base: HashTable<u32>,
    hasher: RandomState,
    twins: Vec<usize>,
    /// Whether nothing was renamed, added or removed while the folders were read.
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug)]
struct File {
    start: u32,
    length: u8,
    place: Place,
}

impl File {
    /// The whole name, cut out of all names.
    fn name(self, names: &[u8]) -> Option<&[u8]> {
        let start = usize::try_from(self.start).ok()?;
        names.get(start..start + usize::from(self.length))
    }
}

/// The base name of a file.
fn base_of<'a>(names: &'a [u8], files: &[File], index: u32) -> &'a [u8] {
    let file = usize::try_from(index)
        .ok()
        .and_then(|index| files.get(index));
    file.and_then(|file| file.name(names))
        .map(name::base)
        .unwrap_or_default()
}

/// The two folders, open.
pub(crate) struct Places {
    new: OwnedFd,
    cur: OwnedFd,
}

impl Places {
    /// Opens both.
    pub(crate) fn open(folder: &Folder) -> Result<Self, StoreError> {
        Ok(Self {
            new: folder.place(Place::New)?,
            cur: folder.place(Place::Cur)?,
        })
    }

    /// One of them.
    pub(crate) fn get(&self, place: Place) -> BorrowedFd<'_> {
        match place {
            Place::New => self.new.as_fd(),
            Place::Cur => self.cur.as_fd(),
        }
    }

    /// Opens a message for reading. Its name comes from a listing, so it is one
    /// piece of a path, and no link is followed.
    pub(crate) fn message(&self, place: Place, name: &[u8]) -> Result<Opened, Errno> {
        let always = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |flags| rustix::fs::openat(self.get(place), name, flags | always, Mode::empty());
        folder::open_message(open)
    }

    /// When entries of `new` and `cur` last changed.
    pub(crate) fn times(&self) -> Result<[(i64, i64); 2], Errno> {
        Ok([
            changed(&rustix::fs::fstat(&self.new)?),
            changed(&rustix::fs::fstat(&self.cur)?),
        ])
    }

    /// Lets both be listed from the beginning.
    pub(crate) fn rewind(&self) -> Result<(), Errno> {
        for fd in [&self.new, &self.cur] {
            rustix::fs::seek(fd, rustix::fs::SeekFrom::Start(0))?;
        }
        Ok(())
    }
}

impl Files {
    /// Reads both folders, `new` first, so that a message that moves to `cur` meanwhile is found.
    pub(crate) fn list(folder: &Folder, places: &Places) -> Result<Self, StoreError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut files = Self::attempt(places).map_err(|errno| folder.failed("cur", errno))?;
            if files.quiet || attempt == ATTEMPTS {
                files.note_bases();
                return Ok(files);
            }
        }
    }

    fn attempt(places: &Places) -> Result<Self, Errno> {
        let mut files = Self::default();
        places.rewind()?;
        let before = places.times()?;
        for place in [Place::New, Place::Cur] {
            files.read(places.get(place), place)?;
        }
        files.quiet = places.times()? == before;
        Ok(files)
    }

    fn read(&mut self, fd: BorrowedFd<'_>, place: Place) -> Result<(), Errno> {
        each(
            fd,
            |name, mail| {
                if mail { self.push(place, name) } else { Ok(()) }
            },
        )
    }

    fn push(&mut self, place: Place, name: &[u8]) -> Result<(), Errno> {
        let start = u32::try_from(self.names.len()).map_err(|_| Errno::FBIG)?;
        let length = u8::try_from(name.len()).map_err(|_| Errno::NAMETOOLONG)?;
        self.names.extend_from_slice(name);
        self.files.push(File {
            start,
            length,
            place,
        });
        Ok(())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Where one of them is, and its whole name.
    pub(crate) fn get(&self, index: usize) -> Option<(Place, &[u8])> {
        let file = self.files.get(index)?;
        Some((file.place, file.name(&self.names)?))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Place, &[u8])> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Which of them has a base name. Of two with the same one, the later is found.
    pub(crate) fn find(&self, base: &[u8]) -> Option<usize> {
        let same = |&index: &u32| base_of(&self.names, &self.files, index) == base;
        let index = self.by_base.find(self.hasher.hash_one(base), same)?;
        usize::try_from(*index).ok()
    }

    /// Those whose base name a later one has too.
    pub(crate) fn twins(&self) -> &[usize] {
        &self.twins
    }

    /// Lets files be found by their base names: once they are all known, so that the table is made
    /// in its final size.
    fn note_bases(&mut self) {
        let Self {
            names,
            files,
            by_base,
            hasher,
            twins,
            ..
        } = self;
        let hash = |index: &u32| hasher.hash_one(base_of(names, files, *index));
        by_base.reserve(files.len(), hash);
        for index in (0..).take(files.len()) {
            let base = base_of(names, files, index);
            let same = |other: &u32| base_of(names, files, *other) == base;
            match by_base.entry(hash(&index), same, hash) {
                Entry::Occupied(mut entry) => {
                    let earlier = std::mem::replace(entry.get_mut(), index);
                    twins.extend(usize::try_from(earlier));
                }
                Entry::Vacant(entry) => {
                    entry.insert(index);
                }
            }
        }
    }

    /// Moves what is in `new` to `cur`, as the Maildir specification asks of whoever looks at it.
    /// Another process may be quicker, and a file system may be read-only: that is no error, the
    /// message is then listed where it was and found again by its base name.
    pub(crate) fn move_to_cur(&mut self, places: &Places) -> bool {
        let mut moved = false;
        let waiting: Vec<usize> = (0..self.len())
            .filter(|index| {
                self.get(*index)
                    .is_some_and(|(place, _)| place == Place::New)
            })
            .collect();
        for index in waiting {
            let base = self.get(index).map(|(_, name)| name::base(name));
            if base.and_then(|base| self.find(base)) != Some(index) {
                continue;
            }
            match self.move_one(index, places) {
                Ok(()) => moved = true,
                Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => break,
                Err(_) => {}
            }
        }
        moved
    }

    fn move_one(&mut self, index: usize, places: &Places) -> Result<(), Errno> {
        let Some((Place::New, name)) = self.get(index) else {
            return Ok(());
        };
        let old = name.to_vec();
        let mut new = old.clone();
        if !new.contains(&b':') {
            new.extend_from_slice(b":2,");
        }
        let start = u32::try_from(self.names.len()).map_err(|_| Errno::FBIG)?;
        let length = u8::try_from(new.len()).map_err(|_| Errno::NAMETOOLONG)?;
        folder::rename_to_free(places.get(Place::New), &old, places.get(Place::Cur), &new)?;
        self.names.extend_from_slice(&new);
        if let Some(file) = self.files.get_mut(index) {
            *file = File {
                start,
                length,
                place: Place::Cur,
            };
        }
        Ok(())
    }
}

/// One file or folder: which it is, how long, and when it last changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    inode: u64,
    size: i64,
    changed: (i64, i64),
}

impl Seen {
    /// What is seen now.
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            inode: stat.st_ino,
            size: stat.st_size,
            changed: changed(stat),
        }
    }

    /// When it last changed: seconds and nanoseconds that nobody can set.
    pub(crate) fn changed(&self) -> (i64, i64) {
        self.changed
    }
}

/// When a file or folder last changed: seconds and nanoseconds that nobody can set.
pub(crate) fn changed(stat: &Stat) -> (i64, i64) {
    (
        stat.st_ctime,
        i64::try_from(stat.st_ctime_nsec).unwrap_or(0),
    )
}

/// Shows every name in a folder and says whether it is mail.
pub(crate) fn each(
    fd: BorrowedFd<'_>,
    mut visit: impl FnMut(&[u8], bool) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let mut block = Vec::<u8>::with_capacity(32 * 1024);
    let mut entries = RawDir::new(fd, block.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let mail = name::is_mail(name) && is_file(fd, entry.file_name(), entry.file_type());
        visit(name, mail)?;
    }
    Ok(())
}

fn is_file(fd: BorrowedFd<'_>, name: &CStr, kind: FileType) -> bool {
    if kind != FileType::Unknown {
        return kind == FileType::RegularFile;
    }
    rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| folder::is_regular(&stat))
}
