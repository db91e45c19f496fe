//! Dovecot serves the same Maildirs at the same time: both sides tell the same UIDs, for ever.
//!
//! Each step is a function of [`Street`], so that the tests below can take them in the order that
//! makes a point, and the last one in any order. What every step is held to is in the ledger: a UID
//! that was told once means one message for ever, and a new message gets a UID above all that were
//! told before (C0007, C0008).

#![cfg(test)]

mod lab;

use std::collections::BTreeMap;

use lab::Subject;
use lab::dovecot::Dovecot;
use lab::imap::Imap;
use lab::mail::Mail;
use lab::pop3::Client;
use lab::world::{ALICE, Lab};

/// Who opens the maildrop by POP3.
#[derive(Clone, Copy, Debug)]
enum Side {
    Subject,
    Neighbour,
}

use Side::{Neighbour, Subject as Ours};

/// Two servers, one Maildir, and what was ever said about it.
struct Street {
    subject: Subject,
    dovecot: Dovecot,
    lab: Lab,
    /// Every UID that either side ever told, and the message it stands for.
    told: BTreeMap<u32, Vec<u8>>,
    /// The messages that must be there, in wire form.
    alive: Vec<Vec<u8>>,
    /// How many messages were made.
    made: usize,
    /// UIDVALIDITY as first seen.
    validity: Option<u32>,
}

/// A POP3 session that is kept open, with what it saw at login.
struct Visitor {
    client: Client,
    /// Number, UID and octets of each message.
    seen: Vec<(u32, Vec<u8>)>,
    marked: Vec<usize>,
}

impl Street {
    fn new() -> Self {
        let lab = Lab::new();
        let subject = Subject::start(&lab);
        let dovecot = Dovecot::start(&lab, "neighbour", "");
        Self {
            subject,
            dovecot,
            lab,
            told: BTreeMap::new(),
            alive: Vec::new(),
            made: 0,
            validity: None,
        }
    }

    // ---- steps

    /// A delivery agent puts new messages into `new`.
    fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            let mail = self.make();
            self.lab.maildir(ALICE).deliver(&mail);
            self.alive.push(mail.wire());
        }
    }

    /// An IMAP client puts a message into the mailbox.
    fn append(&mut self) {
        let mail = self.make();
        self.imap().append(&mail);
        self.alive.push(mail.wire());
    }

    /// An IMAP client sets and clears flags, which renames the files.
    fn change_flags(&self, sign: &str, flags: &str) {
        self.imap().store("1:*", sign, flags);
    }

    /// An IMAP client deletes a message for good.
    fn expunge(&mut self, uid: u32) {
        self.imap().expunge(&uid.to_string());
        self.bury(uid);
    }

    /// A POP3 client of this side deletes the messages at these places (from 0).
    fn delete(&mut self, side: Side, places: &[usize]) {
        let mut visitor = self.visit(side);
        for place in places {
            visitor.mark(*place);
        }
        self.leave(visitor);
    }

    /// A POP3 session of this side, with its view checked against the ledger.
    fn visit(&mut self, side: Side) -> Visitor {
        let mut client = Client::connect(match side {
            Ours => self.subject.doors().plain,
            Neighbour => self.dovecot.doors.plain,
        });
        client.login(ALICE);
        let uids = client.uids();
        let mut seen = Vec::new();
        for (index, uid) in uids.iter().enumerate() {
            let octets = client.body(&format!("RETR {}", index + 1));
            seen.push((uid.parse().expect("a decimal UID"), octets));
        }
        self.enter(&seen, &format!("POP3 of {side:?}"));
        Visitor {
            client,
            seen,
            marked: Vec::new(),
        }
    }

    /// Ends a session; what it marked is gone.
    fn leave(&mut self, visitor: Visitor) {
        for place in &visitor.marked {
            self.bury(visitor.seen[*place].0);
        }
        visitor.client.quit();
    }

    /// Looks from all sides and compares with the ledger.
    fn look(&mut self) {
        for side in [Ours, Neighbour] {
            let visitor = self.visit(side);
            visitor.client.quit();
        }
        let mut imap = self.imap();
        let uids = imap.uids();
        let seen: Vec<_> = uids
            .iter()
            .map(|uid| (uid.parse().expect("a UID"), imap.fetch(uid)))
            .collect();
        self.enter(&seen, "IMAP");
        assert_eq!(
            imap.validity,
            *self.validity.get_or_insert(imap.validity),
            "UIDVALIDITY changed"
        );
    }

    /// Nothing in what Dovecot logged is worse than information.
    fn assert_no_complaints(&self) {
        assert_eq!(self.dovecot.complaints(), Vec::<String>::new());
    }

    // ---- the ledger

    fn make(&mut self) -> Mail {
        self.made += 1;
        let line_end = if self.made.is_multiple_of(4) {
            "\r\n"
        } else {
            "\n"
        };
        let body = format!(
            "message {n}{line_end}.{line_end}{text}{line_end}",
            n = self.made,
            text = "x".repeat(self.made)
        );
        Mail::new(&format!("message-{}", self.made), body.as_bytes(), line_end)
    }

    fn imap(&self) -> Imap {
        Imap::open(self.dovecot.imap, ALICE)
    }

    fn uids(&self) -> Vec<u32> {
        self.told
            .iter()
            .filter(|(_, octets)| self.alive.contains(octets))
            .map(|(uid, _)| *uid)
            .collect()
    }

    fn bury(&mut self, uid: u32) {
        let octets = self.told.get(&uid).expect("a UID that was told");
        self.alive.retain(|other| other != octets);
    }

    /// Takes down what a side told, and holds it to what was told before.
    fn enter(&mut self, seen: &[(u32, Vec<u8>)], who: &str) {
        assert!(
            seen.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "{who}: UIDs do not rise"
        );
        let highest = self.told.keys().next_back().copied().unwrap_or(0);
        for (uid, octets) in seen {
            match self.told.get(uid) {
                Some(before) => assert!(
                    before == octets,
                    "{who}: UID {uid} means another message now"
                ),
                None => assert!(
                    *uid > highest,
                    "{who}: new UID {uid} is not above {highest}"
                ),
            }
            self.told.insert(*uid, octets.clone());
        }
        let mut got: Vec<_> = seen.iter().map(|(_, octets)| octets.clone()).collect();
        let mut wanted = self.alive.clone();
        got.sort();
        wanted.sort();
        assert!(
            got == wanted,
            "{who}: {} messages instead of {}, or others",
            got.len(),
            wanted.len()
        );
    }
}

