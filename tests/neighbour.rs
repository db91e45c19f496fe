//! Dovecot serves the same Maildirs at the same time: both sides tell the same UIDs, for ever.
//!
//! Each step is a function of the lab's `Street`, whose ledger holds it to what was told before. The
//! tests below take the steps in the order that makes a point, and the last ones in any order.

#![cfg(test)]

mod lab;

use std::fs;
use std::path::PathBuf;

use lab::pop3::Client;
use lab::street::Side::{Neighbour, Subject as Ours};
use lab::street::{Street, wander};
use lab::world::ALICE;

#[test]
fn dovecot_opens_what_the_subject_indexed() {
    let mut street = Street::new();
    street.deliver(5);
    let visitor = street.visit(Ours);
    street.leave(visitor);
    street.look();
    street.assert_no_complaints();
}

#[test]
fn the_subject_opens_what_dovecot_indexed() {
    let mut street = Street::new();
    street.deliver(5);
    let visitor = street.visit(Neighbour);
    street.leave(visitor);
    street.look();
    street.assert_no_complaints();
}

#[test]
fn mail_added_by_either_side_keeps_its_uid() {
    let mut street = Street::new();
    for side in [Ours, Neighbour, Ours] {
        street.deliver(3);
        let visitor = street.visit(side);
        street.leave(visitor);
        street.look();
        street.append();
        street.look();
    }
    street.assert_no_complaints();
}

#[test]
fn the_uid_of_the_last_message_is_not_given_out_again() {
    let mut street = Street::new();
    for side in [Ours, Neighbour, Ours, Neighbour] {
        street.deliver(2);
        let visitor = street.visit(side);
        street.leave(visitor);
        let last = street.alive.len() - 1;
        street.delete(side, &[last]);
        street.deliver(1);
        street.look();
    }
    street.delete(Ours, &[0, 1, 2, 3, 4, 5, 6, 7]);
    street.look();
    street.deliver(1);
    street.look();
    street.assert_no_complaints();
}

#[test]
fn flags_changed_in_the_middle_do_no_harm() {
    let mut street = Street::new();
    street.deliver(4);
    let mut visitor = street.visit(Ours);
    street.change_flags("+", "\\Seen \\Flagged");
    for place in 0..4 {
        visitor.fetch(place);
    }
    street.change_flags("-", "\\Flagged");
    street.change_flags("+", "\\Answered");
    visitor.mark(1);
    visitor.mark(3);
    street.change_flags("-", "\\Seen \\Answered");
    street.leave(visitor);
    street.look();
    assert_eq!(street.alive.len(), 2);
    street.assert_no_complaints();
}

#[test]
fn what_is_expunged_in_the_middle_stays_numbered() {
    let mut street = Street::new();
    street.deliver(4);
    let mut visitor = street.visit(Ours);
    let stat = visitor.client.ok("STAT");
    let uids = street.uids();
    street.expunge(uids[1]);
    street.deliver(1);
    visitor.miss(1);
    visitor.fetch(0);
    visitor.fetch(2);
    visitor.fetch(3);
    assert_eq!(visitor.client.ok("STAT"), stat, "the snapshot has changed");
    assert_eq!(
        visitor.client.uids(),
        uids.iter().map(u32::to_string).collect::<Vec<_>>()
    );
    // One that is gone already counts as deleted, and the one behind it is not taken for it.
    visitor.mark(1);
    visitor.mark(2);
    street.leave(visitor);
    street.look();
    assert_eq!(street.alive.len(), 3);
    street.assert_no_complaints();
}

#[test]
fn a_restart_forgets_no_uid() {
    let mut street = Street::new();
    street.deliver(3);
    street.look();
    street.delete(Ours, &[2]);
    street.deliver(1);
    street.subject.restart(&street.lab);
    street.look();
    street.assert_no_complaints();
}

/// An index of three messages, of which each has one of these beginnings of a line.
fn index(street: &Street, lines: &[&str; 3]) -> PathBuf {
    let names = street.lab.maildir(ALICE).files().into_keys();
    let lines: String = lines
        .iter()
        .zip(names)
        .map(|(line, name)| format!("{line} :{name}\n"))
        .collect();
    let header = "3 V1700000000 N500 G0123456789abcdef0123456789abcdef\n";
    let place = "mail/alice/Maildir/dovecot-uidlist";
    let path = street.lab.write(place, format!("{header}{lines}"));
    street.lab.give(&path);
    path
}

/// Ids that came from an Exchange server (C0009) are told by both sides, in the order of the UIDs.
#[test]
fn imported_ids_are_told_by_both_sides() {
    const IMPORTED: &str = "AAQAmwEAPjXmVbvtXAFRkFmH";
    let mut street = Street::new();
    street.deliver(3);
    index(&street, &["101", &format!("205 P{IMPORTED}"), "499"]);
    let mut wanted = vec!["101", IMPORTED, "499"];
    for new in ["500", "501"] {
        for doors in [street.subject.doors(), street.dovecot.doors] {
            let mut client = Client::connect(doors.plain);
            client.login(ALICE);
            assert_eq!(client.uids(), wanted);
            client.quit();
        }
        street.deliver(1);
        wanted.push(new);
    }
    let mut imap = street.imap();
    assert_eq!((imap.validity, imap.uids().len()), (1_700_000_000, 5));
    street.assert_no_complaints();
}

/// Two messages with one imported id, as when two Maildirs became one: Dovecot tells it twice. Here
/// the second message has its number, and keeps it when the first is gone; Dovecot keeps what was
/// written beside the id, and goes on to tell what it told.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what stands in the index is looked at"
)]
fn an_id_that_was_imported_twice_is_told_once_and_stays() {
    const IMPORTED: &str = "AAQAmwEAPjXmVbvtXAFRkFmH";
    let mut street = Street::new();
    street.deliver(3);
    let imported = |uid| format!("{uid} P{IMPORTED}");
    let path = index(&street, &[&imported(101), "205", &imported(499)]);
    let told = |street: &Street, ours: &[&str], theirs: &[&str]| {
        for _ in 0..2 {
            let sides = [
                (street.subject.doors(), ours),
                (street.dovecot.doors, theirs),
            ];
            for (doors, wanted) in sides {
                let mut client = Client::connect(doors.plain);
                client.login(ALICE);
                assert_eq!(client.uids(), wanted);
                client.quit();
            }
        }
    };
    told(
        &street,
        &[IMPORTED, "205", "499"],
        &[IMPORTED, "205", IMPORTED],
    );
    street.imap().expunge("101");
    told(&street, &["205", "499"], &["205", IMPORTED]);
    // Enough comes and goes for Dovecot to write the index anew.
    for _ in 0..4 {
        street.imap().ok("UID COPY 205 INBOX");
        let last = street.imap().uids().pop().expect("a copy");
        street.imap().expunge(&last);
    }
    told(&street, &["205", "499"], &["205", IMPORTED]);
    let text = fs::read_to_string(&path).expect("the index");
    assert!(!text.contains("\n101 "), "Dovecot has tidied up: {text}");
    let second = text.lines().find(|line| line.starts_with("499 "));
    assert!(second.is_some_and(|line| line.contains(" XP ")), "{text}");
    street.assert_no_complaints();
}

#[test]
fn any_order_first() {
    wander(0x0001_9396, 60);
}

#[test]
fn any_order_second() {
    wander(0x5749_2449, 60);
}

#[test]
fn any_order_third() {
    wander(0xDEAD_0110_0995, 60);
}
