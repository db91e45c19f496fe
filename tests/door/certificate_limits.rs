//! What strangers can make the server do and keep with certificates.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::SanType;
use rustls::{ClientConfig, ClientConnection};

use super::certificates::{VERSIONS, asking, asking_all, greeted, refuses};
use crate::wire::certificates::Authority;
use crate::wire::clock::until;
use crate::wire::house::House;
use crate::wire::tls;

/// Every path through certificates that all have one name would be tried, before login and on a
/// thread that others share: nine such certificates, 3 kB, took 0.3 s.
#[test]
fn a_long_chain_is_not_looked_at() {
    let authority = Authority::new("Clients");
    let house = asking(&authority, &[], &[]);
    let maze = Authority::new("Maze");
    let walls = || (0..100).map(|_| maze.intermediate("Maze").der());
    let lost = maze.issue("lost").with(walls());
    let why = "the client sent more than 6 certificates or 16 KiB";
    refuses(&house, &lost, "CN=lost", why);
    let large = authority.issue_with("large", |params| {
        let name = |number| format!("{number}.example.test").try_into().expect("a name");
        let names = (0..1000).map(|number| SanType::DnsName(name(number)));
        params.subject_alt_names.extend(names);
    });
    refuses(&house, &large, "CN=large", why);
}

/// The memory of a process, in octets.
fn resident(house: &House) -> usize {
    let path = format!("/proc/{}/status", house.process.id());
    let status = std::fs::read_to_string(path).expect("the state of the server");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .expect("a number")
        .parse::<usize>()
        .expect("a number")
        * 1024
}

/// A connection on which all but the end of a large certificate message was sent.
fn unfinished(house: &House, config: &Arc<ClientConfig>) -> TcpStream {
    let mut socket = TcpStream::connect(house.implicit).expect("connecting");
    let name = tls::NAME.try_into().expect("a name");
    let mut session = ClientConnection::new(config.clone(), name).expect("a client");
    session.write_tls(&mut socket).expect("sending");
    let mut flight = Vec::new();
    while flight.len() < 60_000 {
        while session.wants_write() {
            session.write_tls(&mut flight).expect("a flight");
        }
        if flight.len() < 60_000 {
            session.read_tls(&mut socket).expect("reading");
            session.process_new_packets().expect("a handshake");
        }
    }
    socket
        .write_all(&flight[..flight.len() - 500])
        .expect("sending");
    socket
}

/// What strangers can make the server keep with certificates: the library takes messages of the
/// handshake up to 64 KiB.
#[test]
fn a_certificate_that_never_ends_is_held_within_bounds() {
    const STRANGERS: usize = 200;
    let authority = Authority::new("Clients");
    let more = [("limits.max_connections_per_source", "1000")];
    let large = authority.issue_with("large", |params| {
        let name = |number| {
            format!("{number:04}.{}", "x".repeat(50))
                .try_into()
                .expect("a name")
        };
        let names = (0..1050).map(|number| SanType::DnsName(name(number)));
        params.subject_alt_names.extend(names);
    });
    for version in VERSIONS {
        let house = asking(&authority, &[], &more);
        let config = Arc::new(large.client(version));
        // Whoever is first makes the server take what it keeps anyhow.
        drop(unfinished(&house, &config));
        let before = resident(&house);
        let held: Vec<_> = (0..STRANGERS)
            .map(|_| unfinished(&house, &config))
            .collect();
        let each = || resident(&house).saturating_sub(before) / STRANGERS;
        until("all of it at the server", || {
            (each() > 48 * 1024).then_some(())
        });
        assert!(each() < 128 * 1024, "{} octets each", each());
        let other = house.tls_client().ask("CAPA");
        assert!(other.starts_with("+OK"), "others are served meanwhile");
        drop(held);
    }
}

/// The names of authorities go to every client, and the message has room for 64 KiB.
#[test]
fn many_authorities_do_not_break_the_handshake() {
    let long = |number| Authority::new(&format!("{number:03} {}", "x".repeat(200)));
    let many: Vec<_> = (0..400).map(long).collect();
    let file: String = many.iter().map(Authority::pem).collect();
    let house = asking_all(&file, &[], &[]);
    for version in VERSIONS {
        let shown = many[399].issue("alice");
        greeted(&house, Arc::new(shown.client(version))).expect("a greeting");
    }
}
