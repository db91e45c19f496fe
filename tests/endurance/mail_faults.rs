//! System calls that fail in the real server, by strace: a bad disk, a full one, one that may only be
//! read, no file descriptors, no memory.
//!
//! Whatever fails: the client reads `-ERR` or the truth, no mail is lost, no UID changes or comes
//! twice, and once the trouble is over everything is as it should be.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::lab::dice::Dice;
use crate::lab::mail::Mail;
use crate::lab::pop3::Client;
use crate::lab::strace::Faults;
use crate::lab::street::{Side, Street};
use crate::lab::world::ALICE;
use crate::length::{dice, rounds};

/// What the disk can say.
const ERRORS: [&str; 6] = ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENOMEM"];

/// Which calls of a thread fail.
const WHEN: [&str; 4] = ["1", "2", "3", "1+"];

/// The calls that the store makes when it opens a maildrop.
pub(crate) const OPENING: [&str; 17] = [
    "fchmod",
    "flock",
    "fstat",
    "fsync",
    "getdents64",
    "linkat",
    "lseek",
    "newfstatat",
    "openat",
    "openat2",
    "pread64",
    "read",
    "renameat",
    "renameat2",
    "statx",
    "unlinkat",
    "write",
];

/// The calls of UPDATE.
pub(crate) const UPDATE: [&str; 4] = ["fsync", "openat", "openat2", "unlinkat"];

/// The calls of RETR.
const RETR: [&str; 4] = ["fstat", "openat2", "pread64", "preadv2"];

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug)]
struct Fault {
    call: &'static str,
    error: &'static str,
    when: &'static str,
}

