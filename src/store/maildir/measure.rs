//! Finds the sizes that neither names nor the index tell. Done once per message: what is found is
//! written to the index.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

use super::folder::{Folder, Place};
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
pub(crate) fn complete(folder: &Folder, table: &mut Table<'_>) -> usize {
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
    let look = |index: usize| {
        let Some((place, name)) = files.get(index) else {
            return Found::Gone;
        };
        look(folder, place, name, exact)
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

fn in_parallel(wanted: &[usize], look: &(dyn Fn(usize) -> Found + Sync)) -> Vec<(usize, Found)> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(wanted.len()));
    let read = || {
        let mut mine = Vec::new();
        while let Some(&index) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            mine.push((index, look(index)));
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

fn look(folder: &Folder, place: Place, name: &[u8], exact: bool) -> Found {
    let found = if exact {
        wire(folder, place, name)
    } else {
        disk(folder, place, name)
    };
    match found {
        Ok(size) => Found::Size(size),
        Err(Errno::NOENT) => Found::Gone,
        Err(_) => disk(folder, place, name).map_or(Found::Gone, Found::Guess),
    }
}

/// The octets on disk.
pub(crate) fn disk(folder: &Folder, place: Place, name: &[u8]) -> Result<u64, Errno> {
    let path = [place.name().as_bytes(), b"/", name].concat();
    let flags = rustix::fs::OFlags::PATH;
    let fd = folder.beneath(&path, flags, rustix::fs::Mode::empty())?;
    let stat = rustix::fs::fstat(fd)?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// The octets on the wire; reads the whole message.
pub(crate) fn wire(folder: &Folder, place: Place, name: &[u8]) -> Result<u64, Errno> {
    let fd = folder.message(place, name)?.fd;
    let mut block = vec![0; BLOCK];
    let mut size = WireSize::default();
    loop {
        let count = rustix::io::retry_on_intr(|| rustix::io::read(&fd, &mut *block))?;
        match block.get(..count) {
            None | Some([]) => return Ok(size.total()),
            Some(octets) => size.add(octets),
        }
    }
}
