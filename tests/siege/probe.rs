//! A customer who logs in and fetches mail all the while, and counts how often that went well.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::wire::client::{Client, PATIENCE};
use crate::wire::fixture;
use crate::wire::house::House;

/// Where the customer comes from: not from where the attack does.
const SOURCE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 200);

/// What the customer found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Sessions from the greeting to the answer of QUIT.
    pub(crate) served: usize,
    /// The longest of them.
    pub(crate) longest: Duration,
}

/// Does the work while a customer comes and goes. A session that fails, brings a wrong octet, or
/// takes longer than a busy machine explains, fails the test.
pub(crate) fn beside<T>(house: &House, work: impl FnOnce() -> T) -> (T, Found) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let customer = scope.spawn(|| visit_until(&over, house));
        // The customer goes home however the work ends.
        let done = {
            let _guard = Over(&over);
            work()
        };
        let found = customer.join().expect("a customer was not served");
        assert!(found.longest < 4 * PATIENCE, "{found:?}");
        (done, found)
    })
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn visit_until(over: &AtomicBool, house: &House) -> Found {
    let mut found = Found {
        served: 0,
        longest: Duration::ZERO,
    };
    // At least one visit: the work may be quicker than it.
    while found.served == 0 || !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        visit(house);
        found.served += 1;
        found.longest = found.longest.max(begun.elapsed());
        thread::sleep(Duration::from_millis(20));
    }
    found
}

/// One session: a login, a message, an end in order.
pub(crate) fn visit(house: &House) {
    let stream = crate::connect_from(SOURCE, house.clear).expect("connecting");
    let mut client = Client::from_stream(stream).expect("a client");
    let greeting = client.answer();
    assert!(greeting.starts_with("+OK"), "the customer got {greeting}");
    assert!(client.ask("USER paula").starts_with("+OK"));
    let answer = client.ask("PASS two of us");
    assert!(answer.starts_with("+OK"), "the customer got {answer}");
    let answer = client.ask("RETR 1");
    assert!(answer.starts_with("+OK"), "the customer got {answer}");
    let wanted = fixture::message("first").expect("a message");
    let wanted = String::from_utf8_lossy(wanted);
    assert_eq!(client.list(), wanted.lines().collect::<Vec<_>>());
    assert!(client.ask("QUIT").starts_with("+OK"));
}
