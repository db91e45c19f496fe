//! Messages that vanish or change under a session.
//!
//! One that is gone is refused and keeps its number. One that is being sent arrives as it was when it
//! was opened, or the connection ends without the closing dot: half a message, or parts of two, must
//! never look like a whole one.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::lab::mail::Mail;
use crate::lab::pop3::Client;
use crate::lab::strace::Faults;
use crate::lab::street::{Side, Street};
use crate::lab::world::{ALICE, Lab};
use crate::lab::{Subject, mail::Folder};
use crate::length::{dice, rounds};

#[test]
fn messages_that_vanish_before_retr_are_refused_and_stay_numbered() {
    let mut street = Street::new();
    let mut dice = dice();
    for _ in 0..rounds(5, 100) {
        street.deliver(8_usize.saturating_sub(street.alive.len()));
        let mut visitor = street.visit(Side::Subject);
        let stat = visitor.client.ok("STAT");
        let list = visitor.client.lines("LIST");
        let gone: Vec<_> = (0..visitor.seen.len())
            .filter(|_| dice.throw(3) == 0)
            .collect();
        for &place in &gone {
            let octets = visitor.seen[place].1.clone();
            remove_file_of(&street.lab.maildir(ALICE), &octets);
            street.alive.retain(|other| *other != octets);
        }
        for place in 0..visitor.seen.len() {
            if gone.contains(&place) {
                visitor.miss(place);
            } else {
                visitor.fetch(place);
            }
        }
        assert_eq!(visitor.client.ok("STAT"), stat, "the numbers moved");
        assert_eq!(visitor.client.lines("LIST"), list, "the numbers moved");
        // One that is gone counts as deleted, and nothing else is deleted for it.
        if let Some(&place) = gone.first() {
            visitor.client.ok(&format!("DELE {}", place + 1));
        }
        street.leave(visitor);
        assert_eq!(street.on_disk().len(), street.alive.len());
    }
    street.look();
    street.assert_no_complaints();
}

fn remove_file_of(maildir: &Folder, octets: &[u8]) {
    let files = maildir.files().into_values();
    let mut found = files
        .filter(|path| crate::lab::mail::wire_form(&fs::read(path).expect("a message")) == octets);
    fs::remove_file(found.next().expect("its file")).expect("removing");
}

/// What another program does to a file that is being sent.
#[derive(Clone, Copy, Debug)]
enum Act {
    Append,
    CutOff,
    Overwrite,
    Remove,
    Replace,
}

impl Act {
    const ALL: [Self; 5] = [
        Self::Append,
        Self::CutOff,
        Self::Overwrite,
        Self::Remove,
        Self::Replace,
    ];

    fn play(self, path: &Path, other: &[u8]) {
        let file = || {
            File::options()
                .append(true)
                .open(path)
                .expect("the message")
        };
        match self {
            Self::Append => file().write_all(b"one line more\n").expect("appending"),
            Self::CutOff => file().set_len(1_000_000).expect("cutting off"),
            Self::Overwrite => fs::write(path, other).expect("writing over it"),
            Self::Remove => fs::remove_file(path).expect("removing"),
            Self::Replace => {
                let beside = path.with_file_name("beside");
                fs::write(&beside, other).expect("another message");
                fs::rename(&beside, path).expect("replacing");
            }
        }
    }

    /// Whether all octets can be there although it was done in time.
    fn may_come_too_late(self) -> bool {
        self.leaves_the_octets() || matches!(self, Self::Append)
    }

    /// Whether the octets that were promised are still to be had.
    fn leaves_the_octets(self) -> bool {
        matches!(self, Self::Remove | Self::Replace)
    }
}

/// More than the buffers between two sockets hold.
fn large(word: &str) -> Mail {
    let line = format!("{word} {}\n", "x".repeat(60));
    Mail::new(word, line.repeat(16 << 20 >> 6).as_bytes(), "\n")
}

#[test]
fn a_message_that_changes_while_it_is_sent_is_never_passed_off_as_whole() {
    let lab = Lab::new();
    let subject = Subject::start(&lab);
    let maildir = lab.maildir(ALICE);
    let (mail, other) = (large("this"), large("that"));
    for act in Act::ALL {
        let name = maildir.deliver(&mail);
        let mut client = Client::connect(subject.doors().plain);
        client.login(ALICE);
        client.send(b"RETR 1\r\n");
        assert!(client.line().starts_with("+OK"), "{act:?}");
        // The server has begun and waits for the reader.
        let path = maildir.files().remove(&name).expect("the message");
        act.play(&path, &other.octets);
        match client.rest() {
            Some(octets) => {
                assert!(octets == mail.wire(), "{act:?}: passed off as whole");
                assert!(act.may_come_too_late(), "{act:?}: all was sent already");
            }
            None => {
                assert!(!act.leaves_the_octets(), "{act:?}: cut without need");
                subject
                    .postern()
                    .told("the maildrop failed", &[&name, "another program"]);
            }
        }
        for path in maildir.files().values() {
            fs::remove_file(path).expect("removing");
        }
    }
}

/// Another program changes flags, and so the name of the file, between every look and every act: what
/// is played here by calls that find no such name.
#[test]
fn a_message_whose_name_changes_again_and_again_is_served_and_deleted() {
    let mut street = Street::new();
    street.deliver(3);
    let mut visitor = street.visit(Side::Subject);
    let pid = street.subject.daemon().pid();
    let maildir = street.lab.maildir(ALICE);
    let name = maildir.files().into_keys().nth(1).expect("three messages");
    let here = [PathBuf::from(format!("cur/{name}:2,"))];
    let moved = "openat2:error=ENOENT:when=1..3";
    let trouble = Faults::attach(&street.lab, pid, moved, &here);
    visitor.fetch(1);
    assert_eq!(trouble.end(), 3);
    visitor.mark(1);
    let here = [PathBuf::from(format!("{name}:2,"))];
    let moved = "unlinkat:error=ENOENT:when=1..3";
    let trouble = Faults::attach(&street.lab, pid, moved, &here);
    street.leave(visitor);
    assert_eq!(trouble.end(), 3);
    street.look();
    assert_eq!(street.alive.len(), 2);
}
