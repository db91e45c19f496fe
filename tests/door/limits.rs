//! Limits on connections, sessions and memory, and that what was taken is given back.

use std::io::Write;
use std::net::TcpStream;

use crate::wire::client::Client;
use crate::wire::clock::until;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, start};

/// The greeting that a new connection gets, or what it gets instead.
fn greeting(house: &House) -> (Client, String) {
    let mut client = Client::connect(house.clear).expect("connecting");
    let line = client.answer();
    (client, line)
}

fn is_turned_away(line: &str) -> bool {
    line.starts_with("-ERR") || line == "(closed)"
}

fn fill_up(setup: &Setup, places: usize) {
    let house = start(setup);
    let mut inside: Vec<_> = (0..places).map(|_| house.client()).collect();
    let (mut outside, line) = greeting(&house);
    assert!(is_turned_away(&line), "one too many was greeted: {line}");
    assert_eq!(outside.answer(), "(closed)");
    for client in &mut inside {
        assert!(
            client.ask("CAPA").starts_with("+OK"),
            "a session was harmed"
        );
        client.list();
    }
    Box::new(inside.pop().expect("a client")).hang_up(true);
    until("a free place", || {
        greeting(&house).1.starts_with("+OK").then_some(())
    });
}

#[test]
fn connections_in_total_are_limited() {
    fill_up(&Setup::new().set("limits.max_connections", "3"), 3);
}

#[test]
fn connections_of_one_source_are_limited() {
    fill_up(
        &Setup::new().set("limits.max_connections_per_source", "3"),
        3,
    );
}

#[test]
fn places_are_given_back_however_a_connection_ends() {
    let house = start(&Setup::new().set("limits.max_connections_per_source", "2"));
    let end = |number: usize, mut client: Client| match number % 5 {
        0 => Box::new(client).hang_up(true),
        1 => Box::new(client).hang_up(false),
        2 => assert!(client.ask("QUIT").starts_with("+OK")),
        3 => client.send(b"AUTH PLAIN\r\n").expect("sending"),
        _ => client.send(&[b'x'; 4096]).expect("sending"),
    };
    for number in 0..40 {
        let client = until("a free place", || {
            let (client, line) = greeting(&house);
            line.starts_with("+OK").then_some(client)
        });
        end(number, client);
    }
}

#[test]
fn handshakes_that_never_end_give_their_place_back() {
    let house = start(&Setup::new().set("limits.max_connections_per_source", "2"));
    for _ in 0..10 {
        let mut stream = until("a connection", || TcpStream::connect(house.implicit).ok());
        let _ = stream.write_all(b"\x16\x03\x01");
        drop(stream);
    }
    until("a free place", || {
        greeting(&house).1.starts_with("+OK").then_some(())
    });
}

#[test]
fn sessions_of_a_user_are_counted_whatever_the_mechanism_and_given_back() {
    let house = start(
        &Setup::new()
            .set("limits.max_connections_per_user", "2")
            .set("login.attempts", "100"),
    );
    let mut by_auth = house.client();
    let login = format!(
        "AUTH PLAIN {}",
        crate::wire::text::base64(b"\0alice\0correct horse")
    );
    assert!(by_auth.ask(&login).starts_with("+OK"));
    let by_pass = house.session("alice");
    let mut third = house.client();
    assert!(third.ask(&login).starts_with("-ERR [IN-USE]"));
    // Another name of the same account is the same user.
    assert!(third.ask("USER ALICE@example.test").starts_with("+OK"));
    assert!(third.ask("PASS correct horse").starts_with("-ERR [IN-USE]"));
    Box::new(by_pass).hang_up(true);
    until("a free session", || {
        third.ask(&login).starts_with("+OK").then_some(())
    });
    assert!(by_auth.ask("STAT").starts_with("+OK 2 "));
}

/// Resident memory of the server in KiB.
fn memory(house: &House) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", house.process.id()))
        .expect("its status");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

/// What one connection may take before the login, times what a test opens, is far below this.
const SLACK: u64 = 16 * 1024;

#[test]
fn a_line_without_an_end_takes_no_memory() {
    let house = start(&Setup::new());
    let before = memory(&house);
    for opening in [&b""[..], b"AUTH PLAIN\r\n"] {
        let mut client = house.client();
        client.send(opening).expect("sending");
        for _ in 0..64 {
            client.send(&[b'A'; 1 << 20]).expect("sending");
        }
    }
    let after = memory(&house);
    assert!(after < before + SLACK, "from {before} to {after} KiB");
}

#[test]
fn logins_that_are_given_up_leave_nothing_behind() {
    let house = start(&Setup::new().set("login.attempts", "100"));
    let give_up = |count: usize| {
        for _ in 0..count {
            let mut client = house.client();
            for _ in 0..10 {
                assert_eq!(client.ask("AUTH PLAIN"), "+ ");
                if !client.ask("*").starts_with("-ERR") {
                    break;
                }
            }
            client.send(b"AUTH PLAIN\r\n").expect("sending");
        }
    };
    give_up(20);
    let before = memory(&house);
    give_up(200);
    let after = memory(&house);
    assert!(after < before + SLACK, "from {before} to {after} KiB");
}
