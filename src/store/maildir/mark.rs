//! A mark that no uid has passed, in a file of its own: `postern-uidnext` in the Maildir.
//!
//! When `dovecot-uidlist` is lost or damaged, new uids begin at the time in seconds, which is above
//! everything that a mailbox reached by counting. But an index that itself began so may have given
//! out more uids than seconds have passed. So a mark is kept ahead of them, raised in leaps; it is
//! written so seldom that it costs nothing. Dovecot does not know the file and leaves it alone.

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::folder::Folder;
use super::name;

/// The file's name.
pub(crate) const MARK: &str = "postern-uidnext";

/// The name under which it is written. Only the holder of the index's lock does so.
const DRAFT: &str = "postern-uidnext.draft";

/// How far the mark is set ahead.
const LEAP: u32 = 1000;

/// A uid that was never given out, nor any above it; 1 if there is no mark. A mark that is there and
/// cannot be read at this moment is no reason to believe that there is none.
pub(crate) fn read(folder: &Folder) -> Result<u32, Errno> {
    let mut text = [0; 32];
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let count = match folder.beneath(MARK.as_bytes(), flags, Mode::empty()) {
        Ok(fd) => rustix::io::retry_on_intr(|| rustix::io::read(&fd, &mut text))?,
        // A link is not followed, and the next mark takes its place.
        Err(Errno::NOENT | Errno::LOOP) => 0,
        Err(errno) => return Err(errno),
    };
    let digits = text.get(..count).and_then(|text| text.strip_suffix(b"\n"));
    let mark = digits
        .and_then(name::decimal)
        .and_then(|mark| u32::try_from(mark).ok());
    Ok(mark.unwrap_or(1).max(1))
}

/// Makes sure, durably, that the mark is at `next` or above. The caller holds the index's lock.
pub(crate) fn raise(folder: &Folder, next: u32) -> Result<(), Errno> {
    if read(folder)? >= next {
        return Ok(());
    }
    match folder.unlink(DRAFT) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let fd = folder.beneath(DRAFT.as_bytes(), flags, Mode::RUSR | Mode::WUSR)?;
    let text = format!("{}\n", next.saturating_add(LEAP));
    let written = rustix::io::write(&fd, text.as_bytes())?;
    if written != text.len() {
        return Err(Errno::NOSPC);
    }
    rustix::fs::fsync(&fd)?;
    folder.rename(DRAFT, MARK)?;
    folder.sync()
}
