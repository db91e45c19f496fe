//! Tickets of people who are in thousands of groups: up to 64 KiB, and many of them at once.
//!
//! No KDC here gives out such tickets, so they are forged with the service's own key
//! (`tests/clients/forge_ticket.py`); MIT's library makes the logins from them.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::lab::daemon::until;
use crate::lab::kerberos::Initiator;
use crate::lab::pop3::Client;
use crate::lab::world::ALICE;
use crate::scene::{RULES, Scene};

const KIB: usize = 1 << 10;

/// How many come at once.
const CROWD: u32 = 500;

/// What strangers may hold together before the login, in KiB: 72 for each connection, and 64 MiB for long
/// lines (`docs/endurance.md`).
const BOUND: usize = 72 * CROWD as usize + 64 * KIB;

/// What the third wave may take more than the first, in KiB.
const SLACK: usize = 16 * KIB;

#[test]
fn a_ticket_of_sixty_four_kibibytes_logs_in_with_the_command_and_after_it() {
    let scene = Scene::start();
    for pac in [40 * KIB, 48 * KIB, 62 * KIB] {
        scene.realm.forge("alice", pac);
        let token = scene.realm.token(&["pop@localhost"]);
        assert!((pac..65_536).contains(&token.len()), "{}", token.len());
        for initial in [false, true] {
            let mut client = Client::connect(scene.postern.doors.plain);
            let mut initiator = scene.realm.client(&["pop@localhost"]);
            let answer = if initial {
                client.ask(&format!("AUTH GSSAPI {}", initiator.says()))
            } else {
                assert_eq!(client.ask("AUTH GSSAPI"), "+ ");
                client.ask(&initiator.says())
            };
            initiator.hears(answer.strip_prefix("+ ").expect("the server's token"));
            let offer = client.ask(&initiator.says());
            initiator.hears(offer.strip_prefix("+ ").expect("the offer of layers"));
            client.ok(&initiator.says());
            client.ok("STAT");
        }
    }
}

/// Resident memory of the server that is not a file's, in KiB.
fn memory(scene: &Scene) -> usize {
    let path = format!("/proc/{}/status", scene.postern.daemon.pid());
    let status = std::fs::read_to_string(path).expect("the status of a process");
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.expect("RssAnon")
}

/// Sends the customer home, however the work ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does something while a customer comes and goes with a password, who must not notice.
fn beside<T>(scene: &Scene, work: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    let served = AtomicUsize::new(0);
    let visit = || {
        let mut client = Client::connect(scene.postern.doors.plain);
        client.login(ALICE);
        client.ok("STAT");
        client.quit();
        served.fetch_add(1, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                visit();
            }
        });
        let _guard = Over(&over);
        let done = work();
        let seen = served.load(Ordering::Relaxed);
        until("a customer to be served", || {
            (served.load(Ordering::Relaxed) > seen).then_some(())
        });
        done
    })
}

/// What somebody of the crowd comes from.
fn source(number: u32) -> Ipv4Addr {
    let [_, _, high, low] = number.to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// A client that says the first tokens of so many logins.
fn tokens(scene: &Scene, count: u32) -> Initiator {
    let first = count.to_string();
    scene.realm.client(&["pop@localhost", "--first", &first])
}

/// A server that lets so many connect.
fn scene(connections: u32) -> Scene {
    let limits = format!("{RULES}\n[limits]\nmax_connections = {connections}\n");
    let scene = Scene::start_with(&limits);
    scene.realm.forge("alice", 46 * KIB);
    assert!(scene.gssapi(&[]).starts_with("+OK"));
    scene
}

/// A crowd that sends all but the ends of its lines, and then the ends; all stay where they are then. The
/// most memory at each of the two.
fn wave(scene: &Scene) -> [usize; 2] {
    let mut initiator = tokens(scene, CROWD);
    let mut crowd: Vec<_> = (0..CROWD)
        .map(|number| {
            let mut client = Client::connect_from(source(number), scene.postern.doors.plain);
            client.send(format!("AUTH GSSAPI {}", initiator.says()).as_bytes());
            client
        })
        .collect();
    let lines = memory(scene);
    for client in &mut crowd {
        client.send(b"\r\n");
    }
    for client in &mut crowd {
        let answer = client.line();
        assert!(answer.starts_with("+ YI"), "{answer}");
    }
    [lines, memory(scene)]
}

#[expect(clippy::print_stdout, reason = "the figures are what the test is for")]
#[test]
fn a_crowd_with_large_tickets_takes_no_more_than_strangers_may() {
    let scene = scene(2 * CROWD);
    let before = memory(&scene);
    let waves = [0; 3].map(|_| beside(&scene, || wave(&scene)));
    println!("{CROWD} tickets: {before} KiB before, {waves:?} in three waves");
    for most in waves.as_flattened() {
        assert!(*most < before + BOUND, "{before} {waves:?}");
    }
    // What one wave took is there for the next: the allocator keeps it, and nothing is lost.
    let [first, last] = [waves[0][1], waves[2][1]];
    assert!(last < first + SLACK, "{before} {waves:?}");
}

/// Logins that were begun, and whose next line never comes. The library keeps their tickets, so they hold
/// their part of what long lines may take together.
#[expect(clippy::print_stdout, reason = "the figures are what the test is for")]
#[test]
fn logins_that_wait_with_large_tickets_hold_their_share() {
    const MORE: u32 = 1400;
    let scene = scene(2 * MORE);
    let before = memory(&scene);
    let (waiting, line) = beside(&scene, || {
        let mut initiator = tokens(&scene, MORE);
        let mut line = 0;
        let begun = (0..MORE).map(|number| {
            let command = format!("AUTH GSSAPI {}", initiator.says());
            line = command.len();
            let mut client = Client::connect_from(source(number), scene.postern.doors.plain);
            let answer = client.try_ask(&command);
            answer
                .is_some_and(|answer| answer.starts_with("+ "))
                .then_some(client)
        });
        let waiting: Vec<_> = begun.collect();
        (waiting, line)
    });
    let most = memory(&scene);
    let count = waiting.iter().flatten().count();
    println!("{count} logins of {MORE} wait, {before} KiB before, {most} then");
    // The first 4 KiB of each line are not counted, nor what comes with its end.
    let fit = 64 * KIB * KIB / (line - 4 * KIB);
    assert!(
        (fit..=fit + fit / 10).contains(&count),
        "{count}, not {fit}"
    );
    drop(waiting);
    until("their share to be given back", || {
        let mut client = Client::connect(scene.postern.doors.plain);
        let token = tokens(&scene, 1).says();
        let answer = client.try_ask(&format!("AUTH GSSAPI {token}"))?;
        answer.starts_with("+ ").then_some(())
    });
}
