//! Gives uids to new messages: the only place that changes `dovecot-uidlist`.
//!
//! Everything happens under the dotlock, after the index was read again; entries are appended, or
//! the whole file is written anew and renamed over the old one. Nothing is told to a client before
//! it is on the disk. A uid is never given out twice: the next one is beyond the header's, beyond
//! every entry's, and in an index that replaces a lost one beyond
//! the time in seconds and the mark.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::clock::Clock;
use super::files::{Files, Places};
use super::folder::Folder;
use super::index::{self, INDEX, State, Summary};
use super::lock::Lock;
use super::mark;
use super::table::Table;
use super::uidlist::{Damage, End, Entry, Header};
use super::writer::Writer;
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
    /// How long to wait for the lock.
    pub(crate) patience: Duration,
}

impl Update<'_> {
    /// Gives every message of the table a uid, and writes down the sizes that were measured.
    /// `known` is the index as it was read without the lock, and as the table has it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process holds the lock; [`StoreError::Unusable`] when
    /// there are no uids left; [`StoreError::Failed`] when the index cannot be written. When only
    /// space is missing, or the disk may only be read, messages that have a uid are served and
    /// the others wait: somebody must be able to log in and delete mail.
    pub(crate) fn run(&self, table: &mut Table<'_>, known: State) -> Result<(), StoreError> {
        let mut known = Some(known);
        for _ in 0..ATTEMPTS {
            let lock = match Lock::take(self.folder, self.clock, self.patience) {
                Err(StoreError::Failed { source, .. })
                    if let Some(errno) = full(&source)
                        && table.listed() > 0 =>
                {
                    self.postpone(errno, &table.unlisted(), table);
                    return Ok(());
                }
                other => other?,
            };
            let state = match known.take() {
                Some(State::Sound(summary)) if summary.is_current(self.folder) => {
                    State::Sound(summary)
                }
                _ => {
                    table.forget_uids();
                    index::read(self.folder, &mut |entry| table.absorb(entry))?
                }
            };
            let done = match state {
                State::Sound(summary) => self.extend(&lock, &summary, table)?,
                State::Missing => self.begin(&lock, 1, table)?,
                State::Damaged { damage, floor } => {
                    table.forget_uids();
                    if !lock.is_ours() {
                        continue;
                    }
                    // While the index stands it says which uids were given out: it goes only
                    // when there is room above them.
                    self.check_room(floor, table.unlisted().len())?;
                    self.put_aside(damage)?;
                    self.begin(&lock, floor, table)?
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
    fn begin(
        &self,
        lock: &Lock<'_>,
        floor: u32,
        table: &mut Table<'_>,
    ) -> Result<bool, StoreError> {
        let unlisted = table.unlisted();
        let mark =
            mark::read(self.folder).map_err(|errno| self.folder.failed(mark::MARK, errno))?;
        let first = self.seconds().max(floor).max(mark);
        let next = self.assign(&unlisted, first, table)?;
        let header = Header {
            version: 3,
            validity: self.seconds(),
            next,
            other: Vec::new(),
        };
        let mode = Mode::from_raw_mode(self.folder.itself()?.st_mode & 0o666);
        let draft = lock
            .draft()
            .map_err(|errno| self.folder.failed(INDEX, errno))?;
        let mut out = Writer::new(draft.as_fd());
        let written = mark::raise(self.folder, next)
            .and_then(|()| out.header(&header))
            .and_then(|()| out.rows(table, &unlisted));
        written
            .and_then(|()| lock.publish(&draft, mode, None))
            .map_err(|errno| self.folder.failed(INDEX, errno))
    }

    /// Appends to a sound index, or writes it anew.
    fn extend(
        &self,
        lock: &Lock<'_>,
        summary: &Summary,
        table: &mut Table<'_>,
    ) -> Result<bool, StoreError> {
        table.part_twins();
        let unlisted = table.unlisted();
        let first = summary.next.max(table.beyond_imported());
        let amended = table.learned() || table.has_crossed_out() || first > summary.next;
        if unlisted.is_empty() && !amended {
            return Ok(true);
        }
        let dead = summary.lines.saturating_sub(table.listed());
        let tidy = summary.lines >= TIDY_FROM && dead.saturating_mul(4) >= summary.lines;
        let append = summary.whole && summary.header.version == 3 && !tidy && !amended;
        let next = self.assign(&unlisted, first, table)?;
        let written = mark::raise(self.folder, next).and_then(|()| {
            if append {
                return self.append(lock, summary, table, &unlisted);
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
            Err(errno) if is_full(errno) && table.listed() > count(&unlisted) => {
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
        self.check_room(first, unlisted.len().saturating_add(taken.len()))?;
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

    /// Whether so many uids are left from `first` on.
    fn check_room(&self, first: u32, count: usize) -> Result<(), StoreError> {
        if index::has_room(first, count) {
            return Ok(());
        }
        let problem = format!(
            "the next unique id would be {first}, and there are none above {}: move the mail into \
             a new Maildir",
            u32::MAX - 1
        );
        Err(self.folder.unusable(INDEX, &problem))
    }

    fn append(
        &self,
        lock: &Lock<'_>,
        summary: &Summary,
        table: &Table<'_>,
        unlisted: &[usize],
    ) -> Result<bool, Errno> {
        let flags = OFlags::RDWR | OFlags::APPEND;
        let fd = self
            .folder
            .beneath(INDEX.as_bytes(), flags, Mode::empty())?;
        if !lock.is_ours() || !summary.is_current(self.folder) {
            return Ok(false);
        }
        let before = rustix::fs::fstat(&fd)?.st_size;
        let mut out = Writer::new(fd.as_fd());
        let written = out
            .rows(table, unlisted)
            .and_then(|()| rustix::fs::fsync(&fd));
        if written.is_err() {
            // Half a line would do no harm; it is only tidier without.
            let _ = rustix::fs::ftruncate(&fd, u64::try_from(before).unwrap_or(0));
        }
        written.map(|()| true)
    }

    fn rewrite(
        &self,
        lock: &Lock<'_>,
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
        let here = |base: &[u8]| {
            let again = again.as_ref();
            again.is_some_and(|files| files.find(base).is_some())
        };
        let draft = lock.draft()?;
        let mut out = Writer::new(draft.as_fd());
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
            if drop_dead && !current && (row.is_some() || !here(entry.base)) {
                continue;
            }
            out.entry(&entry, table.more(&entry))?;
        }
        out.rows(table, unlisted)?;
        let old = rustix::fs::fstat(&rewrite.summary.fd)?;
        lock.publish(
            &draft,
            Mode::from_raw_mode(old.st_mode & 0o666),
            Some(old.st_gid),
        )
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
            "unique ids cannot be written down: new messages are not shown until they can; make \
             room on the disk or in the quota, or make it writable"
        );
    }
}

/// What is to be written in the place of an old index.
struct Rewrite<'a> {
    summary: &'a Summary,
    header: Header,
    tidy: bool,
}

/// Whether nothing can be written: the disk or the quota is full, or it may only be read.
fn full(error: &std::io::Error) -> Option<Errno> {
    Errno::from_io_error(error).filter(|errno| is_full(*errno))
}

fn is_full(errno: Errno) -> bool {
    matches!(errno, Errno::NOSPC | Errno::DQUOT | Errno::ROFS)
}

fn count(indices: &[usize]) -> u64 {
    u64::try_from(indices.len()).unwrap_or(u64::MAX)
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
