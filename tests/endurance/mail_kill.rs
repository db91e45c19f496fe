//! kill -9 at any moment of UPDATE and of a change of the index.
//!
//! After each kill the server is started again: no message is lost but those whose deletion was
//! asked for, none is half there, every UID means what it meant, nothing waits for a dead process, and
//! nothing piles up. Dovecot, which never stops, sees the same.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use crate::lab::Subject;
use crate::lab::dice::Dice;
use crate::lab::pop3::Client;
use crate::lab::strace::Faults;
use crate::lab::street::{Side, Street};
use crate::lab::world::ALICE;
use crate::length::{dice, rounds};
use crate::mail_faults::{OPENING, UPDATE, places};

/// What may lie in the top folder once a session was opened: nothing is left of the lock.
const EXPECTED: [&str; 7] = [
    "cur",
    "dovecot-uidlist",
    "new",
    "postern-uidlist.draft",
    "postern-uidnext",
    "postern-uidnext.draft",
    "tmp",
];

/// A lock of a dead Postern is broken at once; this is far below every other wait.
const AT_ONCE: Duration = Duration::from_secs(4);

#[test]
fn a_kill_at_any_moment_loses_nothing_and_gives_no_uid_twice() {
    let mut street = Street::new();
    let mut dice = dice();
    street.deliver(20);
    street.look();
    let mut hits = Hits::default();
    for round in 0..rounds(10, 200) {
        street.deliver(1 + dice.throw(12));
        prepare(&mut street, &mut dice);
        let marked = if round % 2 == 0 {
            kill_in_update(&mut street, &mut dice)
        } else {
            kill_in_opening(&mut street, &mut dice);
            BTreeSet::new()
        };
        hits.count(&street, &marked);
        street.account_for(&marked);
        street.subject = Subject::start(&street.lab);
        // With something to write down, and without.
        street.deliver(dice.throw(2));
        assert_opens_at_once(&street);
        if round % 10 == 0 {
            street.look();
        } else {
            let visitor = street.visit(Side::Subject);
            street.leave(visitor);
        }
        assert_tidy(&street);
        thin_out(&mut street, &mut dice);
    }
    street.look();
    street.assert_no_complaints();
    hits.print();
}

/// The same at every call that the store makes, one after the other.
#[test]
fn a_kill_at_each_system_call_loses_nothing_and_gives_no_uid_twice() {
    let mut street = Street::new();
    let mut dice = dice();
    street.deliver(6);
    street.look();
    let mut moments = Vec::new();
    for (calls, update) in [(&OPENING[..], false), (&UPDATE[..], true)] {
        for call in calls {
            moments.extend((1..=4).map(|when| (call, when, update)));
        }
    }
    let wanted = rounds(8, moments.len());
    while moments.len() > wanted {
        moments.swap_remove(dice.throw(moments.len()));
    }
    for (call, when, update) in moments {
        street.deliver(1 + 10_usize.saturating_sub(street.alive.len()));
        prepare(&mut street, &mut dice);
        let kill = format!("{call}:signal=SIGKILL:when={when}");
        let marked = if update {
            update_until(&mut street, &kill)
        } else {
            open_until(&mut street, &kill);
            BTreeSet::new()
        };
        street.account_for(&marked);
        if !street.subject.daemon().runs() {
            street.subject = Subject::start(&street.lab);
        }
        street.deliver(dice.throw(2));
        assert_opens_at_once(&street);
        let visitor = street.visit(Side::Subject);
        street.leave(visitor);
        assert_tidy(&street);
    }
    street.look();
    street.assert_no_complaints();
}

fn open_until(street: &mut Street, kill: &str) {
    let mut client = Client::connect(street.subject.doors().plain);
    client.ok(&format!("USER {}", ALICE.name));
    let pid = street.subject.daemon().pid();
    let trouble = Faults::attach(&street.lab, pid, kill, &places(street));
    client.try_ask(&format!("PASS {}", ALICE.password));
    drop(trouble);
}

fn update_until(street: &mut Street, kill: &str) -> BTreeSet<Vec<u8>> {
    let mut visitor = street.visit(Side::Subject);
    for place in [0, 2, 3, 5] {
        visitor.mark(place);
    }
    let pid = street.subject.daemon().pid();
    let trouble = Faults::attach(&street.lab, pid, kill, &places(street));
    visitor.client.try_ask("QUIT");
    drop(trouble);
    let marked = visitor.marked.iter();
    marked.map(|at| visitor.seen[*at].1.clone()).collect()
}

/// Where the kills hit.
#[derive(Default)]
struct Hits {
    deletions: usize,
    lock: usize,
    draft: usize,
}

impl Hits {
    fn count(&mut self, street: &Street, marked: &BTreeSet<Vec<u8>>) {
        let left = street.on_disk();
        let gone = marked.iter().filter(|octets| !left.contains(*octets));
        self.deletions += usize::from((1..marked.len()).contains(&gone.count()));
        let top = street.lab.maildir(ALICE).path().to_owned();
        self.lock += usize::from(top.join("dovecot-uidlist.lock").exists());
        self.draft += usize::from(top.join("postern-uidlist.draft").exists());
    }

