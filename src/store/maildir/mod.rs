//! Maildirs (<https://cr.yp.to/proto/maildir.html>) with Dovecot's index of unique ids.
//!
//! | file | what it does |
//! |---|---|
//! | `path`, `way` | from an account to the path of its Maildir, and along it |
//! | `folder` | reaches everything beneath a Maildir from one descriptor, through no link |
//! | `files`, `name` | what lies in `new` and `cur`, and what a file name tells |
//! | `uidlist`, `index` | the text of `dovecot-uidlist`, and reading it |
//! | `lock`, `update`, `writer` | Dovecot's dotlock, and all changes of the index |
//! | `mark` | a mark above all uids, should the index be lost |
//! | `table`, `measure`, `snapshot`, `names` | brings all of it together |
//! | `twins` | two files that claim to be one message |
//! | `cache` | snapshots shared between sessions |
//! | `inspect` | what the administrator asks |
//! | `maildrop`, `relisted`, `message` | one session |
//!
//! What is decided here:
//! - A Maildir that does not exist is an empty maildrop: no mail was ever delivered. Nothing is
//!   created. But the folders before the first placeholder of the pattern must exist, so that a
//!   disk that is not mounted is not taken for a thousand empty maildrops.
//! - New mail is moved from `new` to `cur` when a session lists it, as the Maildir specification
//!   asks and as Dovecot does. RETR sets no flag: mail fetched by POP3 stays unseen for IMAP.
//! - The sizes that names tell (`,S=`, `,W=`) are believed, as Dovecot believes them.
//! - Quota files (`maildirsize`) are left alone; whoever keeps them counts again.
//! - A file may have several names (hard links): delivery agents and Dovecot copy that way. Whoever
//!   may link a foreign file into a Maildir could read it already (`fs.protected_hardlinks`).
//! - Uids are never given out twice, in this index or in one that replaces it: see `update` and
//!   `mark`. A Maildir without an index is taken for one that lost it.
//! - Names are octets. A name with LF or CR cannot stand in the index and is not mail.

mod cache;
mod clock;
mod files;
mod folder;
mod index;
mod inspect;
mod lock;
mod maildrop;
mod mark;
mod measure;
mod message;
pub mod name;
mod names;
mod path;
mod relisted;
mod snapshot;
mod table;
mod twins;
pub mod uidlist;
mod update;
mod way;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use postern_auth::{Account, Identity};

use self::cache::{Cache, Stamp};
use self::folder::Folder;
use self::maildrop::OpenMaildrop;
use self::snapshot::Snapshot;
use super::{Maildrop, Store, StoreError};

pub use self::clock::{Clock, SystemClock};
pub use self::inspect::{Depth, Finding, IndexHealth, Inspection, MessageReport, Problem};
pub use self::path::{Pattern, PatternError};

/// Opens the Maildirs of all accounts.
pub struct MaildirStore {
    pattern: Pattern,
    exact_sizes: bool,
    clock: Arc<dyn Clock>,
    cache: Cache,
}

/// How many messages the snapshots that are kept for later sessions may have in all: some 64 MiB.
const CACHED: usize = 1 << 20;

impl MaildirStore {
    /// A store whose maildrops are where `pattern` says, unless an account says otherwise.
    /// `exact_sizes` lets STAT and LIST show wire sizes (`EnableExactRFC822Size` of
    /// Set-PopSettings), else sizes on disk; an account's own setting comes first.
    pub fn new(pattern: Pattern, exact_sizes: bool) -> Self {
        Self::with_clock(pattern, exact_sizes, Arc::new(SystemClock))
    }

    /// The same with another clock.
    pub fn with_clock(pattern: Pattern, exact_sizes: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            pattern,
            exact_sizes,
            clock,
            cache: Cache::new(CACHED),
        }
    }

    /// Opens an account's maildrop. Only for [`Store::open`], which has an identity in hand.
    fn open_account(&self, account: &Account) -> Result<OpenMaildrop, StoreError> {
        let path = self.pattern.path(account)?;
        let exact = account.exact_size.unwrap_or(self.exact_sizes);
        let Some(folder) = self.folder(account, &path)? else {
            return Ok(OpenMaildrop::new(
                None,
                Arc::default(),
                Arc::clone(&self.clock),
            ));
        };
        let snapshot = self.snapshot(&folder, exact)?;
        Ok(OpenMaildrop::new(
            Some(folder),
            snapshot,
            Arc::clone(&self.clock),
        ))
    }

    /// Looks at an account's Maildir for the administrator, and changes nothing in it.
    ///
    /// # Errors
    /// [`StoreError`] when its path cannot be made, or it is not a Maildir that can be read.
    pub fn inspect(&self, account: &Account, depth: Depth) -> Result<Inspection, StoreError> {
        let path = self.pattern.path(account)?;
        match self.folder(account, &path)? {
            Some(folder) => Inspection::of(&folder, depth),
            None => Ok(Inspection::absent(path)),
        }
    }

    /// The snapshot of a Maildir: one that is kept, if nothing changed since it was taken.
    fn snapshot(&self, folder: &Folder, exact: bool) -> Result<Arc<Snapshot>, StoreError> {
        let now = self.clock.unix_time();
        let stamp = Stamp::of(folder)?;
        if let Some(snapshot) = self.cache.find(&stamp, exact) {
            return Ok(snapshot);
        }
        let snapshot = Arc::new(Snapshot::take(folder, exact, self.clock.as_ref())?);
        if snapshot.complete && stamp.is_settled(now) && Stamp::of(folder)? == stamp {
            self.cache.keep(stamp, exact, &snapshot);
        }
        Ok(snapshot)
    }

    /// Opens the Maildir; none if no mail was ever delivered.
    fn folder(&self, account: &Account, path: &Path) -> Result<Option<Folder>, StoreError> {
        let folder = Folder::open(path)?;
        let root = self.pattern.root();
        if folder.is_none() && account.maildrop.is_none() && Folder::open(&root)?.is_none() {
            return Err(StoreError::Unusable {
                path: root,
                problem: "it does not exist: mount the disk with the mail, create the folder, or \
                          correct `maildrop.path`"
                    .to_owned(),
            });
        }
        Ok(folder)
    }
}

impl Store for MaildirStore {
    fn open(&self, identity: &Identity) -> Result<Box<dyn Maildrop>, StoreError> {
        Ok(Box::new(self.open_account(identity.account())?))
    }
}
