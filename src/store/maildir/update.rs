//! Gives uids to new messages: the only place that changes `dovecot-uidlist`.
//!
//! Everything happens under the dotlock, after the index was read again; entries are appended, or
//! the whole file is written anew and renamed over the old one. Nothing is told to a client before
//! it is on the disk. A uid is never given out twice: the next one is beyond the header's, beyond
//! every entry's, and in an index that replaces a lost one beyond
//! the time in seconds and the mark.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::clock::Clock;
use super::files::{Files, Places};
use super::folder::Folder;
use super::index::{self, INDEX, State, Summary};
use super::lock::Lock;
use super::mark;
use super::table::{Source, Table};
use super::uidlist::{Damage, End, Entry, Header};
use crate::store::StoreError;

/// An index with fewer entries is not worth tidying.
const TIDY_FROM: u64 = 64;

/// How often a change is begun again after the lock was broken by another process.
const ATTEMPTS: u32 = 3;

/// The Maildir that is being opened.
pub(crate) struct Update<'a> {
    /// The Maildir.
    pub(crate) folder: &'a Folder,
    /// Its two folders.
    pub(crate) places: &'a Places,
    /// The time.
    pub(crate) clock: &'a dyn Clock,
}

impl Update<'_> {
    /// Gives every message of the table a uid, and writes down the sizes that were measured.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process holds the lock; [`StoreError::Unusable`] when
    /// there are no uids left; [`StoreError::Failed`] when the index cannot be written. When only
    /// space is missing, messages that have a uid are served and the others wait: somebody must
    /// be able to log in and delete mail.
    pub(crate) fn run(&self, table: &mut Table<'_>) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let lock = match Lock::take(self.folder, self.clock) {
                Err(StoreError::Failed { source, .. })
                    if let Some(errno) = full(&source)
                        && table.listed() > 0 =>
                {
                    self.postpone(errno, &table.unlisted(), table);
                    return Ok(());
                }
                other => other?,
            };
            table.forget_uids();
            let flags = OFlags::RDWR | OFlags::APPEND;
            let state = index::read(self.folder, flags, &mut |entry| table.absorb(entry))?;
            let done = match state {
                State::Sound(summary) => self.extend(lock, &summary, table)?,
                State::Missing => self.begin(lock, 1, table)?,
                State::Damaged { damage, floor } => {
                    table.forget_uids();
                    if !lock.is_ours() {
                        continue;
                    }
                    self.put_aside(damage)?;
                    self.begin(lock, floor, table)?
                }
            };
            if done {
                return Ok(());
            }
        }
        Err(StoreError::Locked {
            path: self.folder.path().join(super::lock::LOCK),
        })
    }

    fn seconds(&self) -> u32 {
        u32::try_from(self.clock.unix_time().as_secs())
            .unwrap_or(u32::MAX - 1)
            .max(1)
    }

    /// Keeps a damaged index under another name.
    fn put_aside(&self, damage: Damage) -> Result<(), StoreError> {
        let seconds = self.clock.unix_time().as_secs();
        let names = (0..1000).map(|number| match number {
            0 => format!("{INDEX}.damaged-{seconds}"),
            again => format!("{INDEX}.damaged-{seconds}-{again}"),
        });
        let mut result = Err(Errno::EXIST);
        let mut aside = String::new();
        for name in names {
            result = self.folder.rename_to_free(INDEX, &name);
            aside = name;
            if result != Err(Errno::EXIST) {
                break;
            }
        }
        result.map_err(|errno| self.folder.failed(INDEX, errno))?;
        tracing::error!(
            path = %self.folder.path().join(INDEX).display(),
            kept_as = aside,
            problem = %damage,
            "the index of unique ids is damaged and is made anew: every message gets a new id, \
             and clients that leave mail on the server will fetch all of it again"
        );
        Ok(())
    }

    /// Writes a new index for all messages. None of its uids can have been given out: they are
    /// above `floor`, above the mark, and above the time in seconds.
    fn begin(&self, lock: Lock<'_>, floor: u32, table: &mut Table<'_>) -> Result<bool, StoreError> {
        let unlisted = table.unlisted();
        let first = self.seconds().max(floor).max(mark::read(self.folder));
        let next = self.assign(&unlisted, first, table)?;
        let header = Header {
            version: 3,
            validity: self.seconds(),
            next,
            other: Vec::new(),
        };
        let mut out = Writer::new(lock.file());
        let mode = self.folder.itself()?.st_mode & 0o666;
        let written = mark::raise(self.folder, next)
            .and_then(|()| out.header(&header))
            .and_then(|()| out.rows(table, &unlisted));
        written
            .and_then(|()| lock.publish(Mode::from_raw_mode(mode), None))
            .map_err(|errno| self.folder.failed(INDEX, errno))
    }

    /// Appends to a sound index, or writes it anew.
    fn extend(
        &self,
        lock: Lock<'_>,
        summary: &Summary,
        table: &mut Table<'_>,
    ) -> Result<bool, StoreError> {
        let unlisted = table.unlisted();
        if unlisted.is_empty() && !table.learned() {
            return Ok(true);
        }
        let dead = summary.lines.saturating_sub(table.listed());
        let tidy = summary.lines >= TIDY_FROM && dead.saturating_mul(4) >= summary.lines;
        let append = summary.whole && summary.header.version == 3 && !tidy && !table.learned();
        let next = self.assign(&unlisted, summary.next, table)?;
        let written = mark::raise(self.folder, next).and_then(|()| {
            if append {
                return self.append(&lock, summary, table, &unlisted);
            }
            let header = Header {
                version: 3,
                next,
                ..summary.header.clone()
            };
            let rewrite = Rewrite {
                summary,
                header,
                tidy,
            };
            self.rewrite(lock, &rewrite, table, &unlisted)
        });
        match written {
            Err(errno @ (Errno::NOSPC | Errno::DQUOT)) if table.listed() > count(&unlisted) => {
                self.postpone(errno, &unlisted, table);
                Ok(true)
            }
            other => other.map_err(|errno| self.folder.failed(INDEX, errno)),
        }
    }

    /// Numbers the given files from `first` on and says which number is next.
    fn assign(
        &self,
        unlisted: &[usize],
        first: u32,
        table: &mut Table<'_>,
    ) -> Result<u32, StoreError> {
        let taken = table.taken();
        if !index::has_room(first, unlisted.len().saturating_add(taken.len())) {
            let problem = format!(
                "the next unique id would be {first}, and there are none above {}: move the \
                     mail into a new Maildir",
                u32::MAX - 1
            );
            return Err(self.folder.unusable(INDEX, &problem));
        }
        let mut free = (first..).filter(|uid| !taken.contains(uid));
        let mut next = first;
        for &index in unlisted {
            if let (Some(row), Some(uid)) = (table.row_mut(index), free.next()) {
                row.uid = uid;
                next = uid.saturating_add(1);
            }
        }
        Ok(next)
    }

    fn append(
        &self,
        lock: &Lock<'_>,
        summary: &Summary,
        table: &Table<'_>,
        unlisted: &[usize],
    ) -> Result<bool, Errno> {
        if !lock.is_ours() {
            return Ok(false);
        }
        let before = rustix::fs::fstat(&summary.fd)?.st_size;
        let mut out = Writer::new(summary.fd.as_fd());
        let written = out
            .rows(table, unlisted)
            .and_then(|()| rustix::fs::fsync(&summary.fd));
        if written.is_err() {
            // Half a line would do no harm; it is only tidier without.
            let _ = rustix::fs::ftruncate(&summary.fd, u64::try_from(before).unwrap_or(0));
        }
        written.map(|()| true)
    }

    fn rewrite(
        &self,
        lock: Lock<'_>,
        rewrite: &Rewrite<'_>,
        table: &Table<'_>,
        unlisted: &[usize],
    ) -> Result<bool, Errno> {
        // A name that is changed while a folder is read can be missed. An entry is dropped only
        // if two listings of a quiet folder do not have it, or its message would get a new uid.
        let again = if rewrite.tidy {
            Files::list(self.folder, self.places).ok()
        } else {
            None
        };
        let drop_dead = table.files().quiet && again.as_ref().is_some_and(|files| files.quiet);
        let here = again.as_ref().map_or_else(HashMap::new, Files::by_base);
        let mut out = Writer::new(lock.file());
        out.header(&rewrite.header)?;
        let mut lines = index::lines(&rewrite.summary.fd);
        lines.next().map_err(errno)?;
        let version = rewrite.summary.header.version;
        while let Some((End::Whole, line)) = lines.next().map_err(errno)? {
            let Some(entry) = Entry::parse(line, version) else {
                return Err(Errno::IO);
            };
            let row = table.row(entry.base);
            let current = row.is_some_and(|row| row.uid == entry.uid);
            if drop_dead && !current && (row.is_some() || !here.contains_key(entry.base)) {
                continue;
            }
            let learned = row.filter(|row| current && row.source == Source::Measured);
            out.entry(&entry, learned.map(|row| (table.key(), row.size)))?;
        }
        out.rows(table, unlisted)?;
        let old = rustix::fs::fstat(&rewrite.summary.fd)?;
        lock.publish(Mode::from_raw_mode(old.st_mode & 0o666), Some(old.st_gid))
    }

    /// Leaves new messages for later when the disk or the quota is full.
    fn postpone(&self, errno: Errno, unlisted: &[usize], table: &mut Table<'_>) {
        if unlisted.is_empty() {
            return;
        }
        for &index in unlisted {
            if let Some(row) = table.row_mut(index) {
                row.uid = 0;
            }
        }
        tracing::error!(
            path = %self.folder.path().join(INDEX).display(),
            problem = %std::io::Error::from(errno),
            waiting = unlisted.len(),
            "there is no space to write down unique ids: new messages are not shown until there is"
        );
    }
}

