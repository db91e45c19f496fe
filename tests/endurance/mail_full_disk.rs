//! A disk that is full: a small tmpfs under the mail.
//!
//! Mail that has UIDs is served and can be deleted. What cannot be written down is not told. Once there
//! is room again everything is shown, and no UID comes twice.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;

use crate::lab::mail::Mail;
use crate::lab::pop3::Client;
use crate::lab::street::{Side, Street};
use crate::lab::world::{ALICE, require_root};
use crate::length::rounds;

/// A file system of one mebibyte and 300 inodes under the mail, unmounted with the value.
struct SmallDisk {
    place: PathBuf,
    ballast: PathBuf,
}

impl SmallDisk {
    /// Moves Alice's Maildir onto a small disk. Mounting takes root.
    fn under(street: &Street) -> Self {
        require_root("mount");
        let place = street.lab.path().join("mail/alice");
        fs::remove_dir_all(&place).expect("Alice's empty folder");
        fs::create_dir(&place).expect("a folder");
        let options = "size=1m,nr_inodes=300,mode=755";
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&place));
        street.lab.maildir(ALICE);
        let ballast = place.join("ballast");
        Self { place, ballast }
    }

    /// Fills it to the last inode, and to the last octet.
    fn fill(&self) {
        self.fill_octets();
        let mut names = (0..).map(|number| self.ballast.join(format!("inode-{number}")));
        while names.next().is_some_and(|name| File::create(name).is_ok()) {}
    }

    /// Fills it to the last octet. What fits into a block that is there already can still be written.
    fn fill_octets(&self) {
        fs::create_dir_all(&self.ballast).expect("a folder for the ballast");
        let octets = self.ballast.join("octets");
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(octets)
            .expect("the ballast");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Makes room for so many octets.
    fn free(&self, octets: u64) {
        let ballast = File::options()
            .write(true)
            .open(self.ballast.join("octets"))
            .expect("the ballast");
        let length = ballast.metadata().expect("its length").len();
        ballast.set_len(length - octets).expect("room");
    }

    /// Makes room.
    fn clear(&self) {
        match fs::remove_dir_all(&self.ballast) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("the ballast: {error}"),
            Ok(()) | Err(_) => {}
        }
    }

    /// Lets nothing be written, or lets it again.
    fn read_only(&self, on: bool) {
        let how = if on { "remount,ro" } else { "remount,rw" };
        run(Command::new("mount").args(["-o", how]).arg(&self.place));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server of a test that fails may still have it open.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.place)
            .status();
    }
}

fn run(command: &mut Command) {
    let status = command.status().expect("a program");
    assert!(status.success(), "{command:?}: {status}");
}

/// What one session shows, all of it compared with the ledger, new mail left out.
fn old_mail_alone(street: &mut Street, old: usize) {
    let mut client = Client::connect(street.subject.doors().plain);
    client.login(ALICE);
    let uids = client.uids();
    assert_eq!(
        uids.len(),
        old,
        "what was told before is told on a full disk"
    );
    let seen: Vec<_> = (1..=old)
        .map(|number| {
            let octets = client.body(&format!("RETR {number}"));
            (uids[number - 1].parse().expect("a UID"), octets)
        })
        .collect();
    street.note(&seen, "a session on a full disk");
    client.quit();
}

const WAITING: &str = "unique ids cannot be written down: new messages are not shown until they \
                       can; make room on the disk or in the quota, or make it writable";

#[test]
fn a_full_disk_hides_new_mail_and_nothing_else() {
    let mut street = Street::new();
    let disk = SmallDisk::under(&street);
    street.deliver(4);
    street.look();
    for round in 0..rounds(2, 20) {
        let old = street.alive.len();
        disk.clear();
        street.deliver(2);
        if round % 2 == 0 {
            disk.fill();
        } else {
            // The lock can be made, but no new index can be written.
            street.tear_index();
            disk.fill_octets();
        }
        old_mail_alone(&mut street, old);
        let words = ["dovecot-uidlist", "No space left on device"];
        street.subject.postern().told(WAITING, &words);
        // Deleting needs no room.
        let mut client = Client::connect(street.subject.doors().plain);
        client.login(ALICE);
        client.ok("DELE 1");
        let first = client.body("RETR 2");
        assert_eq!(first, street.alive[1]);
        client.quit();
        assert_eq!(street.on_disk().len(), old + 1);
        let gone = street.alive[0].clone();
        street.account_for(&BTreeSet::from([gone]));
        // What was deleted has made room.
        disk.fill();
        old_mail_alone(&mut street, old - 1);
        disk.clear();
        street.look();
        let half: Vec<_> = (0..street.alive.len() / 2).collect();
        street.delete(Side::Subject, &half);
    }
    street.assert_no_complaints();
    drop(street);
    drop(disk);
}

/// Without an index there is no UID that was told, so nothing can be shown.
#[test]
fn a_first_opening_on_a_full_disk_is_refused_for_now() {
    let mut street = Street::new();
    let disk = SmallDisk::under(&street);
    street.deliver(3);
    disk.fill();
    for _ in 0..2 {
        let mut client = Client::connect(street.subject.doors().plain);
        client.ok(&format!("USER {}", ALICE.name));
        let refusal = client.refused(&format!("PASS {}", ALICE.password));
        assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{refusal}");
        let words = ["No space left on device", "make room on the disk"];
        street.subject.postern().told("the maildrop failed", &words);
    }
    street.account_for(&BTreeSet::new());
    disk.clear();
    street.look();
    street.assert_no_complaints();
    drop(street);
    drop(disk);
}

/// A delivery agent writes into `tmp` first: what it could not finish is not mail.
#[test]
fn a_delivery_that_finds_no_room_is_not_half_a_message() {
    let mut street = Street::new();
    let disk = SmallDisk::under(&street);
    street.deliver(2);
    street.look();
    disk.fill_octets();
    disk.free(64 * 1024);
    let mail = Mail::new("too large", &[b'x'; 200_000], "\n");
    let tmp = street.lab.maildir(ALICE).path().join("tmp/1.half");
    let written = fs::write(&tmp, &mail.octets);
    assert!(written.is_err(), "the disk is not full");
    let half = fs::metadata(&tmp).expect("what was written").len();
    assert!(half > 0, "nothing was written, not even a part");
    let old = street.alive.len();
    old_mail_alone(&mut street, old);
    disk.clear();
    street.look();
    drop(street);
    drop(disk);
}

/// A disk that the kernel made read-only after an error, in the middle of a session.
#[test]
fn a_disk_that_becomes_read_only_serves_and_deletes_nothing() {
    let mut street = Street::new();
    let disk = SmallDisk::under(&street);
    street.deliver(4);
    street.look();
    let mut visitor = street.visit(Side::Subject);
    visitor.mark(1);
    visitor.mark(2);
    street.deliver(1);
    disk.read_only(true);
    visitor.fetch(0);
    let reply = visitor.client.ask("QUIT");
    assert!(reply.starts_with("-ERR"), "{reply}");
    let words = ["Read-only file system", "mount it writable"];
    street.subject.postern().told("deleting failed", &words);
    old_mail_alone(&mut street, 4);
    let words = ["Read-only file system"];
    street.subject.postern().told(WAITING, &words);
    disk.read_only(false);
    street.look();
    street.assert_no_complaints();
    drop(street);
    drop(disk);
}
