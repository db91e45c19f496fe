//! Deliveries, POP3 sessions of Postern and an IMAP client of Dovecot on one Maildir: first in any
//! order, then all at once.
//!
//! Both servers tell the same UIDs in the same order, a UID means one message for ever, and what nobody
//! deleted is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;

use crate::lab::Subject;
use crate::lab::dice::Dice;
use crate::lab::dovecot::Dovecot;
use crate::lab::imap::Imap;
use crate::lab::mail::Mail;
use crate::lab::pop3::Client;
use crate::lab::street::wander;
use crate::lab::world::{ALICE, Lab};
use crate::length::{dice, rounds};

#[test]
fn any_order_of_deliveries_reads_flags_and_deletions() {
    wander(dice().0, rounds(200, 1000));
}

/// What all of them have seen and done.
#[derive(Default)]
struct Ledger {
    /// The message of each UID that was told.
    told: BTreeMap<u32, String>,
    /// Messages that were delivered.
    sent: BTreeSet<String>,
    /// Messages that somebody asked to delete, whatever came of it.
    asked: BTreeSet<String>,
    /// Messages whose deletion was confirmed, and by whom.
    deleted: BTreeMap<String, &'static str>,
}

impl Ledger {
    fn tell(&mut self, uid: u32, subject: &str) {
        let before = self.told.insert(uid, subject.to_owned());
        assert!(
            before.is_none_or(|before| before == subject),
            "UID {uid} means {subject} now"
        );
        let mut others = self.told.iter().filter(|(_, other)| *other == subject);
        assert!(
            others.all(|(other, _)| *other == uid),
            "{subject} has UID {uid} now"
        );
    }

    /// Messages whose UIDs are known, and that nobody asked to delete.
    fn lasting(&self) -> BTreeSet<u32> {
        let told = self.told.iter();
        told.filter(|(_, subject)| !self.asked.contains(*subject))
            .map(|(uid, _)| *uid)
            .collect()
    }
}

/// Two servers, one Maildir.
struct Square {
    subject: Subject,
    dovecot: Dovecot,
    lab: Lab,
    ledger: Mutex<Ledger>,
}

impl Square {
    fn with<T>(&self, act: impl FnOnce(&mut Ledger) -> T) -> T {
        act(&mut self.ledger.lock().expect("nobody failed before"))
    }

    fn send(&self, mail: &Mail) {
        self.with(|ledger| ledger.sent.insert(mail.name.clone()));
    }

    fn deliver(&self, who: usize, count: usize) {
        for number in 0..count {
            let mail = Mail::new(&format!("lda-{who}-{number}"), b"x\n", "\n");
            self.send(&mail);
            self.lab.maildir(ALICE).deliver(&mail);
            thread::yield_now();
        }
    }

    /// One POP3 session: what it shows, and now and then a deletion.
    fn fetch_by_pop3(&self, dice: &mut Dice) {
        let lasting = self.with(|ledger| ledger.lasting());
        let mut client = Client::connect(self.subject.doors().plain);
        client.login(ALICE);
        let uids: Vec<u32> = client.uids().iter().map(|uid| number(uid)).collect();
        self.judge(&uids, &lasting, "POP3");
        let mut marked = Vec::new();
        for (at, uid) in uids.iter().enumerate() {
            let Ok(header) = client.try_body(&format!("TOP {} 0", at + 1)) else {
                continue;
            };
            let header = String::from_utf8(header).expect("text");
            let subject = header.lines().find_map(subject_of).expect("a subject");
            self.with(|ledger| ledger.tell(*uid, subject));
            if dice.throw(6) == 0 {
                self.with(|ledger| ledger.asked.insert(subject.to_owned()));
                client.ok(&format!("DELE {}", at + 1));
                marked.push(subject.to_owned());
            }
        }
        client.quit();
        self.with(|ledger| {
            ledger
                .deleted
                .extend(marked.into_iter().map(|name| (name, "POP3")))
        });
    }

