//! The door under siege: whoever does not log in, does not read, does not end, or comes again
//! twenty thousand times.
//!
//! Each attack has a file. It measures the process (memory, file descriptors, processor time), states
//! the bound, and lets a customer fetch mail all the while. As it stands an attack is short enough
//! for `script/test`; `POSTERN_ENDURANCE=full`, which `script/endurance` sets, gives it its full size.
//! The figures and what they are derived from stand in `docs/endurance.md`.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests use sockets, files, clocks and pauses"
)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "../wire/mod.rs"]
mod wire;

mod aborted;
mod certificates;
mod descriptors;
mod endless;
mod guests;
mod halfopen;
mod load;
mod measure;
mod names;
mod probe;
mod reader;
mod sessions;
mod signals;
mod slow;

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

/// The size of an attack: in full under `POSTERN_ENDURANCE=full`, otherwise in short.
fn size(short: usize, full: usize) -> usize {
    if is_full() { full } else { short }
}

fn is_full() -> bool {
    std::env::var_os("POSTERN_ENDURANCE").is_some_and(|size| size == "full")
}

/// What was measured; a run in full shows it.
#[expect(clippy::print_stdout, reason = "the figures are what the run is for")]
fn say(figures: &str) {
    println!("{figures}");
}

/// A connection that comes from this address: all of 127.0.0.0/8 is ours.
fn connect_from(source: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect(&to.into())?;
    Ok(socket.into())
}

/// Numbers that look random and follow from `POSTERN_SEED` and the number of their user.
struct Dice(u64);

impl Dice {
    fn new(number: usize) -> Self {
        let seed = std::env::var("POSTERN_SEED").ok();
        let seed: u64 = seed.map_or(1, |seed| seed.parse().expect("POSTERN_SEED is a number"));
        Self(seed.wrapping_mul(1000).wrapping_add(number as u64))
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    fn roll(&mut self, sides: usize) -> usize {
        usize::try_from(self.next() % sides as u64).expect("below a number of that size")
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
