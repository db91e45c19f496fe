//! A Maildir on disk with whatever index and names: nothing is lost, no uid is told twice, and a
//! second session sees what the first one saw.
//!
//! Input: lines. Behind `+` stands the name of a file in `cur`, behind `-` of one in `new`; every
//! other line is one of `dovecot-uidlist`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postern::store::maildir::{Clock, Depth, IndexHealth, Pattern, Problem};
use postern::store::{MaildirStore, Maildrop, Store};
use postern_auth::{Account, Identity};
use tempfile::TempDir;

use super::toy;

/// The most files, so that a run stays short.
const FILES: usize = 12;

/// Makes the Maildir, and opens, extends and empties it.
pub fn run(input: &[u8]) {
    let site = Site::make(input);
    let before = site.inspect();
    let Some(first) = site.open() else {
        assert!(site.open().is_none(), "refused once, opened the next time");
        assert_eq!(
            site.files(),
            site.made,
            "what cannot be opened is left alone"
        );
        return;
    };
    let told = uids(first.as_ref());
    assert!(told.len() <= site.made, "more messages than files");
    let second = site.open().expect("it opened before");
    let all = uids(second.as_ref());
    assert_eq!(all.len(), site.made, "a message is lost");
    assert_eq!(site.files(), site.made, "a file is lost");
    distinct(&all);
    for (uid, size) in &told {
        assert!(all.contains(&(uid.clone(), *size)), "{uid} was told once");
    }
    let third = site.open().expect("it opened before");
    assert_eq!(uids(third.as_ref()), all, "nothing has changed");
    if site.made > 0 {
        site.is_sound(before.as_ref());
    }
    site.one_more(&all);
}

/// The same clock for everybody: it goes on a second with every look.
struct Ticks(std::sync::atomic::AtomicU64);

impl Clock for Ticks {
    fn unix_time(&self) -> Duration {
        let seconds = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Duration::from_secs(1_790_000_000 + seconds)
    }

    fn pause(&self, _: Duration) {}
}

struct Site {
    store: MaildirStore,
    maildir: PathBuf,
    made: usize,
}

thread_local! {
    static FOLDER: RefCell<TempDir> = RefCell::new(tempfile::tempdir().expect("a folder"));
    static ALICE: Identity = toy::identity("alice");
}

impl Site {
    fn make(input: &[u8]) -> Self {
        let maildir = FOLDER.with_borrow(|folder| folder.path().join("alice"));
        let _ = fs::remove_dir_all(&maildir);
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(folder)).expect("a folder");
        }
        let (mut index, mut made) = (Vec::new(), 0);
        for line in input.split_inclusive(|octet| *octet == b'\n') {
            let name = |line: &[u8]| line.strip_suffix(b"\n").unwrap_or(line).to_vec();
            match line {
                [b'+', rest @ ..] if made < FILES => {
                    made += touch(&maildir.join("cur"), &name(rest))
                }
                [b'-', rest @ ..] if made < FILES => {
                    made += touch(&maildir.join("new"), &name(rest))
                }
                [b'+' | b'-', ..] => {}
                _ => index.extend_from_slice(line),
            }
        }
        if !index.is_empty() {
            fs::write(maildir.join("dovecot-uidlist"), index).expect("an index");
        }
        let root = maildir.parent().expect("a folder");
        let pattern = Pattern::new(&format!("{}/{{name}}", root.display())).expect("a pattern");
        let store = MaildirStore::with_clock(pattern, true, Arc::new(Ticks(0.into())));
        Self {
            store,
            maildir,
            made,
        }
    }

    fn open(&self) -> Option<Box<dyn Maildrop>> {
        ALICE.with(|alice| self.store.open(alice)).ok()
    }

    /// What an administrator is told, unless the index is of a newer format; changes nothing.
    fn inspect(&self) -> Option<IndexHealth> {
        let account = Account {
            name: "alice".to_owned(),
            ..Account::default()
        };
        let files = self.files();
        let inspection = self.store.inspect(&account, Depth::Verify).ok()?;
        assert_eq!(self.files(), files);
        let twins = inspection
            .findings
            .iter()
            .filter(|finding| finding.problem == Problem::Twin);
        let shown = inspection.messages.len() + twins.count();
        assert_eq!(shown, self.made, "{:?}", inspection.findings);
        Some(inspection.index)
    }

    /// After a session the index is in order, and as new as it was before unless it was damaged.
    fn is_sound(&self, before: Option<&IndexHealth>) {
        let Some(IndexHealth::Sound { validity, next, .. }) = self.inspect() else {
            panic!("the index is not sound");
        };
        if let Some(IndexHealth::Sound {
            validity: old,
            next: from,
            ..
        }) = before
        {
            assert_eq!(validity, *old, "UIDVALIDITY never changes");
            assert!(next >= *from, "uids never go back");
        }
    }

    /// A message that comes gets a number of its own; one that is deleted goes alone.
    fn one_more(&self, told: &[(String, u64)]) {
        touch(&self.maildir.join("new"), b"1890000000.fresh");
        let Some(maildrop) = self.open() else { return };
        let all = uids(maildrop.as_ref());
        distinct(&all);
        let fresh: Vec<_> = all
            .iter()
            .filter(|message| !told.contains(message))
            .collect();
        assert_eq!((all.len(), fresh.len()), (told.len() + 1, 1));
        maildrop
            .remove(&mut std::iter::once(0))
            .expect("a file can be deleted");
        assert_eq!(self.files(), told.len());
        let left = self.open().expect("it opened before");
        assert_eq!(uids(left.as_ref()), all[1..]);
        touch(&self.maildir.join("new"), b"1890000001.fresh");
        let Some(maildrop) = self.open() else { return };
        let again = uids(maildrop.as_ref());
        distinct(&again);
        let one_that_was = |(id, _): &&(String, u64)| all.iter().any(|(told, _)| told == id);
        let kept = again.iter().filter(one_that_was).count();
        assert_eq!(
            kept + 1,
            again.len(),
            "the id of a deleted message is told again"
        );
    }

    /// How many files there are that can be mail.
    fn files(&self) -> usize {
        let count = |name: &str| {
            fs::read_dir(self.maildir.join(name))
                .expect("a folder")
                .count()
        };
        count("cur") + count("new")
    }
}

/// Makes a message, if there can be one of this name; says how many were made.
fn touch(folder: &Path, name: &[u8]) -> usize {
    let path = folder.join(OsStr::from_bytes(name));
    let usable = postern::store::maildir::name::is_mail(name) && !path.exists();
    let octets = name.get(..name.len().min(3)).unwrap_or_default();
    usize::from(usable && fs::write(path, octets).is_ok())
}

fn uids(maildrop: &dyn Maildrop) -> Vec<(String, u64)> {
    let listing = maildrop.listing();
    let message = |index| Some((listing.uid(index)?.to_string(), listing.size(index)?));
    (0..listing.len()).filter_map(message).collect()
}

fn distinct(all: &[(String, u64)]) {
    let map: BTreeMap<&str, u64> = all
        .iter()
        .map(|(uid, size)| (uid.as_str(), *size))
        .collect();
    assert_eq!(
        map.len(),
        all.len(),
        "two messages share a unique id: {all:?}"
    );
    for uid in map.keys() {
        assert!((1..=70).contains(&uid.len()) && uid.bytes().all(|octet| octet.is_ascii_graphic()));
    }
}
