//! Reads `dovecot-uidlist`, without a lock and in constant memory.

use std::io::{self, BufReader, Read};
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::files::Seen;
use super::folder::Folder;
use super::uidlist::{self, Damage, End, Entry, Header, HeaderError, Lines, UID_LIMIT};
use crate::store::StoreError;

/// The index's name, as Dovecot has it.
pub(crate) const INDEX: &str = "dovecot-uidlist";

/// Numbers from here on are more likely damage, or something else, than uids.
pub(crate) const BELIEVABLE: u32 = 0xf000_0000;

/// What stands in the Maildir's top folder.
#[derive(Debug)]
pub(crate) enum State {
    /// No index.
    Missing,
    /// An index that cannot be used.
    Damaged {
        /// Why.
        damage: Damage,
        /// No uid that was read in it is this or above.
        floor: u32,
    },
    /// An index.
    Sound(Summary),
}

/// What is known of an index besides its entries.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The first line.
    pub(crate) header: Header,
    /// The next uid: beyond the header's and every entry's.
    pub(crate) next: u32,
    /// How many entries there are.
    pub(crate) lines: u64,
    /// Whether the last line is complete.
    pub(crate) whole: bool,
    /// The file, open for reading.
    pub(crate) fd: OwnedFd,
    /// The file as it was before it was read.
    seen: Seen,
}

impl Summary {
    /// Whether the index still is the file that was read, unchanged.
    pub(crate) fn is_current(&self, folder: &Folder) -> bool {
        folder
            .stat(INDEX)
            .is_ok_and(|stat| Seen::of(&stat) == self.seen)
    }
}

/// Opens the index; none if there is none.
pub(crate) fn open(folder: &Folder, flags: OFlags) -> Result<Option<OwnedFd>, StoreError> {
    let problem = match folder.beneath(INDEX.as_bytes(), flags | OFlags::NONBLOCK, Mode::empty()) {
        Ok(fd) => {
            let stat = rustix::fs::fstat(&fd).map_err(|errno| folder.failed(INDEX, errno))?;
            if super::folder::is_regular(&stat) {
                return Ok(Some(fd));
            }
            Errno::LOOP
        }
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => errno,
    };
    match problem {
        Errno::LOOP | Errno::ISDIR | Errno::NXIO => Err(folder.unusable(
            INDEX,
            "it is not a regular file, and links are not followed inside a Maildir: move it away, \
             or put the file itself there",
        )),
        errno => Err(folder.failed(INDEX, errno)),
    }
}

/// Reads the index from its beginning and shows each entry.
pub(crate) fn read(
    folder: &Folder,
    visit: &mut dyn FnMut(&Entry<'_>),
) -> Result<State, StoreError> {
    let Some(fd) = open(folder, OFlags::RDONLY)? else {
        return Ok(State::Missing);
    };
    let stat = rustix::fs::fstat(&fd).map_err(|errno| folder.failed(INDEX, errno))?;
    let seen = Seen::of(&stat);
    let failed = |source| StoreError::Failed {
        path: folder.path().join(INDEX),
        source,
    };
    let mut lines = lines(&fd);
    let header = match first_line(&mut lines).map_err(failed)? {
        Ok(header) => header,
        Err(HeaderError::Damaged(damage)) => {
            let floor = highest(&mut lines, 3).map_err(failed)?;
            return Ok(State::Damaged { damage, floor });
        }
        Err(HeaderError::Version(version)) => {
            let problem = format!(
                "it has format version {version}, which this program does not know: use a newer \
                 Postern, or move the file away (clients will then fetch all mail again)"
            );
            return Err(folder.unusable(INDEX, &problem));
        }
    };
    let mut body = Body {
        next: header.next,
        lines: 0,
        last: 0,
        whole: true,
    };
    let damage = body
        .read(&mut lines, header.version, visit)
        .map_err(failed)?;
    if let Some(damage) = damage {
        let rest = highest(&mut lines, header.version).map_err(failed)?;
        let seen = if body.next < BELIEVABLE {
            body.next
        } else {
            body.last + 1
        };
        return Ok(State::Damaged {
            damage,
            floor: rest.max(seen),
        });
    }
    let Body {
        next,
        lines: count,
        whole,
        ..
    } = body;
    Ok(State::Sound(Summary {
        header,
        next,
        lines: count,
        whole,
        fd,
        seen,
    }))
}

/// The lines of an open index, from its beginning.
pub(crate) fn lines(fd: &OwnedFd) -> Lines<BufReader<FromStart<'_>>> {
    Lines::new(BufReader::with_capacity(
        64 * 1024,
        FromStart { fd, offset: 0 },
    ))
}

/// Reads the header.
pub(crate) fn first_line<R: io::BufRead>(
    lines: &mut Lines<R>,
) -> io::Result<Result<Header, HeaderError>> {
    Ok(match lines.next()? {
        Some((End::Whole, line)) => Header::parse(line),
        Some((End::TooLong, _)) => Err(HeaderError::Damaged(Damage::Length(1))),
        Some((End::Torn, _)) | None => Err(HeaderError::Damaged(Damage::NoHeader)),
    })
}

struct Body {
    next: u32,
    lines: u64,
    last: u32,
    whole: bool,
}

impl Body {
    fn read<R: io::BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        version: u8,
        visit: &mut dyn FnMut(&Entry<'_>),
    ) -> io::Result<Option<Damage>> {
        while let Some((end, line)) = lines.next()? {
            let number = self.lines + 2;
            match end {
                End::TooLong => return Ok(Some(Damage::Length(number))),
                End::Torn => {
                    // Never told to anybody, but a number costs nothing.
                    let uid = uidlist::torn_uid(line)
                        .filter(|uid| *uid < BELIEVABLE)
                        .unwrap_or(0);
                    self.next = self.next.max(uid.saturating_add(1));
                    self.whole = false;
                }
                End::Whole => {
                    let Some(entry) = Entry::parse(line, version) else {
                        return Ok(Some(Damage::Entry(number)));
                    };
                    if entry.uid <= self.last {
                        return Ok(Some(Damage::Order(number)));
                    }
                    visit(&entry);
                    self.last = entry.uid;
                    self.next = self.next.max(entry.uid.saturating_add(1));
                    self.lines += 1;
                }
            }
        }
        Ok(None)
    }
}

/// One more than the highest believable uid in what is left of a damaged index.
fn highest<R: io::BufRead>(lines: &mut Lines<R>, version: u8) -> io::Result<u32> {
    let mut highest = 0;
    while let Some((_, line)) = lines.next()? {
        if let Some(entry) = Entry::parse(line, version)
            && entry.uid < BELIEVABLE
        {
            highest = highest.max(entry.uid + 1);
        }
    }
    Ok(highest)
}

/// Reads a file by position, so that one descriptor can be read more than once.
pub(crate) struct FromStart<'a> {
    fd: &'a OwnedFd,
    offset: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let count =
            rustix::io::retry_on_intr(|| rustix::io::pread(self.fd, &mut *block, self.offset))?;
        self.offset += u64::try_from(count).unwrap_or(0);
        Ok(count)
    }
}

/// Whether so many uids are left from `next` on.
pub(crate) fn has_room(next: u32, count: usize) -> bool {
    u64::try_from(count).is_ok_and(|count| u64::from(next) + count <= u64::from(UID_LIMIT))
}
