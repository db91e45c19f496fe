//! Clocks that jump, and times that somebody set.
//!
//! The server's own clock is moved by libfaketime while it runs; what it decides by the times of files is
//! attacked with `touch`. No UID comes twice, no lock is waited for that nobody holds, and none is
//! broken that somebody holds.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::lab::Subject;
use crate::lab::pop3::Client;
use crate::lab::postern::Postern;
use crate::lab::street::{Side, Street};
use crate::lab::world::ALICE;
use crate::length::{dice, rounds};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// Far below the ten seconds that a session waits for a lock.
const AT_ONCE: Duration = Duration::from_secs(4);

/// The server with a clock that can be set while it runs.
struct Clocked {
    street: Street,
    file: PathBuf,
}

impl Clocked {
    fn new() -> Self {
        let mut street = Street::new();
        street.subject.daemon().stop();
        let file = street.lab.write("clock", "+0\n");
        let mut clocked = Self { street, file };
        clocked.restart();
        clocked
    }

    /// Starts the server under the clock; the file survives it.
    fn restart(&mut self) {
        self.street.subject.daemon().stop();
        let library = library();
        let file = self.file.to_str().expect("a plain path");
        let environment = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        let postern = Postern::start_in(&self.street.lab, "", &environment);
        self.street.subject = Subject::Postern(postern);
    }

    /// Moves the server's clock away from the true one.
    fn jump(&self, seconds: &str) {
        fs::write(&self.file, format!("{seconds}\n")).expect("the clock");
    }

    /// The year that the server believes to be in, by its log.
    fn assert_year(&mut self, year: &str) {
        self.street.deliver(1);
        let visitor = self.street.visit(Side::Subject);
        self.street.leave(visitor);
        let stamp = format!("\"timestamp\":\"{year}-");
        self.street.subject.postern().told("session", &[&stamp]);
    }
}

/// Where Debian puts it: in a folder with the name of the architecture.
fn library() -> String {
    let places = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut found = places
        .map(|place| place.path().join("faketime/libfaketimeMT.so.1"))
        .filter(|path| path.exists());
    let library = found
        .next()
        .expect("libfaketime is not installed: run script/bootstrap");
    library.to_str().expect("a plain path").to_owned()
}

#[test]
fn no_uid_comes_twice_whatever_the_clock_and_whatever_is_lost() {
    let mut clocked = Clocked::new();
    let mut dice = dice();
    clocked.street.deliver(3);
    clocked.street.look();
    let jumps = ["+20y", "-1d", "+0", "-20y", "+1h", "-56y", "+0"];
    for round in 0..rounds(jumps.len(), 10 * jumps.len()) {
        clocked.jump(jumps[round % jumps.len()]);
        match dice.throw(4) {
            0 => clocked.street.lose_index(),
            1 => clocked.restart(),
            _ => {}
        }
        clocked.street.deliver(1 + dice.throw(3));
        let mut visitor = clocked.street.visit(Side::Subject);
        let last = visitor.seen.len() - 1;
        visitor.mark(last);
        if dice.throw(2) == 0 {
            visitor.mark(0);
        }
        clocked.street.leave(visitor);
        clocked.street.deliver(1);
        clocked.street.look();
    }
    clocked.street.assert_no_complaints();
}

/// That the jumps of the other tests are real.
#[test]
fn the_clock_of_the_server_can_be_moved() {
    let mut clocked = Clocked::new();
    clocked.jump("@2040-06-01 00:00:00");
    clocked.assert_year("2040");
    clocked.jump("@2001-06-01 00:00:00");
    clocked.assert_year("2001");
}

/// Windows and delays go by a clock that does not jump.
#[test]
fn a_jump_ends_no_throttle_and_throws_nobody_out() {
    let clocked = Clocked::new();
    let door = clocked.street.subject.postern().doors.plain;
    let mut session = Client::connect(door);
    session.login(ALICE);
    let guess = || {
        let mut client = Client::connect(door);
        client.ok(&format!("USER {}", ALICE.name));
        client.refused("PASS wrong");
    };
    (0..10).for_each(|_| guess());
    for jump in ["+2d", "-2d", "+20y"] {
        clocked.jump(jump);
        session.ok("NOOP");
        let mut client = Client::connect(door);
        client.ok(&format!("USER {}", ALICE.name));
        client.refused(&format!("PASS {}", ALICE.password));
    }
    let words = ["\"reason\":\"throttled\""];
    clocked.street.subject.postern().told("login", &words);
    session.quit();
}

