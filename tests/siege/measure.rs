//! What the server takes: memory, file descriptors, threads and processor time, as the kernel
//! counts them. The server is never asked.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use crate::wire::clock::until;
use crate::wire::house::House;

/// Ticks in a second, in which `/proc` counts processor time on every Linux machine.
const TICKS: u64 = 100;

/// A look at one process.
pub(crate) struct Gauge {
    process: u32,
    ports: [u16; 2],
}

/// What it had at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Resident memory that is not a file's, in KiB: pages of the program come and go as the kernel
    /// likes, and are not counted.
    pub(crate) memory: u64,
    /// Open file descriptors.
    pub(crate) descriptors: usize,
    /// Threads.
    pub(crate) threads: u64,
    /// Processor time so far, of user and system together.
    pub(crate) processor: Duration,
}

impl Gauge {
    pub(crate) fn of(house: &House) -> Self {
        Self {
            process: house.process.id(),
            ports: [house.clear.port(), house.implicit.port()],
        }
    }

    pub(crate) fn read(&self) -> Reading {
        Reading {
            memory: self.status("RssAnon:"),
            descriptors: self.descriptors(),
            threads: self.status("Threads:"),
            processor: self.processor(),
        }
    }

    /// Waits until the server has no more descriptors than at that moment, and reads again.
    pub(crate) fn settled(&self, before: &Reading) -> Reading {
        until("the descriptors to be given back", || {
            (self.descriptors() <= before.descriptors).then_some(())
        });
        self.read()
    }

    fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process)).expect("status");
        let line = status.lines().find(|line| line.starts_with(key));
        let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        number.unwrap_or_else(|| panic!("{key} in the status of the server"))
    }

    /// The server shields itself from other programs of its user, also from this one. Then its
    /// sockets are counted, which everybody may.
    fn descriptors(&self) -> usize {
        match fs::read_dir(format!("/proc/{}/fd", self.process)) {
            Ok(entries) => entries.count(),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => self.sockets(),
            Err(error) => panic!("the descriptors of the server: {error}"),
        }
    }

    /// Sockets at the server's ports that belong to a process: those have an inode.
    fn sockets(&self) -> usize {
        let table = fs::read_to_string("/proc/net/tcp").expect("the sockets of this machine");
        let ends = self.ports.map(|port| format!(":{port:04X}"));
        let ours = table.lines().filter(|line| {
            let mut fields = line.split_whitespace();
            let local = fields.nth(1).unwrap_or_default();
            ends.iter().any(|end| local.ends_with(end)) && fields.nth(7) != Some("0")
        });
        ours.count()
    }

    fn processor(&self) -> Duration {
        processor(&self.process.to_string())
    }
}

/// The processor time of a process; `self` is this one.
pub(crate) fn processor(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("stat");
    // The name of the program stands in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let sum: u64 = ticks
        .map(|ticks| ticks.parse::<u64>().expect("ticks"))
        .sum();
    Duration::from_millis(sum * 1000 / TICKS)
}

/// What the allocator may keep after an attack more than it kept after the warm-up, in KiB. A leak of
/// 105 octets is seen in ten thousand.
pub(crate) const KEPT: u64 = 1024;

impl Reading {
    /// Fails when there is more memory than there was, by more than this many KiB.
    pub(crate) fn assert_memory(&self, what: &str, before: &Self, kib: u64) {
        assert!(
            self.memory < before.memory + kib,
            "{what}: memory grew from {} to {} KiB, more than by {kib}",
            before.memory,
            self.memory
        );
    }
}