/// All faults of these calls in the long form, some of them in the short one.
fn faults(calls: &[&'static str], dice: &mut Dice, short: usize) -> Vec<Fault> {
    let mut all = Vec::new();
    for &call in calls {
        for error in ERRORS {
            all.extend(WHEN.map(|when| Fault { call, error, when }));
        }
    }
    let wanted = rounds(short, all.len());
    while all.len() > wanted {
        all.swap_remove(dice.throw(all.len()));
    }
    all
}

impl Fault {
    /// Makes the call fail in the server, on Alice's mail alone.
    fn attach(self, street: &mut Street) -> Faults {
        let Self { call, error, when } = self;
        let pid = street.subject.daemon().pid();
        let inject = format!("{call}:error={error}:when={when}");
        Faults::attach(&street.lab, pid, &inject, &places(street))
    }

    /// Before `+OK` the disk is told to keep what was changed.
    fn assert_asked_for(self, count: usize) {
        let first = self.call == "fsync" && self.when.starts_with('1');
        assert!(!first || count > 0, "nothing is made durable");
    }

    /// Whether the disk is full or may only be read: then new mail may have to wait.
    fn is_full(self) -> bool {
        matches!(self.error, "ENOSPC" | "EDQUOT" | "EROFS")
    }
}

/// Every path in Alice's Maildir that the server will use.
pub(crate) fn places(street: &Street) -> Vec<PathBuf> {
    let top = street.lab.maildir(ALICE);
    let names = [
        "",
        "cur",
        "dovecot-uidlist",
        "dovecot-uidlist.lock",
        "new",
        "postern-uidlist.draft",
        "postern-uidnext",
        "postern-uidnext.draft",
    ];
    let mut places: Vec<_> = names.iter().map(|name| join(top.path(), name)).collect();
    for (base, path) in top.files() {
        places.push(top.path().join(format!("cur/{base}:2,")));
        places.push(path);
    }
    places
}

/// Without a slash at the end, which strace would not find.
fn join(top: &std::path::Path, name: &str) -> PathBuf {
    if name.is_empty() {
        top.to_owned()
    } else {
        top.join(name)
    }
}

#[test]
fn an_opening_that_fails_is_told_and_harms_nothing() {
    let mut street = Street::new();
    let mut dice = dice();
    street.deliver(6);
    street.look();
    for fault in faults(&OPENING, &mut dice, 24) {
        street.deliver(1 + dice.throw(2));
        match dice.throw(6) {
            0 => street.lose_index(),
            1 => drop(fs::remove_file(join(
                street.lab.maildir(ALICE).path(),
                "postern-uidnext",
            ))),
            _ => {}
        }
        open_under(&mut street, fault);
        street.account_for(&BTreeSet::new());
        let visitor = street.visit(Side::Subject);
        street.leave(visitor);
        if dice.throw(8) == 0 {
            street.look();
            thin_out(&mut street);
        }
    }
    street.look();
    street.assert_no_complaints();
}

/// A login while the call fails; what the session then shows is held to the ledger.
fn open_under(street: &mut Street, fault: Fault) {
    let mut client = Client::connect(street.subject.doors().plain);
    client.ok(&format!("USER {}", ALICE.name));
    let trouble = fault.attach(street);
    let reply = client.ask(&format!("PASS {}", ALICE.password));
    let count = trouble.end();
    if reply.starts_with("-ERR") {
        assert!(reply.starts_with("-ERR [SYS/TEMP] "), "{fault:?}: {reply}");
        assert!(count > 0, "{fault:?}: refused without a reason: {reply}");
        assert_told(street, "the maildrop failed");
        return;
    }
    let durable = fault.call != "fsync" || count == 0 || fault.is_full();
    assert!(durable, "{fault:?}: UIDs are told that are not on the disk");
    fault.assert_asked_for(count);
    let seen = listed(&mut client);
    client.quit();
    let old = street.uids();
    assert!(
        old.iter()
            .all(|uid| seen.iter().any(|(other, _)| other == uid)),
        "{fault:?}: messages that had a UID are left out"
    );
    street.note(&seen, &format!("a session under {fault:?}"));
    let complete = seen.len() == street.alive.len();
    assert!(
        complete || fault.is_full(),
        "{fault:?}: messages are left out"
    );
}

/// UIDs and octets of all messages of a session.
fn listed(client: &mut Client) -> Vec<(u32, Vec<u8>)> {
    let uids = client.uids();
    let numbered = uids.iter().enumerate();
    numbered
        .map(|(at, uid)| {
            let octets = client.body(&format!("RETR {}", at + 1));
            (uid.parse().expect("a decimal UID"), octets)
        })
        .collect()
}

/// The log names the file.
fn assert_told(street: &Street, record: &str) {
    let top = street.lab.maildir(ALICE);
    let path = top.path().to_str().expect("a plain path");
    street.subject.postern().told(record, &[path]);
}

/// The disk takes the UIDs and then does not let go of the lock: no later session waits for it, also
/// none of Dovecot, though there is nothing left to write.
#[test]
fn a_lock_that_cannot_be_removed_is_told_and_goes_with_the_next_session() {
    let mut street = Street::new();
    street.deliver(2);
    street.look();
    street.deliver(1);
    let lock = "dovecot-uidlist.lock";
    let pid = street.subject.daemon().pid();
    let kept = "unlinkat:error=EIO:when=1+";
    let trouble = Faults::attach(&street.lab, pid, kept, &[PathBuf::from(lock)]);
    let lock = street.lab.maildir(ALICE).path().join(lock);
    let visitor = street.visit(Side::Subject);
    assert!(trouble.end() > 0 && lock.exists(), "the lock did go");
    street.leave(visitor);
    let told = "this lock could not be removed: Postern's next session does so; until then a \
                Dovecot waits for it up to two minutes";
    assert_told(&street, told);
    street.look();
    assert!(!lock.exists());
    street.assert_no_complaints();
}

fn thin_out(street: &mut Street) {
    if street.alive.len() > 12 {
        street.delete(Side::Subject, &[0, 1, 2, 3, 4, 5]);
    }
}

#[test]
fn a_deletion_that_fails_is_told_and_deletes_nothing_else() {
    let mut street = Street::new();
    let mut dice = dice();
    for fault in faults(&UPDATE, &mut dice, 16) {
        street.deliver(6_usize.saturating_sub(street.alive.len()));
        let mut visitor = street.visit(Side::Subject);
        for place in [1, 2, 4] {
            visitor.mark(place);
        }
        let marked = [1, 2, 4].map(|at| visitor.seen[at].1.clone());
        let trouble = fault.attach(&mut street);
        let reply = visitor.client.ask("QUIT");
        let count = trouble.end();
        let gone = marked
            .iter()
            .filter(|octets| !street.on_disk().contains(*octets));
        let gone = gone.count();
        fault.assert_asked_for(count);
        if count > 0 {
            assert!(reply.starts_with("-ERR"), "{fault:?} and still {reply}");
            assert_told(&street, "deleting failed");
        } else {
            assert!(
                reply.starts_with("+OK"),
                "{fault:?} did not happen: {reply}"
            );
            assert_eq!(gone, 3, "{fault:?} did not happen");
        }
        street.account_for(&BTreeSet::from(marked));
        let visitor = street.visit(Side::Subject);
        street.leave(visitor);
    }
    street.look();
    street.assert_no_complaints();
}

#[test]
fn a_message_that_cannot_be_read_is_never_half_a_message() {
    let mut street = Street::new();
    let mut dice = dice();
    let body: String = (0..30_000).map(|line| format!("line {line}\n")).collect();
    let mail = Mail::new("large", body.as_bytes(), "\n");
    street.lab.maildir(ALICE).deliver(&mail);
    street.alive.push(mail.wire());
    for fault in faults(&RETR, &mut dice, 16) {
        let mut client = Client::connect(street.subject.doors().plain);
        client.login(ALICE);
        let trouble = fault.attach(&mut street);
        let got = client.try_body("RETR 1");
        let count = trouble.end();
        match got {
            Ok(octets) => assert!(octets == mail.wire(), "{fault:?}: other octets"),
            Err(reply) if reply.starts_with("-ERR") => {
                assert!(reply.starts_with("-ERR [SYS/TEMP] "), "{fault:?}: {reply}");
                assert!(count > 0, "{fault:?}: {reply}");
                assert!(client.body("RETR 1") == mail.wire(), "{fault:?} is over");
            }
            Err(cut) => assert!(count > 0 && cut.is_empty(), "{fault:?}: {cut}"),
        }
    }
    street.look();
}

/// A bad place on the disk, where one message begins.
#[test]
fn a_message_that_cannot_be_opened_stays_in_the_list_and_the_others_are_served() {
    let mut street = Street::new();
    street.deliver(3);
    let files = street.lab.maildir(ALICE).files();
    let bad = files.into_keys().nth(1).expect("three messages");
    let bad = PathBuf::from(format!("cur/{bad}:2,"));
    let pid = street.subject.daemon().pid();
    let trouble = Faults::attach(&street.lab, pid, "openat2:error=EIO:when=1+", &[bad]);
    let mut client = Client::connect(street.subject.doors().plain);
    client.login(ALICE);
    let uids = client.uids();
    assert_eq!(
        uids.len(),
        3,
        "a message seems deleted because a disk fails"
    );
    let refusal = client.refused("RETR 2");
    assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{refusal}");
    assert!(client.body("RETR 1") == street.alive[0]);
    assert!(client.body("RETR 3") == street.alive[2]);
    assert!(trouble.end() > 0, "nothing failed");
    assert!(client.body("RETR 2") == street.alive[1]);
    client.quit();
    let mut visitor = street.visit(Side::Subject);
    assert_eq!(visitor.client.uids(), uids);
    street.leave(visitor);
    street.look();
    street.assert_no_complaints();
}