    /// One IMAP session: flags, a message added, a message deleted.
    fn tidy_by_imap(&self, dice: &mut Dice, who: usize, round: usize) {
        let lasting = self.with(|ledger| ledger.lasting());
        let mut imap = Imap::open(self.dovecot.imap, ALICE);
        let uids: Vec<u32> = imap.uids().iter().map(|uid| number(uid)).collect();
        self.judge(&uids, &lasting, "IMAP");
        for flags in ["+FLAGS (\\Seen)", "+FLAGS (\\Flagged)", "-FLAGS (\\Seen)"] {
            imap.attempt(&format!("UID STORE 1:* {flags}"));
        }
        let mail = Mail::new(&format!("imap-{who}-{round}"), b"y\n", "\n");
        self.send(&mail);
        imap.append(&mail);
        if uids.is_empty() {
            return;
        }
        let uid = *dice.pick(&uids);
        let fields = "BODY.PEEK[HEADER.FIELDS (SUBJECT)]";
        let lines = imap.attempt(&format!("UID FETCH {uid} ({fields})"));
        let lines = lines.unwrap_or_default();
        let Some(subject) = lines.iter().find_map(|line| subject_of(line)) else {
            return;
        };
        self.with(|ledger| ledger.tell(uid, subject));
        self.with(|ledger| ledger.asked.insert(subject.to_owned()));
        imap.attempt(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        if imap.attempt(&format!("UID EXPUNGE {uid}")).is_some() {
            self.with(|ledger| ledger.deleted.insert(subject.to_owned(), "IMAP"));
        }
    }

    fn judge(&self, uids: &[u32], lasting: &BTreeSet<u32>, who: &str) {
        assert!(uids.is_sorted_by(|a, b| a < b), "{who}: UIDs do not rise");
        let still = self.with(|ledger| ledger.lasting());
        let mut missing = lasting
            .intersection(&still)
            .filter(|uid| !uids.contains(uid));
        assert_eq!(missing.next(), None, "{who}: a message seems deleted");
    }

    /// When all is quiet: both sides tell the same, and it is what was sent and not deleted.
    fn settle(&self) {
        let mut client = Client::connect(self.subject.doors().plain);
        client.login(ALICE);
        let uids: Vec<u32> = client.uids().iter().map(|uid| number(uid)).collect();
        let mut imap = Imap::open(self.dovecot.imap, ALICE);
        let others: Vec<u32> = imap.uids().iter().map(|uid| number(uid)).collect();
        assert_eq!(uids, others, "POP3 and IMAP tell different UIDs");
        let mut left = BTreeSet::new();
        for (at, uid) in uids.iter().enumerate() {
            let header = client.body(&format!("TOP {} 0", at + 1));
            let header = String::from_utf8(header).expect("text");
            let subject = header.lines().find_map(subject_of).expect("a subject");
            self.with(|ledger| ledger.tell(*uid, subject));
            assert!(left.insert(subject.to_owned()), "{subject} is there twice");
        }
        client.quit();
        self.with(|ledger| {
            let wanted: BTreeSet<_> = ledger.sent.difference(&ledger.asked).cloned().collect();
            assert_eq!(
                wanted.difference(&left).collect::<Vec<_>>(),
                Vec::<&String>::new(),
                "lost"
            );
            let mut back = ledger
                .deleted
                .iter()
                .filter(|(name, _)| left.contains(*name));
            assert_eq!(
                back.next(),
                None,
                "there although its deletion was confirmed"
            );
        });
    }
}

fn number(uid: &str) -> u32 {
    uid.parse().expect("a decimal UID")
}

fn subject_of(line: &str) -> Option<&str> {
    line.strip_prefix("Subject: ")
}

#[test]
fn a_crowd_at_once_agrees_on_every_uid() {
    let lab = Lab::new();
    let square = Square {
        subject: Subject::start(&lab),
        dovecot: Dovecot::start(&lab, "neighbour", ""),
        lab,
        ledger: Mutex::default(),
    };
    let mut dice = dice();
    for round in 0..rounds(2, 25) {
        let mut seed = || Dice((dice.throw(1 << 30) as u64) << 8 | 1);
        thread::scope(|scope| {
            scope.spawn(|| square.deliver(round, 60));
            for _ in 0..2 {
                let mut dice = seed();
                let square = &square;
                scope.spawn(move || (0..8).for_each(|_| square.fetch_by_pop3(&mut dice)));
            }
            for who in [2 * round, 2 * round + 1] {
                let mut dice = seed();
                let square = &square;
                scope.spawn(move || (0..8).for_each(|at| square.tidy_by_imap(&mut dice, who, at)));
            }
        });
        square.settle();
    }
    assert_eq!(square.dovecot.complaints(), Vec::<String>::new());
}
