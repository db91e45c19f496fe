//! One octet a second: in a command, inside AUTH, in a handshake, in a record; and commands that never
//! come to a login.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::guests::setup;
use crate::halfopen::hello;
use crate::measure::Gauge;
use crate::probe::beside;
use crate::wire::client::Client;
use crate::wire::clock::timed;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::start;
use crate::{is_full, say};

/// The shortest timer that can be set, and what a busy machine may add.
const TIMER: Duration = Duration::from_secs(10);
const LATE: Duration = Duration::from_secs(5);

/// All lines before the login together have ten times the timer (`net/connection.rs`).
const LOGIN_WITHIN: u32 = 10;

/// How long a client goes on at most before the test gives up.
const ENOUGH: Duration = Duration::from_secs(150);

/// A connection whose opening is behind it; the answers to it were read.
fn opened(house: &House, opening: &str) -> TcpStream {
    let mut stream = TcpStream::connect(house.clear).expect("connecting");
    read_line(&mut stream);
    if !opening.is_empty() {
        stream.write_all(opening.as_bytes()).expect("sending");
        read_line(&mut stream);
    }
    stream
}

fn read_line(stream: &mut TcpStream) {
    let mut last = [0];
    while last != *b"\n" {
        stream.read_exact(&mut last).expect("an answer");
    }
}

/// Sends a piece every so often until the server ends it; how long that took. What the server says is
/// read and thrown away.
fn drip(
    mut stream: TcpStream,
    pieces: &mut dyn Iterator<Item = Vec<u8>>,
    pause: Duration,
) -> Duration {
    let begun = Instant::now();
    while begun.elapsed() < ENOUGH {
        let piece = pieces.next().expect("pieces without an end");
        if stream.write_all(&piece).is_err() {
            break;
        }
        stream.set_read_timeout(Some(pause)).expect("a time limit");
        let until_next = Instant::now() + pause;
        if has_ended(&mut stream, until_next) {
            break;
        }
    }
    begun.elapsed()
}

/// Whether the server ends the connection until then.
fn has_ended(stream: &mut TcpStream, then: Instant) -> bool {
    let mut memory = [0; 4096];
    loop {
        match stream.read(&mut memory) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return true,
        }
        if Instant::now() >= then {
            return false;
        }
    }
}

/// Sends commands without a pause and reads what comes, until the server ends it.
fn flood(mut stream: &TcpStream) {
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            let commands = b"CAPA\r\n".repeat(1000);
            let mut writer = stream;
            while begun.elapsed() < ENOUGH && writer.write_all(&commands).is_ok() {}
        });
        let mut memory = [0; 64 * 1024];
        while stream.read(&mut memory).is_ok_and(|octets| octets > 0) {}
    });
}

/// These octets one by one, and then an octet that ends nothing.
fn one_by_one(octets: Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    let rest = std::iter::repeat(b'A');
    octets.into_iter().chain(rest).map(|octet| vec![octet])
}

/// A socket on which TLS is spoken and a greeting was read; what comes next is not encrypted by anybody.
fn under_tls(house: &House) -> TcpStream {
    let stream = TcpStream::connect(house.implicit).expect("connecting");
    let twin = stream.try_clone().expect("the socket twice");
    let mut client = Client::from_stream(twin).expect("a client");
    client.start_tls().expect("a handshake");
    assert!(client.answer().starts_with("+OK"));
    stream
}

/// Where one octet a second is sent, and what was said before.
fn drips(house: &House) -> Vec<(&'static str, TcpStream, Vec<u8>)> {
    let implicit = TcpStream::connect(house.implicit).expect("connecting");
    vec![
        ("in a command", opened(house, ""), b"USER al".to_vec()),
        (
            "behind a name",
            opened(house, "USER alice\r\n"),
            b"PASS x".to_vec(),
        ),
        (
            "inside AUTH",
            opened(house, "AUTH PLAIN\r\n"),
            b"AGFs".to_vec(),
        ),
        ("in a handshake", implicit, hello()),
        (
            "in a record",
            under_tls(house),
            b"\x17\x03\x03\x40\x00".to_vec(),
        ),
        (
            "in a handshake after STLS",
            opened(house, "STLS\r\n"),
            hello(),
        ),
    ]
}

#[test]
fn one_octet_a_second_is_ended_by_the_timer() {
    let house = start(&setup().set("timeouts.pre_authenticated", "\"10s\""));
    let gauge = Gauge::of(&house);
    crate::probe::visit(&house);
    let before = gauge.read();
    let (times, found) = beside(&house, || {
        thread::scope(|scope| {
            let clients: Vec<_> = drips(&house)
                .into_iter()
                .map(|(what, stream, octets)| {
                    let second = Duration::from_secs(1);
                    let client = move || drip(stream, &mut one_by_one(octets), second);
                    (what, scope.spawn(client))
                })
                .collect();
            let end = |(what, client): (_, thread::ScopedJoinHandle<'_, Duration>)| {
                (what, client.join().expect("a client"))
            };
            clients.into_iter().map(end).collect::<Vec<_>>()
        })
    });
    say(&format!("one octet a second: {times:?}, {found:?}"));
    for (what, time) in times {
        assert!(time < TIMER + LATE, "{what}: {time:?}");
        assert!(
            time + Duration::from_secs(1) > TIMER,
            "{what}: ended early, after {time:?}"
        );
    }
    gauge.settled(&before);
}

/// In full only, since it takes ten times the shortest timer; `net/tests.rs` has the same with a clock
/// that jumps.
#[test]
fn commands_without_a_login_are_ended_by_the_deadline() {
    if !is_full() {
        return;
    }
    let house = start(&setup().set("timeouts.pre_authenticated", "\"10s\""));
    let gauge = Gauge::of(&house);
    let before = gauge.read();
    let ((now_and_then, without_a_pause), found) = beside(&house, || {
        thread::scope(|scope| {
            let [calm, restless] = [opened(&house, ""), opened(&house, "")];
            let calm = scope.spawn(move || {
                let mut pieces = std::iter::repeat(b"CAPA\r\n".to_vec());
                drip(calm, &mut pieces, Duration::from_secs(3))
            });
            let restless = scope.spawn(move || timed(|| flood(&restless)).1);
            let times = [calm, restless].map(|client| client.join().expect("a client"));
            (times[0], times[1])
        })
    });
    say(&format!(
        "commands without a login: every three seconds {now_and_then:?}, without a pause {without_a_pause:?}, {found:?}"
    ));
    for time in [now_and_then, without_a_pause] {
        assert!(time < TIMER * LOGIN_WITHIN + LATE, "ended after {time:?}");
        assert!(
            time + LATE > TIMER * LOGIN_WITHIN,
            "ended early, after {time:?}"
        );
    }
    gauge.settled(&before);
}
