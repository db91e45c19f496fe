//! Two servers on one Maildir, and a ledger of what they ever told about it.
//!
//! Each step is a function of [`Street`], so that tests can take them in any order. What every step is
//! held to is in the ledger: a UID that was told once means one message for ever, and a new message
//! gets a UID above all that were told before (C0007, C0008).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;

use super::Subject;
use super::dice::Dice;
use super::dovecot::Dovecot;
use super::imap::Imap;
use super::mail::{Mail, wire_form};
use super::pop3::Client;
use super::world::{ALICE, Lab};

/// Who opens the maildrop by POP3.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// The server under test.
    Subject,
    /// Dovecot.
    Neighbour,
}

use Side::{Neighbour, Subject as Ours};

/// Two servers, one Maildir, and what was ever said about it.
pub(crate) struct Street {
    pub(crate) subject: Subject,
    pub(crate) dovecot: Dovecot,
    pub(crate) lab: Lab,
    /// Every UID that either side ever told, and the message it stands for.
    pub(crate) told: BTreeMap<u32, Vec<u8>>,
    /// The messages that must be there, in wire form.
    pub(crate) alive: Vec<Vec<u8>>,
    /// How many messages were made.
    pub(crate) made: usize,
    /// UIDVALIDITY as first seen.
    pub(crate) validity: Option<u32>,
    /// UIDs below this one are of an index that was lost.
    pub(crate) index_from: u32,
}

/// A POP3 session that is kept open, with what it saw at login.
pub(crate) struct Visitor {
    pub(crate) client: Client,
    /// Number, UID and octets of each message.
    pub(crate) seen: Vec<(u32, Vec<u8>)>,
    pub(crate) marked: Vec<usize>,
}

impl Street {
    pub(crate) fn new() -> Self {
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
            index_from: 0,
        }
    }

    // ---- steps

    /// A delivery agent puts new messages into `new`.
    pub(crate) fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            let mail = self.make();
            self.lab.maildir(ALICE).deliver(&mail);
            self.alive.push(mail.wire());
        }
    }

    /// An IMAP client puts a message into the mailbox.
    pub(crate) fn append(&mut self) {
        let mail = self.make();
        self.imap().append(&mail);
        self.alive.push(mail.wire());
    }

    /// An IMAP client sets and clears flags, which renames the files.
    pub(crate) fn change_flags(&self, sign: &str, flags: &str) {
        self.imap().store("1:*", sign, flags);
    }

    /// An IMAP client deletes a message for good.
    pub(crate) fn expunge(&mut self, uid: u32) {
        self.imap().expunge(&uid.to_string());
        self.bury(uid);
    }

    /// A POP3 client of this side deletes the messages at these places (from 0).
    pub(crate) fn delete(&mut self, side: Side, places: &[usize]) {
        let mut visitor = self.visit(side);
        for place in places {
            visitor.mark(*place);
        }
        self.leave(visitor);
    }

    /// A POP3 session of this side, with its view checked against the ledger.
    pub(crate) fn visit(&mut self, side: Side) -> Visitor {
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
    pub(crate) fn leave(&mut self, visitor: Visitor) {
        for place in &visitor.marked {
            self.bury(visitor.seen[*place].0);
        }
        visitor.client.quit();
    }

    /// Looks from all sides and compares with the ledger.
    pub(crate) fn look(&mut self) {
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

    /// Nothing in what Dovecot logged is worse than information, but for the index that we lost.
    pub(crate) fn assert_no_complaints(&self) {
        let mut complaints = self.dovecot.complaints();
        complaints.retain(|line| self.index_from == 0 || !line.contains("UIDVALIDITY changed"));
        assert_eq!(complaints, Vec::<String>::new());
    }

    // ---- the ledger

    pub(crate) fn make(&mut self) -> Mail {
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

    pub(crate) fn imap(&self) -> Imap {
        Imap::open(self.dovecot.imap, ALICE)
    }

    pub(crate) fn uids(&self) -> Vec<u32> {
        self.told
            .range(self.index_from..)
            .filter(|(_, octets)| self.alive.contains(octets))
            .map(|(uid, _)| *uid)
            .collect()
    }

    pub(crate) fn bury(&mut self, uid: u32) {
        let octets = self.told.get(&uid).expect("a UID that was told");
        self.alive.retain(|other| other != octets);
    }

    /// What lies on the disk, in wire form, whatever any server says.
    pub(crate) fn on_disk(&self) -> BTreeSet<Vec<u8>> {
        let files = self.lab.maildir(ALICE).files();
        let read = |path| wire_form(&fs::read(path).expect("a message"));
        files.into_values().map(read).collect()
    }

    /// After trouble: every message that is to be there is there, whole, and each that somebody asked
    /// to delete is there whole or not at all.
    pub(crate) fn account_for(&mut self, marked: &BTreeSet<Vec<u8>>) {
        let left = self.on_disk();
        for octets in &self.alive {
            assert!(
                left.contains(octets) || marked.contains(octets),
                "a message is lost that nobody deleted"
            );
        }
        assert!(
            left.iter().all(|octets| self.alive.contains(octets)),
            "there is a message that nobody sent, or half of one"
        );
        self.alive.retain(|octets| left.contains(octets));
    }

    /// Takes down what a side told, holds it to what was told before, and misses nothing.
    pub(crate) fn enter(&mut self, seen: &[(u32, Vec<u8>)], who: &str) {
        self.note(seen, who);
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

    /// Takes down what a side told, and holds it to what was told before.
    pub(crate) fn note(&mut self, seen: &[(u32, Vec<u8>)], who: &str) {
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
                None => {
                    assert!(
                        *uid > highest,
                        "{who}: new UID {uid} is not above {highest}"
                    );
                    let mut known = self.told.range(self.index_from..);
                    assert!(
                        known.all(|(_, other)| other != octets),
                        "{who}: a message that had a UID has {uid} now"
                    );
                }
            }
            self.told.insert(*uid, octets.clone());
        }
    }

    /// The last line of the index is torn, as by a crash: the next change writes all of it anew.
    pub(crate) fn tear_index(&self) {
        let index = self.lab.maildir(ALICE).path().join("dovecot-uidlist");
        let mut file = fs::File::options()
            .append(true)
            .open(index)
            .expect("an index");
        file.write_all(b"torn").expect("writing");
    }

    /// The index is lost: messages may get new UIDs, and no old UID may come back.
    pub(crate) fn lose_index(&mut self) {
        let index = self.lab.maildir(ALICE).path().join("dovecot-uidlist");
        fs::remove_file(index).expect("an index");
        self.validity = None;
        self.index_from = self.told.keys().next_back().map_or(0, |last| last + 1);
    }
}

impl Visitor {
    pub(crate) fn mark(&mut self, place: usize) {
        self.client.ok(&format!("DELE {}", place + 1));
        self.marked.push(place);
    }

    /// Fetches a message of the snapshot again.
    pub(crate) fn fetch(&mut self, place: usize) {
        let octets = self.client.body(&format!("RETR {}", place + 1));
        assert!(
            octets == self.seen[place].1,
            "message {} is another one now",
            place + 1
        );
    }

    /// A message that somebody else deleted: refused, still numbered, and the others are unharmed.
    pub(crate) fn miss(&mut self, place: usize) {
        self.client.refused(&format!("RETR {}", place + 1));
        self.client.refused(&format!("TOP {} 0", place + 1));
    }
}

/// Steps in any order, with up to three sessions kept open among them. The seed makes the order.
pub(crate) fn wander(seed: u64, steps: usize) {
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
