//! SCRAM clients that say a name and then nothing: what they cost the others.
//!
//! Such a client counts as being verified until it is ended by its timer, and as a refused login
//! after that, as a wrong password does. So it can hold up nobody whom it could not lock out by guessing.

use std::thread::{ScopedJoinHandle, scope};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::wire::client::Client;
use crate::wire::house::House;
use crate::wire::postern::{Setup, start};
use crate::wire::scram::Scram;

/// How long a login waits for the outcome of others.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than a login of somebody else may take, on a machine that is busy.
const LONG: Duration = Duration::from_secs(8);

/// How long the dawdlers are watched while a login waits for them. It is far above the time of a
/// login that waits for nobody.
const WATCHED: Duration = Duration::from_secs(2);

/// A client that has said its name and got its salt.
struct Dawdler {
    client: Client,
    name: &'static str,
    server_first: String,
}

impl Dawdler {
    fn come(house: &House, name: &'static str) -> Self {
        let mut client = house.client();
        let begun = Self::login(name, "").begin(&mut client);
        Self {
            client,
            name,
            server_first: begun.expect("a salt"),
        }
    }

    /// Proves the password after all; the answer, and the session if there is one.
    fn end(mut self, password: &str) -> (String, Client) {
        let answer = Self::login(self.name, password).end(&mut self.client, &self.server_first);
        (answer, self.client)
    }

    fn login<'a>(login: &'a str, password: &'a str) -> Scram<'a> {
        Scram {
            mechanism: "SCRAM-SHA-256",
            flag: "n",
            binding: b"",
            login,
            password,
        }
    }
}

fn house(limit: &str, most: &str) -> House {
    let setup = Setup::new().set("login.mechanisms", "[\"PLAIN\", \"SCRAM-SHA-256\"]");
    start(&setup.set(limit, most))
}

fn pass(mut client: Client, user: &str, password: &str) -> String {
    assert!(client.ask(&format!("USER {user}")).starts_with("+OK"));
    client.ask(&format!("PASS {password}"))
}

/// A client whose address is not that of the others.
fn from_elsewhere(house: &House) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let elsewhere = std::net::SocketAddr::from(([127, 0, 0, 2], 0));
    socket.bind(&elsewhere.into()).expect("an address of ours");
    socket.connect(&house.clear.into()).expect("connecting");
    let mut client = Client::from_stream(socket.into()).expect("a client");
    assert!(client.answer().starts_with("+OK"));
    client
}

/// Fails when the login has an answer before the dawdlers were watched long enough.
fn assert_waits(login: &ScopedJoinHandle<'_, String>) {
    let began = Instant::now();
    while began.elapsed() < WATCHED {
        assert!(!login.is_finished(), "nobody was waited for");
        std::thread::yield_now();
    }
}

#[test]
fn clients_that_dawdle_hold_their_account_up_within_limits_and_no_other() {
    let house = house("login.failures_per_account", "2");
    let dawdlers = ["alice", "alice"].map(|name| Dawdler::come(&house, name));
    let began = Instant::now();
    scope(|scope| {
        let waiting = scope.spawn(|| pass(house.client(), "alice", "correct horse"));
        let other = pass(house.client(), "nobody-else", "x");
        assert!(other.starts_with("-ERR [AUTH]"), "{other}");
        assert!(began.elapsed() < LONG, "another account waited too");
        let answer = waiting.join().expect("a client");
        assert!(answer.starts_with("-ERR [SYS/TEMP]"), "{answer}");
        assert!(began.elapsed() >= PATIENCE, "nobody was waited for");
    });
    // Who goes away without a proof was a refused login: the next is refused at once.
    let began = Instant::now();
    scope(|scope| {
        let waiting = scope.spawn(|| pass(house.client(), "alice", "correct horse"));
        drop(dawdlers);
        let answer = waiting.join().expect("a client");
        assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
        assert!(began.elapsed() < LONG, "the outcome was not seen");
    });
    house.logged(&["alice", "throttled"]);
}

#[test]
fn clients_that_dawdle_under_any_name_hold_their_own_source_up_and_no_other() {
    let house = house("login.failures_per_source", "2");
    let [alice, nobody] = ["alice", "nobody-else"].map(|name| Dawdler::come(&house, name));
    scope(|scope| {
        let waiting = scope.spawn(|| pass(house.client(), "paula", "two of us"));
        let began = Instant::now();
        let other = pass(from_elsewhere(&house), "dan", "delegate dan");
        assert!(other.starts_with("+OK"), "{other}");
        assert!(began.elapsed() < LONG, "another source waited too");
        assert_waits(&waiting);
        let (answer, _session) = alice.end("correct horse");
        assert!(answer.starts_with("+OK"), "{answer}");
        let answer = waiting.join().expect("a client");
        assert!(answer.starts_with("+OK"), "{answer}");
    });
    // One place is taken by who goes without a proof, the other by a wrong password.
    drop(nobody);
    house.logged(&["nobody-else", "cancelled"]);
    for (password, reason) in [("wrong", "wrong-password"), ("two of us", "throttled")] {
        let answer = pass(house.client(), "paula", password);
        assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
        house.logged(&["paula", reason]);
    }
}

#[test]
fn who_dawdles_and_proves_the_password_is_let_in_and_so_is_who_waited() {
    let house = house("login.failures_per_account", "2");
    let [first, second] = ["alice", "alice"].map(|name| Dawdler::come(&house, name));
    scope(|scope| {
        let waiting = scope.spawn(|| pass(house.client(), "alice", "correct horse"));
        assert_waits(&waiting);
        let (answer, mut session) = first.end("correct horse");
        assert!(answer.starts_with("+OK"), "{answer}");
        assert!(session.ask("STAT").starts_with("+OK 2 "));
        let answer = waiting.join().expect("a client");
        assert!(answer.starts_with("+OK"), "{answer}");
    });
    let (answer, _) = second.end("correct horses");
    assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
    house.logged(&["alice", "wrong-password"]);
}
