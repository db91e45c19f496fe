//! Finds the sizes that neither names nor the index tell. Done once per message: what is found is
//! written to the index.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::files::Places;
use super::folder::{Opened, Place};
use super::table::{Source, Table};
use crate::store::size::WireSize;

/// The octets that are read at once.
pub(crate) const BLOCK: usize = 64 * 1024;

/// So many messages are worth a helper: a disk answers several at once.
const PER_READER: usize = 256;

/// The most helpers of all scans together.
const MAX_HELPERS: usize = 15;

/// What a look at one file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Size(u64),
    /// The size on disk of a file that cannot be read.
    Guess(u64),
    Gone,
}

/// Fills in the missing sizes. A message that is gone meanwhile is hidden; says how many are.
pub(crate) fn complete(places: &Places, table: &mut Table<'_>) -> usize {
    let wanted: Vec<usize> = table
        .shown()
        .filter(|(_, row)| row.source == Source::Nowhere)
        .map(|(index, _)| index)
        .collect();
    if wanted.is_empty() {
        return 0;
    }
    let exact = table.key() == b'W';
    let files = table.files();
    let look = |index: usize, block: &mut [u8]| {
        let Some((place, name)) = files.get(index) else {
            return Found::Gone;
        };
        let found = if exact {
            wire(places, place, name, block)
        } else {
            disk(places, place, name)
        };
        match found {
            Ok(size) => Found::Size(size),
            Err(Errno::NOENT) => Found::Gone,
            Err(_) => match disk(places, place, name) {
                Ok(size) => Found::Guess(size),
                Err(Errno::NOENT) => Found::Gone,
                // It is there, whatever its size: a message must not seem deleted because a disk
                // fails.
                Err(_) => Found::Guess(0),
            },
        }
    };
    let mut gone = 0;
    for (index, found) in in_parallel(&wanted, &look) {
        let Some(row) = table.row_mut(index) else {
            continue;
        };
        match found {
            Found::Size(size) => (row.size, row.source) = (size, Source::Measured),
            Found::Guess(size) => (row.size, row.source) = (size, Source::Guess),
            Found::Gone => {
                row.hidden = true;
                gone += 1;
            }
        }
    }
    gone
}

/// Looks at one file, with a block to read into.
type Look<'a> = dyn Fn(usize, &mut [u8]) -> Found + Sync + 'a;

fn in_parallel(wanted: &[usize], look: &Look<'_>) -> Vec<(usize, Found)> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(wanted.len()));
    let read = || {
        let mut block = vec![0; BLOCK];
        let mut mine = Vec::new();
        while let Some(&index) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            mine.push((index, look(index, &mut block)));
        }
        all.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut mine);
    };
    let helpers = Helpers::hire(wanted.len() / PER_READER);
    std::thread::scope(|scope| {
        for _ in 0..helpers.0 {
            // Without a helper the work is done as well, only later.
            let _ = std::thread::Builder::new().spawn_scoped(scope, read);
        }
        read();
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Threads that help one first scan; all scans of the process share them.
struct Helpers(usize);

/// How many there still are.
static IDLE: AtomicUsize = AtomicUsize::new(MAX_HELPERS);

impl Helpers {
    fn hire(wanted: usize) -> Self {
        let mut hired = 0;
        let _ = IDLE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |idle| {
            hired = wanted.min(idle);
            Some(idle - hired)
        });
        Self(hired)
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        IDLE.fetch_add(self.0, Ordering::Relaxed);
    }
}

/// The octets on disk.
pub(crate) fn disk(places: &Places, place: Place, name: &[u8]) -> Result<u64, Errno> {
    let stat = rustix::fs::statat(places.get(place), name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// The octets on the wire; reads the whole message, block by block.
pub(crate) fn wire(
    places: &Places,
    place: Place,
    name: &[u8],
    block: &mut [u8],
) -> Result<u64, Errno> {
    let Opened { fd, length, .. } = places.message(place, name)?;
    let mut size = WireSize::default();
    let mut read = 0;
    // A message does not grow: the read that would only find its end is saved.
    while read < length {
        let count = rustix::io::retry_on_intr(|| rustix::io::read(&fd, &mut *block))?;
        match block.get(..count) {
            None | Some([]) => break,
            Some(octets) => size.add(octets),
        }
        read = read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok(size.total())
}
