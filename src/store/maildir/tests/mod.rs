//! The Maildir store against real folders.
#![expect(
    clippy::disallowed_methods,
    reason = "these tests make Maildirs on a real disk"
)]

mod confinement;
mod imported;
mod index;
mod inspection;
mod paths;
mod sessions;
mod sizes;
mod uidlist;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern_auth::Account;

use super::{Clock, Folder, MaildirStore, OpenMaildrop, Pattern, Stamp, SystemClock};
use crate::store::{Maildrop, StoreError};

/// The time at which tests begin: far below and above nothing that matters.
pub(super) const START: u64 = 1_790_000_000;

/// A clock that only a pause moves. Another thread gets the processor meanwhile.
#[derive(Default)]
pub(super) struct TestClock {
    milliseconds: AtomicU64,
    /// What another process does while we wait for it.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl TestClock {
    pub(super) fn at(seconds: u64) -> Arc<Self> {
        let clock = Self::default();
        clock.set(seconds);
        Arc::new(clock)
    }

    pub(super) fn set(&self, seconds: u64) {
        self.milliseconds.store(seconds * 1000, Ordering::SeqCst);
    }

    pub(super) fn meanwhile(&self, act: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(act));
    }
}

impl Clock for TestClock {
    fn unix_time(&self) -> Duration {
        Duration::from_millis(self.milliseconds.load(Ordering::SeqCst))
    }

    fn pause(&self, length: Duration) {
        self.milliseconds
            .fetch_add(u64::try_from(length.as_millis()).unwrap(), Ordering::SeqCst);
        if let Some(act) = self.meanwhile.lock().unwrap().take() {
            act();
        }
        std::thread::yield_now();
    }
}

/// A Maildir in a temporary folder.
pub(super) struct Site {
    _folder: tempfile::TempDir,
    pub(super) maildir: PathBuf,
    pub(super) clock: Arc<TestClock>,
    pub(super) store: MaildirStore,
    pub(super) account: Account,
}

impl Site {
    pub(super) fn new() -> Self {
        Self::with(true)
    }

    pub(super) fn with(exact: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let maildir = folder.path().join("ann");
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(name)).unwrap();
        }
        let pattern = Pattern::new(&format!("{}/{{name}}", folder.path().display())).unwrap();
        let clock = TestClock::at(START);
        let store = MaildirStore::with_clock(pattern, exact, Arc::clone(&clock) as Arc<dyn Clock>);
        let account = Account {
            name: "ann".to_owned(),
            ..Account::default()
        };
        Self {
            _folder: folder,
            maildir,
            clock,
            store,
            account,
        }
    }

    pub(super) fn open(&self) -> OpenMaildrop {
        self.store.open_account(&self.account).unwrap()
    }

    pub(super) fn refused(&self) -> StoreError {
        match self.store.open_account(&self.account) {
            Ok(_) => panic!("it opened"),
            Err(error) => error,
        }
    }

    /// Does something without root's right to pass over permissions.
    pub(super) fn as_somebody_else<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        const NOBODY: u32 = 65_534;
        let everybody = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.maildir.parent().unwrap(), everybody).unwrap();
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    // For this thread alone, and without effect unless this is root.
                    nix::unistd::setfsuid(NOBODY.into());
                    act()
                })
                .join()
                .unwrap()
        })
    }

    /// Goes to a time at which all changes so far are long past.
    pub(super) fn settle(&self) {
        self.clock.set(SystemClock.unix_time().as_secs() + 10);
    }

    pub(super) fn put(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.maildir.join(name);
        fs::write(&path, octets).unwrap();
        path
    }

    pub(super) fn index(&self) -> String {
        fs::read_to_string(self.index_path()).unwrap()
    }

    pub(super) fn index_path(&self) -> PathBuf {
        self.maildir.join("dovecot-uidlist")
    }

    pub(super) fn write_index(&self, text: impl AsRef<[u8]>) {
        fs::write(self.index_path(), text).unwrap();
    }

    pub(super) fn names(&self, place: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.maildir.join(place))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// UIDL of a whole maildrop.
pub(super) fn uids(maildrop: &dyn Maildrop) -> Vec<String> {
    let listing = maildrop.listing();
    (0..listing.len())
        .map(|index| listing.uid(index).unwrap().to_string())
        .collect()
}

/// LIST of a whole maildrop.
pub(super) fn sizes(maildrop: &dyn Maildrop) -> Vec<u64> {
    let listing = maildrop.listing();
    (0..listing.len())
        .map(|index| listing.size(index).unwrap())
        .collect()
}

/// The octets of one message.
pub(super) fn octets(maildrop: &dyn Maildrop, index: usize) -> Result<Vec<u8>, StoreError> {
    let mut message = maildrop.message(index)?;
    let (mut all, mut block) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        match message.read(&mut block)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&block[..count]),
        }
    }
}

/// Makes a file so long, without writing anything into it.
pub(super) fn resize(path: &Path, length: u64) {
    let (flags, mode) = (rustix::fs::OFlags::WRONLY, rustix::fs::Mode::empty());
    let fd = rustix::fs::open(path, flags, mode).unwrap();
    rustix::fs::ftruncate(fd, length).unwrap();
}

/// Sets the time of a file's last change to so many seconds from now.
pub(super) fn touch(path: &Path, seconds: i64) {
    let now = i64::try_from(SystemClock.unix_time().as_secs()).unwrap();
    let time = rustix::fs::Timespec {
        tv_sec: now + seconds,
        tv_nsec: 0,
    };
    let times = rustix::fs::Timestamps {
        last_access: time,
        last_modification: time,
    };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).unwrap();
}