/// What is to be written in the place of an old index.
struct Rewrite<'a> {
    summary: &'a Summary,
    header: Header,
    tidy: bool,
}

/// Collects lines and writes them in blocks.
struct Writer<'a> {
    fd: BorrowedFd<'a>,
    block: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn new(fd: BorrowedFd<'a>) -> Self {
        Self {
            fd,
            block: Vec::new(),
        }
    }

    fn header(&mut self, header: &Header) -> Result<(), Errno> {
        header.print(&mut self.block);
        self.flush_at(super::measure::BLOCK)
    }

    fn entry(&mut self, entry: &Entry<'_>, size: Option<(u8, u64)>) -> Result<(), Errno> {
        entry.print(size, &mut self.block);
        self.flush_at(super::measure::BLOCK)
    }

    /// New entries, and then everything to the file.
    fn rows(&mut self, table: &Table<'_>, unlisted: &[usize]) -> Result<(), Errno> {
        for &index in unlisted {
            let Some(row) = table.at(index) else { continue };
            let entry = Entry {
                uid: row.uid,
                keys: b"",
                base: table.base(index),
            };
            let measured = row.source == Source::Measured;
            self.entry(&entry, measured.then_some((table.key(), row.size)))?;
        }
        self.flush_at(0)
    }

    fn flush_at(&mut self, limit: usize) -> Result<(), Errno> {
        if self.block.len() < limit {
            return Ok(());
        }
        let mut rest = self.block.as_slice();
        while !rest.is_empty() {
            let count = rustix::io::retry_on_intr(|| rustix::io::write(self.fd, rest))?;
            rest = rest.get(count.max(1)..).unwrap_or_default();
        }
        self.block.clear();
        Ok(())
    }
}

/// Whether the disk or the quota is full.
fn full(error: &std::io::Error) -> Option<Errno> {
    Errno::from_io_error(error).filter(|errno| matches!(*errno, Errno::NOSPC | Errno::DQUOT))
}

fn count(indices: &[usize]) -> u64 {
    u64::try_from(indices.len()).unwrap_or(u64::MAX)
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
