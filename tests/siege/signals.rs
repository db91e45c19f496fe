//! SIGHUP and SIGTERM while clients are in every state: nothing is lost, and the end comes in time.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::guests::{letter, setup};
use crate::wire::client::{Client, PATIENCE};
use crate::wire::clock::{timed, until, until_within, within};
use crate::wire::fixture;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::start;
use crate::wire::text::base64;
use crate::{Dice, say, size};

/// How long sessions may go on after SIGTERM here, and how long the server takes for last words
/// (`serve/life.rs`).
const DRAIN: Duration = Duration::from_secs(4);
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a busy machine may add.
const LATE: Duration = Duration::from_secs(8);

/// A message that is longer than what the sockets of a connection hold.
const LONG: usize = 20_000_000;

/// Messages that are removed by one QUIT.
const MANY: usize = 300;

/// Clients in every state.
struct Clients {
    greeted: Client,
    named: Client,
    authenticating: Client,
    in_a_line: Client,
    after_stls: Client,
    marked: Client,
    retrieving: Client,
    idle: Client,
    updating: Client,
}

fn fill(house: &House) {
    let ground = &house.ground;
    fixture::deliver(&ground.maildir("administrator"), &letter(LONG), 1);
    fixture::deliver(&ground.maildir("alice"), &letter(300), 1);
    fill_with_many(house);
}

fn fill_with_many(house: &House) {
    for number in 0..MANY {
        fixture::deliver(&house.ground.maildir("dan"), &letter(300), number);
    }
}

impl Clients {
    fn come(house: &House) -> Self {
        let mut clients = Self {
            greeted: house.client(),
            named: house.client(),
            authenticating: house.client(),
            in_a_line: house.client(),
            after_stls: house.client(),
            marked: house.session("alice"),
            retrieving: house.session("administrator"),
            idle: house.session("paula"),
            updating: house.session("dan"),
        };
        assert!(clients.named.ask("USER paula").starts_with("+OK"));
        assert_eq!(clients.authenticating.ask("AUTH PLAIN"), "+ ");
        clients.in_a_line.send(b"CAP").expect("sending");
        assert!(clients.after_stls.ask("STLS").starts_with("+OK"));
        assert!(clients.marked.ask("DELE 1").starts_with("+OK"));
        assert!(clients.retrieving.ask("RETR 1").starts_with("+OK"));
        assert!(clients.idle.ask("DELE 1").starts_with("+OK"));
        mark_all(&mut clients.updating);
        clients
    }
}

/// DELE for all of many messages, in one segment.
fn mark_all(client: &mut Client) {
    let lines: String = (1..=MANY)
        .map(|number| format!("DELE {number}\r\n"))
        .collect();
    client.send(lines.as_bytes()).expect("sending");
    for _ in 0..MANY {
        assert!(client.answer().starts_with("+OK"));
    }
}

fn is_whole(client: &mut Client) {
    let mut wanted = Vec::with_capacity(LONG + LONG / 32);
    for line in letter(LONG).split_inclusive(|octet| *octet == b'\n') {
        wanted.extend_from_slice(&line[..line.len() - 1]);
        wanted.extend_from_slice(b"\r\n");
    }
    wanted.extend_from_slice(b".\r\n");
    assert!(
        client.message() == wanted,
        "half a message, or a wrong octet"
    );
}

fn messages(house: &House, user: &str) -> usize {
    let folder = house.ground.maildir(user);
    let count = |part| {
        std::fs::read_dir(folder.join(part))
            .expect("a folder")
            .count()
    };
    count("cur") + count("new")
}

#[test]
fn sighup_disturbs_nobody_in_any_state() {
    let house = start(&setup());
    fill(&house);
    let mut clients = Clients::come(&house);
    clients.updating.send(b"QUIT\r\n").expect("sending");
    let mut shaking = Client::connect(house.implicit).expect("connecting");
    let mut reload = || {
        house.signal(Signal::SIGHUP);
        house.logged(&["reloaded"]);
    };
    shaking.start_tls_pausing(&mut reload).expect("a handshake");
    assert!(shaking.answer().starts_with("+OK"));
    assert!(clients.updating.answer().starts_with("+OK"));
    assert_eq!(messages(&house, "dan"), 0, "a removed message is there");
    assert!(clients.greeted.ask("CAPA").starts_with("+OK"));
    assert!(clients.named.ask("PASS two of us").starts_with("+OK"));
    let login = base64(b"\0paula\0two of us");
    assert!(clients.authenticating.ask(&login).starts_with("+OK"));
    assert!(clients.in_a_line.ask("A").starts_with("+OK"));
    clients.after_stls.start_tls().expect("a handshake");
    assert!(clients.after_stls.ask("USER paula").starts_with("+OK"));
    assert!(clients.after_stls.ask("PASS two of us").starts_with("+OK"));
    assert!(clients.marked.ask("QUIT").starts_with("+OK"));
    assert_eq!(messages(&house, "alice"), 0);
    is_whole(&mut clients.retrieving);
    assert!(clients.retrieving.ask("QUIT").starts_with("+OK"));
    assert!(clients.idle.ask("STAT").starts_with("+OK 1 "));
}

