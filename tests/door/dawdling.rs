//! SCRAM clients that say a name and then nothing: what they cost the others.
//!
//! Such a client counts as being verified until it is ended by its timer, and as a refused login
//! after that, as a wrong password does. So it can hold up nobody whom it could not lock out by guessing.

use std::time::{Duration, Instant};

use crate::wire::client::Client;
use crate::wire::postern::{Setup, start};
use crate::wire::text::base64;

/// How long a login waits for the outcome of others.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than a login of somebody else may take, on a machine that is busy.
const LONG: Duration = Duration::from_secs(8);

fn pass(mut client: Client, user: &str) -> String {
    assert!(client.ask(&format!("USER {user}")).starts_with("+OK"));
    client.ask("PASS correct horse")
}

#[test]
fn clients_that_dawdle_hold_their_account_up_within_limits_and_no_other() {
    let setup = Setup::new()
        .set("login.mechanisms", "[\"PLAIN\", \"SCRAM-SHA-256\"]")
        .set("login.failures_per_account", "2");
    let house = start(&setup);
    let dawdlers = [0, 1].map(|_| {
        let mut client = house.client();
        let first = base64(b"n,,n=alice,r=rOprNGfwEbeRWgbNEkqO");
        let answer = client.ask(&format!("AUTH SCRAM-SHA-256 {first}"));
        assert!(answer.starts_with("+ "), "{answer}");
        client
    });
    let began = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| pass(house.client(), "alice"));
        let other = pass(house.client(), "nobody-else");
        assert!(other.starts_with("-ERR [AUTH]"), "{other}");
        assert!(began.elapsed() < LONG, "another account waited too");
        let answer = waiting.join().expect("a client");
        assert!(answer.starts_with("-ERR [SYS/TEMP]"), "{answer}");
        assert!(began.elapsed() >= PATIENCE, "nobody was waited for");
    });
    // Who goes away without a proof was a refused login: the next is refused at once.
    let began = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| pass(house.client(), "alice"));
        drop(dawdlers);
        let answer = waiting.join().expect("a client");
        assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
        assert!(began.elapsed() < LONG, "the outcome was not seen");
    });
    house.logged(&["alice", "throttled"]);
}
