//! The timer before the login, in real time at its shortest setting; everything finer is tested
//! with a clock that stands still, inside the server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::wire::clock::timed;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, start};

/// The shortest that can be set, and what a busy machine may add.
const LIMIT: Duration = Duration::from_secs(10);
const LATE: Duration = Duration::from_secs(4);

/// What the server says in the end, having closed, to a client that sent this and went silent.
fn last_words(house: &House, sent: &str) -> String {
    let mut client = house.client();
    client.send(sent.as_bytes()).expect("sending");
    let mut last = String::new();
    loop {
        match client.answer() {
            end if end == "(closed)" => return last,
            line => last = line,
        }
    }
}

/// A client that begins a handshake and goes silent; what comes until the server closes.
fn stalled_handshake(house: &House) -> Vec<u8> {
    let mut stream = TcpStream::connect(house.implicit).expect("connecting");
    stream
        .set_read_timeout(Some(LIMIT + LATE))
        .expect("a time limit");
    stream.write_all(b"\x16\x03\x01").expect("sending");
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).expect("the end in time");
    octets
}

fn in_time(what: &str, time: Duration) {
    assert!(
        time + Duration::from_millis(200) > LIMIT && time < LIMIT + LATE,
        "{what}: after {time:?}"
    );
}

#[test]
fn a_client_that_falls_silent_before_the_login_is_told_and_closed() {
    let house = start(&Setup::new().set("timeouts.pre_authenticated", "\"10s\""));
    std::thread::scope(|scope| {
        // Silent from the start, in a name, inside an attempt, and in the middle of a line.
        for sent in [
            "",
            "USER alice\r\n",
            "AUTH PLAIN\r\n",
            "AUTH PLAIN\r\nAGFs",
            "CAP",
        ] {
            let house = &house;
            scope.spawn(move || {
                let (last, time) = timed(|| last_words(house, sent));
                assert!(last.starts_with("-ERR "), "{sent:?}: {last}");
                in_time(sent, time);
            });
        }
        scope.spawn(|| {
            let (octets, time) = timed(|| stalled_handshake(&house));
            assert!(!String::from_utf8_lossy(&octets).contains("+OK"));
            in_time("a handshake", time);
        });
    });
}
