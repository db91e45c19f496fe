//! A line that never ends: before the login, inside AUTH, after the login, under TLS; and many long
//! lines of many strangers at once.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use crate::guests::setup;
use crate::measure::Gauge;
use crate::probe::beside;
use crate::wire::client::PATIENCE;
use crate::wire::clock::until;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::start;
use crate::{connect_from, say, size};

const MIB: usize = 1 << 20;

/// What may be taken while four such lines come one after another, in KiB: `limits.max_sasl_line`
/// (96 KiB), twice while the line grows, and what the allocator keeps.
const BOUND: u64 = 4096;

/// What comes before the octets.
const OPENINGS: [&str; 3] = ["", "AUTH PLAIN\r\n", "USER alice\r\nPASS correct horse\r\n"];

/// Sends octets without a line end until the server ends it; how many it took, with those that the
/// sockets hold.
fn pour(house: &House, opening: &str, octets: usize, mut look: impl FnMut()) -> usize {
    let mut stream = TcpStream::connect(house.clear).expect("connecting");
    stream
        .set_write_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream.write_all(opening.as_bytes()).expect("sending");
    let block = vec![b'A'; MIB];
    for sent in 0..octets / MIB {
        if stream.write_all(&block).is_err() {
            return sent * MIB;
        }
        look();
    }
    octets
}

#[test]
fn a_line_without_an_end_is_ended_early() {
    let house = start(&setup());
    let gauge = Gauge::of(&house);
    let octets = size(16, 1024) * MIB;
    crate::probe::visit(&house);
    let before = gauge.read();
    let mut highest = before;
    let (taken, found) = beside(&house, || {
        OPENINGS.map(|opening| {
            let look = || {
                let now = gauge.read();
                if now.memory > highest.memory {
                    highest = now;
                }
            };
            pour(&house, opening, octets, look)
        })
    });
    say(&format!(
        "{octets} octets without an end: {taken:?} taken, before {before:?}, highest {highest:?}, {found:?}"
    ));
    for (opening, taken) in OPENINGS.iter().zip(taken) {
        assert!(taken < octets, "after {opening:?} all of it was taken");
    }
    highest.assert_memory("a line without an end", &before, BOUND);
    gauge.settled(&before);
}

#[test]
fn a_line_without_an_end_under_tls_is_told_and_closed() {
    let house = start(&setup());
    let gauge = Gauge::of(&house);
    crate::probe::visit(&house);
    let before = gauge.read();
    let mut client = house.tls_client();
    let block = vec![b'A'; MIB];
    for _ in 0..size(16, 256) {
        client.send(&block).expect("sending");
    }
    let after = gauge.read();
    say(&format!(
        "the same under TLS: before {before:?}, after {after:?}"
    ));
    after.assert_memory("a line without an end under TLS", &before, BOUND);
    drop(client);
    gauge.settled(&before);
}

/// What all long lines before the login may hold together (`net/places.rs`), in octets.
const SHARED: usize = 64 << 20;

/// The longest line of a stranger here: the longest that can be set.
const LONGEST: usize = MIB;

/// Strangers with a long line each, which would be twice what they may hold.
const STRANGERS: usize = 2 * SHARED / LONGEST;

#[test]
fn long_lines_of_strangers_share_a_fixed_amount() {
    let house = start(&setup().set("limits.max_sasl_line", "\"1MiB\""));
    let gauge = Gauge::of(&house);
    crate::probe::visit(&house);
    let before = gauge.read();
    let ((told, highest), found) = beside(&house, || {
        let mut strangers: Vec<_> = (0..STRANGERS)
            .filter_map(|number| stranger(&house, number).ok())
            .collect();
        // Those for whom there is no room are told; the rest of the lines is there then.
        let mut told = STRANGERS - strangers.len();
        until("the strangers who are too many to be told", || {
            let before = strangers.len();
            strangers.retain_mut(|stranger| !is_told(stranger));
            told += before - strangers.len();
            (told >= STRANGERS * 7 / 16).then_some(())
        });
        (told, gauge.read())
    });
    say(&format!(
        "{STRANGERS} long lines: {told} told, before {before:?}, highest {highest:?}, {found:?}"
    ));
    // The share, and what the allocator loses while the lines grow.
    let bound = u64::try_from(SHARED / 1024).expect("a number") * 5 / 4 + BOUND;
    highest.assert_memory("long lines of strangers", &before, bound);
    gauge.settled(&before);
}

/// Whether the server has said that it is over, or has closed.
fn is_told(stranger: &mut TcpStream) -> bool {
    let mut block = [0; 1024];
    match stranger.read(&mut block) {
        Ok(0) => true,
        Ok(octets) => block[..octets].windows(4).any(|word| word == b"-ERR"),
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// A stranger with all of a long line but its end. An error when the server closed in the middle.
fn stranger(house: &House, number: usize) -> std::io::Result<TcpStream> {
    let source = Ipv4Addr::new(127, 0, 4, u8::try_from(number % 200 + 1).expect("few"));
    let mut stream = connect_from(source, house.clear)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"AUTH PLAIN\r\n")?;
    stream.write_all(&vec![b'A'; LONGEST - 4096])?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
