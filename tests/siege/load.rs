//! Mixed load for minutes or an hour: what the server takes must not grow.
//!
//! Guests of every kind come as quickly as a third of one processor core allows, the server and this
//! program together, so that other work goes on beside it. Some sessions stay all the time, and every
//! minute the configuration is read again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::guests::{Guest, NAMES, setup};
use crate::measure::{Gauge, Reading, processor};
use crate::probe::{Found, beside};
use crate::wire::client::Client;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::start;
use crate::{is_full, say};

/// The part of one core that the server and its guests take together.
const SHARE: f64 = 0.33;

/// Sessions that stay from the beginning to the end.
const RESIDENTS: usize = 50;

/// What may be there more in the last third than in the first twelfth, after one minute of warming up: memory
/// in KiB, and descriptors, of which each guest in the middle of a session has up to three.
const MEMORY: u64 = 1536;
const DESCRIPTORS: usize = 3 * (NAMES.len() + 1);

/// The most that the log takes for a session, in octets; each has a record of its login and one of
/// its end.
const LOG: usize = 1200;

/// A line of the table.
struct Sample {
    reading: Reading,
    sessions: usize,
    log: usize,
}

#[test]
fn an_hour_of_mixed_load_makes_nothing_grow() {
    let (minutes, minute) = length();
    let house = start(&setup().set("timeouts.authenticated", "\"10m\""));
    let residents: Vec<_> = (0..RESIDENTS).map(|_| house.session("paula")).collect();
    let over = AtomicBool::new(false);
    let sessions = AtomicUsize::new(0);
    let (samples, found) = thread::scope(|scope| {
        for number in 0..NAMES.len() {
            let (house, over, sessions) = (&house, &over, &sessions);
            scope.spawn(move || guest(house, number, over, sessions));
        }
        let gauge = Gauge::of(&house);
        let outcome = beside(&house, || {
            watch(&house, &gauge, &sessions, (minutes, minute), residents)
        });
        over.store(true, Ordering::Relaxed);
        outcome
    });
    print(&samples, &found);
    judge(&samples);
}

/// How many minutes, and how long one of them is: in short they are seconds.
fn length() -> (usize, Duration) {
    if !is_full() {
        return (6, Duration::from_millis(600));
    }
    let minutes = std::env::var("POSTERN_ENDURANCE_MINUTES").ok();
    // Two at least: the first one is not judged.
    let minutes = minutes.map_or(60, |minutes| minutes.parse().expect("a number of minutes"));
    (minutes.max(2), Duration::from_secs(60))
}

/// Comes again and again, and rests whenever the share is used up.
fn guest(house: &House, number: usize, over: &AtomicBool, sessions: &AtomicUsize) {
    let guest = Guest::new(house, number);
    let process = house.process.id().to_string();
    let used = || processor("self") + processor(&process);
    let (begun, before) = (Instant::now(), used());
    let mut turn = number;
    while !over.load(Ordering::Relaxed) {
        if (used() - before).as_secs_f64() > SHARE * begun.elapsed().as_secs_f64() {
            thread::sleep(Duration::from_millis(20));
            continue;
        }
        guest.come(turn);
        turn += 1;
        sessions.fetch_add(1, Ordering::Relaxed);
    }
}

/// Looks at the server once a minute and sends it a SIGHUP. The residents say something so that they
/// are not taken for gone.
fn watch(
    house: &House,
    gauge: &Gauge,
    sessions: &AtomicUsize,
    (minutes, minute): (usize, Duration),
    mut residents: Vec<Client>,
) -> Vec<Sample> {
    let mut log = 0;
    let look = |_| {
        thread::sleep(minute);
        for resident in &mut residents {
            assert!(
                resident.ask("NOOP").starts_with("+OK"),
                "a session was lost"
            );
        }
        // Taken out: the log of an hour would fill our own memory.
        let lines = std::mem::take(&mut *house.log.lock().expect("the log"));
        log += lines.iter().map(|line| line.len() + 1).sum::<usize>();
        let sample = Sample {
            reading: gauge.read(),
            sessions: sessions.load(Ordering::Relaxed),
            log,
        };
        house.signal(Signal::SIGHUP);
        sample
    };
    let samples = (0..minutes).map(look).collect();
    for resident in residents {
        Box::new(resident).hang_up(false);
    }
    samples
}

fn print(samples: &[Sample], found: &Found) {
    say("minute  memory KiB  descriptors  threads  processor s  sessions     log KiB");
    for (minute, sample) in (1..).zip(samples) {
        let Reading {
            memory,
            descriptors,
            threads,
            processor,
        } = sample.reading;
        say(&format!(
            "{minute:6}  {memory:10}  {descriptors:11}  {threads:7}  {:11.1}  {:8}  {:10}",
            processor.as_secs_f64(),
            sample.sessions,
            sample.log / 1024
        ));
    }
    say(&format!(
        "{} customers were served, the longest in {:?}",
        found.served, found.longest
    ));
}

fn judge(samples: &[Sample]) {
    // The first minute is left out: in it everything is used for the first time.
    let early = (samples.len() / 12).max(1);
    let late = (samples.len() / 3).max(1);
    let (first, last) = (&samples[1..=early], &samples[samples.len() - late..]);
    let highest = |part: &[Sample], of: fn(&Reading) -> u64| {
        part.iter()
            .map(|sample| of(&sample.reading))
            .max()
            .expect("a sample")
    };
    let [memory, later] = [first, last].map(|part| highest(part, |reading| reading.memory));
    assert!(
        later < memory + MEMORY,
        "memory grew from {memory} to {later} KiB"
    );
    let descriptors = |sample: &Sample| sample.reading.descriptors;
    let before = first.iter().map(descriptors).min().expect("a sample");
    let after = last.iter().map(descriptors).min().expect("a sample");
    assert!(
        after < before + DESCRIPTORS,
        "descriptors grew from {before} to {after}"
    );
    let threads = |sample: &Sample| sample.reading.threads;
    let (before, after) = (threads(&samples[0]), threads(&samples[samples.len() - 1]));
    // One more may be reading the configuration.
    assert!(after <= before + 1, "threads grew from {before} to {after}");
    let end = samples.last().expect("a sample");
    assert!(
        end.sessions > samples.len() * 10,
        "only {} sessions",
        end.sessions
    );
    assert!(
        end.log < (end.sessions + RESIDENTS) * LOG,
        "the log took {} octets",
        end.log
    );
}