    #[expect(clippy::print_stderr, reason = "a long run tells how near it came")]
    fn print(&self) {
        eprintln!(
            "kills between two deletions: {}, under the lock: {}, in a rewrite: {}",
            self.deletions, self.lock, self.draft
        );
    }
}

/// Brings the next opening to another way of writing: append, rewrite, a new mark, and now and then
/// a mark that is missing.
fn prepare(street: &mut Street, dice: &mut Dice) {
    let maildir = street.lab.maildir(ALICE);
    match dice.throw(4) {
        0 => drop(fs::remove_file(maildir.path().join("postern-uidnext"))),
        1 => street.change_flags("+", "\\Seen"),
        2 => street.change_flags("-", "\\Seen"),
        _ => {}
    }
    if dice.throw(2) == 0 {
        street.tear_index();
    }
}

/// Marks some messages, says QUIT and kills the server at some moment after that. Gives the octets
/// of what was marked.
fn kill_in_update(street: &mut Street, dice: &mut Dice) -> BTreeSet<Vec<u8>> {
    let mut visitor = street.visit(Side::Subject);
    for place in 0..visitor.seen.len() {
        if dice.throw(2) == 0 {
            visitor.mark(place);
        }
    }
    let marked = visitor.marked.iter();
    let marked: BTreeSet<_> = marked.map(|at| visitor.seen[*at].1.clone()).collect();
    let maildir = street.lab.maildir(ALICE);
    let before = maildir.len();
    visitor.client.send(b"QUIT\r\n");
    spin_while(Duration::from_millis(2), || maildir.len() == before);
    pause_up_to(dice, Duration::from_micros(150));
    street.subject.daemon().kill();
    if visitor
        .client
        .try_line()
        .is_some_and(|line| line.starts_with("+OK"))
    {
        let left = street.on_disk();
        assert!(
            marked.iter().all(|octets| !left.contains(octets)),
            "a deletion that was confirmed has not happened"
        );
    }
    marked
}

/// Kills the server at some moment of the login, which moves new mail and writes the index.
fn kill_in_opening(street: &mut Street, dice: &mut Dice) {
    let mut client = Client::connect(street.subject.doors().plain);
    client.ok(&format!("USER {}", ALICE.name));
    client.send(format!("PASS {}\r\n", ALICE.password).as_bytes());
    // The hash of the password takes a while; the moments after it are the ones that matter.
    let maildir = street.lab.maildir(ALICE);
    let lock = maildir.path().join("dovecot-uidlist.lock");
    let new = maildir.path().join("new");
    let waits = || fs::read_dir(&new).is_ok_and(|mut names| names.next().is_some());
    spin_while(Duration::from_millis(500), || !lock.exists() && waits());
    pause_up_to(dice, Duration::from_micros(2000));
    street.subject.daemon().kill();
    // Whatever it said, it is judged by what the next session says.
    while client.try_line().is_some() {}
}

fn pause_up_to(dice: &mut Dice, longest: Duration) {
    let length = longest * u32::try_from(dice.throw(1000)).expect("below 1000") / 1000;
    spin_while(length, || true);
}

/// Spins, for a sleep is too coarse.
fn spin_while(longest: Duration, mut question: impl FnMut() -> bool) {
    let started = Instant::now();
    while started.elapsed() < longest && question() {
        std::hint::spin_loop();
    }
}

fn assert_opens_at_once(street: &Street) {
    let started = Instant::now();
    let mut client = Client::connect(street.subject.doors().plain);
    client.login(ALICE);
    client.quit();
    let waited = started.elapsed();
    assert!(
        waited < AT_ONCE,
        "a dead process held the lock for {waited:?}"
    );
}

fn assert_tidy(street: &Street) {
    let maildir = street.lab.maildir(ALICE);
    let names = fs::read_dir(maildir.path()).expect("the Maildir");
    for name in names.map(|entry| entry.expect("an entry").file_name()) {
        let name = name.to_str().expect("a plain name");
        let dovecots = name.starts_with("dovecot.") || name == "maildirfolder";
        assert!(
            EXPECTED.contains(&name) || dovecots,
            "{name} was left behind"
        );
    }
    let tmp = fs::read_dir(maildir.path().join("tmp")).expect("tmp");
    assert_eq!(tmp.count(), 0, "files were left behind in tmp");
}

/// Deletes until a good number is left, so that rounds stay short and dead entries make work.
fn thin_out(street: &mut Street, dice: &mut Dice) {
    while street.alive.len() > 40 {
        let places: Vec<_> = (0..street.alive.len())
            .filter(|_| dice.throw(2) == 0)
            .collect();
        street.delete(Side::Subject, &places);
    }
}