impl Visitor {
    fn mark(&mut self, place: usize) {
        self.client.ok(&format!("DELE {}", place + 1));
        self.marked.push(place);
    }

    /// Fetches a message of the snapshot again.
    fn fetch(&mut self, place: usize) {
        let octets = self.client.body(&format!("RETR {}", place + 1));
        assert!(
            octets == self.seen[place].1,
            "message {} is another one now",
            place + 1
        );
    }

    /// A message that somebody else deleted: refused, still numbered, and the others are unharmed.
    fn miss(&mut self, place: usize) {
        self.client.refused(&format!("RETR {}", place + 1));
        self.client.refused(&format!("TOP {} 0", place + 1));
    }
}

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

/// Ids that came from an Exchange server (C0009) are told by both sides, in the order of the UIDs.
#[test]
fn imported_ids_are_told_by_both_sides() {
    const IMPORTED: &str = "AAQAmwEAPjXmVbvtXAFRkFmH";
    let mut street = Street::new();
    street.deliver(3);
    let folder = street.lab.maildir(ALICE);
    let names: Vec<_> = folder.files().into_keys().collect();
    let index = format!(
        "3 V1700000000 N500 G0123456789abcdef0123456789abcdef\n101 :{}\n205 P{IMPORTED} :{}\n499 :{}\n",
        names[0], names[1], names[2]
    );
    let path = street
        .lab
        .write("mail/alice/Maildir/dovecot-uidlist", index);
    street.lab.give(&path);
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

/// Steps in any order, with up to three sessions kept open among them. The seed makes the order.
fn wander(seed: u64, steps: usize) {
    let mut street = Street::new();
    let mut dice = Dice(seed);
    let mut guests: Vec<Visitor> = Vec::new();
    street.deliver(3);
    street.look();
    for _ in 0..steps {
        match dice.throw(11) {
            0 => street.deliver(1 + dice.throw(3)),
            1 => street.append(),
            2 => street.change_flags("+", dice.pick::<&str>(&FLAGS)),
            3 => street.change_flags("-", dice.pick::<&str>(&FLAGS)),
            4 => expunge_any(&mut street, &mut dice),
            5 => delete_any(&mut street, &mut dice),
            6 if guests.len() < 3 => guests.push(street.visit(Ours)),
            7 => guests
                .iter_mut()
                .for_each(|guest| fetch_any(&street, guest, &mut dice)),
            8 => guests
                .iter_mut()
                .for_each(|guest| mark_any(guest, &mut dice)),
            9 if !guests.is_empty() => street.leave(guests.remove(0)),
            _ => street.look(),
        }
    }
    guests.into_iter().for_each(|guest| street.leave(guest));
    street.look();
    street.assert_no_complaints();
}

const FLAGS: [&str; 4] = ["\\Seen", "\\Flagged", "\\Answered \\Seen", "\\Draft"];

fn expunge_any(street: &mut Street, dice: &mut Dice) {
    let uids = street.uids();
    if !uids.is_empty() {
        street.expunge(*dice.pick(&uids));
    }
}

fn delete_any(street: &mut Street, dice: &mut Dice) {
    let side = *dice.pick(&[Ours, Neighbour]);
    let places: Vec<_> = (0..street.alive.len())
        .filter(|_| dice.throw(3) == 0)
        .collect();
    street.delete(side, &places);
}

fn fetch_any(street: &Street, guest: &mut Visitor, dice: &mut Dice) {
    let Some(place) = any_unmarked(guest, dice) else {
        return;
    };
    if street.alive.contains(&guest.seen[place].1) {
        guest.fetch(place);
    } else {
        guest.miss(place);
    }
}

fn mark_any(guest: &mut Visitor, dice: &mut Dice) {
    if let Some(place) = any_unmarked(guest, dice) {
        guest.mark(place);
    }
}

fn any_unmarked(guest: &Visitor, dice: &mut Dice) -> Option<usize> {
    let free: Vec<_> = (0..guest.seen.len())
        .filter(|place| !guest.marked.contains(place))
        .collect();
    (!free.is_empty()).then(|| *dice.pick(&free))
}

/// Marsaglia's xorshift: the same seed, the same walk.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    fn pick<'list, T>(&mut self, list: &'list [T]) -> &'list T {
        &list[self.throw(list.len())]
    }
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
