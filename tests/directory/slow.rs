//! A directory that is far away: what it says takes time in each direction.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::daemon::until;
use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;
use crate::openldap::with_servers;
use crate::served::Served;

/// A way to a server on which octets travel for some milliseconds, in one direction and in the other.
/// Nothing is lost, and a wide pipe stays wide.
struct LongWay {
    address: SocketAddr,
    there: Arc<AtomicU64>,
    back: Arc<AtomicU64>,
}

impl LongWay {
    fn to(server: SocketAddr) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let way = Self {
            address: socket.local_addr().expect("its address"),
            there: Arc::default(),
            back: Arc::default(),
        };
        let (there, back) = (Arc::clone(&way.there), Arc::clone(&way.back));
        thread::spawn(move || {
            for client in socket.incoming() {
                let client = client.expect("a connection");
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                let pair = || (client.try_clone(), server.try_clone());
                let (Ok(from), Ok(to)) = pair() else { continue };
                carry(from, to, Arc::clone(&there));
                carry(server, client, Arc::clone(&back));
            }
        });
        way
    }

    fn take(&self, there: u64, back: u64) {
        self.there.store(there, Ordering::SeqCst);
        self.back.store(back, Ordering::SeqCst);
    }
}

/// Carries octets, each of which arrives so long after it was sent.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Arc<AtomicU64>) {
    let (send, sent) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut block = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut block) {
            let after = Duration::from_millis(delay.load(Ordering::SeqCst));
            let _ = send.send((Instant::now() + after, block[..count].to_vec()));
        }
    });
    thread::spawn(move || {
        for (due, octets) in sent {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&octets).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn waited(took: Duration, from: u64, to: u64) {
    let range = Duration::from_millis(from)..Duration::from_millis(to);
    assert!(range.contains(&took), "{took:?} is not in {range:?}");
}

#[test]
fn latency_is_waited_for_up_to_the_deadline_and_no_longer() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let tls = slapd.variable("LDAPS_URI");
    let server = tls.trim_start_matches("ldaps://").parse();
    let way = LongWay::to(server.expect("an address"));
    let only = format!("[\"ldaps://{}\"]", way.address);
    let served = Served::start(
        &lab,
        "london",
        &with_servers(&slapd, &only, "timeout = \"3s\""),
        &[],
    );
    let mut session = served.session();

    // 300 ms in each direction. A login is two questions, and a new connection two or three more.
    way.take(300, 300);
    let (answer, took) = served.login("bob", PASSWORD);
    assert!(answer.starts_with("+OK"), "{answer}");
    waited(took, 1200, 3500);
    let (answer, took) = served.login("bob", "wrong");
    assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
    waited(took, 1200, 3500);

    // Too late, in the one direction, in the other, and in both. What comes after the deadline is
    // nobody's answer.
    for (there, back) in [(5000, 0), (0, 5000), (5000, 5000)] {
        way.take(there, back);
        let (answer, took) = served.login("bob", PASSWORD);
        assert!(answer.starts_with("-ERR [SYS/TEMP]"), "{answer}");
        waited(took, 2900, 5500);
        let (answer, took) = served.login("bob", "wrong");
        assert!(
            answer.starts_with("-ERR [SYS/TEMP]"),
            "nobody waits twice: {answer}"
        );
        waited(took, 0, 1500);
        let begun = Instant::now();
        session.ok("NOOP");
        session.ok("STAT");
        waited(begun.elapsed(), 0, 1500);
        way.take(0, 0);
        until("bob to be let in again", || {
            let (answer, _) = served.login("bob", PASSWORD);
            answer.starts_with("+OK").then_some(())
        });
        for (name, password, expected) in [
            ("alice", "wrong", "-ERR [AUTH]"),
            ("alice", PASSWORD, "+OK"),
            ("nobody", PASSWORD, "-ERR [AUTH]"),
        ] {
            let (answer, took) = served.login(name, password);
            assert!(answer.starts_with(expected), "{name}: {answer}");
            waited(took, 0, 1500);
        }
    }
}
