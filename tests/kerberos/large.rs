//! Tickets of people who are in thousands of groups: up to 64 KiB, and many of them at once.
//!
//! No KDC here gives out such tickets, so they are forged with the service's own key
//! (`tests/clients/forge_ticket.py`); MIT's library makes the logins from them.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::lab::daemon::until;
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

/// A crowd that sends all but the ends of its lines, and then the ends; all stay where they are then. The
/// most memory at each of the two.
fn siege(scene: &Scene) -> [usize; 2] {
    let first = CROWD.to_string();
    let mut initiator = scene.realm.client(&["pop@localhost", "--first", &first]);
    let mut crowd: Vec<_> = (0..CROWD)
        .map(|number| {
            let [_, _, high, low] = number.to_be_bytes();
            let source = Ipv4Addr::new(127, 1, high, low);
            let mut client = Client::connect_from(source, scene.postern.doors.plain);
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
    let limits = format!("{RULES}\n[limits]\nmax_connections = {}\n", 2 * CROWD);
    let scene = Scene::start_with(&limits);
    scene.realm.forge("alice", 46 * KIB);
    assert!(scene.gssapi(&[]).starts_with("+OK"));
    let before = memory(&scene);
    let rounds = [0; 3].map(|_| beside(&scene, || siege(&scene)));
    println!("{CROWD} tickets: {before} KiB before, {rounds:?} in the three waves");
    for most in rounds.as_flattened() {
        assert!(*most < before + BOUND, "{before} {rounds:?}");
    }
    // What one wave took is there for the next: the allocator keeps it, and nothing is lost.
    let [first, last] = [rounds[0][1], rounds[2][1]];
    assert!(last < first + SLACK, "{before} {rounds:?}");
}
