//! Ten thousand AUTHs that come to nothing: cancelled, cut off in the middle, or answered with garbage.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::guests::setup;
use crate::measure::{Gauge, KEPT};
use crate::probe::beside;
use crate::wire::client::Client;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::start;
use crate::wire::text::base64;
use crate::{Dice, connect_from, say, size};

/// Those that can be begun in the clear.
const MECHANISMS: &str = r#"["PLAIN", "LOGIN", "SCRAM-SHA-256"]"#;

/// Attackers at the same time.
const ATTACKERS: usize = 4;

/// Exchanges on one connection.
const EXCHANGES: usize = 10;

/// Lines that stop before their end, and what there is of each, in octets: long enough to take a share
/// of what strangers' long lines may hold. In full there are eight hundred of them, which is more than
/// all of it, so that a share that is not given back is missed.
const LINES: usize = 4;
const LONG: usize = 90_000;

/// An attack with one mechanism; it says how many exchanges it began.
type Way = fn(&mut Attacker<'_>, &str) -> usize;

const WAYS: [Way; 5] = [cancel, cut_off, talk_nonsense, stop_in_a_line, do_not_wait];

struct Attacker<'a> {
    house: &'a House,
    source: Ipv4Addr,
    dice: Dice,
}

impl Attacker<'_> {
    fn client(&self) -> Client {
        let stream = connect_from(self.source, self.house.clear).expect("connecting");
        let mut client = Client::from_stream(stream).expect("a client");
        assert!(client.answer().starts_with("+OK"), "no greeting");
        client
    }
}

fn cancel(attacker: &mut Attacker<'_>, mechanism: &str) -> usize {
    let mut client = attacker.client();
    for _ in 0..EXCHANGES {
        assert!(client.ask(&format!("AUTH {mechanism}")).starts_with("+ "));
        assert!(client.ask("*").starts_with("-ERR"));
    }
    EXCHANGES
}

fn cut_off(attacker: &mut Attacker<'_>, mechanism: &str) -> usize {
    for reset in [false, true] {
        let mut client = attacker.client();
        assert!(client.ask(&format!("AUTH {mechanism}")).starts_with("+ "));
        Box::new(client).hang_up(reset);
    }
    2
}

/// Octets that are no base64, and base64 of what is no message of the mechanism.
fn talk_nonsense(attacker: &mut Attacker<'_>, mechanism: &str) -> usize {
    let mut client = attacker.client();
    for turn in 0..EXCHANGES {
        assert!(client.ask(&format!("AUTH {mechanism}")).starts_with("+ "));
        let octets = attacker.dice.octets(1 + turn * 20);
        let response = match turn % 2 {
            0 => format!("!{}", base64(&octets)),
            _ => base64(&octets),
        };
        // A mechanism may ask back before it refuses.
        let mut answer = client.ask(&response);
        if answer.starts_with("+ ") {
            answer = client.ask("*");
        }
        assert!(answer.starts_with("-ERR"), "nonsense got {answer}");
    }
    EXCHANGES
}

fn stop_in_a_line(attacker: &mut Attacker<'_>, mechanism: &str) -> usize {
    for _ in 0..LINES {
        let mut client = attacker.client();
        assert!(client.ask(&format!("AUTH {mechanism}")).starts_with("+ "));
        client.send(&[b'A'; LONG]).expect("sending");
    }
    LINES
}

/// Everything in one segment, and gone before the answers come.
fn do_not_wait(attacker: &mut Attacker<'_>, mechanism: &str) -> usize {
    let mut client = attacker.client();
    let lines = format!("AUTH {mechanism}\r\n*\r\n").repeat(EXCHANGES);
    client.send(lines.as_bytes()).expect("sending");
    Box::new(client).hang_up(true);
    EXCHANGES
}

/// The mechanisms that the server offers.
fn mechanisms(house: &House) -> Vec<String> {
    let mut client = house.client();
    assert!(client.ask("CAPA").starts_with("+OK"));
    let lines = client.list();
    let offer = lines.iter().find_map(|line| line.strip_prefix("SASL "));
    let names = offer.expect("mechanisms").split_whitespace();
    names.map(str::to_owned).collect()
}

fn attack(house: &House, mechanisms: &[String], exchanges: usize) {
    let begun = AtomicUsize::new(0);
    thread::scope(|scope| {
        for number in 0..ATTACKERS {
            let begun = &begun;
            scope.spawn(move || {
                let mut attacker = Attacker {
                    house,
                    source: Ipv4Addr::new(127, 0, 2, u8::try_from(number + 1).expect("few")),
                    dice: Dice::new(number),
                };
                for turn in 0.. {
                    let mechanism = &mechanisms[turn / WAYS.len() % mechanisms.len()];
                    let done = WAYS[turn % WAYS.len()](&mut attacker, mechanism);
                    if begun.fetch_add(done, Ordering::Relaxed) + done >= exchanges {
                        break;
                    }
                }
            });
        }
    });
}

#[test]
fn aborted_logins_leave_nothing_behind() {
    let house = start(&setup().set("login.mechanisms", MECHANISMS));
    let mechanisms = mechanisms(&house);
    let gauge = Gauge::of(&house);
    let fresh = gauge.read();
    // With the customer, whose first visits take memory too.
    beside(&house, || attack(&house, &mechanisms, size(400, 2_000)));
    let warm = gauge.settled(&fresh);
    let count = size(800, 10_000);
    // Each way has its tenth of the exchanges at least, however short it is.
    let ((), found) = beside(&house, || attack(&house, &mechanisms, count));
    let after = gauge.settled(&fresh);
    say(&format!(
        "{count} aborted logins by {mechanisms:?}: fresh {fresh:?}, warm {warm:?}, after {after:?}, {found:?}"
    ));
    after.assert_memory("aborted logins", &warm, KEPT);
    // What long lines held is free again: one more is heard to its end.
    let mut client = house.client();
    assert_eq!(client.ask("AUTH PLAIN"), "+ ");
    assert!(client.ask(&"A".repeat(LONG)).starts_with("-ERR"));
    assert!(
        client.ask("CAPA").starts_with("+OK"),
        "closed after a long line"
    );
}
