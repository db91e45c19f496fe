//! Two files with one base name.
//!
//! By the Maildir specification a base name is one message, so a second file under it would share
//! its unique id: once the first is deleted, the second would appear as a message that the client
//! believes it has. As Dovecot does, the second one gets a name of its own. Nothing is removed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, Stat};

use super::clock::Clock;
use super::files::{Files, Places};
use super::folder::{self, Folder, Place};
use super::name;

/// The longest name of a file.
const LONGEST: usize = 255;

/// Renames the later file of every pair. Files that are one file under two names stay: another
/// program may be moving it from the one to the other at this moment.
pub(crate) fn part(folder: &Folder, files: &Files, places: &Places, clock: &dyn Clock) {
    let mut first: HashMap<&[u8], (Place, &[u8])> = HashMap::new();
    for (place, whole) in files.iter() {
        let Some(other) = first.insert(name::base(whole), (place, whole)) else {
            continue;
        };
        let (Some(a), Some(b)) = (stat(places, other), stat(places, (place, whole))) else {
            continue;
        };
        if (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino) {
            continue;
        }
        let a_is_later = (a.st_mtime, a.st_mtime_nsec) > (b.st_mtime, b.st_mtime_nsec);
        if a_is_later {
            rename(folder, places, other, clock);
        } else {
            rename(folder, places, (place, whole), clock);
            // There may be a third.
            first.insert(name::base(whole), other);
        }
    }
}

fn stat(places: &Places, (place, whole): (Place, &[u8])) -> Option<Stat> {
    rustix::fs::statat(places.get(place), whole, AtFlags::SYMLINK_NOFOLLOW).ok()
}

fn rename(folder: &Folder, places: &Places, (place, whole): (Place, &[u8]), clock: &dyn Clock) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = clock.unix_time();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let (seconds, micros, process) = (now.as_secs(), now.subsec_micros(), std::process::id());
    let mut unique = format!("{seconds}.M{micros}P{process}Q{number}.postern").into_bytes();
    let flags = whole.get(name::base(whole).len()..).unwrap_or_default();
    // What stands behind the colon may be as long as a name can be; then the message goes without it.
    if unique.len() + flags.len() <= LONGEST {
        unique.extend_from_slice(flags);
    }
    let fd = places.get(place);
    let result = folder::rename_to_free(fd, whole, fd, &unique);
    tracing::warn!(
        path = %folder.path().join(place.name()).join(&*String::from_utf8_lossy(whole)).display(),
        renamed_to = &*String::from_utf8_lossy(&unique),
        problem = result.err().map(|errno| tracing::field::display(std::io::Error::from(errno))),
        "another file has the same base name; this one is a message of its own"
    );
}