#[test]
fn sigterm_ends_strangers_at_once_and_lets_sessions_finish() {
    let mut house = start(&setup().set("timeouts.drain", "\"4s\""));
    fill(&house);
    let mut clients = Clients::come(&house);
    let mut shaking = Client::connect(house.implicit).expect("connecting");
    clients.updating.send(b"QUIT\r\n").expect("sending");
    let house_cell = std::cell::RefCell::new(&mut house);
    let (handshake, time) = timed(|| {
        shaking.start_tls_pausing(&mut || {
            let house = house_cell.borrow();
            house.signal(Signal::SIGTERM);
            until("a closed door", || Client::connect(house.clear).err());
        })
    });
    assert!(
        handshake.is_err(),
        "a handshake was finished after the end had begun"
    );
    assert!(time < LATE);
    let house = house_cell.into_inner();
    assert!(clients.updating.answer().starts_with("+OK"));
    assert_eq!(messages(house, "dan"), 0, "a removed message is there");
    for stranger in [
        &mut clients.greeted,
        &mut clients.named,
        &mut clients.authenticating,
        &mut clients.in_a_line,
    ] {
        let last = stranger.answer();
        assert!(last.starts_with("-ERR"), "a stranger was told {last}");
        assert_eq!(stranger.answer(), "(closed)");
    }
    assert!(clients.after_stls.start_tls().is_err());
    assert!(clients.marked.ask("QUIT").starts_with("+OK"));
    is_whole(&mut clients.retrieving);
    assert!(clients.retrieving.ask("QUIT").starts_with("+OK"));
    // Marked, but not confirmed by QUIT: told when its time is up, and nothing is removed.
    assert!(clients.idle.answer().starts_with("-ERR"));
    let ended = until_within(DRAIN + LAST_WORDS + LATE, "the end", || {
        house.process.try_wait().expect("the state of the server")
    });
    assert!(ended.success());
    let left = ["alice", "administrator", "paula"].map(|user| messages(house, user));
    assert_eq!(left, [0, 1, 2]);
}

#[test]
fn a_reader_that_never_reads_does_not_hold_the_end_up() {
    let mut house = start(&setup().set("timeouts.drain", "\"1s\""));
    fill(&house);
    let mut reader = house.session("administrator");
    reader.send(b"RETR 1\r\n").expect("sending");
    let mut lists = house.session("dan");
    lists.send(&b"LIST\r\n".repeat(2000)).expect("sending");
    assert!(house.session("paula").ask("QUIT").starts_with("+OK"));
    let (ended, time) = timed(|| {
        house.signal(Signal::SIGTERM);
        within(|| house.process.try_wait().expect("the state of the server"))
    });
    say(&format!(
        "readers that never read were cut off after {time:?}"
    ));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    assert!(
        time < Duration::from_secs(1) + LAST_WORDS + LATE,
        "{time:?}"
    );
}

/// A stop somewhere in the middle of UPDATE; every other time a second one, which means "now".
#[test]
fn a_stop_in_the_middle_of_update_loses_nothing() {
    let mut dice = Dice::new(0);
    let mut seen = [0; 2];
    for round in 0..size(2, 40) {
        let mut house = start(&setup());
        fill_with_many(&house);
        let mut client = house.session("dan");
        mark_all(&mut client);
        client.send(b"QUIT\r\n").expect("sending");
        std::thread::sleep(Duration::from_micros(dice.roll(20_000) as u64));
        house.signal(Signal::SIGTERM);
        if round % 2 == 1 {
            house.signal(Signal::SIGTERM);
        }
        let is_ok = client.answer().starts_with("+OK");
        let ended = until_within(PATIENCE + LAST_WORDS, "the end", || {
            house.process.try_wait().expect("the state of the server")
        });
        assert!(ended.success());
        let left = messages(&house, "dan");
        assert!(
            is_ok,
            "round {round}: no answer to QUIT, {left} messages left"
        );
        assert_eq!(left, 0, "round {round}: +OK was said");
        seen[round % 2] += 1;
    }
    say(&format!(
        "stops in the middle of UPDATE: {} single, {} double",
        seen[0], seen[1]
    ));
}
