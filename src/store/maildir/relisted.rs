//! Where messages are now that are no longer where the snapshot saw them: their flags changed, or
//! another program moved them from `new` to `cur`.

use super::cache::SETTLED;
use super::clock::Clock;
use super::files::{Files, Places};
use super::folder::{Folder, Place};
use crate::store::StoreError;

/// One later listing of the folders, good for any number of messages.
#[derive(Debug)]
pub(crate) struct Relisted {
    files: Files,
    times: [(i64, i64); 2],
    settled: bool,
}

impl Relisted {
    /// Lists the folders.
    pub(crate) fn read(
        folder: &Folder,
        places: &Places,
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        let times = places
            .times()
            .map_err(|errno| folder.failed("cur", errno))?;
        let now = clock.unix_time();
        let files = Files::list(folder, places)?;
        let limit = now.saturating_sub(SETTLED).as_secs();
        let settled = times
            .iter()
            .all(|time| u64::try_from(time.0).is_ok_and(|at| at < limit));
        Ok(Self {
            files,
            times,
            settled,
        })
    }

    /// Whether nothing can have changed since.
    pub(crate) fn is_current(&self, places: &Places) -> bool {
        self.settled && self.has_times_of(places)
    }

    /// Whether nothing changed while the folders were listed, so that nothing was missed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.files.quiet
    }

    /// Whether the folders still bear the same times.
    pub(crate) fn has_times_of(&self, places: &Places) -> bool {
        places.times().is_ok_and(|times| times == self.times)
    }

    /// Where the message of this base name is, and its whole name.
    pub(crate) fn find(&self, wanted: &[u8]) -> Option<(Place, &[u8])> {
        self.files
            .find(wanted)
            .and_then(|index| self.files.get(index))
    }
}
