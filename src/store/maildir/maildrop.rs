//! One session's view of a Maildir.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::clock::Clock;
use super::files::Places;
use super::folder::{Folder, Opened, Place};
use super::message::OpenMessage;
use super::name;
use super::relisted::Relisted;
use super::snapshot::Snapshot;
use crate::store::{Listing, Maildrop, Message, RemoveError, StoreError};

/// How often a message is sought whose name changes while it is sought.
const ATTEMPTS: usize = 5;

/// A Maildir as it was when the session began; no folder if nothing was ever delivered.
pub(crate) struct OpenMaildrop {
    folder: Option<Folder>,
    snapshot: Arc<Snapshot>,
    relisted: Mutex<Option<Relisted>>,
    clock: Arc<dyn Clock>,
    /// How often the folders were listed again.
    #[cfg(test)]
    pub(super) listings: std::sync::atomic::AtomicUsize,
}

impl OpenMaildrop {
    /// A session on a snapshot of this Maildir.
    pub(crate) fn new(
        folder: Option<Folder>,
        snapshot: Arc<Snapshot>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            folder,
            snapshot,
            relisted: Mutex::new(None),
            clock,
            #[cfg(test)]
            listings: Default::default(),
        }
    }

    /// Opens a message that is no longer where the snapshot saw it.
    fn open_elsewhere(&self, folder: &Folder, base: &[u8]) -> Result<Opened, StoreError> {
        let places = Places::open(folder)?;
        let mut relisted = self.relisted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = relisted
            .as_ref()
            .filter(|known| known.has_times_of(&places))
        {
            match known
                .find(base)
                .map(|(place, name)| folder.message(place, name))
            {
                Some(Ok(opened)) => return Ok(opened),
                None if known.is_current(&places) => return Err(StoreError::Vanished),
                Some(Err(_)) | None => {}
            }
        }
        let mut result = Err(StoreError::Vanished);
        for _ in 0..ATTEMPTS {
            let fresh = self.relist(folder, &places, &mut relisted)?;
            let quiet = fresh.is_quiet();
            match fresh.find(base) {
                None if quiet => return Err(StoreError::Vanished),
                None => {}
                Some((place, name)) => match folder.message(place, name) {
                    // Its name has changed again.
                    Err(Errno::NOENT) => {}
                    other => {
                        result = other.map_err(|errno| gone_or_failed(folder, place, errno));
                        break;
                    }
                },
            }
        }
        result
    }

    /// Deletes messages that are no longer where the snapshot saw them. Their names may change
    /// again meanwhile; only what is not in a listing of quiet folders, or in none of
    /// several, counts as deleted already.
    fn remove_elsewhere(&self, mut elsewhere: Vec<Vec<u8>>, removal: &mut Removal<'_>) {
        let folder = removal.folder;
        for attempt in 1..=ATTEMPTS {
            if elsewhere.is_empty() {
                return;
            }
            let mut relisted = self.relisted.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = match self.relist(folder, &removal.places, &mut relisted) {
                Ok(fresh) => fresh,
                Err(error) => return removal.fail(elsewhere.len(), error),
            };
            elsewhere.retain(|base| match fresh.find(base) {
                Some((place, name)) => !removal.unlink(place, name),
                None => !fresh.is_quiet() && attempt < ATTEMPTS,
            });
        }
        if !elsewhere.is_empty() {
            let problem = "names in it change faster than they can be read: try again";
            removal.fail(elsewhere.len(), folder.unusable("cur", problem));
        }
    }

    fn relist<'a>(
        &self,
        folder: &Folder,
        places: &Places,
        relisted: &'a mut MutexGuard<'_, Option<Relisted>>,
    ) -> Result<&'a Relisted, StoreError> {
        #[cfg(test)]
        self.listings
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let fresh = Relisted::read(folder, places, self.clock.as_ref())?;
        Ok(relisted.insert(fresh))
    }
}

impl Maildrop for OpenMaildrop {
    fn listing(&self) -> &Arc<Listing> {
        &self.snapshot.listing
    }

    fn message(&self, index: usize) -> Result<Box<dyn Message>, StoreError> {
        let (Some(folder), Some((place, name))) = (&self.folder, self.snapshot.name(index)) else {
            return Err(StoreError::Vanished);
        };
        let opened = match folder.message(place, &name) {
            Err(Errno::NOENT) => self.open_elsewhere(folder, name::base(&name))?,
            other => other.map_err(|errno| gone_or_failed(folder, place, errno))?,
        };
        let path = folder
            .path()
            .join(place.name())
            .join(OsStr::from_bytes(&name));
        Ok(Box::new(OpenMessage::new(opened, path)))
    }

    fn remove(&self, indices: &mut dyn Iterator<Item = usize>) -> Result<(), RemoveError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let mut indices = indices.peekable();
        if indices.peek().is_none() {
            return Ok(());
        }
        let places = match Places::open(folder) {
            Ok(places) => places,
            Err(first) => {
                return Err(RemoveError {
                    left: indices.count(),
                    first,
                });
            }
        };
        let mut removal = Removal {
            folder,
            places,
            removed: 0,
            touched: [false; 2],
            failed: None,
        };
        let elsewhere: Vec<Vec<u8>> = indices
            .filter_map(|index| self.snapshot.name(index))
            .filter(|(place, name)| !removal.unlink(*place, name))
            .map(|(_, name)| name::base(&name).to_vec())
            .collect();
        self.remove_elsewhere(elsewhere, &mut removal);
        removal.finish()
    }
}

/// The deletions of one UPDATE state.
struct Removal<'a> {
    folder: &'a Folder,
    places: Places,
    removed: usize,
    touched: [bool; 2],
    failed: Option<RemoveError>,
}

impl Removal<'_> {
    /// Unlinks one name; false if there is no such name. The base name in it is the message's
    /// own, so it is never another message, whatever flags it has.
    fn unlink(&mut self, place: Place, name: &[u8]) -> bool {
        match rustix::fs::unlinkat(self.places.get(place), name, AtFlags::empty()) {
            Ok(()) => {
                self.removed += 1;
                let [new, cur] = &mut self.touched;
                *(if place == Place::New { new } else { cur }) = true;
                true
            }
            Err(Errno::NOENT) => false,
            Err(errno) => {
                self.fail(1, self.folder.failed(place.name(), errno));
                true
            }
        }
    }

    /// Notes failures (V0006: the others go on).
    fn fail(&mut self, count: usize, error: StoreError) {
        if let Some(failed) = &mut self.failed {
            failed.left += count;
        } else {
            self.failed = Some(RemoveError {
                left: count,
                first: error,
            });
        }
    }

    /// Makes the deletions durable.
    fn finish(mut self) -> Result<(), RemoveError> {
        for (place, touched) in [Place::New, Place::Cur].into_iter().zip(self.touched) {
            if touched && let Err(errno) = rustix::fs::fsync(self.places.get(place)) {
                self.fail(self.removed, self.folder.failed(place.name(), errno));
            }
        }
        self.failed.map_or(Ok(()), Err)
    }
}

fn gone_or_failed(folder: &Folder, place: Place, errno: Errno) -> StoreError {
    if errno == Errno::NOENT {
        return StoreError::Vanished;
    }
    folder.failed(place.name(), errno)
}