/// When a file was touched, by the file's own words.
fn touch(path: &Path, time: SystemTime) {
    let file = File::open(path).expect("a file to touch");
    let times = FileTimes::new().set_modified(time).set_accessed(time);
    file.set_times(times).expect("touch");
}

fn away(ahead: bool, seconds: u64) -> SystemTime {
    let (now, length) = (SystemTime::now(), Duration::from_secs(seconds));
    if ahead { now + length } else { now - length }
}

/// A lock as Dovecot makes one: an empty file.
fn lay_lock(street: &Street) -> PathBuf {
    let top = street.lab.maildir(ALICE);
    let lock = top.path().join("dovecot-uidlist.lock");
    fs::write(&lock, "").expect("a lock");
    street.lab.give(&lock);
    lock
}

#[test]
fn a_lock_of_another_time_is_nobodys() {
    let mut street = Street::new();
    for (ahead, seconds) in [
        (false, 200),
        (false, 30 * YEAR),
        (true, 200),
        (true, 2 * DAY),
        (true, 50 * YEAR),
    ] {
        street.deliver(1);
        let lock = lay_lock(&street);
        touch(&lock, away(ahead, seconds));
        let started = Instant::now();
        let visitor = street.visit(Side::Subject);
        street.leave(visitor);
        let waited = started.elapsed();
        assert!(waited < AT_ONCE, "{seconds} s, ahead: {ahead}: {waited:?}");
        assert!(!lock.exists(), "{seconds} s, ahead: {ahead}");
    }
    street.look();
}

/// The server believes that it is tomorrow, or yesterday; the lock is fresh by the file's own clock.
#[test]
fn a_fresh_lock_is_not_broken_because_our_clock_is_wrong() {
    let mut clocked = Clocked::new();
    for jump in ["+1d", "-1d", "+20y"] {
        clocked.jump(jump);
        clocked.street.deliver(1);
        let lock = lay_lock(&clocked.street);
        let door = clocked.street.subject.postern().doors.plain;
        let waiting = thread::spawn(move || {
            let mut client = Client::connect(door);
            client.login(ALICE);
            client.uids().len()
        });
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(600) {
            assert!(lock.exists(), "{jump}: a lock that is held was broken");
            assert!(!waiting.is_finished(), "{jump}: the lock was not heeded");
            thread::yield_now();
        }
        fs::remove_file(&lock).expect("letting go");
        let count = waiting.join().expect("the session");
        assert_eq!(count, clocked.street.alive.len(), "{jump}");
    }
    clocked.street.look();
}

/// Times of change cannot be set, and only they are believed.
#[test]
fn times_that_somebody_set_hide_no_change() {
    let mut street = Street::new();
    let mut dice = dice();
    street.deliver(3);
    street.look();
    let top = street.lab.maildir(ALICE).path().to_owned();
    let mut times = [HOUR, DAY, 40 * YEAR]
        .map(|length| away(false, length))
        .to_vec();
    times.push(away(true, DAY));
    for _ in 0..rounds(8, 150) {
        // All bears the same times before and after the change.
        let time = *dice.pick(&times);
        let set_back = || {
            for name in ["cur", "new", "dovecot-uidlist", ""] {
                touch(top.join(name).as_path(), time);
            }
        };
        for _ in 0..2 {
            set_back();
            let visitor = street.visit(Side::Subject);
            street.leave(visitor);
        }
        match dice.throw(3) {
            0 if street.alive.len() > 2 => street.expunge(street.uids()[1]),
            1 => street.change_flags(dice.pick::<&str>(&["+", "-"]), "\\Seen"),
            _ => street.deliver(1),
        }
        set_back();
        let visitor = street.visit(Side::Subject);
        street.leave(visitor);
    }
    street.look();
}
