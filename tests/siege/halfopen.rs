//! Thousands of TLS handshakes that were begun and never end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustls::ClientConnection;

use crate::guests::setup;
use crate::measure::{Gauge, Reading};
use crate::probe::beside;
use crate::wire::client::PATIENCE;
use crate::wire::clock::until_within;
use crate::wire::house::House;
use crate::wire::postern::start;
use crate::wire::tls;
use crate::{connect_from, say, size};

/// Connections that one address may have at the same time: `limits.max_connections_per_source`.
const PER_SOURCE: usize = 100;

/// What one of them may take, in KiB: as much of a ClientHello as the TLS library takes (64), and the
/// connection itself (8).
const PER_HANDSHAKE: u64 = 72;

/// What the allocator may keep besides, in KiB.
const BESIDES: u64 = 4096;

/// Lets this program have this many connections.
fn raise_descriptors(wanted: usize) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit of descriptors");
    assert!(
        hard > wanted as u64,
        "this needs {wanted} file descriptors and may have {hard}: raise it with `ulimit -Hn` as root"
    );
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("raising the limit of descriptors");
}

/// A ClientHello as a client sends it.
pub(crate) fn hello() -> Vec<u8> {
    let name = tls::NAME.try_into().expect("a name");
    let mut client =
        ClientConnection::new(Arc::new(tls::client_with(&[])), name).expect("a client");
    let mut octets = Vec::new();
    client.write_tls(&mut octets).expect("a hello");
    octets
}

/// Handshakes that are not finished: a header alone, half a hello, and most of a hello of 64 KiB, the
/// longest that the TLS library takes, in four records of the longest.
fn beginnings() -> [Vec<u8>; 3] {
    const RECORD: usize = 16 * 1024;
    let hello = hello();
    let mut long = b"\x01\x00\xff\xfb\x03\x03".to_vec();
    long.resize(4 * RECORD - 100, b'A');
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).expect("a record").to_be_bytes();
        [b"\x16\x03\x01", &length[..], part].concat()
    };
    [
        b"\x16\x03\x01".to_vec(),
        hello[..hello.len() / 2].to_vec(),
        long.chunks(RECORD).flat_map(record).collect(),
    ]
}

fn source(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(
        127,
        0,
        5,
        u8::try_from(number + 1).expect("at most 254 sources"),
    )
}

fn begin(house: &House, number: usize, beginnings: &[Vec<u8>]) -> TcpStream {
    let mut stream = connect_from(source(number / PER_SOURCE), house.implicit).expect("connecting");
    stream
        .write_all(&beginnings[number % beginnings.len()])
        .expect("sending");
    stream
}

/// Whether the server closes at once on somebody else from this address, long before its timer.
fn is_turned_away(house: &House, number: usize) -> bool {
    let mut stream = connect_from(source(number), house.implicit).expect("connecting");
    stream
        .set_read_timeout(Some(Duration::from_secs(4)))
        .expect("a time limit");
    match stream.read(&mut [0]) {
        Ok(octets) => octets == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Begins that many handshakes and waits until the server has given them up; what there was when all of
/// them were there.
fn wave(house: &House, gauge: &Gauge, (count, timer): (usize, Duration)) -> Reading {
    let beginnings = beginnings();
    let before = gauge.read();
    let held: Vec<_> = (0..count)
        .map(|number| begin(house, number, &beginnings))
        .collect();
    let all = until_within(timer, "all handshakes to be begun", || {
        let now = gauge.read();
        (now.descriptors >= before.descriptors + count).then_some(now)
    });
    for number in [0, count / PER_SOURCE - 1] {
        assert!(
            is_turned_away(house, number),
            "one more than an address may have"
        );
    }
    // The server ends them; this side never does. The customer has up to three descriptors.
    until_within(timer + PATIENCE, "the handshakes to be given up", || {
        (gauge.read().descriptors <= before.descriptors + 3).then_some(())
    });
    drop(held);
    all
}

#[test]
fn half_open_handshakes_are_bounded_and_end() {
    let count = size(300, 5_000);
    raise_descriptors(count + 200);
    // As long as the opening takes on a busy machine: all of them are to be there together.
    let timer = Duration::from_secs(size(10, 30) as u64);
    let house = start(
        &setup()
            .set("limits.max_connections", &(count + 200).to_string())
            .set("limits.max_connections_per_source", &PER_SOURCE.to_string())
            .set(
                "timeouts.pre_authenticated",
                &format!("\"{}s\"", timer.as_secs()),
            ),
    );
    let gauge = Gauge::of(&house);
    crate::probe::visit(&house);
    let before = gauge.read();
    let (all, found) = beside(&house, || {
        let waves = size(1, 2);
        let waves = (0..waves).map(|_| wave(&house, &gauge, (count, timer)));
        waves.collect::<Vec<_>>()
    });
    let after = gauge.settled(&before);
    say(&format!(
        "{count} half-open handshakes: before {before:?}, all {all:?}, after {after:?}, {found:?}"
    ));
    let bound = count as u64 * PER_HANDSHAKE + BESIDES;
    all[0].assert_memory("half-open handshakes", &before, bound);
    // What the first wave needed is used again.
    all[all.len() - 1].assert_memory("a second wave", &all[0], 1 + count as u64 * 4);
}
