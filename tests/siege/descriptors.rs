//! File descriptors run out: the server waits without spinning, and goes on when there are some.

use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};

use crate::guests::setup;
use crate::measure::Gauge;
use crate::probe::visit;
use crate::wire::client::Client;
use crate::wire::clock::until;
use crate::wire::house::House;
use crate::wire::postern::start;
use crate::{connect_from, say, size};

/// Lowers the limit of a server that runs, as its own user: nobody else may, unless he is root with
/// every capability.
fn limit(house: &House, descriptors: usize, is_hard: bool) {
    let process = house.process.id().to_string();
    let hard = if is_hard {
        descriptors.to_string()
    } else {
        String::new()
    };
    let mut command = Command::new("prlimit");
    command
        .args(["--pid", &process])
        .arg(format!("--nofile={descriptors}:{hard}"));
    if Uid::effective().is_root() {
        let nobody = User::from_name("nobody").expect("users").expect("nobody");
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    let output = command.output().expect("prlimit, of util-linux");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn stranger(house: &House, number: usize) -> Client {
    let source = Ipv4Addr::new(127, 0, 7, u8::try_from(number + 1).expect("few strangers"));
    Client::from_stream(connect_from(source, house.clear).expect("connecting")).expect("a client")
}

/// Free descriptors before the strangers come, and strangers.
const FREE: usize = 10;
const STRANGERS: usize = 30;

#[test]
fn without_descriptors_the_server_waits_and_recovers() {
    let house = start(&setup());
    visit(&house);
    let mut resident = house.session("paula");
    let gauge = Gauge::of(&house);
    let before = gauge.read();
    limit(&house, before.descriptors + FREE, false);
    let strangers: Vec<_> = (0..STRANGERS)
        .map(|number| stranger(&house, number))
        .collect();
    house.logged(&["accept failed"]);
    // Spinning would take a core for each thread that accepts.
    let window = Duration::from_secs(size(2, 30) as u64);
    let began = gauge.read().processor;
    thread::sleep(window);
    let spent = gauge.read().processor - began;
    assert!(
        resident.ask("NOOP").starts_with("+OK"),
        "a session was harmed"
    );
    drop(strangers);
    until("the descriptors to be given back", || {
        (gauge.read().descriptors <= before.descriptors).then_some(())
    });
    // The limit stays as low, and is enough for one; but where sockets were counted in the place of
    // descriptors it is too low even for that.
    if !Uid::effective().is_root() {
        limit(&house, 200, false);
    }
    visit(&house);
    let log = house.log.lock().expect("the log");
    let records = log
        .iter()
        .filter(|line| line.contains("accept failed"))
        .count();
    say(&format!(
        "{spent:?} of processor time in {window:?} without descriptors, {records} records"
    ));
    assert!(spent < window / 10, "{spent:?} in {window:?}");
    assert!(records <= 8, "{records} records in the log");
}

/// Places for connections, at three descriptors each, that the next limit leaves.
const PLACES: usize = 12;

#[test]
fn who_is_let_in_can_open_his_mail() {
    let house = start(&setup());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    // As `serve/descriptors.rs` counts; it counts anew on a reload.
    limit(&house, 64 + 32 * cores + 3 * PLACES, true);
    house.signal(Signal::SIGHUP);
    house.logged(&["reloaded"]);
    let mut customers: Vec<_> = (0..PLACES / 2).map(|_| house.session("paula")).collect();
    let strangers: Vec<_> = (0..100)
        .map(|number| {
            let mut stranger = stranger(&house, number);
            let greeting = stranger.answer();
            (greeting.starts_with("+OK"), stranger)
        })
        .collect();
    let let_in = strangers.iter().filter(|(let_in, _)| *let_in).count();
    for customer in &mut customers {
        assert!(
            customer.ask("RETR 1").starts_with("+OK"),
            "no descriptor for a message"
        );
        customer.list();
    }
    say(&format!(
        "{let_in} strangers were let in beside {} customers",
        customers.len()
    ));
    assert_eq!(let_in, PLACES - customers.len());
    drop((strangers, customers));
    until("a free place", || {
        let mut client = stranger(&house, 0);
        client.answer().starts_with("+OK").then_some(())
    });
}
