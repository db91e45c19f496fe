//! Readers that never read: a message of 50 MB that nobody takes, lists that nobody takes, and what CAPA
//! tells strangers.

use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::guests::{letter, setup};
use crate::measure::{Gauge, Reading};
use crate::probe::beside;
use crate::wire::client::{Client, PATIENCE};
use crate::wire::clock::until_within;
use crate::wire::fixture;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::start;
use crate::{connect_from, is_full, say, size};

/// The message.
const OCTETS: usize = 50_000_000;

/// The shortest timer after the login, and the same before it.
const TIMER: Duration = Duration::from_secs(30);

/// What one of them may take, in KiB: a block of the message (16), what is gathered before it is
/// written (64 and a block, more while it grows), and under TLS as much again in records.
const PER_READER: u64 = 256;

/// What the allocator may keep besides, in KiB.
const BESIDES: u64 = 2048;

fn source(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 6, u8::try_from(number + 1).expect("few readers"))
}

/// Asks for the message, in the clear or under TLS.
fn ask_for_message(house: &House, number: usize) -> Client {
    let is_tls = number % 2 == 1;
    let to = if is_tls { house.implicit } else { house.clear };
    let stream = connect_from(source(number), to).expect("connecting");
    let mut client = Client::from_stream(stream).expect("a client");
    if is_tls {
        client.start_tls().expect("a handshake");
    }
    client.answer();
    client.ask("USER alice");
    assert!(client.ask("PASS correct horse").starts_with("+OK"));
    client.send(b"RETR 1\r\n").expect("sending");
    client
}

/// A login, or none, and what is asked for again and again.
const FLOODS: [(&str, &str); 2] = [
    ("USER dan\r\nPASS delegate dan\r\n", "LIST\r\nUIDL\r\n"),
    ("", "CAPA\r\n"),
];

/// Asks until no more goes out.
fn flood(house: &House, number: usize) -> TcpStream {
    let (opening, commands) = FLOODS[number % FLOODS.len()];
    let mut stream = connect_from(source(number), house.clear).expect("connecting");
    stream.write_all(opening.as_bytes()).expect("sending");
    stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .expect("a time limit");
    let commands = commands.repeat(10_000);
    loop {
        match stream.write(commands.as_bytes()) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return stream;
            }
            Err(error) => panic!("closed on a reader who does not read yet: {error}"),
        }
    }
}

/// The most memory of one second.
fn highest(gauge: &Gauge) -> Reading {
    let look = |_| {
        thread::sleep(Duration::from_millis(20));
        gauge.read()
    };
    let readings = (0..50).map(look);
    readings
        .max_by_key(|reading| reading.memory)
        .expect("a reading")
}

#[test]
fn readers_that_never_read_take_no_memory_and_end() {
    let house = start(
        &setup()
            .set("timeouts.authenticated", "\"30s\"")
            .set("timeouts.pre_authenticated", "\"30s\""),
    );
    fixture::deliver(&house.ground.maildir("alice"), &letter(OCTETS), 1);
    for number in 0..500 {
        fixture::deliver(&house.ground.maildir("dan"), &letter(200), number);
    }
    let gauge = Gauge::of(&house);
    crate::probe::visit(&house);
    let before = gauge.read();
    let each = size(4, 16);
    let (highest, found) = beside(&house, || {
        let messages: Vec<_> = (0..each)
            .map(|number| ask_for_message(&house, number))
            .collect();
        let floods = thread::scope(|scope| {
            let house = &house;
            let ask = |number| scope.spawn(move || flood(house, number));
            let readers: Vec<_> = (each..2 * each).map(ask).collect();
            let readers = readers
                .into_iter()
                .map(|reader| reader.join().expect("a reader"));
            readers.collect::<Vec<_>>()
        });
        let highest = highest(&gauge);
        if is_full() {
            // The server ends them; this side never does.
            until_within(TIMER + 4 * PATIENCE, "the readers to be given up", || {
                (gauge.read().descriptors <= before.descriptors + 3).then_some(())
            });
        }
        drop((messages, floods));
        highest
    });
    let after = gauge.settled(&before);
    let readers = 2 * each as u64;
    say(&format!(
        "{readers} readers: before {before:?}, highest {highest:?}, after {after:?}, {found:?}"
    ));
    highest.assert_memory(
        "readers that never read",
        &before,
        readers * PER_READER + BESIDES,
    );
}
